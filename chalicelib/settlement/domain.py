"""Who gets what of a captured payment, and when an artisan's part may be paid out.

A share is one parcel's part of one payment. What is known of it arrives in any order (the sale,
the delivery, the provider's own confirmation) and only ever grows; its status follows from what is
known, so any order of arrival ends alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.errors import Invalid
from chalicelib.ledger.domain import CURRENCY, Entry, Posting, posting
from chalicelib.money import Money, basis_points_of, rounded_parts

MAX_SHARES = 30  # three actions each and two more in a transaction of at most 100
FULL_BP = 10_000
BALANCES = {
    # What an artisan calls it -> the class of account it is.
    "pending": "artisan_pending",
    "payable": "artisan_payable",
    "held": "artisan_held",
    "owed": "artisan_receivable",
}


class SharesDoNotAddUp(Invalid):
    """The shares of a payment are not its amount; nothing is settled."""

    code = "shares_do_not_add_up"


class UnknownCurrency(Invalid):
    """The ledger is in MAD; a payment in another currency is not settled."""

    code = "unknown_currency"


@dataclass(frozen=True, slots=True)
class Terms:
    """What was frozen at the sale for one parcel: centimes and basis points.

    `vat_bp` is the VAT on our commission, a rate that the accountant sets; it is inside the
    commission (what the artisan agreed to give is all that is taken) and goes to its own account.
    """

    parcel_id: str
    artisan_id: str
    goods_minor: int
    shipping_minor: int
    commission_bp: int
    fee_bp: int
    vat_bp: int

    def __post_init__(self) -> None:
        assert self.goods_minor >= 0
        assert self.shipping_minor >= 0
        assert 0 <= self.commission_bp <= FULL_BP
        assert 0 <= self.fee_bp <= FULL_BP
        assert 0 <= self.vat_bp <= FULL_BP

    @property
    def gross_minor(self) -> int:
        return self.goods_minor + self.shipping_minor


@dataclass(frozen=True, slots=True)
class Parts:
    """A share divided, in centimes; the four always add up to what the buyer paid for it."""

    artisan_minor: int
    commission_minor: int
    vat_minor: int
    fee_minor: int

    @property
    def total_minor(self) -> int:
        return self.artisan_minor + self.commission_minor + self.vat_minor + self.fee_minor


@dataclass(frozen=True, slots=True)
class Sale:
    """A captured payment with the terms of its shares.

    Raises:
        SharesDoNotAddUp, UnknownCurrency: it cannot be settled as it is.
    """

    payment_id: str
    order_id: str
    provider: str
    captured: Money
    captured_at: datetime
    shares: tuple[Terms, ...]

    def __post_init__(self) -> None:
        if self.captured.currency != CURRENCY:
            raise UnknownCurrency(f"settle in {CURRENCY}")
        gross = sum(terms.gross_minor for terms in self.shares)
        divisible = 1 <= len(self.shares) <= MAX_SHARES and gross > 0
        if not divisible or gross != self.captured.amount_minor:
            raise SharesDoNotAddUp(f"{len(self.shares)} shares are not the amount captured")

    @property
    def parcel_ids(self) -> tuple[str, ...]:
        return tuple(terms.parcel_id for terms in self.shares)


def fees_minor(shares: Sequence[Terms]) -> list[int]:
    """The provider's fee as estimated, for the whole payment, divided among its shares.

    Rounded half up once, on the whole, as the provider does. No share pays more than its own fee
    rounded up, so never more than it is.
    """
    return rounded_parts([terms.gross_minor * terms.fee_bp for terms in shares], FULL_BP)


def split(shares: Sequence[Terms]) -> list[Parts]:
    """Each share divided by its frozen terms.

    Commission is rounded half up and taken on goods, never on shipping. What is left is the
    artisan's, so the parts add up; where rounding leaves less than nothing (amounts of a few
    centimes), the commission gives way.
    """
    return [_parts(terms, fee) for terms, fee in zip(shares, fees_minor(shares), strict=True)]


def _parts(terms: Terms, fee_minor: int) -> Parts:
    asked = basis_points_of(terms.goods_minor, terms.commission_bp)
    taken = min(asked, terms.gross_minor - fee_minor)
    # The VAT inside an amount that includes it: amount * rate / (1 + rate), half up.
    included = FULL_BP + terms.vat_bp
    vat = (taken * terms.vat_bp * 2 + included) // (2 * included)
    parts = Parts(terms.gross_minor - taken - fee_minor, taken - vat, vat, fee_minor)
    assert min(parts.artisan_minor, parts.commission_minor, vat, fee_minor) >= 0
    assert parts.total_minor == terms.gross_minor
    return parts


def sale_entry(sale: Sale, parts: Sequence[Parts], at: datetime) -> Entry:
    """The provider owes us the captured amount; the artisans, we and the taxman share it."""
    clearing = f"psp_clearing:{sale.provider}"
    postings: list[Posting] = []
    for terms, part in zip(sale.shares, parts, strict=True):
        pending = f"artisan_pending:{terms.artisan_id}"
        postings += posting(clearing, pending, part.artisan_minor)
    for account, total in (
        ("commission_revenue", sum(part.commission_minor for part in parts)),
        ("vat_payable", sum(part.vat_minor for part in parts)),
        (f"psp_fee_accrued:{sale.provider}", sum(part.fee_minor for part in parts)),
    ):
        postings += posting(clearing, account, total)
    return Entry(
        entry_id=f"sale:{sale.payment_id}",
        reason="sale",
        postings=tuple(postings),
        at=at,
        refs={"payment_id": sale.payment_id, "order_id": sale.order_id},
    )


class ShareStatus(StrEnum):
    WAITING = "waiting"  # something is known of the parcel, but no sale yet
    PENDING = "pending"  # divided; the artisan's part is pending
    RELEASED = "released"  # the artisan's part is payable


@dataclass(frozen=True, slots=True)
class Share:
    """What is known of one parcel's part of a payment."""

    parcel_id: str
    payment_id: str | None = None
    artisan_id: str | None = None
    parts: Parts | None = None
    delivered_at: datetime | None = None
    confirmed_at: datetime | None = None
    due_at: datetime | None = None
    released_at: datetime | None = None

    @property
    def status(self) -> ShareStatus:
        if self.released_at is not None:
            return ShareStatus.RELEASED
        return ShareStatus.PENDING if self.parts is not None else ShareStatus.WAITING


