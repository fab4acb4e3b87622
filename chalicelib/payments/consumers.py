"""What follows from kept callbacks, changed payments, refunds and disputes; and the sweeps."""

from typing import Annotated, assert_never

from pydantic import Field

from chalicelib import clock
from chalicelib.edge import queues
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.streams import Change
from chalicelib.edge.sweeps import each_apart
from chalicelib.money import Money
from chalicelib.payments import (
    announcements,
    callback_tables,
    dispute_tables,
    disputes,
    expiry,
    inquiries,
    refund_tables,
    refunds,
    service,
    tables,
)
from chalicelib.payments.dispute_domain import Dispute, DisputeStatus
from chalicelib.payments.domain import (
    PAID,
    EventStatus,
    Payment,
    PaymentStatus,
    Portion,
    Provider,
)
from chalicelib.payments.messages import (
    CallbackReceived,
    CapturePayment,
    DisputeMoved,
    MoneyUnapplied,
    PaymentCaptured,
    RefundMoved,
    SendRefund,
    Share,
    VoidPayment,
)
from chalicelib.payments.messages import Portion as PortionMessage
from chalicelib.payments.refund_domain import Refund, RefundKind, RefundStatus
from chalicelib.settlement.messages import PaymentConfirmed

payment_events = FeatureBlueprint(__name__)
AnyMessage = CallbackReceived | PaymentConfirmed | SendRefund | CapturePayment | VoidPayment
PaymentMessage = Annotated[AnyMessage, Field(discriminator="type")]


@payment_events.consumer("payments", message=PaymentMessage)
def apply_payment_message(message: AnyMessage) -> None:
    match message:
        case CallbackReceived():
            inquiries.take_callback(message.event_key)
        case PaymentConfirmed():
            amount = Money(message.amount_minor, message.currency)
            service.confirm_capture(message.payment_id, message.provider, amount)
        case SendRefund():
            refunds.send_refund(message.refund_id)
        case CapturePayment():
            inquiries.capture(message.payment_id)
        case VoidPayment():
            inquiries.void(message.payment_id)
        case _:
            assert_never(message)


@payment_events.stream("callbacks")
def relay_callbacks(change: Change) -> None:
    """A kept callback goes to its queue. CMI's were decided when they came."""
    if change.old is not None or change.new is None:
        return
    row = callback_tables.CallbackTable.from_raw_data(change.new)
    event = callback_tables.event_from(row)
    if (event.provider is Provider.CMI and not event.is_taken) or (
        row.status != EventStatus.RECEIVED
    ):
        return
    queues.send("payments", CallbackReceived(event_key=event.key))


@payment_events.stream("payments")
def relay_payment_changes(change: Change) -> None:
    """A payment that has just been paid wakes settlement, with the terms it was sold on; one whose
    money is only reserved at Mastercard's gateway has it taken, or let go of."""
    became = change.became("status")
    if change.new is None or became is None:
        return
    payment = tables.payment_from(tables.PaymentTable.from_raw_data(change.new))
    if payment.provider is Provider.MASTERCARD and became == PaymentStatus.CAPTURE_REQUESTED:
        queues.send("payments", CapturePayment(payment_id=payment.payment_id))
    if became == PaymentStatus.AUTHORIZED:
        queues.send("payments", VoidPayment(payment_id=payment.payment_id))
    if change.old is None:
        announcements.tell_placed(payment)
    was = change.old["status"]["S"] if change.old else None
    if became in PAID and was not in PAID:
        captured = sale_of(payment)
        queues.send("settlement", captured, group=_group_of(captured))
        announcements.tell_paid(payment)


def sale_of(payment: Payment) -> PaymentCaptured:
    """A captured payment as settlement is told of it."""
    assert payment.captured_at is not None
    return PaymentCaptured(
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        provider=payment.provider,
        amount_minor=payment.amount.amount_minor,
        currency=payment.amount.currency,
        captured_at=clock.to_text(payment.captured_at),
        shares=[Share.model_validate(share, from_attributes=True) for share in payment.shares],
    )


