"""Refunds: what of a payment goes back, in which portions, and how far it has come.

A refund takes portions of the parcels of its payment; the payment reserves them when the refund is
approved, so refunds never add up to more than was captured. A refund that the provider refuses
gives its portions back and may be tried again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.money import Money, allocate
from chalicelib.payments.domain import REFUNDABLE, Payment, PaymentStatus, Portion, Provider

ASK_REFUND_AFTER = timedelta(minutes=1)
MAX_ASK_REFUND_DOUBLINGS = 9


class RefundKind(StrEnum):
    REFUND = "refund"  # of a payment that paid its order
    UNAPPLIED = "unapplied"  # of money that fits nothing: all of it goes back
    VOID = "void"  # an authorisation that is not to be captured: an operator releases it


class RefundStatus(StrEnum):
    APPROVED = "approved"  # it will be sent
    SENDING = "sending"  # it may have been sent: only the provider knows
    MANUAL = "manual"  # the provider has no way to ask: an operator does it by hand
    PAID = "paid"
    FAILED = "failed"  # refused for good; nothing was given back


MOVES: dict[RefundStatus, frozenset[RefundStatus]] = {
    RefundStatus.APPROVED: frozenset({RefundStatus.SENDING}),
    # A provider that never says what became of it: an operator finds out, and says.
    RefundStatus.SENDING: frozenset({RefundStatus.PAID, RefundStatus.FAILED, RefundStatus.MANUAL}),
    RefundStatus.MANUAL: frozenset({RefundStatus.PAID, RefundStatus.FAILED}),
    RefundStatus.FAILED: frozenset({RefundStatus.APPROVED, RefundStatus.MANUAL}),
    RefundStatus.PAID: frozenset(),
}
ON_ITS_WAY = frozenset({RefundStatus.APPROVED, RefundStatus.SENDING})


@dataclass(frozen=True, slots=True)
class Refund:
    """`attempt` grows when a failed one is tried again; `receipt` names the provider's receipt of
    the money that goes back; `done_reference` is what the provider calls the refund.
    """

    refund_id: str
    payment_id: str
    order_id: str
    provider: Provider
    kind: RefundKind
    status: RefundStatus
    amount: Money
    portions: tuple[Portion, ...]
    receipt: str
    reason: str
    requested_by: str
    requested_at: datetime
    lines: Mapping[str, int]
    attempt: int = 1
    done_reference: str | None = None
    failure: str | None = None
    ask_at: datetime | None = None
    asked_count: int = 0
    version: int = 0

    @property
    def reference(self) -> str:
        """What the provider knows it by: another one once it has refused for good."""
        return self.refund_id if self.attempt == 1 else f"{self.refund_id}-{self.attempt}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants back: lines (how many of each), an amount, or (neither) all of it."""

    lines: Mapping[str, int] | None = None
    amount_minor: int | None = None


class UnknownRefund(NotFound):
    """There is no such refund."""

    code = "unknown_refund"


class NotRefundable(Conflict):
    """Only money that was taken can go back: the payment is not captured, or all of it went."""

    code = "not_refundable"


class RefundTooLarge(Conflict):
    """More than is left of the payment; `refundable` says how much that is."""

    code = "refund_exceeds_captured"


class RefundOfOtherLines(Invalid):
    """The order has no such line, or fewer pieces of it that were not refunded yet."""

    code = "refund_lines_unknown"


class IllegalRefundMove(Conflict):
    """The refund is in a state that forbids this."""

    code = "refund_state_forbids"


def move(refund: Refund, to: RefundStatus) -> Refund:
    """
    Raises:
        IllegalRefundMove: `to` does not follow its status in MOVES.
    """
    if to not in MOVES[refund.status]:
        raise IllegalRefundMove(
            f"the refund is {refund.status}, so it cannot become {to}",
            extra={"refund_status": refund.status},
        )
    return replace(refund, status=to)


def left_of(payment: Payment) -> tuple[Portion, ...]:
    """What of each parcel was neither refunded nor reserved yet."""
    taken = {portion.parcel_id: portion for portion in payment.taken_back}
    nothing = Portion("", 0, 0)
    return tuple(
        Portion(
            share.parcel_id,
            share.goods_minor - taken.get(share.parcel_id, nothing).goods_minor,
            share.shipping_minor - taken.get(share.parcel_id, nothing).shipping_minor,
        )
        for share in payment.shares
    )


