"""The queues, each with its dead-letter queue; and one for stream records that were given up on."""

from collections.abc import Iterable
from typing import Any

from chalicelib.edge.queues import MAX_RECEIVES, Queue, dead_letter_name
from infra.template.names import arn, logical, physical

DAYS = 24 * 3600

STREAM_DEAD = "streams-dead"
"""Stream mappings send what they gave up on here: a pointer to the records, not the records."""


def queue_resources(stage: str, queues: Iterable[Queue]) -> dict[str, Any]:
    """A queue redrives after the receipt at which its consumer buries the message itself."""
    made: dict[str, Any] = {}
    for queue in queues:
        made[queue_id(queue.name)] = _queue(
            physical(stage, queue.name),
            VisibilityTimeout=queue.visibility_seconds,
            RedrivePolicy={
                "deadLetterTargetArn": arn(dead_queue_id(queue.name)),
                "maxReceiveCount": MAX_RECEIVES,
            },
        )
        made[dead_queue_id(queue.name)] = _dead_queue(stage, dead_letter_name(queue.name))
    made[logical(STREAM_DEAD, "queue")] = _dead_queue(stage, STREAM_DEAD)
    return made


def queue_id(name: str) -> str:
    return logical(name, "queue")


def dead_queue_id(name: str) -> str:
    return logical(dead_letter_name(name), "queue")


def _dead_queue(stage: str, name: str) -> dict[str, Any]:
    return _queue(physical(stage, name), MessageRetentionPeriod=14 * DAYS)


def _queue(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SQS::Queue",
        "UpdateReplacePolicy": "Retain",
        "DeletionPolicy": "Retain",
        "Properties": {
            "QueueName": name,
            "MessageRetentionPeriod": 4 * DAYS,
            "SqsManagedSseEnabled": True,
            **properties,
        },
    }
