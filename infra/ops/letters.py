"""`queues` and `dead …`: what waits, what was given up on, and putting it back."""

import time
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

from infra.ops import redrive as redriving
from infra.ops.desk import Desk, a_table, count_text, minor_text
from infra.ops.errors import NotConfirmed, OpsFailed, WrongUse
from infra.ops.masking import masked_body, masked_text, pointer
from infra.ops.redrive import HIDDEN_SECONDS, Lot
from infra.ops.sqs import (
    Letter,
    aws_client,
    dead_name,
    dead_names,
    every_name,
    in_sentences,
    source_name,
)
from infra.template.queues import STREAM_DEAD

PEEK_SECONDS = 30
ID_LENGTH = 8
DECIDE_SECONDS = HIDDEN_SECONDS - 60


def show_queues(desk: Desk, given: Namespace) -> None:
    found = in_sentences(lambda: depths(desk))
    desk.show(found, depth_table(found))


def depths(desk: Desk) -> list[dict[str, Any]]:
    """Each queue's messages, and the age of its oldest; None where nobody knows it."""
    ages = _ages(desk)
    found = []
    for name in every_name():
        waiting, taken = desk.queues.depth(name)
        age = ages.get(name)
        found.append({"queue": name, "waiting": waiting, "taken": taken, "oldest_seconds": age})
    return found


def depth_table(found: list[dict[str, Any]]) -> Table:
    columns = ("queue", "waiting", "in hand", "oldest")
    table = a_table("Queues", columns, columns[1:], columns)
    for one in found:
        is_bad = one["queue"] in dead_names() and one["waiting"] + one["taken"]
        table.add_row(
            one["queue"],
            f"{one['waiting']:,}",
            f"{one['taken']:,}",
            age_text(one["oldest_seconds"]) if one["waiting"] + one["taken"] else "-",
            style="red" if is_bad else "",
        )
    return table


def peek(desk: Desk, given: Namespace) -> None:
    """Show messages that were given up on, their personal data hidden; they stay where they are."""
    dead = dead_name(given.queue)
    letters = in_sentences(lambda: _peeked(desk, dead, given.limit))
    waiting, _ = in_sentences(lambda: desk.queues.depth(dead))
    title = f"{dead}: {count_text(len(letters), 'message')} of {max(waiting, len(letters)):,}"
    columns = ("message", "reason", "age", "receipts", "body")
    table = a_table(title, columns, ("age", "receipts"), ("message",))
    found = [_seen(letter, dead) for letter in letters]
    for one in found:
        body = one["body"] if isinstance(one["body"], str) else _one_line(one["body"])
        table.add_row(
            one["message_id"][:ID_LENGTH],
            one["reason"],
            age_text(one["age_seconds"]),
            str(one["receive_count"]),
            body,
        )
    desk.show(found, table)


def redrive(desk: Desk, given: Namespace) -> None:
    """A dry run first; then, after the count and the sum were typed, message by message."""
    dead = dead_name(given.queue)
    source = source_name(dead)
    if desk.as_json and not (given.dry_run or given.confirm):
        raise WrongUse("With --json say --dry-run, or --confirm 'COUNT SUM' as a dry run shows.")
    began = time.monotonic()
    letters = in_sentences(
        lambda: redriving.take(desk.queues, dead, reason=given.reason, limit=given.limit)
    )
    left = {letter.message_id: letter for letter in letters}
    try:
        lots = redriving.lots_of(letters)
        told = {"queue": source, "count": len(letters), "lots": list(map(_told, lots))}
        if given.dry_run or not letters:
            told["confirm"] = confirm_text(lots)
            desk.show(told, lot_table(lots, dead, source))
            desk.remark("Nothing was moved." if letters else "There is nothing to put back.")
            return
        _confirm(desk, given, lots, lot_table(lots, dead, source))
        if time.monotonic() - began > DECIDE_SECONDS:
            raise NotConfirmed("That took too long: nothing was moved. Begin again.")
        _move(desk, dead, source, letters, left)
    finally:
        _release(desk, dead, list(left.values()))
    moved = len(letters) - len(left)
    desk.show(told | {"moved": moved})
    desk.remark(f"{count_text(moved, 'message')} put back on {source}. See: queues")
    if left:
        raise OpsFailed(f"{len(left):,} were not taken and are still in {dead}: run it again.")


def discard(desk: Desk, given: Namespace) -> None:
    """Take one message away for good, whose work was done in another way or never may be."""
    dead = dead_name(given.queue)
    if len(given.message) < ID_LENGTH:
        raise WrongUse(f"Give at least the first {ID_LENGTH} characters of the message's id.")
    letters = in_sentences(lambda: redriving.take(desk.queues, dead))
    kept = list(letters)
    try:
        found = [one for one in letters if one.message_id.startswith(given.message)]
        if len(found) != 1:
            raise OpsFailed(f"{dead} shows no such message now: dead peek {dead} lists them.")
        seen = _seen(found[0], dead)
        desk.aside.print(_one_line(seen["body"]), markup=False)
        desk.agree("Is what it asks for done, or may it never be done? It is not kept anywhere.")
        desk.typed(seen["message_id"][:ID_LENGTH], f"the first {ID_LENGTH} characters of its id")
        in_sentences(lambda: desk.queues.delete(dead, found))
        kept.remove(found[0])
        desk.show(seen | {"discarded": True})
    finally:
        _release(desk, dead, kept)


