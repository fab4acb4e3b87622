"""Batches in the payouts table.

What is due of a batch: its drafting, or the work that an operator's move began. Each page of that
work puts it off, so that the sweep finds what nobody goes on with.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.edge.storage import due_shard_of, is_condition_failure, sweep_due
from chalicelib.money import Money
from chalicelib.payouts.domain import (
    Batch,
    BatchNotComplete,
    BatchStatus,
    IllegalBatchMove,
    RailTotal,
    UnknownBatch,
    Work,
)
from chalicelib.payouts.tables import BATCH, Key, PayoutsTable

DRAFTING, WORKING = "draft", "work"
FINISHED_BY_SWEEP_AFTER = timedelta(minutes=2)
FILES_TAKE = timedelta(minutes=5)


def begin(batch_id: str, drafted_by: str, at: datetime, finish_by: datetime) -> Batch:
    """The batch of this id, new or as it stands; the sweep finishes it at the latest."""
    row = PayoutsTable(
        batch_id,
        BATCH,
        status=BatchStatus.DRAFT,
        listed=BATCH,
        drafted_by=drafted_by,
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


def put_off(batch_id: str, until: datetime) -> None:
    """Somebody goes on with the drafting: the sweep looks again later."""
    row = PayoutsTable(batch_id, BATCH)
    still_drafted = PayoutsTable.payout_count.does_not_exist()
    _changed(row, [PayoutsTable.due_at.set(clock.to_text(until))], still_drafted)


def end_draft(
    batch_id: str,
    rails: Mapping[str, RailTotal],
    skipped: Mapping[str, str],
    skipped_count: int,
) -> Batch:
    """The batch is as long as it will be; nothing is added from here on."""
    table = PayoutsTable
    row = PayoutsTable(batch_id, BATCH)
    actions: list[Action] = [
        *_totals(rails),
        table.payout_count.set(sum(total.count for total in rails.values())),
        table.skipped.set(dict(skipped)),
        table.skipped_count.set(skipped_count),
        table.due_shard.remove(),
        table.due_at.remove(),
    ]
    ended = _changed(row, actions, table.payout_count.does_not_exist())
    return batch_of(row) if ended else find(batch_id)


def find(batch_id: str) -> Batch:
    """
    Raises:
        UnknownBatch
    """
    try:
        return batch_of(PayoutsTable.get(batch_id, BATCH, consistent_read=True))
    except PayoutsTable.DoesNotExist:
        raise UnknownBatch("there is no such batch") from None


def exists(batch_id: str) -> bool:
    return PayoutsTable.count(batch_id, PayoutsTable.sk == BATCH, consistent_read=True) > 0


def vouch(batch: Batch, operator: str) -> Batch:
    """The first of the two operators that a large batch without a drafter takes."""
    table = PayoutsTable
    row = PayoutsTable(batch.batch_id, BATCH)
    is_first = table.vouched_by.does_not_exist() & (table.status == BatchStatus.DRAFT)
    if _changed(row, [table.vouched_by.set(operator)], is_first):
        return batch_of(row)
    return find(batch.batch_id)


def approve(
    batch: Batch, operator: str, at: datetime, file_rules: Mapping[str, str | int]
) -> Batch:
    """The batch is approved as it is now; how its files are written is kept with it."""
    table = PayoutsTable
    return _begin_work(
        batch,
        Work.CHECK,
        [
            table.status.set(BatchStatus.APPROVED),
            table.approved_by.set(operator),
            table.approved_at.set(clock.to_text(at)),
            table.file_rules.set(dict(file_rules)),
        ],
    )


def submit(batch: Batch, operator: str, at: datetime) -> Batch:
    """The batch goes out."""
    table = PayoutsTable
    return _begin_work(
        batch,
        Work.CHECK,
        [
            table.status.set(BatchStatus.SUBMITTED),
            table.submitted_by.set(operator),
            table.submitted_at.set(clock.to_text(at)),
        ],
    )


def cancel(batch: Batch, operator: str, at: datetime) -> Batch:
    """The batch goes nowhere; refused when a file of it has just been handed out."""
    table = PayoutsTable
    return _begin_work(
        batch,
        Work.CANCEL,
        [
            table.status.set(BatchStatus.CANCELLED),
            table.cancelled_by.set(operator),
            table.cancelled_at.set(clock.to_text(at)),
        ],
        table.files_taken.does_not_exist(),
    )


def take_file(batch: Batch, rail: str) -> None:
    """A rail's file is handed out: what is in it may be paid from now on.

    Raises:
        BatchNotComplete: the batch has just been moved, and may change.
    """
    table = PayoutsTable
    row = PayoutsTable(batch.batch_id, BATCH)
    still = (table.status == batch.status) & table.work.does_not_exist()
    if not _changed(row, [table.files_taken.add({rail})], still):
        raise BatchNotComplete("the batch is still being worked on", retry_after_seconds=5)


def _begin_work(
    batch: Batch, work: Work, actions: list[Action], condition: Condition | None = None
) -> Batch:
    """
    Raises:
        IllegalBatchMove: somebody moved the batch a moment ago.
    """
    table = PayoutsTable
    row = PayoutsTable(batch.batch_id, BATCH)
    status = BatchStatus.SUBMITTED if batch.status is BatchStatus.CLOSED else batch.status
    unmoved = (table.status == status) & table.work.does_not_exist()
    started = [
        *actions,
        table.work.set(work),
        table.work_step.set(batch.work_step + 1),
        table.work_after.remove(),
        table.due_shard.set(due_shard_of(WORKING, batch.batch_id)),
        _due_soon(),
    ]
    if not _changed(row, started, unmoved if condition is None else unmoved & condition):
        raise IllegalBatchMove(f"the batch is not {batch.status} any more")
    return batch_of(row)


def at_step(batch: Batch) -> Condition:
    """The batch's work is where it was when the batch was read."""
    assert batch.work is not None
    table = PayoutsTable
    return (table.work == batch.work) & (table.work_step == batch.work_step)


