"""Asking a provider about a payment by our own reference: a time-out is unknown, never failed."""

from dataclasses import replace
from functools import partial

from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.observability import count
from chalicelib.edge.outbound import OutcomeUnknown
from chalicelib.edge.storage import try_commit
from chalicelib.edge.sweeps import each_apart
from chalicelib.orders import parcel_tables
from chalicelib.payments import (
    aftermath,
    callback_tables,
    disputes,
    gateway,
    service,
    tables,
)
from chalicelib.payments.domain import (
    MAX_ASKS_ONCE_CLOSED,
    UNPAID,
    WAITING,
    EventKind,
    Payment,
    PaymentStatus,
    Provider,
    ProviderEvent,
    next_ask,
)
from chalicelib.payments.reports import Report, ReportState

SAYS = {
    ReportState.CAPTURED: EventKind.SUCCEEDED,
    ReportState.AUTHORIZED: EventKind.AUTHORIZED,
    ReportState.FAILED: EventKind.FAILED,
}
TELLS_OF_DISPUTES = frozenset({Provider.MASTERCARD, Provider.WALLET})
NOT_TAKEN = frozenset(
    {ReportState.ABSENT, ReportState.VOIDED, ReportState.FAILED, ReportState.AUTHORIZED}
)


def ask_due() -> None:
    """Ask about every payment for which it is time."""
    each_apart(partial(ask_about, payment_id) for payment_id in tables.due_payment_ids())


def take_callback(event_key: str) -> None:
    """Apply a kept callback; where it only says that something happened, ask what."""
    event = service.apply_callback(event_key)
    if event is not None and event.kind is EventKind.NOTIFIED:
        ask_about(event.reference, because_of=event.provider)


def ask_about(payment_id: str, because_of: Provider | None = None) -> None:
    """Ask the provider, and do what follows; without an answer it is asked again later.

    One provider's notification is no reason to ask another: it was parked.
    """
    found = tables.find(payment_id)
    if found is None or found.ask_at is None or because_of not in (None, found.provider):
        return
    asked = found.asked_count + 1
    later = replace(found, asked_count=asked, ask_at=next_ask(asked, clock.now()))
    if not try_commit(partial(tables.add_changed, payment=later)):
        return  # It changed a moment ago; what is due of it then stays due.
    report = learn(replace(later, version=later.version + 1))
    if report is not None and (report.state is not ReportState.PENDING or _is_enough(later)):
        _stop_asking(payment_id)


def _is_enough(asked: Payment) -> bool:
    return asked.status not in UNPAID or asked.asked_count >= MAX_ASKS_ONCE_CLOSED


def _stop_asking(payment_id: str) -> None:
    found = tables.find(payment_id)
    if found is not None and found.ask_at is not None and found.status not in WAITING:
        try_commit(partial(tables.add_changed, payment=replace(found, ask_at=None)))


def learn(payment: Payment) -> Report | None:
    """Ask the provider and do what follows; None when it gave no answer that can be trusted."""
    try:
        report = gateway.ask(payment)
    except OutcomeUnknown:
        count("PaymentUnknown", provider=payment.provider)
        return None
    apply_report(payment, report)
    return report


def apply_report(payment: Payment, report: Report) -> None:
    """What a provider answered about a payment becomes an event, or moves what was asked of it."""
    if payment.status is PaymentStatus.CAPTURE_REQUESTED:
        _follow_capture(payment, report)
    elif payment.status is PaymentStatus.AUTHORIZED:
        _follow_void(payment, report)
    elif payment.status in UNPAID and report.state in SAYS and _counts(payment, report):
        _apply(_event(payment, SAYS[report.state], report))
    if report.dispute or payment.status is PaymentStatus.DISPUTED:
        _follow_dispute(payment, report)


def _counts(payment: Payment, report: Report) -> bool:
    # A card payment that CMI has only authorised is CMI's to offer, by its callback.
    return payment.provider is not Provider.CMI or report.state is not ReportState.AUTHORIZED


