"""`event …`: a provider's callback as it was kept, and applying it again."""

import json
from argparse import Namespace
from typing import Any
from urllib.parse import quote

from infra.ops.desk import Desk, a_table, day, money
from infra.ops.errors import OpsFailed
from infra.ops.sqs import Letter, in_sentences

CALLBACKS = "/v1/operator/callbacks"
QUEUE = "payments"
WHAT_HAPPENS = {
    "parked": "It fits nothing yet. Applied again, it does what it says, if the cause was mended.",
    "received": "It waits to be applied. Put on its queue again, it is applied at once.",
    "applied": "It was applied. Once more changes nothing: what it did is kept under its id.",
    "no_effect": "It was looked at and changes nothing, now or later.",
}


def list_parked(desk: Desk, given: Namespace) -> None:
    found = list(desk.api.pages(CALLBACKS))
    columns = ("event", "provider", "kind", "about", "amount", "received", "why")
    table = a_table(f"Parked callbacks: {len(found):,}", columns, ("amount",))
    for one in found:
        table.add_row(
            one["key"],
            one["provider"],
            one["kind"],
            one["reference"],
            money(one["amount"]),
            day(one["received_at"]),
            one["why"] or "-",
        )
    desk.show(found, table)


def replay(desk: Desk, given: Namespace) -> None:
    """Show a kept callback; without --dry-run apply it once more. It has its effect once."""
    kept: dict[str, Any] = desk.api.get(f"{CALLBACKS}/{quote(given.key, safe='')}")
    if given.dry_run:
        desk.show(kept, _table(kept))
        desk.remark(WHAT_HAPPENS[kept["status"]])
        return
    desk.aside.print(_table(kept))
    desk.remark(WHAT_HAPPENS[kept["status"]])
    desk.agree("Replay it?")
    if kept["amount"] and kept["status"] in ("parked", "received"):
        desk.typed(money(kept["amount"]), "its amount")
    if kept["status"] == "parked":
        path = f"{CALLBACKS}/{quote(given.key, safe='')}/apply"
        again = desk.api.post(path)
        desk.show(again, _table(again))
        return
    _put_on_queue(desk, given.key)
    desk.show({"key": given.key, "queue": QUEUE})
    desk.remark(f"It is on the queue {QUEUE}. Look again: event replay {given.key} --dry-run")


def _put_on_queue(desk: Desk, key: str) -> None:
    body = json.dumps({"type": "callback_received", "version": 1, "event_key": key})
    letter = Letter("", "", body, "", 0, 0, group=key[:128])
    if not in_sentences(lambda: desk.queues.send(QUEUE, [letter])):
        raise OpsFailed("The queue did not take it: try again.")


def _table(kept: dict[str, Any]) -> Any:
    table = a_table(f"Callback {kept['key']}", ("what", "is"))
    for name in ("provider", "kind", "status", "why", "reference", "provider_reference"):
        table.add_row(name, str(kept[name] or "-"))
    table.add_row("amount", money(kept["amount"]))
    table.add_row("received", day(kept["received_at"]))
    return table
