"""What follows from a kept callback or a changed payment, and the sweep that expires orders."""

from typing import Annotated

from pydantic import Field

from chalicelib.edge import queues
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.streams import Change
from chalicelib.money import Money
from chalicelib.payments import checkout, service, tables
from chalicelib.payments.domain import PAID, EventStatus, Provider, ProviderEvent
from chalicelib.payments.messages import CallbackReceived, PaymentCaptured, PayoutReported, Share
from chalicelib.settlement.messages import PaymentConfirmed

payment_events = FeatureBlueprint(__name__)
PaymentMessage = Annotated[CallbackReceived | PaymentConfirmed, Field(discriminator="type")]


@payment_events.consumer("payments", message=PaymentMessage)
def apply_payment_message(message: CallbackReceived | PaymentConfirmed) -> None:
    match message:
        case CallbackReceived():
            service.apply_callback(message.event_key)
        case PaymentConfirmed():
            amount = Money(message.amount_minor, message.currency)
            service.confirm_capture(message.payment_id, message.provider, amount)


@payment_events.stream("callbacks")
def relay_callbacks(change: Change) -> None:
    """A kept callback goes to its queue. CMI's were decided when they came."""
    if change.old is not None or change.new is None:
        return
    row = tables.CallbackTable.from_raw_data(change.new)
    event = tables.event_from(row)
    if event.provider is Provider.CMI or row.status != EventStatus.RECEIVED:
        return
    if event.kind.is_about_payout:
        queues.send("payouts", _payout_reported(event))
    else:
        queues.send("payments", CallbackReceived(event_key=event.key))


def _payout_reported(event: ProviderEvent) -> PayoutReported:
    assert event.amount is not None, "the wallet's contract has an amount in every event"
    return PayoutReported(
        payout_id=event.reference,
        outcome=event.kind.value.partition(".")[2],
        amount_minor=event.amount.amount_minor,
        currency=event.amount.currency,
        reason=event.reason,
        provider_reference=event.provider_reference,
        occurred_at=event.occurred_at,
    )


@payment_events.stream("payments")
def relay_payment_changes(change: Change) -> None:
    """A payment that has just been paid wakes settlement, with the terms it was sold on."""
    if change.new is None or change.became("status") not in PAID:
        return
    if change.old is not None and change.old["status"]["S"] in PAID:
        return
    payment = tables.payment_from(tables.PaymentTable.from_raw_data(change.new))
    captured = PaymentCaptured(
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        provider=payment.provider,
        amount_minor=payment.amount.amount_minor,
        currency=payment.amount.currency,
        captured_at=change.text("captured_at"),
        shares=[Share.model_validate(share, from_attributes=True) for share in payment.shares],
    )
    queues.send("settlement", captured, group=captured.shares[0].artisan_id)


@payment_events.every_minute
def sweep_overdue_orders() -> None:
    checkout.expire_overdue_orders()
