"""Who gets what of a captured payment, and when an artisan's part may be paid out.

A share is one parcel's part of one payment. What is known of it arrives in any order (the sale,
the delivery, the provider's own confirmation) and only ever grows; its status follows from what is
known, so any order of arrival ends alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.errors import Invalid
from chalicelib.ledger.domain import CURRENCY, Entry, Posting, posting
from chalicelib.money import Money, basis_points_of, rounded_parts, tax_inside

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
    `hold_days` None: the platform's own; 0: handed over at the sale, nothing to wait for.
    `commission_minor` is what was agreed, by the rules of its lines; without it the rate counts.
    `discount_minor` is what we carry of the buyer's discount, out of the commission: goods are what
    was paid for them, and the artisan gets what the full price would have given.
    """

    parcel_id: str
    artisan_id: str
    goods_minor: int
    shipping_minor: int
    commission_bp: int
    fee_bp: int
    vat_bp: int
    hold_days: int | None = None
    commission_minor: int | None = None
    discount_minor: int = 0

    def __post_init__(self) -> None:
        assert self.hold_days is None or self.hold_days >= 0
        assert self.commission_minor is None or self.commission_minor >= 0
        assert self.discount_minor >= 0
        assert self.goods_minor >= 0
        assert self.shipping_minor >= 0
        assert 0 <= self.commission_bp <= FULL_BP
        assert 0 <= self.fee_bp <= FULL_BP
        assert 0 <= self.vat_bp <= FULL_BP

    @property
    def gross_minor(self) -> int:
        return self.goods_minor + self.shipping_minor

    @property
    def full_minor(self) -> int:
        """What would have been paid without the discount that we carry."""
        return self.gross_minor + self.discount_minor

    @property
    def asked_minor(self) -> int:
        """The commission that was agreed, before that discount is taken off it."""
        if self.commission_minor is not None:
            return self.commission_minor
        return basis_points_of(self.goods_minor + self.discount_minor, self.commission_bp)


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

    def __add__(self, other: "Parts") -> "Parts":
        return Parts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def __sub__(self, other: "Parts") -> "Parts":
        return Parts(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))

    def __iter__(self) -> Iterator[int]:
        yield from (self.artisan_minor, self.commission_minor, self.vat_minor, self.fee_minor)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a share: what of it was bought, and whose it is; both add up to the same."""

    goods_minor: int
    shipping_minor: int
    parts: Parts

    @property
    def gross_minor(self) -> int:
        return self.goods_minor + self.shipping_minor

    def __add__(self, other: "Piece") -> "Piece":
        return Piece(
            self.goods_minor + other.goods_minor,
            self.shipping_minor + other.shipping_minor,
            self.parts + other.parts,
        )

    def __sub__(self, other: "Piece") -> "Piece":
        return Piece(
            self.goods_minor - other.goods_minor,
            self.shipping_minor - other.shipping_minor,
            self.parts - other.parts,
        )


NOTHING = Piece(0, 0, Parts(0, 0, 0, 0))


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
    rounded up, so never more than it is. A discount that we carry lowers it for nobody: what it
    saves shows when the provider's file says what the fee was.
    """
    return rounded_parts([terms.full_minor * terms.fee_bp for terms in shares], FULL_BP)


def split(shares: Sequence[Terms]) -> list[Parts]:
    """Each share divided by its frozen terms.

    Commission is rounded half up and taken on goods, never on shipping. What is left is the
    artisan's, so the parts add up; where rounding leaves less than nothing (amounts of a few
    centimes), the commission gives way.
    """
    return [_parts(terms, fee) for terms, fee in zip(shares, fees_minor(shares), strict=True)]


def _parts(terms: Terms, fee_minor: int) -> Parts:
    before_discount = min(terms.asked_minor, terms.full_minor - fee_minor)
    taken = before_discount - terms.discount_minor
    vat = tax_inside(taken, terms.vat_bp)
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
    FROZEN = "frozen"  # the same, and a dispute is open: not released before it ends
    REVERSED = "reversed"  # all of it went back before it was released
    RELEASED = "released"  # the artisan's part is payable


@dataclass(frozen=True, slots=True)
class Share:
    """What is known of one parcel's part of a payment.

    `reversed` is what refunds and disputes have taken out of it: refunds from their approval until
    they fail, disputes from their opening until they are won. `held_minor` is the artisan's part of
    what open disputes have taken. `version` counts all that a release must not overlook, and the
    release: what is reckoned from a share is written to that share and to no later one.
    """

    parcel_id: str
    payment_id: str | None = None
    artisan_id: str | None = None
    parts: Parts | None = None
    delivered_at: datetime | None = None
    confirmed_at: datetime | None = None
    due_at: datetime | None = None
    released_at: datetime | None = None
    goods_minor: int = 0
    shipping_minor: int = 0
    hold_days: int | None = None
    reversed: Piece = NOTHING
    disputes: frozenset[str] = frozenset()  # the open ones: why it is frozen
    holds: frozenset[str] = frozenset()  # operators' own, until they lift them
    returns: frozenset[str] = frozenset()  # the open ones
    held_minor: int = 0
    sold_at: datetime | None = None
    order_id: str | None = None
    version: int = 0

    @property
    def left(self) -> Piece:
        """What refunds and disputes have left of it."""
        assert self.parts is not None
        return Piece(self.goods_minor, self.shipping_minor, self.parts) - self.reversed

    @property
    def status(self) -> ShareStatus:
        if self.released_at is not None:
            return ShareStatus.RELEASED
        if self.parts is None:
            return ShareStatus.WAITING
        if self.disputes:
            return ShareStatus.FROZEN
        return ShareStatus.PENDING if self.left.parts.total_minor else ShareStatus.REVERSED

    @property
    def pending_minor(self) -> int:
        """What of it is in the artisan's pending balance."""
        if self.parts is None or self.released_at is not None:
            return 0
        return self.left.parts.artisan_minor

    @property
    def is_waiting(self) -> bool:
        """Whether the artisan still waits for some of it, pending or held."""
        return self.pending_minor > 0 or self.held_minor > 0


def release_at(share: Share, hold_days: int) -> datetime | None:
    """When the artisan's part becomes payable; None while something is not known yet.

    The hold period runs from the delivery: a confirmation by the provider is waited for, but does
    not start it again. A share's own period goes before `hold_days`, the platform's; with none at
    all the goods were handed over, and the confirmation is enough.
    """
    if share.status is not ShareStatus.PENDING or share.confirmed_at is None:
        return None
    if share.holds or share.returns:
        return None
    if share.hold_days == 0:
        return share.confirmed_at
    held = timedelta(days=hold_days if share.hold_days is None else share.hold_days)
    return share.delivered_at and share.delivered_at + held


def release_entry(share: Share, at: datetime) -> Entry | None:
    """What is left of the artisan's part becomes payable; None where that is nothing."""
    owner = share.artisan_id
    postings = posting(
        f"artisan_pending:{owner}", f"artisan_payable:{owner}", share.left.parts.artisan_minor
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
    confirmed_reference: str | None = None  # that line's own reference of the provider
    breaks: frozenset[str] = frozenset()  # those that its confirmation cures
    missed_at: datetime | None = None  # when it was noted that no file names it
    filed_back_minor: int = 0  # what files have given back of it: refunds and chargebacks
