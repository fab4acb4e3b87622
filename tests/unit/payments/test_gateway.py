"""What is asked of which provider, and that nothing is believed or sent again too early."""

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.config import settings
from chalicelib.edge import outbound
from chalicelib.edge.outbound import OutcomeUnknown, Request, Response
from chalicelib.money import Money
from chalicelib.orders.domain import Buyer
from chalicelib.payments import gateway
from chalicelib.payments.actions import Redirect, RedirectForm, action_of
from chalicelib.payments.domain import Method, Payment, PaymentStatus, Provider
from chalicelib.payments.providers import mastercard, payzone
from chalicelib.payments.reports import RefundReport, RefundState, Report, ReportState

PAYMENT = "pay_aaaaaaaaaaaaaaaaaaaaaaaa01"
REFUND = "rfd_aaaaaaaaaaaaaaaaaaaaaaaa"
BUYER = Buyer("Amina", "amina@example.com", None, "fr")
CREATED_AT = datetime(2030, 6, 14, 19, tzinfo=UTC)
MERCHANT = "/api/rest/version/100/merchant/MAALEM"
ORDER = f"{MERCHANT}/order/{PAYMENT}"

Answer = Response | Callable[[], Response]


def a_payment(provider: Provider = Provider.MASTERCARD, **changes: Any) -> Payment:
    content: dict[str, Any] = {
        "payment_id": PAYMENT,
        "order_id": "ord_1",
        "method": Method.MASTERCARD,
        "provider": provider,
        "status": PaymentStatus.PENDING,
        "amount": Money(24_990),
        "shares": (),
        "created_at": CREATED_AT,
        "expires_at": CREATED_AT + timedelta(minutes=15),
    }
    return Payment(**(content | changes))


class Script:
    """Stands for all providers: answers by method and path, in order; remembers what was sent."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.sent: list[str] = []
        self.requests: list[Request] = []

    def on(self, call: str, *answers: Answer) -> None:
        self.answers[call] = list(answers)

    def carry(self, request: Request) -> Response:
        place = request.url.partition("://")[2]
        call = f"{request.method} /{place.partition('/')[2]}"
        self.sent.append(call)
        self.requests.append(request)
        answer = self.answers[call].pop(0)
        return answer if isinstance(answer, Response) else answer()


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The providers' own, also where the local stack was started in this process before."""
    for name in [name for name in os.environ if re.fullmatch("MAALEM_.*_URL", name)]:
        monkeypatch.delenv(name)
    settings.cache_clear()


@pytest.fixture
def script() -> Script:
    made = Script()
    outbound.set_transport(made.carry)
    return made


def said(status: int = 200, /, **body: Any) -> Response:
    return Response(status, json.dumps(body).encode())


def lost() -> Response:
    raise ConnectionResetError


def an_order(status: str, *transactions: dict[str, Any]) -> Response:
    amounts = {"totalAuthorizedAmount": 249.9, "totalCapturedAmount": 249.9}
    order = {"id": PAYMENT, "currency": "MAD", "status": status, "transaction": transactions}
    return said(**order, **amounts, result="SUCCESS")


def a_transaction(name: str, result: str = "SUCCESS", code: str = "APPROVED") -> Response:
    return said(
        201,
        result=result,
        order={"id": PAYMENT},
        transaction={"id": name},
        response={"gatewayCode": code},
    )


REJECTED = said(400, result="ERROR", error={"cause": "INVALID_REQUEST", "explanation": "no"})
NOT_FOUND = said(
    400,
    result="ERROR",
    error={"cause": "INVALID_REQUEST", "explanation": "Unable to find transaction"},
)
AUTHORIZATION = {"result": "SUCCESS", "transaction": {"id": "1", "type": "AUTHORIZATION"}}
CAPTURED = Report(ReportState.CAPTURED, PAYMENT, Money(24_990), reason="captured")
CAPTURING = f"{ORDER}/transaction/capture-{PAYMENT}"
VOIDING = f"{ORDER}/transaction/void-{PAYMENT}"
REFUNDING = f"{ORDER}/transaction/{REFUND}"


