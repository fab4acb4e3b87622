"""The four providers' own addresses: who is let in, what is refused, and over real HTTP."""

import hashlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import outbound
from chalicelib.edge.outbound import OutcomeUnknown
from chalicelib.money import Money
from chalicelib.payments.providers import cmi, mastercard, payzone, wallet
from chalicelib.payments.reports import RefundState, ReportState
from infra.local.bank.accounts import Charge, State
from infra.local.bank.callbacks import Callback, Sent
from infra.local.bank.desk import Bank
from infra.local.environment import set_app_environment
from infra.local.gateway import HttpAnswer, HttpRequest
from infra.local.server import LocalServer
from tests.factories.bank import InProcessBank, a_due
from tests.factories.provider_calls import (
    ask,
    capture,
    merchant,
    open_session,
    payzone_caller,
    wallet_account,
)
from tests.factories.sandbox import REFERENCE, Buyer


def an_empty_bank() -> InProcessBank:
    return InProcessBank()


class TestCmi:
    def form(self, **changed: str) -> dict[str, str]:
        """The form that the platform signs; what is changed is signed too."""
        request = cmi.CardRequest(REFERENCE, Money(24_990), "Amina", "a@example.ma", "ar", "r")
        key = settings().cmi_store_key
        fields = cmi.request_fields(
            request,
            client_id=settings().cmi_client_id,
            store_key=key,
            callback_url=f"{settings().public_url}/v1/payments/callbacks/cmi",
            return_url="https://shop.example.ma/thanks",
        )
        fields |= changed
        return fields | {"HASH": cmi.ver3_hash(fields, key)}

    def test_the_signed_form_is_what_the_bank_learns_the_payment_from(self):
        bank = an_empty_bank()
        page = bank.post_form("pay/cmi", self.form())
        assert page.status == 200
        assert b'lang="ar"' in page.body
        told = bank.press(REFERENCE)
        assert told["bank"]["due_minor"] == 24_990
        assert told["back_to"] == "https://shop.example.ma/thanks"

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"clientid": "600000001"}, "bad_client"),
            ({"currency": "978"}, "bad_amount"),
            ({"amount": "many"}, "bad_amount"),
            ({"callbackUrl": "https://elsewhere.example/cb"}, "bad_address"),
        ],
    )
    def test_a_form_that_is_not_ours_is_refused(self, changed, code):
        bank = an_empty_bank()
        answer = bank.post_form("pay/cmi", self.form(**changed))
        assert (answer.status, json.loads(answer.body)["code"]) == (400, code)
        assert bank.bank.books.find(REFERENCE) is None

    def test_a_form_that_was_touched_is_refused(self):
        bank = an_empty_bank()
        touched = self.form() | {"amount": "1.00"}
        answer = bank.post_form("pay/cmi", touched)
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "bad_signature")
        assert bank.post_form("pay/cmi", {}).status == 400
        assert bank.ask("GET", "pay/cmi").status == 405
        assert bank.bank.books.find(REFERENCE) is None

    def test_the_same_reference_is_not_another_amount(self):
        bank = an_empty_bank()
        bank.post_form("pay/cmi", self.form())
        answer = bank.post_form("pay/cmi", self.form(amount="1.00"))
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "bad_order")
        assert bank.charge(REFERENCE).due_minor == 24_990

    def query(self, bank: InProcessBank, data: str) -> dict[str, str]:
        answer = bank.post_form("bank/cmi/api", {"DATA": data})
        assert answer.status == 200
        root = ElementTree.fromstring(answer.body)
        return {each.tag: each.text or "" for each in [*root, *root.iterfind("Extra/*")]}

    def test_the_status_is_in_minor_units(self):
        buyer = Buyer("cmi", 24_990)
        buyer.press()
        given = settings()
        account = cmi.ApiAccount("", given.cmi_api_user, given.cmi_api_password, "600000000")
        body = cmi.status_request(account, REFERENCE).body
        answer = buyer.bank.ask("POST", "bank/cmi/api", body)
        root = ElementTree.fromstring(answer.body)
        said = {each.tag: each.text for each in root.iterfind("Extra/*")}
        assert (root.findtext("Response"), root.findtext("ProcReturnCode")) == ("Approved", "00")
        assert said["TRANS_STAT"] == "C"
        assert (said["ORIG_TRANS_AMT"], said["CAPTURE_AMT"]) == ("24990", "24990")
        assert "TRANS_STAT:C" in str(said["ORDERSTATUS"])
        assert root.findtext("TransId") == buyer.charge.tries[0].provider_reference

    def asked(self, **changed: str) -> str:
        names = {
            "Name": settings().cmi_api_user,
            "Password": settings().cmi_api_password,
            "ClientId": settings().cmi_client_id,
            "OrderId": REFERENCE,
        } | changed
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in names.items())
        return f"<CC5Request>{inner}<Extra><ORDERSTATUS>QUERY</ORDERSTATUS></Extra></CC5Request>"

    @pytest.mark.parametrize("name", ["Name", "Password", "ClientId"])
    def test_only_the_apis_user_is_answered(self, name):
        buyer = Buyer("cmi", 24_990)
        buyer.press()
        said = self.query(buyer.bank, self.asked(**{name: "other"}))
        assert (said["ProcReturnCode"], said["Response"]) == ("99", "Error")
        assert "TRANS_STAT" not in said

    def test_an_unknown_order_and_what_is_no_query_are_errors(self):
        bank = an_empty_bank()
        said = self.query(bank, self.asked())
        assert (said["ProcReturnCode"], said["Response"]) == ("99", "Error")
        assert said["ErrMsg"] == f"No record found for {REFERENCE}"
        for data in ("", "<", "<CC5/>", "<!DOCTYPE a><CC5Request/>", "<CC5Request/>"):
            assert self.query(bank, data)["ProcReturnCode"] == "99"
        assert bank.ask("GET", "bank/cmi/api").status == 405
        assert bank.ask("POST", "bank/cmi/other").status == 404


