"""An artisan's payable balance on its way to them: batches of payouts and what may become of them.

A payout is reserved in the ledger before any instruction leaves the house, and what comes back is
payable again. Nothing is ever instructed a second time under another id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib import ids
from chalicelib.artisans.domain import Artisan, PayoutDestination
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.ledger.domain import Entry, posting
from chalicelib.money import Money

MAX_PAYOUTS_PER_BATCH = 200


class BatchStatus(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    SUBMITTED = "submitted"
    CLOSED = "closed"


BATCH_MOVES: dict[BatchStatus, frozenset[BatchStatus]] = {
    BatchStatus.DRAFT: frozenset({BatchStatus.APPROVED}),
    BatchStatus.APPROVED: frozenset({BatchStatus.SUBMITTED}),
    BatchStatus.SUBMITTED: frozenset({BatchStatus.CLOSED}),
    BatchStatus.CLOSED: frozenset(),
}


class PayoutStatus(StrEnum):
    RESERVED = "reserved"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"  # asked for, never sent again, until the rail says what it became
    PAID = "paid"
    FAILED = "failed"  # refused before any money left
    RETURNED = "returned"  # it left, and came back


MOVES: dict[PayoutStatus, frozenset[PayoutStatus]] = {
    PayoutStatus.RESERVED: frozenset({PayoutStatus.SUBMITTED}),
    PayoutStatus.SUBMITTED: frozenset(
        {PayoutStatus.UNKNOWN, PayoutStatus.PAID, PayoutStatus.FAILED}
    ),
    PayoutStatus.UNKNOWN: frozenset({PayoutStatus.PAID, PayoutStatus.FAILED}),
    PayoutStatus.PAID: frozenset({PayoutStatus.RETURNED}),
    PayoutStatus.FAILED: frozenset(),
    PayoutStatus.RETURNED: frozenset(),
}


class UnknownBatch(NotFound):
    """There is no payout batch of this id."""

    code = "unknown_batch"


class UnknownPayout(NotFound):
    """There is no payout of this id."""

    code = "unknown_payout"


class IllegalBatchMove(Conflict):
    """A batch of this status cannot be moved like this; `current` says where it is."""

    code = "illegal_batch_move"


class BatchNotComplete(Conflict):
    """The batch is still being drafted; repeat the request that drafts it, with its key."""

    code = "batch_not_complete"


class FourEyesRequired(Forbidden):
    """A batch of this size is approved by another operator than the one who drafted it."""

    code = "four_eyes_required"


class BatchNotApproved(Conflict):
    """There is no file before the batch is approved."""

    code = "batch_not_approved"


class NoSuchRail(Invalid):
    """The batch pays nobody by this rail."""

    code = "no_such_rail"


class PayoutNotSubmitted(Conflict):
    """A result came for a payout that has not been sent out."""

    code = "payout_not_submitted"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a payout goes, as it was when it was reserved."""

    rail: str  # bank_account, wallet, card
    value: str  # RIB, telephone, token
    masked: str
    name: str


