"""Money that goes back from the sandbox's bank: refunds, once per reference, and disputes."""

import json

import pytest

from chalicelib.edge.outbound import OutcomeUnknown
from chalicelib.money import Money
from chalicelib.payments.reports import RefundReport, RefundState, ReportState
from infra.local.bank.accounts import State
from tests.factories.provider_calls import ask_refund, capture, refund, void
from tests.factories.sandbox import REFERENCE, Buyer

by_api = pytest.mark.parametrize("provider", ["mastercard", "wallet"])
every_provider = pytest.mark.parametrize("provider", ["cmi", "mastercard", "payzone", "wallet"])


def a_paid(provider: str, minor: int = 24_900) -> Buyer:
    buyer = Buyer(provider, minor)
    buyer.pay()
    return buyer


def give(buyer: Buyer, refund_id: str, minor: int, currency: str = "MAD") -> RefundReport | None:
    money = Money(minor, currency)
    return refund(buyer.bank, buyer.provider, REFERENCE, refund_id, money)


def state_of(report: RefundReport | None) -> RefundState:
    assert report is not None, "the provider would not take the request"
    return report.state


def assert_not_given(provider: str, report: RefundReport | None) -> None:
    """Mastercard does not take the request at all; the wallet refuses it for good."""
    if provider == "mastercard":
        assert report is None
    else:
        assert state_of(report) is RefundState.REFUSED


class TestRefunds:
    @by_api
    def test_they_add_up_to_what_was_taken_and_no_more(self, provider):
        buyer = a_paid(provider)
        assert state_of(give(buyer, "rfd_1", 10_000)) is RefundState.DONE
        assert state_of(give(buyer, "rfd_2", 14_900)) is RefundState.DONE
        report = give(buyer, "rfd_3", 1)
        assert_not_given(provider, report)
        assert buyer.charge.view()["refunded_minor"] == 24_900
        assert buyer.report().refunded_minor == 24_900

    @by_api
    def test_the_same_reference_again_is_the_stored_answer_and_no_second_effect(self, provider):
        buyer = a_paid(provider)
        reports = [give(buyer, "rfd_1", 10_000) for _ in range(3)]
        assert reports[0] == reports[1] == reports[2] == ask_refund(
            buyer.bank, provider, REFERENCE, "rfd_1"
        )  # fmt: skip
        assert buyer.charge.view()["refunded_minor"] == 10_000
        assert len(buyer.charge.refunds) == 1

    @by_api
    def test_a_reference_is_not_used_for_another_amount(self, provider):
        buyer = a_paid(provider)
        give(buyer, "rfd_1", 10_000)
        if provider == "wallet":
            with pytest.raises(OutcomeUnknown):
                give(buyer, "rfd_1", 9_000)
        else:
            assert give(buyer, "rfd_1", 9_000) is None
        assert buyer.charge.view()["refunded_minor"] == 10_000

    @by_api
    @pytest.mark.parametrize(("minor", "currency"), [(24_901, "MAD"), (0, "MAD"), (100, "EUR")])
    def test_wrong_amounts_are_refused(self, provider, minor, currency):
        buyer = a_paid(provider)
        assert_not_given(provider, give(buyer, "rfd_1", minor, currency))
        assert buyer.charge.view()["refunded_minor"] == 0

    @by_api
    def test_a_refund_that_never_came_is_not_known(self, provider):
        buyer = a_paid(provider)
        report = ask_refund(buyer.bank, provider, REFERENCE, "rfd_1")
        assert state_of(report) is RefundState.ABSENT

    @by_api
    def test_magic_59_refuses_the_first_for_good_and_does_a_new_one(self, provider):
        # Given a payment whose first refund is refused
        buyer = a_paid(provider, 24_959)
        first = give(buyer, "rfd_1", 24_959)
        assert state_of(first) is RefundState.REFUSED
        # When the same one is sent again, then it stays refused
        assert give(buyer, "rfd_1", 24_959) == first
        assert ask_refund(buyer.bank, provider, REFERENCE, "rfd_1") == first
        assert buyer.charge.view()["refunded_minor"] == 0
        # And a new one is done
        assert state_of(give(buyer, "rfd_1-2", 24_959)) is RefundState.DONE
        assert buyer.charge.view()["refunded_minor"] == 24_959

    @by_api
    def test_magic_62_does_it_and_loses_the_answer_until_it_is_asked_for(self, provider):
        buyer = a_paid(provider, 24_962)
        for _ in range(3):
            with pytest.raises(OutcomeUnknown):
                give(buyer, "rfd_1", 5_000)
        assert buyer.charge.view()["refunded_minor"] == 5_000
        told = ask_refund(buyer.bank, provider, REFERENCE, "rfd_1")
        assert state_of(told) is RefundState.DONE
        assert give(buyer, "rfd_1", 5_000) == told
        assert buyer.charge.view()["refunded_minor"] == 5_000

    def test_mastercard_notifies_of_a_refund_once_the_call_is_answered(self):
        buyer = a_paid("mastercard")
        give(buyer, "rfd_1", 24_900)
        assert buyer.said("refund") == []
        (sent,) = buyer.bank.deliver()
        assert sent.what == "mastercard notification: refund approved, order REFUNDED"
        assert buyer.said("refund") == [("refund", 24_900, "MAD")]

    def test_a_second_payment_to_the_wallet_is_given_back_by_the_banks_reference(self):
        # Given a buyer who paid twice
        buyer = a_paid("wallet")
        buyer.pay()
        first, second = buyer.charge.tries
        # When the second is given back
        body = json.dumps(
            {
                "payment_reference": REFERENCE,
                "provider_reference": second.provider_reference,
                "amount": {"amount_minor": 24_900, "currency": "MAD"},
            }
        ).encode()
        key = {"Authorization": "Bearer local-wallet-api-key"}
        answer = buyer.bank.ask("PUT", "bank/wallet/api/refunds/rfd_2", body, key)
        # Then the first is untouched
        assert json.loads(answer.body)["state"] == "done"
        assert (first.refunded_minor, second.refunded_minor) == (0, 24_900)
        assert buyer.report().refunded_minor == 0


