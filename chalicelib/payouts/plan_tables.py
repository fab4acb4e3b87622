"""How far the drafting of a batch is, and who is left out of it, in the payouts table.

A large batch is drafted in lanes, one for each shard of the balances. A lane moves step by step,
and every reservation is fenced by its step: who was overtaken reserves nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.edge.storage import commit, is_condition_failure
from chalicelib.payouts.tables import BATCH, Key, PayoutsTable

SKIP, LANE = "skip#", "lane#"


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane, or (`number` None) a batch that is drafted at once."""

    batch_id: str
    number: int | None = None
    step: int = 0
    key: Key | None = None
    has_ended: bool = False
    reserved: int = 0  # payouts, so far

    @property
    def sort_key(self) -> str:
        return BATCH if self.number is None else f"{LANE}{self.number}"

    def fence(self, transaction: TransactWrite) -> None:
        """Refused when the lane has moved on, or the batch is drafted."""
        row = PayoutsTable(self.batch_id, self.sort_key)
        transaction.update(row, [PayoutsTable.reserved_count.add(1)], condition=self._unmoved())

    def _unmoved(self) -> Condition:
        table = PayoutsTable
        step = table.plan_step == self.step if self.step else table.plan_step.does_not_exist()
        return step & table.payout_count.does_not_exist()


def open_lanes(batch_id: str) -> None:
    """From here on the batch is drafted in lanes; who drafts it at once is fenced off."""
    PayoutsTable(batch_id, BATCH).update([PayoutsTable.plan_step.set(1)])


def lanes_of(batch_id: str, count: int) -> list[Lane]:
    """The lanes of a batch by number, also those that nobody has begun."""
    found = {
        row.sk: row
        for row in PayoutsTable.query(
            batch_id, PayoutsTable.sk.startswith(LANE), consistent_read=True
        )
    }
    return [_lane(batch_id, number, found.get(f"{LANE}{number}")) for number in range(count)]


def find_lane(batch_id: str, number: int) -> Lane:
    try:
        row = PayoutsTable.get(batch_id, f"{LANE}{number}", consistent_read=True)
    except PayoutsTable.DoesNotExist:
        row = None
    return _lane(batch_id, number, row)


def _lane(batch_id: str, number: int, row: PayoutsTable | None) -> Lane:
    if row is None:
        return Lane(batch_id, number)
    step, reserved = int(row.plan_step or 0), int(row.reserved_count or 0)
    return Lane(batch_id, number, step, row.plan_key, bool(row.plan_ended), reserved)


def move_lane(lane: Lane, key: Key | None) -> bool:
    """The lane's next step, from a key on, or its end; False when it was moved before."""
    table = PayoutsTable
    there = table.plan_ended.set(True) if key is None else table.plan_key.set(key)
    try:
        PayoutsTable(lane.batch_id, lane.sort_key).update(
            [table.plan_step.set(lane.step + 1), there], condition=lane._unmoved()
        )
    except UpdateError as error:
        if not is_condition_failure(error):
            raise
        return False
    return True


def keep_skipped(batch_id: str, skipped: Mapping[str, str]) -> None:
    """Keep who of a page is left out, by one transaction: nothing here ever deletes a row."""

    def write(transaction: TransactWrite) -> None:
        for artisan_id, reason in skipped.items():
            transaction.save(PayoutsTable(batch_id, f"{SKIP}{artisan_id}", reason=reason))

    if skipped:
        commit(write)


def skipped_page(batch_id: str, limit: int, start: Key | None) -> tuple[dict[str, str], Key | None]:
    """Who is left out of a batch and why, by artisan."""
    found: Any = PayoutsTable.query(
        batch_id,
        PayoutsTable.sk.startswith(SKIP),
        limit=limit,
        last_evaluated_key=start,
        consistent_read=True,
    )
    return {row.sk.removeprefix(SKIP): str(row.reason) for row in found}, found.last_evaluated_key


def skipped_count(batch_id: str) -> int:
    return PayoutsTable.count(batch_id, PayoutsTable.sk.startswith(SKIP), consistent_read=True)
