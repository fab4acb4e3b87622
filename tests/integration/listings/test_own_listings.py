import pytest

from chalicelib.artisans import service as artisans
from chalicelib.listings import service, tables
from chalicelib.listings.domain import ListingStatus, StockState
from chalicelib.stock import service as stock
from tests.factories.listings import a_new_listing


def path(listing_id, step=""):
    return f"/v1/me/listings/{listing_id}{step}"


def test_a_draft_takes_its_region_from_the_artisan(shop):
    written = shop.write()
    stored = tables.find(written["id"])
    assert (stored.region, stored.artisan_id) == ("MA-03", shop.artisan_id)
    assert stored.status is ListingStatus.DRAFT
    assert stock.levels([written["id"]])[written["id"]].available == 3


def test_one_must_register_before_writing(api):
    answer = api.post("/v1/me/listings", a_new_listing(), token=api.artisan)
    assert (answer.status, answer.json["code"]) == (409, "not_registered")


def test_the_same_key_writes_one_draft(api, shop):
    headers = {"Idempotency-Key": "k1"}
    body = a_new_listing()
    first, again = (
        api.post("/v1/me/listings", body, token=shop.token, headers=headers) for _ in range(2)
    )
    assert first.json == again.json
    assert len(api.get("/v1/me/listings", token=shop.token).json["data"]) == 1


