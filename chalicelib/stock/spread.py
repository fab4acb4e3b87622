"""An order's pieces on several shards of a stock, where no single one has them all.

The entry on the order's home shard, the anchor, says how many are on which other shard. It is
written before any of them is taken and goes after the last one is gone, so that after a crash
everything is found from it; and it changes only where it is as it was read, so that all who work
on one order follow one plan. A shard that was once in the plan stays there, with 0. A piece that
is not as planned is put right by whoever comes next.
"""

from dataclasses import dataclass, replace

from chalicelib import clock, ids
from chalicelib.errors import MarketplaceError, Unavailable
from chalicelib.stock import tables
from chalicelib.stock.domain import (
    MAX_ENTRIES_PER_ITEM,
    MAX_HOLDS_PER_ITEM,
    Hold,
    HoldMismatch,
    HoldState,
    NotSold,
    Stock,
    TooManyHolds,
    home_of,
    shard_id,
    shortage,
    spread_over,
)
from chalicelib.stock.expiry import reclaim_all_expired
from chalicelib.stock.tables import Refused

# More than on one item: each time somebody else may have taken what one of the shards had.
ATTEMPTS = 10
RETURNS = frozenset({HoldState.RESTOCKED, HoldState.WRITTEN_OFF})
GIVEN_BACK = frozenset({HoldState.HELD, HoldState.SOLD})


@dataclass(frozen=True, slots=True)
class Found:
    """All shards of a stock as they were read, and where the anchor of an entry is or belongs."""

    stock_id: str
    name: str
    shards: dict[int, Stock]
    home: int

    @property
    def anchor(self) -> Hold | None:
        return self.entry(self.home)

    def entry(self, number: int) -> Hold | None:
        stock = self.shards.get(number)
        return stock.holds.get(self.name) if stock else None

    @property
    def pieces(self) -> dict[int, Hold]:
        """What there is of it on other shards."""
        return {
            number: entry
            for number in self.shards
            if number != self.home and (entry := self.entry(number))
        }

    def there(self, state: HoldState) -> dict[int, int]:
        """How many pieces each shard could give to an entry of this state."""
        cap = MAX_ENTRIES_PER_ITEM if state in RETURNS else MAX_HOLDS_PER_ITEM
        return {
            number: stock.source_of(state)
            for number, stock in self.shards.items()
            if self.name in stock.holds or len(stock.holds) < cap
        }

    def plan(self, wanted: Hold) -> dict[int, int] | None:
        """How many on which shard: as planned before where that can be, else anew."""
        there, anchor = self.there(wanted.state), self.anchor
        if anchor is None:
            home = self.shards.get(self.home)
            is_full = home is not None and len(home.holds) >= MAX_ENTRIES_PER_ITEM
            return None if is_full else spread_over(there, wanted.quantity, self.home)
        planned = {self.home: anchor.quantity} | dict(anchor.spread or {})
        kept = {number: min(q, self._quantity(number)) for number, q in planned.items()}
        if all(q - kept[number] <= there.get(number, 0) for number, q in planned.items()):
            return planned
        more = spread_over(there, wanted.quantity - sum(kept.values()), self.home)
        if more is None:
            return None
        return {number: kept.get(number, 0) + more.get(number, 0) for number in {*kept, *more}}

    def _quantity(self, number: int) -> int:
        entry = self.entry(number)
        return entry.quantity if entry else 0

    def put(self, number: int, becomes: Hold | None) -> None:
        """Bring the entry on a shard from what was read to something else. Raises Refused."""
        item, was = shard_id(self.stock_id, number), self.entry(number)
        if was == becomes:
            return
        if was is not None:
            tables.change_hold(item, self.name, was, becomes)
            return
        assert becomes is not None
        # An anchor that has its pieces elsewhere may come on top.
        is_light = becomes.quantity == 0 or becomes.state in RETURNS
        cap = MAX_ENTRIES_PER_ITEM if is_light else MAX_HOLDS_PER_ITEM
        if becomes.state in RETURNS:
            tables.add_return(item, self.name, order_of(self.name), becomes, cap)
        else:
            tables.add_hold(item, self.name, becomes, cap)


def order_of(name: str) -> str:
    """The order that an entry is about: its own id, or that of a part of it, such as a parcel."""
    return ids.parent_id("ord", name) or name


def find(stock_id: str, name: str, shard_count: int) -> Found:
    """Where an entry is, also when the number of shards was another one when it was made."""
    shards = tables.find_shards(stock_id, shard_count)
    home = home_of(order_of(name), shard_count)
    if home not in shards:
        home = 0
    entries = {number: stock.holds[name] for number, stock in shards.items() if name in stock.holds}
    at_home = entries.get(home)
    if at_home is not None and at_home.home is not None:
        home = at_home.home
    elif at_home is None:
        home = next((number for number, entry in entries.items() if entry.home is None), home)
    return Found(stock_id, name, shards, home)


def take(stock_id: str, name: str, wanted: Hold, shard_count: int) -> bool:
    """Take what is wanted from whichever shards have it; the same again changes nothing.

    True when this call began it. A hold is all or nothing. A sale that cannot be had whole leaves
    what it has to `release`: another call of the same claim may be counting on it.

    Raises:
        SoldOut, InsufficientStock: all shards together have too few. NotSold: of sold pieces.
        HoldMismatch: the entry is there for another request.
        TooManyHolds, Unavailable: not now.
    """
    is_begun_here = False
    for _ in range(ATTEMPTS):
        found = find(stock_id, name, shard_count)
        if _is_settled(found.anchor, wanted):
            return is_begun_here
        plan = found.plan(wanted)
        try:
            if plan is None:
                if not reclaim_all_expired(found.shards.values()):
                    raise _refusal(found, wanted)
                continue
            anchor = _anchor_of(found, plan, wanted)
            found.put(found.home, anchor)
            is_begun_here = is_begun_here or found.anchor is None
            for number, quantity in (anchor.spread or {}).items():
                found.put(number, anchor.piece(quantity, found.home))
        except Refused:
            continue
        return is_begun_here
    raise Unavailable("too many buyers at once; try again", retry_after_seconds=1)


