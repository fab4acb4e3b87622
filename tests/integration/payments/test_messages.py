"""What the streams say on: each change once, with the terms it was sold on."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.edge import queues
from chalicelib.payments.callback_tables import CallbackTable
from chalicelib.payments.providers.cmi import ver3_hash
from infra.local.pump import Pump
from tests.aws import Api
from tests.factories import shop
from tests.factories.orders import BOWL, OWNER, RUG, an_order_body, open_shop
from tests.factories.payments import cmi_body, cmi_fields, post_cmi, post_wallet, wallet_event

Sent = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What is put on queues; it is put there all the same."""
    seen: Sent = []
    real = queues.send

    def send(queue: str, message: Any, group: str | None = None) -> None:
        seen.append((queue, json.loads(message.model_dump_json())))
        real(queue, message, group)

    monkeypatch.setattr(queues, "send", send)
    return seen


def of_type(sent: Sent, name: str) -> list[dict[str, Any]]:
    return [message for _, message in sent if message["type"] == name]


def place(api: Api, lines: Any = None, method: str = "card") -> Any:
    body = an_order_body(lines, payment_method=method)
    return api.post("/v1/orders", body, headers={"Idempotency-Key": "k"}).json


def test_a_captured_payment_is_told_once_with_its_frozen_shares(
    api: Api, pump: Pump, sent: Sent
) -> None:
    open_shop()
    placed = place(api, {BOWL: 2, RUG: 1}, "wallet")
    amount = placed["payment"]["amount"]["amount_minor"]
    event = wallet_event(placed["payment"]["id"], amount)
    for event_id in ("msg_1", "msg_1", "msg_2"):
        assert post_wallet(api, event, event_id).status == 204
    pump.drain(sweep=True)
    [captured] = of_type(sent, "payment_captured")
    assert (captured["amount_minor"], captured["provider"]) == (amount, "wallet")
    shares = captured["shares"]
    assert sum(share["goods_minor"] + share["shipping_minor"] for share in shares) == amount
    assert {share["commission_bp"] for share in shares} == {1_000}
    assert len(shares) == 2


def test_a_card_payment_is_told_at_the_capture_request_and_not_again(
    api: Api, pump: Pump, sent: Sent
) -> None:
    open_shop()
    placed = place(api)
    body = cmi_body(placed["payment"]["id"])
    assert [post_cmi(api, body).text for _ in range(3)] == ["ACTION=POSTAUTH"] * 3
    pump.drain(sweep=True)
    assert len(of_type(sent, "payment_captured")) == 1
    assert of_type(sent, "callback_received") == [], "CMI's callbacks are decided when they come"


def test_a_delivery_is_told_once(api: Api, pump: Pump, sent: Sent) -> None:
    open_shop()
    placed = place(api)
    post_cmi(api, cmi_body(placed["payment"]["id"]))
    parcel = f"/v1/me/parcels/{placed['order']['parcels'][0]['id']}"
    api.post(f"{parcel}/ship", {"carrier": "Poste Maroc"}, token=api.artisan)
    for _ in range(2):
        assert api.post(f"{parcel}/delivered", {}, token=api.artisan).status == 200
    pump.drain()
    [delivered] = of_type(sent, "parcel_delivered")
    assert (delivered["artisan_id"], delivered["order_id"]) == (OWNER, placed["order"]["id"])


def test_a_payouts_result_goes_to_payouts(api: Api, pump: Pump, sent: Sent) -> None:
    event = wallet_event("pot_x", 500, type="payout.failed", reason="ceiling exceeded")
    assert post_wallet(api, event).status == 204
    pump.drain()
    [reported] = of_type(sent, "payout_reported")
    assert (reported["outcome"], reported["amount_minor"], reported["reason"]) == (
        "failed", 500, "ceiling exceeded",
    )  # fmt: skip


def test_values_come_as_cmi_sends_them(api: Api) -> None:
    """Decimals left out, entities, a trailing line feed: the same money."""
    open_shop({BOWL: 5, RUG: 5})
    placed = place(api, {RUG: 1})
    minor = placed["payment"]["amount"]["amount_minor"]
    assert minor == 103_500
    meant = cmi_fields(placed["payment"]["id"], minor, amount="1035", ErrMsg="l'a & b")
    posted = meant | {"hashAlgorithm": "ver3\n", "ErrMsg": "l&#039;a &amp; b"}
    body = urlencode({**posted, "HASH": ver3_hash(meant, "TEST1234")}).encode()
    assert post_cmi(api, body).text == "ACTION=POSTAUTH"


def test_another_merchants_callback_is_parked_and_not_debited(api: Api) -> None:
    open_shop()
    placed = place(api)
    body = cmi_body(placed["payment"]["id"], clientid="700000000")
    assert post_cmi(api, body).text == "APPROVED"
    assert {found[0] for found in shop.statuses()["payments"].values()} == {"pending"}
    assert [kept.status for kept in CallbackTable.scan()] == ["parked"]


def test_another_currency_is_not_debited(api: Api) -> None:
    open_shop()
    placed = place(api)
    assert post_cmi(api, cmi_body(placed["payment"]["id"], currency="840")).text == "APPROVED"
    assert {found[0] for found in shop.statuses()["payments"].values()} == {"pending"}
