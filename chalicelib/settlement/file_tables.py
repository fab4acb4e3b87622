"""Settlement files and their lines in the settlement table."""

from datetime import datetime
from typing import Any

from pynamodb.exceptions import PutError, TransactWriteError, UpdateError
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import (
    commit,
    due_shard_of,
    failed_conditions,
    is_condition_failure,
    sweep_due,
)
from chalicelib.ledger.companions import Companion, all_of
from chalicelib.ledger.domain import CURRENCY
from chalicelib.money import Money
from chalicelib.settlement.domain import SettledPayment
from chalicelib.settlement.profiles import LineType
from chalicelib.settlement.provider_files import (
    FileLine,
    Judged,
    LineResult,
    ProviderFile,
    UnknownReconciliation,
    file_id_of,
    line_id_of,
    split_line_id,
)
from chalicelib.settlement.tables import PAYMENT, SettlementTable, confirm

FILE, LINE = "file", "line#"


def add_file(found: ProviderFile, at: datetime, finish_by: datetime) -> None:
    """Keep a file, unless it is kept; the sweep finishes it at the latest."""
    row = SettlementTable(
        f"file#{found.file_id}",
        FILE,
        provider=found.provider,
        profile=found.profile,
        sha256=found.sha256,
        line_count=found.line_count,
        imported_at=clock.to_text(at),
        due_shard=due_shard_of(FILE, found.file_id),
        due_at=clock.to_text(finish_by),
    )
    try:
        row.save(SettlementTable.pk.does_not_exist())
    except PutError as error:
        if not is_condition_failure(error):
            raise


def end_file(file_id: str) -> None:
    """All that follows from a file is done."""
    row = SettlementTable(f"file#{file_id}", FILE)
    row.update([SettlementTable.due_shard.remove(), SettlementTable.due_at.remove()])


def note_taken(file_id: str, taken_count: int, finish_by: datetime) -> None:
    """So many lines of a long file were taken; the sweep goes on with it from `finish_by`."""
    table = SettlementTable
    row = table(f"file#{file_id}", FILE)
    actions = [table.taken_count.set(taken_count), table.due_at.set(clock.to_text(finish_by))]
    before = table.taken_count.does_not_exist() | (table.taken_count <= taken_count)
    try:
        row.update(actions, condition=before & table.due_at.exists())
    except UpdateError as error:
        if not is_condition_failure(error):
            raise


def due_files() -> list[ProviderFile]:
    return [_file(row) for row in sweep_due(SettlementTable.due, FILE)]


def find_file(file_id: str) -> ProviderFile:
    """
    Raises:
        UnknownReconciliation: there is none.
    """
    try:
        return _file(SettlementTable.get(f"file#{file_id}", FILE, consistent_read=True))
    except SettlementTable.DoesNotExist as error:
        raise UnknownReconciliation("there is no such reconciliation") from error


def lines_between(file_id: str, first: int, last: int, limit: int | None = None) -> list[Judged]:
    """Lines that were judged, by their numbers, in order."""
    numbers = SettlementTable.sk.between(_sort_key(first), _sort_key(last))
    rows = SettlementTable.query(f"file#{file_id}", numbers, consistent_read=True, limit=limit)
    return [_judged(row) for row in rows]


def results_of(file_id: str) -> list[str]:
    """The result of every line that was judged."""
    lines = SettlementTable.sk.startswith(LINE)
    rows = SettlementTable.query(f"file#{file_id}", lines, attributes_to_get=["result"])
    return [str(row.result) for row in rows]


def load_file(file_id: str) -> tuple[ProviderFile, list[Judged]]:
    """A file and all of its lines that were judged, in order.

    Raises:
        UnknownReconciliation: there is none.
    """
    rows = list(SettlementTable.query(f"file#{file_id}", consistent_read=True))
    if not rows:
        raise UnknownReconciliation("there is no such reconciliation")
    return _file(rows[0]), [_judged(row) for row in rows[1:] if row.sk.startswith(LINE)]


def _file(row: SettlementTable) -> ProviderFile:
    return ProviderFile(
        row.pk.removeprefix("file#"),
        str(row.provider),
        str(row.profile),
        str(row.sha256),
        int(row.line_count or 0),
        int(row.taken_count or 0),
    )


def add_line(file_id: str, judged: Judged, *also: Companion) -> None:
    """Keep a line with a result that moves nothing. A line that is kept stays as it is."""
    commit_line(together(_with_line(file_id, judged), *also))


