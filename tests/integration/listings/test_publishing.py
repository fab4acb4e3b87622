from chalicelib.artisans import service as artisans
from chalicelib.listings import tables
from chalicelib.listings.domain import ListingStatus
from tests.integration.listings.conftest import open_shop


def refused(answer, code):
    return (answer.status, answer.json["code"]) == (409, code)


def test_a_listing_comes_to_the_market(api, shop):
    # Given a draft
    listing_id = shop.write()["id"]
    assert api.get(f"/v1/listings/{listing_id}").status == 404
    # When it is submitted
    assert shop.submit(listing_id).json["status"] == "in_review"
    queue = api.get("/v1/operator/listings?status=in_review", token=api.operator).json["data"]
    assert [row["id"] for row in queue] == [listing_id]
    # Then an operator publishes it, and everyone sees it
    assert shop.publish(listing_id).json["status"] == "published"
    assert api.get(f"/v1/listings/{listing_id}").status == 200
    assert [card["id"] for card in api.get("/v1/listings").json["data"]] == [listing_id]
    queue = api.get("/v1/operator/listings?status=in_review", token=api.operator).json["data"]
    assert queue == []


def test_only_a_verified_artisan_submits(api):
    newcomer = open_shop(api, "newcomer")
    listing_id = newcomer.write()["id"]
    assert refused(newcomer.submit(listing_id), "artisan_not_verified")
    assert tables.find(listing_id).status is ListingStatus.DRAFT


def test_nothing_is_published_of_an_artisan_suspended_meanwhile(shop):
    listing_id = shop.write()["id"]
    shop.submit(listing_id)
    artisans.suspend(shop.artisan_id, "complaints")
    assert refused(shop.publish(listing_id), "artisan_not_verified")
    assert tables.find(listing_id).status is ListingStatus.IN_REVIEW


def test_nothing_is_published_in_a_region_that_is_not_open(shop):
    listing_id = shop.write()["id"]
    shop.submit(listing_id)
    shop.set_region("paused")
    assert refused(shop.publish(listing_id), "region_not_open")
    assert tables.find(listing_id).status is ListingStatus.IN_REVIEW
    shop.set_region("live")
    assert shop.publish(listing_id).status == 200


def test_a_returned_listing_says_why_and_is_submitted_again(api, shop):
    listing_id = shop.write()["id"]
    shop.submit(listing_id)
    path = f"/v1/operator/listings/{listing_id}/return"
    answer = api.post(path, {"reason": "Le titre manque."}, token=api.operator)
    assert (answer.json["status"], answer.json["return_reason"]) == ("draft", "Le titre manque.")
    mine = api.get(f"/v1/me/listings/{listing_id}", token=shop.token).json
    assert mine["return_reason"] == "Le titre manque."
    assert shop.submit(listing_id).json["return_reason"] is None


def test_moves_outside_the_table_are_refused(api, shop):
    listing_id = shop.write()["id"]
    assert refused(shop.publish(listing_id), "illegal_listing_move")
    shop.submit(listing_id)
    assert refused(shop.submit(listing_id), "illegal_listing_move")
    shop.publish(listing_id)
    path = f"/v1/operator/listings/{listing_id}/return"
    assert refused(api.post(path, {"reason": "x"}, token=api.operator), "illegal_listing_move")


def test_a_retired_listing_leaves_the_market_for_good(api, shop):
    listing_id = shop.published()
    answer = api.post(f"/v1/me/listings/{listing_id}/retire", token=shop.token)
    assert answer.json["status"] == "retired"
    assert api.get(f"/v1/listings/{listing_id}").status == 404
    assert api.get("/v1/listings").json["data"] == []
    assert refused(shop.submit(listing_id), "illegal_listing_move")


def test_only_operators_review(api, shop):
    listing_id = shop.write()["id"]
    shop.submit(listing_id)
    for step, body in [("publish", None), ("return", {"reason": "x"})]:
        path = f"/v1/operator/listings/{listing_id}/{step}"
        assert api.post(path, body).status == 401
        assert api.post(path, body, token=shop.token).status == 403
    assert tables.find(listing_id).status is ListingStatus.IN_REVIEW
    query = "/v1/operator/listings?status=published"
    assert api.get(query, token=api.operator).status == 422


def test_an_artisan_sees_the_name_they_have_when_published(api, shop):
    listing_id = shop.write()["id"]
    shop.submit(listing_id)
    api.patch("/v1/me", {"workshop_name": "Nouvel Atelier"}, token=shop.token)
    shop.publish(listing_id)
    assert api.get(f"/v1/listings/{listing_id}").json["artisan"]["name"] == "Nouvel Atelier"