def _follow_capture(payment: Payment, report: Report) -> None:
    if report.state is ReportState.CAPTURED and report.amount is not None:
        service.confirm_capture(payment.payment_id, payment.provider, report.amount)
    elif payment.provider is Provider.MASTERCARD and report.state is ReportState.AUTHORIZED:
        capture(payment.payment_id)
    elif report.state in NOT_TAKEN:
        # The order is paid in our tables and the buyer was not debited: an operator captures.
        flag(payment, f"the provider has not captured it: {report.state}")


def _follow_void(payment: Payment, report: Report) -> None:
    if report.state in (ReportState.VOIDED, ReportState.ABSENT):
        _move(payment, PaymentStatus.VOIDED)
    elif report.state is ReportState.AUTHORIZED:
        void(payment.payment_id)
    elif report.state is ReportState.CAPTURED:
        # Taken, though it was to be let go of: money that fits nothing, and goes back.
        _apply(_event(payment, EventKind.SUCCEEDED, report))


def capture(payment_id: str) -> None:
    """Take the money that is reserved for a paid order; by our own id, so never twice.

    An answer that does not come is found out by asking.
    """
    found = tables.find(payment_id)
    if found is None or found.status is not PaymentStatus.CAPTURE_REQUESTED:
        return
    try:
        report = gateway.capture(found)
    except OutcomeUnknown:
        count("PaymentUnknown", provider=found.provider)
        return
    if report.state is ReportState.CAPTURED and report.amount is not None:
        service.confirm_capture(payment_id, found.provider, report.amount)
    elif report.state is ReportState.FAILED:
        flag(found, f"the capture was refused: {report.reason or 'no reason given'}")


def void(payment_id: str) -> None:
    """Let go of money that is reserved and will not be taken."""
    found = tables.find(payment_id)
    if found is None or found.status is not PaymentStatus.AUTHORIZED:
        return
    try:
        report = gateway.void(found)
    except OutcomeUnknown:
        count("PaymentUnknown", provider=found.provider)
        return
    if report.state is ReportState.VOIDED:
        _move(found, PaymentStatus.VOIDED)


def flag(payment: Payment, reason: str) -> None:
    """Put a payment before an operator, once for each reason, and keep what it pays from being
    sent: the buyer may not have been debited."""
    if (payment.review, payment.review_reason) == (True, reason):
        return
    flagged = replace(payment, review=True, review_reason=reason)

    def write(transaction: TransactWrite) -> None:
        tables.add_changed(transaction, flagged)
        parcel_ids = [share.parcel_id for share in payment.shares]
        parcel_tables.add_withheld(transaction, payment.order_id, parcel_ids)

    if try_commit(write):
        count("PaymentFlagged", provider=payment.provider)


def _move(payment: Payment, to: PaymentStatus) -> None:
    moved = replace(payment, status=to, ask_at=None)
    try_commit(partial(tables.add_changed, payment=moved))


def _follow_dispute(payment: Payment, report: Report) -> None:
    """Where the provider tells of disputes only when it is asked: opened, lost, or over and won."""
    stage = report.dispute
    if stage is None:
        current = disputes.current_dispute(payment)
        is_over = report.state is ReportState.CAPTURED and payment.provider in TELLS_OF_DISPUTES
        won = is_over and current is not None and not current.by_letter
        stage = aftermath.WON if won else None
    if stage is not None:
        event = _event(payment, EventKind.DISPUTED, report)
        case = f"{payment.dispute_id or 'dispute'}"
        _apply(replace(event, reason=stage, key=f"{event.key}#{stage}#{case}"))


def _event(payment: Payment, kind: EventKind, report: Report) -> ProviderEvent:
    amount = report.amount.amount_minor if report.amount else "none"
    reference = report.provider_reference or payment.payment_id
    return ProviderEvent(
        key=f"asked#{payment.payment_id}#{kind}#{reference}#{amount}",
        provider=payment.provider,
        kind=kind,
        reference=payment.payment_id,
        provider_reference=reference,
        amount=report.amount,
        occurred_at=clock.to_text(clock.now()),
        reason=report.reason,
    )


def _apply(event: ProviderEvent) -> None:
    """Keep what we were told as a callback is kept, and apply it; once, however often we ask."""
    callback_tables.record_once(event, b"")
    service.apply_callback(event.key)
