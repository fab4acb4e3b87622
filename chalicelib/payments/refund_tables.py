"""The refunds table: what goes back, and what an operator has to send back by hand."""

from collections.abc import Iterator
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import Table, due_index, due_shard_of, meta, newest_first, sweep_due
from chalicelib.money import Money
from chalicelib.payments.domain import Portion, Provider
from chalicelib.payments.refund_domain import ON_ITS_WAY, Refund, RefundKind, RefundStatus

SEND = "refund_send"


class ByStatus(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_status"
        projection = KeysOnlyProjection()

    status_shard = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class RefundTable(Table):
    Meta: Any = meta("refunds", stream=True)
    refund_id = UnicodeAttribute(hash_key=True)
    payment_id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    provider = UnicodeAttribute()
    kind = UnicodeAttribute()
    status = UnicodeAttribute()
    amount_minor = NumberAttribute()
    currency = UnicodeAttribute()
    portions: Any = JSONAttribute()
    lines: Any = JSONAttribute()
    receipt = UnicodeAttribute()
    reason = UnicodeAttribute()
    requested_by = UnicodeAttribute()
    requested_at = UnicodeAttribute()
    attempt = NumberAttribute()
    done_reference = UnicodeAttribute(null=True)
    failure = UnicodeAttribute(null=True)
    asked_count = NumberAttribute()
    version = NumberAttribute()
    status_shard = UnicodeAttribute()
    listed_at = UnicodeAttribute()
    due_shard = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    due = due_index(keys_only=True)
    by_status = ByStatus()


def find(refund_id: str) -> Refund | None:
    try:
        return refund_from(RefundTable.get(refund_id, consistent_read=True))
    except RefundTable.DoesNotExist:
        return None


def add_new(transaction: TransactWrite, refund: Refund) -> None:
    transaction.save(_row(refund), condition=RefundTable.refund_id.does_not_exist())


def add_changed(transaction: TransactWrite, refund: Refund) -> None:
    """Put a changed refund into a transaction; refused when it was changed since it was read."""
    row = _row(refund)
    row.version = refund.version + 1
    transaction.save(row, condition=RefundTable.version == refund.version)


def due_refund_ids() -> Iterator[str]:
    """Refunds on their way that were not heard of since."""
    return (row.refund_id for row in sweep_due(RefundTable.due, SEND))


def page_of(
    status: RefundStatus, limit: int, before: str | None
) -> tuple[list[Refund], str | None]:
    """Refunds of a status, the newest first, and where to go on."""
    rows, last = newest_first(RefundTable.by_status, status, "listed_at", limit, before)
    ids = [row.refund_id for row in rows]
    found = {row.refund_id: row for row in RefundTable.batch_get(ids, consistent_read=True)}
    return [refund_from(found[name]) for name in ids if name in found], last


def refund_from(row: RefundTable) -> Refund:
    return Refund(
        refund_id=row.refund_id,
        payment_id=row.payment_id,
        order_id=row.order_id,
        provider=Provider(row.provider),
        kind=RefundKind(row.kind),
        status=RefundStatus(row.status),
        amount=Money(int(row.amount_minor), row.currency),
        portions=tuple(Portion(*portion) for portion in row.portions),
        lines=dict(row.lines),
        receipt=row.receipt,
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=clock.from_text(row.requested_at),
        attempt=int(row.attempt),
        done_reference=row.done_reference,
        failure=row.failure,
        ask_at=clock.from_text(row.due_at) if row.due_at else None,
        asked_count=int(row.asked_count),
        version=int(row.version),
    )


def _row(refund: Refund) -> RefundTable:
    due_at = refund.ask_at if refund.status in ON_ITS_WAY else None
    return RefundTable(
        refund.refund_id,
        payment_id=refund.payment_id,
        order_id=refund.order_id,
        provider=refund.provider,
        kind=refund.kind,
        status=refund.status,
        amount_minor=refund.amount.amount_minor,
        currency=refund.amount.currency,
        portions=[[p.parcel_id, p.goods_minor, p.shipping_minor] for p in refund.portions],
        lines=dict(refund.lines),
        receipt=refund.receipt,
        reason=refund.reason,
        requested_by=refund.requested_by,
        requested_at=clock.to_text(refund.requested_at),
        attempt=refund.attempt,
        done_reference=refund.done_reference,
        failure=refund.failure,
        asked_count=refund.asked_count,
        version=refund.version,
        status_shard=due_shard_of(refund.status, refund.refund_id),
        listed_at=f"{clock.to_text(refund.requested_at)}#{refund.refund_id}",
        due_shard=due_shard_of(SEND, refund.refund_id) if due_at else None,
        due_at=clock.to_text(due_at) if due_at else None,
    )
