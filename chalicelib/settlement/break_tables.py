"""The table of breaks.

`by_status` lists them: the open ones by when they are due, the longest overdue first; the resolved
ones by when that was, the newest first.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import Table, commit, meta, try_commit
from chalicelib.ledger.companions import Companion
from chalicelib.money import Money
from chalicelib.settlement.break_domain import (
    Break,
    BreakKind,
    BreakStatus,
    Decision,
    Resolution,
    UnknownBreak,
)


class ByStatusIndex(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_status"
        projection = AllProjection()

    status = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class BreakTable(Table):
    Meta: Any = meta("breaks")
    break_id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute()
    provider = UnicodeAttribute(null=True)
    reference = UnicodeAttribute(null=True)
    amount_minor = NumberAttribute()
    currency = UnicodeAttribute()
    reason = UnicodeAttribute()
    line_id = UnicodeAttribute(null=True)
    opened_at = UnicodeAttribute()
    status = UnicodeAttribute()
    listed_at = UnicodeAttribute()
    resolution = UnicodeAttribute(null=True)
    resolved_at = UnicodeAttribute(null=True)
    resolved_by = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    event_id = UnicodeAttribute(null=True)
    by_status = ByStatusIndex()


def opening(found: Break) -> Companion:
    """Keep a break; what is known of one that stands stays as it is, resolved or not."""
    table = BreakTable
    values = (
        (table.kind, found.kind),
        (table.provider, found.provider),
        (table.reference, found.reference),
        (table.amount_minor, found.amount.amount_minor),
        (table.currency, found.amount.currency),
        (table.reason, found.reason),
        (table.line_id, found.line_id),
        (table.opened_at, clock.to_text(found.opened_at)),
        (table.status, found.status),
        (table.listed_at, _listed_at(found.break_id, found.resolved_at or found.due_at)),
        (table.resolution, found.resolution),
        (table.resolved_at, found.resolved_at and clock.to_text(found.resolved_at)),
        (table.resolved_by, found.resolved_by),
        (table.event_id, found.event_id),
    )
    actions = [column.set(column | value) for column, value in values if value is not None]

    def write(transaction: TransactWrite) -> None:
        transaction.update(BreakTable(found.break_id), actions)

    return write


def add(found: Break) -> None:
    commit(opening(found))


def try_add(found: Break, also: Companion) -> bool:
    """Keep a break together with `also`; False where that does not hold any more."""
    keep = opening(found)

    def write(transaction: TransactWrite) -> None:
        keep(transaction)
        also(transaction)

    return try_commit(write)


def resolve(break_id: str, decision: Decision, event_id: str, at: datetime) -> bool:
    """As `resolving`, by itself; False where it was not open."""
    return try_commit(resolving(break_id, decision, event_id, at))


def resolving(break_id: str, decision: Decision, event_id: str, at: datetime) -> Companion:
    """End a break that is open; refused where it is not."""
    table = BreakTable
    actions = [
        table.status.set(BreakStatus.RESOLVED),
        table.listed_at.set(_listed_at(break_id, at)),
        table.resolution.set(decision.resolution),
        table.resolved_at.set(clock.to_text(at)),
        table.resolved_by.set(decision.by),
        table.note.set(decision.note),
        table.event_id.set(event_id),
    ]

    def write(transaction: TransactWrite) -> None:
        transaction.update(
            BreakTable(break_id), actions, condition=table.status == BreakStatus.OPEN
        )

    return write


def find(break_id: str) -> Break:
    """
    Raises:
        UnknownBreak: there is none.
    """
    try:
        return break_of(BreakTable.get(break_id, consistent_read=True))
    except BreakTable.DoesNotExist as error:
        raise UnknownBreak("there is no such break") from error


def find_all(break_ids: Iterable[str]) -> list[Break]:
    """Those that there are of these, by one consistent read; none asked for costs none."""
    keys = sorted(break_ids)
    if not keys:
        return []
    return [break_of(row) for row in BreakTable.batch_get(keys, consistent_read=True)]


def page(
    status: BreakStatus, kind: str | None, provider: str | None, limit: int, after: str | None
) -> tuple[list[Break], str | None]:
    """Breaks of a status as they are listed, and the key to go on after; None at the end."""
    table, is_open = BreakTable, status is BreakStatus.OPEN
    place = None
    if after is not None:
        place = table.listed_at > after if is_open else table.listed_at < after
    rows = list(
        table.by_status.query(
            status, place, _wanted(kind, provider), limit=limit + 1, scan_index_forward=is_open
        )
    )
    more = len(rows) > limit
    return [break_of(row) for row in rows[:limit]], rows[limit - 1].listed_at if more else None


def _wanted(kind: str | None, provider: str | None) -> Condition | None:
    conditions = []
    if kind is not None:
        conditions.append(BreakTable.kind == kind)
    if provider is not None:
        conditions.append(BreakTable.provider == provider)
    if len(conditions) == 2:
        return conditions[0] & conditions[1]
    return conditions[0] if conditions else None


def break_of(row: BreakTable) -> Break:
    return Break(
        break_id=row.break_id,
        kind=BreakKind(row.kind),
        amount=Money(int(row.amount_minor), row.currency),
        provider=row.provider,
        reference=row.reference,
        reason=row.reason,
        opened_at=clock.from_text(row.opened_at),
        line_id=row.line_id,
        status=BreakStatus(row.status),
        resolution=Resolution(row.resolution) if row.resolution else None,
        resolved_at=clock.from_text(row.resolved_at) if row.resolved_at else None,
        resolved_by=row.resolved_by,
        note=row.note,
        event_id=row.event_id,
    )


def _listed_at(break_id: str, at: datetime) -> str:
    return f"{clock.to_text(at)}#{break_id}"
