"""Payzone's paywall: the launch form, its callback, and the status of a charge.

Source: public merchants that agree with each other on form and callback; Payzone publishes no
specification. Unverified: the status call and how it is signed, which one public code base shows;
that a charge keeps the id that we gave it. No public merchant shows a refund that can be relied on,
so refunds are an operator's task.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from chalicelib.edge.outbound import OutcomeUnknown, Request, Response
from chalicelib.money import Money
from chalicelib.payments.domain import EventKind, Provider, ProviderEvent
from chalicelib.payments.providers.answers import (
    JSON,
    decided_object_of,
    is_absent,
    is_one_of,
    money_from,
    read_object,
    text_at,
)
from chalicelib.payments.reports import Report, ReportState

SKIN = "vps-1-vue"
COUNTRY = "MA"
_LOCALES = {"ar": "ar_MA", "fr": "fr_FR", "en": "en_US", "zgh": "fr_FR"}
REFUSALS = frozenset({"DECLINED", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class Launch:
    """What the buyer's browser takes to the paywall. `started_at`: seconds since 1970."""

    payment_id: str
    amount: Money
    description: str
    language: str
    started_at: int
    callback_url: str
    return_url: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks about charges, at an address such as `https://host/api/v3`."""

    api_url: str
    merchant_account: str
    name: str
    password: str = field(repr=False)


def launch_fields(launch: Launch, *, merchant_account: str, paywall_secret: str) -> dict[str, str]:
    """The two form fields. The same launch always gives the same ones.

    Charge and order have our payment's id, so that whichever is repeated to us names the payment.
    """
    content = {
        "merchantAccount": merchant_account,
        "timestamp": launch.started_at,
        "skin": SKIN,
        "customerId": launch.payment_id,  # No person needs to be known there.
        "customerCountry": COUNTRY,
        "customerLocale": _LOCALES.get(launch.language, "fr_FR"),
        "chargeId": launch.payment_id,
        "orderId": launch.payment_id,
        "price": launch.amount.decimal_text(),
        "currency": launch.amount.currency,
        "description": launch.description,
        "mode": "DEEP_LINK",
        "paymentMethod": "CREDIT_CARD",
        "callbackUrl": launch.callback_url,
        "successUrl": launch.return_url,
        "failureUrl": launch.return_url,
        "cancelUrl": launch.return_url,
    }
    payload = json.dumps(content, separators=(",", ":"))
    return {"payload": payload, "signature": payload_signature(payload, paywall_secret)}


def payload_signature(payload: str, paywall_secret: str) -> str:
    """Hex of SHA-256 over the secret and the payload as it is posted."""
    return hashlib.sha256((paywall_secret + payload).encode()).hexdigest()


def callback_signature(raw_body: bytes, notification_key: str) -> str:
    """`X-Callback-Signature`: hex of HMAC-SHA256 over the raw body."""
    return hmac.digest(notification_key.encode(), raw_body, "sha256").hex()


def read_callback(
    raw_body: bytes, headers: Mapping[str, str], notification_keys: Sequence[str]
) -> ProviderEvent | None:
    """A genuine callback in our words; None when no active key has signed these very bytes.

    Only CHARGED with one approved transaction is money, only DECLINED, FAILED and CANCELLED are a
    refusal; whatever else it says is a reason to ask. `headers` has lower-case names.
    """
    expected = [callback_signature(raw_body, key) for key in notification_keys if key]
    if not is_one_of(headers.get("x-callback-signature", "").lower(), expected):
        return None
    charge = _charge_in(read_object(raw_body) or {})
    status, approved = text_at(charge, "status"), _approved_in(charge)
    kind = EventKind.NOTIFIED
    if status == "CHARGED" and approved:
        kind = EventKind.SUCCEEDED
    elif status in REFUSALS:
        kind = EventKind.FAILED
    return ProviderEvent(
        key=f"payzone#{hashlib.sha256(raw_body).hexdigest()}",
        provider=Provider.PAYZONE,
        kind=kind,
        reference=_reference_in(charge)[:64] or "none",
        provider_reference=text_at(charge, "id")[:100],
        amount=_amount_of(approved) if kind is EventKind.SUCCEEDED else None,
        occurred_at="",
        reason=None if kind is EventKind.SUCCEEDED else f"status {status[:20].lower()}",
    )


def charge_request(caller: Caller, payment_id: str, asked_at: int) -> Request:
    """Asks about a charge; `asked_at` in seconds since 1970, by a clock that nobody moves.

    The caller's name, the account, the time, the path and the (empty) body are signed.
    """
    url = f"{caller.api_url}/charges/{quote(payment_id, safe='')}"
    signed = f"{caller.name}{caller.merchant_account}{asked_at}{urlsplit(url).path}"
    signature = hmac.digest(caller.password.encode(), signed.encode(), "sha256").hex().upper()
    headers = {
        "Accept": JSON,
        "X-MerchantAccount": caller.merchant_account,
        "X-CallerName": caller.name,
        "X-HMAC-Timestamp": str(asked_at),
        "X-HMAC-Signature": signature,
    }
    return Request("GET", url, headers, repeatable=True)


def read_charge(response: Response, payment_id: str) -> Report:
    """Where a charge stands.

    Raises:
        OutcomeUnknown: it is no answer about this charge, or a status that we do not know.
    """
    if is_absent(response):
        return Report(ReportState.ABSENT)
    charge = _charge_in(decided_object_of(response))
    if payment_id not in (text_at(charge, "id"), text_at(charge, "orderId")):
        raise OutcomeUnknown("an answer about another charge")
    status, approved = text_at(charge, "status"), _approved_in(charge)
    reference = text_at(charge, "id")[:100]
    if status == "CHARGED" and approved:
        return Report(ReportState.CAPTURED, reference, _amount_of(approved))
    if status in REFUSALS:
        return Report(ReportState.FAILED, reference, reason=f"status {status.lower()}")
    if status == "PENDING":
        return Report(ReportState.PENDING, reference)
    raise OutcomeUnknown("a charge in a status that we do not know")


def _charge_in(body: dict[str, Any]) -> dict[str, Any]:
    inside = body.get("charge")  # One public code base has seen the status so wrapped.
    return inside if isinstance(inside, dict) else body


def _reference_in(charge: Mapping[str, Any]) -> str:
    named = [text_at(charge, "orderId"), text_at(charge, "id")]
    ours = [name for name in named if name.startswith("pay_")]
    return next(iter([*ours, *filter(None, named)]), "")


def _approved_in(charge: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = charge.get("transactions")
    return [
        each
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
        and text_at(each, "state") == "APPROVED"
        and text_at(each, "resultCode") == "0"
    ]


def _amount_of(approved: Sequence[Mapping[str, Any]]) -> Money | None:
    """What was taken; None, which pays nothing, when it was taken more than once."""
    if len(approved) != 1:
        return None
    return money_from(text_at(approved[0], "amount"), text_at(approved[0], "currency"))
