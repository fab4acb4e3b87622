"""Genuine callbacks that no rule could apply: an operator sees them, and applies them once more."""

from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.payments import refunds
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.callback_tables import CallbackTable
from chalicelib.payments.refund_domain import RefundStatus, Wish
from tests.factories import shop as at_once
from tests.factories.callbacks import (
    JSON,
    METHODS,
    Sent,
    as_json,
    cmi_said,
    genuine,
    mastercard_said,
    notification,
    post,
)
from tests.factories.orders import BOWL_TOTAL, an_order_request
from tests.factories.payments import FORM, signed, wallet_event, wallet_headers
from tests.integration.payments.conftest import Shop

REQUEST = an_order_request()
PAYMENT = at_once.payment_id_of(REQUEST.order_id)
"""The payment of an order that is not placed yet: its id follows from what is to be asked."""


def receive(shop: Shop, provider: str, sent: Sent) -> str:
    answered = post(shop.api, provider, sent)
    assert answered.status in (200, 204)
    shop.settle()
    return answered.text


def parked(shop: Shop) -> list[Any]:
    return shop.listed("callbacks")


def apply(shop: Shop, key: str) -> Any:
    answered = shop.as_operator(f"callbacks/{quote(key, safe='')}/apply")
    assert answered.status == 200, answered.text
    shop.settle()
    return answered.json


def money_of(payment_id: str) -> tuple[str, int]:
    found = payment_tables.find(payment_id)
    assert found is not None
    return found.status, found.refunded_minor


def status() -> str:
    return money_of(PAYMENT)[0]


def wallet_says(event: dict[str, Any], event_id: str = "msg_1") -> Sent:
    body = as_json(event)
    return Sent(body, wallet_headers(body, event_id))


@pytest.mark.parametrize("provider", ["payzone", "wallet"])
def test_money_for_an_order_that_is_not_there_yet_pays_it_once_it_is(
    shop: Shop, provider: str
) -> None:
    # Given a callback that is faster than the order
    receive(shop, provider, genuine(provider, PAYMENT))
    [seen] = parked(shop)
    assert (seen["provider"], seen["kind"]) == (provider, "payment.succeeded")
    assert (seen["status"], seen["why"]) == ("parked", "unknown reference")
    assert seen["reference"] == PAYMENT
    assert seen["amount"] == {"amount_minor": BOWL_TOTAL, "currency": "MAD"}
    # When the order is placed and the callback is applied
    at_once.buy(REQUEST, METHODS[provider])
    assert apply(shop, seen["key"])["status"] == "applied"
    # Then the order is paid and settled, and the list is empty
    assert status() == "captured"
    assert shop.balance(at_once.all_orders()[0].parcels[0].artisan_id)["pending"] > 0
    assert parked(shop) == []
    at_once.check_shop()


def test_cmis_money_for_an_order_that_is_not_there_yet_is_asked_about_and_never_debited(
    shop: Shop,
) -> None:
    sent = genuine("cmi", PAYMENT)
    assert receive(shop, "cmi", sent) == "APPROVED"
    [seen] = parked(shop)
    at_once.buy(REQUEST)
    # CMI has had its answer: applying asks what became of it, and decides nothing
    before = len(shop.bank.calls)
    assert apply(shop, seen["key"])["why"] == "no decision was given"
    assert len(shop.bank.calls) > before
    assert status() == "pending"
    # And the same callback is answered the same
    assert receive(shop, "cmi", sent) == "APPROVED"
    assert status() == "pending"


def test_mastercards_notification_of_an_order_that_is_not_there_yet_makes_us_ask(
    shop: Shop,
) -> None:
    receive(shop, "mastercard", notification(mastercard_said(PAYMENT)))
    [seen] = parked(shop)
    assert (seen["kind"], seen["amount"]) == ("payment.notified", None)
    at_once.buy(REQUEST, METHODS["mastercard"])
    assert apply(shop, seen["key"])["why"] == "the provider is asked"
    assert shop.bank.calls[-1].url.endswith(f"/order/{PAYMENT}")
    assert status() == "pending"


