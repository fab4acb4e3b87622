"""P1, P2, P7, P8, P10, P11 over whole histories, and races of refunds on both databases.

A history is drawn from its seed: what buyers, artisans, operators, providers and time do in any
order, every third step with a call that fails. After each step the promises hold; after the last
everything comes to rest within three sweeps, and the providers' books agree with ours.
"""

import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.errors import MarketplaceError
from chalicelib.orders import returns
from chalicelib.orders import service as orders
from chalicelib.orders.domain import Order, ParcelStatus
from chalicelib.orders.return_domain import ReturnStatus
from chalicelib.payments import cancellations, checkout, refunds
from chalicelib.payments.domain import EventKind, Method, PaymentStatus
from chalicelib.payments.refund_domain import (
    NotRefundable,
    RefundKind,
    RefundStatus,
    RefundTooLarge,
    Wish,
)
from infra.local.aws import LocalAws
from infra.local.bank.callbacks import Sent
from tests import quick_moto as moto
from tests.aws import both_databases
from tests.crash_points import Fault, disturbed
from tests.factories import shop
from tests.factories import till as tills
from tests.factories.orders import BOWL, BOWL_TOTAL, RUG, an_order_request, open_shop
from tests.factories.shop_promises import Shop
from tests.factories.till import FAILURES, Till

pytestmark = pytest.mark.usefixtures("one_due_shard")
one_due_shard, frozen = shop.one_due_shard, shop.frozen
quick_moto, till = moto.quick_moto, tills.till
HISTORIES = 40
STEPS = 24
CALLERS = 20
OUTCOMES = ("pay", "pay", "pay", "decline", "decline_then_pay", "pay_twice", "wrong_amount")
METHODS = (Method.CARD, Method.WALLET, Method.MASTERCARD, Method.PAYZONE, Method.WALLET)
PARCEL_STEPS = (ParcelStatus.PREPARING, ParcelStatus.SHIPPED, ParcelStatus.DELIVERED)


class NothingThere(Exception):
    """Of what a step needs there is none yet; another is drawn."""


class History:
    """One history; `chosen` decides everything in it."""

    def __init__(self, till: Till, seed: int) -> None:
        self.till = till
        self.chosen = random.Random(seed)
        self.done: list[str] = []

    def step(self) -> None:
        acts: list[Callable[[], Any]] = [
            self.place, self.press, self.press, self.repeat, self.pass_time, self.pass_time,
            self.cancel, self.pay_again, self.move_parcel, self.move_parcel, self.decline,
            self.ask_return, self.take_return, self.refund, self.refund, self.send, self.dispute,
            self.finish, self.queue,
        ]  # fmt: skip
        for _ in range(5):
            with suppress(NothingThere):
                self._do(self.chosen.choice(acts))
                return

    def _do(self, act: Callable[[], Any]) -> None:
        self.done.append(act.__name__)
        if self.chosen.random() > 1 / 3:
            with suppress(MarketplaceError):
                act()
            return
        number, fault = self.chosen.randrange(9), self.chosen.choice(list(Fault))
        self.done[-1] += f" ({fault} at {number})"
        with disturbed(number, fault), suppress(*FAILURES):
            act()

    def place(self) -> None:
        key = self.chosen.choice("abc")
        lines = {"a": {BOWL: 1, RUG: 2}, "b": {BOWL: 2}, "c": {RUG: 1}}[key]
        request = an_order_request(key, lines, email=f"{key}@example.com")
        self.till.buy(request, self.chosen.choice(METHODS))

    def press(self) -> None:
        payment_id = self._any(Shop.now().payments)
        self.till.press(payment_id, self.chosen.choice(OUTCOMES))

    def repeat(self) -> None:
        """A callback of some time ago, once more."""
        self.till._call_again(self._any(self.till.made.sent))

    def queue(self) -> None:
        self.till.redeliver()

    def pass_time(self) -> None:
        clock.advance(self.chosen.choice((61, 16 * 60, 3 * 3600, 4 * 86_400)))
        shop.sweep()

    def cancel(self) -> None:
        cancellations.cancel_order(self._order().order_id)

    def pay_again(self) -> None:
        checkout.pay_again(self._order().order_id, self.chosen.choice(METHODS))

    def move_parcel(self) -> None:
        parcel = self._any(self._order().parcels)
        to = self.chosen.choice(PARCEL_STEPS)
        orders.advance_parcel(parcel.parcel_id, parcel.artisan_id, to, "Amana")

    def decline(self) -> None:
        parcel = self._any(self._order().parcels)
        cancellations.decline_parcel(parcel.parcel_id, parcel.artisan_id, "broken")

    def ask_return(self) -> None:
        order = self._order()
        line = self._any(order.lines)
        returns.request_return(order.order_id, {line.line_id: 1}, "too red")

    def take_return(self) -> None:
        asked = self._any(Shop.now().returns)
        if self.chosen.random() < 1 / 3:
            to = self.chosen.choice((ReturnStatus.ACCEPTED, ReturnStatus.REFUSED))
            returns.answer_return(asked.return_id, asked.artisan_id, to, "well")
        else:
            cancellations.receive_return(asked.return_id, asked.artisan_id)

    def refund(self) -> None:
        payment = Shop.now().payments[self._any(Shop.now().payments)]
        line = self._any(orders.order(payment.order_id).lines)
        wish = self.chosen.choice(
            [
                Wish(),
                Wish(amount_minor=self.chosen.randrange(1, 9_000)),
                Wish(lines={line.line_id: 1}),
            ]
        )
        key = self.chosen.choice("xyz")
        refunds.request_refund(payment.payment_id, key, wish, "a gesture", "operator")

    def send(self) -> None:
        refunds.send_refund(self._any(Shop.now().refunds).refund_id)

    def dispute(self) -> None:
        payment_id = self._any(Shop.now().payments)
        outcome = self.chosen.choice(("opened", "won", "lost"))
        if self.till.books.find(payment_id):
            self.till.decide(payment_id, outcome)

    def finish(self) -> None:
        found = self._any(Shop.now().refunds)
        if found.status is RefundStatus.FAILED:
            refunds.try_again(found.refund_id)
        elif found.status is RefundStatus.MANUAL and found.kind is not RefundKind.VOID:
            self.till.finish_by_hand(found)

    def _order(self) -> Order:
        return self._any(shop.all_orders())

    def _any(self, found: Any) -> Any:
        if not found:
            raise NothingThere
        return self.chosen.choice(sorted(found, key=repr))


