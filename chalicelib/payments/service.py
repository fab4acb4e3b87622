"""What a provider's callback does: to a payment, and through it to the order and its stock."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.observability import count
from chalicelib.edge.storage import commit, failed_conditions
from chalicelib.errors import Conflict, Unavailable
from chalicelib.money import Money
from chalicelib.orders import service as orders
from chalicelib.orders import tables as order_tables
from chalicelib.orders.domain import MOVES as ORDER_MOVES
from chalicelib.orders.domain import Order, OrderState
from chalicelib.payments import tables
from chalicelib.payments.checkout import payments_of
from chalicelib.payments.domain import (
    PAID,
    Attempt,
    EventKind,
    EventStatus,
    Payment,
    PaymentStatus,
    Provider,
    ProviderEvent,
    Verdict,
    confirm,
    for_review,
    judge,
    open_payments,
    paid,
    with_attempt,
)
from chalicelib.payments.providers import cmi

ATTEMPTS = 6
APPLIED_NOW = frozenset({EventKind.SUCCEEDED, EventKind.FAILED})
# CMI's answer asks for the capture and is never confirmed; the wallet reports money it has.
PAID_AS = {
    Provider.CMI: PaymentStatus.CAPTURE_REQUESTED,
    Provider.WALLET: PaymentStatus.CAPTURED,
}


def receive_callback(event: ProviderEvent, raw_body: bytes) -> None:
    """Keep a verified callback once; it is applied from the queue."""
    tables.record_once(event, raw_body)


def decide_cmi(event: ProviderEvent, raw_body: bytes, client_id: str) -> str:
    """CMI's answer, which is the capture decision: kept, decided, and only then given.

    `ACTION=POSTAUTH` debits the buyer and is answered only once the order is paid in our tables;
    the answer is kept with what it follows from, so the same callback is answered the same again.
    """
    answered = tables.record_once(event, raw_body)
    if answered is not None:
        return answered
    if client_id == settings().cmi_client_id:
        verdict = apply_event(event)
    else:
        verdict = _parked(event, "another merchant's client id")
    answer = _answer_to(event, verdict) if verdict else tables.kept_answer(event)
    return answer or cmi.ACKNOWLEDGE


def _answer_to(event: ProviderEvent, verdict: Verdict) -> str | None:
    if event.provider is not Provider.CMI:
        return None
    return cmi.CAPTURE if verdict in (Verdict.PAY, Verdict.REPEATED) else cmi.ACKNOWLEDGE


def apply_callback(event_key: str) -> None:
    """Apply a kept callback; one that was applied before changes nothing."""
    event, status = tables.find_event(event_key)
    if status is EventStatus.RECEIVED:
        apply_event(event)


def apply_event(event: ProviderEvent) -> Verdict | None:
    """Judge an event against its payment and write what follows, all in one transaction.

    None when another delivery of the same event has applied it meanwhile.

    Raises:
        Unavailable: it kept changing under our hands; the event is kept and may come again.
    """
    for _ in range(ATTEMPTS):
        verdict = _applied(event)
        if verdict is not None:
            count("CallbackApplied", provider=event.provider, verdict=verdict)
            return verdict
        if tables.find_event(event.key)[1] is not EventStatus.RECEIVED:
            return None
    raise Unavailable("the payment kept changing; send the callback again")


def _applied(event: ProviderEvent) -> Verdict | None:
    """The verdict once it is written; None when somebody else changed what it was judged by."""
    found = tables.find(event.reference)
    if found is None:
        return _parked(event, "unknown reference")
    if event.kind not in APPLIED_NOW:
        return _parked(event, f"{event.kind} is not handled yet")
    verdict, reason = judge(found, event)
    order = None
    if verdict is Verdict.PAY:
        order = orders.order(found.order_id)
        verdict, reason = _with_stock(order, reason)
    others = _other_payments(order, found) if order and verdict is Verdict.PAY else []

    def write(transaction: TransactWrite) -> None:
        changed, status = _changed_by(verdict, reason, found, event)
        if changed is not None:
            tables.add_changed(transaction, changed)
        if order is not None and verdict is Verdict.PAY:
            order_tables.add_paid(transaction, order, found.payment_id, clock.now())
        for other in others:
            tables.add_changed(transaction, replace(other, status=PaymentStatus.CANCELLED))
        answer = _answer_to(event, verdict)
        tables.add_outcome(
            transaction, event, tables.Outcome(status, f"{verdict}: {reason}", answer)
        )

    return verdict if _is_committed(write) else None


def _parked(event: ProviderEvent, why: str) -> Verdict | None:
    answer = _answer_to(event, Verdict.UNAPPLIED)
    if not tables.close_event(event, tables.Outcome(EventStatus.PARKED, why, answer)):
        return None
    count("CallbackParked", provider=event.provider)
    return Verdict.UNAPPLIED


def _with_stock(order: Order, reason: str) -> tuple[Verdict, str]:
    if OrderState.PAID not in ORDER_MOVES[order.state]:
        return Verdict.UNAPPLIED, f"order is {order.state}"
    try:
        orders.claim_stock(order)
    except Conflict as refusal:
        return Verdict.UNAPPLIED, f"no stock: {refusal.code}"
    return Verdict.PAY, reason


def _other_payments(order: Order, paid_one: Payment) -> list[Payment]:
    """The other ways this order was tried to be paid: once it is paid they lead nowhere."""
    if order.payment_count == 1:
        return []
    pending = open_payments(payments_of(order))
    return [other for other in pending if other.payment_id != paid_one.payment_id]


def _changed_by(
    verdict: Verdict, reason: str, found: Payment, event: ProviderEvent
) -> tuple[Payment | None, EventStatus]:
    """(the payment after the event, None where it stays as it is; what became of the event)."""
    now = clock.now()
    if verdict is Verdict.PAY:
        return paid(found, event, PAID_AS[found.provider], now), EventStatus.APPLIED
    if verdict is Verdict.ATTEMPT_FAILED:
        attempt = Attempt("failed", event.provider_reference, now, reason)
        return with_attempt(found, attempt), EventStatus.APPLIED
    if verdict is Verdict.UNAPPLIED:
        return for_review(found, event, reason, now), EventStatus.APPLIED
    return None, EventStatus.NO_EFFECT


def confirm_capture(payment_id: str, provider: str, amount: Money) -> None:
    """The provider's own file names this payment: what was asked for is now captured.

    Another amount or provider is for an operator to look at. A payment that we do not know, or
    that is not paid, is counted; the file's own line shows it to the operator.

    Raises:
        Unavailable: it kept changing; ask again.
    """
    for _ in range(ATTEMPTS):
        found = tables.find(payment_id)
        if found is None or found.status not in PAID:
            count("ConfirmedUnpaid", provider=provider)
            return
        confirmed = confirm(found, provider, amount)
        if confirmed == found:
            return
        if _is_committed(partial(tables.add_changed, payment=confirmed)):
            return
    raise Unavailable("the payment kept changing")


def _is_committed(write: Callable[[TransactWrite], None]) -> bool:
    """False when a condition failed: what was read has changed."""
    try:
        commit(write)
    except TransactWriteError as error:
        if failed_conditions(error):
            return False
        raise
    return True
