"""How many there are: available, held for an order, sold, written off. Never oversold.

One item counts one thing for sale. At every moment available + held + sold + written off is what
was received, and none is negative (P1). A hold is keyed by its order; once claimed it stays as a
marker, so that the same claim twice sells once, until the order itself is known to be paid.

A large edition is spread over several items, its shards. Each keeps P1 alone, and so all together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib import ids
from chalicelib.errors import Conflict, TooMany

MAX_HOLDS_PER_ITEM = 200
# An entry whose pieces are all on other shards takes little and may come on top.
MAX_ENTRIES_PER_ITEM = 250
MAX_ON_HAND = 1_000_000
PIECES_PER_SHARD = 50
# Reckoned: one BatchGetItem reads 100 items, so that all shards are seen in one call; and 64 of
# them carry 12,800 open holds, and some 15,000 orders a second while these are few.
MAX_SHARDS = 64
MARK_LENGTH = 12


class HoldState(StrEnum):
    """What an entry of an item stands for; it says where its pieces are counted."""

    HELD = "held"
    SOLD = "sold"
    # Sold and counted in `cleared`: kept only to answer a late claim.
    CLEARED = "cleared"
    # What became of sold pieces, under a key of its own: it happens once.
    RESTOCKED = "restocked"
    WRITTEN_OFF = "written_off"


@dataclass(frozen=True, slots=True)
class Hold:
    """An order's entry in an item.

    `mark` tells the request that took the hold from another one under the same order id. Where an
    order's pieces are on several shards, the entry on its home shard is the anchor: `spread` says
    how many are on each other shard, and nothing is there that it does not name. An entry on
    these, a piece, says in `home` where its anchor is.
    """

    quantity: int
    until_ms: int
    mark: str
    state: HoldState = HoldState.HELD
    spread: Mapping[int, int] | None = None
    home: int | None = None

    @property
    def total(self) -> int:
        return self.quantity + sum((self.spread or {}).values())

    @property
    def is_whole(self) -> bool:
        """All of it is here, as it is with nearly every order."""
        return self.spread is None and self.home is None

    def is_by(self, mark: str) -> bool:
        return short_mark(self.mark) == short_mark(mark)

    def piece(self, quantity: int, home: int) -> "Hold | None":
        """What belongs on another shard while this is the anchor; None where nothing does."""
        if quantity == 0:
            return None
        return replace(self, quantity=quantity, spread=None, home=home)


@dataclass(frozen=True, slots=True)
class Counts:
    """What an entry adds to the counts of its item, beside P1's sum being what it was."""

    available: int = 0
    sold: int = 0
    cleared: int = 0
    written_off: int = 0


def counts_of(hold: Hold | None) -> Counts:
    """How the counts of an item differ for having this entry."""
    if hold is None:
        return Counts()
    q = hold.quantity
    match hold.state:
        case HoldState.HELD:
            return Counts(available=-q)
        case HoldState.SOLD:
            return Counts(available=-q, sold=q)
        case HoldState.CLEARED:
            return Counts(available=-q, sold=q, cleared=q)
        case HoldState.RESTOCKED:
            return Counts(available=q, sold=-q, cleared=-q)
        case HoldState.WRITTEN_OFF:
            return Counts(written_off=q, sold=-q, cleared=-q)


@dataclass(frozen=True, slots=True)
class Stock:
    """`cleared` are those of the sold pieces that no marker speaks of any more."""

    stock_id: str
    received: int
    available: int
    sold: int
    written_off: int
    holds: Mapping[str, Hold]
    due_at: str | None = None
    cleared: int = 0
    shard_count: int = 1

    @property
    def held(self) -> int:
        return sum(h.quantity for h in self.holds.values() if h.state is HoldState.HELD)

    @property
    def on_hand(self) -> int:
        return self.available + self.held

    def source_of(self, state: HoldState) -> int:
        """The pieces that an entry of this state could be given."""
        is_return = state in (HoldState.RESTOCKED, HoldState.WRITTEN_OFF)
        return self.cleared if is_return else self.available

    def expired(self, now_ms: int) -> dict[str, Hold]:
        """Holds whose time is over: anyone may reclaim them."""
        return {
            order_id: hold
            for order_id, hold in self.holds.items()
            if hold.state is HoldState.HELD and hold.until_ms <= now_ms
        }

    def level(self, now_ms: int) -> "Level":
        """What a buyer may count on: expired holds are as good as available."""
        reclaimable = sum(hold.quantity for hold in self.expired(now_ms).values())
        return Level(
            available=self.available + reclaimable,
            held=self.held - reclaimable,
            sold=self.sold,
            received=self.received,
            written_off=self.written_off,
        )


