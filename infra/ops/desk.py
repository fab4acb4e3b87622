"""What every command works with: the API, the queues, the screen, and the operator's answers."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from infra.ops.api import OperatorApi
from infra.ops.errors import NotConfirmed
from infra.ops.masking import masked_text
from infra.ops.sqs import Queues, queues_of
from infra.ops.target import Target

Ask = Callable[[str], str]


@dataclass
class Desk:
    """`screen` is for tables and JSON, `aside` for questions, progress and remarks."""

    target: Target
    api: OperatorApi
    screen: Console
    aside: Console
    ask: Ask
    as_json: bool = False
    assume_yes: bool = False
    pause: Callable[[float], None] = field(default=lambda seconds: None)

    @cached_property
    def queues(self) -> Queues:
        return queues_of(self.target)

    def show(self, data: Any, *tables: Any) -> None:
        """The tables, or the data as JSON for scripts; neither with personal data."""
        if self.as_json:
            text = json.dumps(_masked(data), ensure_ascii=False, indent=2)
            self.screen.out(text, highlight=False)
            return
        for table in tables:
            self.screen.print(table)

    def remark(self, sentence: str) -> None:
        self.aside.print(masked_text(sentence), highlight=False, soft_wrap=True)

    def agree(self, question: str) -> None:
        """
        Raises:
            NotConfirmed: the answer is not yes.
        """
        if not self.assume_yes and self._answer(f"{question} [y/N] ").lower() not in ("y", "yes"):
            raise NotConfirmed("Nothing was changed.")

    def typed(self, wanted: str, what: str, given: str | None = None) -> None:
        """Have the operator type what the screen shows; `--yes` does not answer this.

        Raises:
            NotConfirmed: it is something else.
        """
        answer = given if given is not None else self._answer(f"Type {what} to go on: ")
        if plain(answer) != plain(wanted):
            raise NotConfirmed(f"This is not {what}. Nothing was changed.")

    def progress(self, what: str, total: int | None) -> "Steps":
        return Steps(self.aside, what, total)

    def _answer(self, prompt: str) -> str:
        try:
            return self.ask(prompt).strip()
        except EOFError:
            raise NotConfirmed("Nobody answered. Nothing was changed.") from None


class Steps(AbstractContextManager["Steps"]):
    """A progress bar beside the output."""

    def __init__(self, console: Console, what: str, total: int | None) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> "Steps":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, count: int = 1) -> None:
        self._bar.advance(self._task, count)


def plain(text: str) -> str:
    """Amounts as they are compared: without separators of thousands and the dirham's name."""
    kept = text.upper().replace(",", "").replace("MAD", " ")
    return " ".join(kept.split())


def money(amount: Mapping[str, Any] | None) -> str:
    """`{"amount_minor": 1170320, "currency": "MAD"}` as "11,703.20 MAD"."""
    if amount is None:
        return "-"
    return minor_text(int(amount["amount_minor"]), str(amount["currency"]))


def minor_text(minor: int, currency: str = "MAD") -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d} {currency}"


def a_table(
    title: str, columns: Sequence[str], right: Sequence[str] = (), whole: Sequence[str] = ()
) -> Table:
    """Figures and what is `whole` (ids, to be copied; single words) are never broken."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        min_width=len(title) + 1,
    )
    for column in columns:
        is_figure = column in right
        table.add_column(
            column,
            justify="right" if is_figure else "left",
            no_wrap=is_figure or column in whole,
            min_width=None if is_figure else min(8, len(column)),
            overflow="fold",
        )
    return table


def day(moment: Any) -> str:
    """The minute of a time in an answer."""
    return str(moment or "-").replace("T", " ")[:16]


def count_text(count: int, one: str, many: str | None = None) -> str:
    """ "1 message", "2 messages"."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def _masked(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {name: _masked(part) for name, part in data.items()}
    if isinstance(data, list | tuple):
        return [_masked(part) for part in data]
    return masked_text(data) if isinstance(data, str) else data
