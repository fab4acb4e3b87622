"""The ledger table: entries, and beside them the lines and balance of each kept account.

    pk               sk                     what
    entry#{id}       entry                  the entry with all its postings; written once
    account#{name}   line#{at}#{entry id}   the entry as that kept account sees it
    account#{name}   total                  the kept balance (sorts after the lines)
    seals            {day}                  a day under its seal; see `seal_tables`

`entries` (sparse) finds entries by time in 8 shards, `balances` (sparse) kept balances by size.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from chalicelib import clock, ids
from chalicelib.edge.storage import Table, commit, failed_conditions, meta, try_commit
from chalicelib.ledger import domain
from chalicelib.ledger.companions import Companion
from chalicelib.ledger.domain import Entry, Line, Posting
from chalicelib.money import Money

SHARD_COUNT = 8
ENTRY, TOTAL, LINE = "entry", "total", "line#"


class EntriesIndex(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "entries"
        projection = AllProjection()

    entry_shard = UnicodeAttribute(hash_key=True)
    entry_at = UnicodeAttribute(range_key=True)


class BalancesIndex(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "balances"
        projection = KeysOnlyProjection()

    balance_shard = UnicodeAttribute(hash_key=True)
    available = NumberAttribute(range_key=True)


class LedgerTable(Table):
    Meta: Any = meta("ledger")
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    entry_id = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    at = UnicodeAttribute(null=True)
    postings = JSONAttribute(null=True)
    refs = JSONAttribute(null=True)
    fingerprint = UnicodeAttribute(null=True)
    change_minor = NumberAttribute(null=True)
    entry_shard = UnicodeAttribute(null=True)
    entry_at = UnicodeAttribute(null=True)
    balance_shard = UnicodeAttribute(null=True)
    available = NumberAttribute(null=True)
    seal = JSONAttribute(null=True)
    version = NumberAttribute(null=True)
    entries = EntriesIndex()
    balances = BalancesIndex()


class EntryExists(Exception):
    """An entry of this id stands already; nothing was written."""


def write(entry: Entry, also: Companion) -> None:
    """Write an entry, the lines and balances of its kept accounts, and what goes with it.

    Raises:
        EntryExists, InsufficientFunds, CompanionRefused: nothing was written.
    """
    changes = domain.kept_changes_minor(entry)

    def fill(transaction: TransactWrite) -> None:
        transaction.save(_entry_row(entry), condition=LedgerTable.pk.does_not_exist())
        for account, change in changes.items():
            transaction.save(_line_row(entry, account, change))
        for account, change in changes.items():
            _move(transaction, account, change)
        also(transaction)

    try:
        commit(fill)
    except TransactWriteError as error:
        raise _refusal(error, entry, len(changes)) from error


def try_write_all(entries: Sequence[Entry], also: Companion) -> bool:
    """Write entries that touch no kept account; False when a condition failed."""
    assert not any(domain.kept_changes_minor(entry) for entry in entries)

    def fill(transaction: TransactWrite) -> None:
        for entry in entries:
            transaction.save(_entry_row(entry), condition=LedgerTable.pk.does_not_exist())
        also(transaction)

    return try_commit(fill)


def _move(transaction: TransactWrite, account: str, change: int) -> None:
    condition = LedgerTable.available >= -change if change < 0 else None
    transaction.update(
        LedgerTable(_account_key(account), TOTAL),
        actions=[
            LedgerTable.available.add(change),
            LedgerTable.balance_shard.set(_balance_shard(account)),
        ],
        condition=condition,
    )


def _refusal(error: TransactWriteError, entry: Entry, kept_count: int) -> Exception:
    failed = failed_conditions(error)
    if not failed:
        return error
    if failed[0] == 0:
        return EntryExists(entry.entry_id)
    # Position 0 is the entry; then the lines, which have no condition; then the balances. Where
    # the companion is refused too, the amounts were reckoned from what is no longer so.
    if failed[-1] > 2 * kept_count:
        return domain.CompanionRefused(f"{entry.reason}: what it belongs to has changed meanwhile")
    return domain.InsufficientFunds(f"{entry.reason}: an account would fall below zero")


def find(entry_id: str) -> tuple[Entry, str] | None:
    """An entry and the fingerprint it was kept with."""
    try:
        row = LedgerTable.get(f"entry#{entry_id}", ENTRY, consistent_read=True)
    except LedgerTable.DoesNotExist:
        return None
    return entry_from(row), str(row.fingerprint)


def kept_balances_minor(accounts: Iterable[str]) -> dict[str, int]:
    """Kept balances in their normal sense, by one consistent read; zero where none is."""
    balances = dict.fromkeys(accounts, 0)
    keys = [(_account_key(account), TOTAL) for account in balances]
    for row in LedgerTable.batch_get(keys, consistent_read=True):
        balances[_account(row.pk)] = int(row.available or 0)
    return balances


def lines_of(
    account: str, limit: int, before: Mapping[str, str | int] | None
) -> tuple[int, list[Line], Mapping[str, str | int] | None]:
    """A kept account's balance (of the page's beginning), lines newest first, and what continues.

    One query: the balance sorts after the lines, so it is the first row read backwards.
    """
    key = _account_key(account)
    below = None if before is None else LedgerTable.sk < str(before["sk"])
    rows = list(
        LedgerTable.query(
            key, below, scan_index_forward=False, limit=limit + 2, consistent_read=True
        )
    )
    balance = int(before["balance"]) if before is not None else 0
    if rows and rows[0].sk == TOTAL:
        balance = int(rows.pop(0).available or 0)
    lines, after = [], balance
    for row in rows[:limit]:
        change = int(row.change_minor or 0)
        lines.append(_line(row, account, change, after))
        after -= change
    more = len(rows) > limit
    return balance, lines, {"sk": rows[limit - 1].sk, "balance": after} if more else None


def changes_since(account: str, since: datetime) -> Iterator[tuple[str, str, datetime, int]]:
    """What changed a kept account from a moment on, oldest first: (entry id, reason, at, change).

    The change is in the account's normal sense, in centimes.
    """
    lines = LedgerTable.sk.between(f"{LINE}{clock.to_text(since)}", TOTAL)
    for row in LedgerTable.query(_account_key(account), lines, consistent_read=True):
        if row.sk != TOTAL:
            at = clock.from_text(str(row.at))
            yield str(row.entry_id), str(row.reason), at, int(row.change_minor or 0)


def _line(row: LedgerTable, account: str, change: int, after: int) -> Line:
    at = clock.from_text(str(row.at))
    return Line(account, str(row.entry_id), str(row.reason), at, Money(change), Money(after))


def entries() -> Iterator[tuple[Entry, str]]:
    """Every entry with the fingerprint it was kept with, shard by shard, oldest first in each."""
    return ((entry, kept) for _, _, entry, kept in entries_with_keys())


def entries_with_keys() -> Iterator[tuple[int, str, Entry, str]]:
    """As `entries`, with each one's shard and its key in there."""
    for shard in range(SHARD_COUNT):
        for row in LedgerTable.entries.query(f"entry#{shard}"):
            yield shard, str(row.entry_at), entry_from(row), str(row.fingerprint)


