"""One item: counting, holding, claiming, releasing; on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib import clock
from chalicelib.errors import TooMany
from chalicelib.stock import service, tables
from chalicelib.stock.domain import (
    MAX_HOLDS_PER_ITEM,
    HoldMismatch,
    HoldState,
    InsufficientStock,
    SoldOut,
    StockIsHeld,
)
from infra.local.aws import LocalAws
from tests.aws import both_databases
from tests.factories.stock import STOCK_ID, a_hold, check_conserved


def soon(minutes: int = 15) -> datetime:
    return clock.now() + timedelta(minutes=minutes)


def counts() -> tuple[int, int, int]:
    """(available, held, sold), conserved."""
    stock = tables.find(STOCK_ID)
    assert stock
    check_conserved(stock)
    return stock.available, stock.held, stock.sold


@both_databases
def test_a_hold_becomes_one_sale_however_often_it_is_claimed(aws: LocalAws) -> None:
    service.set_on_hand(STOCK_ID, 3)
    assert service.hold(STOCK_ID, "ord", 2, "m", soon()) is True
    assert service.hold(STOCK_ID, "ord", 2, "m", soon()) is False
    assert counts() == (1, 2, 0)
    for _ in range(3):
        service.claim(STOCK_ID, "ord", 2, "m")
        assert counts() == (1, 0, 2)
    assert service.release(STOCK_ID, "ord", "m") is False, "its payment may still be on its way"
    service.forget(STOCK_ID, "ord")
    service.forget(STOCK_ID, "ord")
    assert counts() == (1, 0, 2)


@both_databases
def test_a_claim_whose_payment_never_came_goes_back_after_two_minutes(aws: LocalAws) -> None:
    service.set_on_hand(STOCK_ID, 1)
    service.hold(STOCK_ID, "ord", 1, "m", soon())
    service.claim(STOCK_ID, "ord", 1, "m")
    clock.advance(121)
    assert service.release(STOCK_ID, "ord", "m") is True
    assert counts() == (1, 0, 0)
    assert service.release(STOCK_ID, "ord", "m") is True
    assert counts() == (1, 0, 0)


@both_databases
def test_a_claim_takes_an_expired_and_lost_hold_anew_or_says_it_is_gone(aws: LocalAws) -> None:
    service.set_on_hand(STOCK_ID, 2)
    service.hold(STOCK_ID, "late", 1, "m", soon())
    clock.advance(16 * 60)
    service.hold(STOCK_ID, "other", 2, "m", soon())
    with pytest.raises(SoldOut):
        service.claim(STOCK_ID, "late", 1, "m")
    service.release(STOCK_ID, "other", "m")
    service.claim(STOCK_ID, "late", 1, "m")
    assert counts() == (1, 0, 1)


@both_databases
def test_another_content_under_the_same_order_neither_holds_nor_claims_nor_releases(
    aws: LocalAws,
) -> None:
    service.set_on_hand(STOCK_ID, 5)
    service.hold(STOCK_ID, "ord", 2, "mine", soon())
    for quantity, mark in ((2, "theirs"), (1, "mine")):
        with pytest.raises(HoldMismatch):
            service.hold(STOCK_ID, "ord", quantity, mark, soon())
        with pytest.raises(HoldMismatch):
            service.claim(STOCK_ID, "ord", quantity, mark)
    assert service.release(STOCK_ID, "ord", "theirs") is True
    assert counts() == (3, 2, 0)


@both_databases
def test_a_hold_is_kept_for_longer_but_never_for_less(aws: LocalAws) -> None:
    service.set_on_hand(STOCK_ID, 1)
    service.hold(STOCK_ID, "ord", 1, "m", soon(60))
    assert service.extend(STOCK_ID, "ord", soon(15)) is True, "it is held for longer already"
    assert service.extend(STOCK_ID, "ord", soon(90)) is True
    clock.advance(61 * 60)
    service.sweep_expired_holds()
    assert counts() == (0, 1, 0)
    clock.advance(31 * 60)
    service.sweep_expired_holds()
    assert service.extend(STOCK_ID, "ord", soon()) is False
    assert counts() == (1, 0, 0)


@both_databases
def test_refusals_name_what_is_there(aws: LocalAws) -> None:
    with pytest.raises(SoldOut):
        service.hold(STOCK_ID, "ord", 1, "m", soon())
    service.set_on_hand(STOCK_ID, 2)
    with pytest.raises(InsufficientStock) as refused:
        service.hold(STOCK_ID, "ord", 3, "m", soon())
    assert refused.value.extra["available"] == 2
    service.hold(STOCK_ID, "ord", 2, "m", soon())
    with pytest.raises(StockIsHeld):
        service.set_on_hand(STOCK_ID, 1)
    clock.advance(16 * 60)
    assert service.set_on_hand(STOCK_ID, 1).available == 1, "an expired hold is in nobody's way"
    assert counts() == (1, 0, 0)


def test_an_item_carries_so_many_holds_and_no_more(aws: LocalAws) -> None:
    tables.create(STOCK_ID, MAX_HOLDS_PER_ITEM + 1)  # As large ones were before there were shards.
    for number in range(MAX_HOLDS_PER_ITEM):
        service.hold(STOCK_ID, f"ord{number}", 1, "m", soon())
    with pytest.raises(TooMany) as refused:
        service.hold(STOCK_ID, "one more", 1, "m", soon())
    assert refused.value.retry_after_seconds
    clock.advance(16 * 60)
    service.hold(STOCK_ID, "one more", 1, "m", soon())
    assert counts() == (MAX_HOLDS_PER_ITEM, 1, 0)


def test_levels_of_what_was_never_counted_are_zero(aws: LocalAws) -> None:
    assert service.levels(["lst_none"])["lst_none"].available == 0


def test_levels_of_many_are_read_in_pages(aws: LocalAws) -> None:
    names = [f"lst_{number}" for number in range(120)]
    tables.create(names[0], 3)
    tables.create(names[119], 4)
    found = service.levels(names)
    assert [name for name in names if found[name].available] == [names[0], names[119]]


@both_databases
@pytest.mark.parametrize("state", [HoldState.HELD, HoldState.RESTOCKED])
def test_an_entry_does_not_grow_beyond_what_is_there(aws: LocalAws, state: HoldState) -> None:
    # Given three pieces available, and three that were sold long ago
    service.set_on_hand(STOCK_ID, 7)
    service.hold(STOCK_ID, "ord_long_ago", 4, "m", soon())
    service.claim(STOCK_ID, "ord_long_ago", 4, "m")
    service.forget(STOCK_ID, "ord_long_ago")
    is_held = state is HoldState.HELD
    entry = a_hold(1, state=state)
    if is_held:
        tables.add_hold(STOCK_ID, "key", entry)
    else:
        tables.add_return(STOCK_ID, "key", "ord", entry, MAX_HOLDS_PER_ITEM)
    # When one of each is taken, then two more can be, and not three
    most = replace(entry, quantity=3 if is_held else 4)
    with pytest.raises(tables.Refused):
        tables.change_hold(STOCK_ID, "key", entry, replace(most, quantity=most.quantity + 1))
    tables.change_hold(STOCK_ID, "key", entry, most)
    assert counts() == ((0, 3, 4) if is_held else (7, 0, 0))