class TestMastercard:
    def test_a_session_leads_to_a_page_and_back_with_the_indicator_of_success(self):
        bank = an_empty_bank()
        session = open_session(bank, REFERENCE, 24_990)
        path = urlsplit(session.url).path.partition("/checkout/")[2]
        page = bank.ask("GET", f"bank/mastercard/checkout/{path}")
        assert page.status == 200
        assert b"Mastercard Gateway" in page.body
        assert b'lang="en"' in page.body
        assert bank.press(REFERENCE, "decline")["back_to"] == "https://shop.example.ma/orders/ord_1"
        back_to = bank.press(REFERENCE)["back_to"]
        assert f"resultIndicator={session.success_indicator}" in back_to
        assert bank.ask("GET", "bank/mastercard/checkout/pay/SESSION1").status == 404

    def test_the_indicator_is_that_of_the_session_whose_page_was_opened(self):
        bank = an_empty_bank()
        first = open_session(bank, REFERENCE, 24_990)
        second = open_session(bank, REFERENCE, 24_990)
        assert first.success_indicator != second.success_indicator
        bank.ask("GET", f"bank/mastercard/checkout/pay/{first.session_id}")
        assert first.success_indicator in bank.press(REFERENCE)["back_to"]

    def session(self, **changed: Any) -> outbound.Request:
        checkout = mastercard.Checkout(
            REFERENCE, Money(24_990), "ord_1", "en", "https://shop.example.ma/o",
            f"{settings().public_url}/v1/payments/callbacks/mastercard",
        )  # fmt: skip
        request = mastercard.session_request(merchant(), checkout)
        body = json.loads(request.body)
        for path, value in changed.items():
            part, _, name = path.partition("__")
            if name:
                body[part][name] = value
            else:
                body[part] = value
        return replace(request, body=json.dumps(body).encode())

    @pytest.mark.parametrize(
        "changed",
        [
            {"apiOperation": "CREATE_CHECKOUT_SESSION"},
            {"interaction__operation": "STEAL"},
            {"interaction__merchant": None},
            {"order__amount": "1.234"},
            {"order__currency": "EUR"},
            {"order__id": ""},
            {"order__notificationUrl": "https://elsewhere.example/cb"},
            {"order": []},
        ],
    )
    def test_a_session_that_lacks_something_is_refused(self, changed):
        bank = an_empty_bank()
        answer = bank.carry(self.session(**changed))
        assert answer.status == 400
        assert json.loads(answer.body)["error"]["cause"] == "INVALID_REQUEST"
        assert bank.bank.books.find(REFERENCE) is None

    @pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
    def test_only_the_merchant_is_let_in(self, method):
        buyer = Buyer("mastercard", 24_990)
        buyer.press()
        good = self.session()
        stranger = replace(merchant(), password="guessed")
        bad = mastercard.order_request(stranger, REFERENCE).headers
        path = urlsplit(good.url).path.partition("/merchant/")[2].partition("/")[0]
        base = f"bank/mastercard/api/rest/version/100/merchant/{path}"
        for target in ("session", f"order/{REFERENCE}", f"order/{REFERENCE}/transaction/t1"):
            for headers in (bad, {}, {"Authorization": "Basic x"}):
                answer = buyer.bank.ask(method, f"{base}/{target}", good.body, headers)
                assert answer.status == 401
        assert buyer.charge.state is State.AUTHORIZED

    def test_another_merchants_addresses_are_nowhere(self):
        bank = an_empty_bank()
        headers = self.session().headers
        base = "bank/mastercard/api/rest/version/100/merchant"
        assert bank.ask("GET", f"{base}/OTHER/order/{REFERENCE}", b"", headers).status == 404
        assert bank.ask("GET", f"{base}/MAALEM/orders", b"", headers).status == 404
        assert bank.ask("GET", f"{base}/MAALEM/order/{REFERENCE}", b"", headers).status == 400

    def test_an_order_is_told_with_its_transactions(self):
        buyer = Buyer("mastercard", 24_952)
        buyer.pay()
        answer = buyer.bank.carry(mastercard.order_request(merchant(), REFERENCE))
        order = json.loads(answer.body)
        assert (order["status"], order["amount"], order["currency"]) == ("CAPTURED", 249.52, "MAD")
        told = [(each["transaction"]["type"], each["result"]) for each in order["transaction"]]
        assert told == [
            ("AUTHENTICATION", "SUCCESS"),
            ("AUTHORIZATION", "FAILURE"),
            ("AUTHENTICATION", "SUCCESS"),
            ("AUTHORIZATION", "SUCCESS"),
            ("CAPTURE", "SUCCESS"),
        ]
        assert mastercard.authorization_in(answer) == "2"

    def test_a_purchase_takes_the_money_at_once(self):
        bank = an_empty_bank()
        bank.carry(self.session(interaction__operation="PURCHASE"))
        bank.press(REFERENCE)
        assert bank.charge(REFERENCE).state is State.CAPTURED
        kinds = [json.loads(each.body)["transaction"]["type"] for each in bank.sent]
        assert kinds == ["AUTHENTICATION", "PAYMENT"]

    def test_a_paid_order_is_paid_no_second_time(self):
        buyer = Buyer("mastercard", 24_900)
        buyer.press()
        body = json.dumps({"outcome": "pay"}).encode()
        headers = {"Content-Type": "application/json"}
        assert buyer.bank.ask("POST", f"pay/{REFERENCE}", body, headers).status == 409
        assert buyer.bank.carry(self.session(order__amount="249.00")).status == 400
        assert len(buyer.charge.tries) == 1

    def test_the_gateways_own_transaction_ids_are_not_ours_to_use(self):
        buyer = Buyer("mastercard", 24_900)
        buyer.press()
        request = mastercard.capture_request(merchant(), REFERENCE, Money(24_900))
        taken = replace(request, url=request.url.replace(mastercard.capture_id(REFERENCE), "1"))
        assert buyer.bank.carry(taken).status == 400
        assert buyer.charge.state is State.AUTHORIZED

    def test_an_operation_that_it_does_not_know_changes_nothing(self):
        buyer = Buyer("mastercard", 24_900)
        buyer.press()
        request = mastercard.capture_request(merchant(), REFERENCE, Money(24_900))
        for body in (b"{}", b"", b"[]", request.body.replace(b"CAPTURE", b"PAY")):
            assert buyer.bank.carry(replace(request, body=body)).status == 400
        assert buyer.charge.state is State.AUTHORIZED
        # Such a request has not used the id up.
        assert buyer.bank.carry(request).status == 201


