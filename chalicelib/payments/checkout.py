"""An order and its payment, written together: placed, paid another way, cancelled, expired."""

from dataclasses import dataclass, replace
from functools import partial

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.edge.observability import count
from chalicelib.edge.outbound import OutcomeUnknown
from chalicelib.edge.storage import commit, failed_conditions, try_commit
from chalicelib.errors import NotFound, Unavailable
from chalicelib.orders import buyer_tables, holds
from chalicelib.orders import service as orders
from chalicelib.orders import tables as order_tables
from chalicelib.orders.agreements import agreement_of
from chalicelib.orders.domain import (
    Order,
    OrderMismatch,
    OrderState,
    Parcel,
    Reader,
    TooManyOpenOrders,
    as_placed,
)
from chalicelib.orders.service import OrderRequest
from chalicelib.payments import gateway, tables
from chalicelib.payments.domain import (
    MAX_PAYMENTS_PER_ORDER,
    PAID,
    PAID_AT_THE_LATEST,
    PAY_WITHIN,
    PROVIDER_OF,
    Method,
    OrderAlreadyPaid,
    OrderNotPayable,
    Payment,
    PaymentStatus,
    Provider,
    ShareTerms,
    TooManyPayments,
    as_made,
    closed,
    next_ask,
    open_payments,
)
from chalicelib.payments.providers.mastercard import is_success


@dataclass(frozen=True, slots=True)
class Placed:
    """An order, its first payment, and whether they had been placed before."""

    order: Order
    payment: Payment
    replayed: bool = False


def place_order(request: OrderRequest, method: Method, return_url: str | None = None) -> Placed:
    """Hold the stock, then write order, parcels and payment at once; the same request is one order.

    Raises:
        OrderMismatch: the key was used for another content. What `open_order` raises: nothing held.
    """
    earlier = orders.existing_order(request)
    if earlier is not None:
        return _placed_before(earlier)
    order = orders.open_order(request)
    payment = new_payment(order, method, 1, return_url)

    placed = write_order(order, payment)
    return placed or _placed_meanwhile(request, order)


def write_order(order: Order, payment: Payment) -> Placed | None:
    """Write an order with its first payment; None when it is there already, or lost to a twin.

    Raises:
        TooManyOpenOrders: the buyer has as many as they may; what was held is given back.
    """

    def write(transaction: TransactWrite) -> None:
        order_tables.add_order(transaction, order)
        tables.add_new(transaction, payment)
        cap = settings().max_open_orders_per_buyer
        buyer_tables.add_open_order(transaction, order.buyer_key, order.order_id, cap)

    try:
        commit(write)
    except Unavailable:
        return None
    except TransactWriteError as error:
        failed = failed_conditions(error)
        if not failed:
            # A time-out is not a failure: the order may be there, so its holds stay until they
            # expire.
            raise
        if failed[0] < len(order.parcels) + 2:  # The order and its payment stand first.
            return None
        holds.release_stock(order)
        raise TooManyOpenOrders(
            "pay or cancel one of your orders first", retry_after_seconds=60
        ) from error
    return Placed(order, with_session(payment, order))


def with_session(payment: Payment, order: Order) -> Payment:
    """The payment with its page at Mastercard's gateway opened; as it is where that is not needed.

    Without an answer from the gateway there is no page yet: the same request, or one more payment,
    asks again.
    """
    needs_one = payment.provider is Provider.MASTERCARD and payment.session_id is None
    if not needs_one or payment.status is not PaymentStatus.PENDING:
        return payment
    back = f"{settings().public_url}/v1/payments/{payment.payment_id}/return"
    try:
        session = gateway.open_session(payment, order.buyer, back)
    except OutcomeUnknown:
        count("PaymentUnknown", provider=payment.provider)
        return payment
    opened = replace(
        payment,
        session_id=session.session_id,
        success_indicator=session.success_indicator,
    )
    if try_commit(partial(tables.add_changed, payment=opened)):
        return replace(opened, version=opened.version + 1)
    return tables.find(payment.payment_id) or payment


def way_back(payment_id: str, indicator: str | None) -> str:
    """Where a buyer goes on to after the card page. What the browser says is only a hint: the
    provider is asked at the next sweep, and the page of the order says what is true.

    Raises:
        NotFound: there is no such payment.
    """
    payment = tables.find(payment_id)
    if payment is None:
        raise NotFound("there is no such payment")
    said = is_success(indicator or "", payment.success_indicator or "")
    if said and payment.status is PaymentStatus.PENDING:
        soon = replace(payment, ask_at=clock.now())
        try_commit(partial(tables.add_changed, payment=soon))
    url = payment.return_url or f"{settings().storefront_url}/orders/{payment.order_id}"
    return f"{url}{'&' if '?' in url else '?'}payment={'success' if said else 'pending'}"


