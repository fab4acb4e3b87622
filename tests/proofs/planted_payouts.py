"""Defects of payouts to plant: each takes away one thing that keeps a promise."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chalicelib.payouts import (
    batch_tables,
    domain,
    drafting,
    limits,
    pain001,
    plan_tables,
    requests,
    reserving,
    service,
    tables,
    working,
)
from infra.local.aws import LocalAws
from infra.local.pump import Pump
from tests.aws import Api
from tests.integration.payouts import test_large as large
from tests.integration.payouts import test_leaving as leaving
from tests.integration.payouts import test_service as batches
from tests.proofs import test_payouts_histories as histories
from tests.proofs.defect import Defect, Proof
from tests.unit.payouts import test_files as bank_files
from tests.unit.payouts import test_limits as rails


def _of(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(aws, *values)


def _by_api(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(api, *values)


def _pure(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(*values)


def _seeded(test: Callable[..., Any], *values: Any, how_many: int = 10) -> Proof:
    def prove(aws: LocalAws, api: Api) -> None:
        for seed in range(how_many):
            aws.reset()
            test(aws, seed, *values)

    return prove


@contextmanager
def _small() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        large.make_small(patch)
        yield patch


def _large(test: Callable[..., Any]) -> Proof:
    def prove(aws: LocalAws, api: Api) -> None:
        from app import app

        with _small():
            test(aws, Pump(app, aws))

    return prove


def _pages(aws: LocalAws, api: Api) -> None:
    with pytest.MonkeyPatch.context() as patch:
        histories.make_small(patch)
        _seeded(histories.test_P7_the_same_page_worked_on_at_once_is_worked_on_once, None)(aws, api)


def _crashes(steps: Any) -> Proof:
    def prove(aws: LocalAws, api: Api) -> None:
        with pytest.MonkeyPatch.context() as patch:
            histories.make_small(patch)
            for fault in (histories.Fault.NOT_SENT, histories.Fault.ANSWER_LOST):
                histories.test_P6_a_crash_in_a_large_batch_loses_and_doubles_nothing(
                    aws, fault, steps, None
                )

    return prove


def _behind(aws: LocalAws, api: Api) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _on_demand.test_P4_nobody_is_added_to_a_day_that_has_ended(aws, patch)


_again, _cancelling, _on_demand = (
    leaving.TestAskedAgain(),
    leaving.TestCancelling(),
    leaving.TestOnDemand(),
)
_drafting, _submitting = large.TestDrafting(), large.TestSubmitting()

DEFECTS = [
    Defect(
        "who lost the verification is paid", working._check,
        "if why_not is not None:", "if why_not not in (None, 'not_verified'):",
        _of(_again.test_P4_who_lost_the_verification_is_taken_out, "submit"),
    ),
    Defect(
        "the destination is not asked again", working._why_not_any_more,
        "(now.rail, now.value) != (there.rail, there.value)", "False",
        _of(_again.test_P4_another_destination_in_effect_takes_it_out),
    ),
    Defect(
        "what the bank may have is taken out", working._check,
        " and line[0].rail not in batch.files_taken", "",
        _by_api(_again.test_P4_what_the_bank_may_have_by_now_stays_in),
    ),
    Defect(
        "a file is handed out and nobody notes it", service.rail_file,
        "batch_tables.take_file(batch, chosen)", "pass",
        _by_api(_cancelling.test_P4_not_once_a_file_of_it_was_handed_out),
    ),
    Defect(
        "a file is handed out while the batch is moved", batch_tables.take_file,
        "still = (table.status == batch.status) & table.work.does_not_exist()",
        "still = table.pk.exists()",
        _seeded(histories.test_P4_what_is_in_a_file_that_was_handed_out_is_never_payable_again),
    ),
    Defect(
        "a batch is cancelled whose file has just been handed out", batch_tables.cancel,
        "table.files_taken.does_not_exist()", "None",
        _seeded(histories.test_P4_what_is_in_a_file_that_was_handed_out_is_never_payable_again),
    ),
    Defect(
        "a cancelled batch has a file", service.rail_file,
        " or batch.status is BatchStatus.CANCELLED", "",
        _by_api(_cancelling.test_its_money_is_payable_again, True),
    ),
    Defect(
        "a checker that was overtaken goes on", batch_tables.at_step,
        "(table.work == batch.work) & (table.work_step == batch.work_step)", "table.pk.exists()",
        _of(_again.test_P4_a_checker_that_was_overtaken_takes_nobody_out_of_a_written_file),
    ),
    Defect(
        "what is taken out is kept from the artisan", domain.outcome_entry,
        "PayoutStatus.CANCELLED: posting(clearing, payable, minor)",
        'PayoutStatus.CANCELLED: posting(clearing, "bank:main", minor)',
        _by_api(_cancelling.test_its_money_is_payable_again, False),
    ),
    Defect(
        "what is taken out stays on its way", tables.taking_out,
        "_add_totals(transaction, payout, in_payout=-1)", "pass",
        _by_api(_cancelling.test_its_money_is_payable_again, False),
    ),
    Defect(
        "a page that was drafted is drafted again", plan_tables._lane,
        "int(row.plan_step or 0)", "0",
        _large(_drafting.test_P7_a_page_delivered_again_reserves_nothing_again),
    ),
    Defect(
        "nobody resumes a lane whose message was lost", drafting.go_on,
        "_send(lane)", "batch.in_lanes or _send(lane)",
        _large(_drafting.test_P11_a_lane_whose_message_was_lost_is_resumed_by_the_sweep),
    ),
    Defect(
        "one artisan who cannot be read stops a lane", drafting._reserved_apart,
        'return f"failed: {type(error).__name__}"', "raise",
        lambda aws, api: _large(
            lambda aws, pump: _drafting.
            test_P9_one_artisan_who_cannot_be_read_keeps_no_other_back(api, pump)
        )(aws, api),
    ),
    Defect(
        "who was reserved meanwhile is listed as left out", drafting._reserve_all,
        "if one not in meanwhile", "", _pages,
    ),
    Defect(
        "nobody resumes the work whose message was lost", working.resume,
        "return go_on(batch)", "return batch",
        _large(_submitting.test_P11_work_whose_message_was_lost_is_resumed_by_the_sweep),
    ),
    Defect(
        "what was marked before a crash is never handed over", working._hand_over,
        "(PayoutStatus.RESERVED, PayoutStatus.SUBMITTED)", "(PayoutStatus.RESERVED,)",
        _crashes(histories.LARGE),
    ),
    Defect(
        "the day's batch takes who asks while it is counted", drafting.end,
        "not plan_tables.move_lane(Lane(batch_id), None)", "False",
        _seeded(histories.test_P4_who_asks_as_the_day_ends_is_counted_or_asks_again, how_many=40),
    ),
    Defect(
        "the day's batch takes more after it has ended", tables.reserving,
        "fence(transaction)", "pass", _behind,
    ),
    Defect(
        "an artisan asks as often as they like", requests.request_payout,
        "payout.request_key != request_key", "False",
        _by_api(_on_demand.test_what_is_payable_is_reserved_at_once_and_a_repeat_is_the_same),
    ),
    Defect(
        "one operator is enough where none drafted it", domain.needs_vouching,
        "is_large and", "False and",
        _of(_on_demand.test_P4_a_large_batch_that_no_operator_drafted_takes_two),
    ),
    Defect(
        "who vouched approves as well", domain.check_four_eyes,
        "batch.vouched_by or batch.drafted_by", "batch.drafted_by",
        _of(_on_demand.test_P4_a_large_batch_that_no_operator_drafted_takes_two),
    ),
    Defect(
        "the drafter approves a large batch", domain.check_four_eyes,
        "approver == first", "False",
        _of(batches.TestApproving().test_a_large_batch_takes_another_operator),
    ),
    Defect(
        "a destination is paid to at once", domain.why_not_paid,
        "not destination.is_usable(now)", "False",
        _of(batches.TestDrafting().test_P4_who_cannot_be_paid_is_left_out_with_the_reason),
    ),
    Defect(
        "a wallet is filled above its ceiling", limits.payable_by,
        "amount.amount_minor > room", "False",
        _of(leaving.TestRailLimits().
            test_a_wallet_is_paid_up_to_its_ceiling_and_the_rest_stays_payable),
    ),
    Defect(
        "what is on its way takes no room in a wallet", reserving.prepared,
        "tables.totals_of(artisan_id).in_payout", "Money(0)",
        _of(leaving.TestRailLimits().
            test_a_wallet_is_paid_up_to_its_ceiling_and_the_rest_stays_payable),
    ),
    Defect(
        "an account with a wrong key is reachable", limits.why_not_reachable,
        "not is_valid_rib(value)", "False",
        _pure(rails.TestBanks().test_an_account_with_a_wrong_key_is_not_reachable),
    ),
    Defect(
        "an account with a wrong key is in the file", pain001._transfer,
        "assert is_valid_rib(destination.value)", "assert destination.value",
        _pure(bank_files.test_an_account_with_a_wrong_key_never_gets_into_it),
    ),
    Defect(
        "a name breaks the file", pain001._transfer,
        "escape(name_in_file(destination.name))", "destination.name",
        _pure(bank_files.test_it_is_the_same_byte_for_byte_as_when_the_bank_first_saw_one),
    ),
    Defect(
        "a file that is not what the batch says is finished", pain001.pieces,
        "assert RailTotal(count, Money(minor)) == total", "pass",
        _pure(bank_files.test_a_file_that_is_not_what_the_batch_says_is_not_finished),
    ),
    Defect(
        "instant transfers know no cap", limits.is_instant,
        "amount.amount_minor <= cap_minor", "True",
        _pure(
            bank_files.
            test_instant_transfers_are_marked_up_to_their_cap_once_the_bank_has_said_how,
            2_000_001, False,
        ),
    ),
]  # fmt: skip
