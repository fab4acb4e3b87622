"""How many there are: available, held for an order, sold, written off. Never oversold.

One item counts one thing for sale. At every moment available + held + sold + written off is what
was received, and none is negative (P1). A hold is keyed by its order; once claimed it stays as a
marker, so that the same claim twice sells once, until the order itself is known to be paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.errors import Conflict, TooMany

MAX_HOLDS_PER_ITEM = 200
MAX_ON_HAND = 1_000_000


class HoldState(StrEnum):
    HELD = "held"
    SOLD = "sold"


@dataclass(frozen=True, slots=True)
class Hold:
    """`mark` tells the request that took the hold from another one under the same order id."""

    quantity: int
    until_ms: int
    mark: str
    state: HoldState = HoldState.HELD


@dataclass(frozen=True, slots=True)
class Stock:
    stock_id: str
    received: int
    available: int
    sold: int
    written_off: int
    holds: Mapping[str, Hold]
    due_at: str | None = None

    @property
    def held(self) -> int:
        return sum(h.quantity for h in self.holds.values() if h.state is HoldState.HELD)

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


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The change that brings what is on hand to a counted number."""

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


def adjustment(stock: Stock, on_hand: int) -> Adjustment:
    """What to add or write off so that available + held becomes `on_hand`.

    Raises:
        StockIsHeld: more than `on_hand` are held for buyers.
    """
    if on_hand < stock.held:
        raise StockIsHeld(
            "wait until the buyers have paid, or give at least the number held",
            param="on_hand",
            extra={"held": stock.held},
        )
    delta = on_hand - stock.available - stock.held
    return Adjustment(received=max(delta, 0), written_off=max(-delta, 0))


def shortage(stock: Stock | None, quantity: int, listing_id: str) -> Conflict:
    """The refusal when `quantity` cannot be held."""
    available = stock.available if stock else 0
    extra = {"listing_id": listing_id, "available": available}
    if available <= 0:
        return SoldOut("this is sold out; take it out of the basket", extra=extra)
    return InsufficientStock(f"only {available} left; ask for fewer than {quantity}", extra=extra)
