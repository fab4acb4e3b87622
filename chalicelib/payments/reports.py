"""What a provider says when it is asked, in our words: of a payment, and of a refund."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.money import Money


class ReportState(StrEnum):
    """Where a payment stands at the provider, as it answers when asked by our own reference."""

    ABSENT = "absent"  # it knows no payment of this reference: no money has moved
    PENDING = "pending"  # it knows it, and nothing is decided
    FAILED = "failed"  # the last attempt was refused; another may still come
    AUTHORIZED = "authorized"  # reserved on the card, not taken
    CAPTURED = "captured"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class Report:
    """A provider's answer about one payment. No answer is no report: `OutcomeUnknown` is raised.

    `amount` is what was authorised or captured, None where there is none that can be read;
    `refunded_minor` what was given back of it so far; `dispute` one of None, "opened", "lost".
    """

    state: ReportState
    provider_reference: str = ""
    amount: Money | None = None
    refunded_minor: int = 0
    dispute: str | None = None
    reason: str | None = None


class RefundState(StrEnum):
    """What became of a refund that was asked for under our own reference."""

    DONE = "done"
    REFUSED = "refused"  # for good: nothing was given back
    PENDING = "pending"
    ABSENT = "absent"  # it never arrived: it may be sent again under the same reference


@dataclass(frozen=True, slots=True)
class RefundReport:
    state: RefundState
    provider_reference: str = ""
    reason: str | None = None
