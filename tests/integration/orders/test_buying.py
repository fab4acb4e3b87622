"""Quotes, refusals, cancelling, and what each party sees of an order."""

from typing import Any

import pytest

from chalicelib import clock
from chalicelib.edge.auth import artisan_id_of
from chalicelib.edge.sweeps import StepsFailed
from chalicelib.listings.tables import ListingTable
from chalicelib.orders import service as orders
from chalicelib.orders.domain import OrderState
from chalicelib.orders.tables import OrderTable
from chalicelib.payments import expiry
from chalicelib.stock import service as stock
from infra.local.pump import Pump
from tests.aws import Answered, Api
from tests.factories import shop
from tests.factories.orders import (
    BOWL,
    BOWL_PRICE,
    BOWL_TOTAL,
    HOME_SHIPPING,
    OTHER_ARTISAN,
    OWNER,
    RUG,
    RUG_PRICE,
    an_order_body,
    open_shop,
)
from tests.factories.payments import cmi_body, post_cmi
from tests.wire import counted

BOTH = {BOWL: 1, RUG: 1}


@pytest.fixture
def buying(api: Api) -> Api:
    open_shop()
    return api


def place(api: Api, key: str = "key-1", lines: Any = None, **changes: Any) -> Answered:
    body = an_order_body(lines, **changes)
    return api.post("/v1/orders", body, headers={"Idempotency-Key": key})


def pay(api: Api, placed: Any) -> None:
    minor = placed["payment"]["amount"]["amount_minor"]
    answered = post_cmi(api, cmi_body(placed["payment"]["id"], minor))
    assert answered.text == "ACTION=POSTAUTH"


def check_nothing_held() -> None:
    assert shop.all_orders() == []
    assert all(item.held == 0 for item in shop.check_shop().values())


def money(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "MAD"}


def test_a_quote_has_a_parcel_for_each_artisan_and_holds_nothing(buying: Api) -> None:
    body = {"lines": an_order_body(BOTH)["lines"], "ship_to": {"country": "FR"}}
    quoted = buying.post("/v1/quotes", body).json
    assert [parcel["artisan_id"] for parcel in quoted["parcels"]] == [OWNER, OTHER_ARTISAN]
    assert quoted["goods"] == money(BOWL_PRICE + RUG_PRICE)
    assert quoted["shipping"] == money(2 * 16_000)
    assert quoted["total"] == money(BOWL_PRICE + RUG_PRICE + 32_000)
    assert quoted["customs"]["required"] is True
    check_nothing_held()


def test_an_order_is_priced_by_us_and_split_by_artisan(buying: Api) -> None:
    placed = place(buying, lines=BOTH).json
    order, payment = placed["order"], placed["payment"]
    assert order["status"] == "awaiting_payment"
    assert order["totals"] == {
        "goods": money(BOWL_PRICE + RUG_PRICE),
        "shipping": money(2 * HOME_SHIPPING),
        "total": money(BOWL_PRICE + RUG_PRICE + 2 * HOME_SHIPPING),
    }
    assert payment["amount"] == order["totals"]["total"]
    assert payment["action"]["type"] == "redirect_form"
    assert payment["action"]["fields"]["oid"] == payment["id"]


@pytest.mark.parametrize(("method", "kind"), [("wallet", "redirect"), ("cash_voucher", "voucher")])
def test_each_way_of_paying_says_what_to_do_next(buying: Api, method: str, kind: str) -> None:
    assert place(buying, payment_method=method).json["payment"]["action"]["type"] == kind


@pytest.mark.parametrize(
    ("lines", "changes", "status", "code", "extra"),
    [
        ({BOWL: 6}, {}, 409, "insufficient_stock", {"available": 5, "listing_id": BOWL}),
        ({BOWL: 1, RUG: 6}, {}, 409, "insufficient_stock", {"available": 5, "listing_id": RUG}),
        ({"lst_" + "z" * 24: 1}, {}, 409, "listing_not_for_sale", {}),
        ({BOWL: 1}, {"ship_to": {"country": "AQ"}}, 409, "does_not_ship_to", {"country": "AQ"}),
        ({BOWL: 1}, {"expected_total": money(1)}, 409, "price_changed", {"total": money(28_490)}),
    ],
)
def test_a_refused_order_says_why_and_leaves_no_hold(
    buying: Api, lines: Any, changes: Any, status: int, code: str, extra: Any
) -> None:
    refused = place(buying, lines=lines, **changes)
    assert (refused.status, refused.json["code"]) == (status, code), refused.body
    assert extra.items() <= refused.json.items()
    check_nothing_held()


