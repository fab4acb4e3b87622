"""An artisan's payable balance on its way to them: batches of payouts and what may become of them.

A payout is reserved in the ledger before any instruction leaves the house, and what comes back is
payable again. Nothing is ever instructed a second time under another id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from chalicelib import ids
from chalicelib.artisans.domain import Artisan, PayoutDestination
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from chalicelib.ledger.domain import Entry, posting
from chalicelib.money import Money

SCHEDULE, ARTISANS = "schedule", "artisans"
MACHINES = frozenset({SCHEDULE, ARTISANS})
"""Who drafts batches without being an operator: the clock, and artisans who ask to be paid."""


class BatchStatus(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    SUBMITTED = "submitted"
    CLOSED = "closed"
    CANCELLED = "cancelled"


BATCH_MOVES: dict[BatchStatus, frozenset[BatchStatus]] = {
    BatchStatus.DRAFT: frozenset({BatchStatus.APPROVED, BatchStatus.CANCELLED}),
    BatchStatus.APPROVED: frozenset({BatchStatus.SUBMITTED, BatchStatus.CANCELLED}),
    BatchStatus.SUBMITTED: frozenset({BatchStatus.CLOSED}),
    BatchStatus.CLOSED: frozenset(),
    BatchStatus.CANCELLED: frozenset(),
}


class Work(StrEnum):
    """What a batch of any size has done to its payouts, page by page, after an operator's move."""

    CHECK = "check"  # who may not be paid any more is taken out
    FILE = "file"  # each rail's file is written and its digest kept
    SEND = "send"  # payouts are marked as sent out, and each is handed to its rail
    CANCEL = "cancel"  # every payout is taken out


def work_after(work: Work, status: BatchStatus) -> Work | None:
    """What follows when a work is done; None at the end."""
    if work is Work.CHECK:
        return Work.FILE
    if work is Work.FILE and status is BatchStatus.SUBMITTED:
        return Work.SEND
    return None


class PayoutStatus(StrEnum):
    RESERVED = "reserved"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"  # asked for, never sent again, until the rail says what it became
    PAID = "paid"
    FAILED = "failed"  # refused before any money left
    RETURNED = "returned"  # it left, and came back
    CANCELLED = "cancelled"  # taken out of its batch before anything was sent


