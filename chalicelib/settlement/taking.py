"""Taking the lines of a provider's file: each is judged, and what it says is posted once.

Most lines match, and touch nothing that another one touches: so many as fit go into one
transaction. Where one of these has changed meanwhile, each goes by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.observability import count
from chalicelib.ledger import service as ledger
from chalicelib.ledger.companions import Companion
from chalicelib.ledger.domain import CompanionRefused, Entry
from chalicelib.settlement import (
    break_tables,
    breaks,
    file_tables,
    line_breaks,
    payment_tables,
    provider_files,
    releases,
    tables,
)
from chalicelib.settlement.break_domain import Break
from chalicelib.settlement.domain import SettledPayment
from chalicelib.settlement.profiles import LineType
from chalicelib.settlement.provider_files import FileLine, Judged, LineResult, ProviderFile

ACTIONS_AT_ONCE = 96  # of the hundred that a transaction may have
ATTEMPTS = 3
TOLD_BEFORE = "another file has told it"


def take(found: ProviderFile, lines: Sequence[FileLine | Judged]) -> None:
    """Judge lines that have no result yet, keep what each comes to, and schedule what is released
    by it. A repeat after a crash schedules by `schedule_payments`."""
    named = [line.reference for line in lines if isinstance(line, FileLine) and line.reference]
    payments, _ = tables.payments_and_shares(named, [])
    left = list(lines)
    simple = [line for line in lines if isinstance(line, FileLine) and _is_simple(line, payments)]
    simple = list({line.reference: line for line in reversed(simple)}.values())  # the first of each
    parcels: list[str] = []
    for group in _groups(simple, payments):
        if _confirm_together(group, payments):
            taken = {line.number for line in group}
            left = [line for line in left if line.number not in taken]
            parcels += [one for line in group for one in payments[line.reference].parcel_ids]
    seen = {line.reference for line in simple}
    for line in left:
        if isinstance(line, Judged):
            file_tables.add_line(found.file_id, line)
        else:
            payment = payments.get(line.reference)
            if line.reference in seen:
                payment = tables.find_payment(line.reference)
            if _apply(line, payment) is LineResult.MATCHED and payment is not None:
                parcels += payment.parcel_ids
    schedule(parcels)


def _is_simple(line: FileLine, payments: dict[str, SettledPayment]) -> bool:
    """It matches, for all that was read, and cures nothing."""
    if line.type is not LineType.PAYMENT:
        return False
    payment = payments.get(line.reference)
    if payment is None or payment.breaks or payment.confirmed_by is not None:
        return False
    return provider_files.judge(line, payment).result is LineResult.MATCHED


def _groups(
    lines: Iterable[FileLine], payments: dict[str, SettledPayment]
) -> Iterable[list[FileLine]]:
    group: list[FileLine] = []
    actions = 0
    for line in sorted(lines, key=lambda line: line.number):
        needed = 4 + len(payments[line.reference].parcel_ids)  # entry, line, payment, break; shares
        if group and actions + needed > ACTIONS_AT_ONCE:
            yield group
            group, actions = [], 0
        group.append(line)
        actions += needed
    if group:
        yield group


def _confirm_together(group: Sequence[FileLine], payments: dict[str, SettledPayment]) -> bool:
    now = clock.now()
    entries: list[Entry] = []
    also: list[Companion] = []
    for line in group:
        payment = payments[line.reference]
        judged = Judged(line.number, LineResult.MATCHED, None, line)
        entries.append(provider_files.settlement_entry(line, payment, now))
        also.append(file_tables.confirming_first(line, judged, payment))
        found = _break_of(judged, payment)
        if found is not None:
            also.append(break_tables.opening(found))
            _told(found)
    return ledger.post_together(entries, file_tables.together(*also))


def _break_of(judged: Judged, payment: SettledPayment | None) -> Break | None:
    return line_breaks.break_of(judged, payment, settings().fee_tolerance_minor, clock.now())


def _told(found: Break) -> None:
    count("BreakOpened", kind=found.kind)


def _apply(line: FileLine, payment: SettledPayment | None) -> LineResult:
    if line.type is not LineType.PAYMENT:
        return _take_other(line, payment)
    judged = provider_files.judge(line, payment)
    if judged.result is LineResult.MATCHED and payment is not None:
        return _confirm(line, payment, judged)
    if judged.result is LineResult.MISSING_IN_LEDGER:
        _keep_waiting(line, judged)
        # The sale looks for waiting lines after it was written, and this line for the sale: one
        # of the two is second and sees the other.
        late = tables.find_payment(line.reference)
        if late is not None and late.captured is not None:
            match_waiting_line(late)
        return judged.result
    return _keep(line, payment, judged)


def _keep(line: FileLine, payment: SettledPayment | None, judged: Judged) -> LineResult:
    """Keep a line that moves nothing, with its break."""
    also: list[Companion] = []
    found = _break_of(judged, payment)
    if found is not None:
        also.append(break_tables.opening(found))
        if judged.result is LineResult.AMOUNT_DIFF and payment and payment.confirmed_by is None:
            also.append(payment_tables.with_break(payment.payment_id, found.break_id))
        _told(found)
    elif judged.result is LineResult.DUPLICATE:
        judged = replace(judged, reason=TOLD_BEFORE)
    file_tables.add_line(provider_files.file_id_of(line), judged, *also)
    return judged.result


def _keep_waiting(line: FileLine, judged: Judged) -> None:
    found = _break_of(judged, None)
    assert found is not None
    file_tables.add_waiting_line(line, judged, found.break_id, break_tables.opening(found))
    _told(found)


def _confirm(line: FileLine, payment: SettledPayment, judged: Judged) -> LineResult:
    """Post a line that matches, and cure by it what it cures."""
    for _ in range(ATTEMPTS):
        cured = breaks.cures(payment.breaks, line.line_id)
        if cured is None:
            reason = "its money was kept apart as nobody's"
            apart = Judged(line.number, LineResult.MISSING_IN_LEDGER, reason, line)
            file_tables.add_line(provider_files.file_id_of(line), apart)
            return apart.result
        if _is_posted(line, payment, judged, cured):
            return LineResult.MATCHED
        # Another line of this payment was faster, or this one was matched by somebody: judge again.
        again = tables.find_payment(payment.payment_id) or payment
        judged = provider_files.judge(line, again)
        if judged.result is not LineResult.MATCHED:
            return _keep(line, again, judged)
        if again.confirmed_by == line.line_id:
            break
        payment = again
    return judged.result


def _is_posted(
    line: FileLine, payment: SettledPayment, judged: Judged, cured: Sequence[Companion]
) -> bool:
    entry = provider_files.settlement_entry(line, payment, clock.now())
    also = [file_tables.confirming(line, judged, payment), *cured]
    opened = [_break_of(judged, payment)]
    if payment.missed_at is not None:
        opened.append(line_breaks.late(line, clock.now()))
    also += [break_tables.opening(found) for found in opened if found is not None]
    try:
        posted = ledger.post(entry, also=file_tables.together(*also))
    except CompanionRefused:
        return False
    for found in opened:
        if found is not None and posted:
            _told(found)
    return posted


def _take_other(line: FileLine, payment: SettledPayment | None) -> LineResult:
    """A refund, a chargeback or a fee."""
    judged = Judged(line.number, LineResult.STATUS_DIFF, "it keeps changing", line)
    for _ in range(ATTEMPTS):
        taken_back = 0
        if payment is not None and payment.parcel_ids:
            _, shares = tables.payments_and_shares([], payment.parcel_ids)
            taken_back = sum(share.reversed.gross_minor for share in shares)
        judged = line_breaks.judge_other(line, payment, taken_back)
        entry = line_breaks.other_entry(line, clock.now())
        if judged.result is not LineResult.MATCHED and not ledger.stands(entry.entry_id):
            return _keep(line, payment, judged)
        also = [file_tables.with_line(line, Judged(line.number, LineResult.MATCHED, None, line))]
        if payment is not None and line.type is not LineType.FEE:
            also.append(payment_tables.given_back(payment, -line.gross.amount_minor))
        try:
            if ledger.post(entry, also=file_tables.together(*also)):
                return LineResult.MATCHED
        except CompanionRefused:
            payment = tables.find_payment(line.reference)
            continue
        reason = "another line has said so"
        again = Judged(line.number, LineResult.DUPLICATE, reason, line)
        return _keep(line, payment, again)
    return _keep(line, payment, judged)


def match_waiting_line(payment: SettledPayment) -> None:
    """Match the line of a file that came before the sale, if there is one."""
    if payment.waiting_line is None or payment.confirmed_by is not None:
        return
    line = file_tables.find_line(payment.waiting_line)
    if line is not None and _apply(line, payment) is LineResult.MATCHED:
        schedule(payment.parcel_ids)


def schedule_payments(lines: Iterable[Judged]) -> None:
    """Schedule what these lines have confirmed, whoever was to do so."""
    named = [one.line.reference for one in lines if one.line and one.result is LineResult.MATCHED]
    payments, _ = tables.payments_and_shares(named, [])
    schedule([parcel for payment in payments.values() for parcel in payment.parcel_ids])


def schedule(parcel_ids: Sequence[str]) -> None:
    """Schedule the release of what is complete now."""
    if parcel_ids:
        _, shares = tables.payments_and_shares([], parcel_ids)
        releases.schedule_complete(shares)
