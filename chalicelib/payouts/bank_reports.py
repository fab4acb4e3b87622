"""Taking a bank's report: kept first, then each line is held against our payouts.

What a line does follows from the payouts it names and not from who takes it, or how often: a report
that is taken again, in pieces or in another order, ends the same. What fits no payout is parked as
a break and moves nothing. What is more than a page goes through the queue; the sweep finishes.
"""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial

from chalicelib import clock, ids
from chalicelib.edge import queues
from chalicelib.edge.observability import count
from chalicelib.edge.sweeps import each_apart
from chalicelib.payouts import bank_file_tables, bank_files, outcomes, tables, whole_files
from chalicelib.payouts.bank_files import BankFile, BankLine, LineResult, Taken
from chalicelib.payouts.domain import (
    Outcome,
    Payout,
    PayoutNotSubmitted,
    Report,
    UnknownPayout,
)
from chalicelib.payouts.messages import BankFileToRead
from chalicelib.settlement import bank_matching, breaks
from chalicelib.settlement.break_domain import BreakKind

AT_ONCE = 100
"""So many payouts are dealt with within a request or a message."""
SHOWN_LINES = 100
MOST_TOO_EARLY = 500
"""Lines of payouts that are not sent out yet, tried at once: the sweep tries them again."""
FINISHED_BY_SWEEP_AFTER = timedelta(minutes=2)
RESULTS = {
    Outcome.PAID: LineResult.PAID,
    Outcome.FAILED: LineResult.FAILED,
    Outcome.RETURNED: LineResult.RETURNED,
}


def take(content: bytes) -> BankFile:
    """Take a bank's report; the same file again adds nothing, and goes on where it stopped.

    Raises:
        iso20022.Unreadable, BankFileTooLong: nothing of it was taken.
    """
    found, lines = bank_files.read(content)
    if not bank_file_tables.is_kept(found.file_id):
        bank_file_tables.add(found, lines, clock.now() + FINISHED_BY_SWEEP_AFTER)
    work_on(found.file_id)
    return found


def report(file_id: str) -> tuple[BankFile, dict[str, int], list[Taken]]:
    """A report, how many of its lines have which result, and the first of them.

    Raises:
        UnknownBankFile.
    """
    found = bank_file_tables.find(file_id)
    counts: Counter[str] = Counter()
    first: list[Taken] = []
    for taken in bank_file_tables.lines_of(file_id):
        counts[taken.result] += 1
        if len(first) < SHOWN_LINES:
            first.append(taken)
    return found, dict(sorted(counts.items())), first


def lines_in(
    file_id: str, limit: int, start: tables.Key | None
) -> tuple[list[Taken], tables.Key | None]:
    """
    Raises:
        UnknownBankFile.
    """
    bank_file_tables.find(file_id)
    return bank_file_tables.lines_page(file_id, limit, start)


def work_on(file_id: str) -> None:
    """Deal with some of a report's lines, and have the others dealt with.

    Raises:
        UnknownBankFile. Outages: what is left comes again.
    """
    bank_file_tables.find(file_id)
    left, too_early = AT_ONCE, 0
    for taken in bank_file_tables.lines_of(file_id):
        if taken.result is not LineResult.WAITING:
            continue
        if left <= 0 or too_early == MOST_TOO_EARLY:
            break
        now, used = _dealt_with(file_id, taken, left)
        if now != taken:
            bank_file_tables.keep(file_id, now)
        left = 0 if now.after is not None else left - used
        too_early += used == 0
    else:
        if too_early == 0 and left > 0:
            bank_file_tables.end(file_id)
            return
    if left <= 0:
        bank_file_tables.put_off(file_id, clock.now() + FINISHED_BY_SWEEP_AFTER)
        queues.send("payouts", BankFileToRead(file_id=file_id), group=file_id)


def finish_files() -> None:
    """Finish what a crash left half done, and lines whose payouts had not been sent out."""
    each_apart(partial(_finish, file_id) for file_id in bank_file_tables.due())


def _finish(file_id: str) -> None:
    bank_file_tables.put_off(file_id, clock.now() + FINISHED_BY_SWEEP_AFTER)
    work_on(file_id)


