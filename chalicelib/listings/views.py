"""Answers of the listings' routes, in the reader's language."""

from functools import lru_cache
from typing import Any

from pydantic import ConfigDict

from chalicelib.config import settings
from chalicelib.crafts import CRAFTS
from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody, rfc3339
from chalicelib.listings.collections import COLLECTIONS
from chalicelib.listings.domain import (
    Card,
    Dimensions,
    Image,
    Listing,
    ListingStatus,
    Seller,
    StockLevels,
    StockState,
    Variant,
    best_state,
    shown_stock_state,
    stock_state,
)
from chalicelib.locales import text_in
from chalicelib.regions.domain import NAMES
from chalicelib.stock.domain import Level

MAX_NAMED_CODES = 256


class NamedCode(AnswerBody):
    # Frozen, and made once per language: a page of cards has dozens of them.
    model_config = ConfigDict(frozen=True)

    code: str
    name: str

    @classmethod
    @lru_cache(maxsize=MAX_NAMED_CODES)
    def craft(cls, code: str, language: str) -> "NamedCode":
        return cls(code=code, name=text_in(CRAFTS[code].names, language)[0])

    @classmethod
    @lru_cache(maxsize=MAX_NAMED_CODES)
    def region(cls, code: str, language: str) -> "NamedCode":
        return cls(code=code, name=text_in(NAMES[code], language)[0])


class CraftView(AnswerBody):
    code: str
    name: str
    names: dict[str, str]
    family: str


class CraftList(AnswerBody):
    data: list[CraftView]

    @classmethod
    def of_all(cls, language: str) -> "CraftList":
        return cls(
            data=[
                CraftView(
                    code=craft.code,
                    name=text_in(craft.names, language)[0],
                    names=dict(craft.names),
                    family=craft.family,
                )
                for craft in CRAFTS.values()
            ]
        )


class CollectionView(AnswerBody):
    code: str
    name: str
    names: dict[str, str]


class CollectionList(AnswerBody):
    data: list[CollectionView]

    @classmethod
    def of_all(cls, language: str) -> "CollectionList":
        return cls(
            data=[
                CollectionView(code=code, name=text_in(names, language)[0], names=dict(names))
                for code, names in COLLECTIONS.items()
            ]
        )


class ArtisanCard(AnswerBody):
    id: str
    name: str
    town: str

    @classmethod
    def of(cls, artisan_id: str, seller: Seller) -> "ArtisanCard":
        return cls(id=artisan_id, name=seller.name, town=seller.town)


class ImageView(AnswerBody):
    url: str
    alt: str

    @classmethod
    def of(cls, image: Image, language: str) -> "ImageView":
        return cls(**_image(image, language))


class StockView(AnswerBody):
    """`made_to_order_days` says how long it takes when none is there; null if it is not made."""

    state: StockState
    made_to_order_days: int | None

    @classmethod
    def of(cls, level: Level, made_to_order_days: int | None) -> "StockView":
        state = stock_state(level.available, made_to_order_days)
        return cls(state=state, made_to_order_days=made_to_order_days)

    @classmethod
    def best_of(cls, levels: StockLevels, made_to_order_days: int | None) -> "StockView":
        state = best_state((level.available for level in levels.values()), made_to_order_days)
        return cls(state=state, made_to_order_days=made_to_order_days)


class CountedStock(StockView):
    """What the artisan sees: pieces, not only a state; of all variants together, or of one."""

    available: int
    held: int
    sold: int

    @classmethod
    def of_all(cls, levels: StockLevels, made_to_order_days: int | None) -> "CountedStock":
        level = sum(levels.values(), start=Level(available=0))
        return cls(
            state=StockView.best_of(levels, made_to_order_days).state,
            made_to_order_days=made_to_order_days,
            available=level.available,
            held=level.held,
            sold=level.sold,
        )


class VariantView(AnswerBody):
    """One of a listing's variants, with its label in the reader's language."""

    key: str
    label: str
    stock: StockView

    @classmethod
    def of(cls, variant: Variant, level: Level, days: int | None, language: str) -> "VariantView":
        label = text_in(variant.labels, language)[0]
        return cls(key=variant.key, label=label, stock=StockView.of(level, days))


class OwnVariant(AnswerBody):
    """A variant as its artisan sees it. `stock` stands where it was counted for this answer."""

    key: str
    labels: dict[str, str]
    stock: CountedStock | None

    @classmethod
    def of(cls, variant: Variant, level: Level | None, days: int | None) -> "OwnVariant":
        counted = CountedStock.of_all({variant.key: level}, days) if level else None
        return cls(key=variant.key, labels=dict(variant.labels), stock=counted)


class DimensionsView(AnswerBody):
    length: int
    width: int
    height: int

    @classmethod
    def of(cls, dimensions: Dimensions | None) -> "DimensionsView | None":
        if dimensions is None:
            return None
        return cls(length=dimensions.length, width=dimensions.width, height=dimensions.height)


