"""A payout batch for 50,000 artisans: how long it takes and the memory it needs, step by step.

The run itself is a process of its own (`infra.bench.payday`); here are its figures and its table.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

RUNS = (("standin", 50_000), ("store", 400))
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Phase:
    """`answered_seconds`: the operator's request; `seconds`: until the last message was handled.
    `grown_bytes`: how much the process's peak of memory grew by it."""

    title: str
    answered_seconds: float
    seconds: float
    grown_bytes: int


@dataclass(frozen=True, slots=True)
class Run:
    """One batch. `wrong`: in a sentence, what is not as it should be."""

    store: str
    payouts: int
    phases: tuple[Phase, ...]
    file_bytes: int
    file_seconds: float  # of the longest writing of all its files
    handed_over: int
    wrong: str


def measure(step: Callable[[str, float], Any]) -> list[Run]:
    """Run it; `step` is told what is being done and how far it has come, from 0 to 1.

    Raises:
        SystemExit: in a sentence, why there are no figures.
    """
    runs = []
    for number, (store, count) in enumerate(RUNS):
        step(f"Payouts: {count:,} on {'a stand-in' if store == 'standin' else 'the store'}",
             number / len(RUNS))  # fmt: skip
        command = [sys.executable, "-m", "infra.bench.payday", store, str(count)]
        done = subprocess.run(command, stdout=subprocess.PIPE, env=dict(os.environ), check=False)
        if done.returncode:
            raise SystemExit("Payout batches were not measured; the trace is above.")
        runs.append(run_of(json.loads(done.stdout.splitlines()[-1])))
    step("Payouts", 1)
    return runs


def run_of(told: dict[str, Any]) -> Run:
    return Run(**told | {"phases": tuple(Phase(**phase) for phase in told["phases"])})


def table_of(runs: Sequence[Run]) -> Table:
    table = Table(title="A payout batch, from its drafting on", title_justify="left")
    table.add_column("batch")
    for name in ("answered", "done after", "a payout", "memory grew by"):
        table.add_column(name, justify="right")
    for run in runs:
        table.add_section()
        for phase in run.phases:
            table.add_row(
                f"{run.payouts:,} on {run.store}: {phase.title}",
                f"{phase.answered_seconds:,.2f} s",
                f"{phase.seconds:,.1f} s",
                f"{1000 * phase.seconds / run.payouts:,.2f} ms",
                f"{phase.grown_bytes / MIB:,.1f} MiB",
            )
    return table


def notes_of(runs: Sequence[Run]) -> str:
    """What is said below the table."""
    wrong = " ".join(run.wrong for run in runs if run.wrong)
    files = " ".join(
        f"Of {run.payouts:,} payouts the bank's file had {run.file_bytes / MIB:,.1f} MiB; all "
        f"files were written in {run.file_seconds:,.1f} s."
        for run in runs
        if run.file_bytes
    )
    told = [f"[bold red]{wrong}[/]" if wrong else "", NOTES, files]
    return "\n".join(line for line in told if line)


NOTES = """\
One process, one message after the other; in production the 8 lanes of a drafting run side by side.
The stand-in keeps payouts on disk and answers without a network, so its times are our own CPU and
its memory is ours; the store's memory is mostly moto's. One artisan in five is paid to a wallet.
On DynamoDB a reservation is 2 round trips, and a batch's partition takes some 110 of them a second
until it is split: 50,000 are reckoned at some 8 minutes, not measured."""


def as_json(runs: Sequence[Run]) -> list[dict[str, Any]]:
    return [asdict(run) for run in runs]
