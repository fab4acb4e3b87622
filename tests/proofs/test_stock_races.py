"""P1 under concurrency: buyers, payments, cancellations and sweeps in seeded interleavings."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.errors import MarketplaceError
from chalicelib.orders.domain import OrderState
from chalicelib.payments import cancellations, checkout, expiry
from chalicelib.payments.domain import Method
from chalicelib.stock.domain import SoldOut
from infra.local.aws import LocalAws
from tests.factories import shop
from tests.factories.orders import BOWL, RUG, an_order_request, open_shop
from tests.interleaving import interleave
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("one_due_shard", "quick_moto")
one_due_shard = shop.one_due_shard
SCHEDULES = 100
FAMILIES = 4
BUYERS = 24


def buying(key: str, lines: dict[str, int] | None = None) -> Callable[[], Any]:
    request = an_order_request(key, lines, email=f"{key}@example.com")

    def act() -> str:
        placed = shop.buy(request)
        minor = placed.payment.amount.amount_minor
        return shop.card_callback(placed.payment.payment_id, f"T-{key}", minor)

    return act


def warm() -> None:
    """What a process knows after its first request."""
    checkout.orders.quote(an_order_request().wanted, "MA", "en")


def check_nobody_failed(results: list[Any]) -> None:
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, MarketplaceError):
            raise result


@pytest.mark.parametrize("seed", range(3))
def test_P1_of_24_buyers_of_the_last_unit_one_gets_it(aws: LocalAws, seed: int) -> None:
    open_shop({BOWL: 1})
    warm()
    results = interleave([buying(f"buyer{n}") for n in range(BUYERS)], seed)
    assert sorted(str(type(result).__name__) for result in results) == ["SoldOut"] * 23 + ["str"]
    assert [result for result in results if isinstance(result, str)] == ["ACTION=POSTAUTH"]
    assert all(result.extra["available"] == 0 for result in results if type(result) is SoldOut)
    shop.come_to_rest()
    found = shop.check_at_rest()
    assert (found[BOWL].sold, found[BOWL].available) == (1, 0)


@pytest.mark.parametrize("family", range(FAMILIES))
def test_P1_holds_payments_cancellations_and_sweeps_in_any_order(
    aws: LocalAws, family: int
) -> None:
    # Given the last bowl and two rugs, held by two orders whose time is up
    open_shop({BOWL: 1, RUG: 2})
    both = an_order_request("both", {BOWL: 1, RUG: 1}, email="both@example.com")
    rug = an_order_request("rug", {RUG: 1}, email="rug@example.com")
    first, second = shop.buy(both), shop.buy(rug)
    clock.advance(shop.FIFTEEN_MINUTES)
    start_again = shop.snapshot()
    for seed in range(family, SCHEDULES, FAMILIES):
        start_again()
        warm()
        try:
            _one_schedule(first, second, seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def _one_schedule(first: checkout.Placed, second: checkout.Placed, seed: int) -> None:
    def paying(placed: checkout.Placed, trans: str) -> Callable[[], Any]:
        minor = placed.payment.amount.amount_minor
        return lambda: shop.card_callback(placed.payment.payment_id, trans, minor)

    # When all of this happens at once
    actors: list[Callable[[], Any]] = [
        paying(first, "T1"),
        paying(first, "T2") if seed % 3 == 0 else paying(second, "T3"),
        shop.sweep,
        buying("late", {BOWL: 1}),
    ]
    if seed % 2:
        actors.append(lambda: cancellations.cancel_order(first.order.order_id))
    else:
        actors.append(lambda: checkout.pay_again(first.order.order_id, Method.CARD))
    results = interleave(actors, seed)
    # Then nothing broke, nothing was sold twice, and only paid orders have bought
    check_nobody_failed(results)
    shop.check_shop()
    shop.come_to_rest()
    found = shop.check_at_rest()
    assert found[BOWL].sold <= 1
    captured = [answer for answer in results if answer == "ACTION=POSTAUTH"]
    paid = [order for order in shop.all_orders() if order.state is OrderState.PAID]
    assert len(captured) == len(paid), "each capture that was asked for paid one order"


def test_P11_an_order_paid_anew_as_it_expires_leaves_no_open_payment(aws: LocalAws) -> None:
    open_shop({BOWL: 1})
    placed = shop.buy(an_order_request())
    clock.advance(shop.FIFTEEN_MINUTES)
    start_again = shop.snapshot()
    for seed in range(20):
        start_again()
        actors: list[Callable[[], Any]] = [
            expiry.expire_overdue_orders,
            lambda: checkout.pay_again(placed.order.order_id, Method.WALLET),
        ]
        check_nobody_failed(interleave(actors, seed))
        shop.come_to_rest()
        shop.check_at_rest()
