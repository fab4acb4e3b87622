"""Payouts that a rail is called about, in the payouts table; `due` has those without an end."""

from collections.abc import Iterator
from datetime import datetime

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.edge.storage import is_condition_failure, sweep_due
from chalicelib.payouts.domain import Payout, PayoutStatus
from chalicelib.payouts.tables import SENDING, PayoutsTable


def claim(payout: Payout, until: datetime) -> bool:
    """One more call to the rail is begun; False where another began it, or the payout moved."""
    table = PayoutsTable
    asked = table.asks == payout.asks if payout.asks else table.asks.does_not_exist()
    return _changed(
        payout,
        [table.asks.set(payout.asks + 1), table.due_at.set(clock.to_text(until))],
        (table.status == payout.status) & asked,
    )


def put_off(payout: Payout, until: datetime) -> None:
    """The rail has it: there is no hurry to ask again."""
    action = PayoutsTable.due_at.set(clock.to_text(until))
    _changed(payout, [action], PayoutsTable.status == payout.status)


def mark_unknown(payout: Payout, at: datetime) -> None:
    """Nobody knows what became of it; nothing where it is known by now."""
    table = PayoutsTable
    actions = [table.status.set(PayoutStatus.UNKNOWN), table.changed_at.set(clock.to_text(at))]
    _changed(payout, actions, table.status == PayoutStatus.SUBMITTED)


def due() -> Iterator[str]:
    return (row.sk for row in sweep_due(PayoutsTable.due, SENDING))


def _changed(payout: Payout, actions: list[Action], condition: Condition) -> bool:
    row = PayoutsTable(payout.batch_id, payout.payout_id)
    try:
        row.update(actions, condition=condition)
    except UpdateError as error:
        if not is_condition_failure(error):
            raise
        return False
    return True
