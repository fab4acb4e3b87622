"""What a parcel costs, and what is not sent."""

from typing import Any

import pytest

from chalicelib.shipping.domain import (
    MAX_PARCEL_GRAMS,
    MAX_PARCEL_GRAMS_HOME,
    RATES,
    ZONE_OF,
    DoesNotShipTo,
    Item,
    Zone,
    rate_parcel,
)


def an_item(**changes: Any) -> Item:
    content: dict[str, Any] = {
        "listing_id": "lst_a",
        "quantity": 1,
        "weight_grams": 400,
        "hs_code": "6912",
        "origin": "MA",
    }
    return Item(**(content | changes))


@pytest.mark.parametrize(
    ("country", "grams", "minor"),
    [
        ("MA", 1, 3_500), ("MA", 500, 3_500), ("MA", 501, 4_000), ("MA", 1_000, 4_000),
        ("MA", 30_000, 3_500 + 59 * 500), ("FR", 500, 16_000), ("FR", 501, 21_000),
        ("TN", 1_001, 20_000), ("AE", 500, 18_000), ("US", 2_000, 46_000), ("JP", 499, 24_000),
    ],
)  # fmt: skip
def test_each_step_of_500_grams_begun_costs(country: str, grams: int, minor: int) -> None:
    assert rate_parcel([an_item(weight_grams=grams)], country).price_minor == minor


def test_weights_of_all_pieces_are_summed_before_they_are_rounded() -> None:
    rate = rate_parcel([an_item(weight_grams=300, quantity=2), an_item(weight_grams=400)], "MA")
    assert (rate.weight_grams, rate.price_minor) == (1_000, 4_000)


@pytest.mark.parametrize(
    ("changes", "country", "reason"),
    [
        ({}, "AQ", "country"),
        ({}, "ZZ", "country"),
        ({"weight_grams": None}, "FR", "customs_data"),
        ({"hs_code": None}, "FR", "customs_data"),
        ({"hs_code": ""}, "FR", "customs_data"),
        ({"origin": None}, "FR", "customs_data"),
        ({"weight_grams": MAX_PARCEL_GRAMS + 1}, "FR", "weight"),
        ({"weight_grams": MAX_PARCEL_GRAMS_HOME + 1}, "MA", "weight"),
        ({"weight_grams": 400, "quantity": 76}, "FR", "weight"),
        ({"weight_grams": 400, "quantity": 176}, "MA", "weight"),
    ],
)
def test_what_is_not_sent_and_why(changes: dict[str, Any], country: str, reason: str) -> None:
    with pytest.raises(DoesNotShipTo) as refused:
        rate_parcel([an_item(**changes)], country)
    assert refused.value.extra == {"listing_id": "lst_a", "country": country, "reason": reason}


def test_at_home_an_unknown_weight_counts_as_a_kilogram_and_needs_no_customs() -> None:
    rate = rate_parcel([an_item(weight_grams=None, hs_code=None, origin=None)], "MA")
    assert (rate.weight_grams, rate.customs, rate.zone) == (1_000, False, Zone.HOME)


def test_every_zone_has_a_rate_and_every_country_is_two_letters() -> None:
    assert set(RATES) == set(Zone) == set(ZONE_OF.values())
    assert all(len(country) == 2 and country.isupper() for country in ZONE_OF)
    assert all(first.days[0] <= first.days[1] for first in RATES.values())
