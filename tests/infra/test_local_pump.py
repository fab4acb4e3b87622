"""The pump delivers as Lambda does: again after a failure, apart, in order, in time."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from chalice import Chalice, Cron, Rate

from chalicelib import clock
from infra.local import pump as pump_module
from infra.local.aws import LocalAws
from infra.local.environment import ACCOUNT, REGION
from infra.local.pump import MAX_STREAM_ATTEMPTS, STREAMS_DEAD, Pump
from tests.aws import both_databases

PREFIX = "maalem-local-tiny-"
JOBS = f"{PREFIX}jobs"
DECLARED = {
    "JobsQueue": {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            "QueueName": JOBS,
            "VisibilityTimeout": 360,
            "RedrivePolicy": {
                "deadLetterTargetArn": {"Fn::GetAtt": ["JobsDeadQueue", "Arn"]},
                "maxReceiveCount": 3,
            },
        },
    },
    "JobsDeadQueue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"{JOBS}-dead"}},
    "StreamsDeadQueue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": STREAMS_DEAD}},
    "ThingsTable": {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": {"Fn::Sub": f"{PREFIX}things"},
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        },
    },
}


class Tiny:
    """A Chalice app with one consumer of each kind, which notes what it was given."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.jobs: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []
        self.sweeps: list[str] = []
        self.nightly: list[str] = []
        self.refuse: Callable[[str], bool] = lambda _: False
        self.delivered = threading.Event()
        self.app = Chalice(app_name="tiny")
        self._declare(self.app)

    def _declare(self, app: Chalice) -> None:
        @app.on_sqs_message(queue_arn={"Fn::GetAtt": ["JobsQueue", "Arn"]}, batch_size=10)
        def take_jobs(event: Any) -> dict[str, Any]:
            failed = []
            for record in event.to_dict()["Records"]:
                self.jobs.append(record)
                if self.refuse(record["body"]):
                    failed.append({"itemIdentifier": record["messageId"]})
            self.delivered.set()
            return {"batchItemFailures": failed}

        @app.on_dynamodb_record(stream_arn={"Fn::GetAtt": ["ThingsTable", "StreamArn"]})
        def see_changes(event: Any) -> dict[str, Any]:
            for record in event.to_dict()["Records"]:
                self.changes.append(record)
                if self.refuse(record["dynamodb"]["Keys"]["pk"]["S"]):
                    number = record["dynamodb"]["SequenceNumber"]
                    return {"batchItemFailures": [{"itemIdentifier": number}]}
            return {"batchItemFailures": []}

        @app.schedule(Rate(1, unit=Rate.MINUTES))
        def sweep(event: Any) -> None:
            self.sweeps.append(event.to_dict()["time"])

        @app.schedule(Cron(0, 3, "*", "*", "?", "*"))
        def settle_the_night(event: Any) -> None:
            self.nightly.append(event.to_dict()["time"])

    def send(self, *bodies: str) -> None:
        for body in bodies:
            boto3.client("sqs").send_message(QueueUrl=queue_url(JOBS), MessageBody=body)

    def put(self, *keys: str) -> None:
        for key in keys:
            boto3.client("dynamodb").put_item(
                TableName=f"{PREFIX}things", Item={"pk": {"S": key}, "raw": {"B": b"\x00\xff"}}
            )