class TestPayzone:
    def launch(self, secret: str | None = None, **changed: Any) -> dict[str, str]:
        launch = payzone.Launch(
            REFERENCE, Money(24_990), "ord_1", "ar", 1_900_000_000,
            f"{settings().public_url}/v1/payments/callbacks/payzone", "https://shop.example.ma/o",
        )  # fmt: skip
        given = settings()
        key = secret or given.payzone_paywall_secret
        fields = payzone.launch_fields(
            launch, merchant_account=given.payzone_merchant_account, paywall_secret=key
        )
        payload = json.dumps(json.loads(fields["payload"]) | changed)
        signature = hashlib.sha256((key + payload).encode()).hexdigest()
        return {"payload": payload, "signature": signature}

    def test_the_signed_payload_is_what_the_bank_learns_the_payment_from(self):
        bank = an_empty_bank()
        page = bank.post_form("bank/payzone/paywall", self.launch())
        assert page.status == 200
        assert b'lang="ar"' in page.body
        told = bank.press(REFERENCE)
        assert (told["bank"]["due_minor"], told["bank"]["state"]) == (24_990, "captured")
        assert told["back_to"] == "https://shop.example.ma/o"
        assert ask(bank, "payzone", REFERENCE).amount == Money(24_990)

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"merchantAccount": "other"}, "bad_client"),
            ({"currency": "EUR"}, "bad_amount"),
            ({"price": "1.234"}, "bad_amount"),
            ({"callbackUrl": "https://elsewhere.example/cb"}, "bad_address"),
        ],
    )
    def test_a_payload_that_is_not_ours_is_refused(self, changed, code):
        bank = an_empty_bank()
        answer = bank.post_form("bank/payzone/paywall", self.launch(**changed))
        assert (answer.status, json.loads(answer.body)["code"]) == (400, code)
        assert bank.bank.books.find(REFERENCE) is None

    def test_a_payload_that_was_touched_or_signed_by_others_is_refused(self):
        bank = an_empty_bank()
        touched = self.launch()
        touched["payload"] = touched["payload"].replace("249.90", "1.00")
        for fields in (touched, self.launch(secret="guessed"), {}):
            answer = bank.post_form("bank/payzone/paywall", fields)
            assert (answer.status, json.loads(answer.body)["code"]) == (400, "bad_signature")
        assert bank.ask("GET", "bank/payzone/paywall").status == 405
        assert bank.bank.books.find(REFERENCE) is None

    @pytest.mark.parametrize(
        "changed", [{"password": "guessed"}, {"name": "other"}, {"merchant_account": "other"}]
    )
    def test_only_a_caller_that_signs_is_answered(self, changed):
        buyer = Buyer("payzone", 24_990)
        buyer.press()
        now = int(clock.outside_now().timestamp())
        good = payzone.charge_request(payzone_caller(), REFERENCE, now)
        stranger = payzone.charge_request(payzone_caller(**changed), REFERENCE, now)
        stale = payzone.charge_request(payzone_caller(), REFERENCE, now - 301)
        of_another = replace(good, url=good.url + "2")
        statuses = [buyer.bank.carry(each).status for each in (good, stranger, stale, of_another)]
        assert statuses == [200, 401, 401, 401]
        assert buyer.bank.carry(replace(good, headers={})).status == 401

    def test_earlier_refusals_are_told_with_the_payment(self):
        buyer = Buyer("payzone", 24_952)
        buyer.press()
        states = [
            [each["state"] for each in json.loads(body)["transactions"]]
            for body in buyer.platform.bodies
        ]
        assert states == [["DECLINED"], ["DECLINED", "APPROVED"]]