@dataclass(frozen=True, slots=True)
class Payout:
    """One artisan's line of a batch."""

    payout_id: str
    batch_id: str
    artisan_id: str
    amount: Money
    rail: str
    masked: str
    status: PayoutStatus
    reserved_at: datetime
    changed_at: datetime
    reason: str | None = None
    provider_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Payouts that are approved and sent out together. `is_complete`: drafting has ended."""

    batch_id: str
    status: BatchStatus
    drafted_by: str
    drafted_at: datetime
    is_complete: bool = False
    total: Money = Money(0)
    payout_count: int = 0
    skipped: Mapping[str, str] | None = None  # artisan -> why they are not in the batch
    approved_by: str | None = None
    approved_at: datetime | None = None
    submitted_by: str | None = None
    submitted_at: datetime | None = None
    file_sha256: Mapping[str, str] | None = None  # rail -> digest of its file


class Outcome(StrEnum):
    """What a rail reports."""

    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Report:
    payout_id: str
    outcome: Outcome
    amount: Money
    reason: str | None
    provider_reference: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """What was reserved for or paid to an artisan, over all batches."""

    in_payout: Money = Money(0)
    paid_out: Money = Money(0)


def batch_id_of(operator: str, idempotency_key: str) -> str:
    return ids.derived_id("pbt", operator, idempotency_key)


def payout_id_of(batch_id: str, artisan_id: str) -> str:
    return ids.derived_id("pot", batch_id, artisan_id)


def why_not_paid(
    artisan: Artisan, destination: PayoutDestination | None, now: datetime
) -> str | None:
    """Why an artisan is in no batch now; None when they may be paid."""
    if not artisan.is_verified:
        return "not_verified"
    if destination is None:
        return "no_destination"
    if not destination.is_usable(now):
        return "destination_just_changed"
    return None


def check_batch_move(batch: Batch, to: BatchStatus) -> None:
    """
    Raises:
        BatchNotComplete: it is still being drafted. IllegalBatchMove: MOVES has no such move.
    """
    if not batch.is_complete:
        raise BatchNotComplete("the batch is still being drafted; repeat that request")
    if to not in BATCH_MOVES[batch.status]:
        raise IllegalBatchMove(
            f"a batch that is {batch.status} cannot become {to}", extra={"current": batch.status}
        )


def check_four_eyes(batch: Batch, approver: str, limit_minor: int) -> None:
    """
    Raises:
        FourEyesRequired: above the limit the drafter cannot approve.
    """
    if batch.total.amount_minor > limit_minor and approver == batch.drafted_by:
        raise FourEyesRequired("another operator has to approve a batch of this size")


def steps_to(status: PayoutStatus, outcome: Outcome) -> tuple[PayoutStatus, ...]:
    """The moves by which a report takes effect, in order; none when it comes late or again.

    What was returned had been paid, also where the report of that is late or lost.

    Raises:
        PayoutNotSubmitted: nothing was sent out yet, so nothing can have become of it.
    """
    if status is PayoutStatus.RESERVED:
        raise PayoutNotSubmitted("the payout has not been sent out yet")
    to = PayoutStatus(outcome)
    if to in MOVES[status]:
        return (to,)
    if to is PayoutStatus.RETURNED and PayoutStatus.PAID in MOVES[status]:
        return (PayoutStatus.PAID, PayoutStatus.RETURNED)
    return ()


def verdict_of_stale(status: PayoutStatus, outcome: Outcome) -> str | None:
    """What a report that moves nothing is: a repeat, late, or (None) against what is known."""
    reported = PayoutStatus(outcome)
    if reported is status:
        return "applied"
    return "late" if status in MOVES[reported] else None


def reserve_entry(batch_id: str, artisan_id: str, amount: Money, rail: str, at: datetime) -> Entry:
    """Taken from what the artisan may be paid, before any instruction leaves."""
    return Entry(
        entry_id=f"payout:{batch_id}:{artisan_id}:reserve",
        reason="payout_reserved",
        postings=tuple(
            posting(f"artisan_payable:{artisan_id}", _clearing(rail), amount.amount_minor)
        ),
        at=at,
        refs={"batch_id": batch_id, "payout_id": payout_id_of(batch_id, artisan_id)},
    )


def outcome_entry(payout: Payout, to: PayoutStatus, at: datetime) -> Entry:
    """What a payout's end does to the accounts."""
    minor, clearing = payout.amount.amount_minor, _clearing(payout.rail)
    payable = f"artisan_payable:{payout.artisan_id}"
    postings = {
        PayoutStatus.PAID: posting(clearing, "bank:main", minor),
        PayoutStatus.FAILED: posting(clearing, payable, minor),
        PayoutStatus.RETURNED: [
            *posting("bank:main", clearing, minor),
            *posting(clearing, payable, minor),
        ],
    }[to]
    return Entry(
        entry_id=f"payout:{payout.payout_id}:{to}",
        reason=f"payout_{to}",
        postings=tuple(postings),
        at=at,
        refs={"batch_id": payout.batch_id, "payout_id": payout.payout_id},
    )


def _clearing(rail: str) -> str:
    return f"payout_clearing:{rail}"
