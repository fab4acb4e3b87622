"""Our side of the four protocols against the sandbox's: both follow the same facts."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from chalicelib.config import settings
from chalicelib.edge import outbound
from chalicelib.edge.outbound import OutcomeUnknown
from chalicelib.money import Money
from chalicelib.orders.domain import Buyer
from chalicelib.payments import gateway
from chalicelib.payments.actions import RedirectForm, action_of
from chalicelib.payments.domain import EventKind, Method, Payment, Provider
from chalicelib.payments.providers import cmi, mastercard, payzone
from chalicelib.payments.reports import RefundState, ReportState
from infra.local.bank.magic import MAGIC
from tests.factories.bank import InProcessBank, a_due
from tests.factories.payments import a_payment

BUYER = Buyer("Amina", "amina@example.com", None, "fr")
METHOD_OF = {
    Provider.CMI: Method.CARD,
    Provider.MASTERCARD: Method.MASTERCARD,
    Provider.PAYZONE: Method.PAYZONE,
    Provider.WALLET: Method.WALLET,
}
PAID_MINOR = 28_400


def ending_of(name: str) -> int:
    """An amount with which the sandbox does what the name says."""
    (ending,) = [ending for ending, magic in MAGIC.items() if magic.name == name]
    return PAID_MINOR + ending


def of(provider: Provider, amount_minor: int = PAID_MINOR) -> Payment:
    return a_payment(provider=provider, method=METHOD_OF[provider], amount=Money(amount_minor))


def a_bank(payment: Payment) -> InProcessBank:
    minor = payment.amount.amount_minor
    due = a_due(payment.provider, minor, payment_id=payment.payment_id, order_id=payment.order_id)
    made = InProcessBank(find=lambda payment_id: due if payment_id == due.payment_id else None)
    outbound.set_transport(made.carry)
    return made


def opened(payment: Payment, bank: InProcessBank) -> Payment:
    """The payment once its buyer has the page before them."""
    if payment.provider is Provider.MASTERCARD:
        session = gateway.open_session(payment, BUYER, "https://shop.example/back")
        return replace(payment, session_id=session.session_id)
    action = action_of(payment, BUYER)
    if isinstance(action, RedirectForm):
        target = "pay/cmi" if payment.provider is Provider.CMI else "bank/payzone/paywall"
        assert bank.post_form(target, action.fields).status == 200
    return payment


@pytest.mark.parametrize("provider", list(Provider))
def test_what_the_bank_says_before_and_after_the_buyer_pays(provider):
    payment = of(provider)
    bank = a_bank(payment)
    assert gateway.ask(payment).state is ReportState.ABSENT
    opened(payment, bank)
    assert gateway.ask(payment).state in (ReportState.ABSENT, ReportState.PENDING)
    bank.press(payment.payment_id)
    report = gateway.ask(payment)
    reserved = provider in (Provider.CMI, Provider.MASTERCARD)
    assert report.state is (ReportState.AUTHORIZED if reserved else ReportState.CAPTURED)
    assert report.amount == payment.amount


@pytest.mark.parametrize("provider", list(Provider))
def test_a_refused_buyer_is_a_failed_attempt(provider):
    payment = of(provider, ending_of("declined"))
    bank = a_bank(payment)
    opened(payment, bank)
    bank.press(payment.payment_id)
    assert gateway.ask(payment).state is ReportState.FAILED


def test_callback_and_report_name_the_same_money():
    # Given CMI and Payzone, which tell of money both ways
    for provider in (Provider.CMI, Provider.PAYZONE):
        payment = of(provider)
        bank = a_bank(payment)
        opened(payment, bank)
        bank.press(payment.payment_id)
        (sent,) = bank.sent
        headers = {name.lower(): value for name, value in sent.headers.items()}
        if provider is Provider.CMI:
            fields = cmi.read_callback(sent.body, [settings().cmi_store_key])
            assert fields is not None
            event = cmi.event_from(fields)
        else:
            keys = [settings().payzone_notification_key]
            read = payzone.read_callback(sent.body, headers, keys)
            assert read is not None
            event = read
        report = gateway.ask(payment)
        assert event.kind is EventKind.SUCCEEDED
        assert (event.reference, event.provider_reference, event.amount) == (
            payment.payment_id, report.provider_reference, report.amount,
        )  # fmt: skip


class TestMastercard:
    def authorized(self, amount_minor: int = PAID_MINOR) -> tuple[Payment, InProcessBank]:
        payment = of(Provider.MASTERCARD, amount_minor)
        bank = a_bank(payment)
        payment = opened(payment, bank)
        bank.press(payment.payment_id)
        return payment, bank

    def test_its_notifications_are_genuine_and_name_the_payment(self):
        payment, bank = self.authorized()
        assert len(bank.sent) >= 2
        for sent in bank.sent:
            headers = {name.lower(): value for name, value in sent.headers.items()}
            secrets = [settings().mastercard_notification_secret]
            event = mastercard.read_notification(sent.body, headers, secrets)
            assert event is not None
            assert event.reference == payment.payment_id

    def test_capture_then_refund_in_two_parts(self):
        payment, _ = self.authorized()
        assert gateway.capture(payment).state is ReportState.CAPTURED
        assert gateway.capture(payment).amount == payment.amount  # Again: nothing more is taken.
        for number in (1, 2, 2):
            report = gateway.refund(payment, f"rfd_{number}", Money(10_000), "")
            assert report.state is RefundState.DONE
        assert gateway.ask(payment).refunded_minor == 20_000
        assert gateway.ask_refund(payment, "rfd_1").state is RefundState.DONE
        assert gateway.ask_refund(payment, "rfd_3").state is RefundState.ABSENT

    def test_more_than_is_left_is_refused(self):
        payment, _ = self.authorized()
        gateway.capture(payment)
        report = gateway.refund(payment, "rfd_1", Money(PAID_MINOR + 1), "")
        assert report.state is RefundState.REFUSED
        assert gateway.ask(payment).refunded_minor == 0

    def test_a_void_lets_the_money_go_once(self):
        payment, _ = self.authorized()
        assert gateway.void(payment).state is ReportState.VOIDED
        assert gateway.void(payment).state is ReportState.VOIDED

    def test_P8_a_capture_that_nobody_heard_of_is_found_by_asking(self):
        payment, bank = self.authorized(ending_of("timeout_money_taken"))
        with pytest.raises(OutcomeUnknown):
            gateway.capture(payment)
        assert gateway.ask(payment).state is ReportState.CAPTURED
        puts = [call for call in bank.calls if call.method == "PUT"]
        assert len(puts) == 1


class TestWallet:
    def test_the_same_reference_is_the_same_refund(self):
        payment = of(Provider.WALLET)
        bank = a_bank(payment)
        bank.press(payment.payment_id)
        receipt = gateway.ask(payment).provider_reference
        for _ in range(2):
            report = gateway.refund(payment, "rfd_1", Money(10_000), receipt)
            assert report.state is RefundState.DONE
        assert gateway.ask(payment).refunded_minor == 10_000
        assert gateway.ask_refund(payment, "rfd_1").state is RefundState.DONE
        assert gateway.ask_refund(payment, "rfd_2").state is RefundState.ABSENT


@pytest.mark.parametrize("provider", sorted(gateway.CAN_REFUND))
class TestRefundsThatGoWrong:
    def paid(self, provider: Provider, name: str) -> tuple[Payment, InProcessBank]:
        payment = of(provider, ending_of(name))
        bank = a_bank(payment)
        payment = opened(payment, bank)
        bank.press(payment.payment_id)
        if provider is Provider.MASTERCARD:
            gateway.capture(payment)
        return payment, bank

    def test_P8_a_refund_that_nobody_heard_of_is_found_by_asking(self, provider):
        payment, bank = self.paid(provider, "refund_answer_lost")
        receipt = gateway.ask(payment).provider_reference
        with pytest.raises(OutcomeUnknown):
            gateway.refund(payment, "rfd_1", Money(10_000), receipt)
        assert gateway.ask_refund(payment, "rfd_1").state is RefundState.DONE
        assert gateway.ask(payment).refunded_minor == 10_000

    def test_a_refused_refund_changes_nothing_and_a_new_one_is_another(self, provider):
        payment, _ = self.paid(provider, "refund_refused_once")
        receipt = gateway.ask(payment).provider_reference
        first = gateway.refund(payment, "rfd_1", Money(10_000), receipt)
        assert first.state is RefundState.REFUSED
        assert gateway.ask(payment).refunded_minor == 0
        again = gateway.refund(payment, "rfd_1-2", Money(10_000), receipt)
        assert again.state is RefundState.DONE
        assert gateway.ask_refund(payment, "rfd_1").state is RefundState.REFUSED


@pytest.mark.parametrize("provider", [Provider.MASTERCARD, Provider.WALLET])
@pytest.mark.parametrize("name", ["wrong_amount", "wrong_currency"])
def test_money_of_another_kind_is_told_as_it_is(provider, name):
    payment = of(provider, ending_of(name))
    bank = a_bank(payment)
    opened(payment, bank)
    bank.press(payment.payment_id)
    amount = gateway.ask(payment).amount
    assert amount is not None
    assert amount != payment.amount
    assert (amount.currency == "MAD") is (name == "wrong_amount")


def test_payzone_is_asked_at_the_path_that_is_signed():
    payment = of(Provider.PAYZONE)
    bank = a_bank(payment)
    gateway.ask(payment)
    path = urlsplit(bank.calls[0].url).path
    assert path == f"{urlsplit(settings().payzone_api_url).path}/charges/{payment.payment_id}"
