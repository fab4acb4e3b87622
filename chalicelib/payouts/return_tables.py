"""Payouts that came back, by their artisan: whether a destination is good is asked of the newest.

The row is written beside the entries of the return; see `tables.moving`.
"""

from dataclasses import dataclass
from datetime import datetime

from pynamodb.exceptions import UpdateError

from chalicelib import clock
from chalicelib.edge.storage import is_condition_failure
from chalicelib.payouts.tables import RETURNED, PayoutsTable


@dataclass(frozen=True, slots=True)
class CameBack:
    """The newest payout of an artisan's that came back."""

    reserved_at: datetime
    is_confirmed: bool
    sort_key: str


def newest(artisan_id: str) -> CameBack | None:
    found = PayoutsTable.query(
        f"artisan#{artisan_id}",
        PayoutsTable.sk.startswith(RETURNED),
        limit=1,
        scan_index_forward=False,
        consistent_read=True,
    )
    row = next(iter(found), None)
    if row is None:
        return None
    return CameBack(clock.from_text(str(row.reserved_at)), row.confirmed_at is not None, row.sk)


def confirm(artisan_id: str, came_back: CameBack, at: datetime) -> None:
    """Its artisan says that the destination is right."""
    table = PayoutsTable
    row = PayoutsTable(f"artisan#{artisan_id}", came_back.sort_key)
    try:
        row.update(
            [table.confirmed_at.set(clock.to_text(at))],
            condition=table.reserved_at.exists() & table.confirmed_at.does_not_exist(),
        )
    except UpdateError as error:
        if not is_condition_failure(error):
            raise
