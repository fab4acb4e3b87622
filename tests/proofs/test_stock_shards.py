"""P1 on a stock of several shards: random histories, and seeded interleavings of what may meet."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib import clock, ids
from chalicelib.errors import Conflict, MarketplaceError, TooMany
from chalicelib.stock import service, tables
from chalicelib.stock.domain import Level, SoldOut, StockIsHeld, shard_id
from infra.local.aws import LocalAws
from tests import quick_moto as moto
from tests.aws import both_databases
from tests.factories import shop
from tests.factories.stock import STOCK_ID, check_shards, counts_of_order, orders_at, parcel_of
from tests.interleaving import interleave

pytestmark = pytest.mark.usefixtures("one_due_shard", "quick_moto")
one_due_shard, quick_moto = shop.one_due_shard, moto.quick_moto
HISTORIES, STEPS = 20, 50
SCHEDULES, SCHEDULES_ON_JAVA = 40, 8
SHARDS = 3
ORDERS = [ids.derived_id("ord", f"history-{number}") for number in range(6)]


def open_shards(stock_id: str, *available: int) -> None:
    tables.create(stock_id, available[0], len(available))
    for number, pieces in enumerate(available[1:], start=1):
        tables.create(shard_id(stock_id, number), pieces)


class History:
    """One seed's life of one stock, near the end of its edition."""

    def __init__(self, seed: int, stock_id: str) -> None:
        self.random = random.Random(seed)
        self.stock_id = stock_id
        self.quantity = {order_id: self.random.randint(1, 4) for order_id in ORDERS}
        # The number of shards that an order is frozen with may be an old one.
        self.hint = {order_id: self.random.choice([1, 2, SHARDS]) for order_id in ORDERS}
        self.returned: set[str] = set()
        open_shards(self.stock_id, *(self.random.randint(0, 3) for _ in range(SHARDS)))

    def step(self) -> str:
        actions: list[Callable[[str], object]] = [
            self.hold, self.hold, self.claim, self.claim, self.release, self.extend, self.forget,
            self.restock, self.restock, self.count_again, self.sweep, self.let_time_pass,
        ]  # fmt: skip
        action = self.random.choice(actions)
        order_id = self.random.choice(ORDERS)
        before = check_shards(self.stock_id)
        done = f"{action.__name__} {order_id[:6]}"
        try:
            action(order_id)
        except (Conflict, TooMany) as refusal:
            done += f": {refusal.code}"
        after = check_shards(self.stock_id)
        if action != self.count_again:
            assert after.received == before.received, "only a count receives"
        self._check_order(order_id)
        return done

    def _check_order(self, order_id: str) -> None:
        held, sold, cleared = counts_of_order(self.stock_id, order_id)
        assert held + sold + cleared <= self.quantity[order_id], "more than the order asked for"

    def hold(self, order_id: str) -> None:
        until = clock.now() + timedelta(seconds=self.random.choice([30, 300, 3_000]))
        quantity, hint = self.quantity[order_id], self.hint[order_id]
        there = service.levels([self.stock_id])[self.stock_id].available
        had = sum(counts_of_order(self.stock_id, order_id))
        try:
            service.hold(self.stock_id, order_id, quantity, order_id, until, hint)
        except Conflict:
            assert there < quantity, "refused, and all together had enough"
            assert counts_of_order(self.stock_id, order_id) == (0, 0, 0)
        else:
            assert had or there >= quantity
            assert sum(counts_of_order(self.stock_id, order_id)) == quantity

    def claim(self, order_id: str) -> None:
        before = check_shards(self.stock_id)
        _, *was_sold = counts_of_order(self.stock_id, order_id)
        quantity = self.quantity[order_id]
        service.claim(self.stock_id, order_id, quantity, order_id, self.hint[order_id])
        after = check_shards(self.stock_id)
        assert after.sold - before.sold == (0 if sum(was_sold) else quantity)
        _, *is_sold = counts_of_order(self.stock_id, order_id)
        assert sum(is_sold) == quantity

    def release(self, order_id: str) -> None:
        _, sold, _ = counts_of_order(self.stock_id, order_id)
        if service.release(self.stock_id, order_id, order_id, self._any_hint()):
            held, still_sold, _ = counts_of_order(self.stock_id, order_id)
            assert (held, still_sold) == (0, 0)
        else:
            assert sold, "only a fresh claim is not given back"

    def extend(self, order_id: str) -> None:
        until = clock.now() + timedelta(seconds=200)
        held, _, _ = counts_of_order(self.stock_id, order_id)
        is_there = service.extend(self.stock_id, order_id, until, self._any_hint())
        has_all = sum(counts_of_order(self.stock_id, order_id)) == self.quantity[order_id]
        assert is_there == has_all, held

    def forget(self, order_id: str) -> None:
        before = check_shards(self.stock_id)
        service.forget(self.stock_id, order_id, self._any_hint())
        assert check_shards(self.stock_id) == before
        assert counts_of_order(self.stock_id, order_id)[1:] == (0, 0)

    def restock(self, order_id: str) -> None:
        _, sold, cleared = counts_of_order(self.stock_id, order_id)
        if sold + cleared == 0:
            return
        before, quantity = check_shards(self.stock_id), self.quantity[order_id]
        write_off = len(order_id + self.stock_id) % 2 == 0
        is_new = service.restock(
            self.stock_id, parcel_of(order_id), quantity, self._any_hint(), write_off=write_off
        )
        after = check_shards(self.stock_id)
        assert before.sold - after.sold == (quantity if is_new else 0)
        assert is_new == (order_id not in self.returned)
        self.returned.add(order_id)

    def count_again(self, _: str) -> None:
        on_hand = self.random.randint(0, 12)
        before = check_shards(self.stock_id)
        try:
            service.set_on_hand(self.stock_id, on_hand)
        except StockIsHeld:
            assert before.held > on_hand
        else:
            after = check_shards(self.stock_id)
            assert after.available + after.held == on_hand
            assert after.sold == before.sold

    def sweep(self, _: str) -> None:
        service.sweep_expired_holds()

    def let_time_pass(self, _: str) -> None:
        clock.advance(self.random.choice([10, 100, 400]))

    def _any_hint(self) -> int:
        return self.random.choice([1, 2, SHARDS, self.hint[ORDERS[0]]])


