"""Who is told what of an order: the buyer and each artisan, once, in their language."""

from collections.abc import Callable

from chalicelib import clock
from chalicelib.artisans.announcements import tell_artisan
from chalicelib.edge import notices
from chalicelib.edge.notices import Contact
from chalicelib.orders import return_tables, tables
from chalicelib.orders.domain import Order, OrderState, Parcel, ParcelStatus
from chalicelib.orders.return_domain import Return, ReturnStatus
from chalicelib.orders.service import return_window


def tell_buyer(order: Order, kind: str, what: str, **params: str | int) -> None:
    """Tell the buyer something; `what` is the thing it is about. A passer-by cannot be told."""
    buyer = order.buyer
    if buyer.email or buyer.phone:
        contact = Contact(name=buyer.name or None, email=buyer.email or None, phone=buyer.phone)
        notices.tell(kind, f"{kind}:{what}:buyer", contact, buyer.language, **params)


def goods_of(order: Order, artisan_id: str) -> str:
    """An artisan's lines of an order, in a line."""
    lines = [line for line in order.lines if line.artisan_id == artisan_id]
    return notices.goods_line((line.quantity, line.title) for line in lines)


def tell_closed(order_id: str, state: str) -> None:
    """An unpaid order has expired or was cancelled."""
    kinds = {OrderState.EXPIRED: "order_expired", OrderState.CANCELLED: "order_cancelled"}
    order = tables.find(order_id)
    if order is not None and state in kinds:
        tell_buyer(order, kinds[OrderState(state)], order_id, order_id=order_id)


def tell_parcel(order_id: str, parcel_id: str, status: str) -> None:
    """A parcel of a paid order has moved."""
    order = tables.find(order_id)
    parcel = next((p for p in order.parcels if p.parcel_id == parcel_id), None) if order else None
    if order is not None and parcel is not None and status in PARCEL_NOTICES:
        PARCEL_NOTICES[ParcelStatus(status)](order, parcel)


def _accepted(order: Order, parcel: Parcel) -> None:
    goods = goods_of(order, parcel.artisan_id)
    tell_buyer(order, "parcel_accepted", parcel.parcel_id, order_id=order.order_id, goods=goods)


def _shipped(order: Order, parcel: Parcel) -> None:
    tracking = {"tracking": parcel.tracking} if parcel.tracking else {}
    tell_buyer(
        order,
        "parcel_shipped",
        parcel.parcel_id,
        order_id=order.order_id,
        carrier=parcel.carrier or "-",
        **tracking,
    )


def _delivered(order: Order, parcel: Parcel) -> None:
    if order.in_person or parcel.delivered_at is None:
        return
    tell_buyer(
        order,
        "parcel_delivered",
        parcel.parcel_id,
        order_id=order.order_id,
        goods=goods_of(order, parcel.artisan_id),
        until=clock.to_text(parcel.delivered_at + return_window()),
    )


def _cancelled(order: Order, parcel: Parcel) -> None:
    if parcel.decline_reason is None:
        name = parcel.parcel_id
        tell_artisan(parcel.artisan_id, "sale_cancelled", name, parcel_id=name)
        return
    tell_buyer(
        order,
        "parcel_declined",
        parcel.parcel_id,
        order_id=order.order_id,
        goods=goods_of(order, parcel.artisan_id),
        amount_minor=parcel.goods_minor + parcel.shipping_minor,
    )


PARCEL_NOTICES: dict[ParcelStatus, Callable[[Order, Parcel], None]] = {
    ParcelStatus.PREPARING: _accepted,
    ParcelStatus.SHIPPED: _shipped,
    ParcelStatus.DELIVERED: _delivered,
    ParcelStatus.CANCELLED: _cancelled,
}
RETURN_NOTICES = {
    ReturnStatus.ACCEPTED: "return_accepted",
    ReturnStatus.REFUSED: "return_refused",
    ReturnStatus.RECEIVED: "return_received",
}


def tell_return(order_id: str, return_id: str) -> None:
    """A return was asked for, answered, or has arrived."""
    order, asked = tables.find(order_id), return_tables.find(order_id, return_id)
    if order is None or asked is None:
        return
    goods = _returned_goods(order, asked)
    if asked.status is ReturnStatus.REQUESTED:
        name = asked.parcel_id
        tell_artisan(asked.artisan_id, "return_requested", return_id, parcel_id=name, goods=goods)
    else:
        kind = RETURN_NOTICES[asked.status]
        tell_buyer(order, kind, return_id, order_id=order_id, goods=goods)


def _returned_goods(order: Order, asked: Return) -> str:
    known = {line.line_id: line for line in order.lines}
    return notices.goods_line(
        (quantity, known[line_id].title) for line_id, quantity in asked.lines.items()
    )
