"""Stock for tests, and what must hold of it at every moment."""

from typing import Any

from chalicelib.stock import tables
from chalicelib.stock.domain import Hold, HoldState, Stock
from chalicelib.stock.tables import StockTable

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


def check_conserved(stock: Stock) -> None:
    """P1: nothing is negative, nothing appears or is lost."""
    counts = (stock.available, stock.held, stock.sold, stock.written_off)
    assert min(counts) >= 0, counts
    assert sum(counts) == stock.received, counts
    markers = sum(h.quantity for h in stock.holds.values() if h.state is HoldState.SOLD)
    assert markers <= stock.sold, "a marker of a sale that was not counted"


def check_all_conserved() -> dict[str, Stock]:
    """Every stock item keeps P1; only tests scan."""
    found = tables.find_many([row.stock_id for row in StockTable.scan()])
    for stock in found.values():
        check_conserved(stock)
    return found
