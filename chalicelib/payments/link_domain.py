"""A payment link: one face-to-face sale that a tourist pays from their own phone.

It has a sale at a time. A sale that nobody paid makes room for the next one, under another number
and so another order; a sale that is paid ends the link.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.listings.domain import Seller
from chalicelib.money import Money
from chalicelib.orders.domain import Order, OrderLine, OrderState
from chalicelib.payments.domain import Method

MIN_MINOR, MAX_MINOR = 100, 10_000_000  # MAD 1.00 to 100,000.00
LIVES = timedelta(hours=24)
MIN_TIME_LEFT = timedelta(minutes=5)  # a payment with less is not offered once more
# 10 characters of base32 are 50 bits. Whoever tries a thousand a second finds one of 100,000 links
# in some 130 days, and what they find is a name over a shop and a price; a link lives for a day.
CODE_LENGTH = 10
# Cash at an agent's is not for a sale across the counter.
METHODS = (Method.CARD, Method.WALLET, Method.WALLET_QR, Method.MASTERCARD, Method.PAYZONE)
UNTITLED = {
    "ar": "منتوج من يد الصانع",
    "fr": "Pièce artisanale",
    "en": "Handmade piece",
    "zgh": "ⵜⴰⵎⵙⵙⴽⵔⵜ ⵏ ⵓⴼⵓⵙ",
}
ANY_LANGUAGE = "und"


class LinkStatus(StrEnum):
    OPEN = "open"
    PAYING = "paying"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class LinkWish:
    """What an artisan asks for: an amount with a title, or pieces of a listing of theirs."""

    amount: Money | None = None
    title: str | None = None
    listing_id: str | None = None
    quantity: int | None = None
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """`number` is that of its present sale. `titles` is by language, `und` where none is known.

    `listing_id` is empty for a free amount. Price, names and `shard_count` are as they were when
    the link was made.
    """

    link_id: str
    artisan_id: str
    seller: Seller
    region: str
    titles: Mapping[str, str]
    unit_price: Money
    fingerprint: str
    created_at: datetime
    expires_at: datetime
    quantity: int = 1
    listing_id: str = ""
    variant: str | None = None
    shard_count: int = 1
    number: int = 1
    cancelled_at: datetime | None = None

    @property
    def code(self) -> str:
        return code_of(self.link_id)

    @property
    def amount(self) -> Money:
        return self.unit_price * self.quantity

    def line(self, title: str) -> OrderLine:
        """What is sold. A free amount is no listing: it goes by the link's own id, so that it can
        be told apart and refunded like any line, and nothing is counted of it. What is handed over
        is there: nothing is made to order."""
        return OrderLine(
            listing_id=self.listing_id or self.link_id,
            artisan_id=self.artisan_id,
            title=title,
            quantity=self.quantity,
            unit_price_minor=self.unit_price.amount_minor,
            from_stock=bool(self.listing_id),
            variant=self.variant,
            shard_count=self.shard_count,
        )


@dataclass(frozen=True, slots=True)
class SeenLink:
    """A link with the order of its present sale, None before anybody began to pay."""

    link: Link
    order: Order | None
    status: LinkStatus

    @property
    def paid_order(self) -> Order | None:
        return self.order if self.status is LinkStatus.PAID else None


class UnknownLink(NotFound):
    """There is no such payment link, or it is not yours."""

    code = "unknown_payment_link"


class AmountOrListing(Invalid):
    """A link is for an `amount` (with a `title` or without), or for a `listing_id` (with `quantity`
    and `variant` or without)."""

    code = "amount_or_listing"


class AmountNotAllowed(Invalid):
    """A link is for MAD 1.00 to 100,000.00."""

    code = "amount_not_allowed"


class LinkAlreadyPaid(Conflict):
    """The link has been paid; a link is for one sale."""

    code = "link_already_paid"


class LinkNotPayable(Conflict):
    """The link has expired or was cancelled, or its artisan cannot sell now; ask for a new one."""

    code = "link_not_payable"


def code_of(link_id: str) -> str:
    """What the short address holds: the beginning of the id, which is a keyed hash."""
    return link_id.partition("_")[2][:CODE_LENGTH]


def check_wish(wish: LinkWish) -> None:
    """
    Raises:
        AmountOrListing: it is for both or for neither. AmountNotAllowed.
    """
    of_amount = (wish.amount, wish.title)
    of_listing = (wish.listing_id, wish.quantity, wish.variant)
    if (wish.amount is None) == (wish.listing_id is None):
        raise AmountOrListing("send an `amount` or a `listing_id`", param="amount")
    if any(part is not None for part in (of_listing if wish.amount else of_amount)):
        raise AmountOrListing("`title` goes with `amount`; the rest with `listing_id`")
    if wish.amount is not None:
        check_amount(wish.amount)


def check_amount(amount: Money) -> None:
    """Raises AmountNotAllowed."""
    if amount.currency != "MAD" or not MIN_MINOR <= amount.amount_minor <= MAX_MINOR:
        raise AmountNotAllowed("ask for MAD 1.00 to 100,000.00", param="amount")


def status_of(link: Link, order: Order | None, now: datetime) -> LinkStatus:
    """What both sides see. It follows from the order, which changes with its payment: there is
    nothing in between that could lag."""
    if order is not None and order.state is OrderState.PAID:
        return LinkStatus.PAID
    if order is not None and order.state is OrderState.AWAITING_PAYMENT:
        return LinkStatus.PAYING
    if link.cancelled_at is not None:
        return LinkStatus.CANCELLED
    return LinkStatus.EXPIRED if now >= link.expires_at else LinkStatus.OPEN


def check_open(link: Link, now: datetime) -> None:
    """Raises LinkNotPayable: it is cancelled, or its day is over."""
    status = status_of(link, None, now)
    if status is not LinkStatus.OPEN:
        raise LinkNotPayable("ask the artisan for a new one", extra={"link_status": status})
