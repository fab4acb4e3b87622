"""Defects of held and owed money to plant: each takes away one thing that keeps a promise."""

from collections.abc import Callable
from typing import Any

from chalicelib.payouts import reserving
from chalicelib.settlement import (
    domain,
    hold_tables,
    holding,
    owed,
    owed_domain,
    releases,
    reversal_tables,
)
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.integration.settlement import test_held as held
from tests.proofs.defect import Defect, Proof
from tests.unit.settlement import test_holding as unit


def _of(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(aws, *values)


def _pure(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(*values)


def _by_api(test: Callable[..., Any]) -> Proof:
    return lambda aws, api: test(api)


def _seeded(test: Callable[..., Any], how_many: int) -> Proof:
    def prove(aws: LocalAws, api: Api) -> None:
        for seed in range(how_many):
            aws.reset()
            test(aws, seed)

    return prove


_verification, _holds, _parts, _owed = (
    held.TestVerification(),
    held.TestHolds(),
    held.TestParts(),
    held.TestOwed(),
)
_adds_up = _seeded(_parts.test_in_any_order_of_facts_parts_add_up_and_all_orders_end_alike, 6)

DEFECTS = [
    Defect(
        "who is not verified is released", releases._release,
        "not standing.is_clear", "False",
        _of(_verification.test_a_stranger_and_a_suspended_artisan_wait),
    ),
    Defect(
        "who is put off is not looked at once more", releases._put_off,
        "standings.standing_of(str(share.artisan_id)).is_clear", "False",
        _seeded(_verification.test_verified_at_the_moment_of_the_sweep_nobody_is_forgotten, 12),
    ),
    Defect(
        "what is put off is looked at again only after a day", releases.look_again,
        "schedule_complete(shares)", "pass",
        _of(_verification.test_a_stranger_and_a_suspended_artisan_wait),
    ),
    Defect(
        "a held share has a time of release", domain.release_at,
        "share.holds or share.returns", "share.returns",
        _pure(unit.test_what_is_held_by_hand_or_returned_has_no_time_of_release, "holds"),
    ),
    Defect(
        "an open return keeps nothing", domain.release_at,
        "share.holds or share.returns", "share.holds",
        _pure(unit.test_what_is_held_by_hand_or_returned_has_no_time_of_release, "returns"),
    ),
    Defect(
        "a return that is closed is released under its refund", releases.record_return,
        "clock.now() + POSTPONED_BY", "clock.now()",
        _of(held.TestReturns().test_while_a_return_is_open_nothing_is_released),
    ),
    Defect(
        "a hold overlooks a release", hold_tables.place,
        "unchanged(share) & table.released_at.does_not_exist()", "table.pk.exists()",
        _seeded(_holds.test_a_hold_at_the_moment_of_the_release_is_before_or_after_it, 20),
    ),
    Defect(
        "a release overlooks a hold", hold_tables.place,
        "table.version.add(1),\n                    table.due_shard.remove(),\n"
        "                    table.due_at.remove(),",
        "",
        _seeded(_holds.test_a_hold_at_the_moment_of_the_release_is_before_or_after_it, 20),
    ),
    Defect(
        "what an artisan on hold has reserved leaves", reserving.destination_of,
        "settlement.is_on_hold(artisan_id)", "False",
        _of(_holds.test_a_payout_that_is_reserved_when_its_artisan_is_held_does_not_leave),
    ),
    Defect(
        "a hold is lifted a second time", hold_tables.lift,
        "condition=HoldTable.lifted_at.does_not_exist()", "condition=HoldTable.pk.exists()",
        _seeded(_holds.test_of_two_who_lift_it_at_once_one_is_kept, 80),
    ),
    Defect(
        "what is held by a dispute is not counted", reversal_tables._holding,
        "SettlementTable.held_minor.add(minor)", "SettlementTable.held_minor.add(0)", _adds_up,
    ),
    Defect(
        "what comes back is not listed again", reversal_tables._listed,
        "if after.is_waiting", "if False",
        _of(_parts.test_what_is_disputed_after_its_release_is_shown_as_held_until_it_ends),
    ),
    Defect(
        "what refunds took is shown as pending", holding.parts_of,
        "\"pending\", share.pending_minor,", "\"pending\", share.parts.artisan_minor,", _adds_up,
    ),
    Defect(
        "a payout takes all that is owed", owed_domain.recovered_minor,
        "payable_minor * limit_bp // FULL_BP", "payable_minor",
        _of(_owed.test_a_payout_takes_half_at_most_and_goes_on_with_the_next),
    ),
    Defect(
        "who asks to be paid is paid what they owe", reserving.prepared,
        "asked=request_key is not None", "asked=False",
        _of(_owed.test_a_payout_that_the_artisan_asks_for_takes_all),
    ),
    Defect(
        "one operator writes off alone", owed.approve,
        "found.drafted_by == operator", "False",
        _by_api(_owed.test_a_large_one_takes_two_operators),
    ),
    Defect(
        "no amount needs two operators", owed.write_off,
        "minor <= settings().write_off_four_eyes_minor", "True",
        _by_api(_owed.test_a_large_one_takes_two_operators),
    ),
]  # fmt: skip
