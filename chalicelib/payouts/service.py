"""Drafting, approving and sending out batches of payouts, and what the rails report of them."""

import hashlib
from datetime import timedelta

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.config import settings
from chalicelib.edge.observability import count, log_failure, logger
from chalicelib.errors import Conflict, MarketplaceError, NotFound
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import CompanionRefused, InsufficientFunds
from chalicelib.money import Money
from chalicelib.payouts import batch_tables, domain, files, tables
from chalicelib.payouts.domain import (
    Batch,
    BatchStatus,
    Destination,
    Payout,
    PayoutStatus,
    Report,
)
from chalicelib.settlement import service as settlement

ATTEMPTS = 3
MAX_SKIPPED_KEPT = 100
FINISHED_BY_SWEEP_AFTER = timedelta(minutes=2)


def draft_batch(operator: str, idempotency_key: str) -> Batch:
    """Select who can be paid and reserve each payout in the ledger.

    The batch follows from operator and key, each payout from batch and artisan: a repeat after a
    crash goes on where it stopped, and so does the sweep.
    """
    now = clock.now()
    batch_id = domain.batch_id_of(operator, idempotency_key)
    batch = batch_tables.begin(batch_id, operator, now, now + FINISHED_BY_SWEEP_AFTER)
    return batch if batch.is_complete else _complete_draft(batch)


def _complete_draft(batch: Batch) -> Batch:
    reserved = {payout.artisan_id for payout in tables.payouts_of(batch.batch_id)}
    skipped: dict[str, str] = {}
    minimum = Money(max(1, settings().payout_minimum_minor))
    for artisan_id, _ in ledger.accounts_with_at_least("artisan_payable", minimum):
        if artisan_id in reserved:
            continue
        if len(reserved) == domain.MAX_PAYOUTS_PER_BATCH:
            break
        why_not = _reserve(batch, artisan_id, minimum)
        if why_not is None:
            reserved.add(artisan_id)
        elif len(skipped) < MAX_SKIPPED_KEPT:
            skipped[artisan_id] = why_not
    payouts = tables.payouts_of(batch.batch_id)
    total = Money(sum(payout.amount.amount_minor for payout in payouts))
    return batch_tables.end_draft(batch.batch_id, total, len(payouts), skipped)


def _reserve(batch: Batch, artisan_id: str, minimum: Money) -> str | None:
    """Reserve what is payable to an artisan for a batch; why not, where that cannot be.

    What they owe is taken first, so that nobody is paid what they have to give back.
    """
    destination = _destination_of(artisan_id)
    if isinstance(destination, str):
        return destination
    amount = settlement.recover(batch.batch_id, artisan_id)
    if amount.amount_minor < minimum.amount_minor:
        return "below_minimum"
    now = clock.now()
    payout = Payout(
        payout_id=domain.payout_id_of(batch.batch_id, artisan_id),
        batch_id=batch.batch_id,
        artisan_id=artisan_id,
        amount=amount,
        rail=destination.rail,
        masked=destination.masked,
        status=PayoutStatus.RESERVED,
        reserved_at=now,
        changed_at=now,
    )
    entry = domain.reserve_entry(batch.batch_id, artisan_id, amount, destination.rail, now)
    try:
        ledger.post(entry, also=tables.reserving(payout, destination))
    except (InsufficientFunds, CompanionRefused):
        return "balance_changed"  # The index lagged, or another batch took it a moment ago.
    return None


def _destination_of(artisan_id: str) -> Destination | str:
    """Where an artisan may be paid now, or why they may not."""
    try:
        artisan = artisans.artisan(artisan_id)
        found = artisans.payout_destination(artisan_id)
    except NotFound:
        return "not_registered"
    why_not = domain.why_not_paid(artisan, found, clock.now())
    if why_not is not None or found is None:
        return why_not or "no_destination"
    return Destination(found.kind, found.value, found.masked, artisan.profile.name)


def approve_batch(batch_id: str, operator: str) -> Batch:
    """
    Raises:
        UnknownBatch, BatchNotComplete, IllegalBatchMove, FourEyesRequired.
    """
    batch = batch_tables.find(batch_id)
    domain.check_batch_move(batch, BatchStatus.APPROVED)
    domain.check_four_eyes(batch, operator, settings().payout_four_eyes_minor)
    return batch_tables.approve(batch_id, operator, clock.now())