REFUND_STAGES = {
    RefundStatus.APPROVED: "approved",
    RefundStatus.MANUAL: "approved",
    RefundStatus.PAID: "paid",
    RefundStatus.FAILED: "failed",
}


@payment_events.stream("refunds")
def relay_refund_changes(change: Change) -> None:
    """A refund that was approved is sent; settlement and the buyer hear of each step."""
    if change.new is None or change.became("status") is None:
        return
    refund = refund_tables.refund_from(refund_tables.RefundTable.from_raw_data(change.new))
    if refund.status is RefundStatus.APPROVED:
        queues.send("payments", SendRefund(refund_id=refund.refund_id))
    stage = REFUND_STAGES.get(refund.status)
    if stage is None or refund.kind is RefundKind.VOID:
        return
    if refund.kind is RefundKind.REFUND:
        _tell_settlement(refund, stage)
    elif stage != "failed":
        queues.send("settlement", _unapplied(refund, stage), group=refund.payment_id)
    announcements.tell_refund(refund)


def _group_of(sale: PaymentCaptured) -> str:
    """Whose backlog a message belongs to: the artisan's where there is one, else the payment's."""
    artisans = {share.artisan_id for share in sale.shares}
    return artisans.pop() if len(artisans) == 1 else sale.payment_id


def _tell_settlement(refund: Refund, stage: str) -> None:
    payment = tables.find(refund.payment_id)
    assert payment is not None, "a refund is written with its payment"
    moved = RefundMoved.model_validate(
        {
            "refund_id": refund.refund_id,
            "attempt": refund.attempt,
            "stage": stage,
            "sale": sale_of(payment),
            "portions": [_portion(portion) for portion in refund.portions],
        }
    )
    queues.send("settlement", moved, group=_group_of(moved.sale))


def _portion(portion: Portion) -> PortionMessage:
    return PortionMessage.model_validate(portion, from_attributes=True)


def _unapplied(refund: Refund, stage: str) -> MoneyUnapplied:
    return MoneyUnapplied(
        receipt_id=refund.refund_id,
        payment_id=refund.payment_id,
        provider=refund.provider,
        amount_minor=refund.amount.amount_minor,
        currency=refund.amount.currency,
        stage="returned" if stage == "paid" else "received",
    )


DISPUTE_STAGES = {
    DisputeStatus.OPENED: "opened",
    DisputeStatus.WON: "won",
    DisputeStatus.LOST: "lost",
}


@payment_events.stream("disputes")
def relay_dispute_changes(change: Change) -> None:
    """Settlement holds and frees the artisans' money; the artisans hear of it."""
    if change.new is None or change.became("status") is None:
        return
    dispute = dispute_tables.dispute_from(dispute_tables.DisputeTable.from_raw_data(change.new))
    stage = DISPUTE_STAGES.get(dispute.status)
    if stage is not None:
        moved = _dispute_moved(dispute, stage)
        queues.send("settlement", moved, group=_group_of(moved.sale))
        announcements.tell_dispute(dispute)


def _dispute_moved(dispute: Dispute, stage: str) -> DisputeMoved:
    payment = tables.find(dispute.payment_id)
    assert payment is not None, "a dispute is written with its payment"
    return DisputeMoved.model_validate(
        {
            "dispute_id": dispute.dispute_id,
            "stage": stage,
            "sale": sale_of(payment),
            "portions": [_portion(portion) for portion in dispute.portions],
        }
    )


@payment_events.every_minute
def sweep_overdue_orders() -> None:
    expiry.expire_overdue_orders()


@payment_events.every_minute
def sweep_payments_to_ask() -> None:
    inquiries.ask_due()


@payment_events.every_minute
def sweep_refunds() -> None:
    refunds.send_due_refunds()


@payment_events.every_minute
def sweep_callbacks_and_disputes() -> None:
    """Both call no provider, so neither waits long for the other; the shorter goes first."""
    each_apart((disputes.mark_overdue, service.apply_due_callbacks))
