"""What was bought: an order, one parcel per artisan, prices and terms as they were at the sale."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib import ids
from chalicelib.errors import Conflict, Invalid, KeyMismatch, TooMany
from chalicelib.listings.domain import stock_id_of
from chalicelib.money import Money
from chalicelib.terms.sale_domain import LineTerms

MAX_LINES = 20
MAX_QUANTITY = 1_000


class OrderState(StrEnum):
    """What is stored. What a buyer sees is `OrderStatus`, derived from this and the parcels."""

    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class OrderStatus(StrEnum):
    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    PREPARING = "preparing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"


class ParcelStatus(StrEnum):
    WAITING = "waiting"
    PREPARING = "preparing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"


# Money that comes late may still pay an order that has expired, if the goods are there.
MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.AWAITING_PAYMENT: frozenset(
        {OrderState.PAID, OrderState.EXPIRED, OrderState.CANCELLED}
    ),
    OrderState.EXPIRED: frozenset({OrderState.PAID}),
    OrderState.PAID: frozenset(),
    OrderState.CANCELLED: frozenset(),
}
PARCEL_MOVES: dict[ParcelStatus, frozenset[ParcelStatus]] = {
    ParcelStatus.WAITING: frozenset(
        {ParcelStatus.PREPARING, ParcelStatus.SHIPPED, ParcelStatus.CANCELLED}
    ),
    ParcelStatus.PREPARING: frozenset({ParcelStatus.SHIPPED, ParcelStatus.CANCELLED}),
    ParcelStatus.SHIPPED: frozenset({ParcelStatus.DELIVERED}),
    ParcelStatus.DELIVERED: frozenset({ParcelStatus.RETURNED}),
    ParcelStatus.RETURNED: frozenset(),
    ParcelStatus.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Buyer:
    name: str
    email: str
    phone: str | None
    language: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where to; only the country is always known, since many a village has no street names."""

    country: str
    name: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    listing_id: str
    quantity: int
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One listing as it was when it was bought.

    `made_to_order_days` is how long its artisan takes to make one; `from_stock` is False where the
    pieces were not there and are made for this order. `shard_count` is over how many items its
    stock was spread at the sale, as a hint. `terms` None: sold before lines had terms of their own.
    """

    listing_id: str
    artisan_id: str
    title: str
    quantity: int
    unit_price_minor: int
    weight_grams: int | None = None
    hs_code: str | None = None
    origin: str | None = None
    made_to_order_days: int | None = None
    from_stock: bool = True
    variant: str | None = None
    shard_count: int = 1
    terms: LineTerms | None = None

    @property
    def goods_minor(self) -> int:
        """What is paid for it: its discount is off already."""
        return self.quantity * self.unit_price_minor - self.discount_minor

    @property
    def discount_minor(self) -> int:
        return self.terms.discount_minor if self.terms else 0

    def goods_of(self, count: int, before: int) -> int:
        """What was paid for `count` of its pieces, once `before` of them went back: by cumulative
        difference, so that all pieces together are the line."""
        upto, paid = before + count, self.goods_minor
        return paid * upto // self.quantity - paid * before // self.quantity

    @property
    def line_id(self) -> str:
        """What the line is called, and its stock: the listing, or one variant of it."""
        return stock_id_of(self.listing_id, self.variant)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One artisan's part of an order. `restock`: what is still to become of its pieces, once it is
    cancelled (see `Restock`). `withheld`: not to be sent, since its money is in doubt."""

    parcel_id: str
    order_id: str
    artisan_id: str
    status: ParcelStatus
    goods_minor: int
    shipping_minor: int
    weight_grams: int
    days: tuple[int, int]
    customs: bool
    placed_at: datetime
    carrier: str | None = None
    tracking: str | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    decline_reason: str | None = None
    restock: str | None = None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks for an order: an operator, a buyer by the order's token, or an artisan."""

    is_operator: bool = False
    order_token: str = ""
    artisan_id: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed at the sale for all of it; the commission of a line with `terms` is there."""

    commission_bp: int
    commission_rule: str
    fee_estimate_bp: int
    vat_on_commission_bp: int


class Restock(StrEnum):
    """Where the pieces of a parcel go that will not be sent."""

    AVAILABLE = "available"  # the buyer cancelled: they are there, and for sale again
    WRITTEN_OFF = "written_off"  # the artisan declined: they are not there


@dataclass(frozen=True, slots=True)
class Order:
    """`in_person`: sold face to face, so handed over when it is paid. `buyer_key` is the keyed hash
    that counts a buyer's open orders; empty for a passer-by. `return_count`: returns asked for.
    """

    order_id: str
    state: OrderState
    fingerprint: str
    buyer: Buyer
    ship_to: Address
    lines: tuple[OrderLine, ...]
    parcels: tuple[Parcel, ...]
    terms: Terms
    placed_at: datetime
    expires_at: datetime
    payment_count: int = 1
    paid_at: datetime | None = None
    paid_by: str | None = None
    currency: str = "MAD"
    due_at: datetime | None = None
    refunded_minor: int = 0
    in_person: bool = False
    buyer_key: str = ""
    return_count: int = 0

    @property
    def goods(self) -> Money:
        return Money(sum(line.goods_minor for line in self.lines), self.currency)

    @property
    def discount(self) -> Money:
        return Money(sum(line.discount_minor for line in self.lines), self.currency)

    @property
    def shipping(self) -> Money:
        return Money(sum(parcel.shipping_minor for parcel in self.parcels), self.currency)

    @property
    def total(self) -> Money:
        return self.goods + self.shipping

    def from_stock(self) -> tuple[OrderLine, ...]:
        """The lines that are taken from stock; an order has one line per thing counted."""
        return tuple(line for line in self.lines if line.from_stock)

    def quantities(self) -> dict[str, int]:
        """How many of each thing counted are taken from stock."""
        return {line.line_id: line.quantity for line in self.from_stock()}


class OrderTotalChanged(Conflict):
    """Prices or shipping changed since the buyer saw them; `total` is the new one."""

    code = "price_changed"


class ListingNotForSale(Conflict):
    """The listing is not for sale now: not published, its region closed, or its artisan away."""

    code = "listing_not_for_sale"


class IllegalOrderMove(Conflict):
    """The order is in a state that forbids this."""

    code = "order_state_forbids"


class PaymentInDoubt(Conflict):
    """The provider has not taken the buyer's money after all; do not send before that is cleared.
    An operator sees to it."""

    code = "payment_in_doubt"


class IllegalParcelMove(Conflict):
    """The parcel is in a state that forbids this."""

    code = "parcel_state_forbids"


class AlreadyShipped(Conflict):
    """A parcel is on its way or has arrived: ask to return it instead."""

    code = "already_shipped"


class TooManyOpenOrders(TooMany):
    """The buyer has many orders that are not paid; pay or cancel one, or wait until they expire."""

    code = "too_many_open_orders"


class OrderMismatch(KeyMismatch):
    """The Idempotency-Key was used before for an order with another content; use a new key."""


class TooManyLines(Invalid):
    """One order takes a limited number of lines, and of pieces of one listing."""

    code = "too_many_lines"


def fingerprint_of(content: Mapping[str, object]) -> str:
    """Tells two order requests under one key apart."""
    return ids.fingerprint(json.dumps(content, sort_keys=True, ensure_ascii=False))


def summed(wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """One line per thing counted, in the order they were first named.

    Raises:
        TooManyLines: more than MAX_QUANTITY of one.
    """
    sums: dict[str, Wanted] = {}
    for line in wanted:
        line_id = stock_id_of(line.listing_id, line.variant)
        before = sums[line_id].quantity if line_id in sums else 0
        sums[line_id] = replace(line, quantity=before + line.quantity)
    if max(line.quantity for line in sums.values()) > MAX_QUANTITY:
        raise TooManyLines(f"order at most {MAX_QUANTITY} of one listing", param="lines")
    return tuple(sums.values())


def check_move(order: Order, to: OrderState) -> None:
    """Raises IllegalOrderMove when `to` does not follow the order's state in MOVES."""
    if to not in MOVES[order.state]:
        raise IllegalOrderMove(
            f"the order is {order.state}, so it cannot become {to}",
            extra={"order_status": order.state},
        )


