"""P12: one `Idempotency-Key` is one order, one hold and one answer."""

from typing import Any

import pytest

from chalicelib import clock
from chalicelib.orders.domain import OrderMismatch
from chalicelib.payments import checkout
from chalicelib.stock.domain import SoldOut
from infra.local.aws import LocalAws
from tests.aws import Api, both_databases
from tests.factories import shop
from tests.factories.orders import BOWL, RUG, an_order_body, an_order_request, open_shop
from tests.factories.payments import cmi_body, post_cmi, post_wallet, wallet_event
from tests.interleaving import interleave
from tests.quick_moto import quick_moto  # noqa: F401  a fixture
from tests.wire import counted

pytestmark = pytest.mark.usefixtures("quick_moto")

TIMES = 20
BOTH = {BOWL: 2, RUG: 1}


def place(api: Api, body: dict[str, Any], key: str | None = "key-1") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post("/v1/orders", body, headers=headers)


@both_databases
def test_P12_twenty_times_the_same_request_is_one_order(aws: LocalAws, api: Api) -> None:
    open_shop()
    answers = [place(api, an_order_body(BOTH)) for _ in range(TIMES)]
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    replayed = [answer.headers.get("idempotent-replayed") for answer in answers]
    assert replayed == [None] + ["true"] * (TIMES - 1)
    found = shop.check_shop()
    assert len(shop.all_orders()) == 1
    assert (found[BOWL].held, found[RUG].held, len(found[BOWL].holds)) == (2, 1, 1)


@pytest.mark.parametrize("seed", range(12))
def test_P12_the_same_request_many_times_at_once_is_one_order(aws: LocalAws, seed: int) -> None:
    open_shop({BOWL: 2, RUG: 1})
    request = an_order_request("key-1", BOTH)
    checkout.orders.quote(request.wanted, "MA", "en")
    results = interleave([lambda: shop.buy(request)] * 6, seed)
    assert {result.order.order_id for result in results} == {request.order_id}
    assert sorted(result.replayed for result in results) == [False] + [True] * 5
    found = shop.check_shop()
    assert (found[BOWL].held, found[RUG].held) == (2, 1)


@pytest.mark.parametrize("seed", range(12))
def test_P12_two_contents_under_one_key_at_once_leave_one_order(aws: LocalAws, seed: int) -> None:
    open_shop()
    one, other = an_order_request("key-1", {BOWL: 1}), an_order_request("key-1", BOTH)
    checkout.orders.quote(other.wanted, "MA", "en")
    results = interleave([lambda: shop.buy(one), lambda: shop.buy(other)], seed)
    assert any(isinstance(result, OrderMismatch) for result in results)
    found = shop.check_shop()
    orders = shop.all_orders()
    assert len(orders) <= 1
    wanted = orders[0].quantities() if orders else {}
    assert {name: item.held for name, item in found.items() if item.held} == wanted


def test_P12_another_content_under_the_key_is_refused_and_holds_nothing(api: Api) -> None:
    open_shop()
    first = place(api, an_order_body({BOWL: 1}))
    other = place(api, an_order_body({BOWL: 2, RUG: 1}))
    assert (other.status, other.json.get("code")) == (422, "idempotency_mismatch")
    found = shop.check_shop()
    assert (found[BOWL].held, found[RUG].held) == (1, 0)
    assert place(api, an_order_body({BOWL: 1})).body == first.body


def test_P12_without_a_key_there_is_no_order(api: Api) -> None:
    open_shop()
    refused = place(api, an_order_body(), key=None)
    assert (refused.status, refused.json["code"]) == (400, "idempotency_key_missing")
    assert shop.all_orders() == []
    assert shop.check_shop()[BOWL].held == 0


def test_P12_nobody_reaches_anothers_order_by_their_key(api: Api) -> None:
    open_shop()
    mine = place(api, an_order_body()).json
    buyer = {"name": "Badr Tester", "email": "badr@example.com", "language": "fr"}
    theirs = place(api, an_order_body(buyer=buyer))
    assert theirs.status == 201
    assert theirs.json["order"]["id"] != mine["order"]["id"]
    assert theirs.json["order_token"] != mine["order_token"]


def test_P12_a_request_that_was_refused_may_be_sent_again(api: Api) -> None:
    open_shop({BOWL: 0})
    assert place(api, an_order_body()).json["code"] == "sold_out"
    shop.stock.set_on_hand(BOWL, 1)
    assert place(api, an_order_body()).status == 201


def test_a_retry_after_the_hold_has_expired_holds_for_the_whole_time(aws: LocalAws) -> None:
    # Given a request that died after it took its hold
    open_shop({BOWL: 1})
    request = an_order_request()
    checkout.orders.open_order(request)
    clock.advance(shop.FIFTEEN_MINUTES)
    # When it is sent again after the hold has run out
    placed = shop.buy(request)
    # Then nobody else can take what this buyer is paying for
    with pytest.raises(SoldOut):
        shop.buy(an_order_request("key-2", email="other@example.com"))
    assert shop.card_callback(placed.payment.payment_id) == "ACTION=POSTAUTH"


def test_P12_the_answer_is_the_same_after_the_order_was_paid_and_sent(api: Api) -> None:
    # Given an order that was declined once, tried another way, paid and shipped
    open_shop()
    first = place(api, an_order_body())
    placed = first.json
    order_path, payment = f"/v1/orders/{placed['order']['id']}", placed["payment"]
    minor = payment["amount"]["amount_minor"]
    post_cmi(api, cmi_body(payment["id"], minor, ProcReturnCode="05", Response="Declined"))
    keyed = {"Order-Token": placed["order_token"], "Idempotency-Key": "again"}
    api.post(f"{order_path}/payments", {"payment_method": "cash_voucher"}, headers=keyed)
    assert post_cmi(api, cmi_body(payment["id"], minor)).text == "ACTION=POSTAUTH"
    parcel = f"/v1/me/parcels/{placed['order']['parcels'][0]['id']}"
    api.post(f"{parcel}/ship", {"carrier": "Poste Maroc", "tracking": "RR1"}, token=api.artisan)
    now = api.get(order_path, headers={"Order-Token": placed["order_token"]}).json
    assert (now["status"], now["payments"][0]["status"]) == ("shipped", "capture_requested")
    # When the first request comes once more
    again = place(api, an_order_body())
    # Then it is answered as it was, and says so
    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.body == first.body


def test_paying_again_is_kept_under_its_key(api: Api) -> None:
    open_shop()
    placed = place(api, an_order_body()).json
    path = f"/v1/orders/{placed['order']['id']}/payments"
    token = {"Order-Token": placed["order_token"]}
    body = {"payment_method": "wallet"}
    assert api.post(path, body, headers=token).json["code"] == "idempotency_key_missing"
    keyed = token | {"Idempotency-Key": "again"}
    first, second = (api.post(path, body, headers=keyed) for _ in range(2))
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert second.headers["idempotent-replayed"] == "true"
    assert shop.all_orders()[0].payment_count == 2


def test_a_one_line_order_is_four_round_trips_and_a_wallet_callback_one(api: Api) -> None:
    open_shop()
    place(api, an_order_body(), key="warm")
    with counted() as asked:
        assert place(api, an_order_body(), key="measured").status == 201
    assert len(asked) <= 4, asked
    with counted() as asked:
        assert post_wallet(api, wallet_event("pay_x")).status == 204
    assert len(asked) <= 2, asked
