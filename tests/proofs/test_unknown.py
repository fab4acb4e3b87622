"""P8: a time-out towards a provider is unknown, never failed.

Nothing is expired, sent again under another id, or given up before the provider was asked by our
own reference; asserted on our state and on what stands in the bank's books.
"""

import pytest

from chalicelib import clock
from chalicelib.orders import service as orders
from chalicelib.orders.domain import OrderState
from chalicelib.payments import cancellations, checkout, inquiries, refunds
from chalicelib.payments.domain import Method, Payment, PaymentStatus, Provider
from chalicelib.payments.refund_domain import IllegalRefundMove, Refund, RefundStatus, Wish
from infra.local.aws import LocalAws
from infra.local.bank.accounts import State, Try
from tests import quick_moto as moto
from tests.crash_points import Fault
from tests.factories import shop
from tests.factories import till as tills
from tests.factories.orders import BOWL_TOTAL, open_shop
from tests.factories.till import Till
from tests.proofs.crash_cases import ONE, PAYMENT, UNHEARD, reserved

pytestmark = pytest.mark.usefixtures("one_due_shard", "quick_moto", "frozen", "opened")
one_due_shard, frozen = shop.one_due_shard, shop.frozen
quick_moto, till = moto.quick_moto, tills.till
SILENCES = (Fault.NOT_SENT, Fault.ANSWER_LOST, Fault.THROTTLED, Fault.CONFLICT)
EACH_PROVIDER = (Method.CARD, Method.MASTERCARD, Method.PAYZONE, Method.WALLET)
REQUEST = ONE
HOURS = 3600
silences = pytest.mark.parametrize("silence", SILENCES)
takes_refunds = pytest.mark.parametrize("method", [Method.MASTERCARD, Method.WALLET])


@pytest.fixture
def opened(aws: LocalAws) -> None:
    open_shop()


def the_payment() -> Payment:
    return shop.the_payment(PAYMENT)


def the_order_is(state: OrderState) -> bool:
    return orders.order(REQUEST.order_id).state is state


def sweeps(count: int, every_seconds: int = 6 * HOURS) -> None:
    for _ in range(count):
        clock.advance(every_seconds)
        shop.sweep()


def paid(till: Till, method: Method) -> None:
    till.buy(REQUEST, method)
    till.press(PAYMENT)
    till.redeliver()
    assert the_payment().status in (PaymentStatus.CAPTURED, PaymentStatus.CAPTURE_REQUESTED)


class TestAsking:
    @pytest.mark.parametrize("method", EACH_PROVIDER)
    @silences
    def test_P8_nothing_expires_while_its_provider_does_not_say(
        self, till: Till, method: Method, silence: Fault
    ) -> None:
        till.buy(REQUEST, method)
        with till.answers_lost(silence):
            sweeps(5)
            assert the_order_is(OrderState.AWAITING_PAYMENT)
            assert the_payment().status is PaymentStatus.PENDING
        # Once it says that it knows of no money, the order may expire.
        sweeps(3)
        assert the_order_is(OrderState.EXPIRED)
        shop.come_to_rest()
        shop.check_at_rest()

    @pytest.mark.parametrize("method", EACH_PROVIDER)
    @silences
    def test_P8_money_of_which_nobody_heard_pays_once_it_is_heard_of(
        self, till: Till, method: Method, silence: Fault
    ) -> None:
        till.buy(REQUEST, method)
        till.pay(PAYMENT, UNHEARD)
        with till.answers_lost(silence):
            sweeps(4)
            assert the_order_is(OrderState.AWAITING_PAYMENT)
        sweeps(3)
        assert the_order_is(OrderState.PAID)
        shop.come_to_rest()
        shop.check_at_rest()
        till.check_books()

    @pytest.mark.parametrize("method", EACH_PROVIDER)
    def test_P8_it_is_asked_by_our_own_reference_and_ever_more_rarely(
        self, till: Till, method: Method
    ) -> None:
        till.buy(REQUEST, method)
        till.calls.clear()
        clock.advance(16 * 60)
        with till.answers_lost():
            for _ in range(12):
                inquiries.ask_due()
                clock.advance(60)
        asked = [call for call in till.calls if PAYMENT in call.url + call.body.decode()]
        assert asked == till.calls
        # A question may be repeated by the client; it is put once in these twelve minutes.
        assert 1 <= len(asked) <= 3
        assert the_payment().asked_count == 1


