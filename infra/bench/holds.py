"""Holds per second of one stock that everybody wants: as one item, and as an edition in shards.

The run itself is a process of its own (`infra.bench.rush`); here are its figures and its table.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from infra.bench.throughput import CLIENTS

# "Burst and adaptive capacity": one item's partition takes so many write units in a second.
WRITE_UNITS_PER_PARTITION = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One stock. `conflicts` are conditional updates that were refused; `oversold` must be 0.

    Round trips and units are those of a hold that was got or refused as sold out, on average; the
    units of the first `recorded` ones, which a slow machine makes fewer.
    """

    title: str
    database: str
    pieces: int
    shards: int
    held: int
    sold_out: int
    busy: int
    conflicts: int
    oversold: int
    per_second: float
    round_trips: float
    write_units: float
    read_units: float
    recorded: int

    @property
    def ceiling_per_second(self) -> int:
        """Reckoned, not measured: what DynamoDB's rule allows on as many partitions as shards."""
        if not self.write_units:
            return 0
        return int(WRITE_UNITS_PER_PARTITION / self.write_units) * self.shards

    @property
    def wrong(self) -> str:
        """In a sentence, what does not add up; empty when everything does."""
        if self.oversold:
            return f"{self.title}: {self.oversold} pieces were oversold."
        if self.sold_out and self.held < self.pieces:
            return f"{self.title}: sold out was said with {self.pieces - self.held} left."
        return ""


def measure(step: Callable[[str, float], Any]) -> list[Row]:
    """Run it; `step` is told what is being done and how far it has come, from 0 to 1.

    Raises:
        SystemExit: in a sentence, why there are no figures.
    """
    command = [sys.executable, "-m", "infra.bench.rush"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as rush:
        assert rush.stdout is not None
        told: dict[str, Any] = {}
        for line in rush.stdout:
            told = json.loads(line)
            if "doing" in told:
                step(told["doing"], told["part"])
    if "cannot" in told:
        raise SystemExit(f"Holds were not measured: {told['cannot']}")
    if rush.returncode or "rows" not in told:
        raise SystemExit("Holds were not measured; the trace is above.")
    return [Row(**row) for row in told["rows"]]


def table_of(rows: Sequence[Row]) -> Table:
    title = f"{CLIENTS} clients hold pieces of one stock at once, on {rows[0].database}"
    table = Table(title=title, title_justify="left")
    table.add_column("stock")
    for name in (
        "held", "sold out", "conflicts", "oversold", "per second", "round trips", "RRU", "WRU",
        "reckoned ceiling",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row.title, str(row.held), str(row.sold_out), str(row.conflicts), str(row.oversold),
            f"{row.per_second:,.1f}", f"{row.round_trips:.2f}", f"{row.read_units:.2f}",
            f"{row.write_units:.2f}", f"{row.ceiling_per_second:,} /s",
        )  # fmt: skip
    return table


def notes_of(rows: Sequence[Row]) -> str:
    """What is said below the table."""
    wrong = " ".join(row.wrong for row in rows if row.wrong)
    cut = " ".join(
        f"Units of {row.title} are those of its first {row.recorded} holds: time was up."
        for row in rows
        if row.recorded < row.pieces
    )
    told = [f"[bold red]{wrong}[/]" if wrong else "", NOTES, cut]
    return "\n".join(line for line in told if line)


NOTES = """\
Round trips and units are per hold that was got, or refused as sold out. Units follow the published
rules from the items' sizes, of the same holds one after the other: an item grows with each open
hold, and so does what the next one costs. Per second is of this model: clients and moto share one
process, and moto takes one call at a time, so shards do not show in it. The ceiling is reckoned
from the units, not measured: a partition takes 1,000 a second, and each shard has its own."""


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [asdict(row) | {"ceiling_per_second": row.ceiling_per_second} for row in rows]
