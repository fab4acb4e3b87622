"""Queues: one bad message stops no other, none is lost, poison is buried with its reason."""

import json
from datetime import timedelta
from typing import Literal

import boto3
import pytest
from botocore.exceptions import ClientError
from pydantic import BaseModel, TypeAdapter

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import queues, turns
from chalicelib.edge.queues import MAX_RECEIVES, BatchFailed, consume_batch
from chalicelib.errors import Conflict


class Said(BaseModel):
    type: Literal["said"] = "said"
    text: str


ADAPTER: TypeAdapter[Said] = TypeAdapter(Said)


@pytest.fixture(autouse=True)
def partial(aws, monkeypatch):
    monkeypatch.setenv("MAALEM_PARTIAL_BATCH", "1")
    settings.cache_clear()


def a_record(identifier: str, text: str = "hello", *, receives: int = 1, body: str | None = None):
    return {
        "messageId": identifier,
        "body": Said(text=text).model_dump_json() if body is None else body,
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


def handle(message: Said) -> None:
    if message.text == "refuse":
        raise Conflict("no")
    if message.text == "break":
        raise RuntimeError("amina@example.ma is not there")


def consume(*records) -> list[str]:
    answer = consume_batch("payments", list(records), ADAPTER, handle)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def buried() -> list[tuple[str, str]]:
    """(reason, body) of what lies in the dead-letter queue."""
    answer = boto3.client("sqs").receive_message(
        QueueUrl=queues.url_of("payments-dead"),
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
    )
    return [
        (message["MessageAttributes"]["reason"]["StringValue"], message["Body"])
        for message in answer.get("Messages", [])
    ]


def test_what_succeeds_does_not_come_again():
    assert consume(a_record("1"), a_record("2")) == []


@pytest.mark.parametrize("text", ["refuse", "break"])
def test_P9_only_the_message_that_failed_comes_again(text):
    assert consume(a_record("1"), a_record("2", text), a_record("3")) == ["2"]
    assert buried() == []


@pytest.mark.parametrize("body", ["", "{", "[]", '{"type": "said"}', '{"type": "other"}'])
def test_P9_a_message_that_cannot_be_read_is_buried_at_once(body):
    assert consume(a_record("1", body=body or "x"), a_record("2")) == []
    ((reason, kept),) = buried()
    assert reason.startswith("unreadable: ")
    assert kept == (body or "x")


@pytest.mark.parametrize(
    ("text", "reason"), [("refuse", "refused: conflict"), ("break", "failed: RuntimeError")]
)
def test_P9_a_message_that_keeps_failing_is_buried_with_the_reason(text, reason):
    assert consume(a_record("1", text, receives=MAX_RECEIVES - 1)) == ["1"]
    assert consume(a_record("1", text, receives=MAX_RECEIVES)) == []
    ((found, body),) = buried()
    assert found == reason
    assert json.loads(body)["text"] == text


def test_P15_the_reason_names_nobody():
    consume(a_record("1", "break", receives=MAX_RECEIVES))
    assert "amina" not in buried()[0][0]


def test_P6_without_partial_reporting_the_whole_batch_comes_again(monkeypatch):
    monkeypatch.delenv("MAALEM_PARTIAL_BATCH")
    settings.cache_clear()
    assert consume(a_record("1")) == []
    with pytest.raises(BatchFailed):
        consume(a_record("1"), a_record("2", "break"))


def test_P6_poison_that_cannot_be_buried_comes_again_and_stops_no_other(monkeypatch):
    # bury is replaced: a queue that refuses messages cannot be had from moto.
    def refuse(queue: str, body: str, reason: str) -> None:
        raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage")

    monkeypatch.setattr(queues, "bury", refuse)
    assert consume(a_record("1", body="x"), a_record("2"), a_record("3", body="y")) == ["1", "3"]


def test_a_message_that_is_sent_arrives():
    queues.send("payments", Said(text="hello"))
    answer = boto3.client("sqs").receive_message(QueueUrl=queues.url_of("payments"))
    assert ADAPTER.validate_json(answer["Messages"][0]["Body"]) == Said(text="hello")


def test_P6_what_cannot_be_begun_in_time_comes_again_and_is_not_buried(monkeypatch):
    # Given a batch of which the first message takes all the time, at their last receipt
    start = clock.outside_now()
    late = start + timedelta(seconds=turns.TAKING_SECONDS)
    times = iter([start, start])
    monkeypatch.setattr(clock, "outside_now", lambda: next(times, late))
    records = [a_record(name, receives=MAX_RECEIVES) for name in ("first", "second", "third")]
    # When it is consumed, then what was not begun comes again
    assert consume(*records) == ["second", "third"]
    assert buried() == []
