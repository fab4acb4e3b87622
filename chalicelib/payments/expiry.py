"""Expiring what was not paid in time; its provider is asked before that."""

from contextlib import suppress
from datetime import timedelta
from functools import partial

from chalicelib import clock
from chalicelib.edge.sweeps import each_apart
from chalicelib.errors import Unavailable
from chalicelib.orders import service as orders
from chalicelib.orders import tables as order_tables
from chalicelib.orders.domain import Order, OrderState
from chalicelib.payments import checkout, inquiries
from chalicelib.payments.domain import OrderNotPayable, PaymentStatus, Provider, open_payments

ASK_AGAIN_AFTER = timedelta(minutes=2)


def expire_overdue_orders() -> None:
    """Expire what was not paid in time. The stock goes back by a sweep of its own."""
    each_apart(partial(_expire, order_id) for order_id in orders.overdue_order_ids())


def _expire(order_id: str) -> None:
    order = orders.order(order_id)
    if not _is_overdue(order):
        return
    if not _is_known(order):
        # Nothing is expired that may have been paid: unknown is not failed.
        order_tables.postpone_expiry(order, clock.now() + ASK_AGAIN_AFTER)
        return
    order = orders.order(order_id)
    if _is_overdue(order):
        # It may be paid or tried again meanwhile; then the next sweep looks once more.
        with suppress(OrderNotPayable, Unavailable):
            checkout.close_order(order, OrderState.EXPIRED, PaymentStatus.EXPIRED)


def _is_overdue(order: Order) -> bool:
    return order.state is OrderState.AWAITING_PAYMENT and order.expires_at <= clock.now()


def _is_known(order: Order) -> bool:
    """Whether every open payment's provider has said what became of it.

    One that gives no answer is not asked about its other payments: each would take as long.
    """
    silent: set[Provider] = set()
    for payment in open_payments(checkout.payments_of(order)):
        if payment.provider not in silent and inquiries.learn(payment) is None:
            silent.add(payment.provider)
    return not silent