def test_the_total_the_buyer_saw_is_accepted(buying: Api) -> None:
    assert place(buying, expected_total=money(BOWL_TOTAL)).status == 201


def test_anothers_order_is_like_none(buying: Api) -> None:
    placed = place(buying).json
    path = f"/v1/orders/{placed['order']['id']}"
    none = buying.get("/v1/orders/ord_none", headers={"Order-Token": placed["order_token"]})
    for headers in ({}, {"Order-Token": "otk_wrong"}, {"Order-Token": ""}):
        answered = buying.get(path, headers=headers)
        assert answered.status in (401, 404)
        assert placed["order"]["id"] not in answered.text
    wrong = buying.get(path, headers={"Order-Token": "otk_wrong"})
    assert (wrong.status, wrong.json["code"]) == (404, none.json["code"])
    assert buying.get(path, headers={"Order-Token": placed["order_token"]}).status == 200
    assert buying.get(path, token=buying.operator).status == 200


def test_an_artisan_sees_their_own_part_and_works_on_it_once_it_is_paid(buying: Api) -> None:
    placed = place(buying, lines=BOTH).json
    path = f"/v1/orders/{placed['order']['id']}"
    unpaid = buying.get(path, token=buying.artisan).json
    assert (unpaid["status"], unpaid["payments"]) == ("awaiting_payment", [])
    assert buying.get("/v1/me/orders", token=buying.artisan).json["data"] == []
    pay(buying, placed)
    seen = buying.get(path, token=buying.artisan).json
    assert [line["listing_id"] for line in seen["lines"]] == [BOWL]
    assert [parcel["artisan_id"] for parcel in seen["parcels"]] == [OWNER]
    assert seen["payments"] == []
    [own] = buying.get("/v1/me/orders", token=buying.artisan).json["data"]
    assert own["parcel"]["artisan_id"] == OWNER
    stranger = buying.token("stranger", "artisans")
    assert artisan_id_of("stranger") not in (OWNER, OTHER_ARTISAN)
    assert buying.get(path, token=stranger).status == 404
    parcel = f"/v1/me/parcels/{seen['parcels'][0]['id']}/accept"
    assert buying.post(parcel, {}, token=stranger).status == 404
    assert buying.post(parcel, {}, token=buying.artisan).status == 200


def test_a_parcel_moves_only_forward_and_only_once_paid(buying: Api) -> None:
    placed = place(buying).json
    path = f"/v1/me/parcels/{placed['order']['parcels'][0]['id']}"
    shipping = {"carrier": "Poste Maroc", "tracking": "RR1"}

    def step(name: str, body: Any = None) -> Answered:
        return buying.post(f"{path}/{name}", body or {}, token=buying.artisan)

    assert step("accept").json["code"] == "parcel_state_forbids"
    pay(buying, placed)
    assert step("delivered").status == 409
    assert step("accept").json["status"] == "preparing"
    shipped = step("ship", shipping).json
    assert (shipped["status"], shipped["carrier"], shipped["tracking"]) == (
        "shipped", "Poste Maroc", "RR1",
    )  # fmt: skip
    assert step("accept").status == 409
    assert step("delivered").json["status"] == "delivered"
    assert step("delivered").status == 200
    assert step("ship", shipping).status == 409
    order = buying.get(
        f"/v1/orders/{placed['order']['id']}", headers={"Order-Token": placed["order_token"]}
    )
    assert order.json["status"] == "delivered"


