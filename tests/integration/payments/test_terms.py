"""What is agreed at the sale stays: what is paid, shared, given back and shown goes by it."""

from typing import Any

import pytest

from chalicelib import clock
from chalicelib.orders import tables as order_tables
from chalicelib.payments import evidence
from chalicelib.payments import tables as payment_tables
from chalicelib.stock import service as stock
from chalicelib.terms import service as terms
from chalicelib.terms import tables as terms_tables
from chalicelib.terms.domain import Carrier
from tests.aws import Api
from tests.factories.links import begin, make_link, open_stall_quietly
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
)
from tests.factories.terms import a_campaign, a_rule
from tests.integration.payments.conftest import Shop
from tests.quick_moto import quick_moto  # noqa: F401  a fixture
from tests.wire import counted

pytestmark = pytest.mark.usefixtures("quick_moto")
FULL_PRICE = BOWL_TOTAL - 2_499 - 499  # less 10 % of the bowl, and 1.75 % of all


def mad(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "MAD"}


def rule(*args: Any, **changes: Any) -> None:
    now = clock.now()
    terms_tables.add_rule(a_rule(*args, starts_at=now, made_at=now, **changes))


def campaign(discount_bp: int, **changes: Any) -> None:
    now = clock.now()
    ends_at = now.replace(year=now.year + 1)
    terms_tables.add_campaign(
        a_campaign(discount_bp, **{"starts_at": now, "ends_at": ends_at, "made_at": now} | changes)
    )


def levels_of(listing_id: str) -> Any:
    return stock.levels([listing_id])[listing_id]


def place(shop: Shop, lines: dict[str, int], **changes: Any) -> Any:
    body = an_order_body(lines, payment_method="wallet", **changes)
    return shop.api.post("/v1/orders", body, headers=shop.key())


def bought(shop: Shop, lines: dict[str, int], **changes: Any) -> Any:
    placed = place(shop, lines, **changes)
    assert placed.status == 201, placed.text
    shop.bank.press(placed.json["payment"]["id"])
    shop.settle()
    return placed.json


def seen_by(shop: Shop, placed: Any, token: str | None, **headers: str) -> Any:
    path = f"/v1/orders/{placed['order']['id']}"
    return shop.api.get(path, token=token, headers=headers).json["terms"]


def test_each_parcel_goes_by_the_rule_of_its_line_and_its_artisan_is_told(shop: Shop) -> None:
    rule("cru_rugs", 500, artisan_id=OTHER_ARTISAN, cap_minor=4_000)
    placed = bought(shop, {BOWL: 1, RUG: 1})
    (own,) = seen_by(shop, placed, shop.token_of(OTHER_ARTISAN))
    assert (own["commission"], own["vat"]) == (mad(4_000), mad(667))
    (line,) = own["lines"]
    said = [line[name] for name in ("rule_id", "rule_version", "rule_name", "because")]
    assert said == ["cru_rugs", 1, "rule cru_rugs", "artisan"]
    listed = shop.api.get("/v1/me/orders", token=shop.token_of(OTHER_ARTISAN)).json["data"]
    assert [each["terms"] for each in listed] == [own]
    # Also where they are the buyer too.
    token = {"Order-Token": placed["order_token"]}
    assert seen_by(shop, placed, shop.token_of(OTHER_ARTISAN), **token) == [own]
    both = seen_by(shop, placed, shop.api.operator)
    assert [each["commission"] for each in both] == [mad(2_499), mad(4_000)]
    assert both[0]["lines"][0]["because"] == "standard"
    # The buyer is told nothing of it.
    assert seen_by(shop, placed, None, **token) is None
    assert placed["order"]["terms"] is None
    fee = 1_811  # 1.75 % of the rug with its shipping; the two add up to 1.75 % of all
    assert shop.balance(OTHER_ARTISAN)["pending"] == RUG_PRICE + HOME_SHIPPING - 4_000 - fee
    assert shop.balance(OWNER)["pending"] == FULL_PRICE
    assert shop.ledger_holds()


def test_the_terms_are_those_of_the_sale_whatever_the_rules_become(shop: Shop) -> None:
    placed = place(shop, {BOWL: 1}).json
    rule("cru_new", 3_000)
    clock.advance(terms.BOOK_SECONDS + 1)
    again = shop.as_buyer(placed, "payments", {"payment_method": "wallet"})
    assert again.status == 201
    shares = payment_tables.find(again.json["id"])
    assert shares is not None
    assert [share.commission_minor for share in shares.shares] == [2_499]
    shop.bank.press(again.json["id"])
    shop.settle()
    assert shop.balance(OWNER)["pending"] == FULL_PRICE
    assert seen_by(shop, placed, shop.api.operator)[0]["lines"][0]["rule_id"] == "standard"
    # The next one is sold by the new rule.
    (newer,) = seen_by(shop, place(shop, {BOWL: 1}).json, shop.api.operator)
    assert newer["commission"] == mad(7_497)


