"""Moves of batches and payouts, and what a report does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.artisans.domain import ArtisanStatus, DestinationKind, PayoutDestination
from chalicelib.ledger.domain import deltas_minor
from chalicelib.money import Money
from chalicelib.payouts import domain
from chalicelib.payouts.domain import (
    BATCH_MOVES,
    MOVES,
    Batch,
    BatchStatus,
    FourEyesRequired,
    IllegalBatchMove,
    Outcome,
    PayoutNotSubmitted,
    PayoutStatus,
)
from tests.factories.artisans import RIB, an_artisan
from tests.factories.payouts import AT, a_payout

VERIFIED = an_artisan(status=ArtisanStatus.VERIFIED)
THERE = PayoutDestination(DestinationKind.BANK_ACCOUNT, RIB, "001…0318", AT - timedelta(hours=72))


def a_batch(**changes):
    content = {
        "batch_id": "pbt_a",
        "status": BatchStatus.DRAFT,
        "drafted_by": "op-1",
        "drafted_at": AT,
        "is_complete": True,
        "total": Money(100),
    }
    return Batch(**(content | changes))


class TestWhoIsPaid:
    def test_a_verified_artisan_with_a_settled_destination_is(self):
        assert domain.why_not_paid(VERIFIED, THERE, AT) is None

    def test_P4_a_destination_is_usable_after_72_hours_and_not_before(self):
        just_changed = replace(THERE, changed_at=AT - timedelta(hours=72) + timedelta(seconds=1))
        assert domain.why_not_paid(VERIFIED, just_changed, AT) == "destination_just_changed"

    @pytest.mark.parametrize("status", [s for s in ArtisanStatus if s != ArtisanStatus.VERIFIED])
    def test_P4_an_artisan_who_is_not_verified_is_not(self, status):
        assert domain.why_not_paid(an_artisan(status=status), THERE, AT) == "not_verified"

    def test_without_a_destination_nobody_is(self):
        assert domain.why_not_paid(VERIFIED, None, AT) == "no_destination"


class TestBatchMoves:
    @pytest.mark.parametrize(
        ("start", "to"),
        [(s, t) for s in BatchStatus for t in BatchStatus if t not in BATCH_MOVES[s]],
    )
    def test_P10_every_other_move_is_refused(self, start, to):
        with pytest.raises(IllegalBatchMove):
            domain.check_batch_move(a_batch(status=start), to)

    def test_a_batch_that_is_still_drafted_goes_nowhere(self):
        with pytest.raises(domain.BatchNotComplete):
            domain.check_batch_move(a_batch(is_complete=False), BatchStatus.APPROVED)

    def test_above_the_limit_the_drafter_does_not_approve(self):
        with pytest.raises(FourEyesRequired):
            domain.check_four_eyes(a_batch(), "op-1", 99)

    def test_another_operator_does_and_so_does_the_drafter_up_to_the_limit(self):
        domain.check_four_eyes(a_batch(), "op-2", 99)
        domain.check_four_eyes(a_batch(), "op-1", 100)


class TestReports:
    def test_nothing_can_have_become_of_what_was_not_sent(self):
        with pytest.raises(PayoutNotSubmitted):
            domain.steps_to(PayoutStatus.RESERVED, Outcome.PAID)

    @pytest.mark.parametrize("status", [PayoutStatus.SUBMITTED, PayoutStatus.UNKNOWN])
    def test_what_was_returned_had_been_paid(self, status):
        assert domain.steps_to(status, Outcome.RETURNED) == (
            PayoutStatus.PAID,
            PayoutStatus.RETURNED,
        )

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (PayoutStatus.PAID, Outcome.PAID),
            (PayoutStatus.PAID, Outcome.FAILED),
            (PayoutStatus.FAILED, Outcome.PAID),
            (PayoutStatus.FAILED, Outcome.RETURNED),
            (PayoutStatus.RETURNED, Outcome.PAID),
            (PayoutStatus.RETURNED, Outcome.FAILED),
        ],
    )
    def test_P10_late_and_contradicting_reports_move_nothing(self, status, outcome):
        assert domain.steps_to(status, outcome) == ()

    def test_every_step_is_in_the_table_of_moves(self):
        for status in set(PayoutStatus) - {PayoutStatus.RESERVED}:
            for outcome in Outcome:
                at = status
                for step in domain.steps_to(status, outcome):
                    assert step in MOVES[at]
                    at = step


class TestEntries:
    def test_a_returned_payout_leaves_the_accounts_as_before_the_batch(self):
        payout = a_payout()
        reserve = domain.reserve_entry(payout)
        totals: dict[str, int] = {}
        for entry in (
            reserve,
            domain.outcome_entry(payout, PayoutStatus.PAID, AT),
            domain.outcome_entry(payout, PayoutStatus.RETURNED, AT),
        ):
            for account, delta in deltas_minor(entry).items():
                totals[account] = totals.get(account, 0) + delta
        assert set(totals.values()) == {0}
