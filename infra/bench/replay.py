"""CPU of the handlers, beside a bare client that makes the same calls, all answered from a tape.

A process of its own, which knows nothing of moto: `python -m infra.bench.replay TAPE ROUNDS`
prints one line of JSON per use case.
"""

import json
import os
import pickle
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from chalicelib import clock
from chalicelib.edge import caching
from infra.bench.cases import Played, Recorded, checked, forget_pages, resolve
from infra.bench.recording import AwsCall

BLOCK_SECONDS = 0.012
WARM_UP_RUNS = 3


class Tape:
    """Answers every request of this process, in the order in which it was recorded."""

    def __init__(self) -> None:
        self._calls: Sequence[AwsCall] = ()
        self._next = 0

    def rewind(self, calls: Sequence[AwsCall]) -> None:
        self._calls, self._next = calls, 0

    @property
    def is_over(self) -> bool:
        return self._next == len(self._calls)

    def send(self, request: Any) -> AWSResponse:
        call = self._calls[self._next]
        self._next += 1
        response = AWSResponse(request.url, call.status, call.headers, None)
        response._content = call.body
        return response


class Measured:
    """One use case, ready to be run again and again."""

    def __init__(self, case: Recorded, tape: Tape, clients: dict[str, Any]) -> None:
        self._case, self._tape = case, tape
        self._handle = resolve(case.measured.handler)
        self._bare_calls = [
            (getattr(clients[call.service], xform_name(call.operation)), call.params)
            for call in case.measured.calls
        ]

    def warm_up(self) -> None:
        """
        Raises:
            RuntimeError: the handler does not do again what it did when it was recorded.
        """
        caching.forget_everything()
        clock.outside_now = lambda: self._case.at  # What was remembered must not grow old here.
        self._run_checked(self._case.warm)
        for _ in range(WARM_UP_RUNS):
            self._forget()
            self._run_checked(self._case.measured)
            self.bare_seconds(1)

    def _run_checked(self, played: Played) -> None:
        self._tape.rewind(played.calls)
        checked(self._handle(*played.arguments))
        if not self._tape.is_over:
            raise RuntimeError(f"{self._case.name}: made fewer calls than when it was recorded")

    def _forget(self) -> None:
        if self._case.pages_forgotten:
            forget_pages()

    def handler_seconds(self, runs: int) -> float:
        """CPU of one run, the mean of some."""
        played, spent = self._case.measured, 0.0
        for _ in range(runs):
            self._forget()
            self._tape.rewind(played.calls)
            started = process_time()
            self._handle(*played.arguments)
            spent += process_time() - started
        return spent / runs

    def bare_seconds(self, runs: int) -> float:
        """The same for the bare client."""
        calls, spent = self._case.measured.calls, 0.0
        for _ in range(runs):
            self._tape.rewind(calls)
            started = process_time()
            for call, params in self._bare_calls:
                call(**params)
            spent += process_time() - started
        return spent / runs


def measure(case: Recorded, tape: Tape, clients: dict[str, Any], rounds: int) -> dict[str, Any]:
    """Medians in microseconds; handler and bare client take turns, so that both meet any noise."""
    measured = Measured(case, tape, clients)
    measured.warm_up()
    once = measured.handler_seconds(1) + measured.bare_seconds(1)
    runs = max(1, min(50, round(BLOCK_SECONDS / once)))
    turns = [(measured.handler_seconds(runs), measured.bare_seconds(runs)) for _ in range(rounds)]
    handler = statistics.median(handler for handler, _ in turns)
    bare = statistics.median(bare for _, bare in turns)
    has_calls = bool(case.measured.calls)
    return {
        "name": case.name,
        "handler_us": round(handler * 1e6),
        "bare_us": round(bare * 1e6) if has_calls else None,
        "cpu_ratio": round(handler / bare, 2) if has_calls else None,
    }


def bare_clients() -> dict[str, Any]:
    """One session, as whoever writes no framework would have it."""
    session = botocore.session.get_session()
    config = Config(parameter_validation=False)
    return {name: session.create_client(name, config=config) for name in ("dynamodb", "sqs")}


def main(tape_file: str, rounds: str) -> None:
    told = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Where the handlers' metrics go.
    tape = Tape()

    def send(session: URLLib3Session, request: Any) -> AWSResponse:
        return tape.send(request)

    URLLib3Session.send = send
    clients = bare_clients()
    for case in pickle.loads(Path(tape_file).read_bytes()):
        told.write(json.dumps(measure(case, tape, clients, int(rounds))) + "\n")
        told.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
