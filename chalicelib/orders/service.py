"""Quoting, opening an order with its stock held, reading it, and sending its parcels."""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.errors import NotFound
from chalicelib.listings import service as listings
from chalicelib.listings.domain import Listing, check_variant
from chalicelib.locales import text_in
from chalicelib.money import Money
from chalicelib.orders import parcel_tables, tables
from chalicelib.orders.agreements import with_terms
from chalicelib.orders.domain import (
    Address,
    Buyer,
    IllegalParcelMove,
    ListingNotForSale,
    Order,
    OrderLine,
    OrderMismatch,
    OrderState,
    OrderStatus,
    OrderTotalChanged,
    Parcel,
    ParcelStatus,
    PaymentInDoubt,
    Reader,
    Terms,
    Wanted,
    fingerprint_of,
    move_parcel,
    status_of,
    summed,
)
from chalicelib.orders.holds import hold_stock
from chalicelib.orders.quote_domain import Quote, QuotedParcel
from chalicelib.shipping.domain import Item, rate_parcel

QUOTE_MINUTES = 30


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a buyer asks for; `content` is the body as it came, to tell two requests apart."""

    key: str
    buyer: Buyer
    ship_to: Address
    wanted: tuple[Wanted, ...]
    expected_total: Money | None
    hold_for: timedelta
    content: Mapping[str, object]
    campaign: str | None = None

    @property
    def order_id(self) -> str:
        """Nobody can reach another's order by guessing a key: the id is keyed with our secret."""
        scope = self.buyer.email.strip().lower()
        return ids.keyed_id("ord", settings().signing_secret, scope, self.key)


def quote(
    wanted: Sequence[Wanted], country: str, language: str, campaign: str | None = None
) -> Quote:
    """What these listings cost, sent to a country; nothing is held.

    Raises:
        ListingNotForSale, DoesNotShipTo, TooManyLines, CampaignNotRunning.
    """
    lines = summed(wanted)
    found = listings.for_checkout(list(dict.fromkeys(line.listing_id for line in lines)))
    by_artisan: dict[str, list[OrderLine]] = {}
    for line in lines:
        listing = _for_sale(found.get(line.listing_id), line.listing_id)
        check_variant(listing, line.variant)
        by_artisan.setdefault(listing.artisan_id, []).append(_line(listing, line, language))
    parcels = [
        QuotedParcel(artisan_id, tuple(lines), rate_parcel(_items(lines), country))
        for artisan_id, lines in by_artisan.items()
    ]
    return Quote(
        parcels=with_terms(parcels, found, campaign),
        country=country,
        valid_until=clock.now() + timedelta(minutes=QUOTE_MINUTES),
        campaign=campaign,
    )


def _for_sale(listing: Listing | None, listing_id: str) -> Listing:
    if listing is None or not listings.is_for_sale(listing):
        raise ListingNotForSale(
            "take this listing out of the basket", extra={"listing_id": listing_id}
        )
    return listing


def _line(listing: Listing, wanted: Wanted, language: str) -> OrderLine:
    titles = {tag: text.title for tag, text in listing.texts.items()}
    return OrderLine(
        listing_id=listing.listing_id,
        artisan_id=listing.artisan_id,
        title=text_in(titles, language)[0],
        quantity=wanted.quantity,
        unit_price_minor=listing.price.amount_minor,
        weight_grams=listing.weight_grams,
        hs_code=listing.hs_code,
        origin=listing.origin,
        made_to_order_days=listing.made_to_order_days,
        variant=wanted.variant,
        shard_count=listing.shards_of(wanted.variant),
    )


def _items(lines: Sequence[OrderLine]) -> list[Item]:
    return [
        Item(line.listing_id, line.quantity, line.weight_grams, line.hs_code, line.origin)
        for line in lines
    ]


def existing_order(request: OrderRequest) -> Order | None:
    """The order this request has made before.

    Raises:
        OrderMismatch: the key was used for another content.
    """
    order = tables.find(request.order_id)
    if order is not None and order.fingerprint != fingerprint_of(request.content):
        raise OrderMismatch("use a new Idempotency-Key for a new order")
    return order


def open_order(request: OrderRequest) -> Order:
    """Price the order by our own listings and hold its stock; nothing is written yet.

    Raises:
        ListingNotForSale, DoesNotShipTo, OrderTotalChanged, CampaignNotRunning, SoldOut,
        InsufficientStock, TooManyHolds: refused, and nothing is held.
    """
    country, language = request.ship_to.country, request.buyer.language
    priced = quote(request.wanted, country, language, request.campaign)
    if request.expected_total is not None and request.expected_total != priced.total:
        total = {"amount_minor": priced.total.amount_minor, "currency": priced.total.currency}
        raise OrderTotalChanged(
            "show the buyer the new total and ask again", extra={"total": total}
        )
    return hold_stock(_order_of(request, priced))


def buyer_key_of(email: str) -> str:
    """What a buyer's open orders are counted under: nobody can tell the e-mail from it."""
    return ids.keyed_id("byr", settings().signing_secret, email.strip().lower())


