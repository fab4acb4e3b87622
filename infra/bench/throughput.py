"""How many orders and callbacks eight clients get through the local stack, beside a bare client.

The run itself is a process of its own (`infra.bench.crowd`); here are its figures and its table.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from rich.table import Table

CLIENTS = 8
PHASE_SECONDS = 5  # for each kind of request
NONE = "-"
FLOOR = "  a bare client, the same calls"


@dataclass(frozen=True, slots=True)
class Timings:
    """What was measured of one kind of request: how long each took, and all of them together.

    `cpu_seconds` is what one took of the process that clients, server, app and moto share.
    """

    each_ms: tuple[float, ...]
    together_seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return len(self.each_ms) / self.together_seconds if self.together_seconds else 0.0


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast something went; None where there were no single requests to be timed."""

    per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of request; None where there is nothing to compare it with."""

    title: str
    count: int
    ours: Speed
    round_trips: int | None = None
    floor: Speed | None = None

    @property
    def cpu_ratio(self) -> float | None:
        """CPU of ours to that of the AWS calls in it: other processes' load spoils it least."""
        if self.floor is None or not self.floor.cpu_ms or self.ours.cpu_ms is None:
            return None
        return round(self.ours.cpu_ms / self.floor.cpu_ms, 2)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was there at the end; `oversold` are pieces sold or held that were never received."""

    database: str
    pieces: int
    refused: int
    orders: int
    payments: int
    paid: int
    oversold: int

    @property
    def wrong(self) -> str:
        """In a sentence, what does not add up; empty when everything does."""
        if self.oversold:
            return f"{self.oversold} pieces were oversold."
        if not self.orders == self.payments == self.paid:
            return f"{self.orders} orders have {self.payments} payments, {self.paid} are paid."
        return ""


@dataclass(frozen=True, slots=True)
class Measured:
    rows: tuple[Row, ...]
    counted: Counted


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent of all do not exceed (nearest rank)."""
    assert values
    assert 0 < percent <= 100
    return sorted(values)[ceil(len(values) * percent / 100) - 1]


def speed_of(timings: Timings) -> Speed:
    return Speed(
        per_second=round(timings.per_second, 1),
        p50_ms=round(percentile(timings.each_ms, 50), 1),
        p99_ms=round(percentile(timings.each_ms, 99), 1),
        cpu_ms=round(timings.cpu_seconds * 1000, 2),
    )


def row_of(title: str, ours: Timings, floor: Timings, round_trips: int) -> Row:
    count = len(ours.each_ms)
    return Row(title, count, speed_of(ours), round_trips, speed_of(floor))


def measured_from(told: Mapping[str, Any]) -> Measured:
    """From what the process that measured has told."""
    rows = (
        Row(**row | {side: row[side] and Speed(**row[side]) for side in ("ours", "floor")})
        for row in told["rows"]
    )
    return Measured(tuple(rows), Counted(**told["counted"]))


def measure(step: Callable[[str, float], Any]) -> Measured:
    """Run it; `step` is told what is being done and how far it has come, from 0 to 1.

    Raises:
        SystemExit: in a sentence, why there are no figures.
    """
    command = [sys.executable, "-m", "infra.bench.crowd"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as clients:
        assert clients.stdout is not None
        told: dict[str, Any] = {}
        for line in clients.stdout:
            told = json.loads(line)
            if "doing" in told:
                step(told["doing"], told["part"])
    if "cannot" in told:
        raise SystemExit(f"The throughput was not measured: {told['cannot']}")
    if clients.returncode or "rows" not in told:
        raise SystemExit("The throughput was not measured; the trace is above.")
    return measured_from(told)


def table_of(measured: Measured) -> Table:
    table = Table(
        title=f"{CLIENTS} clients at once on the local stack, on {measured.counted.database}",
        title_justify="left",
    )
    table.add_column("request")
    for name in ("number", "round trips", "per second", "p50", "p99", "CPU", "CPU ratio"):
        table.add_column(name, justify="right")
    for row in measured.rows:
        trips = NONE if row.round_trips is None else str(row.round_trips)
        ratio = NONE if row.cpu_ratio is None else f"{row.cpu_ratio:g}"
        table.add_row(row.title, f"{row.count:,}", trips, *_cells(row.ours), ratio)
        if row.floor is not None:
            table.add_row(FLOOR, "", trips, *_cells(row.floor), "")
    return table


def _cells(speed: Speed) -> list[str]:
    times = (speed.p50_ms, speed.p99_ms, speed.cpu_ms)
    return [
        f"{speed.per_second:,.1f}",
        *(NONE if time is None else f"{time:,.1f} ms" for time in times),
    ]


def notes_of(measured: Measured) -> str:
    """What is said below the table."""
    counted = measured.counted
    ended = "oversold 0." if not counted.wrong else f"[bold red]{counted.wrong}[/]"
    return (
        f"{counted.orders} orders with {counted.payments} payments for {counted.pieces} pieces,"
        f" {counted.paid} paid, {counted.refused} refused as sold out; {ended}\n{NOTES}"
    )


NOTES = f"""\
At most {PHASE_SECONDS} s for each row. Clients, server, app and moto share one Python process
(DynamoDB Local is another) and moto takes one call at a time: the figures are of this model and say
nothing of AWS. The bare client makes the same DynamoDB calls under other ids from as many threads,
without HTTP. The ratio of the process's CPU is what HTTP on loopback, the gateway's model and our
code add to that."""


def as_json(measured: Measured) -> dict[str, Any]:
    rows = [asdict(row) | {"cpu_ratio": row.cpu_ratio} for row in measured.rows]
    return {"clients": CLIENTS, "rows": rows, "counted": asdict(measured.counted)}
