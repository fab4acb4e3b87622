"""The whole shop at service level: buy, pay, let time pass; and what must hold of all of it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.edge import storage
from chalicelib.money import Money
from chalicelib.orders import holds
from chalicelib.orders import tables as order_tables
from chalicelib.orders.domain import Order, OrderState
from chalicelib.orders.service import OrderRequest
from chalicelib.orders.tables import ORDER, OrderTable
from chalicelib.payments import callback_tables, checkout, expiry, service
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.callback_tables import CallbackTable
from chalicelib.payments.domain import PAID, EventStatus, Method, PaymentStatus
from chalicelib.payments.domain import Provider as Via
from chalicelib.payments.tables import PaymentTable
from chalicelib.stock import service as stock
from chalicelib.stock.domain import Stock
from chalicelib.stock.tables import StockTable
from infra.local.environment import ACCOUNT, REGION
from tests.factories.orders import BOWL_TOTAL
from tests.factories.payments import an_event
from tests.factories.stock import check_all_conserved

FIFTEEN_MINUTES = 15 * 60 + 1
THREE_DAYS = 3 * 24 * 3600


@pytest.fixture
def one_due_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    """One shard of the due index instead of eight: a sweep asks once, so more happens between."""
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)


def snapshot() -> Callable[[], None]:
    """Keep what is in moto's tables, and the time; what it returns puts both back."""
    began = clock.now()
    tables = dynamodb_backends[ACCOUNT][REGION].tables
    kept = {name: copy.deepcopy(table.items) for name, table in tables.items()}

    def again() -> None:
        clock.reset()
        clock.advance(max(0, round((began - clock.now()).total_seconds())))
        for name, items in kept.items():
            tables[name].items = copy.deepcopy(items)
            if tables[name].stream_shard is not None:
                tables[name].stream_shard.items.clear()

    return again


def buy(request: OrderRequest, method: Method = Method.CARD) -> checkout.Placed:
    return checkout.place_order(request, method)


def payment_id_of(order_id: str, number: int = 1) -> str:
    return ids.child_id("pay", order_id, number)


def card_callback(
    payment_id: str, trans: str = "T1", minor: int = BOWL_TOTAL, **changes: Any
) -> str:
    """CMI's answer to a callback that was verified."""
    event = an_event(
        key=f"cmi#{payment_id}#{trans}",
        reference=payment_id,
        provider_reference=trans,
        amount=Money(minor),
        is_taken=False,
        **changes,
    )
    return service.decide_cmi(event, b"raw", settings().cmi_client_id)


def wallet_callback(
    payment_id: str, trans: str = "W1", minor: int = BOWL_TOTAL, **changes: Any
) -> None:
    """A wallet callback that was verified: kept, and applied as its queue would."""
    event = an_event(
        key=f"wallet#{payment_id}#{trans}",
        provider=Via.WALLET,
        reference=payment_id,
        provider_reference=trans,
        amount=Money(minor),
        **changes,
    )
    service.receive_callback(event, b"raw")
    service.apply_callback(event.key)


def sweep() -> None:
    """Every sweep of these features, once."""
    expiry.expire_overdue_orders()
    holds.sweep_order_stock()
    stock.sweep_expired_holds()


def redeliver() -> None:
    """What waits in the wallet's queue comes again; CMI's callbacks are repeated by CMI."""
    for row in CallbackTable.scan():
        if row.status != EventStatus.RECEIVED:
            continue
        if row.provider == Via.WALLET:
            service.apply_callback(row.event_key)
        else:
            service.decide_cmi(callback_tables.event_from(row), b"raw", settings().cmi_client_id)


def come_to_rest() -> None:
    """At most three sweeps, after every time limit has passed."""
    for _ in range(3):
        clock.advance(THREE_DAYS)
        sweep()
        if not (due_left(OrderTable) or due_left(StockTable)):
            return


def due_left(table: Any) -> list[Any]:
    return [row for row in table.scan() if row.due_shard]


def all_orders() -> list[Order]:
    names = [row.order_id for row in OrderTable.scan(OrderTable.part == ORDER)]
    return [order for name in names if (order := order_tables.find(name))]


def check_shop() -> dict[str, Stock]:
    """What holds at every moment: of the stock, and of orders and their payments."""
    found = check_all_conserved()
    known = {order.order_id: order for order in all_orders()}
    payments = [payment_tables.payment_from(row) for row in PaymentTable.scan()]
    for order in known.values():
        own = [payment for payment in payments if payment.order_id == order.order_id]
        assert len(own) == order.payment_count, "an order and its payments belong together"
        taken = [payment.payment_id for payment in own if payment.status in PAID]
        is_paid = order.state is OrderState.PAID
        assert taken == ([order.paid_by] if is_paid else []), (order.state, taken)
        parts = [share.goods_minor + share.shipping_minor for share in own[0].shares]
        assert sum(parts) == own[0].amount.amount_minor == order.total.amount_minor
    assert {payment.order_id for payment in payments} <= set(known), "a payment without an order"
    return found


def check_at_rest() -> dict[str, Stock]:
    """What holds once everything has come to rest: sold is what paid orders bought, no more."""
    found = check_shop()
    bought: dict[str, int] = dict.fromkeys(found, 0)
    for order in all_orders():
        assert order.state is not OrderState.AWAITING_PAYMENT
        if order.state is OrderState.PAID:
            for listing_id, quantity in order.quantities().items():
                bought[listing_id] += quantity
    assert {name: item.sold for name, item in found.items()} == bought
    assert all(not item.holds for item in found.values()), "a hold or a marker was left behind"
    open_ones = [row.payment_id for row in PaymentTable.scan() if row.status == "pending"]
    assert open_ones == [], "a payment that leads nowhere is still open"
    assert due_left(OrderTable) == []
    return found


def statuses() -> dict[str, Any]:
    """The states things ended in, to compare two ways of getting there."""
    return {
        "orders": {order.order_id: order.state for order in all_orders()},
        "payments": {row.payment_id: PaymentStatus(row.status) for row in PaymentTable.scan()},
        "callbacks": {row.event_key: (row.status, row.answer) for row in CallbackTable.scan()},
        "stock": {
            name: (item.available, item.held, item.sold, item.written_off)
            for name, item in check_all_conserved().items()
        },
    }
