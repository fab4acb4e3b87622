"""Listings for tests: domain objects, and the body that writes one."""

from datetime import UTC, datetime
from typing import Any

from chalicelib.listings.domain import Listing, ListingStatus, Seller, StockState, Text
from chalicelib.money import Money
from tests.factories.artisans import ARTISAN_ID

WRITTEN_AT = datetime(2030, 2, 1, 12, tzinfo=UTC)
LISTING_ID = "lst_aaaaaaaaaaaaaaaaaaaaaaaa"


def a_listing(**changes: Any) -> Listing:
    content: dict[str, Any] = {
        "listing_id": LISTING_ID,
        "artisan_id": ARTISAN_ID,
        "status": ListingStatus.DRAFT,
        "region": "MA-03",
        "craft": "zellige",
        "texts": {"fr": Text("Table en zellige", "Posée à la main.")},
        "price": Money(249_900),
        "seller": Seller("Atelier Tester", "Fès"),
        "created_at": WRITTEN_AT,
        "updated_at": WRITTEN_AT,
        "stock_state": StockState.IN_STOCK,
    }
    if changes.get("status") is ListingStatus.PUBLISHED:
        content["published_at"] = WRITTEN_AT
    return Listing(**(content | changes))


def a_new_listing(**changes: Any) -> dict[str, Any]:
    """The body of POST /v1/me/listings."""
    content = {
        "craft": "zellige",
        "texts": {
            "fr": {"title": "Table en zellige", "description": "Posée à la main."},
            "ar": {"title": "طاولة من الزليج", "description": "صُنعت باليد."},
        },
        "price": {"amount_minor": 249_900, "currency": "MAD"},
        "weight_grams": 18_000,
        "dimensions_mm": {"length": 800, "width": 800, "height": 450},
        "materials": ["terre cuite", "fer forgé"],
        "technique": "zellige taillé",
        "hs_code": "690721",
        "made_to_order_days": None,
        "on_hand": 3,
        "collection": "blue-of-fes",
    }
    return content | changes