@both_databases
def test_P1_every_history_of_shards_keeps_the_count_after_every_step(aws: LocalAws) -> None:
    for seed, stock_id in schedules(aws, HISTORIES if aws.on_moto else 5):
        history = History(seed, stock_id)
        done: list[str] = []
        for _ in range(STEPS):
            try:
                done.append(history.step())
            except AssertionError as error:
                pytest.fail(f"seed {seed}: {error} after {done[-8:]}")


def schedules(aws: LocalAws, count: int = 0) -> Iterator[tuple[int, str]]:
    """(seed, a stock of its own): what one leaves behind is not in the next one's way."""
    for seed in range(count or (SCHEDULES if aws.on_moto else SCHEDULES_ON_JAVA)):
        if aws.on_moto:
            aws.reset()
        clock.reset()
        yield seed, f"{STOCK_ID}{seed}"


def run(actors: list[Callable[[], Any]], seed: int) -> list[Any]:
    results = interleave(actors, seed)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, MarketplaceError):
            result.add_note(f"seed {seed}")
            raise result
    return results


def buying(stock_id: str, order_id: str, quantity: int, hint: int) -> Callable[[], Any]:
    until = clock.now() + timedelta(minutes=15)

    def act() -> str:
        service.hold(stock_id, order_id, quantity, order_id, until, hint)
        service.claim(stock_id, order_id, quantity, order_id, hint)
        return "bought"

    return act


@both_databases
def test_P1_whoever_can_have_the_last_pieces_gets_them_and_nobody_more(aws: LocalAws) -> None:
    buyers = orders_at(0, SHARDS, 3) + orders_at(2, SHARDS, 2)
    for seed, stock_id in schedules(aws):
        # Given four pieces, one of them at home, and five buyers of one each
        open_shards(stock_id, 1, 2, 1)
        results = run([buying(stock_id, buyer, 1, SHARDS) for buyer in buyers], seed)
        # Then four have one, and the fifth hears that there is none
        assert results.count("bought") == 4, (seed, results)
        assert sum(isinstance(result, SoldOut) for result in results) == 1
        assert check_shards(stock_id) == Level(available=0, sold=4, received=4)


