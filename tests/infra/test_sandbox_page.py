"""The payment page of the sandbox's bank, and what each of its buttons does at each provider."""

import json
from datetime import timedelta

import pytest

from chalicelib import clock
from infra.local.bank.accounts import State
from infra.local.bank.magic import MAGIC, PAID
from tests.factories.bank import FORM, InProcessBank, a_due
from tests.factories.sandbox import REFERENCE, Buyer

every_provider = pytest.mark.parametrize("provider", ["cmi", "mastercard", "payzone", "wallet"])


def page_of(bank: InProcessBank, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = bank.ask("GET", f"pay/{REFERENCE}", b"", named)
    assert answer.status == 200
    return answer.body.decode()


class TestPage:
    @pytest.mark.parametrize(("language", "way"), [("fr", "ltr"), ("ar", "rtl"), ("en", "ltr")])
    def test_it_shows_amount_order_and_every_outcome_in_the_readers_language(self, language, way):
        due = a_due("wallet", 24_990, order_id="ord_1<b>")
        page = page_of(InProcessBank(find={REFERENCE: due}.get), Accept_Language=language)
        assert f'lang="{language}" dir="{way}"' in page
        assert "249.90 MAD" in page
        assert "ord_1&lt;b&gt;" in page
        assert page.count('name="outcome"') == 7
        assert "http" not in page  # Nothing is fetched from outside.

    @pytest.mark.parametrize("language", ["fr", "ar", "en"])
    @pytest.mark.parametrize("ending", MAGIC)
    def test_it_says_in_one_line_what_magic_the_amount_carries(self, language, ending):
        due = a_due("cmi", 24_900 + ending)
        page = page_of(InProcessBank(find={REFERENCE: due}.get), Accept_Language=language)
        assert getattr(MAGIC[ending], language) in page.replace("&#x27;", "'")
        assert f"249.<b>{ending}</b> MAD" in page

    def test_an_amount_without_magic_is_shown_without(self):
        due = a_due("cmi", 24_990)
        page = page_of(InProcessBank(find={REFERENCE: due}.get), Accept_Language="en")
        assert 'class="magic"' not in page
        assert PAID.en not in page

    @every_provider
    def test_it_says_how_the_payment_stands_at_the_bank(self, provider):
        buyer = Buyer(provider, 24_951)
        assert "<dd>pending</dd>" in page_of(buyer.bank, Accept_Language="en")
        buyer.press()
        assert "<dd>declined</dd>" in page_of(buyer.bank, Accept_Language="en")

    @pytest.mark.parametrize("language", ["fr", "ar", "en"])
    @pytest.mark.parametrize("outcome", ["opened", "won", "lost"])
    def test_it_says_how_a_dispute_stands(self, language, outcome):
        buyer = Buyer("wallet", 24_900)
        buyer.press()
        undisputed = page_of(buyer.bank, Accept_Language=language)
        for step in dict.fromkeys(["opened", outcome]):
            buyer.bank.decide("wallet", REFERENCE, step)
        disputed = page_of(buyer.bank, Accept_Language=language)
        assert " · " in disputed.partition("<dl>")[2]
        assert len(disputed) > len(undisputed)

    def test_an_unknown_payment_or_outcome_is_a_problem(self):
        bank = Buyer("cmi", 24_990).bank
        assert bank.ask("GET", "pay/pay_nothing").status == 404
        for body in (b"outcome=steal", b"\xff\xff", b""):
            assert bank.ask("POST", f"pay/{REFERENCE}", body, FORM).status == 422
        json_type = {"Content-Type": "application/json"}
        for body in (b'{"outcome": ["pay"]}', b"[]", b"{", b"[" * 60_000):
            assert bank.ask("POST", f"pay/{REFERENCE}", body, json_type).status == 422
        assert bank.ask("DELETE", f"pay/{REFERENCE}").status == 405
        assert bank.charge(REFERENCE).tries == []

    def test_pressing_in_a_browser_shows_what_the_platform_answered(self):
        buyer = Buyer("cmi", 24_990)
        answer = buyer.bank.ask("POST", f"pay/{REFERENCE}?lang=en", b"outcome=pay", FORM)
        page = answer.body.decode()
        assert answer.status == 200
        assert "200 ACTION=POSTAUTH" in page
        assert "/orders/ord_1" in page
        forged = buyer.bank.ask("POST", f"pay/{REFERENCE}", b"outcome=forged", FORM)
        assert "401 refused" in forged.body.decode()

    def test_where_nothing_was_sent_it_says_so(self):
        buyer = Buyer("wallet", 24_958)
        answer = buyer.bank.ask("POST", f"pay/{REFERENCE}?lang=en", b"outcome=pay", FORM)
        assert "The provider sent nothing." in answer.body.decode()


class TestButtons:
    """They happen whatever the amount; 58 would otherwise be silent."""

    @every_provider
    def test_a_refusal_is_one_try_that_failed(self, provider):
        buyer = Buyer(provider, 24_958)
        buyer.pay("decline")
        assert buyer.said("paid", "refused") == [("refused", 24_958, "MAD")]
        assert buyer.charge.state is State.FAILED

    @every_provider
    def test_a_refusal_may_come_before_the_payment(self, provider):
        buyer = Buyer(provider, 24_958)
        buyer.pay("decline_then_pay")
        assert [said[0] for said in buyer.said("paid", "refused")] == ["refused", "paid"]
        assert buyer.charge.state is State.CAPTURED

    @every_provider
    def test_the_same_callback_twice_is_one_payment(self, provider):
        buyer = Buyer(provider, 24_958)
        buyer.press("pay_twice")
        first, second = buyer.platform.bodies[-2:]
        assert first == second
        assert len(buyer.charge.tries) == 1

    @every_provider
    def test_another_amount_is_a_dirham_less(self, provider):
        buyer = Buyer(provider, 24_958)
        buyer.pay("wrong_amount")
        assert buyer.said("paid") == [("paid", 24_858, "MAD")]
        assert buyer.charge.view()["captured_minor"] == 24_858

    def test_less_than_a_dirham_is_nothing_at_all(self):
        buyer = Buyer("wallet", 56)
        buyer.press()
        assert buyer.said("paid") == [("paid", 0, "MAD")]

    @every_provider
    def test_a_forged_callback_is_signed_by_somebody_else_and_the_bank_knows_nothing_of_it(
        self, provider
    ):
        buyer = Buyer(provider, 24_990)
        told = buyer.bank.press(REFERENCE, "forged")
        assert {one["status"] for one in told["sent"]} == {401}
        assert buyer.platform.said == []
        assert buyer.charge.tries == []

    @every_provider
    def test_paying_late_lets_the_payment_expire_first(self, provider):
        buyer = Buyer(provider, 24_958)
        until = clock.now() + timedelta(minutes=15)
        buyer.press("late")
        ((_, state),) = buyer.drained
        assert clock.now() > until + timedelta(minutes=1)
        assert state is State.PENDING
        assert [said[0] for said in buyer.said("paid")] == ["paid"]

    @pytest.mark.parametrize("provider", ["cmi", "wallet"])
    def test_two_payments_are_two_tries_with_their_own_references(self, provider):
        buyer = Buyer(provider, 24_990)
        buyer.press()
        buyer.press()
        first, second = buyer.charge.tries
        assert first.provider_reference != second.provider_reference
        assert len(buyer.said("paid")) == 2

    @pytest.mark.parametrize("provider", ["mastercard", "payzone"])
    def test_an_order_that_is_paid_takes_no_second_payment(self, provider):
        buyer = Buyer(provider, 24_990)
        buyer.press()
        answer = buyer.bank.ask("POST", f"pay/{REFERENCE}", b"outcome=pay", FORM)
        assert (answer.status, json.loads(answer.body)["code"]) == (409, "conflict")
        assert len(buyer.charge.tries) == 1

    @every_provider
    def test_after_a_refusal_the_buyer_may_try_again(self, provider):
        buyer = Buyer(provider, 24_990)
        buyer.press("decline")
        buyer.pay()
        assert [one.state for one in buyer.charge.tries] == [State.FAILED, State.CAPTURED]

    def test_a_script_pays_without_posting_the_buyers_form_first(self):
        for provider in ("cmi", "mastercard", "payzone", "wallet"):
            due = a_due(provider, 24_990)
            bank = InProcessBank(find={REFERENCE: due}.get)
            told = bank.press(REFERENCE)
            assert told["bank"]["due_minor"] == 24_990
            assert told["bank"]["state"] in ("authorized", "captured")
            assert told["back_to"].endswith("/orders/ord_1")
