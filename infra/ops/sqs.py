"""Queues through boto3: on AWS with the caller's credentials, locally on `make run`'s own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.edge.queues import QUEUES, dead_letter_name
from infra.ops.errors import OpsFailed, WrongUse
from infra.ops.target import Target
from infra.template.queues import STREAM_DEAD

BATCH = 10
BATCH_BYTES = 240_000
WAIT_SECONDS = 1
"""On AWS a receive that waits asks every server; one that does not may miss messages."""
NO_REASON = "(no reason: SQS gave it up)"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it was received; `group` is its tenant's, where the sender named one."""

    message_id: str
    handle: str
    body: str
    reason: str
    sent_ms: int
    receive_count: int
    group: str | None = None


class Queues:
    """The queues of a stage by their short names: `settlement`, `settlement-dead`."""

    def __init__(self, sqs: Any, prefix: str, wait_seconds: int = 0) -> None:
        self._sqs = sqs
        self._prefix = prefix
        self._wait_seconds = wait_seconds
        self._urls: dict[str, str] = {}

    def depth(self, name: str) -> tuple[int, int]:
        """(waiting, in somebody's hands)."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self._url(name), AttributeNames=names)
        waiting, taken = (int(found["Attributes"][each]) for each in names)
        return waiting, taken

    def receive(self, name: str, hidden_seconds: int) -> Iterator[list[Letter]]:
        """Batches until the queue has no more to give; each message is hidden for a while."""
        while messages := self._sqs.receive_message(
            QueueUrl=self._url(name),
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=hidden_seconds,
            WaitTimeSeconds=self._wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", []):
            yield [_letter(message) for message in messages]

    def release(self, name: str, letters: Sequence[Letter]) -> None:
        """Show messages again at once that were received and are not wanted."""
        for some in in_batches(letters):
            entries = [
                {"Id": str(number), "ReceiptHandle": one.handle, "VisibilityTimeout": 0}
                for number, one in enumerate(some)
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url(name), Entries=entries)

    def send(self, name: str, letters: Sequence[Letter]) -> list[Letter]:
        """Put up to ten messages on a queue; those that it has taken."""
        entries = [
            {"Id": str(number), "MessageBody": one.body}
            | ({"MessageGroupId": one.group} if one.group else {})
            for number, one in enumerate(letters)
        ]
        answer = self._sqs.send_message_batch(QueueUrl=self._url(name), Entries=entries)
        return [letters[int(one["Id"])] for one in answer.get("Successful", [])]

    def delete(self, name: str, letters: Sequence[Letter]) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": one.handle} for number, one in enumerate(letters)
        ]
        self._sqs.delete_message_batch(QueueUrl=self._url(name), Entries=entries)

    def _url(self, name: str) -> str:
        if name not in self._urls:
            answer = self._sqs.get_queue_url(QueueName=f"{self._prefix}{name}")
            self._urls[name] = answer["QueueUrl"]
        return self._urls[name]


def every_name() -> list[str]:
    """All queues, each followed by its dead-letter queue."""
    return [name for queue in QUEUES for name in (queue, dead_letter_name(queue))] + [STREAM_DEAD]


def dead_names() -> list[str]:
    return [*map(dead_letter_name, QUEUES), STREAM_DEAD]


def dead_name(given: str) -> str:
    """`settlement` and `settlement-dead` both mean the latter.

    Raises:
        WrongUse: there is no such queue.
    """
    name = dead_letter_name(given) if given in QUEUES else given
    if name not in dead_names():
        raise WrongUse(
            f"There is no queue {given!r}: it is one of {', '.join(QUEUES)}, streams-dead."
        )
    return name


def source_name(dead: str) -> str:
    """The queue that a dead-letter queue's messages come from.

    Raises:
        OpsFailed: these are no messages of a queue.
    """
    if dead == STREAM_DEAD:
        raise OpsFailed(
            "streams-dead holds pointers to records of a stream, which no queue can take. The"
            " sweeps do their work; see docs/runbooks/streams-dead.md."
        )
    return dead.removesuffix(dead_letter_name(""))


def aws_client(target: Target, service: str) -> Any:
    """A client for the target's AWS; locally only SQS is there, behind `make run`.

    Raises:
        OpsFailed: there are no credentials, or they are unreadable.
    """
    options: dict[str, Any] = {"region_name": target.region}
    if target.is_local:
        options |= {
            "endpoint_url": f"{target.url}/_local/sqs",
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
            "config": Config(retries={"total_max_attempts": 1}),
        }
    try:
        return boto3.client(service, **options)
    except BotoCoreError as error:
        raise OpsFailed(f"AWS cannot be used: {error}") from error


def queues_of(target: Target) -> Queues:
    wait_seconds = 0 if target.is_local else WAIT_SECONDS
    return Queues(aws_client(target, "sqs"), target.prefix, wait_seconds)


def in_sentences(call: Callable[[], Any]) -> Any:
    """Raises:
    OpsFailed: what AWS refused, and what to do.
    """
    try:
        return call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise OpsFailed(
            f"AWS refused ({code}). Do your credentials belong to this stage's account, and may"
            " they read and write its queues?"
        ) from error
    except BotoCoreError as error:
        raise OpsFailed(
            f"AWS could not be asked ({type(error).__name__}): are the address and your"
            " credentials right?"
        ) from error


def in_batches(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """At most ten messages, and what one call may carry."""
    batch: list[Letter] = []
    size = 0
    for letter in letters:
        length = len(letter.body.encode())
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(letter)
        size += length
    if batch:
        yield batch


def _letter(message: Mapping[str, Any]) -> Letter:
    attributes = message.get("Attributes", {})
    reason = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue")
    return Letter(
        message_id=message["MessageId"],
        handle=message["ReceiptHandle"],
        body=message["Body"],
        reason=reason or NO_REASON,
        sent_ms=int(attributes.get("SentTimestamp", 0)),
        receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
        group=attributes.get("MessageGroupId"),
    )
