"""Breaks: what does not fit between the provider's file, our ledger and the bank; pure.

A break is found once, belongs to a team, ages, and ends: by a new entry in the ledger, or by the
event that cured it. Nothing that was posted is ever edited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.ledger.domain import Entry, Posting, posting
from chalicelib.money import Money
from chalicelib.settlement.domain import SettledPayment

BANK, VARIANCE, UNAPPLIED = "bank:main", "psp_fee_variance", "unapplied_receipts"
AGE_DAYS = (7, 3, 1)
"""An open break is shown as older than so many days."""


class BreakKind(StrEnum):
    MISSING_IN_LEDGER = "missing_in_ledger"  # the file names a payment that is not settled
    MISSING_IN_PROVIDER = "missing_in_provider"  # no file has named a settled payment in time
    AMOUNT_DIFF = "amount_diff"
    FEE_DIFF = "fee_diff"  # the fee is further from the estimate than is tolerated
    DUPLICATE = "duplicate"  # a payment is settled a second time
    STATUS_DIFF = "status_diff"  # the file gives back what we have not
    LATE = "late"  # named at last, after it was missed
    UNKNOWN_BANK_CREDIT = "unknown_bank_credit"
    PAYOUT_UNMATCHED = "payout_unmatched"
    PAYOUT_RETURNED = "payout_returned"


class Owner(StrEnum):
    """The team that a break belongs to."""

    PAYMENTS = "payments"
    BANK = "bank"
    FINANCE = "finance"


class BreakStatus(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    POST_DIFFERENCE = "post_difference"  # the line counts; what is short goes to the variance
    MOVE_TO_UNAPPLIED = "move_to_unapplied"  # the money is somebody's: kept for them
    WRITE_OFF = "write_off"  # up to a limit, to the variance
    CURED = "cured"  # by an event that is named


_CURED = frozenset({Resolution.CURED})
RULES: dict[BreakKind, tuple[Owner, int, frozenset[Resolution]]] = {
    # Whose it is, by how many days it should be resolved, and how it may be.
    BreakKind.MISSING_IN_LEDGER: (Owner.PAYMENTS, 1, _CURED | {Resolution.MOVE_TO_UNAPPLIED}),
    BreakKind.MISSING_IN_PROVIDER: (Owner.PAYMENTS, 3, _CURED | {Resolution.WRITE_OFF}),
    BreakKind.AMOUNT_DIFF: (Owner.PAYMENTS, 3, _CURED | {Resolution.POST_DIFFERENCE}),
    BreakKind.FEE_DIFF: (Owner.FINANCE, 7, _CURED),
    BreakKind.DUPLICATE: (Owner.PAYMENTS, 1, _CURED | {Resolution.MOVE_TO_UNAPPLIED}),
    BreakKind.STATUS_DIFF: (Owner.PAYMENTS, 1, _CURED),
    BreakKind.LATE: (Owner.PAYMENTS, 7, _CURED),
    BreakKind.UNKNOWN_BANK_CREDIT: (
        Owner.BANK, 3, _CURED | {Resolution.MOVE_TO_UNAPPLIED, Resolution.WRITE_OFF}
    ),
    BreakKind.PAYOUT_UNMATCHED: (Owner.BANK, 1, _CURED | {Resolution.WRITE_OFF}),
    BreakKind.PAYOUT_RETURNED: (Owner.BANK, 3, _CURED),
}  # fmt: skip


class UnknownBreak(NotFound):
    """There is no break of this id."""

    code = "unknown_break"


class BreakResolved(Conflict):
    """The break has been resolved in another way; what was posted is not edited."""

    code = "break_resolved"


class ResolutionNotAllowed(Conflict):
    """A break of this kind cannot be resolved so, or there is no amount or line to do it with."""

    code = "resolution_not_allowed"


class WriteOffTooLarge(Conflict):
    """More than may be written off; find the cause, or somebody who may decide."""

    code = "write_off_too_large"


class EventMissing(Invalid):
    """Say which event cured the break: `event_id`."""

    code = "event_missing"


@dataclass(frozen=True, slots=True)
class Break:
    """Something that does not fit. `line_id`: the line of a provider's file it was found in.

    `amount` is what is at stake: of an amount_diff or fee_diff the difference, else the whole.
    """

    break_id: str
    kind: BreakKind
    amount: Money
    provider: str | None
    reference: str | None
    reason: str
    opened_at: datetime
    line_id: str | None = None
    status: BreakStatus = BreakStatus.OPEN
    resolution: Resolution | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    note: str | None = None
    event_id: str | None = None  # the entry that resolved it, or the event that cured it

    @property
    def owner(self) -> Owner:
        return RULES[self.kind][0]

    @property
    def due_at(self) -> datetime:
        return self.opened_at + timedelta(days=RULES[self.kind][1])


@dataclass(frozen=True, slots=True)
class Decision:
    """How somebody resolves a break."""

    resolution: Resolution
    by: str
    note: str
    event_id: str | None = None


def age_of(found: Break, at: datetime) -> str:
    """`D+0`, `D+1`, `D+3` or `D+7`: how long it was, or has been, open at least."""
    days = ((found.resolved_at or at) - found.opened_at).days
    return f"D+{next((least for least in AGE_DAYS if days >= least), 0)}"


def is_decided_so(found: Break, decision: Decision) -> bool:
    """True when a break was resolved by just this decision: it is the same one again."""
    same_event = decision.event_id is None or decision.event_id == found.event_id
    was = (found.resolution, found.resolved_by, found.note)
    return same_event and was == (decision.resolution, decision.by, decision.note)


def entry_id_of(break_id: str) -> str:
    return f"break:{break_id}"


def check_allowed(found: Break, decision: Decision, limit_minor: int) -> None:
    """
    Raises:
        ResolutionNotAllowed, EventMissing, WriteOffTooLarge
    """
    if decision.resolution not in RULES[found.kind][2]:
        raise ResolutionNotAllowed(f"{found.kind} is not resolved by {decision.resolution}")
    if decision.resolution is Resolution.CURED and not decision.event_id:
        raise EventMissing("name the event that cured it", param="event_id")
    gives_up = decision.resolution in (Resolution.WRITE_OFF, Resolution.POST_DIFFERENCE)
    if gives_up and found.amount.amount_minor > limit_minor:
        raise WriteOffTooLarge(f"at most {Money(limit_minor).decimal_text()} MAD may be given up")


def entry_of(
    found: Break, decision: Decision, postings: Sequence[Posting], at: datetime
) -> Entry | None:
    """The entry that resolves a break; None where nothing is moved.

    Raises:
        ResolutionNotAllowed: it moves no money where it should.
    """
    if decision.resolution is Resolution.CURED and not postings:
        return None
    if not postings:
        raise ResolutionNotAllowed("there is no amount to post")
    return Entry(
        entry_id=entry_id_of(found.break_id),
        reason=f"break_{decision.resolution}",
        postings=tuple(postings),
        at=at,
        refs={"break_id": found.break_id, "kind": found.kind},
    )


def money_kept(found: Break, fee_minor: int) -> list[Posting]:
    """What came in and is nobody's yet: in the bank, less what the provider kept of it."""
    kept = min(fee_minor, found.amount.amount_minor)
    net = posting(BANK, UNAPPLIED, found.amount.amount_minor - kept)
    return net + posting(VARIANCE, UNAPPLIED, kept)


def given_up(found: Break, payment: SettledPayment | None) -> list[Posting]:
    """A small sum that is not looked for any further. Of a payment that no file names, the fee
    that was thought of is not paid; the rest is lost."""
    minor = found.amount.amount_minor
    if found.kind is BreakKind.UNKNOWN_BANK_CREDIT:
        return posting(BANK, VARIANCE, minor)
    if found.kind is BreakKind.PAYOUT_UNMATCHED:
        return posting(VARIANCE, BANK, minor)
    if payment is None or payment.captured is None or payment.fee_estimate is None:
        return []
    clearing, fee = f"psp_clearing:{payment.provider}", payment.fee_estimate.amount_minor
    accrued = posting(f"psp_fee_accrued:{payment.provider}", clearing, fee)
    return accrued + posting(VARIANCE, clearing, payment.captured.amount_minor - fee)


def difference(captured: Money, gross: Money, provider: str) -> list[Posting]:
    """What a line has less, or more, than was captured, to the variance."""
    clearing, minor = f"psp_clearing:{provider}", captured.amount_minor - gross.amount_minor
    short = posting(VARIANCE, clearing, max(0, minor))
    return short + posting(clearing, VARIANCE, max(0, -minor))
