"""Puts the demo's regions, artisans and listings into the tables; what is there already stays."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from chalicelib import ids
from chalicelib.artisans import service as artisan_service
from chalicelib.artisans import tables as artisan_tables
from chalicelib.artisans.domain import Artisan, ArtisanStatus, DestinationKind, Profile
from chalicelib.edge import caching
from chalicelib.edge.auth import artisan_id_of
from chalicelib.edge.storage import Table
from chalicelib.listings import tables as listing_tables
from chalicelib.listings.domain import (
    Dimensions,
    Image,
    Listing,
    ListingStatus,
    Seller,
    Text,
    stock_state,
)
from chalicelib.money import Money
from chalicelib.regions import tables as region_tables
from chalicelib.regions.domain import RegionStatus
from chalicelib.stock.tables import StockTable
from infra.demo.catalogue import (
    DemoArtisan,
    DemoListing,
    demo_artisans,
    demo_listings,
    demo_regions,
    steady_number,
)

Progress = Callable[[str], None]
FIRST_DAY = datetime(2024, 9, 2, 9, tzinfo=UTC)
REVIEW = timedelta(days=2)
REGISTERED_WITHIN_MINUTES = 60 * 24 * 60
WRITTEN_WITHIN_MINUTES = 365 * 24 * 60
READ_AT_ONCE = 100


def load_demo(progress: Progress | None = None) -> None:
    """Load the demo, straight into the tables; a second time changes nothing.

    `progress` is told, in a sentence, what has been loaded.
    """
    say = progress or (lambda sentence: None)
    _open_regions()
    say(f"{_load_artisans()} artisans loaded")
    say(f"{_load_listings()} listings loaded")
    caching.forget_everything()


def listing_id_of(demo: DemoListing) -> str:
    return ids.derived_id("lst", "demo", demo.slug)


def image_of(listing_id: str) -> str | None:
    """The drawing of a demo listing, as SVG; None when it is no demo listing."""
    demo = _demos_by_listing_id().get(listing_id)
    return demo.image_svg() if demo else None


@cache
def _demos_by_listing_id() -> Mapping[str, DemoListing]:
    return {listing_id_of(demo): demo for demo in demo_listings()}


def _open_regions() -> None:
    known = region_tables.find_statuses([region.code for region in demo_regions()])
    for region in demo_regions():
        status = RegionStatus(region.status)
        if status is not RegionStatus.PLANNED and region.code not in known:
            region_tables.change_status(region.code, RegionStatus.PLANNED, status, FIRST_DAY)


def _load_artisans() -> int:
    demos = {artisan_id_of(demo.subject): demo for demo in demo_artisans()}
    missing = _missing(artisan_tables.ArtisanTable, demos)
    artisan_tables.add_many([_artisan(demos[artisan_id]) for artisan_id in sorted(missing)])
    return len(missing)


def _load_listings() -> int:
    sellers = {demo.subject: demo for demo in demo_artisans()}
    demos = _demos_by_listing_id()
    missing = _missing(listing_tables.ListingTable, demos)
    # Stock first: a listing is never shown before its pieces were counted.
    _count_stock({listing_id: demos[listing_id].stock_count for listing_id in missing})
    new = [demos[listing_id] for listing_id in sorted(missing)]
    listing_tables.add_many([_listing(demo, sellers[demo.artisan_subject]) for demo in new])
    return len(missing)


def _artisan(demo: DemoArtisan) -> Artisan:
    artisan_id = artisan_id_of(demo.subject)
    registered_at = FIRST_DAY + _minutes(demo.subject, REGISTERED_WITHIN_MINUTES)
    profile = Profile(
        name=demo.name,
        phone=demo.phone,
        region=demo.region,
        town=demo.town,
        crafts=demo.crafts,
        languages=demo.languages,
        workshop_name=_shop_name(demo),
        national_register_number=demo.national_register_number,
        story=demo.story,
    )
    kind = DestinationKind(demo.payout.kind)
    destination = artisan_service.sealed_destination(artisan_id, kind, demo.payout.destination)
    status = ArtisanStatus(demo.stage)
    was_decided = status is not ArtisanStatus.REGISTERED
    return Artisan(
        artisan_id=artisan_id,
        status=status,
        profile=profile,
        registered_at=registered_at,
        status_at=registered_at + REVIEW if was_decided else registered_at,
        registration_digest=artisan_service.registration_digest(profile, None),
        # Long ago, so that it may be paid to.
        destination=replace(destination, changed_at=registered_at),
    )


def _listing(demo: DemoListing, seller: DemoArtisan) -> Listing:
    registered_at = FIRST_DAY + _minutes(seller.subject, REGISTERED_WITHIN_MINUTES)
    written_at = registered_at + REVIEW + _minutes(demo.slug, WRITTEN_WITHIN_MINUTES)
    is_published = demo.status == ListingStatus.PUBLISHED
    published_at = written_at + REVIEW if is_published else None
    listing_id = listing_id_of(demo)
    length, width, height = demo.dimensions_mm
    return Listing(
        listing_id=listing_id,
        artisan_id=artisan_id_of(seller.subject),
        status=ListingStatus(demo.status),
        region=seller.region,
        craft=demo.craft,
        texts={
            language: Text(text["title"], text["description"])
            for language, text in demo.texts.items()
        },
        price=Money(demo.price_minor),
        seller=Seller(_shop_name(seller) or seller.name, seller.town),
        created_at=written_at,
        updated_at=published_at or written_at,
        weight_grams=demo.weight_grams,
        dimensions=Dimensions(length, width, height),
        materials=demo.materials,
        technique=demo.technique,
        hs_code=demo.hs_code,
        origin=demo.origin,
        made_to_order_days=demo.made_to_order_days,
        collection=demo.collection,
        images=(Image(f"/_local/images/{listing_id}.svg", demo.alt_texts),),
        stock_state=stock_state(demo.stock_count, demo.made_to_order_days),
        submitted_at=written_at if is_published else None,
        published_at=published_at,
    )


def _shop_name(demo: DemoArtisan) -> str | None:
    return demo.workshop_name or demo.cooperative


def _minutes(text: str, below: int) -> timedelta:
    return timedelta(minutes=steady_number(f"{text}/minutes", below))


def _missing(table: type[Table], wanted: Iterable[str]) -> set[str]:
    """Of these ids, the ones that the table does not have."""
    missing = set(wanted)
    model: Any = table
    key = model._hash_key_attribute().attr_name
    for some in _in_hundreds(sorted(missing)):
        rows = table.batch_get(some, consistent_read=True, attributes_to_get=[key])
        missing -= {getattr(row, key) for row in rows}
    return missing


def _in_hundreds(items: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), READ_AT_ONCE):
        yield items[start : start + READ_AT_ONCE]


def _count_stock(counts: Mapping[str, int]) -> None:
    """As counted for the first time; what has been counted before is left as it is."""
    missing = _missing(StockTable, counts)
    with StockTable.batch_write() as batch:
        for stock_id in sorted(missing):
            on_hand = counts[stock_id]
            row = StockTable(
                stock_id, received=on_hand, available=on_hand, sold=0, written_off=0, holds={}
            )
            batch.save(row)
