"""`payments …`, `refunds …`, `disputes …`: what only a person can decide or do."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from infra.ops.desk import Desk, a_table, count_text, money
from infra.ops.payouts import write_private

DISPUTES = "/v1/operator/disputes"
PAYMENTS = "/v1/operator/payments"
REFUNDS = "/v1/operator/refunds"


def list_payments(desk: Desk, given: Namespace) -> None:
    """Payments that somebody has to look at."""
    found = list(desk.api.pages(PAYMENTS, review="true"))
    columns = ("payment", "order", "provider", "status", "amount", "why")
    table = a_table(
        count_text(len(found), "payment") + " to review", columns, ("amount",), ("payment",)
    )
    for one in found:
        table.add_row(
            one["id"],
            one["order_id"],
            one["provider"],
            one["status"],
            money(one["amount"]),
            one["review_reason"] or "-",
        )
    desk.show(found, table)


def list_refunds(desk: Desk, given: Namespace) -> None:
    found = list(desk.api.pages(REFUNDS, status=given.status))
    columns = ("refund", "payment", "provider", "amount", "attempt", "requested", "failure")
    table = a_table(
        f"Refunds, {given.status}: {len(found):,}", columns, ("amount", "attempt"), ("refund",)
    )
    for one in found:
        table.add_row(
            one["id"],
            one["payment_id"],
            one["provider"],
            money(one["amount"]),
            str(one["attempt"]),
            one["requested_at"][:10],
            one["failure"] or "-",
        )
    desk.show(found, table)


def list_disputes(desk: Desk, given: Namespace) -> None:
    found = list(desk.api.pages(DISPUTES, status=given.status))
    columns = ("dispute", "payment", "provider", "amount", "case", "evidence due", "overdue")
    table = a_table(f"Disputes, {given.status}: {len(found):,}", columns, ("amount",), ("dispute",))
    for one in found:
        table.add_row(
            one["id"],
            one["payment_id"],
            one["provider"],
            money(one["amount"]),
            one["case"],
            one["evidence_due_at"][:10],
            "yes" if one["overdue"] else "no",
            style="red" if one["overdue"] else "",
        )
    desk.show(found, table)


def close_review(desk: Desk, given: Namespace) -> None:
    """Take a payment off the list; what its review kept back may go then."""
    desk.agree(f"Was {given.id} held against the provider's own books, and is it settled?")
    body = {"reason": given.reason}
    _payment(desk, desk.api.post(f"{PAYMENTS}/{given.id}/reviewed", body))


def retry_refund(desk: Desk, given: Namespace) -> None:
    _with_amount_typed(desk, given, "Have the provider try it again?")
    _refund(desk, desk.api.post(f"{REFUNDS}/{given.id}/retry"))


def take_refund(desk: Desk, given: Namespace) -> None:
    desk.agree(f"Shall {given.id} be done by hand? Nobody else tries it then.")
    _refund(desk, desk.api.post(f"{REFUNDS}/{given.id}/by-hand"))


def confirm_refund(desk: Desk, given: Namespace) -> None:
    _with_amount_typed(desk, given, "Has it gone back at the provider?")
    _refund(desk, desk.api.post(f"{REFUNDS}/{given.id}/confirm", {"reference": given.reference}))


def evidence(desk: Desk, given: Namespace) -> None:
    """Write the evidence to disk. It names the buyer's parcel, so it is never shown."""
    found = desk.api.get(f"{DISPUTES}/{given.id}/evidence")
    path = Path(given.out)
    write_private(path, json.dumps(found, ensure_ascii=False, indent=2).encode())
    desk.show({"path": str(path), "digest": found["digest"]})
    desk.remark(f"{path}, for the bank and nobody else. Sent it? disputes sent {given.id}")


def evidence_sent(desk: Desk, given: Namespace) -> None:
    desk.agree(f"Has the bank the evidence of {given.id}?")
    _dispute(desk, desk.api.post(f"{DISPUTES}/{given.id}/evidence"))


def decide(desk: Desk, given: Namespace) -> None:
    """Enter how the bank has decided, where it tells by letter."""
    dispute = desk.api.get(f"{DISPUTES}/{given.id}")
    _dispute_aside(desk, dispute)
    desk.agree(f"Has the bank decided that {given.id} is {given.outcome}? It is final.")
    desk.typed(money(dispute["amount"]), "the amount")
    _dispute(desk, desk.api.post(f"{DISPUTES}/{given.id}/{given.outcome}"))


def _with_amount_typed(desk: Desk, given: Namespace, question: str) -> None:
    refund = desk.api.get(f"{REFUNDS}/{given.id}")
    desk.aside.print(_facts(given.id, refund, ("payment_id", "provider", "status", "amount")))
    desk.agree(question)
    desk.typed(money(refund["amount"]), "the amount")


def _payment(desk: Desk, found: dict[str, Any]) -> None:
    names = ("order_id", "provider", "status", "review", "review_reason", "amount")
    desk.show(found, _facts(found["id"], found, names))


def _refund(desk: Desk, found: dict[str, Any]) -> None:
    names = ("payment_id", "provider", "status", "amount", "attempt", "reference")
    desk.show(found, _facts(found["id"], found, names))


def _dispute(desk: Desk, found: dict[str, Any]) -> None:
    names = ("payment_id", "provider", "status", "amount", "case", "evidence_due_at")
    desk.show(found, _facts(found["id"], found, names))


def _dispute_aside(desk: Desk, found: dict[str, Any]) -> None:
    names = ("payment_id", "provider", "status", "amount", "case")
    desk.aside.print(_facts(found["id"], found, names))


def _facts(title: str, found: dict[str, Any], names: tuple[str, ...]) -> Any:
    table = a_table(title, ("what", "is"), whole=("what",))
    for name in names:
        value = found[name]
        shown = money(value) if isinstance(value, dict) else str(value)
        table.add_row(name, "-" if value is None else shown)
    return table
