"""Reads queues, streams and schedules, and calls the app's real handlers with real events."""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import boto3
from chalice import Chalice

from chalicelib import clock
from infra.local import events, signals
from infra.local.aws import LocalAws
from infra.local.environment import ACCOUNT, NAME_PREFIX, REGION
from infra.local.lambdas import (
    Handler,
    LambdaContext,
    QueueSource,
    ScheduleSource,
    StreamSource,
    sources_of,
)
from infra.local.schedules import next_time
from infra.local.streams import StreamReader

IDLE_SECONDS = 0.2
IDLE_SECONDS_DYNAMODB_LOCAL = 1.0  # Looking costs calls there; writes wake the pump anyway.
RETRY_SECONDS = 1
MAX_STREAM_ATTEMPTS = 5
MAX_ROUNDS = 500
STREAMS_DEAD = f"{NAME_PREFIX}streams-dead"

logger = logging.getLogger("maalem.local")


@dataclass(slots=True)
class Tally:
    """What one function was given, and how much of it failed (and comes again, or was parked)."""

    handled: int = 0
    failed: int = 0


@dataclass(slots=True)
class _QueueFeed:
    source: QueueSource
    name: str

    @property
    def url(self) -> str:
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.name}"

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"


@dataclass(slots=True)
class _StreamFeed:
    source: StreamSource
    reader: StreamReader
    waiting: deque[dict[str, Any]] = field(default_factory=deque)
    attempts: int = 0
    not_before: float = 0.0


@dataclass(slots=True)
class _ScheduleFeed:
    source: ScheduleSource
    due: Any


