"""Which parcels of an order can still be called off."""

from chalicelib.orders.domain import (
    PARCEL_MOVES,
    AlreadyShipped,
    IllegalOrderMove,
    Order,
    OrderState,
    Parcel,
    ParcelStatus,
)


def not_sent(order: Order) -> tuple[Parcel, ...]:
    """The parcels of a paid order that can still be cancelled: all of them, but those that are.

    Raises:
        AlreadyShipped: one has gone. IllegalOrderMove: it is not paid.
    """
    if order.state is not OrderState.PAID:
        raise IllegalOrderMove("it is not paid", extra={"order_status": order.state})
    open_ones = tuple(p for p in order.parcels if p.status is not ParcelStatus.CANCELLED)
    gone = [p for p in open_ones if ParcelStatus.CANCELLED not in PARCEL_MOVES[p.status]]
    if order.in_person or gone:
        raise AlreadyShipped("ask to return what has arrived")
    return open_ones