MOVES: dict[PayoutStatus, frozenset[PayoutStatus]] = {
    PayoutStatus.RESERVED: frozenset({PayoutStatus.SUBMITTED, PayoutStatus.CANCELLED}),
    PayoutStatus.SUBMITTED: frozenset(
        {PayoutStatus.UNKNOWN, PayoutStatus.PAID, PayoutStatus.FAILED}
    ),
    PayoutStatus.UNKNOWN: frozenset({PayoutStatus.PAID, PayoutStatus.FAILED}),
    PayoutStatus.PAID: frozenset({PayoutStatus.RETURNED}),
    PayoutStatus.FAILED: frozenset(),
    PayoutStatus.RETURNED: frozenset(),
    PayoutStatus.CANCELLED: frozenset(),
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
    """The batch is still being worked on (drafted, checked, written, sent); ask again soon."""

    code = "batch_not_complete"


class FourEyesRequired(Forbidden):
    """A batch of this size is approved by another operator than the one who drafted it."""

    code = "four_eyes_required"


class BatchNotApproved(Conflict):
    """There is no file before the batch is approved, and none of a cancelled one."""

    code = "batch_not_approved"


class FileTaken(Conflict):
    """A file of the batch was handed out, so it may have been paid: it cannot be cancelled."""

    code = "payout_file_taken"


class NotPayableNow(Conflict):
    """The artisan cannot be paid now; `reason` says why."""

    code = "not_payable_now"


class PayoutRequestedToday(TooMany):
    """An artisan asks for a payout once a day, by Morocco's clock."""

    code = "payout_requested_today"


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
    request_key: str | None = None  # of the request by which its artisan asked for it
    asks: int = 0  # how often its rail was called about it


@dataclass(frozen=True, slots=True)
class RailTotal:
    """What a batch pays by one rail: payouts that are not taken out, and their sum."""

    count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Batch:
    """Payouts that are approved and sent out together. `is_complete`: drafting has ended.

    `payout_count` are all that were ever reserved, `rails` and `total` those that are still in it.
    `work`: what goes on page by page; `work_step` grows by each, so that no page is done twice.
    """

    batch_id: str
    status: BatchStatus
    drafted_by: str
    drafted_at: datetime
    is_complete: bool = False
    total: Money = Money(0)
    payout_count: int = 0
    rails: Mapping[str, RailTotal] = field(default_factory=dict)
    in_lanes: bool = False  # it is drafted through the queue
    is_ending: bool = False  # nobody is added any more; its totals are being counted
    skipped: Mapping[str, str] | None = None  # artisan -> why not in the batch; the first of them
    skipped_count: int = 0
    vouched_by: str | None = None  # the first of two operators, where no operator drafted it
    approved_by: str | None = None
    approved_at: datetime | None = None
    submitted_by: str | None = None
    submitted_at: datetime | None = None
    cancelled_by: str | None = None
    cancelled_at: datetime | None = None
    file_rules: Mapping[str, str | int] | None = None
    file_sha256: Mapping[str, str] | None = None  # rail -> digest of its file
    files_taken: frozenset[str] = frozenset()  # rails whose file was handed out
    work: Work | None = None
    work_step: int = 0
    work_after: str | None = None  # the payout that the work has come to


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


def batch_id_of_day(machine: str, day: date) -> str:
    """The one batch that the schedule, or all who ask on a day, can have."""
    assert machine in MACHINES
    return ids.derived_id("pbt", machine, f"{machine}:{day.isoformat()}")


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
        BatchNotComplete: it is still being worked on. IllegalBatchMove: MOVES has no such move.
        FileTaken: it is to be cancelled, and a file of it was handed out.
    """
    if not batch.is_complete or batch.work is not None:
        raise BatchNotComplete("the batch is still being worked on", retry_after_seconds=5)
    if to not in BATCH_MOVES[batch.status]:
        raise IllegalBatchMove(
            f"a batch that is {batch.status} cannot become {to}", extra={"current": batch.status}
        )
    if to is BatchStatus.CANCELLED and batch.files_taken:
        raise FileTaken("a file of the batch was handed out; submit it and wait for the reports")


def needs_vouching(batch: Batch, limit_minor: int) -> bool:
    """True where two operators have to approve, since none drafted it, and the first is missing."""
    is_large = batch.total.amount_minor > limit_minor
    return is_large and batch.drafted_by in MACHINES and batch.vouched_by is None


def check_four_eyes(batch: Batch, approver: str, limit_minor: int) -> None:
    """
    Raises:
        FourEyesRequired: above the limit, who drafted or vouched for it cannot approve.
    """
    first = batch.vouched_by or batch.drafted_by
    if batch.total.amount_minor > limit_minor and approver == first:
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


def reserve_entry(payout: Payout) -> Entry:
    """Taken from what the artisan may be paid, before any instruction leaves."""
    payable = f"artisan_payable:{payout.artisan_id}"
    return Entry(
        entry_id=f"payout:{payout.batch_id}:{payout.artisan_id}:reserve",
        reason="payout_reserved",
        postings=tuple(posting(payable, _clearing(payout.rail), payout.amount.amount_minor)),
        at=payout.reserved_at,
        refs={"batch_id": payout.batch_id, "payout_id": payout.payout_id},
    )


def outcome_entry(payout: Payout, to: PayoutStatus, at: datetime) -> Entry:
    """What a payout's end does to the accounts."""
    minor, clearing = payout.amount.amount_minor, _clearing(payout.rail)
    payable = f"artisan_payable:{payout.artisan_id}"
    postings = {
        PayoutStatus.PAID: posting(clearing, "bank:main", minor),
        PayoutStatus.FAILED: posting(clearing, payable, minor),
        PayoutStatus.CANCELLED: posting(clearing, payable, minor),
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
