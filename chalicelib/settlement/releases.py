"""When an artisan's part becomes payable, and making it so."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import queues, turns
from chalicelib.edge.observability import count, log_failure
from chalicelib.errors import MarketplaceError
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import CompanionRefused
from chalicelib.settlement import domain, share_tables, standings, tables
from chalicelib.settlement.domain import Share, ShareStatus
from chalicelib.settlement.holding import Standing
from chalicelib.settlement.messages import ArtisanCleared
from chalicelib.settlement.share_tables import Key

POSTPONED_BY = timedelta(hours=1)
ASKED_AGAIN_AFTER = timedelta(days=1)
"""A share that waits for its artisan is released soon after an event; this is in case it is lost,
and so seldom that 10,000 waiting shares cost 10,000 small writes a day."""
TOGETHER = 50
PAGE = 100


def schedule_complete(shares: Iterable[Share], not_before: datetime | None = None) -> None:
    """Schedule the release of every share of which all is known.

    Whoever adds a fact calls this afterwards with what is known then: the last one to write sees
    all facts, so no order of arrival is left without a date.
    """
    for share in shares:
        due_at = domain.release_at(share, settings().release_hold_days)
        if due_at is not None and not_before is not None:
            due_at = max(due_at, not_before)
        if due_at is not None and due_at != share.due_at:
            tables.schedule(share, due_at)


def record_return(parcel_id: str, return_id: str, is_open: bool) -> None:
    """A return was opened: nothing of its parcel is released; or closed: that ends.

    A refund follows what has come back, and should find the money where it is.
    """
    share = share_tables.note_return(parcel_id, return_id, is_open)
    schedule_complete([share], not_before=clock.now() + POSTPONED_BY)


def release_due() -> int:
    """Release what is due; how many. One that fails is counted and keeps no other back."""
    released_count = 0
    last_beginning = turns.last_beginning()
    due = tables.due_shares()
    while some := list(islice(due, TOGETHER)):
        found = standings.standings_of(str(share.artisan_id) for share in some)
        for share in some:
            released_count += _release_apart(share, found.get(str(share.artisan_id)))
        if clock.outside_now() >= last_beginning:
            count("SweepCutShort")
            break
    return released_count


def _release_apart(share: Share, standing: Standing | None) -> bool:
    try:
        if standing is not None:
            return _release(share, standing)
        code = "artisan_not_read"
    except MarketplaceError as error:
        code = error.code
        log_failure("release failed", error, parcel_id=share.parcel_id, code=error.code)
    count("ReleaseFailed", code=code)
    tables.schedule(share, clock.now() + POSTPONED_BY)  # or it would block its shard
    return False


def _release(share: Share, standing: Standing) -> bool:
    if share.status is not ShareStatus.PENDING or share.holds or share.returns:
        # It was scheduled just as a dispute, a hold or a refund came: whoever ends that schedules
        # it again.
        tables.unschedule(share)
        return False
    if not standing.is_clear:
        _put_off(share)
        return False
    now = clock.now()
    entry = domain.release_entry(share, now)
    if entry is None:
        return tables.release_nothing(share, now)
    try:
        return ledger.post_once(entry, also=tables.released(share, now))
    except CompanionRefused:
        return False  # The index lagged: it was released, put off or changed a moment ago.


def _put_off(share: Share) -> None:
    """Leave a share until its artisan is cleared.

    Who clears them looks for what waits; so whoever was cleared before this was written is looked
    at once more, and of the two the last one sees the other.
    """
    tables.schedule(share, clock.now() + ASKED_AGAIN_AFTER)
    if standings.standing_of(str(share.artisan_id)).is_clear:
        tables.schedule(share, clock.now())


def tell_cleared(artisan_id: str, page: Key | None = None) -> None:
    """Have looked at what an artisan waits for: they were verified, or a hold was lifted."""
    message = ArtisanCleared(artisan_id=artisan_id, page=page)
    queues.send("settlement", message, group=artisan_id)


def look_again(artisan_id: str, page: Key | None) -> None:
    """Schedule what was put off because of its artisan, a page at a time."""
    shares, following = share_tables.waiting(artisan_id, PAGE, page)
    schedule_complete(shares)
    if following is not None:
        tell_cleared(artisan_id, following)
