"""Queues: sending a message, and taking a batch apart so that one bad message stops no other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, TypeAdapter, ValidationError

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import turns
from chalicelib.edge.observability import count, log_failure
from chalicelib.edge.storage import aws_client
from chalicelib.errors import MarketplaceError

MAX_RECEIVES = 5


@dataclass(frozen=True, slots=True)
class Queue:
    """`visibility_seconds`: six times what its consumer may take, by which AWS tells a lost one."""

    name: str
    visibility_seconds: int = 360
    batch_size: int = 10


PAYMENTS = Queue("payments", visibility_seconds=900, batch_size=5)
PAYOUTS = Queue("payouts", visibility_seconds=900, batch_size=5)
"""Their messages have providers called, so few come at a time, and they may take long."""
QUEUES: dict[str, Queue] = {
    queue.name: queue for queue in (PAYMENTS, Queue("settlement"), PAYOUTS, Queue("notifications"))
}


class BatchFailed(RuntimeError):
    """Some messages of a batch failed where the mapping cannot be told which: all come again."""


def url_of(queue: str) -> str:
    return f"{settings().queue_url_prefix}{queue}"


def dead_letter_name(queue: str) -> str:
    return f"{queue}-dead"


def logical_id(name: str, kind: str) -> str:
    """The name of a resource in the template: ("settlement", "Queue") -> SettlementQueue."""
    return "".join(part.title() for part in name.split("-")) + kind


def send(queue: str, message: BaseModel, group: str | None = None) -> None:
    """Put a message on a queue; `group` keeps one tenant's backlog from delaying the others."""
    grouped = {"MessageGroupId": group} if group else {}
    aws_client("sqs").send_message(
        QueueUrl=url_of(queue), MessageBody=message.model_dump_json(), **grouped
    )


def bury(queue: str, body: str, reason: str) -> None:
    """Move a message to the dead-letter queue with the reason, which names no person."""
    count("MessageBuried", queue=queue)
    aws_client("sqs").send_message(
        QueueUrl=url_of(dead_letter_name(queue)),
        MessageBody=body,
        MessageAttributes={"reason": {"DataType": "String", "StringValue": reason[:200]}},
    )


def consume_batch(
    queue: str,
    records: list[Mapping[str, Any]],
    adapter: TypeAdapter[Any],
    handle: Callable[[Any], None],
) -> dict[str, Any]:
    """Hand over the messages one by one; which of them SQS shall deliver again.

    A message that cannot be read goes to the dead-letter queue at once, one that keeps failing
    at its last receipt, both with the reason. What could not be begun in time comes again.

    Raises:
        BatchFailed: something failed and the environment does not promise that the mapping
            understands partial failures; saying nothing would delete the failed ones.
    """
    failed: list[str] = []
    last_beginning = turns.last_beginning()
    for record in records:
        if clock.outside_now() >= last_beginning:
            count("BatchCutShort", queue=queue)
            failed.append(record["messageId"])
            continue
        reason = _refusal_of(record, adapter, handle)
        if reason is None:
            continue
        receives = int(record["attributes"].get("ApproximateReceiveCount", "1"))
        at_its_end = reason.final or receives >= MAX_RECEIVES
        if not (at_its_end and _is_buried(queue, record, reason.text)):
            failed.append(record["messageId"])
    return partial_failures(failed)


def _is_buried(queue: str, record: Mapping[str, Any], reason: str) -> bool:
    """False when the dead-letter queue did not take it: it comes again, the others do not."""
    try:
        bury(queue, record["body"], reason)
    except (BotoCoreError, ClientError) as error:
        log_failure("message could not be buried", error, message_id=record["messageId"])
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Reason:
    text: str
    final: bool


def _refusal_of(
    record: Mapping[str, Any], adapter: TypeAdapter[Any], handle: Callable[[Any], None]
) -> _Reason | None:
    try:
        message = adapter.validate_json(record["body"])
    except ValidationError as error:
        kinds = sorted({detail["type"] for detail in error.errors(include_input=False)})
        return _Reason(f"unreadable: {', '.join(kinds)}", final=True)
    try:
        handle(message)
    except MarketplaceError as error:
        log_failure("message refused", error, message_id=record["messageId"], code=error.code)
        return _Reason(f"refused: {error.code}", final=False)
    except Exception as error:  # Whatever it is, the other messages of the batch go on.
        log_failure("message failed", error, message_id=record["messageId"])
        return _Reason(f"failed: {type(error).__name__}", final=False)
    return None


def partial_failures(identifiers: list[str]) -> dict[str, Any]:
    """The answer to SQS or a stream: which records shall come again."""
    if identifiers and not settings().partial_batch:
        raise BatchFailed(f"{len(identifiers)} records failed")
    return {"batchItemFailures": [{"itemIdentifier": name} for name in identifiers]}
