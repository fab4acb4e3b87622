"""The Mastercard Gateway: what is sent to it, what its answers mean, and its notifications."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.edge.outbound import OutcomeUnknown, Response
from chalicelib.money import Money
from chalicelib.payments.domain import EventKind, Provider
from chalicelib.payments.providers import mastercard
from chalicelib.payments.providers.mastercard import Checkout, Merchant
from chalicelib.payments.reports import RefundReport, RefundState, Report, ReportState

PAYMENT = "pay_aaaaaaaaaaaaaaaaaaaaaaaa01"
REFUND = "rfd_aaaaaaaaaaaaaaaaaaaaaaaa-2"
MERCHANT = Merchant("https://gateway.example", "MAALEM", "s3cret-password")
BASE = "https://gateway.example/api/rest/version/100/merchant/MAALEM"
SECRETS = ("secret-of-32-characters-now-00001", "secret-of-32-characters-old-00001")


def answer(http_status: int = 200, /, **body: Any) -> Response:
    return Response(http_status, json.dumps(body).encode())


def an_order(status: str = "CAPTURED", **changes: Any) -> dict[str, Any]:
    totals = {"totalAuthorizedAmount": 249.90, "totalCapturedAmount": 249.90}
    order = {"id": PAYMENT, "currency": "MAD", "amount": 249.90, "status": status}
    return order | totals | {"totalRefundedAmount": 0, "result": "SUCCESS"} | changes


def read(status: str = "CAPTURED", **changes: Any) -> Report:
    return mastercard.read_order(answer(**an_order(status, **changes)), PAYMENT)


def a_transaction(result: str, code: str | None, **changes: Any) -> dict[str, Any]:
    body = {
        "result": result,
        "order": {"id": PAYMENT, "status": "PARTIALLY_REFUNDED", "currency": "MAD"},
        "transaction": {"id": REFUND, "type": "REFUND", "amount": 49.9, "currency": "MAD"},
        "response": {} if code is None else {"gatewayCode": code},
    }
    return body | changes


def read_refund(result: str, code: str | None, **changes: Any) -> RefundReport | None:
    body = answer(201, **a_transaction(result, code, **changes))
    return mastercard.read_transaction(body, PAYMENT, REFUND)


def an_error(status: int, cause: str, explanation: str = "no") -> Response:
    return answer(status, result="ERROR", error={"cause": cause, "explanation": explanation})


class TestCheckout:
    def checkout(self, **changes: Any) -> Checkout:
        content: dict[str, Any] = {
            "payment_id": PAYMENT,
            "amount": Money(10_000),
            "description": "Maalem ord_1",
            "language": "zgh",
            "return_url": "https://shop.example/back",
            "notification_url": "https://api.example/callback",
        }
        return Checkout(**(content | changes))

    def test_a_session_is_opened_for_our_own_order_id(self):
        sent = mastercard.session_request(MERCHANT, self.checkout())
        assert (sent.method, sent.url, sent.repeatable) == ("POST", f"{BASE}/session", True)
        assert json.loads(sent.body) == {
            "apiOperation": "INITIATE_CHECKOUT",
            "interaction": {
                "operation": "AUTHORIZE",
                "merchant": {"name": "Maalem"},
                "locale": "fr",
                "returnUrl": "https://shop.example/back",
            },
            "order": {
                "id": PAYMENT,
                "amount": "100.00",
                "currency": "MAD",
                "description": "Maalem ord_1",
                "notificationUrl": "https://api.example/callback",
            },
        }

    def test_the_password_goes_into_basic_authentication_and_nowhere_else(self):
        sent = mastercard.session_request(MERCHANT, self.checkout())
        scheme, credentials = sent.headers["Authorization"].split(" ")
        assert scheme == "Basic"
        assert base64.b64decode(credentials) == b"merchant.MAALEM:s3cret-password"
        assert "s3cret" not in repr(sent) + repr(MERCHANT) + sent.body.decode()

    @pytest.mark.parametrize(("attempts", "both"), [(None, False), (3, True)])
    def test_sending_back_and_the_number_of_attempts_are_both_there_or_neither(
        self, attempts, both
    ):
        sent = mastercard.session_request(MERCHANT, self.checkout(attempts_allowed=attempts))
        interaction = json.loads(sent.body)["interaction"]
        assert ("redirectMerchantUrl" in interaction) is both
        assert interaction.get("retryAttemptCount") == attempts

    def test_the_buyer_is_sent_to_the_sessions_page(self):
        said = answer(201, result="SUCCESS", session={"id": "SESSION/1"}, successIndicator="i1")
        opened = mastercard.read_session(said, MERCHANT)
        page = "https://gateway.example/checkout/pay/SESSION%2F1?checkoutVersion=1.0.0"
        assert (opened.url, opened.session_id, opened.success_indicator) == (
            page,
            "SESSION/1",
            "i1",
        )
        assert "i1" not in repr(opened)

    @pytest.mark.parametrize(
        "said",
        [
            answer(201, result="SUCCESS", session={"id": "S"}),
            answer(201, result="SUCCESS", session={}, successIndicator="i"),
            answer(201, result="ERROR", session={"id": "S"}, successIndicator="i"),
            answer(400, result="SUCCESS", session={"id": "S"}, successIndicator="i"),
            an_error(401, "INVALID_REQUEST"),
            Response(200, b"<html>"),
            Response(200, b'["SUCCESS"]'),
        ],
    )
    def test_without_session_and_indicator_none_was_opened(self, said):
        with pytest.raises(OutcomeUnknown):
            mastercard.read_session(said, MERCHANT)

    def test_only_the_very_indicator_is_a_success(self):
        assert mastercard.is_success("abc", "abc")
        for given_, kept in [("abd", "abc"), ("", ""), ("", None), ("abc", None), ("\ud800", "a")]:
            assert not mastercard.is_success(given_, kept)


class TestOrder:
    def test_it_is_asked_by_our_id(self):
        sent = mastercard.order_request(MERCHANT, PAYMENT)
        assert (sent.method, sent.url) == ("GET", f"{BASE}/order/{PAYMENT}")
        assert (sent.body, sent.repeatable) == (b"", True)

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("INITIATED", "pending"),
            ("AUTHENTICATION_INITIATED", "pending"),
            ("AUTHENTICATED", "pending"),
            ("AUTHENTICATION_NOT_NEEDED", "pending"),
            ("AUTHENTICATION_UNSUCCESSFUL", "failed"),
            ("AUTHORIZED", "authorized"),
            ("PARTIALLY_CAPTURED", "captured"),
            ("CAPTURED", "captured"),
            ("PARTIALLY_REFUNDED", "captured"),
            ("REFUNDED", "captured"),
            ("EXCESSIVELY_REFUNDED", "captured"),
            ("REFUND_REQUESTED", "captured"),
            ("CANCELLED", "voided"),
            ("VOIDED", "voided"),
            ("FAILED", "failed"),
            ("DECLINED", "failed"),
            ("DISPUTED", "captured"),
            ("CHARGEBACK_PROCESSED", "captured"),
            ("PENDING", "pending"),
            ("FUNDING", None),
            ("VERIFIED", None),
            ("DISBURSED", None),
            ("SOMETHING_NEW", None),
            ("captured", None),
            ("", None),
        ],
    )
    def test_every_status(self, status, state):
        if state is None:
            with pytest.raises(OutcomeUnknown):
                read(status)
        else:
            assert read(status).state is ReportState(state)

    def test_every_status_of_the_table_is_in_the_test_above(self):
        (mark,) = [
            mark
            for mark in self.test_every_status.pytestmark  # type: ignore[attr-defined]
            if mark.name == "parametrize"
        ]
        known = {status: state for status, state in mark.args[1] if state is not None}
        assert known == {status: str(state) for status, state in mastercard.STATES.items()}

    @pytest.mark.parametrize(
        ("status", "dispute"),
        [("CAPTURED", None), ("DISPUTED", "opened"), ("CHARGEBACK_PROCESSED", "lost")],
    )
    def test_disputes_are_told_beside_the_money(self, status, dispute):
        report = read(status)
        assert (report.dispute, report.amount) == (dispute, Money(24_990))

    def test_each_state_has_its_own_amount(self):
        totals = {"totalAuthorizedAmount": 249.9, "totalCapturedAmount": 100}
        assert read("AUTHORIZED", **totals).amount == Money(24_990)
        assert read("PARTIALLY_CAPTURED", **totals).amount == Money(10_000)
        assert read("FAILED", **totals).amount is None

    @pytest.mark.parametrize(
        ("written", "amount"),
        [
            ("249.90", Money(24_990)),
            ("249.9", Money(24_990)),
            ('"249.90"', Money(24_990)),
            ("24990", Money(2_499_000)),
            ("249", Money(24_900)),
            ("0.1", Money(10)),
            ("249.905", None),
            ("2.499e2", None),
            ("-249.90", None),
            ("true", None),
            ("null", None),
            ("[249.9]", None),
            ("249.90000000000001", None),
        ],
    )
    def test_an_amount_is_read_as_it_is_written(self, written, amount):
        text = json.dumps(an_order(totalCapturedAmount="@")).replace('"@"', written)
        assert mastercard.read_order(Response(200, text.encode()), PAYMENT).amount == amount

    @given(some.integers(0, 10**12), some.booleans())
    def test_P5_any_amount_of_centimes_survives(self, minor, as_number):
        text = Money(minor).decimal_text()
        body = json.dumps(an_order(totalCapturedAmount="@", totalRefundedAmount="@"))
        raw = body.replace('"@"', text if as_number else f'"{text}"').encode()
        report = mastercard.read_order(Response(200, raw), PAYMENT)
        assert (report.amount, report.refunded_minor) == (Money(minor), minor)

    @pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
    def test_what_is_no_number_is_no_answer(self, constant):
        text = json.dumps(an_order(totalCapturedAmount="@")).replace('"@"', constant)
        with pytest.raises(OutcomeUnknown):
            mastercard.read_order(Response(200, text.encode()), PAYMENT)

    @pytest.mark.parametrize(("currency", "amount"), [("USD", Money(24_990, "USD")), ("", None)])
    def test_another_currency_stays_another(self, currency, amount):
        assert read("AUTHORIZED", currency=currency).amount == amount

    def test_what_was_refunded_is_never_guessed(self):
        assert read(totalRefundedAmount="100.5").refunded_minor == 10_050
        order = an_order()
        del order["totalRefundedAmount"]
        assert mastercard.read_order(answer(**order), PAYMENT).refunded_minor == 0
        with pytest.raises(OutcomeUnknown):
            read(totalRefundedAmount="much")

    @pytest.mark.parametrize(
        "said",
        [
            answer(**an_order(id="pay_another")),
            answer(**(an_order() | {"order": {"id": "pay_another", "status": "CAPTURED"}})),
            answer(401, **an_order()),
            answer(403, result="ERROR"),
            an_error(400, "INVALID_REQUEST", "Value 'x' is invalid"),
            an_error(400, "SERVER_BUSY", "order not found"),
            answer(400, result="SUCCESS", error={"explanation": "not found"}),
            Response(404, b"<html>no such host</html>"),
            Response(200, b""),
            Response(200, b"[" * 100_000),
            Response(200, b"\xff\xfe"),
        ],
    )
    def test_P8_what_is_no_answer_about_this_order_decides_nothing(self, said):
        with pytest.raises(OutcomeUnknown):
            mastercard.read_order(said, PAYMENT)

    @pytest.mark.parametrize(
        "said",
        [
            Response(404),
            an_error(404, "INVALID_REQUEST"),
            an_error(400, "INVALID_REQUEST", "Unable to find order in database for merchant"),
            an_error(400, "INVALID_REQUEST", "Order not found"),
        ],
    )
    def test_an_order_that_the_gateway_does_not_know_is_absent(self, said):
        assert mastercard.read_order(said, PAYMENT) == Report(ReportState.ABSENT)

    def test_the_transaction_that_reserved_the_money_is_found(self):
        def listed(result: str, kind: str, name: str) -> dict[str, Any]:
            return {"result": result, "transaction": {"type": kind, "id": name}}

        order = an_order("AUTHORIZED")
        assert mastercard.authorization_in(answer(**order)) == ""
        order["transaction"] = [
            "noise",
            listed("SUCCESS", "AUTHENTICATION", "1"),
            listed("FAILURE", "AUTHORIZATION", "2"),
            listed("SUCCESS", "AUTHORIZATION", "3"),
        ]
        assert mastercard.authorization_in(answer(**order)) == "3"


class TestOperations:
    @pytest.mark.parametrize(
        ("sent", "transaction_id", "content"),
        [
            (
                mastercard.capture_request(MERCHANT, PAYMENT, Money(24_990)),
                f"capture-{PAYMENT}",
                {
                    "apiOperation": "CAPTURE",
                    "transaction": {"amount": "249.90", "currency": "MAD"},
                },
            ),
            (
                mastercard.void_request(MERCHANT, PAYMENT, "3"),
                f"void-{PAYMENT}",
                {"apiOperation": "VOID", "transaction": {"targetTransactionId": "3"}},
            ),
            (
                mastercard.void_request(MERCHANT, PAYMENT, ""),
                f"void-{PAYMENT}",
                {"apiOperation": "VOID", "transaction": {}},
            ),
            (
                mastercard.refund_request(MERCHANT, PAYMENT, REFUND, Money(5)),
                REFUND,
                {"apiOperation": "REFUND", "transaction": {"amount": "0.05", "currency": "MAD"}},
            ),
        ],
        ids=["capture", "void", "void of the only one", "refund"],
    )
    def test_P7_each_has_its_own_transaction_id(self, sent, transaction_id, content):
        url = f"{BASE}/order/{PAYMENT}/transaction/{transaction_id}"
        assert (sent.method, sent.url, json.loads(sent.body)) == ("PUT", url, content)
        # Asked for before it is sent again.
        assert not sent.repeatable
        asked = mastercard.transaction_request(MERCHANT, PAYMENT, transaction_id)
        assert (asked.method, asked.url, asked.body) == ("GET", url, b"")
        assert asked.repeatable

    def test_no_id_leaves_its_place_in_the_address(self):
        sent = mastercard.transaction_request(MERCHANT, "../x?y", "a/b#c")
        assert sent.url == f"{BASE}/order/..%2Fx%3Fy/transaction/a%2Fb%23c"

    def test_an_id_that_the_gateway_would_not_take_is_a_mistake_of_ours(self):
        with pytest.raises(AssertionError):
            mastercard.order_request(MERCHANT, "p" * 41)

    @pytest.mark.parametrize("code", ["APPROVED", "APPROVED_AUTO"])
    def test_done(self, code):
        assert read_refund("SUCCESS", code) == RefundReport(RefundState.DONE, REFUND)

    @pytest.mark.parametrize("code", sorted(mastercard.REFUSED))
    def test_refused_for_good(self, code):
        report = read_refund("FAILURE", code)
        assert report is not None
        assert report.state is RefundState.REFUSED
        assert report.reason == f"gateway code {code}"

    @pytest.mark.parametrize(
        ("result", "code"),
        [
            ("UNKNOWN", "TIMED_OUT"),
            ("FAILURE", "TIMED_OUT"),
            ("PENDING", "SUBMITTED"),
            ("SUCCESS", "SUBMITTED"),
            ("PENDING", "PENDING"),
            ("FAILURE", "SYSTEM_ERROR"),
            ("FAILURE", "ACQUIRER_SYSTEM_ERROR"),
            ("FAILURE", "UNKNOWN"),
            ("FAILURE", "UNSPECIFIED_FAILURE"),
            ("FAILURE", "APPROVED"),
            ("SUCCESS", "DECLINED"),
            ("SUCCESS", "A_CODE_OF_TOMORROW"),
            ("FAILURE", "A_CODE_OF_TOMORROW"),
            ("SUCCESS", None),
            ("FAILURE", None),
            ("", "APPROVED"),
            ("PENDING", "APPROVED"),
        ],
    )
    def test_P8_what_is_undecided_is_neither_done_nor_refused(self, result, code):
        report = read_refund(result, code)
        assert report is not None
        assert report.state is RefundState.PENDING

    def test_the_gateways_receipt_is_kept(self):
        transaction = {"id": REFUND, "receipt": "433310000123"}
        report = read_refund("SUCCESS", "APPROVED", transaction=transaction)
        assert report == RefundReport(RefundState.DONE, "433310000123")

    @pytest.mark.parametrize(
        "changes",
        [
            {"order": {"id": "pay_another"}},
            {"order": {}},
            {"transaction": {"id": "rfd_another"}},
            {"transaction": None},
        ],
    )
    def test_an_answer_about_another_transaction_decides_nothing(self, changes):
        with pytest.raises(OutcomeUnknown):
            read_refund("SUCCESS", "APPROVED", **changes)

    @pytest.mark.parametrize("cause", ["INVALID_REQUEST", "REQUEST_REJECTED"])
    def test_a_request_that_is_not_taken_is_no_refusal_yet(self, cause):
        said = an_error(400, cause, "transaction already exists")
        assert mastercard.read_transaction(said, PAYMENT, REFUND) is None

    @pytest.mark.parametrize(
        "said",
        [an_error(400, "SERVER_FAILED"), answer(401, result="ERROR"), Response(400, b"bad")],
    )
    def test_other_errors_are_no_answer(self, said):
        with pytest.raises(OutcomeUnknown):
            mastercard.read_transaction(said, PAYMENT, REFUND)

    def test_a_transaction_that_never_arrived_is_absent(self):
        absent = RefundReport(RefundState.ABSENT)
        assert mastercard.read_transaction(Response(404), PAYMENT, REFUND) == absent


class TestNotification:
    def headers(self, **changes: str) -> dict[str, str]:
        named = {"x-notification-secret": SECRETS[0], "x-notification-id": "n-1"}
        return named | {name.replace("_", "-"): value for name, value in changes.items()}

    def body(self, **changes: Any) -> bytes:
        return json.dumps(a_transaction("SUCCESS", "APPROVED") | changes).encode()

    def test_it_is_a_reason_to_ask_and_nothing_of_it_is_believed(self):
        event = mastercard.read_notification(self.body(), self.headers(), SECRETS)
        assert event is not None
        assert (event.kind, event.provider) == (EventKind.NOTIFIED, Provider.MASTERCARD)
        assert (event.key, event.reference) == ("mastercard#n-1", PAYMENT)
        assert (event.amount, event.provider_reference) == (None, "")

    @pytest.mark.parametrize("secret", SECRETS)
    def test_both_active_secrets_are_good(self, secret):
        headers = self.headers(x_notification_secret=secret)
        assert mastercard.read_notification(self.body(), headers, SECRETS)

    @pytest.mark.parametrize(
        ("given_", "active"),
        [
            ("", SECRETS),
            ("", ("", "")),
            (SECRETS[0].upper(), SECRETS),
            (SECRETS[0][:-1], SECRETS),
            (SECRETS[0] + " ", SECRETS),
            (SECRETS[0], (SECRETS[1], "")),
            ("é\ud800", SECRETS),
        ],
    )
    def test_P16_another_secret_is_a_forgery(self, given_, active):
        headers = self.headers(x_notification_secret=given_)
        assert mastercard.read_notification(self.body(), headers, active) is None

    def test_P16_without_the_header_it_is_a_forgery(self):
        assert (
            mastercard.read_notification(self.body(), {"x-notification-id": "1"}, SECRETS) is None
        )

    def test_P7_repeated_it_has_the_same_key(self):
        first, again = (
            mastercard.read_notification(
                self.body(), self.headers(x_notification_attempt=attempt), SECRETS
            )
            for attempt in "12"
        )
        assert first == again

    def test_without_an_id_its_content_is_its_key(self):
        def key(body: bytes, name: str = "") -> str:
            event = mastercard.read_notification(
                body, self.headers(x_notification_id=name), SECRETS
            )
            assert event is not None
            assert len(event.key) <= 120
            return event.key

        assert key(self.body()) == key(self.body())
        assert key(self.body()) != key(self.body(result="FAILURE"))
        assert key(self.body(), "n" * 500) != key(self.body(), "n" * 501)

    @pytest.mark.parametrize(
        "raw",
        [b"", b"null", b"[]", b'{"order": []}', b'{"order": {"id": 7.5}}', b"\xff", b"{" * 9999],
    )
    def test_what_names_no_order_of_ours_is_kept_all_the_same(self, raw):
        event = mastercard.read_notification(raw, self.headers(), SECRETS)
        assert event is not None
        assert event.reference in ("none", "7.5")

    def test_half_a_character_is_not_stored(self):
        raw = b'{"order": {"id": "pay_\\ud800x"}}'
        event = mastercard.read_notification(raw, self.headers(), SECRETS)
        assert event is not None
        assert event.reference == "pay_x"