def test_cancelling_gives_the_stock_back_at_once(buying: Api) -> None:
    placed = place(buying, lines=BOTH).json
    path = f"/v1/orders/{placed['order']['id']}/cancel"
    token = {"Order-Token": placed["order_token"]}
    assert buying.post(path, {}, headers={"Order-Token": "otk_x"}).status == 404
    cancelled = buying.post(path, {}, headers=token)
    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    assert all(item.available == 5 for item in shop.check_shop().values())
    assert buying.post(path, {}, headers=token).json["status"] == "cancelled"
    again = buying.post(
        f"/v1/orders/{placed['order']['id']}/payments",
        {"payment_method": "wallet"},
        headers=token | {"Idempotency-Key": "k"},
    )
    assert (again.status, again.json["code"]) == (409, "order_not_payable")


def test_a_paid_order_that_was_sent_is_not_cancelled(buying: Api) -> None:
    placed = place(buying).json
    pay(buying, placed)
    [parcel] = placed["order"]["parcels"]
    sent = {"carrier": "Amana", "tracking": "EE1MA"}
    buying.post(f"/v1/me/parcels/{parcel['id']}/ship", sent, token=buying.artisan)
    path = f"/v1/orders/{placed['order']['id']}/cancel"
    refused = buying.post(path, {}, headers={"Order-Token": placed["order_token"]})
    assert (refused.status, refused.json["code"]) == (409, "already_shipped")


def test_an_order_expires_by_the_clock_and_its_stock_comes_back(buying: Api, pump: Pump) -> None:
    placed = place(buying, lines=BOTH).json
    clock.advance(15 * 60 + 61)
    pump.drain(sweep=True)
    pump.drain(sweep=True)
    seen = buying.get(
        f"/v1/orders/{placed['order']['id']}", headers={"Order-Token": placed["order_token"]}
    ).json
    assert (seen["status"], seen["payments"][0]["status"]) == ("expired", "expired")
    assert all(item.available == 5 for item in shop.check_shop().values())


def test_paying_another_way_keeps_the_stock_for_as_long(buying: Api, pump: Pump) -> None:
    placed = place(buying).json
    again = buying.post(
        f"/v1/orders/{placed['order']['id']}/payments",
        {"payment_method": "cash_voucher"},
        headers={"Order-Token": placed["order_token"], "Idempotency-Key": "again"},
    )
    assert (again.status, again.json["action"]["type"]) == (201, "voucher")
    clock.advance(24 * 3600)
    pump.drain(sweep=True)
    assert shop.check_shop()[BOWL].held == 1
    assert shop.all_orders()[0].state == "awaiting_payment"


def test_what_is_not_there_and_can_be_made_is_made_to_order(buying: Api) -> None:
    # Given a listing of which fewer are there than are asked for, and which its artisan makes anew
    row = ListingTable.get(BOWL)
    row.update([ListingTable.made_to_order_days.set(21)])
    before = stock.levels([BOWL])[BOWL]
    # When more are ordered than there are
    placed = place(buying, lines={BOWL: before.available + 1})
    # Then they are sold, to be made, and no stock is touched
    assert placed.status == 201
    assert placed.json["order"]["lines"][0]["made_to_order_days"] == 21
    assert stock.levels([BOWL])[BOWL] == before
    pay(buying, placed.json)
    assert stock.levels([BOWL])[BOWL] == before


def test_P9_an_order_that_cannot_be_read_keeps_no_other_from_expiring(buying: Api) -> None:
    # Given two overdue orders, of which one's row is broken
    broken = place(buying, "key-1").json["order"]["id"]
    sound = place(buying, "key-2", lines={RUG: 1}).json["order"]["id"]
    OrderTable(broken, "order").update([OrderTable.state.set("nonsense")])
    clock.advance(15 * 60 + 61)
    # When the sweep runs, it says so
    with pytest.raises(StepsFailed):
        expiry.expire_overdue_orders()
    # Then the other one has expired
    assert orders.order(sound).state is OrderState.EXPIRED


def test_an_artisans_list_of_any_length_is_two_reads(buying: Api) -> None:
    for number in range(3):
        pay(buying, place(buying, f"key-{number}").json)
    buying.get("/v1/me/orders", token=buying.artisan)
    with counted() as asked:
        found = buying.get("/v1/me/orders", token=buying.artisan).json["data"]
    assert [row["lines"][0]["listing_id"] for row in found] == [BOWL] * 3
    assert asked.count("Query") == 1
    assert asked.count("BatchGetItem") == 1
    assert len(asked) == 2