@pytest.mark.parametrize("provider", ["cmi", "mastercard", "payzone", "wallet"])
def test_what_still_fits_nothing_is_parked_again(shop: Shop, provider: str) -> None:
    receive(shop, provider, genuine(provider, PAYMENT))
    [seen] = parked(shop)
    for _ in range(2):
        again = apply(shop, seen["key"])
        assert (again["status"], again["why"]) == ("parked", "unknown reference")
        assert parked(shop) == [seen]


@pytest.mark.parametrize("provider", ["cmi", "mastercard", "payzone", "wallet"])
def test_P7_what_is_parked_and_comes_again_is_parked_once(shop: Shop, provider: str) -> None:
    sent = genuine(provider, PAYMENT)
    first = receive(shop, provider, sent)
    seen = parked(shop)
    assert receive(shop, provider, sent) == first
    assert parked(shop) == seen
    assert CallbackTable.count() == 1


def test_another_merchants_callback_is_parked_and_applying_it_pays_nothing(shop: Shop) -> None:
    at_once.buy(REQUEST)
    fields = cmi_said(PAYMENT, clientid="600000001")
    assert receive(shop, "cmi", Sent(signed(fields), FORM)) == "APPROVED"
    [seen] = parked(shop)
    assert seen["why"] == "another merchant's client id"
    assert status() == "pending"
    apply(shop, seen["key"])
    assert status() == "pending"


def test_one_providers_callback_about_anothers_payment_is_parked(shop: Shop) -> None:
    at_once.buy(REQUEST)
    receive(shop, "mastercard", notification(mastercard_said(PAYMENT)))
    receive(shop, "wallet", wallet_says(wallet_event(PAYMENT, type="payment.disputed")))
    assert {(seen["provider"], seen["why"]) for seen in parked(shop)} == {
        ("mastercard", "unknown reference"),
        ("wallet", "unknown reference"),
    }


class TestRefunds:
    """A refund that the wallet tells of, and that we do not know, or know otherwise."""

    @pytest.fixture
    def paid(self, shop: Shop) -> Any:
        return shop.paid("wallet")["payment"]

    def refunded(self, reference: str, minor: int) -> Sent:
        event = wallet_event(reference, minor, type="payment.refunded", provider_reference="RF-1")
        return wallet_says(event)

    def test_that_nobody_asked_for_is_parked_and_changes_nothing(
        self, shop: Shop, paid: Any
    ) -> None:
        refund_id = refunds.refund_id_of(paid["id"], "asked", "operator", "later")
        receive(shop, "wallet", self.refunded(refund_id, 1000))
        [seen] = parked(shop)
        assert (seen["kind"], seen["why"]) == ("payment.refunded", "unknown refund")
        assert money_of(paid["id"]) == ("captured", 0)

    def test_is_applied_once_it_was_asked_for_and_goes_back_once(
        self, shop: Shop, paid: Any
    ) -> None:
        # Given a refund that is told of before it is asked for
        refund_id = refunds.refund_id_of(paid["id"], "asked", "operator", "later")
        receive(shop, "wallet", self.refunded(refund_id, 1000))
        [seen] = parked(shop)
        # When it is asked for, given, and the callback applied
        refunds.request_refund(paid["id"], "later", Wish(amount_minor=1000), "test", "operator")
        shop.settle()
        assert refunds.refund(refund_id).status is RefundStatus.PAID
        assert apply(shop, seen["key"])["why"] == "the refund is paid"
        # Then it went back once
        assert money_of(paid["id"]) == ("partially_refunded", 1000)
        assert shop.ledger_holds()

    def test_of_another_amount_stays_parked(self, shop: Shop, paid: Any) -> None:
        made = refunds.request_refund(
            paid["id"], "asked", Wish(amount_minor=1000), "test", "operator"
        )
        receive(shop, "wallet", self.refunded(made.refund_id, 999))
        [seen] = parked(shop)
        assert seen["why"] == "another amount than the refund's"
        assert apply(shop, seen["key"])["status"] == "parked"

    def test_of_a_whole_payment_is_for_somebody_to_look_at(self, shop: Shop, paid: Any) -> None:
        receive(shop, "wallet", self.refunded(paid["id"], 1000))
        assert parked(shop) == []
        [flagged] = shop.listed("payments?review=true")
        assert (flagged["id"], flagged["review_reason"]) == (
            paid["id"],
            "refunded without our asking",
        )


