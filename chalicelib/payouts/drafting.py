"""Drafting a batch: everybody who can be paid is reserved, artisan by artisan.

A batch that one request can deal with is drafted at once. A larger one goes through the queue, in a
lane for each shard of the balances and a page of a lane at a time: a crash repeats one page at
most, and what it had reserved is found by its id.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import Artisan
from chalicelib.edge import queues
from chalicelib.edge.observability import count, log_failure
from chalicelib.edge.storage import is_outage
from chalicelib.errors import Unavailable
from chalicelib.ledger import service as ledger
from chalicelib.money import Money
from chalicelib.payouts import batch_tables, domain, plan_tables, reserving, tables
from chalicelib.payouts.domain import Batch
from chalicelib.payouts.messages import LaneToDraft
from chalicelib.payouts.plan_tables import Lane
from chalicelib.payouts.reserving import Overtaken
from chalicelib.payouts.totals import totals_of

AT_ONCE = 200
"""Artisans that are looked at within a request; more of them go through the queue."""
PAGE = 50
"""A message of each lane may come at once, and all of them together have 25 seconds."""
SHOWN_SKIPPED = 100
RESUMED_AFTER = timedelta(minutes=2)
PAYABLE = "artisan_payable"


def draft(batch_id: str, drafted_by: str) -> Batch:
    """The drafted batch of this id, or one that is being drafted; a repeat goes on with it."""
    now = clock.now()
    batch = batch_tables.begin(batch_id, drafted_by, now, now + RESUMED_AFTER)
    return batch if batch.is_complete else go_on(batch)


def go_on(batch: Batch) -> Batch:
    """Draft the batch at once where it is small, or else have its lanes drafted.

    That of artisans who ask ends with their day, and nobody is added to it here.
    """
    if batch.is_ending or batch.drafted_by == domain.ARTISANS:
        return end(batch)
    minimum = Money(reserving.limits_now().minimum_of(""))
    if not batch.in_lanes:
        found = ledger.accounts_with_at_least(PAYABLE, minimum)
        first = [artisan_id for artisan_id, _ in islice(found, AT_ONCE + 1)]
        if len(first) <= AT_ONCE:
            return _drafted_at_once(batch, first)
        plan_tables.open_lanes(batch.batch_id)
    batch_tables.put_off(batch.batch_id, clock.now() + RESUMED_AFTER)
    lanes = plan_tables.lanes_of(batch.batch_id, ledger.ACCOUNT_SHARDS)
    for lane in lanes:
        if not lane.has_ended:
            _send(lane)
    if all(lane.has_ended for lane in lanes):
        return end(batch)
    return batch_tables.find(batch.batch_id)


def _drafted_at_once(batch: Batch, artisan_ids: Sequence[str]) -> Batch:
    alone = Lane(batch.batch_id)
    try:
        for start in range(0, len(artisan_ids), PAGE):
            skipped = _reserve_all(alone, artisan_ids[start : start + PAGE])
            plan_tables.keep_skipped(batch.batch_id, skipped)
    except Overtaken:
        return batch_tables.find(batch.batch_id)
    return end(batch)


def draft_lane(batch_id: str, number: int, step: int) -> None:
    """Draft a page of a lane and have the next one drafted; a page that was drafted is left alone.

    Raises:
        UnknownBatch. Outages: the page comes again.
    """
    batch = batch_tables.find(batch_id)
    lane = plan_tables.find_lane(batch_id, number)
    if batch.is_complete or lane.has_ended or lane.step != step:
        return
    minimum = Money(reserving.limits_now().minimum_of(""))
    found, key = ledger.owners_page(PAYABLE, number, minimum, PAGE, lane.key)
    try:
        skipped = _reserve_all(lane, found)
    except Overtaken:
        return
    plan_tables.keep_skipped(batch_id, skipped)
    if not plan_tables.move_lane(lane, key):
        return
    batch_tables.put_off(batch_id, clock.now() + RESUMED_AFTER)
    if key is not None:
        _send(Lane(batch_id, number, step + 1))
    elif all(lane.has_ended for lane in plan_tables.lanes_of(batch_id, ledger.ACCOUNT_SHARDS)):
        end(batch)


def _send(lane: Lane) -> None:
    assert lane.number is not None
    message = LaneToDraft(batch_id=lane.batch_id, lane=lane.number, step=lane.step)
    queues.send("payouts", message, group=lane.batch_id)


def _reserve_all(lane: Lane, artisan_ids: Sequence[str]) -> dict[str, str]:
    """Reserve for each of these (at most a page); who is left out, and why.

    Raises:
        Overtaken: another drafts this page, or has.
    """
    if not artisan_ids:
        return {}
    there = _reserved_of(lane.batch_id, artisan_ids)
    known = _known_artisans(artisan_ids)
    skipped = {}
    for artisan_id in artisan_ids:
        if artisan_id not in there:
            why_not = _reserved_apart(lane, artisan_id, known.get(artisan_id))
            if why_not is not None:
                skipped[artisan_id] = why_not
    # Who drafts the same page at the same moment may have reserved what was found to be gone.
    meanwhile = _reserved_of(lane.batch_id, list(skipped)) if skipped else set()
    return {one: reason for one, reason in skipped.items() if one not in meanwhile}


def _reserved_of(batch_id: str, artisan_ids: Sequence[str]) -> set[str]:
    payouts = {domain.payout_id_of(batch_id, one): one for one in artisan_ids}
    return {payouts[one] for one in tables.known_payouts(batch_id, list(payouts))}


def _known_artisans(artisan_ids: Sequence[str]) -> dict[str, Artisan]:
    """Those that could be read together; one that cannot be read keeps no other back."""
    try:
        return artisans.artisans_of(artisan_ids)
    except Exception as error:  # Whatever it is, each is read by itself afterwards.
        if is_outage(error):
            raise
        return {}


def _reserved_apart(lane: Lane, artisan_id: str, known: Artisan | None) -> str | None:
    """Why nothing was reserved for an artisan; what fails for one keeps no other back (P9)."""
    try:
        return reserving.reserve(lane.batch_id, artisan_id, lane.fence, known)
    except (Overtaken, Unavailable):
        raise
    except Exception as error:
        if is_outage(error):
            raise
        count("PayoutNotReserved")
        log_failure("payout not reserved", error, artisan_id=artisan_id, batch_id=lane.batch_id)
        return f"failed: {type(error).__name__}"


def reserved_so_far(batch_id: str) -> int:
    lanes = plan_tables.lanes_of(batch_id, ledger.ACCOUNT_SHARDS)
    return sum(lane.reserved for lane in lanes)


def end(batch: Batch) -> Batch:
    """Nobody is added to the batch any more: first that is so, then it is counted."""
    batch_id = batch.batch_id
    if not batch.in_lanes and not plan_tables.move_lane(Lane(batch_id), None):
        batch = batch_tables.find(batch_id)
        if not batch.is_ending:
            return batch
    skipped, key = plan_tables.skipped_page(batch_id, SHOWN_SKIPPED, None)
    how_many = len(skipped) if key is None else plan_tables.skipped_count(batch_id)
    return batch_tables.end_draft(batch_id, totals_of(batch_id), skipped, how_many)
