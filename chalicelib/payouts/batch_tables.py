"""Batches in the payouts table."""

from collections.abc import Mapping
from datetime import datetime

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.edge.storage import due_shard_of, is_condition_failure, sweep_due
from chalicelib.money import Money
from chalicelib.payouts.domain import Batch, BatchStatus, IllegalBatchMove, UnknownBatch
from chalicelib.payouts.tables import BATCH, Key, PayoutsTable

DRAFTING, SUBMITTING = "draft", "submit"


def begin(batch_id: str, operator: str, at: datetime, finish_by: datetime) -> Batch:
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
        return find(batch_id)
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
        return find(batch_id)
    return batch_of(row)


def find(batch_id: str) -> Batch:
    """
    Raises:
        UnknownBatch
    """
    try:
        return batch_of(PayoutsTable.get(batch_id, BATCH, consistent_read=True))
    except PayoutsTable.DoesNotExist:
        raise UnknownBatch("there is no such batch") from None


def approve(batch_id: str, operator: str, at: datetime) -> Batch:
    table = PayoutsTable
    return _move(
        batch_id,
        BatchStatus.DRAFT,
        [
            table.status.set(BatchStatus.APPROVED),
            table.approved_by.set(operator),
            table.approved_at.set(clock.to_text(at)),
        ],
    )


def submit(
    batch_id: str, operator: str, at: datetime, digests: Mapping[str, str], finish_by: datetime
) -> Batch:
    """The batch is out; the sweep marks its payouts where we do not come to it."""
    table = PayoutsTable
    return _move(
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


def _move(batch_id: str, current: BatchStatus, actions: list[Action]) -> Batch:
    row = PayoutsTable(batch_id, BATCH)
    try:
        row.update(actions, condition=PayoutsTable.status == current)
    except UpdateError as error:
        if is_condition_failure(error):
            raise IllegalBatchMove(f"the batch is not {current} any more") from error
        raise
    return batch_of(row)


def end_submission(batch_id: str) -> None:
    row = PayoutsTable(batch_id, BATCH)
    row.update([PayoutsTable.due_shard.remove(), PayoutsTable.due_at.remove()])


def due(kind: str) -> list[Batch]:
    return [batch_of(row) for row in sweep_due(PayoutsTable.due, kind)]


def page(limit: int, start: Key | None) -> tuple[list[Batch], Key | None]:
    """Batches, newest first."""
    result = PayoutsTable.batches.query(
        BATCH, limit=limit, last_evaluated_key=start, scan_index_forward=False
    )
    return [batch_of(row) for row in result], result.last_evaluated_key


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
