"""Payzone's paywall: its form, its callback, and the status of a charge."""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.edge.outbound import OutcomeUnknown, Response
from chalicelib.money import Money
from chalicelib.payments.domain import EventKind, Provider, ProviderEvent
from chalicelib.payments.providers import payzone
from chalicelib.payments.providers.payzone import Caller, Launch
from chalicelib.payments.reports import Report, ReportState

PAYMENT = "pay_aaaaaaaaaaaaaaaaaaaaaaaa01"
KEY, OLD_KEY = "notif_test_key", "notif_old_key"
LAUNCH = Launch(
    payment_id=PAYMENT,
    amount=Money(24_990),
    description="Maalem ord_1 – زليج",
    language="ar",
    started_at=1_907_694_000,
    callback_url="https://api.example/callback",
    return_url="https://shop.example/back",
)
CALLER = Caller("https://payzone.example/api/v3", "maalem", "maalem-api", "caller-password")
APPROVED = {"id": "T1", "state": "APPROVED", "resultCode": 0, "amount": 249.9, "currency": "MAD"}


def a_charge(status: str = "CHARGED", *transactions: Any, **changes: Any) -> dict[str, Any]:
    listed = list(transactions) if transactions else [APPROVED]
    charge = {"id": PAYMENT, "orderId": PAYMENT, "status": status, "transactions": listed}
    return charge | changes


def a_callback(
    charge: dict[str, Any] | bytes, key: str = KEY, **headers: str
) -> ProviderEvent | None:
    raw = charge if isinstance(charge, bytes) else json.dumps(charge).encode()
    given_ = headers or {"x-callback-signature": payzone.callback_signature(raw, key)}
    return payzone.read_callback(raw, given_, (KEY, OLD_KEY))


def event_of(charge: dict[str, Any] | bytes) -> ProviderEvent:
    event = a_callback(charge)
    assert event is not None
    return event


def read(charge: dict[str, Any], status: int = 200) -> Report:
    return payzone.read_charge(Response(status, json.dumps(charge).encode()), PAYMENT)


class TestLaunch:
    def fields(self, launch: Launch = LAUNCH) -> dict[str, str]:
        return payzone.launch_fields(launch, merchant_account="maalem", paywall_secret="secret")

    def test_the_form_carries_the_payment_and_its_signature(self):
        fields = self.fields()
        assert sorted(fields) == ["payload", "signature"]
        assert json.loads(fields["payload"]) == {
            "merchantAccount": "maalem",
            "timestamp": 1_907_694_000,
            "skin": "vps-1-vue",
            "customerId": PAYMENT,
            "customerCountry": "MA",
            "customerLocale": "ar_MA",
            "chargeId": PAYMENT,
            "orderId": PAYMENT,
            "price": "249.90",
            "currency": "MAD",
            "description": "Maalem ord_1 – زليج",
            "mode": "DEEP_LINK",
            "paymentMethod": "CREDIT_CARD",
            "callbackUrl": "https://api.example/callback",
            "successUrl": "https://shop.example/back",
            "failureUrl": "https://shop.example/back",
            "cancelUrl": "https://shop.example/back",
        }
        signed = hashlib.sha256(b"secret" + fields["payload"].encode()).hexdigest()
        assert fields["signature"] == signed

    def test_the_same_payment_always_gives_the_same_form(self):
        assert self.fields() == self.fields(replace(LAUNCH))

    def test_the_payload_survives_any_encoding_of_the_page(self):
        assert self.fields()["payload"].isascii()

    @pytest.mark.parametrize(
        "changes",
        [
            {"amount": Money(24_991)},
            {"payment_id": "pay_x"},
            {"started_at": 1},
            {"return_url": "https://shop.example/else"},
        ],
    )
    def test_every_part_is_signed(self, changes):
        assert self.fields(replace(LAUNCH, **changes))["signature"] != self.fields()["signature"]


