"""Shares in the settlement table as their artisans and operators see them: what still waits, and
what keeps it."""

from typing import Any

from pynamodb.expressions.update import Action

from chalicelib.settlement.domain import Share
from chalicelib.settlement.tables import SHARE, SettlementTable, payments_and_shares, share_of

Key = dict[str, Any]


def waiting(artisan_id: str, limit: int, start: Key | None) -> tuple[list[Share], Key | None]:
    """A page of what an artisan still waits for, the oldest sale first, as it is now.

    The index says which; it may lag, so each is read by its key.
    """
    found = SettlementTable.by_artisan.query(artisan_id, limit=limit, last_evaluated_key=start)
    names = [row.pk.removeprefix("parcel#") for row in found]
    shares = {one.parcel_id: one for one in payments_and_shares([], names)[1]} if names else {}
    still = [shares[name] for name in names if name in shares and shares[name].is_waiting]
    return still, found.last_evaluated_key


def find(parcel_id: str) -> Share | None:
    found = payments_and_shares([], [parcel_id])[1]
    return found[0] if found else None


def note_return(parcel_id: str, return_id: str, is_open: bool) -> Share:
    """Keep that a return was opened or closed, in any order; what is known of the share now.

    A share with an open return leaves the index of releases.
    """
    row = SettlementTable(f"parcel#{parcel_id}", SHARE)
    table = SettlementTable
    column = table.returns_opened if is_open else table.returns_closed
    actions: list[Action] = [column.add({return_id}), table.version.add(1)]
    if is_open:
        actions += [table.due_shard.remove(), table.due_at.remove()]
    row.update(actions)
    return share_of(row)