def queue_url(name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"


def dead_bodies(name: str) -> list[str]:
    answer = boto3.client("sqs").receive_message(QueueUrl=queue_url(name), MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


@pytest.fixture
def tiny(aws: LocalAws) -> Iterator[Tiny]:
    declared = aws.resources
    aws.declare(DECLARED)
    aws.reset()
    yield Tiny(aws)
    aws.reset()
    aws.resources.drop_tables()
    aws.resources = declared


@pytest.fixture
def tiny_pump(tiny: Tiny) -> Pump:
    return Pump(tiny.app, tiny.aws)


class TestQueues:
    def test_a_message_is_delivered_once_in_lambdas_shape(self, tiny, tiny_pump):
        tiny.send("hello")
        done = tiny_pump.drain()
        assert done["functions"] == {"take_jobs": {"handled": 1, "failed": 0}}
        (record,) = tiny.jobs
        assert record["body"] == "hello"
        assert record["eventSource"] == "aws:sqs"
        assert record["eventSourceARN"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:{JOBS}"
        assert record["attributes"]["ApproximateReceiveCount"] == "1"

    def test_a_bad_message_comes_again_and_goes_to_the_dead_letters_alone(self, tiny, tiny_pump):
        # Given a message that always fails among good ones
        tiny.refuse = lambda body: body == "bad"
        tiny.send("good 1", "bad", "good 2")
        # When everything is delivered
        done = tiny_pump.drain()
        # Then the good ones came once, the bad one as often as the queue allows
        bodies = [record["body"] for record in tiny.jobs]
        assert sorted(bodies) == ["bad", "bad", "bad", "good 1", "good 2"]
        assert done["functions"]["take_jobs"] == {"handled": 2, "failed": 3}
        assert dead_bodies(f"{JOBS}-dead") == ["bad"]

    def test_a_message_that_fails_once_is_not_lost(self, tiny, tiny_pump):
        failures = iter([True, False])
        tiny.refuse = lambda _: next(failures)
        tiny.send("again")
        assert tiny_pump.drain()["functions"]["take_jobs"] == {"handled": 1, "failed": 1}
        assert dead_bodies(f"{JOBS}-dead") == []

    def test_a_handler_that_raises_fails_its_whole_batch(self, tiny, tiny_pump):
        def explode(_: str) -> bool:
            raise RuntimeError("a planted failure")

        tiny.refuse = explode
        tiny.send("one")
        assert tiny_pump.drain()["functions"]["take_jobs"] == {"handled": 0, "failed": 3}
        assert dead_bodies(f"{JOBS}-dead") == ["one"]

    def test_a_failure_that_names_no_message_of_the_batch_fails_all_of_it(self, tiny, tiny_pump):
        # Given a handler whose answer Lambda could not make sense of
        source = tiny_pump._queues[0].source
        answers = iter([{"batchItemFailures": [{"itemIdentifier": "nobody"}]}])
        original = source.handler
        object.__setattr__(
            source,
            "handler",
            lambda event, context: next(answers, None) or original(event, context),
        )
        tiny.send("one")
        # Then the message is delivered again rather than deleted
        assert tiny_pump.drain()["functions"]["take_jobs"] == {"handled": 1, "failed": 1}
        assert [record["body"] for record in tiny.jobs] == ["one"]

    def test_more_than_a_batch_is_delivered_and_a_delay_is_not_waited_for(self, tiny, tiny_pump):
        for number in range(25):
            boto3.client("sqs").send_message(
                QueueUrl=queue_url(JOBS), MessageBody=str(number), DelaySeconds=600
            )
        assert tiny_pump.drain()["functions"]["take_jobs"]["handled"] == 25


class TestStreams:
    @both_databases
    def test_changes_come_in_order_and_in_lambdas_shape(self, aws, tiny, tiny_pump):
        tiny.put("a", "b")
        boto3.client("dynamodb").delete_item(TableName=f"{PREFIX}things", Key={"pk": {"S": "a"}})
        tiny_pump.drain()
        seen = [
            (record["eventName"], record["dynamodb"]["Keys"]["pk"]["S"]) for record in tiny.changes
        ]
        assert sorted(seen) == [("INSERT", "a"), ("INSERT", "b"), ("REMOVE", "a")]
        assert seen.index(("INSERT", "a")) < seen.index(("REMOVE", "a"))
        record = tiny.changes[0]
        assert f"table/{PREFIX}things/stream/" in record["eventSourceARN"]
        assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], float)
        assert record["dynamodb"]["NewImage"]["raw"] == {"B": "AP8="}
        json.dumps(record)  # As Lambda's events are.

    @both_databases
    def test_an_update_that_makes_its_item_is_one_change_and_an_empty_one_is_none(
        self, aws, tiny, tiny_pump
    ):
        request = {
            "TableName": f"{PREFIX}things",
            "Key": {"pk": {"S": "a"}},
            "UpdateExpression": "SET n = :n",
            "ExpressionAttributeValues": {":n": {"N": "1"}},
        }
        boto3.client("dynamodb").update_item(**request)
        boto3.client("dynamodb").update_item(**request)
        tiny_pump.drain()
        (record,) = tiny.changes
        assert record["eventName"] == "INSERT"
        assert record["dynamodb"]["NewImage"] == {"pk": {"S": "a"}, "n": {"N": "1"}}

    @both_databases
    def test_a_refused_transaction_leaves_no_change_and_hides_none(self, aws, tiny, tiny_pump):
        # Given a reader that is in the middle of the stream
        dynamodb = boto3.client("dynamodb")
        tiny.put("a")
        tiny_pump.drain()
        # When a transaction is refused, and another write follows
        name = f"{PREFIX}things"
        fresh = {"Put": {"TableName": name, "Item": {"pk": {"S": "b"}}}}
        taken = {
            "Put": {
                "TableName": name,
                "Item": {"pk": {"S": "a"}},
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }
        with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
            dynamodb.transact_write_items(TransactItems=[fresh, taken])
        tiny.put("c")
        tiny_pump.drain()
        # Then the reader sees what happened, and nothing that did not
        keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in tiny.changes]
        assert keys == ["a", "c"]

    def test_a_change_that_fails_holds_back_those_after_it(self, tiny, tiny_pump):
        failures = iter([True, False, False])
        tiny.refuse = lambda _: next(failures)
        tiny.put("a", "b")
        tiny_pump.drain()
        keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in tiny.changes]
        assert keys == ["a", "a", "b"]

    def test_a_change_that_keeps_failing_is_parked_and_the_next_ones_follow(self, tiny, tiny_pump):
        tiny.refuse = lambda key: key == "bad"
        tiny.put("bad", "good")
        done = tiny_pump.drain()
        keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in tiny.changes]
        assert keys == ["bad"] * MAX_STREAM_ATTEMPTS + ["good"]
        assert done["quiet"]
        (parked,) = dead_bodies(STREAMS_DEAD)
        assert json.loads(parked)["DDBStreamBatchInfo"]["streamArn"].endswith(
            tiny.changes[0]["eventSourceARN"]
        )

    def test_reading_leaves_no_spent_iterators_behind(self, tiny, tiny_pump):
        from moto.dynamodbstreams.models import dynamodbstreams_backends

        for number in range(20):
            tiny.put(str(number))
            tiny_pump.drain()
        assert len(dynamodbstreams_backends[ACCOUNT][REGION].shard_iterators) <= 2


