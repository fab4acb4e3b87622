"""P5, P6, P7, P11 of settlement: any order, any repeat, any crash ends in one state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib import clock
from chalicelib.errors import Unavailable
from chalicelib.ledger import service as ledger
from chalicelib.ledger.tables import LedgerTable
from chalicelib.settlement import reconciliation, service
from chalicelib.settlement.tables import SettlementTable
from tests.factories.faults import (
    Calls,
    Fault,
    calls_through,
    frozen_clock,
    interleave,
    rows_of,
    telling,
)
from tests.factories.settlement import a_file, a_sale, file_line, terms

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
DAY = 24 * 3600
SALE = a_sale(terms(shipping_minor=3_000), terms("prc_b", "art_b", goods_minor=9_999))
FEE_MINOR = 600
FILE = a_file([file_line(SALE, FEE_MINOR)])
OUTAGES = (PynamoDBException, BotoCoreError, ClientError, Unavailable)


def captured() -> None:
    service.settle_payment(SALE)


def delivered_a() -> None:
    service.record_delivery("prc_a", NOW)


def delivered_b() -> None:
    service.record_delivery("prc_b", NOW)


def confirmed() -> None:
    reconciliation.reconcile(FILE, "cmi", "standard")


def sweep() -> None:
    service.finish_files()
    service.release_due_shares()


def released() -> None:
    clock.advance(14 * DAY + 1 - int((clock.now() - NOW).total_seconds()))
    service.release_due_shares()


MESSAGES = (captured, delivered_a, delivered_b, confirmed)


def state() -> list[dict[str, Any]]:
    return rows_of(LedgerTable, SettlementTable)


def assert_settled() -> None:
    assert ledger.check().holds
    for artisan in ("art_a", "art_b"):
        assert service.balances(artisan)["pending"].amount_minor == 0
    payable = sum(service.balances(who)["payable"].amount_minor for who in ("art_a", "art_b"))
    credit = {
        account: ledger.statement(account, 1, None).balance.amount_minor
        for account in (
            "commission_revenue", "vat_payable", "psp_fee_accrued:cmi", "psp_clearing:cmi",
            "bank:main", "psp_fee_variance",
        )
    }  # fmt: skip
    assert credit["psp_clearing:cmi"] == credit["psp_fee_accrued:cmi"] == 0
    assert credit["bank:main"] == SALE.captured.amount_minor - FEE_MINOR
    parts = payable + credit["commission_revenue"] + credit["vat_payable"]
    assert parts - credit["psp_fee_variance"] == credit["bank:main"]


@contextmanager
def fresh(aws: Any) -> Iterator[None]:
    aws.reset()
    clock.reset()
    with frozen_clock(NOW):
        yield


def one_in_order(aws: Any) -> list[dict[str, Any]]:
    with fresh(aws):
        for step in (*MESSAGES, released):
            step()
        assert_settled()
        return state()


@pytest.mark.parametrize("part", range(5))
def test_P7_messages_in_any_order_and_number_end_in_one_state(aws, part):
    # Every third of the 630 orders of: captured twice, delivered (a) twice, delivered (b), the
    # file twice. In five parts, for two workers.
    expected = one_in_order(aws)
    doubled = (captured, captured, delivered_a, delivered_a, delivered_b, confirmed, confirmed)
    orders = sorted(set(permutations(doubled)), key=lambda order: [s.__name__ for s in order])
    assert len(orders) == 630
    for order in orders[part * 3 :: 15]:
        with fresh(aws):
            for step in order:
                step()
            released()
            assert state() == expected, [step.__name__ for step in order]


def until_done(step: Callable[[], None]) -> None:
    """Deliver again until it goes through, as a queue does."""
    for _ in range(5):
        try:
            step()
        except OUTAGES:
            continue
        return
    raise AssertionError("it never went through")


@pytest.mark.parametrize("file_first", [False, True])
@pytest.mark.parametrize("fault", list(Fault))
def test_P6_a_crash_at_any_call_loses_and_doubles_nothing(aws, fault, file_first):
    expected = one_in_order(aws)
    order = (confirmed, *MESSAGES[:3]) if file_first else MESSAGES
    with fresh(aws):
        counting = Calls()
        with calls_through(counting.make):
            for step in (*order, released):
                step()
    assert len(counting.names) > 10
    for number in telling(counting.names, fault):
        with fresh(aws):
            calls = Calls(number, fault)
            with calls_through(calls.make):
                for step in (*order, released):
                    until_done(step)
            assert calls.failed
            assert state() == expected, (number, counting.names[number])


def test_P11_a_file_that_is_not_sent_again_is_finished_by_the_sweep(aws):
    with fresh(aws):
        counting = Calls()
        with calls_through(counting.make):
            for step in MESSAGES:
                step()
        before_file = 4 + 2  # settling takes two calls, each delivery one or two
    for number in range(before_file, len(counting.names)):
        with fresh(aws):
            for step in MESSAGES[:3]:
                step()
            calls = Calls(number - before_file)
            with calls_through(calls.make), suppress(OUTAGES):
                confirmed()
            clock.advance(600)
            sweep()
            matched = [row for row in rows_of(SettlementTable) if row.get("result") == "matched"]
            released()
            payable = service.balances("art_a")["payable"].amount_minor
            assert (payable > 0) == bool(matched), number


@pytest.mark.parametrize("seed", range(15))
def test_P7_messages_handled_at_once_end_as_one_after_the_other(aws, seed):
    expected = one_in_order(aws)
    with fresh(aws):
        actors = [captured, captured, delivered_a, delivered_b, confirmed]
        for outcome, actor in zip(interleave(actors, seed), actors, strict=True):
            assert outcome is None, (actor.__name__, outcome)
        clock.advance(14 * DAY + 1)
        assert interleave([service.release_due_shares] * 2, seed) == [None] * 2
        assert state() == expected
