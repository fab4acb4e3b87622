"""The wallet's API in our neutral contract: what is sent, and what its answers mean."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.edge.outbound import OutcomeUnknown, Response
from chalicelib.money import Money
from chalicelib.payments.domain import EventKind
from chalicelib.payments.providers import wallet
from chalicelib.payments.providers.wallet import Account, WalletEvent
from chalicelib.payments.reports import RefundReport, RefundState, Report, ReportState

PAYMENT = "pay_aaaaaaaaaaaaaaaaaaaaaaaa01"
REFUND = "rfd_aaaaaaaaaaaaaaaaaaaaaaaa-2"
ACCOUNT = Account("https://wallet.example/api", "api-key")
MONEY = {"amount_minor": 24_990, "currency": "MAD"}


def answer(content: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(content).encode())


def a_payment(**changes: Any) -> dict[str, Any]:
    content = {
        "reference": PAYMENT,
        "state": "succeeded",
        "provider_reference": "W-1",
        "amount": MONEY,
        "refunded_minor": 0,
        "dispute": None,
        "reason": None,
    }
    return content | changes


def read(**changes: Any) -> Report:
    return wallet.read_payment(answer(a_payment(**changes)), PAYMENT)


NO_ANSWERS = [
    Response(401, b"{}"),
    Response(409, b"{}"),
    Response(422, b'{"state": "done"}'),
    Response(204),
    Response(200, b"<html>"),
    Response(200, b"[" * 99_999),
    Response(200, b"\xff"),
    Response(404, b"<html>"),
]


class TestRequests:
    def test_a_payment_is_asked_for_by_our_reference(self):
        sent = wallet.payment_request(ACCOUNT, PAYMENT)
        assert (sent.method, sent.url) == ("GET", f"https://wallet.example/api/payments/{PAYMENT}")
        assert (sent.body, sent.repeatable) == (b"", True)
        assert sent.headers["Authorization"] == "Bearer api-key"
        assert "api-key" not in repr(sent) + repr(ACCOUNT)

    def test_P7_a_refund_has_its_own_address_so_that_it_may_be_repeated(self):
        sent = wallet.refund_request(ACCOUNT, PAYMENT, "W-1", REFUND, Money(4_990))
        url = f"https://wallet.example/api/refunds/{REFUND}"
        assert (sent.method, sent.url, sent.repeatable) == ("PUT", url, True)
        assert json.loads(sent.body) == {
            "payment_reference": PAYMENT,
            "provider_reference": "W-1",
            "amount": {"amount_minor": 4_990, "currency": "MAD"},
        }
        again = wallet.refund_request(ACCOUNT, PAYMENT, "W-1", REFUND, Money(4_990))
        assert again == sent
        asked = wallet.refund_status_request(ACCOUNT, REFUND)
        assert (asked.method, asked.url, asked.body) == ("GET", url, b"")

    def test_no_reference_leaves_its_place_in_the_address(self):
        sent = wallet.payment_request(ACCOUNT, "../../admin?x=1#")
        assert sent.url == "https://wallet.example/api/payments/..%2F..%2Fadmin%3Fx%3D1%23"


class TestPayment:
    def test_money(self):
        assert read() == Report(ReportState.CAPTURED, "W-1", Money(24_990))

    @pytest.mark.parametrize(
        ("state", "meant"),
        [
            ("pending", ReportState.PENDING),
            ("succeeded", ReportState.CAPTURED),
            ("failed", ReportState.FAILED),
        ],
    )
    def test_every_state(self, state, meant):
        assert read(state=state).state is meant

    def test_refunds_disputes_and_reasons_are_told(self):
        report = read(refunded_minor=4_990, dispute="opened", reason="asked by the buyer")
        assert (report.refunded_minor, report.dispute) == (4_990, "opened")
        assert report.reason == "asked by the buyer"
        assert read(dispute="lost").dispute == "lost"

    def test_what_more_it_says_does_not_matter_and_what_may_lack_may_lack(self):
        assert read(fee_minor=12) == read()
        said = {"reference": PAYMENT, "state": "pending"}
        assert wallet.read_payment(answer(said), PAYMENT) == Report(ReportState.PENDING)

    @pytest.mark.parametrize(
        "changes",
        [
            {"state": "SUCCEEDED"},
            {"state": "refunded"},
            {"state": None},
            {"reference": "pay_another"},
            {"reference": None},
            {"amount": None},
            {"amount": {"amount_minor": 249.90, "currency": "MAD"}},
            {"amount": {"amount_minor": "24990", "currency": "MAD"}},
            {"amount": {"amount_minor": 24_990.0, "currency": "MAD"}},
            {"amount": {"amount_minor": -1, "currency": "MAD"}},
            {"amount": {"amount_minor": True, "currency": "MAD"}},
            {"amount": {"amount_minor": 24_990, "currency": "dirham"}},
            {"refunded_minor": -1},
            {"refunded_minor": 0.5},
            {"dispute": "won"},
        ],
    )
    def test_P8_what_is_not_of_the_contract_decides_nothing(self, changes):
        with pytest.raises(OutcomeUnknown):
            read(**changes)

    @pytest.mark.parametrize("response", NO_ANSWERS)
    def test_P8_what_is_no_answer_decides_nothing(self, response):
        with pytest.raises(OutcomeUnknown):
            wallet.read_payment(response, PAYMENT)

    @pytest.mark.parametrize("body", [b"", b"{}", b'{"code": "not_found"}'])
    def test_a_payment_that_it_does_not_know_is_absent(self, body):
        absent = Report(ReportState.ABSENT)
        assert wallet.read_payment(Response(404, body), PAYMENT) == absent

    @given(some.integers(0, 10**12), some.integers(0, 10**12))
    def test_P5_centimes_come_through_whole(self, minor, refunded):
        amount = {"amount_minor": minor, "currency": "MAD"}
        report = read(amount=amount, refunded_minor=refunded)
        assert (report.amount, report.refunded_minor) == (Money(minor), refunded)


class TestRefund:
    @pytest.mark.parametrize("state", ["done", "refused", "pending"])
    def test_every_state(self, state):
        said = {"state": state, "provider_reference": "R-1", "reason": "so"}
        assert wallet.read_refund(answer(said)) == RefundReport(RefundState(state), "R-1", "so")

    def test_one_that_never_arrived_is_absent(self):
        assert wallet.read_refund(Response(404)) == RefundReport(RefundState.ABSENT)

    @pytest.mark.parametrize(
        "response",
        [*NO_ANSWERS, answer({"state": "absent"}), answer({"state": "DONE"}), answer({})],
    )
    def test_P8_what_is_no_answer_decides_nothing(self, response):
        with pytest.raises(OutcomeUnknown):
            wallet.read_refund(response)


class TestCallback:
    def test_it_is_known_by_its_webhook_id(self):
        body = {"type": "payment.refunded", "reference": PAYMENT, "amount": MONEY}
        event = WalletEvent.model_validate(body)
        first = wallet.event_from(event, {"webhook-id": "msg_1"})
        assert (first.key, first.kind) == ("wallet#msg_1", EventKind.REFUNDED)
        # Without a reference of its own, the same money under two webhook ids is one.
        assert (first.provider_reference, first.amount) == (PAYMENT, Money(24_990))
        assert len(wallet.event_from(event, {"webhook-id": "m" * 400}).key) < 50

    def test_nobody_can_send_a_mere_notification(self):
        body = {"type": "payment.notified", "reference": PAYMENT, "amount": MONEY}
        event = wallet.event_from(WalletEvent.model_validate(body), {"webhook-id": "msg_1"})
        assert event.kind is EventKind.UNKNOWN