def balances_of_class(class_name: str, at_least_minor: int) -> Iterator[tuple[str, int]]:
    """Kept accounts of a class with at least this balance (normal sense)."""
    for shard in range(SHARD_COUNT):
        found = LedgerTable.balances.query(
            f"{class_name}#{shard}", LedgerTable.available >= at_least_minor
        )
        for row in found:
            yield _account(row.pk), int(row.available)


def balances_page(
    class_name: str, shard: int, at_least_minor: int, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[str], dict[str, Any] | None]:
    """A page of the kept accounts of a class in a shard, the smallest balance first."""
    found = LedgerTable.balances.query(
        f"{class_name}#{shard}",
        LedgerTable.available >= at_least_minor,
        limit=limit,
        last_evaluated_key=dict(start) if start else None,
    )
    return [_account(row.pk) for row in found], found.last_evaluated_key


def _entry_row(entry: Entry) -> LedgerTable:
    at = clock.to_text(entry.at)
    return LedgerTable(
        f"entry#{entry.entry_id}",
        ENTRY,
        entry_id=entry.entry_id,
        reason=entry.reason,
        at=at,
        postings=[[one.source, one.destination, one.amount.amount_minor] for one in entry.postings],
        refs=dict(entry.refs),
        fingerprint=domain.fingerprint(entry),
        entry_shard=f"entry#{ids.shard_of(entry.entry_id, SHARD_COUNT)}",
        entry_at=f"{at}#{entry.entry_id}",
    )


def _line_row(entry: Entry, account: str, change: int) -> LedgerTable:
    at = clock.to_text(entry.at)
    return LedgerTable(
        _account_key(account),
        f"{LINE}{at}#{entry.entry_id}",
        entry_id=entry.entry_id,
        reason=entry.reason,
        at=at,
        change_minor=change,
    )


def entry_from(row: LedgerTable) -> Entry:
    postings = [Posting(source, to, Money(minor)) for source, to, minor in row.postings or ()]
    return Entry(
        entry_id=str(row.entry_id),
        reason=str(row.reason),
        postings=tuple(postings),
        at=clock.from_text(str(row.at)),
        refs=dict(row.refs or {}),
    )


def _account_key(account: str) -> str:
    return f"account#{account}"


def _account(key: str) -> str:
    return key.removeprefix("account#")


def _balance_shard(account: str) -> str:
    return f"{domain.class_name_of(account)}#{ids.shard_of(account, SHARD_COUNT)}"
