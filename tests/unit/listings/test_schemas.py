import json

import pytest
from pydantic import ValidationError

from chalicelib.listings.domain import Dimensions, Text, Variant
from chalicelib.listings.schemas import ListingChanges, ListingsQuery, NewListing, StockBody
from chalicelib.money import Money
from tests.factories.listings import a_new_listing


def parsed(model, content):
    return model.model_validate_json(json.dumps(content), strict=True)


def refused_fields(model, content):
    with pytest.raises(ValidationError) as refused:
        parsed(model, content)
    return {".".join(map(str, error["loc"])) for error in refused.value.errors()}


def test_a_new_listing_becomes_domain_content():
    content = parsed(NewListing, a_new_listing()).to_content()
    assert content["texts"]["fr"] == Text("Table en zellige", "Posée à la main.")
    assert content["price"] == Money(249_900)
    assert content["dimensions"] == Dimensions(800, 800, 450)
    assert content["materials"] == ("terre cuite", "fer forgé")
    assert "on_hand" not in content


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price": {"amount_minor": 0, "currency": "MAD"}}, "price"),
        ({"price": {"amount_minor": -5, "currency": "MAD"}}, "price"),
        ({"price": {"amount_minor": 100, "currency": "EUR"}}, "price"),
        ({"price": {"amount_minor": 1.5, "currency": "MAD"}}, "price.amount_minor"),
        ({"price": 100}, "price"),
        ({"craft": "alchemy"}, "craft"),
        ({"texts": {}}, "texts"),
        ({"texts": {"de": {"title": "Tisch"}}}, "texts.de.[key]"),
        ({"texts": {"fr": {"title": "x" * 121}}}, "texts.fr.title"),
        ({"texts": {"fr": {"title": "   "}}}, "texts.fr.title"),
        ({"texts": {"fr": {"title": "a\u2067b"}}}, "texts.fr.title"),
        ({"texts": {"fr": {"title": "a", "description": "x" * 5001}}}, "texts.fr.description"),
        ({"texts": {"fr": {"title": "a", "description": "a\x00b"}}}, "texts.fr.description"),
        ({"hs_code": "69072"}, "hs_code"),
        ({"hs_code": "６９０７２１"}, "hs_code"),
        ({"weight_grams": 0}, "weight_grams"),
        ({"dimensions_mm": {"length": 1, "width": 1}}, "dimensions_mm.height"),
        ({"on_hand": 1_000_001}, "on_hand"),
        ({"on_hand": -1}, "on_hand"),
        ({"collection": "attic"}, "collection"),
        ({"artisan_id": "art_x"}, "artisan_id"),
        ({"status": "published"}, "status"),
        ({"variants": [{"key": "Blue", "labels": {"fr": "Bleu"}}]}, "variants.0.key"),
        ({"variants": [{"key": "", "labels": {"fr": "Bleu"}}]}, "variants.0.key"),
        ({"variants": [{"key": "a" * 31, "labels": {"fr": "Bleu"}}]}, "variants.0.key"),
        ({"variants": [{"key": "a:b", "labels": {"fr": "Bleu"}}]}, "variants.0.key"),
        ({"variants": [{"key": "a#1", "labels": {"fr": "Bleu"}}]}, "variants.0.key"),
        ({"variants": [{"key": "a\n", "labels": {"fr": "Bleu"}}]}, "variants.0.key"),
        ({"variants": [{"key": "a", "labels": {}}]}, "variants.0.labels"),
        ({"variants": [{"key": "a", "labels": {"de": "Blau"}}]}, "variants.0.labels.de.[key]"),
        ({"variants": [{"key": "a", "labels": {"fr": "A"}}] * 2, "on_hand": None}, "variants"),
        ({"variants": [{"key": "a", "labels": {"fr": "A"}}]}, "on_hand"),
    ],
)
def test_a_wrong_field_is_named(changes, field):
    assert refused_fields(NewListing, a_new_listing(**changes)) == {field}


def test_lines_and_joiners_of_a_description_are_kept():
    text = "Première ligne\nseconde\u200d."
    content = a_new_listing(texts={"fr": {"title": " Table ", "description": text}})
    written = parsed(NewListing, content).to_content()["texts"]["fr"]
    assert written == Text("Table", text)


def test_changes_hold_only_what_was_sent():
    changes = parsed(ListingChanges, {"weight_grams": None, "materials": []}).to_content()
    assert changes == {"weight_grams": None, "materials": ()}


@pytest.mark.parametrize("field", ["craft", "texts", "price", "materials", "origin", "variants"])
def test_a_needed_field_cannot_be_taken_away(field):
    assert refused_fields(ListingChanges, {field: None}) == {field}


def test_at_most_fifty_variants():
    variants = [{"key": f"size-{n}", "labels": {"fr": str(n)}} for n in range(51)]
    assert refused_fields(ListingChanges, {"variants": variants}) == {"variants"}
    changes = parsed(ListingChanges, {"variants": variants[:50]}).to_content()
    assert changes["variants"][7] == Variant("size-7", {"fr": "7"})


@pytest.mark.parametrize("on_hand", [True, 1.0, "3", None])
def test_a_count_is_a_whole_number(on_hand):
    assert refused_fields(StockBody, {"on_hand": on_hand}) == {"on_hand"}


@pytest.mark.parametrize(
    "query",
    [
        {"q": "tapis"},
        {"ships_to": "FR"},
        {"craft": "alchemy"},
        {"region": "MA-99"},
        {"artisan_id": "art_x"},
        {"collection": "attic"},
        {"sort": "relevance"},
        {"min_price": "-1"},
        {"min_price": "10", "max_price": "9"},
        {"in_stock": "perhaps"},
        {"craft": ["zellige", "oud"]},
    ],
)
def test_an_unknown_filter_or_value_is_refused(query):
    with pytest.raises(ValidationError):
        ListingsQuery.model_validate(query)
