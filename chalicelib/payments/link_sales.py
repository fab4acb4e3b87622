"""Paying a link and taking it back.

The first payment of a link places an order in person; its id follows from the link's and from the
number of the sale, so two tourists who begin at once begin the same order.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from pynamodb.transactions import TransactWrite

from chalicelib import clock, ids
from chalicelib.artisans import service as artisans
from chalicelib.config import settings
from chalicelib.edge.storage import try_commit
from chalicelib.errors import MarketplaceError, Unavailable
from chalicelib.locales import text_in
from chalicelib.orders import holds
from chalicelib.orders.domain import (
    Address,
    AlreadyShipped,
    Buyer,
    IllegalOrderMove,
    Order,
    OrderState,
    Parcel,
    ParcelStatus,
    Terms,
    fingerprint_of,
)
from chalicelib.payments import cancellations, checkout, link_tables, tables
from chalicelib.payments.domain import (
    PAID,
    PAY_WITHIN,
    EventKind,
    Method,
    OrderAlreadyPaid,
    OrderNotPayable,
    Payment,
    PaymentStatus,
    ProviderEvent,
)
from chalicelib.payments.link_domain import (
    MIN_TIME_LEFT,
    UNTITLED,
    Link,
    LinkAlreadyPaid,
    LinkNotPayable,
    LinkStatus,
    SeenLink,
    check_open,
)
from chalicelib.payments.links import link_by_code, order_id_of, own_link
from chalicelib.regions import service as regions
from chalicelib.terms import service as terms
from chalicelib.terms.domain import IN_PERSON

ATTEMPTS = 6
ANY_BUYERS_LANGUAGE = "fr"  # of who pays by the code alone, nothing is known


@dataclass(frozen=True, slots=True)
class Paying:
    """How a tourist wants to pay, and where they come back to."""

    method: Method
    language: str
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A payment that was begun, or goes on."""

    link: Link
    order: Order
    payment: Payment


def cancel_link(link_id: str, artisan_id: str) -> SeenLink:
    """Take a link back, and the order that is being paid by it; a cancelled one stays as it is.

    The link first, then its order; whoever begins to pay does it the other way round (see
    `_check_not_taken_back`), so one of the two sees the other.

    Raises:
        UnknownLink. LinkAlreadyPaid: it was paid, maybe just now. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        before = own_link(link_id, artisan_id)
        if before.status is LinkStatus.PAID:
            raise LinkAlreadyPaid("it is paid; ask an operator for a refund")
        if not _is_settled_with(before, partial(link_tables.add_cancelled, now=clock.now())):
            continue
        after = own_link(link_id, artisan_id)
        if after.status is LinkStatus.PAYING:
            with suppress(AlreadyShipped, IllegalOrderMove):  # Paid or expired a moment ago.
                cancellations.cancel_order(order_id_of(after.link))
        elif after.status is LinkStatus.CANCELLED and before.status is not LinkStatus.PAYING:
            return after
    raise Unavailable("the link kept changing; ask again", retry_after_seconds=1)


def pay(code: str, paying: Paying) -> Begun:
    """Begin to pay a link, or go on: its order is placed, or tried to be paid once more.

    Raises:
        UnknownLink, LinkAlreadyPaid, LinkNotPayable, TooManyPayments.
        SoldOut, InsufficientStock, TooManyHolds: nothing is held. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        seen = link_by_code(code)
        if seen.status is LinkStatus.PAID:
            raise LinkAlreadyPaid("nothing is left to pay")
        check_open(seen.link, clock.now())
        _check_may_sell(seen.link)
        begun = _begun(seen, paying)
        if begun is not None:
            _check_not_taken_back(begun)
            return begun
    raise Unavailable("many are paying at once; try again", retry_after_seconds=1)


def of_its_payment(event: ProviderEvent) -> ProviderEvent:
    """A wallet's event about its payment, also where it has read the link's own code: that is a
    reference of no payment. One is begun, unless it was; where none can be, the money fits nothing.

    Raises:
        Unavailable: it kept changing; the wallet sends it again.
    """
    if event.kind is not EventKind.SUCCEEDED or "_" in event.reference:
        return event
    try:
        begun = pay(event.reference, Paying(Method.WALLET_QR, ANY_BUYERS_LANGUAGE))
    except Unavailable:
        raise
    except MarketplaceError:
        return event
    return replace(event, reference=begun.payment.payment_id)


def _check_may_sell(link: Link) -> None:
    is_open = link.region in regions.open_codes()
    if not is_open or not artisans.can_sell(link.artisan_id):
        raise LinkNotPayable("the artisan cannot sell now", extra={"link_status": LinkStatus.OPEN})


def _begun(seen: SeenLink, paying: Paying) -> Begun | None:
    """None when something changed meanwhile: look again."""
    if seen.order is None:
        return _placed(seen.link, paying)
    if seen.status is LinkStatus.PAYING:
        return _continued(seen.link, seen.order, paying)
    # Nobody paid: once that is settled for good, the next sale has its own order.
    _is_settled_with(seen, link_tables.add_next_sale)
    return None


