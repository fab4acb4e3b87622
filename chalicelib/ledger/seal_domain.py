"""Days of the ledger under a seal: a chain of digests in which nothing can be changed unseen.

The entries of a day are chained in eight lanes, one for each shard of their index: each digest is
made of the one before it and of the entry, so it stands for every entry up to there, in its place.
A day's seal is made of its lanes, its balances, and the seal of the day before. Whoever changes,
removes or slips in an entry of a sealed day would have to write all later seals anew, and one that
was noted elsewhere gives that away.

Days are UTC's, as the times are under which entries are kept: no change of the clocks moves one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.ledger.domain import (
    Broken,
    Chain,
    Damage,
    Entry,
    class_of,
    deltas_minor,
    fingerprint,
)

NO_DIGEST = "0" * 64
SEALED_AFTER = timedelta(hours=1)
"""How long after its end a day is sealed: no entry is under way for so long."""


@dataclass(frozen=True, slots=True)
class Lane:
    """How far the chain of one shard is; `after` is the key of the last entry in it."""

    digest: str = NO_DIGEST
    count: int = 0
    after: str = ""
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Seal:
    """A day, sealed or (`digest` empty) on its way to it.

    `balances` holds what accounts without a kept balance come to at the end of the day, in credit:
    they need no entry of a sealed day to be known.
    """

    day: date
    previous: str
    lanes: Mapping[int, Lane]
    balances: Mapping[str, int]
    digest: str = ""
    sealed_at: datetime | None = None
    version: int = 0

    @property
    def entry_count(self) -> int:
        return sum(lane.count for lane in self.lanes.values())


def begin_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def may_be_sealed(day: date, now: datetime) -> bool:
    return now >= begin_of(day + timedelta(days=1)) + SEALED_AFTER


def first_lanes(shard_count: int) -> dict[int, Lane]:
    return {shard: Lane() for shard in range(shard_count)}


def with_entry(lane: Lane, key: str, entry: Entry) -> Lane:
    """The lane one entry longer. The fingerprint is that of what the entry says now."""
    content = "\n".join([lane.digest, key, entry.entry_id, fingerprint(entry)])
    digest = hashlib.sha256(content.encode()).hexdigest()
    return replace(lane, digest=digest, count=lane.count + 1, after=key)


def with_balances(balances: Mapping[str, int], entry: Entry) -> dict[str, int]:
    """The balances of accounts that are not kept, after an entry; those at zero are left out."""
    sums = dict(balances)
    for account, delta in deltas_minor(entry).items():
        if not class_of(account).kept:
            sums[account] = sums.get(account, 0) + delta
    return {account: minor for account, minor in sums.items() if minor}


def digest_of(seal: Seal) -> str:
    """What seals a day: the day before, each lane's end, and the balances."""
    lanes = [[shard, lane.digest, lane.count] for shard, lane in sorted(seal.lanes.items())]
    content = [seal.day.isoformat(), seal.previous, lanes, sorted(seal.balances.items())]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(slots=True)
class Audit:
    """Seals held against the entries as they are now, day by day from the first."""

    shard_count: int
    previous: str = NO_DIGEST
    chain: Chain = field(default_factory=Chain)

    def note_before_the_first(self, day: date) -> None:
        """An entry is older than the first seal, which began with the first entry there was."""
        if self.chain.broken is None:
            self.chain = replace(self.chain, broken=Broken(day, Damage.ENTRY_INSERTED))

    def look_at(self, seal: Seal, found: Mapping[int, Lane], balances: Mapping[str, int]) -> None:
        """`found` are the lanes of the day as its entries give them now, `balances` all sums."""
        broken = self.chain.broken
        if broken is None and (damage := self._damage(seal, found, balances)) is not None:
            broken = Broken(seal.day, damage)
        self.chain = Chain(self.chain.day_count + 1, seal.day, broken)
        self.previous = seal.digest

    def _damage(
        self, seal: Seal, found: Mapping[int, Lane], balances: Mapping[str, int]
    ) -> Damage | None:
        if seal.previous != self.previous or seal.digest != digest_of(seal):
            return Damage.SEAL_ALTERED
        for shard in range(self.shard_count):
            kept, now = seal.lanes[shard], found.get(shard, Lane())
            if now.count != kept.count:
                removed = now.count < kept.count
                return Damage.ENTRY_REMOVED if removed else Damage.ENTRY_INSERTED
            if now.digest != kept.digest:
                return Damage.ENTRY_CHANGED
        return None if dict(seal.balances) == dict(balances) else Damage.SEAL_ALTERED