class TestWallet:
    KEY = {"Authorization": "Bearer local-wallet-api-key"}

    @pytest.mark.parametrize("given", ["", "Bearer guessed", "local-wallet-api-key", "Bearer "])
    def test_only_the_key_opens_it(self, given):
        buyer = Buyer("wallet", 24_990)
        buyer.press()
        headers = {"Authorization": given} if given else {}
        for method, path in (("GET", "payments"), ("GET", "refunds"), ("PUT", "refunds")):
            target = f"bank/wallet/api/{path}/{REFERENCE}"
            assert buyer.bank.ask(method, target, b"{}", headers).status == 401
        assert buyer.charge.refunds == {}

    def test_a_payment_is_told_in_the_neutral_contract(self):
        buyer = Buyer("wallet", 24_990)
        buyer.press()
        answer = buyer.bank.ask("GET", f"bank/wallet/api/payments/{REFERENCE}", b"", self.KEY)
        assert json.loads(answer.body) == {
            "reference": REFERENCE,
            "state": "succeeded",
            "provider_reference": buyer.charge.tries[0].provider_reference,
            "amount": {"amount_minor": 24_990, "currency": "MAD"},
            "refunded_minor": 0,
            "dispute": None,
            "reason": None,
        }

    def test_a_page_that_was_opened_is_a_payment_that_is_pending(self):
        buyer = Buyer("wallet", 24_990)
        assert buyer.bank.ask("GET", f"pay/{REFERENCE}").status == 200
        assert buyer.report().state is ReportState.PENDING

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"{}", b'{"amount": {"amount_minor": 1.5, "currency": "MAD"}}',
                 b'{"amount": {"amount_minor": true, "currency": "MAD"}}'],
    )  # fmt: skip
    def test_a_refund_of_nothing_is_a_problem(self, body):
        bank = an_empty_bank()
        answer = bank.ask("PUT", "bank/wallet/api/refunds/rfd_1", body, self.KEY)
        assert answer.status == 422

    def test_a_refund_of_an_unknown_payment_is_refused(self):
        bank = an_empty_bank()
        body = json.dumps(
            {"payment_reference": "pay_9", "amount": {"amount_minor": 1, "currency": "MAD"}}
        ).encode()
        answer = bank.ask("PUT", "bank/wallet/api/refunds/rfd_1", body, self.KEY)
        assert json.loads(answer.body)["state"] == "refused"

    def test_other_addresses_are_nowhere(self):
        bank = an_empty_bank()
        for method, path in (("DELETE", "payments/x"), ("GET", "payouts/x"), ("GET", "payments/x")):
            assert bank.ask(method, f"bank/wallet/api/{path}", b"", self.KEY).status == 404


