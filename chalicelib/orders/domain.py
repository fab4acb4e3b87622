"""What was bought: an order, one parcel per artisan, prices and terms as they were at the sale."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib import ids
from chalicelib.errors import Conflict, Invalid, KeyMismatch
from chalicelib.money import Money
from chalicelib.shipping.domain import ParcelRate

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
    ParcelStatus.WAITING: frozenset({ParcelStatus.PREPARING, ParcelStatus.SHIPPED}),
    ParcelStatus.PREPARING: frozenset({ParcelStatus.SHIPPED}),
    ParcelStatus.SHIPPED: frozenset({ParcelStatus.DELIVERED}),
    ParcelStatus.DELIVERED: frozenset(),
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


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One listing as it was when it was bought.

    `made_to_order_days` is how long its artisan takes to make one; `from_stock` is False where the
    pieces were not there and are made for this order.
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

    @property
    def goods_minor(self) -> int:
        return self.quantity * self.unit_price_minor


@dataclass(frozen=True, slots=True)
class Parcel:
    """One artisan's part of an order."""

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


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks for an order: an operator, a buyer by the order's token, or an artisan."""

    is_operator: bool = False
    order_token: str = ""
    artisan_id: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed at the sale; refunds reverse exactly this."""

    commission_bp: int
    commission_rule: str
    fee_estimate_bp: int
    vat_on_commission_bp: int


@dataclass(frozen=True, slots=True)
class Order:
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

    @property
    def goods(self) -> Money:
        return Money(sum(line.goods_minor for line in self.lines), self.currency)

    @property
    def shipping(self) -> Money:
        return Money(sum(parcel.shipping_minor for parcel in self.parcels), self.currency)

    @property
    def total(self) -> Money:
        return self.goods + self.shipping

    def quantities(self) -> dict[str, int]:
        """How many of each listing are taken from stock; an order has one line per listing."""
        return {line.listing_id: line.quantity for line in self.lines if line.from_stock}


@dataclass(frozen=True, slots=True)
class QuotedParcel:
    artisan_id: str
    lines: tuple[OrderLine, ...]
    rate: ParcelRate

    @property
    def goods_minor(self) -> int:
        return sum(line.goods_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class Quote:
    """What it would cost now; prices and stock are checked again when the order is placed."""

    parcels: tuple[QuotedParcel, ...]
    country: str
    valid_until: datetime

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        return tuple(line for parcel in self.parcels for line in parcel.lines)

    @property
    def goods(self) -> Money:
        return Money(sum(parcel.goods_minor for parcel in self.parcels))

    @property
    def shipping(self) -> Money:
        return Money(sum(parcel.rate.price_minor for parcel in self.parcels))

    @property
    def total(self) -> Money:
        return self.goods + self.shipping


class OrderTotalChanged(Conflict):
    """Prices or shipping changed since the buyer saw them; `total` is the new one."""

    code = "price_changed"


class ListingNotForSale(Conflict):
    """The listing is not for sale now: not published, its region closed, or its artisan away."""

    code = "listing_not_for_sale"


class IllegalOrderMove(Conflict):
    """The order is in a state that forbids this."""

    code = "order_state_forbids"


class IllegalParcelMove(Conflict):
    """The parcel is in a state that forbids this."""

    code = "parcel_state_forbids"


class OrderMismatch(KeyMismatch):
    """The Idempotency-Key was used before for an order with another content; use a new key."""


class TooManyLines(Invalid):
    """One order takes a limited number of lines, and of pieces of one listing."""

    code = "too_many_lines"


def fingerprint_of(content: Mapping[str, object]) -> str:
    """Tells two order requests under one key apart."""
    return ids.fingerprint(json.dumps(content, sort_keys=True, ensure_ascii=False))


def summed(wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """One line per listing, in the order they were first named.

    Raises:
        TooManyLines: more than MAX_QUANTITY of one listing.
    """
    quantities: dict[str, int] = {}
    for line in wanted:
        quantities[line.listing_id] = quantities.get(line.listing_id, 0) + line.quantity
    if max(quantities.values()) > MAX_QUANTITY:
        raise TooManyLines(f"order at most {MAX_QUANTITY} of one listing", param="lines")
    return tuple(Wanted(listing_id, quantity) for listing_id, quantity in quantities.items())


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
    )


def shown_parcels(order: Order) -> tuple[Parcel, ...]:
    """The parcels as people see them: those of an order that will not be paid are cancelled."""
    if order.state in (OrderState.AWAITING_PAYMENT, OrderState.PAID):
        return order.parcels
    return tuple(replace(parcel, status=ParcelStatus.CANCELLED) for parcel in order.parcels)


def status_of(order: Order, now: datetime, return_window: timedelta) -> OrderStatus:
    """What the buyer sees: the state, and once paid, how far the slowest parcel has come."""
    if order.state is not OrderState.PAID:
        return OrderStatus(order.state)
    live = [parcel for parcel in order.parcels if parcel.status is not ParcelStatus.CANCELLED]
    if not live:
        return OrderStatus.CANCELLED
    statuses = {parcel.status for parcel in live}
    if statuses <= {ParcelStatus.DELIVERED, ParcelStatus.RETURNED}:
        delivered = [parcel.delivered_at for parcel in live if parcel.delivered_at]
        over = bool(delivered) and now >= max(delivered) + return_window
        return OrderStatus.COMPLETED if over else OrderStatus.DELIVERED
    if statuses & {ParcelStatus.WAITING}:
        return OrderStatus.PAID if statuses == {ParcelStatus.WAITING} else OrderStatus.PREPARING
    return OrderStatus.PREPARING if ParcelStatus.PREPARING in statuses else OrderStatus.SHIPPED
