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
    """moto for everything; DynamoDB itself may live at `dynamodb_url` instead.

    Use as a context manager. `start` must come before the app is imported, since clients made
    earlier would call the real AWS.
    """

    def __init__(
        self, declared: Mapping[str, Resource] | None = None, dynamodb_url: str | None = None
    ) -> None:
        self.resources = Resources(declared or {})
        self._dynamodb_url = dynamodb_url
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
        for name in DYNAMODB_ENDPOINTS:
            os.environ.pop(name, None)
            if self._dynamodb_url:
                os.environ[name] = self._dynamodb_url
        moto_fixes.install()
        self._mock.start()
        return self

    def declare(self, declared: Mapping[str, Resource]) -> None:
        """Create what the template declares."""
        self.resources = Resources(declared)
        self.resources.create()

    def stop(self) -> None:
        with moto_lock:
            self._mock.stop()
        for name in DYNAMODB_ENDPOINTS:
            os.environ.pop(name, None)

    def __enter__(self) -> "LocalAws":
        self.start()
        self.resources.create()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reset(self) -> None:
        """Empty every table, stream, queue and bucket; users stay."""
        with moto_lock:
            for queue in sqs_backends[ACCOUNT][REGION].queues.values():
                queue._messages = []
                queue.pending_messages = set()
                queue.deleted_messages = set()
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

    def forget_iterators(self) -> None:
        """Drop moto's stream iterators: it keeps every one that was ever handed out."""
        if self.on_moto:
            with moto_lock:
                dynamodbstreams_backends[ACCOUNT][REGION].shard_iterators.clear()

    def ripen(self) -> None:
        """Make delayed messages visible now, as waiting would."""
        with moto_lock:
            for queue in sqs_backends[ACCOUNT][REGION].queues.values():
                for message in queue._messages:
                    message.delayed_until = 0.0

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
