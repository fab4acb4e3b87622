"""The regions table: one row per region that has ever been opened."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import PutError

from chalicelib import clock
from chalicelib.edge.storage import Table, is_condition_failure, meta
from chalicelib.regions.domain import RegionStatus


class RegionTable(Table):
    Meta: Any = meta("regions")
    code = UnicodeAttribute(hash_key=True)
    status = UnicodeAttribute()
    changed_at = UnicodeAttribute()


def find_status(code: str) -> RegionStatus:
    """The status as it is now; a region without a row is planned."""
    try:
        row = RegionTable.get(code, consistent_read=True)
    except RegionTable.DoesNotExist:
        return RegionStatus.PLANNED
    return RegionStatus(row.status)


def find_statuses(codes: Iterable[str]) -> dict[str, RegionStatus]:
    """Statuses by code, in one call; a region without a row is left out."""
    return {row.code: RegionStatus(row.status) for row in RegionTable.batch_get(list(codes))}


def change_status(code: str, current: RegionStatus, to: RegionStatus, at: datetime) -> bool:
    """Move a region on; False when it is not at `current` any more."""
    unchanged = RegionTable.status == current
    if current is RegionStatus.PLANNED:
        unchanged = RegionTable.code.does_not_exist() | unchanged
    row = RegionTable(code, status=to, changed_at=clock.to_text(at))
    try:
        row.save(unchanged)
    except PutError as error:
        if is_condition_failure(error):
            return False
        raise
    return True