def _placed_meanwhile(request: OrderRequest, order: Order) -> Placed:
    try:
        earlier = orders.existing_order(request)
    except OrderMismatch:
        # Another content won under this key: its holds carry another mark and stay untouched.
        holds.release_stock(order)
        raise
    if earlier is None:
        # A twin of this request may be about to be written on these very holds: they expire.
        raise Unavailable("nothing was ordered; send it again", retry_after_seconds=1)
    return _placed_before(earlier)


def _placed_before(order: Order) -> Placed:
    """What was answered when it was placed, from what was frozen then."""
    first = tables.find(ids.child_id("pay", order.order_id, 1))
    assert first is not None, "an order is written with its first payment"
    placed = as_placed(order, PAY_WITHIN[first.method])
    return Placed(placed, as_made(with_session(first, order)), replayed=True)


def new_payment(
    order: Order, method: Method, number: int, return_url: str | None = None
) -> Payment:
    """An order's payment by a method, to be written with it."""
    now = clock.now()
    return Payment(
        payment_id=ids.child_id("pay", order.order_id, number),
        order_id=order.order_id,
        method=method,
        provider=PROVIDER_OF[method],
        status=PaymentStatus.PENDING,
        amount=order.total,
        shares=tuple(_share(order, parcel) for parcel in order.parcels),
        created_at=now,
        expires_at=min(now + PAY_WITHIN[method], order.placed_at + PAID_AT_THE_LATEST),
        return_url=return_url,
        ask_at=next_ask(0, now),
    )


def _share(order: Order, parcel: Parcel) -> ShareTerms:
    agreed = agreement_of(order, parcel.artisan_id)
    return ShareTerms(
        parcel_id=parcel.parcel_id,
        artisan_id=parcel.artisan_id,
        goods_minor=parcel.goods_minor,
        shipping_minor=parcel.shipping_minor,
        commission_bp=order.terms.commission_bp,
        fee_estimate_bp=order.terms.fee_estimate_bp,
        vat_on_commission_bp=order.terms.vat_on_commission_bp,
        hold_days=0 if order.in_person else None,
        commission_minor=agreed.commission_minor if agreed else None,
        discount_minor=agreed.discount_minor or None if agreed else None,
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


def pay_again(
    order_id: str, method: Method, return_url: str | None = None, asked_by: str | None = None
) -> Payment:
    """One more payment of an order that still awaits one; its stock is kept for longer.

    `asked_by` names the request: where it has made a payment already, that is the one.

    Raises:
        OrderNotPayable, OrderAlreadyPaid, TooManyPayments, UnknownMethod.
    """
    order = orders.order(order_id)
    made = _made_by(order, asked_by)
    if made is not None:
        return with_session(made, order)
    _check_payable(order)
    payment = new_payment(order, method, order.payment_count + 1, return_url)
    payment = replace(payment, asked_by=asked_by)
    holds.extend_holds(order, payment.expires_at)

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
    return with_session(payment, order)


def _made_by(order: Order, asked_by: str | None) -> Payment | None:
    """The payment that this request has made before it was cut off."""
    if asked_by is None or order.payment_count == 1:
        return None
    return next((each for each in payments_of(order) if each.asked_by == asked_by), None)


def _check_payable(order: Order) -> None:
    if order.state is OrderState.PAID:
        raise OrderAlreadyPaid("the order is paid already")
    if order.state is not OrderState.AWAITING_PAYMENT:
        raise OrderNotPayable("place a new order", extra={"order_status": order.state})
    if order.payment_count >= MAX_PAYMENTS_PER_ORDER:
        raise TooManyPayments("place a new order")
    if clock.now() >= order.placed_at + PAID_AT_THE_LATEST:
        raise OrderNotPayable("place a new order", extra={"order_status": order.state})


def close_order(order: Order, to: OrderState, payments_to: PaymentStatus) -> None:
    """Close an unpaid order and its open payments.

    Raises:
        OrderNotPayable: it was paid, closed or tried again meanwhile.
    """
    pending = open_payments(payments_of(order))

    def write(transaction: TransactWrite) -> None:
        order_tables.add_closed(transaction, order, to, clock.now())
        for payment in pending:
            tables.add_changed(transaction, closed(payment, payments_to, clock.now()))

    try:
        commit(write)
    except TransactWriteError as error:
        if failed_conditions(error):
            raise OrderNotPayable("the order changed meanwhile; read it again") from error
        raise
