"""The month's report, printed: every equation with its two sides and whether it holds."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from infra.month.figures import Equation, Figures, Term

YES, NO = "[green]✓[/]", "[bold red]✗[/]"


def show(figures: Figures, console: Console) -> None:
    console.print(_counts("Orders by their state", figures.order_states))
    console.print(_counts("What happened to them", figures.stories))
    money = [one for one in figures.equations if one.is_money]
    console.print(_equations("Money, in MAD", money))
    numbers = [one for one in figures.equations if not one.is_money]
    console.print(_equations("Numbers", numbers))
    console.print(_counts("Payouts by their state", figures.payouts))
    for line in _words(figures):
        console.print(line, highlight=False)


def _words(figures: Figures) -> list[str]:
    check = figures.check
    told = ", ".join(f"{count} {name}" for name, count in sorted(figures.planted.items()))
    lines = [
        f"ledger: {check['entries']} entries on {check['accounts']} accounts",
        f"planted in the providers' files: {told}",
        ", ".join(f"{name}: {count}" for name, count in figures.facts.items()),
        f"artisans who owe: {figures.owing}",
        f"{YES if not figures.queues else NO} queues and dead letters: "
        f"{figures.queues or 'nothing left'}",
        f"{YES if not figures.given_up else NO} given up: {figures.given_up or 'nothing'}",
    ]
    wrong = [one.title for one in figures.equations if not one.holds]
    held = f"{len(figures.equations) - len(wrong)} of {len(figures.equations)} equations hold"
    return [*lines, f"{YES if figures.holds else NO} {held}{': not ' if wrong else ''}"
            + "; ".join(wrong)]  # fmt: skip


def _counts(title: str, counts: Counter[str]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("count", justify="right")
    for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        table.add_row(name.replace("_", " "), f"{count:,}")
    table.add_section()
    table.add_row("all", f"{counts.total():,}")
    return table


def _equations(title: str, equations: list[Equation]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for heading in ("count", "left side", "right side"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for one in equations:
        table.add_row(f"[bold]{one.title}[/]")
        left = _amount(one.left.minor, one)
        table.add_row(f"  {one.left.label}", _count(one.left), left, "")
        for term in one.right:
            table.add_row(f"  = {term.label}", _count(term), "", _amount(term.minor, one))
        right = _amount(one.right_minor, one)
        table.add_row("", "", left, right, YES if one.holds else NO, end_section=True)
    return table


def _count(term: Term) -> str:
    return "" if term.count is None else f"{term.count:,}"


def _amount(minor: int, equation: Equation) -> str:
    if not equation.is_money:
        return f"{minor:,}"
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"
