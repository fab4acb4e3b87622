"""Holding a provider's settlement file against what was settled.

A short file is done within the request. A long one is kept in the bucket, sealed, and its lines are
taken some hundred at a time from the queue; the sweep goes on where a message was lost.
"""

import base64
from collections.abc import Sequence
from datetime import timedelta

from chalicelib import clock
from chalicelib.edge import objects, queues, sealing
from chalicelib.settlement import bank_matching, file_tables, provider_files, taking
from chalicelib.settlement.messages import FileLinesToTake
from chalicelib.settlement.provider_files import (
    LINES_AT_ONCE,
    FileLine,
    Judged,
    ProviderFile,
)

CHUNK = 100
FINISHED_BY_SWEEP_AFTER = timedelta(minutes=2)
LAST_NUMBER = 999_999


def reconcile(content: bytes, provider: str, profile: str) -> tuple[ProviderFile, list[Judged]]:
    """Take a settlement file; each line ends with a result. The same file again adds nothing.

    After a crash the repeat goes on where it stopped: lines that have a result are left alone. Of a
    long file nothing may be judged yet.

    Raises:
        FileUnreadable, FileTooLong: nothing of it was taken.
    """
    found = provider_files.file_of(content, provider, profile)
    now = clock.now()
    if found.is_long:
        return _begin(found, content)
    file_tables.add_file(found, now, finish_by=now + FINISHED_BY_SWEEP_AFTER)
    _take(found, provider_files.lines_of(content, found, 1, LINES_AT_ONCE))
    return _end(found.file_id)


def _end(file_id: str) -> tuple[ProviderFile, list[Judged]]:
    """All lines are judged: what they say that reaches the bank is expected there."""
    found, lines = file_tables.load_file(file_id)
    bank_matching.expect(found, lines)
    file_tables.end_file(file_id)
    return found, lines


def _begin(found: ProviderFile, content: bytes) -> tuple[ProviderFile, list[Judged]]:
    """Keep a long file and have its lines taken, unless that was begun before."""
    sealed = sealing.seal(content, _context(found.file_id))
    text = base64.b64encode(sealed).decode("ascii")
    objects.write(_key(found.file_id), [text], "application/octet-stream")
    now = clock.now()
    file_tables.add_file(found, now, finish_by=now + FINISHED_BY_SWEEP_AFTER)
    kept = file_tables.find_file(found.file_id)
    if kept.taken_count < kept.line_count:
        _send_next(kept)
    return kept, file_tables.lines_between(kept.file_id, 1, LAST_NUMBER, LINES_AT_ONCE)


def take_lines(file_id: str, first: int) -> None:
    """Take the lines of a long file from the `first`th on, as many as go at once; then the next.

    A repeat takes none again, and goes on.
    """
    found = file_tables.find_file(file_id)
    sealed = base64.b64decode(objects.read(_key(file_id)))
    content = sealing.unseal(sealed, _context(file_id))
    lines = provider_files.lines_of(content, found, first, LINES_AT_ONCE)
    _take(found, lines)
    taken_count = first - 1 + len(lines)
    file_tables.note_taken(file_id, taken_count, clock.now() + FINISHED_BY_SWEEP_AFTER)
    kept = file_tables.find_file(file_id)
    if kept.taken_count < kept.line_count:
        if kept.taken_count == taken_count:  # else somebody is ahead of this message
            _send_next(kept)
    else:
        _end(file_id)


def _send_next(found: ProviderFile) -> None:
    message = FileLinesToTake(file_id=found.file_id, first=found.taken_count + 1)
    queues.send("settlement", message, group=found.file_id)


def _take(found: ProviderFile, lines: Sequence[FileLine | Judged]) -> None:
    """Take those that have no result yet, and schedule what all of them confirmed."""
    if not lines:
        return
    numbers = (lines[0].number, lines[-1].number)
    kept = file_tables.lines_between(found.file_id, *numbers)
    taking.schedule_payments(kept)
    done = {judged.number for judged in kept}
    left = [line for line in lines if line.number not in done]
    for start in range(0, len(left), CHUNK):
        taking.take(found, left[start : start + CHUNK])


def finish_files() -> None:
    """Finish what a crash left half done: what was confirmed is scheduled at last, and of a long
    file the next lines are taken."""
    for found in file_tables.due_files():
        if found.is_long and found.taken_count < found.line_count:
            later = clock.now() + FINISHED_BY_SWEEP_AFTER
            file_tables.note_taken(found.file_id, found.taken_count, later)
            _send_next(found)
        else:
            taking.schedule_payments(file_tables.load_file(found.file_id)[1])
            _end(found.file_id)


def reconciliation(
    file_id: str, first: int = 1, limit: int = LINES_AT_ONCE
) -> tuple[ProviderFile, list[Judged], list[str]]:
    """A file, of its judged lines `limit` from number `first` on, and the results of all.

    Raises:
        UnknownReconciliation: there is none.
    """
    found = file_tables.find_file(file_id)
    lines = file_tables.lines_between(file_id, first, LAST_NUMBER, limit)
    return found, lines, file_tables.results_of(file_id)


def _key(file_id: str) -> str:
    return f"reconciliations/{file_id}"


def _context(file_id: str) -> str:
    return f"settlement-file:{file_id}"