class TestSignature:
    def test_the_published_vector(self):
        body = b'{"id":"CH-1","status":"CHARGED","transactions":[{"state":"APPROVED"}]}'
        assert payzone.callback_signature(body, "notif_test_key") == (
            "2126491174a71089facc37fed1a86a4a7d68c2d5e89b1adea9d3541902ef802c"
        )

    @pytest.mark.parametrize("key", [KEY, OLD_KEY])
    def test_both_active_keys_are_good(self, key):
        assert a_callback(a_charge(), key)

    def test_upper_case_hex_is_the_same_signature(self):
        raw = json.dumps(a_charge()).encode()
        signature = payzone.callback_signature(raw, KEY).upper()
        assert a_callback(raw, **{"x-callback-signature": signature})

    @pytest.mark.parametrize("signature", ["", "0" * 64, "zz", "é\ud800"])
    def test_P16_another_signature_is_a_forgery(self, signature):
        assert a_callback(a_charge(), **{"x-callback-signature": signature}) is None

    def test_P16_no_signature_no_key_and_a_strange_key_are_forgeries(self):
        raw = json.dumps(a_charge()).encode()
        empty = {"x-callback-signature": hmac.digest(b"", raw, "sha256").hex()}
        assert a_callback(a_charge(), "strange") is None
        assert payzone.read_callback(raw, {}, (KEY, "")) is None
        assert payzone.read_callback(raw, empty, ("", "")) is None
        assert payzone.read_callback(raw, {"x-callback-signature": ""}, ("",)) is None

    @given(some.data())
    def test_P16_one_altered_byte_breaks_it(self, data):
        raw = json.dumps(a_charge()).encode()
        signature = payzone.callback_signature(raw, KEY)
        place = data.draw(some.integers(0, len(raw) - 1))
        byte = data.draw(some.integers(0, 255).filter(lambda value: value != raw[place]))
        altered = raw[:place] + bytes([byte]) + raw[place + 1 :]
        assert a_callback(altered, **{"x-callback-signature": signature}) is None


class TestCallback:
    def test_money(self):
        event = event_of(a_charge())
        assert (event.kind, event.provider) == (EventKind.SUCCEEDED, Provider.PAYZONE)
        assert (event.reference, event.provider_reference) == (PAYMENT, PAYMENT)
        assert (event.amount, event.reason) == (Money(24_990), None)

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            ("DECLINED", EventKind.FAILED),
            ("FAILED", EventKind.FAILED),
            ("CANCELLED", EventKind.FAILED),
            ("PENDING", EventKind.NOTIFIED),
            ("REFUNDED", EventKind.NOTIFIED),
            ("charged", EventKind.NOTIFIED),
            ("SOMETHING_NEW", EventKind.NOTIFIED),
            ("", EventKind.NOTIFIED),
        ],
    )
    def test_any_other_status_is_a_refusal_or_a_reason_to_ask(self, status, kind):
        # Given a body that claims an approved transaction beside it
        event = event_of(a_charge(status))
        # Then it is no money
        assert (event.kind, event.amount) == (kind, None)

    @pytest.mark.parametrize(
        "transaction",
        [
            APPROVED | {"state": "DECLINED"},
            APPROVED | {"state": "PENDING"},
            APPROVED | {"resultCode": 1},
            APPROVED | {"resultCode": "00"},
            APPROVED | {"resultCode": 0.0},
            APPROVED | {"resultCode": None},
            APPROVED | {"resultCode": False},
            {"state": "APPROVED"},
            "APPROVED",
            None,
        ],
    )
    def test_charged_without_an_approved_transaction_is_a_reason_to_ask(self, transaction):
        event = event_of(a_charge("CHARGED", transaction))
        assert (event.kind, event.amount) == (EventKind.NOTIFIED, None)

    @pytest.mark.parametrize("code", [0, "0"])
    def test_a_result_code_of_zero_may_be_text(self, code):
        declined = APPROVED | {"state": "DECLINED", "resultCode": 51}
        event = event_of(a_charge("CHARGED", declined, APPROVED | {"resultCode": code}))
        assert (event.kind, event.amount) == (EventKind.SUCCEEDED, Money(24_990))

    def test_money_taken_twice_fits_no_payment(self):
        event = event_of(a_charge("CHARGED", APPROVED, APPROVED | {"id": "T2"}))
        assert (event.kind, event.amount) == (EventKind.SUCCEEDED, None)

    @pytest.mark.parametrize(
        ("changes", "amount"),
        [
            ({"amount": "249.90"}, Money(24_990)),
            ({"amount": 249.9}, Money(24_990)),
            ({"amount": 24990}, Money(2_499_000)),
            ({"amount": 249}, Money(24_900)),
            ({"amount": "249,90"}, None),
            ({"amount": None}, None),
            ({"amount": -5}, None),
            ({"currency": "EUR"}, Money(24_990, "EUR")),
            ({"currency": "504"}, None),
            ({"currency": None}, None),
        ],
    )
    def test_what_amount_is_read(self, changes, amount):
        assert event_of(a_charge("CHARGED", APPROVED | changes)).amount == amount

    @pytest.mark.parametrize(
        ("changes", "reference"),
        [
            ({"id": "CH-1"}, PAYMENT),
            ({"orderId": "77"}, PAYMENT),
            ({"id": "CH-1", "orderId": "77"}, "77"),
            ({"id": "CH-1", "orderId": None}, "CH-1"),
            ({"id": None, "orderId": None}, "none"),
            ({"id": "x" * 900, "orderId": None}, "x" * 64),
        ],
    )
    def test_the_payment_is_named_by_whichever_id_is_ours(self, changes, reference):
        assert event_of(a_charge(**changes)).reference == reference

    @pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"\xff", b"[" * 99_999, b'{"id": NaN}'])
    def test_signed_nonsense_is_kept_for_an_operator(self, raw):
        event = event_of(raw)
        assert (event.kind, event.reference) == (EventKind.NOTIFIED, "none")

    def test_P7_repeated_it_has_the_same_key(self):
        raw = json.dumps(a_charge()).encode()
        assert event_of(raw).key == event_of(raw).key
        assert event_of(raw).key != event_of(raw + b" ").key
        assert len(event_of(raw).key) == len("payzone#") + 64


