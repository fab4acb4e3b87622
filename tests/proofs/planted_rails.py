"""Defects of rails and banks' reports to plant: each takes away one thing that keeps a promise."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import iso20022
from chalicelib.edge import outbound
from chalicelib.payouts import (
    bank_files,
    bank_reports,
    outcomes,
    rails,
    reserving,
    sending,
    sending_tables,
    tables,
    whole_files,
)
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.integration.payouts import test_bank_files as reports
from tests.integration.payouts import test_rails as calls
from tests.proofs.defect import Defect, Proof
from tests.unit import test_iso20022 as reading


def _called(test: Callable[..., Any], *values: Any) -> Proof:
    def prove(aws: LocalAws, api: Api) -> None:
        try:
            test(calls.Rail(), *values)
        finally:
            outbound.reset()

    return prove


def _at_once(aws: LocalAws, api: Api) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _called(calls.test_of_two_who_go_on_at_once_one_calls, patch)(aws, api)


def _reported(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(reports.a_batch(10_000, 20_000, 30_000), *values)


def _of(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(aws, *values)


def _read(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(*values)


_one, _whole, _destinations = (
    reports.TestOnePayout(),
    reports.TestWholeFiles(),
    reports.TestDestinations(),
)
_statements, _refusals, _statuses = (
    reading.TestStatements(),
    reading.TestRefusals(),
    reading.TestStatusReports(),
)

DEFECTS = [
    Defect(
        "what is unknown is sent again unasked", sending._answer_to,
        "if payout.asks > 0:", "if False:",
        _called(calls.test_P8_a_lost_answer_leaves_it_unknown_and_the_money_where_it_is),
    ),
    Defect(
        "a time-out is taken for a refusal", sending._go_on,
        "sending_tables.mark_unknown(payout, clock.now())",
        "_take(payout, RailAnswer(RailState.REJECTED, payout.amount))",
        _called(calls.test_P8_a_lost_answer_leaves_it_unknown_and_the_money_where_it_is),
    ),
    Defect(
        "a message that comes again calls again", sending.send_payout,
        "if payout.asks == 0:", "if True:",
        _called(calls.test_P8_a_message_that_comes_again_sends_nothing_while_it_is_unknown),
    ),
    Defect(
        "two call at once", sending_tables.claim,
        "(table.status == payout.status) & asked", "table.pk.exists()",
        _at_once,
    ),
    Defect(
        "what the rail never got is never sent", sending._answer_to,
        "if answer.state is not RailState.ABSENT:", "if True:",
        _called(calls.test_P8_what_the_rail_never_got_is_sent_again_under_the_same_id),
    ),
    Defect(
        "a proxy's page is taken for absence", rails._read,
        "response.status == 404 and _is_json(response.body)", "response.status == 404",
        _called(calls.test_P8_a_page_of_a_proxy_is_not_taken_for_absence),
    ),
    Defect(
        "an answer about another payout is believed", rails._read,
        "said.reference != payout.payout_id", "False",
        _called(calls.test_P8_an_answer_that_is_none_is_unknown, "another payout"),
    ),
    Defect(
        "a refusal that says nothing is taken for one", rails._read,
        'raise OutcomeUnknown(f"the answer is {response.status}")',
        "return RailAnswer(RailState.REJECTED, payout.amount)",
        _called(calls.test_P8_a_refusal_that_says_nothing_of_the_money_is_unknown, 401),
    ),
    Defect(
        "the sweep finds no payout that was sent out", tables._move_payout,
        "actions += [table.due_shard.set(shard), table.due_at.set(soon)]", "pass",
        _called(calls.test_P6_a_lost_message_is_found_by_the_sweep),
    ),
    Defect(
        "a rail is asked every minute for days", sending.pause_after,
        "min(SOON * doublings, AT_LATEST)", "SOON",
        _called(calls.test_P8_an_outage_of_days_is_asked_about_ever_more_rarely),
    ),
    Defect(
        "another amount is as good", outcomes.record_report,
        "if payout.amount != report.amount:", "if False:",
        _reported(_one.test_another_amount_is_parked_and_nothing_is_posted, 9_999),
    ),
    Defect(
        "nobody hears of what does not fit", outcomes._refused,
        "_open_break(BreakKind.PAYOUT_UNMATCHED, report, payout, verdict)", "pass",
        _reported(_one.test_another_amount_is_parked_and_nothing_is_posted, 9_999),
    ),
    Defect(
        "nobody hears of what came back", outcomes._kept,
        '_open_break(BreakKind.PAYOUT_RETURNED, report, payout, "it came back")', "pass",
        _reported(_one.test_P4_what_comes_back_days_later_is_payable_again),
    ),
    Defect(
        "a return is taken for a payment in", bank_files._entry_line,
        "Outcome.RETURNED if entry.is_credit else Outcome.PAID", "Outcome.PAID",
        _reported(_one.test_P4_what_comes_back_days_later_is_payable_again),
    ),
    Defect(
        "a report before its time is lost", bank_reports._dealt_with,
        'return replace(taken, detail="not_submitted"), 0',
        'return replace(taken, result=LineResult.NOTED, detail="not_submitted"), 1',
        _of(_one.test_a_report_before_the_batch_is_sent_out_waits_for_it),
    ),
    Defect(
        "another sum of a file is as good", whole_files.begin,
        "if amount not in (None, Money(everything), Money(still_open)):", "if False:",
        _reported(_whole.test_another_sum_is_parked_and_nothing_is_posted),
    ),
    Defect(
        "a parked debit is never looked at again", bank_reports._of_one,
        "_look_again(payout.batch_id)", "pass",
        _reported(_whole.test_P7_a_debit_without_what_was_rejected_ends_alike, False),
    ),
    Defect(
        "what had failed is paid with its file", whole_files.page,
        "and not (progress.but_failed and payout.status is PayoutStatus.FAILED)", "",
        _reported(_whole.test_P7_a_debit_without_what_was_rejected_ends_alike, True),
    ),
    Defect(
        "a bad destination is paid to again", reserving.destination_of,
        "why_not = why_not or why_returned(artisan_id, found.usable_from)", "pass",
        _reported(_destinations.test_P4_the_next_batches_skip_a_destination_that_failed),
    ),
    Defect(
        "a bad destination stays bad", reserving.why_returned,
        "came_back.is_confirmed", "False",
        _reported(_destinations.test_it_is_paid_to_again_once_its_artisan_confirms_it),
    ),
    Defect(
        "another destination is bad, too", reserving.why_returned,
        " or usable_from > came_back.reserved_at", "",
        _reported(_destinations.test_another_destination_is_paid_to_once_it_may_be),
    ),
    Defect(
        "a document type is read", iso20022._parsed,
        'if "<!DOCTYPE" in text:', "if False:",
        _read(_refusals.test_a_doctype_is_refused_before_any_entity_is_made, "utf-8"),
    ),
    Defect(
        "what is only announced is booked", iso20022._statement,
        'if status in (None, "BOOK"):', "if True:",
        _read(_statements.test_what_is_not_booked_yet_has_moved_nothing),
    ),
    Defect(
        "parts that do not add up are believed", iso20022._parts,
        "if not details or not adds_up:", "if not details:",
        _read(_statements.test_an_entry_with_details_is_read_by_its_details),
    ),
    Defect(
        "a tenth of a centime is rounded off", iso20022._money,
        "matched is None", "False",
        _read(_statements.test_P5_an_amount_is_whole_centimes_or_nothing_is_read, "1.005"),
    ),
    Defect(
        "the bank's words are kept as a reason", iso20022._code,
        "code if code and _CODE.fullmatch(code) else None", "code",
        _read(_statuses.test_P15_words_of_the_bank_are_not_taken_for_a_reason),
    ),
]  # fmt: skip
