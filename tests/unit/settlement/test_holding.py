"""Why an amount is held: the reason that says most, who lifts it, and when it is expected."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.settlement import domain
from chalicelib.settlement.domain import ShareStatus
from chalicelib.settlement.holding import LIFTED_BY, Reason, Standing, why_not_released
from tests.factories.settlement import a_share, terms

NOW = datetime(2026, 7, 20, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
CLEAR = Standing(is_verified=True, is_on_hold=False)
COMPLETE = replace(a_share(terms()), delivered_at=LONG_AGO, confirmed_at=LONG_AGO)


def reason(standing=CLEAR, **changes):
    return why_not_released(replace(COMPLETE, **changes), standing, 14, NOW).reason


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Reason.BEING_RELEASED),
        ({"delivered_at": None}, Reason.NOT_DELIVERED),
        ({"delivered_at": NOW - timedelta(days=13)}, Reason.RETURN_WINDOW),
        ({"delivered_at": NOW - timedelta(days=14)}, Reason.BEING_RELEASED),
        ({"confirmed_at": None}, Reason.MONEY_NOT_CONFIRMED),
        ({"confirmed_at": None, "delivered_at": None}, Reason.NOT_DELIVERED),
        ({"confirmed_at": None, "delivered_at": None, "hold_days": 0}, Reason.MONEY_NOT_CONFIRMED),
        ({"disputes": frozenset({"d"}), "holds": frozenset({"h"})}, Reason.DISPUTED),
        ({"holds": frozenset({"h"}), "delivered_at": None}, Reason.OPERATOR_HOLD),
        ({"returns": frozenset({"r"})}, Reason.RETURN_OPEN),
    ],
)
def test_the_reason_is_what_keeps_it(changes, expected):
    assert reason(**changes) is expected


def test_what_is_asked_of_the_artisan_comes_last_and_a_hold_on_them_early():
    unverified, held = Standing(False, False), Standing(True, True)
    assert reason(unverified) is Reason.ARTISAN_NOT_VERIFIED
    assert reason(unverified, confirmed_at=None) is Reason.MONEY_NOT_CONFIRMED
    assert reason(held, delivered_at=None) is Reason.OPERATOR_HOLD


def test_only_what_time_lifts_is_expected_at_a_time():
    within = replace(COMPLETE, delivered_at=NOW - timedelta(days=13))
    found = why_not_released(within, CLEAR, 14, NOW)
    assert (found.lifted_by, found.expected_at) == (("time",), NOW + timedelta(days=1))
    missing = replace(COMPLETE, delivered_at=None)
    assert why_not_released(missing, CLEAR, 14, NOW).expected_at is None
    assert set(LIFTED_BY) == set(Reason)


@pytest.mark.parametrize("kept_by", ["holds", "returns"])
def test_what_is_held_by_hand_or_returned_has_no_time_of_release(kept_by):
    assert domain.release_at(COMPLETE, 14) == LONG_AGO + timedelta(days=14)
    assert domain.release_at(replace(COMPLETE, **{kept_by: frozenset({"x"})}), 14) is None


@given(
    delivered=st.none() | st.integers(0, 40),
    confirmed=st.none() | st.integers(0, 40),
    hold_days=st.none() | st.integers(0, 30),
    kept=st.sets(st.sampled_from(["disputes", "holds", "returns"])),
    standing=st.builds(Standing, st.booleans(), st.booleans()),
)
def test_nothing_keeps_it_exactly_when_it_may_be_released(
    delivered, confirmed, hold_days, kept, standing
):
    share = replace(
        COMPLETE,
        delivered_at=None if delivered is None else NOW - timedelta(days=delivered),
        confirmed_at=None if confirmed is None else NOW - timedelta(days=confirmed),
        hold_days=hold_days,
        **{name: frozenset({"x"}) for name in kept},
    )
    due_at = domain.release_at(share, 14)
    may = share.status is ShareStatus.PENDING and due_at is not None and due_at <= NOW
    says = why_not_released(share, standing, 14, NOW).reason is Reason.BEING_RELEASED
    assert says == (may and standing.is_clear)
