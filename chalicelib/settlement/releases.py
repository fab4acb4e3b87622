"""When an artisan's part becomes payable, and making it so."""

from collections.abc import Iterable
from datetime import timedelta

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.observability import count, log_failure
from chalicelib.errors import MarketplaceError
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import CompanionRefused
from chalicelib.settlement import domain, tables
from chalicelib.settlement.domain import Share, ShareStatus

POSTPONED_BY = timedelta(hours=1)


def schedule_complete(shares: Iterable[Share]) -> None:
    """Schedule the release of every share of which all is known.

    Whoever adds a fact calls this afterwards with what is known then: the last one to write sees
    all facts, so no order of arrival is left without a date.
    """
    for share in shares:
        due_at = domain.release_at(share, settings().release_hold_days)
        if due_at is not None and due_at != share.due_at:
            tables.schedule(share, due_at)


def release_due() -> int:
    """Release what is due; how many. One that fails is counted and keeps no other back."""
    released_count = 0
    for share in tables.due_shares():
        try:
            released_count += _release(share)
        except MarketplaceError as error:
            count("ReleaseFailed", code=error.code)
            log_failure("release failed", error, parcel_id=share.parcel_id, code=error.code)
            tables.schedule(share, clock.now() + POSTPONED_BY)  # or it would block its shard
    return released_count


def _release(share: Share) -> bool:
    if share.status is not ShareStatus.PENDING:
        # It was scheduled just as a dispute or a refund came: whoever ends that schedules it again.
        tables.unschedule(share)
        return False
    now = clock.now()
    entry = domain.release_entry(share, now)
    if entry is None:
        return tables.release_nothing(share, now)
    try:
        return ledger.post_once(entry, also=tables.released(share, now))
    except CompanionRefused:
        return False  # The index lagged: it was released, put off or changed a moment ago.
