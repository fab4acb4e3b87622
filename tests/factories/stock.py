"""Stock for tests, and what must hold of it at every moment."""

from itertools import count
from typing import Any

from chalicelib import ids
from chalicelib.stock import tables
from chalicelib.stock.domain import Hold, HoldState, Level, Stock, home_of
from chalicelib.stock.tables import StockTable
from tests.crash_points import Fault, points

STOCK_ID = "lst_" + "s" * 24


def a_hold(quantity: int = 1, until_ms: int = 1_000, **changes: Any) -> Hold:
    content = {"quantity": quantity, "until_ms": until_ms, "mark": "m", "state": HoldState.HELD}
    return Hold(**(content | changes))


def a_stock(**changes: Any) -> Stock:
    content: dict[str, Any] = {
        "stock_id": STOCK_ID,
        "received": 5,
        "available": 5,
        "sold": 0,
        "written_off": 0,
        "holds": {},
    }
    return Stock(**(content | changes))


def orders_at(home: int, shard_count: int, wanted: int = 1) -> list[str]:
    """Ids of orders whose home is this shard."""
    found: list[str] = []
    for number in count():
        order_id = ids.derived_id("ord", str(number))
        if home_of(order_id, shard_count) == home:
            found.append(order_id)
        if len(found) == wanted:
            return found
    raise AssertionError


def parcel_of(order_id: str, number: int = 1) -> str:
    return ids.child_id("prc", order_id, number)


def lost_points(asked: list[str]) -> list[tuple[int, Fault]]:
    """Each call with the ways of failing that leave something half done."""
    lost = (Fault.ANSWER_LOST, Fault.REPEATED, Fault.DIED_BEFORE, Fault.DIED_AFTER)
    return [(number, fault) for number, fault in points(asked) if fault in lost]


def check_conserved(stock: Stock) -> None:
    """P1: nothing is negative, nothing appears or is lost."""
    counts = (stock.available, stock.held, stock.sold, stock.written_off)
    assert min(counts) >= 0, counts
    assert sum(counts) == stock.received, counts
    markers = sum(h.quantity for h in stock.holds.values() if h.state is HoldState.SOLD)
    assert markers + stock.cleared == stock.sold, "what was sold has a marker, or had one"
    assert stock.cleared >= 0


def check_shards(stock_id: str) -> Level:
    """P1 on each shard; what they are together, with holds counted as held, expired or not.

    And what is not at an order's home is known there: else nothing would give it back.
    """
    shards = tables.find_shards(stock_id, 4)
    for number, stock in shards.items():
        check_conserved(stock)
        for name, piece in stock.holds.items():
            if piece.home is None or piece.state is HoldState.HELD:
                continue
            anchor = shards[piece.home].holds.get(name)
            assert anchor is not None, f"{name} on shard {number} has no anchor"
            assert anchor.state is not HoldState.HELD
            assert number in (anchor.spread or {}), f"{name} on shard {number} is not in the plan"
    return sum((stock.level(0) for stock in shards.values()), start=Level(available=0))


def counts_of_order(stock_id: str, order_id: str) -> tuple[int, int, int]:
    """(held, sold with a marker, sold and cleared) of an order on all shards."""
    entries = [
        stock.holds[order_id]
        for stock in tables.find_shards(stock_id, 4).values()
        if order_id in stock.holds
    ]
    states = (HoldState.HELD, HoldState.SOLD, HoldState.CLEARED)
    held, sold, cleared = (sum(e.quantity for e in entries if e.state is s) for s in states)
    return held, sold, cleared


def check_all_conserved() -> dict[str, Stock]:
    """Every stock item keeps P1; only tests scan."""
    found = tables.find_many([row.stock_id for row in StockTable.scan()])
    for stock in found.values():
        check_conserved(stock)
    return found
