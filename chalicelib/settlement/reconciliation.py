"""Holding a provider's settlement file against what was settled."""

from collections.abc import Sequence
from datetime import timedelta

from chalicelib import clock
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import CompanionRefused
from chalicelib.settlement import file_tables, provider_files, releases, tables
from chalicelib.settlement.domain import SettledPayment
from chalicelib.settlement.provider_files import FileLine, Judged, LineResult, ProviderFile

CHUNK = 50
FINISHED_BY_SWEEP_AFTER = timedelta(minutes=2)


def reconcile(content: bytes, provider: str, profile: str) -> tuple[ProviderFile, list[Judged]]:
    """Take a settlement file; each line ends with a result. The same file again adds nothing.

    After a crash the repeat goes on where it stopped: lines that have a result are left alone.

    Raises:
        FileUnreadable, FileTooLong: nothing of it was taken.
    """
    found, lines = provider_files.read_file(content, provider, profile)
    now = clock.now()
    file_tables.add_file(found, now, finish_by=now + FINISHED_BY_SWEEP_AFTER)
    done = {judged.number for judged in file_tables.load_file(found.file_id)[1]}
    left = [line for line in lines if line.number not in done]
    for start in range(0, len(left), CHUNK):
        _take(found, left[start : start + CHUNK])
    return _finish(found.file_id)


def _finish(file_id: str) -> tuple[ProviderFile, list[Judged]]:
    """Schedule what the file's lines confirmed."""
    found, lines = file_tables.load_file(file_id)
    named = [one.line.reference for one in lines if one.line and one.result is LineResult.MATCHED]
    payments, _ = tables.payments_and_shares(named, [])
    _schedule([parcel for payment in payments.values() for parcel in payment.parcel_ids])
    file_tables.end_file(file_id)
    return found, lines


def finish_files() -> None:
    """Finish what a crash left half done: what was confirmed is scheduled at last."""
    for file_id in file_tables.due_files():
        _finish(file_id)


def reconciliation(file_id: str) -> tuple[ProviderFile, list[Judged]]:
    """A file and its lines.

    Raises:
        UnknownReconciliation: there is none.
    """
    return file_tables.load_file(file_id)


def _take(found: ProviderFile, lines: Sequence[FileLine | Judged]) -> None:
    named = [line.reference for line in lines if isinstance(line, FileLine)]
    payments, _ = tables.payments_and_shares(named, [])
    for line in lines:
        if isinstance(line, Judged):
            file_tables.add_line(found.file_id, line)
        else:
            _apply(line, payments.get(line.reference))


def _apply(line: FileLine, payment: SettledPayment | None) -> LineResult:
    judged = provider_files.judge(line, payment)
    if judged.result is LineResult.MATCHED and payment is not None:
        return _confirm(line, payment, judged)
    if judged.result is LineResult.MISSING_IN_LEDGER:
        file_tables.add_waiting_line(line, judged)
        # The sale looks for waiting lines after it was written, and this line for the sale: one
        # of the two is second and sees the other.
        late = tables.find_payment(line.reference)
        if late is not None and late.captured is not None:
            match_waiting_line(late)
        return judged.result
    file_tables.add_line(provider_files.file_id_of(line), judged)
    return judged.result


def _confirm(line: FileLine, payment: SettledPayment, judged: Judged) -> LineResult:
    entry = provider_files.settlement_entry(line, payment, clock.now())
    try:
        posted = ledger.post(entry, also=file_tables.confirming(line, judged, payment))
    except CompanionRefused:
        posted = False
    if posted:
        return LineResult.MATCHED
    # Another line of this payment was faster, or this one was matched by somebody: judge again.
    again = provider_files.judge(line, tables.find_payment(payment.payment_id))
    if again.result is not LineResult.MATCHED:
        file_tables.add_line(provider_files.file_id_of(line), again)
    return again.result


def match_waiting_line(payment: SettledPayment) -> None:
    """Match the line of a file that came before the sale, if there is one."""
    if payment.waiting_line is None or payment.confirmed_by is not None:
        return
    line = file_tables.find_line(payment.waiting_line)
    if line is not None and _apply(line, payment) is LineResult.MATCHED:
        _schedule(payment.parcel_ids)


def _schedule(parcel_ids: Sequence[str]) -> None:
    if parcel_ids:
        _, shares = tables.payments_and_shares([], parcel_ids)
        releases.schedule_complete(shares)
