"""Posting entries, and reading what they add up to. The ledger knows no other feature."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from chalicelib.edge.observability import count, logger
from chalicelib.ledger import derived, domain, seal_tables, sealing, tables
from chalicelib.ledger.companions import Companion, nothing
from chalicelib.ledger.domain import (
    Change,
    Check,
    Difference,
    Entry,
    EntryMismatch,
    Statement,
)
from chalicelib.ledger.seal_domain import Seal
from chalicelib.money import Money

ACCOUNT_SHARDS = tables.SHARD_COUNT


def post(entry: Entry, also: Companion = nothing) -> bool:
    """Post an entry together with `also`, all of it or nothing; False when it stood already.

    Raises:
        InsufficientFunds: a kept account would fall below zero.
        CompanionRefused: a condition of `also` failed.
        EntryMismatch: an entry of this id stands and says something else.
    """
    try:
        tables.write(entry, also)
    except tables.EntryExists:
        _check_same(entry)
        return False
    return True


def post_once(entry: Entry, also: Companion = nothing) -> bool:
    """As `post`, where the amounts follow from balances that move: the entry that stands, stands.

    A repeat reckons from what is there by then. It is a mismatch only where it is about something
    else: another reason, other references.

    Raises:
        InsufficientFunds, CompanionRefused, EntryMismatch: as `post`.
    """
    try:
        tables.write(entry, also)
    except tables.EntryExists:
        found = tables.find(entry.entry_id)
        if found is None or not domain.is_of_same_intent(found[0], entry):
            _refuse(entry)
        return False
    return True


def post_together(entries: Sequence[Entry], also: Companion = nothing) -> bool:
    """Post entries that touch no kept account, with `also`, all of it or nothing.

    False when one stands already or a condition of `also` failed; then nothing was written, and
    which of them it was shows when each is posted by itself.
    """
    return tables.try_write_all(entries, also)


def stands(entry_id: str) -> bool:
    """Whether an entry of this id has been posted; one read."""
    return tables.find(entry_id) is not None


def _check_same(entry: Entry) -> None:
    found = tables.find(entry.entry_id)
    if found is None or found[1] != domain.fingerprint(entry):
        _refuse(entry)


def _refuse(entry: Entry) -> NoReturn:
    count("LedgerEntryMismatch")
    logger.error("entry mismatch", entry_id=entry.entry_id, reason=entry.reason)
    raise EntryMismatch(f"entry {entry.entry_id} stands with another content")


def balances(accounts: Iterable[str]) -> dict[str, Money]:
    """Balances of kept accounts in their normal sense, by one consistent read."""
    return {name: Money(minor) for name, minor in tables.kept_balances_minor(accounts).items()}


def accounts_with_at_least(class_name: str, minimum: Money) -> Iterator[tuple[str, Money]]:
    """Owners of a kept class and their balance, as an index knows it: may lag by a moment."""
    for account, minor in tables.balances_of_class(class_name, minimum.amount_minor):
        yield domain.owner_of(account), Money(minor)


def owners_page(
    class_name: str, shard: int, minimum: Money, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[str], dict[str, Any] | None]:
    """A page of one of `ACCOUNT_SHARDS` shards of `accounts_with_at_least`, and what continues it.

    An account whose balance changes meanwhile may come twice or not at all.
    """
    accounts, next_key = tables.balances_page(class_name, shard, minimum.amount_minor, limit, start)
    return [domain.owner_of(account) for account in accounts], next_key


def statement(account: str, limit: int, before: Mapping[str, str | int] | None) -> Statement:
    """A page of what happened on an account, newest first.

    A kept account costs one query. That of any other is read from its entries; see `derived`.

    Raises:
        UnknownAccount: no account has this name.
    """
    if not domain.class_of(account).kept:
        return derived.statement(account, limit, before)
    balance, lines, next_key = tables.lines_of(account, limit, before)
    return Statement(account, Money(balance), tuple(lines), next_key)


def changes_since(account: str, since: datetime) -> list[Change]:
    """What changed a kept account from a moment on, oldest first; one query."""
    return [Change(*found) for found in tables.changes_since(account, since)]


def seal_days() -> None:
    """Put every day that has ended under its seal; see `sealing`."""
    sealing.seal_days()


def days(limit: int, before: str | None) -> tuple[list[Seal], str | None]:
    """Sealed days, the newest first, and where to go on."""
    return seal_tables.page(limit, before)


def check() -> Check:
    """Hold the ledger against itself: replay every entry, and compare with what was kept.

    Reads every entry through an index that may lag: a difference is looked at again by key before
    it is reported. Costs one read of the whole ledger.
    """
    replay = _Replay()
    chain = sealing.audited(replay.entries())
    replayed = replay.balances_minor
    kept = _all_kept_minor(replayed)
    differences = [
        Difference(account, Money(minor), Money(in_entries))
        for account, minor in kept.items()
        if minor != (in_entries := domain.in_normal_sense(account, replayed.get(account, 0)))
    ]
    credit = {account: domain.in_normal_sense(account, minor) for account, minor in kept.items()}
    found = Check(
        entry_count=replay.entry_count,
        account_count=len(replayed | credit),
        total=Money(sum((replayed | credit).values())),
        differences=tuple(sorted(differences, key=lambda found: found.account)),
        altered_entry_ids=tuple(replay.altered),
        chain=chain,
    )
    if not found.holds:
        count("LedgerCheckFailed")
    return found


@dataclass(slots=True)
class _Replay:
    """What all entries come to, while they are read once, one after the other."""

    entry_count: int = 0
    altered: list[str] = field(default_factory=list)
    balances_minor: dict[str, int] = field(default_factory=dict)

    def entries(self) -> Iterator[tuple[int, str, Entry]]:
        for shard, key, entry, kept in tables.entries_with_keys():
            self.entry_count += 1
            if domain.fingerprint(entry) != kept:
                self.altered.append(entry.entry_id)
            for account, delta in domain.deltas_minor(entry).items():
                self.balances_minor[account] = self.balances_minor.get(account, 0) + delta
            yield shard, key, entry


def _all_kept_minor(replayed: Mapping[str, int]) -> dict[str, int]:
    """Kept balances of all accounts that an entry or the index of balances knows."""
    listed = {
        account for name in domain.KEPT_CLASSES for account, _ in tables.balances_of_class(name, 0)
    }
    touched = {account for account in replayed if domain.class_of(account).kept}
    return tables.kept_balances_minor(sorted(listed | touched))
