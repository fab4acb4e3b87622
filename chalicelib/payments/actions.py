"""What the buyer does next to pay: a form to CMI or Payzone, a page, a QR code, or a voucher's."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.orders.domain import Buyer
from chalicelib.payments import emv
from chalicelib.payments.domain import Method, Payment, PaymentStatus
from chalicelib.payments.emv import Merchant
from chalicelib.payments.providers import cmi, mastercard, payzone

VOUCHER_DIGITS = 10**12


@dataclass(frozen=True, slots=True)
class RedirectForm:
    url: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str


@dataclass(frozen=True, slots=True)
class Qr:
    payload: str


@dataclass(frozen=True, slots=True)
class Voucher:
    code: str
    pay_before: datetime


Action = RedirectForm | Redirect | Qr | Voucher


def action_of(
    payment: Payment, buyer: Buyer, merchant: Merchant = emv.MARKETPLACE
) -> Action | None:
    """The next step of a pending payment; the same payment always gives the same one.

    `merchant` is whom a wallet names, once it has read a code: the artisan at the counter, or else
    the marketplace.
    """
    if payment.status is not PaymentStatus.PENDING:
        return None
    match payment.method:
        case Method.CARD:
            return RedirectForm(settings().cmi_gateway_url, _card_fields(payment, buyer))
        case Method.PAYZONE:
            return RedirectForm(settings().payzone_paywall_url, _payzone_fields(payment, buyer))
        case Method.MASTERCARD:
            return _gateway_page(payment)
        case Method.CASH_VOUCHER:
            return Voucher(_voucher_code(payment.payment_id), payment.expires_at)
        case Method.WALLET_QR:
            return Qr(wallet_code(payment, merchant))
    return Redirect(wallet_page(payment))


def wallet_page(payment: Payment) -> str:
    """Where the wallet's app opens on a phone."""
    return f"{settings().wallet_url}/{payment.payment_id}"


def wallet_code(payment: Payment, merchant: Merchant) -> str:
    """What a wallet reads off a screen: whom it pays, how much, and what to report it under."""
    body = payment.payment_id.partition("_")[2]
    label = body[: emv.MAX_LABEL - 2] + body[-2:]  # an order's, and the number of the payment
    code = emv.code_of(merchant, payment.payment_id, label, payment.amount)
    return emv.payload_of(code)


def _return_url(payment: Payment) -> str:
    return payment.return_url or f"{settings().storefront_url}/orders/{payment.order_id}"


def _gateway_page(payment: Payment) -> Redirect | None:
    """The page that was opened at the gateway; None while there is none."""
    if payment.session_id is None:
        return None
    return Redirect(mastercard.page_url(settings().mastercard_gateway_url, payment.session_id))


def _payzone_fields(payment: Payment, buyer: Buyer) -> dict[str, str]:
    launch = payzone.Launch(
        payment_id=payment.payment_id,
        amount=payment.amount,
        description=f"Maalem {payment.order_id}",
        language=buyer.language,
        started_at=clock.to_ms(payment.created_at) // 1000,
        callback_url=f"{settings().public_url}/v1/payments/callbacks/payzone",
        return_url=_return_url(payment),
    )
    return payzone.launch_fields(
        launch,
        merchant_account=settings().payzone_merchant_account,
        paywall_secret=settings().payzone_paywall_secret,
    )


def _card_fields(payment: Payment, buyer: Buyer) -> dict[str, str]:
    request = cmi.CardRequest(
        payment_id=payment.payment_id,
        amount=payment.amount,
        buyer_name=buyer.name,
        buyer_email=buyer.email,
        language=buyer.language,
        nonce=ids.keyed_id("rnd", settings().signing_secret, payment.payment_id),
    )
    return cmi.request_fields(
        request,
        client_id=settings().cmi_client_id,
        store_key=settings().cmi_store_key,
        callback_url=f"{settings().public_url}/v1/payments/callbacks/cmi",
        return_url=_return_url(payment),
    )


def _voucher_code(payment_id: str) -> str:
    """Twelve digits in threes of four, easy to read out at an agent's counter."""
    key = settings().signing_secret.encode()
    digest = hmac.digest(key, f"voucher:{payment_id}".encode(), "sha256")
    digits = f"{int.from_bytes(digest[:8]) % VOUCHER_DIGITS:012d}"
    return f"{digits[:4]} {digits[4:8]} {digits[8:]}"
