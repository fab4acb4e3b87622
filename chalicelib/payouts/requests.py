"""An artisan asks to be paid now: once a day, into the one batch of all who ask on that day.

The day is Morocco's. The batch takes no more when the day ends, and then waits for two operators or
one like any other; what was asked for is reserved at once.
"""

from datetime import datetime, timedelta

from chalicelib import clock, ids
from chalicelib.errors import Conflict
from chalicelib.payouts import batch_tables, domain, reserving, tables
from chalicelib.payouts.domain import NotPayableNow, Payout, PayoutRequestedToday
from chalicelib.payouts.plan_tables import Lane
from chalicelib.payouts.reserving import Overtaken


def request_payout(artisan_id: str, idempotency_key: str) -> Payout:
    """Reserve what is payable to an artisan; a repeat with the same key finds the same payout.

    Raises:
        NotPayableNow: `reason` says why. PayoutRequestedToday: they asked with another key.
    """
    now = clock.now()
    batch_id = domain.batch_id_of_day(domain.ARTISANS, clock.in_morocco(now).date())
    payout_id = domain.payout_id_of(batch_id, artisan_id)
    request_key = ids.fingerprint(artisan_id, idempotency_key)
    why_not = None
    if tables.find_in(batch_id, payout_id) is None:
        why_not = _reserved(batch_id, artisan_id, request_key, now)
    payout = tables.find_in(batch_id, payout_id)  # also where another request was faster
    if payout is None:
        raise NotPayableNow("you cannot be paid now", extra={"reason": why_not})
    if payout.request_key != request_key:
        wait = int((end_of_day(now) - now).total_seconds()) + 1
        raise PayoutRequestedToday("ask again tomorrow", retry_after_seconds=wait)
    return payout


def _reserved(batch_id: str, artisan_id: str, request_key: str, now: datetime) -> str | None:
    found = reserving.prepared(batch_id, artisan_id, request_key=request_key)
    if isinstance(found, str):
        return found
    batch_tables.begin(batch_id, domain.ARTISANS, now, end_of_day(now))
    try:
        return reserving.post(*found, Lane(batch_id).fence)
    except Overtaken:
        if tables.find_in(batch_id, found[0].payout_id) is not None:
            return None
        raise Conflict("the day's batch has just ended", retry_after_seconds=1) from None


def end_of_day(now: datetime) -> datetime:
    """When the next day begins in Morocco."""
    local = clock.in_morocco(now)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return midnight + timedelta(days=1)
