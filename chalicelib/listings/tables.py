"""The listings table. Its rows are read by id; lists are read from `shelves.py`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import Attribute, NumberAttribute, UnicodeAttribute
from pynamodb.constants import STRING
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection

from chalicelib import clock
from chalicelib.edge.storage import Table, is_condition_failure, meta
from chalicelib.errors import NotFound
from chalicelib.listings.domain import (
    Dimensions,
    Image,
    Listing,
    ListingStatus,
    Seller,
    StockState,
    Text,
    Variant,
)
from chalicelib.money import Money

# DynamoDB counts what all indexes project together and stops at 100, so a card is one attribute;
# beside it stands only what a list can be filtered by.
ON_SHELVES = (
    "card",
    "artisan_id",
    "craft",
    "region",
    "collection",
    "price_minor",
    "stock_state",
)
EVERYTHING = "all"
IN_REVIEW = "in_review"


class JsonAttribute(Attribute[Any]):
    """JSON as text. PynamoDB's own escapes Arabic and Tifinagh to two or three times their size."""

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, value: str) -> Any:
        return json.loads(value)


def _shelf(name: str, sort_key: str) -> Any:
    """A sparse index of published listings: `shelf_<name>` is the partition, sorted by `sort_key`.

    All three, `shelf_*`, `newest_key` and `price_key`, are absent from what is not published.
    """
    index_name_given = f"{name}_{sort_key.removesuffix('_key')}"

    class Meta:
        index_name = index_name_given
        projection = IncludeProjection(list(ON_SHELVES))

    members = {
        "Meta": Meta,
        f"shelf_{name}": UnicodeAttribute(hash_key=True),
        sort_key: UnicodeAttribute(range_key=True),
    }
    return type(f"{name.title()}Shelf", (GlobalSecondaryIndex,), members)()


