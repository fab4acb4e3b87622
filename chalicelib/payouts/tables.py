"""The payouts table.

pk             sk             what
{batch id}     batch          a batch
{batch id}     {payout id}    one artisan's line; `by_artisan` lists an artisan's own
{payout id}    pointer        which batch a payout is in
{payout id}    report#...     what a rail reported, applied or not
artisan#{id}   totals         what is reserved for, and was paid to, an artisan
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.sealing import seal, unseal
from chalicelib.edge.storage import (
    Table,
    commit,
    due_index,
    due_shard_of,
    is_condition_failure,
    meta,
    sweep_due,
)
from chalicelib.ledger.companions import Companion, all_of
from chalicelib.money import Money
from chalicelib.payouts.domain import (
    Batch,
    BatchStatus,
    Destination,
    IllegalBatchMove,
    Payout,
    PayoutStatus,
    Report,
    Totals,
    UnknownBatch,
    UnknownPayout,
)

BATCH, POINTER, TOTALS = "batch", "pointer", "totals"
DRAFTING, SUBMITTING = "draft", "submit"
CHUNK = 50
Key = dict[str, Any]


class BatchesIndex(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "batches"
        projection = AllProjection()

    listed = UnicodeAttribute(hash_key=True)
    drafted_at = UnicodeAttribute(range_key=True)


class ByArtisanIndex(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_artisan"
        projection = AllProjection()

    artisan_id = UnicodeAttribute(hash_key=True)
    reserved_at = UnicodeAttribute(range_key=True)


class PayoutsTable(Table):
    Meta: Any = meta("payouts")
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    status = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    due = due_index()
    # A batch
    listed = UnicodeAttribute(null=True)
    drafted_by = UnicodeAttribute(null=True)
    drafted_at = UnicodeAttribute(null=True)
    total_minor = NumberAttribute(null=True)
    payout_count = NumberAttribute(null=True)
    final_count = NumberAttribute(null=True)
    skipped = JSONAttribute(null=True)
    approved_by = UnicodeAttribute(null=True)
    approved_at = UnicodeAttribute(null=True)
    submitted_by = UnicodeAttribute(null=True)
    submitted_at = UnicodeAttribute(null=True)
    file_sha256 = JSONAttribute(null=True)
    batches = BatchesIndex()
    # A payout
    batch_id = UnicodeAttribute(null=True)
    artisan_id = UnicodeAttribute(null=True)
    reserved_at = UnicodeAttribute(null=True)
    amount_minor = NumberAttribute(null=True)
    rail = UnicodeAttribute(null=True)
    masked = UnicodeAttribute(null=True)
    sealed = BinaryAttribute(null=True, legacy_encoding=False)
    changed_at = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    provider_reference = UnicodeAttribute(null=True)
    by_artisan = ByArtisanIndex()
    # A report
    outcome = UnicodeAttribute(null=True)
    verdict = UnicodeAttribute(null=True)
    # An artisan's totals
    in_payout_minor = NumberAttribute(null=True)
    paid_minor = NumberAttribute(null=True)


def begin_batch(batch_id: str, operator: str, at: datetime, finish_by: datetime) -> Batch:
    """The batch of this id, new or as it stands; the sweep finishes it at the latest."""
    row = PayoutsTable(
        batch_id,
        BATCH,
        status=BatchStatus.DRAFT,
        listed=BATCH,
        drafted_by=operator,
        drafted_at=clock.to_text(at),
        due_shard=due_shard_of(DRAFTING, batch_id),
        due_at=clock.to_text(finish_by),
    )
    try:
        row.save(PayoutsTable.pk.does_not_exist())
    except PutError as error:
        if not is_condition_failure(error):
            raise
        return find_batch(batch_id)
    return batch_of(row)


def end_draft(batch_id: str, total: Money, count: int, skipped: Mapping[str, str]) -> Batch:
    """The batch is as long as it will be; nothing is added from here on."""
    table = PayoutsTable
    row = PayoutsTable(batch_id, BATCH)
    actions: list[Action] = [
        table.total_minor.set(total.amount_minor),
        table.payout_count.set(count),
        table.skipped.set(dict(skipped)),
        table.due_shard.remove(),
        table.due_at.remove(),
    ]
    try:
        row.update(actions, condition=table.payout_count.does_not_exist())
    except UpdateError as error:
        if not is_condition_failure(error):
            raise
        return find_batch(batch_id)
    return batch_of(row)


def find_batch(batch_id: str) -> Batch:
    """
    Raises:
        UnknownBatch
    """
    try:
        return batch_of(PayoutsTable.get(batch_id, BATCH, consistent_read=True))
    except PayoutsTable.DoesNotExist:
        raise UnknownBatch("there is no such batch") from None


def approve_batch(batch_id: str, operator: str, at: datetime) -> Batch:
    table = PayoutsTable
    return _move_batch(
        batch_id,
        BatchStatus.DRAFT,
        [
            table.status.set(BatchStatus.APPROVED),
            table.approved_by.set(operator),
            table.approved_at.set(clock.to_text(at)),
        ],
    )


def submit_batch(
    batch_id: str, operator: str, at: datetime, digests: Mapping[str, str], finish_by: datetime
) -> Batch:
    """The batch is out; the sweep marks its payouts where we do not come to it."""
    table = PayoutsTable
    return _move_batch(
        batch_id,
        BatchStatus.APPROVED,
        [
            table.status.set(BatchStatus.SUBMITTED),
            table.submitted_by.set(operator),
            table.submitted_at.set(clock.to_text(at)),
            table.file_sha256.set(dict(digests)),
            table.due_shard.set(due_shard_of(SUBMITTING, batch_id)),
            table.due_at.set(clock.to_text(finish_by)),
        ],
    )


def _move_batch(batch_id: str, current: BatchStatus, actions: list[Action]) -> Batch:
    row = PayoutsTable(batch_id, BATCH)
    try:
        row.update(actions, condition=PayoutsTable.status == current)
    except UpdateError as error:
        if is_condition_failure(error):
            raise IllegalBatchMove(f"the batch is not {current} any more") from error
        raise
    return batch_of(row)


def mark_submitted(payouts: Sequence[Payout], at: datetime) -> None:
    """Reserved payouts are sent out; those that have moved on meanwhile must not be named."""
    for start in range(0, len(payouts), CHUNK):
        chunk = payouts[start : start + CHUNK]

        def write(transaction: TransactWrite, chunk: Sequence[Payout] = chunk) -> None:
            for payout in chunk:
                _move_payout(transaction, payout, PayoutStatus.SUBMITTED, at)

        commit(write)


def end_submission(batch_id: str) -> None:
    row = PayoutsTable(batch_id, BATCH)
    row.update([PayoutsTable.due_shard.remove(), PayoutsTable.due_at.remove()])


def due_batches(kind: str) -> list[Batch]:
    return [batch_of(row) for row in sweep_due(PayoutsTable.due, kind)]


def reserving(payout: Payout, destination: Destination) -> Companion:
    """The line of a batch, beside the entry that reserves it."""
    plain = json.dumps({"value": destination.value, "name": destination.name}).encode()
    row = PayoutsTable(
        payout.batch_id,
        payout.payout_id,
        status=payout.status,
        batch_id=payout.batch_id,
        artisan_id=payout.artisan_id,
        reserved_at=clock.to_text(payout.reserved_at),
        changed_at=clock.to_text(payout.changed_at),
        amount_minor=payout.amount.amount_minor,
        rail=payout.rail,
        masked=payout.masked,
        sealed=seal(plain, payout.payout_id),
    )
    pointer = PayoutsTable(payout.payout_id, POINTER, batch_id=payout.batch_id)

    def write(transaction: TransactWrite) -> None:
        transaction.update(row, all_of(row), condition=PayoutsTable.pk.does_not_exist())
        transaction.update(pointer, all_of(pointer))
        _add_totals(transaction, payout, in_payout=1)

    return write


def moving(payout: Payout, to: PayoutStatus, report: Report, at: datetime) -> Companion:
    """A payout's next status with what follows from it, beside its entry."""

    def write(transaction: TransactWrite) -> None:
        _move_payout(transaction, payout, to, at, report)
        if to is PayoutStatus.PAID:
            _add_totals(transaction, payout, in_payout=-1, paid=1)
        elif to is PayoutStatus.FAILED:
            _add_totals(transaction, payout, in_payout=-1)
        elif to is PayoutStatus.RETURNED:
            _add_totals(transaction, payout, paid=-1)
        if to in (PayoutStatus.PAID, PayoutStatus.FAILED):  # a return comes after one of these
            batch = PayoutsTable(payout.batch_id, BATCH)
            transaction.update(batch, [PayoutsTable.final_count.add(1)])

    return write