class TestSchedules:
    def test_a_schedule_runs_when_the_advanced_clock_says_so_and_once(self, tiny, tiny_pump):
        # Given a schedule of every minute that is not due yet
        assert tiny_pump.drain()["functions"] == {}
        # When ten minutes pass at once
        clock.advance(600)
        # Then it runs once, and not again before another minute has passed
        assert tiny_pump.drain()["functions"] == {"sweep": {"handled": 1, "failed": 0}}
        assert tiny_pump.drain()["functions"] == {}
        clock.advance(61)
        tiny_pump.drain()
        assert len(tiny.sweeps) == 2

    def test_a_nightly_one_waits_for_its_hour(self, tiny, tiny_pump):
        clock.advance(86400)
        tiny_pump.drain()
        assert len(tiny.nightly) == 1
        assert tiny.nightly[0].endswith("T03:00:00Z")

    def test_every_schedule_can_be_asked_to_run_now(self, tiny, tiny_pump):
        tiny_pump.drain(sweep=True)
        assert (len(tiny.sweeps), len(tiny.nightly)) == (1, 1)


class TestBackground:
    def test_work_is_delivered_without_being_asked_for(self, tiny, tiny_pump):
        tiny_pump.start()
        try:
            tiny.send("hello")
            assert tiny.delivered.wait(timeout=5)
        finally:
            tiny_pump.stop()

    def test_a_handler_that_sends_to_its_own_queue_forever_ends_the_drain(
        self, tiny, tiny_pump, monkeypatch
    ):
        # The limit is lowered: at its real height this takes seconds.
        monkeypatch.setattr(pump_module, "MAX_ROUNDS", 20)

        def send_another(body: str) -> bool:
            tiny.send(body)
            return False

        tiny.refuse = send_another
        tiny.send("round and round")
        assert tiny_pump.drain()["quiet"] is False

    def test_two_functions_of_one_name_are_refused(self, aws):
        app = Chalice(app_name="twice")
        for queue in ("one", "two"):

            @app.on_sqs_message(queue=queue, name="same")
            def take(event: Any) -> None: ...

        with pytest.raises(ValueError, match="same"):
            Pump(app, aws)


@both_databases
def test_what_was_set_is_given_back_even_when_it_was_so_already(aws, tiny):
    request = {
        "TableName": f"{PREFIX}things",
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "SET #n = if_not_exists(#n, :n), parts = :p",
        "ExpressionAttributeNames": {"#n": "first"},
        "ExpressionAttributeValues": {":n": {"N": "1"}, ":p": {"M": {"x": {"S": "y"}}}},
        "ReturnValues": "UPDATED_NEW",
    }
    given = {"first": {"N": "1"}, "parts": {"M": {"x": {"S": "y"}}}}
    for _ in range(2):
        assert boto3.client("dynamodb").update_item(**request)["Attributes"] == given
