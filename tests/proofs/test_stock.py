"""P1: nothing is sold twice. Random histories of one item; its invariant after every step."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib import clock
from chalicelib.errors import Conflict, TooMany
from chalicelib.stock import service, tables
from chalicelib.stock.domain import HoldState
from infra.local.aws import LocalAws
from tests.aws import both_databases
from tests.factories.stock import STOCK_ID, check_conserved
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")

HISTORIES, STEPS = 12, 40
ORDERS = [f"ord_{n}" for n in range(6)]


class History:
    """One seed's life of one item."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.stock_id = f"{STOCK_ID}{seed}"
        self.quantity = {order_id: self.random.randint(1, 2) for order_id in ORDERS}
        service.set_on_hand(self.stock_id, self.random.randint(0, 4))

    def step(self) -> str:
        actions: list[Callable[[str], object]] = [
            self.hold, self.hold, self.claim, self.release, self.extend, self.forget,
            self.count_again, self.sweep, self.let_time_pass,
        ]  # fmt: skip
        action = self.random.choice(actions)
        order_id = self.random.choice(ORDERS)
        try:
            action(order_id)
        except (Conflict, TooMany) as refusal:
            return f"{action.__name__} {order_id}: {refusal.code}"
        return f"{action.__name__} {order_id}"

    def hold(self, order_id: str) -> None:
        until = clock.now() + timedelta(seconds=self.random.choice([30, 300, 3_000]))
        service.hold(self.stock_id, order_id, self.quantity[order_id], order_id, until)

    def claim(self, order_id: str) -> None:
        before = tables.find(self.stock_id)
        service.claim(self.stock_id, order_id, self.quantity[order_id], order_id)
        after = tables.find(self.stock_id)
        assert before
        assert after
        marker = before.holds.get(order_id)
        was_sold = marker is not None and marker.state is HoldState.SOLD
        assert after.sold - before.sold == (0 if was_sold else self.quantity[order_id])

    def release(self, order_id: str) -> None:
        service.release(self.stock_id, order_id, order_id)

    def extend(self, order_id: str) -> None:
        service.extend(self.stock_id, order_id, clock.now() + timedelta(seconds=200))

    def forget(self, order_id: str) -> None:
        service.forget(self.stock_id, order_id)

    def count_again(self, _: str) -> None:
        service.set_on_hand(self.stock_id, self.random.randint(0, 6))

    def sweep(self, _: str) -> None:
        service.sweep_expired_holds()

    def let_time_pass(self, _: str) -> None:
        clock.advance(self.random.choice([10, 100, 400]))


@both_databases
def test_P1_every_history_keeps_the_count_after_every_step(aws: LocalAws) -> None:  # noqa: N802
    for seed in range(HISTORIES if aws.on_moto else 8):
        history = History(seed)
        done = []
        for _ in range(STEPS):
            done.append(history.step())
            stock = tables.find(history.stock_id)
            assert stock
            try:
                check_conserved(stock)
            except AssertionError as error:
                pytest.fail(f"seed {seed}: {error} after {done[-8:]}")


@both_databases
def test_P11_expired_holds_come_back_in_one_sweep(aws: LocalAws) -> None:  # noqa: N802
    # Given a long hold, and beside it shorter ones, taken later
    service.set_on_hand(STOCK_ID, 10)
    service.hold(STOCK_ID, "long", 1, "m", clock.now() + timedelta(days=2))
    for number in range(5):
        service.hold(STOCK_ID, f"short{number}", 1, "m", clock.now() + timedelta(minutes=15))
    # When the short ones are over and the sweep has run
    clock.advance(16 * 60)
    service.sweep_expired_holds()
    # Then they are given back, and the long one is as it was
    stock = tables.find(STOCK_ID)
    assert stock
    assert (stock.available, set(stock.holds)) == (9, {"long"})
    # And the sweep finds it again when its time has come
    clock.advance(2 * 24 * 3600)
    service.sweep_expired_holds()
    after = tables.find(STOCK_ID)
    assert after
    assert (after.available, dict(after.holds), after.due_at) == (10, {}, None)


@both_databases
def test_P1_two_hundred_expired_holds_are_reclaimed_at_once(aws: LocalAws) -> None:  # noqa: N802
    tables.create(STOCK_ID, 200)  # One item, as large ones were before there were shards.
    until = clock.now() + timedelta(minutes=15)
    for number in range(200):
        service.hold(STOCK_ID, f"ord_{number:024d}", 1, "m" * 32, until)
    clock.advance(16 * 60)
    service.hold(STOCK_ID, "late", 200, "m", clock.now() + timedelta(minutes=15))
    stock = tables.find(STOCK_ID)
    assert stock
    check_conserved(stock)
    assert (stock.available, set(stock.holds)) == (0, {"late"})
