"""AWS in this process: moto behind one lock, with the template's tables and queues in it."""

import os
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.handlers import BUILTIN_HANDLERS
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodbstreams.models import dynamodbstreams_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from infra.local import moto_fixes
from infra.local.environment import ACCOUNT, REGION, set_aws_environment
from infra.local.moto_fixes import moto_lock
from infra.local.resources import Resource, Resources
from infra.local.signals import note_call

DYNAMODB_ENDPOINTS = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS")

# Every session made from here on reports its calls: that is how the pump learns of new work.
for _service in ("dynamodb", "sqs"):
    BUILTIN_HANDLERS.append((f"after-call.{_service}", note_call))


class LocalAws:
    """moto for everything; DynamoDB itself may live elsewhere (`use_dynamodb`).

    `start` must come before the app is imported, since clients made
    earlier would call the real AWS.
    """

    def __init__(self, declared: Mapping[str, Resource] | None = None) -> None:
        self.resources = Resources(declared or {})
        self._dynamodb_url: str | None = None
        self._mock = mock_aws(
            config={
                "core": {
                    "mock_credentials": False,
                    "reset_boto3_session": True,
                    "passthrough": {"urls": [r"http://(127\.0\.0\.1|localhost)[:/]"]},
                }
            }
        )

    @property
    def on_moto(self) -> bool:
        """Whether DynamoDB is moto's too."""
        return self._dynamodb_url is None

    def start(self) -> "LocalAws":
        set_aws_environment()
        self.use_dynamodb(None)
        moto_fixes.install()
        self._mock.start()
        return self

    def use_dynamodb(self, url: str | None) -> None:
        """Where clients made from now on find DynamoDB and its streams; None is moto."""
        self._dynamodb_url = url
        for name in DYNAMODB_ENDPOINTS:
            os.environ.pop(name, None)
            if url:
                os.environ[name] = url

    def declare(self, declared: Mapping[str, Resource]) -> None:
        """Create what the template declares."""
        self.resources = Resources(declared)
        self.resources.create()

    def stop(self) -> None:
        with moto_lock:
            self._mock.stop()
        self.use_dynamodb(None)

    def reset(self) -> None:
        """Empty every table, stream, queue and bucket; users stay."""
        with moto_lock:
            for queue in sqs_backends[ACCOUNT][REGION].queues.values():
                queue._messages = []
                queue.pending_messages.clear()
                queue.deleted_messages.clear()
            for bucket in s3_backends[ACCOUNT]["aws"].buckets.values():
                bucket.keys.clear()
            if self.on_moto:
                self._empty_tables()
        if not self.on_moto:
            self.resources.drop_tables()
            self.resources.create_tables()

    def _empty_tables(self) -> None:
        dynamodbstreams_backends[ACCOUNT][REGION].shard_iterators.clear()
        for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
            table.items.clear()
            if table.stream_shard is not None:
                table.stream_shard.items.clear()

    def forget_iterator(self, spent: str) -> None:
        """Drop a spent stream iterator: moto keeps every one that was ever handed out."""
        if self.on_moto:
            with moto_lock:
                dynamodbstreams_backends[ACCOUNT][REGION].shard_iterators.pop(spent, None)

    def stream_version(self, arn: str) -> int | None:
        """How many records a stream has had; None where only reading it can tell."""
        if not self.on_moto:
            return None
        with moto_lock:
            table = dynamodb_backends[ACCOUNT][REGION].tables[_table_of(arn)]
            return len(table.stream_shard.items)

    def current_stream_arn(self, arn: str) -> str:
        """The ARN of the same table's stream now: a table made anew has a new stream."""
        return self.resources.stream_arn(_table_of(arn))

    def is_empty(self, queue: str) -> bool:
        """Whether no message of the queue can be received now."""
        with moto_lock:
            return not sqs_backends[ACCOUNT][REGION].queues[queue].messages

    def ripen(self) -> None:
        """Make delayed and failed messages receivable now, as waiting would."""
        with moto_lock:
            for queue in sqs_backends[ACCOUNT][REGION].queues.values():
                for message in queue._messages:
                    message.delayed_until = 0.0
                    message.visible_at = 0.0

    def put_items(self, table: str, items: list[dict[str, Any]]) -> None:
        """Write items in the wire form (`{"pk": {"S": "..."}}`) with no conditions, for seeds."""
        if self.on_moto:
            with moto_lock:
                stored = dynamodb_backends[ACCOUNT][REGION].get_table(table)
                for item in items:
                    stored.put_item(item)
            return
        client = boto3.client("dynamodb")
        for start in range(0, len(items), 25):
            requests = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            client.batch_write_item(RequestItems={table: requests})


def _table_of(stream_arn: str) -> str:
    return stream_arn.split(":", 5)[5].split("/")[1]
