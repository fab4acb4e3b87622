"""What a provider's callback does: to a payment, and through it to the order and its stock."""

from dataclasses import dataclass, replace
from functools import partial

from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import queues
from chalicelib.edge.observability import count
from chalicelib.edge.storage import try_commit
from chalicelib.edge.sweeps import each_apart
from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.money import Money
from chalicelib.orders import holds, parcel_tables
from chalicelib.orders import service as orders
from chalicelib.orders import tables as order_tables
from chalicelib.orders.domain import MOVES as ORDER_MOVES
from chalicelib.orders.domain import Order, OrderState
from chalicelib.payments import aftermath, callback_tables, refund_tables, tables
from chalicelib.payments.callback_tables import Outcome
from chalicelib.payments.checkout import payments_of
from chalicelib.payments.domain import (
    MOVES,
    PAID,
    Attempt,
    EventKind,
    EventStatus,
    Kept,
    Payment,
    PaymentStatus,
    Provider,
    ProviderEvent,
    Verdict,
    closed,
    confirm,
    for_review,
    is_untouched,
    judge,
    open_payments,
    paid,
    with_attempt,
)
from chalicelib.payments.messages import PayoutReported
from chalicelib.payments.providers import cmi
from chalicelib.payments.refund_domain import Refund
from chalicelib.payments.refunds import new_receipt, receipt_id_of
from chalicelib.stock.service import CLAIM_IN_FLIGHT

ATTEMPTS = 6
JUDGED = frozenset({EventKind.SUCCEEDED, EventKind.AUTHORIZED, EventKind.FAILED})


def receive_callback(event: ProviderEvent, raw_body: bytes) -> None:
    """Keep a verified callback once; it is applied from the queue."""
    callback_tables.record_once(event, raw_body)


def decide_cmi(event: ProviderEvent, raw_body: bytes, client_id: str) -> str:
    """CMI's answer, which is the capture decision: kept, decided, and only then given.

    `ACTION=POSTAUTH` debits the buyer and is answered only once the order is paid in our tables;
    the answer is kept with what it follows from, so the same callback is answered the same again.
    """
    answered = callback_tables.record_once(event, raw_body)
    if answered is not None:
        return answered
    if client_id == settings().cmi_client_id:
        applied = apply_event(event)
    else:
        applied = _parked(event, "another merchant's client id")
    answer = applied.answer if applied else callback_tables.kept_answer(event)
    return answer or cmi.ACKNOWLEDGE


def _answer_to(event: ProviderEvent, verdict: Verdict, found: Payment | None) -> str | None:
    """What CMI is told. It may debit what has just been paid; and what it asks about again, while
    nothing of that was called off, refunded or disputed since."""
    if event.provider is not Provider.CMI:
        return None
    again = verdict is Verdict.REPEATED and found is not None and is_untouched(found)
    return cmi.CAPTURE if verdict is Verdict.PAY or again else cmi.ACKNOWLEDGE


def apply_callback(event_key: str) -> ProviderEvent | None:
    """Apply a kept callback and return it; None, and nothing changes, where it was applied."""
    event, status = callback_tables.find_event(event_key)
    if status is not EventStatus.RECEIVED:
        return None
    if event.kind.is_about_payout:
        _hand_over(event)
    elif event.provider is Provider.CMI and not event.is_taken:
        # CMI was given no answer, so nothing was debited; it is asked, and answered no more.
        aftermath.ask_soon(event, "no decision was given")
    else:
        apply_event(event)
    return event


def _hand_over(event: ProviderEvent) -> None:
    """What the wallet says of a payout is for `payouts`; sent first, so that it is never lost."""
    assert event.amount is not None, "the wallet's contract has an amount in every event"
    reported = PayoutReported.model_validate(
        {
            "payout_id": event.reference,
            "outcome": event.kind.value.partition(".")[2],
            "amount_minor": event.amount.amount_minor,
            "currency": event.amount.currency,
            "reason": event.reason,
            "provider_reference": event.provider_reference,
            "occurred_at": event.occurred_at,
        }
    )
    queues.send("payouts", reported, group=reported.payout_id)
    callback_tables.close_event(event, Outcome(EventStatus.APPLIED, "handed to payouts"))


