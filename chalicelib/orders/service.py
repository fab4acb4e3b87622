"""Quoting, opening an order with its stock held, reading it, and sending its parcels."""

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.edge.sweeps import each_apart
from chalicelib.errors import NotFound
from chalicelib.listings import service as listings
from chalicelib.listings.domain import Listing
from chalicelib.locales import text_in
from chalicelib.money import Money
from chalicelib.orders import tables
from chalicelib.orders.domain import (
    Address,
    Buyer,
    IllegalParcelMove,
    ListingNotForSale,
    Order,
    OrderLine,
    OrderMismatch,
    OrderState,
    OrderTotalChanged,
    Parcel,
    ParcelStatus,
    Quote,
    QuotedParcel,
    Reader,
    Terms,
    Wanted,
    fingerprint_of,
    move_parcel,
    summed,
)
from chalicelib.shipping.domain import Item, rate_parcel
from chalicelib.stock import service as stock
from chalicelib.stock.domain import HoldMismatch, InsufficientStock, SoldOut

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

    @property
    def order_id(self) -> str:
        """Nobody can reach another's order by guessing a key: the id is keyed with our secret."""
        scope = self.buyer.email.strip().lower()
        return ids.keyed_id("ord", settings().signing_secret, scope, self.key)


def quote(wanted: Sequence[Wanted], country: str, language: str) -> Quote:
    """What these listings cost, sent to a country; nothing is held.

    Raises:
        ListingNotForSale, DoesNotShipTo, TooManyLines.
    """
    lines = summed(wanted)
    found = listings.for_checkout([line.listing_id for line in lines])
    by_artisan: dict[str, list[OrderLine]] = {}
    for line in lines:
        listing = _for_sale(found.get(line.listing_id), line.listing_id)
        by_artisan.setdefault(listing.artisan_id, []).append(_line(listing, line, language))
    return Quote(
        parcels=tuple(
            QuotedParcel(artisan_id, tuple(lines), rate_parcel(_items(lines), country))
            for artisan_id, lines in by_artisan.items()
        ),
        country=country,
        valid_until=clock.now() + timedelta(minutes=QUOTE_MINUTES),
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
        ListingNotForSale, DoesNotShipTo, OrderTotalChanged, SoldOut, InsufficientStock,
        TooManyHolds: refused, and nothing is held.
    """
    priced = quote(request.wanted, request.ship_to.country, request.buyer.language)
    if request.expected_total is not None and request.expected_total != priced.total:
        total = {"amount_minor": priced.total.amount_minor, "currency": priced.total.currency}
        raise OrderTotalChanged(
            "show the buyer the new total and ask again", extra={"total": total}
        )
    return hold_stock(_order_of(request, priced))


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
    )


def hold_stock(order: Order) -> Order:
    """Hold what the order needs until it expires; all of it, or nothing more than before.

    The order as it is then: what is not there and can be made will be made. What the same request
    holds already, sent twice at once, is left to the other one.
    """
    taken: list[str] = []
    try:
        return replace(order, lines=tuple(_held(order, line, taken) for line in order.lines))
    except BaseException:
        for listing_id in taken:
            stock.release(listing_id, order.order_id, order.fingerprint)
        raise


def _held(order: Order, line: OrderLine, taken: list[str]) -> OrderLine:
    taken.append(line.listing_id)  # First: a call that times out may have been applied.
    try:
        if not _hold(order, line.listing_id, line.quantity, order.expires_at):
            taken.remove(line.listing_id)
    except (SoldOut, InsufficientStock):
        if line.made_to_order_days is None:
            raise
        return replace(line, from_stock=False)
    return line


def _hold(order: Order, listing_id: str, quantity: int, until: datetime) -> bool:
    try:
        return stock.hold(listing_id, order.order_id, quantity, order.fingerprint, until)
    except HoldMismatch as mismatch:
        raise OrderMismatch("use a new Idempotency-Key for a new order") from mismatch


def extend_holds(order: Order, until: datetime) -> None:
    """Keep the stock for longer while the buyer goes on paying; what was lost is taken anew.

    Raises:
        SoldOut, InsufficientStock, TooManyHolds: some was lost; what is still held stays.
    """
    for listing_id, quantity in order.quantities().items():
        if not stock.extend(listing_id, order.order_id, until):
            _hold(order, listing_id, quantity, until)


def release_stock(order: Order) -> bool:
    """Give back what the order holds, or had claimed for a payment that did not come.

    False when a claim is so fresh that its payment may still come: ask again later.
    """
    released = [
        stock.release(listing_id, order.order_id, order.fingerprint)
        for listing_id in order.quantities()
    ]
    return all(released)


def claim_stock(order: Order) -> None:
    """The order is being paid: its holds become sales, once.

    Raises:
        SoldOut, InsufficientStock: a hold had expired and cannot be taken again; what was claimed
            before that is given back by a sweep.
    """
    if order.state is not OrderState.AWAITING_PAYMENT:
        # It closed, so nothing else would find what is claimed now if the payment stopped halfway.
        tables.want_release(order, clock.now() + stock.CLAIM_IN_FLIGHT)
    for listing_id, quantity in order.quantities().items():
        stock.claim(listing_id, order.order_id, quantity, order.fingerprint)


def give_back_stock(order: Order) -> None:
    """Give back the stock of a closed order; what is still in doubt is left to the sweep."""
    if release_stock(order):
        tables.clear_due(order, tables.DUE_RELEASE)


def sweep_order_stock() -> None:
    """Give back the stock of orders that closed, and tidy the markers of those long paid."""
    each_apart(_due_stock_steps())


def _due_stock_steps() -> Iterator[Callable[[], None]]:
    for order_id in tables.due_order_ids(tables.DUE_RELEASE):
        yield partial(_give_back_if_closed, order_id)
    for order_id in tables.due_order_ids(tables.DUE_FORGET):
        yield partial(_forget_if_paid, order_id)


def _give_back_if_closed(order_id: str) -> None:
    order = tables.find(order_id)
    if order is not None and order.state in (OrderState.EXPIRED, OrderState.CANCELLED):
        give_back_stock(order)


def _forget_if_paid(order_id: str) -> None:
    order = tables.find(order_id)
    if order is None or order.state is not OrderState.PAID:
        return
    for listing_id in order.quantities():
        stock.forget(listing_id, order_id)
    tables.clear_due(order, tables.DUE_FORGET)


def refresh_stock_hints(order_id: str) -> None:
    """Have the lists show what is left of what an order took or gave back."""
    order = tables.find(order_id)
    if order is not None:
        listings.refresh_stock_states(list(order.quantities()))


def overdue_order_ids() -> Iterator[str]:
    """Orders whose time to be paid may be over: the index can lag behind one given more time."""
    return tables.due_order_ids(tables.DUE_EXPIRY)


def order(order_id: str) -> Order:
    """Raises NotFound."""
    found = tables.find(order_id)
    if found is None:
        raise NotFound("there is no such order, or it is not yours")
    return found


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
    return replace(found, parcels=own, lines=lines)


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
    """
    order_id = ids.parent_id("ord", parcel_id)
    found = tables.find_parcel(order_id, parcel_id) if order_id else None
    if found is None or found[0].artisan_id != artisan_id:
        raise NotFound("there is no such parcel, or it is not yours")
    parcel, is_paid = found
    if not is_paid:
        raise IllegalParcelMove("wait until the order is paid", extra={"parcel_status": "unpaid"})
    if parcel.status is to:
        return parcel
    now = clock.now()
    moved = move_parcel(parcel, to)
    if to is ParcelStatus.SHIPPED:
        moved = replace(moved, carrier=carrier, tracking=tracking, shipped_at=now)
    if to is ParcelStatus.DELIVERED:
        moved = replace(moved, delivered_at=now)
    if not tables.keep_parcel(moved, was=parcel.status):
        return advance_parcel(parcel_id, artisan_id, to, carrier, tracking)
    return moved


def parcels_of(
    artisan_id: str, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[tuple[Parcel, Order]], Any]:
    """An artisan's paid parcels with their orders, the newest first, and where to go on."""
    parcels, last = tables.paid_parcels(artisan_id, limit, start)
    found = tables.find_without_parcels([parcel.order_id for parcel in parcels])
    return [(parcel, found[parcel.order_id]) for parcel in parcels], last


def return_window() -> timedelta:
    return timedelta(days=settings().release_hold_days)