def move_parcel(parcel: Parcel, to: ParcelStatus) -> Parcel:
    """The same parcel in its next status.

    Raises:
        IllegalParcelMove: `to` does not follow the current status in PARCEL_MOVES.
    """
    if to not in PARCEL_MOVES[parcel.status]:
        raise IllegalParcelMove(
            f"the parcel is {parcel.status}, so it cannot become {to}",
            extra={"parcel_status": parcel.status},
        )
    return replace(parcel, status=to)


def as_placed(order: Order, pay_within: timedelta) -> Order:
    """The order as it was when it was placed: a repeated request gets the same answer."""
    parcels = tuple(
        replace(
            parcel,
            status=ParcelStatus.WAITING,
            carrier=None,
            tracking=None,
            shipped_at=None,
            delivered_at=None,
            decline_reason=None,
        )
        for parcel in order.parcels
    )
    return replace(
        order,
        state=OrderState.AWAITING_PAYMENT,
        parcels=parcels,
        expires_at=order.placed_at + pay_within,
        paid_at=None,
        paid_by=None,
        refunded_minor=0,
    )


def shown_parcels(order: Order) -> tuple[Parcel, ...]:
    """The parcels as people see them: those of an order that will not be paid are cancelled."""
    if order.state in (OrderState.AWAITING_PAYMENT, OrderState.PAID):
        return order.parcels
    return tuple(replace(parcel, status=ParcelStatus.CANCELLED) for parcel in order.parcels)


def status_of(order: Order, now: datetime, return_window: timedelta) -> OrderStatus:
    """What the buyer sees: the state; once paid, what was refunded, and else how far the slowest
    parcel has come."""
    if order.state is not OrderState.PAID:
        return OrderStatus(order.state)
    if order.refunded_minor:
        whole = order.refunded_minor >= order.total.amount_minor
        return OrderStatus.REFUNDED if whole else OrderStatus.PARTIALLY_REFUNDED
    live = [parcel for parcel in order.parcels if parcel.status is not ParcelStatus.CANCELLED]
    if not live:
        return OrderStatus.CANCELLED
    return _progress(live, now, timedelta() if order.in_person else return_window)


def _progress(live: Sequence[Parcel], now: datetime, return_window: timedelta) -> OrderStatus:
    statuses = {parcel.status for parcel in live}
    if statuses <= {ParcelStatus.DELIVERED, ParcelStatus.RETURNED}:
        delivered = [parcel.delivered_at for parcel in live if parcel.delivered_at]
        over = bool(delivered) and now >= max(delivered) + return_window
        return OrderStatus.COMPLETED if over else OrderStatus.DELIVERED
    if statuses & {ParcelStatus.WAITING}:
        return OrderStatus.PAID if statuses == {ParcelStatus.WAITING} else OrderStatus.PREPARING
    return OrderStatus.PREPARING if ParcelStatus.PREPARING in statuses else OrderStatus.SHIPPED
