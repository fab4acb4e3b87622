"""What wakes settlement: what payments and orders tell, its own table, and the clock."""

from collections.abc import Iterable
from typing import Annotated, assert_never

from pydantic import Field

from chalicelib import clock
from chalicelib.edge import queues
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.streams import Change
from chalicelib.money import Money
from chalicelib.orders.messages import ParcelDelivered, ReturnMoved
from chalicelib.payments.messages import (
    DisputeMoved,
    MoneyUnapplied,
    PaymentCaptured,
    RefundMoved,
)
from chalicelib.payments.messages import Portion as PortionTold
from chalicelib.settlement import announcements, reversals, service
from chalicelib.settlement.domain import Sale, Terms
from chalicelib.settlement.messages import ArtisanCleared, FileLinesToTake, PaymentConfirmed
from chalicelib.settlement.provider_files import LineResult
from chalicelib.settlement.reversals import Portion, Stage
from chalicelib.settlement.unapplied import Receipt, ReceiptStage

settlement_events = FeatureBlueprint(__name__)
Told = (
    PaymentCaptured
    | ParcelDelivered
    | ReturnMoved
    | RefundMoved
    | DisputeMoved
    | MoneyUnapplied
    | ArtisanCleared
    | FileLinesToTake
)
SettlementMessage = Annotated[Told, Field(discriminator="type")]
STAGE_OF = {
    "approved": Stage.TAKEN,
    "paid": Stage.GONE,
    "failed": Stage.GIVEN_BACK,
    "opened": Stage.TAKEN,
    "lost": Stage.GONE,
    "won": Stage.GIVEN_BACK,
}
OPEN_RETURNS = ("requested", "accepted")
TOLD_TO_PAYMENTS = (LineResult.MATCHED, LineResult.MISSING_IN_LEDGER)


@settlement_events.consumer("settlement", message=SettlementMessage)
def settle(message: Told) -> None:
    match message:
        case PaymentCaptured():
            service.settle_payment(_sale(message))
        case ParcelDelivered():
            service.record_delivery(message.parcel_id, clock.from_text(message.delivered_at))
        case ReturnMoved():
            is_open = message.status in OPEN_RETURNS
            service.record_return(message.parcel_id, message.return_id, is_open)
        case RefundMoved():
            sale, portions = _sale(message.sale), _portions(message.portions)
            refund = reversals.refund_of(message.refund_id, message.attempt, sale, portions)
            service.record_refund(refund, STAGE_OF[message.stage])
        case DisputeMoved():
            sale, portions = _sale(message.sale), _portions(message.portions)
            dispute = reversals.dispute_of(message.dispute_id, sale, portions)
            service.record_dispute(dispute, STAGE_OF[message.stage])
        case MoneyUnapplied():
            service.record_unapplied(_receipt(message), ReceiptStage(message.stage))
        case ArtisanCleared():
            service.look_again(message.artisan_id, message.page)
        case FileLinesToTake():
            service.take_lines(message.file_id, message.first)
        case _:
            assert_never(message)


def _portions(told: Iterable[PortionTold]) -> list[Portion]:
    return [Portion(one.parcel_id, one.goods_minor, one.shipping_minor) for one in told]


def _receipt(message: MoneyUnapplied) -> Receipt:
    amount = Money(message.amount_minor, message.currency)
    return Receipt(message.receipt_id, message.payment_id, message.provider, amount)


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
                hold_days=share.hold_days,
                commission_minor=share.commission_minor,
                discount_minor=share.discount_minor or 0,
            )
            for share in message.shares
        ),
    )


@settlement_events.stream("settlement")
def relay_confirmations(change: Change) -> None:
    """A line of a provider's file got its result: `payments` hears that the money is real."""
    is_other = "line_type" in (change.new or {})  # a refund, a chargeback or a fee
    if change.became("result") not in TOLD_TO_PAYMENTS or is_other:
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


@settlement_events.stream("settlement")
def relay_money_notices(change: Change) -> None:
    """An artisan hears what has become of their money; apart, so that no notice stops the money."""
    announcements.tell_of(change)


@settlement_events.stream("artisans")
def relay_verifications(change: Change) -> None:
    """An artisan was verified, or is so again: what waits for that is released soon."""
    if change.became("status") == "verified":
        service.tell_cleared(change.text("artisan_id"))


@settlement_events.every_minute
def release_due_shares() -> None:
    service.release_due_shares()


@settlement_events.every_minute
def finish_settlement_files() -> None:
    service.finish_files()


@settlement_events.every_minute
def miss_payments() -> None:
    service.miss_payments()


@settlement_events.every_minute
def miss_remittances() -> None:
    service.miss_remittances()