class TestSession:
    def test_a_page_is_opened_and_told_where_to_notify_and_to_send_back(self, script):
        opened = said(201, result="SUCCESS", session={"id": "S1"}, successIndicator="i1")
        script.on(f"POST {MERCHANT}/session", opened)
        session = gateway.open_session(a_payment(), BUYER, "https://shop.example/back")
        gateway_url = settings().mastercard_gateway_url
        assert session == mastercard.Session(
            f"{gateway_url}/checkout/pay/S1?checkoutVersion=1.0.0", "S1", "i1"
        )
        content = json.loads(script.requests[0].body)
        assert content["order"]["id"] == PAYMENT
        assert content["order"]["notificationUrl"] == (
            f"{settings().public_url}/v1/payments/callbacks/mastercard"
        )
        interaction = content["interaction"]
        assert interaction["returnUrl"] == "https://shop.example/back"
        assert interaction["redirectMerchantUrl"] == "https://shop.example/back"
        assert interaction["retryAttemptCount"] == 3

    def test_P15_nobody_learns_who_the_buyer_is(self, script):
        opened = said(201, result="SUCCESS", session={"id": "S1"}, successIndicator="i1")
        script.on(f"POST {MERCHANT}/session", opened)
        gateway.open_session(a_payment(), BUYER, "https://shop.example/back")
        assert "amina" not in script.requests[0].body.decode().lower()

    def test_without_an_answer_there_is_no_page(self, script):
        script.on(f"POST {MERCHANT}/session", *[lost] * 3)
        with pytest.raises(OutcomeUnknown):
            gateway.open_session(a_payment(), BUYER, "https://shop.example/back")


class TestAsk:
    def test_each_provider_is_asked_in_its_own_words(self, script):
        charge = {"state": "APPROVED", "resultCode": 0, "amount": 249.9, "currency": "MAD"}
        xml = (
            f"<CC5Response><OrderId>{PAYMENT}</OrderId><TransId>T</TransId><Extra>"
            "<TRANS_STAT>C</TRANS_STAT><CAPTURE_AMT>24990</CAPTURE_AMT></Extra></CC5Response>"
        )
        money = {"amount_minor": 24_990, "currency": "MAD"}
        script.on("POST /fim/api", Response(200, xml.encode()))
        script.on(f"GET {ORDER}", an_order("CAPTURED"))
        script.on(
            f"GET /api/v3/charges/{PAYMENT}",
            said(id=PAYMENT, status="CHARGED", transactions=[charge]),
        )
        script.on(
            f"GET /api/payments/{PAYMENT}",
            said(reference=PAYMENT, state="succeeded", amount=money),
        )
        for provider in Provider:
            report = gateway.ask(a_payment(provider))
            assert (report.state, report.amount) == (ReportState.CAPTURED, Money(24_990)), provider
        assert len(script.sent) == len(Provider)

    @pytest.mark.parametrize("provider", list(Provider))
    def test_P8_no_answer_is_unknown(self, provider):
        outbound.set_transport(lambda request: Response(503))
        with pytest.raises(OutcomeUnknown):
            gateway.ask(a_payment(provider))

    @pytest.mark.parametrize("provider", list(Provider))
    def test_P8_an_answer_in_strange_words_is_unknown(self, provider):
        outbound.set_transport(lambda request: Response(200, b"<html>come back later</html>"))
        with pytest.raises(OutcomeUnknown):
            gateway.ask(a_payment(provider))


