"""Disputes from their opening to their end, and the evidence that an order gives."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pynamodb.transactions import TransactWrite

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.edge.observability import count
from chalicelib.edge.storage import try_commit
from chalicelib.edge.sweeps import each_apart
from chalicelib.errors import NotFound, Unavailable
from chalicelib.money import Money
from chalicelib.payments import dispute_tables, evidence, tables
from chalicelib.payments.dispute_domain import (
    EVIDENCE_WITHIN,
    OPEN,
    Dispute,
    DisputeStatus,
    NotDisputable,
    UnknownDispute,
    decided,
    disputed,
    move,
)
from chalicelib.payments.domain import REFUNDABLE, Payment
from chalicelib.payments.refund_domain import left_of, merged, total_minor, without_empty

ATTEMPTS = 6


def dispute(dispute_id: str) -> Dispute:
    """
    Raises:
        UnknownDispute: there is none.
    """
    found = dispute_tables.find(dispute_id)
    if found is None:
        raise UnknownDispute("there is no such dispute")
    return found


def dispute_id_of(payment_id: str, case: str) -> str:
    """The same case of a bank about a payment is the same dispute."""
    return ids.keyed_id("dsp", settings().signing_secret, payment_id, case)


def new_dispute(payment: Payment, case: str, reason: str) -> Dispute:
    """A dispute about all that is left of a payment.

    Raises:
        NotDisputable: it is not captured, disputed already, or nothing is left of it.
    """
    portions = without_empty(left_of(payment))
    if payment.status not in REFUNDABLE or not portions:
        raise NotDisputable(f"the payment is {payment.status}, or nothing is left of it")
    now = clock.now()
    return Dispute(
        dispute_id=dispute_id_of(payment.payment_id, case),
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        provider=payment.provider,
        status=DisputeStatus.OPENED,
        amount=Money(total_minor(portions), payment.amount.currency),
        portions=portions,
        case=case,
        reason=reason,
        opened_at=now,
        evidence_due_at=now + EVIDENCE_WITHIN,
    )


def add_dispute(transaction: TransactWrite, payment: Payment, made: Dispute) -> None:
    """Put a new dispute, and its payment with what is disputed reserved, into a transaction."""
    dispute_tables.add_new(transaction, made)
    taken = merged(payment.taken_back, made.portions, 1)
    tables.add_changed(transaction, disputed(payment, made, taken))


def open_dispute(payment_id: str, case: str, reason: str) -> Dispute:
    """Open a dispute that an operator was told of; the same case is the same dispute.

    Raises:
        NotFound, NotDisputable. Unavailable: the payment kept changing.
    """
    dispute_id = dispute_id_of(payment_id, case)
    for _ in range(ATTEMPTS):
        earlier = dispute_tables.find(dispute_id)
        if earlier is not None:
            return earlier
        payment = tables.find(payment_id)
        if payment is None:
            raise NotFound("there is no such payment")
        made = replace(new_dispute(payment, case, reason), by_letter=True)
        if try_commit(partial(add_dispute, payment=payment, made=made)):
            return made
    raise Unavailable("the payment kept changing; ask again", retry_after_seconds=1)


def open_told(payment: Payment, case: str) -> None:
    """Open a dispute of which the provider tells only the end; nothing where it is open."""
    made = new_dispute(payment, case, "told when it was over")
    try_commit(partial(add_dispute, payment=payment, made=made))


def send_evidence(dispute_id: str) -> Dispute:
    """Note that the evidence has gone to the bank, and the digest of what it was.

    Raises:
        UnknownDispute, IllegalDisputeMove. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        found = dispute(dispute_id)
        if found.status is DisputeStatus.EVIDENCE_SENT:
            return found
        digest = evidence.digest_of(evidence_of(found))
        sent = replace(move(found, DisputeStatus.EVIDENCE_SENT), evidence_digest=digest)
        if try_commit(partial(dispute_tables.add_changed, dispute=sent)):
            return sent
    raise Unavailable("the dispute kept changing; ask again", retry_after_seconds=1)


def evidence_of(found: Dispute) -> Mapping[str, Any]:
    """What the platform knows that speaks for the artisan, packed for the bank."""
    payment = tables.find(found.payment_id)
    assert payment is not None, "a dispute is written with its payment"
    return evidence.pack(found, payment)


def decide(dispute_id: str, won: bool) -> Dispute:
    """The bank has decided; the same decision again changes nothing.

    Raises:
        UnknownDispute, IllegalDisputeMove. Unavailable: it kept changing.
    """
    to = DisputeStatus.WON if won else DisputeStatus.LOST
    payment_id = dispute(dispute_id).payment_id
    for _ in range(ATTEMPTS):
        # The payment first: where another decides meanwhile, that decision is seen too.
        payment = tables.find(payment_id)
        assert payment is not None, "a dispute is written with its payment"
        found = dispute(dispute_id)
        if found.status is to:
            return found
        done = as_decided(found, to)
        if try_commit(partial(add_decided, payment=payment, done=done)):
            count_decided(done)
            return done
    raise Unavailable("the dispute kept changing; ask again", retry_after_seconds=1)


def as_decided(found: Dispute, to: DisputeStatus) -> Dispute:
    """
    Raises:
        IllegalDisputeMove: it is decided already.
    """
    return replace(move(found, to), decided_at=clock.now())


def count_decided(done: Dispute) -> None:
    count("DisputeDecided", provider=done.provider, status=done.status)


def add_decided(transaction: TransactWrite, payment: Payment, done: Dispute) -> None:
    """Put a decided dispute and its payment, read before it, into a transaction."""
    won = done.status is DisputeStatus.WON
    dispute_tables.add_changed(transaction, done)
    taken = merged(payment.taken_back, done.portions, -1) if won else payment.taken_back
    tables.add_changed(transaction, decided(payment, won, taken))


def current_dispute(payment: Payment) -> Dispute | None:
    """The open dispute of a payment."""
    found = dispute_tables.find(payment.dispute_id) if payment.dispute_id else None
    return found if found and found.status in OPEN else None


def mark_overdue() -> None:
    """Count each dispute whose evidence was due and not sent, once, so that somebody is called."""
    each_apart(partial(_mark_overdue, dispute_id) for dispute_id in dispute_tables.overdue_ids())


def _mark_overdue(dispute_id: str) -> None:
    found = dispute(dispute_id)
    is_late = found.status is DisputeStatus.OPENED and not found.overdue
    if not is_late or found.evidence_due_at > clock.now():
        return
    marked = replace(found, overdue=True)
    if try_commit(partial(dispute_tables.add_changed, dispute=marked)):
        count("DisputeEvidenceOverdue", provider=found.provider)
