"""`status`: on one screen what waits for an operator, and whether the books hold."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from infra.ops import books, cases, events, files, letters, payouts
from infra.ops.api import Refused
from infra.ops.desk import Desk, a_table, money
from infra.ops.sqs import aws_client, dead_names, in_sentences
from infra.template.names import APP

MANY = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the screen; `count` is None where it cannot be known."""

    what: str
    count: int | None
    command: str
    is_capped: bool = False


def show(desk: Desk, given: Namespace) -> None:
    with desk.progress("looking", None):
        check = None if given.quick else desk.api.get(books.CHECK)
        depths = in_sentences(lambda: letters.depths(desk))
        lines = _lines(desk, depths)
        alarms = in_sentences(lambda: alarms_now(desk))
    data = {
        "stage": desk.target.stage,
        "ledger_ok": check and check["ok"],
        "waiting": {line.what: line.count for line in lines},
        "queues": depths,
        "alarms": alarms,
    }
    table = a_table(
        f"{APP}, {desk.target.stage}", ("what", "now", "see"), ("now",), ("what", "see")
    )
    if check is not None:
        said = "[green]holds[/]" if check["ok"] else "[red]does not hold[/]"
        table.add_row(f"ledger ({check['entries']:,} entries)", said, "ledger check")
    for line in lines:
        style = "" if not line.count else "yellow"
        table.add_row(line.what, _figure(line), line.command, style=style)
    desk.show(data, table, letters.depth_table(depths), *_alarm_tables(alarms))


def alarms_now(desk: Desk) -> list[dict[str, str]] | None:
    """The alarms that ring on AWS; None locally, where there is no CloudWatch."""
    if desk.target.is_local:
        return None
    cloudwatch = aws_client(desk.target, "cloudwatch")
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{APP}-{desk.target.stage}-", StateValue="ALARM"
    )
    return [
        {"name": alarm["AlarmName"], "says": alarm.get("AlarmDescription", "")}
        for page in pages
        for alarm in page["MetricAlarms"]
    ]


def _alarm_tables(alarms: Sequence[dict[str, str]] | None) -> list[Any]:
    if alarms is None:
        return []
    table = a_table(f"Alarms that ring: {len(alarms)}", ("alarm", "says"))
    for alarm in alarms:
        table.add_row(alarm["name"], alarm["says"], style="red")
    return [table]


def _lines(desk: Desk, depths: list[dict[str, Any]]) -> list[Line]:
    dead = sum(one["waiting"] + one["taken"] for one in depths if one["queue"] in dead_names())
    drafts = [one for one in desk.api.get(payouts.BATCHES, limit=MANY)["data"] if _is_draft(one)]
    total = sum(one["total"]["amount_minor"] for one in drafts)
    of = f" of {money({'amount_minor': total, 'currency': 'MAD'})}" if drafts else ""
    return [
        Line("messages given up on", dead, "dead peek QUEUE"),
        Line("open breaks", *_counted(desk, files.BREAKS, "breaks list", status="open")),
        Line(f"drafts waiting for approval{of}", len(drafts), "payouts list"),
        Line("disputes overdue", *_overdue(desk)),
        Line("callbacks parked", *_counted(desk, events.CALLBACKS, "event list")),
        Line(
            "payments to review", *_counted(desk, cases.PAYMENTS, "payments review", review="true")
        ),
        Line(
            "refunds to do by hand", *_counted(desk, cases.REFUNDS, "refunds list", status="manual")
        ),
    ]


def _is_draft(batch: dict[str, Any]) -> bool:
    return str(batch["status"]) == "draft" and batch["total"]["amount_minor"] > 0


def _counted(
    desk: Desk,
    path: str,
    command: str,
    wanted: Callable[[dict[str, Any]], bool] = lambda one: True,
    **query: Any,
) -> tuple[int | None, str, bool]:
    """How many of the first hundred there are, and whether there are more."""
    try:
        page = desk.api.get(path, limit=MANY, **query)
    except Refused as refusal:
        if files.is_missing(refusal):
            return None, command, False
        raise
    return sum(map(wanted, page["data"])), command, page.get("next_cursor") is not None


def _overdue(desk: Desk) -> tuple[int | None, str, bool]:
    return _counted(
        desk, cases.DISPUTES, "disputes list", lambda one: bool(one["overdue"]), status="opened"
    )


def _figure(line: Line) -> str:
    if line.count is None:
        return "?"
    return f"{line.count:,}{' or more' if line.is_capped else ''}"
