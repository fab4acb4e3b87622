"""P7 and P10: what the four providers say, in any order and number, ends in one state.

The callbacks are the sandbox bank's own, signed as it signs them: a refusal, the payment, what
follows it, and whatever an impostor of another reference sends; a thousand orders of them.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest import mock

import pytest

from chalicelib import clock
from chalicelib.payments import refunds
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.domain import RANK, Method, PaymentStatus
from chalicelib.payments.refund_domain import Wish
from infra.local.aws import LocalAws
from infra.local.bank import wallet as wallet_desk
from infra.local.bank.callbacks import Callback, Sent
from tests.factories import shop
from tests.factories import till as tills
from tests.factories.orders import BOWL, an_order_request, open_shop
from tests.factories.till import Plan, Till
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("one_due_shard", "frozen", "quick_moto")
one_due_shard, frozen, till = shop.one_due_shard, shop.frozen, tills.till
SHUFFLES = 250  # for each of four providers, and for a refund
REQUEST = an_order_request()
FIRST = shop.payment_id_of(REQUEST.order_id)
ENDS = {
    Method.CARD: PaymentStatus.CAPTURED,
    Method.MASTERCARD: PaymentStatus.DISPUTED,
    Method.PAYZONE: PaymentStatus.CAPTURED,
    Method.WALLET: PaymentStatus.DISPUTED,
}


def told_by(till: Till, method: Method) -> list[Callback]:
    """Everything that the bank sends about one payment, none of it delivered yet."""
    till.buy(REQUEST, method)
    with kept_back(till) as kept:
        till.pay(FIRST, Plan(is_refused=True))
        if ENDS[method] is PaymentStatus.DISPUTED:
            _take_what_is_reserved(till)
            till.decide(FIRST, "opened")
            till.made.deliver()
        till.take_unasked("pay_nobody", _provider(method), 28_490)
    return kept


def told_of_a_refund(till: Till) -> list[Callback]:
    """A refund that nobody has answered is told of by the wallet: in another amount, rightly, and
    beside money that went back without our asking, a refusal that came late, and a dispute."""
    till.buy(REQUEST, Method.WALLET)
    till.press(FIRST)
    asked = refunds.request_refund(FIRST, "key", Wish(amount_minor=9_999), "a gesture", "operator")
    with till.answers_lost():
        refunds.send_refund(asked.refund_id)
    with kept_back(till) as kept:
        till.pay(FIRST, Plan(is_refused=True, is_paid=False))
        till.decide(FIRST, "opened")
    return [
        *till.made.sent,
        *kept,
        _wallet("payment.refunded", asked.refund_id, 9_999),
        _wallet("payment.refunded", asked.refund_id, 9_998),
        _wallet("payment.refunded", f"{asked.refund_id}-2", 9_999),
        _wallet("payment.refunded", FIRST, 100),
    ]


@contextmanager
def kept_back(till: Till) -> Iterator[list[Callback]]:
    """What the bank sends meanwhile, undelivered."""
    kept: list[Callback] = []

    def keep(callback: Callback) -> Sent:
        kept.append(callback)
        return Sent(callback.what, 500, "")

    with mock.patch.object(till.made, "_send", keep):
        yield kept


def _wallet(kind: str, reference: str, minor: int) -> Callback:
    amount = {"amount_minor": minor, "currency": "MAD"}
    event = {"type": kind, "reference": reference, "amount": amount, "provider_reference": "RF1"}
    return wallet_desk._signed(kind, event)


def _take_what_is_reserved(till: Till) -> None:
    charge = till.made.charge(FIRST)
    for made in charge.tries:
        if made.state == "authorized":
            till.books.capture(charge, made, made.amount_minor)


def _provider(method: Method) -> str:
    return {Method.CARD: "cmi"}.get(method, str(method))


SCENES: dict[str, tuple[Callable[[Till], list[Callback]], PaymentStatus]] = {
    str(method): (partial(told_by, method=method), end) for method, end in ENDS.items()
} | {"refund": (told_of_a_refund, PaymentStatus.DISPUTED)}


def shuffled(count: int, seed: int) -> list[int]:
    """So many callbacks by number, each up to three times, in an order of its own."""
    chosen = random.Random(seed)
    found = [each for each in range(count) for _ in range(chosen.choice((1, 1, 2, 3)))]
    chosen.shuffle(found)
    return found


@dataclass
class Walk:
    """Where callbacks lead to. The same callback in the same state, on both sides, leads to the
    same state again: it is delivered once, and remembered."""

    till: Till
    callbacks: list[Callback]
    known: dict[tuple[str, int], tuple[str, Callable[[], None]]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    ends: set[tuple[Any, ...]] = field(default_factory=set)

    def begin(self) -> None:
        self.start = (self.till.state(), self.till.snapshot())

    def go(self, order: list[int]) -> None:
        """Deliver callbacks in this order, and hear everybody out."""
        at, (state, back) = "", self.start
        for number in order:
            if (state, number) not in self.known:
                if at != state:
                    back()
                self.known[state, number] = self._delivered(number)
                at = self.known[state, number][0]
            state, back = self.known[state, number]
        if state not in self.seen:
            self.seen.add(state)
            back()
            _hear_out(self.till)
            self.ends.add(_end())
            self.till.check_books()

    def _delivered(self, number: int) -> tuple[str, Callable[[], None]]:
        was = the_payment().status
        self.till._call_again(self.callbacks[number])
        now = the_payment().status
        assert RANK[now] >= RANK[was], (was, now)
        return self.till.state(), self.till.snapshot()


@pytest.mark.parametrize("name", SCENES)
def test_P7_P10_whatever_a_provider_says_in_any_order_ends_in_one_state(
    aws: LocalAws, till: Till, name: str
) -> None:
    open_shop({BOWL: 5})
    given, end = SCENES[name]
    walk = Walk(till, given(till))
    assert len(walk.callbacks) >= 3
    walk.begin()
    for seed in range(SHUFFLES):
        try:
            walk.go(shuffled(len(walk.callbacks), seed))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
    assert len(walk.ends) == 1, "\n".join(map(repr, walk.ends))
    [(status, *_, sold)] = walk.ends
    assert (status, sold) == (end, 1)


def _hear_out(till: Till) -> None:
    """What waits for something else is looked at again; what is only asked for is asked about."""
    for _ in range(2):
        till.redeliver()
        clock.advance(16 * 60)
        shop.sweep()


def the_payment() -> Any:
    found = payment_tables.find(FIRST)
    assert found is not None
    return found


def _end() -> tuple[Any, ...]:
    found = the_payment()
    attempts = sorted({(each.outcome, each.provider_reference) for each in found.attempts})
    stock = shop.check_shop()[BOWL]
    return (
        found.status,
        found.review,
        found.provider_reference,
        found.refunded_minor,
        found.taken_back,
        tuple(attempts),
        stock.available,
        stock.held,
        stock.sold,
    )
