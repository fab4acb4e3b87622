"""`reconcile`, `bank-file` and `breaks …`: what providers and the bank say, held against ours."""

import uuid
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.table import Table

from infra.ops.api import OperatorApi, OutcomeUnknown, Refused
from infra.ops.desk import Desk, a_table, count_text, money
from infra.ops.errors import OpsFailed

RECONCILIATIONS = "/v1/operator/reconciliations"
BANK_FILES = "/v1/operator/bank-files"
BREAKS = "/v1/operator/breaks"
GOOD = ("matched", "paid", "noted", "credit")
CURED = "cured"
SHOWN = 50
TRIES = 3
POLLS = 600
BANK_POLLS = 20
"""A bank's line may wait for a payout that is not sent out yet: for longer than anybody looks."""
POLL_SECONDS = 0.5


def reconcile(desk: Desk, given: Namespace) -> None:
    """Hand a provider's file over, whole: the bank's credit is that of the whole file.

    A short one is judged at once, a long one from the queue; the same file again adds nothing.
    """
    content = _content(given.file)
    count = max(0, len([line for line in content.splitlines() if line.strip()]) - 1)
    desk.agree(
        f"Hold {count_text(count, 'line')} of {given.provider} against the ledger?"
        " What matches is confirmed, and may be released to artisans."
    )
    query = {"provider": given.provider, "profile": given.profile}
    found = _handed_over(desk, RECONCILIATIONS, content, "text/csv", **query)
    found = _judged(desk, found)
    odd = [line for line in lines_of(desk.api, found["id"]) if line["result"] not in GOOD]
    data = {name: found[name] for name in ("id", "status", "line_count", "counts")}
    desk.show(data | {"odd_lines": odd}, _results(found), *([_odd(odd)] if odd else []))
    if len(odd) > SHOWN:
        desk.remark(f"{len(odd) - SHOWN:,} more; all of them: the same command with --json.")
    if odd:
        desk.remark("What does not fit is a break with an owner and an age: breaks list.")


def _judged(desk: Desk, found: dict[str, Any]) -> dict[str, Any]:
    """The file once the queue has judged all its lines, or as far as it has come."""
    with desk.progress(f"reconciling {found['provider']}", found["line_count"]) as bar:
        done = 0
        for _ in range(POLLS):
            bar.step(found["judged_count"] - done)
            done = found["judged_count"]
            if found["status"] == "finished":
                return found
            desk.pause(POLL_SECONDS)
            found = desk.api.get(f"{RECONCILIATIONS}/{found['id']}")
    desk.remark("It is still being judged: the same command again shows how far it is.")
    return found


def lines_of(api: OperatorApi, file_id: str) -> Iterator[dict[str, Any]]:
    """All lines of a file, which come 500 at a time."""
    path = f"{RECONCILIATIONS}/{file_id}"
    page = api.get(path)
    while True:
        yield from page["lines"]
        if page.get("next_line") is None:
            return
        page = api.get(path, from_line=page["next_line"])


def bank_file(desk: Desk, given: Namespace) -> None:
    """Hand over what the bank says of payouts and of money that came in."""
    content = _content(given.file)
    desk.agree("Take this bank file? Payouts become paid, refused or returned by what it says.")
    found = _handed_over(desk, BANK_FILES, content, "application/xml")
    with desk.progress("working on the bank file", None) as bar:
        for _ in range(BANK_POLLS):
            if not found["in_progress"]:
                break
            bar.step()
            desk.pause(POLL_SECONDS)
            found = desk.api.get(f"{BANK_FILES}/{found['id']}")
    lines = list(desk.api.pages(f"{BANK_FILES}/{found['id']}/lines"))
    desk.show(found | {"lines": lines}, _results(found), _bank_lines(lines[:SHOWN]))
    if found["in_progress"]:
        desk.remark("Some lines wait: the same command again shows what became of them.")


def _bank_lines(lines: list[dict[str, Any]]) -> Table:
    columns = ("line", "result", "payout", "amount", "reason", "why")
    table = a_table("Lines", columns, ("line", "amount"), ("payout",))
    for line in lines:
        table.add_row(
            str(line["number"]),
            line["result"],
            line.get("payout_id") or "-",
            money(line.get("amount")),
            line.get("reason") or "-",
            line.get("detail") or "-",
        )
    return table


def list_breaks(desk: Desk, given: Namespace) -> None:
    found = list(desk.api.pages(BREAKS, status=given.status, kind=given.kind))
    desk.show(found, breaks_table(found, given.status))


def resolve(desk: Desk, given: Namespace) -> None:
    """End a break, once: by a new entry, or by the event that cured it.

    Raises:
        OpsFailed: there is no such break that is open.
    """
    found = next((one for one in desk.api.pages(BREAKS) if one["id"] == given.id), None)
    if found is None:
        raise OpsFailed(f"No open break is called {given.id}: breaks list shows them.")
    desk.aside.print(breaks_table([found], "open"))
    desk.agree(f"Resolve it by {given.resolution}? What is posted stands.")
    if given.resolution != CURED:
        desk.typed(money(found["amount"]), "the amount")
    body = {"resolution": given.resolution, "note": given.note}
    body |= {"event_id": given.event} if given.event else {}
    done = desk.api.post(f"{BREAKS}/{quote(given.id, safe='')}/resolve", body)
    desk.show(done, breaks_table([done], done["status"]))


def breaks_table(found: list[dict[str, Any]], status: str) -> Table:
    columns = ("break", "kind", "amount", "age", "owner", "about", "why")
    title = f"Breaks, {status}: {len(found):,}"
    table = a_table(title, columns, ("amount",), ("break", "kind", "age", "owner"))
    for one in found:
        about = " ".join(str(part) for part in (one["provider"], one["reference"]) if part)
        table.add_row(
            one["id"],
            one["kind"],
            money(one["amount"]),
            one["age"],
            one["owner"],
            about or "-",
            one["reason"],
        )
    return table


def _content(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise OpsFailed(f"{name} cannot be read: {error.strerror}.") from error


def _handed_over(desk: Desk, path: str, content: bytes, media: str, **query: Any) -> dict[str, Any]:
    """A file, sent again under its key while no answer comes."""
    key = uuid.uuid4().hex
    for attempt in range(1, TRIES + 1):
        try:
            found: dict[str, Any] = desk.api.post_file(path, content, media, key, **query)
            return found
        except OutcomeUnknown as unknown:
            if attempt == TRIES:
                raise OpsFailed(
                    "No answer came. Run the same command again: each line counts once."
                ) from unknown
            desk.pause(attempt)
    raise AssertionError("the last try has returned or raised")


def _results(found: dict[str, Any]) -> Table:
    table = a_table(f"Results of {found['id']}", ("result", "lines"), ("lines",))
    for result, count in sorted(found["counts"].items()):
        table.add_row(result, f"{count:,}", style="" if result in GOOD else "yellow")
    table.add_section()
    table.add_row("all", f"{found['line_count']:,}", style="bold")
    return table


def _odd(lines: list[dict[str, Any]]) -> Table:
    columns = ("line", "result", "payment", "gross", "fee", "reason")
    table = a_table("To look at", columns, ("line", "gross", "fee"))
    for line in lines[:SHOWN]:
        table.add_row(
            str(line["number"]),
            line["result"],
            line.get("reference") or "-",
            money(line.get("gross")),
            money(line.get("fee")),
            line.get("reason") or "-",
        )
    return table


def is_missing(refusal: Refused) -> bool:
    """Whether the API does not have this at all."""
    return refusal.status in (404, 405)
