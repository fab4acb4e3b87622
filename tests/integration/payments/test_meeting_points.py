"""Where two things meet: lost callbacks and closed orders, refunds and captures, returns."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.edge import outbound
from chalicelib.edge.outbound import OutcomeUnknown, Request, Response
from chalicelib.edge.tables import IdempotencyTable
from chalicelib.payments import inquiries
from chalicelib.payments import tables as payment_tables
from infra.local.bank.callbacks import Sent
from tests.factories.orders import BOWL, BOWL_PRICE, OTHER_ARTISAN, OWNER, RUG
from tests.factories.payments import cmi_body, post_cmi, post_wallet, wallet_event
from tests.integration.payments.conftest import Shop

HOUR = 3600


def mad(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "MAD"}


def pay_unheard(shop: Shop, placed: Any) -> None:
    """The buyer pays, and no callback of it ever arrives."""
    heard, shop.bank._send = shop.bank._send, lambda callback: Sent(callback.what, 0, "lost")
    shop.bank.press(placed["payment"]["id"])
    shop.bank._send = heard


def says_pending(request: Request) -> Response:
    body = {
        "reference": request.url.rpartition("/")[2],
        "state": "pending",
        "provider_reference": "",
        "amount": mad(1),
        "refunded_minor": 0,
        "dispute": None,
        "reason": None,
    }
    return Response(200, json.dumps(body).encode())


@pytest.mark.parametrize("closed_by", ["expiry", "buyer"])
def test_P2_money_that_nobody_told_of_is_found_after_its_order_was_closed(
    shop: Shop, closed_by: str
) -> None:
    # Given a payment that its provider calls pending when the order is closed
    placed = shop.place("wallet", {BOWL: 1})
    pay_unheard(shop, placed)
    outbound.set_transport(says_pending)
    if closed_by == "expiry":
        clock.advance(HOUR)
    else:
        shop.as_buyer(placed, "cancel")
    shop.settle()
    assert shop.read(placed)["status"] in ("expired", "cancelled")
    # When it is asked about later on
    outbound.set_transport(shop.bank.carry)
    for _ in range(3):
        clock.advance(12 * HOUR)
        shop.settle()
    # Then late money pays an expired order, and goes back where the order was called off
    books, total = shop.books(placed), placed["payment"]["amount"]["amount_minor"]
    if closed_by == "expiry":
        assert (shop.read(placed)["status"], books["refunded_minor"]) == ("paid", 0)
    else:
        assert (shop.read(placed)["status"], books["refunded_minor"]) == ("cancelled", total)
    assert shop.ledger_holds()


def test_a_closed_payment_is_not_asked_about_for_ever(shop: Shop) -> None:
    placed = shop.place("wallet")
    outbound.set_transport(says_pending)
    for _ in range(14):
        clock.advance(12 * HOUR)
        shop.settle()
    found = payment_tables.find(placed["payment"]["id"])
    assert found
    assert (found.status, found.ask_at) == ("expired", None)


def test_P2_a_refund_waits_for_the_capture_that_it_gives_back(shop: Shop) -> None:
    # Given an order that is paid by money which the gateway has only reserved
    placed = shop.place("mastercard")

    def without_captures(request: Request) -> Response:
        if request.method == "PUT":
            raise OutcomeUnknown("the gateway does not answer")
        return shop.bank.carry(request)

    outbound.set_transport(without_captures)
    shop.bank.press(placed["payment"]["id"])
    shop.settle()
    assert shop.read(placed)["payments"][0]["status"] == "capture_requested"
    # When it is cancelled before that is taken
    assert shop.as_buyer(placed, "cancel").status == 200
    shop.settle()
    outbound.set_transport(shop.bank.carry)
    for _ in range(3):
        clock.advance(HOUR)
        shop.settle()
    # Then it is taken, and given back
    books = shop.books(placed)
    assert books["captured_minor"] == books["refunded_minor"] > 0
    assert shop.read(placed)["status"] == "refunded"


def test_nobody_sends_what_the_provider_will_not_take_the_money_for(shop: Shop) -> None:
    # Given a paid order whose reserved money the gateway then refuses to take
    placed = shop.place("mastercard", {BOWL: 1})

    def refusing(request: Request) -> Response:
        if request.method != "PUT":
            return shop.bank.carry(request)
        said = {
            "result": "FAILURE",
            "response": {"gatewayCode": "EXPIRED_CARD"},
            "order": {"id": placed["payment"]["id"]},
            "transaction": {"id": request.url.rpartition("/")[2]},
        }
        return Response(200, json.dumps(said).encode())

    outbound.set_transport(refusing)
    shop.bank.press(placed["payment"]["id"])
    shop.settle()
    # Then an operator sees it, and the artisan cannot send yet
    [seen] = shop.listed("payments?review=true")
    assert "capture was refused" in seen["review_reason"]
    [parcel] = placed["order"]["parcels"]
    sent = {"carrier": "Amana", "tracking": "EE-1-MA"}
    refused = shop.as_artisan(OWNER, f"parcels/{parcel['id']}/ship", sent)
    assert (refused.status, refused.json["code"]) == (409, "payment_in_doubt")
    # When the money is taken after all
    outbound.set_transport(shop.bank.carry)
    clock.advance(HOUR)
    shop.settle()
    # Then it is sent
    assert shop.read(placed)["payments"][0]["status"] == "captured"
    assert shop.as_artisan(OWNER, f"parcels/{parcel['id']}/ship", sent).status == 200


def test_an_operator_lets_go_what_was_kept_from_being_sent(shop: Shop) -> None:
    placed = shop.paid("card", {BOWL: 1})
    payment = payment_tables.find(placed["payment"]["id"])
    assert payment is not None
    inquiries.flag(payment, "the provider has not captured it: absent")
    [parcel] = placed["order"]["parcels"]
    sent = {"carrier": "Amana", "tracking": "EE-1-MA"}
    path = f"parcels/{parcel['id']}/ship"
    assert shop.as_artisan(OWNER, path, sent).json["code"] == "payment_in_doubt"
    why = {"reason": "it stands in the bank's statement"}
    assert shop.as_operator(f"payments/{payment.payment_id}/reviewed", why).status == 200
    assert shop.as_artisan(OWNER, path, sent).status == 200


def test_cmi_is_not_told_to_debit_what_was_called_off(shop: Shop) -> None:
    placed = shop.place("card")
    payment_id, minor = placed["payment"]["id"], placed["payment"]["amount"]["amount_minor"]
    assert post_cmi(shop.api, cmi_body(payment_id, minor)).text == "ACTION=POSTAUTH"
    assert post_cmi(shop.api, cmi_body(payment_id, minor, rnd="r2")).text == "ACTION=POSTAUTH"
    assert shop.as_buyer(placed, "cancel").status == 200
    assert post_cmi(shop.api, cmi_body(payment_id, minor, rnd="r3")).text == "APPROVED"
    # What was answered once is answered the same again
    assert post_cmi(shop.api, cmi_body(payment_id, minor)).text == "ACTION=POSTAUTH"


def test_P7_a_dispute_that_is_told_of_before_its_money_waits_for_it(shop: Shop) -> None:
    placed = shop.place("wallet")
    payment_id, minor = placed["payment"]["id"], placed["payment"]["amount"]["amount_minor"]
    disputed = wallet_event(payment_id, minor, type="payment.disputed", reason="opened")
    assert post_wallet(shop.api, disputed, "msg_d").status == 204
    shop.settle()
    assert post_wallet(shop.api, wallet_event(payment_id, minor), "msg_p").status == 204
    clock.advance(20 * 60)
    shop.settle()
    assert shop.read(placed)["payments"][0]["status"] == "disputed"
    assert shop.balance(OWNER)["held"] > 0


def test_a_chargeback_that_nobody_announced_is_one(shop: Shop) -> None:
    placed = shop.paid("wallet")
    payment_id, minor = placed["payment"]["id"], placed["payment"]["amount"]["amount_minor"]
    lost = wallet_event(payment_id, minor, type="payment.disputed", reason="lost")
    assert post_wallet(shop.api, lost, "msg_l").status == 204
    shop.settle()
    assert shop.read(placed)["payments"][0]["status"] == "charged_back"
    assert set(shop.balance(OWNER).values()) == {0}
    assert shop.ledger_holds()


def test_a_dispute_about_another_amount_is_for_an_operator_to_see(shop: Shop) -> None:
    placed = shop.paid("wallet")
    disputed = wallet_event(placed["payment"]["id"], 500, type="payment.disputed", reason="opened")
    post_wallet(shop.api, disputed, "msg_d")
    shop.settle()
    [seen] = shop.listed("payments?review=true")
    assert seen["review_reason"] == "another amount is disputed"


def test_the_same_money_under_two_webhook_ids_is_one_even_without_a_reference(
    shop: Shop,
) -> None:
    placed = shop.place("wallet")
    event = wallet_event(placed["payment"]["id"], placed["payment"]["amount"]["amount_minor"])
    del event["provider_reference"]
    for event_id in ("msg_1", "msg_2"):
        assert post_wallet(shop.api, event, event_id).status == 204
    shop.settle()
    seen = shop.read(placed)
    assert (seen["status"], seen["payments"][0]["review"]) == ("paid", False)
    assert shop.listed("refunds?status=approved") == []


class TestArtisans:
    def test_one_does_not_see_what_went_back_for_anothers_goods(self, shop: Shop) -> None:
        placed = shop.paid()
        rug = next(p for p in placed["order"]["parcels"] if p["artisan_id"] == OTHER_ARTISAN)
        shop.as_artisan(OTHER_ARTISAN, f"parcels/{rug['id']}/decline", {"reason": "sold"})
        shop.settle()
        path = f"/v1/orders/{placed['order']['id']}"
        seen = shop.api.get(path, token=shop.token_of(OWNER)).json
        assert (seen["status"], seen["refunded"]["amount_minor"]) == ("paid", 0)

    @pytest.mark.parametrize("sent", [{"carrier": " "}, {"carrier": "A", "tracking": " \u200b "}])
    def test_a_carrier_without_a_name_is_refused(self, shop: Shop, sent: dict[str, str]) -> None:
        placed = shop.paid()
        [bowl] = [p for p in placed["order"]["parcels"] if p["artisan_id"] == OWNER]
        refused = shop.as_artisan(OWNER, f"parcels/{bowl['id']}/ship", sent)
        assert (refused.status, refused.json["code"]) == (422, "invalid_fields")

    def test_returns_are_found_in_a_list_and_only_ones_own(self, shop: Shop) -> None:
        placed = shop.paid()
        shop.send_all(placed)
        body = {"lines": [{"listing_id": BOWL, "quantity": 1}], "reason": "too big"}
        asked = shop.as_buyer(placed, "returns", body).json
        own = shop.api.get("/v1/me/returns", token=shop.token_of(OWNER)).json["data"]
        assert [each["id"] for each in own] == [asked["id"]]
        others = shop.api.get("/v1/me/returns", token=shop.token_of(OTHER_ARTISAN)).json["data"]
        assert others == []

    def test_goods_that_come_back_after_a_refund_give_back_what_is_left(self, shop: Shop) -> None:
        placed = shop.paid()
        shop.send_all(placed)
        body = {"lines": [{"listing_id": BOWL, "quantity": 1}], "reason": "too big"}
        asked = shop.as_buyer(placed, "returns", body).json["id"]
        refund = {"reason": "goodwill", "lines": [{"listing_id": BOWL, "quantity": 1}]}
        shop.as_operator(f"payments/{placed['payment']['id']}/refunds", refund)
        received = shop.as_artisan(OWNER, f"returns/{asked}/received")
        assert (received.status, received.json["status"]) == (200, "received")
        shop.settle()
        assert shop.read(placed)["refunded"]["amount_minor"] == BOWL_PRICE

    def test_what_was_given_back_whole_is_not_sent(self, shop: Shop) -> None:
        placed = shop.paid()
        shop.as_operator(f"payments/{placed['payment']['id']}/refunds", {"reason": "all"})
        shop.settle()
        [bowl] = [p for p in shop.read(placed)["parcels"] if p["artisan_id"] == OWNER]
        assert bowl["status"] == "cancelled"
        refused = shop.as_artisan(OWNER, f"parcels/{bowl['id']}/ship", {"carrier": "Amana"})
        assert (refused.status, refused.json["code"]) == (409, "parcel_state_forbids")


def test_a_refund_that_the_provider_never_decides_is_done_by_hand(shop: Shop) -> None:
    placed = shop.paid(lines={RUG: 1})
    path = f"payments/{placed['payment']['id']}/refunds"
    refund_id = shop.as_operator(path, {"reason": "x"}).json["id"]
    outbound.set_transport(lambda request: Response(422, b"{}"))
    shop.settle()
    early = shop.as_operator(f"refunds/{refund_id}/by-hand")
    assert (early.status, early.json["code"]) == (409, "refund_state_forbids")
    for _ in range(6):
        clock.advance(12 * HOUR)
        shop.settle()
    assert shop.as_operator(f"refunds/{refund_id}/by-hand").json["status"] == "manual"
    shop.as_operator(f"refunds/{refund_id}/confirm", {"reference": "BY-HAND"})
    shop.settle()
    assert shop.read(placed)["status"] == "refunded"


def test_an_order_is_not_paid_anew_for_ever(shop: Shop) -> None:
    placed = shop.place("cash_voucher")
    clock.advance(47 * HOUR)
    again = shop.as_buyer(placed, "payments", {"payment_method": "cash_voucher"})
    assert again.status == 201
    placed_at = clock.from_text(placed["order"]["placed_at"])
    assert clock.from_text(again.json["expires_at"]) == placed_at + timedelta(hours=72)
    clock.advance(26 * HOUR)
    late = shop.as_buyer(placed, "payments", {"payment_method": "cash_voucher"})
    assert (late.status, late.json["code"]) == (409, "order_not_payable")


def test_P12_a_request_that_was_cut_off_after_its_effect_has_it_once(shop: Shop) -> None:
    placed = shop.place("card", {BOWL: 1})
    token = {"Order-Token": placed["order_token"]}
    again = {"payment_method": "wallet"}
    asked = token | shop.key()
    first = shop.api.post(f"/v1/orders/{placed['order']['id']}/payments", again, headers=asked)
    forget_answers()
    second = shop.api.post(f"/v1/orders/{placed['order']['id']}/payments", again, headers=asked)
    assert (first.status, second.status) == (201, 201)
    assert first.json["id"] == second.json["id"]
    assert len(shop.read(placed)["payments"]) == 2
    # And so it is where what it made was paid meanwhile
    shop.bank.press(first.json["id"])
    shop.settle()
    forget_answers()
    third = shop.api.post(f"/v1/orders/{placed['order']['id']}/payments", again, headers=asked)
    assert (third.status, third.json["id"]) == (201, first.json["id"])
    # The same holds of asking to return what has arrived
    shop.send_all(placed)
    path = f"/v1/orders/{placed['order']['id']}/returns"
    wish = {"lines": [{"listing_id": BOWL, "quantity": 1}], "reason": "too red"}
    asked = token | shop.key()
    ids = []
    for _ in range(2):
        answered = shop.api.post(path, wish, headers=asked)
        assert answered.status == 201, answered.text
        ids.append(answered.json["id"])
        forget_answers()
    assert ids[0] == ids[1]


def test_operators_see_of_each_order_what_its_buyer_sees(shop: Shop) -> None:
    waiting = shop.place("card", {BOWL: 1})
    sent = shop.paid("wallet", {BOWL: 1, RUG: 1})
    shop.send_all(sent, upto="shipped")
    arrived = shop.paid("wallet", {RUG: 1})
    shop.send_all(arrived)
    listed = {order["id"]: order for order in shop.listed("orders")}
    for placed, status in (
        (waiting, "awaiting_payment"),
        (sent, "shipped"),
        (arrived, "delivered"),
    ):
        order = listed[placed["order"]["id"]]
        assert (order["status"], shop.read(placed)["status"]) == (status, status)
        assert order["total"] == placed["payment"]["amount"]


def forget_answers() -> None:
    """As if the process had died after the effect and before its answer was kept."""
    for row in IdempotencyTable.scan():
        row.delete()
