"""Seals in the ledger table, and the entries of a day.

pk      sk            what
seals   {YYYY-MM-DD}  a day's seal, or how far the sealing of it is
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from pynamodb.exceptions import PutError

from chalicelib import clock
from chalicelib.edge.storage import is_condition_failure
from chalicelib.ledger.domain import Entry
from chalicelib.ledger.seal_domain import Lane, Seal, begin_of
from chalicelib.ledger.tables import SHARD_COUNT, LedgerTable, entry_from

SEALS = "seals"


def latest() -> Seal | None:
    """The last day that is sealed, or on its way."""
    rows = list(LedgerTable.query(SEALS, scan_index_forward=False, limit=1, consistent_read=True))
    return seal_from(rows[0]) if rows else None


def find(day: date) -> Seal | None:
    try:
        return seal_from(LedgerTable.get(SEALS, day.isoformat(), consistent_read=True))
    except LedgerTable.DoesNotExist:
        return None


def all_seals() -> Iterator[Seal]:
    """Every sealed day, the first first."""
    found = (seal_from(row) for row in LedgerTable.query(SEALS, consistent_read=True))
    return (seal for seal in found if seal.digest)


def page(limit: int, before: str | None) -> tuple[list[Seal], str | None]:
    """Sealed days, the newest first, and where to go on."""
    below = None if before is None else LedgerTable.sk < before
    found = LedgerTable.query(SEALS, below, scan_index_forward=False, limit=limit + 2)
    seals = [seal for row in found if (seal := seal_from(row)).digest]
    shown = seals[:limit]
    return shown, shown[-1].day.isoformat() if len(seals) > limit else None


def keep(seal: Seal) -> bool:
    """Keep a seal, or how far it is; False where somebody else has gone on meanwhile."""
    row = LedgerTable(SEALS, seal.day.isoformat(), seal=_content(seal), version=seal.version + 1)
    version = LedgerTable.version
    unchanged = version == seal.version if seal.version else version.does_not_exist()
    try:
        row.save(unchanged)
    except PutError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def first_day() -> date | None:
    """The day of the first entry that there is."""
    keys = _ends(forward=True)
    return date.fromisoformat(min(keys)[:10]) if keys else None


def last_key() -> str | None:
    """The key of the last entry that there is."""
    return max(_ends(forward=False), default=None)


def _ends(forward: bool) -> list[str]:
    index = LedgerTable.entries
    return [
        str(row.entry_at)
        for shard in range(SHARD_COUNT)
        for row in index.query(f"entry#{shard}", limit=1, scan_index_forward=forward)
    ]


def entries_of(day: date, shard: int, after: str) -> Iterator[tuple[str, Entry]]:
    """The entries of a day in a shard with their keys, oldest first, from after a key on."""
    begin = after or clock.to_text(begin_of(day))
    return _entries(shard, begin, clock.to_text(begin_of(day + timedelta(days=1))), after)


def entries_between(day: date, until: str) -> Iterator[Entry]:
    """All entries from the beginning of a day until a key, shard by shard."""
    for shard in range(SHARD_COUNT):
        for _, entry in _entries(shard, clock.to_text(begin_of(day)), until, ""):
            yield entry


def _entries(shard: int, begin: str, end: str, after: str) -> Iterator[tuple[str, Entry]]:
    if begin > end:  # DynamoDB takes no such span: all that there is was sealed.
        return
    span = LedgerTable.entry_at.between(begin, end)
    for row in LedgerTable.entries.query(f"entry#{shard}", span):
        if str(row.entry_at) != after:
            yield str(row.entry_at), entry_from(row)


def _content(seal: Seal) -> Mapping[str, Any]:
    return {
        "previous": seal.previous,
        "digest": seal.digest,
        "sealed_at": seal.sealed_at and clock.to_text(seal.sealed_at),
        "balances": dict(seal.balances),
        "lanes": {
            str(shard): [lane.digest, lane.count, lane.after, lane.is_done]
            for shard, lane in seal.lanes.items()
        },
    }


def seal_from(row: LedgerTable) -> Seal:
    content: Any = row.seal
    at: datetime | None = content["sealed_at"] and clock.from_text(content["sealed_at"])
    return Seal(
        day=date.fromisoformat(row.sk),
        previous=content["previous"],
        lanes={int(shard): Lane(*lane) for shard, lane in content["lanes"].items()},
        balances=content["balances"],
        digest=content["digest"],
        sealed_at=at,
        version=int(row.version or 0),
    )
