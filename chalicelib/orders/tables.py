"""The orders table: an order and its parcels share a partition, so one query reads them all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import (
    Table,
    due_index,
    due_shard_of,
    is_condition_failure,
    meta,
    sweep_due,
)
from chalicelib.orders.domain import (
    Address,
    Buyer,
    Order,
    OrderLine,
    OrderState,
    Parcel,
    ParcelStatus,
    Terms,
)

ORDER = "order"
# What the due index asks for, in an order's life: it expires unless it is paid; once it will not
# be paid its stock goes back; once it is paid the markers of its sale are tidied away.
DUE_EXPIRY = "order_expiry"
DUE_RELEASE = "stock_release"
DUE_FORGET = "stock_forget"
MARKERS_KEPT = timedelta(minutes=10)  # longer than any claim can be under way


class ByArtisan(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_artisan"
        projection = AllProjection()

    shelf = UnicodeAttribute(hash_key=True)
    shelf_at = UnicodeAttribute(range_key=True)


class OrderTable(Table):
    """Rows of two kinds: sort key `order`, and `parcel#…`; `shelf` is set once a parcel is paid."""

    Meta: Any = meta("orders", stream=True)
    order_id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)

    state = UnicodeAttribute(null=True)
    fingerprint = UnicodeAttribute(null=True)
    content = JSONAttribute(null=True)
    payment_count = NumberAttribute(null=True)
    expires_at = UnicodeAttribute(null=True)
    paid_at = UnicodeAttribute(null=True)
    paid_by = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)

    artisan_id = UnicodeAttribute(null=True)
    parcel_id = UnicodeAttribute(null=True)
    parcel_status = UnicodeAttribute(null=True)
    carrier = UnicodeAttribute(null=True)
    tracking = UnicodeAttribute(null=True)
    shipped_at = UnicodeAttribute(null=True)
    delivered_at = UnicodeAttribute(null=True)
    shelf = UnicodeAttribute(null=True)
    shelf_at = UnicodeAttribute(null=True)

    placed_at = UnicodeAttribute()
    by_artisan = ByArtisan()
    due = due_index(keys_only=True)


def find(order_id: str) -> Order | None:
    """An order with its parcels: one consistent query."""
    rows = list(OrderTable.query(order_id, consistent_read=True))
    return order_from(rows) if rows else None


def find_without_parcels(order_ids: Sequence[str]) -> dict[str, Order]:
    """Up to 100 orders by id, for whoever has the parcels already: one batch read."""
    keys = [(order_id, ORDER) for order_id in dict.fromkeys(order_ids)]
    rows = OrderTable.batch_get(keys, consistent_read=True)
    return {row.order_id: order_from([row]) for row in rows}


def add_order(transaction: TransactWrite, order: Order) -> None:
    """Put an order and its parcels into a transaction; the order's own put is conditional."""
    transaction.save(
        OrderTable(
            order.order_id,
            ORDER,
            state=order.state,
            fingerprint=order.fingerprint,
            content=_content(order),
            payment_count=order.payment_count,
            expires_at=clock.to_text(order.expires_at),
            placed_at=clock.to_text(order.placed_at),
            due_shard=due_shard_of(DUE_EXPIRY, order.order_id),
            due_at=clock.to_text(order.expires_at),
        ),
        condition=OrderTable.order_id.does_not_exist(),
    )
    for parcel in order.parcels:
        transaction.save(_parcel_row(parcel))


def _parcel_row(parcel: Parcel) -> OrderTable:
    return OrderTable(
        parcel.order_id,
        _part_of(parcel.parcel_id),
        artisan_id=parcel.artisan_id,
        parcel_id=parcel.parcel_id,
        parcel_status=parcel.status,
        placed_at=clock.to_text(parcel.placed_at),
        content={
            "goods_minor": parcel.goods_minor,
            "shipping_minor": parcel.shipping_minor,
            "weight_grams": parcel.weight_grams,
            "days": list(parcel.days),
            "customs": parcel.customs,
        },
    )


def add_paid(transaction: TransactWrite, order: Order, payment_id: str, now: datetime) -> None:
    """Make an order paid and show its parcels to their artisans, in one transaction.

    Refused when it was tried to be paid another way meanwhile: that payment must be closed too.
    """
    table = OrderTable
    at = clock.to_text(now)
    transaction.update(
        table(order.order_id, ORDER),
        actions=[
            table.state.set(OrderState.PAID),
            table.paid_at.set(at),
            table.paid_by.set(payment_id),
            table.due_shard.set(due_shard_of(DUE_FORGET, order.order_id)),
            table.due_at.set(clock.to_text(now + MARKERS_KEPT)),
        ],
        condition=table.state.is_in(OrderState.AWAITING_PAYMENT, OrderState.EXPIRED)
        & (table.payment_count == order.payment_count),
    )
    for parcel in order.parcels:
        transaction.update(
            table(order.order_id, _part_of(parcel.parcel_id)),
            actions=[
                table.paid_at.set(at),
                table.shelf.set(parcel.artisan_id),
                table.shelf_at.set(f"{at}#{parcel.parcel_id}"),
            ],
        )


def add_closed(transaction: TransactWrite, order: Order, to: OrderState, now: datetime) -> None:
    """Close an unpaid order; its stock goes back next. Refused when it is being paid anew."""
    table = OrderTable
    transaction.update(
        table(order.order_id, ORDER),
        actions=[
            table.state.set(to),
            table.due_shard.set(due_shard_of(DUE_RELEASE, order.order_id)),
            table.due_at.set(clock.to_text(now)),
        ],
        condition=(table.state == OrderState.AWAITING_PAYMENT)
        & (table.payment_count == order.payment_count),
    )


