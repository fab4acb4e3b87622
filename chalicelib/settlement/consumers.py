"""What wakes settlement: captured payments and deliveries, its own table, and the clock."""

from typing import Annotated, assert_never

from pydantic import Field

from chalicelib import clock
from chalicelib.edge import queues
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.streams import Change
from chalicelib.money import Money
from chalicelib.orders.messages import ParcelDelivered
from chalicelib.payments.messages import PaymentCaptured
from chalicelib.settlement import service
from chalicelib.settlement.domain import Sale, Terms
from chalicelib.settlement.messages import PaymentConfirmed
from chalicelib.settlement.provider_files import LineResult

settlement_events = FeatureBlueprint(__name__)
SettlementMessage = Annotated[PaymentCaptured | ParcelDelivered, Field(discriminator="type")]
TOLD_TO_PAYMENTS = (LineResult.MATCHED, LineResult.MISSING_IN_LEDGER)


@settlement_events.consumer("settlement", message=SettlementMessage)
def settle(message: PaymentCaptured | ParcelDelivered) -> None:
    match message:
        case PaymentCaptured():
            service.settle_payment(_sale(message))
        case ParcelDelivered():
            service.record_delivery(message.parcel_id, clock.from_text(message.delivered_at))
        case _:
            assert_never(message)


def _sale(message: PaymentCaptured) -> Sale:
    return Sale(
        payment_id=message.payment_id,
        order_id=message.order_id,
        provider=message.provider,
        captured=Money(message.amount_minor, message.currency),
        captured_at=clock.from_text(message.captured_at),
        shares=tuple(
            Terms(
                parcel_id=share.parcel_id,
                artisan_id=share.artisan_id,
                goods_minor=share.goods_minor,
                shipping_minor=share.shipping_minor,
                commission_bp=share.commission_bp,
                fee_bp=share.fee_estimate_bp,
                vat_bp=share.vat_on_commission_bp,
            )
            for share in message.shares
        ),
    )


@settlement_events.stream("settlement")
def relay_confirmations(change: Change) -> None:
    """A line of a provider's file got its result: `payments` hears that the money is real."""
    if change.became("result") not in TOLD_TO_PAYMENTS:
        return
    queues.send(
        "payments",
        PaymentConfirmed(
            payment_id=change.text("reference"),
            provider=change.text("provider"),
            provider_reference=change.text("provider_reference"),
            amount_minor=int((change.new or {})["gross_minor"]["N"]),
            currency=change.text("currency"),
            settled_at=change.text("settled_at"),
        ),
    )


@settlement_events.every_minute
def release_due_shares() -> None:
    service.release_due_shares()


@settlement_events.every_minute
def finish_settlement_files() -> None:
    service.finish_files()
