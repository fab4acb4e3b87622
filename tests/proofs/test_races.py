"""P1, P2, P7 under concurrency: paying, expiring, cancelling, declining, refunding and disputing at
once, in seeded interleavings. Together with test_stock_races over 500 schedules in each run.
"""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.errors import MarketplaceError
from chalicelib.orders import service as orders
from chalicelib.orders.domain import ParcelStatus
from chalicelib.payments import cancellations, checkout, expiry, inquiries, refunds
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.domain import Method
from chalicelib.payments.refund_domain import Wish
from infra.local.aws import LocalAws
from tests.factories import shop
from tests.factories import till as tills
from tests.factories.orders import BOWL, OWNER, RUG, an_order_request, open_shop
from tests.factories.till import Plan, Till
from tests.interleaving import interleave
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("one_due_shard", "frozen", "quick_moto")
one_due_shard, frozen, till = shop.one_due_shard, shop.frozen, tills.till
SCHEDULES = 100  # for each of the four scenes
Actor = Callable[[], Any]
BOTH = an_order_request("both", {BOWL: 1, RUG: 1})
ONE = an_order_request("one", {BOWL: 1})
FIRST = shop.payment_id_of(BOTH.order_id)


def paid_by_wallet(till: Till) -> None:
    open_shop({BOWL: 1, RUG: 2})
    till.buy(BOTH, Method.WALLET)
    till.press(FIRST)
    till.redeliver()


def called_off(till: Till, seed: int) -> list[Actor]:
    """A paid order that everybody calls off at once, while one parcel is being sent."""
    bowl = orders.order(BOTH.order_id).parcels[0]
    ship: Actor = lambda: orders.advance_parcel(  # noqa: E731
        bowl.parcel_id, OWNER, ParcelStatus.SHIPPED, "Amana"
    )
    return [
        lambda: cancellations.cancel_order(BOTH.order_id),
        lambda: cancellations.decline_parcel(bowl.parcel_id, OWNER, "broken"),
        ship if seed % 2 else shop.sweep,
        lambda: refunds.request_refund(FIRST, f"k{seed % 3}", Wish(amount_minor=5_000), "x", "op"),
        refunds.send_due_refunds,
    ]


def overdue(till: Till) -> None:
    open_shop({BOWL: 1, RUG: 2})
    till.buy(ONE, Method.WALLET)
    clock.advance(31 * 60)


def expiring(till: Till, seed: int) -> list[Actor]:
    """An order whose time is over is paid, expired, cancelled, tried anew, and bought away."""
    payment_id = shop.payment_id_of(ONE.order_id)
    rival = an_order_request("rival", {BOWL: 1}, email="rival@example.com")

    def buy_and_pay() -> None:
        till.press(till.buy(rival, Method.WALLET).payment.payment_id)

    again: Actor = lambda: checkout.pay_again(ONE.order_id, Method.CARD)  # noqa: E731
    cancel: Actor = lambda: cancellations.cancel_order(ONE.order_id)  # noqa: E731
    return [
        lambda: till.press(payment_id),
        expiry.expire_overdue_orders,
        again if seed % 2 else cancel,
        buy_and_pay,
        inquiries.ask_due,
    ]


def disputing(till: Till, seed: int) -> list[Actor]:
    """A payment is disputed and decided while it is refunded in pieces."""
    outcome = "won" if seed % 2 else "lost"

    def dispute() -> None:
        till.decide(FIRST, "opened")
        till.decide(FIRST, outcome)

    return [
        dispute,
        lambda: refunds.request_refund(FIRST, "a", Wish(amount_minor=3_000), "x", "op"),
        lambda: refunds.request_refund(FIRST, "b", Wish(lines={RUG: 1}), "x", "op"),
        refunds.send_due_refunds,
        shop.sweep,
    ]


def reserved(till: Till) -> None:
    open_shop({BOWL: 1, RUG: 2})
    till.buy(ONE, Method.MASTERCARD)
    payment_id = shop.payment_id_of(ONE.order_id)
    with till.queue_down():
        till.pay(payment_id, Plan())


def capturing(till: Till, seed: int) -> list[Actor]:
    """Money reserved at Mastercard's gateway is heard of twice, taken, and called off."""
    payment_id = shop.payment_id_of(ONE.order_id)
    if seed % 3 == 0:
        clock.advance(16 * 60)
    return [
        till.redeliver,
        lambda: inquiries.ask_about(payment_id),
        lambda: inquiries.capture(payment_id),
        lambda: cancellations.cancel_order(ONE.order_id),
        expiry.expire_overdue_orders if seed % 2 else refunds.send_due_refunds,
    ]


SCENES = {
    "called off": (paid_by_wallet, called_off),
    "expiring": (overdue, expiring),
    "disputed": (paid_by_wallet, disputing),
    "reserved": (reserved, capturing),
}


@pytest.mark.parametrize("name", SCENES)
def test_P1_P2_P7_whoever_comes_first_the_money_and_the_pieces_add_up(
    aws: LocalAws, till: Till, name: str
) -> None:
    given, actors = SCENES[name]
    given(till)
    start_again, seen = till.snapshot(), set()
    for seed in range(SCHEDULES):
        start_again()
        checkout.orders.quote(BOTH.wanted, "MA", "en")  # What a warm process has read already.
        try:
            _one_schedule(till, actors(till, seed), seed, seen)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def _one_schedule(till: Till, actors: list[Actor], seed: int, seen: set[str]) -> None:
    results = interleave(actors, seed)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, MarketplaceError):
            raise result
    shop.check_shop()
    left = till.state()
    if left in seen:
        return  # What follows of the same state, on both sides, is the same.
    seen.add(left)
    # Once everybody has been heard, it comes to rest, and both sides' books agree
    till.redeliver()
    shop.come_to_rest()
    till.redeliver()
    shop.come_to_rest()
    found = shop.check_at_rest()
    assert found[BOWL].sold <= 1
    till.check_books()
    for row in payment_tables.PaymentTable.scan():
        payment = payment_tables.payment_from(row)
        assert payment.refunded_minor <= payment.amount.amount_minor
