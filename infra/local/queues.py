"""The queues of this process for whoever is outside it: AWS's own protocol, and how old they are.

Operators' tools use boto3; with this address as the endpoint they do locally just what they do
on AWS.
"""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from moto.sqs.models import sqs_backends

from infra.local.environment import ACCOUNT, REGION
from infra.local.gateway import HttpAnswer, HttpRequest
from infra.local.moto_fixes import moto_lock

SQS_PATH = "/_local/sqs"
OPERATIONS = frozenset(
    {
        "ListQueues",
        "GetQueueUrl",
        "GetQueueAttributes",
        "ReceiveMessage",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
        "SendMessage",
        "SendMessageBatch",
        "DeleteMessage",
        "DeleteMessageBatch",
    }
)
"""What is passed on; the queues themselves are the template's."""
_TARGET = "AmazonSQS."
_HEADERS = (("Content-Type", "application/x-amz-json-1.0"), ("Cache-Control", "no-store"))


class LocalSqs:
    """SQS in AWS's JSON protocol, on the queues of this process."""

    def __init__(self) -> None:
        self._sqs = boto3.client("sqs")

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """One call, which the request's head names."""
        operation = request.header("x-amz-target").removeprefix(_TARGET)
        if operation not in OPERATIONS:
            return _refusal("UnsupportedOperation", "The local queues do not do this.")
        try:
            arguments = json.loads(request.body or b"{}")
            found = getattr(self._sqs, xform_name(operation))(**arguments)
        except ClientError as error:
            return _refusal(error.response["Error"]["Code"], error.response["Error"]["Message"])
        except (BotoCoreError, ValueError, TypeError, RecursionError) as error:
            said = f"SQS cannot read this: {type(error).__name__}"
            return _refusal("InvalidParameterValue", said)
        found.pop("ResponseMetadata", None)
        return HttpAnswer(200, _HEADERS, json.dumps(found, default=_as_text).encode())


def oldest_seconds() -> Mapping[str, int]:
    """How long the oldest message of each queue has been there; CloudWatch says so on AWS."""
    now = time.time()
    with moto_lock:
        queues = sqs_backends[ACCOUNT][REGION].queues.values()
        return {queue.name: _age(queue, now) for queue in queues}


def _age(queue: Any, now: float) -> int:
    sent = [float(message.sent_timestamp) / 1000 for message in queue._messages]
    return max(0, int(now - min(sent))) if sent else 0


def _refusal(code: str, message: str) -> HttpAnswer:
    body = {"__type": f"com.amazonaws.sqs#{code}", "message": message}
    return HttpAnswer(400, _HEADERS, json.dumps(body).encode())


def _as_text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
