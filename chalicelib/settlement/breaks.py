"""Opening breaks, listing them, and resolving each once: by a new entry, or by what cured it."""

from collections.abc import Iterable, Mapping
from functools import partial

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.observability import count
from chalicelib.edge.sweeps import each_apart
from chalicelib.ledger import service as ledger
from chalicelib.ledger.companions import Companion
from chalicelib.ledger.domain import CompanionRefused, Posting
from chalicelib.money import Money
from chalicelib.settlement import (
    break_domain,
    break_tables,
    file_tables,
    line_breaks,
    payment_tables,
    provider_files,
    releases,
    tables,
)
from chalicelib.settlement.break_domain import (
    Break,
    BreakKind,
    BreakResolved,
    BreakStatus,
    Decision,
    Resolution,
    ResolutionNotAllowed,
)
from chalicelib.settlement.domain import SettledPayment
from chalicelib.settlement.line_breaks import BY_ITSELF
from chalicelib.settlement.provider_files import FileLine


def open_break(
    kind: BreakKind | str,
    break_id: str,
    *,
    amount: Money,
    provider: str | None,
    reference: str | None,
    reason: str,
) -> None:
    """Keep a break, once by its id; one that stands stays as it is, resolved or not.

    `reason` and `reference` name no person and no account number.
    """
    kind = BreakKind(kind)
    break_tables.add(Break(break_id, kind, amount, provider, reference, reason, clock.now()))
    count("BreakOpened", kind=kind)


def listed(
    status: BreakStatus,
    kind: str | None,
    provider: str | None,
    limit: int,
    after: Mapping[str, str] | None,
) -> tuple[list[Break], dict[str, str] | None]:
    """A page of breaks: the open ones longest overdue first, the resolved ones newest first."""
    place = None if after is None else str(after["listed_at"])
    found, last = break_tables.page(status, kind, provider, limit, place)
    return found, None if last is None else {"listed_at": last}


def cures(break_ids: Iterable[str], event_id: str) -> list[Companion] | None:
    """What an event writes to cure the breaks that are still open of these.

    None where the money of one was kept apart for somebody: it does not count again.
    """
    decision = Decision(Resolution.CURED, BY_ITSELF, "", event_id)
    found = break_tables.find_all(break_ids)
    if any(one.resolution is Resolution.MOVE_TO_UNAPPLIED for one in found):
        return None
    now = clock.now()
    return [
        break_tables.resolving(one.break_id, decision, event_id, now)
        for one in found
        if one.status is BreakStatus.OPEN
    ]


def cure(break_id: str, event_id: str) -> bool:
    """Resolve a break by an event of itself; False where it was not open."""
    decision = Decision(Resolution.CURED, BY_ITSELF, "", event_id)
    return break_tables.resolve(break_id, decision, event_id, clock.now())


def resolve(break_id: str, decision: Decision) -> Break:
    """Resolve a break; the same decision again changes nothing.

    Raises:
        UnknownBreak, BreakResolved, ResolutionNotAllowed, WriteOffTooLarge, EventMissing
    """
    found = break_tables.find(break_id)
    if found.status is BreakStatus.RESOLVED:
        return _checked(found, decision)
    break_domain.check_allowed(found, decision, settings().write_off_limit_minor)
    if not _is_resolved(found, decision):
        return _checked(break_tables.find(break_id), decision)
    count("BreakResolved", kind=found.kind)
    return break_tables.find(break_id)


def _checked(found: Break, decision: Decision) -> Break:
    if not break_domain.is_decided_so(found, decision):
        raise BreakResolved(f"it was resolved by {found.resolution}")
    return found


def _is_resolved(found: Break, decision: Decision) -> bool:
    """False where it was resolved, or what it is about changed, a moment ago."""
    now = clock.now()
    line = file_tables.find_line(found.line_id) if found.line_id else None
    payment = tables.find_payment(str(found.reference)) if _is_of_payment(found) else None
    postings = _postings(found, decision, line, payment)
    entry = break_domain.entry_of(found, decision, postings, now)
    event_id = decision.event_id or (entry.entry_id if entry else "")
    ending = break_tables.resolving(found.break_id, decision, event_id, now)
    if entry is None:
        return break_tables.resolve(found.break_id, decision, event_id, now)
    also = [ending]
    confirms = _confirms(found, decision) and payment is not None
    if confirms and payment is not None:
        by = line.line_id if line else found.break_id
        reference = line.provider_reference if line else None
        also.append(tables.confirm(payment, by, reference, line.settled_at if line else now))
    try:
        is_posted = ledger.post(entry, also=file_tables.together(*also))
    except CompanionRefused:
        return False
    if confirms and payment is not None and payment.parcel_ids:
        _, shares = tables.payments_and_shares([], payment.parcel_ids)
        releases.schedule_complete(shares)
    return is_posted


def _is_of_payment(found: Break) -> bool:
    return bool(found.reference) and found.kind in (
        BreakKind.AMOUNT_DIFF,
        BreakKind.MISSING_IN_PROVIDER,
        BreakKind.STATUS_DIFF,
    )


def _confirms(found: Break, decision: Decision) -> bool:
    """The payment counts as paid by its provider: nobody looks for its money any more."""
    given_up = found.kind is BreakKind.MISSING_IN_PROVIDER
    return decision.resolution is Resolution.POST_DIFFERENCE or (
        given_up and decision.resolution is Resolution.WRITE_OFF
    )


def _postings(
    found: Break, decision: Decision, line: FileLine | None, payment: SettledPayment | None
) -> list[Posting]:
    match decision.resolution:
        case Resolution.POST_DIFFERENCE:
            return _as_filed(line, payment)
        case Resolution.MOVE_TO_UNAPPLIED:
            return break_domain.money_kept(found, line.fee.amount_minor if line else 0)
        case Resolution.WRITE_OFF:
            return break_domain.given_up(found, payment)
        case Resolution.CURED if found.kind is BreakKind.STATUS_DIFF and line is not None:
            return line_breaks.other_postings(line)
    return []


def _as_filed(line: FileLine | None, payment: SettledPayment | None) -> list[Posting]:
    """The line as the provider has it, and what it differs by."""
    if line is None or payment is None or payment.captured is None:
        raise ResolutionNotAllowed("there is no line, or no payment, to post it for")
    if payment.provider != line.provider or payment.confirmed_by is not None:
        raise ResolutionNotAllowed("the payment is another provider's, or another line's")
    settled = provider_files.settlement_entry(line, payment, clock.now()).postings
    return [*settled, *break_domain.difference(payment.captured, line.gross, line.provider)]


def miss_payments() -> None:
    """Open a break for every payment that a file of its provider should have named by now.

    Raises:
        StepsFailed: some could not be done, and are still due.
    """
    each_apart(partial(_miss, payment) for payment in payment_tables.due_payments())


def _miss(payment: SettledPayment) -> None:
    now = clock.now()
    if payment.captured is None:
        return
    found = line_breaks.missed(payment, now)
    note = payment_tables.missed(payment.payment_id, found.break_id, now)
    if break_tables.try_add(found, note):
        count("BreakOpened", kind=found.kind)
