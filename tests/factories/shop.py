"""The whole shop at service level: buy, pay, let time pass. What must hold of it stands in
`shop_promises`; who plays the providers in `till`."""

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.edge import storage
from chalicelib.money import Money
from chalicelib.orders import holds
from chalicelib.orders.service import OrderRequest
from chalicelib.payments import (
    callback_tables,
    checkout,
    disputes,
    expiry,
    inquiries,
    refunds,
    service,
)
from chalicelib.payments.callback_tables import CallbackTable
from chalicelib.payments.domain import EventStatus, Method, Payment, PaymentStatus
from chalicelib.payments.domain import Provider as Via
from chalicelib.payments.refund_domain import RefundStatus
from chalicelib.payments.refund_tables import RefundTable
from chalicelib.payments.tables import PaymentTable, find
from chalicelib.stock import service as stock
from infra.local.environment import ACCOUNT, REGION
from tests.factories.faults import frozen_clock
from tests.factories.orders import BOWL_TOTAL
from tests.factories.payments import an_event
from tests.factories.shop_promises import (
    all_orders,
    check_at_rest,
    check_shop,
    due_left,
    is_at_rest,
    state_of_shop,
    statuses,
    stored,
)

__all__ = [
    "all_orders",
    "check_at_rest",
    "check_shop",
    "due_left",
    "state_of_shop",
    "statuses",
]
FIFTEEN_MINUTES = 15 * 60 + 1
TWELVE_DAYS = 12 * 24 * 3600  # longer than any time limit, that of evidence included
SWEEPS_TO_REST = 3
A_DAY = datetime(2031, 3, 14, 10, tzinfo=UTC)


@pytest.fixture
def one_due_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    """One shard of the due index instead of eight: a sweep asks once, so more happens between."""
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)


@pytest.fixture
def frozen() -> Iterator[None]:
    """Time moves only by `clock.advance`: the same steps lead to the very same state."""
    with frozen_clock(A_DAY):
        yield


def snapshot() -> Callable[[], None]:
    """Keep what is in moto's tables, and the time; what it returns puts both back."""
    began = clock.now()
    tables = dynamodb_backends[ACCOUNT][REGION].tables
    kept = {name: copy.deepcopy(table.items) for name, table in tables.items() if table.items}

    def again() -> None:
        clock.reset()
        clock.advance(max(0, round((began - clock.now()).total_seconds())))
        for name, table in tables.items():
            table.items.clear()
            if name in kept:
                table.items.update(copy.deepcopy(kept[name]))
            if table.stream_shard is not None:
                table.stream_shard.items.clear()

    return again


def buy(request: OrderRequest, method: Method = Method.CARD) -> checkout.Placed:
    return checkout.place_order(request, method)


def payment_id_of(order_id: str, number: int = 1) -> str:
    return ids.child_id("pay", order_id, number)


def the_payment(payment_id: str) -> Payment:
    found = find(payment_id)
    assert found is not None
    return found


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
    told_callback(Via.WALLET, payment_id, trans, minor, **changes)


def told_callback(
    provider: Via, reference: str, trans: str, minor: int | None = BOWL_TOTAL, **changes: Any
) -> None:
    """A callback of a provider that is told no decision: kept, and taken from its queue."""
    event = an_event(
        key=f"{provider}#{reference}#{trans}",
        provider=provider,
        reference=reference,
        provider_reference=trans,
        amount=None if minor is None else Money(minor),
        **changes,
    )
    service.receive_callback(event, b"raw")
    inquiries.take_callback(event.key)


def sweep() -> None:
    """Every sweep of these features, once."""
    expiry.expire_overdue_orders()
    inquiries.ask_due()
    service.apply_due_callbacks()
    refunds.send_due_refunds()
    disputes.mark_overdue()
    holds.sweep_order_stock()
    stock.sweep_expired_holds()


def redeliver() -> None:
    """What waits in a queue comes again; CMI's callbacks are repeated by CMI."""
    for row in stored(CallbackTable):
        if row.status != EventStatus.RECEIVED:
            continue
        event = callback_tables.event_from(row)
        if event.provider is Via.CMI and not event.is_taken:
            service.decide_cmi(event, b"raw", settings().cmi_client_id)
        else:
            inquiries.take_callback(row.event_key)
    for row in stored(PaymentTable):
        if row.provider == Via.MASTERCARD and row.status == PaymentStatus.CAPTURE_REQUESTED:
            inquiries.capture(row.payment_id)
        if row.status == PaymentStatus.AUTHORIZED:
            inquiries.void(row.payment_id)
    for row in stored(RefundTable):
        if row.status == RefundStatus.APPROVED:
            refunds.send_refund(row.refund_id)


def come_to_rest() -> None:
    """At most three sweeps, after every time limit has passed."""
    for _ in range(SWEEPS_TO_REST):
        clock.advance(TWELVE_DAYS)
        sweep()
        if is_at_rest():
            return