def add_waiting_line(line: FileLine, judged: Judged, break_id: str, *also: Companion) -> None:
    """Keep a line whose payment is not settled yet, where the sale will find it, and its break."""

    def wait(transaction: TransactWrite) -> None:
        payment = SettlementTable(f"payment#{line.reference}", PAYMENT)
        noted = SettlementTable.breaks.add({break_id})
        transaction.update(payment, [SettlementTable.waiting_line.set(line.line_id), noted])

    commit_line(together(_with_line(file_id_of(line), judged), wait, *also))


def commit_line(write: Companion) -> None:
    try:
        commit(write)
    except TransactWriteError as error:
        if not failed_conditions(error):
            raise


def together(*parts: Companion) -> Companion:
    def write(transaction: TransactWrite) -> None:
        for part in parts:
            part(transaction)

    return write


def confirming(line: FileLine, judged: Judged, payment: SettledPayment) -> Companion:
    """The matched line and the facts that follow from it, beside its entry."""
    facts = confirm(payment, line.line_id, line.provider_reference, line.settled_at)
    return together(_with_line(file_id_of(line), judged), facts)


def confirming_first(line: FileLine, judged: Judged, payment: SettledPayment) -> Companion:
    """As `confirming`, of a line that was never kept: refused where it was. A put, so for no entry
    whose transaction is read by positions."""
    facts = confirm(payment, line.line_id, line.provider_reference, line.settled_at)
    row = _row(file_id_of(line), judged)

    def write(transaction: TransactWrite) -> None:
        transaction.save(row, condition=SettlementTable.pk.does_not_exist())
        facts(transaction)

    return write


def with_line(line: FileLine, judged: Judged) -> Companion:
    return _with_line(file_id_of(line), judged)


def find_line(line_id: str) -> FileLine | None:
    """A readable line by its id."""
    file_id, number = split_line_id(line_id)
    try:
        row = SettlementTable.get(f"file#{file_id}", _sort_key(number), consistent_read=True)
    except SettlementTable.DoesNotExist:
        return None
    return _line(row)


def _with_line(file_id: str, judged: Judged) -> Companion:
    """A line's row; one that stands is only changed while its payment was missing."""
    row = _row(file_id, judged)
    table = SettlementTable
    actions: list[Any] = all_of(row)
    if judged.reason is None:
        actions.append(table.reason.remove())
    open_still = table.pk.does_not_exist() | (table.result == LineResult.MISSING_IN_LEDGER)

    def write(transaction: TransactWrite) -> None:
        transaction.update(row, actions, condition=open_still)

    return write


def _row(file_id: str, judged: Judged) -> SettlementTable:
    return SettlementTable(
        f"file#{file_id}",
        _sort_key(judged.number),
        number=judged.number,
        result=judged.result,
        reason=judged.reason,
        **_amounts(judged.line),
    )


def _amounts(line: FileLine | None) -> dict[str, Any]:
    if line is None:
        return {}
    special = {
        "line_type": None if line.type is LineType.PAYMENT else line.type,
        "fee_vat_minor": line.fee_vat.amount_minor or None,
        "batch": line.batch,
    }
    return special | {
        "provider": line.provider,
        "reference": line.reference,
        "provider_reference": line.provider_reference,
        "currency": CURRENCY,
        "gross_minor": line.gross.amount_minor,
        "fee_minor": line.fee.amount_minor,
        "net_minor": line.net.amount_minor,
        "settled_at": clock.to_text(line.settled_at),
    }


def _judged(row: SettlementTable) -> Judged:
    return Judged(int(row.number or 0), LineResult(row.result), row.reason, _line(row))


def _line(row: SettlementTable) -> FileLine | None:
    if row.reference is None:
        return None
    number = int(row.number or 0)
    return FileLine(
        line_id=line_id_of(row.pk.removeprefix("file#"), number),
        number=number,
        provider=str(row.provider),
        reference=str(row.reference),
        provider_reference=str(row.provider_reference),
        gross=Money(int(row.gross_minor or 0)),
        fee=Money(int(row.fee_minor or 0)),
        net=Money(int(row.net_minor or 0)),
        settled_at=clock.from_text(str(row.settled_at)),
        type=LineType(row.line_type or LineType.PAYMENT),
        fee_vat=Money(int(row.fee_vat_minor or 0)),
        batch=row.batch,
    )


def _sort_key(number: int) -> str:
    return f"{LINE}{number:06d}"
