"""P1, P6, P7, P11 of links: one sale, whoever pays, cancels or expires, wherever a call fails."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib import clock
from chalicelib.errors import MarketplaceError
from chalicelib.money import Money
from chalicelib.orders.domain import OrderState
from chalicelib.payments import expiry, link_sales, link_tables, links
from chalicelib.payments.domain import Method
from chalicelib.payments.link_domain import Link, LinkStatus, SeenLink
from infra.local.aws import LocalAws
from tests.crash_points import Fault, calls_of, disturbed, points
from tests.factories import shop
from tests.factories.links import PRICE, made, open_stall_quietly, pay
from tests.factories.orders import BOWL, OWNER
from tests.interleaving import interleave
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("one_due_shard", "quick_moto")
one_due_shard = shop.one_due_shard
FAILURES = (MarketplaceError, BotoCoreError, ClientError, PynamoDBException)
SCHEDULES = 30
Work = Callable[[], Any]
WISHES: dict[str, dict[str, Any]] = {
    "amount": {"amount": Money(PRICE)},
    "listing": {"listing_id": BOWL},
}


def the_link() -> Link:
    [row] = list(link_tables.LinkTable.scan())
    link = link_tables.find(row.code)
    assert link is not None
    return link


def paid_orders() -> list[str]:
    return [o.order_id for o in shop.all_orders() if o.state is OrderState.PAID]


def check_one_sale() -> None:
    """What holds of a link at every moment: at most one of its orders is paid, and it shows."""
    shop.check_shop()
    seen = links.link_by_code(the_link().code)
    assert len(paid_orders()) <= 1
    assert (seen.status is LinkStatus.PAID) == bool(paid_orders()), seen.status


@dataclass(frozen=True)
class Case:
    name: str
    given: Work
    work: Work


def _begun() -> None:
    pay(the_link())


def _expired() -> None:
    _begun()
    clock.advance(shop.FIFTEEN_MINUTES)
    shop.sweep()


CASES = [
    Case("begin", lambda: None, _begun),
    Case("begin_another_way", _begun, lambda: pay(the_link(), Method.WALLET)),
    Case("begin_anew", _expired, _begun),
    Case("cancel_begun", _begun, lambda: link_sales.cancel_link(the_link().link_id, OWNER)),
    Case("cancel_expired", _expired, lambda: link_sales.cancel_link(the_link().link_id, OWNER)),
]


def _set(aws: LocalAws, case: Case, wish: dict[str, Any]) -> Work:
    aws.reset()
    clock.reset()
    open_stall_quietly(1)
    made(**wish)
    case.given()
    link_sales._check_may_sell(the_link())  # What a warm process has read already.
    return shop.snapshot()


def telling_points(asked: list[str]) -> list[tuple[int, Fault]]:
    """Every way for each write; a read that is not answered fails in one way, or the process."""
    of_reads = (Fault.NOT_SENT, Fault.DIED_BEFORE)
    reads = ("GetItem", "Query", "BatchGetItem")
    return [
        (number, fault)
        for number, fault in points(asked)
        if asked[number] not in reads or fault in of_reads
    ]


def _state() -> Any:
    return {name: found for name, found in shop.statuses().items() if name != "callbacks"}


@pytest.mark.parametrize(
    ("case", "wish"),
    [*((case, "listing") for case in CASES), (CASES[0], "amount")],
    ids=lambda value: getattr(value, "name", value),
)
def test_P6_P7_every_crash_point_of_a_link_ends_where_no_fault_ends(
    aws: LocalAws, case: Case, wish: str
) -> None:
    start_again = _set(aws, case, WISHES[wish])
    asked = calls_of(case.work)
    shop.come_to_rest()
    shop.check_at_rest()
    undisturbed = _state()
    for number, fault in telling_points(asked):
        try:
            start_again()
            with disturbed(number, fault) as disturbance, suppress(*FAILURES):
                case.work()
            assert disturbance.hit
            check_one_sale()
            for _ in range(3):
                with suppress(*FAILURES):
                    case.work()
                    break
            check_one_sale()
            shop.redeliver()
            shop.come_to_rest()
            shop.check_at_rest()
            assert _state() == undisturbed
        except BaseException as error:
            error.add_note(f"{fault} at call {number} ({asked[number]})")
            raise


@pytest.mark.parametrize("case", CASES[2:4], ids=lambda case: case.name)
def test_P11_a_link_that_nobody_comes_back_to_comes_to_rest(aws: LocalAws, case: Case) -> None:
    start_again = _set(aws, case, WISHES["listing"])
    asked = calls_of(case.work)
    for number, fault in telling_points(asked):
        if fault not in (Fault.DIED_BEFORE, Fault.DIED_AFTER):
            continue
        start_again()
        with disturbed(number, fault), suppress(*FAILURES):
            case.work()
        shop.come_to_rest()
        shop.check_at_rest()
        check_one_sale()


@pytest.mark.parametrize("wish", WISHES)
def test_P12_a_link_asked_for_again_after_any_fault_is_one_link(aws: LocalAws, wish: str) -> None:
    aws.reset()
    open_stall_quietly(1)
    made("warm", **WISHES[wish])
    start_again = shop.snapshot()
    asked = calls_of(lambda: made(**WISHES[wish]))
    for number, fault in points(asked):
        start_again()
        with disturbed(number, fault), suppress(*FAILURES):
            made(**WISHES[wish])
        made(**WISHES[wish])
        assert len(list(link_tables.LinkTable.scan())) == 2, (number, fault)


def test_P12_a_link_asked_for_twice_at_once_is_one_link(aws: LocalAws) -> None:
    aws.reset()
    open_stall_quietly(1)
    made("warm", amount=Money(PRICE))
    start_again = shop.snapshot()
    for seed in range(20):
        start_again()
        results = interleave([lambda: made(amount=Money(PRICE))] * 3, seed)
        assert len({link.link_id for link in results}) == 1, results
        assert len(list(link_tables.LinkTable.scan())) == 2


def paying(method: Method, trans: str, language: str = "en") -> Work:
    """A tourist who begins to pay, and does."""

    def act() -> Any:
        begun = pay(the_link(), method, language)
        payment_id = begun.payment.payment_id
        if method is Method.CARD:
            return shop.card_callback(payment_id, trans, PRICE)
        return shop.wallet_callback(payment_id, trans, PRICE)

    return act


def sweeping() -> None:
    expiry.expire_overdue_orders()
    shop.sweep()


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("given", [lambda: None, _begun, _expired], ids=["new", "begun", "expired"])
def test_P1_P7_tourists_cancellations_sweeps_and_late_money_in_any_order(
    aws: LocalAws, given: Work, wish: str
) -> None:
    # Given the last bowl, or an amount; and maybe a sale that was begun, or nobody paid
    start_again = _set(aws, Case("given", lambda: None, given), WISHES[wish])
    given()
    before = shop.all_orders()
    if before and before[0].state is OrderState.AWAITING_PAYMENT:
        clock.advance(shop.FIFTEEN_MINUTES)
    start_again = shop.snapshot()
    for seed in range(SCHEDULES):
        start_again()
        link_sales._check_may_sell(the_link())
        actors: list[Work] = [paying(Method.CARD, "A"), paying(Method.WALLET, "B", "ar"), sweeping]
        if seed % 2:
            actors.append(lambda: link_sales.cancel_link(the_link().link_id, OWNER))
        else:
            actors.append(paying(Method.CARD, "C", "fr"))
        if before:
            late = shop.payment_id_of(before[0].order_id)
            actors.append(lambda late=late: shop.card_callback(late, "L", PRICE))
        results = interleave(actors, seed)
        try:
            for result in results:
                if isinstance(result, BaseException) and not isinstance(result, MarketplaceError):
                    raise result
            # Then there is one sale at most, before and after everything has come to rest
            check_one_sale()
            shop.redeliver()
            shop.come_to_rest()
            found = shop.check_at_rest()
            check_one_sale()
            assert found[BOWL].sold == (len(paid_orders()) if wish == "listing" else 0)
            if any(isinstance(result, SeenLink) for result in results):
                assert paid_orders() == [], "it was paid after its artisan had taken it back"
            captured = [answer for answer in results if answer == "ACTION=POSTAUTH"]
            assert len(captured) <= 1, "a card was debited for what another had bought"
        except BaseException as error:
            error.add_note(f"seed {seed}: {results}")
            raise
