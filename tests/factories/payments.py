"""Payments for tests, and callbacks as the providers send them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import standard_webhooks
from chalicelib.money import Money
from chalicelib.payments.domain import (
    EventKind,
    Method,
    Payment,
    PaymentStatus,
    Provider,
    ProviderEvent,
    ShareTerms,
)
from chalicelib.payments.providers.cmi import ver3_hash
from tests.aws import Answered, Api
from tests.factories.orders import ORDER_ID, OWNER

CREATED_AT = datetime(2030, 6, 14, 19, tzinfo=UTC)
CMI_PATH = "/v1/payments/callbacks/cmi"
WALLET_PATH = "/v1/payments/callbacks/wallet"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def a_payment(**changes: Any) -> Payment:
    content: dict[str, Any] = {
        "payment_id": f"pay_{ORDER_ID[4:]}01",
        "order_id": ORDER_ID,
        "method": Method.CARD,
        "provider": Provider.CMI,
        "status": PaymentStatus.PENDING,
        "amount": Money(28_490),
        "shares": (ShareTerms("prc_1", OWNER, 24_990, 3_500, 1_000, 175, 2_000),),
        "created_at": CREATED_AT,
        "expires_at": CREATED_AT + timedelta(minutes=15),
    }
    return Payment(**(content | changes))


def an_event(**changes: Any) -> ProviderEvent:
    content: dict[str, Any] = {
        "key": "cmi#1",
        "provider": Provider.CMI,
        "kind": EventKind.SUCCEEDED,
        "reference": f"pay_{ORDER_ID[4:]}01",
        "provider_reference": "T1",
        "amount": Money(28_490),
        "occurred_at": "",
    }
    return ProviderEvent(**(content | changes))


def cmi_fields(payment_id: str, amount_minor: int = 28_490, **changes: str) -> dict[str, str]:
    """A callback's fields before they are signed; `EXTRA.…` names go in through `changes`."""
    fields = {
        "oid": payment_id,
        "ReturnOid": payment_id,
        "clientid": settings().cmi_client_id,
        "amount": Money(amount_minor).decimal_text(),
        "currency": "504",
        "ProcReturnCode": "00",
        "Response": "Approved",
        "TransId": "T-1",
        "AuthCode": "123456",
        "mdStatus": "1",
        "MaskedPan": "4000 00** **** 0001",
        "ErrMsg": "",
        "rnd": "r1",
        "hashAlgorithm": "ver3",
        "encoding": "UTF-8",
        "storetype": "3D_PAY_HOSTING",
    }
    return fields | changes


def signed(fields: Mapping[str, str], store_key: str | None = None) -> bytes:
    """A callback's form body with its hash."""
    key = settings().cmi_store_key if store_key is None else store_key
    genuine = ver3_hash(fields, key)
    return urlencode({**fields, "HASH": genuine}).encode()


def cmi_body(payment_id: str, amount_minor: int = 28_490, **changes: str) -> bytes:
    return signed(cmi_fields(payment_id, amount_minor, **changes))


def post_cmi(api: Api, body: bytes) -> Answered:
    return api.post(CMI_PATH, body, headers=FORM)


def wallet_event(reference: str, amount_minor: int = 28_490, **changes: Any) -> dict[str, Any]:
    content = {
        "type": "payment.succeeded",
        "reference": reference,
        "provider_reference": "W-1",
        "amount": {"amount_minor": amount_minor, "currency": "MAD"},
        "occurred_at": "2030-06-14T19:00:00Z",
    }
    return content | changes


def wallet_headers(
    body: bytes, event_id: str = "msg_1", secret: str | None = None, late_seconds: int = 0
) -> dict[str, str]:
    timestamp = int(clock.outside_now().timestamp()) - late_seconds
    signature = standard_webhooks.sign(
        secret or settings().wallet_secret, event_id, timestamp, body
    )
    return {
        "Content-Type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }


def post_wallet(api: Api, event: Mapping[str, Any], event_id: str = "msg_1") -> Answered:
    body = json.dumps(event).encode()
    return api.post(WALLET_PATH, body, headers=wallet_headers(body, event_id))