def release_at(share: Share, hold_days: int) -> datetime | None:
    """When the artisan's part becomes payable; None while something is not known yet.

    The hold period runs from the delivery: a confirmation by the provider is waited for, but does
    not start it again.
    """
    if share.status is not ShareStatus.PENDING or share.confirmed_at is None:
        return None
    return share.delivered_at and share.delivered_at + timedelta(days=hold_days)


def release_entry(share: Share, at: datetime) -> Entry | None:
    """Pending becomes payable; None where the artisan's part is nothing."""
    assert share.parts is not None
    owner = share.artisan_id
    postings = posting(
        f"artisan_pending:{owner}", f"artisan_payable:{owner}", share.parts.artisan_minor
    )
    if not postings:
        return None
    return Entry(
        entry_id=f"release:{share.parcel_id}",
        reason="release",
        postings=tuple(postings),
        at=at,
        refs={"parcel_id": share.parcel_id, "payment_id": str(share.payment_id)},
    )


@dataclass(frozen=True, slots=True)
class SettledPayment:
    """A payment as settlement knows it. Before its sale arrives only a file may have named it."""

    payment_id: str
    provider: str | None = None
    captured: Money | None = None
    fee_estimate: Money | None = None
    parcel_ids: tuple[str, ...] = ()
    confirmed_by: str | None = None  # the line of a provider's file that confirmed it
    waiting_line: str | None = None  # a line that came before the sale
