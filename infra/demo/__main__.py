"""`make demo` and `make magic`, over HTTP, against a running `make run`.

`demo`: one order's whole way. `magic`: every magic amount at every provider.
"""

import os
import sys
from functools import partial

import httpx
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from infra.demo.client import DemoFailed, Marketplace
from infra.demo.journey import Journey
from infra.demo.magic import METHODS, Case, MagicAmounts, ends_as


def main() -> int:
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    console = Console()
    show = _magic if sys.argv[1:] == ["magic"] else _journey
    try:
        with Marketplace(address) as marketplace:
            return show(marketplace, console)
    except httpx.ConnectError:
        console.print(f"Nothing answers at {address}. Start it in another terminal: make run")
        return 2
    except DemoFailed as failure:
        console.print(f"[red]{failure}[/red]")
        return 1


def _journey(marketplace: Marketplace, console: Console) -> int:
    Journey(marketplace, console).run()
    return 0


def _magic(marketplace: Marketplace, console: Console) -> int:
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("ordering, paying, waiting, refunding, disputing")
        amounts = MagicAmounts(marketplace, partial(progress.advance, bar))
        progress.update(bar, total=amounts.count)
        cases = amounts.run()
    console.print(_table(cases))
    check = amounts.ledger()
    wrong = [case for case in cases if not case.is_as_expected]
    said = f"{len(cases) - len(wrong)} of {len(cases)} ended as the README says"
    console.print(f"{said}; ledger {'holds' if check['ok'] else f'does not hold: {check}'}")
    return 0 if check["ok"] and not wrong else 1


def _table(cases: list[Case]) -> Table:
    table = Table(title="How each amount ended: payment · order", title_justify="left")
    for heading in ("ends in", *METHODS):
        table.add_column(heading)
    for ending in sorted({case.ending for case in cases}):
        row = [case for case in cases if case.ending == ending]
        table.add_row(f".{ending:02d}" if ending else "other", *map(_cell, row))
    return table


def _cell(case: Case) -> str:
    told = " · ".join(case.ended)
    if case.is_as_expected:
        return told
    expected = " · ".join(ends_as(case.ending, case.provider))
    return f"[red]{told}[/] (not {expected})"


if __name__ == "__main__":
    sys.exit(main())
