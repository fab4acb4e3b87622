"""`ledger …` and `artisan balance`: what the books say; to look and never to change."""

from argparse import Namespace
from typing import Any
from urllib.parse import quote

from infra.ops.api import Refused
from infra.ops.desk import Desk, a_table, count_text, day, money
from infra.ops.errors import OpsFailed

CHECK = "/v1/operator/ledger/check"
ACCOUNTS = "/v1/operator/ledger/accounts"
OF_AN_ARTISAN = {
    "pending": "sold, not yet released",
    "payable": "in the next batch",
    "held": "held while a bank decides",
    "receivable": "owed by the artisan",
}


def check(desk: Desk, given: Namespace) -> None:
    """Replay the whole ledger.

    Raises:
        OpsFailed: it does not hold.
    """
    with desk.progress("replaying the ledger", None):
        found = desk.api.get(CHECK)
    holds = "[green]holds[/]" if found["ok"] else "[red]does not hold[/]"
    table = a_table("Ledger", ("what", "figure"), ("figure",))
    table.add_row("the ledger", holds)
    table.add_row("sum of all accounts", money(found["sum"]))
    table.add_row("entries replayed", f"{found['entries']:,}")
    table.add_row("accounts compared", f"{found['accounts']:,}")
    table.add_row("altered entries", f"{len(found['altered_entries']):,}")
    shown = [table]
    if found["differences"]:
        differing = a_table("Kept is not what the entries say", ("account", "kept", "replayed"))
        for one in found["differences"]:
            differing.add_row(one["account"], money(one["kept"]), money(one["replayed"]))
        shown.append(differing)
    desk.show(found, *shown)
    if not found["ok"]:
        raise OpsFailed(
            "The ledger does not hold. Send no payouts, and follow docs/runbooks/"
            "ledger-entry-mismatch.md."
        )


def account(desk: Desk, given: Namespace) -> None:
    found = _account(desk, given.name, given.limit)
    title = f"{found['account']}: {money(found['balance'])}"
    right = ("amount", "balance")
    table = a_table(title, ("at", "amount", "balance", "reason", "entry"), right, ("at", "reason"))
    for line in found["data"]:
        table.add_row(
            day(line["at"]),
            money(line["amount"]),
            money(line["balance"]),
            line["reason"],
            line["entry_id"],
        )
    desk.show(found, table)


def balance(desk: Desk, given: Namespace) -> None:
    """An artisan's accounts, and what last changed each."""
    found = {kind: _account(desk, f"artisan_{kind}:{given.artisan}", 1) for kind in OF_AN_ARTISAN}
    columns = ("balance", "amount", "what it is", "last change", "by")
    table = a_table(given.artisan, columns, ("amount",), ("balance", "last change"))
    for kind, one in found.items():
        last: dict[str, Any] = one["data"][0] if one["data"] else {}
        table.add_row(
            kind,
            money(one["balance"]),
            OF_AN_ARTISAN[kind],
            day(last.get("at")),
            last.get("entry_id", "-"),
        )
    data = {kind: one["balance"] for kind, one in found.items()}
    desk.show({"artisan_id": given.artisan, **data}, table)
    statements = count_text(len(found), "account")
    desk.remark(f"{statements} of the ledger; each in full: ledger account NAME.")


def _account(desk: Desk, name: str, limit: int) -> dict[str, Any]:
    try:
        found: dict[str, Any] = desk.api.get(f"{ACCOUNTS}/{quote(name, safe='')}", limit=limit)
    except Refused as refusal:
        if refusal.status == 404:
            raise OpsFailed(f"The ledger has no account {name}: check its spelling.") from refusal
        raise
    return found