def _move_payout(
    transaction: TransactWrite,
    payout: Payout,
    to: PayoutStatus,
    at: datetime,
    report: Report | None = None,
) -> None:
    table = PayoutsTable
    actions: list[Action] = [table.status.set(to), table.changed_at.set(clock.to_text(at))]
    if report is not None and report.reason:
        actions.append(table.reason.set(report.reason))
    if report is not None and report.provider_reference:
        actions.append(table.provider_reference.set(report.provider_reference))
    row = PayoutsTable(payout.batch_id, payout.payout_id)
    transaction.update(row, actions, condition=table.status == payout.status)


def _add_totals(
    transaction: TransactWrite, payout: Payout, *, in_payout: int = 0, paid: int = 0
) -> None:
    minor = payout.amount.amount_minor
    transaction.update(
        PayoutsTable(f"artisan#{payout.artisan_id}", TOTALS),
        [
            PayoutsTable.in_payout_minor.add(in_payout * minor),
            PayoutsTable.paid_minor.add(paid * minor),
        ],
    )


def keep_report(report: Report, verdict: str) -> None:
    """Keep what a rail reported and what we made of it, once per outcome and reference."""
    PayoutsTable(
        report.payout_id,
        f"report#{report.outcome}#{report.provider_reference or ''}",
        outcome=report.outcome,
        verdict=verdict,
        amount_minor=report.amount.amount_minor,
        reason=report.reason,
        provider_reference=report.provider_reference,
        changed_at=clock.to_text(report.occurred_at),
    ).save()