def want_release(order: Order, at: datetime) -> None:
    """Have a closed order's stock looked at once more; an open one's is when it closes."""
    table = OrderTable
    try:
        table(order.order_id, ORDER).update(
            actions=[
                table.due_shard.set(due_shard_of(DUE_RELEASE, order.order_id)),
                table.due_at.set(clock.to_text(at)),
            ],
            condition=table.state.is_in(OrderState.EXPIRED, OrderState.CANCELLED),
        )
    except UpdateError as error:
        if not is_condition_failure(error):
            raise


def add_payment_count(transaction: TransactWrite, order: Order, expires_at: datetime) -> None:
    """Count one more payment of an order that still awaits one, and give it more time."""
    table = OrderTable
    until = clock.to_text(max(expires_at, order.expires_at))
    transaction.update(
        table(order.order_id, ORDER),
        actions=[
            table.payment_count.set(order.payment_count + 1),
            table.expires_at.set(until),
            table.due_at.set(until),
        ],
        condition=(table.state == OrderState.AWAITING_PAYMENT)
        & (table.payment_count == order.payment_count),
    )


def due_order_ids(kind: str) -> Iterator[str]:
    """Orders for which it is time, as the index knows it: look at the order before acting."""
    return (row.order_id for row in sweep_due(OrderTable.due, kind))


def clear_due(order: Order, kind: str) -> None:
    """What was due of this order, as it was read, is done; unless more has become due meanwhile."""
    if order.due_at is None:
        return
    table = OrderTable
    try:
        table(order.order_id, ORDER).update(
            actions=[table.due_shard.remove(), table.due_at.remove()],
            condition=(table.due_shard == due_shard_of(kind, order.order_id))
            & (table.due_at == clock.to_text(order.due_at)),
        )
    except UpdateError as error:
        if not is_condition_failure(error):
            raise


def find_parcel(order_id: str, parcel_id: str) -> tuple[Parcel, bool] | None:
    """A parcel and whether it is paid; None when there is none."""
    try:
        row = OrderTable.get(order_id, _part_of(parcel_id), consistent_read=True)
    except OrderTable.DoesNotExist:
        return None
    return parcel_from(row), row.shelf is not None


def keep_parcel(parcel: Parcel, was: ParcelStatus) -> bool:
    """Write a parcel's new status; False when it is no longer what it was."""
    table = OrderTable
    actions = [table.parcel_status.set(parcel.status)]
    for name, value in {
        "carrier": parcel.carrier,
        "tracking": parcel.tracking,
        "shipped_at": parcel.shipped_at and clock.to_text(parcel.shipped_at),
        "delivered_at": parcel.delivered_at and clock.to_text(parcel.delivered_at),
    }.items():
        if value:
            actions.append(getattr(table, name).set(value))
    try:
        table(parcel.order_id, _part_of(parcel.parcel_id)).update(
            actions=actions,
            condition=(table.parcel_status == was) & (table.artisan_id == parcel.artisan_id),
        )
    except UpdateError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def paid_parcels(
    artisan_id: str, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[Parcel], Any]:
    """An artisan's paid parcels, the newest first, and the key to go on from."""
    page = OrderTable.by_artisan.query(
        artisan_id, limit=limit, last_evaluated_key=start, scan_index_forward=False
    )
    parcels = [parcel_from(row) for row in page]
    return parcels, page.last_evaluated_key


def _part_of(parcel_id: str) -> str:
    return f"parcel#{parcel_id}"


def _content(order: Order) -> dict[str, Any]:
    return {
        "buyer": asdict(order.buyer),
        "ship_to": asdict(order.ship_to),
        "lines": [asdict(line) for line in order.lines],
        "terms": asdict(order.terms),
        "currency": order.currency,
    }


def order_from(rows: Sequence[OrderTable]) -> Order:
    row = next(row for row in rows if row.part == ORDER)
    content: Any = row.content
    return Order(
        order_id=row.order_id,
        state=OrderState(str(row.state)),
        fingerprint=str(row.fingerprint),
        buyer=Buyer(**content["buyer"]),
        ship_to=Address(**content["ship_to"]),
        lines=tuple(OrderLine(**line) for line in content["lines"]),
        parcels=tuple(parcel_from(part) for part in rows if part.part != ORDER),
        terms=Terms(**content["terms"]),
        placed_at=clock.from_text(row.placed_at),
        expires_at=clock.from_text(str(row.expires_at)),
        payment_count=int(row.payment_count or 1),
        paid_at=clock.from_text(row.paid_at) if row.paid_at else None,
        paid_by=row.paid_by,
        currency=content["currency"],
        due_at=clock.from_text(row.due_at) if row.due_at else None,
    )


def parcel_from(row: OrderTable) -> Parcel:
    content: Any = row.content
    return Parcel(
        parcel_id=str(row.parcel_id),
        order_id=row.order_id,
        artisan_id=str(row.artisan_id),
        status=ParcelStatus(str(row.parcel_status)),
        placed_at=clock.from_text(row.placed_at),
        carrier=row.carrier,
        tracking=row.tracking,
        shipped_at=clock.from_text(row.shipped_at) if row.shipped_at else None,
        delivered_at=clock.from_text(row.delivered_at) if row.delivered_at else None,
        goods_minor=content["goods_minor"],
        shipping_minor=content["shipping_minor"],
        weight_grams=content["weight_grams"],
        days=(content["days"][0], content["days"][1]),
        customs=content["customs"],
    )