def lot_table(lots: list[Lot], dead: str, source: str) -> Table:
    columns = ("type", "reason", "messages", "repeats", "money")
    table = a_table(f"{dead} -> {source}", columns, columns[2:], columns[:1])
    for lot in lots:
        table.add_row(
            lot.kind,
            masked_text(lot.reason),
            f"{lot.count:,}",
            f"{lot.repeat_count:,}",
            _sums_text(dict(lot.sums)),
        )
    table.add_section()
    count = sum(lot.count for lot in lots)
    repeats = sum(lot.repeat_count for lot in lots)
    sums = _sums_text(redriving.sums_of(lots))
    table.add_row("all", "", f"{count:,}", f"{repeats:,}", sums, style="bold")
    return table


def confirm_text(lots: list[Lot]) -> str:
    """What the operator types: the count, and the sum where there is money in it."""
    amounts = [minor_text(minor, currency) for currency, minor in redriving.sums_of(lots).items()]
    return " ".join([str(sum(lot.count for lot in lots)), *amounts])


def age_text(seconds: int | None) -> str:
    if seconds is None:
        return "?"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _confirm(desk: Desk, given: Namespace, lots: list[Lot], table: Table) -> None:
    wanted = confirm_text(lots)
    desk.aside.print(table)
    if given.confirm is None:
        desk.agree("Was what they failed for mended, and shall they go back?")
    has_money = " " in wanted
    what = "the count and the sum, with a space between" if has_money else "the count"
    desk.typed(wanted, what, given.confirm)


def _move(
    desk: Desk, dead: str, source: str, letters: list[Letter], left: dict[str, Letter]
) -> None:
    """Put messages back, and take each from `left` as it is done."""

    def step(moved: Sequence[Letter]) -> None:
        for letter in moved:
            del left[letter.message_id]
        bar.step(len(moved))

    with desk.progress(f"{dead} -> {source}", len(letters)) as bar:
        try:
            redriving.move(desk.queues, dead, source, letters, step)
        except (ClientError, BotoCoreError) as error:
            done = len(letters) - len(left)
            raise OpsFailed(
                f"The queue stopped answering ({type(error).__name__}) after"
                f" {count_text(done, 'message')}. None is lost: what was not put back is still in"
                f" {dead}. Run it again."
            ) from error


def _release(desk: Desk, dead: str, letters: list[Letter]) -> None:
    try:
        desk.queues.release(dead, letters)
    except (ClientError, BotoCoreError):
        minutes = HIDDEN_SECONDS // 60
        desk.remark(f"The messages of {dead} are shown again in {minutes} minutes.")


def _peeked(desk: Desk, dead: str, limit: int) -> list[Letter]:
    letters: list[Letter] = []
    for batch in desk.queues.receive(dead, PEEK_SECONDS):
        letters += batch
        if len(letters) >= limit:
            break
    desk.queues.release(dead, letters)
    return letters[:limit]


def _seen(letter: Letter, dead: str) -> dict[str, Any]:
    age = max(0, int(time.time() - letter.sent_ms / 1000))
    return {
        "message_id": letter.message_id,
        "reason": masked_text(letter.reason),
        "age_seconds": age,
        "receive_count": letter.receive_count,
        "body": pointer(letter.body) if dead == STREAM_DEAD else masked_body(letter.body),
    }


def _one_line(body: Any) -> str:
    if not isinstance(body, dict):
        return str(body)
    return "\n".join(f"{name}: {_short(part)}" for name, part in body.items())


def _short(part: Any) -> str:
    text = str(part)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _told(lot: Lot) -> dict[str, Any]:
    return {
        "type": lot.kind,
        "reason": lot.reason,
        "count": lot.count,
        "repeat_count": lot.repeat_count,
        "money": [{"amount_minor": minor, "currency": name} for name, minor in lot.sums.items()],
    }


def _sums_text(sums: dict[str, int]) -> str:
    return ", ".join(minor_text(minor, currency) for currency, minor in sums.items()) or "-"


def _ages(desk: Desk) -> dict[str, int]:
    """The age of each queue's oldest message: CloudWatch's on AWS, the process's own locally."""
    prefix = desk.target.prefix
    if desk.target.is_local:
        found = desk.api.local("/_local/queues")["oldest_seconds"]
        return {name.removeprefix(prefix): age for name, age in found.items()}
    now = datetime.now(UTC)
    asked = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SQS",
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": f"{prefix}{name}"}],
                },
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        for number, name in enumerate(every_name())
    ]
    answer = aws_client(desk.target, "cloudwatch").get_metric_data(
        MetricDataQueries=asked, StartTime=now - timedelta(minutes=15), EndTime=now
    )
    newest = {one["Id"]: one["Values"] for one in answer["MetricDataResults"]}
    return {
        name: int(newest[f"q{number}"][0])
        for number, name in enumerate(every_name())
        if newest.get(f"q{number}")
    }
