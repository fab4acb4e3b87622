"""Face to face: a link is made, a tourist pays it from a phone, its artisan sees it at once."""

from typing import Any

import pytest

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.orders import tables as order_tables
from chalicelib.orders.domain import OrderState
from chalicelib.payments import emv, link_tables
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.domain import ShareTerms
from chalicelib.settlement import reconciliation
from infra.local.outbox import messages_sent
from infra.local.pump import Pump
from tests.aws import Api
from tests.factories import bank as banks
from tests.factories import shop
from tests.factories.artisans import a_registration
from tests.factories.bank import InProcessBank
from tests.factories.links import (
    AMOUNT,
    LINKS,
    PRICE,
    ask_for_link,
    begin,
    code_in,
    make_link,
    open_stall,
    own,
)
from tests.factories.orders import BOWL, BOWL_PRICE, OTHER_ARTISAN, OWNER, RUG
from tests.factories.payments import post_wallet, wallet_event
from tests.factories.settlement import a_file, money_of, share_of
from tests.wire import counted

bank = banks.bank
METHODS = ["card", "wallet", "wallet_qr", "mastercard", "payzone"]
OF_BOWLS = {"listing_id": BOWL, "quantity": 2}


@pytest.fixture
def stall(api: Api) -> Api:
    open_stall(api)
    return api


def money(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "MAD"}


def hand_over(bank: InProcessBank, payment: Any) -> str:
    """Open the provider's page as the browser would, and press `pay`; where it leads back to."""
    action = payment["action"]
    if action["type"] == "redirect_form":
        target = action["url"].partition("/_local/")[2]
        assert bank.post_form(target, action["fields"]).status == 200
    return str(bank.press(payment["id"])["back_to"])


def _frozen(payment_id: str) -> tuple[ShareTerms, ...]:
    found = payment_tables.find(payment_id)
    assert found is not None
    return found.shares


