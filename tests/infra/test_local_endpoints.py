"""The endpoints that only the local server has; the sandbox's bank has tests of its own."""

import json
from datetime import timedelta

import pytest
from chalice import Chalice, Rate

from chalicelib import clock
from chalicelib.edge.auth import artisan_id_of
from infra.local.endpoints import LocalEndpoints
from infra.local.gateway import HttpRequest
from infra.local.pump import Pump
from tests.factories.bank import InProcessBank, a_due
from tests.factories.provider_calls import capture


@pytest.fixture
def sweeps() -> list[str]:
    return []


@pytest.fixture
def bank() -> InProcessBank:
    """A bank that nobody listens to."""
    return InProcessBank(find={"pay_1": a_due("mastercard", 24_990)}.get)


@pytest.fixture
def endpoints(aws, user_pool, sweeps, bank) -> LocalEndpoints:
    app = Chalice(app_name="tiny")

    @app.schedule(Rate(1, unit=Rate.MINUTES))
    def sweep(event):
        sweeps.append(event.to_dict()["time"])

    pump = Pump(app, aws)
    return LocalEndpoints(user_pool, pump, bank.bank)


def ask(endpoints: LocalEndpoints, method: str, target: str, body: object = None, **headers: str):
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return endpoints.answer(HttpRequest(method, f"/_local/{target}", named, raw))


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

    def test_there_is_a_second_operator(self, endpoints):
        first, second = (
            json.loads(ask(endpoints, "GET", f"tokens{query}").body)["operator"]
            for query in ("", "?operator=demo-operator-002")
        )
        assert first != second
        assert ask(endpoints, "GET", "tokens?operator=demo-artisan-001").status == 422
        assert ask(endpoints, "GET", "tokens?subject=demo-operator-002").status == 422


class TestQueues:
    @pytest.mark.parametrize(
        ("operation", "body", "code"),
        [
            ("DeleteQueue", {}, "UnsupportedOperation"),
            ("PurgeQueue", {}, "UnsupportedOperation"),
            ("GetQueueUrl", {"QueueName": "none"}, "AWS.SimpleQueueService.NonExistentQueue"),
            ("GetQueueUrl", {}, "InvalidParameterValue"),
            ("SendMessage", b"{", "InvalidParameterValue"),
            ("ReceiveMessage", [], "InvalidParameterValue"),
        ],
    )
    def test_what_sqs_cannot_do_is_its_own_refusal(self, endpoints, operation, body, code):
        answer = ask(endpoints, "POST", "sqs", body, x_amz_target=f"AmazonSQS.{operation}")
        assert answer.status == 400
        assert json.loads(answer.body)["__type"].endswith(f"#{code}")

    def test_how_old_the_oldest_message_is_is_known(self, endpoints):
        found = json.loads(ask(endpoints, "GET", "queues").body)["oldest_seconds"]
        assert found["maalem-local-payments"] == 0


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


class TestBank:
    def test_its_pages_and_apis_are_passed_on(self, endpoints):
        assert b"249.90 MAD" in ask(endpoints, "GET", "pay/pay_1").body
        assert ask(endpoints, "GET", "pay/pay_2").status == 404
        assert ask(endpoints, "GET", "bank/books/pay_1").status == 200
        assert ask(endpoints, "GET", "bank/wallet/api/payments/pay_1").status == 401

    def test_a_drain_waits_for_what_the_bank_has_yet_to_send(self, endpoints, bank, sweeps):
        # Given a capture of which the platform has not been notified
        bank.press("pay_1")
        before = len(bank.sent)
        capture(bank, "pay_1", 24_990)
        assert len(bank.sent) == before
        # When everything is drained
        drained = json.loads(ask(endpoints, "POST", "drain").body)
        # Then it was notified, and what followed was drained too
        assert [each.what for each in bank.sent[before:]] == [
            "mastercard notification: capture approved, order CAPTURED"
        ]
        assert drained["quiet"]
        assert bank.bank.delivered_count == 1

    def test_what_the_bank_sends_during_a_drain_is_drained_too(self, endpoints, bank, sweeps):
        # The pump is replaced, to have the platform capture while it drains.
        # Given a bank that has more to say while the queues are drained
        bank.press("pay_1")
        endpoints._pump.drain = lambda: next(drains)
        counted = {"sweep": {"handled": 1, "failed": 0}}
        told = {"quiet": True, "rounds": 1, "functions": counted}

        def both():
            capture(bank, "pay_1", 24_990)
            yield told
            yield told

        drains = both()
        drained = json.loads(ask(endpoints, "POST", "drain").body)
        # Then the two drains are told as one
        assert drained["functions"] == {"sweep": {"handled": 2, "failed": 0}}
        assert drained["rounds"] == 2
