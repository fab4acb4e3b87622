"""Giving back what expired: by whoever needs the pieces, and by a sweep."""

from collections.abc import Iterable
from functools import partial

from chalicelib import clock
from chalicelib.edge.sweeps import each_apart
from chalicelib.stock import tables
from chalicelib.stock.domain import Stock
from chalicelib.stock.tables import Refused


def reclaim_expired(stock: Stock) -> bool:
    """Give expired holds back; True when there were any, or when somebody else just did."""
    expired = stock.expired(clock.now_ms())
    if not expired:
        return False
    left = [hold.until_ms for key, hold in stock.holds.items() if key not in expired]
    try:
        tables.reclaim(stock, expired, min(left, default=None))
    except Refused:
        return True
    return True


def reclaim_all_expired(shards: Iterable[Stock]) -> bool:
    """As `reclaim_expired`, on every shard."""
    return sum(reclaim_expired(stock) for stock in shards) > 0


def sweep() -> None:
    """Reclaim what has expired and nobody asked for; a shard is an item like any other."""
    each_apart(partial(_reclaim_or_postpone, stock_id) for stock_id in tables.due_stock_ids())


def _reclaim_or_postpone(stock_id: str) -> None:
    stock = tables.find(stock_id)
    if stock is not None and not reclaim_expired(stock):
        _postpone(stock)


def _postpone(stock: Stock) -> None:
    # Nothing has expired: the hold that set the time is gone or was extended. Look again later.
    waiting = [h.until_ms for h in stock.holds.values() if h.until_ms > clock.now_ms()]
    try:
        tables.reclaim(stock, {}, min(waiting, default=None))
    except Refused:
        return