def test_own_listings_come_in_pages_the_newest_first(api, shop):
    written = [shop.write()["id"] for _ in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/v1/me/listings?limit=2{cursor}", token=shop.token).json
        seen += [listing["id"] for listing in page["data"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert sorted(seen) == sorted(written)


class TestOwnership:
    @pytest.mark.parametrize(
        ("method", "step", "body"),
        [
            ("GET", "", None),
            ("PATCH", "", {"price": {"amount_minor": 1, "currency": "MAD"}}),
            ("POST", "/submit", None),
            ("POST", "/retire", None),
            ("PUT", "/stock", {"on_hand": 0}),
        ],
    )
    def test_P14_anothers_listing_answers_like_none(
        self, api, shop, other_shop, method, step, body
    ):
        listing_id = shop.write()["id"]
        before = tables.find(listing_id)
        theirs = api.request(method, path(listing_id, step), body, token=other_shop.token)
        none = api.request(method, path("lst_none", step), body, token=other_shop.token)
        assert theirs.status == none.status == 404
        assert theirs.json["detail"] == none.json["detail"]
        assert tables.find(listing_id) == before
        assert stock.levels([listing_id])[listing_id].available == 3

    def test_P14_a_cursor_does_not_read_anothers_list(self, api, shop, other_shop):
        for _ in range(3):
            shop.write()
        cursor = api.get("/v1/me/listings?limit=1", token=shop.token).json["next_cursor"]
        answer = api.get(f"/v1/me/listings?limit=1&cursor={cursor}", token=other_shop.token)
        assert (answer.status, answer.json["code"]) == (422, "invalid_cursor")

    def test_strangers_and_operators_have_no_listings(self, api):
        assert api.get("/v1/me/listings").status == 401
        assert api.get("/v1/me/listings", token=api.operator).status == 403


class TestEdit:
    def edit(self, api, shop, listing_id, body, tag=None):
        headers = {"If-Match": tag} if tag else {}
        return api.patch(path(listing_id), body, token=shop.token, headers=headers)

    def test_an_edit_with_the_present_version_is_kept(self, api, shop):
        written = shop.write()
        tag = api.get(path(written["id"]), token=shop.token).headers["etag"]
        answer = self.edit(api, shop, written["id"], {"weight_grams": 5}, tag)
        assert (answer.status, answer.headers["etag"]) == (200, '"2"')
        assert tables.find(written["id"]).weight_grams == 5

    def test_an_edit_of_what_has_changed_is_refused(self, api, shop):
        listing_id = shop.write()["id"]
        self.edit(api, shop, listing_id, {"weight_grams": 5}, '"1"')
        answer = self.edit(api, shop, listing_id, {"weight_grams": 6}, '"1"')
        assert (answer.status, answer.json["code"]) == (409, "stale_version")
        assert answer.json["current_version"] == 2
        assert tables.find(listing_id).weight_grams == 5

    def test_of_two_edits_at_once_one_is_told(self, api, shop, monkeypatch):
        # The other edit comes between the read and the write: it stands in for time.
        listing_id = shop.write()["id"]
        read = tables.find_owned

        def read_then_overtaken(*key):
            found = read(*key)
            monkeypatch.setattr(tables, "find_owned", read)
            self.edit(api, shop, listing_id, {"weight_grams": 1})
            return found

        monkeypatch.setattr(tables, "find_owned", read_then_overtaken)
        answer = self.edit(api, shop, listing_id, {"weight_grams": 2})
        assert (answer.status, answer.json["code"]) == (409, "stale_version")
        assert tables.find(listing_id).weight_grams == 1

    @pytest.mark.parametrize("tag", ["x", '"0"', '"1", "2"', "-1"])
    def test_what_is_no_tag_is_refused(self, api, shop, tag):
        answer = self.edit(api, shop, shop.write()["id"], {}, tag)
        assert (answer.status, answer.json["code"]) == (400, "if_match_invalid")

    def test_optional_fields_are_taken_away_with_null(self, api, shop):
        listing_id = shop.write()["id"]
        changes = {"weight_grams": None, "dimensions_mm": None, "hs_code": None}
        answer = self.edit(api, shop, listing_id, changes)
        assert {name: answer.json[name] for name in changes} == changes
        assert tables.find(listing_id).dimensions is None

    def test_new_words_take_a_published_listing_back_to_review(self, api, shop):
        listing_id = shop.published()
        answer = self.edit(api, shop, listing_id, {"texts": {"fr": {"title": "Autre"}}})
        assert answer.json["status"] == "in_review"
        assert api.get(f"/v1/listings/{listing_id}").status == 404
        assert api.get("/v1/listings").json["data"] == []

    def test_a_new_price_of_a_published_listing_is_seen_at_once(self, api, shop):
        listing_id = shop.published()
        price = {"amount_minor": 111, "currency": "MAD"}
        assert self.edit(api, shop, listing_id, {"price": price}).json["status"] == "published"
        assert api.get("/v1/listings").json["data"][0]["price"] == price
        assert api.get("/v1/listings?sort=price_asc&max_price=111").json["data"]


class TestStock:
    def test_a_count_is_kept(self, api, shop):
        listing_id = shop.write()["id"]
        answer = api.put(path(listing_id, "/stock"), {"on_hand": 1}, token=shop.token)
        assert answer.json["stock"] == {
            "state": "last_one",
            "made_to_order_days": None,
            "available": 1,
            "held": 0,
            "sold": 0,
        }
        assert stock.levels([listing_id])[listing_id].available == 1

    def test_an_edit_does_not_put_an_old_hint_back(self, api, shop, monkeypatch):
        # The stock is counted between an editor's read and write: it stands in for time.
        listing_id = shop.write()["id"]
        read = tables.find_owned

        def read_then_counted(*key):
            found = read(*key)
            monkeypatch.setattr(tables, "find_owned", read)
            api.put(path(listing_id, "/stock"), {"on_hand": 0}, token=shop.token)
            return found

        monkeypatch.setattr(tables, "find_owned", read_then_counted)
        assert api.patch(path(listing_id), {"weight_grams": 2}, token=shop.token).status == 200
        assert tables.find(listing_id).stock_state is StockState.SOLD_OUT

    def test_hints_are_refreshed_after_a_sale(self, api, shop):
        listing_id = shop.published(on_hand=1)
        assert api.get("/v1/listings?in_stock=true").json["data"]
        stock.set_on_hand(listing_id, 0)
        service.refresh_stock_states([listing_id, "lst_none"])
        assert tables.find(listing_id).stock_state is StockState.SOLD_OUT
        assert api.get("/v1/listings?in_stock=true").json["data"] == []


class TestCheckout:
    def test_listings_are_read_by_id_in_one_call(self, shop):
        draft, published = shop.write()["id"], shop.published()
        found = service.for_checkout([draft, published, published, "lst_none"])
        assert {key: listing.status for key, listing in found.items()} == {
            draft: ListingStatus.DRAFT,
            published: ListingStatus.PUBLISHED,
        }
        assert service.is_for_sale(found[published])
        assert not service.is_for_sale(found[draft])

    def test_nothing_of_a_suspended_artisan_or_a_paused_region_is_for_sale(self, shop):
        listing = tables.find(shop.published())
        artisans.suspend(shop.artisan_id, "complaints")
        assert not service.is_for_sale(listing)
        artisans.reinstate(shop.artisan_id)
        assert service.is_for_sale(listing)
        shop.set_region("paused")
        assert not service.is_for_sale(listing)