class TestCaptureAndVoid:
    def test_what_is_only_reserved_can_be_let_go_and_then_not_taken(self):
        buyer = Buyer("mastercard", 24_900)
        buyer.press()
        assert state_of(void(buyer.bank, REFERENCE)) is RefundState.DONE
        assert buyer.charge.state is State.VOIDED
        assert buyer.report().state is ReportState.VOIDED
        assert capture(buyer.bank, REFERENCE, 24_900) is None
        assert buyer.charge.view()["captured_minor"] == 0

    def test_what_is_taken_is_not_let_go(self):
        buyer = a_paid("mastercard")
        assert void(buyer.bank, REFERENCE) is None
        assert buyer.charge.state is State.CAPTURED

    def test_a_void_names_a_transaction_of_the_order(self):
        buyer = Buyer("mastercard", 24_900)
        buyer.press()
        assert void(buyer.bank, REFERENCE, "no-such-transaction") is None
        assert buyer.charge.state is State.AUTHORIZED

    def test_a_capture_of_more_is_refused_and_of_less_is_a_part(self):
        buyer = Buyer("mastercard", 24_900)
        buyer.press()
        assert capture(buyer.bank, REFERENCE, 24_901) is None
        assert buyer.charge.state is State.AUTHORIZED
        assert state_of(capture(buyer.bank, REFERENCE, 10_000)) is RefundState.DONE
        report = buyer.report()
        assert (report.amount, report.reason) == (Money(10_000), "partially_captured")


