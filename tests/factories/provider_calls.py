"""What the platform asks of a provider, made and read by the platform's own provider modules."""

from typing import Any

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.money import Money
from chalicelib.payments.providers import cmi, mastercard, payzone, wallet
from chalicelib.payments.reports import RefundReport, Report
from tests.factories.bank import InProcessBank

NOTIFICATION_URL = "/v1/payments/callbacks/mastercard"


def merchant() -> mastercard.Merchant:
    given = settings()
    return mastercard.Merchant(
        given.mastercard_gateway_url, given.mastercard_merchant_id, given.mastercard_password
    )


def wallet_account() -> wallet.Account:
    return wallet.Account(settings().wallet_api_url, settings().wallet_api_key)


def open_session(bank: InProcessBank, reference: str, minor: int) -> mastercard.Session:
    checkout = mastercard.Checkout(
        payment_id=reference,
        amount=Money(minor),
        description="ord_1",
        language="en",
        return_url="https://shop.example.ma/orders/ord_1",
        notification_url=settings().public_url + NOTIFICATION_URL,
    )
    answer = bank.carry(mastercard.session_request(merchant(), checkout))
    return mastercard.read_session(answer, merchant())


def ask(bank: InProcessBank, provider: str, reference: str) -> Report:
    """What a provider reports of a payment when the platform asks."""
    given = settings()
    if provider == "cmi":
        account = cmi.ApiAccount(
            given.cmi_api_url, given.cmi_api_user, given.cmi_api_password, given.cmi_client_id
        )
        return cmi.read_status(bank.carry(cmi.status_request(account, reference)), reference)
    if provider == "mastercard":
        request = mastercard.order_request(merchant(), reference)
        return mastercard.read_order(bank.carry(request), reference)
    if provider == "payzone":
        asked_at = int(clock.outside_now().timestamp())
        request = payzone.charge_request(payzone_caller(), reference, asked_at)
        return payzone.read_charge(bank.carry(request), reference)
    request = wallet.payment_request(wallet_account(), reference)
    return wallet.read_payment(bank.carry(request), reference)


def payzone_caller(**changes: Any) -> payzone.Caller:
    given = settings()
    content: dict[str, Any] = {
        "api_url": given.payzone_api_url,
        "merchant_account": given.payzone_merchant_account,
        "name": given.payzone_caller_name,
        "password": given.payzone_caller_password,
    }
    return payzone.Caller(**(content | changes))


def capture(bank: InProcessBank, reference: str, minor: int) -> RefundReport | None:
    request = mastercard.capture_request(merchant(), reference, Money(minor))
    return _read(bank, request, reference, mastercard.capture_id(reference))


def void(bank: InProcessBank, reference: str, authorization: str = "1") -> RefundReport | None:
    request = mastercard.void_request(merchant(), reference, authorization)
    return _read(bank, request, reference, mastercard.void_id(reference))


def refund(
    bank: InProcessBank, provider: str, reference: str, refund_id: str, money: Money
) -> RefundReport | None:
    """A refund under the platform's own reference. Raises OutcomeUnknown: the answer is lost."""
    if provider == "mastercard":
        request = mastercard.refund_request(merchant(), reference, refund_id, money)
        return _read(bank, request, reference, refund_id)
    taken = bank.charge(reference).paid_by
    by = taken.provider_reference if taken else ""
    request = wallet.refund_request(wallet_account(), reference, by, refund_id, money)
    return wallet.read_refund(bank.carry(request))


def ask_refund(
    bank: InProcessBank, provider: str, reference: str, refund_id: str
) -> RefundReport | None:
    if provider == "mastercard":
        request = mastercard.transaction_request(merchant(), reference, refund_id)
        return _read(bank, request, reference, refund_id)
    request = wallet.refund_status_request(wallet_account(), refund_id)
    return wallet.read_refund(bank.carry(request))


def _read(bank: InProcessBank, request: Any, reference: str, txn_id: str) -> RefundReport | None:
    return mastercard.read_transaction(bank.carry(request), reference, txn_id)
