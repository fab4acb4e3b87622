"""Listings in several forms: each is counted, shown and sold out by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import clock
from chalicelib.listings import service, tables
from chalicelib.listings.domain import StockState, UnknownVariant, VariantRequired, check_variant
from chalicelib.stock import service as stock
from tests.wire import counted

BLUE, RED = "blue-40", "red-40"
VARIANTS = [
    {"key": BLUE, "labels": {"fr": "Bleu, 40", "en": "Blue, 40"}},
    {"key": RED, "labels": {"fr": "Rouge, 40"}},
]


def path(listing_id, step=""):
    return f"/v1/me/listings/{listing_id}{step}"


def count(api, shop, listing_id, on_hand, variant=None):
    body = {"on_hand": on_hand} | ({"variant": variant} if variant else {})
    return api.put(path(listing_id, "/stock"), body, token=shop.token)


@pytest.fixture
def slippers(shop):
    """Published, in two colours, nothing counted yet."""
    return shop.published(variants=VARIANTS, on_hand=None)


def test_each_variant_is_counted_apart(api, shop, slippers):
    answer = count(api, shop, slippers, 3, BLUE)
    assert answer.status == 200
    assert stock.levels([f"{slippers}:{BLUE}"])[f"{slippers}:{BLUE}"].available == 3
    assert [(each["key"], each["stock"]["available"]) for each in answer.json["variants"]] == [
        (BLUE, 3),
        (RED, 0),
    ]
    assert answer.json["stock"]["available"] == 3
    assert stock.levels([slippers])[slippers].available == 0


@pytest.mark.parametrize(
    ("variant", "code"), [(None, "variant_required"), ("green", "unknown_variant")]
)
def test_a_count_says_of_which_variant(api, shop, slippers, variant, code):
    answer = count(api, shop, slippers, 3, variant)
    assert (answer.status, answer.json["code"]) == (422, code)
    assert answer.json["variants"] == [BLUE, RED]
    assert answer.json["errors"][0]["param"] == "variant"
    assert stock.levels([slippers, f"{slippers}:green"]) == {
        slippers: stock.Level(0),
        f"{slippers}:green": stock.Level(0),
    }


def test_a_listing_without_variants_has_none_to_name(api, shop):
    listing_id = shop.write()["id"]
    answer = count(api, shop, listing_id, 3, BLUE)
    assert (answer.status, answer.json["code"]) == (422, "unknown_variant")


@pytest.mark.parametrize(
    ("blue", "red", "best"),
    [(0, 0, "sold_out"), (0, 1, "last_one"), (1, 1, "last_one"), (2, 0, "in_stock")],
)
def test_a_listing_shows_the_best_of_its_variants(api, shop, slippers, blue, red, best):
    count(api, shop, slippers, blue, BLUE)
    count(api, shop, slippers, red, RED)
    states = {0: "sold_out", 1: "last_one", 2: "in_stock"}
    shown = api.get(f"/v1/listings/{slippers}").json
    assert shown["stock"]["state"] == best
    assert [each["stock"]["state"] for each in shown["variants"]] == [states[blue], states[red]]
    assert api.get("/v1/listings").json["data"][0]["stock"]["state"] == best
    assert tables.find(slippers).stock_state == best


@pytest.mark.parametrize(
    ("language", "labels"),
    [("en", ["Blue, 40", "Rouge, 40"]), ("fr", ["Bleu, 40", "Rouge, 40"])],
)
def test_labels_are_in_the_readers_language(api, slippers, language, labels):
    answer = api.get(f"/v1/listings/{slippers}", headers={"Accept-Language": language})
    assert [each["label"] for each in answer.json["variants"]] == labels


def test_the_detail_of_many_variants_takes_two_reads(api, shop):
    variants = [{"key": f"size-{n}", "labels": {"fr": f"Taille {n}"}} for n in range(50)]
    listing_id = shop.published(variants=variants, on_hand=None)
    api.get(f"/v1/listings/{listing_id}")
    with counted() as asked:
        assert len(api.get(f"/v1/listings/{listing_id}").json["variants"]) == 50
    assert asked == ["GetItem", "BatchGetItem"]


def test_hints_follow_a_sale_of_a_variant(api, shop, slippers):
    count(api, shop, slippers, 1, BLUE)
    until = clock.now() + timedelta(minutes=15)
    stock.hold(f"{slippers}:{BLUE}", "ord_a", 1, "m", until)
    service.refresh_stock_states([f"{slippers}:{BLUE}"])
    assert tables.find(slippers).stock_state is StockState.SOLD_OUT
    assert api.get("/v1/listings?in_stock=true").json["data"] == []
    stock.release(f"{slippers}:{BLUE}", "ord_a", "m")
    service.refresh_stock_states([f"{slippers}:{BLUE}", slippers])
    assert tables.find(slippers).stock_state is StockState.LAST_ONE


class TestEdit:
    def edit(self, api, shop, listing_id, variants):
        return api.patch(path(listing_id), {"variants": variants}, token=shop.token)

    def test_other_variants_are_a_revision(self, api, shop, slippers):
        answer = self.edit(api, shop, slippers, VARIANTS)
        assert answer.json["status"] == "published", "the same again changes nothing"
        answer = self.edit(api, shop, slippers, VARIANTS[:1])
        assert (answer.status, answer.json["status"]) == (200, "in_review")
        assert [each["key"] for each in answer.json["variants"]] == [BLUE]
        assert api.get(f"/v1/listings/{slippers}").status == 404

    def test_the_hint_is_of_what_is_counted_now(self, api, shop):
        listing_id = shop.write(on_hand=5)["id"]
        self.edit(api, shop, listing_id, VARIANTS)
        assert tables.find(listing_id).stock_state is StockState.SOLD_OUT
        self.edit(api, shop, listing_id, [])
        assert tables.find(listing_id).stock_state is StockState.IN_STOCK

    def test_they_cannot_be_null(self, api, shop, slippers):
        assert self.edit(api, shop, slippers, None).status == 422


class TestShardHint:
    def test_it_is_kept_when_counted_and_gone_when_it_is_one(self, api, shop):
        listing_id = shop.write(on_hand=500)["id"]
        assert tables.find(listing_id).shards_of(None) == 10
        count(api, shop, listing_id, 40)
        assert tables.find(listing_id).stock_shards == {}
        assert tables.find(listing_id).shards_of(None) == 1

    def test_each_variant_has_its_own(self, api, shop, slippers):
        count(api, shop, slippers, 200, BLUE)
        count(api, shop, slippers, 3, RED)
        found = tables.find(slippers)
        assert (found.shards_of(BLUE), found.shards_of(RED)) == (4, 1)

    def test_an_edit_does_not_put_an_old_one_back(self, api, shop, monkeypatch):
        # The stock is counted between an editor's read and write: it stands in for time.
        listing_id = shop.write()["id"]
        read = tables.find_owned

        def read_then_counted(*key):
            found = read(*key)
            monkeypatch.setattr(tables, "find_owned", read)
            count(api, shop, listing_id, 300)
            return found

        monkeypatch.setattr(tables, "find_owned", read_then_counted)
        assert api.patch(path(listing_id), {"weight_grams": 2}, token=shop.token).status == 200
        assert tables.find(listing_id).shards_of(None) == 6

    def test_two_counts_at_once_keep_both(self, api, shop, slippers, monkeypatch):
        # The other variant is counted between the read and the write: it stands in for time.
        read = tables.find_owned

        def read_then_counted(*key):
            found = read(*key)
            monkeypatch.setattr(tables, "find_owned", read)
            count(api, shop, slippers, 150, RED)
            return found

        monkeypatch.setattr(tables, "find_owned", read_then_counted)
        count(api, shop, slippers, 200, BLUE)
        found = tables.find(slippers)
        assert (found.shards_of(BLUE), found.shards_of(RED)) == (4, 3)


def test_checkout_asks_for_a_variant_that_there_is(slippers):
    listing = tables.find(slippers)
    check_variant(listing, BLUE)
    with pytest.raises(VariantRequired):
        check_variant(listing, None)
    with pytest.raises(UnknownVariant):
        check_variant(listing, "green")
    plain = replace(listing, variants=())
    check_variant(plain, None)
    with pytest.raises(UnknownVariant):
        check_variant(plain, BLUE)
