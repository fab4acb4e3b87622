"""The payouts table.

pk             sk             what
{batch id}     batch          a batch
{batch id}     {payout id}    one artisan's line; `by_artisan` lists an artisan's own
{batch id}     lane#{number}  how far the drafting of a large batch is, in one of its lanes
{batch id}     skip#{artisan} why an artisan with a payable balance is not in the batch
{payout id}    pointer        which batch a payout is in
{payout id}    report#...     what a rail reported, applied or not
artisan#{id}   totals         what is reserved for, and was paid to, an artisan
artisan#{id}   returned#...   a payout that came back; see `return_tables`
{bank file id} file, line#... a bank's report and what became of its lines; see `bank_file_tables`
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.sealing import seal, unseal
from chalicelib.edge.storage import Table, due_index, due_shard_of, meta, try_commit
from chalicelib.ledger.companions import Companion, all_of
from chalicelib.money import Money
from chalicelib.payouts.domain import (
    Destination,
    Payout,
    PayoutStatus,
    Report,
    Totals,
    UnknownPayout,
)
from chalicelib.payouts.limits import BANK

BATCH, POINTER, TOTALS, RETURNED = "batch", "pointer", "totals", "returned#"
SENDING = "send"
SENT_BY_QUEUE_WITHIN = timedelta(minutes=1)
PAGE_SIZE = 500
Key = dict[str, Any]
Opened = Callable[[], Destination]
"""Opens where a payout goes, when it is asked: one that cannot be opened is one payout's matter."""
Line = tuple[Payout, Opened]


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
    Meta: Any = meta("payouts", stream=True)
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
    rails = JSONAttribute(null=True)
    skipped = JSONAttribute(null=True)
    skipped_count = NumberAttribute(null=True)
    vouched_by = UnicodeAttribute(null=True)
    approved_by = UnicodeAttribute(null=True)
    approved_at = UnicodeAttribute(null=True)
    submitted_by = UnicodeAttribute(null=True)
    submitted_at = UnicodeAttribute(null=True)
    cancelled_by = UnicodeAttribute(null=True)
    cancelled_at = UnicodeAttribute(null=True)
    file_rules = JSONAttribute(null=True)
    file_sha256 = JSONAttribute(null=True)
    files_taken = UnicodeSetAttribute(null=True)
    work = UnicodeAttribute(null=True)
    work_step = NumberAttribute(null=True)
    work_after = UnicodeAttribute(null=True)
    batches = BatchesIndex()
    # The drafting of a batch: of the batch itself, or of one of its lanes
    plan_step = NumberAttribute(null=True)
    plan_key = JSONAttribute(null=True)
    plan_ended = BooleanAttribute(null=True)
    reserved_count = NumberAttribute(null=True)
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
    request_key = UnicodeAttribute(null=True)
    asks = NumberAttribute(null=True)
    by_artisan = ByArtisanIndex()
    # A report
    outcome = UnicodeAttribute(null=True)
    verdict = UnicodeAttribute(null=True)
    # An artisan's totals
    in_payout_minor = NumberAttribute(null=True)
    paid_minor = NumberAttribute(null=True)
    # A payout that came back
    confirmed_at = UnicodeAttribute(null=True)
    # A bank's report, or a line of one
    line = JSONAttribute(null=True)
    line_count = NumberAttribute(null=True)
    sha256 = UnicodeAttribute(null=True)


def mark_submitted(payouts: Sequence[Payout], at: datetime) -> bool:
    """Reserved payouts (at most 100) are sent out; False when one has moved on meanwhile."""

    def write(transaction: TransactWrite) -> None:
        for payout in payouts:
            _move_payout(transaction, payout, PayoutStatus.SUBMITTED, at)

    return not payouts or try_commit(write)


def reserving(payout: Payout, destination: Destination, fence: Companion) -> Companion:
    """The line of a batch, beside the entry that reserves it; refused where `fence` is."""
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
        reason=payout.reason,
        request_key=payout.request_key,
        sealed=seal(plain, payout.payout_id),
    )
    pointer = PayoutsTable(payout.payout_id, POINTER, batch_id=payout.batch_id)

    def write(transaction: TransactWrite) -> None:
        transaction.update(row, all_of(row), condition=PayoutsTable.pk.does_not_exist())
        transaction.update(pointer, all_of(pointer))
        _add_totals(transaction, payout, in_payout=1)
        fence(transaction)

    return write


def taking_out(payout: Payout, reason: str, at: datetime, fence: Condition) -> Companion:
    """A payout leaves its batch, beside the entry that makes it payable again.

    Refused where it has moved on, or the batch's row does not meet `fence`.
    """

    def write(transaction: TransactWrite) -> None:
        table = PayoutsTable
        transaction.update(
            PayoutsTable(payout.batch_id, payout.payout_id),
            [
                table.status.set(PayoutStatus.CANCELLED),
                table.changed_at.set(clock.to_text(at)),
                table.reason.set(reason),
            ],
            condition=table.status == payout.status,
        )
        _add_totals(transaction, payout, in_payout=-1)
        batch = PayoutsTable(payout.batch_id, BATCH)
        transaction.update(batch, [table.final_count.add(1)], condition=fence)

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
            transaction.update(*_returned(payout, at))
        if to in (PayoutStatus.PAID, PayoutStatus.FAILED):  # a return comes after one of these
            batch = PayoutsTable(payout.batch_id, BATCH)
            transaction.update(batch, [PayoutsTable.final_count.add(1)])

    return write


