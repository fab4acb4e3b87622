"""Bodies of the listings' routes: what artisans send, and what queries may ask."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.artisans.schemas import CraftCode
from chalicelib.edge.pages import PageQuery
from chalicelib.edge.schemas import MAX_AMOUNT_MINOR, AnswerBody, MoneyBody, RequestBody
from chalicelib.edge.texts import line, prose
from chalicelib.listings.collections import COLLECTIONS
from chalicelib.listings.domain import (
    BrowseQuery,
    Dimensions,
    ListingStatus,
    Sort,
    Text,
    Variant,
)
from chalicelib.locales import Language
from chalicelib.regions.schemas import RegionCode

MAX_ON_HAND = 1_000_000
MAX_MILLIMETRES = 20_000
MAX_GRAMS = 1_000_000
MAX_DAYS_TO_MAKE = 365
MAX_MATERIALS = 12
MAX_VARIANTS = 50


def _price(price: MoneyBody) -> MoneyBody:
    if price.currency != "MAD":
        raise PydanticCustomError("currency_not_supported", "prices are in MAD")
    if price.amount_minor <= 0:
        raise PydanticCustomError("price_not_positive", "the price is more than zero")
    return price


def _known_collection(code: str) -> str:
    if code not in COLLECTIONS:
        raise PydanticCustomError("unknown_collection", "name one of /v1/collections")
    return code


Price = Annotated[MoneyBody, AfterValidator(_price)]
CollectionCode = Annotated[str, Field(max_length=60), AfterValidator(_known_collection)]
Amount = Annotated[int, Field(ge=0, le=MAX_AMOUNT_MINOR, description="minor units, MAD")]
Millimetres = Annotated[int, Field(ge=1, le=MAX_MILLIMETRES)]
Grams = Annotated[int, Field(ge=1, le=MAX_GRAMS)]
Days = Annotated[int, Field(ge=1, le=MAX_DAYS_TO_MAKE)]
OnHand = Annotated[int, Field(ge=0, le=MAX_ON_HAND)]
HsCode = Annotated[str, Field(pattern=r"^[0-9]{6}$", max_length=6, description="Harmonised System")]
Origin = Annotated[str, Field(pattern=r"^[A-Z]{2}$", max_length=2, description="ISO 3166-1")]


class TextBody(RequestBody):
    title: line(120)
    description: prose(5000, may_be_empty=True) = ""

    def to_domain(self) -> Text:
        return Text(self.title, self.description)


class DimensionsBody(AnswerBody):
    model_config = {"extra": "forbid"}

    length: Millimetres
    width: Millimetres
    height: Millimetres

    def to_domain(self) -> Dimensions:
        return Dimensions(self.length, self.width, self.height)


VariantKey = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,30}$", max_length=30)]
Labels = Annotated[dict[Language, line(80)], Field(min_length=1, max_length=4)]


class VariantBody(RequestBody):
    key: VariantKey
    labels: Labels

    def to_domain(self) -> Variant:
        return Variant(self.key, {str(tag): label for tag, label in self.labels.items()})


def _each_once(variants: list[VariantBody]) -> list[VariantBody]:
    if len({variant.key for variant in variants}) < len(variants):
        raise PydanticCustomError("variant_twice", "give each variant a key of its own")
    return variants


Variants = Annotated[list[VariantBody], Field(max_length=MAX_VARIANTS), AfterValidator(_each_once)]
Texts = Annotated[dict[Language, TextBody], Field(min_length=1, max_length=4)]
Materials = Annotated[list[line(80)], Field(max_length=MAX_MATERIALS)]


class _Content(RequestBody):
    def to_content(self) -> dict[str, Any]:
        """The fields that were sent, under the names and types of the domain."""
        sent = {name: getattr(self, name) for name in self.model_fields_set - {"on_hand"}}
        if "texts" in sent:
            sent["texts"] = {str(key): text.to_domain() for key, text in sent["texts"].items()}
        if "price" in sent:
            sent["price"] = sent["price"].to_domain()
        if "dimensions_mm" in sent:
            given = sent.pop("dimensions_mm")
            sent["dimensions"] = given.to_domain() if given else None
        if "materials" in sent:
            sent["materials"] = tuple(sent["materials"])
        if "variants" in sent:
            sent["variants"] = tuple(variant.to_domain() for variant in sent["variants"])
        return sent


class NewListing(_Content):
    craft: CraftCode
    texts: Texts
    price: Price
    weight_grams: Grams | None = None
    dimensions_mm: DimensionsBody | None = None
    materials: Materials = []
    technique: line(120) | None = None
    hs_code: HsCode | None = None
    origin: Origin = "MA"
    made_to_order_days: Days | None = None
    collection: CollectionCode | None = None
    variants: Variants = []
    on_hand: OnHand | None = None

    @field_validator("on_hand")
    @classmethod
    def _each_variant_is_counted(cls, on_hand: int | None, sent: ValidationInfo) -> int | None:
        if on_hand is not None and sent.data.get("variants"):
            raise PydanticCustomError(
                "counted_by_variant", "leave it out, and count each variant afterwards"
            )
        return on_hand


class ListingChanges(_Content):
    """Fields that are left out stay; those that may be absent are taken away with null."""

    craft: CraftCode = Field(default=None)
    texts: Texts = Field(default=None)
    price: Price = Field(default=None)
    weight_grams: Grams | None = None
    dimensions_mm: DimensionsBody | None = None
    materials: Materials = Field(default=None)
    technique: line(120) | None = None
    hs_code: HsCode | None = None
    origin: Origin = Field(default=None)
    made_to_order_days: Days | None = None
    collection: CollectionCode | None = None
    variants: Variants = Field(default=None)


class StockBody(RequestBody):
    """`variant` where the listing has variants: each is counted apart."""

    on_hand: OnHand
    variant: VariantKey | None = None


class ReturnBody(RequestBody):
    reason: prose(500)


class ListingsQuery(PageQuery):
    """A filter that is not here is refused, not ignored."""

    craft: CraftCode | None = None
    region: RegionCode | None = None
    artisan_id: Annotated[str | None, Field(pattern=r"^art_[a-z2-7]{24}$", max_length=28)] = None
    collection: CollectionCode | None = None
    min_price: Amount | None = None
    max_price: Amount | None = None
    in_stock: bool | None = None
    sort: Sort = Sort.NEWEST

    @model_validator(mode="after")
    def _prices_in_order(self) -> "ListingsQuery":
        if None not in (self.min_price, self.max_price) and self.min_price > self.max_price:
            raise PydanticCustomError("price_range", "min_price is at most max_price")
        return self

    def to_domain(self) -> BrowseQuery:
        return BrowseQuery(**self.model_dump(exclude={"cursor"}))


class ReviewQuery(PageQuery):
    """Of the statuses only `in_review` is a list for operators."""

    status: Annotated[ListingStatus, AfterValidator(lambda status: _only_in_review(status))] = (
        ListingStatus.IN_REVIEW
    )


def _only_in_review(status: ListingStatus) -> ListingStatus:
    if status is not ListingStatus.IN_REVIEW:
        raise PydanticCustomError("status_not_listed", "only in_review is listed")
    return status
