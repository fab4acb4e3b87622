"""Callbacks about what follows a payment: a notification to ask, a refund, a dispute."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.observability import count
from chalicelib.edge.storage import try_commit
from chalicelib.errors import MarketplaceError, Unavailable
from chalicelib.payments import (
    callback_tables,
    dispute_tables,
    disputes,
    refund_tables,
    refunds,
    tables,
)
from chalicelib.payments.callback_tables import Outcome
from chalicelib.payments.dispute_domain import Dispute, DisputeStatus
from chalicelib.payments.domain import (
    REFUNDABLE,
    UNPAID,
    EventKind,
    EventStatus,
    Payment,
    ProviderEvent,
    Verdict,
)
from chalicelib.payments.refund_domain import RefundStatus

LOOK_AGAIN_AFTER = timedelta(minutes=15)
WAITS_FOR = timedelta(days=3)
OPENED, WON, LOST = "opened", "won", "lost"
"""What the `reason` of a dispute's callback may be; anything else is the bank's reason to open."""
Write = Callable[[TransactWrite], None]


def park(event: ProviderEvent, why: str, answer: str | None = None) -> bool:
    """Put a callback that no rule can apply where an operator sees it; False: it is closed."""
    if not callback_tables.close_event(event, Outcome(EventStatus.PARKED, why, answer)):
        return False
    count("CallbackParked", provider=event.provider)
    return True


def applied(event: ProviderEvent) -> Verdict | None:
    """Apply an event of these kinds; None when what it was judged by has changed meanwhile."""
    if event.kind is EventKind.REFUNDED and event.reference.startswith("rfd_"):
        return _refunded(event)
    if event.kind is EventKind.UNKNOWN:
        return _closed(park(event, "unknown type"), Verdict.UNAPPLIED)
    found = tables.find(event.reference)
    if found is None or found.provider is not event.provider:
        return _closed(park(event, "unknown reference"), Verdict.UNAPPLIED)
    if event.kind is EventKind.NOTIFIED:
        return ask_soon(event, "the provider is asked")
    if event.kind is EventKind.DISPUTED:
        return _disputed(event, found)
    # Money went back that we did not send back: our books and the provider's differ.
    return _reviewed(event, found, "refunded without our asking")


def ask_soon(event: ProviderEvent, why: str) -> Verdict | None:
    """Have the provider asked about the payment at once; a notification is no more than that."""
    found = tables.find(event.reference)
    if found is None:
        return _closed(park(event, "unknown reference"), Verdict.UNAPPLIED)
    asking = replace(found, ask_at=clock.now())

    def write(transaction: TransactWrite) -> None:
        tables.add_changed(transaction, asking)
        callback_tables.add_outcome(transaction, event, Outcome(EventStatus.APPLIED, why))

    return _closed(try_commit(write), Verdict.REPEATED)


def _refunded(event: ProviderEvent) -> Verdict | None:
    refund_id, _, _ = event.reference.partition("-")
    found = refund_tables.find(refund_id)
    if found is None or (event.provider, event.reference) != (found.provider, found.reference):
        return _closed(park(event, "unknown refund"), Verdict.UNAPPLIED)
    if event.amount != found.amount:
        return _closed(park(event, "another amount than the refund's"), Verdict.UNAPPLIED)
    try:
        refunds.finish(refund_id, RefundStatus.PAID, event.provider_reference)
    except Unavailable:
        raise  # It comes again from the queue.
    except MarketplaceError as refusal:
        return _closed(park(event, f"refused: {refusal.code}"), Verdict.UNAPPLIED)
    done = callback_tables.close_event(event, Outcome(EventStatus.APPLIED, "the refund is paid"))
    return _closed(done, Verdict.REPEATED)


def _disputed(event: ProviderEvent, found: Payment) -> Verdict | None:
    stage = event.reason or OPENED
    current = disputes.current_dispute(found)
    case = event.provider_reference or event.key
    if found.status in UNPAID and _may_wait(event):
        # Disputes may be told of before the money is; it is looked at again in a while.
        callback_tables.postpone(event, clock.now() + LOOK_AGAIN_AFTER)
        return Verdict.REPEATED
    if current is not None and stage in (WON, LOST):
        return _decided(event, found, current, stage)
    if stage == LOST and found.status in REFUNDABLE:
        # Nobody told us of its beginning: it is opened first, and decided when this comes again.
        disputes.open_told(found, case)
        return None
    if stage in (WON, LOST):
        return _closed(park(event, "no dispute of it is open"), Verdict.UNAPPLIED)
    known = dispute_tables.find(disputes.dispute_id_of(found.payment_id, case))
    if current is not None or known is not None:
        return _done(event, lambda transaction: None, "known")
    try:
        made = disputes.new_dispute(found, case, stage)
    except MarketplaceError as refusal:
        return _reviewed(event, found, f"disputed, and {refusal.code}")
    # What the bank disputes is shown to an operator where it is not all that is left.
    seen = found
    if event.amount is not None and event.amount != made.amount:
        seen = replace(found, review=True, review_reason="another amount is disputed")
    return _done(event, lambda t: disputes.add_dispute(t, seen, made), "a dispute is open")


def _may_wait(event: ProviderEvent) -> bool:
    kept = callback_tables.find_kept(event.key)
    return kept is not None and clock.now() < clock.from_text(kept.received_at) + WAITS_FOR


def _decided(event: ProviderEvent, found: Payment, current: Dispute, stage: str) -> Verdict | None:
    # With the callback, in one: it would not know its own decision again, and be parked.
    done = disputes.as_decided(current, DisputeStatus(stage))
    decide = partial(disputes.add_decided, payment=found, done=done)
    verdict = _done(event, decide, f"the dispute is {stage}")
    if verdict is not None:
        disputes.count_decided(done)
    return verdict


def _reviewed(event: ProviderEvent, found: Payment, why: str) -> Verdict | None:
    flagged = replace(found, review=True, review_reason=why)
    return _done(event, lambda t: tables.add_changed(t, flagged), why)


def _done(event: ProviderEvent, write: Write, why: str) -> Verdict | None:
    def both(transaction: TransactWrite) -> None:
        write(transaction)
        callback_tables.add_outcome(transaction, event, Outcome(EventStatus.APPLIED, why))

    return _closed(try_commit(both), Verdict.REPEATED)


def _closed(is_done: bool, verdict: Verdict) -> Verdict | None:
    return verdict if is_done else None
