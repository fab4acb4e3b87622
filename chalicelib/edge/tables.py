"""The edge's own tables: answers kept for repeated requests, and the operators' audit trail."""

from datetime import datetime
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
)
from pynamodb.exceptions import DeleteError, PutError

from chalicelib.edge.storage import Table, is_condition_failure, meta


class IdempotencyTable(Table):
    Meta: Any = meta("idempotency")
    scope_key = UnicodeAttribute(hash_key=True)
    fingerprint = UnicodeAttribute()
    owner = UnicodeAttribute()
    lease_until = NumberAttribute()
    status = NumberAttribute(null=True)
    answer = BinaryAttribute(null=True, legacy_encoding=False)
    expires = TTLAttribute()


class AuditTable(Table):
    Meta: Any = meta("audit")
    day = UnicodeAttribute(hash_key=True)
    at_and_request = UnicodeAttribute(range_key=True)
    operator = UnicodeAttribute()
    method = UnicodeAttribute()
    path = UnicodeAttribute()
    body_digest = UnicodeAttribute()


def find_answer(scope_key: str) -> IdempotencyTable | None:
    try:
        return IdempotencyTable.get(scope_key, consistent_read=True)
    except IdempotencyTable.DoesNotExist:
        return None


def claim_key(row: IdempotencyTable, now: datetime) -> bool:
    """Take a key that is free, or whose holder stopped without an answer; False when it is held."""
    table = IdempotencyTable
    abandoned = (
        table.answer.does_not_exist()
        & (table.lease_until < int(now.timestamp()))
        & (table.fingerprint == row.fingerprint)
    )
    free = table.scope_key.does_not_exist() | abandoned | (table.expires < now)
    try:
        row.save(free)
    except PutError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def keep_answer(row: IdempotencyTable) -> None:
    """Keep the answer, unless somebody took the key over meanwhile."""
    try:
        row.save(IdempotencyTable.owner == row.owner)
    except PutError as error:
        if not is_condition_failure(error):
            raise


def release_key(row: IdempotencyTable) -> None:
    """Give the key back: the request was refused and may be corrected and repeated."""
    try:
        row.delete(IdempotencyTable.owner == row.owner)
    except DeleteError as error:
        if not is_condition_failure(error):
            raise


def keep_audit(row: AuditTable) -> None:
    row.save()


def audit_page(
    day: str, limit: int, start: dict[str, Any] | None
) -> tuple[list[AuditTable], dict[str, Any] | None]:
    result = AuditTable.query(day, limit=limit, last_evaluated_key=start, scan_index_forward=False)
    rows = list(result)
    return rows, result.last_evaluated_key
