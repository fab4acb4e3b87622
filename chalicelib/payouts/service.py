"""Drafting, approving and sending out batches of payouts, and what the rails report of them."""

from collections.abc import Callable
from dataclasses import replace

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.observability import count, log_failure
from chalicelib.edge.sweeps import each_apart
from chalicelib.errors import MarketplaceError
from chalicelib.money import Money
from chalicelib.payouts import (
    bank_reports,
    batch_tables,
    domain,
    drafting,
    files,
    outcomes,
    plan_tables,
    requests,
    schedule,
    sending,
    tables,
    working,
)
from chalicelib.payouts.domain import (
    Batch,
    BatchStatus,
    Payout,
    Report,
)
from chalicelib.settlement import service as settlement

SHOWN_PAYOUTS = 200


def draft_batch(operator: str, idempotency_key: str) -> Batch:
    """Select who can be paid and reserve each payout in the ledger.

    The batch follows from operator and key, each payout from batch and artisan: a repeat after a
    crash goes on where it stopped, and so does the sweep. A large batch is not complete at once.
    """
    return drafting.draft(domain.batch_id_of(operator, idempotency_key), operator)


def draft_lane(batch_id: str, lane: int, step: int) -> None:
    """Draft the next page of a large batch."""
    drafting.draft_lane(batch_id, lane, step)


def work_on(batch_id: str, step: int) -> None:
    """Go on with what an operator's move has done to a large batch."""
    working.work_on(batch_id, step)


def approve_batch(batch_id: str, operator: str) -> Batch:
    """Approve a batch, or vouch for it where two operators have to; asks again who may be paid.

    Raises:
        UnknownBatch, BatchNotComplete, IllegalBatchMove, FourEyesRequired.
    """
    batch = _rested(batch_id)
    domain.check_batch_move(batch, BatchStatus.APPROVED)
    limit_minor = settings().payout_four_eyes_minor
    if domain.needs_vouching(batch, limit_minor):
        return batch_tables.vouch(batch, operator)
    domain.check_four_eyes(batch, operator, limit_minor)
    return working.go_on(batch_tables.approve(batch, operator, clock.now(), files.rules_now()))


def submit_batch(batch_id: str, operator: str) -> Batch:
    """Note that the bank's file goes out, and have the other payouts sent to their rails.

    Raises:
        UnknownBatch, BatchNotComplete, IllegalBatchMove.
    """
    batch = _rested(batch_id)
    domain.check_batch_move(batch, BatchStatus.SUBMITTED)
    return working.go_on(batch_tables.submit(batch, operator, clock.now()))


def cancel_batch(batch_id: str, operator: str) -> Batch:
    """Call a batch off: every payout of it is payable again, by an entry of its own.

    Raises:
        UnknownBatch, BatchNotComplete, IllegalBatchMove.
        FileTaken: a file of it was handed out.
    """
    batch = _rested(batch_id)
    domain.check_batch_move(batch, BatchStatus.CANCELLED)
    return working.go_on(batch_tables.cancel(batch, operator, clock.now()))


def _rested(batch_id: str) -> Batch:
    """The batch, after what a crash left half done of it."""
    batch = batch_tables.find(batch_id)
    return batch if batch.work is None else working.go_on(batch)


def request_payout(artisan_id: str, idempotency_key: str) -> Payout:
    """An artisan asks to be paid now.

    Raises:
        NotPayableNow, PayoutRequestedToday: see `requests`.
    """
    return requests.request_payout(artisan_id, idempotency_key)


def sweep() -> None:
    """Draft what is scheduled, finish what was left half done, ask about what is unknown."""
    steps = (finish_batches, bank_reports.finish_files, sending.ask_unknown)
    each_apart((schedule.draft_scheduled, *steps))


def finish_batches() -> None:
    """Finish what a crash left half done: drafts, and the work that operators' moves began."""
    kinds: tuple[tuple[str, Callable[[Batch], Batch]], ...] = (
        (batch_tables.DRAFTING, drafting.go_on),
        (batch_tables.WORKING, working.resume),
    )
    for kind, finish in kinds:
        for batch in batch_tables.due(kind):
            try:
                finish(batch_tables.find(batch.batch_id))  # the index lags
            except MarketplaceError as error:
                count("PayoutBatchStuck", code=error.code)
                log_failure("batch not finished", error, batch_id=batch.batch_id)


def batch(batch_id: str) -> tuple[Batch, list[Payout]]:
    """A batch and the first of its payouts; of one that is being drafted, how many it has so far.

    Raises:
        UnknownBatch.
    """
    found = batch_tables.find(batch_id)
    if found.in_lanes and not found.is_complete:
        found = replace(found, payout_count=drafting.reserved_so_far(batch_id))
    return found, tables.payouts_page(batch_id, SHOWN_PAYOUTS, None)[0]


def payouts_in(
    batch_id: str, limit: int, start: tables.Key | None
) -> tuple[list[Payout], tables.Key | None]:
    """
    Raises:
        UnknownBatch.
    """
    batch_tables.find(batch_id)
    return tables.payouts_page(batch_id, limit, start)


def skipped_in(
    batch_id: str, limit: int, start: tables.Key | None
) -> tuple[dict[str, str], tables.Key | None]:
    """Who has a balance to be paid and is not in the batch, and why.

    Raises:
        UnknownBatch.
    """
    batch_tables.find(batch_id)
    return plan_tables.skipped_page(batch_id, limit, start)


def batches(limit: int, start: tables.Key | None) -> tuple[list[Batch], tables.Key | None]:
    return batch_tables.page(limit, start)


def payouts_to(
    artisan_id: str, limit: int, start: tables.Key | None
) -> tuple[list[Payout], tables.Key | None]:
    return tables.artisan_page(artisan_id, limit, start)


def rail_file(batch_id: str, rail: str | None) -> files.FoundFile:
    """The file of a batch for a rail: the bank's where none is named, or else the first there is.

    From here on the rail's payouts count as handed out: they stay in the batch, whatever becomes of
    their artisans, and the batch cannot be cancelled.

    Raises:
        UnknownBatch. BatchNotApproved: there is no file before. BatchNotComplete. NoSuchRail.
    """
    batch = _rested(batch_id)
    if batch.approved_at is None or batch.status is BatchStatus.CANCELLED:
        raise domain.BatchNotApproved(f"a batch that is {batch.status} has no file")
    if batch.work is not None and batch.work is not domain.Work.SEND:
        raise domain.BatchNotComplete("the files are being written", retry_after_seconds=5)
    if rail is not None and rail not in batch.rails:
        raise domain.NoSuchRail("the batch pays nobody by this rail", param="rail")
    chosen = rail or (files.BANK if files.BANK in batch.rails else next(iter(batch.rails), None))
    if chosen is None:  # a bank file would have to have a payout
        return files.empty()
    if batch.status is BatchStatus.APPROVED:
        batch_tables.take_file(batch, chosen)
    return files.found(batch, chosen)


def record_report(report: Report) -> None:
    """Apply what a rail reports of a payout, if it is news; keep it in any case.

    Raises:
        UnknownPayout, PayoutNotSubmitted: the report comes again later.
    """
    outcomes.record_report(report)


def balance_of(artisan_id: str) -> dict[str, Money]:
    """An artisan's money by where it is, in two reads."""
    totals = tables.totals_of(artisan_id)
    return settlement.balances(artisan_id) | {
        "in_payout": totals.in_payout,
        "paid_out": totals.paid_out,
    }
