"""The payouts table.

pk             sk             what
{batch id}     batch          a batch
{batch id}     {payout id}    one artisan's line; `by_artisan` lists an artisan's own
{payout id}    pointer        which batch a payout is in
{payout id}    report#...     what a rail reported, applied or not
artisan#{id}   totals         what is reserved for, and was paid to, an artisan
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
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
    meta,
)
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

BATCH, POINTER, TOTALS = "batch", "pointer", "totals"
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


def mark_submitted(payouts: Sequence[Payout], at: datetime) -> None:
    """Reserved payouts are sent out; those that have moved on meanwhile must not be named."""
    for start in range(0, len(payouts), CHUNK):
        chunk = payouts[start : start + CHUNK]

        def write(transaction: TransactWrite, chunk: Sequence[Payout] = chunk) -> None:
            for payout in chunk:
                _move_payout(transaction, payout, PayoutStatus.SUBMITTED, at)

        commit(write)


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
