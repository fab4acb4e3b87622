"""An order and its payment, written together: placed, paid another way, cancelled, expired."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib import clock, ids
from chalicelib.edge.storage import commit, failed_conditions
from chalicelib.edge.sweeps import each_apart
from chalicelib.errors import Unavailable
from chalicelib.orders import service as orders
from chalicelib.orders import tables as order_tables
from chalicelib.orders.domain import Order, OrderMismatch, OrderState, Reader, as_placed, check_move
from chalicelib.orders.service import OrderRequest
from chalicelib.payments import tables
from chalicelib.payments.domain import (
    MAX_PAYMENTS_PER_ORDER,
    PAID,
    PAY_WITHIN,
    PROVIDER_OF,
    Method,
    OrderAlreadyPaid,
    OrderNotPayable,
    Payment,
    PaymentStatus,
    ShareTerms,
    TooManyPayments,
    UnknownMethod,
    as_made,
    open_payments,
)

ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class Placed:
    """An order, its first payment, and whether they had been placed before."""

    order: Order
    payment: Payment
    replayed: bool = False


def check_method(method: Method) -> None:
    """Raises UnknownMethod when nobody takes money this way yet."""
    if method not in PROVIDER_OF:
        raise UnknownMethod(f"{method} is not open yet", param="payment_method")


def place_order(request: OrderRequest, method: Method) -> Placed:
    """Hold the stock, then write order, parcels and payment at once; the same request is one order.

    Raises:
        OrderMismatch: the key was used for another content. What `open_order` raises: nothing held.
    """
    earlier = orders.existing_order(request)
    if earlier is not None:
        return _placed_before(earlier)
    order = orders.open_order(request)
    payment = _new_payment(order, method, number=1)

    def write(transaction: TransactWrite) -> None:
        order_tables.add_order(transaction, order)
        tables.add_new(transaction, payment)

    try:
        commit(write)
    except Unavailable:
        return _placed_meanwhile(request, order)  # Or lost to it: the same request sent twice.
    except TransactWriteError as error:
        if failed_conditions(error):
            return _placed_meanwhile(request, order)
        # A time-out is not a failure: the order may be there, so its holds stay until they expire.
        raise
    return Placed(order, payment)


def _placed_meanwhile(request: OrderRequest, order: Order) -> Placed:
    try:
        earlier = orders.existing_order(request)
    except OrderMismatch:
        # Another content won under this key: its holds carry another mark and stay untouched.
        orders.release_stock(order)
        raise
    if earlier is None:
        orders.release_stock(order)
        raise Unavailable("nothing was ordered; send it again", retry_after_seconds=1)
    return _placed_before(earlier)


def _placed_before(order: Order) -> Placed:
    """What was answered when it was placed, from what was frozen then."""
    first = tables.find(ids.child_id("pay", order.order_id, 1))
    assert first is not None, "an order is written with its first payment"
    placed = as_placed(order, PAY_WITHIN[first.method])
    return Placed(placed, as_made(first), replayed=True)


def _new_payment(order: Order, method: Method, number: int) -> Payment:
    check_method(method)
    now = clock.now()
    return Payment(
        payment_id=ids.child_id("pay", order.order_id, number),
        order_id=order.order_id,
        method=method,
        provider=PROVIDER_OF[method],
        status=PaymentStatus.PENDING,
        amount=order.total,
        shares=tuple(
            ShareTerms(
                parcel_id=parcel.parcel_id,
                artisan_id=parcel.artisan_id,
                goods_minor=parcel.goods_minor,
                shipping_minor=parcel.shipping_minor,
                commission_bp=order.terms.commission_bp,
                fee_estimate_bp=order.terms.fee_estimate_bp,
                vat_on_commission_bp=order.terms.vat_on_commission_bp,
            )
            for parcel in order.parcels
        ),
        created_at=now,
        expires_at=now + PAY_WITHIN[method],
    )


def payments_of(order: Order) -> list[Payment]:
    return tables.find_many(
        [ids.child_id("pay", order.order_id, n) for n in range(1, order.payment_count + 1)]
    )


def order_with_payments(order_id: str, reader: Reader) -> tuple[Order, list[Payment]]:
    """An order as its reader may see it; its payments are the buyer's and the operators'.

    Raises:
        NotFound: there is none, or it is not theirs.
    """
    order = orders.order_for(order_id, reader)
    if not orders.sees_whole_order(order_id, reader):
        return order, []
    found = payments_of(order)
    if order.state is not OrderState.PAID and any(payment.status in PAID for payment in found):
        order = orders.order_for(order_id, reader)  # It was paid between the two reads.
    return order, found


def pay_again(order_id: str, method: Method) -> Payment:
    """One more payment of an order that still awaits one; its stock is kept for longer.

    Raises:
        OrderNotPayable, OrderAlreadyPaid, TooManyPayments, UnknownMethod.
    """
    order = orders.order(order_id)
    _check_payable(order)
    payment = _new_payment(order, method, order.payment_count + 1)
    orders.extend_holds(order, payment.expires_at)

    def write(transaction: TransactWrite) -> None:
        order_tables.add_payment_count(transaction, order, payment.expires_at)
        tables.add_new(transaction, payment)

    try:
        commit(write)
    except TransactWriteError as error:
        if failed_conditions(error):
            # If it was closed, what was just extended or taken for it goes back.
            order_tables.want_release(order, clock.now())
            raise OrderNotPayable("the order changed meanwhile; read it again") from error
        raise
    return payment


def _check_payable(order: Order) -> None:
    if order.state is OrderState.PAID:
        raise OrderAlreadyPaid("the order is paid already")
    if order.state is not OrderState.AWAITING_PAYMENT:
        raise OrderNotPayable("place a new order", extra={"order_status": order.state})
    if order.payment_count >= MAX_PAYMENTS_PER_ORDER:
        raise TooManyPayments("place a new order")


def cancel_order(order_id: str) -> Order:
    """Cancel an unpaid order at once; a cancelled one stays as it is.

    Raises:
        OrderAlreadyPaid, IllegalOrderMove. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        order = orders.order(order_id)
        if order.state is OrderState.CANCELLED:
            orders.give_back_stock(order)
            return order
        if order.state is OrderState.PAID:
            raise OrderAlreadyPaid("the order is paid: ask for a refund instead")
        check_move(order, OrderState.CANCELLED)
        with suppress(OrderNotPayable):
            _close(order, OrderState.CANCELLED, PaymentStatus.CANCELLED)
    raise Unavailable("the order kept changing; ask again", retry_after_seconds=1)


def expire_overdue_orders() -> None:
    """Expire what was not paid in time. The stock goes back by a sweep of its own."""
    each_apart(partial(_expire, order_id) for order_id in orders.overdue_order_ids())


def _expire(order_id: str) -> None:
    order = orders.order(order_id)
    if order.state is not OrderState.AWAITING_PAYMENT or order.expires_at > clock.now():
        return
    # It may be paid or tried again meanwhile; then the next sweep looks once more.
    with suppress(OrderNotPayable, Unavailable):
        _close(order, OrderState.EXPIRED, PaymentStatus.EXPIRED)


def _close(order: Order, to: OrderState, payments_to: PaymentStatus) -> None:
    pending = open_payments(payments_of(order))

    def write(transaction: TransactWrite) -> None:
        order_tables.add_closed(transaction, order, to, clock.now())
        for payment in pending:
            tables.add_changed(transaction, replace(payment, status=payments_to))

    try:
        commit(write)
    except TransactWriteError as error:
        if failed_conditions(error):
            raise OrderNotPayable("the order changed meanwhile; read it again") from error
        raise
