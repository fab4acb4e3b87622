"""`reconcile`, `bank-file` and `breaks …`: what providers and the bank say, held against ours."""

import uuid
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from infra.ops.api import OutcomeUnknown, Refused
from infra.ops.desk import Desk, a_table, count_text, day, money
from infra.ops.errors import OpsFailed

RECONCILIATIONS = "/v1/operator/reconciliations"
BANK_FILES = "/v1/operator/bank-files"
BREAKS = "/v1/operator/breaks"
LINES_AT_ONCE = 500
BYTES_AT_ONCE = 240_000
GOOD = ("matched", "matched_before", "already_matched")
SHOWN = 50
TRIES = 3


def reconcile(desk: Desk, given: Namespace) -> None:
    """Hand a provider's file over, piece by piece; whatever was taken before counts once."""
    pieces = list(pieces_of(_content(given.file)))
    total = sum(count for _, count in pieces)
    desk.agree(
        f"Hold {count_text(total, 'line')} of {given.provider} against the ledger?"
        " What matches is confirmed, and may be released to artisans."
    )
    counts: Counter[str] = Counter()
    odd: list[dict[str, Any]] = []
    ids: list[str] = []
    before = 0
    with desk.progress(f"reconciling {given.provider}", total) as bar:
        for piece, count in pieces:
            found = _handed_over(desk, piece, given)
            counts.update(found["counts"])
            ids.append(found["id"])
            odd += _odd_lines(found["lines"], before)
            before += count
            bar.step(count)
    data = {"ids": ids, "line_count": total, "counts": dict(counts), "odd_lines": odd}
    desk.show(data, _results(counts, total), *([_odd(odd)] if odd else []))
    if len(odd) > SHOWN:
        desk.remark(f"{len(odd) - SHOWN:,} more; all of them: the same command with --json.")
    if odd:
        desk.remark("Each is a break with an owner and an age: breaks list.")


def pieces_of(content: bytes) -> Iterator[tuple[bytes, int]]:
    """The file in pieces that the API takes, each with the head line; and their line counts.

    Raises:
        OpsFailed: there is nothing in it.
    """
    head, *lines = content.splitlines(keepends=True) or [b""]
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise OpsFailed("The file has no lines below its head line.")
    if not head.endswith(b"\n"):
        head += b"\n"
    piece: list[bytes] = []
    size = len(head)
    for line in lines:
        if piece and (len(piece) == LINES_AT_ONCE or size + len(line) > BYTES_AT_ONCE):
            yield head + b"".join(piece), len(piece)
            piece, size = [], len(head)
        piece.append(line)
        size += len(line)
    yield head + b"".join(piece), len(piece)


def bank_file(desk: Desk, given: Namespace) -> None:
    """Hand over what the bank says of payouts and of money that came in."""
    content = _content(given.file)
    desk.agree("Take this bank file? Payouts become paid, refused or returned by what it says.")
    found = desk.api.post_file(BANK_FILES, content, "application/xml", uuid.uuid4().hex)
    table = a_table(f"Bank file {Path(given.file).name}", ("what", "figure"), ("figure",))
    for name, value in found.items():
        if isinstance(value, dict) and "amount_minor" in value:
            table.add_row(name, money(value))
        elif isinstance(value, dict):
            for part, count in value.items():
                table.add_row(f"{name}: {part}", str(count))
        elif not isinstance(value, list):
            table.add_row(name, str(value))
        else:
            table.add_row(name, f"{len(value):,}")
    desk.show(found, table)


def list_breaks(desk: Desk, given: Namespace) -> None:
    found = list(desk.api.pages(BREAKS, status=given.status, kind=given.kind))
    desk.show(found, breaks_table(found, given.status))


def breaks_table(found: list[dict[str, Any]], status: str) -> Table:
    columns = ("break", "kind", "provider", "about", "amount", "opened", "why")
    table = a_table(f"Breaks, {status}: {len(found):,}", columns, ("amount",), ("break",))
    for one in found:
        table.add_row(
            str(one.get("id", "-")),
            str(one.get("kind", "-")),
            str(one.get("provider") or "-"),
            str(one.get("reference") or "-"),
            money(one.get("amount")),
            day(one.get("opened_at")),
            str(one.get("reason") or "-"),
        )
    return table


def _content(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise OpsFailed(f"{name} cannot be read: {error.strerror}.") from error


def _handed_over(desk: Desk, piece: bytes, given: Namespace) -> dict[str, Any]:
    """One piece, repeated under its key while no answer comes."""
    key = uuid.uuid4().hex
    query = {"provider": given.provider, "profile": given.profile}
    for attempt in range(1, TRIES + 1):
        try:
            found: dict[str, Any] = desk.api.post_file(
                RECONCILIATIONS, piece, "text/csv", key, **query
            )
            return found
        except OutcomeUnknown as unknown:
            if attempt == TRIES:
                raise OpsFailed(
                    "No answer came. Run the same command again: each line counts once."
                ) from unknown
            desk.pause(attempt)
    raise AssertionError("the last try has returned or raised")


def _odd_lines(lines: list[dict[str, Any]], before: int) -> list[dict[str, Any]]:
    """Lines that are not matched, by their number in the whole file."""
    return [line | {"number": line["number"] + before} for line in lines if _is_odd(line)]


def _is_odd(line: dict[str, Any]) -> bool:
    return line["result"] not in GOOD


def _results(counts: Counter[str], total: int) -> Table:
    table = a_table("Results", ("result", "lines"), ("lines",))
    for result, count in sorted(counts.items()):
        table.add_row(result, f"{count:,}", style="" if result in GOOD else "yellow")
    table.add_section()
    table.add_row("all", f"{total:,}", style="bold")
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