class TestMaking:
    def test_a_link_has_a_short_address_two_codes_and_a_day_to_live(self, stall: Api) -> None:
        link = make_link(stall, {"amount": AMOUNT, "title": "Petit plat bleu"})
        assert link["id"].startswith("lnk_")
        assert link["url"] == f"{settings().public_url}/p/{code_in(link)}"
        assert len(code_in(link)) == 10
        assert link["qr"]["payload"] == link["url"]
        code = emv.read(link["emv"]["payload"])
        assert (code.amount.amount_minor, code.name, code.town) == (PRICE, "Atelier Tester", "Fes")
        assert code.label == code_in(link)
        assert "<script" not in link["qr"]["svg"] + link["emv"]["svg"]
        assert (link["status"], link["order_id"], link["paid_at"]) == ("open", None, None)
        assert (link["amount"], link["title"]) == (AMOUNT, "Petit plat bleu")
        clock.advance(24 * 3600 - 5)
        assert own(stall, link)["status"] == "open"
        clock.advance(10)
        assert own(stall, link)["status"] == "expired"

    def test_a_link_of_a_listing_has_its_price_and_title_and_holds_nothing(
        self, stall: Api
    ) -> None:
        link = make_link(stall, OF_BOWLS)
        assert link["amount"] == money(2 * BOWL_PRICE)
        assert (link["title"], link["listing_id"], link["quantity"]) == (
            "Table en zellige", BOWL, 2,
        )  # fmt: skip
        assert shop.check_shop()[BOWL].held == 0

    def test_P12_the_same_request_is_one_link(self, stall: Api) -> None:
        first, again = ask_for_link(stall), ask_for_link(stall)
        assert (first.status, again.status) == (201, 201)
        assert first.json == again.json
        assert again.headers["idempotent-replayed"] == "true"
        assert len(list(link_tables.LinkTable.scan())) == 1
        other = ask_for_link(stall, {"amount": money(100)})
        assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")
        missing = stall.post(LINKS, {"amount": AMOUNT}, token=stall.artisan)
        assert (missing.status, missing.json["code"]) == (400, "idempotency_key_missing")

    def test_the_same_key_of_two_artisans_is_two_links(self, stall: Api) -> None:
        other = stall.token("another-artisan", "artisans")
        link = make_link(stall)
        stall.post("/v1/artisans", a_registration(), token=other)
        stall.post(f"/v1/operator/artisans/{OTHER_ARTISAN}/verify", {}, token=stall.operator)
        theirs = ask_for_link(stall, token=other)
        assert theirs.status == 201
        assert theirs.json["id"] != link["id"]
        for path in (f"{LINKS}/{link['id']}", f"{LINKS}/lnk_{'a' * 24}"):
            answered = stall.get(path, token=other)
            assert (answered.status, answered.json["code"]) == (404, "unknown_payment_link")
            assert stall.post(f"{path}/cancel", {}, token=other).status == 404
        assert own(stall, link)["status"] == "open"
        data = stall.get(LINKS, token=other).json["data"]
        assert [each["id"] for each in data] == [theirs.json["id"]]

    def test_a_code_that_another_link_has_is_passed_over(
        self, stall: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Two ids of one beginning: with 50 bits nobody will see it, so it is made here.
        real = ids.keyed_id

        def alike(prefix: str, secret: str, *parts: str) -> str:
            made = real(prefix, secret, *parts)
            return f"lnk_{'a' * 10}{made[14:]}" if prefix == "lnk" and parts[-1] == "1" else made

        monkeypatch.setattr(ids, "keyed_id", alike)
        first, second = make_link(stall, key="one"), make_link(stall, key="two")
        assert code_in(first) == "a" * 10 != code_in(second)
        assert make_link(stall, key="two")["id"] == second["id"]

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"title": "nothing"}, 422, "amount_or_listing"),
            ({"amount": AMOUNT, "listing_id": BOWL}, 422, "amount_or_listing"),
            ({"amount": AMOUNT, "quantity": 2}, 422, "amount_or_listing"),
            ({"listing_id": BOWL, "title": "Bowl"}, 422, "amount_or_listing"),
            ({"amount": money(99)}, 422, "amount_not_allowed"),
            ({"amount": money(10_000_001)}, 422, "amount_not_allowed"),
            ({"amount": money(-500)}, 422, "amount_not_allowed"),
            ({"amount": {"amount_minor": 500, "currency": "EUR"}}, 422, "amount_not_allowed"),
            ({"listing_id": BOWL, "quantity": 401}, 422, "amount_not_allowed"),
            ({"listing_id": BOWL, "quantity": 6}, 409, "insufficient_stock"),
            ({"listing_id": BOWL, "variant": "blue"}, 422, "unknown_variant"),
            ({"listing_id": RUG}, 404, "not_found"),  # another's
            ({"amount": AMOUNT, "title": "a\u202eb"}, 422, "invalid_fields"),
            ({"amount": AMOUNT, "tip": 1}, 422, "invalid_fields"),
        ],
    )
    def test_what_cannot_be_sold_is_refused(
        self, stall: Api, body: Any, status: int, code: str
    ) -> None:
        refused = ask_for_link(stall, body)
        assert (refused.status, refused.json["code"]) == (status, code), refused.text
        assert list(link_tables.LinkTable.scan()) == []

    @pytest.mark.parametrize("minor", [100, 10_000_000])
    def test_the_smallest_and_the_largest_amount_are_good(self, stall: Api, minor: int) -> None:
        assert make_link(stall, {"amount": money(minor)})["amount"] == money(minor)

    def test_only_a_verified_artisan_of_an_open_region_makes_links(self, api: Api) -> None:
        refused = ask_for_link(api)
        assert (refused.status, refused.json["code"]) == (409, "not_registered")
        api.post("/v1/artisans", a_registration(), token=api.artisan)
        refused = ask_for_link(api)
        assert (refused.status, refused.json["code"]) == (409, "artisan_not_verified")
        api.post(f"/v1/operator/artisans/{OWNER}/verify", {}, token=api.operator)
        refused = ask_for_link(api)
        assert (refused.status, refused.json["code"]) == (409, "region_not_open")

    def test_the_list_is_the_newest_first_and_page_by_page(self, stall: Api) -> None:
        names = []
        for number in range(5):
            names.append(make_link(stall, key=f"k{number}")["id"])
            clock.advance(60)
        seen: list[str] = []
        cursor = ""
        for _ in range(3):
            page = stall.get(f"{LINKS}?limit=2{cursor}", token=stall.artisan).json
            seen += [each["id"] for each in page["data"]]
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == names[::-1]
        assert page["next_cursor"] is None
        assert "svg" not in str(page)

    def test_both_look_ups_are_one_read_of_the_link_and_one_of_its_order(self, stall: Api) -> None:
        link = make_link(stall)
        for path, token in (
            (f"{LINKS}/{link['id']}", stall.artisan),
            (f"/v1/payment-links/{code_in(link)}", None),
        ):
            with counted() as asked:
                assert stall.get(path, token=token).status == 200
            assert asked == ["GetItem", "Query"], path


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("body", [None, OF_BOWLS], ids=["amount", "listing"])
def test_a_tourist_pays_and_the_artisan_sees_it_paid_at_once(
    stall: Api, bank: InProcessBank, pump: Pump, method: str, body: Any
) -> None:
    link = make_link(stall, body)
    total = link["amount"]["amount_minor"]
    # When a tourist begins to pay
    begun = begin(stall, link, method, language="en")
    assert begun.status == 201, begun.text
    payment = begun.json
    assert payment["amount"] == link["amount"]
    assert payment["action"] is not None
    waiting = own(stall, link)
    assert (waiting["status"], waiting["paid_at"]) == ("paying", None)
    # And does what the action says
    hand_over(bank, payment)
    if payment["provider"] != "cmi":
        pump.drain()  # The callback is applied: that is all the status waits for.
    # Then the artisan sees it
    seen = own(stall, link)
    assert seen["status"] == "paid"
    assert seen["paid_at"] is not None
    [listed] = stall.get(LINKS, token=stall.artisan).json["data"]
    assert listed["status"] == "paid"
    # And the goods have changed hands
    bank.deliver()
    pump.drain(sweep=True)
    order = order_tables.find(seen["order_id"])
    assert order is not None
    assert (order.in_person, order.state, order.total.amount_minor) == (
        True, OrderState.PAID, total,
    )  # fmt: skip
    [parcel] = order.parcels
    assert (parcel.status, parcel.shipping_minor, parcel.customs) == ("delivered", 0, False)
    sold = shop.check_shop()[BOWL].sold
    assert sold == (2 if body else 0)
    # And settlement has their part, by the commission for sales in person, nothing to wait for
    share = share_of(parcel.parcel_id)
    assert (share.hold_days, share.goods_minor, share.shipping_minor) == (0, total, 0)
    assert {each.commission_bp for each in _frozen(payment["id"])} == {500}
    assert money_of(OWNER).keys() == {"pending"}