def _is_settled(anchor: Hold | None, wanted: Hold) -> bool:
    """Whether nothing is left to do: it is sold already. Raises HoldMismatch."""
    if anchor is None:
        return False
    is_return = wanted.state in RETURNS
    if anchor.total != wanted.quantity or not anchor.is_by(wanted.mark):
        raise HoldMismatch("this was sent before with another content")
    if is_return and anchor.state is not wanted.state:
        raise HoldMismatch("something else has become of these pieces")
    is_sold_before = wanted.state is HoldState.HELD and anchor.state is not HoldState.HELD
    return is_sold_before or anchor.state is HoldState.CLEARED


def _anchor_of(found: Found, plan: dict[int, int], wanted: Hold) -> Hold:
    was = found.anchor or wanted
    elsewhere = {number: quantity for number, quantity in plan.items() if number != found.home}
    is_renewed = was.state is wanted.state
    return replace(
        was,
        quantity=plan.get(found.home, 0),
        until_ms=max(was.until_ms, wanted.until_ms) if is_renewed else wanted.until_ms,
        state=wanted.state,
        spread=elsewhere or None,
    )


def _refusal(found: Found, wanted: Hold) -> MarketplaceError:
    """Why there is no plan; what is held so far is given back. Raises Refused."""
    had = sum(entry.quantity for entry in (found.anchor, *found.pieces.values()) if entry)
    there = sum(stock.source_of(wanted.state) for stock in found.shards.values())
    if wanted.state is HoldState.HELD:
        _give_back(found)
    if there + had >= wanted.quantity:
        return TooManyHolds("many buyers are paying for this", retry_after_seconds=30)
    if wanted.state in RETURNS:
        return NotSold("so many were not sold, or have come back already")
    available = there + had if wanted.state is HoldState.HELD else there
    return shortage(available, wanted.quantity, found.stock_id)


def _give_back(found: Found) -> None:
    """All of it becomes available, the anchor last. Raises Refused."""
    for number in found.pieces:
        found.put(number, None)
    found.put(found.home, None)


def release(stock_id: str, order_id: str, mark: str, shard_count: int) -> bool:
    """As `service.release`, wherever the pieces are."""
    for _ in range(ATTEMPTS):
        found = find(stock_id, order_id, shard_count)
        entries = [entry for entry in (found.anchor, *found.pieces.values()) if entry]
        if not all(entry.is_by(mark) and entry.state in GIVEN_BACK for entry in entries):
            return True
        sold = [entry for entry in entries if entry.state is HoldState.SOLD]
        if any(entry.until_ms > clock.now_ms() for entry in sold):
            return False
        try:
            _give_back(found)
        except Refused:
            continue
        return True
    return False


def extend(stock_id: str, order_id: str, until_ms: int, shard_count: int) -> bool:
    """As `service.extend`, wherever the pieces are; False when one of them was lost."""
    for _ in range(ATTEMPTS):
        found = find(stock_id, order_id, shard_count)
        anchor = found.anchor
        if anchor is None:
            return False
        if anchor.state is not HoldState.HELD:
            return True
        becomes = replace(anchor, until_ms=max(anchor.until_ms, until_ms))
        planned = {number: q for number, q in (anchor.spread or {}).items() if q}
        if planned != {number: piece.quantity for number, piece in found.pieces.items()}:
            return False
        try:
            found.put(found.home, becomes)  # First: a piece never outlives its anchor.
            for number, quantity in planned.items():
                found.put(number, becomes.piece(quantity, found.home))
        except Refused:
            continue
        return True
    return False


def forget(stock_id: str, name: str, shard_count: int) -> None:
    """As `service.forget`, wherever the entries are; the anchor goes last."""
    for _ in range(ATTEMPTS):
        found = find(stock_id, name, shard_count)
        anchor = found.anchor
        if anchor is None or anchor.state is HoldState.HELD:
            return
        planned = anchor.spread or {}
        try:
            for number, piece in found.pieces.items():
                if piece.state is HoldState.HELD or not planned.get(number):
                    found.put(number, None)
                else:
                    tables.remove_entry(shard_id(stock_id, number), name, piece)
            tables.remove_entry(shard_id(stock_id, found.home), name, anchor)
        except Refused:
            continue
        return


def take_back(stock_id: str, key: str, returned: Hold, shard_count: int) -> bool:
    """As `service.restock`: the order's own marker no longer counts its pieces, and they move."""
    _clear(stock_id, order_of(key), shard_count)
    return take(stock_id, key, returned, shard_count)


def _clear(stock_id: str, order_id: str, shard_count: int) -> None:
    """Let the order's markers say only that it was sold: a late claim must still find them."""
    for _ in range(ATTEMPTS):
        found = find(stock_id, order_id, shard_count)
        anchor = found.anchor
        if anchor is None:
            return
        if anchor.state is HoldState.HELD:
            raise NotSold("the order holds these pieces and has not bought them")
        try:
            # The anchor first: who finds it cleared takes nothing anew.
            for number, entry in {found.home: anchor, **found.pieces}.items():
                if entry.state is HoldState.SOLD:
                    found.put(number, replace(entry, state=HoldState.CLEARED))
        except Refused:
            continue
        return
    raise Unavailable("the stock kept changing; try again", retry_after_seconds=1)
