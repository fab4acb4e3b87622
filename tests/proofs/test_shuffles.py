"""P7 and P10: what the four providers say, in any order and number, ends in one state.

The callbacks are the sandbox bank's own, signed as it signs them: a refusal, the payment, what
follows it, and whatever an impostor of another reference sends; a thousand orders of them.
"""

import random
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.domain import RANK, Method, PaymentStatus
from infra.local.aws import LocalAws
from infra.local.bank.callbacks import Callback, Sent
from tests.factories import shop
from tests.factories import till as tills
from tests.factories.orders import BOWL, an_order_request, open_shop
from tests.factories.till import Plan, Till
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("one_due_shard", "frozen", "quick_moto")
one_due_shard, frozen, till = shop.one_due_shard, shop.frozen, tills.till
SHUFFLES = 250  # for each of four providers
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
    kept: list[Callback] = []

    def keep(callback: Callback) -> Sent:
        kept.append(callback)
        return Sent(callback.what, 500, "")

    deliver, till.made._send = till.made._send, keep
    till.pay(FIRST, Plan(is_refused=True))
    if ENDS[method] is PaymentStatus.DISPUTED:
        _take_what_is_reserved(till)
        till.decide(FIRST, "opened")
        till.made.deliver()
    till.take_unasked("pay_nobody", _provider(method), 28_490)
    till.made._send = deliver
    return kept


def _take_what_is_reserved(till: Till) -> None:
    charge = till.made.charge(FIRST)
    for made in charge.tries:
        if made.state == "authorized":
            till.books.capture(charge, made, made.amount_minor)


def _provider(method: Method) -> str:
    return {Method.CARD: "cmi"}.get(method, str(method))


def shuffled(callbacks: list[Callback], seed: int) -> list[Callback]:
    """All of them, each up to three times, in an order of its own."""
    chosen = random.Random(seed)
    found = [each for each in callbacks for _ in range(chosen.choice((1, 1, 2, 3)))]
    chosen.shuffle(found)
    return found


@pytest.mark.parametrize("method", ENDS)
def test_P7_P10_whatever_a_provider_says_in_any_order_ends_in_one_state(
    aws: LocalAws, till: Till, method: Method
) -> None:
    open_shop({BOWL: 5})
    till.buy(REQUEST, method)
    callbacks = told_by(till, method)
    assert len(callbacks) >= 3
    start_again = till.snapshot()
    ends, seen = set(), set()
    for seed in range(SHUFFLES):
        start_again()
        try:
            _deliver(till, shuffled(callbacks, seed))
            left = till.state()
            if left in seen:
                continue  # What follows of the same state, on both sides, is the same.
            seen.add(left)
            _hear_out(till)
            ends.add(_end())
            till.check_books()
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
    assert len(ends) == 1
    [(status, *_, sold)] = ends
    assert (status, sold) == (ENDS[method], 1)


def _deliver(till: Till, callbacks: list[Callback]) -> None:
    seen = _the_payment().status
    for callback in callbacks:
        till._call_again(callback)
        now = _the_payment().status
        assert RANK[now] >= RANK[seen], (seen, now)
        seen = now


def _hear_out(till: Till) -> None:
    """What waits for something else is looked at again; what is only asked for is asked about."""
    for _ in range(2):
        till.redeliver()
        clock.advance(16 * 60)
        shop.sweep()


def _the_payment() -> Any:
    found = payment_tables.find(FIRST)
    assert found is not None
    return found


def _end() -> tuple[Any, ...]:
    found = _the_payment()
    attempts = sorted({(each.outcome, each.provider_reference) for each in found.attempts})
    stock = shop.check_shop()[BOWL]
    return (
        found.status,
        found.review,
        found.provider_reference,
        found.taken_back,
        tuple(attempts),
        stock.available,
        stock.held,
        stock.sold,
    )