def find_payout(payout_id: str) -> Payout:
    """
    Raises:
        UnknownPayout
    """
    try:
        pointer = PayoutsTable.get(payout_id, POINTER, consistent_read=True)
        row = PayoutsTable.get(pointer.batch_id, payout_id, consistent_read=True)
    except PayoutsTable.DoesNotExist:
        raise UnknownPayout("there is no such payout") from None
    return payout_of(row)


def payouts_of(batch_id: str) -> list[Payout]:
    """The payouts of a batch in the order of their ids; one query."""
    return [payout_of(row) for row in _lines(batch_id)]


def destinations_of(batch_id: str) -> list[tuple[Payout, Destination]]:
    """The payouts of a batch with where they go, opened."""
    found = []
    for row in _lines(batch_id):
        plain = json.loads(unseal(bytes(row.sealed or b""), row.sk))
        payout = payout_of(row)
        there = Destination(payout.rail, plain["value"], payout.masked, plain["name"])
        found.append((payout, there))
    return found


def _lines(batch_id: str) -> list[PayoutsTable]:
    lines: Condition = PayoutsTable.sk.startswith("pot_")
    return list(PayoutsTable.query(batch_id, lines, consistent_read=True))


def batches_page(limit: int, start: Key | None) -> tuple[list[Batch], Key | None]:
    """Batches, newest first."""
    result = PayoutsTable.batches.query(
        BATCH, limit=limit, last_evaluated_key=start, scan_index_forward=False
    )
    return [batch_of(row) for row in result], result.last_evaluated_key


def artisan_page(artisan_id: str, limit: int, start: Key | None) -> tuple[list[Payout], Key | None]:
    """An artisan's payouts, newest first."""
    result = PayoutsTable.by_artisan.query(
        artisan_id, limit=limit, last_evaluated_key=start, scan_index_forward=False
    )
    return [payout_of(row) for row in result], result.last_evaluated_key


def totals_of(artisan_id: str) -> Totals:
    try:
        row = PayoutsTable.get(f"artisan#{artisan_id}", TOTALS, consistent_read=True)
    except PayoutsTable.DoesNotExist:
        return Totals()
    return Totals(Money(int(row.in_payout_minor or 0)), Money(int(row.paid_minor or 0)))


def payout_of(row: PayoutsTable) -> Payout:
    return Payout(
        payout_id=row.sk,
        batch_id=row.pk,
        artisan_id=str(row.artisan_id),
        amount=Money(int(row.amount_minor or 0)),
        rail=str(row.rail),
        masked=str(row.masked),
        status=PayoutStatus(row.status),
        reserved_at=clock.from_text(str(row.reserved_at)),
        changed_at=clock.from_text(str(row.changed_at)),
        reason=row.reason,
        provider_reference=row.provider_reference,
    )


def batch_of(row: PayoutsTable) -> Batch:
    """A batch; it is closed once all its payouts have come to an end."""
    status = BatchStatus(row.status)
    if status is BatchStatus.SUBMITTED and (row.final_count or 0) == row.payout_count:
        status = BatchStatus.CLOSED
    return Batch(
        batch_id=row.pk,
        status=status,
        drafted_by=str(row.drafted_by),
        drafted_at=clock.from_text(str(row.drafted_at)),
        is_complete=row.payout_count is not None,
        total=Money(int(row.total_minor or 0)),
        payout_count=int(row.payout_count or 0),
        skipped=row.skipped,
        approved_by=row.approved_by,
        approved_at=_moment(row.approved_at),
        submitted_by=row.submitted_by,
        submitted_at=_moment(row.submitted_at),
        file_sha256=row.file_sha256,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else clock.from_text(text)
