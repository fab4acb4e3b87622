"""Who is told what of payments, refunds and disputes."""

from chalicelib import clock
from chalicelib.artisans.announcements import tell_artisan
from chalicelib.orders import service as orders
from chalicelib.orders.announcements import goods_of, tell_buyer
from chalicelib.orders.domain import Order
from chalicelib.payments import actions
from chalicelib.payments.dispute_domain import Dispute, DisputeStatus
from chalicelib.payments.domain import Method, Payment
from chalicelib.payments.refund_domain import Refund, RefundKind, RefundStatus


def tell_placed(payment: Payment) -> None:
    """An order awaits this payment: how much, until when, and the code of a voucher."""
    order = orders.find_order(payment.order_id)
    if order is None:
        return
    action = actions.action_of(payment, order.buyer)
    code = {"voucher_code": action.code} if isinstance(action, actions.Voucher) else {}
    if code or payment.method is not Method.CASH_VOUCHER:
        tell_buyer(
            order,
            "order_placed",
            payment.payment_id,
            order_id=order.order_id,
            amount_minor=payment.amount.amount_minor,
            until=clock.to_text(payment.expires_at),
            **code,
        )


def tell_paid(payment: Payment) -> None:
    """The buyer hears that it is paid, each artisan what to pack, or what was paid at the stall."""
    order = orders.find_order(payment.order_id)
    if order is None:
        return
    amount = payment.amount.amount_minor
    tell_buyer(order, "order_paid", order.order_id, order_id=order.order_id, amount_minor=amount)
    for parcel in order.parcels:
        if order.in_person:
            tell_artisan(
                parcel.artisan_id,
                "in_person_paid",
                order.order_id,
                order_id=order.order_id,
                amount_minor=amount,
            )
        else:
            _tell_sold(order, parcel.artisan_id, parcel.parcel_id)


def _tell_sold(order: Order, artisan_id: str, parcel_id: str) -> None:
    pieces = sum(line.quantity for line in order.lines if line.artisan_id == artisan_id)
    tell_artisan(
        artisan_id,
        "order_sold",
        parcel_id,
        parcel_id=parcel_id,
        pieces=pieces,
        goods=goods_of(order, artisan_id),
    )


def tell_refund(refund: Refund) -> None:
    """The buyer hears that money will come back, and that it has. A failure is ours to mend."""
    kinds = {
        RefundStatus.APPROVED: "refund_approved",
        RefundStatus.MANUAL: "refund_approved",
        RefundStatus.PAID: "refund_paid",
    }
    kind = kinds.get(refund.status)
    if refund.kind is RefundKind.UNAPPLIED and kind == "refund_approved":
        kind = "payment_unapplied"
    order = orders.find_order(refund.order_id)
    if kind is None or order is None or refund.amount.currency != "MAD":
        return
    minor = refund.amount.amount_minor
    tell_buyer(order, kind, refund.refund_id, order_id=refund.order_id, amount_minor=minor)


def tell_dispute(dispute: Dispute) -> None:
    """Each artisan hears what of their money is held, and what the bank has decided."""
    order = orders.order(dispute.order_id)
    owners = {parcel.parcel_id: parcel.artisan_id for parcel in order.parcels}
    opened = dispute.status is DisputeStatus.OPENED
    until = {"until": clock.to_text(dispute.evidence_due_at)} if opened else {}
    for portion in dispute.portions:
        tell_artisan(
            owners[portion.parcel_id],
            f"dispute_{dispute.status}",
            f"{dispute.dispute_id}:{portion.parcel_id}",
            parcel_id=portion.parcel_id,
            amount_minor=portion.total_minor,
            **until,
        )
