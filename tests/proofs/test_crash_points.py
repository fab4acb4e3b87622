"""P6 and P7: whatever call fails, and however, redelivery and sweeps end where no fault ends.

A call is one to AWS or one to a provider. Runs that leave the same state behind, on both sides,
end the same: each such state is followed to its end once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.payments import checkout
from infra.local.aws import LocalAws
from tests import quick_moto as moto
from tests.crash_points import Fault, calls_of, disturbed, telling_points
from tests.factories import shop
from tests.factories import till as tills
from tests.factories.orders import open_shop
from tests.factories.till import FAILURES, Till
from tests.proofs.crash_cases import CASES, ONE, Case

pytestmark = pytest.mark.usefixtures("one_due_shard", "quick_moto", "frozen")
one_due_shard, frozen = shop.one_due_shard, shop.frozen
quick_moto, till = moto.quick_moto, tills.till


def _start(aws: LocalAws, till: Till, case: Case) -> Callable[[], None]:
    """Set the scene; what it returns sets the same scene again."""
    aws.reset()
    clock.reset()
    open_shop()
    checkout.orders.quote(ONE.wanted, "MA", "en")  # What a warm process has read already.
    case.given(till)
    return till.snapshot()


def _finish(till: Till, case: Case) -> None:
    """The request comes again until it is answered, and so does what waits in a queue."""
    for _ in range(3 if case.again else 0):
        with suppress(*FAILURES):
            assert case.again is not None
            case.again(till)
            break
    else:
        assert case.again is None, "it never succeeds again"
    till.redeliver()


@contextmanager
def _named(where: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        error.add_note(where)
        raise


def _come_to_rest(till: Till) -> None:
    shop.come_to_rest()
    shop.check_at_rest()
    if not till.is_owed_an_answer:  # What a provider could never tell us is found in its file.
        till.check_books()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_P6_P7_P11_every_crash_point_ends_where_no_fault_ends(
    aws: LocalAws, till: Till, case: Case
) -> None:
    # Given how it ends when nothing fails
    start_again = _start(aws, till, case)
    asked = calls_of(lambda: case.work(till))
    till.redeliver()
    _come_to_rest(till)
    undisturbed, seen = shop.statuses(), set()
    for number, fault in telling_points(asked):
        with _named(f"{fault} at call {number} ({asked[number]})"):
            # When one call fails in one way
            start_again()
            with disturbed(number, fault) as disturbance, suppress(*FAILURES):
                case.work(till)
            assert disturbance.hit
            left = till.state()
            if left in seen:
                continue
            seen.add(left)
            _check_both_ends(till, case, undisturbed)


def _check_both_ends(till: Till, case: Case, undisturbed: dict[str, Any]) -> None:
    # Then nothing is out of place even before anything is repeated
    shop.check_shop()
    back_here = till.snapshot()
    # And never repeated, it comes to rest by the sweeps alone
    _come_to_rest(till)
    back_here()
    # And repeated, and swept, it ends the same
    _finish(till, case)
    _come_to_rest(till)
    assert shop.statuses() == undisturbed


def test_the_sweep_knows_seven_kinds_of_fault() -> None:
    assert len(Fault) == 7
