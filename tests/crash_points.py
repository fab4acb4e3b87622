"""Crash-point sweep: the same work, failing once at each AWS call in each way it can fail."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from tests.wire import Answer, Attempt, Send, attempts_through, counted, refused


class Fault(StrEnum):
    NOT_SENT = "not_sent"  # the call never arrives, however often it is tried
    THROTTLED = "throttled"
    ANSWER_LOST = "answer_lost"  # it was applied, and nobody hears of it
    REPEATED = "repeated"  # it was applied, the answer was lost, and botocore sends it again
    CONFLICT = "conflict"  # it met another transaction; only once
    DIED_BEFORE = "died_before"  # the process ends: no call after this one either
    DIED_AFTER = "died_after"


class Disturbance:
    """Fails one call of those that are made; `hit` says whether the work came so far."""

    def __init__(self, number: int, fault: Fault) -> None:
        self._left = number
        self._fault = fault
        self._failing: Any = None
        self.hit = False

    def make(self, attempt: Attempt, send: Send) -> Answer:
        if self.hit:
            is_dead = self._fault in (Fault.DIED_BEFORE, Fault.DIED_AFTER)
            if is_dead or attempt.call is self._failing:
                return self._again(attempt, send)
            return send()
        self._left -= 1
        if self._left >= 0:
            return send()
        self.hit = True
        self._failing = attempt.call
        if self._fault in (Fault.ANSWER_LOST, Fault.REPEATED, Fault.DIED_AFTER):
            send()
            return None, ReadTimeoutError(endpoint_url=attempt.url)
        return self._again(attempt, send)

    def _again(self, attempt: Attempt, send: Send) -> Answer:
        if self._fault is Fault.REPEATED:
            return send()
        if self._fault is Fault.THROTTLED:
            return refused("ProvisionedThroughputExceededException")
        if self._fault is Fault.CONFLICT:
            if attempt.operation == "TransactWriteItems":
                reasons = [{"Code": "TransactionConflict"}]
                return refused("TransactionCanceledException", CancellationReasons=reasons)
            return refused("TransactionConflictException")
        return None, ConnectTimeoutError(endpoint_url=attempt.url)


@contextmanager
def disturbed(number: int, fault: Fault) -> Iterator[Disturbance]:
    disturbance = Disturbance(number, fault)
    with attempts_through(disturbance.make):
        yield disturbance


def calls_of(work: Callable[[], Any]) -> list[str]:
    """The calls that undisturbed work makes, in order."""
    with counted() as asked:
        work()
    return asked


def points(asked: list[str]) -> list[tuple[int, Fault]]:
    """Each call of undisturbed work with each way it can fail."""
    return [(number, fault) for number in range(len(asked)) for fault in Fault]