def _dealt_with(file_id: str, taken: Taken, limit: int) -> tuple[Taken, int]:
    """A line with its result, and how many payouts were dealt with."""
    line = taken.line
    try:
        if line.credit is not None:
            return _credited(taken), 1
        if line.outcome is None:
            return replace(taken, result=LineResult.NOTED, detail=line.reason), 1
        if line.payout_id is not None:
            return _of_one(taken, line.outcome), 1
        if line.batch_id is not None:
            return _of_whole(file_id, taken, line.outcome, limit)
    except PayoutNotSubmitted:
        return replace(taken, detail="not_submitted"), 0
    return _unmatched(taken, "names_no_payout"), 1


def _of_one(taken: Taken, outcome: Outcome) -> Taken:
    line = taken.line
    try:
        payout = tables.find_payout(str(line.payout_id))
    except UnknownPayout:
        return _unmatched(taken, "unknown_payout")
    verdict = _recorded(payout, line, outcome)
    if verdict not in (outcomes.APPLIED, outcomes.LATE):
        return replace(taken, result=LineResult.UNMATCHED, detail=verdict)
    if outcome is Outcome.FAILED:
        _look_again(payout.batch_id)
    late = verdict == outcomes.LATE
    return replace(taken, result=LineResult.LATE if late else RESULTS[outcome], detail=None)


def _of_whole(file_id: str, taken: Taken, outcome: Outcome, limit: int) -> tuple[Taken, int]:
    line, batch_id = taken.line, str(taken.line.batch_id)
    if taken.after is None:
        progress = whole_files.begin(batch_id, line.block, line.amount)
    else:
        progress = whole_files.progress_of(taken.after)
    if isinstance(progress, str):
        bank_file_tables.park_debit(file_id, line)
        return _unmatched(taken, progress), 1
    payouts, left = whole_files.page(batch_id, progress, limit)
    for payout in payouts:
        _recorded(payout, replace(line, amount=payout.amount), outcome)
    if left is not None:
        waiting = replace(taken, result=LineResult.WAITING, detail=None, after=left.text())
        return waiting, limit
    if outcome is Outcome.FAILED:
        _look_again(batch_id)
    done = replace(taken, result=RESULTS[outcome], detail="whole_file", after=None)
    return done, max(1, len(payouts))


def _recorded(payout: Payout, line: BankLine, outcome: Outcome) -> str:
    return outcomes.record_report(
        Report(
            payout_id=payout.payout_id,
            outcome=outcome,
            amount=line.amount or payout.amount,  # a pain.002 need not say it
            reason=None if outcome is Outcome.PAID else line.reason,
            provider_reference=f"bank-{line.key}",
            occurred_at=clock.now(),
        )
    )


def _look_again(batch_id: str) -> None:
    """A debit of the whole file may fit now that one of it has failed."""
    for file_id, number in bank_file_tables.parked_debits(batch_id):
        taken = bank_file_tables.find_line(file_id, number)
        if taken.result is not LineResult.UNMATCHED:
            continue
        line = taken.line
        if not isinstance(whole_files.begin(batch_id, line.block, line.amount), str):
            breaks.cure(_break_id(line), file_id)
            bank_file_tables.keep(file_id, Taken(line))
            bank_file_tables.reopen(file_id, clock.now())


def _unmatched(taken: Taken, reason: str) -> Taken:
    """Somebody has to look at this: it is parked, and nothing is posted."""
    line = taken.line
    count("BankLineUnmatched", reason=reason)
    if line.amount is not None and line.amount.amount_minor > 0:
        breaks.open_break(
            BreakKind.PAYOUT_UNMATCHED,
            _break_id(line),
            amount=line.amount,
            provider=tables.BANK,
            reference=line.payout_id or line.batch_id,
            reason=f"{line.outcome}: {reason}",
        )
    return replace(taken, result=LineResult.UNMATCHED, detail=reason, after=None)


def _break_id(line: BankLine) -> str:
    return ids.derived_id("brk", BreakKind.PAYOUT_UNMATCHED, line.key)


def _credited(taken: Taken) -> Taken:
    """Money that came in and is no payout's: reconciliation holds it against remittances."""
    line = taken.line
    assert line.credit is not None
    bank_matching.take_credits(str(line.statement_id), [line.credit])  # type: ignore[list-item]
    return replace(taken, result=LineResult.CREDIT)
