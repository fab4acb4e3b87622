"""A payout batch from its drafting to its submission, with the time and memory of each step.

A process of its own: `python -m infra.bench.payday [standin|store] COUNT` prints the figures as a
line of JSON. `store` is moto, or with DYNAMODB=local Amazon's DynamoDB Local.
"""

import json
import os
import resource
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest import mock

from infra.bench.batches import Phase, Run
from infra.local.aws import LocalAws
from infra.local.dynamodb_local import DynamoDbLocal
from infra.local.environment import set_app_environment
from infra.local.identity import UserPool
from infra.local.stack import declare_template

WALLET_IN = 5
"""One artisan in so many is paid to a wallet, the others to their banks."""
FIRST, SECOND = "bench-operator", "bench-operator-2"
BATCH_PUTS = 500


class Payday:
    """One batch, and what waits on its queue."""

    def __init__(self) -> None:
        from chalicelib.payouts import files

        self._write = files.write
        self.messages: deque[Any] = deque()
        self.handed_over = 0
        self.file_seconds = 0.0
        self.phases: list[Phase] = []
        self._peak = peak_bytes()

    def run(self) -> Any:
        from chalicelib.payouts import service

        drafted = self._timed("drafted", lambda: service.draft_batch(FIRST, "payday"))
        batch_id = drafted.batch_id
        self._timed("approved, file written", lambda: service.approve_batch(batch_id, SECOND))
        self._timed("submitted, handed over", lambda: service.submit_batch(batch_id, SECOND))
        return service.batch(batch_id)[0]

    def write(self, batch: Any, rails: Any) -> dict[str, str]:
        """Write the files as `files.write` does, and time it."""
        began = perf_counter()
        digests = self._write(batch, rails)
        self.file_seconds = max(self.file_seconds, perf_counter() - began)
        return digests

    def _timed(self, title: str, act: Callable[[], Any]) -> Any:
        from chalicelib.payouts import service
        from chalicelib.payouts.messages import BatchToWorkOn, LaneToDraft

        began = perf_counter()
        found = act()
        answered = perf_counter() - began
        while self.messages:
            message = self.messages.popleft()
            if isinstance(message, LaneToDraft):
                service.draft_lane(message.batch_id, message.lane, message.step)
            elif isinstance(message, BatchToWorkOn):
                service.work_on(message.batch_id, message.step)
            else:
                self.handed_over += 1
            if not self.messages:
                service.finish_batches()
        grown, self._peak = max(0, peak_bytes() - self._peak), max(self._peak, peak_bytes())
        self.phases.append(Phase(title, answered, perf_counter() - began, grown))
        return found


def peak_bytes() -> int:
    """The most memory that this process has had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def make_artisan(number: int) -> Any:
    from chalicelib import clock
    from chalicelib.artisans import service
    from chalicelib.artisans.domain import (
        Artisan,
        ArtisanStatus,
        DestinationKind,
        Profile,
        SealedDestination,
    )
    from chalicelib.edge import sealing
    from chalicelib.rib import key_of

    before, artisan_id = clock.now() - timedelta(days=9), f"art_{number}"
    kind, digits = DestinationKind.BANK_ACCOUNT, f"007780{number:016d}"
    value = digits + key_of(digits)
    if number % WALLET_IN == 0:
        kind, value = DestinationKind.WALLET, f"+2126{number:08d}"
    sealed = sealing.seal(value.encode(), service._sealing_context(artisan_id))
    profile = Profile(
        f"Fatima Zahra {number}", "+212612345678", "MA-03", "Fès", ("zellige",), ("ar", "fr"),
        None, None, {},
    )  # fmt: skip
    return Artisan(
        artisan_id, ArtisanStatus.VERIFIED, profile, before, before, "digest",
        destination=SealedDestination(kind, "…", sealed, "digest", before),
    )  # fmt: skip


def seed(count: int) -> None:
    """Artisans and their balances straight into the tables, without the entries behind them."""
    from chalicelib.artisans import tables as artisan_tables
    from chalicelib.ledger import tables
    from infra.bench.standin import LEAST_MINOR

    for start in range(0, count, BATCH_PUTS):
        numbers = range(start, min(count, start + BATCH_PUTS))
        artisan_tables.add_many([make_artisan(number) for number in numbers])
        with tables.LedgerTable.batch_write() as batch:
            for number in numbers:
                account = f"artisan_payable:art_{number}"
                key, shard = tables._account_key(account), tables._balance_shard(account)
                available = LEAST_MINOR + number
                batch.save(
                    tables.LedgerTable(key, tables.TOTAL, balance_shard=shard, available=available)
                )


@contextmanager
def stack(on_dynamodb_local: bool) -> Iterator[str]:
    """The tables, empty; the name of what they are in."""
    aws = LocalAws().start()
    set_app_environment("http://127.0.0.1:8000")
    UserPool().export()
    with ExitStack() as ending:
        ending.callback(aws.stop)
        if on_dynamodb_local:
            database = DynamoDbLocal(Path(".local"), in_memory=True)
            ending.callback(database.stop)
            aws.use_dynamodb(database.start())
        declare_template(aws)
        yield "DynamoDB Local" if on_dynamodb_local else "moto"


def measured(store: str, count: int) -> Run:
    on_local = store == "store" and os.environ.get("DYNAMODB") == "local"
    with ExitStack() as ending:
        name = ending.enter_context(stack(on_local))
        from chalicelib.edge import queues
        from chalicelib.payouts import files

        payday = Payday()
        ending.enter_context(
            mock.patch.object(
                queues, "send", lambda queue, message, group=None: payday.messages.append(message)
            )
        )
        ending.enter_context(mock.patch.object(files, "write", payday.write))
        file_bytes = 0
        if store == "standin":
            from infra.bench.standin import Paper

            folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
            paper, name = Paper(folder, count, make_artisan), "a stand-in"
            ending.enter_context(paper.in_place())
            batch = payday.run()
            file_bytes = paper.file_bytes
        else:
            seed(count)
            batch = payday.run()
        wrong = "" if batch.payout_count == count else f"{batch.payout_count} of {count} payouts"
        if batch.work is not None or batch.status != "submitted":
            wrong = f"the batch is {batch.status}, at {batch.work}"
        return Run(
            name, count, tuple(payday.phases), file_bytes, payday.file_seconds,
            payday.handed_over, wrong,
        )  # fmt: skip


def main() -> None:
    store, count = sys.argv[1], int(sys.argv[2])
    sys.stdout.write(json.dumps(asdict(measured(store, count))) + "\n")


if __name__ == "__main__":
    main()
