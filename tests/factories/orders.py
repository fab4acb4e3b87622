"""A shop to buy from, orders as domain objects, and the bodies that place them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.edge.auth import artisan_id_of
from chalicelib.listings import tables as listing_tables
from chalicelib.listings.domain import ListingStatus
from chalicelib.money import Money
from chalicelib.orders.domain import (
    Address,
    Buyer,
    Order,
    OrderLine,
    OrderState,
    Parcel,
    ParcelStatus,
    Terms,
    Wanted,
)
from chalicelib.orders.service import OrderRequest
from chalicelib.regions import tables as region_tables
from chalicelib.regions.domain import RegionStatus
from chalicelib.stock import service as stock
from infra.local.identity import ARTISAN_SUBJECT
from tests.factories.listings import a_listing

PLACED_AT = datetime(2030, 6, 14, 19, tzinfo=UTC)
ORDER_ID = "ord_" + "o" * 24
OWNER = artisan_id_of(ARTISAN_SUBJECT)
OTHER_ARTISAN = artisan_id_of("another-artisan")
BOWL, RUG = "lst_" + "b" * 24, "lst_" + "r" * 24
BOWL_PRICE, RUG_PRICE = 24_990, 100_000
HOME_SHIPPING = 3_500  # one parcel up to 500 g within Morocco
BOWL_TOTAL = BOWL_PRICE + HOME_SHIPPING


def open_shop(counts: Mapping[str, int] | None = None) -> None:
    """A live region with a bowl of one artisan and a rug of another, published and counted."""
    region_tables.change_status("MA-03", RegionStatus.PLANNED, RegionStatus.LIVE, PLACED_AT)
    published = {"status": ListingStatus.PUBLISHED, "weight_grams": 400}
    customs = {"hs_code": "691200", "origin": "MA"}
    bowl = a_listing(
        listing_id=BOWL, artisan_id=OWNER, price=Money(BOWL_PRICE), **published, **customs
    )
    rug = a_listing(
        listing_id=RUG, artisan_id=OTHER_ARTISAN, price=Money(RUG_PRICE), **published, **customs
    )
    listing_tables.add_many([bowl, rug])
    for listing_id, count in (counts or {BOWL: 5, RUG: 5}).items():
        stock.set_on_hand(listing_id, count)


def an_order_body(lines: Mapping[str, int] | None = None, **changes: Any) -> dict[str, Any]:
    content = {
        "lines": [
            {"listing_id": listing_id, "quantity": quantity}
            for listing_id, quantity in (lines or {BOWL: 1}).items()
        ],
        "buyer": {"name": "Amina Tester", "email": "amina@example.com", "language": "en"},
        "ship_to": {"country": "MA", "line1": "12 rue Test", "city": "Rabat"},
        "payment_method": "card",
    }
    return content | changes


def an_order_request(
    key: str = "key-1",
    lines: Mapping[str, int] | None = None,
    email: str = "amina@example.com",
    hold_for: timedelta = timedelta(minutes=15),
    **changes: Any,
) -> OrderRequest:
    wanted = tuple(Wanted(*line) for line in (lines or {BOWL: 1}).items())
    content: dict[str, Any] = {
        "key": key,
        "buyer": Buyer("Amina Tester", email, None, "en"),
        "ship_to": Address("MA"),
        "wanted": wanted,
        "expected_total": None,
        "hold_for": hold_for,
        "content": {"lines": [[w.listing_id, w.quantity] for w in wanted]},
    }
    return OrderRequest(**(content | changes))


def a_parcel(number: int = 1, **changes: Any) -> Parcel:
    content: dict[str, Any] = {
        "parcel_id": ids.child_id("prc", ORDER_ID, number),
        "order_id": ORDER_ID,
        "artisan_id": OWNER,
        "status": ParcelStatus.WAITING,
        "goods_minor": BOWL_PRICE,
        "shipping_minor": HOME_SHIPPING,
        "weight_grams": 400,
        "days": (1, 4),
        "customs": False,
        "placed_at": PLACED_AT,
    }
    return Parcel(**(content | changes))


def an_order(*statuses: ParcelStatus, **changes: Any) -> Order:
    """A paid order whose parcels have these statuses, unless `state` says otherwise."""
    arrived = (ParcelStatus.DELIVERED, ParcelStatus.RETURNED)
    parcels = tuple(
        replace(
            a_parcel(number, status=status),
            delivered_at=PLACED_AT if status in arrived else None,
        )
        for number, status in enumerate(statuses or (ParcelStatus.WAITING,), start=1)
    )
    content: dict[str, Any] = {
        "order_id": ORDER_ID,
        "state": OrderState.PAID,
        "fingerprint": "f",
        "buyer": Buyer("Amina Tester", "amina@example.com", None, "en"),
        "ship_to": Address("MA"),
        "lines": (OrderLine(BOWL, OWNER, "Bowl", 1, BOWL_PRICE),),
        "parcels": parcels,
        "terms": Terms(1_000, "standard", 175, 2_000),
        "placed_at": PLACED_AT,
        "expires_at": PLACED_AT + timedelta(minutes=15),
    }
    return Order(**(content | changes))
