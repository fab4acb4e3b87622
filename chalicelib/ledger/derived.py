"""Accounts without a balance of their own: what they come to, and their lines, from the entries.

The balance is that of the last sealed day and what came since. Lines are read back day by day, so a
page costs the entries of its days and not the whole ledger.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from chalicelib.ledger import seal_tables, tables
from chalicelib.ledger.domain import (
    Entry,
    Line,
    Statement,
    deltas_minor,
    in_normal_sense,
)
from chalicelib.money import Money

DAYS_A_PAGE = 31
"""A page may end before it is full: an account that rests must not have years of days read."""


def _balance_minor(account: str, until: str) -> int:
    """What an account came to when the entry of a key was the last, in credit."""
    day, balances = _last_sealed() or (date.min, dict[str, int]())
    begin = date.min if day is date.min else day + timedelta(days=1)
    since = seal_tables.entries_between(begin, until)
    return balances.get(account, 0) + sum(_delta(account, entry) for entry in since)


def _last_sealed() -> tuple[date, Mapping[str, int]] | None:
    last = seal_tables.latest()
    if last is not None and not last.digest:
        last = seal_tables.find(last.day - timedelta(days=1))
    return None if last is None else (last.day, last.balances)


def _delta(account: str, entry: Entry) -> int:
    return deltas_minor(entry).get(account, 0)


def statement(account: str, limit: int, before: Mapping[str, str | int] | None) -> Statement:
    """A page of an account's lines, newest first; see `service.statement`."""
    # What comes while this is read belongs to neither the balance nor the lines.
    first, last = seal_tables.first_day(), seal_tables.last_key()
    if first is None or last is None:
        return Statement(account, Money(0), (), None)
    end = f"{last}~" if before is None else str(before["key"])
    after = _balance_minor(account, end) if before is None else int(before["balance"])
    balance = after
    lines: list[Line] = []
    next_key: Mapping[str, str | int] | None = None
    for key, entry in _backwards(account, end, first):
        if entry is None or len(lines) == limit:
            next_key = {"key": key, "balance": after}
            break
        change = _delta(account, entry)
        shown = (in_normal_sense(account, change), in_normal_sense(account, after))
        lines.append(
            Line(account, entry.entry_id, entry.reason, entry.at, *(Money(one) for one in shown))
        )
        after -= change
    total = Money(in_normal_sense(account, balance))
    return Statement(account, total, tuple(lines), next_key)


def _backwards(account: str, end: str, first: date) -> Iterator[tuple[str, Entry | None]]:
    """Entries of an account from a key back, with the key to begin at to see them again; at last
    (a key, None) where the page has to end for the days that it took."""
    day = date.fromisoformat(end[:10])
    for _ in range(DAYS_A_PAGE):
        if day < first:
            return
        found = [
            (key, entry)
            for shard in range(tables.SHARD_COUNT)
            for key, entry in seal_tables.entries_of(day, shard, "")
            if key < end and _delta(account, entry)
        ]
        for key, entry in sorted(found, key=lambda one: one[0], reverse=True):
            yield f"{key}~", entry
        day -= timedelta(days=1)
        end = f"{day.isoformat()}~"
    if day >= first:
        yield end, None
