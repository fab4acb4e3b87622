"""One buyer, two artisans: quoted, ordered, refused once, paid, shipped, delivered, completed."""

from typing import Any

from chalicelib import clock
from infra.local.pump import Pump
from tests.aws import Api
from tests.factories import shop
from tests.factories.orders import BOWL, RUG, an_order_body, open_shop
from tests.factories.payments import cmi_body, post_cmi, post_wallet, wallet_event


def test_a_buyer_pays_by_card_and_is_sent_what_they_bought(api: Api, pump: Pump) -> None:
    open_shop({BOWL: 3, RUG: 1})
    body = an_order_body({BOWL: 2, RUG: 1})
    # Given a quote, and an order for exactly that
    quoted = api.post("/v1/quotes", {"lines": body["lines"], "ship_to": body["ship_to"]}).json
    ordering = body | {"expected_total": quoted["total"]}
    placed = api.post("/v1/orders", ordering, headers={"Idempotency-Key": "journey"}).json
    payment, token = placed["payment"], {"Order-Token": placed["order_token"]}
    path = f"/v1/orders/{placed['order']['id']}"
    amount = payment["amount"]["amount_minor"]
    assert payment["amount"] == quoted["total"]

    def seen() -> Any:
        return api.get(path, headers=token).json

    # When the card is declined and then accepted
    declined = {"ProcReturnCode": "05", "Response": "Declined", "TransId": "T-0"}
    assert post_cmi(api, cmi_body(payment["id"], amount, **declined)).text == "APPROVED"
    assert seen()["status"] == "awaiting_payment"
    assert post_cmi(api, cmi_body(payment["id"], amount)).text == "ACTION=POSTAUTH"
    # Then the order is paid and its goods are sold
    assert (seen()["status"], seen()["payments"][0]["status"]) == ("paid", "capture_requested")
    found = shop.check_shop()
    assert (found[BOWL].sold, found[RUG].sold, found[RUG].available) == (2, 1, 0)
    assert api.get("/v1/listings/" + RUG).json["stock"]["state"] == "sold_out"
    # And each artisan sends their part
    for artisan in (api.artisan, api.token("another-artisan", "artisans")):
        [own] = api.get("/v1/me/orders", token=artisan).json["data"]
        parcel = f"/v1/me/parcels/{own['parcel']['id']}"
        assert api.post(f"{parcel}/accept", {}, token=artisan).status == 200
        assert api.post(f"{parcel}/ship", {"carrier": "Poste"}, token=artisan).status == 200
        assert api.post(f"{parcel}/delivered", {}, token=artisan).status == 200
    assert seen()["status"] == "delivered"
    clock.advance(15 * 24 * 3600)
    assert seen()["status"] == "completed"
    pump.drain(sweep=True)
    shop.check_at_rest()


def test_a_buyer_who_gives_up_the_card_pays_by_wallet(api: Api, pump: Pump) -> None:
    open_shop({BOWL: 1})
    body = an_order_body()
    placed = api.post("/v1/orders", body, headers={"Idempotency-Key": "journey"}).json
    path = f"/v1/orders/{placed['order']['id']}"
    token = {"Order-Token": placed["order_token"]}
    again = api.post(
        f"{path}/payments", {"payment_method": "wallet"}, headers=token | {"Idempotency-Key": "w"}
    ).json
    amount = again["amount"]["amount_minor"]
    assert post_wallet(api, wallet_event(again["id"], amount)).status == 204
    pump.drain()
    seen = api.get(path, headers=token).json
    assert seen["status"] == "paid"
    assert [payment["status"] for payment in seen["payments"]] == ["cancelled", "captured"]
    # The card's page was still open: what comes of it is not debited
    assert post_cmi(api, cmi_body(placed["payment"]["id"], amount)).text == "APPROVED"
    clock.advance(3600)
    pump.drain(sweep=True)
    shop.check_at_rest()
