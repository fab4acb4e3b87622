"""What the functions do is what their policies allow, shown on moto with a guard for IAM."""

from pathlib import Path

import pytest

from chalicelib.config import settings
from infra.local.pump import Pump
from infra.template import guard
from infra.template.guard import API, Guard, needs

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def on_duty(aws, gateway, monkeypatch):
    """The guard, told by the pump who is acting."""
    from app import app

    prefix = settings().table_prefix
    watching = Guard(app, PROJECT, prefix, prefix)
    deliver = Pump._call

    def deliver_as(pump, function, handler, event, ids):
        with watching.acting_as(function):
            return deliver(pump, function, handler, event, ids)

    monkeypatch.setattr(Pump, "_call", deliver_as)
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
    artisan, operator = api.artisan, api.operator
    with on_duty.acting_as(API):
        for path in (path for path in readable if "{" not in path):
            token = artisan if path.startswith("/v1/me") else operator
            assert api.get(path, token=token).status < 500, path
    assert on_duty.used[API]


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