@dataclass(frozen=True, slots=True)
class Applied:
    """What an event meant, and what its provider is told."""

    verdict: Verdict
    answer: str | None = None


def apply_event(event: ProviderEvent) -> Applied | None:
    """Judge an event against its payment and write what follows, all in one transaction.

    None when another delivery of the same event has applied it meanwhile.

    Raises:
        Unavailable: it kept changing under our hands; the event is kept and may come again.
    """
    for _ in range(ATTEMPTS):
        applied = _applied(event)
        if applied is not None:
            count("CallbackApplied", provider=event.provider, verdict=applied.verdict)
            return applied
        if callback_tables.find_event(event.key)[1] is not EventStatus.RECEIVED:
            return None
    raise Unavailable("the payment kept changing; send the callback again")


def _applied(event: ProviderEvent) -> Applied | None:
    """What was written; None when somebody else changed what it was judged by."""
    if event.kind not in JUDGED:
        verdict = aftermath.applied(event)
        return Applied(verdict) if verdict else None
    found = tables.find(event.reference)
    if found is None:
        return _parked(event, "unknown reference")
    judged = _judged(found, event)
    answer = _answer_to(event, judged.verdict, found)

    def write(transaction: TransactWrite) -> None:
        if judged.payment is not None:
            tables.add_changed(transaction, judged.payment)
        if judged.order is not None:
            order_tables.add_paid(transaction, judged.order, found.payment_id, clock.now())
        if judged.receipt is not None:
            refund_tables.add_new(transaction, judged.receipt)
        for other in judged.others:
            superfluous = closed(other, PaymentStatus.CANCELLED, clock.now())
            tables.add_changed(transaction, superfluous)
        text = f"{judged.verdict}: {judged.reason}"
        outcome = Outcome(judged.status, text, answer)
        callback_tables.add_outcome(transaction, event, outcome)

    if try_commit(write):
        return Applied(judged.verdict, answer)
    if judged.order is not None:
        # It may have closed as its stock was claimed, and given back what it held before that.
        order_tables.want_release(judged.order, clock.now() + CLAIM_IN_FLIGHT)
    return None


