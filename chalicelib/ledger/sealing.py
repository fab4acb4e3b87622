"""Sealing the days of the ledger, and holding the seals against its entries."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice

from chalicelib import clock
from chalicelib.edge import turns
from chalicelib.edge.observability import count
from chalicelib.ledger import seal_tables, tables
from chalicelib.ledger.domain import Entry
from chalicelib.ledger.seal_domain import (
    NO_DIGEST,
    Audit,
    Chain,
    Lane,
    Seal,
    digest_of,
    first_lanes,
    may_be_sealed,
    with_balances,
    with_entry,
)

PIECE = 500
"""Entries that are chained before it is noted how far the day is."""


def seal_days() -> None:
    """Seal what has ended, as far as the time of this turn goes; the next one goes on from there.

    Two at once do no harm: who comes second finds the day changed, and stops.
    """
    last_beginning = turns.last_beginning()
    seal = _next_day(seal_tables.latest())
    while seal is not None and clock.outside_now() < last_beginning:
        further = _further(seal)
        if not seal_tables.keep(further):
            return
        further = replace(further, version=further.version + 1)
        if further.digest:
            count("LedgerDaySealed")
        seal = _next_day(further)


def _next_day(last: Seal | None) -> Seal | None:
    """The day to go on with; None while it has not ended."""
    if last is not None and not last.digest:
        return last
    day = seal_tables.first_day() if last is None else last.day + timedelta(days=1)
    if day is None or not may_be_sealed(day, clock.now()):
        return None
    lanes = first_lanes(tables.SHARD_COUNT)
    if last is None:
        return Seal(day, NO_DIGEST, lanes, {})
    return Seal(day, last.digest, lanes, last.balances)


def _further(seal: Seal) -> Seal:
    """A piece of one lane more; once all lanes are done, the seal."""
    open_lanes = [shard for shard, lane in sorted(seal.lanes.items()) if not lane.is_done]
    lanes, balances = dict(seal.lanes), seal.balances
    left = PIECE
    for shard in open_lanes:
        lane = lanes[shard]
        taken = 0
        for key, entry in islice(seal_tables.entries_of(seal.day, shard, lane.after), left):
            lane, balances = with_entry(lane, key, entry), with_balances(balances, entry)
            taken += 1
        left -= taken
        lanes[shard] = replace(lane, is_done=left > 0)
        if left == 0:
            break
    further = replace(seal, lanes=lanes, balances=balances)
    if not all(lane.is_done for lane in lanes.values()):
        return further
    return replace(further, digest=digest_of(further), sealed_at=clock.now())


def audited(entries: Iterable[tuple[int, str, Entry]]) -> Chain:
    """Hold every seal against the entries as they are now.

    `entries` are all of them as (shard, key, entry), in the order of their keys in each shard; what
    stays in memory is a digest for each day and shard.
    """
    seals = list(seal_tables.all_seals())
    days = {seal.day.isoformat() for seal in seals}
    lanes: dict[tuple[str, int], Lane] = {}
    changes: dict[str, dict[str, int]] = {}
    earliest: set[date] = set()
    for shard, key, entry in entries:
        day = key[:10]
        if seals and day < seals[0].day.isoformat():
            earliest.add(date.fromisoformat(day))
        if day in days:
            lanes[day, shard] = with_entry(lanes.get((day, shard), Lane()), key, entry)
            changes[day] = with_balances(changes.get(day, {}), entry)
    audit, balances = Audit(tables.SHARD_COUNT), dict[str, int]()
    if earliest:
        audit.note_before_the_first(min(earliest))
    for seal in seals:
        day = seal.day.isoformat()
        balances = _summed(balances, changes.get(day, {}))
        found = {shard: lane for (when, shard), lane in lanes.items() if when == day}
        audit.look_at(seal, found, balances)
    return audit.chain


def _summed(balances: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    sums = dict(balances)
    for account, minor in more.items():
        sums[account] = sums.get(account, 0) + minor
    return {account: minor for account, minor in sums.items() if minor}