def test_the_list_goes_on_from_page_to_page_the_newest_first(shop: Shop) -> None:
    for number in range(5):
        event = wallet_event(f"pay_unknown_{number}")
        assert post(shop.api, "wallet", wallet_says(event, f"msg_{number}")).status == 204
    shop.settle()
    seen, cursor = [], ""
    for _ in range(3):
        page = shop.api.get(f"/v1/operator/callbacks?limit=2{cursor}", token=shop.api.operator).json
        seen += [each["reference"] for each in page["data"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [f"pay_unknown_{number}" for number in reversed(range(5))]
    assert page["next_cursor"] is None


@pytest.mark.parametrize("key", ["wallet#nobody", "wallet", "x" * 200, "é"])
def test_only_what_is_parked_is_applied(shop: Shop, key: str) -> None:
    assert shop.as_operator(f"callbacks/{quote(key, safe='')}/apply").status == 404


def test_what_was_applied_is_not_applied_again(shop: Shop) -> None:
    at_once.buy(REQUEST, METHODS["wallet"])
    receive(shop, "wallet", genuine("wallet", PAYMENT))
    [row] = CallbackTable.scan()
    assert row.status == "applied"
    assert shop.as_operator(f"callbacks/{quote(row.event_key, safe='')}/apply").status == 404


def test_P15_the_list_shows_nothing_of_the_body(shop: Shop) -> None:
    fields = cmi_said(PAYMENT, BillToName="Amina Tester", email="amina@example.com")
    receive(shop, "cmi", Sent(signed(fields), FORM))
    listed = shop.api.get("/v1/operator/callbacks", token=shop.api.operator).text
    for private in ("Amina", "amina@", "4000 00", "médina"):
        assert private not in listed


def test_P14_nobody_but_an_operator_sees_or_applies_them(shop: Shop) -> None:
    receive(shop, "wallet", genuine("wallet", PAYMENT))
    [seen] = parked(shop)
    path = f"/v1/operator/callbacks/{quote(seen['key'], safe='')}/apply"
    for token in (None, shop.api.artisan):
        assert shop.api.get("/v1/operator/callbacks", token=token).status in (401, 403)
        assert shop.api.post(path, {}, token=token, headers=JSON).status in (401, 403)
    assert parked(shop) == [seen]


def test_a_genuine_event_of_a_type_we_do_not_know_is_kept_for_an_operator(shop: Shop) -> None:
    payment_id = at_once.buy(REQUEST, METHODS["wallet"]).payment.payment_id
    event = wallet_event(payment_id, type="payment.held_for_screening", screening="by hand")
    del event["amount"]
    receive(shop, "wallet", wallet_says(event))
    [seen] = parked(shop)
    assert (seen["why"], seen["reference"]) == ("unknown type", payment_id)
    assert money_of(payment_id) == ("pending", 0)


def test_a_genuine_event_that_says_more_than_we_know_of_is_applied(shop: Shop) -> None:
    payment_id = at_once.buy(REQUEST, METHODS["wallet"]).payment.payment_id
    event = wallet_event(payment_id, BOWL_TOTAL, loyalty={"points": 3})
    receive(shop, "wallet", wallet_says(event))
    assert money_of(payment_id)[0] == "captured"
    assert parked(shop) == []


def test_money_without_its_amount_is_refused_with_the_field(shop: Shop) -> None:
    payment_id = at_once.buy(REQUEST, METHODS["wallet"]).payment.payment_id
    event = wallet_event(payment_id)
    del event["amount"]
    answered = post(shop.api, "wallet", wallet_says(event))
    assert (answered.status, answered.json["code"]) == (422, "invalid_fields")
    assert "amount" in answered.text
