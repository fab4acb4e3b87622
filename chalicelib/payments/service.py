"""What a provider's callback does: to a payment, and through it to the order and its stock."""

from dataclasses import replace

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.observability import count
from chalicelib.edge.storage import commit, failed_conditions
from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.orders import service as orders
from chalicelib.orders import tables as order_tables
from chalicelib.orders.domain import MOVES as ORDER_MOVES
from chalicelib.orders.domain import Order, OrderState
from chalicelib.payments import tables
from chalicelib.payments.domain import (
    Attempt,
    EventKind,
    EventStatus,
    Payment,
    PaymentStatus,
    Provider,
    ProviderEvent,
    Verdict,
    for_review,
    judge,
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


def payment(payment_id: str) -> Payment:
    """Raises NotFound."""
    found = tables.find(payment_id)
    if found is None:
        raise NotFound("there is no such payment")
    return found


def receive_callback(event: ProviderEvent, raw_body: bytes) -> None:
    """Keep a verified callback once; it is applied from the queue."""
    tables.record_once(event, raw_body)


def decide_cmi(event: ProviderEvent, raw_body: bytes, client_id: str) -> str:
    """CMI's answer, which is the capture decision: kept, decided, and only then given.

    `ACTION=POSTAUTH` debits the buyer and is answered only once the order is paid in our tables;
    the same callback again is answered the same.
    """
    answered = tables.record_once(event, raw_body)
    if answered is not None:
        return answered
    if client_id != settings().cmi_client_id:
        _park(event, "another merchant's client id")
        verdict = Verdict.UNAPPLIED
    else:
        verdict = apply_event(event)
    captures = verdict in (Verdict.PAY, Verdict.REPEATED)
    answer = cmi.CAPTURE if captures else cmi.ACKNOWLEDGE
    tables.keep_answer(event, answer)
    return answer


def apply_callback(event_key: str) -> None:
    """Apply a kept callback; one that was applied before changes nothing."""
    event, status = tables.find_event(event_key)
    if status is EventStatus.RECEIVED:
        apply_event(event)


def apply_event(event: ProviderEvent) -> Verdict:
    """Judge an event against its payment and write what follows, all in one transaction.

    Raises:
        Unavailable: it kept changing under our hands; the event is kept and may come again.
    """
    for _ in range(ATTEMPTS):
        verdict = _applied(event)
        if verdict is not None:
            count("CallbackApplied", provider=event.provider, verdict=verdict)
            return verdict
    raise Unavailable("the payment kept changing; send the callback again")


def _applied(event: ProviderEvent) -> Verdict | None:
    """The verdict once it is written; None when somebody else changed the payment or the order."""
    found = tables.find(event.reference)
    if found is None or event.kind not in APPLIED_NOW:
        _park(event, "unknown reference" if found is None else f"{event.kind} is not handled yet")
        return Verdict.UNAPPLIED
    verdict, reason = judge(found, event)
    order = None
    if verdict is Verdict.PAY:
        order = orders.order(found.order_id)
        verdict, reason = _with_stock(order, reason)

    def write(transaction: TransactWrite) -> None:
        _write(transaction, verdict, reason, found, order, event)

    try:
        commit(write)
    except TransactWriteError as error:
        if failed_conditions(error):
            return None
        raise
    return verdict


def _park(event: ProviderEvent, why: str) -> None:
    count("CallbackParked", provider=event.provider)
    tables.close_event(event, EventStatus.PARKED, why)


def _with_stock(order: Order, reason: str) -> tuple[Verdict, str]:
    if OrderState.PAID not in ORDER_MOVES[order.state]:
        return Verdict.UNAPPLIED, f"order is {order.state}"
    try:
        orders.claim_stock(order)
    except Conflict as refusal:
        return Verdict.UNAPPLIED, f"no stock: {refusal.code}"
    return Verdict.PAY, reason


def _write(
    transaction: TransactWrite,
    verdict: Verdict,
    reason: str,
    found: Payment,
    order: Order | None,
    event: ProviderEvent,
) -> None:
    now = clock.now()
    status = EventStatus.APPLIED
    if verdict is Verdict.PAY:
        assert order is not None
        changed = paid(found, event, PAID_AS[found.provider], now)
        tables.add_changed(transaction, changed)
        order_tables.add_paid(transaction, order, found.payment_id, now)
    elif verdict is Verdict.ATTEMPT_FAILED:
        attempt = Attempt("failed", event.provider_reference, now, reason)
        tables.add_changed(transaction, with_attempt(found, attempt))
    elif verdict is Verdict.UNAPPLIED:
        tables.add_changed(transaction, for_review(found, event, reason, now))
    else:
        status = EventStatus.NO_EFFECT
    tables.add_outcome(transaction, event, status, f"{verdict}: {reason}")


def confirm_capture(payment_id: str) -> None:
    """The provider's own file says the money was taken: what was asked for is now captured.

    Raises:
        NotFound: no such payment. Unavailable: it kept changing; ask again.
    """
    for _ in range(ATTEMPTS):
        found = payment(payment_id)
        if found.status is not PaymentStatus.CAPTURE_REQUESTED:
            if found.status is not PaymentStatus.CAPTURED:
                count("ConfirmedUnpaid", provider=found.provider)
            return
        if _changed(replace(found, status=PaymentStatus.CAPTURED)):
            return
    raise Unavailable("the payment kept changing")


def _changed(changed: Payment) -> bool:
    try:
        commit(lambda transaction: tables.add_changed(transaction, changed))
    except TransactWriteError as error:
        if failed_conditions(error):
            return False
        raise
    return True
