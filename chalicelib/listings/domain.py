"""What is for sale: what a listing says, and how it comes to be published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.crafts import CRAFTS
from chalicelib.errors import Conflict, Invalid
from chalicelib.money import Money
from chalicelib.stock.domain import Level

# How many there are, by variant; None stands for the listing itself where it has none.
StockLevels = Mapping[str | None, Level]


class ListingStatus(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    RETIRED = "retired"


class Decision(StrEnum):
    SUBMIT = "submit"
    PUBLISH = "publish"
    RETURN = "return"
    REVISE = "revise"
    RETIRE = "retire"


MOVES: dict[ListingStatus, dict[Decision, ListingStatus]] = {
    ListingStatus.DRAFT: {
        Decision.SUBMIT: ListingStatus.IN_REVIEW,
        Decision.REVISE: ListingStatus.DRAFT,
        Decision.RETIRE: ListingStatus.RETIRED,
    },
    ListingStatus.IN_REVIEW: {
        Decision.PUBLISH: ListingStatus.PUBLISHED,
        Decision.RETURN: ListingStatus.DRAFT,
        Decision.REVISE: ListingStatus.IN_REVIEW,
        Decision.RETIRE: ListingStatus.RETIRED,
    },
    ListingStatus.PUBLISHED: {
        # What an operator has read and let through does not change unseen.
        Decision.REVISE: ListingStatus.IN_REVIEW,
        Decision.RETIRE: ListingStatus.RETIRED,
    },
    ListingStatus.RETIRED: {},
}

# Figures that may change while the listing stays published; any other edit is a revision.
FREE_FIELDS = frozenset(
    {"price", "weight_grams", "dimensions", "made_to_order_days", "collection", "updated_at"}
)


class StockState(StrEnum):
    IN_STOCK = "in_stock"
    LAST_ONE = "last_one"
    SOLD_OUT = "sold_out"
    MADE_TO_ORDER = "made_to_order"


@dataclass(frozen=True, slots=True)
class Text:
    """What a listing says in one language."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Millimetres."""

    length: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Image:
    """`path` is below the public address; `alt` is by language."""

    path: str
    alt: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Variant:
    """One of several forms of what is listed, at the same price; `labels` is by language.

    Each is counted apart: two colours are two stocks.
    """

    key: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seller:
    """What a listing shows of its artisan, as of when it was last written or published."""

    name: str
    town: str


@dataclass(frozen=True, slots=True)
class Listing:
    """`texts` is by language; `version` counts changes; `stock_state` is a hint for lists.

    `stock_shards` says over how many items a stock was spread when it was counted, by variant (""
    for the listing's own); what is not in it is one item.
    """

    listing_id: str
    artisan_id: str
    status: ListingStatus
    region: str
    craft: str
    texts: Mapping[str, Text]
    price: Money
    seller: Seller
    created_at: datetime
    updated_at: datetime
    version: int = 1
    weight_grams: int | None = None
    dimensions: Dimensions | None = None
    materials: tuple[str, ...] = ()
    technique: str | None = None
    hs_code: str | None = None
    origin: str = "MA"
    made_to_order_days: int | None = None
    collection: str | None = None
    images: tuple[Image, ...] = ()
    variants: tuple[Variant, ...] = ()
    stock_state: StockState = StockState.SOLD_OUT
    stock_shards: Mapping[str, int] = field(default_factory=dict)
    submitted_at: datetime | None = None
    published_at: datetime | None = None
    return_reason: str | None = None

    @property
    def family(self) -> str:
        return CRAFTS[self.craft].family

    @property
    def titles(self) -> dict[str, str]:
        return {language: text.title for language, text in self.texts.items()}

    @property
    def descriptions(self) -> dict[str, str]:
        return {language: text.description for language, text in self.texts.items()}

    @property
    def counted(self) -> tuple[str | None, ...]:
        """What is counted: each variant, or the listing itself (None) where it has none."""
        return tuple(variant.key for variant in self.variants) or (None,)

    def shards_of(self, variant: str | None) -> int:
        """Over how many items its stock was spread when it was counted last; a hint."""
        return self.stock_shards.get(variant or "", 1)


@dataclass(frozen=True, slots=True)
class Card:
    """What a list shows of a published listing."""

    listing_id: str
    artisan_id: str
    seller: Seller
    region: str
    craft: str
    titles: Mapping[str, str]
    price: Money
    image: Image | None
    stock_state: StockState
    made_to_order_days: int | None
    published_at: datetime | None


class Sort(StrEnum):
    NEWEST = "newest"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"


