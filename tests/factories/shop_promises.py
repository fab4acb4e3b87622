"""What must hold of the shop: at every moment, and once everything has come to rest.

It reads the tables as they are and shares no rule with the code that it checks.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from chalicelib import clock
from chalicelib.orders import tables as order_tables
from chalicelib.orders.buyer_tables import BuyerTable
from chalicelib.orders.domain import Order, OrderState, Parcel, ParcelStatus
from chalicelib.orders.return_domain import Return, ReturnStatus
from chalicelib.orders.return_tables import RETURN, return_from
from chalicelib.orders.tables import OrderTable
from chalicelib.payments import dispute_tables, refund_tables
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.callback_tables import CallbackTable
from chalicelib.payments.dispute_domain import Dispute, DisputeStatus
from chalicelib.payments.dispute_tables import DisputeTable
from chalicelib.payments.domain import PAID, EventKind, EventStatus, Payment, PaymentStatus, Portion
from chalicelib.payments.refund_domain import Refund, RefundKind, RefundStatus
from chalicelib.payments.refund_tables import RefundTable
from chalicelib.payments.tables import PaymentTable
from chalicelib.stock.domain import Stock
from chalicelib.stock.tables import StockTable
from infra.local.environment import ACCOUNT, REGION
from infra.local.moto_fixes import moto_lock
from tests.factories.stock import check_all_conserved

DUE_TABLES = (OrderTable, StockTable, PaymentTable, RefundTable, CallbackTable, DisputeTable)
SEALED = "raw_body"  # sealed another way each time, and never read
AT_REST = frozenset({RefundStatus.PAID, RefundStatus.MANUAL, RefundStatus.FAILED})


@dataclass(frozen=True)
class Shop:
    """All that is stored of orders and payments, as it is now."""

    orders: dict[str, Order]
    returns: list[Return]
    payments: dict[str, Payment]
    refunds: list[Refund]
    disputes: list[Dispute]

    @classmethod
    def now(cls) -> "Shop":
        rows: dict[str, list[Any]] = defaultdict(list)
        for row in sorted(stored(OrderTable), key=lambda row: (row.order_id, row.part)):
            rows[row.order_id].append(row)
        return cls(
            orders={name: order_tables.order_from(own) for name, own in rows.items()},
            returns=[
                return_from(row) for own in rows.values() for row in own
                if row.part.startswith(RETURN)
            ],
            payments={
                row.payment_id: payment_tables.payment_from(row) for row in stored(PaymentTable)
            },
            refunds=[refund_tables.refund_from(row) for row in stored(RefundTable)],
            disputes=[dispute_tables.dispute_from(row) for row in stored(DisputeTable)],
        )  # fmt: skip

    @cached_property
    def payments_of(self) -> dict[str, list[Payment]]:
        found: dict[str, list[Payment]] = defaultdict(list)
        for payment in self.payments.values():
            found[payment.order_id].append(payment)
        return found

    def refunds_of(self, payment: Payment) -> list[Refund]:
        """Those that take a part of their payment; receipts of other money are none."""
        return [
            refund for refund in self.refunds
            if refund.payment_id == payment.payment_id and refund.kind is RefundKind.REFUND
        ]  # fmt: skip


def stored(table: Any) -> list[Any]:
    """Every row of a table: only tests look at all of them. On moto, without the way there."""
    if "AWS_ENDPOINT_URL_DYNAMODB" in os.environ:
        return list(table.scan())
    with moto_lock:
        items = dynamodb_backends[ACCOUNT][REGION].tables[table.Meta.table_name].all_items()
        raw = [item.to_json()["Attributes"] for item in items]
    return [table.from_raw_data(attributes) for attributes in raw]


def all_orders() -> list[Order]:
    return list(Shop.now().orders.values())


def due_left(table: Any) -> list[Any]:
    return [row for row in stored(table) if row.due_shard]


def is_at_rest() -> bool:
    """Whether nothing is due any more, but what is held for an operator."""
    return not any(_is_to_be_done(row) for table in DUE_TABLES for row in due_left(table))


def _is_to_be_done(row: Any) -> bool:
    # The provider has not taken it: an operator looks at it, and it is asked about until it has.
    is_held = (
        isinstance(row, PaymentTable)
        and row.status == PaymentStatus.CAPTURE_REQUESTED
        and row.review
    )
    return not is_held


def check_shop() -> dict[str, Stock]:
    """What holds at every moment: of the stock, and of orders and their payments."""
    found, shop = check_all_conserved(), Shop.now()
    for order in shop.orders.values():
        _check_order(order, shop.payments_of[order.order_id])
    orders_paid_for = {payment.order_id for payment in shop.payments.values()}
    assert orders_paid_for <= set(shop.orders), "a payment without an order"
    for payment in shop.payments.values():
        _check_payment(payment, shop)
    for refund in shop.refunds:
        _check_refund(refund, shop)
    _check_open_orders(shop.orders.values())
    return found


def _check_order(order: Order, own: Sequence[Payment]) -> None:
    assert len(own) == order.payment_count, "an order and its payments belong together"
    taken = [payment for payment in own if payment.status in PAID]
    is_paid = order.state is OrderState.PAID
    assert [p.payment_id for p in taken] == ([order.paid_by] if is_paid else []), order.state
    for payment in own:
        parts = [share.goods_minor + share.shipping_minor for share in payment.shares]
        assert sum(parts) == payment.amount.amount_minor == order.total.amount_minor
    assert order.refunded_minor == sum(payment.refunded_minor for payment in taken)
    called_off = {ParcelStatus.CANCELLED, ParcelStatus.RETURNED}
    if not is_paid:
        assert not any(parcel.status in called_off for parcel in order.parcels)


def _check_payment(payment: Payment, shop: Shop) -> None:
    """P2: what is taken back of it are its refunds and disputes, and never more than it was."""
    refunds = shop.refunds_of(payment)
    live = [refund for refund in refunds if refund.status is not RefundStatus.FAILED]
    own = [each for each in shop.disputes if each.payment_id == payment.payment_id]
    disputed = [dispute for dispute in own if dispute.status is not DisputeStatus.WON]
    assert _by_parcel(payment.taken_back) == _by_parcel(
        portion for each in (*live, *disputed) for portion in each.portions
    ), "what is taken back is what refunds and disputes have reserved"
    back = _by_parcel(payment.taken_back)
    for share in payment.shares:
        goods, shipping = back.pop(share.parcel_id, (0, 0))
        assert 0 <= goods <= share.goods_minor
        assert 0 <= shipping <= share.shipping_minor
    assert back == {}, "a refund of a parcel that it did not pay"
    lines: Counter[str] = Counter()
    for refund in live:
        lines.update(refund.lines)
    assert dict(payment.returned_lines) == dict(lines)
    _check_status(payment, refunds, own)


def _check_status(payment: Payment, refunds: list[Refund], own: list[Dispute]) -> None:
    given = [refund.amount.amount_minor for refund in refunds if refund.status is RefundStatus.PAID]
    assert payment.refunded_minor == sum(given) <= payment.amount.amount_minor
    if refunds or own:
        assert payment.status in PAID, "money that was not taken is on its way back"
    if payment.status in (PaymentStatus.CAPTURED, PaymentStatus.CAPTURE_REQUESTED):
        assert payment.refunded_minor == 0
    if payment.status is PaymentStatus.PARTIALLY_REFUNDED:
        assert 0 < payment.refunded_minor < payment.amount.amount_minor
    if payment.status is PaymentStatus.REFUNDED:
        assert payment.refunded_minor == payment.amount.amount_minor
    undecided = [each for each in own if each.decided_at is None]
    is_disputed = payment.status is PaymentStatus.DISPUTED
    assert [d.dispute_id for d in undecided] == ([payment.dispute_id] if is_disputed else [])
    is_lost = payment.status is PaymentStatus.CHARGED_BACK
    assert is_lost == any(each.status is DisputeStatus.LOST for each in own)


def _check_refund(refund: Refund, shop: Shop) -> None:
    payment = shop.payments[refund.payment_id]
    assert refund.order_id == payment.order_id
    portions = sum(portion.total_minor for portion in refund.portions)
    if refund.kind is RefundKind.REFUND:
        assert portions == refund.amount.amount_minor > 0, "its portions add up to it"
        assert refund.receipt == (payment.provider_reference or "")
    else:
        assert portions == 0, "money that fits nothing takes nothing from an artisan"
        is_its_own = refund.receipt == payment.provider_reference and payment.status in PAID
        assert not is_its_own or refund.amount != payment.amount, "what pays an order goes back"


def _by_parcel(portions: Iterable[Portion]) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for portion in portions:
        goods, shipping = sums.get(portion.parcel_id, (0, 0))
        sums[portion.parcel_id] = (goods + portion.goods_minor, shipping + portion.shipping_minor)
    return sums


def _check_open_orders(orders: Iterable[Order]) -> None:
    waiting: dict[str, set[str]] = defaultdict(set)
    for order in orders:
        if order.state is OrderState.AWAITING_PAYMENT and order.buyer_key:
            waiting[order.buyer_key].add(order.order_id)
    counted = {row.buyer_key: set(row.open_orders or ()) for row in stored(BuyerTable)}
    assert {key: names for key, names in counted.items() if names} == dict(waiting)


def check_at_rest() -> dict[str, Stock]:
    """What holds once everything has come to rest: sold is what paid orders bought, no more."""
    found, shop = check_shop(), Shop.now()
    assert is_at_rest(), "something is still to be done"
    _check_pieces(found, shop)
    for order in shop.orders.values():
        assert order.state is not OrderState.AWAITING_PAYMENT
    for payment in shop.payments.values():
        _check_settled(payment)
    for refund in shop.refunds:
        assert refund.status in AT_REST, refund.status
    for row in stored(CallbackTable):
        assert row.status != EventStatus.RECEIVED, "a callback was kept and never applied"
    _check_called_off(shop)
    return found


def _check_pieces(found: dict[str, Stock], shop: Shop) -> None:
    """Sold is what paid orders bought and did not call off; what an artisan has not is gone."""
    sold: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for order in shop.orders.values():
        if order.state is not OrderState.PAID:
            continue
        parcels = {parcel.artisan_id: parcel for parcel in order.parcels}
        for line in order.from_stock():
            parcel = parcels[line.artisan_id]
            if parcel.status is not ParcelStatus.CANCELLED:
                sold[line.line_id] += line.quantity
            elif parcel.decline_reason:
                gone[line.line_id] += line.quantity
    assert _pieces(found, "sold") == +sold
    assert _pieces(found, "written_off") == +gone
    assert all(not item.holds for item in found.values()), "a hold or a marker was left behind"


def _pieces(found: dict[str, Stock], name: str) -> Counter[str]:
    sums: Counter[str] = Counter()
    for item in found.values():
        sums[item.stock_id.partition("#")[0]] += getattr(item, name)
    return +sums


def _check_settled(payment: Payment) -> None:
    """P2: taken, given back, or held with a reason; or never taken."""
    assert payment.status is not PaymentStatus.PENDING, "a payment that leads nowhere is open"
    assert payment.status is not PaymentStatus.AUTHORIZED, "money is reserved and forgotten"
    if payment.status is PaymentStatus.CAPTURE_REQUESTED:
        assert payment.review, "it was never captured, and nobody is told"
    if payment.review:
        assert payment.review_reason


def _check_called_off(shop: Shop) -> None:
    """What will not be sent, and what came back, was refunded, unless the provider refused."""
    for order in shop.orders.values():
        for parcel in order.parcels:
            assert parcel.restock is None, "nobody has sorted out the pieces"
            if parcel.status is ParcelStatus.CANCELLED:
                assert order.paid_by is not None
                payment = shop.payments[order.paid_by]
                is_refused = any(r.status is RefundStatus.FAILED for r in shop.refunds_of(payment))
                assert is_refused or _is_all_back(payment, parcel)
    for asked in shop.returns:
        if asked.status is ReturnStatus.RECEIVED:
            payment = shop.payments[str(shop.orders[asked.order_id].paid_by)]
            for line_id, quantity in asked.lines.items():
                assert payment.returned_lines.get(line_id, 0) >= quantity or any(
                    refund.status is RefundStatus.FAILED for refund in shop.refunds_of(payment)
                )


def _is_all_back(payment: Payment, parcel: Parcel) -> bool:
    return _by_parcel(payment.taken_back).get(parcel.parcel_id, (0, 0)) == (
        parcel.goods_minor,
        parcel.shipping_minor,
    )


def statuses() -> dict[str, Any]:
    """The states things ended in, to compare two ways of getting there."""
    shop = Shop.now()
    return {
        "orders": {
            order.order_id: (order.state, order.refunded_minor) for order in shop.orders.values()
        },
        "parcels": {
            parcel.parcel_id: parcel.status
            for order in shop.orders.values()
            for parcel in order.parcels
        },
        "returns": {asked.return_id: asked.status for asked in shop.returns},
        "payments": {
            payment.payment_id: (payment.status, payment.review, payment.refunded_minor)
            for payment in shop.payments.values()
        },
        "refunds": {
            refund.refund_id: (refund.kind, refund.status, refund.attempt, refund.amount)
            for refund in shop.refunds
        },
        "disputes": {each.dispute_id: (each.status, each.overdue) for each in shop.disputes},
        "callbacks": {
            row.event_key: (row.status == EventStatus.PARKED, row.answer)
            for row in stored(CallbackTable)
            if not _is_our_own_affair(row)
        },
        "stock": {
            name: (item.available, item.held, item.sold, item.written_off)
            for name, item in check_all_conserved().items()
        },
    }


def _is_our_own_affair(row: CallbackTable) -> bool:
    """When and how often we asked, and because of which notification."""
    return row.event_key.startswith("asked#") or row.kind == EventKind.NOTIFIED


def state_of_shop() -> str:
    """All that is stored, and the time: what follows of the same state is the same."""
    tables = dynamodb_backends[ACCOUNT][REGION].tables
    stored_now = [
        repr({name: kept for name, kept in item.to_json()["Attributes"].items() if name != SEALED})
        for name in sorted(tables)
        for item in tables[name].all_items()
    ]
    return "\n".join([clock.to_text(clock.now()), *stored_now])