def submit_batch(batch_id: str, operator: str) -> Batch:
    """Note that the files go out, keep their digests, and mark the payouts.

    Raises:
        UnknownBatch, BatchNotComplete, IllegalBatchMove.
    """
    batch = batch_tables.find(batch_id)
    domain.check_batch_move(batch, BatchStatus.SUBMITTED)
    digests = {
        rail: hashlib.sha256(found.content.encode()).hexdigest()
        for rail, found in _files(batch).items()
    }
    now = clock.now()
    submitted = batch_tables.submit(batch_id, operator, now, digests, now + FINISHED_BY_SWEEP_AFTER)
    _mark_payouts(submitted)
    return submitted


def _mark_payouts(batch: Batch) -> None:
    waiting = [
        payout
        for payout in tables.payouts_of(batch.batch_id)
        if payout.status is PayoutStatus.RESERVED
    ]
    assert batch.submitted_at is not None
    tables.mark_submitted(waiting, batch.submitted_at)
    batch_tables.end_submission(batch.batch_id)


def finish_batches() -> None:
    """Finish what a crash left half done: drafts, and payouts of batches that are out."""
    for kind, finish in (
        (batch_tables.DRAFTING, _complete_draft),
        (batch_tables.SUBMITTING, _mark_payouts),
    ):
        for batch in batch_tables.due(kind):
            try:
                finish(batch)
            except MarketplaceError as error:
                count("PayoutBatchStuck", code=error.code)
                log_failure("batch not finished", error, batch_id=batch.batch_id)


def batch(batch_id: str) -> tuple[Batch, list[Payout]]:
    """
    Raises:
        UnknownBatch.
    """
    return batch_tables.find(batch_id), tables.payouts_of(batch_id)


def batches(limit: int, start: tables.Key | None) -> tuple[list[Batch], tables.Key | None]:
    return batch_tables.page(limit, start)


def payouts_to(
    artisan_id: str, limit: int, start: tables.Key | None
) -> tuple[list[Payout], tables.Key | None]:
    return tables.artisan_page(artisan_id, limit, start)


def rail_file(batch_id: str, rail: str | None) -> files.RailFile:
    """The file of a batch for a rail: the bank's where none is named, or else the first there is.

    Raises:
        UnknownBatch. BatchNotApproved: there is no file before. NoSuchRail.
    """
    batch = batch_tables.find(batch_id)
    if batch.approved_at is None:
        raise domain.BatchNotApproved("approve the batch first")
    found = _files(batch)
    if rail is not None and rail not in found:
        raise domain.NoSuchRail("the batch pays nobody by this rail", param="rail")
    chosen = rail or (files.BANK if files.BANK in found else next(iter(found), None))
    return files.empty_file() if chosen is None else found[chosen]


def _files(batch: Batch) -> dict[str, files.RailFile]:
    lines = tables.destinations_of(batch.batch_id)
    return files.files_of(batch, lines, settings().debtor_rib)


def record_report(report: Report) -> None:
    """Apply what a rail reports of a payout, if it is news; keep it in any case.

    Raises:
        UnknownPayout, PayoutNotSubmitted: the report comes again later.
    """
    for _ in range(ATTEMPTS):
        payout = tables.find_payout(report.payout_id)
        if payout.amount != report.amount:
            _refuse_report(report, "amount_differs")
            return
        steps = domain.steps_to(payout.status, report.outcome)
        if not steps:
            _keep_stale(report, payout)
            return
        if _applied(payout, steps[0], report) and len(steps) == 1:
            tables.keep_report(report, "applied")
            return
    raise Conflict("the payout keeps being changed", retry_after_seconds=1)


def _applied(payout: Payout, to: PayoutStatus, report: Report) -> bool:
    """False when somebody was faster; what the payout is now has to be looked at again."""
    now = clock.now()
    entry = domain.outcome_entry(payout, to, now)
    try:
        return ledger.post(entry, also=tables.moving(payout, to, report, now))
    except CompanionRefused:
        return False


def _keep_stale(report: Report, payout: Payout) -> None:
    verdict = domain.verdict_of_stale(payout.status, report.outcome)
    if verdict is None:
        _refuse_report(report, f"contradicts_{payout.status}")
    else:
        tables.keep_report(report, verdict)


def _refuse_report(report: Report, verdict: str) -> None:
    """Somebody has to look at this: it is kept, and moves nothing."""
    count("PayoutReportRefused", verdict=verdict)
    logger.error("payout report refused", payout_id=report.payout_id, verdict=verdict)
    tables.keep_report(report, verdict)


def balance_of(artisan_id: str) -> dict[str, Money]:
    """An artisan's money by where it is, in two reads."""
    totals = tables.totals_of(artisan_id)
    return settlement.balances(artisan_id) | {
        "in_payout": totals.in_payout,
        "paid_out": totals.paid_out,
    }
