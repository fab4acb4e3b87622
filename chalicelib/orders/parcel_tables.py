"""The parcels of the orders table: moved one at a time, or cancelled with their refund."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.exceptions import UpdateError
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import due_shard_of, is_condition_failure, try_commit
from chalicelib.orders.domain import Order, OrderState, Parcel, ParcelStatus
from chalicelib.orders.tables import (
    DUE_FORGET,
    DUE_RESTOCK,
    MARKERS_KEPT,
    ORDER,
    OrderTable,
    parcel_from,
    part_of,
)


def add_cancelled_parcels(
    transaction: TransactWrite,
    order: Order,
    parcels: Sequence[Parcel],
    now: datetime,
    refunded_minor: int = 0,
) -> None:
    """Cancel parcels of a paid order, as they are given; refused when one was sent meanwhile.

    Their pieces are sorted out next. `refunded_minor` is what has gone back for them already.
    """
    table = OrderTable
    for parcel in parcels:
        actions = [table.parcel_status.set(ParcelStatus.CANCELLED)]
        if parcel.restock:
            actions.append(table.restock.set(parcel.restock))
        if parcel.decline_reason:
            actions.append(table.decline_reason.set(parcel.decline_reason))
        transaction.update(
            table(order.order_id, part_of(parcel.parcel_id)),
            actions=actions,
            condition=table.parcel_status.is_in(ParcelStatus.WAITING, ParcelStatus.PREPARING),
        )
    actions = [
        table.due_shard.set(due_shard_of(DUE_RESTOCK, order.order_id)),
        table.due_at.set(clock.to_text(now)),
    ]
    if refunded_minor:
        actions.append(table.refunded_minor.add(refunded_minor))
    transaction.update(
        table(order.order_id, ORDER), actions=actions, condition=table.state == OrderState.PAID
    )


def want_restock(order: Order, now: datetime) -> None:
    """Have the pieces of cancelled parcels looked at, instead of what was due of the order."""
    table = OrderTable
    try_commit(
        lambda transaction: transaction.update(
            table(order.order_id, ORDER),
            actions=[
                table.due_shard.set(due_shard_of(DUE_RESTOCK, order.order_id)),
                table.due_at.set(clock.to_text(now)),
            ],
            condition=table.state == OrderState.PAID,
        )
    )


def note_restocked(order: Order, parcels: Sequence[Parcel], now: datetime) -> None:
    """The pieces of these parcels are sorted out; the markers of that are tidied away later.

    Nothing is noted when more parcels were cancelled meanwhile: the sweep looks again.
    """
    assert order.due_at is not None
    table = OrderTable
    was_due = clock.to_text(order.due_at)

    def write(transaction: TransactWrite) -> None:
        for parcel in parcels:
            transaction.update(
                table(order.order_id, part_of(parcel.parcel_id)), actions=[table.restock.remove()]
            )
        transaction.update(
            table(order.order_id, ORDER),
            actions=[
                table.due_shard.set(due_shard_of(DUE_FORGET, order.order_id)),
                table.due_at.set(clock.to_text(now + MARKERS_KEPT)),
            ],
            condition=(table.due_shard == due_shard_of(DUE_RESTOCK, order.order_id))
            & (table.due_at == was_due),
        )

    try_commit(write)


def add_returned_parcel(transaction: TransactWrite, parcel: Parcel) -> None:
    """Mark a parcel as returned; refused when it has not arrived."""
    table = OrderTable
    transaction.update(
        table(parcel.order_id, part_of(parcel.parcel_id)),
        actions=[table.parcel_status.set(ParcelStatus.RETURNED)],
        condition=table.parcel_status == ParcelStatus.DELIVERED,
    )


def add_withheld(transaction: TransactWrite, order_id: str, parcel_ids: Iterable[str]) -> None:
    """Keep parcels from being sent: their money is in doubt."""
    for parcel_id in parcel_ids:
        row = OrderTable(order_id, part_of(parcel_id))
        transaction.update(row, actions=[OrderTable.withheld.set(True)])


def add_let_go(transaction: TransactWrite, order_id: str, parcel_ids: Iterable[str]) -> None:
    """Parcels whose money is not in doubt any more may be sent."""
    for parcel_id in parcel_ids:
        row = OrderTable(order_id, part_of(parcel_id))
        transaction.update(row, actions=[OrderTable.withheld.remove()])


def find_parcel(order_id: str, parcel_id: str) -> tuple[Parcel, bool] | None:
    """A parcel and whether it is paid; None when there is none."""
    try:
        row = OrderTable.get(order_id, part_of(parcel_id), consistent_read=True)
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
    condition = (table.parcel_status == was) & (table.artisan_id == parcel.artisan_id)
    if parcel.status is ParcelStatus.SHIPPED:
        condition &= table.withheld.does_not_exist()
    try:
        table(parcel.order_id, part_of(parcel.parcel_id)).update(
            actions=actions, condition=condition
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
