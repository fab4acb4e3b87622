"""What was taken for what an artisan owed, and what of it was given up, in the settlement table.

artisan#{id}   recovery#{cause}   taken from what was payable, beside its entry
artisan#{id}   writeoff#{id}      given up, by whom and why; above a limit two are needed
"""

from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import Table, is_condition_failure, meta
from chalicelib.ledger.companions import Companion, all_of
from chalicelib.money import Money
from chalicelib.settlement.owed_domain import UnknownWriteOff, WriteOff


class OwedTable(Table):
    Meta: Any = meta("settlement", stream=True)
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    owing_artisan = UnicodeAttribute(null=True)
    amount_minor = NumberAttribute(null=True)
    recovered_at = UnicodeAttribute(null=True)
    written_off_at = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    drafted_by = UnicodeAttribute(null=True)
    drafted_at = UnicodeAttribute(null=True)
    approved_by = UnicodeAttribute(null=True)


def recovered(cause: str, artisan_id: str, minor: int, at: datetime) -> Companion:
    """Keep what was taken, so that its artisan is told."""
    row = OwedTable(
        f"artisan#{artisan_id}",
        f"recovery#{cause}",
        owing_artisan=artisan_id,
        amount_minor=minor,
        recovered_at=clock.to_text(at),
    )

    def write(transaction: TransactWrite) -> None:
        transaction.update(row, all_of(row))

    return write


def draft(write_off: WriteOff) -> None:
    """Keep a write-off that waits for another operator; what is kept of it already stays."""
    try:
        _row(write_off).save(OwedTable.pk.does_not_exist())
    except PutError as error:
        if not is_condition_failure(error):
            raise


def posting(write_off: WriteOff) -> Companion:
    """Keep a write-off as posted, beside its entry."""
    row = _row(write_off)

    def write(transaction: TransactWrite) -> None:
        transaction.update(row, all_of(row), condition=OwedTable.written_off_at.does_not_exist())

    return write


def find(artisan_id: str, write_off_id: str) -> WriteOff:
    """
    Raises:
        UnknownWriteOff
    """
    try:
        key = (f"artisan#{artisan_id}", f"writeoff#{write_off_id}")
        return _write_off(OwedTable.get(*key, consistent_read=True))
    except OwedTable.DoesNotExist:
        raise UnknownWriteOff("there is no such write-off") from None


def write_offs_of(artisan_id: str, limit: int) -> list[WriteOff]:
    of_artisan = OwedTable.sk.startswith("writeoff#")
    rows = OwedTable.query(f"artisan#{artisan_id}", of_artisan, consistent_read=True, limit=limit)
    return [_write_off(row) for row in rows]


def _row(write_off: WriteOff) -> OwedTable:
    posted = write_off.posted_at
    return OwedTable(
        f"artisan#{write_off.artisan_id}",
        f"writeoff#{write_off.write_off_id}",
        owing_artisan=write_off.artisan_id,
        amount_minor=write_off.amount.amount_minor,
        reason=write_off.reason,
        drafted_by=write_off.drafted_by,
        drafted_at=clock.to_text(write_off.drafted_at),
        approved_by=write_off.approved_by,
        written_off_at=None if posted is None else clock.to_text(posted),
    )


def _write_off(row: OwedTable) -> WriteOff:
    posted = row.written_off_at
    return WriteOff(
        write_off_id=row.sk.removeprefix("writeoff#"),
        artisan_id=str(row.owing_artisan),
        amount=Money(int(row.amount_minor or 0)),
        reason=str(row.reason),
        drafted_by=str(row.drafted_by),
        drafted_at=clock.from_text(str(row.drafted_at)),
        approved_by=row.approved_by,
        posted_at=None if posted is None else clock.from_text(posted),
    )
