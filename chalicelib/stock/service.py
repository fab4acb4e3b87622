"""Counting, holding, claiming and releasing. A use case here is one item; nothing locks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from chalicelib import clock
from chalicelib.edge.sweeps import each_apart
from chalicelib.errors import Conflict, Unavailable
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
            elif reclaim_expired(stock):
                continue
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


def hold(stock_id: str, order_id: str, quantity: int, mark: str, until: datetime) -> bool:
    """Hold pieces for an order until it is paid or `until`; the same hold twice is one.

    True when this call took them, False when the same request had taken them before; a hold that
    is there already is kept until `until`.

    Raises:
        SoldOut, InsufficientStock: not enough, even after expired holds were reclaimed.
        HoldMismatch: the order holds another quantity here, for another request (`mark`).
        TooManyHolds: the item carries as many holds as it may.
        Unavailable: it kept changing.
    """
    wanted = Hold(quantity=quantity, until_ms=clock.to_ms(until), mark=mark)
    for _ in range(ATTEMPTS):
        try:
            tables.add_hold(stock_id, order_id, wanted)
        except Refused as refused:
            if _is_held(refused.stock, stock_id, order_id, wanted):
                return False
        else:
            return True
    raise _too_busy()


def _is_held(stock: Stock | None, stock_id: str, order_id: str, wanted: Hold) -> bool:
    """Whether the hold is there, and for long enough; False to try again, with room made."""
    existing = stock.holds.get(order_id) if stock else None
    if existing is None:
        _make_room(stock, wanted.quantity, stock_id)
        return False
    if (existing.mark, existing.quantity) != (wanted.mark, wanted.quantity):
        raise HoldMismatch("this order was sent before with another content")
    if existing.state is HoldState.SOLD or existing.until_ms >= wanted.until_ms:
        return True
    try:
        tables.extend_hold(stock_id, order_id, wanted.until_ms, HoldState.HELD)
    except Refused:
        return False
    return True


def claim(stock_id: str, order_id: str, quantity: int, mark: str) -> None:
    """Turn an order's hold into a sale; once, however often it is asked.

    Where the hold has expired and was given to another, it is taken anew if it can be. The marker
    that makes this idempotent stays until `forget`; for CLAIM_IN_FLIGHT it also keeps `release`
    away, since whoever claimed is about to make the order paid.

    Raises:
        SoldOut, InsufficientStock: the hold was lost and nothing is left to take.
        TooManyHolds, Unavailable: not now; nothing is known to be missing.
    """
    until_ms = clock.to_ms(clock.now() + CLAIM_IN_FLIGHT)
    sale = Hold(quantity=quantity, until_ms=until_ms, mark=mark, state=HoldState.SOLD)
    for _ in range(ATTEMPTS):
        try:
            tables.sell_hold(stock_id, order_id, quantity, mark, until_ms)
        except Refused as refused:
            if _is_claimed(refused.stock, stock_id, order_id, sale):
                return
        else:
            return
    raise _too_busy()


def _is_claimed(stock: Stock | None, stock_id: str, order_id: str, sale: Hold) -> bool:
    """Whether it was sold to the order before, or is now; False to try again."""
    if _is_sold(stock, order_id):
        return _is_renewed(stock_id, order_id, sale.until_ms)
    if stock is not None and order_id in stock.holds:
        raise HoldMismatch("another request holds this under the same order")
    try:
        tables.add_hold(stock_id, order_id, sale)
    except Refused as refused:
        if refused.stock is None or order_id not in refused.stock.holds:
            _make_room(refused.stock, sale.quantity, stock_id)
        return False
    return True


def _is_renewed(stock_id: str, order_id: str, until_ms: int) -> bool:
    try:
        tables.extend_hold(stock_id, order_id, until_ms, HoldState.SOLD)
    except Refused as refused:
        # Renewed further by somebody else, or given back a moment ago and to be taken anew.
        return _is_sold(refused.stock, order_id)
    return True


def _is_sold(stock: Stock | None, order_id: str) -> bool:
    marker = stock.holds.get(order_id) if stock else None
    return marker is not None and marker.state is HoldState.SOLD


def _too_busy() -> Unavailable:
    return Unavailable("too many buyers at once; try again", retry_after_seconds=1)


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
    until_ms = clock.to_ms(until)
    try:
        tables.extend_hold(stock_id, order_id, until_ms, HoldState.HELD)
    except Refused as refused:
        kept = refused.stock.holds.get(order_id) if refused.stock else None
        return kept is not None and (kept.state is HoldState.SOLD or kept.until_ms >= until_ms)
    return True


def forget(stock_id: str, order_id: str) -> None:
    """Remove the marker of a sale, once no claim of that order can be under way any more."""
    try:
        tables.remove_marker(stock_id, order_id)
    except Refused:
        return


def sweep_expired_holds() -> None:
    """Reclaim what has expired and nobody asked for."""
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
