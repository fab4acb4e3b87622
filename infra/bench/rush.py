"""Eight clients hold pieces of one stock until it is sold out; once as one item, once in shards.

A process of its own: `python -m infra.bench.rush` prints a line of JSON per step, and at last one
with the figures. With DYNAMODB=local it runs on Amazon's DynamoDB Local.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from infra.bench.clients import Clients, Worthless
from infra.bench.holds import Row
from infra.bench.recording import Recorder
from infra.bench.throughput import CLIENTS
from infra.local.aws import LocalAws
from infra.local.dynamodb_local import DynamoDbLocal
from infra.local.environment import CannotStart, read_settings, set_app_environment
from infra.local.identity import UserPool
from infra.local.stack import declare_template

# The most pieces that are still one item, and an edition of four shards of fifty.
STOCKS = (("one item", 99), ("an edition in 4 shards", 200))
TOO_LATE = 8  # buyers who come when nothing is left
RECORDING_SECONDS = 18  # for each stock, where a machine is slow
HELD_FOR = timedelta(minutes=15)
Tell = Callable[[Mapping[str, Any]], object]


class Calls:
    """Counts the calls of all threads, and those that a condition refused."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.made = 0
        self.refused = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        make = BaseClient._make_api_call

        def call(client: Any, operation: str, params: Any) -> Any:
            with self._lock:
                self.made += 1
            try:
                return make(client, operation, params)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                    with self._lock:
                        self.refused += 1
                raise

        with mock.patch.object(BaseClient, "_make_api_call", call):
            yield


class Rush:
    """Everybody's holds of one stock."""

    def __init__(self, title: str, pieces: int) -> None:
        from chalicelib import ids
        from chalicelib.stock import service
        from chalicelib.stock.domain import shard_count_for

        self.title, self.pieces = title, pieces
        self.stock_id = ids.new_id("lst")
        self.shards = shard_count_for(pieces)
        self.sold_out = 0
        self.busy = 0
        self._lock = Lock()
        service.set_on_hand(self.stock_id, pieces)

    def hold(self) -> bool:
        """One buyer of one piece; whether there was an answer: held, or sold out."""
        from chalicelib import clock, ids
        from chalicelib.errors import TooMany, Unavailable
        from chalicelib.stock import service
        from chalicelib.stock.domain import SoldOut

        order_id, mark = ids.new_id("ord"), ids.fingerprint("bench")
        until = clock.now() + HELD_FOR
        try:
            service.hold(self.stock_id, order_id, 1, mark, until, self.shards)
        except SoldOut:
            with self._lock:
                self.sold_out += 1
        except (TooMany, Unavailable):
            with self._lock:
                self.busy += 1
            return False
        return True

    @property
    def held(self) -> int:
        from chalicelib.stock import service

        return service.levels([self.stock_id], {self.stock_id: self.shards})[self.stock_id].held


def measured(title: str, pieces: int, database: str, say: Callable[[float], object]) -> Row:
    """Holds of one stock, first one after the other for the units, then all at once.

    Raises:
        Worthless: something failed that has nothing to do with the stock.
    """
    buyers = pieces + TOO_LATE
    alone, came, began = Rush(title, pieces), 0, perf_counter()
    with Recorder().listening() as heard:
        while came < buyers and perf_counter() - began < RECORDING_SECONDS:
            alone.hold()
            came += 1
            say(came / buyers / 2)
    together, calls = Rush(title, pieces), Calls()
    tasks = [[together.hold] * len(range(first, buyers, CLIENTS)) for first in range(CLIENTS)]
    with calls.counted():
        timings = Clients(tasks, lambda part: say((1 + part) / 2)).run()
    answered = len(timings.each_ms)
    held = together.held
    return Row(
        title=title,
        database=database,
        pieces=pieces,
        shards=together.shards,
        held=held,
        sold_out=together.sold_out,
        busy=together.busy,
        conflicts=calls.refused,
        # More answered "held" than are held would be as wrong as more held than there are.
        oversold=max(0, held - pieces, answered - together.sold_out - held),
        per_second=round(timings.per_second, 1),
        round_trips=round(calls.made / answered, 2),
        write_units=round(sum(call.write_units for call in heard) / came, 2),
        read_units=round(sum(call.read_units for call in heard) / came, 2),
        recorded=came,
    )


def run(tell: Tell) -> list[Row]:
    """Start DynamoDB, with the template's tables and nothing else, and measure."""
    settings = read_settings("8000", os.environ)
    tell({"doing": "Starting for the holds", "part": 0.0})
    aws = LocalAws().start()
    database: DynamoDbLocal | None = None
    if settings.on_dynamodb_local:
        database = DynamoDbLocal(Path(settings.data_folder), in_memory=True)
        aws.use_dynamodb(database.start())
    try:
        set_app_environment("http://127.0.0.1:8000")
        UserPool().export()
        declare_template(aws)
        rows = []
        for title, pieces in STOCKS:
            doing = f"Holds of {title}"

            def say(part: float, doing: str = doing, done: int = len(rows)) -> None:
                tell({"doing": doing, "part": (done + part) / len(STOCKS)})

            name = "moto" if database is None else "DynamoDB Local"
            rows.append(measured(title, pieces, name, say))
        return rows
    finally:
        if database is not None:
            database.stop()


def main() -> int:
    def tell(line: Mapping[str, Any]) -> None:
        print(json.dumps(line), flush=True)

    try:
        rows = run(tell)
    except (CannotStart, Worthless) as reason:
        tell({"cannot": str(reason)})
        return 1
    tell({"rows": [asdict(row) for row in rows]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
