"""What files have said, or failed to say, of a settled payment; beside its row's other facts."""

from collections.abc import Iterator
from datetime import datetime

from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import due_shards, sweep_due
from chalicelib.ledger.companions import Companion
from chalicelib.settlement.domain import SettledPayment
from chalicelib.settlement.tables import PAYMENT, UNNAMED, SettlementTable, payment_of


def with_break(payment_id: str, break_id: str) -> Companion:
    """Note at a payment what its confirmation will cure."""

    def write(transaction: TransactWrite) -> None:
        payment = SettlementTable(f"payment#{payment_id}", PAYMENT)
        transaction.update(payment, [SettlementTable.breaks.add({break_id})])

    return write


def missed(payment_id: str, break_id: str, at: datetime) -> Companion:
    """Note that no file has named a payment in time; refused where one just has."""
    table = SettlementTable
    still_waits = table.confirmed_by.does_not_exist() & table.due_at.exists()
    actions = [
        table.missed_at.set(clock.to_text(at)),
        table.breaks.add({break_id}),
        table.due_shard.remove(),
        table.due_at.remove(),
    ]

    def write(transaction: TransactWrite) -> None:
        payment = SettlementTable(f"payment#{payment_id}", PAYMENT)
        transaction.update(payment, actions, condition=still_waits)

    return write


def given_back(payment: SettledPayment, minor: int) -> Companion:
    """A file has given back so much more of a payment; refused where that has changed."""
    filed = SettlementTable.filed_back_minor
    before = payment.filed_back_minor
    as_read = filed == before if before else filed.does_not_exist() | (filed == 0)

    def write(transaction: TransactWrite) -> None:
        row = SettlementTable(f"payment#{payment.payment_id}", PAYMENT)
        transaction.update(row, [filed.add(minor)], condition=as_read)

    return write


def due_payments() -> Iterator[SettledPayment]:
    """Payments that a file should have named by now."""
    return (payment_of(row) for row in sweep_due(SettlementTable.due, UNNAMED))


def unnamed(limit: int) -> list[tuple[SettledPayment, datetime]]:
    """Payments that no file has named and that are not missed yet, with when they were captured;
    at most so many of each shard, the oldest first."""
    return [
        (payment_of(row), clock.from_text(str(row.captured_at)))
        for shard in due_shards(UNNAMED)
        for row in SettlementTable.due.query(shard, limit=limit)
    ]
