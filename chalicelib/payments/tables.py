"""Payments, and the callbacks that were received about them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
)
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.sealing import seal
from chalicelib.edge.storage import Table, is_condition_failure, meta
from chalicelib.money import Money
from chalicelib.payments.domain import (
    Attempt,
    EventKind,
    EventStatus,
    Method,
    Payment,
    PaymentStatus,
    Provider,
    ProviderEvent,
    ShareTerms,
)

CALLBACK_KEPT = timedelta(days=550)  # 18 months


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


class CallbackTable(Table):
    """A verified callback as it came, kept once under the provider's own event id."""

    Meta: Any = meta("callbacks", stream=True)
    event_key = UnicodeAttribute(hash_key=True)
    provider = UnicodeAttribute()
    kind = UnicodeAttribute()
    reference = UnicodeAttribute()
    provider_reference = UnicodeAttribute()
    amount_minor = NumberAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    occurred_at = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    outcome = UnicodeAttribute(null=True)
    answer = UnicodeAttribute(null=True)
    received_at = UnicodeAttribute()
    raw_body = BinaryAttribute(legacy_encoding=False)
    expires = TTLAttribute()


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


def record_once(event: ProviderEvent, raw_body: bytes) -> str | None:
    """Keep a callback; the answer it was given when it is one that was kept before, else None.

    The raw body is sealed: it holds card and personal data.
    """
    now = clock.now()
    row = CallbackTable(
        event.key,
        provider=event.provider,
        kind=event.kind,
        reference=event.reference,
        provider_reference=event.provider_reference,
        amount_minor=event.amount.amount_minor if event.amount else None,
        currency=event.amount.currency if event.amount else None,
        occurred_at=event.occurred_at,
        reason=event.reason,
        status=EventStatus.RECEIVED,
        received_at=clock.to_text(now),
        raw_body=seal(raw_body, event.key),
        expires=now + CALLBACK_KEPT,
    )
    try:
        row.save(CallbackTable.event_key.does_not_exist())
    except PutError as error:
        if not is_condition_failure(error):
            raise
        return kept_answer(event)
    return None


def find_event(event_key: str) -> tuple[ProviderEvent, EventStatus]:
    row = CallbackTable.get(event_key, consistent_read=True)
    return event_from(row), EventStatus(row.status)


def kept_answer(event: ProviderEvent) -> str | None:
    """What the provider was answered, to answer it the same again."""
    return CallbackTable.get(event.key, consistent_read=True).answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a callback; `answer` where the provider is answered by what was decided."""

    status: EventStatus
    text: str
    answer: str | None = None


def add_outcome(transaction: TransactWrite, event: ProviderEvent, outcome: Outcome) -> None:
    """Close a callback in the transaction that applies it; refused when it was closed before."""
    transaction.update(
        CallbackTable(event.key),
        actions=_closing(outcome),
        condition=CallbackTable.status == EventStatus.RECEIVED,
    )


def close_event(event: ProviderEvent, outcome: Outcome) -> bool:
    """Close a callback that changes nothing else; False when it was closed before."""
    try:
        CallbackTable(event.key).update(
            actions=_closing(outcome), condition=CallbackTable.status == EventStatus.RECEIVED
        )
    except UpdateError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def _closing(outcome: Outcome) -> list[Action]:
    table = CallbackTable
    actions: list[Action] = [table.status.set(outcome.status), table.outcome.set(outcome.text)]
    return [*actions, table.answer.set(outcome.answer)] if outcome.answer else actions


def event_from(row: CallbackTable) -> ProviderEvent:
    amount = None
    if row.amount_minor is not None:
        amount = Money(int(row.amount_minor), str(row.currency))
    return ProviderEvent(
        key=row.event_key,
        provider=Provider(row.provider),
        kind=EventKind(row.kind),
        reference=row.reference,
        provider_reference=row.provider_reference,
        amount=amount,
        occurred_at=row.occurred_at,
        reason=row.reason,
    )


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
        shares=[asdict(share) for share in payment.shares],
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
    )
