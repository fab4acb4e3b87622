"""Banks' reports and their lines in the payouts table.

pk               sk             what
{bank file id}   file           a report; due until all that follows from it is done
{bank file id}   line#00001     a line of it, with its result
{batch id}       debit#{key}    a debit of a whole file whose sum did not fit, and where it stands
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.sealing import seal, unseal
from chalicelib.edge.storage import commit, due_shard_of, sweep_due
from chalicelib.payouts.bank_files import (
    BankFile,
    BankLine,
    LineResult,
    Taken,
    UnknownBankFile,
    as_json,
    credit_as_text,
    credit_from_text,
    from_json,
)
from chalicelib.payouts.tables import Key, PayoutsTable

FILE, LINE, DEBIT = "file", "line#", "debit#"
BANK_FILE = "bank"
MOST_AT_ONCE = 100


def is_kept(file_id: str) -> bool:
    return PayoutsTable.count(file_id, PayoutsTable.sk == FILE, consistent_read=True) > 0


def add(found: BankFile, lines: Sequence[BankLine], finish_by: datetime) -> None:
    """Keep a report: its lines first, so that a report that is seen is whole.

    By transactions, since nothing here ever deletes a row and a batch of writes could.
    """

    def write(transaction: TransactWrite, page: Sequence[BankLine]) -> None:
        for line in page:
            transaction.save(_row_of(found.file_id, line))

    for start in range(0, len(lines), MOST_AT_ONCE):
        page = lines[start : start + MOST_AT_ONCE]
        commit(partial(write, page=page))
    PayoutsTable(
        found.file_id,
        FILE,
        rail=found.kind,
        sha256=found.sha256,
        line_count=found.line_count,
        reserved_at=clock.to_text(clock.now()),
        due_shard=due_shard_of(BANK_FILE, found.file_id),
        due_at=clock.to_text(finish_by),
    ).save()


def _row_of(file_id: str, line: BankLine) -> PayoutsTable:
    row = PayoutsTable(file_id, _sort_key(line.number), line=as_json(line))
    row.verdict = LineResult.WAITING
    if line.credit is not None:
        row.sealed = seal(credit_as_text(line.credit).encode(), f"{row.pk}#{row.sk}")
    return row


def find(file_id: str) -> BankFile:
    """
    Raises:
        UnknownBankFile
    """
    try:
        row = PayoutsTable.get(file_id, FILE, consistent_read=True)
    except PayoutsTable.DoesNotExist:
        raise UnknownBankFile("there is no such bank file") from None
    return BankFile(file_id, str(row.rail), str(row.sha256), int(row.line_count or 0))


def lines_of(file_id: str) -> Iterator[Taken]:
    """The lines of a report in their order, as needed."""
    is_line = PayoutsTable.sk.startswith(LINE)
    return (_taken(row) for row in PayoutsTable.query(file_id, is_line, consistent_read=True))


def lines_page(file_id: str, limit: int, start: Key | None) -> tuple[list[Taken], Key | None]:
    found: Any = PayoutsTable.query(
        file_id,
        PayoutsTable.sk.startswith(LINE),
        limit=limit,
        last_evaluated_key=start,
        consistent_read=True,
    )
    return [_taken(row) for row in found], found.last_evaluated_key


def find_line(file_id: str, number: int) -> Taken:
    return _taken(PayoutsTable.get(file_id, _sort_key(number), consistent_read=True))


def keep(file_id: str, taken: Taken) -> None:
    """What has become of a line; the same whoever keeps it, since it follows from the payouts."""
    table = PayoutsTable
    actions = [table.verdict.set(taken.result)]
    for column, value in ((table.reason, taken.detail), (table.work_after, taken.after)):
        actions.append(column.remove() if value is None else column.set(value))
    PayoutsTable(file_id, _sort_key(taken.line.number)).update(actions)


def put_off(file_id: str, until: datetime) -> None:
    _change_due(file_id, [PayoutsTable.due_at.set(clock.to_text(until))])


def end(file_id: str) -> None:
    """All that follows from the report is done."""
    _change_due(file_id, [PayoutsTable.due_shard.remove(), PayoutsTable.due_at.remove()])


def reopen(file_id: str, at: datetime) -> None:
    """A line of a report that had ended is to be dealt with again, by the next sweep."""
    shard = PayoutsTable.due_shard.set(due_shard_of(BANK_FILE, file_id))
    _change_due(file_id, [shard, PayoutsTable.due_at.set(clock.to_text(at))])


def _change_due(file_id: str, actions: list[Any]) -> None:
    PayoutsTable(file_id, FILE).update(actions, condition=PayoutsTable.pk.exists())


def due() -> Iterator[str]:
    return (row.pk for row in sweep_due(PayoutsTable.due, BANK_FILE))


def park_debit(file_id: str, line: BankLine) -> None:
    """A debit of a whole file does not fit yet: it is looked at again when one of it has failed."""
    row = PayoutsTable(str(line.batch_id), f"{DEBIT}{line.key}")
    row.update([PayoutsTable.line.set({"file_id": file_id, "number": line.number})])


def parked_debits(batch_id: str) -> list[tuple[str, int]]:
    """(bank file, number of the line) of each debit that did not fit."""
    is_debit = PayoutsTable.sk.startswith(DEBIT)
    found = PayoutsTable.query(batch_id, is_debit, consistent_read=True)
    return [(str(row.line["file_id"]), int(row.line["number"])) for row in found]


def _sort_key(number: int) -> str:
    return f"{LINE}{number:05d}"


def _taken(row: PayoutsTable) -> Taken:
    assert row.line is not None
    credit = None
    if row.sealed is not None:
        credit = credit_from_text(unseal(bytes(row.sealed), f"{row.pk}#{row.sk}").decode())
    return Taken(from_json(row.line, credit), LineResult(row.verdict), row.reason, row.work_after)
