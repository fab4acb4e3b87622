"""What an artisan owes: how much of it one payout takes, and what of it is given up; pure."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib import ids
from chalicelib.errors import Conflict, Forbidden, NotFound
from chalicelib.ledger.domain import Entry, posting
from chalicelib.money import Money
from chalicelib.settlement.domain import FULL_BP


class MoreThanOwed(Conflict):
    """So much is not owed (any more): nothing was written off; `owed` says how much is."""

    code = "more_than_owed"


class UnknownWriteOff(NotFound):
    """The artisan has no write-off of this id."""

    code = "unknown_write_off"


class AnotherOperator(Forbidden):
    """An amount of this size is written off by two: another operator than its drafter confirms."""

    code = "another_operator"


def recovered_minor(payable_minor: int, owed_minor: int, limit_bp: int) -> int:
    """What is taken of what is payable: what is owed, and at most so much of each 10,000."""
    assert 0 <= limit_bp <= FULL_BP
    return min(owed_minor, payable_minor * limit_bp // FULL_BP)


def recovery_entry(cause: str, artisan_id: str, minor: int, at: datetime) -> Entry:
    payable, owed = f"artisan_payable:{artisan_id}", f"artisan_receivable:{artisan_id}"
    return Entry(
        entry_id=f"recover:{cause}:{artisan_id}",
        reason="recovered",
        postings=tuple(posting(payable, owed, minor)),
        at=at,
        refs={"artisan_id": artisan_id, "cause": cause},
    )


@dataclass(frozen=True, slots=True)
class WriteOff:
    """`posted_at` None: it waits for another operator."""

    write_off_id: str
    artisan_id: str
    amount: Money
    reason: str
    drafted_by: str
    drafted_at: datetime
    approved_by: str | None = None
    posted_at: datetime | None = None

    @property
    def status(self) -> str:
        return "awaiting_approval" if self.posted_at is None else "posted"


def write_off_id_of(operator: str, idempotency_key: str) -> str:
    """The same operator's same key is the same write-off."""
    return ids.derived_id("wof", operator, idempotency_key)


def write_off_entry(write_off: WriteOff, at: datetime) -> Entry:
    """The artisan owes so much less, and it is our loss."""
    owed = f"artisan_receivable:{write_off.artisan_id}"
    return Entry(
        entry_id=f"writeoff:{write_off.write_off_id}",
        reason="written_off",
        postings=tuple(posting("written_off", owed, write_off.amount.amount_minor)),
        at=at,
        refs={"artisan_id": write_off.artisan_id, "write_off_id": write_off.write_off_id},
    )


@dataclass(frozen=True, slots=True)
class Receivable:
    """What an artisan owes. `since`: when they came to owe it, or before that; see `owed`."""

    artisan_id: str
    owed: Money
    since: datetime | None
