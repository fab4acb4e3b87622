"""`make month`: a month of the demo market on the local stack, and a report that adds up.

On Amazon's DynamoDB Local where Java and its package are there, else a smaller month on moto.
"""

import argparse
import io
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.month.stage import CannotStart, database_of, stage

ORDERS = {"local": 2_000, "moto": 300}
DAYS = 30
SEED = 2026
WIDTH = 110
CANNOT_START = 2


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    out, errors = Console(file=sys.stdout, width=WIDTH), Console(stderr=True)
    database = database_of(given.database)
    orders = given.orders or ORDERS[database]
    try:
        return _run(database, orders, given.days, given.seed, out, errors)
    except CannotStart as refusal:
        errors.print(str(refusal), style="bold red", highlight=False, soft_wrap=True)
        return CANNOT_START


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.month", description=__doc__)
    parser.add_argument("--orders", type=int, help="how many orders (2,000, or 300 on moto)")
    parser.add_argument("--days", type=int, default=DAYS, help="on how many days (30)")
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed, the same month")
    parser.add_argument("--database", choices=("moto", "local"), default="", help="default: best")
    return parser


def _run(database: str, orders: int, days: int, seed: int, out: Console, errors: Console) -> int:
    began = time.monotonic()
    columns = (TextColumn("{task.description:<26}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    # The app's logs go to standard output, as in Lambda; here they would be in the report's way.
    with Progress(*columns, console=errors) as progress, redirect_stdout(io.StringIO()) as logs:
        task = progress.add_task("Starting", total=None)
        with stage(database, lambda doing: progress.update(task, description=doing)) as world:
            from infra.month.figures import Accountant
            from infra.month.market import Market

            def step(doing: str, count: int) -> None:
                progress.update(task, description=doing, advance=count)
                logs.seek(0)
                logs.truncate()

            market = Market(world, orders, days, seed, step)
            progress.update(task, total=market.step_count, completed=0)
            market.run()
            progress.update(task, description="Adding up")
            figures = Accountant(market).figures()
    from infra.month.report import show

    where = "DynamoDB Local" if database == "local" else "moto"
    out.print(
        f"[bold]{orders:,} orders in {days} days, seed {seed}, on {where}[/]", highlight=False
    )
    show(figures, out)
    errors.print(f"took {time.monotonic() - began:,.0f} seconds", highlight=False)
    return 0 if figures.holds else 1


if __name__ == "__main__":
    sys.exit(main())
