"""`make bench`: prints what each use case costs, and the cold start, beside their targets."""

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from infra.bench import batches, cold, holds, report, throughput
from infra.bench.cases import CASES, Recorded, Stage

COLD = "cold"
HOLDS = "holds"
THROUGHPUT = "throughput"
PAYOUTS = "payouts"
ROUNDS = 25
WIDTH = 132


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    wanted = given.only or [*CASES, COLD, HOLDS, THROUGHPUT, PAYOUTS]
    names = [name for name in CASES if name in wanted]
    columns = (TextColumn("{task.description:<34}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        total = 1 + 2 * len(names) + (cold.steps() if COLD in wanted else 0)
        task = progress.add_task("Starting", total=total)

        def step(doing: str) -> None:
            progress.update(task, description=doing, advance=1)

        rows = list(_rows(names, step)) if names else []
        started = cold.measure(lambda: step("Cold start")) if COLD in wanted else None
        rush = holds.measure(_part_of(progress, "Holds")) if HOLDS in wanted else []
        crowd = _crowd(progress) if THROUGHPUT in wanted else None
        paydays = batches.measure(_part_of(progress, "Payouts")) if PAYOUTS in wanted else []
    zips = cold.zip_bytes() if started else {}
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    if rows or started:
        console.print(report.table_of(rows, started, zips))
        console.print(report.NOTES + "\n", highlight=False)
    for there, part in ((rush, holds), (crowd, throughput), (paydays, batches)):
        if there:
            console.print(part.table_of(there))
            console.print(part.notes_of(there) + "\n", highlight=False)
    if given.json:
        figures = report.as_json(rows, started, zips)
        figures["holds"] = holds.as_json(rush)
        figures["payouts"] = batches.as_json(paydays)
        figures["throughput"] = crowd and throughput.as_json(crowd)
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    wrong = [row.wrong for row in rush] + [run.wrong for run in paydays]
    wrong += [crowd.counted.wrong] if crowd is not None else []
    return 1 if any(wrong) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.bench", description=__doc__)
    names = [*CASES, COLD, HOLDS, THROUGHPUT, PAYOUTS]
    parser.add_argument("--only", action="append", choices=names, help="may be given repeatedly")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return parser


def _crowd(progress: Progress) -> throughput.Measured:
    return throughput.measure(_part_of(progress, "Many at once"))


def _part_of(progress: Progress, doing: str) -> Callable[[str, float], None]:
    task = progress.add_task(doing, total=1)
    return lambda doing, part: progress.update(task, description=doing, completed=part)


def _rows(names: list[str], step: Any) -> Iterator[report.Row]:
    recorded = list(_record(names, step))
    cases = {case.name: case for case in recorded}
    for cpu in _replayed(recorded):
        step(cases[cpu["name"]].title)
        yield report.row_of(cases[cpu["name"]], cpu)


def _record(names: list[str], step: Any) -> Iterator[Recorded]:
    stage = _stage()
    step("Recording")
    for name in names:
        yield stage.record(name)
        step(CASES[name][0])


def _stage() -> Stage:
    """The marketplace on moto; nothing of the app may be imported before moto has started."""
    from infra.local.aws import LocalAws
    from infra.local.environment import set_app_environment

    aws = LocalAws().start()
    set_app_environment("http://127.0.0.1:8000")
    from infra.demo.load import load_demo
    from infra.local.identity import UserPool
    from infra.local.stack import declare_template

    UserPool().export()
    declare_template(aws)
    load_demo()
    return Stage()


def _replayed(recorded: list[Recorded]) -> Iterator[dict[str, Any]]:
    """CPU figures, one use case after the other, from a process without moto."""
    environment = dict(os.environ) | {"POWERTOOLS_METRICS_DISABLED": "false"}
    with tempfile.NamedTemporaryFile(suffix=".tape") as tape:
        tape.write(pickle.dumps(recorded))
        tape.flush()
        command = [sys.executable, "-m", "infra.bench.replay", tape.name, str(ROUNDS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as replay:
            assert replay.stdout is not None
            for line in replay.stdout:
                yield json.loads(line)
    if replay.returncode:
        raise SystemExit(f"the replay failed with {replay.returncode}; its trace is above")


if __name__ == "__main__":
    sys.exit(main())
