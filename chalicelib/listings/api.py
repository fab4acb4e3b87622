"""Routes of the listings: the catalogue, the artisans' own, the operators' review."""

import json
import re
from dataclasses import asdict
from functools import lru_cache

from chalicelib.edge import pages
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.caching import TtlCache
from chalicelib.edge.calls import Call
from chalicelib.edge.pages import Page, PageQuery
from chalicelib.edge.replies import Reply
from chalicelib.errors import BadRequest
from chalicelib.listings import service
from chalicelib.listings.domain import CardPage, Listing, Position, StockLevels
from chalicelib.listings.schemas import (
    ListingChanges,
    ListingsQuery,
    NewListing,
    ReturnBody,
    ReviewQuery,
    StockBody,
)
from chalicelib.listings.views import (
    CardView,
    CollectionList,
    CraftList,
    ListingView,
    OwnListing,
    ReviewRow,
    card_json,
)
from chalicelib.locales import Language

# With the 30 seconds for which a process remembers which regions are open, and stale answers for
# twice as long while they are renewed, a paused region is gone everywhere within a minute.
CACHED_SECONDS = 10
_VERSION_TAG = re.compile(r'(?:W/)?"?([1-9][0-9]{0,8})"?')

PageKey = tuple[CardPage, str, str, str]
_pages: TtlCache[PageKey, Reply] = TtlCache(service.PAGE_CACHE_SECONDS, service.MAX_CACHED_PAGES)

listings = FeatureBlueprint(__name__)


class IfMatchMalformed(BadRequest):
    """`If-Match` takes the `ETag` of the listing as it was read, or `*`."""

    code = "if_match_invalid"


@listings.route(
    "/v1/crafts",
    access=Access.PUBLIC,
    answer=CraftList,
    cached_seconds=300,
    summary="The crafts that listings belong to",
)
def list_crafts(call: Call[None, None]) -> Reply:
    return _reference(CraftList, call.language)


@listings.route(
    "/v1/collections",
    access=Access.PUBLIC,
    answer=CollectionList,
    cached_seconds=300,
    summary="The curated collections",
)
def list_collections(call: Call[None, None]) -> Reply:
    return _reference(CollectionList, call.language)


@lru_cache(maxsize=8)
def _reference(model: type[CraftList] | type[CollectionList], language: Language) -> Reply:
    text = model.of_all(language).model_dump_json()
    return Reply(text, headers={"Content-Language": language})


@listings.route(
    "/v1/listings",
    access=Access.PUBLIC,
    query=ListingsQuery,
    answer=Page[CardView],
    cached_seconds=CACHED_SECONDS,
    summary="Browse what is for sale",
)
def browse_listings(call: Call[None, ListingsQuery]) -> Reply:
    query, scope = call.query, call.query.scope()
    start = pages.key_of(query.cursor, scope)
    page = service.browse(query.to_domain(), Position(**start) if start else None)
    key = (page, call.language, scope, pages.asked.get())
    return _pages.get(key, lambda: _rendered(page, call.language, scope))


def _rendered(page: CardPage, language: str, scope: str) -> Reply:
    cards = [card_json(card, language) for card in page.cards]
    end = asdict(page.end) if page.end else None
    written_in = sorted({card["language"] for card in cards}) or [language]
    content = {"data": cards, "next_cursor": pages.cursor_of(end, scope)}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Reply(text, headers={"Content-Language": ", ".join(written_in)})


@listings.route(
    "/v1/listings/{listing_id}",
    access=Access.PUBLIC,
    answer=ListingView,
    cached_seconds=CACHED_SECONDS,
    summary="One listing that is for sale",
)
def show_listing(call: Call[None, None]) -> Reply:
    listing, levels = service.published_listing(call.path["listing_id"])
    view = ListingView.of(listing, levels, call.language)
    return Reply(view, headers={"Content-Language": view.language})


@listings.route(
    "/v1/me/listings",
    access=Access.ARTISAN,
    query=PageQuery,
    answer=Page[OwnListing],
    summary="The caller's listings, of every status",
)
def list_my_listings(call: Call[None, PageQuery]) -> Page[OwnListing]:
    query = call.query
    artisan_id = call.caller.artisan_id
    scope = f"{query.scope()}{artisan_id}"
    start = pages.key_of(query.cursor, scope)
    found, last = service.own_listings(artisan_id, query.limit, start)
    return Page(
        data=[OwnListing.of(listing, call.language) for listing in found],
        next_cursor=pages.cursor_of(last, scope),
    )


