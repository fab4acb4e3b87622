"""`python -m infra.bench.settlements`: many sales settled on the local stack, and what each costs.

Every sale is taken by the real handler from a real event of its queue, ten to a batch. Request
units are counted by the published rules on a sample; dollars are on-demand prices of us-east-1
($0.625 per million write units, $0.125 per million read units; eu-west-3 is a little dearer and its
price was not found). On moto its transactions cost what its tables are long, so the tables are
emptied after every two hundred: the pace is moto's, the round trips and units are the platform's.
"""

import argparse
import io
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

COUNT = 10_000
BATCH = 10
EMPTIED_AFTER = 200
SAMPLE = 10
REGION_OF_PRICES = "us-east-1"
DOLLARS_PER_WRITE_UNIT = 0.625 / 1_000_000
DOLLARS_PER_READ_UNIT = 0.125 / 1_000_000
MAX_ROUND_TRIPS = 2
ARTISANS = 500


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one sale: the mean of a sample."""

    round_trips: float
    write_units: float
    read_units: float

    @property
    def dollars(self) -> float:
        writes = self.write_units * DOLLARS_PER_WRITE_UNIT
        return writes + self.read_units * DOLLARS_PER_READ_UNIT


def messages(start: int, count: int) -> list[str]:
    """Sales of one share, each of a payment and an artisan of its own turn."""
    from chalicelib import clock, ids
    from chalicelib.payments.messages import PaymentCaptured, Share

    at = clock.to_text(clock.now())
    found = []
    for number in range(start, start + count):
        order_id = ids.derived_id("ord", "bench settlement", str(number))
        share = Share(
            parcel_id=ids.child_id("prc", order_id, 1),
            artisan_id=ids.derived_id("art", str(number % ARTISANS)),
            goods_minor=24_990,
            shipping_minor=3_500,
            commission_bp=1_000,
            fee_estimate_bp=175,
            vat_on_commission_bp=2_000,
        )
        message = PaymentCaptured(
            payment_id=ids.child_id("pay", order_id, 1),
            order_id=order_id,
            provider="cmi",
            amount_minor=28_490,
            currency="MAD",
            captured_at=at,
            shares=[share],
        )
        found.append(message.model_dump_json())
    return found


def settle(bodies: Sequence[str]) -> None:
    """A batch of the queue, as Lambda would hand it over."""
    from chalicelib.settlement import consumers
    from infra import events
    from infra.local.lambdas import LambdaContext

    answer: Any = consumers.settle(events.queue_event("bench", list(bodies)), LambdaContext("b"))
    if answer.get("batchItemFailures"):
        raise RuntimeError(f"refused: {answer}")


def cost_of_one() -> Cost:
    """By the calls that a sample of sales makes; each alone in its batch."""
    from infra.bench.recording import Recorder

    heard: list[Any] = []
    recorder = Recorder()
    for body in messages(10_000_000, SAMPLE):
        with recorder.listening() as calls:
            settle([body])
        heard += calls
    return Cost(
        len(heard) / SAMPLE,
        sum(call.write_units for call in heard) / SAMPLE,
        sum(call.read_units for call in heard) / SAMPLE,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.bench.settlements", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="how many sales (10,000)")
    given = parser.parse_args(arguments)
    from infra.bench.__main__ import _stage

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("settling sales", total=given.count)
        with redirect_stdout(io.StringIO()):
            _stage()
            cost = cost_of_one()
            seconds = _settle_many(given.count, lambda count: progress.advance(task, count))
    Console(width=None if sys.stdout.isatty() else 100).print(_table(given.count, seconds, cost))
    return 0 if cost.round_trips <= MAX_ROUND_TRIPS else 1


def _settle_many(count: int, step: Any) -> float:
    """Seconds spent in the handler, and nothing else."""
    from chalicelib.ledger import service as ledger

    spent = 0.0
    for start in range(0, count, EMPTIED_AFTER):
        _empty()
        bodies = messages(start, min(EMPTIED_AFTER, count - start))
        began = time.perf_counter()
        for at in range(0, len(bodies), BATCH):
            settle(bodies[at : at + BATCH])
        spent += time.perf_counter() - began
        step(len(bodies))
    if not ledger.check().holds:
        raise RuntimeError("the ledger does not hold")
    return spent


def _empty() -> None:
    """moto's own tables of money, emptied without being dropped."""
    from chalicelib.config import settings
    from infra.local.aws import dynamodb_backends
    from infra.local.environment import ACCOUNT, REGION

    for name in ("ledger", "settlement"):
        table = dynamodb_backends[ACCOUNT][REGION].tables[f"{settings().table_prefix}{name}"]
        table.items.clear()
        if table.stream_shard is not None:
            table.stream_shard.items.clear()


def _table(count: int, seconds: float, cost: Cost) -> Table:
    table = Table(title=f"{count:,} sales settled on moto", title_justify="left")
    table.add_column("")
    table.add_column("figure", justify="right")
    table.add_column("target", justify="right")
    table.add_row("per second, one process", f"{count / seconds:,.0f}", "")
    table.add_row("round trips each", f"{cost.round_trips:.1f}", f"≤ {MAX_ROUND_TRIPS}")
    table.add_row("write units each", f"{cost.write_units:.1f}", "")
    table.add_row("read units each", f"{cost.read_units:.1f}", "")
    table.add_row(f"dollars each ({REGION_OF_PRICES})", f"{cost.dollars:.7f}", "")
    table.add_row(f"dollars for {COUNT:,}", f"{cost.dollars * COUNT:.2f}", "")
    return table


if __name__ == "__main__":
    sys.exit(main())
