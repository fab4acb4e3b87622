"""What an operator's move has done to every payout of a batch, page by page.

Approved: who may not be paid any more is taken out, and the files are written. Submitted: the same
again at the last moment, but for those whose file was handed out; then every payout is marked and
handed to its rail. Cancelled: every payout is taken out. A small batch is done within the request.
A large one goes on through the queue, its files are written by the sweep, which has five minutes
where others have 25 seconds, and the sweep resumes what nobody goes on with.
"""

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import Artisan
from chalicelib.edge import queues
from chalicelib.edge.observability import count, log_failure
from chalicelib.edge.storage import is_outage
from chalicelib.errors import Conflict, Unavailable
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import CompanionRefused
from chalicelib.payouts import batch_tables, domain, files, limits, reserving, tables
from chalicelib.payouts.domain import Batch, Payout, PayoutStatus, Work
from chalicelib.payouts.messages import BatchToWorkOn, PayoutToSend
from chalicelib.payouts.totals import totals_of

PAGE = 50
AT_ONCE = 200
"""Payouts of a batch that is done within a request; a larger one goes through the queue."""
STEPS_PER_MESSAGE = 4
ATTEMPTS = 3


def go_on(batch: Batch) -> Batch:
    """Do the batch's work where it is small, or else have it done."""
    if batch.payout_count > AT_ONCE:
        _send(batch)
        return batch
    while batch.work is not None:
        batch = _step(batch)
    return batch


def resume(batch: Batch) -> Batch:
    """Go on with a batch that nobody goes on with, or whose files are to be written."""
    if batch.work is Work.FILE and batch_tables.claim_files(batch):
        batch = _step(batch)
    return go_on(batch)


def work_on(batch_id: str, step: int) -> None:
    """Do some pages of the batch's work and have the next ones done; what was done is left alone.

    Raises:
        UnknownBatch. Outages: the page comes again.
    """
    batch = batch_tables.find(batch_id)
    if batch.work_step != step:
        return
    for _ in range(STEPS_PER_MESSAGE):
        if batch.work in (None, Work.FILE):
            break
        batch = _step(batch)
    _send(batch)


def _send(batch: Batch) -> None:
    if batch.work not in (None, Work.FILE):
        message = BatchToWorkOn(batch_id=batch.batch_id, step=batch.work_step)
        queues.send("payouts", message, group=batch.batch_id)


def _step(batch: Batch) -> Batch:
    """One page of the batch's work, or its files; the batch as it is then."""
    assert batch.work is not None
    if batch.work is Work.FILE:
        rails = totals_of(batch.batch_id)
        digests = files.write(batch, rails)
        following = domain.work_after(batch.work, batch.status)
        return batch_tables.go_on(batch, following, None, batch_tables.written(rails, digests))
    page = tables.payouts_behind(batch.batch_id, batch.work_after, PAGE)
    {Work.CHECK: _check, Work.CANCEL: _cancel, Work.SEND: _hand_over}[batch.work](batch, page)
    if len(page) == PAGE:
        return batch_tables.go_on(batch, batch.work, page[-1][0].payout_id, [])
    return batch_tables.go_on(batch, domain.work_after(batch.work, batch.status), None, [])


def _check(batch: Batch, page: list[tables.Line]) -> None:
    """Take out who may not be paid any more; what was handed out to a rail stays."""
    waiting = [
        line
        for line in page
        if line[0].status is PayoutStatus.RESERVED and line[0].rail not in batch.files_taken
    ]
    known = _known_artisans([payout.artisan_id for payout, _ in waiting])
    for payout, opened in waiting:
        why_not = _why_not_any_more(payout, opened, known.get(payout.artisan_id))
        if why_not is not None:
            _take_out(batch, payout, why_not)


def _known_artisans(artisan_ids: list[str]) -> dict[str, Artisan]:
    """Those that could be read together; one that cannot be read keeps no other back."""
    try:
        return artisans.artisans_of(artisan_ids) if artisan_ids else {}
    except Exception as error:  # Whatever it is, each is read by itself afterwards.
        if is_outage(error):
            raise
        return {}


def _why_not_any_more(payout: Payout, opened: tables.Opened, known: Artisan | None) -> str | None:
    """Why a reserved payout must not go out; what fails for one keeps no other back (P9)."""
    try:
        there, now = opened(), reserving.destination_of(payout.artisan_id, known)
    except Unavailable:
        raise
    except Exception as error:
        if is_outage(error):
            raise
        count("PayoutNotChecked")
        log_failure("payout not checked", error, payout_id=payout.payout_id)
        return "not_checked"
    if isinstance(now, str):
        return now
    if (now.rail, now.value) != (there.rail, there.value):
        return "destination_changed"
    return limits.why_not_reachable(there.rail, there.value)


def _cancel(batch: Batch, page: list[tables.Line]) -> None:
    for payout, _ in page:
        if payout.status is PayoutStatus.RESERVED:
            _take_out(batch, payout, "batch_cancelled")


def _take_out(batch: Batch, payout: Payout, reason: str) -> None:
    """The payout's money is payable again; nothing where another was faster."""
    now = clock.now()
    entry = domain.outcome_entry(payout, PayoutStatus.CANCELLED, now)
    companion = tables.taking_out(payout, reason, now, batch_tables.at_step(batch))
    try:
        ledger.post(entry, also=companion)
    except CompanionRefused:
        count("PayoutMovedMeanwhile")


def _hand_over(batch: Batch, page: list[tables.Line]) -> None:
    """Mark the page's payouts as sent out, then have those sent that go by API.

    Raises:
        Conflict: they keep being changed; the page comes again.
    """
    assert batch.submitted_at is not None
    payouts = [payout for payout, _ in page]
    for _ in range(ATTEMPTS):
        waiting = [one for one in payouts if one.status is PayoutStatus.RESERVED]
        if tables.mark_submitted(waiting, batch.submitted_at):
            break
        again = tables.payouts_behind(batch.batch_id, batch.work_after, PAGE)
        payouts = [payout for payout, _ in again]
    else:
        raise Conflict("the payouts keep being changed", retry_after_seconds=1)
    for payout in payouts:
        sent_out = payout.status in (PayoutStatus.RESERVED, PayoutStatus.SUBMITTED)
        if sent_out and payout.rail != limits.BANK:
            queues.send("payouts", PayoutToSend(payout_id=payout.payout_id), payout.artisan_id)
