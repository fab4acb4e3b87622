"""What becomes of a link's sale: tried again, expired, sold anew, taken back, refunded."""

from functools import partial
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.edge import outbound
from chalicelib.edge.outbound import OutcomeUnknown
from chalicelib.edge.storage import try_commit
from chalicelib.errors import Unavailable
from chalicelib.orders import tables as order_tables
from chalicelib.orders.domain import OrderState
from chalicelib.payments import checkout, link_tables
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.domain import PaymentStatus
from chalicelib.settlement import reconciliation
from infra.local.pump import Pump
from tests.aws import Api
from tests.factories import bank as banks
from tests.factories import shop
from tests.factories.bank import InProcessBank
from tests.factories.links import (
    AMOUNT,
    LINKS,
    PRICE,
    begin,
    code_in,
    make_link,
    open_stall,
    own,
)
from tests.factories.orders import BOWL, OWNER
from tests.factories.payments import cmi_body, post_cmi
from tests.factories.settlement import a_file, money_of

bank = banks.bank
QUARTER_OF_AN_HOUR = 15 * 60 + 1
OF_BOWL = {"listing_id": BOWL}


@pytest.fixture
def stall(api: Api) -> Api:
    open_stall(api)
    return api


def paid_order_count() -> int:
    return sum(order.state is OrderState.PAID for order in shop.all_orders())


def expire(pump: Pump, seconds: int = QUARTER_OF_AN_HOUR) -> None:
    clock.advance(seconds)
    pump.drain(sweep=True)


def status_of(payment: Any) -> PaymentStatus:
    found = payment_tables.find(payment["id"])
    assert found is not None
    return found.status


def cancel(api: Api, link: Any) -> Any:
    return api.post(f"{LINKS}/{link['id']}/cancel", {}, token=api.artisan)


def pay_by_card(api: Api, link: Any) -> Any:
    payment = begin(api, link).json
    assert post_cmi(api, cmi_body(payment["id"], link["amount"]["amount_minor"])).text == (
        "ACTION=POSTAUTH"
    )
    return payment