def test_a_discount_that_we_carry_costs_the_artisan_nothing(shop: Shop) -> None:
    campaign(500)
    quote = {"lines": an_order_body()["lines"], "ship_to": {"country": "MA"}, "campaign": "AFCON"}
    quoted = shop.api.post("/v1/quotes", quote).json
    assert (quoted["discount"], quoted["goods"]) == (mad(1_250), mad(BOWL_PRICE - 1_250))
    total = BOWL_TOTAL - 1_250
    placed = bought(shop, {BOWL: 1}, campaign="AFCON", expected_total=quoted["total"])
    assert placed["order"]["totals"]["total"] == placed["payment"]["amount"] == mad(total)
    assert placed["order"]["lines"][0]["discount"] == placed["order"]["discount"] == mad(1_250)
    assert shop.books(placed)["captured_minor"] == total
    assert shop.balance(OWNER)["pending"] == FULL_PRICE
    (told,) = seen_by(shop, placed, shop.api.operator)
    assert told["commission"] == mad(2_499 - 1_250)
    assert told["lines"][0]["discount_carried_by"] == "platform"
    order = order_tables.find(placed["order"]["id"])
    assert order is not None
    assert evidence._order(order)["lines"][0]["amount_minor"] == BOWL_PRICE - 1_250
    assert shop.as_operator(
        f"payments/{placed['payment']['id']}/refunds", {"reason": "all of it"}
    ).json["amount"] == mad(total)
    shop.settle()
    assert set(shop.balance(OWNER).values()) == {0}
    assert shop.ledger_holds()


def test_pieces_of_a_discounted_line_are_refunded_to_the_centime(shop: Shop) -> None:
    campaign(333, carried_by=Carrier.ARTISAN, artisan_ids=frozenset({OWNER}))
    placed = bought(shop, {BOWL: 3}, campaign="AFCON")
    goods = placed["order"]["lines"][0]["amount"]["amount_minor"]
    assert goods == 3 * BOWL_PRICE - 2_497  # 24.965, half up
    (told,) = seen_by(shop, placed, shop.api.operator)
    assert told["commission"] == mad(7_247)  # 10 % of the lower price
    path = f"payments/{placed['payment']['id']}/refunds"
    one = {"reason": "one piece", "lines": [{"listing_id": BOWL, "quantity": 1}]}
    asked = [shop.as_operator(path, one) for _ in range(3)]
    assert [each.status for each in asked] == [201] * 3
    pieces = [each.json["amount"]["amount_minor"] for each in asked]
    assert sum(pieces) == goods
    assert max(pieces) - min(pieces) <= 1
    shop.settle()
    assert shop.ledger_holds()
    left = shop.as_operator(path, {"reason": "the rest"}).json["amount"]["amount_minor"]
    assert left == placed["order"]["totals"]["shipping"]["amount_minor"]


def test_a_campaign_that_is_not_running_refuses_the_order_and_holds_nothing(
    shop: Shop,
) -> None:
    campaign(500, starts_at=clock.now().replace(year=clock.now().year + 1))
    for code in ("AFCON", "NONE-SUCH"):
        refused = place(shop, {BOWL: 1}, campaign=code)
        assert refused.status == 409
        assert refused.json["code"] == "campaign_not_running"
    assert levels_of(BOWL).available == 5
    assert place(shop, {BOWL: 1}, campaign="<b>").status == 422


def test_the_same_request_stays_the_same_order_though_it_may_now_name_a_campaign(
    shop: Shop,
) -> None:
    campaign(500)
    headers = shop.key()
    body = an_order_body(payment_method="wallet")
    first = shop.api.post("/v1/orders", body, headers=headers)
    for same in (body, body | {"campaign": None}):
        again = shop.api.post("/v1/orders", same, headers=headers)
        assert (again.status, again.json["order"]["id"]) == (201, first.json["order"]["id"])
    other = shop.api.post("/v1/orders", body | {"campaign": "AFCON"}, headers=headers)
    assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")


def test_rules_cost_an_order_no_round_trip_but_one_a_minute(shop: Shop) -> None:
    place(shop, {RUG: 1})
    with counted() as warm:
        place(shop, {BOWL: 1})
    assert warm == ["Query", "BatchGetItem", "UpdateItem", "TransactWriteItems"]
    clock.advance(terms.BOOK_SECONDS)
    with counted() as later:
        place(shop, {RUG: 1})
    assert later.count("Query") == 3  # the order, the suspended artisans, the rules


def test_face_to_face_keeps_its_own_rate_and_says_so(api: Api) -> None:
    open_stall_quietly()
    rule("cru_all", 3_000, artisan_id=OWNER)
    begun = begin(api, make_link(api)).json
    found = payment_tables.find(begun["id"])
    assert found is not None
    assert [(each.commission_minor, each.commission_bp) for each in found.shares] == [(1_250, 500)]
    order = api.get(f"/v1/orders/{found.order_id}", token=api.operator).json
    (told,) = order["terms"]
    assert (told["commission"], told["vat"]) == (mad(1_250), mad(208))
    assert told["lines"][0]["because"] == told["lines"][0]["rule_id"] == "in_person"
