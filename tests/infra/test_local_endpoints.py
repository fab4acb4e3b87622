"""The endpoints that only the local server has, and the sandbox provider's page.

The platform behind the callbacks is a stand-in that checks signatures and notes what came: what the
real one makes of a callback is shown by the payments' own tests and the journeys.
"""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from chalice import Chalice, Rate

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import standard_webhooks
from chalicelib.edge.auth import artisan_id_of
from chalicelib.money import Money
from chalicelib.payments.providers import cmi
from infra.local.endpoints import LocalEndpoints
from infra.local.gateway import HttpAnswer, HttpRequest
from infra.local.provider import Due
from infra.local.pump import Pump
from infra.local.sandbox import Sandbox
from infra.local.server import LocalServer

CARD = Due("pay_card", "ord_1<b>", 24990, "cmi", expires_at=None)
WALLET = Due("pay_wallet", "ord_2", 100, "wallet")


class Platform:
    """A stand-in for the platform: verifies each callback and notes what it says."""

    def __init__(self) -> None:
        self.cards: list[dict[str, str]] = []
        self.wallet_events: list[dict] = []
        self.refused = 0

    def answer(self, request: HttpRequest) -> HttpAnswer:
        if request.path.endswith("/cmi"):
            fields = cmi.read_callback(request.body, [settings().cmi_store_key])
            if fields is None:
                return self._refuse()
            self.cards.append(fields)
            return HttpAnswer(200, (("Content-Type", "text/plain"),), b"ACTION=POSTAUTH")
        headers = {name.lower(): value for name, value in request.headers}
        secrets = [settings().wallet_secret]
        genuine = standard_webhooks.is_genuine(secrets, headers, request.body, clock.outside_now())
        if not genuine:
            return self._refuse()
        self.wallet_events.append(json.loads(request.body) | {"id": headers["webhook-id"]})
        return HttpAnswer(204)

    def _refuse(self) -> HttpAnswer:
        self.refused += 1
        return HttpAnswer(401, (), b"refused <i>")


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    made = Platform()
    server = LocalServer(0, made.answer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("MAALEM_PUBLIC_URL", server.url)
    settings.cache_clear()
    yield made
    server.shutdown()
    server.server_close()
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def sweeps() -> list[str]:
    return []


@pytest.fixture
def endpoints(aws, user_pool, sweeps) -> LocalEndpoints:
    app = Chalice(app_name="tiny")

    @app.schedule(Rate(1, unit=Rate.MINUTES))
    def sweep(event):
        sweeps.append(event.to_dict()["time"])

    pump = Pump(app, aws)
    dues = {due.payment_id: due for due in (CARD, WALLET)}
    return LocalEndpoints(user_pool, pump, Sandbox(dues.get, pump.drain))


def ask(endpoints: LocalEndpoints, method: str, target: str, body: object = None, **headers: str):
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return endpoints.answer(HttpRequest(method, f"/_local/{target}", named, raw))


def press(endpoints: LocalEndpoints, due: Due, outcome: str) -> list[dict]:
    answer = ask(
        endpoints, "POST", f"pay/{due.payment_id}", {"outcome": outcome},
        Content_Type="application/json", Accept="application/json",
    )  # fmt: skip
    assert answer.status == 200
    return json.loads(answer.body)["sent"]


class TestTokens:
    def test_the_demos_people_are_given_without_asking(self, endpoints):
        tokens = json.loads(ask(endpoints, "GET", "tokens").body)
        assert set(tokens) == {"operator", "artisan", "artisan_id"}
        assert tokens["artisan_id"] == artisan_id_of("demo-artisan-001")

    def test_another_artisan_is_found_by_subject_or_by_id(self, endpoints):
        wanted = artisan_id_of("demo-artisan-017")
        by_subject = ask(endpoints, "GET", "tokens?subject=demo-artisan-017")
        by_id = ask(endpoints, "GET", f"tokens?artisan_id={wanted}")
        assert json.loads(by_subject.body)["artisan_id"] == wanted
        assert json.loads(by_id.body)["artisan_id"] == wanted

    @pytest.mark.parametrize(
        "query", ["artisan_id=art_nobody", "subject=", "subject=a%20b", "who=me",
                  "subject=demo-operator-001", "subject=" + "x" * 65],
    )  # fmt: skip
    def test_what_names_nobody_is_a_problem(self, endpoints, query):
        answer = ask(endpoints, "GET", f"tokens?{query}")
        assert (answer.status, json.loads(answer.body)["code"]) == (422, "invalid_fields")


class TestClockAndDrain:
    def test_the_clock_moves_and_a_drain_runs_what_became_due(self, endpoints, sweeps):
        before = clock.now()
        answer = ask(endpoints, "POST", "clock", {"advance_seconds": 3600})
        now = clock.from_text(json.loads(answer.body)["now"])
        assert now - before >= timedelta(hours=1) - timedelta(seconds=1)
        drained = json.loads(ask(endpoints, "POST", "drain").body)
        assert drained["quiet"]
        assert drained["functions"] == {"sweep": {"handled": 1, "failed": 0}}
        assert len(sweeps) == 1

    @pytest.mark.parametrize(
        "body", [{}, {"advance_seconds": -1}, {"advance_seconds": "60"}, {"advance_seconds": True},
                 {"advance_seconds": 1.5}, {"advance_seconds": 10**12}, [], None],
    )  # fmt: skip
    def test_a_clock_that_cannot_be_moved_so_is_a_problem(self, endpoints, body):
        assert ask(endpoints, "POST", "clock", body).status == 422

    def test_a_body_that_is_not_json_is_a_problem(self, endpoints):
        for raw in (b"{", b"\xff", b"[" * 100_000):
            assert ask(endpoints, "POST", "clock", raw).status == 400

    def test_the_outbox_is_a_list(self, endpoints):
        assert json.loads(ask(endpoints, "GET", "outbox").body) == {"data": []}

    def test_other_addresses_and_methods_are_problems(self, endpoints):
        assert ask(endpoints, "GET", "nothing").status == 404
        answer = ask(endpoints, "GET", "drain")
        assert (answer.status, dict(answer.headers)["Allow"]) == (405, "POST")


class TestPaymentPage:
    @pytest.mark.parametrize(("language", "way"), [("fr", "ltr"), ("ar", "rtl"), ("en", "ltr")])
    def test_it_shows_amount_order_and_every_outcome_in_the_readers_language(
        self, endpoints, language, way
    ):
        page = ask(endpoints, "GET", "pay/pay_card", Accept_Language=language).body.decode()
        assert f'lang="{language}" dir="{way}"' in page
        assert "249.90 MAD" in page
        assert "ord_1&lt;b&gt;" in page
        assert page.count('name="outcome"') == 7
        assert "http" not in page.replace("http-equiv", "")  # Nothing is fetched from outside.

    def test_an_unknown_payment_or_outcome_is_a_problem(self, endpoints):
        assert ask(endpoints, "GET", "pay/pay_nothing").status == 404
        assert ask(endpoints, "POST", "pay/pay_card", b"outcome=steal").status == 422
        assert ask(endpoints, "POST", "pay/pay_card", b"\xff\xff").status == 422
        assert ask(endpoints, "DELETE", "pay/pay_card").status == 405

    def test_pressing_in_a_browser_shows_what_the_platform_answered(self, endpoints, platform):
        answer = ask(endpoints, "POST", "pay/pay_card?lang=en", b"outcome=pay")
        page = answer.body.decode()
        assert answer.status == 200
        assert "200 ACTION=POSTAUTH" in page
        refused = ask(endpoints, "POST", "pay/pay_card", b"outcome=forged").body.decode()
        assert "401 refused &lt;i&gt;" in refused


class TestOutcomes:
    def test_paying_by_card_sends_one_approval_over_the_amount(self, endpoints, platform):
        (sent,) = press(endpoints, CARD, "pay")
        assert (sent["status"], sent["answer"]) == (200, "ACTION=POSTAUTH")
        (fields,) = platform.cards
        assert (fields["oid"], fields["amount"]) == ("pay_card", "249.90")
        assert (fields["ProcReturnCode"], fields["currency"]) == ("00", "504")

    def test_a_refusal_may_come_before_the_approval(self, endpoints, platform):
        press(endpoints, CARD, "decline_then_pay")
        assert [fields["ProcReturnCode"] for fields in platform.cards] == ["51", "00"]
        press(endpoints, WALLET, "decline_then_pay")
        assert [event["type"] for event in platform.wallet_events] == [
            "payment.failed",
            "payment.succeeded",
        ]

    def test_the_same_callback_twice_is_the_same_to_the_byte(self, endpoints, platform):
        press(endpoints, CARD, "pay_twice")
        press(endpoints, WALLET, "pay_twice")
        assert platform.cards[0] == platform.cards[1]
        assert platform.wallet_events[0] == platform.wallet_events[1]

    def test_two_payments_are_two_events(self, endpoints, platform):
        press(endpoints, CARD, "pay")
        press(endpoints, CARD, "pay")
        assert platform.cards[0]["TransId"] != platform.cards[1]["TransId"]

    def test_another_amount_is_a_dirham_less(self, endpoints, platform):
        press(endpoints, CARD, "wrong_amount")
        press(endpoints, WALLET, "wrong_amount")
        assert platform.cards[0]["amount"] == "248.90"
        assert platform.wallet_events[0]["amount"] == {"amount_minor": 0, "currency": "MAD"}

    @pytest.mark.parametrize("due", [CARD, WALLET], ids=["card", "wallet"])
    def test_a_forged_callback_is_signed_by_somebody_else(self, endpoints, platform, due):
        (sent,) = press(endpoints, due, "forged")
        assert sent["status"] == 401
        assert platform.refused == 1

    def test_paying_late_lets_the_payment_expire_first(self, aws, user_pool, platform):
        # Given a payment that is open for another quarter of an hour
        drained: list[object] = []
        until = clock.now() + timedelta(minutes=15)
        due = Due("pay_late", "ord_3", 500, "wallet", expires_at=until)
        sandbox = Sandbox({"pay_late": due}.get, lambda: drained.append(clock.now()))
        # When it is paid late
        answer = sandbox.answer(
            HttpRequest("POST", "/_local/pay/pay_late", (), b"outcome=late"), "pay_late"
        )
        # Then the sweeps saw it expire before the money came
        assert answer.status == 200
        assert drained[0] > until
        assert len(platform.wallet_events) == 1


class TestGateway:
    def fields(self, **changed: str) -> dict[str, str]:
        request = cmi.CardRequest("pay_card", Money(24990), "Amina", "a@example.ma", "fr", "r")
        return (
            cmi.request_fields(
                request,
                client_id=settings().cmi_client_id,
                store_key=settings().cmi_store_key,
                callback_url="http://127.0.0.1:1/cb",
                return_url="https://shop.example.ma/thanks",
            )
            | changed
        )

    def test_the_redirect_form_opens_the_page_and_leads_back_to_the_shop(self, endpoints, platform):
        opened = ask(endpoints, "POST", "pay/cmi", urlencode(self.fields()).encode())
        assert opened.status == 200
        assert b"249.90 MAD" in opened.body
        after = ask(endpoints, "POST", "pay/pay_card", b"outcome=pay").body.decode()
        assert "https://shop.example.ma/thanks" in after

    def test_a_form_that_was_touched_is_refused(self, endpoints):
        touched = urlencode(self.fields(amount="1.00")).encode()
        answer = ask(endpoints, "POST", "pay/cmi", touched)
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "bad_signature")
        assert ask(endpoints, "POST", "pay/cmi", b"").status == 400
        assert ask(endpoints, "GET", "pay/cmi").status == 405
