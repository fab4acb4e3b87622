"""Makes AWS fail at a chosen call, hands a baton between actors at each call, freezes the clock.

All of it at botocore's one door, `_make_api_call`: before it is a failure before the send, after
it is a lost answer to something that was done.
"""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from chalicelib import clock
from chalicelib.edge import storage

URL = "https://dynamodb.eu-west-3.amazonaws.com"


class Fault(StrEnum):
    NOT_SENT = "not_sent"
    ANSWER_LOST = "answer_lost"
    THROTTLED = "throttled"
    CONFLICT = "conflict"  # a transaction that lost against another one


class Calls:
    """Counts AWS calls; the one whose number is `fails_at` fails."""

    def __init__(self, fails_at: int = -1, fault: Fault = Fault.NOT_SENT) -> None:
        self.names: list[str] = []
        self.failed = False
        self._fails_at = fails_at
        self._fault = fault

    def make(self, real: Callable[[], Any], operation: str) -> Any:
        number = len(self.names)
        self.names.append(operation)
        if number != self._fails_at:
            return real()
        self.failed = True
        if self._fault is Fault.ANSWER_LOST:
            real()
            raise ReadTimeoutError(endpoint_url=URL)
        if self._fault is Fault.THROTTLED:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, operation)
        if self._fault is Fault.CONFLICT and operation == "TransactWriteItems":
            raise ClientError(
                {
                    "Error": {"Code": "TransactionCanceledException", "Message": "[Conflict]"},
                    "CancellationReasons": [{"Code": "TransactionConflict"}],
                },
                operation,
            )
        raise ConnectTimeoutError(endpoint_url=URL)


def telling(names: Sequence[str], fault: Fault) -> list[int]:
    """The calls worth failing at: of like reads in a row (shards of an index) only the ends."""
    if fault is Fault.CONFLICT:
        return [number for number, name in enumerate(names) if name == "TransactWriteItems"]
    return [
        number
        for number, name in enumerate(names)
        if name != "Query" or {name} != set(names[max(0, number - 1) : number + 2])
    ]


@contextmanager
def calls_through(make: Callable[[Callable[[], Any], str], Any]) -> Iterator[None]:
    real = BaseClient._make_api_call

    def patched(client: BaseClient, operation: str, arguments: Any) -> Any:
        return make(lambda: real(client, operation, arguments), operation)

    with mock.patch.object(BaseClient, "_make_api_call", patched):
        yield


@contextmanager
def frozen_clock(at: datetime) -> Iterator[None]:
    """Time stands still but for `clock.advance`, so that two histories can be compared."""
    with mock.patch.object(clock, "outside_now", return_value=at):
        yield


def interleave(actors: Sequence[Callable[[], None]], seed: int) -> list[BaseException | None]:
    """Run actors one AWS call at a time, who is next chosen by the seed; what each raised."""
    chosen = random.Random(seed)
    baton = threading.Condition()
    waiting: set[int] = set()
    alive = set(range(len(actors)))
    running: list[int] = []
    raised: list[BaseException | None] = [None] * len(actors)
    own = threading.local()

    def next_turn() -> None:
        if waiting == alive and alive:
            running[:] = [chosen.choice(sorted(alive))]
            waiting.discard(running[0])
            baton.notify_all()

    def take_turn(me: int) -> None:
        with baton:
            waiting.add(me)
            next_turn()
            assert baton.wait_for(lambda: running == [me] and me not in waiting, timeout=20)

    def make(real: Callable[[], Any], operation: str) -> Any:
        take_turn(own.me)
        return real()

    def act(me: int) -> None:
        own.me = me
        try:
            actors[me]()
        except BaseException as error:  # handed to the test
            raised[me] = error
        with baton:
            alive.discard(me)
            next_turn()

    with calls_through(make):
        threads = [threading.Thread(target=act, args=(me,)) for me in alive]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
            assert not thread.is_alive()
    return raised


def rows_of(*tables: type[storage.Table], without: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Everything that is stored, in order: only tests scan."""
    rows = [
        {
            name: value
            for name, [value] in (
                (name, list(typed.values())) for name, typed in row.to_dynamodb_dict().items()
            )
            if name not in without
        }
        for table in tables
        for row in table.scan()
    ]
    return sorted(rows, key=lambda row: (row["pk"], row["sk"]))
