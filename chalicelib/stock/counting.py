"""A count of the pieces that are there, spread over the shards of a stock."""

from chalicelib.errors import Conflict
from chalicelib.stock import tables
from chalicelib.stock.domain import (
    Stock,
    adjustment,
    check_held,
    shard_count_for,
    shard_id,
    shares,
)
from chalicelib.stock.expiry import reclaim_all_expired
from chalicelib.stock.tables import Refused

ATTEMPTS = 6


def count(stock_id: str, on_hand: int) -> None:
    """Bring what is on hand on all shards together to `on_hand`.

    A shard after the other, each by its own conditional update: after a crash in between the same
    count again finishes it, and until then there are fewer to be had, never more.

    Raises:
        StockIsHeld: buyers are paying for more than that.
        Conflict: it kept changing while it was being counted.
    """
    for _ in range(ATTEMPTS):
        shards = tables.find_shards(stock_id, at_least=1)
        try:
            if not shards:
                _begin(stock_id, on_hand)
                continue
            if reclaim_all_expired(shards.values()):
                continue
            if _counted(stock_id, shards, on_hand):
                return
        except Refused:
            continue
    raise Conflict("the stock kept changing; count again", retry_after_seconds=1)


def _begin(stock_id: str, on_hand: int) -> None:
    shard_count = shard_count_for(on_hand)
    tables.create(stock_id, shares(on_hand, shard_count, {})[0], shard_count)


def _counted(stock_id: str, shards: dict[int, Stock], on_hand: int) -> bool:
    """Whether all shards are as they should be now; False when buyers took more meanwhile."""
    held = {number: stock.held for number, stock in shards.items()}
    check_held(sum(held.values()), on_hand)
    shard_count = max(shards[0].shard_count, shard_count_for(on_hand))
    if shard_count > shards[0].shard_count:
        tables.grow(stock_id, shard_count)  # First: what is on a shard must be found there.
    present = {number: stock.on_hand for number, stock in shards.items()}
    missing = max(0, sum(present.values()) - on_hand)
    targets = shares(on_hand, shard_count, held)
    too_many = 0
    # Those that give come first, so that there are never more than were counted.
    for number in sorted(targets, key=lambda number: targets[number] - present.get(number, 0)):
        target = targets[number] - too_many
        if number not in shards:
            tables.create(shard_id(stock_id, number), max(0, target))
            too_many = max(0, -target)
            continue
        too_many, written_off = _brought(shards[number], target, missing)
        missing -= written_off
    return too_many == 0


def _brought(stock: Stock, target: int, missing: int) -> tuple[int, int]:
    """(how many more than `target` stay on a shard for being held, how many were written off)."""
    for _ in range(ATTEMPTS):
        on_hand = max(target, stock.held)
        change = adjustment(on_hand - stock.on_hand, missing)
        try:
            if on_hand != stock.on_hand:
                tables.adjust(stock, change)
        except Refused as refused:
            # An item that was there is never removed.
            stock = refused.stock or stock
        else:
            return on_hand - target, change.written_off
    raise Conflict("the stock kept changing; count again", retry_after_seconds=1)
