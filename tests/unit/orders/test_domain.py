"""Moves of orders and parcels, and the status a buyer sees."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.orders.domain import (
    MAX_QUANTITY,
    MOVES,
    PARCEL_MOVES,
    IllegalOrderMove,
    IllegalParcelMove,
    OrderState,
    OrderStatus,
    ParcelStatus,
    TooManyLines,
    Wanted,
    check_move,
    fingerprint_of,
    move_parcel,
    status_of,
    summed,
)
from tests.factories.orders import PLACED_AT, a_parcel, an_order

P = ParcelStatus
WINDOW = timedelta(days=14)


@pytest.mark.parametrize(
    ("start", "to"), [(s, t) for s in OrderState for t in OrderState if t not in MOVES[s]]
)
def test_P10_every_other_move_of_an_order_is_refused(start: OrderState, to: OrderState) -> None:
    with pytest.raises(IllegalOrderMove):
        check_move(an_order(state=start), to)


@pytest.mark.parametrize(
    ("start", "to"), [(s, t) for s in P for t in P if t not in PARCEL_MOVES[s]]
)
def test_P10_every_other_move_of_a_parcel_is_refused(start: P, to: P) -> None:
    with pytest.raises(IllegalParcelMove):
        move_parcel(a_parcel(status=start), to)


@pytest.mark.parametrize(("start", "to"), [(s, t) for s in P for t in sorted(PARCEL_MOVES[s])])
def test_a_move_of_a_parcel_changes_only_its_status(start: P, to: P) -> None:
    parcel = a_parcel(status=start)
    assert replace(move_parcel(parcel, to), status=start) == parcel


@pytest.mark.parametrize(
    ("parcels", "expected"),
    [
        ([P.WAITING], "paid"),
        ([P.WAITING, P.WAITING], "paid"),
        ([P.WAITING, P.PREPARING], "preparing"),
        ([P.WAITING, P.SHIPPED], "preparing"),
        ([P.WAITING, P.DELIVERED], "preparing"),
        ([P.PREPARING, P.SHIPPED], "preparing"),
        ([P.SHIPPED], "shipped"),
        ([P.SHIPPED, P.DELIVERED], "shipped"),
        ([P.DELIVERED, P.DELIVERED], "delivered"),
        ([P.DELIVERED, P.CANCELLED], "delivered"),
        ([P.CANCELLED, P.WAITING], "paid"),
        ([P.CANCELLED, P.CANCELLED], "cancelled"),
        ([P.RETURNED, P.DELIVERED], "delivered"),
    ],
)
def test_the_slowest_parcel_gives_the_status(parcels: list[P], expected: str) -> None:
    assert status_of(an_order(*parcels), PLACED_AT, WINDOW) == expected


def test_an_order_completes_when_the_return_window_has_passed() -> None:
    order = an_order(P.DELIVERED)
    assert status_of(order, PLACED_AT + WINDOW, WINDOW) is OrderStatus.COMPLETED
    before = PLACED_AT + WINDOW - timedelta(seconds=1)
    assert status_of(order, before, WINDOW) is OrderStatus.DELIVERED


@pytest.mark.parametrize("state", [s for s in OrderState if s is not OrderState.PAID])
def test_an_unpaid_order_shows_its_own_state(state: OrderState) -> None:
    assert status_of(an_order(P.WAITING, state=state), PLACED_AT, WINDOW) == state


def test_lines_of_one_listing_are_one_line() -> None:
    lines = [Wanted("a", 1), Wanted("b", 2), Wanted("a", 3)]
    assert summed(lines) == (Wanted("a", 4), Wanted("b", 2))
    with pytest.raises(TooManyLines):
        summed([Wanted("a", MAX_QUANTITY), Wanted("a", 1)])


def test_a_fingerprint_tells_contents_apart_and_not_the_order_of_their_names() -> None:
    assert fingerprint_of({"a": 1, "b": 2}) == fingerprint_of({"b": 2, "a": 1})
    assert fingerprint_of({"a": 1}) != fingerprint_of({"a": "1"})