class TestCapture:
    def test_the_order_itself_says_that_it_is_captured(self, script):
        script.on(f"PUT {CAPTURING}", a_transaction(f"capture-{PAYMENT}"))
        script.on(f"GET {ORDER}", an_order("CAPTURED"))
        assert gateway.capture(a_payment()) == CAPTURED

    def test_P8_a_lost_answer_is_unknown_and_not_sent_again(self, script):
        script.on(f"PUT {CAPTURING}", lost)
        with pytest.raises(OutcomeUnknown):
            gateway.capture(a_payment())
        assert script.sent == [f"PUT {CAPTURING}"]

    def test_P8_an_undecided_answer_is_unknown(self, script):
        pending = a_transaction(f"capture-{PAYMENT}", "UNKNOWN", "TIMED_OUT")
        script.on(f"PUT {CAPTURING}", pending)
        with pytest.raises(OutcomeUnknown):
            gateway.capture(a_payment())

    def test_a_refusal_is_told_with_its_reason(self, script):
        script.on(
            f"PUT {CAPTURING}", a_transaction(f"capture-{PAYMENT}", "FAILURE", "EXPIRED_CARD")
        )
        report = gateway.capture(a_payment())
        assert report == Report(ReportState.FAILED, reason="gateway code EXPIRED_CARD")

    def test_P7_a_capture_that_is_there_already_is_found_by_our_id(self, script):
        # Given a capture that was done, whose answer was lost, and that the gateway will not repeat
        script.on(f"PUT {CAPTURING}", REJECTED)
        script.on(f"GET {CAPTURING}", a_transaction(f"capture-{PAYMENT}"))
        script.on(f"GET {ORDER}", an_order("CAPTURED"))
        # When it is sent again, then it counts as done
        assert gateway.capture(a_payment()) == CAPTURED

    def test_what_the_gateway_rejects_and_does_not_know_is_refused(self, script):
        script.on(f"PUT {CAPTURING}", REJECTED)
        script.on(f"GET {CAPTURING}", NOT_FOUND)
        assert gateway.capture(a_payment()).state is ReportState.FAILED


class TestVoid:
    def test_what_reserved_the_money_is_let_go(self, script):
        script.on(f"GET {ORDER}", an_order("AUTHORIZED", AUTHORIZATION), an_order("CANCELLED"))
        script.on(f"PUT {VOIDING}", a_transaction(f"void-{PAYMENT}"))
        assert gateway.void(a_payment()).state is ReportState.VOIDED
        content = json.loads(script.requests[1].body)
        assert content["transaction"] == {"targetTransactionId": "1"}

    @pytest.mark.parametrize("status", ["CANCELLED", "CAPTURED", "INITIATED", "FAILED"])
    def test_where_nothing_is_reserved_nothing_is_sent(self, script, status):
        script.on(f"GET {ORDER}", an_order(status))
        assert gateway.void(a_payment()).state is mastercard.STATES[status]
        assert script.sent == [f"GET {ORDER}"]