class TestBooks:
    def test_they_are_shown_and_never_read_from_the_platform(self):
        buyer = Buyer("wallet", 24_990)
        assert buyer.bank.ask("GET", f"bank/books/{REFERENCE}").status == 404
        buyer.press()
        shown = json.loads(buyer.bank.ask("GET", f"bank/books/{REFERENCE}").body)
        assert shown == json.loads(json.dumps(buyer.charge.view()))
        assert buyer.bank.ask("GET", "bank/nobody/api").status == 404

    def test_a_body_over_64_kb_is_refused(self):
        assert an_empty_bank().ask("POST", "bank/cmi/api", b"x" * 65_537).status == 413


class TestOverHttp:
    """The same over sockets: the platform's client, and the server that serves the bank."""

    @pytest.fixture
    def served(self) -> Iterator[Bank]:
        dues = {name: a_due(name, 24_900, payment_id=name) for name in ("wallet", "cmi")}
        dues["lost"] = a_due("wallet", 24_962, payment_id="lost")
        bank = Bank(dues.get, dict)

        def answer(request: HttpRequest) -> HttpAnswer:
            is_callback = request.path.startswith("/v1/payments/callbacks/")
            return HttpAnswer(204) if is_callback else bank.answer(request)

        server = LocalServer(0, answer)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        kept = dict(os.environ)
        set_app_environment(server.url)
        settings.cache_clear()
        outbound.set_transport(outbound.call_over_http)
        yield bank
        server.shutdown()
        server.server_close()
        os.environ.clear()
        os.environ.update(kept)
        settings.cache_clear()

    def press(self, reference: str) -> Any:
        body = json.dumps({"outcome": "pay"}).encode()
        url = f"{settings().public_url}/_local/pay/{reference}"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        answer = outbound.send("test", outbound.Request("POST", url, headers, body))
        return json.loads(answer.body)

    def test_a_callback_comes_over_http_and_the_api_is_asked_over_http(self, served):
        (sent,) = self.press("wallet")["sent"]
        assert (sent["what"], sent["status"]) == ("wallet callback: approved", 204)
        answer = outbound.send("wallet", wallet.payment_request(wallet_account(), "wallet"))
        assert wallet.read_payment(answer, "wallet").state is ReportState.CAPTURED

    def test_a_lost_answer_is_a_connection_that_closes_and_asking_helps(self, served):
        self.press("lost")
        by = served.books.find("lost").tries[0].provider_reference
        account = wallet_account()
        request = wallet.refund_request(account, "lost", by, "rfd_1", Money(24_962))
        with pytest.raises(OutcomeUnknown):
            outbound.send("wallet", request)
        assert served.books.find("lost").view()["refunded_minor"] == 24_962
        answer = outbound.send("wallet", wallet.refund_status_request(account, "rfd_1"))
        assert wallet.read_refund(answer).state is RefundState.DONE

    def test_a_platform_that_is_away_is_told_as_no_answer(self, served, monkeypatch):
        monkeypatch.setenv("MAALEM_PUBLIC_URL", f"http://127.0.0.1:{an_unused_port()}")
        settings.cache_clear()
        headers = (("Content-Type", "application/json"), ("Accept", "application/json"))
        request = HttpRequest("POST", "/_local/pay/cmi-2", headers, b'{"outcome": "pay"}')
        served.books.open(Charge("cmi-2", "cmi", 100))
        (sent,) = json.loads(served.answer(request).body)["sent"]
        assert sent["status"] == 0
        assert served.books.find("cmi-2").state is State.AUTHORIZED


class TestInBackground:
    def test_what_a_call_has_caused_is_sent_without_being_asked_for(self):
        # Given a bank that delivers from a thread of its own
        arrived = threading.Event()
        bank = InProcessBank(find={REFERENCE: a_due("mastercard", 24_900)}.get)

        def send(callback: Callback) -> Sent:
            if b'"CAPTURE"' in callback.body:
                arrived.set()
            return Sent(callback.what, 200, "")

        bank.bank = Bank(lambda _: None, dict, send, in_background=True)
        open_session(bank, REFERENCE, 24_900)
        bank.press(REFERENCE)
        assert not arrived.is_set()
        # When the platform captures, then it is notified
        capture(bank, REFERENCE, 24_900)
        assert arrived.wait(30)
        bank.deliver()  # Waits for whoever delivers.
        assert bank.bank.delivered_count == 1


def an_unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
