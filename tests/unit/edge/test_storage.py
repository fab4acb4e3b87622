"""Telling an outage from a mistake, and shards of what is due."""

from collections.abc import Iterator, Mapping, Sequence

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import (
    CancellationReason,
    GetError,
    PutError,
    TransactWriteError,
    VerboseClientError,
)

from chalicelib.edge import storage
from chalicelib.edge.storage import (
    due_shard_of,
    due_shards,
    failed_conditions,
    is_outage,
    sweep_due,
)


def a_client_error(code: str, *reasons: str | None) -> ClientError:
    return VerboseClientError(
        {"Error": {"Code": code, "Message": code}},
        "Operation",
        {},
        cancellation_reasons=[CancellationReason(code=each) if each else None for each in reasons],
    )


@pytest.mark.parametrize(
    "error",
    [
        PutError(cause=a_client_error("ThrottlingException")),
        GetError(cause=a_client_error("ProvisionedThroughputExceededException")),
        PutError(cause=a_client_error("TransactionConflictException")),
        TransactWriteError("x", cause=a_client_error("ThrottlingException")),
        TransactWriteError("x", cause=a_client_error("InternalServerError")),
        TransactWriteError(
            "x", cause=a_client_error("TransactionCanceledException", None, "TransactionConflict")
        ),
        GetError(cause=EndpointConnectionError(endpoint_url="https://dynamodb")),
        GetError(cause=ConnectTimeoutError(endpoint_url="https://dynamodb")),
        GetError(cause=ReadTimeoutError(endpoint_url="https://dynamodb")),
        EndpointConnectionError(endpoint_url="https://sqs"),
        a_client_error("RequestLimitExceeded"),
    ],
    ids=lambda error: f"{type(error).__name__}-{error}"[:60],
)
def test_no_answer_and_no_capacity_are_outages(error):
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        PutError(cause=a_client_error("ConditionalCheckFailedException")),
        PutError(cause=a_client_error("ValidationException")),
        TransactWriteError("x", cause=a_client_error("ValidationException")),
        TransactWriteError(
            "x",
            cause=a_client_error(
                "TransactionCanceledException", "ConditionalCheckFailed", "TransactionConflict"
            ),
        ),
        a_client_error("AccessDeniedException"),
        ValueError("x"),
    ],
    ids=lambda error: f"{type(error).__name__}-{error}"[:60],
)
def test_conditions_and_mistakes_are_not(error):
    assert not is_outage(error)


def test_the_failed_conditions_of_a_transaction_are_named_by_position():
    error = TransactWriteError(
        "x",
        cause=a_client_error(
            "TransactionCanceledException", None, "ConditionalCheckFailed", "TransactionConflict"
        ),
    )
    assert failed_conditions(error) == [1]


def test_a_key_is_due_in_one_of_the_shards_that_are_swept():
    shards = due_shards("expire")
    assert len(set(shards)) == storage.DUE_SHARD_COUNT
    assert {due_shard_of("expire", f"ord_{number}") for number in range(200)} == set(shards)


class AnIndex:
    """Instead of a table's index: what is due in each shard, and what was read of it."""

    due_at = UnicodeAttribute()

    def __init__(self, due: Mapping[str, Sequence[str]]) -> None:
        self.due = due
        self.read: list[str] = []

    def query(self, shard: str, condition: object, page_size: int) -> Iterator[str]:
        for item in self.due.get(shard, ()):
            self.read.append(item)
            yield item


class TestSweepDue:
    def test_no_shard_waits_behind_the_backlog_of_another(self):
        # Given a backlog in the first shard, and one thing in the last
        index = AnIndex({"expire#0": ["a", "b", "c"], "expire#3": ["d", "e"], "expire#7": ["f"]})
        # When all that is due is swept, then each shard has its turn
        assert list(sweep_due(index, "expire")) == ["a", "d", "f", "b", "e", "c"]

    def test_what_is_not_reached_is_not_read(self):
        index = AnIndex({"expire#0": ["a", "b"], "expire#1": ["c", "d"]})
        swept = sweep_due(index, "expire")
        assert [next(swept), next(swept)] == ["a", "c"]
        assert index.read == ["a", "c"]