class TestTryingAgain:
    def test_the_same_button_again_goes_on_with_the_same_payment(self, stall: Api) -> None:
        link = make_link(stall)
        first = begin(stall, link, key="a").json
        clock.advance(9 * 60)
        assert begin(stall, link, key="b").json["id"] == first["id"]
        # With little time left it is a new one
        clock.advance(2 * 60)
        again = begin(stall, link, key="c").json
        assert again["id"] != first["id"]
        assert again["expires_at"] > first["expires_at"]
        assert len(shop.all_orders()) == 1

    def test_another_way_to_pay_is_another_payment_of_the_same_order(self, stall: Api) -> None:
        link = make_link(stall, OF_BOWL)
        ids = {
            begin(stall, link, method, key=method).json["id"]
            for method in ("card", "wallet", "wallet_qr", "mastercard", "payzone")
        }
        assert len(ids) == 5
        assert len(shop.all_orders()) == 1
        assert shop.check_shop()[BOWL].held == 1

    def test_another_address_to_come_back_to_is_another_payment(self, stall: Api) -> None:
        link = make_link(stall)
        first = begin(stall, link, key="a").json
        elsewhere = begin(stall, link, key="b", return_url="https://shop.example.com/x").json
        assert elsewhere["id"] != first["id"]
        assert elsewhere["action"]["fields"]["okUrl"] == "https://shop.example.com/x"

    def test_a_refused_card_can_be_tried_again(self, stall: Api, bank: InProcessBank) -> None:
        link = make_link(stall)
        payment = begin(stall, link).json
        bank.press(payment["id"], "decline")
        assert own(stall, link)["status"] == "paying"
        again = begin(stall, link, key="again").json
        assert again["id"] == payment["id"]
        bank.press(payment["id"], "pay")
        assert own(stall, link)["status"] == "paid"

    def test_a_card_page_that_does_not_open_opens_later(
        self, stall: Api, bank: InProcessBank
    ) -> None:
        def silent(request: outbound.Request) -> outbound.Response:
            raise OutcomeUnknown("nobody answers")

        link = make_link(stall)
        outbound.set_transport(silent)
        begun = begin(stall, link, "mastercard", key="a")
        assert (begun.status, begun.json["action"]) == (201, None)
        outbound.set_transport(bank.carry)
        again = begin(stall, link, "mastercard", key="b").json
        assert again["id"] == begun.json["id"]
        assert again["action"]["type"] == "redirect"

    def test_a_hold_left_by_one_who_got_no_answer_is_the_next_one_s(
        self, stall: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def dies(*_: Any) -> None:
            raise Unavailable("the process ended")

        link = make_link(stall, {"listing_id": BOWL, "quantity": 5})
        with monkeypatch.context() as patch:
            patch.setattr(checkout, "write_order", dies)
            assert begin(stall, link, key="a", language="en").status == 503
        assert shop.check_shop()[BOWL].held == 5
        assert begin(stall, link, "wallet", key="b", language="ar").status == 201
        assert shop.check_shop()[BOWL].held == 5

    def test_twenty_payments_are_enough(self, stall: Api) -> None:
        link = make_link(stall)
        answers = [
            begin(stall, link, key=f"k{n}", return_url=f"https://shop.example.com/{n}")
            for n in range(21)
        ]
        assert [answer.status for answer in answers] == [201] * 20 + [409]
        assert answers[-1].json["code"] == "too_many_payments"

    @pytest.mark.parametrize("body", [{"payment_method": "cash_voucher"}, {"payment_method": ""}])
    def test_cash_at_an_agent_s_is_not_offered(self, stall: Api, body: Any) -> None:
        refused = begin(stall, make_link(stall), body["payment_method"])
        assert (refused.status, refused.json["code"]) == (422, "invalid_fields")


class TestSellingAnew:
    def test_a_sale_that_nobody_paid_makes_room_for_another(self, stall: Api, pump: Pump) -> None:
        link = make_link(stall, OF_BOWL)
        first = begin(stall, link, key="first").json
        expire(pump)
        seen = own(stall, link)
        assert (seen["status"], seen["paid_at"]) == ("open", None)
        assert shop.check_shop()[BOWL].held == 0
        second = begin(stall, link, key="second").json
        assert second["id"][:-2] != first["id"][:-2]
        assert own(stall, link)["order_id"] != seen["order_id"]
        assert len(shop.all_orders()) == 2
        assert shop.check_shop()[BOWL].held == 1

    def test_money_that_comes_late_pays_a_link_that_was_not_sold_anew(
        self, stall: Api, pump: Pump
    ) -> None:
        link = make_link(stall, OF_BOWL)
        payment = begin(stall, link).json
        expire(pump)
        assert post_cmi(stall, cmi_body(payment["id"], PRICE)).text == "ACTION=POSTAUTH"
        assert own(stall, link)["status"] == "paid"
        refused = begin(stall, link, key="second")
        assert (refused.status, refused.json["code"]) == (409, "link_already_paid")

    @pytest.mark.parametrize("body", [None, OF_BOWL], ids=["amount", "listing"])
    def test_late_money_of_the_sale_before_is_not_taken(
        self, stall: Api, pump: Pump, body: Any
    ) -> None:
        link = make_link(stall, body)
        first = begin(stall, link, key="first").json
        expire(pump)
        second = begin(stall, link, key="second").json
        assert post_cmi(stall, cmi_body(first["id"], PRICE)).text == "APPROVED"
        assert post_cmi(stall, cmi_body(second["id"], PRICE)).text == "ACTION=POSTAUTH"
        pump.drain(sweep=True)
        assert paid_order_count() == 1
        assert status_of(first) is PaymentStatus.CANCELLED
        assert money_of(OWNER).keys() == {"pending"}
        assert shop.check_shop()[BOWL].sold == (1 if body else 0)

    def test_late_money_from_a_wallet_goes_back(
        self, stall: Api, bank: InProcessBank, pump: Pump
    ) -> None:
        link = make_link(stall)
        first = begin(stall, link, "wallet", key="first").json
        expire(pump, 30 * 60 + 1)
        second = begin(stall, link, "wallet", key="second").json
        bank.press(first["id"])
        bank.press(second["id"])
        pump.drain(sweep=True)
        assert paid_order_count() == 1
        [back] = stall.get("/v1/operator/refunds?status=paid", token=stall.operator).json["data"]
        assert (back["payment_id"], back["kind"]) == (first["id"], "unapplied")

    def test_a_sale_that_was_read_before_another_does_not_bring_its_number_back(
        self, stall: Api
    ) -> None:
        make_link(stall)
        [row] = link_tables.LinkTable.scan()
        stale = link_tables.find(row.code)
        assert stale is not None
        assert try_commit(partial(link_tables.add_next_sale, link=stale))
        for late in (
            partial(link_tables.add_next_sale, link=stale),
            partial(link_tables.add_cancelled, link=stale, now=clock.now()),
        ):
            assert not try_commit(late)
        found = link_tables.find(row.code)
        assert found is not None
        assert (found.number, found.cancelled_at) == (2, None)

    def test_a_payment_under_way_outlives_its_link(self, stall: Api, pump: Pump) -> None:
        link = make_link(stall)
        clock.advance(24 * 3600 - 60)
        payment = begin(stall, link).json
        expire(pump, 120)
        assert own(stall, link)["status"] == "paying"
        refused = begin(stall, link, "wallet", key="new")
        assert (refused.status, refused.json["code"]) == (409, "link_not_payable")
        assert refused.json["link_status"] == "expired"
        assert post_cmi(stall, cmi_body(payment["id"], PRICE)).text == "ACTION=POSTAUTH"
        assert own(stall, link)["status"] == "paid"

    def test_an_expired_link_is_not_sold(self, stall: Api) -> None:
        link = make_link(stall)
        clock.advance(24 * 3600)
        refused = begin(stall, link)
        assert (refused.status, refused.json["code"]) == (409, "link_not_payable")
        assert shop.all_orders() == []


class TestTakingBack:
    def test_a_cancelled_link_is_not_sold(self, stall: Api) -> None:
        link = make_link(stall)
        first, again = cancel(stall, link), cancel(stall, link)
        assert (first.status, first.json["status"]) == (200, "cancelled")
        assert first.json == again.json
        refused = begin(stall, link)
        assert (refused.status, refused.json["code"]) == (409, "link_not_payable")
        assert refused.json["link_status"] == "cancelled"
        assert shop.all_orders() == []

    def test_a_sale_under_way_is_called_off_with_it(
        self, stall: Api, bank: InProcessBank, pump: Pump
    ) -> None:
        link = make_link(stall, OF_BOWL)
        card, wallet = (begin(stall, link, way, key=way).json for way in ("card", "wallet"))
        assert cancel(stall, link).json["status"] == "cancelled"
        pump.drain(sweep=True)
        assert shop.check_shop()[BOWL].held == 0
        assert post_cmi(stall, cmi_body(card["id"], PRICE)).text == "APPROVED"
        bank.press(wallet["id"])
        pump.drain(sweep=True)
        assert paid_order_count() == 0
        [back] = stall.get("/v1/operator/refunds?status=paid", token=stall.operator).json["data"]
        assert back["payment_id"] == wallet["id"]
        assert shop.check_shop()[BOWL].sold == 0

    def test_late_money_for_a_link_taken_back_is_not_taken(self, stall: Api, pump: Pump) -> None:
        link = make_link(stall)
        payment = begin(stall, link).json
        expire(pump)
        assert cancel(stall, link).json["status"] == "cancelled"
        assert post_cmi(stall, cmi_body(payment["id"], PRICE)).text == "APPROVED"
        assert own(stall, link)["status"] == "cancelled"

    def test_what_is_paid_cannot_be_taken_back(self, stall: Api) -> None:
        link = make_link(stall)
        pay_by_card(stall, link)
        refused = cancel(stall, link)
        assert (refused.status, refused.json["code"]) == (409, "link_already_paid")
        assert own(stall, link)["status"] == "paid"


class TestWhatIsSold:
    def test_a_listing_that_sold_out_meanwhile_is_refused_and_nothing_is_held(
        self, stall: Api, pump: Pump
    ) -> None:
        first = make_link(stall, {"listing_id": BOWL, "quantity": 3}, key="one")
        second = make_link(stall, {"listing_id": BOWL, "quantity": 3}, key="two")
        pay_by_card(stall, first)
        refused = begin(stall, second, key="late")
        assert (refused.status, refused.json["code"]) == (409, "insufficient_stock")
        assert refused.json["available"] == 2
        seen = own(stall, second)
        assert (seen["status"], seen["order_id"]) == ("open", None)
        assert len(shop.all_orders()) == 1
        refused = stall.post(
            LINKS,
            {"listing_id": BOWL, "quantity": 3},
            token=stall.artisan,
            headers={"Idempotency-Key": "three"},
        )
        assert (refused.status, refused.json["code"]) == (409, "insufficient_stock")
        pump.drain(sweep=True)
        assert shop.check_shop()[BOWL].held == 0

    def test_what_is_handed_over_is_never_made_to_order(self, stall: Api) -> None:
        change = {"made_to_order_days": 20}
        listing = f"/v1/me/listings/{BOWL}"
        assert stall.patch(listing, change, token=stall.artisan).status == 200
        link = make_link(stall, {"listing_id": BOWL, "quantity": 5}, key="one")
        other = make_link(stall, {"listing_id": BOWL, "quantity": 5}, key="two")
        pay_by_card(stall, link)
        refused = begin(stall, other, key="x")
        assert (refused.status, refused.json["code"]) == (409, "sold_out")

    def test_a_price_that_changes_later_does_not_change_the_link(self, stall: Api) -> None:
        link = make_link(stall, OF_BOWL)
        price = {"price": {"amount_minor": 99_900, "currency": "MAD"}}
        assert stall.patch(f"/v1/me/listings/{BOWL}", price, token=stall.artisan).status == 200
        assert begin(stall, link).json["amount"] == AMOUNT

    def test_a_suspended_artisan_sells_nothing(self, stall: Api) -> None:
        link = make_link(stall)
        path = f"/v1/operator/artisans/{OWNER}/suspend"
        assert stall.post(path, {"reason": "?"}, token=stall.operator).status == 200
        refused = begin(stall, link)
        assert (refused.status, refused.json["code"]) == (409, "link_not_payable")
        assert shop.all_orders() == []

    def test_the_artisan_finds_the_sale_among_their_orders(self, stall: Api) -> None:
        pay_by_card(stall, make_link(stall, {"amount": AMOUNT, "title": "Plat"}))
        [sold] = stall.get("/v1/me/orders", token=stall.artisan).json["data"]
        assert sold["parcel"]["status"] == "delivered"
        assert [line["title"] for line in sold["lines"]] == ["Plat"]

    @pytest.mark.parametrize(
        ("language", "title"), [("ar", "منتوج من يد الصانع"), ("en", "Handmade piece")]
    )
    def test_what_has_no_title_is_named_in_the_tourist_s_language(
        self, stall: Api, language: str, title: str
    ) -> None:
        begin(stall, make_link(stall), language=language)
        [order] = shop.all_orders()
        assert [line.title for line in order.lines] == [title]
        assert order.buyer.language == language


class TestRefunds:
    """An in-person sale goes back as any other, whole, in part or by line."""

    def refund(self, api: Api, payment: Any, body: Any, key: str = "r") -> Any:
        return api.post(
            f"/v1/operator/payments/{payment['id']}/refunds",
            {"reason": "changed their mind"} | body,
            token=api.operator,
            headers={"Idempotency-Key": key},
        )

    def paid_by_wallet(self, api: Api, bank: InProcessBank, pump: Pump, body: Any) -> Any:
        link = make_link(api, body)
        payment = begin(api, link, "wallet").json
        bank.press(payment["id"])
        pump.drain(sweep=True)
        assert own(api, link)["status"] == "paid"
        return link, payment

    @pytest.mark.parametrize("body", [None, OF_BOWL], ids=["amount", "listing"])
    def test_all_of_it(self, stall: Api, bank: InProcessBank, pump: Pump, body: Any) -> None:
        link, payment = self.paid_by_wallet(stall, bank, pump, body)
        assert self.refund(stall, payment, {}).status == 201
        pump.drain(sweep=True)
        assert status_of(payment) is PaymentStatus.REFUNDED
        assert money_of(OWNER) == {}
        seen = own(stall, link)
        assert (seen["status"], seen["refunded"]) == ("paid", AMOUNT)
        receipt = stall.get(f"/v1/payment-links/{code_in(link)}").json["receipt"]
        assert receipt["refunded"] == AMOUNT

    def test_a_part_after_it_was_released(
        self, stall: Api, bank: InProcessBank, pump: Pump
    ) -> None:
        _, payment = self.paid_by_wallet(stall, bank, pump, None)
        line = f"{payment['id']},W-1,249.90,4.37,245.53,MAD,2026-06-15T08:00:00Z,payment"
        reconciliation.reconcile(a_file([line]), "wallet", "standard")
        pump.drain(sweep=True)
        before = money_of(OWNER)
        assert before.keys() == {"payable"}
        part = {"amount": {"amount_minor": 10_000, "currency": "MAD"}}
        assert self.refund(stall, payment, part).status == 201
        pump.drain(sweep=True)
        assert status_of(payment) is PaymentStatus.PARTIALLY_REFUNDED
        assert money_of(OWNER)["payable"] < before["payable"]

    def test_by_line(self, stall: Api, bank: InProcessBank, pump: Pump) -> None:
        _, payment = self.paid_by_wallet(stall, bank, pump, {"listing_id": BOWL, "quantity": 2})
        lines = {"lines": [{"listing_id": BOWL, "quantity": 1}]}
        refunded = self.refund(stall, payment, lines)
        assert (refunded.status, refunded.json["amount"]) == (201, AMOUNT)
        again = self.refund(stall, payment, {"lines": [{"listing_id": BOWL, "quantity": 2}]}, "x")
        assert (again.status, again.json["code"]) == (422, "refund_lines_unknown")

    def test_a_free_amount_has_no_listing_s_line(
        self, stall: Api, bank: InProcessBank, pump: Pump
    ) -> None:
        link, payment = self.paid_by_wallet(stall, bank, pump, None)
        [order] = shop.all_orders()
        assert [line.line_id for line in order.lines] == [link["id"]]
        lines = {"lines": [{"listing_id": BOWL, "quantity": 1}]}
        refused = self.refund(stall, payment, lines)
        assert (refused.status, refused.json["code"]) == (422, "refund_lines_unknown")


def test_order_and_payment_of_a_free_amount_are_shown_as_any(
    stall: Api, bank: InProcessBank, pump: Pump
) -> None:
    link = make_link(stall, {"amount": AMOUNT, "title": "Plat"})
    pay_by_card(stall, link)
    pump.drain(sweep=True)
    order_id = own(stall, link)["order_id"]
    order = order_tables.find(order_id)
    assert order is not None
    for path in (
        f"/v1/orders/{order_id}", "/v1/operator/orders", "/v1/operator/payments?status=captured",
        "/v1/operator/payments?status=capture_requested",
    ):  # fmt: skip
        assert stall.get(path, token=stall.operator).status == 200, path
