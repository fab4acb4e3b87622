"""P6 and P7: whatever call fails, and however, redelivery and sweeps end where no fault ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib import clock
from chalicelib.errors import MarketplaceError
from chalicelib.payments import cancellations, checkout
from chalicelib.payments.domain import Method
from infra.local.aws import LocalAws
from tests.crash_points import Fault, calls_of, disturbed, points
from tests.factories import shop
from tests.factories.orders import BOWL, RUG, an_order_request, open_shop

pytestmark = pytest.mark.usefixtures("one_due_shard")
one_due_shard = shop.one_due_shard
FAILURES = (MarketplaceError, BotoCoreError, ClientError, PynamoDBException)
LINES = {BOWL: 1, RUG: 2}
REQUEST = an_order_request(lines=LINES)
Work = Callable[[], Any]


def _minor() -> int:
    return shop.all_orders()[0].total.amount_minor


def _placed(method: Method = Method.CARD) -> None:
    shop.buy(REQUEST, method)


def _overdue() -> None:
    _placed()
    clock.advance(shop.FIFTEEN_MINUTES)


def _expired() -> None:
    _overdue()
    shop.sweep()


def _tried_twice() -> None:
    _placed()
    checkout.pay_again(REQUEST.order_id, Method.WALLET)


def _cmi() -> None:
    shop.card_callback(shop.payment_id_of(REQUEST.order_id), minor=_minor())


def _wallet(number: int = 1) -> None:
    shop.wallet_callback(shop.payment_id_of(REQUEST.order_id, number), minor=_minor())


def _cancel() -> None:
    cancellations.cancel_order(REQUEST.order_id)


@dataclass(frozen=True)
class Case:
    name: str
    given: Work
    work: Work


CASES = [
    Case("place_order", lambda: None, _placed),
    Case("cmi_callback", _placed, _cmi),
    Case("late_cmi_callback", _expired, _cmi),
    Case("wallet_callback", lambda: _placed(Method.WALLET), _wallet),
    Case("second_payment", _tried_twice, lambda: _wallet(2)),
    Case("cancel", _placed, _cancel),
    Case("expire", _overdue, shop.sweep),
]


def _start(aws: LocalAws, case: Case) -> Work:
    """Set the scene; what it returns sets the same scene again."""
    aws.reset()
    clock.reset()
    open_shop()
    checkout.orders.quote(REQUEST.wanted, "MA", "en")  # What a warm process has read already.
    case.given()
    return shop.snapshot()


def _finish(case: Case) -> None:
    """The request comes again until it is answered, and so does what waits in a queue."""
    for _ in range(3):
        with suppress(*FAILURES):
            case.work()
            break
    else:
        pytest.fail("it never succeeds again")
    shop.redeliver()


@contextmanager
def _named(where: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        error.add_note(where)
        raise


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_P6_P7_every_crash_point_ends_where_no_fault_ends(aws: LocalAws, case: Case) -> None:
    # Given how it ends when nothing fails
    start_again = _start(aws, case)
    asked = calls_of(case.work)
    shop.come_to_rest()
    shop.check_at_rest()
    undisturbed = shop.statuses()
    for number, fault in points(asked):
        with _named(f"{fault} at call {number} ({asked[number]})"):
            # When one call fails in one way
            start_again()
            with disturbed(number, fault) as disturbance, suppress(*FAILURES):
                case.work()
            assert disturbance.hit
            # Then nothing is out of place even before anything is repeated
            shop.check_shop()
            # And repeated, and swept, it ends the same
            _finish(case)
            shop.come_to_rest()
            shop.check_at_rest()
            assert shop.statuses() == undisturbed


@pytest.mark.parametrize("case", CASES[:-1], ids=lambda case: case.name)
def test_P11_what_is_never_repeated_comes_to_rest_too(aws: LocalAws, case: Case) -> None:
    start_again = _start(aws, case)
    asked = calls_of(case.work)
    for number, fault in points(asked):
        if fault not in (Fault.DIED_BEFORE, Fault.DIED_AFTER):
            continue
        with _named(f"{fault} at call {number} ({asked[number]})"):
            start_again()
            with disturbed(number, fault), suppress(*FAILURES):
                case.work()
            shop.come_to_rest()
            shop.check_at_rest()