class TestDisputes:
    @pytest.mark.parametrize(("ending", "end"), [(60, "lost"), (61, "won")])
    @every_provider
    def test_a_magic_dispute_ends_as_its_amount_says(self, provider, ending, end):
        buyer = a_paid(provider, 24_900 + ending)
        answer = buyer.bank.ask("POST", f"bank/{provider}/disputes/{REFERENCE}", b"{}")
        told = json.loads(answer.body)
        assert told["bank"]["dispute"] == end
        assert told["bank"]["charged_back_minor"] == (buyer.minor if end == "lost" else 0)
        assert buyer.charge.dispute == end
        assert [one["status"] for one in told["sent"]] == (
            [200] if provider in ("wallet", "mastercard") else []
        )
        assert buyer.report().state is ReportState.CAPTURED

    @by_api
    def test_the_api_tells_of_a_dispute_while_it_is_open_and_when_it_is_lost(self, provider):
        buyer = a_paid(provider, 24_960)
        assert buyer.report().dispute == "opened"
        buyer.bank.decide(provider, REFERENCE, "lost")
        assert buyer.report().dispute == "lost"

    @by_api
    def test_one_that_is_won_leaves_no_trace_in_the_api(self, provider):
        buyer = a_paid(provider, 24_961)
        buyer.bank.decide(provider, REFERENCE, "won")
        assert buyer.report().dispute is None

    def test_the_wallets_callback_says_how_far_it_is(self):
        buyer = a_paid("wallet")
        buyer.bank.decide("wallet", REFERENCE, "opened")
        buyer.bank.decide("wallet", REFERENCE, "won")
        said = [said[0] for said in buyer.platform.said]
        assert said == ["paid", "dispute opened", "dispute won"]

    def test_mastercards_notification_carries_the_orders_status(self):
        buyer = a_paid("mastercard")
        for outcome in ("opened", "lost"):
            buyer.bank.decide("mastercard", REFERENCE, outcome)
        statuses = [json.loads(body)["order"]["status"] for body in buyer.platform.bodies]
        assert statuses[-2:] == ["DISPUTED", "CHARGEBACK_PROCESSED"]

    @by_api
    def test_disputed_money_is_not_refunded_and_lost_money_is_gone(self, provider):
        buyer = a_paid(provider, 24_960)
        report = give(buyer, "rfd_1", 100)
        assert report is None or report.state is RefundState.REFUSED
        buyer.bank.decide(provider, REFERENCE, "lost")
        report = give(buyer, "rfd_2", 100)
        assert report is None or report.state is RefundState.REFUSED
        assert buyer.charge.view()["refunded_minor"] == 0

    @by_api
    def test_what_was_refunded_before_is_not_lost_again(self, provider):
        buyer = a_paid(provider)
        give(buyer, "rfd_1", 900)
        buyer.bank.decide(provider, REFERENCE, "opened")
        buyer.bank.decide(provider, REFERENCE, "lost")
        told = buyer.charge.view()
        assert (told["refunded_minor"], told["charged_back_minor"]) == (900, 24_000)

    @every_provider
    def test_what_cannot_be_disputed_or_decided_is_a_problem(self, provider):
        buyer = Buyer(provider, 24_951)
        buyer.press()
        path = f"bank/{provider}/disputes/{REFERENCE}"
        assert buyer.bank.ask("POST", path, b'{"outcome": "opened"}').status == 409
        assert buyer.bank.ask("POST", path, b'{"outcome": "won"}').status == 409
        for body in (b'{"outcome": "draw"}', b"{}", b"[]", b"{"):
            assert buyer.bank.ask("POST", path, body).status == 422
        assert buyer.bank.ask("GET", path).status == 405
        assert buyer.bank.ask("POST", f"bank/{provider}/disputes/pay_2", b"{}").status == 404
        other = "cmi" if provider != "cmi" else "wallet"
        assert buyer.bank.ask("POST", f"bank/{other}/disputes/{REFERENCE}", b"{}").status == 404
        assert buyer.charge.dispute is None
