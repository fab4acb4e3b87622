import pytest
from botocore.client import BaseClient

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans import tables as artisan_tables
from chalicelib.artisans.domain import Decision, decide
from chalicelib.listings import shelves, tables
from chalicelib.listings.domain import ListingStatus
from chalicelib.money import Money
from chalicelib.regions import tables as region_tables
from chalicelib.regions.domain import RegionStatus
from tests.aws import both_databases
from tests.factories.listings import a_listing

SORTS = ("newest", "price_asc", "price_desc")


def found(api, query=""):
    answer = api.get(f"/v1/listings{query}")
    assert answer.status == 200, answer.text
    return [card["id"] for card in answer.json["data"]]


def mad(amount_minor):
    return {"amount_minor": amount_minor, "currency": "MAD"}


@pytest.fixture
def calls(monkeypatch):
    """The calls that go to AWS, as they happen; PynamoDB's go the same way."""
    made = []
    call = BaseClient._make_api_call

    def noted(client, operation, arguments):
        made.append(operation)
        return call(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return made


@pytest.fixture
def market(shop, other_shop):
    """Listings by a short name: two shops, two regions, three crafts."""
    market = {
        "fes_zellige": shop.published(price=mad(300), on_hand=5),
        "fes_pottery": shop.published(craft="pottery", price=mad(100), on_hand=0, collection=None),
        "safi_zellige": other_shop.published(price=mad(200), on_hand=1),
        "safi_oud": other_shop.published(craft="oud", price=mad(400), made_to_order_days=30),
    }
    shop.write()
    return market


FILTERS = {
    "": "fes_zellige fes_pottery safi_zellige safi_oud",
    "craft=zellige": "fes_zellige safi_zellige",
    "region=MA-07": "safi_zellige safi_oud",
    "craft=zellige&region=MA-07": "safi_zellige",
    "craft=oud&region=MA-03": "",
    "region=MA-01": "",
    "artisan_id={shop}": "fes_zellige fes_pottery",
    "artisan_id={shop}&craft=pottery": "fes_pottery",
    "artisan_id={shop}&region=MA-07": "",
    "min_price=200&max_price=300": "fes_zellige safi_zellige",
    "max_price=0": "",
    "min_price=301": "safi_oud",
    "in_stock=true": "fes_zellige safi_zellige safi_oud",
    "in_stock=false": "fes_pottery",
    "collection=blue-of-fes&region=MA-03": "fes_zellige",
}


@both_databases
def test_filters_combine_with_every_sort(api, market, shop):
    for sort in SORTS:
        for query, names in FILTERS.items():
            asked = f"?sort={sort}&{query.format(shop=shop.artisan_id)}".rstrip("&")
            expected = sorted(market[name] for name in names.split())
            assert sorted(found(api, asked)) == expected, asked


def test_prices_sort_as_numbers(api, shop):
    ids = {amount: shop.published(price=mad(amount)) for amount in (900, 10_000, 99, 1_000)}
    rising = [ids[amount] for amount in sorted(ids)]
    assert found(api, "?sort=price_asc") == rising
    assert found(api, "?sort=price_desc") == rising[::-1]


def test_the_newest_come_first(api, shop):
    first = shop.published()
    clock.advance(5)
    second = shop.published()
    assert found(api) == [second, first]


@both_databases
@pytest.mark.parametrize("sort", SORTS)
def test_pages_hold_every_listing_once(api, shop, sort):
    content = {"status": ListingStatus.PUBLISHED, "artisan_id": shop.artisan_id}
    published = [f"lst_{number}" for number in range(7)]
    tables.add_many(
        a_listing(listing_id=listing_id, price=Money(100 + number // 2), **content)
        for number, listing_id in enumerate(published)
    )
    for filters in ("", "&max_price=100000000", "&in_stock=true&craft=zellige"):
        seen, cursor, sizes = [], "", []
        while cursor is not None:
            page = api.get(f"/v1/listings?limit=3&sort={sort}{filters}{cursor}").json
            sizes.append(len(page["data"]))
            seen += [card["id"] for card in page["data"]]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        assert sorted(seen) == published
        assert sizes == [3, 3, 1]


def test_a_full_last_page_has_no_next_one(api, shop):
    for _ in range(3):
        shop.published()
    assert api.get("/v1/listings?limit=3").json["next_cursor"] is None


def test_a_cursor_belongs_to_its_query(api, shop):
    for _ in range(3):
        shop.published()
    cursor = api.get("/v1/listings?limit=1").json["next_cursor"]
    for query in (f"?sort=price_asc&cursor={cursor}", "?cursor=abc", f"?cursor={cursor[:-2]}AA"):
        answer = api.get(f"/v1/listings{query}")
        assert (answer.status, answer.json["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    "query",
    ["q=x", "ships_to=FR", "craft=x", "region=x", "sort=x", "limit=0", "limit=101", "min_price=x"],
)
def test_an_unknown_filter_or_value_is_refused(api, query):
    assert api.get(f"/v1/listings?{query}").status == 422


class TestHiding:
    def test_a_paused_region_is_gone_at_once_where_it_was_paused(self, api, market, shop):
        assert len(found(api)) == 4
        shop.set_region("paused")
        assert sorted(found(api)) == sorted([market["safi_zellige"], market["safi_oud"]])
        assert found(api, "?region=MA-03") == []
        assert api.get(f"/v1/listings/{market['fes_zellige']}").status == 404
        shop.set_region("live")
        assert len(found(api)) == 4

    def test_a_paused_region_is_gone_elsewhere_within_thirty_seconds(self, api, market):
        assert len(found(api)) == 4
        # Another process pauses it
        region_tables.change_status("MA-03", RegionStatus.LIVE, RegionStatus.PAUSED, clock.now())
        clock.advance(30)
        assert len(found(api)) == 2
        assert api.get(f"/v1/listings/{market['fes_zellige']}").status == 404

    def test_a_suspended_artisan_is_gone_elsewhere_within_thirty_seconds(self, api, market, shop):
        assert len(found(api)) == 4
        artisan = artisan_tables.find(shop.artisan_id)
        artisan_tables.change(decide(artisan, Decision.SUSPEND, clock.now(), "complaints"))
        clock.advance(30)
        assert len(found(api)) == 2
        assert api.get(f"/v1/listings/{market['fes_zellige']}").status == 404

    def test_a_reinstated_artisan_is_back(self, api, market, shop):
        artisans.suspend(shop.artisan_id, "complaints")
        assert len(found(api)) == 2
        artisans.reinstate(shop.artisan_id)
        assert len(found(api)) == 4

    def test_pages_are_filled_past_what_is_hidden(self, api, shop, other_shop):
        shown = [other_shop.published() for _ in range(3)]
        for _ in range(4):
            clock.advance(1)
            shop.published()
        shop.set_region("paused")
        page = api.get("/v1/listings?limit=2").json
        assert len(page["data"]) == 2
        rest = api.get(f"/v1/listings?limit=2&cursor={page['next_cursor']}").json
        assert sorted(card["id"] for card in page["data"] + rest["data"]) == sorted(shown)
        assert rest["next_cursor"] is None

    def test_where_too_few_are_found_the_page_is_short_and_goes_on(self, api, shop, monkeypatch):
        # Smaller rounds stand in for thousands of hidden listings.
        monkeypatch.setattr(shelves, "FILTERED_ROUNDS", (1, 1))
        cheap = shop.published(price=mad(1))
        for _ in range(6):
            clock.advance(1)
            shop.published(price=mad(1000))
        seen, cursor = [], ""
        while cursor is not None:
            page = api.get(f"/v1/listings?limit=1&max_price=10{cursor}").json
            seen += [card["id"] for card in page["data"]]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        assert seen == [cheap]


class TestCost:
    def test_a_page_is_one_query_and_a_repeat_is_none(self, api, market, calls):
        found(api, "?craft=zellige")
        del calls[:]
        found(api, "?craft=zellige&sort=price_asc")
        assert calls == ["Query"]
        found(api, "?craft=zellige&sort=price_asc")
        assert calls == ["Query"]
        clock.advance(15)
        found(api, "?craft=zellige&sort=price_asc")
        assert calls == ["Query", "Query"]

    def test_a_new_listing_is_seen_elsewhere_after_fifteen_seconds(self, api, shop, monkeypatch):
        from chalicelib.listings import service

        shop.published()
        assert len(found(api)) == 1
        # Published by another process: this one's pages are not cleared.
        monkeypatch.setattr(service._pages, "clear", lambda: None)
        shop.published()
        assert len(found(api)) == 1
        clock.advance(15)
        assert len(found(api)) == 2


class TestAnswers:
    def test_titles_come_in_the_readers_language(self, api, shop):
        shop.published()
        answer = api.get("/v1/listings", headers={"Accept-Language": "ar"})
        assert answer.json["data"][0]["title"] == "طاولة من الزليج"
        assert answer.headers["content-language"] == "ar"
        # Remembered per language
        answer = api.get("/v1/listings", headers={"Accept-Language": "en"})
        assert answer.json["data"][0]["title"] == "Table en zellige"
        assert answer.headers["content-language"] == "fr"

    def test_a_known_page_is_not_sent_again(self, api, shop):
        listing_id = shop.published()
        for target in ("/v1/listings", f"/v1/listings/{listing_id}"):
            first = api.get(target)
            assert "max-age=10" in first.headers["cache-control"]
            again = api.get(target, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status, again.body) == (304, b"")

    def test_the_detail_of_a_listing(self, api, shop):
        listing_id = shop.published(on_hand=1)
        view = api.get(f"/v1/listings/{listing_id}", headers={"Accept-Language": "fr"}).json
        assert view.pop("published_at").endswith("Z")
        assert view == {
            "id": listing_id,
            "title": "Table en zellige",
            "description": "Posée à la main.",
            "language": "fr",
            "price": mad(249_900),
            "stock": {"state": "last_one", "made_to_order_days": None},
            "variants": [],
            "images": [],
            "artisan": {"id": shop.artisan_id, "name": "Atelier Tester", "town": "Fès"},
            "craft": {"code": "zellige", "name": "Zellige"},
            "region": {"code": "MA-03", "name": "Fès-Meknès"},
            "materials": ["terre cuite", "fer forgé"],
            "technique": "zellige taillé",
            "dimensions_mm": {"length": 800, "width": 800, "height": 450},
            "weight_grams": 18_000,
            "origin": "MA",
            "hs_code": "690721",
            "collection": "blue-of-fes",
        }

    @pytest.mark.parametrize(
        "listing_id", ["lst_none", "x", "%20", "lst_%00", "%C3%A9" * 40, "x" * 3000]
    )
    def test_what_does_not_exist_is_not_found(self, api, listing_id):
        assert api.get(f"/v1/listings/{listing_id}").status == 404

    def test_reference_lists(self, api):
        crafts = api.get("/v1/crafts", headers={"Accept-Language": "en"}).json["data"]
        zellige = next(craft for craft in crafts if craft["code"] == "zellige")
        assert (zellige["name"], zellige["family"]) == ("Zellige tiles", "pottery_and_stone")
        collections = api.get("/v1/collections").json["data"]
        assert {"blue-of-fes", "atlas-looms"} <= {each["code"] for each in collections}
