"""Quotes, and what artisans do with their parcels. Placing and paying stand in payments/api.py."""

from typing import Any

from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.pages import Page, cursor_of, key_of
from chalicelib.edge.schemas import Nothing
from chalicelib.orders import service
from chalicelib.orders.domain import ParcelStatus
from chalicelib.orders.schemas import (
    ArtisanParcel,
    MyOrdersQuery,
    ParcelView,
    QuoteBody,
    QuoteView,
    ShipBody,
)

orders = FeatureBlueprint(__name__)


@orders.route(
    "/v1/quotes",
    method="POST",
    access=Access.PUBLIC,
    body=QuoteBody,
    answer=QuoteView,
    summary="What goods and shipping would cost; valid 30 minutes, nothing is held",
)
def quote_order(call: Call[QuoteBody, None]) -> QuoteView:
    wanted = [line.to_domain() for line in call.body.lines]
    quoted = service.quote(wanted, call.body.ship_to.country, call.language, call.body.campaign)
    return QuoteView.of(quoted, call.language)


@orders.route(
    "/v1/me/orders",
    access=Access.ARTISAN,
    query=MyOrdersQuery,
    answer=Page[ArtisanParcel],
    summary="The caller's paid parcels, the newest first",
)
def list_my_orders(call: Call[None, MyOrdersQuery]) -> Page[ArtisanParcel]:
    start = key_of(call.query.cursor, call.caller.artisan_id)
    found, last = service.parcels_of(call.caller.artisan_id, call.query.limit, start)
    return Page(
        data=[ArtisanParcel.of(parcel, order) for parcel, order in found],
        next_cursor=cursor_of(last, call.caller.artisan_id),
    )


def _advance(call: Call[Any, None], to: ParcelStatus, **details: Any) -> ParcelView:
    moved = service.advance_parcel(call.path["parcel_id"], call.caller.artisan_id, to, **details)
    return ParcelView.of(moved)


@orders.route(
    "/v1/me/parcels/{parcel_id}/accept",
    method="POST",
    access=Access.ARTISAN,
    body=Nothing,
    answer=ParcelView,
    summary="The artisan is preparing the parcel",
)
def accept_parcel(call: Call[Nothing, None]) -> ParcelView:
    return _advance(call, ParcelStatus.PREPARING)


@orders.route(
    "/v1/me/parcels/{parcel_id}/ship",
    method="POST",
    access=Access.ARTISAN,
    body=ShipBody,
    answer=ParcelView,
    summary="The parcel is with the carrier",
)
def ship_parcel(call: Call[ShipBody, None]) -> ParcelView:
    return _advance(
        call, ParcelStatus.SHIPPED, carrier=call.body.carrier, tracking=call.body.tracking
    )


@orders.route(
    "/v1/me/parcels/{parcel_id}/delivered",
    method="POST",
    access=Access.ARTISAN,
    body=Nothing,
    answer=ParcelView,
    summary="The parcel has arrived",
)
def deliver_parcel(call: Call[Nothing, None]) -> ParcelView:
    return _advance(call, ParcelStatus.DELIVERED)
