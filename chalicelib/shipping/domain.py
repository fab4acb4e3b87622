"""What a parcel costs to send: zones, weight steps, and what may not be sent abroad.

The figures are the marketplace's own table, in the shape of the post's: a price for the first
500 g and one for each further 500 g begun. They are not a carrier's published tariff.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.errors import Conflict

STEP_GRAMS = 500
MAX_PARCEL_GRAMS = 30_000
MAX_PARCEL_GRAMS_HOME = 70_000  # by road, with a messenger
WEIGHT_WHEN_UNKNOWN_GRAMS = 1_000
HOME = "MA"


class Zone(StrEnum):
    HOME = "home"
    MAGHREB = "maghreb"
    EUROPE = "europe"
    ARAB_COUNTRIES = "arab_countries"
    AMERICAS = "americas"
    WORLD = "world"


@dataclass(frozen=True, slots=True)
class Rate:
    """Prices in centimes of MAD; days from handing over to delivery, as told to buyers."""

    first_step_minor: int
    next_step_minor: int
    days: tuple[int, int]


RATES: dict[Zone, Rate] = {
    Zone.HOME: Rate(3_500, 500, (1, 4)),
    Zone.MAGHREB: Rate(12_000, 4_000, (5, 12)),
    Zone.EUROPE: Rate(16_000, 5_000, (5, 12)),
    Zone.ARAB_COUNTRIES: Rate(18_000, 6_000, (6, 15)),
    Zone.AMERICAS: Rate(22_000, 8_000, (7, 18)),
    Zone.WORLD: Rate(24_000, 9_000, (8, 21)),
}
_COUNTRIES = {
    Zone.HOME: "MA",
    Zone.MAGHREB: "DZ TN LY MR",
    Zone.EUROPE: "AD AL AT BA BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MC"
    " MD ME MK MT NL NO PL PT RO RS SE SI SK SM TR UA VA XK",
    Zone.ARAB_COUNTRIES: "AE BH EG IQ JO KW LB OM PS QA SA YE",
    Zone.AMERICAS: "US CA MX BR AR CL CO PE UY PY BO EC CR PA DO GT HN SV NI JM TT BB BS",
    Zone.WORLD: "JP KR CN HK TW SG MY TH VN ID PH IN PK BD LK NP AU NZ ZA NG SN CI CM GA GH KE TZ"
    " UG RW ET MG MU BJ BF ML NE TG GN CD CG AO MZ GE AM AZ KZ UZ",
}
ZONE_OF: dict[str, Zone] = {
    country: zone for zone, countries in _COUNTRIES.items() for country in countries.split()
}


class DoesNotShipTo(Conflict):
    """This cannot be sent to that country; `listing_id` and `reason` say which and why."""

    code = "does_not_ship_to"


@dataclass(frozen=True, slots=True)
class Item:
    """What is packed: weight of one piece, None when the artisan has not given it."""

    listing_id: str
    quantity: int
    weight_grams: int | None
    hs_code: str | None
    origin: str | None


@dataclass(frozen=True, slots=True)
class ParcelRate:
    zone: Zone
    weight_grams: int
    price_minor: int
    days: tuple[int, int]
    customs: bool


def rate_parcel(items: Sequence[Item], country: str) -> ParcelRate:
    """The price of sending one artisan's items in one parcel.

    Args:
        country: ISO 3166-1 alpha-2.

    Raises:
        DoesNotShipTo: no zone has the country; the parcel is too heavy; or it would leave Morocco
            without the weight, tariff heading and origin that customs ask for.
    """
    zone = ZONE_OF.get(country)
    if zone is None:
        raise _refusal(items[0].listing_id, country, "country")
    if zone is not Zone.HOME:
        for item in items:
            if item.weight_grams is None or not item.hs_code or not item.origin:
                raise _refusal(item.listing_id, country, "customs_data")
    weight = sum((i.weight_grams or WEIGHT_WHEN_UNKNOWN_GRAMS) * i.quantity for i in items)
    if weight > (MAX_PARCEL_GRAMS_HOME if zone is Zone.HOME else MAX_PARCEL_GRAMS):
        raise _refusal(items[0].listing_id, country, "weight")
    rate = RATES[zone]
    steps = max(-(-weight // STEP_GRAMS), 1)
    price = rate.first_step_minor + (steps - 1) * rate.next_step_minor
    return ParcelRate(zone, weight, price, rate.days, customs=zone is not Zone.HOME)


_REASONS = {
    "country": "no carrier of ours goes there; choose another destination",
    "customs_data": "the artisan has not given weight, customs heading and origin yet",
    "weight": f"a parcel weighs at most {MAX_PARCEL_GRAMS // 1000} kg abroad and"
    f" {MAX_PARCEL_GRAMS_HOME // 1000} kg in Morocco; order fewer pieces at once",
}


def _refusal(listing_id: str, country: str, reason: str) -> DoesNotShipTo:
    extra = {"listing_id": listing_id, "country": country, "reason": reason}
    return DoesNotShipTo(_REASONS[reason], extra=extra)
