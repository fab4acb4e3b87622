"""The sandbox provider: signs and sends the callbacks that a real provider would send."""

import hashlib
import http.client
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode, urlsplit

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import standard_webhooks
from chalicelib.payments.providers.cmi import ver3_hash

CALLBACK_SECONDS = 30


class Outcome(StrEnum):
    """What a buyer, or a provider on a bad day, may do. Each is a button on the payment page."""

    PAY = "pay"
    DECLINE = "decline"
    DECLINE_THEN_PAY = "decline_then_pay"
    PAY_TWICE = "pay_twice"
    WRONG_AMOUNT = "wrong_amount"
    FORGED = "forged"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be paid. `provider` is `cmi` or `wallet`; amounts in centimes."""

    payment_id: str
    order_id: str
    amount_minor: int
    provider: str
    status: str = "pending"
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A callback that was sent, and what the platform answered."""

    what: str
    status: int
    answer: str


@dataclass(frozen=True, slots=True)
class _Callback:
    what: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def play(outcome: Outcome, due: Due) -> list[Sent]:
    """Send what the provider sends in this outcome, over HTTP to our own address."""
    make = _cmi if due.provider == "cmi" else _wallet
    paid = make(due, approved=True)
    if outcome is Outcome.DECLINE:
        callbacks = [make(due, approved=False)]
    elif outcome is Outcome.DECLINE_THEN_PAY:
        callbacks = [make(due, approved=False), paid]
    elif outcome is Outcome.PAY_TWICE:
        callbacks = [paid, paid]
    elif outcome is Outcome.WRONG_AMOUNT:
        callbacks = [make(due, approved=True, amount_minor=due.amount_minor - 100)]
    elif outcome is Outcome.FORGED:
        callbacks = [make(due, approved=True, forged=True)]
    else:
        callbacks = [paid]
    return [_send(callback) for callback in callbacks]


def decimal_text(amount_minor: int) -> str:
    """Centimes as CMI writes them: 24990 is 249.90."""
    whole, centimes = divmod(amount_minor, 100)
    return f"{whole}.{centimes:02d}"


def _cmi(
    due: Due, *, approved: bool, amount_minor: int | None = None, forged: bool = False
) -> _Callback:
    reference = secrets.token_hex(8)
    amount = due.amount_minor if amount_minor is None else amount_minor
    fields = {
        "oid": due.payment_id,
        "ReturnOid": due.payment_id,
        "clientid": settings().cmi_client_id,
        "amount": decimal_text(amount),
        "currency": "504",
        "TransId": f"SB{reference}",
        "ProcReturnCode": "00" if approved else "51",
        "Response": "Approved" if approved else "Declined",
        "AuthCode": reference[:6] if approved else "",
        "HostRefNum": reference[:12],
        "ErrMsg": "" if approved else "Insufficient funds (sandbox)",
        "mdStatus": "1",
        "MaskedPan": "4000 00** **** 0002",
        "EXTRA.CARDBRAND": "VISA",
        "EXTRA.TRXDATE": clock.outside_now().strftime("%d/%m/%Y %H:%M:%S"),
        "storetype": "3D_PAY_HOSTING",
        "TranType": "PreAuth",
        "callbackCall": "true",
        "rnd": secrets.token_hex(10),
        "hashAlgorithm": "ver3",
        "encoding": "UTF-8",
        "lang": "fr",
    }
    key = "NOT-THE-STORE-KEY" if forged else settings().cmi_store_key
    fields["HASH"] = ver3_hash(fields, key)
    return _Callback(
        _named("card", approved, amount != due.amount_minor, forged),
        "/v1/payments/callbacks/cmi",
        {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode(fields).encode(),
    )


def _wallet(
    due: Due, *, approved: bool, amount_minor: int | None = None, forged: bool = False
) -> _Callback:
    amount = due.amount_minor if amount_minor is None else amount_minor
    event: dict[str, Any] = {
        "type": "payment.succeeded" if approved else "payment.failed",
        "reference": due.payment_id,
        "provider_reference": f"SB{secrets.token_hex(8)}",
        "amount": {"amount_minor": amount, "currency": "MAD"},
        "occurred_at": clock.to_text(clock.outside_now()),
    }
    if not approved:
        event["reason"] = "insufficient_funds"
    body = json.dumps(event).encode()
    identifier = f"msg_{hashlib.sha256(body).hexdigest()[:24]}"
    timestamp = int(clock.outside_now().timestamp())
    secret = "whsec_" + "Rm9yZ2VkRm9yZ2VkRm9yZ2VkRm9yZ2Vk" if forged else settings().wallet_secret
    return _Callback(
        _named("wallet", approved, amount != due.amount_minor, forged),
        "/v1/payments/callbacks/wallet",
        {
            "Content-Type": "application/json",
            "webhook-id": identifier,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": standard_webhooks.sign(secret, identifier, timestamp, body),
        },
        body,
    )


def _named(provider: str, approved: bool, wrong_amount: bool, forged: bool) -> str:
    said = "approved" if approved else "declined"
    extra = " with another amount" * wrong_amount + ", signed with a wrong key" * forged
    return f"{provider} callback: {said}{extra}"


def _send(callback: _Callback) -> Sent:
    address = urlsplit(settings().public_url)
    connection = http.client.HTTPConnection(
        address.hostname or "127.0.0.1", address.port, timeout=CALLBACK_SECONDS
    )
    try:
        connection.request("POST", callback.path, callback.body, dict(callback.headers))
        answer = connection.getresponse()
        return Sent(callback.what, answer.status, answer.read().decode("utf-8", "replace"))
    finally:
        connection.close()
