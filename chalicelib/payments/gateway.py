"""What we ask of a provider and have it do: chooses the protocol and the settings, and no more.

Every call is by our own reference. `OutcomeUnknown` says that nobody knows what it did: ask, by
the same reference, before it is sent again.
"""

from collections.abc import Callable
from typing import TypeVar

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.observability import count, logger
from chalicelib.edge.outbound import OutcomeUnknown, Request, Response, send
from chalicelib.money import Money
from chalicelib.orders.domain import Buyer
from chalicelib.payments.domain import Payment, Provider
from chalicelib.payments.providers import cmi, mastercard, payzone, wallet
from chalicelib.payments.providers.mastercard import Session
from chalicelib.payments.reports import RefundReport, RefundState, Report, ReportState

CAN_REFUND = frozenset({Provider.MASTERCARD, Provider.WALLET})
"""Who gives money back when we ask; with the others an operator does it by hand."""
ATTEMPTS_ON_PAGE = 3
T = TypeVar("T")


def open_session(payment: Payment, buyer: Buyer, return_url: str) -> Session:
    """A payment page at the Mastercard gateway; no money moves by opening one.

    Raises:
        OutcomeUnknown: there is no page to send the buyer to.
    """
    assert payment.provider is Provider.MASTERCARD
    merchant = _merchant()
    checkout = mastercard.Checkout(
        payment_id=payment.payment_id,
        amount=payment.amount,
        description=f"Maalem {payment.order_id}",
        language=buyer.language,
        return_url=return_url,
        notification_url=f"{settings().public_url}/v1/payments/callbacks/mastercard",
        attempts_allowed=ATTEMPTS_ON_PAGE,
    )
    request = mastercard.session_request(merchant, checkout)
    return _called(payment, request, lambda answer: mastercard.read_session(answer, merchant))


def ask(payment: Payment) -> Report:
    """Where a payment stands at its provider.

    Raises:
        OutcomeUnknown: it gave no answer that decides anything.
    """
    request, read = _QUESTIONS[payment.provider](payment.payment_id)
    return _called(payment, request, lambda answer: read(answer, payment.payment_id))


def capture(payment: Payment) -> Report:
    """Take what is reserved. FAILED: the gateway refused this capture.

    Raises:
        OutcomeUnknown.
    """
    assert payment.provider is Provider.MASTERCARD
    request = mastercard.capture_request(_merchant(), payment.payment_id, payment.amount)
    return _after(payment, request, mastercard.capture_id(payment.payment_id))


def void(payment: Payment) -> Report:
    """Let go of what is reserved; an order that reserves nothing stays as it is.

    Raises:
        OutcomeUnknown.
    """
    assert payment.provider is Provider.MASTERCARD

    def read(answer: Response) -> tuple[Report, str]:
        report = mastercard.read_order(answer, payment.payment_id)
        reserved = report.state is ReportState.AUTHORIZED
        return report, mastercard.authorization_in(answer) if reserved else ""

    asking = mastercard.order_request(_merchant(), payment.payment_id)
    report, authorization = _called(payment, asking, read)
    if report.state is not ReportState.AUTHORIZED:
        return report
    request = mastercard.void_request(_merchant(), payment.payment_id, authorization)
    return _after(payment, request, mastercard.void_id(payment.payment_id))


def refund(
    payment: Payment, reference: str, amount: Money, provider_reference: str
) -> RefundReport:
    """Give money of a payment back under our own reference, which makes it happen once.

    Args:
        provider_reference: the provider's receipt of the money, for who takes it twice for one
            payment (the wallet).

    Raises:
        OutcomeUnknown: it may have been given back; `ask_refund` before it is sent again.
    """
    assert payment.provider in CAN_REFUND
    if payment.provider is Provider.MASTERCARD:
        request = mastercard.refund_request(_merchant(), payment.payment_id, reference, amount)
        return _operated(payment, request, reference)
    request = wallet.refund_request(
        _wallet(), payment.payment_id, provider_reference, reference, amount
    )
    return _called(payment, request, wallet.read_refund)