@both_databases
def test_P1_orders_in_pieces_take_all_or_nothing(aws: LocalAws) -> None:
    first, second, third = orders_at(0, SHARDS, 3)
    for seed, stock_id in schedules(aws):
        # Given five pieces on three shards, of which two buyers want three each, and one wants one
        open_shards(stock_id, 2, 1, 2)
        actors = [
            buying(stock_id, first, 3, SHARDS),
            buying(stock_id, second, 3, SHARDS),
            buying(stock_id, third, 1, SHARDS),
        ]
        results = run(actors, seed)
        level = check_shards(stock_id)
        bought = dict(zip((first, second, third), (r == "bought" for r in results), strict=True))
        assert level.sold == 3 * bought[first] + 3 * bought[second] + bought[third]
        assert level.sold <= 5
        assert level.held == 0, (seed, results)
        for order_id, quantity in ((first, 3), (second, 3), (third, 1)):
            assert sum(counts_of_order(stock_id, order_id)) == quantity * bought[order_id]


@both_databases
def test_P1_the_same_hold_twice_at_once_is_one(aws: LocalAws) -> None:
    order_id, other = orders_at(1, SHARDS, 2)
    for seed, stock_id in schedules(aws):
        open_shards(stock_id, 2, 1, 2)
        until = clock.now() + timedelta(minutes=15)
        same = partial(service.hold, stock_id, order_id, 4, "m", until, SHARDS)
        results = run([same, same, buying(stock_id, other, 1, SHARDS)], seed)
        level = check_shards(stock_id)
        assert level.held in (0, 4), (seed, results)
        assert sum(counts_of_order(stock_id, order_id)) == level.held
        assert level.sold == (results[2] == "bought")
        if level.held:
            assert results[:2].count(True) <= 1
            # And whoever comes after all this finds it as it is
            assert same() is False
            assert check_shards(stock_id) == level


@both_databases
def test_P1_a_late_claim_meets_expiry_another_claim_and_buyers(aws: LocalAws) -> None:
    late, *others = orders_at(2, SHARDS, 3)
    for seed, stock_id in schedules(aws):
        # Given an order in pieces whose time is over
        open_shards(stock_id, 1, 2, 1)
        service.hold(stock_id, late, 3, "m", clock.now() + timedelta(minutes=15), SHARDS)
        clock.advance(16 * 60)

        # When its money comes twice, while the sweep runs and others want the same pieces
        def claim(stock_id: str = stock_id) -> str:
            service.claim(stock_id, late, 3, "m", SHARDS)
            return "claimed"

        actors = [
            claim,
            claim,
            service.sweep_expired_holds,
            buying(stock_id, others[0], 1, SHARDS),
            buying(stock_id, others[1], 2, SHARDS),
        ]
        results = run(actors, seed)
        # Then it is sold whole where a claim came through, and nothing is sold twice
        level = check_shards(stock_id)
        _, sold, _ = counts_of_order(stock_id, late)
        bought = (results[3] == "bought") + 2 * (results[4] == "bought")
        if "claimed" in results:
            assert sold == 3, (seed, results)
        assert level.sold == sold + bought <= 4
        # And what a claim that failed has taken goes back
        clock.advance(15 * 60)
        if "claimed" not in results:
            assert service.release(stock_id, late, "m", SHARDS) is True
        service.sweep_expired_holds()
        level = check_shards(stock_id)
        assert level.sold == (3 if "claimed" in results else 0) + bought
        assert (level.held, level.available) == (0, 4 - level.sold)


