"""Every handler of orders and payments, each in a small world, for the crash-point sweep."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib import clock, ids
from chalicelib.errors import NotFound
from chalicelib.money import Money
from chalicelib.orders import holds, returns
from chalicelib.orders import service as orders
from chalicelib.orders.domain import ParcelStatus
from chalicelib.orders.return_domain import ReturnStatus
from chalicelib.payments import (
    cancellations,
    checkout,
    disputes,
    enquiries,
    inquiries,
    refunds,
    service,
)
from chalicelib.payments.callback_tables import CallbackTable
from chalicelib.payments.domain import EventKind, Method, Provider
from chalicelib.payments.refund_domain import Refund, RefundStatus, Wish
from chalicelib.payments.refund_tables import RefundTable, refund_from
from infra.local.bank.plans import Plan
from tests.factories import shop
from tests.factories.orders import BOWL, BOWL_TOTAL, OTHER_ARTISAN, RUG, an_order_request
from tests.factories.shop_promises import stored
from tests.factories.till import Till

ONE = an_order_request("one")
TWO = an_order_request("two", {BOWL: 1, RUG: 2})
PAYMENT = shop.payment_id_of(ONE.order_id)
PAYMENT_OF_TWO = shop.payment_id_of(TWO.order_id)
BOWLS, RUGS = (ids.child_id("prc", TWO.order_id, number) for number in (1, 2))
UNHEARD = Plan(callback_count=0, loses_capture_answer=True)
Work = Callable[[Till], Any]


@dataclass(frozen=True)
class Case:
    """`work` fails somewhere in the world that `given` makes. Then `again` is called until it
    succeeds, as its caller would; None: only providers and queues send again what was not taken.
    """

    name: str
    given: Work
    work: Work
    again: Work | None = None


def _asked(name: str, given: Work, work: Work) -> Case:
    """A case whose caller asks again until they are answered."""
    return Case(name, given, work, work)


def _nothing(till: Till) -> None:
    return None


def placed(method: Method, request: Any = ONE) -> Work:
    def act(till: Till) -> None:
        till.buy(request, method)

    return act


def pressing(payment_id: str = PAYMENT, outcome: str = "pay") -> Work:
    return lambda till: till.press(payment_id, outcome)


def after(*steps: Work) -> Work:
    def act(till: Till) -> None:
        for step in steps:
            step(till)

    return act


def later(seconds: int) -> Work:
    def act(till: Till) -> None:
        clock.advance(seconds)

    return act


def swept(till: Till) -> None:
    shop.sweep()


def redelivered(till: Till) -> None:
    till.redeliver()


def paid(method: Method, request: Any = ONE) -> Work:
    payment_id = shop.payment_id_of(request.order_id)
    return after(placed(method, request), pressing(payment_id), redelivered)


def without_callback(payment_id: str = PAYMENT) -> Work:
    """The buyer pays, and the provider says nothing."""
    return lambda till: till.pay(payment_id, UNHEARD)


def reserved(till: Till) -> None:
    """The buyer has paid at Mastercard's gateway, and the first of two notifications was taken."""
    with till.queue_down():
        till.press(PAYMENT)
    inquiries.take_callback(min(row.event_key for row in stored(CallbackTable)))


def cancel(request: Any = ONE) -> Work:
    return lambda till: cancellations.cancel_order(request.order_id)


def pay_again(method: Method) -> Work:
    def act(till: Till) -> None:
        if orders.order(ONE.order_id).payment_count == 1:  # The route knows it by its key.
            checkout.pay_again(ONE.order_id, method)

    return act


def decline(till: Till) -> None:
    cancellations.decline_parcel(RUGS, OTHER_ARTISAN, "broken in the kiln")


def shipped(till: Till) -> None:
    orders.advance_parcel(RUGS, OTHER_ARTISAN, ParcelStatus.SHIPPED, "Amana", "T-1")


def delivered(till: Till) -> None:
    orders.advance_parcel(RUGS, OTHER_ARTISAN, ParcelStatus.DELIVERED)


def asked_to_return(till: Till) -> None:
    if not returns.returns_of(TWO.order_id):
        returns.request_return(TWO.order_id, {RUG: 2}, "too red")


def _return_id() -> str:
    return ids.child_id("ret", TWO.order_id, 1)