def ask_refund(payment: Payment, reference: str) -> RefundReport:
    """What became of a refund.

    Raises:
        OutcomeUnknown.
    """
    assert payment.provider in CAN_REFUND
    if payment.provider is Provider.MASTERCARD:
        return _transaction(payment, reference)
    request = wallet.refund_status_request(_wallet(), reference)
    return _called(payment, request, wallet.read_refund)


def _after(payment: Payment, request: Request, transaction_id: str) -> Report:
    """Where the order stands once an operation was done: it is retrieved, not concluded."""
    outcome = _operated(payment, request, transaction_id)
    if outcome.state is RefundState.REFUSED:
        return Report(ReportState.FAILED, reason=outcome.reason)
    if outcome.state is not RefundState.DONE:
        raise OutcomeUnknown("the operation is not decided")
    return ask(payment)


def _operated(payment: Payment, request: Request, transaction_id: str) -> RefundReport:
    def read(answer: Response) -> RefundReport | None:
        return mastercard.read_transaction(answer, payment.payment_id, transaction_id)

    outcome = _called(payment, request, read)
    if outcome is not None:
        return outcome
    # It would not take the request: because it has it already, or for good?
    found = _transaction(payment, transaction_id)
    if found.state is RefundState.ABSENT:
        return RefundReport(RefundState.REFUSED, reason="the gateway rejects the request")
    return found


def _transaction(payment: Payment, transaction_id: str) -> RefundReport:
    def read(answer: Response) -> RefundReport:
        found = mastercard.read_transaction(answer, payment.payment_id, transaction_id)
        if found is None:
            raise OutcomeUnknown("the gateway rejects the question")
        return found

    request = mastercard.transaction_request(_merchant(), payment.payment_id, transaction_id)
    return _called(payment, request, read)


def _called(payment: Payment, request: Request, read: Callable[[Response], T]) -> T:
    answer = send(payment.provider, request)
    try:
        return read(answer)
    except OutcomeUnknown as unknown:
        logger.warning(
            "a provider's answer decides nothing",
            provider=payment.provider,
            payment_id=payment.payment_id,
            why=unknown.why,
        )
        count("ProviderAnswerUnread", provider=payment.provider)
        raise


def _cmi_question(payment_id: str) -> "_Question":
    account = cmi.ApiAccount(
        api_url=settings().cmi_api_url,
        user=settings().cmi_api_user,
        password=settings().cmi_api_password,
        client_id=settings().cmi_client_id,
    )
    return cmi.status_request(account, payment_id), cmi.read_status


def _mastercard_question(payment_id: str) -> "_Question":
    return mastercard.order_request(_merchant(), payment_id), mastercard.read_order


def _payzone_question(payment_id: str) -> "_Question":
    caller = payzone.Caller(
        api_url=settings().payzone_api_url,
        merchant_account=settings().payzone_merchant_account,
        name=settings().payzone_caller_name,
        password=settings().payzone_caller_password,
    )
    asked_at = clock.to_ms(clock.outside_now()) // 1000
    return payzone.charge_request(caller, payment_id, asked_at), payzone.read_charge


def _wallet_question(payment_id: str) -> "_Question":
    return wallet.payment_request(_wallet(), payment_id), wallet.read_payment


_Question = tuple[Request, Callable[[Response, str], Report]]
_QUESTIONS: dict[Provider, Callable[[str], _Question]] = {
    Provider.CMI: _cmi_question,
    Provider.MASTERCARD: _mastercard_question,
    Provider.PAYZONE: _payzone_question,
    Provider.WALLET: _wallet_question,
}


def _merchant() -> mastercard.Merchant:
    return mastercard.Merchant(
        gateway_url=settings().mastercard_gateway_url,
        merchant_id=settings().mastercard_merchant_id,
        password=settings().mastercard_password,
    )


def _wallet() -> wallet.Account:
    return wallet.Account(settings().wallet_api_url, settings().wallet_api_key)
