"""Counting, holding, claiming and releasing. A use case here is one item; nothing locks."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from chalicelib import clock
from chalicelib.errors import Conflict
from chalicelib.stock import tables
from chalicelib.stock.domain import (
    MAX_HOLDS_PER_ITEM,
    Hold,
    HoldMismatch,
    HoldState,
    Level,
    Stock,
    TooManyHolds,
    adjustment,
    shortage,
)
from chalicelib.stock.tables import Refused

ATTEMPTS = 6
CLAIM_IN_FLIGHT = timedelta(minutes=2)


def set_on_hand(stock_id: str, on_hand: int) -> Level:
    """Record a count of the pieces that are there (available and held, not the sold ones).

    Raises:
        StockIsHeld: buyers are paying for more than that.
        Conflict: it kept changing while it was being counted; count again.
    """
    for _ in range(ATTEMPTS):
        stock = tables.find(stock_id)
        try:
            if stock is None:
                tables.create(stock_id, on_hand)
            else:
                tables.adjust(stock, adjustment(stock, on_hand))
        except Refused:
            continue
        return levels([stock_id])[stock_id]
    raise Conflict("the stock kept changing; count again", retry_after_seconds=1)


def levels(stock_ids: Sequence[str]) -> dict[str, Level]:
    """How many there are of each, up to 100; nothing counted yet is a level of zero."""
    found = tables.find_many(stock_ids)
    now_ms = clock.now_ms()
    return {
        stock_id: found[stock_id].level(now_ms) if stock_id in found else Level(available=0)
        for stock_id in stock_ids
    }


def hold(stock_id: str, order_id: str, quantity: int, mark: str, until: datetime) -> None:
    """Hold pieces for an order until it is paid or `until`; the same hold twice is one.

    Raises:
        SoldOut, InsufficientStock: not enough, even after expired holds were reclaimed.
        HoldMismatch: the order holds another quantity here, for another request (`mark`).
        TooManyHolds: the item carries as many holds as it may.
    """
    wanted = Hold(quantity=quantity, until_ms=clock.to_ms(until), mark=mark)

    def is_done(stock: Stock | None) -> bool:
        existing = stock.holds.get(order_id) if stock else None
        if existing is None:
            return False
        if (existing.mark, existing.quantity) != (mark, quantity):
            raise HoldMismatch("this order was sent before with another content")
        return True

    _take(stock_id, order_id, wanted, is_done)


def claim(stock_id: str, order_id: str, quantity: int, mark: str) -> None:
    """Turn an order's hold into a sale; once, however often it is asked.

    Where the hold has expired and was given to another, it is taken anew if it can be. The marker
    that makes this idempotent stays until `forget`; for CLAIM_IN_FLIGHT it also keeps `release`
    away, since whoever claimed is about to make the order paid.

    Raises:
        SoldOut, InsufficientStock: the hold was lost and nothing is left to take.
    """
    until_ms = clock.to_ms(clock.now() + CLAIM_IN_FLIGHT)
    try:
        tables.sell_hold(stock_id, order_id, quantity, until_ms)
    except Refused as refused:
        if _renew_claim(refused.stock, order_id, until_ms):
            return
    else:
        return
    sale = Hold(quantity=quantity, until_ms=until_ms, mark=mark, state=HoldState.SOLD)
    _take(stock_id, order_id, sale, lambda stock: _renew_claim(stock, order_id, until_ms))


def _renew_claim(stock: Stock | None, order_id: str, until_ms: int) -> bool:
    if stock is None or not _is_sold(stock, order_id):
        return False
    try:
        tables.extend_hold(stock.stock_id, order_id, until_ms, HoldState.SOLD)
    except Refused as refused:
        # Renewed further by somebody else, or given back a moment ago and to be taken anew.
        return _is_sold(refused.stock, order_id)
    return True


def _is_sold(stock: Stock | None, order_id: str) -> bool:
    marker = stock.holds.get(order_id) if stock else None
    return marker is not None and marker.state is HoldState.SOLD


def _take(
    stock_id: str, order_id: str, wanted: Hold, is_done: Callable[[Stock | None], bool]
) -> None:
    for _ in range(ATTEMPTS):
        try:
            tables.add_hold(stock_id, order_id, wanted)
        except Refused as refused:
            if is_done(refused.stock):
                return
            _make_room(refused.stock, wanted.quantity, stock_id)
        else:
            return
    raise Conflict("too many buyers at once; try again", retry_after_seconds=1)


def _make_room(stock: Stock | None, quantity: int, stock_id: str) -> None:
    if stock is None:
        raise shortage(None, quantity, stock_id)
    if reclaim_expired(stock):
        return
    if stock.available < quantity:
        raise shortage(stock, quantity, stock_id)
    if len(stock.holds) >= MAX_HOLDS_PER_ITEM:
        raise TooManyHolds("many buyers are paying for this", retry_after_seconds=30)


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


def release(stock_id: str, order_id: str, mark: str) -> bool:
    """Give back what an order that will not be paid holds or had claimed.

    False when it was claimed a moment ago: that payment may still come through, ask again later.
    """
    for _ in range(ATTEMPTS):
        stock = tables.find(stock_id)
        hold = stock.holds.get(order_id) if stock else None
        if hold is None or hold.mark != mark:
            return True
        if hold.state is HoldState.SOLD and hold.until_ms > clock.now_ms():
            return False
        try:
            tables.remove_hold(stock_id, order_id, hold)
        except Refused:
            continue
        return True
    return False


def extend(stock_id: str, order_id: str, until: datetime) -> bool:
    """Keep a hold for longer while its buyer goes on paying; False when it was lost."""
    try:
        tables.extend_hold(stock_id, order_id, clock.to_ms(until), HoldState.HELD)
    except Refused as refused:
        return _is_sold(refused.stock, order_id)
    return True


def forget(stock_id: str, order_id: str) -> None:
    """Remove the marker of a sale, once no claim of that order can be under way any more."""
    try:
        tables.remove_marker(stock_id, order_id)
    except Refused:
        return


def sweep_expired_holds() -> None:
    """Reclaim what has expired and nobody asked for."""
    for stock_id in tables.due_stock_ids():
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