def accept_return(till: Till) -> None:
    returns.answer_return(_return_id(), OTHER_ARTISAN, ReturnStatus.ACCEPTED, "send it")


def receive_return(till: Till) -> None:
    cancellations.receive_return(_return_id(), OTHER_ARTISAN)


def ask_refund(minor: int | None = None, payment_id: str = PAYMENT, **lines: int) -> Work:
    wish = Wish(lines=lines or None, amount_minor=minor)
    return lambda till: refunds.request_refund(payment_id, "key", wish, "a gesture", "operator")


def the_refund() -> Refund:
    [row] = stored(RefundTable)
    return refund_from(row)


def send_refund(till: Till) -> None:
    refunds.send_refund(the_refund().refund_id)


def _given_back_and_unheard(till: Till) -> None:
    """The refund is with the provider, which has given the money back and not said so."""
    with till.answers_lost():
        send_refund(till)


def _told_of_refund(till: Till) -> None:
    found = the_refund()
    minor, kind = found.amount.amount_minor, EventKind.REFUNDED
    shop.told_callback(Provider.WALLET, found.reference, "RF1", minor, kind=kind)


def finish_by_hand(till: Till) -> None:
    till.note_by_hand(the_refund().refund_id)


def _given_back_by_hand(till: Till) -> None:
    till.give_back_by_hand(the_refund())


def _refused(till: Till) -> None:
    till.refuse_next_refund(PAYMENT)
    send_refund(till)


def try_again(till: Till) -> None:
    if the_refund().status is RefundStatus.FAILED:
        refunds.try_again(the_refund().refund_id)


def disputed(outcome: str) -> Work:
    return lambda till: till.decide(PAYMENT, outcome)


def open_dispute(till: Till) -> None:
    disputes.open_dispute(PAYMENT, "case 1", "goods not received")


def _dispute_id() -> str:
    return disputes.dispute_id_of(PAYMENT, "case 1")


def _parked(till: Till) -> None:
    till.take_unasked(PAYMENT, "wallet", BOWL_TOTAL)


def apply_parked(till: Till) -> None:
    [key] = [row.event_key for row in stored(CallbackTable)]
    with suppress(NotFound):  # It was taken down from its shelf before.
        service.apply_parked(key)


def _kept_only(till: Till) -> None:
    """A callback was answered, and what takes it from its queue is down."""
    with till.queue_down():
        till.press(PAYMENT)


def _sold_out_meanwhile(till: Till) -> None:
    shop.buy(an_order_request("other", {BOWL: 5}, email="other@example.com"))


WALLET, CARD, MASTERCARD, PAYZONE = Method.WALLET, Method.CARD, Method.MASTERCARD, Method.PAYZONE
QUARTER, HALF_DAY = later(16 * 60), later(12 * 3600)
OVERDUE = later(31 * 60)