class Pump:
    """Delivers what is waiting. One thread at a time delivers; whoever drains waits for it."""

    def __init__(self, app: Chalice, aws: LocalAws) -> None:
        self._aws = aws
        self._sqs = boto3.client("sqs")
        self._turn = threading.RLock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._tallies: dict[str, Tally] = {}
        sources = sources_of(app)
        self._queues = [_QueueFeed(source, self._queue_name(source)) for source in sources.queues]
        self._streams = [
            _StreamFeed(source, StreamReader(aws, aws.resources.resolve(source.stream)))
            for source in sources.streams
        ]
        self._schedules = [
            _ScheduleFeed(source, next_time(source.expression)(clock.now()))
            for source in sources.schedules
        ]

    def _queue_name(self, source: QueueSource) -> str:
        resolved: str = self._aws.resources.resolve(source.queue)
        return resolved.rpartition(":")[2]

    def start(self) -> None:
        """Deliver in the background from now on."""
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the batch in hand."""
        self._stopping.set()
        signals.work.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        idle_seconds = IDLE_SECONDS if self._aws.on_moto else IDLE_SECONDS_DYNAMODB_LOCAL
        while not self._stopping.is_set():
            signals.work.wait(idle_seconds)
            signals.work.clear()
            try:
                with self._turn:
                    self._run_due_schedules()
                    while self._round(at_once=False) and not self._stopping.is_set():
                        pass
            except Exception:
                if not self._stopping.is_set():
                    logger.exception("the pump stumbled, and goes on")
                    self._stopping.wait(RETRY_SECONDS)

    def drain(self, *, sweep: bool = False) -> dict[str, Any]:
        """Deliver until nothing is left; nothing waits for its delay or its retry meanwhile.

        Args:
            sweep: run every schedule once, due or not.

        Returns:
            `{"quiet": bool, "rounds": n, "functions": {name: {"handled": n, "failed": n}}}`
        """
        with self._turn:
            self._tallies = {}
            rounds = 0
            ran_schedules = self._run_due_schedules(force=True) if sweep else True
            while ran_schedules and rounds < MAX_ROUNDS:
                while self._round(at_once=True) and rounds < MAX_ROUNDS:
                    rounds += 1
                ran_schedules = self._run_due_schedules()
            counted = {
                name: {"handled": tally.handled, "failed": tally.failed}
                for name, tally in sorted(self._tallies.items())
            }
            return {"quiet": rounds < MAX_ROUNDS, "rounds": rounds, "functions": counted}

    def rewind(self) -> None:
        """Forget positions and pending records, after the tables were emptied."""
        with self._turn:
            for feed in self._streams:
                feed.reader.rewind()
                feed.waiting.clear()
                feed.attempts, feed.not_before = 0, 0.0
            for schedule in self._schedules:
                schedule.due = next_time(schedule.source.expression)(clock.now())

    def _round(self, *, at_once: bool) -> bool:
        """One batch from each queue and stream; whether there was any."""
        if at_once:
            self._aws.ripen()
        worked = [self._deliver_queue(feed) for feed in self._queues]
        worked += [self._deliver_stream(feed, at_once=at_once) for feed in self._streams]
        return any(worked)

    def _deliver_queue(self, feed: _QueueFeed) -> bool:
        if self._aws.is_empty(feed.name):
            return False
        messages = self._sqs.receive_message(
            QueueUrl=feed.url,
            MaxNumberOfMessages=min(10, feed.source.batch_size),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        ).get("Messages", [])
        if not messages:
            return False
        event = events.queue_event(feed.arn, messages)
        every_id = [message["MessageId"] for message in messages]
        failed = self._call(feed.source.function, feed.source.handler, event, every_id)
        done = [message for message in messages if message["MessageId"] not in failed]
        again = [message for message in messages if message["MessageId"] in failed]
        if done:
            self._sqs.delete_message_batch(QueueUrl=feed.url, Entries=_entries(done))
        if again:
            # Lambda would leave them invisible for the queue's timeout: minutes.
            later = {"VisibilityTimeout": RETRY_SECONDS}
            self._sqs.change_message_visibility_batch(
                QueueUrl=feed.url, Entries=[entry | later for entry in _entries(again)]
            )
        return True

    def _deliver_stream(self, feed: _StreamFeed, *, at_once: bool) -> bool:
        if not feed.waiting:
            feed.waiting.extend(feed.reader.read(feed.source.batch_size))
        if not feed.waiting or (not at_once and monotonic() < feed.not_before):
            return False
        batch = [feed.waiting[i] for i in range(min(len(feed.waiting), feed.source.batch_size))]
        event = events.stream_event(feed.reader.arn, batch)
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        failed = self._call(feed.source.function, feed.source.handler, event, numbers)
        done = min((numbers.index(number) for number in failed), default=len(numbers))
        for _ in range(done):
            feed.waiting.popleft()
        feed.attempts = feed.attempts + 1 if failed and done == 0 else min(1, len(failed))
        feed.not_before = monotonic() + RETRY_SECONDS if failed else 0.0
        if feed.attempts >= MAX_STREAM_ATTEMPTS:
            self._give_up(feed)
        return True

    def _give_up(self, feed: _StreamFeed) -> None:
        """Pass over a record that keeps failing, and park a pointer to it, as Lambda would."""
        record = feed.waiting.popleft()
        feed.attempts, feed.not_before = 0, 0.0
        if STREAMS_DEAD in self._aws.resources.queues():
            self._sqs.send_message(
                QueueUrl=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{STREAMS_DEAD}",
                MessageBody=events.given_up_message(feed.source.function, feed.reader.arn, record),
            )

    def _run_due_schedules(self, *, force: bool = False) -> bool:
        """Run what is due by the marketplace's clock, once each however late it is."""
        ran = False
        now = clock.now()
        for schedule in self._schedules:
            if force or schedule.due <= now:
                event = events.schedule_event(schedule.source.function, min(schedule.due, now))
                self._call(schedule.source.function, schedule.source.handler, event, ["run"])
                schedule.due = next_time(schedule.source.expression)(now)
                ran = True
        return ran

    def _call(
        self, function: str, handler: Handler, event: Mapping[str, Any], ids: list[str]
    ) -> set[str]:
        """Call a handler; which of the ids failed. When it raises, all of them did."""
        try:
            answer = handler(dict(event), LambdaContext(function))
            failed = _failed_ids(answer, ids)
        except Exception:
            logger.exception("%s failed", function)
            failed = set(ids)
        tally = self._tallies.setdefault(function, Tally())
        tally.handled += len(ids) - len(failed)
        tally.failed += len(failed)
        return failed


def _failed_ids(answer: Any, ids: list[str]) -> set[str]:
    """What `batchItemFailures` names; one that Lambda cannot read fails the whole batch."""
    if not isinstance(answer, Mapping) or not answer.get("batchItemFailures"):
        return set()
    named = {failure.get("itemIdentifier") for failure in answer["batchItemFailures"]}
    return named if named <= set(ids) else set(ids)


def _entries(messages: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"Id": str(position), "ReceiptHandle": message["ReceiptHandle"]}
        for position, message in enumerate(messages)
    ]