def go_on(batch: Batch, work: Work | None, after: str | None, more: list[Action]) -> Batch:
    """The next page of the batch's work, its next work, or its end; as it is where it was moved."""
    table = PayoutsTable
    row = PayoutsTable(batch.batch_id, BATCH)
    actions = [*more, table.work_step.set(batch.work_step + 1)]
    actions.append(table.work_after.remove() if after is None else table.work_after.set(after))
    if work is None:
        actions += [table.work.remove(), table.due_shard.remove(), table.due_at.remove()]
    elif work is Work.FILE:  # by the sweep, unless whoever is here goes on at once
        actions += [table.work.set(work), table.due_at.set(clock.to_text(clock.now()))]
    else:
        actions += [table.work.set(work), _due_soon()]
    return batch_of(row) if _changed(row, actions, at_step(batch)) else find(batch.batch_id)


def claim_files(batch: Batch) -> bool:
    """Whoever writes the batch's files has them to itself for as long as that may take."""
    row, now = PayoutsTable(batch.batch_id, BATCH), clock.now()
    is_due = at_step(batch) & (PayoutsTable.due_at <= clock.to_text(now))
    return _changed(row, [PayoutsTable.due_at.set(clock.to_text(now + FILES_TAKE))], is_due)


def written(rails: Mapping[str, RailTotal], digests: Mapping[str, str]) -> list[Action]:
    """What is kept of the files that were written."""
    return [*_totals(rails), PayoutsTable.file_sha256.set(dict(digests))]


def _totals(rails: Mapping[str, RailTotal]) -> list[Action]:
    kept = {rail: [total.count, total.amount.amount_minor] for rail, total in rails.items()}
    total = sum(each.amount.amount_minor for each in rails.values())
    return [PayoutsTable.rails.set(kept), PayoutsTable.total_minor.set(total)]


def _due_soon() -> Action:
    return PayoutsTable.due_at.set(clock.to_text(clock.now() + FINISHED_BY_SWEEP_AFTER))


def _changed(row: PayoutsTable, actions: list[Action], condition: Condition) -> bool:
    try:
        row.update(actions, condition=condition)
    except UpdateError as error:
        if not is_condition_failure(error):
            raise
        return False
    return True


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
        rails={
            rail: RailTotal(int(count), Money(int(minor)))
            for rail, (count, minor) in (row.rails or {}).items()
        },
        in_lanes=row.plan_step is not None and not row.plan_ended,
        is_ending=bool(row.plan_ended),
        skipped=row.skipped,
        skipped_count=int(row.skipped_count or 0),
        vouched_by=row.vouched_by,
        approved_by=row.approved_by,
        approved_at=_moment(row.approved_at),
        submitted_by=row.submitted_by,
        submitted_at=_moment(row.submitted_at),
        cancelled_by=row.cancelled_by,
        cancelled_at=_moment(row.cancelled_at),
        file_rules=row.file_rules,
        file_sha256=row.file_sha256,
        files_taken=frozenset(row.files_taken or ()),
        work=None if row.work is None else Work(row.work),
        work_step=int(row.work_step or 0),
        work_after=row.work_after,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else clock.from_text(text)