CASES = [
    # What buyers ask for
    _asked("place_order", _nothing, placed(CARD, TWO)),
    _asked("place_order_mastercard", _nothing, placed(MASTERCARD)),
    _asked("pay_again", placed(CARD), pay_again(WALLET)),
    _asked("pay_again_mastercard", placed(CARD), pay_again(MASTERCARD)),
    _asked("cancel", placed(CARD, TWO), cancel(TWO)),
    _asked("cancel_paid", paid(WALLET, TWO), cancel(TWO)),
    _asked(
        "way_back", after(placed(MASTERCARD), without_callback()),
        lambda till: checkout.way_back(PAYMENT, shop.the_payment(PAYMENT).success_indicator),
    ),
    # What providers call back
    Case("cmi_callback", placed(CARD, TWO), pressing(PAYMENT_OF_TWO)),
    Case("cmi_refusal", placed(CARD), pressing(outcome="decline")),
    Case("wallet_callback", placed(WALLET), pressing()),
    Case("payzone_callback", placed(PAYZONE), pressing()),
    Case("mastercard_notification", placed(MASTERCARD), pressing()),
    Case("late_cmi_callback", after(placed(CARD, TWO), OVERDUE, swept), pressing(PAYMENT_OF_TWO)),
    Case("late_wallet_callback", after(placed(WALLET), OVERDUE, swept), pressing()),
    Case(
        "money_for_what_is_gone",
        after(placed(WALLET), OVERDUE, swept, _sold_out_meanwhile), pressing(),
    ),
    Case(
        "second_payment", after(placed(CARD), pay_again(WALLET)),
        pressing(shop.payment_id_of(ONE.order_id, 2)),
    ),
    Case("money_twice", paid(WALLET), pressing()),
    Case("wrong_amount", placed(WALLET), pressing(outcome="wrong_amount")),
    Case("money_for_a_cancelled_order", after(placed(PAYZONE), cancel()), pressing()),
    Case("apply_due_callbacks", after(placed(WALLET), _kept_only, QUARTER), swept),
    Case("apply_parked", after(_parked, placed(WALLET)), apply_parked, apply_parked),
    # What the platform does with a provider
    Case(
        "mastercard_capture", after(placed(MASTERCARD), reserved),
        lambda till: inquiries.capture(PAYMENT),
    ),
    Case(
        "mastercard_void", after(placed(MASTERCARD), cancel(), reserved),
        lambda till: inquiries.void(PAYMENT),
    ),
    Case("ask_due", after(placed(PAYZONE), without_callback(), QUARTER), swept),
    Case("ask_due_mastercard", after(placed(MASTERCARD), without_callback(), QUARTER), swept),
    Case("ask_cmi_what_it_took", after(paid(CARD), HALF_DAY), swept),
    Case("expire", after(placed(WALLET, TWO), OVERDUE), swept),
    Case("expire_what_was_paid", after(placed(WALLET), without_callback(), OVERDUE), swept),
    _asked(
        "confirm_capture", paid(CARD),
        lambda till: service.confirm_capture(PAYMENT, "cmi", Money(BOWL_TOTAL)),
    ),
    _asked(
        "close_review", after(placed(WALLET), pressing(outcome="wrong_amount"), redelivered),
        lambda till: enquiries.close_review(PAYMENT, "seen"),
    ),
    # Refunds
    _asked("request_refund", paid(WALLET), ask_refund(9_999)),
    _asked("request_refund_of_lines", paid(PAYZONE), ask_refund(**{BOWL: 1})),
    Case("send_refund", after(paid(WALLET), ask_refund()), send_refund),
    Case("send_refund_mastercard", after(paid(MASTERCARD), ask_refund(9_999)), send_refund),
    Case(
        "ask_about_refund",
        after(paid(MASTERCARD), ask_refund(), _given_back_and_unheard, QUARTER), swept,
    ),
    _asked(
        "refund_callback",
        after(paid(WALLET), ask_refund(9_999), _given_back_and_unheard), _told_of_refund,
    ),
    _asked(
        "finish_by_hand", after(paid(PAYZONE), ask_refund(), _given_back_by_hand), finish_by_hand
    ),
    _asked("try_again", after(paid(WALLET), ask_refund(), _refused), try_again),
    # Disputes
    Case("dispute_callback", paid(WALLET), disputed("opened")),
    Case("dispute_lost", after(paid(WALLET), disputed("opened")), disputed("lost")),
    _asked("open_dispute", paid(PAYZONE), open_dispute),
    _asked(
        "send_evidence", after(paid(PAYZONE), open_dispute),
        lambda till: disputes.send_evidence(_dispute_id()),
    ),
    _asked(
        "decide_dispute", after(paid(PAYZONE), ask_refund(99), open_dispute),
        lambda till: disputes.decide(_dispute_id(), won=True),
    ),
    Case("mark_overdue", after(paid(PAYZONE), open_dispute, later(11 * 86_400)), swept),
    # Parcels and pieces
    _asked("decline", paid(WALLET, TWO), decline),
    _asked("ship", paid(WALLET, TWO), shipped),
    _asked("request_return", after(paid(WALLET, TWO), shipped, delivered), asked_to_return),
    _asked(
        "answer_return", after(paid(WALLET, TWO), shipped, delivered, asked_to_return),
        accept_return,
    ),
    _asked(
        "receive_return",
        after(paid(WALLET, TWO), shipped, delivered, asked_to_return, accept_return),
        receive_return,
    ),
    Case("restock", after(paid(WALLET, TWO), cancel(TWO)), lambda till: holds.sweep_order_stock()),
    Case("write_off", after(paid(WALLET, TWO), decline), lambda till: holds.sweep_order_stock()),
    Case("forget", after(paid(WALLET, TWO), QUARTER), lambda till: holds.sweep_order_stock()),
]  # fmt: skip