def total_minor(portions: Sequence[Portion]) -> int:
    return sum(portion.total_minor for portion in portions)


def without_empty(portions: Sequence[Portion]) -> tuple[Portion, ...]:
    return tuple(portion for portion in portions if portion.total_minor)


def portions_of_amount(payment: Payment, amount_minor: int) -> tuple[Portion, ...]:
    """An amount divided over what is left of each parcel, to the centime.

    Raises:
        RefundTooLarge: more than is left.
    """
    left = left_of(payment)
    if amount_minor > total_minor(left):
        raise _too_large(payment)
    weights = [part for each in left for part in (each.goods_minor, each.shipping_minor)]
    parts = allocate(amount_minor, weights)
    return without_empty(
        [
            Portion(each.parcel_id, parts[2 * number], parts[2 * number + 1])
            for number, each in enumerate(left)
        ]
    )


def check_fits(payment: Payment, portions: Sequence[Portion]) -> None:
    """
    Raises:
        NotRefundable: nothing of it can go back. RefundTooLarge: not as much as that.
    """
    if payment.status not in REFUNDABLE:
        raise NotRefundable(f"the payment is {payment.status}")
    if not total_minor(portions):
        raise NotRefundable("nothing is left to refund")
    left = {portion.parcel_id: portion for portion in left_of(payment)}
    for portion in portions:
        room = left[portion.parcel_id]
        if portion.goods_minor > room.goods_minor or portion.shipping_minor > room.shipping_minor:
            raise _too_large(payment)


def _too_large(payment: Payment) -> RefundTooLarge:
    refundable = {
        "amount_minor": total_minor(left_of(payment)),
        "currency": payment.amount.currency,
    }
    return RefundTooLarge("ask for at most what is left", extra={"refundable": refundable})


def reserved(payment: Payment, refund: Refund) -> Payment:
    """The payment with the refund's portions and lines taken back."""
    return replace(
        payment,
        taken_back=merged(payment.taken_back, refund.portions, 1),
        returned_lines=_counted(payment.returned_lines, refund.lines, 1),
    )


def given_up(payment: Payment, refund: Refund) -> Payment:
    """The payment once the refund has failed: as if it had never been asked for."""
    return replace(
        payment,
        taken_back=merged(payment.taken_back, refund.portions, -1),
        returned_lines=_counted(payment.returned_lines, refund.lines, -1),
    )


def merged(kept: Sequence[Portion], more: Sequence[Portion], sign: int) -> tuple[Portion, ...]:
    """Portions with others added (sign 1) or taken out again (sign -1), one a parcel."""
    sums = {portion.parcel_id: portion for portion in kept}
    for portion in more:
        old = sums.get(portion.parcel_id, Portion(portion.parcel_id, 0, 0))
        sums[portion.parcel_id] = Portion(
            portion.parcel_id,
            old.goods_minor + sign * portion.goods_minor,
            old.shipping_minor + sign * portion.shipping_minor,
        )
    assert all(min(each.goods_minor, each.shipping_minor) >= 0 for each in sums.values())
    return without_empty(list(sums.values()))


def _counted(kept: Mapping[str, int], more: Mapping[str, int], sign: int) -> dict[str, int]:
    sums = dict(kept)
    for line, quantity in more.items():
        sums[line] = sums.get(line, 0) + sign * quantity
    return {line: quantity for line, quantity in sums.items() if quantity}


def refunded(payment: Payment, refund: Refund) -> Payment:
    """The payment once the provider has given a refund back."""
    done = payment.refunded_minor + refund.amount.amount_minor
    assert done <= payment.amount.amount_minor
    whole = done == payment.amount.amount_minor
    status = PaymentStatus.REFUNDED if whole else PaymentStatus.PARTIALLY_REFUNDED
    if payment.status not in REFUNDABLE:
        status = payment.status  # disputed meanwhile: what is known of that says more
    return replace(payment, refunded_minor=done, status=status)


def next_refund_ask(asked_count: int, now: datetime) -> datetime:
    return now + ASK_REFUND_AFTER * (1 << min(asked_count, MAX_ASK_REFUND_DOUBLINGS))
