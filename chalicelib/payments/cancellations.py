"""What a paid order's buyer or artisan calls off: parcels and the money for them, in one step."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from pynamodb.transactions import TransactWrite

from chalicelib import clock, ids
from chalicelib.edge.storage import try_commit
from chalicelib.errors import NotFound, Unavailable
from chalicelib.orders import holds, parcel_tables, return_tables
from chalicelib.orders import service as orders
from chalicelib.orders.cancel_domain import not_sent
from chalicelib.orders.domain import (
    Order,
    OrderState,
    Parcel,
    ParcelStatus,
    Restock,
    check_move,
    move_parcel,
)
from chalicelib.orders.return_domain import Return, ReturnStatus, is_all_returned, move
from chalicelib.orders.returns import own_return
from chalicelib.payments import checkout, refund_lines, refunds, tables
from chalicelib.payments.domain import (
    REFUNDABLE,
    OrderNotPayable,
    Payment,
    PaymentStatus,
    Portion,
)
from chalicelib.payments.refund_domain import left_of, without_empty

ATTEMPTS = 6


def cancel_order(order_id: str) -> Order:
    """Cancel an order: at once while it is not paid; after that with a refund, if nothing has gone.

    A cancelled one stays as it is.

    Raises:
        AlreadyShipped, IllegalOrderMove, NotRefundable. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        order = orders.order(order_id)
        if order.state is OrderState.CANCELLED:
            holds.give_back_stock(order)
            return order
        if order.state is OrderState.PAID:
            parcels = not_sent(order)
            if not parcels or _is_called_off(order, parcels, Restock.AVAILABLE, "buyer", None):
                return orders.order(order_id)
            continue
        check_move(order, OrderState.CANCELLED)
        with suppress(OrderNotPayable):
            checkout.close_order(order, OrderState.CANCELLED, PaymentStatus.CANCELLED)
    raise Unavailable("the order kept changing; ask again", retry_after_seconds=1)


def decline_parcel(parcel_id: str, artisan_id: str, reason: str) -> Parcel:
    """An artisan cannot send a paid parcel: it is cancelled, and its part goes back to the buyer.

    Raises:
        NotFound: no such parcel of theirs. IllegalParcelMove: it has gone, or is not paid.
        NotRefundable. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        order, parcel = _own_parcel(parcel_id, artisan_id)
        if parcel.status is ParcelStatus.CANCELLED and parcel.decline_reason:
            return parcel
        move_parcel(parcel, ParcelStatus.CANCELLED)
        if _is_called_off(order, [parcel], Restock.WRITTEN_OFF, "artisan", reason):
            return _own_parcel(parcel_id, artisan_id)[1]
    raise Unavailable("the parcel kept changing; ask again", retry_after_seconds=1)


def _own_parcel(parcel_id: str, artisan_id: str) -> tuple[Order, Parcel]:
    order_id = ids.parent_id("ord", parcel_id)
    order = orders.find_order(order_id) if order_id else None
    for parcel in order.parcels if order else ():
        if parcel.parcel_id == parcel_id and parcel.artisan_id == artisan_id:
            assert order is not None
            orders.check_paid(order)
            return order, parcel
    raise NotFound("there is no such parcel, or it is not yours")


def _is_called_off(
    order: Order, parcels: Sequence[Parcel], to: Restock, by: str, reason: str | None
) -> bool:
    """Whether parcels were cancelled with their refund; False when something changed meanwhile."""
    payment = _paid_by(order)
    called_off = [replace(parcel, restock=to, decline_reason=reason) for parcel in parcels]
    names = {parcel.parcel_id for parcel in parcels}
    portions = without_empty([each for each in left_of(payment) if each.parcel_id in names])
    why = f"{'cancelled' if by == 'buyer' else 'declined'} before it was sent"

    def write(transaction: TransactWrite) -> None:
        parcel_tables.add_cancelled_parcels(transaction, order, called_off, clock.now())

    if not portions:
        return try_commit(write)  # All of it was refunded before.
    refund_id = refunds.refund_id_of(payment.payment_id, "called off", *sorted(names))
    return _is_done(payment, portions, refund_id, why, by, write)


def receive_return(return_id: str, artisan_id: str) -> Return:
    """What was sent back is here: its goods are refunded, shipping is not.

    Raises:
        UnknownReturn, IllegalReturnMove. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        found = own_return(return_id, artisan_id)
        if found.status is ReturnStatus.RECEIVED:
            return found
        received = move(found, ReturnStatus.RECEIVED)
        if _is_received(received, was=found.status):
            return received
    raise Unavailable("the return kept changing; ask again", retry_after_seconds=1)


def _is_received(received: Return, was: ReturnStatus) -> bool:
    order = orders.order(received.order_id)
    payment = _paid_by(order)
    portions, lines = refund_lines.what_is_left_of_lines(order, payment, received.lines)
    parcel = next(each for each in order.parcels if each.parcel_id == received.parcel_id)
    others = [
        each
        for each in return_tables.returns_of(order.order_id)
        if each.return_id != received.return_id
    ]

    def write(transaction: TransactWrite) -> None:
        return_tables.add_moved(transaction, received, was)
        if is_all_returned(order, parcel, [*others, received]):
            parcel_tables.add_returned_parcel(transaction, parcel)

    if not portions or payment.status not in REFUNDABLE:
        return try_commit(write)  # It was refunded before, or the bank has the money.
    refund_id = refunds.refund_id_of(payment.payment_id, "returned", received.return_id)
    return _is_done(payment, portions, refund_id, "returned", "artisan", write, lines)


def _paid_by(order: Order) -> Payment:
    payment = tables.find(order.paid_by) if order.paid_by else None
    assert payment is not None, "a paid order names its payment"
    return payment


def _is_done(
    payment: Payment,
    portions: tuple[Portion, ...],
    refund_id: str,
    why: str,
    by: str,
    also: Callable[[TransactWrite], None],
    lines: Mapping[str, int] | None = None,
) -> bool:
    """Whether a refund was approved together with what it is for."""
    made = refunds.new_refund(payment, refund_id, portions, why, by, lines)

    def write(transaction: TransactWrite) -> None:
        refunds.add_refund(transaction, payment, made)
        also(transaction)

    return try_commit(write)
