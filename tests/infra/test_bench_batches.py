"""The figures of payout batches: what is said of them, and a small run on the stand-in."""

import io
import json
import subprocess
import sys

from rich.console import Console

from infra.bench import batches
from infra.bench.batches import Phase, Run

RUN = Run("a stand-in", 50_000, (Phase("drafted", 0.5, 60.0, 8 * batches.MIB),), 2**25, 9.0, 9, "")


def test_what_is_not_as_it_should_be_is_said() -> None:
    assert "49,999" not in batches.notes_of([RUN])
    broken = Run("moto", 9, (), 0, 0.0, 0, "8 of 9 payouts")
    assert "8 of 9 payouts" in batches.notes_of([RUN, broken])


def test_the_table_says_time_and_memory_and_on_what() -> None:
    console = Console(file=io.StringIO(), width=132)
    console.print(batches.table_of([RUN]))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for told in ("50,000 on a stand-in: drafted", "60.0 s", "1.20 ms", "8.0 MiB"):
        assert told in shown
    assert "32.0 MiB" in batches.notes_of([RUN])


def test_a_batch_that_is_large_goes_its_whole_way_on_the_stand_in() -> None:
    command = [sys.executable, "-m", "infra.bench.payday", "standin", "250"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    run = batches.run_of(json.loads(done.stdout.splitlines()[-1]))
    assert (run.payouts, run.handed_over, run.wrong) == (250, 50, "")
    assert [phase.title for phase in run.phases] == [
        "drafted", "approved, file written", "submitted, handed over",
    ]  # fmt: skip
