"""Levels, counting again, and the refusals of what is not there."""

import pytest

from chalicelib.stock.domain import (
    HoldState,
    InsufficientStock,
    SoldOut,
    StockIsHeld,
    adjustment,
    shortage,
)
from tests.factories.stock import a_hold, a_stock, check_conserved


def test_an_expired_hold_is_as_good_as_available() -> None:
    stock = a_stock(available=3, holds={"a": a_hold(2, until_ms=10)})
    assert (stock.level(9).available, stock.level(9).held) == (3, 2)
    assert (stock.level(10).available, stock.level(10).held) == (5, 0)


def test_the_marker_of_a_sale_neither_holds_nor_expires() -> None:
    marker = a_hold(2, until_ms=10, state=HoldState.SOLD)
    stock = a_stock(available=3, sold=2, holds={"a": marker})
    assert stock.held == 0
    assert stock.expired(99) == {}
    check_conserved(stock)


@pytest.mark.parametrize(("on_hand", "received", "written_off"), [(5, 0, 0), (8, 3, 0), (2, 0, 3)])
def test_counting_again_receives_or_writes_off(
    on_hand: int, received: int, written_off: int
) -> None:
    stock = a_stock(available=3, holds={"a": a_hold(2)})
    change = adjustment(stock, on_hand)
    assert (change.received, change.written_off) == (received, written_off)


def test_what_buyers_are_paying_for_cannot_be_written_off() -> None:
    with pytest.raises(StockIsHeld) as refused:
        adjustment(a_stock(available=3, holds={"a": a_hold(2)}), 1)
    assert refused.value.extra == {"held": 2}


def test_a_refusal_says_how_many_are_left() -> None:
    assert isinstance(shortage(None, 1, "lst"), SoldOut)
    assert isinstance(shortage(a_stock(available=0), 1, "lst"), SoldOut)
    short = shortage(a_stock(available=2), 3, "lst")
    assert isinstance(short, InsufficientStock)
    assert short.extra == {"listing_id": "lst", "available": 2}
