"""`payouts …`: batches from the plan to the bank."""

import os
from argparse import Namespace
from pathlib import Path
from typing import Any

from rich.table import Table

from infra.ops.desk import Desk, a_table, count_text, day, money
from infra.ops.errors import OpsFailed

BATCHES = "/v1/operator/payout-batches"
POLLS = 600
POLL_SECONDS = 0.5


def plan(desk: Desk, given: Namespace) -> None:
    """Draft a batch: the money is reserved, and nothing leaves before it is approved and sent."""
    desk.agree("Reserve the payable balance of everybody who can be paid, as a draft batch?")
    drafted = desk.api.post(BATCHES, key=given.key)
    _show(desk, _settled(desk, drafted["id"]))
    desk.remark(f"Next: payouts approve {drafted['id']}, or payouts cancel {drafted['id']}.")


def show_list(desk: Desk, given: Namespace) -> None:
    found = desk.api.get(BATCHES, limit=given.limit)["data"]
    columns = ("batch", "status", "payouts", "total", "drafted", "approved by")
    title = "Payout batches, the newest first"
    table = a_table(title, columns, ("payouts", "total"), ("batch", "status", "drafted"))
    for batch in found:
        count = str(sum(one["payout_count"] for one in batch["rails"].values()))
        table.add_row(
            batch["id"],
            _status(batch),
            count,
            money(batch["total"]),
            day(batch["drafted_at"]),
            batch.get("approved_by") or "-",
        )
    desk.show(found, table)


def show(desk: Desk, given: Namespace) -> None:
    batch = desk.api.get(f"{BATCHES}/{given.batch}")
    if given.all:
        batch["payouts"] = list(desk.api.pages(f"{BATCHES}/{given.batch}/payouts"))
        batch["skipped"] = list(desk.api.pages(f"{BATCHES}/{given.batch}/skipped"))
    _show(desk, batch)


def approve(desk: Desk, given: Namespace) -> None:
    """Approve a batch, after its total was typed exactly; no option answers that."""
    batch = desk.api.get(f"{BATCHES}/{given.batch}")
    _show_totals(desk, batch)
    desk.agree(f"Approve {given.batch}?")
    desk.typed(money(batch["total"]), "the total")
    total = batch["total"]
    desk.api.post(f"{BATCHES}/{given.batch}/approve")
    approved = _settled(desk, given.batch)
    _show(desk, approved)
    if approved["status"] == "draft" and approved.get("vouched_by"):
        desk.remark("You have vouched for it. It takes a second operator to approve it.")
    elif approved["total"] != total:
        desk.remark("Some may not be paid any more and were taken out: see the total.")


def submit(desk: Desk, given: Namespace) -> None:
    """Send a batch out, after its total was typed exactly."""
    batch = desk.api.get(f"{BATCHES}/{given.batch}")
    _show_totals(desk, batch)
    desk.agree(f"Send {given.batch} out? The wallets and cards are paid, the bank has its file.")
    desk.typed(money(batch["total"]), "the total")
    desk.api.post(f"{BATCHES}/{given.batch}/submit")
    _show(desk, _settled(desk, given.batch))


def cancel(desk: Desk, given: Namespace) -> None:
    batch = desk.api.get(f"{BATCHES}/{given.batch}")
    _show_totals(desk, batch)
    desk.agree(f"Call {given.batch} off? Its money is payable again.")
    desk.api.post(f"{BATCHES}/{given.batch}/cancel")
    _show(desk, _settled(desk, given.batch))


def file(desk: Desk, given: Namespace) -> None:
    """Write a rail's file to disk. It holds account numbers, so it is never shown."""
    path = Path(given.out)
    if path.exists() and not desk.assume_yes:
        desk.agree(f"{path} is there already. Replace it?")
    desk.agree("Whoever has the file may pay it: the batch cannot be cancelled then. Take it?")
    query = {"rail": given.rail} if given.rail else {}
    content = desk.api.download(f"{BATCHES}/{given.batch}/file", **query)
    write_private(path, content)
    digests = desk.api.get(f"{BATCHES}/{given.batch}")["file_sha256"]
    desk.show({"path": str(path), "bytes": len(content), "file_sha256": digests})
    desk.remark(f"{path}: {count_text(len(content), 'byte')}, for you alone to read.")


def write_private(path: Path, content: bytes) -> None:
    """Readable by its owner only, and whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        beside.replace(path)
    except OSError as error:
        raise OpsFailed(f"{path} cannot be written: {error.strerror}.") from error


def _settled(desk: Desk, batch_id: str) -> dict[str, Any]:
    """The batch once the queue has done what is left of a large one."""
    batch: dict[str, Any] = desk.api.get(f"{BATCHES}/{batch_id}")
    with desk.progress("working on the batch", None) as bar:
        for _ in range(POLLS):
            if not batch["in_progress"]:
                return batch
            bar.step()
            desk.pause(POLL_SECONDS)
            batch = desk.api.get(f"{BATCHES}/{batch_id}")
    desk.remark(f"It is still being worked on: look again with payouts show {batch_id}.")
    return batch


def _show(desk: Desk, batch: dict[str, Any]) -> None:
    tables = [_totals(batch)]
    if batch["payouts"]:
        tables.append(_payouts(batch))
    if batch["skipped"]:
        tables.append(_skipped(batch))
    desk.show(batch, *tables)


def _show_totals(desk: Desk, batch: dict[str, Any]) -> None:
    """What is being decided on, beside the output: the result is shown afterwards."""
    desk.aside.print(_totals(batch))


def _totals(batch: dict[str, Any]) -> Table:
    title = f"{batch['id']}: {_status(batch)}"
    table = a_table(title, ("rail", "payouts", "total"), ("payouts", "total"))
    people = ("drafted_by", "vouched_by", "approved_by", "submitted_by", "cancelled_by")
    done = [f"{one.replace('_', ' ')} {batch[one]}" for one in people if batch.get(one)]
    table.caption, table.caption_justify = "\n".join(done), "left"
    for rail, one in batch["rails"].items():
        table.add_row(rail, f"{one['payout_count']:,}", money(one["total"]))
    table.add_section()
    count = sum(one["payout_count"] for one in batch["rails"].values())
    table.add_row("all", f"{count:,}", money(batch["total"]), style="bold")
    return table


def _payouts(batch: dict[str, Any]) -> Table:
    columns = ("payout", "amount", "status", "rail", "to", "artisan", "reason")
    table = a_table("Payouts", columns, ("amount",), ("payout", "status"))
    for one in batch["payouts"]:
        table.add_row(
            one["id"],
            money(one["amount"]),
            one["status"],
            one["rail"],
            one["destination"],
            one["artisan_id"],
            one.get("reason") or "-",
        )
    return table


def _skipped(batch: dict[str, Any]) -> Table:
    title = f"Not in it ({batch['skipped_count']:,})"
    table = a_table(title, ("artisan", "why"), whole=("artisan",))
    for one in batch["skipped"]:
        table.add_row(one["artisan_id"], one["reason"])
    return table


def _status(batch: dict[str, Any]) -> str:
    return f"{batch['status']}{' (in progress)' if batch['in_progress'] else ''}"
