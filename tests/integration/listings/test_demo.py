import pytest

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans import tables as artisan_tables
from chalicelib.edge.auth import artisan_id_of
from chalicelib.listings import tables
from chalicelib.stock import service as stock
from infra.local.identity import ARTISAN_SUBJECT

pytest.importorskip("infra.demo.drawings", reason="the demo's drawings are being made")


@pytest.fixture
def demo(aws):
    from infra.demo import load

    load.load_demo()
    return load


def test_the_catalogue_is_there_to_browse(api, demo):
    from infra.demo.catalogue import demo_listings

    published = {demo.listing_id_of(each) for each in demo_listings() if each.status == "published"}
    seen, cursor = set(), ""
    while cursor is not None:
        page = api.get(f"/v1/listings?limit=100{cursor}").json
        seen |= {card["id"] for card in page["data"]}
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == published
    listing_id = min(published)
    view = api.get(f"/v1/listings/{listing_id}").json
    assert view["images"][0]["url"].endswith(f"/_local/images/{listing_id}.svg")
    assert demo.image_of(listing_id).startswith("<svg")
    assert demo.image_of("lst_none") is None


def test_the_local_artisan_is_verified_and_can_be_paid(demo):
    artisan_id = artisan_id_of(ARTISAN_SUBJECT)
    assert artisans.can_sell(artisan_id)
    assert artisans.payout_destination(artisan_id).is_usable(clock.now())


def test_loading_again_leaves_what_has_happened_since(api, demo):
    listing_id = api.get("/v1/listings?limit=1&in_stock=true").json["data"][0]["id"]
    stock.set_on_hand(listing_id, 77)
    artisan_id = artisan_id_of(ARTISAN_SUBJECT)
    artisans.suspend(artisan_id, "complaints")
    loaded = []
    demo.load_demo(loaded.append)
    assert loaded == ["0 artisans loaded", "0 listings loaded"]
    assert stock.levels([listing_id])[listing_id].available == 77
    assert not artisan_tables.find(artisan_id).is_verified


def test_every_demo_time_is_past(demo):
    from infra.demo.catalogue import demo_listings

    found = tables.find_many([demo.listing_id_of(each) for each in demo_listings()[:100]])
    assert all(listing.updated_at < clock.now() for listing in found.values())
