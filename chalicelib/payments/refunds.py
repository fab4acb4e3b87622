"""Giving money back: approved with its payment, sent once, and asked about until it is known."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from pynamodb.transactions import TransactWrite

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.edge.observability import count
from chalicelib.edge.outbound import OutcomeUnknown
from chalicelib.edge.storage import try_commit
from chalicelib.edge.sweeps import each_apart
from chalicelib.errors import NotFound, Unavailable
from chalicelib.money import Money
from chalicelib.orders import parcel_tables
from chalicelib.orders import service as orders
from chalicelib.orders import tables as order_tables
from chalicelib.orders.domain import ParcelStatus, Restock
from chalicelib.payments import dispute_tables, gateway, refund_tables, tables
from chalicelib.payments.domain import (
    Payment,
    PaymentStatus,
    Portion,
    Provider,
    ProviderEvent,
)
from chalicelib.payments.refund_domain import (
    ON_ITS_WAY,
    IllegalRefundMove,
    Refund,
    RefundKind,
    RefundStatus,
    UnknownRefund,
    Wish,
    check_fits,
    given_up,
    left_of,
    merged,
    move,
    next_refund_ask,
    portions_of_amount,
    refunded,
    reserved,
    total_minor,
    without_empty,
)
from chalicelib.payments.refund_lines import portions_of_lines
from chalicelib.payments.reports import RefundReport, RefundState

ATTEMPTS = 6
ASKS_BEFORE_BY_HAND = 5  # about half an hour without an answer that decides


def refund(refund_id: str) -> Refund:
    """
    Raises:
        UnknownRefund: there is none.
    """
    found = refund_tables.find(refund_id)
    if found is None:
        raise UnknownRefund("there is no such refund")
    return found


def refund_id_of(payment_id: str, *why: str) -> str:
    """The same reason to refund a payment always gives the same refund."""
    return ids.keyed_id("rfd", settings().signing_secret, payment_id, *why)


def request_refund(payment_id: str, key: str, wish: Wish, reason: str, by: str) -> Refund:
    """Approve a refund that an operator asks for; the same key is the same refund.

    Raises:
        NotFound: no such payment. NotRefundable, RefundTooLarge, RefundOfOtherLines: not as asked.
    """
    refund_id = refund_id_of(payment_id, "asked", by, key)
    for _ in range(ATTEMPTS):
        earlier = refund_tables.find(refund_id)
        if earlier is not None:
            return earlier
        payment = tables.find(payment_id)
        if payment is None:
            raise NotFound("there is no such payment")
        portions, lines = _wished(payment, wish)
        made = new_refund(payment, refund_id, portions, reason, by, lines)
        if try_commit(partial(add_refund, payment=payment, made=made)):
            return made
    raise Unavailable("the payment kept changing; ask again", retry_after_seconds=1)


def _wished(payment: Payment, wish: Wish) -> tuple[tuple[Portion, ...], Mapping[str, int]]:
    if wish.amount_minor is not None:
        return portions_of_amount(payment, wish.amount_minor), {}
    if wish.lines is None:
        return without_empty(left_of(payment)), {}
    return portions_of_lines(orders.order(payment.order_id), payment, wish.lines), wish.lines


def new_refund(
    payment: Payment,
    refund_id: str,
    portions: tuple[Portion, ...],
    reason: str,
    by: str,
    lines: Mapping[str, int] | None = None,
) -> Refund:
    """A refund of these portions, approved.

    Raises:
        NotRefundable, RefundTooLarge: the payment has not that much to give.
    """
    check_fits(payment, portions)
    now = clock.now()
    can_send = payment.provider in gateway.CAN_REFUND
    return Refund(
        refund_id=refund_id,
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        provider=payment.provider,
        kind=RefundKind.REFUND,
        status=RefundStatus.APPROVED if can_send else RefundStatus.MANUAL,
        amount=Money(total_minor(portions), payment.amount.currency),
        portions=portions,
        receipt=payment.provider_reference or "",
        reason=reason,
        requested_by=by,
        requested_at=now,
        lines=lines or {},
        ask_at=next_refund_ask(0, now),
    )


def add_refund(transaction: TransactWrite, payment: Payment, made: Refund) -> None:
    """Put a new refund, and its payment with the portions reserved, into a transaction."""
    refund_tables.add_new(transaction, made)
    tables.add_changed(transaction, reserved(payment, made))


def receipt_id_of(payment_id: str, provider_reference: str) -> str:
    return refund_id_of(payment_id, "receipt", provider_reference)


def new_receipt(payment: Payment, event: ProviderEvent, reason: str) -> Refund:
    """Money that fits nothing, on its way back: sent by us where the provider takes it from us.

    Money that CMI has only reserved is not taken: an operator lets go of it.
    """
    assert event.amount is not None
    now = clock.now()
    can_send = event.is_taken and event.provider in gateway.CAN_REFUND
    return Refund(
        refund_id=receipt_id_of(payment.payment_id, event.provider_reference),
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        provider=event.provider,
        kind=RefundKind.UNAPPLIED if event.is_taken else RefundKind.VOID,
        status=RefundStatus.APPROVED if can_send else RefundStatus.MANUAL,
        amount=event.amount,
        portions=(),
        receipt=event.provider_reference,
        reason=reason,
        requested_by="rule",
        requested_at=now,
        lines={},
        ask_at=next_refund_ask(0, now),
    )


def send_refund(refund_id: str) -> None:
    """Have the provider give the money back, once; repeated, it first asks what became of it."""
    found = refund_tables.find(refund_id)
    if found is None or found.status not in ON_ITS_WAY:
        return
    payment = tables.find(found.payment_id)
    assert payment is not None, "a refund is written with its payment"
    payment = replace(payment, provider=found.provider)  # It may have come by another.
    first = found.status is RefundStatus.APPROVED
    now = clock.now()
    sending = replace(
        found,
        status=RefundStatus.SENDING,
        asked_count=found.asked_count + 1,
        ask_at=next_refund_ask(found.asked_count + 1, now),
    )
    if _is_too_early(payment, found):
        # Nothing is taken yet that could go back: it is sent once the capture is known.
        waiting = replace(sending, status=RefundStatus.APPROVED)
        try_commit(partial(refund_tables.add_changed, refund=waiting))
        return
    if not try_commit(partial(refund_tables.add_changed, refund=sending)):
        return  # Somebody else is at it.
    try:
        report = _sent(payment, sending) if first else _asked(payment, sending)
    except OutcomeUnknown:
        count("RefundUnknown", provider=found.provider)
        return  # It may have been done: the sweep asks about it by our reference.
    record_report(refund_id, report)


def _is_too_early(payment: Payment, found: Refund) -> bool:
    is_reserved = payment.status is PaymentStatus.CAPTURE_REQUESTED
    return is_reserved and found.provider is Provider.MASTERCARD


def _sent(payment: Payment, sending: Refund) -> RefundReport:
    return gateway.refund(payment, sending.reference, sending.amount, sending.receipt)


def _asked(payment: Payment, sending: Refund) -> RefundReport:
    report = gateway.ask_refund(payment, sending.reference)
    return _sent(payment, sending) if report.state is RefundState.ABSENT else report


def record_report(refund_id: str, report: RefundReport) -> None:
    """What the provider says of a refund becomes its state; what is not decided stays as it is."""
    if report.state is RefundState.DONE:
        finish(refund_id, RefundStatus.PAID, report.provider_reference)
    elif report.state is RefundState.REFUSED:
        finish(refund_id, RefundStatus.FAILED, report.reason or "refused")


def finish(refund_id: str, to: RefundStatus, said: str) -> Refund:
    """A refund is paid (`said`: the provider's reference) or has failed (`said`: why); once.

    Raises:
        UnknownRefund, IllegalRefundMove. Unavailable: it kept changing.
    """
    payment_id = refund(refund_id).payment_id
    for _ in range(ATTEMPTS):
        # The payment first: where another finishes the refund meanwhile, that one is seen too.
        payment = tables.find(payment_id)
        assert payment is not None, "a refund is written with its payment"
        found = refund(refund_id)
        if found.status is to:
            return found
        done = move(found, to)
        paid = to is RefundStatus.PAID
        done = replace(done, done_reference=said) if paid else replace(done, failure=said)
        if try_commit(partial(_add_finished, payment=payment, done=done)):
            count("RefundFinished", provider=found.provider, status=to)
            return done
    raise Unavailable("the refund kept changing; ask again", retry_after_seconds=1)


def take_over(refund_id: str) -> Refund:
    """An operator does by hand what the provider has refused, or says nothing of for long.

    Raises:
        UnknownRefund. IllegalRefundMove: it is paid, or the provider may still decide.
        RefundTooLarge: the money went elsewhere meanwhile. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        found = refund(refund_id)
        if found.status is RefundStatus.MANUAL:
            return found
        if found.status is RefundStatus.SENDING and found.asked_count < ASKS_BEFORE_BY_HAND:
            raise IllegalRefundMove(
                "the provider may still decide on it", extra={"refund_status": found.status}
            )
        failed = found.status is RefundStatus.FAILED
        taken = replace(
            move(found, RefundStatus.MANUAL),
            attempt=found.attempt + failed,
            failure=None,
            ask_at=None,
        )
        write = _add_again if failed else refund_tables.add_changed
        if try_commit(lambda transaction: write(transaction, taken)):  # noqa: B023
            return taken
    raise Unavailable("the refund kept changing; ask again", retry_after_seconds=1)


def finish_by_hand(refund_id: str, to: RefundStatus, said: str) -> Refund:
    """An operator says what became of a refund that only they can do.

    Raises:
        UnknownRefund. IllegalRefundMove: it is not by hand, or decided otherwise.
    """
    found = refund(refund_id)
    if found.status in ON_ITS_WAY:
        raise IllegalRefundMove(
            "the provider decides on this refund", extra={"refund_status": found.status}
        )
    return finish(refund_id, to, said)


def _add_finished(transaction: TransactWrite, payment: Payment, done: Refund) -> None:
    refund_tables.add_changed(transaction, done)
    if done.kind is not RefundKind.REFUND:
        return  # Money that fits nothing is no part of its payment.
    if done.status is RefundStatus.PAID:
        tables.add_changed(transaction, refunded(payment, done))
        _add_to_order(transaction, payment, done)
    else:
        tables.add_changed(transaction, given_up(payment, done))


def _add_to_order(transaction: TransactWrite, payment: Payment, done: Refund) -> None:
    """Note on the order what went back. The parcels that it has taken all of and that have not
    gone are cancelled: nobody shall send what was given back."""
    dispute = dispute_tables.find(payment.dispute_id) if payment.dispute_id else None
    # What only a dispute has taken is no reason not to send: it may be won.
    by_refunds = merged(payment.taken_back, dispute.portions if dispute else (), -1)
    there = left_of(replace(payment, taken_back=by_refunds))
    left = {each.parcel_id for each in there if each.total_minor}
    order = orders.order(done.order_id)
    unsent = (ParcelStatus.WAITING, ParcelStatus.PREPARING)
    empty = [
        replace(parcel, restock=Restock.AVAILABLE)
        for parcel in order.parcels
        if parcel.parcel_id in {portion.parcel_id for portion in done.portions} - left
        and parcel.status in unsent
    ]
    minor = done.amount.amount_minor
    if empty:
        parcel_tables.add_cancelled_parcels(transaction, order, empty, clock.now(), minor)
    else:
        order_tables.add_refunded(transaction, done.order_id, minor)


def try_again(refund_id: str) -> Refund:
    """Approve a refund that failed once more, under a new reference at the provider.

    Raises:
        UnknownRefund, IllegalRefundMove: it has not failed. RefundTooLarge: the money went
        elsewhere meanwhile. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        found = refund(refund_id)
        can_send = found.provider in gateway.CAN_REFUND
        to = RefundStatus.APPROVED if can_send else RefundStatus.MANUAL
        again = replace(
            move(found, to),
            attempt=found.attempt + 1,
            failure=None,
            asked_count=0,
            ask_at=next_refund_ask(0, clock.now()),
        )
        if try_commit(partial(_add_again, again=again)):
            return again
    raise Unavailable("the refund kept changing; ask again", retry_after_seconds=1)


def _add_again(transaction: TransactWrite, again: Refund) -> None:
    refund_tables.add_changed(transaction, again)
    if again.kind is RefundKind.REFUND:
        payment = tables.find(again.payment_id)
        assert payment is not None
        check_fits(payment, again.portions)
        tables.add_changed(transaction, reserved(payment, again))


def send_due_refunds() -> None:
    """Send or ask about every refund that was not heard of since it was due."""
    each_apart(partial(send_refund, refund_id) for refund_id in refund_tables.due_refund_ids())