class TestRefund:
    def refund(self, provider: Provider = Provider.MASTERCARD) -> RefundReport:
        return gateway.refund(a_payment(provider), REFUND, Money(4_990), "W-1")

    def test_who_gives_money_back_when_asked(self):
        assert frozenset({Provider.MASTERCARD, Provider.WALLET}) == gateway.CAN_REFUND
        for provider in set(Provider) - gateway.CAN_REFUND:
            with pytest.raises(AssertionError):
                self.refund(provider)

    def test_mastercard_gives_back_under_our_reference(self, script):
        script.on(f"PUT {REFUNDING}", a_transaction(REFUND))
        assert self.refund() == RefundReport(RefundState.DONE, REFUND)
        content = json.loads(script.requests[0].body)
        assert content["transaction"] == {"amount": "49.90", "currency": "MAD"}

    def test_P8_mastercards_lost_answer_is_asked_for_and_not_sent_again(self, script):
        script.on(f"PUT {REFUNDING}", lost)
        script.on(f"GET {REFUNDING}", a_transaction(REFUND))
        with pytest.raises(OutcomeUnknown):
            self.refund()
        assert gateway.ask_refund(a_payment(), REFUND).state is RefundState.DONE
        assert script.sent == [f"PUT {REFUNDING}", f"GET {REFUNDING}"]

    @pytest.mark.parametrize(
        ("answer", "state"),
        [
            (a_transaction(REFUND), RefundState.DONE),
            (a_transaction(REFUND, "FAILURE", "DECLINED"), RefundState.REFUSED),
            (a_transaction(REFUND, "PENDING", "SUBMITTED"), RefundState.PENDING),
            (NOT_FOUND, RefundState.ABSENT),
        ],
    )
    def test_what_mastercard_says_when_asked(self, script, answer, state):
        script.on(f"GET {REFUNDING}", answer)
        assert gateway.ask_refund(a_payment(), REFUND).state is state

    def test_a_question_that_the_gateway_rejects_is_unknown(self, script):
        script.on(f"GET {REFUNDING}", REJECTED)
        with pytest.raises(OutcomeUnknown):
            gateway.ask_refund(a_payment(), REFUND)

    def test_a_rejected_refund_is_refused_only_once_the_gateway_knows_nothing_of_it(self, script):
        script.on(f"PUT {REFUNDING}", REJECTED, REJECTED, REJECTED)
        script.on(f"GET {REFUNDING}", NOT_FOUND, a_transaction(REFUND), Response(401))
        assert self.refund().state is RefundState.REFUSED
        assert self.refund().state is RefundState.DONE
        with pytest.raises(OutcomeUnknown):
            self.refund()

    def test_the_wallet_repeats_what_was_lost_by_itself(self, script):
        call = f"PUT /api/refunds/{REFUND}"
        script.on(call, lost, said(state="done", provider_reference="R-1"))
        assert self.refund(Provider.WALLET) == RefundReport(RefundState.DONE, "R-1")
        assert script.sent == [call] * 2
        assert script.requests[0] == script.requests[1]
        assert json.loads(script.requests[0].body)["provider_reference"] == "W-1"

    @pytest.mark.parametrize(
        ("answer", "state"),
        [(said(state="refused"), RefundState.REFUSED), (Response(404), RefundState.ABSENT)],
    )
    def test_what_the_wallet_says_when_asked(self, script, answer, state):
        script.on(f"GET /api/refunds/{REFUND}", answer)
        assert gateway.ask_refund(a_payment(Provider.WALLET), REFUND).state is state


class TestActions:
    def test_the_card_page_is_there_once_it_was_opened(self):
        assert action_of(a_payment(), BUYER) is None
        action = action_of(a_payment(session_id="S1"), BUYER)
        gateway_url = settings().mastercard_gateway_url
        assert action == Redirect(f"{gateway_url}/checkout/pay/S1?checkoutVersion=1.0.0")

    def test_payzone_gets_a_signed_form_that_is_always_the_same(self):
        payment = a_payment(Provider.PAYZONE, method=Method.PAYZONE)
        action = action_of(payment, BUYER)
        assert isinstance(action, RedirectForm)
        assert action == action_of(payment, BUYER)
        assert action.url == settings().payzone_paywall_url
        payload = json.loads(action.fields["payload"])
        assert payload["timestamp"] == int(CREATED_AT.timestamp())
        assert (payload["price"], payload["customerLocale"]) == ("249.90", "fr_FR")
        assert payload["successUrl"] == f"{settings().storefront_url}/orders/ord_1"
        assert action.fields["signature"] == payzone.payload_signature(
            action.fields["payload"], settings().payzone_paywall_secret
        )

    def test_P15_payzone_does_not_learn_who_the_buyer_is(self):
        action = action_of(a_payment(Provider.PAYZONE, method=Method.PAYZONE), BUYER)
        assert "amina" not in repr(action).lower()

    def test_the_buyer_comes_back_to_where_the_payment_says(self):
        changes = {"method": Method.PAYZONE, "return_url": "https://shop.example/back"}
        action = action_of(a_payment(Provider.PAYZONE, **changes), BUYER)
        assert isinstance(action, RedirectForm)
        assert json.loads(action.fields["payload"])["failureUrl"] == "https://shop.example/back"

    @pytest.mark.parametrize("method", list(Method))
    def test_a_payment_that_is_over_leads_nowhere(self, method):
        payment = a_payment(method=method, session_id="S1", status=PaymentStatus.CAPTURED)
        assert action_of(payment, BUYER) is None