def test_a_wallet_that_reads_the_links_own_code_pays_it(stall: Api, pump: Pump) -> None:
    link = make_link(stall)
    event = wallet_event(emv.read(link["emv"]["payload"]).reference, PRICE)
    for event_id in ("msg_1", "msg_1", "msg_2"):
        assert post_wallet(stall, event, event_id).status == 204
        pump.drain()
    assert own(stall, link)["status"] == "paid"
    [payment] = payment_tables.PaymentTable.scan()
    assert (payment.status, payment.amount_minor, payment.method) == (
        "captured",
        PRICE,
        "wallet_qr",
    )
    assert money_of(OWNER)["pending"] > 0


def test_it_is_released_as_soon_as_the_provider_confirms_the_money(
    stall: Api, bank: InProcessBank, pump: Pump
) -> None:
    link = make_link(stall)
    payment = begin(stall, link).json
    hand_over(bank, payment)
    pump.drain(sweep=True)
    assert money_of(OWNER).keys() == {"pending"}
    line = f"{payment['id']},T-1,249.90,4.37,245.53,MAD,2026-06-15T08:00:00Z,payment"
    reconciliation.reconcile(a_file([line]), "cmi", "standard")
    pump.drain(sweep=True)
    # 5 % of MAD 249.90 is 12.50 (12.495, rounded half up); the fee is 4.37.
    assert money_of(OWNER) == {"payable": PRICE - 1_250 - 437}


