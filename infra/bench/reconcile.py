"""Reconciliation of 10,000 lines in which 50 breaks are planted: all found, no other, and how fast.

`python -m infra.bench.reconcile [--lines 10000] [--breaks 50] [--seed 1]`. The store is moto; with
DYNAMODB=local it is Amazon's DynamoDB Local. Sales are put straight into the tables; what is timed
is what operators wait for: the file, the sweep that misses payments, and the bank statement.
"""

import argparse
import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.bench.planting import KINDS, Plan, planned
from infra.local.short_cut import short_cut

LINES, BREAKS, SEED = 10_000, 50, 1
LIMIT_SECONDS = 60
PUTS_AT_ONCE = 500
Step = Callable[[str, int, int], None]


@dataclass(slots=True)
class Measured:
    """What became of a plan. `found` and `planted` are (kind, what it is about)."""

    lines: int
    store: str
    seconds: dict[str, float] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    planted: set[tuple[str, str]] = field(default_factory=set)
    found: set[tuple[str, str]] = field(default_factory=set)
    is_balanced: bool = False

    @property
    def total_seconds(self) -> float:
        return sum(self.seconds.values())

    @property
    def missing(self) -> set[tuple[str, str]]:
        return self.planted - self.found

    @property
    def false(self) -> set[tuple[str, str]]:
        return self.found - self.planted

    @property
    def wrong(self) -> str:
        """In a sentence, what is not as it should be; empty when all is."""
        if self.missing or self.false:
            return f"{len(self.missing)} breaks were not found, {len(self.false)} are false."
        return "" if self.is_balanced else "The bank's account is not what the file says."


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.bench.reconcile", description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--breaks", type=int, default=BREAKS)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args(arguments)
    gc.set_threshold(10_000, 20, 20)  # as the app does at its first event
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(),
    )  # fmt: skip
    with ExitStack() as ending:
        store = ending.enter_context(_stack())
        progress = ending.enter_context(Progress(*columns, console=console))
        tasks: dict[str, Any] = {}

        def step(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = progress.add_task(doing, total=total)
            progress.update(tasks[doing], completed=done)

        measured = measure(planned(given.lines, given.breaks, given.seed), store, step)
    Console().print(table_of(measured))
    Console().print(notes_of(measured), highlight=False)
    too_slow = given.lines >= LINES and measured.total_seconds > LIMIT_SECONDS
    return 1 if measured.wrong or too_slow else 0


@contextmanager
def _stack() -> Iterator[str]:
    from infra.bench.payday import stack

    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    on_local = os.environ.get("DYNAMODB") == "local"
    with stack(on_local) as name, nullcontext() if on_local else short_cut():
        yield name


def measure(plan: Plan, store: str, step: Step) -> Measured:
    """Seed the sales of a plan, reconcile its files and its statement, and look for its breaks."""
    from chalicelib.settlement import bank_matching, service

    measured = Measured(plan.line_count, store, planted=set(plan.planted))
    seed(plan, step)
    with _counting(measured.calls):
        began = perf_counter()
        service.miss_payments()  # those that will be named late, and those that never are
        measured.seconds["payments that no file named"] = perf_counter() - began
        began = perf_counter()
        _take_file(plan, step)
        measured.seconds["the provider's file"] = perf_counter() - began
        began = perf_counter()
        bank_matching.take_credits("STATEMENT-1", plan.credits)
        measured.seconds["the bank's statement"] = perf_counter() - began
    found = {_told(one) for one in _all_breaks()}
    # What was named late had to be missed before: that is one break, and not two.
    cured = {("missing_in_provider", about) for kind, about in found if kind == "late"}
    measured.found = found - cured
    measured.is_balanced = _bank_minor() == plan.bank_minor
    return measured


def _take_file(plan: Plan, step: Step) -> None:
    """The file as the API takes it, and then its messages one after the other."""
    from unittest import mock

    from chalicelib.edge import queues
    from chalicelib.settlement import reconciliation, service

    waiting: list[Any] = []
    taken = 0
    with mock.patch.object(
        queues, "send", lambda queue, message, group=None: waiting.append(message)
    ):
        reconciliation.reconcile(plan.file, plan.provider, plan.profile)
        while waiting:
            message = waiting.pop(0)
            service.take_lines(message.file_id, message.first)
            taken = min(plan.line_count, message.first - 1 + reconciliation.LINES_AT_ONCE)
            step("Reconciling", taken, plan.line_count)


@contextmanager
def _counting(calls: Counter[str]) -> Iterator[None]:
    from unittest import mock

    from botocore.client import BaseClient

    real = BaseClient._make_api_call

    def counted(client: Any, operation: str, arguments: Any) -> Any:
        calls[operation] += 1
        return real(client, operation, arguments)

    with mock.patch.object(BaseClient, "_make_api_call", counted):
        yield


def seed(plan: Plan, step: Step) -> None:
    """Sales straight into the tables: their entries, shares and payments."""
    from chalicelib import clock
    from chalicelib.edge.storage import due_shard_of
    from chalicelib.ledger import tables as ledger_tables
    from chalicelib.settlement import domain, tables

    rows: list[Any] = []
    entries: list[Any] = []
    for sale, named_by in plan.sales:
        parts = domain.split(sale.shares)
        entries.append(ledger_tables._entry_row(domain.sale_entry(sale, parts, clock.now())))
        for terms, part in zip(sale.shares, parts, strict=True):
            rows.append(tables._share_row(sale, terms, part))
        rows.append(
            tables.SettlementTable(
                f"payment#{sale.payment_id}", tables.PAYMENT, payment_id=sale.payment_id,
                provider=sale.provider, captured_minor=sale.captured.amount_minor,
                captured_at=clock.to_text(sale.captured_at),
                fee_minor=sum(part.fee_minor for part in parts),
                parcel_ids=list(sale.parcel_ids),
                due_shard=due_shard_of(tables.UNNAMED, sale.payment_id),
                due_at=clock.to_text(named_by),
            )
        )  # fmt: skip
    _put(ledger_tables.LedgerTable, entries, "Entries of sales", step)
    _put(tables.SettlementTable, rows, "Sales", step)


def _put(table: Any, rows: list[Any], doing: str, step: Step) -> None:
    for start in range(0, len(rows), PUTS_AT_ONCE):
        with table.batch_write() as batch:
            for row in rows[start : start + PUTS_AT_ONCE]:
                batch.save(row)
        step(doing, min(len(rows), start + PUTS_AT_ONCE), len(rows))


def _all_breaks() -> list[Any]:
    from chalicelib.settlement import breaks
    from chalicelib.settlement.break_domain import BreakStatus

    found: list[Any] = []
    for status in BreakStatus:
        after: Any = None
        while True:
            page, after = breaks.listed(status, None, None, 100, after)
            found += page
            if after is None:
                break
    return found


def _told(found: Any) -> tuple[str, str]:
    """A credit is known by its amount, everything else by its payment."""
    if found.kind == "unknown_bank_credit":
        return str(found.kind), str(found.amount.amount_minor)
    return str(found.kind), str(found.reference)


def _bank_minor() -> int:
    from chalicelib.ledger import service as ledger

    return ledger.statement("bank:main", 1, None).balance.amount_minor


def table_of(measured: Measured) -> Table:
    table = Table(
        title=f"{measured.lines:,} lines on {measured.store}: breaks by kind", title_justify="left"
    )
    table.add_column("kind")
    for name in ("planted", "found", "not found", "false"):
        table.add_column(name, justify="right")
    for kind in KINDS:
        planted, found, missing, false = (
            sum(one[0] == kind for one in part)
            for part in (measured.planted, measured.found, measured.missing, measured.false)
        )
        table.add_row(kind, str(planted), str(found), str(missing), str(false))
    others = {one for one in measured.false if one[0] not in KINDS}
    table.add_section()
    sums = (measured.planted, measured.found, measured.missing, measured.false)
    table.add_row("all", *(str(len(part)) for part in sums), style="bold")
    return table if not others else _with_others(table, others)


def _with_others(table: Table, others: set[tuple[str, str]]) -> Table:
    table.add_row("of no planted kind", "", str(len(others)), "", str(len(others)))
    return table


def notes_of(measured: Measured) -> str:
    """What is said below the table."""
    times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in measured.seconds.items())
    trips = sum(measured.calls.values()) / max(1, measured.lines)
    ended = f"[bold red]{measured.wrong}[/]" if measured.wrong else "All found, none false."
    return (
        f"{ended} {measured.total_seconds:.1f} s in all: {times}.\n"
        f"{trips:.2f} round trips a line; the sales were put into the tables before."
    )


if __name__ == "__main__":
    sys.exit(main())
