"""Writing listings, publishing them, browsing what is published."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib import clock, ids
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import Artisan
from chalicelib.edge.caching import TtlCache
from chalicelib.errors import NotFound
from chalicelib.listings import shelves, tables
from chalicelib.listings.domain import (
    ArtisanNotVerified,
    BrowseQuery,
    Card,
    CardPage,
    Decision,
    Listing,
    ListingStatus,
    NotRegistered,
    Position,
    RegionNotOpen,
    Seller,
    StaleVersion,
    StockLevels,
    StockState,
    best_state,
    check_variant,
    check_version,
    decide,
    edit,
    listing_id_of,
    stock_id_of,
    stock_state,
)
from chalicelib.regions import service as regions
from chalicelib.stock import service as stock
from chalicelib.stock.domain import shard_count_for

ATTEMPTS = 4
PAGE_CACHE_SECONDS = 15
MAX_CACHED_PAGES = 256
PageKey = tuple[BrowseQuery, Position | None, frozenset[str], frozenset[str]]
_pages: TtlCache[PageKey, CardPage] = TtlCache(PAGE_CACHE_SECONDS, MAX_CACHED_PAGES)


def browse(query: BrowseQuery, start: Position | None) -> CardPage:
    """Published listings of open regions and of artisans in good standing.

    One query of an index; a repeat within 15 seconds touches no table. A region that is paused and
    an artisan who is suspended are gone as soon as this process knows, within 30 seconds.
    """
    open_regions, suspended = regions.open_codes(), artisans.suspended_ids()
    if query.region and query.region not in open_regions:
        return CardPage(cards=(), end=None)

    def is_shown(card: Card) -> bool:
        return card.region in open_regions and card.artisan_id not in suspended

    key = (query, start, open_regions, suspended)
    return _pages.get(key, lambda: shelves.browse(query, start, is_shown))


def published_listing(listing_id: str) -> tuple[Listing, StockLevels]:
    """(a listing that is for sale, how many there are of what of it): two reads.

    Raises:
        NotFound: there is none, or it is not shown.
    """
    listing = tables.find(listing_id, consistent=False)
    if not is_for_sale(listing):
        raise NotFound("there is no such listing")
    return listing, _levels_of([listing])[listing_id]


def is_for_sale(listing: Listing) -> bool:
    """Whether it is published, its region open and its artisan not suspended (within 30 s)."""
    return (
        listing.status is ListingStatus.PUBLISHED
        and listing.region in regions.open_codes()
        and listing.artisan_id not in artisans.suspended_ids()
    )


def for_checkout(listing_ids: Sequence[str]) -> dict[str, Listing]:
    """Listings of any status as they are now, up to 100, in one call; missing ones left out."""
    return tables.find_many(listing_ids)


def write_listing(artisan_id: str, content: Mapping[str, Any], on_hand: int | None) -> Listing:
    """A new draft; it takes its region from the artisan.

    Raises:
        NotRegistered: the caller has no profile yet.
    """
    artisan = _own_profile(artisan_id)
    now = clock.now()
    listing_id = ids.new_id("lst")
    available, shards = 0, {}
    if on_hand is not None:
        available = stock.set_on_hand(listing_id, on_hand).available
        shards = _with_shards({}, None, on_hand)
    listing = Listing(
        listing_id=listing_id,
        artisan_id=artisan_id,
        status=ListingStatus.DRAFT,
        region=artisan.profile.region,
        seller=_seller(artisan),
        created_at=now,
        updated_at=now,
        stock_state=stock_state(available, content.get("made_to_order_days")),
        stock_shards=shards,
        **content,
    )
    tables.add(listing)
    return listing


def own_listing(artisan_id: str, listing_id: str) -> tuple[Listing, StockLevels]:
    """
    Raises:
        NotFound: there is no such listing of this artisan.
    """
    listing = tables.find_owned(listing_id, artisan_id)
    return listing, _levels_of([listing])[listing_id]


def own_listings(
    artisan_id: str, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[Listing], dict[str, Any] | None]:
    return tables.page_of_owner(artisan_id, limit, start)


def edit_listing(
    artisan_id: str, listing_id: str, changes: Mapping[str, Any], expected_version: int | None
) -> Listing:
    """Change some fields; `expected_version` is the one the editor saw.

    Raises:
        NotFound, StaleVersion. IllegalListingMove: it is retired.
    """
    listing = tables.find_owned(listing_id, artisan_id)
    check_version(listing, expected_version)
    edited = _kept(edit(listing, changes, clock.now()))
    if edited.variants != listing.variants:
        refresh_stock_states([listing_id])  # Other things are counted of it now.
    return edited


def submit_listing(artisan_id: str, listing_id: str) -> Listing:
    """Ask an operator to publish it.

    Raises:
        NotFound, ArtisanNotVerified, IllegalListingMove.
    """
    listing = tables.find_owned(listing_id, artisan_id)
    artisan = _verified(artisans.artisan(artisan_id))
    submitted = decide(listing, Decision.SUBMIT, clock.now())
    return _kept(replace(submitted, seller=_seller(artisan), region=artisan.profile.region))


def retire_listing(artisan_id: str, listing_id: str) -> Listing:
    """Take it off the market for good; what was ordered stays ordered.

    Raises:
        NotFound, IllegalListingMove.
    """
    listing = tables.find_owned(listing_id, artisan_id)
    return _kept(decide(listing, Decision.RETIRE, clock.now()))


def publish_listing(listing_id: str) -> Listing:
    """Put a listing on the market.

    Raises:
        NotFound, IllegalListingMove, ArtisanNotVerified.
        RegionNotOpen: its region is neither in pilot nor live.
    """
    published = decide(tables.find(listing_id), Decision.PUBLISH, clock.now())
    artisan = _verified(artisans.artisan(published.artisan_id))
    region = regions.region(published.region)
    if not region.is_open:
        raise RegionNotOpen(
            f"{region.code} is {region.status}; open it first", extra={"region": region.code}
        )
    return _kept(replace(published, seller=_seller(artisan)))


def return_listing(listing_id: str, reason: str) -> Listing:
    """Give a listing back to its artisan, with what is to be corrected.

    Raises:
        NotFound, IllegalListingMove.
    """
    returned = decide(tables.find(listing_id), Decision.RETURN, clock.now())
    return _kept(replace(returned, return_reason=reason))


def listings_in_review(
    limit: int, start: Mapping[str, Any] | None
) -> tuple[list[tuple[datetime, Card]], dict[str, Any] | None]:
    """(when it was submitted, its card), the longest wait first."""
    rows, last = shelves.in_review(limit, start)
    return [(clock.from_text(submitted_at), card) for submitted_at, card in rows], last


def set_stock(
    artisan_id: str, listing_id: str, on_hand: int, variant: str | None = None
) -> tuple[Listing, StockLevels]:
    """Record a count of the pieces that are there, of the listing or of one of its variants.

    Raises:
        NotFound. VariantRequired, UnknownVariant.
        StockIsHeld: buyers are paying for more than that.
    """
    listing = tables.find_owned(listing_id, artisan_id)
    check_variant(listing, variant)
    counted = stock.set_on_hand(stock_id_of(listing_id, variant), on_hand)
    listing = _note_shards(listing, variant, on_hand)
    # The others' levels may lag; of what was counted it is known.
    levels = {**_levels_of([listing])[listing_id], variant: counted}
    _note_stock_state(listing, _state_of(listing, levels))
    return replace(listing, stock_state=_state_of(listing, levels)), levels


def refresh_stock_states(stock_ids: Sequence[str]) -> None:
    """Bring the hints that lists show up to date, after something was sold or given back.

    A stock id is a listing's, or that of a variant; a listing shows the best of its variants.
    """
    listing_ids = list(dict.fromkeys(listing_id_of(stock_id) for stock_id in stock_ids))
    found = tables.find_many(listing_ids)
    levels = _levels_of(found.values())
    for listing in found.values():
        _note_stock_state(listing, _state_of(listing, levels[listing.listing_id]))


def _levels_of(listings: Collection[Listing]) -> dict[str, StockLevels]:
    """By listing: how many there are of each thing that is counted of it."""
    ids_of = {
        listing.listing_id: {
            variant: stock_id_of(listing.listing_id, variant) for variant in listing.counted
        }
        for listing in listings
    }
    shards = {
        stock_id_of(listing.listing_id, variant): listing.shards_of(variant)
        for listing in listings
        for variant in listing.counted
    }
    levels = stock.levels(list(shards), shards)
    return {
        listing_id: {variant: levels[stock_id] for variant, stock_id in stock_ids.items()}
        for listing_id, stock_ids in ids_of.items()
    }


def _state_of(listing: Listing, levels: StockLevels) -> StockState:
    return best_state((level.available for level in levels.values()), listing.made_to_order_days)


def _note_shards(listing: Listing, variant: str | None, on_hand: int) -> Listing:
    """Keep the hint of how many shards were counted over, where it is another one than before."""
    for _ in range(ATTEMPTS):
        shards = _with_shards(listing.stock_shards, variant, on_hand)
        if shards == listing.stock_shards or tables.note_stock_shards(listing, shards):
            break
        # Another variant was counted at the same moment.
        listing = replace(listing, stock_shards=tables.find(listing.listing_id).stock_shards)
    return replace(listing, stock_shards=shards)


def _with_shards(before: Mapping[str, int], variant: str | None, on_hand: int) -> dict[str, int]:
    """What was counted over one item is not in it: that goes without saying."""
    shards = {**before, variant or "": shard_count_for(on_hand)}
    return {key: count for key, count in shards.items() if count > 1}


def _note_stock_state(listing: Listing, state: StockState) -> None:
    if listing.stock_state is not state:
        tables.note_stock_state(listing.listing_id, state)
        _pages.clear()


def _kept(changed: Listing) -> Listing:
    if not tables.change(changed):
        raise StaleVersion("the listing was changed at the same moment; read it again")
    _pages.clear()
    return changed


def _own_profile(artisan_id: str) -> Artisan:
    try:
        return artisans.artisan(artisan_id)
    except NotFound:
        raise NotRegistered("register with POST /v1/artisans first") from None


def _verified(artisan: Artisan) -> Artisan:
    if not artisan.is_verified:
        raise ArtisanNotVerified(
            "an operator has to verify the artisan first", extra={"current": artisan.status}
        )
    return artisan


def _seller(artisan: Artisan) -> Seller:
    return Seller(name=artisan.display_name, town=artisan.profile.town)