class TestStatus:
    def test_the_question_is_signed_by_caller_account_time_and_path(self):
        sent = payzone.charge_request(CALLER, PAYMENT, 1_907_694_000)
        assert (sent.method, sent.body, sent.repeatable) == ("GET", b"", True)
        assert sent.url == f"https://payzone.example/api/v3/charges/{PAYMENT}"
        signed = f"maalem-apimaalem1907694000/api/v3/charges/{PAYMENT}"
        digest = hmac.digest(b"caller-password", signed.encode(), "sha256")
        assert sent.headers["X-HMAC-Signature"] == digest.hex().upper()
        assert sent.headers["X-HMAC-Timestamp"] == "1907694000"
        assert (sent.headers["X-CallerName"], sent.headers["X-MerchantAccount"]) == (
            "maalem-api", "maalem",
        )  # fmt: skip
        assert "caller-password" not in repr(sent) + repr(CALLER)

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("CHARGED", ReportState.CAPTURED),
            ("DECLINED", ReportState.FAILED),
            ("FAILED", ReportState.FAILED),
            ("CANCELLED", ReportState.FAILED),
            ("PENDING", ReportState.PENDING),
        ],
    )
    def test_every_status(self, status, state):
        assert read(a_charge(status)).state is state

    def test_money_is_named_as_the_callback_names_it(self):
        report, event = read(a_charge(id="CH-1")), event_of(a_charge(id="CH-1"))
        assert report == Report(ReportState.CAPTURED, event.provider_reference, event.amount)
        assert read({"charge": a_charge(id="CH-1")}) == report

    @pytest.mark.parametrize(
        "charge",
        [
            a_charge("REFUNDED"),
            a_charge("AUTHORISED"),
            a_charge(""),
            a_charge("CHARGED", {"state": "DECLINED"}),
            a_charge(id="CH-1", orderId="pay_another"),
            {},
        ],
    )
    def test_P8_what_decides_nothing_is_unknown(self, charge):
        with pytest.raises(OutcomeUnknown):
            read(charge)

    @pytest.mark.parametrize(
        "response",
        [Response(401, b"{}"), Response(200, b"<html>"), Response(404, b"<html>"), Response(204)],
    )
    def test_P8_what_is_no_answer_is_unknown(self, response):
        with pytest.raises(OutcomeUnknown):
            payzone.read_charge(response, PAYMENT)

    @pytest.mark.parametrize("body", [b"", b'{"message": "not found"}'])
    def test_a_charge_that_it_does_not_know_is_absent(self, body):
        absent = Report(ReportState.ABSENT)
        assert payzone.read_charge(Response(404, body), PAYMENT) == absent

    def test_money_taken_twice_has_no_amount(self):
        report = read(a_charge("CHARGED", APPROVED, APPROVED | {"id": "T2"}))
        assert (report.state, report.amount) == (ReportState.CAPTURED, None)