class CardView(AnswerBody):
    """A published listing in a list. `language` is the one its title is in."""

    id: str
    title: str
    language: str
    price: MoneyBody
    craft: NamedCode
    region: NamedCode
    artisan: ArtisanCard
    image: ImageView | None
    stock: StockView
    published_at: Moment | None

    @classmethod
    def of(cls, card: Card, language: str) -> "CardView":
        return cls.model_validate(card_json(card, language))


def card_json(card: Card, language: str) -> dict[str, Any]:
    """The content of a CardView. A page has 24, so they are written without building models."""
    title, written_in = text_in(card.titles, language)
    return {
        "id": card.listing_id,
        "title": title,
        "language": written_in,
        "price": {"amount_minor": card.price.amount_minor, "currency": card.price.currency},
        "craft": _craft(card.craft, language),
        "region": _region(card.region, language),
        "artisan": {"id": card.artisan_id, "name": card.seller.name, "town": card.seller.town},
        "image": _image(card.image, language) if card.image else None,
        "stock": {
            "state": shown_stock_state(card.stock_state, card.made_to_order_days),
            "made_to_order_days": card.made_to_order_days,
        },
        "published_at": rfc3339(card.published_at) if card.published_at else None,
    }


@lru_cache(maxsize=MAX_NAMED_CODES)
def _craft(code: str, language: str) -> dict[str, str]:
    return NamedCode.craft(code, language).model_dump()


@lru_cache(maxsize=MAX_NAMED_CODES)
def _region(code: str, language: str) -> dict[str, str]:
    return NamedCode.region(code, language).model_dump()


def _image(image: Image, language: str) -> dict[str, str]:
    return {"url": settings().public_url + image.path, "alt": text_in(image.alt, language)[0]}


class ReviewRow(CardView):
    """A listing that waits for an operator."""

    submitted_at: Moment


def _described(listing: Listing) -> dict[str, Any]:
    return {
        "id": listing.listing_id,
        "price": MoneyBody.of(listing.price),
        "materials": list(listing.materials),
        "technique": listing.technique,
        "dimensions_mm": DimensionsView.of(listing.dimensions),
        "weight_grams": listing.weight_grams,
        "origin": listing.origin,
        "hs_code": listing.hs_code,
        "collection": listing.collection,
        "published_at": listing.published_at,
    }


class ListingView(AnswerBody):
    """A published listing. `language` is the one its texts are in."""

    id: str
    title: str
    description: str
    language: str
    price: MoneyBody
    stock: StockView
    variants: list[VariantView]
    images: list[ImageView]
    artisan: ArtisanCard
    craft: NamedCode
    region: NamedCode
    materials: list[str]
    technique: str | None
    dimensions_mm: DimensionsView | None
    weight_grams: int | None
    origin: str
    hs_code: str | None
    collection: str | None
    published_at: Moment | None

    @classmethod
    def of(cls, listing: Listing, levels: StockLevels, language: str) -> "ListingView":
        title, written_in = text_in(listing.titles, language)
        days = listing.made_to_order_days
        return cls(
            **_described(listing),
            title=title,
            description=listing.texts[written_in].description,
            language=written_in,
            stock=StockView.best_of(levels, days),
            variants=[
                VariantView.of(variant, levels[variant.key], days, language)
                for variant in listing.variants
            ],
            images=[ImageView.of(image, language) for image in listing.images],
            artisan=ArtisanCard.of(listing.artisan_id, listing.seller),
            craft=NamedCode.craft(listing.craft, language),
            region=NamedCode.region(listing.region, language),
        )


class TextView(AnswerBody):
    title: str
    description: str


class OwnListing(AnswerBody):
    """A listing as its artisan sees it. `stock` stands where it was counted for this answer."""

    id: str
    status: ListingStatus
    version: int
    return_reason: str | None
    craft: str
    region: str
    texts: dict[str, TextView]
    price: MoneyBody
    materials: list[str]
    technique: str | None
    dimensions_mm: DimensionsView | None
    weight_grams: int | None
    origin: str
    hs_code: str | None
    made_to_order_days: int | None
    collection: str | None
    images: list[ImageView]
    variants: list[OwnVariant]
    stock: CountedStock | None
    created_at: Moment
    updated_at: Moment
    submitted_at: Moment | None
    published_at: Moment | None

    @classmethod
    def of(cls, listing: Listing, language: str, levels: StockLevels | None = None) -> "OwnListing":
        days, known = listing.made_to_order_days, levels or {}
        texts = {
            written_in: TextView(title=text.title, description=text.description)
            for written_in, text in listing.texts.items()
        }
        return cls(
            **_described(listing),
            status=listing.status,
            version=listing.version,
            return_reason=listing.return_reason,
            craft=listing.craft,
            region=listing.region,
            texts=texts,
            made_to_order_days=days,
            images=[ImageView.of(image, language) for image in listing.images],
            variants=[
                OwnVariant.of(variant, known.get(variant.key), days) for variant in listing.variants
            ],
            stock=CountedStock.of_all(levels, days) if levels else None,
            created_at=listing.created_at,
            updated_at=listing.updated_at,
            submitted_at=listing.submitted_at,
        )
