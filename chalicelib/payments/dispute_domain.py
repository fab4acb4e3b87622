"""Disputes: the buyer's bank takes the money back until it is decided who keeps it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.errors import Conflict, NotFound
from chalicelib.money import Money
from chalicelib.payments.domain import Payment, PaymentStatus, Portion, Provider

EVIDENCE_WITHIN = timedelta(days=10)  # the schemes give 7 to 45 days; the shortest common one


class DisputeStatus(StrEnum):
    OPENED = "opened"  # evidence is due
    EVIDENCE_SENT = "evidence_sent"
    WON = "won"
    LOST = "lost"


MOVES: dict[DisputeStatus, frozenset[DisputeStatus]] = {
    DisputeStatus.OPENED: frozenset(
        {DisputeStatus.EVIDENCE_SENT, DisputeStatus.WON, DisputeStatus.LOST}
    ),
    DisputeStatus.EVIDENCE_SENT: frozenset({DisputeStatus.WON, DisputeStatus.LOST}),
    DisputeStatus.WON: frozenset(),
    DisputeStatus.LOST: frozenset(),
}
OPEN = frozenset({DisputeStatus.OPENED, DisputeStatus.EVIDENCE_SENT})


@dataclass(frozen=True, slots=True)
class Dispute:
    """`portions` is what was left of the payment when it was opened; `case` the bank's own name
    for it. `by_letter`: an operator was told of it, so the provider's own record says nothing of
    how it ends. `overdue`: evidence was due and none was sent.
    """

    dispute_id: str
    payment_id: str
    order_id: str
    provider: Provider
    status: DisputeStatus
    amount: Money
    portions: tuple[Portion, ...]
    case: str
    reason: str
    opened_at: datetime
    evidence_due_at: datetime
    evidence_digest: str | None = None
    decided_at: datetime | None = None
    by_letter: bool = False
    overdue: bool = False
    version: int = 0


class UnknownDispute(NotFound):
    """There is no such dispute."""

    code = "unknown_dispute"


class NotDisputable(Conflict):
    """Only a captured payment that is not refunded whole can be disputed, once at a time."""

    code = "not_disputable"


class IllegalDisputeMove(Conflict):
    """The dispute is in a state that forbids this."""

    code = "dispute_state_forbids"


def move(dispute: Dispute, to: DisputeStatus) -> Dispute:
    """
    Raises:
        IllegalDisputeMove: `to` does not follow its status in MOVES.
    """
    if to not in MOVES[dispute.status]:
        raise IllegalDisputeMove(
            f"the dispute is {dispute.status}, so it cannot become {to}",
            extra={"dispute_status": dispute.status},
        )
    return replace(dispute, status=to)


def disputed(payment: Payment, dispute: Dispute, taken_back: tuple[Portion, ...]) -> Payment:
    """The payment while its bank decides: nothing of it can be refunded meanwhile."""
    return replace(
        payment,
        status=PaymentStatus.DISPUTED,
        dispute_id=dispute.dispute_id,
        taken_back=taken_back,
        ask_at=None,
    )


def decided(payment: Payment, won: bool, taken_back: tuple[Portion, ...]) -> Payment:
    """The payment once it is decided: as it was before, or charged back."""
    if not won:
        return replace(payment, status=PaymentStatus.CHARGED_BACK)
    back = payment.refunded_minor > 0
    status = PaymentStatus.PARTIALLY_REFUNDED if back else PaymentStatus.CAPTURED
    return replace(payment, status=status, dispute_id=None, taken_back=taken_back)
