"""The payments table, with what is asked about later and what operators look for."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
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
from chalicelib.payments.domain import (
    Attempt,
    Method,
    Payment,
    PaymentStatus,
    Portion,
    Provider,
    ShareTerms,
)

ASK = "payment_ask"
REVIEW = "review"


class ByStatus(GlobalSecondaryIndex[Any]):
    """Payments of a status in 8 shards, by when they were made."""

    class Meta:
        index_name = "by_status"
        projection = KeysOnlyProjection()

    status_shard = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class ByReview(GlobalSecondaryIndex[Any]):
    """Sparse: payments that somebody has to look at."""

    class Meta:
        index_name = "by_review"
        projection = KeysOnlyProjection()

    review_shard = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class PaymentTable(Table):
    Meta: Any = meta("payments", stream=True)
    payment_id = UnicodeAttribute(hash_key=True)
    order_id = UnicodeAttribute()
    method = UnicodeAttribute()
    provider = UnicodeAttribute()
    status = UnicodeAttribute()
    amount_minor = NumberAttribute()
    currency = UnicodeAttribute()
    shares: Any = JSONAttribute()
    attempts: Any = JSONAttribute()
    created_at = UnicodeAttribute()
    expires_at = UnicodeAttribute()
    captured_at = UnicodeAttribute(null=True)
    provider_reference = UnicodeAttribute(null=True)
    review = BooleanAttribute()
    review_reason = UnicodeAttribute(null=True)
    version = NumberAttribute()
    session_id = UnicodeAttribute(null=True)
    success_indicator = UnicodeAttribute(null=True)
    return_url = UnicodeAttribute(null=True)
    asked_by = UnicodeAttribute(null=True)
    refunded_minor = NumberAttribute(null=True)
    taken_back: Any = JSONAttribute(null=True)
    returned_lines: Any = JSONAttribute(null=True)
    dispute_id = UnicodeAttribute(null=True)
    asked_count = NumberAttribute(null=True)
    status_shard = UnicodeAttribute()
    listed_at = UnicodeAttribute()
    review_shard = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    due = due_index(keys_only=True)
    by_status = ByStatus()
    by_review = ByReview()


def find(payment_id: str) -> Payment | None:
    try:
        return payment_from(PaymentTable.get(payment_id, consistent_read=True))
    except PaymentTable.DoesNotExist:
        return None


def find_many(payment_ids: Sequence[str]) -> list[Payment]:
    """Payments by id, in that order; one batch read."""
    rows = PaymentTable.batch_get(payment_ids, consistent_read=True)
    found = {row.payment_id: row for row in rows}
    return [payment_from(found[name]) for name in payment_ids if name in found]


def add_new(transaction: TransactWrite, payment: Payment) -> None:
    transaction.save(_row(payment), condition=PaymentTable.payment_id.does_not_exist())


def add_changed(transaction: TransactWrite, payment: Payment) -> None:
    """Put a changed payment into a transaction; refused when it was changed since it was read."""
    row = _row(payment)
    row.version = payment.version + 1
    transaction.save(row, condition=PaymentTable.version == payment.version)


def due_payment_ids() -> Iterator[str]:
    """Payments that their provider is to be asked about."""
    return (row.payment_id for row in sweep_due(PaymentTable.due, ASK))


def page_of(
    status: PaymentStatus | None, limit: int, before: str | None
) -> tuple[list[Payment], str | None]:
    """Payments of a status, or (None) those under review, the newest first; where to go on."""
    index = PaymentTable.by_status if status else PaymentTable.by_review
    rows, last = newest_first(index, status or REVIEW, "listed_at", limit, before)
    return find_many([row.payment_id for row in rows]), last


def payment_from(row: PaymentTable) -> Payment:
    return Payment(
        payment_id=row.payment_id,
        order_id=row.order_id,
        method=Method(row.method),
        provider=Provider(row.provider),
        status=PaymentStatus(row.status),
        amount=Money(int(row.amount_minor), row.currency),
        shares=tuple(ShareTerms(**share) for share in row.shares),
        created_at=clock.from_text(row.created_at),
        expires_at=clock.from_text(row.expires_at),
        attempts=tuple(
            Attempt(**(attempt | {"at": clock.from_text(attempt["at"])}))
            for attempt in row.attempts
        ),
        review=row.review,
        review_reason=row.review_reason,
        provider_reference=row.provider_reference,
        captured_at=clock.from_text(row.captured_at) if row.captured_at else None,
        version=int(row.version),
        session_id=row.session_id,
        success_indicator=row.success_indicator,
        return_url=row.return_url,
        asked_by=row.asked_by,
        refunded_minor=int(row.refunded_minor or 0),
        taken_back=tuple(Portion(*portion) for portion in row.taken_back or ()),
        returned_lines=dict(row.returned_lines or {}),
        dispute_id=row.dispute_id,
        ask_at=clock.from_text(row.due_at) if row.due_at else None,
        asked_count=int(row.asked_count or 0),
    )


def _row(payment: Payment) -> PaymentTable:
    return PaymentTable(
        payment.payment_id,
        order_id=payment.order_id,
        method=payment.method,
        provider=payment.provider,
        status=payment.status,
        amount_minor=payment.amount.amount_minor,
        currency=payment.amount.currency,
        shares=[_share(share) for share in payment.shares],
        attempts=[
            asdict(attempt) | {"at": clock.to_text(attempt.at)} for attempt in payment.attempts
        ],
        created_at=clock.to_text(payment.created_at),
        expires_at=clock.to_text(payment.expires_at),
        captured_at=clock.to_text(payment.captured_at) if payment.captured_at else None,
        provider_reference=payment.provider_reference,
        review=payment.review,
        review_reason=payment.review_reason,
        version=payment.version,
        session_id=payment.session_id,
        success_indicator=payment.success_indicator,
        return_url=payment.return_url,
        asked_by=payment.asked_by,
        refunded_minor=payment.refunded_minor or None,
        taken_back=[list(_portion(each)) for each in payment.taken_back] or None,
        returned_lines=dict(payment.returned_lines) or None,
        dispute_id=payment.dispute_id,
        asked_count=payment.asked_count or None,
        **_shelves(payment),
    )


def _share(share: ShareTerms) -> dict[str, Any]:
    return {name: value for name, value in asdict(share).items() if value is not None}


def _portion(portion: Portion) -> tuple[str, int, int]:
    return portion.parcel_id, portion.goods_minor, portion.shipping_minor


def _shelves(payment: Payment) -> dict[str, str | None]:
    """Where the payment is found: by its status, by its review, and by when it is asked about."""
    due_at: datetime | None = payment.ask_at
    return {
        "status_shard": due_shard_of(payment.status, payment.payment_id),
        "listed_at": f"{clock.to_text(payment.created_at)}#{payment.payment_id}",
        "review_shard": due_shard_of(REVIEW, payment.payment_id) if payment.review else None,
        "due_shard": due_shard_of(ASK, payment.payment_id) if due_at else None,
        "due_at": clock.to_text(due_at) if due_at else None,
    }
