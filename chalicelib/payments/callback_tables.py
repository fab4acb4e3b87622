"""The callbacks that were received: each kept once, with what became of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
)
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.sealing import seal
from chalicelib.edge.storage import (
    Table,
    due_index,
    due_shard_of,
    is_condition_failure,
    meta,
    sweep_due,
)
from chalicelib.money import Money
from chalicelib.payments.domain import EventKind, EventStatus, Kept, Provider, ProviderEvent

KEPT_FOR = timedelta(days=550)  # 18 months
APPLY = "callback_apply"
APPLIED_BY_SWEEP_AFTER = timedelta(minutes=1)
PARKED = "parked"


class ByShelf(GlobalSecondaryIndex[Any]):
    """Sparse: callbacks that no rule could apply, for an operator to look at."""

    class Meta:
        index_name = "by_shelf"
        projection = AllProjection()

    shelf = UnicodeAttribute(hash_key=True)
    received_at = UnicodeAttribute(range_key=True)


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
    is_taken = BooleanAttribute(null=True)
    status = UnicodeAttribute()
    outcome = UnicodeAttribute(null=True)
    answer = UnicodeAttribute(null=True)
    received_at = UnicodeAttribute()
    raw_body = BinaryAttribute(legacy_encoding=False)
    expires = TTLAttribute()
    shelf = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    due = due_index(keys_only=True)
    by_shelf = ByShelf()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a callback; `answer` where the provider is answered by what was decided."""

    status: EventStatus
    text: str
    answer: str | None = None


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
        is_taken=event.is_taken,
        status=EventStatus.RECEIVED,
        received_at=clock.to_text(now),
        raw_body=seal(raw_body, event.key),
        expires=now + KEPT_FOR,
        due_shard=due_shard_of(APPLY, event.key),
        due_at=clock.to_text(now + APPLIED_BY_SWEEP_AFTER),
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


def find_kept(event_key: str) -> Kept | None:
    try:
        return kept_from(CallbackTable.get(event_key, consistent_read=True))
    except CallbackTable.DoesNotExist:
        return None


def kept_answer(event: ProviderEvent) -> str | None:
    """What the provider was answered, to answer it the same again."""
    return CallbackTable.get(event.key, consistent_read=True).answer


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
    actions: list[Action] = [
        table.status.set(outcome.status),
        table.outcome.set(outcome.text),
        table.due_shard.remove(),
        table.due_at.remove(),
    ]
    if outcome.answer:
        actions.append(table.answer.set(outcome.answer))
    if outcome.status is EventStatus.PARKED:
        actions.append(table.shelf.set(PARKED))
    return actions


def postpone(event: ProviderEvent, until: datetime) -> None:
    """Look at a callback again later that cannot be applied yet."""
    try:
        CallbackTable(event.key).update(
            actions=[CallbackTable.due_at.set(clock.to_text(until))],
            condition=CallbackTable.status == EventStatus.RECEIVED,
        )
    except UpdateError as error:
        if not is_condition_failure(error):
            raise


def open_again(event_key: str) -> bool:
    """Take a parked callback down from its shelf, to be applied; False when it is not there."""
    now = clock.now()
    table = CallbackTable
    try:
        table(event_key).update(
            actions=[
                table.status.set(EventStatus.RECEIVED),
                table.shelf.remove(),
                table.due_shard.set(due_shard_of(APPLY, event_key)),
                table.due_at.set(clock.to_text(now + APPLIED_BY_SWEEP_AFTER)),
            ],
            condition=table.status == EventStatus.PARKED,
        )
    except UpdateError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def due_event_keys() -> Iterator[str]:
    """Callbacks that were kept a minute ago and not applied since."""
    return (row.event_key for row in sweep_due(CallbackTable.due, APPLY))


def parked_page(
    limit: int, start: Mapping[str, Any] | None
) -> tuple[list[Kept], dict[str, Any] | None]:
    """Parked callbacks, the newest first, and the key to go on from."""
    page = CallbackTable.by_shelf.query(
        PARKED, limit=limit, last_evaluated_key=start, scan_index_forward=False
    )
    return [kept_from(row) for row in page], page.last_evaluated_key


def kept_from(row: Any) -> Kept:
    return Kept(event_from(row), EventStatus(row.status), row.outcome, row.received_at)


def event_from(row: Any) -> ProviderEvent:
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
        is_taken=row.is_taken is not False,
    )