def _order_of(request: OrderRequest, priced: Quote) -> Order:
    now = clock.now()
    order_id = request.order_id
    return Order(
        order_id=order_id,
        state=OrderState.AWAITING_PAYMENT,
        fingerprint=fingerprint_of(request.content),
        buyer=request.buyer,
        ship_to=request.ship_to,
        lines=priced.lines,
        parcels=tuple(
            Parcel(
                parcel_id=ids.child_id("prc", order_id, number),
                order_id=order_id,
                artisan_id=parcel.artisan_id,
                status=ParcelStatus.WAITING,
                goods_minor=parcel.goods_minor,
                shipping_minor=parcel.rate.price_minor,
                weight_grams=parcel.rate.weight_grams,
                days=parcel.rate.days,
                customs=parcel.rate.customs,
                placed_at=now,
            )
            for number, parcel in enumerate(priced.parcels, start=1)
        ),
        terms=Terms(
            commission_bp=settings().commission_bp,
            commission_rule="standard",
            fee_estimate_bp=settings().fee_estimate_bp,
            vat_on_commission_bp=settings().vat_on_commission_bp,
        ),
        placed_at=now,
        expires_at=now + request.hold_for,
        buyer_key=buyer_key_of(request.buyer.email),
    )


def overdue_order_ids() -> Iterator[str]:
    """Orders whose time to be paid may be over: the index can lag behind one given more time."""
    return tables.due_order_ids(tables.DUE_EXPIRY)


def order(order_id: str) -> Order:
    """Raises NotFound."""
    found = tables.find(order_id)
    if found is None:
        raise NotFound("there is no such order, or it is not yours")
    return found


def find_order(order_id: str) -> Order | None:
    return tables.find(order_id)


def check_paid(found: Order) -> None:
    """Raises IllegalParcelMove while nobody has paid."""
    if found.state is not OrderState.PAID:
        raise IllegalParcelMove("wait until the order is paid", extra={"parcel_status": "unpaid"})


def recent_orders(
    limit: int, before: str | None
) -> tuple[list[tuple[Order, OrderStatus]], str | None]:
    """Orders with what their buyers see of them, the newest first, and where to go on."""
    found, last = tables.recent_page(limit, before)
    now = clock.now()
    return [(order, status_of(order, now, return_window())) for order in found], last


def order_token_of(order_id: str) -> str:
    """The secret that opens an order to its buyer; derived, so a repeated request gets the same."""
    return ids.keyed_id("otk", settings().signing_secret, "order-token", order_id)


def order_for(order_id: str, reader: Reader) -> Order:
    """An order as this reader may see it: a buyer and an operator all of it, an artisan their part.

    Raises:
        NotFound: also when it exists and is not theirs.
    """
    found = order(order_id)
    if sees_whole_order(order_id, reader):
        return found
    own = tuple(parcel for parcel in found.parcels if parcel.artisan_id == reader.artisan_id)
    if not own:
        raise NotFound("there is no such order, or it is not yours")
    lines = tuple(line for line in found.lines if line.artisan_id == reader.artisan_id)
    # What was refunded may be another artisan's: theirs is told by their own parcel.
    return replace(found, parcels=own, lines=lines, refunded_minor=0)


def sees_whole_order(order_id: str, reader: Reader) -> bool:
    """True for an operator, and for the buyer, who has the order's token."""
    token = reader.order_token.encode()
    return reader.is_operator or hmac.compare_digest(token, order_token_of(order_id).encode())


def advance_parcel(
    parcel_id: str,
    artisan_id: str,
    to: ParcelStatus,
    carrier: str | None = None,
    tracking: str | None = None,
) -> Parcel:
    """Move an artisan's own, paid parcel; asking for the status it has already changes nothing.

    Raises:
        NotFound: no such parcel of theirs. IllegalParcelMove: not from where it is.
        PaymentInDoubt: it may not be sent.
    """
    order_id = ids.parent_id("ord", parcel_id)
    found = parcel_tables.find_parcel(order_id, parcel_id) if order_id else None
    if found is None or found[0].artisan_id != artisan_id:
        raise NotFound("there is no such parcel, or it is not yours")
    parcel, is_paid = found
    if not is_paid:
        raise IllegalParcelMove("wait until the order is paid", extra={"parcel_status": "unpaid"})
    if parcel.status is to:
        return parcel
    now = clock.now()
    moved = move_parcel(parcel, to)
    if to is ParcelStatus.SHIPPED and parcel.withheld:
        raise PaymentInDoubt("keep the parcel until the payment is cleared; an operator sees to it")
    if to is ParcelStatus.SHIPPED:
        moved = replace(moved, carrier=carrier, tracking=tracking, shipped_at=now)
    if to is ParcelStatus.DELIVERED:
        moved = replace(moved, delivered_at=now)
    if not parcel_tables.keep_parcel(moved, was=parcel.status):
        return advance_parcel(parcel_id, artisan_id, to, carrier, tracking)
    return moved


def parcels_of(
    artisan_id: str, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[tuple[Parcel, Order]], Any]:
    """An artisan's paid parcels with their orders, the newest first, and where to go on."""
    parcels, last = parcel_tables.paid_parcels(artisan_id, limit, start)
    found = tables.find_without_parcels([parcel.order_id for parcel in parcels])
    return [(parcel, found[parcel.order_id]) for parcel in parcels], last


def return_window() -> timedelta:
    return timedelta(days=settings().release_hold_days)
