"""The orders table: an order and its parcels share a partition, so one query reads them all."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from chalicelib import clock, ids
from chalicelib.edge.storage import (
    Table,
    due_index,
    due_shard_of,
    is_condition_failure,
    meta,
    newest_first,
    sweep_due,
)
from chalicelib.orders import buyer_tables
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
from chalicelib.terms.sale_domain import line_terms_from

ORDER = "order"
PARCEL = "parcel#"
# What the due index asks for, in an order's life: it expires unless it is paid; once it will not
# be paid its stock goes back; once it is paid the markers of its sale are tidied away. When parcels
# of a paid order will not be sent, their pieces are sorted out first.
DUE_EXPIRY = "order_expiry"
DUE_RELEASE = "stock_release"
DUE_RESTOCK = "stock_restock"
DUE_FORGET = "stock_forget"
RECENT = "recent_order"
MARKERS_KEPT = timedelta(minutes=10)  # longer than any claim can be under way


class ByArtisan(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_artisan"
        projection = AllProjection()

    shelf = UnicodeAttribute(hash_key=True)
    shelf_at = UnicodeAttribute(range_key=True)


class Recent(GlobalSecondaryIndex[Any]):
    """Orders by when they were placed, in 8 shards: for operators."""

    class Meta:
        index_name = "recent"
        projection = KeysOnlyProjection()

    recent_shard = UnicodeAttribute(hash_key=True)
    recent_at = UnicodeAttribute(range_key=True)


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
    withheld = BooleanAttribute(null=True)
    carrier = UnicodeAttribute(null=True)
    tracking = UnicodeAttribute(null=True)
    shipped_at = UnicodeAttribute(null=True)
    delivered_at = UnicodeAttribute(null=True)
    decline_reason = UnicodeAttribute(null=True)
    restock = UnicodeAttribute(null=True)
    return_status = UnicodeAttribute(null=True)
    shelf = UnicodeAttribute(null=True)
    shelf_at = UnicodeAttribute(null=True)

    placed_at = UnicodeAttribute()
    refunded_minor = NumberAttribute(null=True)
    buyer_key = UnicodeAttribute(null=True)
    return_count = NumberAttribute(null=True)
    recent_shard = UnicodeAttribute(null=True)
    recent_at = UnicodeAttribute(null=True)
    by_artisan = ByArtisan()
    recent = Recent()
    due = due_index(keys_only=True)


def find(order_id: str) -> Order | None:
    """An order with its parcels: one consistent query."""
    rows = list(OrderTable.query(order_id, consistent_read=True))
    return order_from(rows) if rows else None


def recent_page(limit: int, before: str | None) -> tuple[list[Order], str | None]:
    """Orders, the newest first, and where to go on: two batch reads, one of the parcels."""
    rows, last = newest_first(OrderTable.recent, RECENT, "recent_at", limit, before)
    order_ids = [row.order_id for row in rows]
    found = find_without_parcels(order_ids)
    keys = [(name, part) for name, order in found.items() for part in _parts_of(order)]
    parcels: dict[str, list[Parcel]] = {}
    for row in OrderTable.batch_get(keys, consistent_read=True):
        parcels.setdefault(row.order_id, []).append(parcel_from(row))
    whole = {
        name: replace(order, parcels=tuple(parcels.get(name, ()))) for name, order in found.items()
    }
    return [whole[name] for name in order_ids if name in whole], last


def _parts_of(order: Order) -> list[str]:
    """The keys of an order's parcels: one for each artisan of its lines."""
    count = len({line.artisan_id for line in order.lines})
    return [part_of(ids.child_id("prc", order.order_id, n)) for n in range(1, count + 1)]


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
            buyer_key=order.buyer_key or None,
            recent_shard=due_shard_of(RECENT, order.order_id),
            recent_at=f"{clock.to_text(order.placed_at)}#{order.order_id}",
        ),
        condition=OrderTable.order_id.does_not_exist(),
    )
    for parcel in order.parcels:
        transaction.save(_parcel_row(parcel))


