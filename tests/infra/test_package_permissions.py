"""What the functions do is what their policies allow, shown on moto with a guard for IAM."""

import io
import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.console import Console

from chalicelib.config import settings
from infra.demo.client import Marketplace
from infra.demo.journey import Journey
from infra.local.environment import LocalSettings
from infra.local.gateway import Gateway
from infra.local.pump import Pump
from infra.local.stack import LocalStack
from infra.template import guard
from infra.template.guard import API, Guard, needs

PROJECT = Path(__file__).resolve().parents[2]


def a_guard() -> Guard:
    from app import app

    prefix = settings().table_prefix
    return Guard(app, PROJECT, prefix, prefix)


def tell_who_acts(watching: Guard, patch: pytest.MonkeyPatch) -> None:
    """The pump acts as the function that it calls, the gateway as the API."""
    deliver, answer = Pump._call, Gateway.answer

    def deliver_as(pump, function, handler, event, ids):
        with watching.acting_as(function):
            return deliver(pump, function, handler, event, ids)

    def answer_as(gateway, request):
        with watching.acting_as(API):
            return answer(gateway, request)

    patch.setattr(Pump, "_call", deliver_as)
    patch.setattr(Gateway, "answer", answer_as)


@pytest.fixture
def on_duty(aws, gateway, monkeypatch):
    watching = a_guard()
    tell_who_acts(watching, monkeypatch)
    with watching.on_duty():
        yield watching


def test_every_sweep_may_do_what_it_does(on_duty, pump):
    # Given nothing that is due; when every schedule runs
    functions = pump.drain(sweep=True)["functions"]
    # Then none was refused, and all of them asked a table
    assert functions
    assert {name: tally["failed"] for name, tally in functions.items() if tally["failed"]} == {}
    assert on_duty.used.keys() >= functions.keys()


def test_the_api_may_read_what_it_lists(on_duty, api):
    from app import app

    readable = [path for path, methods in app.routes.items() if "GET" in methods]
    for path in (path for path in readable if "{" not in path):
        token = api.artisan if path.startswith("/v1/me") else api.operator
        assert api.get(path, token=token).status < 500, path
    assert on_duty.used[API]


@pytest.mark.artefact
def test_the_demo_s_whole_journey_is_allowed_to_everyone_in_it():
    """From browsing to the payout, over HTTP; a process of its own, as `make run` is."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.infra.test_package_permissions"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    used = json.loads(done.stdout.splitlines()[-1])
    assert {API, "settle", "relay_payment_changes", "record_payout_report"} <= used.keys()


def test_a_missing_grant_would_be_seen(on_duty, pump, monkeypatch):
    sweeps = pump.drain(sweep=True)["functions"]
    for name in sweeps:
        monkeypatch.setitem(on_duty._grants, name, frozenset())
    again = pump.drain(sweep=True)["functions"]
    assert {name for name, tally in again.items() if tally["failed"]} == set(sweeps)


class TestNeeds:
    def test_a_transaction_needs_each_of_its_parts(self):
        items = [
            {"Put": {"TableName": "p-orders"}},
            {"ConditionCheck": {"TableName": "p-payments"}},
        ]
        assert needs("dynamodb", "TransactWriteItems", {"TransactItems": items}, "p-", "p-") == [
            ("dynamodb:PutItem", "OrdersTable.Arn"),
            ("dynamodb:ConditionCheckItem", "PaymentsTable.Arn"),
        ]

    def test_an_index_is_a_target_of_its_own(self):
        query = {"TableName": "p-orders", "IndexName": "due"}
        assert needs("dynamodb", "Query", query, "p-", "p-") == [
            ("dynamodb:Query", "OrdersTable.Arn/index/*")
        ]

    def test_a_dead_letter_queue_is_found_by_its_address(self):
        message = {"QueueUrl": "https://sqs.eu-west-3.amazonaws.com/1/p-payouts-dead"}
        assert needs("sqs", "SendMessage", message, "p-", "p-") == [
            ("sqs:SendMessage", "PayoutsDeadQueue.Arn")
        ]


def test_the_guard_reads_the_policies_that_are_deployed():
    events = {
        "Queue": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["PaymentsQueue", "Arn"]}}}
    }
    allowed = guard.granted(PROJECT, "app.app", events)
    assert ("sqs:SendMessage", "PaymentsDeadQueue.Arn") in allowed
    assert ("dynamodb:PutItem", "AuditTable.Arn") in allowed
    assert ("dynamodb:DeleteItem", "LedgerTable.Arn") not in allowed


def run_guarded_demo() -> dict[str, int]:
    """How many kinds of call each function made on the demo's journey; a refused one ends it."""
    with ExitStack() as undo, pytest.MonkeyPatch.context() as patch:
        stack = LocalStack(LocalSettings(port=0))
        undo.callback(stack.stop)
        address = stack.start(lambda sentence: None)
        watching = undo.enter_context(a_guard().on_duty())
        tell_who_acts(watching, patch)
        Journey(undo.enter_context(Marketplace(address)), Console(file=io.StringIO())).run()
        assert watching.refused == []
        return {function: len(calls) for function, calls in watching.used.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run_guarded_demo()) + "\n")