def _placed(link: Link, paying: Paying) -> Begun | None:
    order = _new_order(link, paying)
    if link.listing_id:
        order = holds.hold_stock(order)
    payment = checkout.new_payment(order, paying.method, 1, paying.return_url)
    placed = checkout.write_order(order, payment)
    # None: it is another tourist's, who shares the hold; or not now, and then the hold runs out.
    return Begun(link, placed.order, placed.payment) if placed else None


def _check_not_taken_back(begun: Begun) -> None:
    """The link is looked at once more before a payment is handed out: it may have been cancelled
    since it was read, by somebody who saw no order to call off."""
    again = link_tables.find(begun.link.code)
    if again is not None and again.cancelled_at is None:
        return
    with suppress(AlreadyShipped, IllegalOrderMove):
        cancellations.cancel_order(begun.order.order_id)
    raise LinkNotPayable(
        "ask the artisan for a new one", extra={"link_status": LinkStatus.CANCELLED}
    )


def _continued(link: Link, order: Order, paying: Paying) -> Begun | None:
    """The open payment by this method, else a new one: pressing a button twice is one payment."""
    enough = clock.now() + MIN_TIME_LEFT
    for payment in checkout.payments_of(order):
        same = (payment.method, payment.return_url) == (paying.method, paying.return_url)
        if same and payment.status is PaymentStatus.PENDING and payment.expires_at >= enough:
            return Begun(link, order, checkout.with_session(payment, order))
    try:
        payment = checkout.pay_again(order.order_id, paying.method, paying.return_url)
    except OrderAlreadyPaid:
        raise LinkAlreadyPaid("nothing is left to pay") from None
    except OrderNotPayable:
        return None
    return Begun(link, order, payment)


def open_payment(seen: SeenLink, method: Method) -> Payment | None:
    """The payment by a method that is under way, the latest of them."""
    if seen.status is not LinkStatus.PAYING or seen.order is None:
        return None
    found = [each for each in checkout.payments_of(seen.order) if each.method is method]
    pending = [each for each in found if each.status is PaymentStatus.PENDING]
    return pending[-1] if pending else None


def is_declined(seen: SeenLink) -> bool:
    """Whether the last that a provider said of the sale under way is a refusal."""
    payments = checkout.payments_of(seen.order) if seen.order else []
    tries = [attempt for payment in payments for attempt in payment.attempts]
    return bool(tries) and max(tries, key=lambda attempt: attempt.at).outcome == "failed"


def _is_settled_with(seen: SeenLink, write: Callable[[TransactWrite, Link], None]) -> bool:
    """Whether a link was changed, and with it what became of its closed order settled for good.

    Late money may pay an order that has expired, but not once its link is sold again or taken back:
    then it goes back to who paid it. False when such money has just come, or the link has changed.
    """
    order = seen.order
    is_closed = order is not None and order.state is not OrderState.AWAITING_PAYMENT
    payments = checkout.payments_of(order) if order is not None and is_closed else []
    if any(payment.status in PAID for payment in payments):
        return False

    def write_all(transaction: TransactWrite) -> None:
        write(transaction, seen.link)
        for payment in payments:
            if payment.status is PaymentStatus.EXPIRED:
                called_off = replace(payment, status=PaymentStatus.CANCELLED)
                tables.add_changed(transaction, called_off)

    return try_commit(write_all)


def _new_order(link: Link, paying: Paying) -> Order:
    """The order of the link's present sale, handed over as soon as it is paid; a passer-by's, of
    whom nothing is known but the language."""
    now = clock.now()
    order_id = order_id_of(link)
    line = link.line(text_in(dict(link.titles) or UNTITLED, paying.language)[0])
    parcel = Parcel(
        parcel_id=ids.child_id("prc", order_id, 1),
        order_id=order_id,
        artisan_id=link.artisan_id,
        status=ParcelStatus.WAITING,
        goods_minor=link.amount.amount_minor,
        shipping_minor=0,
        weight_grams=0,
        days=(0, 0),
        customs=False,
        placed_at=now,
    )
    return Order(
        order_id=order_id,
        state=OrderState.AWAITING_PAYMENT,
        fingerprint=fingerprint_of({"link": link.link_id, "number": link.number}),
        buyer=Buyer("", "", None, paying.language),
        ship_to=Address("MA"),
        lines=(replace(line, terms=terms.terms_in_person(line.goods_minor)),),
        parcels=(parcel,),
        terms=_terms(),
        placed_at=now,
        expires_at=now + PAY_WITHIN[paying.method],
        currency=link.amount.currency,
        in_person=True,
    )


def _terms() -> Terms:
    return Terms(
        commission_bp=settings().commission_in_person_bp,
        commission_rule=IN_PERSON,
        fee_estimate_bp=settings().fee_estimate_bp,
        vat_on_commission_bp=settings().vat_on_commission_bp,
    )