@dataclass(frozen=True, slots=True)
class BrowseQuery:
    """What a reader looks for among the published listings. Prices in minor units, MAD."""

    craft: str | None = None
    region: str | None = None
    artisan_id: str | None = None
    collection: str | None = None
    min_price: int | None = None
    max_price: int | None = None
    in_stock: bool | None = None
    sort: Sort = Sort.NEWEST
    limit: int = 24


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the sort key and the id of its last listing."""

    sort_key: str
    listing_id: str


@dataclass(frozen=True, slots=True, eq=False)
class CardPage:
    """A page is equal to itself only, so that what was made of it can be remembered with it."""

    cards: tuple[Card, ...]
    end: Position | None


class IllegalListingMove(Conflict):
    """A listing of this status cannot be moved like this; `current` and `allowed` say what can."""

    code = "illegal_listing_move"


class StaleVersion(Conflict):
    """The listing was changed since it was read; `current_version` is its version now."""

    code = "stale_version"


class NotRegistered(Conflict):
    """The caller has no artisan's profile yet; register with POST /v1/artisans first."""

    code = "not_registered"


class ArtisanNotVerified(Conflict):
    """Only a verified artisan's listings are submitted and published."""

    code = "artisan_not_verified"


class RegionNotOpen(Conflict):
    """The artisan's region is not open to sales yet, or is paused."""

    code = "region_not_open"


class VariantRequired(Invalid):
    """The listing has variants: say which one is meant; `variants` are their keys."""

    code = "variant_required"


class UnknownVariant(Invalid):
    """The listing has no such variant; `variants` are the keys of those it has."""

    code = "unknown_variant"


def stock_id_of(listing_id: str, variant: str | None = None) -> str:
    """What the pieces of a listing, or of one variant of it, are counted under."""
    return f"{listing_id}:{variant}" if variant else listing_id


def listing_id_of(stock_id: str) -> str:
    return stock_id.partition(":")[0]


def check_variant(listing: Listing, variant: str | None) -> None:
    """
    Raises:
        VariantRequired: the listing has variants, and none was named.
        UnknownVariant: it has none of this key.
    """
    if variant in listing.counted:
        return
    extra = {
        "listing_id": listing.listing_id,
        "variants": [known.key for known in listing.variants],
    }
    if variant is None:
        raise VariantRequired("say which variant", param="variant", extra=extra)
    raise UnknownVariant("the listing has no such variant", param="variant", extra=extra)


def decide(listing: Listing, decision: Decision, at: datetime) -> Listing:
    """The same listing after a decision.

    Raises:
        IllegalListingMove: MOVES has no such decision for the listing's status.
    """
    moves = MOVES[listing.status]
    if decision not in moves:
        raise IllegalListingMove(
            f"a listing that is {listing.status} cannot be moved by `{decision}`",
            extra={"current": listing.status, "allowed": sorted(moves)},
        )
    moved = replace(listing, status=moves[decision], updated_at=at, version=listing.version + 1)
    if moved.status is ListingStatus.IN_REVIEW and listing.status is not moved.status:
        return replace(moved, submitted_at=at, published_at=None, return_reason=None)
    if decision is Decision.PUBLISH:
        return replace(moved, published_at=at)
    return moved


def edit(listing: Listing, changes: Mapping[str, Any], at: datetime) -> Listing:
    """The same listing with some fields changed; back in review if an operator must look again.

    Raises:
        IllegalListingMove: it is retired.
    """
    changed = replace(listing, **changes)
    differing = {name for name in changes if getattr(changed, name) != getattr(listing, name)}
    is_open = listing.status is not ListingStatus.RETIRED
    if is_open and differing <= FREE_FIELDS:
        return replace(changed, updated_at=at, version=listing.version + 1)
    return decide(changed, Decision.REVISE, at)


def check_version(listing: Listing, expected: int | None) -> None:
    """
    Raises:
        StaleVersion: the editor saw another version than the present one.
    """
    if expected is not None and expected != listing.version:
        raise StaleVersion(
            "the listing was changed since you read it; read it again",
            extra={"current_version": listing.version},
        )


def stock_state(available: int, made_to_order_days: int | None) -> StockState:
    """What a buyer is told about how many there are."""
    if available > 1:
        return StockState.IN_STOCK
    if available == 1:
        return StockState.LAST_ONE
    return StockState.MADE_TO_ORDER if made_to_order_days else StockState.SOLD_OUT


BEST_FIRST = (
    StockState.IN_STOCK,
    StockState.LAST_ONE,
    StockState.MADE_TO_ORDER,
    StockState.SOLD_OUT,
)


def best_state(available: Iterable[int], made_to_order_days: int | None) -> StockState:
    """What a listing shows of its variants' stock: the best of them."""
    return min((stock_state(n, made_to_order_days) for n in available), key=BEST_FIRST.index)


def shown_stock_state(hint: StockState, made_to_order_days: int | None) -> StockState:
    """The state to show where only the listing's own hint is at hand."""
    if hint in (StockState.IN_STOCK, StockState.LAST_ONE):
        return hint
    return stock_state(0, made_to_order_days)