def _come_to_rest(till: Till) -> None:
    """Whoever was not heard says it again; then three sweeps are enough."""
    for refund_id in list(till.by_hand):
        till.note_by_hand(refund_id)
    till.redeliver()
    shop.come_to_rest()
    till.redeliver()  # What the sweeps have caused at the providers.
    shop.come_to_rest()
    shop.check_at_rest()
    till.check_books()


@pytest.mark.parametrize("seed", range(HISTORIES))
@pytest.mark.usefixtures("quick_moto", "frozen")
def test_P2_P11_every_history_adds_up_and_comes_to_rest(
    aws: LocalAws, till: Till, seed: int
) -> None:
    open_shop({BOWL: 3, RUG: 3})
    history = History(till, seed)
    history.place()
    try:
        for _ in range(STEPS):
            history.step()
            shop.check_shop()
        _come_to_rest(till)
    except BaseException as error:
        error.add_note(", ".join(history.done))
        raise


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all of it in threads of their own; what each returned, or its refusal."""
    results: list[Any] = [None] * len(acts)
    barrier = threading.Barrier(len(acts))

    def do(number: int) -> None:
        barrier.wait()
        try:
            results[number] = acts[number]()
        except BaseException as error:  # handed to the test
            results[number] = error

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, MarketplaceError):
            raise result
    return results


@both_databases
def test_P1_of_20_who_buy_pay_and_cancel_the_last_piece_one_gets_it(
    aws: LocalAws, till: Till
) -> None:
    open_shop({BOWL: 1})

    def buying(number: int) -> Callable[[], Any]:
        request = an_order_request(f"key{number}", email=f"buyer{number}@example.com")

        def act() -> None:
            placed = till.buy(request, (Method.WALLET, Method.CARD)[number % 2])
            if number % 3 == 0:
                cancellations.cancel_order(placed.order.order_id)
            till.press(placed.payment.payment_id)

        return act

    results = at_once([buying(number) for number in range(CALLERS)])
    shop.check_shop()
    _come_to_rest(till)
    found = shop.check_at_rest()[BOWL]
    assert found.sold <= 1
    assert found.sold + found.available == 1
    refused = [result for result in results if result is not None]
    assert len(refused) >= CALLERS - 7, "each of the seven who cancel may give it to another"


@both_databases
def test_P7_one_key_asked_20_times_at_once_is_one_refund(aws: LocalAws, till: Till) -> None:
    payment_id = _paid_by_wallet(till)
    wish = Wish(amount_minor=9_999)
    ask = partial(refunds.request_refund, payment_id, "key", wish, "a gesture", "operator")
    answers = at_once([ask] * CALLERS)
    made = {answer.refund_id for answer in answers if not isinstance(answer, MarketplaceError)}
    assert len(made) == 1
    assert _taken_back(payment_id) == 9_999
    [refund_id] = made
    at_once([partial(refunds.send_refund, refund_id)] * CALLERS)
    _come_to_rest(till)
    assert till.given_back(payment_id) == [9_999]
    assert refunds.refund(refund_id).status is RefundStatus.PAID


@both_databases
def test_P2_20_refunds_at_once_are_never_more_than_was_captured(aws: LocalAws, till: Till) -> None:
    payment_id = _paid_by_wallet(till)
    at_once(
        [
            partial(refunds.request_refund, payment_id, f"key{number}", wish, "a gesture", "op")
            for number in range(CALLERS)
            for wish in [Wish(amount_minor=3_000)]
        ]
    )
    shop.check_shop()
    taken = _taken_back(payment_id)
    assert 0 < taken <= BOWL_TOTAL
    assert taken % 3_000 == 0
    at_once([refunds.send_due_refunds] + [till.redeliver] * 3)
    _come_to_rest(till)
    assert sum(till.given_back(payment_id)) == taken
    assert shop.the_payment(payment_id).refunded_minor == taken


@both_databases
@pytest.mark.parametrize("method", [Method.WALLET, Method.CARD, Method.PAYZONE])
def test_P7_one_callback_ten_times_at_once_is_one_sale(
    aws: LocalAws, till: Till, method: Method
) -> None:
    open_shop({BOWL: 5})
    payment_id = till.buy(an_order_request(), method).payment.payment_id
    deliver, till.made._send = till.made._send, lambda callback: Sent(callback.what, 500, "")
    till.press(payment_id)
    till.made._send = deliver
    [callback] = till.made.sent
    answers = at_once([partial(till._call_again, callback)] * 10)
    assert answers == [None] * 10
    shop.check_shop()
    _come_to_rest(till)
    found = shop.check_at_rest()[BOWL]
    assert (found.sold, found.available) == (1, 4)
    [made] = till.made.charge(payment_id).tries
    assert made.captured_minor == BOWL_TOTAL


@pytest.mark.usefixtures("quick_moto", "frozen")
def test_P2_lines_and_amounts_together_are_never_more_than_was_captured(
    aws: LocalAws, till: Till
) -> None:
    payment_id = _paid_by_wallet(till)
    ask = partial(refunds.request_refund, payment_id, reason="a gesture", by="operator")
    ask(key="amount", wish=Wish(amount_minor=5_000))
    with pytest.raises(RefundTooLarge):
        ask(key="lines", wish=Wish(lines={BOWL: 1}))
    with pytest.raises(RefundTooLarge):
        ask(key="more", wish=Wish(amount_minor=BOWL_TOTAL - 4_999))
    ask(key="all", wish=Wish())
    with pytest.raises(NotRefundable):
        ask(key="again", wish=Wish())
    assert _taken_back(payment_id) == BOWL_TOTAL


@pytest.mark.usefixtures("quick_moto", "frozen")
def test_P2_a_refund_of_another_amount_than_ours_is_parked(aws: LocalAws, till: Till) -> None:
    payment_id = _paid_by_wallet(till)
    made = refunds.request_refund(payment_id, "key", Wish(amount_minor=9_999), "a gesture", "op")
    with till.answers_lost():
        refunds.send_refund(made.refund_id)
    shop.wallet_callback(made.refund_id, "RF-1", 9_998, kind=EventKind.REFUNDED)
    assert refunds.refund(made.refund_id).status is RefundStatus.SENDING
    assert shop.the_payment(payment_id).refunded_minor == 0
    shop.wallet_callback(made.refund_id, "RF-2", 9_999, kind=EventKind.REFUNDED)
    assert refunds.refund(made.refund_id).status is RefundStatus.PAID
    assert shop.the_payment(payment_id).refunded_minor == 9_999


def _paid_by_wallet(till: Till) -> str:
    open_shop({BOWL: 5})
    payment_id = till.buy(an_order_request(), Method.WALLET).payment.payment_id
    till.press(payment_id)
    till.redeliver()
    assert shop.the_payment(payment_id).status is PaymentStatus.CAPTURED
    return payment_id


def _taken_back(payment_id: str) -> int:
    return sum(portion.total_minor for portion in shop.the_payment(payment_id).taken_back)
