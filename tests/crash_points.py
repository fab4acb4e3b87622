"""Crash-point sweep: the same work, failing once at each AWS call and at each call to a provider,
in each way it can fail."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from chalicelib.edge.outbound import NotSent, OutcomeUnknown, Response
from tests.wire import Answer, Attempt, Send, attempts_through, counted, refused

READS = frozenset({"GetItem", "BatchGetItem", "Query"})


class Fault(StrEnum):
    NOT_SENT = "not_sent"  # the call never arrives, however often it is tried
    THROTTLED = "throttled"  # a provider answers 429
    ANSWER_LOST = "answer_lost"  # it was applied, and nobody hears of it
    REPEATED = "repeated"  # it was applied, the answer was lost, and the client sends it again
    CONFLICT = "conflict"  # it met another transaction; only once. A provider answers 503
    DIED_BEFORE = "died_before"  # the process ends: no call after this one either
    DIED_AFTER = "died_after"


APPLIED = frozenset({Fault.ANSWER_LOST, Fault.REPEATED, Fault.DIED_AFTER})
DEATHS = frozenset({Fault.DIED_BEFORE, Fault.DIED_AFTER})
FAULTS_OF_A_READ = (Fault.NOT_SENT, Fault.THROTTLED, Fault.DIED_BEFORE)


class Disturbance:
    """Fails one call of those that are made; `hit` says whether the work came so far."""

    def __init__(self, number: int, fault: Fault) -> None:
        self._left = number
        self._fault = fault
        self._failing: Any = None
        self.hit = False

    def make(self, attempt: Attempt, send: Send) -> Answer:
        if self.hit:
            if self._fault in DEATHS or attempt.call is self._failing:
                return self._again(attempt, send)
            return send()
        self._left -= 1
        if self._left >= 0:
            return send()
        self.hit = True
        self._failing = attempt.call
        if self._fault in APPLIED:
            send()
            return None, _no_answer(attempt)
        return self._again(attempt, send)

    def _again(self, attempt: Attempt, send: Send) -> Answer:
        if self._fault is Fault.REPEATED:
            return send()
        if attempt.is_provider:
            return _refused_by_provider(self._fault)
        if self._fault is Fault.THROTTLED:
            return refused("ProvisionedThroughputExceededException")
        if self._fault is Fault.CONFLICT:
            if attempt.operation == "TransactWriteItems":
                reasons = [{"Code": "TransactionConflict"}]
                return refused("TransactionCanceledException", CancellationReasons=reasons)
            return refused("TransactionConflictException")
        return None, ConnectTimeoutError(endpoint_url=attempt.url)


def _no_answer(attempt: Attempt) -> Exception:
    if attempt.is_provider:
        return OutcomeUnknown("no answer in time")
    return ReadTimeoutError(endpoint_url=attempt.url)


def _refused_by_provider(fault: Fault) -> Answer:
    statuses = {Fault.THROTTLED: 429, Fault.CONFLICT: 503}
    if fault in statuses:
        return Response(statuses[fault]), None
    return None, NotSent("no connection")


def unheard(fault: Fault, attempt: Attempt, send: Send) -> Answer:
    """A call to a provider of which nobody hears; AWS answers as ever."""
    if not attempt.is_provider:
        return send()
    if fault in APPLIED:
        send()
        return None, _no_answer(attempt)
    return _refused_by_provider(fault)


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


def telling_points(asked: list[str]) -> list[tuple[int, Fault]]:
    """The points that can differ: a read has nothing that could be done and not heard of, and of
    like reads in a row (the shards of an index) the first and the last are enough."""
    return [
        (number, fault)
        for number, fault in points(asked)
        if asked[number] not in READS
        or (fault in FAULTS_OF_A_READ and not _is_amid_its_like(asked, number))
    ]


def _is_amid_its_like(asked: list[str], number: int) -> bool:
    around = asked[max(0, number - 1) : number + 2]
    return len(around) == 3 and set(around) == {"Query"}
