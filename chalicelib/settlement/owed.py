"""Who owes, how much and since when; and giving up what will not come back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import InsufficientFunds
from chalicelib.money import Money
from chalicelib.settlement import owed_domain, owed_tables
from chalicelib.settlement.owed_domain import AnotherOperator, MoreThanOwed, Receivable, WriteOff

OWED = "artisan_receivable"
LINES_LOOKED_AT = 50
SHOWN_WRITE_OFFS = 100


def receivables(
    limit: int, start: Mapping[str, Any] | None
) -> tuple[list[Receivable], dict[str, Any] | None]:
    """Artisans who owe, by the ledger's index of balances: one shard after the other."""
    shard, key = (int(start["shard"]), start["key"]) if start else (0, None)
    names: list[str] = []
    while shard < ledger.ACCOUNT_SHARDS and len(names) < limit:
        found, key = ledger.owners_page(OWED, shard, Money(1), limit - len(names), key)
        names += found
        if key is None:
            shard += 1
    owed = ledger.balances(f"{OWED}:{one}" for one in names)
    shown = [
        Receivable(one, amount, _since(one))
        for one in names
        if (amount := owed[f"{OWED}:{one}"]).amount_minor  # the index lags
    ]
    return shown, {"shard": shard, "key": key} if shard < ledger.ACCOUNT_SHARDS else None


def _since(artisan_id: str) -> datetime | None:
    """When the artisan last began to owe; of a long story, the oldest line looked at."""
    since = None
    for line in ledger.statement(f"{OWED}:{artisan_id}", LINES_LOOKED_AT, None).lines:
        if line.balance_after.amount_minor == 0:
            break
        since = line.at
    return since


def write_off(write_off: WriteOff) -> WriteOff:
    """Give up what an artisan owes, or draft it where two operators are needed.

    Raises:
        MoreThanOwed: nothing was written off, nor drafted.
    """
    minor = write_off.amount.amount_minor
    if minor <= settings().write_off_four_eyes_minor:
        return _posted(write_off)
    if minor > _owed_minor(write_off.artisan_id):
        raise _too_much(write_off.artisan_id)
    owed_tables.draft(write_off)
    return owed_tables.find(write_off.artisan_id, write_off.write_off_id)


def approve(artisan_id: str, write_off_id: str, operator: str) -> WriteOff:
    """Confirm another operator's write-off; one that is posted stays as it is.

    Raises:
        UnknownWriteOff, AnotherOperator, MoreThanOwed.
    """
    found = owed_tables.find(artisan_id, write_off_id)
    if found.posted_at is not None:
        return found
    if found.drafted_by == operator:
        raise AnotherOperator("another operator than the one who drafted it has to confirm it")
    return _posted(replace(found, approved_by=operator))


def write_offs_of(artisan_id: str) -> list[WriteOff]:
    return owed_tables.write_offs_of(artisan_id, SHOWN_WRITE_OFFS)


def _posted(write_off: WriteOff) -> WriteOff:
    now = clock.now()
    entry = owed_domain.write_off_entry(write_off, now)
    try:
        ledger.post(entry, also=owed_tables.posting(replace(write_off, posted_at=now)))
    except InsufficientFunds:
        raise _too_much(write_off.artisan_id) from None
    return owed_tables.find(write_off.artisan_id, write_off.write_off_id)


def _owed_minor(artisan_id: str) -> int:
    account = f"{OWED}:{artisan_id}"
    return ledger.balances([account])[account].amount_minor


def _too_much(artisan_id: str) -> MoreThanOwed:
    owed = {"amount_minor": _owed_minor(artisan_id), "currency": "MAD"}
    return MoreThanOwed("more is written off than is owed", param="amount", extra={"owed": owed})