class ByOwner(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_owner"
        projection = AllProjection()

    artisan_id = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class InReview(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "in_review"
        projection = IncludeProjection(list(ON_SHELVES))

    review = UnicodeAttribute(hash_key=True)
    submitted_at = UnicodeAttribute(range_key=True)


class ListingTable(Table):
    Meta: Any = meta("listings")
    listing_id = UnicodeAttribute(hash_key=True)
    artisan_id = UnicodeAttribute()
    status = UnicodeAttribute()
    region = UnicodeAttribute()
    craft = UnicodeAttribute()
    texts: Any = JsonAttribute()
    price_minor = NumberAttribute()
    currency = UnicodeAttribute()
    seller: Any = JsonAttribute()
    weight_grams = NumberAttribute(null=True)
    dimensions: Any = JsonAttribute(null=True)
    materials: Any = JsonAttribute()
    technique = UnicodeAttribute(null=True)
    hs_code = UnicodeAttribute(null=True)
    origin = UnicodeAttribute()
    made_to_order_days = NumberAttribute(null=True)
    collection = UnicodeAttribute(null=True)
    images: Any = JsonAttribute()
    variants: Any = JsonAttribute(null=True)
    stock_state = UnicodeAttribute()
    stock_shards: Any = JsonAttribute(null=True)
    version = NumberAttribute()
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    submitted_at = UnicodeAttribute(null=True)
    published_at = UnicodeAttribute(null=True)
    return_reason = UnicodeAttribute(null=True)
    card: Any = JsonAttribute()
    review = UnicodeAttribute(null=True)
    shelf_all = UnicodeAttribute(null=True)
    shelf_craft = UnicodeAttribute(null=True)
    shelf_region = UnicodeAttribute(null=True)
    shelf_craft_region = UnicodeAttribute(null=True)
    shelf_artisan = UnicodeAttribute(null=True)
    newest_key = UnicodeAttribute(null=True)
    price_key = UnicodeAttribute(null=True)
    by_owner = ByOwner()
    in_review = InReview()
    all_newest = _shelf("all", "newest_key")
    all_price = _shelf("all", "price_key")
    craft_newest = _shelf("craft", "newest_key")
    craft_price = _shelf("craft", "price_key")
    region_newest = _shelf("region", "newest_key")
    region_price = _shelf("region", "price_key")
    craft_region_newest = _shelf("craft_region", "newest_key")
    craft_region_price = _shelf("craft_region", "price_key")
    artisan_newest = _shelf("artisan", "newest_key")
    artisan_price = _shelf("artisan", "price_key")


# Set beside the listing itself: whoever edits a listing must not put an old hint back.
NOT_EDITED = frozenset({"listing_id", "artisan_id", "created_at", "stock_state", "stock_shards"})


def find(listing_id: str, *, consistent: bool = True) -> Listing:
    """
    Raises:
        NotFound: there is no such listing.
    """
    try:
        return _listing(ListingTable.get(listing_id, consistent_read=consistent))
    except ListingTable.DoesNotExist:
        raise NotFound("there is no such listing") from None


def find_owned(listing_id: str, artisan_id: str) -> Listing:
    """
    Raises:
        NotFound: there is no such listing of this artisan.
    """
    found = find(listing_id)
    if found.artisan_id != artisan_id:
        raise NotFound("there is no such listing")
    return found


def find_many(listing_ids: Sequence[str]) -> dict[str, Listing]:
    """Listings by id, up to 100, as they are now; the missing ones are left out."""
    wanted = list(dict.fromkeys(listing_ids))
    rows = ListingTable.batch_get(wanted, consistent_read=True)
    return {row.listing_id: _listing(row) for row in rows}


def page_of_owner(
    artisan_id: str, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[Listing], dict[str, Any] | None]:
    """An artisan's listings of every status, the newest first."""
    result = ListingTable.by_owner.query(
        artisan_id,
        limit=limit,
        last_evaluated_key=dict(start) if start else None,
        scan_index_forward=False,
    )
    listings = [_listing(row) for row in result]
    return listings, result.last_evaluated_key


def add(listing: Listing) -> None:
    """Keep a new listing.

    Raises:
        PutError: its id is taken, which random ids rule out.
    """
    row_of(listing).save(ListingTable.listing_id.does_not_exist())


def add_many(listings: Iterable[Listing]) -> None:
    """Keep listings without asking what was there; for demonstration data."""
    with ListingTable.batch_write() as batch:
        for listing in listings:
            batch.save(row_of(listing))


def change(listing: Listing) -> bool:
    """Keep a changed listing; False when it was changed by somebody else since it was read."""
    row = row_of(listing)
    actions: list[Action] = [
        attribute.remove() if getattr(row, name) is None else attribute.set(getattr(row, name))
        for name, attribute in ListingTable.get_attributes().items()
        if name not in NOT_EDITED
    ]
    as_read = (ListingTable.version == listing.version - 1) & (
        ListingTable.artisan_id == listing.artisan_id
    )
    try:
        row.update(actions, condition=as_read)
    except UpdateError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def note_stock_state(listing_id: str, state: StockState) -> None:
    """Keep the hint that lists show; nothing happens when it is kept already."""
    table = ListingTable
    news = table.listing_id.exists() & (table.stock_state != state)
    try:
        table(listing_id).update([table.stock_state.set(state)], condition=news)
    except (UpdateError, PutError) as error:
        if not is_condition_failure(error):
            raise


def note_stock_shards(listing: Listing, shards: Mapping[str, int]) -> bool:
    """Keep the hint over how many items each stock is spread; False when it is another by now."""
    attribute = ListingTable.stock_shards
    was = dict(listing.stock_shards)
    as_read = attribute == was if was else attribute.does_not_exist()
    change = attribute.set(dict(shards)) if shards else attribute.remove()
    condition = ListingTable.listing_id.exists() & as_read
    try:
        ListingTable(listing.listing_id).update([change], condition=condition)
    except UpdateError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def row_of(listing: Listing) -> ListingTable:
    dimensions = listing.dimensions
    row = ListingTable(
        listing.listing_id,
        artisan_id=listing.artisan_id,
        status=listing.status,
        region=listing.region,
        craft=listing.craft,
        texts={
            language: [text.title, text.description] for language, text in listing.texts.items()
        },
        price_minor=listing.price.amount_minor,
        currency=listing.price.currency,
        seller=[listing.seller.name, listing.seller.town],
        weight_grams=listing.weight_grams,
        dimensions=(
            [dimensions.length, dimensions.width, dimensions.height] if dimensions else None
        ),
        materials=list(listing.materials),
        technique=listing.technique,
        hs_code=listing.hs_code,
        origin=listing.origin,
        made_to_order_days=listing.made_to_order_days,
        collection=listing.collection,
        images=[[image.path, dict(image.alt)] for image in listing.images],
        variants=[[each.key, dict(each.labels)] for each in listing.variants] or None,
        stock_state=listing.stock_state,
        stock_shards=dict(listing.stock_shards) or None,
        version=listing.version,
        created_at=clock.to_text(listing.created_at),
        updated_at=clock.to_text(listing.updated_at),
        submitted_at=_text(listing.submitted_at),
        published_at=_text(listing.published_at),
        return_reason=listing.return_reason,
        card=_card_content(listing),
    )
    _put_on_shelves(row, listing)
    return row


def _card_content(listing: Listing) -> dict[str, Any]:
    image = listing.images[0] if listing.images else None
    return {
        "titles": listing.titles,
        "seller": [listing.seller.name, listing.seller.town],
        "currency": listing.price.currency,
        "image": [image.path, dict(image.alt)] if image else None,
        "days": listing.made_to_order_days,
        "published_at": _text(listing.published_at),
    }


def _put_on_shelves(row: ListingTable, listing: Listing) -> None:
    if listing.status is ListingStatus.IN_REVIEW:
        row.review = IN_REVIEW
    if listing.status is not ListingStatus.PUBLISHED:
        return
    row.shelf_all = EVERYTHING
    row.shelf_craft = listing.craft
    row.shelf_region = listing.region
    row.shelf_craft_region = craft_region(listing.craft, listing.region)
    row.shelf_artisan = listing.artisan_id
    row.newest_key = f"{_text(listing.published_at)}#{listing.listing_id}"
    row.price_key = f"{price_text(listing.price.amount_minor)}#{listing.listing_id}"


def craft_region(craft: str, region: str) -> str:
    return f"{craft}#{region}"


def price_text(amount_minor: int) -> str:
    """Sorts as the amount does; thirteen digits hold the largest one allowed."""
    return f"{amount_minor:013d}"


def _listing(row: Any) -> Listing:
    return Listing(
        listing_id=row.listing_id,
        artisan_id=row.artisan_id,
        status=ListingStatus(row.status),
        region=row.region,
        craft=row.craft,
        texts={language: Text(*pair) for language, pair in row.texts.items()},
        price=Money(int(row.price_minor), row.currency),
        seller=Seller(*row.seller),
        created_at=clock.from_text(row.created_at),
        updated_at=clock.from_text(row.updated_at),
        version=int(row.version),
        weight_grams=_whole(row.weight_grams),
        dimensions=Dimensions(*row.dimensions) if row.dimensions else None,
        materials=tuple(row.materials),
        technique=row.technique,
        hs_code=row.hs_code,
        origin=row.origin,
        made_to_order_days=_whole(row.made_to_order_days),
        collection=row.collection,
        images=tuple(Image(path, alt) for path, alt in row.images),
        variants=tuple(Variant(key, labels) for key, labels in row.variants or ()),
        stock_shards=row.stock_shards or {},
        stock_state=StockState(row.stock_state),
        submitted_at=_moment(row.submitted_at),
        published_at=_moment(row.published_at),
        return_reason=row.return_reason,
    )


def _whole(number: Any) -> int | None:
    return None if number is None else int(number)


def _text(moment: datetime | None) -> str | None:
    return clock.to_text(moment) if moment else None


def _moment(text: str | None) -> datetime | None:
    return clock.from_text(text) if text else None