def _parcel_row(parcel: Parcel) -> OrderTable:
    return OrderTable(
        parcel.order_id,
        part_of(parcel.parcel_id),
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
        actions = [
            table.paid_at.set(at),
            table.shelf.set(parcel.artisan_id),
            table.shelf_at.set(f"{at}#{parcel.parcel_id}"),
        ]
        if order.in_person:  # Handed over across the counter.
            actions += [
                table.parcel_status.set(ParcelStatus.DELIVERED),
                table.delivered_at.set(at),
            ]
        transaction.update(table(order.order_id, part_of(parcel.parcel_id)), actions=actions)
    buyer_tables.add_closed_order(transaction, order.buyer_key, order.order_id)


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
    buyer_tables.add_closed_order(transaction, order.buyer_key, order.order_id)


def postpone_expiry(order: Order, until: datetime) -> None:
    """Look at an overdue order again later: its provider does not say whether it was paid."""
    _update_if(
        order.order_id,
        [OrderTable.due_at.set(clock.to_text(until))],
        (OrderTable.state == OrderState.AWAITING_PAYMENT)
        & (OrderTable.due_at <= clock.to_text(until)),
    )


def add_refunded(transaction: TransactWrite, order_id: str, amount_minor: int) -> None:
    """Note on the order what the provider has given back."""
    transaction.update(
        OrderTable(order_id, ORDER), actions=[OrderTable.refunded_minor.add(amount_minor)]
    )


def want_release(order: Order, at: datetime) -> None:
    """Have a closed order's stock looked at once more; an open one's is when it closes."""
    _update_if(
        order.order_id,
        [
            OrderTable.due_shard.set(due_shard_of(DUE_RELEASE, order.order_id)),
            OrderTable.due_at.set(clock.to_text(at)),
        ],
        OrderTable.state.is_in(OrderState.EXPIRED, OrderState.CANCELLED),
    )


def _update_if(order_id: str, actions: list[Action], condition: Condition) -> None:
    """Change an order's own row, unless the condition fails: then it is as it should be."""
    try:
        OrderTable(order_id, ORDER).update(actions=actions, condition=condition)
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
    _update_if(
        order.order_id,
        [OrderTable.due_shard.remove(), OrderTable.due_at.remove()],
        (OrderTable.due_shard == due_shard_of(kind, order.order_id))
        & (OrderTable.due_at == clock.to_text(order.due_at)),
    )


def part_of(parcel_id: str) -> str:
    return f"{PARCEL}{parcel_id}"


def _content(order: Order) -> dict[str, Any]:
    return {
        "buyer": asdict(order.buyer),
        "ship_to": asdict(order.ship_to),
        "lines": [asdict(line) for line in order.lines],
        "terms": asdict(order.terms),
        "currency": order.currency,
        "in_person": order.in_person,
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
        lines=tuple(_line_from(line) for line in content["lines"]),
        parcels=tuple(parcel_from(part) for part in rows if part.part.startswith(PARCEL)),
        terms=Terms(**content["terms"]),
        placed_at=clock.from_text(row.placed_at),
        expires_at=clock.from_text(str(row.expires_at)),
        payment_count=int(row.payment_count or 1),
        paid_at=clock.from_text(row.paid_at) if row.paid_at else None,
        paid_by=row.paid_by,
        currency=content["currency"],
        due_at=clock.from_text(row.due_at) if row.due_at else None,
        refunded_minor=int(row.refunded_minor or 0),
        in_person=content.get("in_person", False),
        buyer_key=row.buyer_key or "",
        return_count=int(row.return_count or 0),
    )


def _line_from(content: dict[str, Any]) -> OrderLine:
    terms = content.get("terms")
    return OrderLine(**{**content, "terms": line_terms_from(terms) if terms else None})


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
        decline_reason=row.decline_reason,
        restock=row.restock,
        withheld=bool(row.withheld),
        goods_minor=content["goods_minor"],
        shipping_minor=content["shipping_minor"],
        weight_grams=content["weight_grams"],
        days=(content["days"][0], content["days"][1]),
        customs=content["customs"],
    )
