"""The page behind the short address: no script, no account, and every way to pay and come back."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import outbound
from chalicelib.edge.openapi import document
from chalicelib.edge.outbound import OutcomeUnknown
from chalicelib.payments import emv
from infra.local.pump import Pump
from tests.aws import Answered, Api
from tests.factories import bank as banks
from tests.factories import shop
from tests.factories.bank import FORM, InProcessBank
from tests.factories.links import AMOUNT, LINKS, begin, code_in, make_link, open_stall, own
from tests.factories.payments import cmi_fields

bank = banks.bank
BROWSER = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": "en"}
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@pytest.fixture
def stall(api: Api) -> Api:
    open_stall(api)
    return api


def look(api: Api, link: Any, query: str = "", **headers: str) -> Answered:
    return api.get(f"/p/{code_in(link)}{query}", headers=BROWSER | headers)


def press(api: Api, link: Any, method: str, query: str = "", **headers: str) -> Answered:
    body = urlencode({"method": method}).encode()
    return api.post(f"/p/{code_in(link)}{query}", body, headers=BROWSER | FORM | headers)


def follow(api: Api, link: Any, answered: Answered) -> Answered:
    assert answered.status == 303, answered.text
    assert answered.headers["location"].startswith("?"), "relative, so good under any stage"
    return look(api, link, answered.headers["location"])


def test_the_page_says_who_is_paid_what_for_and_how_much(stall: Api) -> None:
    link = make_link(stall, {"amount": AMOUNT, "title": "Petit plat bleu"})
    shown = look(stall, link)
    assert shown.status == 200
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    for text in ("Atelier Tester", "Fès", "Petit plat bleu", "249.90"):
        assert text in shown.text
    assert re.findall(r'name="method" value="(\w+)"', shown.text) == [
        "card", "wallet", "wallet_qr", "mastercard", "payzone",
    ]  # fmt: skip
    for private in ("+212612345678", "Fatima", link["id"]):
        assert private not in shown.text
    assert "refresh" not in shown.text


def test_it_has_no_script_is_not_kept_and_may_not_be_framed(stall: Api) -> None:
    shown = look(stall, make_link(stall))
    assert "<script" not in shown.text
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "query", "language"),
    [
        ("ar-MA,ar;q=0.9", "", "ar"), ("en", "", "en"), ("de", "", "fr"), ("zgh", "", "fr"),
        ("en", "?lang=ar", "ar"), ("en", "?lang=xx", "en"), ("ar", "?utm_source=x", "ar"),
    ],
)  # fmt: skip
def test_it_speaks_the_reader_s_language(stall: Api, asked: str, query: str, language: str) -> None:
    shown = look(stall, make_link(stall), query, **{"Accept-Language": asked})
    assert shown.headers["content-language"] == language
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in shown.text


@pytest.mark.parametrize("method", ["card", "payzone"])
def test_a_form_to_the_bank_is_one_button_that_posts_it(
    stall: Api, bank: InProcessBank, pump: Pump, method: str
) -> None:
    link = make_link(stall)
    shown = press(stall, link, method)
    assert shown.status == 200
    [target] = re.findall(r'<form method="post" action="([^"]*)">', shown.text)
    assert shown.text.count("<button") == 1
    fields = {name: unescape(value) for name, value in HIDDEN.findall(shown.text)}
    assert bank.post_form(unescape(target).partition("/_local/")[2], fields).status == 200
    origin = "/".join(unescape(target).split("/")[:3])
    assert f"form-action 'self' {origin}" in shown.headers["content-security-policy"]
    [order] = shop.all_orders()
    payment_id = shop.payment_id_of(order.order_id)
    back = bank.press(payment_id)["back_to"]
    assert back == f"{settings().public_url}/p/{code_in(link)}"
    pump.drain()
    assert own(stall, link)["status"] == "paid"
    assert order.order_id in look(stall, link).text


@pytest.mark.parametrize("method", ["wallet", "mastercard"])
def test_a_provider_s_own_page_is_a_redirect_that_the_policy_allows(
    stall: Api, bank: InProcessBank, pump: Pump, method: str
) -> None:
    link = make_link(stall)
    allowed = look(stall, link).headers["content-security-policy"]
    answered = press(stall, link, method)
    assert answered.status == 303
    target = answered.headers["location"]
    assert "/".join(target.split("/")[:3]) in allowed
    [order] = shop.all_orders()
    bank.press(shop.payment_id_of(order.order_id))
    pump.drain()
    assert own(stall, link)["status"] == "paid"


def test_a_wallet_s_code_is_drawn_and_the_page_waits_for_it_to_be_paid(
    stall: Api, bank: InProcessBank, pump: Pump
) -> None:
    link = make_link(stall)
    shown = follow(stall, link, press(stall, link, "wallet_qr", "?lang=ar"))
    assert 'dir="rtl"' in shown.text
    assert "<svg xmlns" in shown.text
    assert '<meta http-equiv="refresh" content="3">' in shown.text
    [order] = shop.all_orders()
    payment_id = shop.payment_id_of(order.order_id)
    wallet = stall.post(
        f"/v1/payment-links/{code_in(link)}/payments",
        {
            "payment_method": "wallet_qr",
            "return_url": f"{settings().public_url}/p/{code_in(link)}?lang=ar",
        },
        headers={"Idempotency-Key": "x"},
    ).json
    assert emv.read(wallet["action"]["payload"]).reference == payment_id
    assert wallet["action"]["svg"].partition("<path")[2] in shown.text
    bank.press(payment_id)
    pump.drain()
    paid = look(stall, link, "?show=qr")
    assert "Paid" in paid.text
    assert "refresh" not in paid.text


def test_a_button_pressed_twice_is_one_payment(stall: Api) -> None:
    link = make_link(stall)
    first, again = press(stall, link, "card"), press(stall, link, "card")
    assert first.text == again.text
    [order] = shop.all_orders()
    assert order.payment_count == 1


def test_who_comes_back_waits_then_sees_it_paid(
    stall: Api, bank: InProcessBank, pump: Pump
) -> None:
    link = make_link(stall)
    press(stall, link, "wallet")
    [order] = shop.all_orders()
    waiting = look(stall, link, "?payment=success")
    assert "Waiting for the bank" in waiting.text
    assert 'content="3"' in waiting.text
    bank.press(shop.payment_id_of(order.order_id))
    pump.drain()
    paid = look(stall, link, "?payment=success")
    assert "Paid" in paid.text
    assert order.order_id in paid.text
    assert "method=" not in paid.text.replace('method="post"', "")


def test_who_was_refused_is_told_so_and_may_choose_again(stall: Api, bank: InProcessBank) -> None:
    link = make_link(stall)
    press(stall, link, "card")
    [order] = shop.all_orders()
    bank.press(shop.payment_id_of(order.order_id), "decline")
    shown = look(stall, link, "?payment=back")
    assert "The bank said no" in shown.text
    assert 'value="card"' in shown.text
    assert "refresh" not in shown.text


def test_cmi_leads_the_buyer_back_by_a_form_of_its_own(stall: Api) -> None:
    link = make_link(stall)
    press(stall, link, "card")
    [order] = shop.all_orders()
    fields = cmi_fields(shop.payment_id_of(order.order_id), 24_990)
    answered = stall.post(f"/p/{code_in(link)}", urlencode(fields).encode(), headers=BROWSER | FORM)
    assert "Waiting for the bank" in follow(stall, link, answered).text
    assert own(stall, link)["status"] == "paying", "what a browser brings is never believed"


def test_a_second_tourist_sees_that_it_is_being_paid(stall: Api) -> None:
    link = make_link(stall)
    press(stall, link, "card")
    shown = look(stall, link)
    assert "Being paid" in shown.text
    assert 'content="10"' in shown.text


@pytest.mark.parametrize("method", ["", "cash_voucher", "card\0", "x" * 1000])
def test_what_is_no_button_of_ours_pays_nothing(stall: Api, method: str) -> None:
    link = make_link(stall)
    assert follow(stall, link, press(stall, link, method)).status == 200
    assert shop.all_orders() == []


def test_an_open_link_shows_no_waiting_when_nobody_pays(stall: Api) -> None:
    shown = look(stall, make_link(stall), "?payment=success&show=qr")
    assert 'value="card"' in shown.text
    assert "refresh" not in shown.text


def test_a_card_page_that_does_not_open_is_said(stall: Api, bank: InProcessBank) -> None:
    def silent(request: outbound.Request) -> outbound.Response:
        raise OutcomeUnknown("nobody answers")

    link = make_link(stall)
    outbound.set_transport(silent)
    shown = press(stall, link, "mastercard")
    assert shown.status == 200
    assert "does not answer" in shown.text
    assert 'value="card"' in shown.text


class TestWhatIsOver:
    def test_an_expired_link_says_so(self, stall: Api) -> None:
        link = make_link(stall)
        clock.advance(24 * 3600)
        shown = look(stall, link)
        assert (shown.status, "expired" in shown.text) == (200, True)
        assert "<form" not in shown.text
        pressed = press(stall, link, "card")
        assert (pressed.status, "can no longer be paid" in pressed.text) == (409, True)

    def test_a_cancelled_link_says_so(self, stall: Api) -> None:
        link = make_link(stall)
        stall.post(f"{LINKS}/{link['id']}/cancel", {}, token=stall.artisan)
        shown = look(stall, link)
        assert (shown.status, "was cancelled" in shown.text) == (200, True)
        assert "<form" not in shown.text

    def test_a_paid_link_is_not_paid_again(self, stall: Api, bank: InProcessBank) -> None:
        link = make_link(stall)
        bank.press(begin(stall, link).json["id"])
        pressed = press(stall, link, "card")
        assert (pressed.status, "has been paid" in pressed.text) == (409, True)

    def test_an_address_that_is_none_is_told_to_people_in_words(self, api: Api) -> None:
        page = api.get("/p/aaaaaaaaaa", headers=BROWSER)
        assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "There is no link at this address" in page.text
        told = api.get("/p/aaaaaaaaaa")
        assert told.headers["content-type"] == "application/problem+json"
        assert told.json["code"] == "unknown_payment_link"

    def test_a_refund_is_on_the_receipt(self, stall: Api, bank: InProcessBank, pump: Pump) -> None:
        link = make_link(stall)
        payment = begin(stall, link, "wallet").json
        bank.press(payment["id"])
        pump.drain()
        stall.post(
            f"/v1/operator/payments/{payment['id']}/refunds",
            {"amount": {"amount_minor": 4_990, "currency": "MAD"}, "reason": "?"},
            token=stall.operator,
            headers={"Idempotency-Key": "r"},
        )
        pump.drain()
        assert "49.90" in look(stall, link).text


def test_the_document_has_the_routes() -> None:
    import app  # noqa: F401  mounts every route

    paths = document()["paths"]
    assert set(paths["/v1/me/payment-links"]) == {"get", "post"}
    assert "/v1/me/payment-links/{link_id}/cancel" in paths
    page = paths["/p/{code}"]
    assert "text/html" in page["get"]["responses"]["200"]["content"]
    assert "application/x-www-form-urlencoded" in page["post"]["requestBody"]["content"]
    schemas = document()["components"]["schemas"]
    actions = [
        each["$ref"] for each in schemas["PaymentView"]["properties"]["action"]["anyOf"][:-1]
    ]
    assert "#/components/schemas/QrView" in actions
