"""Operators' holds in the settlement table.

hold#{id}      hold   on what, by whom and why; by whom and why it was lifted
artisan#{id}   holds  ids of the artisan's open holds: on all they have, and on parcels of theirs
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import Table, meta, try_commit
from chalicelib.ledger.companions import all_of
from chalicelib.settlement.domain import Share
from chalicelib.settlement.hold_domain import OperatorHold
from chalicelib.settlement.tables import SHARE, SettlementTable, unchanged

HOLD, HOLDS = "hold", "holds"


class HoldTable(Table):
    Meta: Any = meta("settlement", stream=True)
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    # A hold
    held_artisan = UnicodeAttribute(null=True)
    held_parcel = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    placed_by = UnicodeAttribute(null=True)
    placed_at = UnicodeAttribute(null=True)
    lifted_by = UnicodeAttribute(null=True)
    lifted_at = UnicodeAttribute(null=True)
    lifted_reason = UnicodeAttribute(null=True)
    # An artisan
    holds = UnicodeSetAttribute(null=True)
    parcel_holds = UnicodeSetAttribute(null=True)


def find(hold_id: str) -> OperatorHold | None:
    return next(iter(_many([hold_id])), None)


def open_of(artisan_id: str) -> list[OperatorHold]:
    """An artisan's open holds, the newest first."""
    row = _artisan_row(artisan_id)
    names = sorted({*(row.holds or ()), *(row.parcel_holds or ())}) if row else []
    return sorted(_many(names), key=lambda hold: hold.placed_at, reverse=True)


def held_artisans(artisan_ids: Iterable[str]) -> set[str]:
    """Those of these (at most 100) who are on hold with all they have, by one consistent read."""
    keys = [(f"artisan#{one}", HOLDS) for one in dict.fromkeys(artisan_ids)]
    rows = HoldTable.batch_get(keys, consistent_read=True)
    return {row.pk.removeprefix("artisan#") for row in rows if row.holds}


def place(hold: OperatorHold, share: Share | None) -> bool:
    """Keep a hold; on a parcel, its share is not released from now on.

    False where it is kept already, or the share has changed since it was read.
    """
    row = HoldTable(
        f"hold#{hold.hold_id}",
        HOLD,
        held_artisan=hold.artisan_id,
        held_parcel=hold.parcel_id,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed_at=clock.to_text(hold.placed_at),
    )
    table = SettlementTable

    def write(transaction: TransactWrite) -> None:
        transaction.update(row, all_of(row), condition=HoldTable.pk.does_not_exist())
        transaction.update(_artisan_of(hold), [_column(hold).add({hold.hold_id})])
        if share is not None:
            transaction.update(
                table(f"parcel#{share.parcel_id}", SHARE),
                [
                    table.holds.add({hold.hold_id}),
                    table.version.add(1),
                    table.due_shard.remove(),
                    table.due_at.remove(),
                ],
                condition=unchanged(share) & table.released_at.does_not_exist(),
            )

    return try_commit(write)


def lift(hold: OperatorHold, by: str, reason: str, at: datetime) -> bool:
    """End a hold; False where it has ended."""
    row = HoldTable(f"hold#{hold.hold_id}", HOLD)
    table = SettlementTable

    def write(transaction: TransactWrite) -> None:
        transaction.update(
            row,
            [
                HoldTable.lifted_by.set(by),
                HoldTable.lifted_reason.set(reason),
                HoldTable.lifted_at.set(clock.to_text(at)),
            ],
            condition=HoldTable.lifted_at.does_not_exist(),
        )
        transaction.update(_artisan_of(hold), [_column(hold).delete({hold.hold_id})])
        if hold.parcel_id is not None:
            share = table(f"parcel#{hold.parcel_id}", SHARE)
            transaction.update(share, [table.holds.delete({hold.hold_id}), table.version.add(1)])

    return try_commit(write)


def _artisan_of(hold: OperatorHold) -> HoldTable:
    return HoldTable(f"artisan#{hold.artisan_id}", HOLDS)


def _column(hold: OperatorHold) -> Any:
    return HoldTable.holds if hold.parcel_id is None else HoldTable.parcel_holds


def _artisan_row(artisan_id: str) -> HoldTable | None:
    keys = [(f"artisan#{artisan_id}", HOLDS)]
    return next(iter(HoldTable.batch_get(keys, consistent_read=True)), None)


def _many(hold_ids: list[str]) -> list[OperatorHold]:
    keys = [(f"hold#{one}", HOLD) for one in hold_ids]
    rows = HoldTable.batch_get(keys, consistent_read=True) if keys else ()
    return [_hold(row) for row in rows]


def _hold(row: HoldTable) -> OperatorHold:
    return OperatorHold(
        hold_id=row.pk.removeprefix("hold#"),
        artisan_id=str(row.held_artisan),
        parcel_id=row.held_parcel,
        reason=str(row.reason),
        placed_by=str(row.placed_by),
        placed_at=clock.from_text(str(row.placed_at)),
        lifted_by=row.lifted_by,
        lifted_reason=row.lifted_reason,
        lifted_at=None if row.lifted_at is None else clock.from_text(row.lifted_at),
    )