@dataclass(frozen=True, slots=True)
class Level:
    available: int
    held: int = 0
    sold: int = 0
    received: int = 0
    written_off: int = 0

    def __add__(self, other: "Level") -> "Level":
        return Level(
            available=self.available + other.available,
            held=self.held + other.held,
            sold=self.sold + other.sold,
            received=self.received + other.received,
            written_off=self.written_off + other.written_off,
        )


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The change that brings what is on hand to another number.

    What goes to another shard was not received here after all, so `received` may be negative.
    """

    received: int
    written_off: int

    @property
    def available(self) -> int:
        return self.received - self.written_off


class InsufficientStock(Conflict):
    """Fewer are available than were asked for; `available` says how many."""

    code = "insufficient_stock"


class SoldOut(Conflict):
    """None is left, and none is about to come back."""

    code = "sold_out"


class HoldMismatch(Conflict):
    """Another request under the same order id holds this item in another quantity."""

    code = "hold_mismatch"


class TooManyHolds(TooMany):
    """So many buyers are paying for this at once that no more can be let in; ask again soon."""

    code = "too_many_holds"


class StockIsHeld(Conflict):
    """Buyers are paying for more pieces than the number given; `held` says how many."""

    code = "stock_is_held"


class NotSold(Conflict):
    """So many were not sold here, so they cannot come back."""

    code = "not_sold"


def short_mark(mark: str) -> str:
    """What an item keeps of a mark: 48 bits tell two requests of one order apart."""
    return mark[:MARK_LENGTH]


def shard_id(stock_id: str, number: int) -> str:
    """The item of a shard; the first one is the stock's own."""
    return f"{stock_id}#{number}" if number else stock_id


def home_of(order_id: str, shard_count: int) -> int:
    """The shard that an order turns to first."""
    return ids.shard_of(order_id, shard_count)


def shard_count_for(on_hand: int) -> int:
    """How many shards a count is spread over: none is begun with fewer than PIECES_PER_SHARD."""
    return max(1, min(MAX_SHARDS, on_hand // PIECES_PER_SHARD))


def spread_over(there: Mapping[int, int], quantity: int, home: int) -> dict[int, int] | None:
    """How many to take from which shard; None when all together have too few.

    One shard that has all is better than several: the home, else the next one after it, so that
    the orders of an empty home go to different places. Several are taken in as few pieces as can
    be.
    """
    ring = sorted(there, key=lambda number: (number < home, number))
    for number in ring:
        if there[number] >= quantity:
            return {number: quantity}
    taken: dict[int, int] = {}
    for number in sorted(ring, key=lambda number: -there[number]):
        taken[number] = min(there[number], quantity - sum(taken.values()))
        if sum(taken.values()) == quantity:
            return taken
    return None


def shares(on_hand: int, shard_count: int, held: Mapping[int, int]) -> dict[int, int]:
    """How many pieces should be on hand on each shard, so that together they are `on_hand`.

    What is held stays where it is; what is available is spread evenly over the first shards, as
    many as this count is for, and nothing is left on the others.
    """
    free = on_hand - sum(held.values())
    active = min(shard_count_for(on_hand), shard_count)
    return {
        number: held.get(number, 0)
        + (free // active + (number < free % active) if number < active else 0)
        for number in range(shard_count)
    }


def check_held(held: int, on_hand: int) -> None:
    """
    Raises:
        StockIsHeld: more than `on_hand` are held for buyers.
    """
    if on_hand < held:
        raise StockIsHeld(
            "wait until the buyers have paid, or give at least the number held",
            param="on_hand",
            extra={"held": held},
        )


def adjustment(delta: int, missing: int) -> Adjustment:
    """The change of one shard by `delta` pieces, when `missing` in all are to be written off."""
    written_off = min(missing, max(-delta, 0))
    return Adjustment(received=delta + written_off, written_off=written_off)


def shortage(available: int, quantity: int, stock_id: str) -> Conflict:
    """The refusal when `quantity` cannot be held of what is for sale under `stock_id`."""
    listing_id, _, variant = stock_id.partition(":")
    extra = {"listing_id": listing_id, "available": available}
    if variant:
        extra["variant"] = variant
    if available <= 0:
        return SoldOut("this is sold out; take it out of the basket", extra=extra)
    return InsufficientStock(f"only {available} left; ask for fewer than {quantity}", extra=extra)