@both_databases
def test_P1_a_claim_and_a_release_meet_and_one_of_them_wins(aws: LocalAws) -> None:
    order_id, other = orders_at(0, SHARDS, 2)
    for seed, stock_id in schedules(aws):
        # Given a claim of several pieces whose payment did not come
        open_shards(stock_id, 2, 1, 2)
        until = clock.now() + timedelta(minutes=15)
        service.hold(stock_id, order_id, 4, "m", until, SHARDS)
        service.claim(stock_id, order_id, 4, "m", SHARDS)
        clock.advance(121)

        def claim(stock_id: str = stock_id) -> str:
            service.claim(stock_id, order_id, 4, "m", SHARDS)
            return "claimed"

        release = partial(service.release, stock_id, order_id, "m", SHARDS)
        results = run([claim, release, release, buying(stock_id, other, 1, SHARDS)], seed)
        level = check_shards(stock_id)
        _, sold, _ = counts_of_order(stock_id, order_id)
        if results[0] == "claimed":
            assert sold == 4, (seed, results)
        assert level.sold == sold + (results[3] == "bought") <= 5
        clock.advance(121)
        if results[0] != "claimed":
            assert release() is True
            assert check_shards(stock_id).sold == (results[3] == "bought")


@both_databases
def test_P1_a_return_happens_once_whatever_it_meets(aws: LocalAws) -> None:
    order_id, other = orders_at(1, SHARDS, 2)
    for seed, stock_id in schedules(aws):
        # Given a paid order in pieces that is cancelled
        open_shards(stock_id, 2, 1, 2)
        until = clock.now() + timedelta(minutes=15)
        service.hold(stock_id, order_id, 4, "m", until, SHARDS)
        service.claim(stock_id, order_id, 4, "m", SHARDS)
        clock.advance(121)
        write_off = seed % 2 == 1

        parcel_id = parcel_of(order_id)
        restock = partial(service.restock, stock_id, parcel_id, 4, SHARDS, write_off=write_off)
        actors: list[Callable[[], Any]] = [
            restock,
            restock,
            partial(service.forget, stock_id, order_id, SHARDS),
            buying(stock_id, other, 1, SHARDS),
        ]
        if seed % 4 == 0:
            # A claim that comes late: its order is known to be paid, so it is not forgotten.
            actors[2] = partial(service.claim, stock_id, order_id, 4, "m", SHARDS)
        results = run(actors, seed)
        assert restock() is False
        assert sorted(map(str, results[:2])) == ["False", "True"], (seed, results)
        level = check_shards(stock_id)
        bought = int(results[3] == "bought")
        assert level == Level(
            available=(1 if write_off else 5) - bought,
            sold=bought,
            written_off=4 if write_off else 0,
            received=5,
        )


@both_databases
def test_P1_a_count_meets_buyers(aws: LocalAws) -> None:
    first, second = orders_at(0, SHARDS, 2)
    for seed, stock_id in schedules(aws):
        open_shards(stock_id, 60, 60, 0)
        on_hand = 150 if seed % 2 else 8
        actors: list[Callable[[], Any]] = [
            partial(service.set_on_hand, stock_id, on_hand),
            buying(stock_id, first, 5, SHARDS),
            buying(stock_id, second, 3, 1),
        ]
        results = run(actors, seed)
        level = check_shards(stock_id)
        bought = 5 * (results[1] == "bought") + 3 * (results[2] == "bought")
        assert level.sold == bought
        assert level.held == 0
        assert level.available <= on_hand
        # And a count at rest is exact
        level = service.set_on_hand(stock_id, 40)
        assert (level.available, level.sold) == (40, bought)


def test_P11_holds_in_pieces_come_back_in_one_sweep(aws: LocalAws) -> None:
    order_id, other = orders_at(1, SHARDS, 2)
    open_shards(STOCK_ID, 2, 1, 2)
    service.hold(STOCK_ID, order_id, 4, "m", clock.now() + timedelta(minutes=15), SHARDS)
    service.hold(STOCK_ID, other, 1, "m", clock.now() + timedelta(hours=48), SHARDS)
    clock.advance(16 * 60)
    service.sweep_expired_holds()
    assert check_shards(STOCK_ID) == Level(available=4, held=1, received=5)
    clock.advance(48 * 3600)
    service.sweep_expired_holds()
    assert check_shards(STOCK_ID) == Level(available=5, received=5)
    found = tables.find_shards(STOCK_ID, SHARDS).values()
    assert [(dict(stock.holds), stock.due_at) for stock in found] == [({}, None)] * SHARDS