@listings.route(
    "/v1/me/listings",
    method="POST",
    access=Access.ARTISAN,
    body=NewListing,
    answer=OwnListing,
    status=201,
    summary="Write a draft of a listing",
)
def write_listing(call: Call[NewListing, None]) -> Reply:
    listing = service.write_listing(
        call.caller.artisan_id, call.body.to_content(), call.body.on_hand
    )
    return _own(listing, call.language)


@listings.route(
    "/v1/me/listings/{listing_id}",
    access=Access.ARTISAN,
    answer=OwnListing,
    summary="One of the caller's listings",
)
def show_my_listing(call: Call[None, None]) -> Reply:
    listing, levels = service.own_listing(call.caller.artisan_id, call.path["listing_id"])
    return _own(listing, call.language, levels)


@listings.route(
    "/v1/me/listings/{listing_id}",
    method="PATCH",
    access=Access.ARTISAN,
    body=ListingChanges,
    answer=OwnListing,
    summary="Change one of the caller's listings",
)
def edit_my_listing(call: Call[ListingChanges, None]) -> Reply:
    expected = _expected_version(call.headers.get("if-match", "*"))
    changed = service.edit_listing(
        call.caller.artisan_id, call.path["listing_id"], call.body.to_content(), expected
    )
    return _own(changed, call.language)


@listings.route(
    "/v1/me/listings/{listing_id}/submit",
    method="POST",
    access=Access.ARTISAN,
    answer=OwnListing,
    summary="Ask for a listing to be published",
)
def submit_my_listing(call: Call[None, None]) -> Reply:
    listing = service.submit_listing(call.caller.artisan_id, call.path["listing_id"])
    return _own(listing, call.language)


@listings.route(
    "/v1/me/listings/{listing_id}/retire",
    method="POST",
    access=Access.ARTISAN,
    answer=OwnListing,
    summary="Take a listing off the market for good",
)
def retire_my_listing(call: Call[None, None]) -> Reply:
    listing = service.retire_listing(call.caller.artisan_id, call.path["listing_id"])
    return _own(listing, call.language)


@listings.route(
    "/v1/me/listings/{listing_id}/stock",
    method="PUT",
    access=Access.ARTISAN,
    body=StockBody,
    answer=OwnListing,
    summary="Say how many pieces there are",
)
def set_my_stock(call: Call[StockBody, None]) -> Reply:
    listing, levels = service.set_stock(
        call.caller.artisan_id, call.path["listing_id"], call.body.on_hand, call.body.variant
    )
    return _own(listing, call.language, levels)


@listings.route(
    "/v1/operator/listings",
    access=Access.OPERATOR,
    query=ReviewQuery,
    answer=Page[ReviewRow],
    summary="Listings that wait for review, the longest wait first",
)
def list_listings_in_review(call: Call[None, ReviewQuery]) -> Page[ReviewRow]:
    query = call.query
    start = pages.key_of(query.cursor, query.scope())
    rows, last = service.listings_in_review(query.limit, start)
    return Page(
        data=[
            ReviewRow(**dict(CardView.of(card, call.language)), submitted_at=submitted_at)
            for submitted_at, card in rows
        ],
        next_cursor=pages.cursor_of(last, query.scope()),
    )


@listings.route(
    "/v1/operator/listings/{listing_id}/publish",
    method="POST",
    access=Access.OPERATOR,
    answer=OwnListing,
    summary="Put a listing on the market",
)
def publish_listing(call: Call[None, None]) -> Reply:
    return _own(service.publish_listing(call.path["listing_id"]), call.language)


@listings.route(
    "/v1/operator/listings/{listing_id}/return",
    method="POST",
    access=Access.OPERATOR,
    body=ReturnBody,
    answer=OwnListing,
    summary="Give a listing back to its artisan, with the reason",
)
def return_listing(call: Call[ReturnBody, None]) -> Reply:
    returned = service.return_listing(call.path["listing_id"], call.body.reason)
    return _own(returned, call.language)


def _own(listing: Listing, language: str, levels: StockLevels | None = None) -> Reply:
    view = OwnListing.of(listing, language, levels)
    return Reply(view, headers={"ETag": f'"{listing.version}"'})


def _expected_version(if_match: str) -> int | None:
    if if_match.strip() == "*":
        return None
    found = _VERSION_TAG.fullmatch(if_match.strip())
    if found is None:
        raise IfMatchMalformed('send If-Match with the ETag of the listing, such as "3"')
    return int(found[1])
