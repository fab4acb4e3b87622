"""What the goods of some lines come to, where a refund is asked for by line."""

from collections.abc import Mapping

from chalicelib.orders.domain import Order
from chalicelib.payments.domain import Payment, Portion
from chalicelib.payments.refund_domain import RefundOfOtherLines, left_of, without_empty


def portions_of_lines(
    order: Order, payment: Payment, lines: Mapping[str, int]
) -> tuple[Portion, ...]:
    """The goods of some lines, by parcel; shipping stays paid.

    Raises:
        RefundOfOtherLines: the order has no such line, or not as many pieces left of it.
    """
    parcel_of = {parcel.artisan_id: parcel.parcel_id for parcel in order.parcels}
    known = {line.line_id: line for line in order.lines}
    goods: dict[str, int] = {}
    for line_id, quantity in lines.items():
        line, before = known.get(line_id), payment.returned_lines.get(line_id, 0)
        if line is None or quantity > line.quantity - before:
            raise RefundOfOtherLines("give lines of this order that were not refunded yet")
        parcel_id = parcel_of[line.artisan_id]
        goods[parcel_id] = goods.get(parcel_id, 0) + line.goods_of(quantity, before)
    return _within_what_is_left(order, payment, goods)


def _within_what_is_left(
    order: Order, payment: Payment, goods: Mapping[str, int]
) -> tuple[Portion, ...]:
    """A refund of lines that failed may leave a discounted line's pieces a centime each ahead:
    that much less is given than asked, and no more than that."""
    left = {portion.parcel_id: portion.goods_minor for portion in left_of(payment)}
    parcel_of = {parcel.artisan_id: parcel.parcel_id for parcel in order.parcels}
    ahead: dict[str, int] = {}
    for line in order.lines:
        if line.goods_minor % line.quantity:
            parcel_id = parcel_of[line.artisan_id]
            ahead[parcel_id] = ahead.get(parcel_id, 0) + line.quantity
    return tuple(
        Portion(
            parcel_id,
            left[parcel_id] if 0 < minor - left[parcel_id] <= ahead.get(parcel_id, 0) else minor,
            0,
        )
        for parcel_id, minor in goods.items()
    )


def what_is_left_of_lines(
    order: Order, payment: Payment, lines: Mapping[str, int]
) -> tuple[tuple[Portion, ...], dict[str, int]]:
    """(the goods of some lines by parcel, as far as they were not refunded; how many of each)."""
    room = {
        line.line_id: line.quantity - payment.returned_lines.get(line.line_id, 0)
        for line in order.lines
    }
    counted = {
        line_id: min(quantity, room[line_id])
        for line_id, quantity in lines.items()
        if room[line_id] > 0
    }
    left = {portion.parcel_id: portion.goods_minor for portion in left_of(payment)}
    portions = [
        Portion(each.parcel_id, min(each.goods_minor, left[each.parcel_id]), 0)
        for each in portions_of_lines(order, payment, counted)
    ]
    return without_empty(portions), counted
