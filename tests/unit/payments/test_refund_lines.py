"""Lines refunded piece by piece: what was paid for them, and not a centime more."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as some

from chalicelib.money import Money
from chalicelib.orders.domain import Order, OrderLine
from chalicelib.payments import refund_lines
from chalicelib.payments.domain import Payment, PaymentStatus
from chalicelib.payments.refund_domain import (
    Refund,
    RefundKind,
    RefundStatus,
    check_fits,
    given_up,
    left_of,
    reserved,
)
from chalicelib.terms.domain import Carrier, Level
from chalicelib.terms.sale_domain import LineTerms
from tests.factories.orders import BOWL, OWNER, PLACED_AT, a_parcel, an_order
from tests.factories.payments import a_payment


def sold(pieces: int, goods_minor: int) -> tuple[Order, Payment]:
    """One line whose discount leaves `goods_minor` of its price."""
    price = goods_minor // pieces + 1
    terms = LineTerms(
        "standard", 0, "standard", Level.STANDARD, 0, pieces * price - goods_minor, Carrier.ARTISAN
    )
    line = replace(OrderLine(BOWL, OWNER, "Bowl", pieces, price), terms=terms)
    parcel = a_parcel(goods_minor=goods_minor)
    payment = a_payment(status=PaymentStatus.CAPTURED)
    share = replace(payment.shares[0], parcel_id=parcel.parcel_id, goods_minor=goods_minor)
    amount = Money(goods_minor + share.shipping_minor)
    return (
        an_order(lines=(line,), parcels=(parcel,)),
        replace(payment, amount=amount, shares=(share,), taken_back=()),
    )


def refunded(order: Order, payment: Payment, count: int) -> tuple[Refund, Payment]:
    portions = refund_lines.portions_of_lines(order, payment, {BOWL: count})
    check_fits(payment, portions)
    made = Refund(
        "rfd_x", payment.payment_id, order.order_id, payment.provider, RefundKind.REFUND,
        RefundStatus.APPROVED, Money(sum(one.total_minor for one in portions)), portions,
        "", "", "", PLACED_AT, {BOWL: count},
    )  # fmt: skip
    return made, reserved(payment, made)


class TestPieces:
    @given(some.integers(1, 40), some.integers(1, 9_999), some.lists(some.integers(1, 9)))
    def test_P5_all_pieces_together_are_what_was_paid(self, pieces, goods, counts):
        order, payment = sold(pieces, max(goods, pieces))
        total, left = 0, pieces
        for count in [*counts, pieces]:
            taken = min(count, left)
            if taken:
                made, payment = refunded(order, payment, taken)
                total, left = total + made.amount.amount_minor, left - taken
        assert total == order.lines[0].goods_minor
        assert [one.goods_minor for one in left_of(payment)] == [0]

    def test_pieces_of_a_discounted_line_differ_by_a_centime(self):
        order, payment = sold(3, 100)
        amounts = []
        for _ in range(3):
            made, payment = refunded(order, payment, 1)
            amounts.append(made.amount.amount_minor)
        assert amounts == [33, 33, 34]

    def test_without_a_discount_a_piece_is_its_price(self):
        order, payment = sold(3, 30)
        assert refund_lines.portions_of_lines(order, payment, {BOWL: 2})[0].goods_minor == 20


class TestFailedPieces:
    @given(
        some.integers(2, 12),
        some.integers(12, 999),
        some.lists(some.tuples(some.booleans(), some.integers(0, 99))),
    )
    def test_P5_one_that_failed_leaves_the_others_within_what_was_paid(self, pieces, goods, steps):
        order, payment = sold(pieces, goods)
        out: list[Refund] = []
        for fails, which in [*steps, *[(False, 0)] * pieces]:
            if fails and out:
                payment = given_up(payment, out.pop(which % len(out)))
            elif not fails and sum(one.lines[BOWL] for one in out) < pieces:
                made, payment = refunded(order, payment, 1)
                out.append(made)
        paid = sum(one.amount.amount_minor for one in out)
        assert goods - pieces <= paid <= goods

    def test_the_last_piece_gives_way_by_a_centime(self):
        # 1.01 for three pieces: 0.33, 0.34, 0.34. The first fails after the second was given.
        order, payment = sold(3, 101)
        first, payment = refunded(order, payment, 1)
        second, payment = refunded(order, payment, 1)
        payment = given_up(payment, first)
        third, payment = refunded(order, payment, 1)
        last, payment = refunded(order, payment, 1)
        amounts = [one.amount.amount_minor for one in (second, third, last)]
        assert amounts == [34, 34, 33]
