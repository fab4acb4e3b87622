"""P7 and P10: callbacks in any order and number end in one state, and only ever lead forward."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.payments import callback_tables, cancellations, checkout
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.callback_tables import CallbackTable
from chalicelib.payments.domain import MOVES, EventKind, EventStatus, Method, PaymentStatus
from infra.local.aws import LocalAws
from tests.factories import shop
from tests.factories.orders import BOWL, an_order_request, open_shop
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("one_due_shard", "quick_moto")
one_due_shard = shop.one_due_shard
SHUFFLES = 20  # for each of two ways of telling; a thousand of all four stand in test_shuffles
REQUEST = an_order_request()
FIRST = shop.payment_id_of(REQUEST.order_id)
CAPTURE, ACKNOWLEDGE = "ACTION=POSTAUTH", "APPROVED"
Deliver = Callable[..., Any]


def events(deliver: Deliver) -> list[tuple[str, Callable[[], Any]]]:
    """One payment that fits, and everything else that may come around it."""
    failed = {"kind": EventKind.FAILED, "reason": "code 05"}
    return [
        ("fits", lambda: deliver(FIRST, "T-good")),
        ("fits", lambda: deliver(FIRST, "T-good")),
        ("refused", lambda: deliver(FIRST, "T-no", **failed)),
        ("refused", lambda: deliver(FIRST, "T-no", **failed)),
        ("too much", lambda: deliver(FIRST, "T-more", minor=99_999)),
        ("unknown", lambda: deliver("pay_nobody", "T-lost")),
    ]


@pytest.mark.parametrize(
    ("deliver", "method", "captured"),
    [
        (shop.card_callback, Method.CARD, PaymentStatus.CAPTURE_REQUESTED),
        (shop.wallet_callback, Method.WALLET, PaymentStatus.CAPTURED),
    ],
    ids=["cmi", "wallet"],
)
def test_P7_P10_any_order_and_number_of_callbacks_ends_in_one_state(
    aws: LocalAws, deliver: Deliver, method: Method, captured: PaymentStatus
) -> None:
    open_shop()
    shop.buy(REQUEST, method)
    start_again = shop.snapshot()
    for seed in range(SHUFFLES):
        start_again()
        chosen = random.Random(seed)
        shuffled = events(deliver)
        chosen.shuffle(shuffled)
        seen = [PaymentStatus.PENDING]
        for name, act in shuffled:
            answer = act()
            found = payment_tables.find(FIRST)
            assert found
            if found.status is not seen[-1]:
                assert found.status in MOVES[seen[-1]], f"seed {seed}"
                seen.append(found.status)
            if method is Method.CARD:
                assert answer == (CAPTURE if name == "fits" else ACKNOWLEDGE), (seed, name)
        assert seen == [PaymentStatus.PENDING, captured]
        assert found.review, "the amount that did not fit is for an operator"
        assert found.provider_reference == "T-good"
        attempts = sorted(
            (attempt.outcome, attempt.provider_reference) for attempt in found.attempts
        )
        assert attempts == [("failed", "T-no"), ("succeeded", "T-good"), ("unapplied", "T-more")]
        provider = "cmi" if method is Method.CARD else "wallet"
        assert outcome("T-good", provider) == ("applied", "pay: fits")
        stock = shop.check_shop()[BOWL]
        assert (stock.available, stock.held, stock.sold) == (4, 0, 1)


def outcome(trans: str, provider: str = "cmi", reference: str = FIRST) -> tuple[str, str | None]:
    row = CallbackTable.get(f"{provider}#{reference}#{trans}")
    return row.status, row.outcome


@pytest.fixture
def placed(aws: LocalAws, one_due_shard: None) -> checkout.Placed:
    open_shop({BOWL: 1})
    return shop.buy(REQUEST)


def the_payment(number: int = 1) -> Any:
    return payment_tables.find(shop.payment_id_of(REQUEST.order_id, number))


class TestCmiDecides:
    """Each row of the table in facts/payments.md, 8.1."""

    @pytest.fixture(autouse=True)
    def _order(self, placed: checkout.Placed) -> None:
        self.order_id = placed.order.order_id

    def test_a_refusal_never_closes_the_payment(self) -> None:
        assert shop.card_callback(FIRST, "T0", kind=EventKind.FAILED) == ACKNOWLEDGE
        assert the_payment().status == "pending"
        assert shop.card_callback(FIRST, "T1") == CAPTURE
        assert the_payment().status == "capture_requested"

    def test_a_refusal_after_the_money_changes_nothing(self) -> None:
        assert shop.card_callback(FIRST, "T1") == CAPTURE
        assert shop.card_callback(FIRST, "T0", kind=EventKind.FAILED) == ACKNOWLEDGE
        assert the_payment().status == "capture_requested"

    def test_the_same_capture_sent_again_under_another_nonce_is_known(self) -> None:
        assert shop.card_callback(FIRST, "T1") == CAPTURE
        row = CallbackTable.get(f"cmi#{FIRST}#T1")
        row.event_key = "cmi#another-nonce"
        event = callback_tables.event_from(row)
        from chalicelib.payments import service

        assert service.decide_cmi(event, b"raw", "600000000") == CAPTURE
        assert CallbackTable.get("cmi#another-nonce").status == EventStatus.NO_EFFECT
        assert not the_payment().review

    @pytest.mark.parametrize("minor", [28_489, 28_491, 0, 284_900])
    def test_another_amount_is_never_captured(self, minor: int) -> None:
        assert shop.card_callback(FIRST, "T1", minor=minor) == ACKNOWLEDGE
        found = the_payment()
        assert (found.status, found.review, found.review_reason) == (
            "pending", True, "amount differs",
        )  # fmt: skip

    def test_a_second_capture_is_not_debited_and_is_reviewed(self) -> None:
        assert shop.card_callback(FIRST, "T1") == CAPTURE
        assert shop.card_callback(FIRST, "T2") == ACKNOWLEDGE
        found = the_payment()
        assert (found.review, found.review_reason) == (True, "second capture")
        assert found.provider_reference == "T1"

    def test_the_known_reference_with_another_amount_is_not_captured(self) -> None:
        assert shop.card_callback(FIRST, "T1") == CAPTURE
        row = CallbackTable.get(f"cmi#{FIRST}#T1")
        row.event_key, row.amount_minor = "cmi#other-amount", 99_999
        from chalicelib.payments import service

        event = callback_tables.event_from(row)
        assert service.decide_cmi(event, b"raw", "600000000") == ACKNOWLEDGE

    def test_late_money_pays_an_expired_order_while_the_goods_are_there(self) -> None:
        clock.advance(shop.FIFTEEN_MINUTES)
        shop.sweep()
        assert the_payment().status == "expired"
        assert shop.card_callback(FIRST) == CAPTURE
        shop.come_to_rest()
        assert shop.check_at_rest()[BOWL].sold == 1

    def test_late_money_for_goods_that_are_gone_is_not_debited(self) -> None:
        clock.advance(shop.FIFTEEN_MINUTES)
        other = shop.buy(an_order_request("key-2", email="other@example.com"))
        assert shop.card_callback(FIRST) == ACKNOWLEDGE
        assert outcome("T1") == ("applied", "unapplied: no stock: sold_out")
        assert the_payment().review
        assert shop.card_callback(other.payment.payment_id) == CAPTURE
        shop.come_to_rest()
        assert shop.check_at_rest()[BOWL].sold == 1

    def test_money_for_a_cancelled_order_is_not_debited(self) -> None:
        cancellations.cancel_order(self.order_id)
        assert shop.card_callback(FIRST) == ACKNOWLEDGE
        assert the_payment().status == "cancelled"
        assert the_payment().review
        assert shop.check_shop()[BOWL].available == 1

    def test_an_unknown_order_is_parked_and_not_debited(self) -> None:
        assert shop.card_callback("pay_unknown", "T1") == ACKNOWLEDGE
        assert outcome("T1", reference="pay_unknown") == ("parked", "unknown reference")

    def test_two_payments_of_one_order_take_money_once(self) -> None:
        checkout.pay_again(self.order_id, Method.WALLET)
        second = shop.payment_id_of(self.order_id, 2)
        shop.wallet_callback(second)
        assert (the_payment(2).status, the_payment(1).status) == ("captured", "cancelled")
        assert shop.card_callback(FIRST) == ACKNOWLEDGE
        assert the_payment(1).review
        shop.come_to_rest()
        assert shop.check_at_rest()[BOWL].sold == 1
