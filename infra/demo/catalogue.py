"""Demo regions, artisans and listings: always the same, from constants and the texts in data/."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from chalicelib.crafts import CRAFTS
from infra.demo import phrases, sources
from infra.demo.drawings import Picture
from infra.demo.sources import Row

REGION_STATUS = {"MA-03": "live", "MA-07": "live", "MA-09": "pilot"}
REGION_CODES = tuple(f"MA-{number:02d}" for number in range(1, 13))
OPEN_STATUSES = frozenset({"live", "pilot"})

# Stock by kind of making: the lowest count and how many counts there are from it.
STOCK = {"unique": (1, 1), "few": (2, 3), "small": (4, 7), "series": (20, 25)}

PRICE_STEP_MINOR = 500
PRICE_SPREAD_STEPS = 13  # -6 % to +6 % around the product's price, by artisan and piece
DRAFT_EVERY = 14  # in open regions one listing in so many is still being written

BANK_CODE = "190"
LOCALITY_CODE = "780"


@dataclass(frozen=True)
class DemoRegion:
    """A region and its rollout: planned, pilot or live."""

    code: str
    status: str


@dataclass(frozen=True)
class DemoPayout:
    """Where the money goes. kind is bank_account (a 24-digit RIB) or wallet (a phone)."""

    kind: str
    destination: str


@dataclass(frozen=True)
class DemoArtisan:
    """A seller. One of workshop_name and cooperative is given; phones are fictitious."""

    subject: str
    name: str
    name_ar: str
    workshop_name: str | None
    cooperative: str | None
    region: str
    town: str
    crafts: tuple[str, ...]
    languages: tuple[str, ...]
    phone: str
    national_register_number: str
    story: Mapping[str, str]
    payout: DemoPayout
    gender: str | None
    stage: str


@dataclass(frozen=True)
class DemoListing:
    """Something for sale. price_minor in centimes, weight in grams; image_svg() draws it."""

    artisan_subject: str
    slug: str
    craft: str
    family: str
    texts: Mapping[str, Mapping[str, str]]
    price_minor: int
    weight_grams: int
    dimensions_mm: tuple[int, int, int]
    materials: tuple[str, ...]
    technique: str
    hs_code: str
    origin: str
    stock_count: int
    made_to_order_days: int | None
    image_svg: Callable[[], str]
    alt_texts: Mapping[str, str]
    status: str
    collection: str


def steady_number(text: str, below: int) -> int:
    """A number from 0 to below - 1 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % below


def rib_of(number: int) -> str:
    """A valid but fictitious RIB: bank, locality, account, and the key that makes mod 97 zero."""
    digits = f"{BANK_CODE}{LOCALITY_CODE}99990000{number:08d}"
    return f"{digits}{97 - int(digits + '00') % 97:02d}"


@cache
def demo_regions() -> tuple[DemoRegion, ...]:
    return tuple(DemoRegion(code, REGION_STATUS.get(code, "planned")) for code in REGION_CODES)


@cache
def demo_artisans() -> tuple[DemoArtisan, ...]:
    return tuple(_artisan(row) for row in sources.artisans())


@cache
def demo_listings() -> tuple[DemoListing, ...]:
    return tuple(
        listing
        for row, artisan in zip(sources.artisans(), demo_artisans(), strict=True)
        for listing in _listings_of(row, artisan)
    )


def demo_collections() -> Mapping[str, Mapping[str, str]]:
    """Collection code to its name per language."""
    return sources.collections()


def _artisan(row: Row) -> DemoArtisan:
    number, town = row["number"], sources.towns()[row["town"]]
    region, phone = town["region"], f"+212600{number:06d}"
    wallet = row["payout"] == "wallet"
    crafts = dict.fromkeys(sources.products()[key]["craft"] for key in row["makes"])
    return DemoArtisan(
        subject=f"demo-artisan-{number:03d}",
        name=row["name"][0],
        name_ar=row["name"][1],
        workshop_name=row.get("workshop"),
        cooperative=row.get("cooperative"),
        region=region,
        town=town["names"]["fr"],
        crafts=tuple(crafts),
        languages=tuple(row["languages"]),
        phone=phone,
        national_register_number=f"RNA-{region[3:]}-{900000 + number}",
        story={
            language: row[language] for language in ("ar", "fr", "en", "zgh") if language in row
        },
        payout=DemoPayout(row["payout"], phone if wallet else rib_of(number)),
        gender=row.get("gender"),
        stage=row.get("stage", "verified"),
    )


def _listings_of(row: Row, artisan: DemoArtisan) -> tuple[DemoListing, ...]:
    town = sources.towns()[row["town"]]
    return tuple(
        _listing(artisan, town, sources.products()[key], variant)
        for key, count in row["makes"].items()
        for variant in _variants(sources.products()[key], count, artisan.subject)
    )


def _variants(product: Row, count: int, subject: str) -> tuple[tuple[int, str], ...]:
    """`count` different pairs of size index and tone; neighbours differ in tone."""
    sizes, tones = len(product["sizes"]), product["tones"]
    assert count <= sizes * len(tones), f"{subject} makes too many of {product['key']}"
    first = steady_number(f"{subject}/{product['key']}", len(tones))
    pairs = (divmod(place, sizes) for place in range(count))
    return tuple((index, tones[(first + turn + index) % len(tones)]) for turn, index in pairs)


def _listing(
    artisan: DemoArtisan, town: Row, product: Row, variant: tuple[int, str]
) -> DemoListing:
    index, tone_key = variant
    tone, craft = sources.tones()[tone_key], CRAFTS[product["craft"]]
    slug = f"{product['key']}-{tone_key.replace('_', '-')}-{index + 1}-{artisan.subject[-3:]}"
    *sides, grams, price_mad = product["sizes"][index]
    told = phrases.texts(product, tone, index, town, craft.family, steady_number(slug, 97))
    lowest, spread = STOCK[product["stock"]]
    return DemoListing(
        artisan_subject=artisan.subject,
        slug=slug,
        craft=craft.code,
        family=craft.family,
        texts=told,
        price_minor=_price_minor(price_mad, slug),
        weight_grams=grams,
        dimensions_mm=(sides[0], sides[1], sides[2]),
        materials=tuple(product["materials"]),
        technique=product["technique"],
        hs_code=product["hs"],
        origin="MA",
        stock_count=lowest + steady_number(slug + "/stock", spread),
        made_to_order_days=product.get("lead_days"),
        image_svg=Picture(craft.code, slug, product["shape"], tuple(tone["colours"])),
        alt_texts=phrases.alt_texts(told),
        status=_status(artisan, slug),
        collection=product["collection"],
    )


def _price_minor(price_mad: int, slug: str) -> int:
    percent = 94 + steady_number(slug + "/price", PRICE_SPREAD_STEPS)
    step = PRICE_STEP_MINOR if price_mad < 1000 else PRICE_STEP_MINOR * 10
    return max(step, price_mad * percent // step * step)


def _status(artisan: DemoArtisan, slug: str) -> str:
    is_open = REGION_STATUS.get(artisan.region) in OPEN_STATUSES and artisan.stage == "verified"
    followed = artisan.subject in ("demo-artisan-001", "demo-artisan-002")
    unfinished = not followed and steady_number(slug + "/status", DRAFT_EVERY) == 0
    return "published" if is_open and not unfinished else "draft"
