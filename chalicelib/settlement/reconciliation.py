"""Holding a provider's settlement file against what was settled."""

from datetime import timedelta

from chalicelib import clock
from chalicelib.settlement import file_tables, provider_files, tables, taking
from chalicelib.settlement.provider_files import Judged, LineResult, ProviderFile

CHUNK = 100
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
        taking.take(found, left[start : start + CHUNK])
    return _finish(found.file_id)


def _finish(file_id: str) -> tuple[ProviderFile, list[Judged]]:
    """Schedule what the file's lines confirmed."""
    found, lines = file_tables.load_file(file_id)
    named = [one.line.reference for one in lines if one.line and one.result is LineResult.MATCHED]
    payments, _ = tables.payments_and_shares(named, [])
    taking.schedule([parcel for payment in payments.values() for parcel in payment.parcel_ids])
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