def test_the_artisan_hears_of_it_and_nobody_else_is_written_to(
    stall: Api, bank: InProcessBank, pump: Pump
) -> None:
    link = make_link(stall)
    hand_over(bank, begin(stall, link).json)
    pump.drain(sweep=True)
    [message] = messages_sent()
    assert message["kind"] == "in_person_paid"


class TestTwoTourists:
    def test_who_scans_second_sees_that_it_is_being_paid(self, stall: Api) -> None:
        link = make_link(stall)
        assert begin(stall, link, key="first").status == 201
        seen = stall.get(f"/v1/payment-links/{code_in(link)}").json
        assert (seen["status"], seen["receipt"]) == ("paying", None)

    def test_two_that_begin_are_one_sale_and_one_payment(
        self, stall: Api, bank: InProcessBank, pump: Pump
    ) -> None:
        link = make_link(stall, {"listing_id": BOWL})
        first, second = (begin(stall, link, "wallet", key=key).json for key in ("first", "second"))
        assert first["id"] == second["id"]
        other = begin(stall, link, "wallet_qr", key="third").json
        assert other["id"] != first["id"]
        assert len(shop.all_orders()) == 1
        assert shop.check_shop()[BOWL].held == 1
        # When both pay
        hand_over(bank, first)
        hand_over(bank, other)
        pump.drain(sweep=True)
        # Then one sale is made, and the second money is on its way back
        assert own(stall, link)["status"] == "paid"
        assert shop.check_shop()[BOWL].sold == 1
        assert money_of(OWNER).keys() == {"pending"}
        statuses = {row.payment_id: row.status for row in payment_tables.PaymentTable.scan()}
        assert sorted(statuses.values()) == ["cancelled", "captured"]
        receipts = stall.get("/v1/operator/refunds?status=paid", token=stall.operator).json["data"]
        assert [receipt["kind"] for receipt in receipts] == ["unapplied"]

    def test_what_is_paid_cannot_be_paid_again(self, stall: Api, bank: InProcessBank) -> None:
        link = make_link(stall)
        hand_over(bank, begin(stall, link).json)
        late = begin(stall, link, "wallet", key="late")
        assert (late.status, late.json["code"]) == (409, "link_already_paid")
        seen = stall.get(f"/v1/payment-links/{code_in(link)}").json
        assert seen["status"] == "paid"
        assert len(shop.all_orders()) == 1

    def test_the_receipt_opens_the_order_to_the_tourist(
        self, stall: Api, bank: InProcessBank
    ) -> None:
        link = make_link(stall, {"amount": AMOUNT, "title": "Plat"})
        hand_over(bank, begin(stall, link).json)
        receipt = stall.get(f"/v1/payment-links/{code_in(link)}").json["receipt"]
        order = stall.get(
            f"/v1/orders/{receipt['order_id']}", headers={"Order-Token": receipt["order_token"]}
        ).json
        assert (order["status"], order["in_person"]) == ("completed", True)
        [line] = order["lines"]
        assert (line["title"], line["amount"]) == ("Plat", AMOUNT)
        for what in ("cancel", "returns"):
            lines = [{"listing_id": "lst_" + "a" * 24, "quantity": 1}]
            body = {} if what == "cancel" else {"lines": lines, "reason": "?"}
            answered = stall.post(
                f"/v1/orders/{receipt['order_id']}/{what}",
                body,
                headers={"Order-Token": receipt["order_token"], "Idempotency-Key": what},
            )
            assert answered.status in (409, 422), answered.text

    def test_nothing_private_is_public(self, stall: Api, bank: InProcessBank) -> None:
        link = make_link(stall)
        hand_over(bank, begin(stall, link).json)
        text = stall.get(f"/v1/payment-links/{code_in(link)}").text
        for private in ("+212612345678", "Fatima", OWNER, link["id"], "RNA-03-900001"):
            assert private not in text, private
        assert set(stall.get(f"/v1/payment-links/{code_in(link)}").json) == {
            "code", "url", "artisan", "title", "quantity", "amount", "status", "payment_methods",
            "expires_at", "receipt",
        }  # fmt: skip
