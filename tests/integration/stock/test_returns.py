"""What becomes of sold pieces: for sale again or written off, once; on both databases."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from chalicelib import clock
from chalicelib.stock import service, tables
from chalicelib.stock.domain import HoldMismatch, HoldState, Level, NotSold, shard_id
from infra.local.aws import LocalAws
from tests import quick_moto as moto
from tests.aws import both_databases
from tests.crash_points import calls_of, disturbed
from tests.factories.stock import (
    STOCK_ID,
    check_shards,
    counts_of_order,
    lost_points,
    orders_at,
    parcel_of,
)
from tests.wire import counted

quick_moto = moto.quick_moto
ORDER, OTHER = orders_at(1, 4, 2)
PARCEL = parcel_of(ORDER)


def soon() -> datetime:
    return clock.now() + timedelta(minutes=15)


def open_shards(*available: int) -> None:
    tables.create(STOCK_ID, available[0], len(available))
    for number, pieces in enumerate(available[1:], start=1):
        tables.create(shard_id(STOCK_ID, number), pieces)


def sell(order_id: str, quantity: int, shard_count: int = 1) -> None:
    service.hold(STOCK_ID, order_id, quantity, "m", soon(), shard_count)
    service.claim(STOCK_ID, order_id, quantity, "m", shard_count)


def open_with_a_sale_long_ago() -> None:
    """Five pieces, and two that another order bought, of which no marker speaks any more."""
    service.set_on_hand(STOCK_ID, 7)
    [long_ago] = orders_at(2, 4)
    sell(long_ago, 2)
    service.forget(STOCK_ID, long_ago)


@both_databases
@pytest.mark.parametrize("is_forgotten", [False, True])
def test_sold_pieces_are_for_sale_again_once(aws: LocalAws, is_forgotten: bool) -> None:
    open_with_a_sale_long_ago()
    sell(ORDER, 2)
    if is_forgotten:
        service.forget(STOCK_ID, ORDER)
    assert service.restock(STOCK_ID, PARCEL, 2) is True
    assert service.restock(STOCK_ID, PARCEL, 2) is False
    assert check_shards(STOCK_ID) == Level(available=5, sold=2, received=7)
    service.forget(STOCK_ID, ORDER)
    service.forget(STOCK_ID, PARCEL)
    service.forget(STOCK_ID, PARCEL)
    assert check_shards(STOCK_ID) == Level(available=5, sold=2, received=7)
    assert tables.find(STOCK_ID).holds == {}  # type: ignore[union-attr]


@both_databases
def test_what_was_not_there_after_all_is_written_off_once(aws: LocalAws) -> None:
    service.set_on_hand(STOCK_ID, 5)
    sell(ORDER, 2)
    assert service.restock(STOCK_ID, PARCEL, 2, write_off=True) is True
    assert service.restock(STOCK_ID, PARCEL, 2, write_off=True) is False
    assert check_shards(STOCK_ID) == Level(available=3, written_off=2, received=5)
    with pytest.raises(HoldMismatch):
        service.restock(STOCK_ID, PARCEL, 2)
    with pytest.raises(HoldMismatch):
        service.restock(STOCK_ID, PARCEL, 1, write_off=True)
    assert check_shards(STOCK_ID) == Level(available=3, written_off=2, received=5)


@both_databases
def test_nothing_gives_the_same_pieces_back_twice(aws: LocalAws) -> None:
    # Given a paid order whose pieces are for sale again
    open_with_a_sale_long_ago()
    sell(ORDER, 2)
    service.restock(STOCK_ID, PARCEL, 2)
    # When the order is released as if it had not been paid, and its claim comes once more
    clock.advance(121)
    assert service.release(STOCK_ID, ORDER, "m") is True
    assert check_shards(STOCK_ID) == Level(available=5, sold=2, received=7)
    service.claim(STOCK_ID, ORDER, 2, "m")
    assert service.hold(STOCK_ID, ORDER, 2, "m", soon()) is False
    assert service.extend(STOCK_ID, ORDER, soon()) is True
    # Then nothing has changed
    assert check_shards(STOCK_ID) == Level(available=5, sold=2, received=7)
    sell(OTHER, 5)
    assert check_shards(STOCK_ID) == Level(available=0, sold=7, received=7)


@both_databases
def test_only_what_the_order_bought_comes_back(aws: LocalAws) -> None:
    service.set_on_hand(STOCK_ID, 5)
    for key in (PARCEL, parcel_of(OTHER)):
        with pytest.raises(NotSold):
            service.restock(STOCK_ID, key, 1)
    sell(ORDER, 2)
    with pytest.raises(NotSold):
        service.restock(STOCK_ID, parcel_of(OTHER), 2)
    assert counts_of_order(STOCK_ID, ORDER) == (0, 2, 0), "another's marker is not touched"
    with pytest.raises(NotSold):
        service.restock(STOCK_ID, PARCEL, 3)
    service.hold(STOCK_ID, OTHER, 1, "m", soon())
    with pytest.raises(NotSold):
        service.restock(STOCK_ID, parcel_of(OTHER), 1)
    service.forget(STOCK_ID, ORDER)
    with pytest.raises(NotSold):
        service.restock(STOCK_ID, PARCEL, 3)
    with pytest.raises(NotSold):
        service.restock("lst_none", PARCEL, 1)
    assert check_shards(STOCK_ID) == Level(available=2, held=1, sold=2, received=5)


@both_databases
def test_parts_come_back_one_by_one(aws: LocalAws) -> None:
    service.set_on_hand(STOCK_ID, 5)
    sell(ORDER, 3)
    service.restock(STOCK_ID, parcel_of(ORDER, 1), 1)
    service.restock(STOCK_ID, parcel_of(ORDER, 2), 2, write_off=True)
    with pytest.raises(NotSold):
        service.restock(STOCK_ID, parcel_of(ORDER, 3), 1)
    assert check_shards(STOCK_ID) == Level(available=3, written_off=2, received=5)


@both_databases
@pytest.mark.parametrize("is_forgotten", [False, True])
@pytest.mark.parametrize("write_off", [False, True])
def test_pieces_of_several_shards_come_back_whole(
    aws: LocalAws, is_forgotten: bool, write_off: bool
) -> None:
    open_shards(2, 1, 1, 2)
    sell(OTHER, 1, 4)
    sell(ORDER, 5, 4)
    if is_forgotten:
        service.forget(STOCK_ID, ORDER, 4)
        service.forget(STOCK_ID, OTHER, 4)
    assert service.restock(STOCK_ID, PARCEL, 5, 4, write_off=write_off) is True
    assert service.restock(STOCK_ID, PARCEL, 5, 4, write_off=write_off) is False
    back = {"written_off": 5} if write_off else {}
    expected = Level(available=0 if write_off else 5, sold=1, received=6, **back)
    assert check_shards(STOCK_ID) == expected
    for name in (ORDER, PARCEL, OTHER):
        service.forget(STOCK_ID, name, 4)
    assert check_shards(STOCK_ID) == expected
    assert not any(stock.holds for stock in tables.find_shards(STOCK_ID, 4).values())


@pytest.mark.usefixtures("quick_moto")
@pytest.mark.parametrize(
    ("shards", "is_forgotten"), [((6,), False), ((6,), True), ((2, 1, 1, 2), False)]
)
def test_P6_P7_a_return_that_breaks_off_is_finished_by_doing_it_again(
    aws: LocalAws, shards: tuple[int, ...], is_forgotten: bool
) -> None:
    def given() -> None:
        aws.reset()
        open_shards(*shards)
        sell(ORDER, 5, len(shards))
        if is_forgotten:
            service.forget(STOCK_ID, ORDER, len(shards))

    def do() -> bool:
        return service.restock(STOCK_ID, PARCEL, 5, len(shards))

    given()
    for number, fault in lost_points(calls_of(do)):
        given()
        with disturbed(number, fault), suppress(Exception):
            do()
        check_shards(STOCK_ID)
        if not is_forgotten:
            service.claim(STOCK_ID, ORDER, 5, "m", len(shards))  # a callback that comes late
        do()
        assert do() is False
        assert check_shards(STOCK_ID) == Level(available=6, received=6), (number, fault)


def test_a_return_takes_one_update_when_the_marker_is_forgotten(aws: LocalAws) -> None:
    service.set_on_hand(STOCK_ID, 5)
    sell(ORDER, 2)
    service.forget(STOCK_ID, ORDER)
    with counted() as asked:
        service.restock(STOCK_ID, PARCEL, 2)
    assert asked == ["UpdateItem"]


def test_a_return_is_about_a_part_of_an_order(aws: LocalAws) -> None:
    with pytest.raises(AssertionError):
        service.restock(STOCK_ID, ORDER, 1)


def test_a_late_claim_finds_that_it_was_sold(aws: LocalAws) -> None:
    open_shards(2, 1, 1, 2)
    sell(ORDER, 5, 4)
    service.restock(STOCK_ID, PARCEL, 5, 4)
    service.claim(STOCK_ID, ORDER, 5, "m", 4)
    assert check_shards(STOCK_ID) == Level(available=6, received=6)
    states = {
        stock.holds[ORDER].state
        for stock in tables.find_shards(STOCK_ID, 4).values()
        if ORDER in stock.holds
    }
    assert states == {HoldState.CLEARED}