def _returned(payout: Payout, at: datetime) -> tuple[PayoutsTable, list[Action]]:
    """What keeps the next batches from paying to the same destination; see `return_tables`."""
    reserved_at = clock.to_text(payout.reserved_at)
    sort_key = f"{RETURNED}{reserved_at}#{payout.payout_id}"
    row = PayoutsTable(f"artisan#{payout.artisan_id}", sort_key)
    at_text = clock.to_text(at)
    table = PayoutsTable
    return row, [table.reserved_at.set(reserved_at), table.changed_at.set(at_text)]


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
    if payout.rail != BANK and to is PayoutStatus.SUBMITTED:  # till it ends, the sweep asks for it
        soon = clock.to_text(clock.now() + SENT_BY_QUEUE_WITHIN)
        shard = due_shard_of(SENDING, payout.payout_id)
        actions += [table.due_shard.set(shard), table.due_at.set(soon)]
    elif payout.rail != BANK:
        actions += [table.due_shard.remove(), table.due_at.remove()]
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
    """Keep what a rail reported and what we made of it, once per outcome, amount and reference."""
    PayoutsTable(
        report.payout_id,
        f"report#{report.outcome}#{report.amount.amount_minor}#{report.provider_reference or ''}",
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
    return find_line(payout_id)[0]


def find_line(payout_id: str) -> Line:
    """A payout with where it goes.

    Raises:
        UnknownPayout
    """
    try:
        pointer = PayoutsTable.get(payout_id, POINTER, consistent_read=True)
        return _line(PayoutsTable.get(pointer.batch_id, payout_id, consistent_read=True))
    except PayoutsTable.DoesNotExist:
        raise UnknownPayout("there is no such payout") from None


def find_in(batch_id: str, payout_id: str) -> Payout | None:
    try:
        return payout_of(PayoutsTable.get(batch_id, payout_id, consistent_read=True))
    except PayoutsTable.DoesNotExist:
        return None


def payouts_of(batch_id: str) -> list[Payout]:
    """All payouts of a batch in the order of their ids: for batches that are known to be small."""
    return [payout_of(row) for row in _lines(batch_id)]


def payouts_page(batch_id: str, limit: int, start: Key | None) -> tuple[list[Payout], Key | None]:
    """Payouts of a batch in the order of their ids, from behind a key."""
    found = _lines(batch_id, limit=limit, last_evaluated_key=start)
    return [payout_of(row) for row in found], found.last_evaluated_key


def payouts_behind(batch_id: str, payout_id: str | None, limit: int) -> list[Line]:
    """The payouts of a batch that follow a payout, with where they go."""
    start = None if payout_id is None else {"pk": {"S": batch_id}, "sk": {"S": payout_id}}
    return [_line(row) for row in _lines(batch_id, limit=limit, last_evaluated_key=start)]


def lines_of(batch_id: str, rail: str) -> Iterator[Line]:
    """A batch's payouts by a rail, with where they go, in the order of their ids, as needed."""
    by_rail = PayoutsTable.rail == rail
    return (_line(row) for row in _lines(batch_id, page_size=PAGE_SIZE, filter_condition=by_rail))


def amounts_of(batch_id: str) -> Iterator[tuple[str, PayoutStatus, int]]:
    """(rail, status, centimes) of every payout of a batch, and no more of it, read as needed."""
    wanted = ["pk", "sk", "rail", "status", "amount_minor"]
    for row in _lines(batch_id, page_size=PAGE_SIZE, attributes_to_get=wanted):
        yield str(row.rail), PayoutStatus(row.status), int(row.amount_minor or 0)


def known_payouts(batch_id: str, payout_ids: Sequence[str]) -> set[str]:
    """Those of these payouts (at most 100) that the batch has."""
    keys = [(batch_id, payout_id) for payout_id in payout_ids]
    found = PayoutsTable.batch_get(keys, consistent_read=True, attributes_to_get=["pk", "sk"])
    return {row.sk for row in found}


def _lines(batch_id: str, **options: Any) -> Any:
    lines: Condition = PayoutsTable.sk.startswith("pot_")
    return PayoutsTable.query(batch_id, lines, consistent_read=True, **options)


def _line(row: PayoutsTable) -> Line:
    payout = payout_of(row)

    def opened() -> Destination:
        plain = json.loads(unseal(bytes(row.sealed or b""), row.sk))
        return Destination(payout.rail, plain["value"], payout.masked, plain["name"])

    return payout, opened


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
        request_key=row.request_key,
        asks=int(row.asks or 0),
    )
