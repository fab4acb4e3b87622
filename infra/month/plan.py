"""Which orders a month has: drawn from a seed, each story at least once where there is room."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from chalicelib.edge.auth import artisan_id_of
from infra.demo.catalogue import DemoListing, demo_artisans, demo_listings
from infra.demo.load import listing_id_of
from infra.month import shares

LATEST_DAY_OF = {"refund_after_payout": 5, "outage": 20, "dispute_lost": 20, "dispute_won": 20}
REFUSES_FIRST_REFUND = 59  # the bank's magic amounts end so


@dataclass(frozen=True, slots=True)
class Planned:
    """One order as it is meant to go. `wishes` are listings, the first that is there is bought."""

    number: int
    day: int
    story: str
    method: str
    country: str
    wishes: tuple[DemoListing, ...]
    is_double: bool
    seller: str
    amount_minor: int

    @property
    def in_person(self) -> bool:
        return self.story in shares.IN_PERSON

    @property
    def email(self) -> str:
        return f"buyer-{self.number}@example.com"


def planned(order_count: int, days: int, seed: int) -> list[Planned]:
    """The month's orders in the order they come."""
    chosen = random.Random(seed)
    stories = sorted(shares.STORIES)[:order_count]
    weights = [shares.STORIES[name] for name in sorted(shares.STORIES)]
    left = order_count - len(stories)
    stories += chosen.choices(sorted(shares.STORIES), weights, k=left)
    chosen.shuffle(stories)
    made = [_one(number, story, days, chosen) for number, story in enumerate(stories)]
    return sorted(made, key=lambda one: (one.day, one.number))


def _one(number: int, story: str, days: int, chosen: random.Random) -> Planned:
    in_person = story in shares.IN_PERSON
    country = "MA" if in_person else draw(shares.COUNTRIES, chosen)
    day = chosen.randrange(max(1, min(days, LATEST_DAY_OF.get(story, days - 1))))
    region = draw(shares.REGIONS, chosen)
    wishes = _wishes(region, chosen)
    amount = chosen.randrange(60, 1_200) * 100
    if story == "refund_refused":
        amount += REFUSES_FIRST_REFUND
    return Planned(
        number=number,
        day=day,
        story=story,
        method=_method(story, country, in_person, chosen),
        country=country,
        wishes=wishes,
        is_double=chosen.randrange(100) < shares.TWO_ARTISANS_PERCENT,
        seller=chosen.choice(_sellers(region)),
        amount_minor=amount,
    )


def _method(story: str, country: str, in_person: bool, chosen: random.Random) -> str:
    if story in ("outage", "refund_refused"):
        return "wallet"  # A provider that gives money back by a call, and the only one at a stall.
    if story == "called_back_out_of_order":
        return "wallet" if country == "MA" else "mastercard"
    if in_person:
        return draw(shares.PAID_IN_PERSON, chosen)
    return draw(shares.PAID_AT_HOME if country == "MA" else shares.PAID_ABROAD, chosen)


def _wishes(region: str, chosen: random.Random) -> tuple[DemoListing, ...]:
    """Listings of the family that is wished for first, then whatever the region has."""
    on_sale = listings_of(region)
    families = {name: shares.FAMILIES[name] for name in sorted(on_sale)}
    family = on_sale[draw(families, chosen)]
    first = chosen.sample(family, min(3, len(family)))
    other = [one for own in on_sale.values() for one in own if one not in first]
    return (*first, *chosen.sample(other, min(6, len(other))))


def draw(weights: Mapping[str, int], chosen: random.Random) -> str:
    return chosen.choices(list(weights), list(weights.values()))[0]


@cache
def listings_of(region: str) -> Mapping[str, Sequence[DemoListing]]:
    """What the region has on sale, by family."""
    sellers = set(_sellers(region))
    found: dict[str, list[DemoListing]] = defaultdict(list)
    for listing in demo_listings():
        if listing.status == "published" and listing.artisan_subject in sellers:
            found[listing.family].append(listing)
    return {name: sorted(own, key=listing_id_of) for name, own in sorted(found.items())}


@cache
def _sellers(region: str) -> Sequence[str]:
    """Subjects of the region's verified artisans."""
    return tuple(
        demo.subject
        for demo in demo_artisans()
        if demo.region == region and demo.stage == "verified"
    )


@cache
def subjects() -> Mapping[str, str]:
    """Artisan's id to their subject, by which they sign in."""
    return {artisan_id_of(demo.subject): demo.subject for demo in demo_artisans()}


def sellers_beside(subject: str) -> Sequence[str]:
    """The other verified artisans of the same region."""
    found = next(own for own in map(_sellers, shares.REGIONS) if subject in own)
    return tuple(other for other in found if other != subject)
