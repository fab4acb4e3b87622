"""The disputes table."""

from collections.abc import Iterator
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import Table, due_index, due_shard_of, meta, newest_first, sweep_due
from chalicelib.money import Money
from chalicelib.payments.dispute_domain import Dispute, DisputeStatus
from chalicelib.payments.domain import Portion, Provider

EVIDENCE = "dispute_evidence"


class ByStatus(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_status"
        projection = KeysOnlyProjection()

    status_shard = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class DisputeTable(Table):
    Meta: Any = meta("disputes", stream=True)
    dispute_id = UnicodeAttribute(hash_key=True)
    payment_id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    provider = UnicodeAttribute()
    status = UnicodeAttribute()
    amount_minor = NumberAttribute()
    currency = UnicodeAttribute()
    portions: Any = JSONAttribute()
    case = UnicodeAttribute()
    reason = UnicodeAttribute()
    opened_at = UnicodeAttribute()
    evidence_due_at = UnicodeAttribute()
    evidence_digest = UnicodeAttribute(null=True)
    decided_at = UnicodeAttribute(null=True)
    by_letter = BooleanAttribute()
    overdue = BooleanAttribute()
    version = NumberAttribute()
    status_shard = UnicodeAttribute()
    listed_at = UnicodeAttribute()
    due_shard = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    due = due_index(keys_only=True)
    by_status = ByStatus()


def find(dispute_id: str) -> Dispute | None:
    try:
        return dispute_from(DisputeTable.get(dispute_id, consistent_read=True))
    except DisputeTable.DoesNotExist:
        return None


def add_new(transaction: TransactWrite, dispute: Dispute) -> None:
    transaction.save(_row(dispute), condition=DisputeTable.dispute_id.does_not_exist())


def add_changed(transaction: TransactWrite, dispute: Dispute) -> None:
    """Put a changed dispute into a transaction; refused when it was changed since it was read."""
    row = _row(dispute)
    row.version = dispute.version + 1
    transaction.save(row, condition=DisputeTable.version == dispute.version)


def overdue_ids() -> Iterator[str]:
    """Disputes whose evidence is due and was not sent."""
    return (row.dispute_id for row in sweep_due(DisputeTable.due, EVIDENCE))


def page_of(
    status: DisputeStatus, limit: int, before: str | None
) -> tuple[list[Dispute], str | None]:
    """Disputes of a status, the newest first, and where to go on."""
    rows, last = newest_first(DisputeTable.by_status, status, "listed_at", limit, before)
    ids = [row.dispute_id for row in rows]
    found = {row.dispute_id: row for row in DisputeTable.batch_get(ids, consistent_read=True)}
    return [dispute_from(found[name]) for name in ids if name in found], last


def dispute_from(row: DisputeTable) -> Dispute:
    return Dispute(
        dispute_id=row.dispute_id,
        payment_id=row.payment_id,
        order_id=row.order_id,
        provider=Provider(row.provider),
        status=DisputeStatus(row.status),
        amount=Money(int(row.amount_minor), row.currency),
        portions=tuple(Portion(*portion) for portion in row.portions),
        case=row.case,
        reason=row.reason,
        opened_at=clock.from_text(row.opened_at),
        evidence_due_at=clock.from_text(row.evidence_due_at),
        evidence_digest=row.evidence_digest,
        decided_at=clock.from_text(row.decided_at) if row.decided_at else None,
        by_letter=row.by_letter,
        overdue=row.overdue,
        version=int(row.version),
    )


def _row(dispute: Dispute) -> DisputeTable:
    is_due = dispute.status is DisputeStatus.OPENED and not dispute.overdue
    due_at = dispute.evidence_due_at if is_due else None
    return DisputeTable(
        dispute.dispute_id,
        payment_id=dispute.payment_id,
        order_id=dispute.order_id,
        provider=dispute.provider,
        status=dispute.status,
        amount_minor=dispute.amount.amount_minor,
        currency=dispute.amount.currency,
        portions=[[p.parcel_id, p.goods_minor, p.shipping_minor] for p in dispute.portions],
        case=dispute.case,
        reason=dispute.reason,
        opened_at=clock.to_text(dispute.opened_at),
        evidence_due_at=clock.to_text(dispute.evidence_due_at),
        evidence_digest=dispute.evidence_digest,
        decided_at=clock.to_text(dispute.decided_at) if dispute.decided_at else None,
        by_letter=dispute.by_letter,
        overdue=dispute.overdue,
        version=dispute.version,
        status_shard=due_shard_of(dispute.status, dispute.dispute_id),
        listed_at=f"{clock.to_text(dispute.opened_at)}#{dispute.dispute_id}",
        due_shard=due_shard_of(EVIDENCE, dispute.dispute_id) if due_at else None,
        due_at=clock.to_text(due_at) if due_at else None,
    )