class TestTakingReservedMoney:
    @pytest.fixture(autouse=True)
    def _authorized(self, till: Till, opened: None) -> None:
        till.buy(REQUEST, Method.MASTERCARD)

    @silences
    def test_P8_a_capture_without_an_answer_is_asked_about_and_never_done_twice(
        self, till: Till, silence: Fault
    ) -> None:
        reserved(till)
        assert the_payment().status is PaymentStatus.CAPTURE_REQUESTED
        with till.answers_lost(silence):
            for _ in range(3):
                inquiries.capture(PAYMENT)
                sweeps(1)
            assert the_payment().status is PaymentStatus.CAPTURE_REQUESTED
        sweeps(2)
        assert the_payment().status is PaymentStatus.CAPTURED
        [made] = till.made.charge(PAYMENT).tries
        assert (made.captured_minor, made.refunded_minor) == (BOWL_TOTAL, 0)
        assert operations(till) == {f"capture-{PAYMENT}"}

    @silences
    def test_P8_a_void_without_an_answer_is_asked_about_and_never_done_twice(
        self, till: Till, silence: Fault
    ) -> None:
        cancellations.cancel_order(REQUEST.order_id)
        reserved(till)
        assert the_payment().status is PaymentStatus.AUTHORIZED
        with till.answers_lost(silence):
            for _ in range(3):
                inquiries.void(PAYMENT)
                sweeps(1)
            assert the_payment().status is PaymentStatus.AUTHORIZED
        sweeps(2)
        assert the_payment().status is PaymentStatus.VOIDED
        assert till.made.charge(PAYMENT).state is State.VOIDED
        assert operations(till) == {f"void-{PAYMENT}"}


def operations(till: Till) -> set[str]:
    """What the gateway was asked to do with the order, by our ids."""
    return set(till.made.bank._mastercard._order(PAYMENT).done)


class TestGivingBack:
    @takes_refunds
    @silences
    def test_P8_a_refund_without_an_answer_is_asked_about_and_given_back_once(
        self, till: Till, method: Method, silence: Fault
    ) -> None:
        paid(till, method)
        asked = a_refund()
        with till.answers_lost(silence):
            refunds.send_refund(asked.refund_id)
            sweeps(4)
            assert refunds.refund(asked.refund_id).status is RefundStatus.SENDING
            with pytest.raises(IllegalRefundMove):
                refunds.try_again(asked.refund_id)
        sweeps(2)
        assert refunds.refund(asked.refund_id).status is RefundStatus.PAID
        charge = till.made.charge(PAYMENT)
        assert list(charge.refunds) == [asked.refund_id]
        assert till.given_back(PAYMENT) == [9_999]
        till.check_books()

    @takes_refunds
    @silences
    def test_P8_it_is_asked_for_before_it_is_sent_again(
        self, till: Till, method: Method, silence: Fault
    ) -> None:
        paid(till, method)
        asked = a_refund()
        with till.answers_lost(silence):
            refunds.send_refund(asked.refund_id)
        till.calls.clear()
        sweeps(1)
        questions = [call.method for call in till.calls if asked.refund_id in call.url]
        assert questions[0] == "GET"
        # What has arrived is not sent again; what has not is, under the same reference.
        arrived = silence is Fault.ANSWER_LOST
        assert questions == (["GET"] if arrived else ["GET", "PUT"])

    @takes_refunds
    def test_P8_only_after_a_refusal_it_is_another_refund(self, till: Till, method: Method) -> None:
        paid(till, method)
        asked = a_refund()
        till.refuse_next_refund(PAYMENT)
        refunds.send_refund(asked.refund_id)
        assert refunds.refund(asked.refund_id).status is RefundStatus.FAILED
        assert shop.the_payment(PAYMENT).taken_back == ()
        refunds.try_again(asked.refund_id)
        with till.answers_lost():
            refunds.send_refund(asked.refund_id)
            sweeps(3)
        sweeps(1)
        charge = till.made.charge(PAYMENT)
        assert list(charge.refunds) == [asked.refund_id, f"{asked.refund_id}-2"]
        assert till.given_back(PAYMENT) == [9_999]
        till.check_books()

    @takes_refunds
    def test_P8_money_that_fits_nothing_goes_back_once_however_often_nobody_answers(
        self, till: Till, method: Method
    ) -> None:
        till.buy(REQUEST, method)
        till.press(PAYMENT, "wrong_amount")
        with till.answers_lost():
            till.redeliver()
            sweeps(4)
        sweeps(3)
        shop.come_to_rest()
        shop.check_at_rest()
        till.check_books()
        assert sum(made.captured_minor - made.refunded_minor for made in tries(till)) == 0


def a_refund() -> Refund:
    return refunds.request_refund(PAYMENT, "key", Wish(amount_minor=9_999), "a gesture", "op")


def tries(till: Till) -> list[Try]:
    return till.made.charge(PAYMENT).tries


class TestOpeningAPage:
    @silences
    def test_P8_without_an_answer_there_is_an_order_and_no_page_yet(
        self, till: Till, silence: Fault
    ) -> None:
        with till.answers_lost(silence):
            placed = till.buy(REQUEST, Method.MASTERCARD)
            assert placed.payment.session_id is None
            assert placed.payment.provider is Provider.MASTERCARD
            again = till.buy(REQUEST, Method.MASTERCARD)
            assert again.replayed
        # Asking for the order again opens it; the same order, the same payment, one page to pay on.
        again = till.buy(REQUEST, Method.MASTERCARD)
        assert (again.replayed, again.payment.payment_id) == (True, PAYMENT)
        assert again.payment.session_id
        assert checkout.payments_of(orders.order(REQUEST.order_id)) == [the_payment()]
        till.press(PAYMENT)
        till.redeliver()
        assert the_order_is(OrderState.PAID)
        till.check_books()
