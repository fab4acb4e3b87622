"""Operators' holds: money that stays where it is until they say so."""

from chalicelib import clock
from chalicelib.edge.observability import count
from chalicelib.errors import Conflict
from chalicelib.settlement import hold_tables, releases, share_tables
from chalicelib.settlement.domain import Share
from chalicelib.settlement.hold_domain import (
    AlreadyReleased,
    OperatorHold,
    UnknownHold,
    UnknownShare,
    hold_id_of,
)

ATTEMPTS = 3


def hold_parcel(parcel_id: str, reason: str, operator: str, idempotency_key: str) -> OperatorHold:
    """Keep a parcel's money from release.

    Raises:
        UnknownShare, AlreadyReleased.
    """
    for _ in range(ATTEMPTS):
        share = share_tables.find(parcel_id)
        if share is None or share.parts is None or share.artisan_id is None:
            raise UnknownShare("no settled sale has such a parcel", param="parcel_id")
        hold = OperatorHold(
            hold_id=hold_id_of(operator, idempotency_key),
            artisan_id=share.artisan_id,
            parcel_id=parcel_id,
            reason=reason,
            placed_by=operator,
            placed_at=clock.now(),
        )
        if found := hold_tables.find(hold.hold_id):
            return found
        if share.released_at is not None:
            raise AlreadyReleased("hold the artisan to keep it from being paid", param="parcel_id")
        if _placed(hold, share):
            return hold
    raise Conflict("the share keeps being changed", retry_after_seconds=1)


def hold_artisan(artisan_id: str, reason: str, operator: str, idempotency_key: str) -> OperatorHold:
    """Keep all that an artisan has from release and from payouts."""
    hold = OperatorHold(
        hold_id=hold_id_of(operator, idempotency_key),
        artisan_id=artisan_id,
        parcel_id=None,
        reason=reason,
        placed_by=operator,
        placed_at=clock.now(),
    )
    return hold if _placed(hold, None) else found_hold(hold.hold_id)


def _placed(hold: OperatorHold, share: Share | None) -> bool:
    placed = hold_tables.place(hold, share)
    if placed:
        count("MoneyHeld")
    return placed


def lift(hold_id: str, operator: str, reason: str) -> OperatorHold:
    """End a hold, and have looked at what it kept; one that has ended stays as it ended.

    Raises:
        UnknownHold
    """
    hold = found_hold(hold_id)
    if hold.lifted_at is None:
        hold_tables.lift(hold, operator, reason, clock.now())
    if hold.parcel_id is None:
        releases.tell_cleared(hold.artisan_id)
    elif share := share_tables.find(hold.parcel_id):
        releases.schedule_complete([share])
    return found_hold(hold_id)


def found_hold(hold_id: str) -> OperatorHold:
    """
    Raises:
        UnknownHold
    """
    found = hold_tables.find(hold_id)
    if found is None:
        raise UnknownHold("there is no such hold")
    return found


def open_of(artisan_id: str) -> list[OperatorHold]:
    return hold_tables.open_of(artisan_id)


def is_on_hold(artisan_id: str) -> bool:
    """Whether nothing that an artisan has may leave."""
    return bool(hold_tables.held_artisans([artisan_id]))
