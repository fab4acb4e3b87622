"""Returns, in the partition of their order."""

from collections.abc import Mapping
from typing import Any

from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.orders.domain import Order
from chalicelib.orders.return_domain import Return, ReturnStatus
from chalicelib.orders.tables import ORDER, OrderTable

RETURN = "return#"


def returns_of(order_id: str) -> list[Return]:
    """Every return of an order, as they were asked for; one consistent query."""
    rows = OrderTable.query(order_id, OrderTable.part.startswith(RETURN), consistent_read=True)
    return [return_from(row) for row in rows]


def page_of(
    artisan_id: str, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[Return], Any]:
    """Returns of an artisan's goods, the newest first, and the key to go on from."""
    page = OrderTable.by_artisan.query(
        _shelf(artisan_id), limit=limit, last_evaluated_key=start, scan_index_forward=False
    )
    return [return_from(row) for row in page], page.last_evaluated_key


def _shelf(artisan_id: str) -> str:
    return f"{RETURN}{artisan_id}"


def find(order_id: str, return_id: str) -> Return | None:
    try:
        return return_from(OrderTable.get(order_id, f"{RETURN}{return_id}", consistent_read=True))
    except OrderTable.DoesNotExist:
        return None


def add_new(transaction: TransactWrite, asked: Return, order: Order) -> None:
    """Put a return into a transaction; refused when another was asked for meanwhile."""
    table = OrderTable
    transaction.save(
        OrderTable(
            asked.order_id,
            f"{RETURN}{asked.return_id}",
            artisan_id=asked.artisan_id,
            parcel_id=asked.parcel_id,
            return_status=asked.status,
            placed_at=clock.to_text(asked.requested_at),
            shelf=_shelf(asked.artisan_id),
            shelf_at=f"{clock.to_text(asked.requested_at)}#{asked.return_id}",
            content={
                "lines": dict(asked.lines),
                "reason": asked.reason,
                "asked_by": asked.asked_by,
            },
        ),
        condition=table.order_id.does_not_exist(),
    )
    count = table.return_count
    unchanged = count == order.return_count if order.return_count else count.does_not_exist()
    transaction.update(
        table(asked.order_id, ORDER),
        actions=[count.set(order.return_count + 1)],
        condition=unchanged,
    )


def add_moved(transaction: TransactWrite, asked: Return, was: ReturnStatus) -> None:
    """Put a return's new status into a transaction; refused when it is no longer what it was."""
    table = OrderTable
    actions = [table.return_status.set(asked.status)]
    if asked.answer:
        actions.append(table.decline_reason.set(asked.answer))
    transaction.update(
        table(asked.order_id, f"{RETURN}{asked.return_id}"),
        actions=actions,
        condition=(table.return_status == was) & (table.artisan_id == asked.artisan_id),
    )


def return_from(row: OrderTable) -> Return:
    content: Any = row.content
    return Return(
        return_id=row.part.removeprefix(RETURN),
        order_id=row.order_id,
        parcel_id=str(row.parcel_id),
        artisan_id=str(row.artisan_id),
        lines=content["lines"],
        reason=content["reason"],
        status=ReturnStatus(str(row.return_status)),
        requested_at=clock.from_text(row.placed_at),
        answer=row.decline_reason,
        asked_by=content.get("asked_by"),
    )
