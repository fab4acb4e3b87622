"""The events that Lambda passes to consumers, in their real shapes."""

import base64
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from infra.local.environment import ACCOUNT, REGION


def queue_event(queue_arn: str, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An SQS event from what ReceiveMessage gave."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": {
                    name: _message_attribute(value)
                    for name, value in message.get("MessageAttributes", {}).items()
                },
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }


def _message_attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    shaped: dict[str, Any] = {
        "dataType": value["DataType"],
        "stringListValues": [],
        "binaryListValues": [],
    }
    if "StringValue" in value:
        shaped["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shaped["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode("ascii")
    return shaped


def stream_event(stream_arn: str, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A DynamoDB stream event from what GetRecords gave.

    GetRecords leaves out the ARN, and boto3 makes a datetime of the time and bytes of binaries.
    """
    return {
        "Records": [
            {
                **{name: value for name, value in record.items() if name != "dynamodb"},
                "awsRegion": REGION,
                "eventSource": "aws:dynamodb",
                "eventSourceARN": stream_arn,
                "dynamodb": _plain(record["dynamodb"]),
            }
            for record in records
        ]
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(part) for part in value]
    return value


def schedule_event(function: str, due: datetime) -> dict[str, Any]:
    """What EventBridge sends when a rule is due."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{function}"],
        "detail": {},
    }


def given_up_message(function: str, stream_arn: str, record: Mapping[str, Any]) -> str:
    """What Lambda sends to the failure queue of a stream: a pointer to the record."""
    number = record["dynamodb"]["SequenceNumber"]
    return json.dumps(
        {
            "requestContext": {
                "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}",
                "condition": "RetryAttemptsExhausted",
            },
            "version": "1.0",
            "DDBStreamBatchInfo": {
                "startSequenceNumber": number,
                "endSequenceNumber": number,
                "batchSize": 1,
                "streamArn": stream_arn,
            },
        }
    )