def _parked(event: ProviderEvent, why: str) -> Applied | None:
    answer = _answer_to(event, Verdict.UNAPPLIED, None)
    return Applied(Verdict.UNAPPLIED, answer) if aftermath.park(event, why, answer) else None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What an event changes: the payment, its order once it is paid, the payments that this makes
    superfluous, and the receipt of money that goes back."""

    verdict: Verdict
    reason: str
    payment: Payment | None = None
    order: Order | None = None
    others: tuple[Payment, ...] = ()
    receipt: Refund | None = None

    @property
    def status(self) -> EventStatus:
        return EventStatus.NO_EFFECT if self.payment is None else EventStatus.APPLIED


def _judged(found: Payment, event: ProviderEvent) -> _Judged:
    now = clock.now()
    verdict, reason = judge(found, event)
    order = None
    if verdict is Verdict.PAY and found.attempts and _is_going_back(found, event):
        verdict, reason = Verdict.UNAPPLIED, "it did not fit before"
    if verdict is Verdict.PAY:
        order = orders.order(found.order_id)
        verdict, reason = _with_stock(order, reason)
    if verdict is Verdict.PAY and order is not None:
        others = _other_payments(order, found)
        return _Judged(verdict, reason, paid(found, event, now), order, others)
    if verdict is Verdict.ATTEMPT_FAILED:
        attempt = Attempt("failed", event.provider_reference, now, reason)
        return _Judged(verdict, reason, with_attempt(found, attempt))
    if verdict is Verdict.UNAPPLIED:
        return _unapplied(found, event, reason)
    return _Judged(verdict, reason)


def _is_going_back(found: Payment, event: ProviderEvent) -> bool:
    """Whether this very money has a receipt: it came when it fitted nothing, and must not pay now
    what has become free since."""
    receipt_id = receipt_id_of(found.payment_id, event.provider_reference)
    return refund_tables.find(receipt_id) is not None


def _with_stock(order: Order, reason: str) -> tuple[Verdict, str]:
    if OrderState.PAID not in ORDER_MOVES[order.state]:
        return Verdict.UNAPPLIED, f"order is {order.state}"
    try:
        holds.claim_stock(order)
    except Conflict as refusal:
        return Verdict.UNAPPLIED, f"no stock: {refusal.code}"
    return Verdict.PAY, reason


def _other_payments(order: Order, paid_one: Payment) -> tuple[Payment, ...]:
    """The other ways this order was tried to be paid: once it is paid they lead nowhere."""
    if order.payment_count == 1:
        return ()
    pending = open_payments(payments_of(order))
    return tuple(other for other in pending if other.payment_id != paid_one.payment_id)


def _unapplied(found: Payment, event: ProviderEvent, reason: str) -> _Judged:
    """Money that does not fit: for an operator to look at, and on its way back where it was taken.

    The same money that comes again (another callback, or found by asking) is known by its receipt;
    it still does not fit: CMI is never answered that it may be debited.
    """
    if _is_going_back(found, event):
        return _Judged(Verdict.UNAPPLIED, f"known: {reason}")
    now = clock.now()
    flagged = for_review(found, event, reason, now)
    if event.kind is EventKind.AUTHORIZED and PaymentStatus.AUTHORIZED in MOVES[found.status]:
        # Reserved on a card and not to be taken: what follows from this state lets go of it.
        held = replace(flagged, status=PaymentStatus.AUTHORIZED, ask_at=now, asked_count=0)
        return _Judged(Verdict.UNAPPLIED, reason, held)
    is_money = event.kind is not EventKind.FAILED and event.amount is not None
    receipt = new_receipt(found, event, reason) if is_money else None
    return _Judged(Verdict.UNAPPLIED, reason, flagged, receipt=receipt)


def confirm_capture(payment_id: str, provider: str, amount: Money) -> None:
    """The provider's own record names this payment: what was asked for is now captured.

    Another amount or provider is for an operator to look at. A payment that we do not know, or
    that is not paid, is counted; the file's own line shows it to the operator.

    Raises:
        Unavailable: it kept changing; ask again.
    """
    for _ in range(ATTEMPTS):
        found = tables.find(payment_id)
        if found is None:
            count("ConfirmedUnpaid", provider=provider)
            return
        if found.status not in PAID:
            count("ConfirmedUnpaid", provider=provider)
            asking = replace(found, ask_at=clock.now(), asked_count=0)
            if try_commit(partial(tables.add_changed, payment=asking)):
                return  # It says that it has money which we do not know of: what it was for.
            continue
        confirmed = confirm(found, provider, amount)
        if confirmed == found:
            return
        if try_commit(partial(_add_confirmed, was=found, payment=confirmed)):
            return
    raise Unavailable("the payment kept changing")


def _add_confirmed(transaction: TransactWrite, was: Payment, payment: Payment) -> None:
    tables.add_changed(transaction, payment)
    if was.review and payment.status is not was.status:  # What kept its parcels is cleared.
        parcel_ids = [share.parcel_id for share in payment.shares]
        parcel_tables.add_let_go(transaction, payment.order_id, parcel_ids)


def apply_parked(event_key: str) -> Kept:
    """Apply a parked callback once more, after what kept it from being applied was mended.

    Raises:
        NotFound: there is none of this key on the shelf.
    """
    if not callback_tables.open_again(event_key):
        raise NotFound("no callback of this key is parked")
    apply_callback(event_key)
    kept = callback_tables.find_kept(event_key)
    assert kept is not None
    return kept


def apply_due_callbacks() -> None:
    """Apply what was kept and, after a minute, not applied: nothing depends on the queue alone."""
    each_apart(partial(apply_callback, key) for key in callback_tables.due_event_keys())
