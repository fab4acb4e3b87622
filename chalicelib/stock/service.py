"""Counting, holding, claiming and releasing. A use case here is one item; nothing locks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib import clock
from chalicelib.errors import Unavailable
from chalicelib.stock import counting, expiry, spread, tables
from chalicelib.stock.domain import (
    MAX_ENTRIES_PER_ITEM,
    MAX_HOLDS_PER_ITEM,
    Hold,
    HoldMismatch,
    HoldState,
    Level,
    Stock,
    TooManyHolds,
    home_of,
    shard_count_for,
    shard_id,
    short_mark,
    shortage,
)
from chalicelib.stock.expiry import reclaim_expired
from chalicelib.stock.tables import Refused

ATTEMPTS = 6
CLAIM_IN_FLIGHT = timedelta(minutes=2)


def set_on_hand(stock_id: str, on_hand: int) -> Level:
    """Record a count of the pieces that are there (available and held, not the sold ones).

    Raises:
        StockIsHeld: buyers are paying for more than that.
        Conflict: it kept changing while it was being counted; count again.
    """
    counting.count(stock_id, on_hand)
    return _level(tables.find_shards(stock_id, shard_count_for(on_hand)).values())


def levels(
    stock_ids: Sequence[str], shard_counts: Mapping[str, int] | None = None
) -> dict[str, Level]:
    """How many there are of each; nothing counted yet is a level of zero. Eventually consistent.

    One call for a hundred items; one more for the shards of those that have several, unless
    `shard_counts` says how many (a hint, as everywhere).
    """
    hints = shard_counts or {}
    found = tables.find_many(
        shard_id(stock_id, number)
        for stock_id in stock_ids
        for number in range(hints.get(stock_id, 1))
    )
    counts = {name: found[name].shard_count if name in found else 1 for name in stock_ids}
    found |= tables.find_many(
        name
        for stock_id, count in counts.items()
        for number in range(count)
        if (name := shard_id(stock_id, number)) not in found and number
    )
    return {
        stock_id: _level(
            found[name] for number in range(count) if (name := shard_id(stock_id, number)) in found
        )
        for stock_id, count in counts.items()
    }


def _level(shards: Iterable[Stock]) -> Level:
    now_ms = clock.now_ms()
    return sum((stock.level(now_ms) for stock in shards), start=Level(available=0))


def hold(
    stock_id: str,
    order_id: str,
    quantity: int,
    mark: str,
    until: datetime,
    shard_count: int = 1,
) -> bool:
    """Hold pieces for an order until it is paid or `until`; the same hold twice is one.

    True when this call took them, False when the same request had taken them before; a hold that
    is there already is kept until `until`. `shard_count`, here and below, is how many shards the
    order took the stock for; by it the order has its home, which nearly always has the pieces.

    Raises:
        SoldOut, InsufficientStock: not enough, even after expired holds were reclaimed.
        HoldMismatch: the order holds another quantity here, for another request (`mark`).
        TooManyHolds: the item carries as many holds as it may.
        Unavailable: it kept changing.
    """
    wanted = Hold(quantity=quantity, until_ms=clock.to_ms(until), mark=short_mark(mark))
    home = _home_id(stock_id, order_id, shard_count)
    for _ in range(ATTEMPTS):
        try:
            tables.add_hold(home, order_id, wanted)
        except Refused as refused:
            if _gave_room(refused.stock, order_id):
                continue
            if _is_elsewhere(refused.stock, home, order_id):
                return spread.take(stock_id, order_id, wanted, shard_count)
            if _is_held(refused.stock, home, order_id, wanted):
                return False
        else:
            return True
    raise _too_busy()


def _home_id(stock_id: str, order_id: str, shard_count: int) -> str:
    return shard_id(stock_id, home_of(order_id, shard_count))


def _gave_room(stock: Stock | None, order_id: str) -> bool:
    return stock is not None and order_id not in stock.holds and reclaim_expired(stock)


def _entry(stock: Stock | None, name: str) -> Hold | None:
    return stock.holds.get(name) if stock else None


def _is_elsewhere(stock: Stock | None, item_id: str, name: str) -> bool:
    """Whether the other shards must be asked: the pieces are there, or may be."""
    entry = _entry(stock, name)
    if entry is not None:
        return not entry.is_whole
    is_the_only_one = "#" not in item_id and (stock is None or stock.shard_count == 1)
    return not is_the_only_one


def _is_held(stock: Stock | None, stock_id: str, order_id: str, wanted: Hold) -> bool:
    """Whether the hold is there, and for long enough; False to try again, with room made."""
    existing = _entry(stock, order_id)
    if existing is None:
        _make_room(stock, wanted.quantity, stock_id)
        return False
    if not existing.is_by(wanted.mark) or existing.quantity != wanted.quantity:
        raise HoldMismatch("this order was sent before with another content")
    if existing.state is not HoldState.HELD or existing.until_ms >= wanted.until_ms:
        return True
    try:
        tables.extend_hold(stock_id, order_id, wanted.until_ms, HoldState.HELD)
    except Refused:
        return False
    return True


def claim(stock_id: str, order_id: str, quantity: int, mark: str, shard_count: int = 1) -> None:
    """Turn an order's hold into a sale; once, however often it is asked.

    Where the hold has expired and was given to another, it is taken anew if it can be. The marker
    that makes this idempotent stays until `forget`; for CLAIM_IN_FLIGHT it also keeps `release`
    away, since whoever claimed is about to make the order paid.

    Raises:
        SoldOut, InsufficientStock: the hold was lost and nothing is left to take.
        TooManyHolds, Unavailable: not now; nothing is known to be missing.
    """
    until_ms = clock.to_ms(clock.now() + CLAIM_IN_FLIGHT)
    sale = Hold(quantity, until_ms, short_mark(mark), HoldState.SOLD)
    home = _home_id(stock_id, order_id, shard_count)
    for _ in range(ATTEMPTS):
        try:
            tables.sell_hold(home, order_id, quantity, mark, until_ms)
        except Refused as refused:
            if _is_elsewhere(refused.stock, home, order_id):
                spread.take(stock_id, order_id, sale, shard_count)
                return
            if _is_claimed(refused.stock, home, order_id, sale):
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
    marker = _entry(stock, order_id)
    return marker is not None and marker.state is not HoldState.HELD


def _too_busy() -> Unavailable:
    return Unavailable("too many buyers at once; try again", retry_after_seconds=1)


def _make_room(stock: Stock | None, quantity: int, stock_id: str) -> None:
    if stock is None:
        raise shortage(0, quantity, stock_id)
    if reclaim_expired(stock):
        return
    if stock.available < quantity:
        raise shortage(stock.available, quantity, stock_id)
    if len(stock.holds) >= MAX_HOLDS_PER_ITEM:
        raise TooManyHolds("many buyers are paying for this", retry_after_seconds=30)


def release(stock_id: str, order_id: str, mark: str, shard_count: int = 1) -> bool:
    """Give back what an order that will not be paid holds or had claimed.

    False when it was claimed a moment ago: that payment may still come through, ask again later.
    """
    home = _home_id(stock_id, order_id, shard_count)
    for _ in range(ATTEMPTS):
        stock = tables.find(home)
        if _is_elsewhere(stock, home, order_id):
            return spread.release(stock_id, order_id, mark, shard_count)
        hold = _entry(stock, order_id)
        if hold is None or not hold.is_by(mark) or hold.state is HoldState.CLEARED:
            return True
        if hold.state is HoldState.SOLD and hold.until_ms > clock.now_ms():
            return False
        try:
            tables.change_hold(home, order_id, hold, None)
        except Refused:
            continue
        return True
    return False


def extend(stock_id: str, order_id: str, until: datetime, shard_count: int = 1) -> bool:
    """Keep a hold for longer while its buyer goes on paying; False when it was lost."""
    until_ms = clock.to_ms(until)
    home = _home_id(stock_id, order_id, shard_count)
    try:
        tables.extend_hold(home, order_id, until_ms, HoldState.HELD)
    except Refused as refused:
        if _is_elsewhere(refused.stock, home, order_id):
            return spread.extend(stock_id, order_id, until_ms, shard_count)
        kept = _entry(refused.stock, order_id)
        if kept is None:
            return False
        return kept.state is not HoldState.HELD or kept.until_ms >= until_ms
    return True


def forget(stock_id: str, key: str, shard_count: int = 1) -> None:
    """Remove the marker of a sale (`key` is the order's id), or of what became of its pieces.

    Only once no claim of that order, and no return under that key, can be under way any more.
    """
    home = _home_id(stock_id, spread.order_of(key), shard_count)
    if spread.order_of(key) == key:
        try:
            tables.remove_marker(home, key)
        except Refused as refused:
            entry = _entry(refused.stock, key)
            is_held_here = entry is not None and entry.is_whole and entry.state is HoldState.HELD
            if is_held_here or (entry is None and not _is_elsewhere(refused.stock, home, key)):
                return
        else:
            return
    spread.forget(stock_id, key, shard_count)


def restock(
    stock_id: str, key: str, quantity: int, shard_count: int = 1, *, write_off: bool = False
) -> bool:
    """Pieces that were sold are available again, once for each `key`; False when they are already.

    With `write_off` they turned out not to be there, and become written off. `key` is the id of a
    part of the order, such as its parcel. The order's own marker no longer counts the pieces then,
    so that `release` cannot give them back a second time; it stays until `forget`, for a claim
    that comes late.

    Raises:
        NotSold: the order did not buy so many here. HoldMismatch: the key was used otherwise.
        TooManyHolds, Unavailable: not now.
    """
    order_id = spread.order_of(key)
    assert order_id != key, "the key is the id of a part of an order"
    state = HoldState.WRITTEN_OFF if write_off else HoldState.RESTOCKED
    returned = Hold(quantity, until_ms=0, mark="", state=state)
    home = _home_id(stock_id, order_id, shard_count)
    try:
        tables.add_return(home, key, order_id, returned, MAX_ENTRIES_PER_ITEM)
    except Refused:
        return spread.take_back(stock_id, key, returned, shard_count)
    return True


def sweep_expired_holds() -> None:
    """Reclaim what has expired and nobody asked for."""
    expiry.sweep()
