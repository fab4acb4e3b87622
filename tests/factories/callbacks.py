"""Genuine callbacks of the four providers: bytes and headers, signed by any secret; and their post.

What they say is made here and not by the sandbox's bank, so that the two check each other.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.config import settings
from chalicelib.money import Money
from chalicelib.payments.domain import Method
from chalicelib.payments.providers.payzone import callback_signature
from tests.aws import Answered, Api
from tests.factories.payments import FORM, cmi_fields, signed, wallet_event, wallet_headers

JSON = {"Content-Type": "application/json"}
TOTAL = 28_490
METHODS = {
    "cmi": Method.CARD,
    "mastercard": Method.MASTERCARD,
    "payzone": Method.PAYZONE,
    "wallet": Method.WALLET,
}
SECRETS = {
    "cmi": "cmi_store_key",
    "mastercard": "mastercard_notification_secret",
    "payzone": "payzone_notification_key",
    "wallet": "wallet_secret",
}
"""The setting of each provider's secret; the one before it has the same name and `_previous`."""


@dataclass(frozen=True)
class Sent:
    """A request to a provider's address, signed or not."""

    body: bytes
    headers: Mapping[str, str]
    query: str = ""


def a_secret(provider: str, number: int) -> str:
    """One that is not in use yet, of the form that the provider's have."""
    text = f"secret {number:08d} of {provider:>15}"
    return f"whsec_{b64encode(text.encode()).decode()}" if provider == "wallet" else text


def post(api: Api, provider: str, sent: Sent) -> Answered:
    target = f"/v1/payments/callbacks/{provider}{sent.query}"
    return api.post(target, sent.body, headers=sent.headers)


def genuine(provider: str, reference: str, minor: int = TOTAL, secret: str | None = None) -> Sent:
    """A callback that says that a payment was paid, signed by the active secret or by another."""
    key = getattr(settings(), SECRETS[provider]) if secret is None else secret
    if provider == "cmi":
        return Sent(signed(cmi_said(reference, minor), key), FORM)
    if provider == "mastercard":
        return notification(mastercard_said(reference, minor), secret=key)
    if provider == "payzone":
        body = as_json(payzone_said(reference, minor))
        return Sent(body, JSON | {"X-Callback-Signature": callback_signature(body, key)})
    body = as_json(wallet_event(reference, minor))
    return Sent(body, wallet_headers(body, _id_of(body), key or "whsec_"))


def notification(said: Any, event_id: str = "", secret: str | None = None, times: int = 1) -> Sent:
    """Mastercard's: it carries the secret itself, and signs nothing."""
    body = as_json(said)
    known = settings().mastercard_notification_secret
    headers = {
        "X-Notification-Secret": known if secret is None else secret,
        "X-Notification-Id": event_id or _id_of(body),
        "X-Notification-Attempt": str(times),
    }
    return Sent(body, JSON | headers)


def as_json(said: Any) -> bytes:
    return json.dumps(said).encode()


def _id_of(body: bytes) -> str:
    return f"msg_{hashlib.sha256(body).hexdigest()[:24]}"


def cmi_said(reference: str, minor: int = TOTAL, **changes: str) -> dict[str, str]:
    """Fields with what its hash has trouble with: numbers in names, bars, backslashes, blanks."""
    odd = {
        "BillToStreet2": "x|",
        "BillToStreet12": "\\y",
        "BillToCity": "Fès | médina",
        "DIMCRITERIA2": "2",
        "DIMCRITERIA10": "10",
        "EXTRA.TRXDATE": "14/06/2030 19:00:00",
    }
    return cmi_fields(reference, minor, **(odd | changes))


def mastercard_said(reference: str, minor: int = TOTAL, **order: Any) -> dict[str, Any]:
    """A notification in which everything was captured."""
    amount = Money(minor).decimal_text()
    said = {
        "id": reference,
        "amount": amount,
        "currency": "MAD",
        "status": "CAPTURED",
        "totalAuthorizedAmount": amount,
        "totalCapturedAmount": amount,
        "totalRefundedAmount": "0.00",
    }
    return {
        "merchant": settings().mastercard_merchant_id,
        "order": said | order,
        "response": {"gatewayCode": "APPROVED"},
        "result": "SUCCESS",
        "transaction": {"id": "1", "type": "CAPTURE", "amount": amount, "currency": "MAD"},
    }


def payzone_said(reference: str, minor: int = TOTAL, **changes: Any) -> dict[str, Any]:
    taken = {
        "id": "PZ-1",
        "state": "APPROVED",
        "resultCode": 0,
        "gatewayProvidedId": "G-1",
        "amount": minor / 100,
        "currency": "MAD",
    }
    said = {"id": reference, "orderId": reference, "status": "CHARGED", "transactions": [taken]}
    return said | changes
