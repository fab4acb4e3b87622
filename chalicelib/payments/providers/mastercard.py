"""Mastercard Gateway, Hosted Checkout (REST-JSON, version 100): requests, answers, notifications.

Sources: developer.mastercard.com/mastercard-gateway and its public modules. We choose the ids of
orders and transactions, so they make every operation happen once. A notification carries a shared
secret and no signature: it is a reason to retrieve the order and nothing of it is believed.

Unverified, for want of an account at the gateway: the words of an error for an unknown order, and
whether a transaction that is sent again answers as the first time or with an error; both are read.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from chalicelib import ids
from chalicelib.edge.outbound import OutcomeUnknown, Request, Response
from chalicelib.money import Money
from chalicelib.payments.domain import EventKind, Provider, ProviderEvent
from chalicelib.payments.providers.answers import (
    JSON,
    decided_object_of,
    is_absent,
    is_one_of,
    money_from,
    object_of,
    read_object,
    text_at,
)
from chalicelib.payments.reports import RefundReport, RefundState, Report, ReportState

API_VERSION = 100
CHECKOUT_VERSION = "1.0.0"
MAX_ID = 40  # of orders and transactions
MAX_EVENT_ID = 100
_LOCALES = {"ar": "ar", "fr": "fr", "en": "en", "zgh": "fr"}

STATES: dict[str, ReportState] = {
    "INITIATED": ReportState.PENDING,
    "AUTHENTICATION_INITIATED": ReportState.PENDING,
    "AUTHENTICATED": ReportState.PENDING,
    "AUTHENTICATION_NOT_NEEDED": ReportState.PENDING,
    "PENDING": ReportState.PENDING,
    "AUTHENTICATION_UNSUCCESSFUL": ReportState.FAILED,
    "FAILED": ReportState.FAILED,
    "DECLINED": ReportState.FAILED,
    "AUTHORIZED": ReportState.AUTHORIZED,
    "PARTIALLY_CAPTURED": ReportState.CAPTURED,  # of another amount: for an operator to look at
    "CAPTURED": ReportState.CAPTURED,
    "REFUND_REQUESTED": ReportState.CAPTURED,
    "PARTIALLY_REFUNDED": ReportState.CAPTURED,
    "REFUNDED": ReportState.CAPTURED,
    "EXCESSIVELY_REFUNDED": ReportState.CAPTURED,
    "DISPUTED": ReportState.CAPTURED,
    "CHARGEBACK_PROCESSED": ReportState.CAPTURED,
    "CANCELLED": ReportState.VOIDED,
    "VOIDED": ReportState.VOIDED,
}
"""What an order's status means. One that is not here (FUNDING, VERIFIED, …) moves nothing."""
DISPUTES = {"DISPUTED": "opened", "CHARGEBACK_PROCESSED": "lost"}
APPROVED = frozenset({"APPROVED", "APPROVED_AUTO"})
REFUSED = frozenset(
    {
        "ABORTED", "AUTHENTICATION_FAILED", "BLOCKED", "CANCELLED", "DECLINED", "DECLINED_AVS",
        "DECLINED_AVS_CSC", "DECLINED_CSC", "DECLINED_DO_NOT_CONTACT", "DECLINED_INVALID_PIN",
        "DECLINED_PAYMENT_PLAN", "DECLINED_PIN_REQUIRED", "EXCEEDED_RETRY_LIMIT", "EXPIRED_CARD",
        "INSUFFICIENT_FUNDS", "INVALID_CSC", "LOCK_FAILURE", "NOT_ENROLLED_3D_SECURE",
        "NOT_SUPPORTED", "REFERRED",
    }
)  # fmt: skip
"""Gateway codes that are an end; TIMED_OUT, SUBMITTED, SYSTEM_ERROR and whatever is new are not."""
REJECTIONS = frozenset({"INVALID_REQUEST", "REQUEST_REJECTED"})
_NOT_FOUND = ("not found", "unable to find", "does not exist", "no such", "cannot find")


@dataclass(frozen=True, slots=True)
class Merchant:
    """Whose account it is, and at which gateway (an address without a path)."""

    gateway_url: str
    merchant_id: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A payment page to be opened. `attempts_allowed`: after so many the buyer is sent back."""

    payment_id: str
    amount: Money
    description: str
    language: str
    return_url: str
    notification_url: str
    attempts_allowed: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """An opened payment page. `success_indicator` is a secret between the gateway and us."""

    url: str
    session_id: str
    success_indicator: str = field(repr=False)


def session_request(merchant: Merchant, checkout: Checkout) -> Request:
    """INITIATE_CHECKOUT: opened twice, the first page is one that nobody is sent to."""
    interaction: dict[str, Any] = {
        "operation": "AUTHORIZE",
        "merchant": {"name": "Maalem"},
        "locale": _LOCALES.get(checkout.language, "fr"),
        "returnUrl": checkout.return_url,
    }
    if checkout.attempts_allowed is not None:  # Both or nothing.
        interaction["redirectMerchantUrl"] = checkout.return_url
        interaction["retryAttemptCount"] = checkout.attempts_allowed
    content = {
        "apiOperation": "INITIATE_CHECKOUT",
        "interaction": interaction,
        "order": {
            "id": _own_id(checkout.payment_id),
            "amount": checkout.amount.decimal_text(),
            "currency": checkout.amount.currency,
            "description": checkout.description,
            "notificationUrl": checkout.notification_url,
        },
    }
    return _request(merchant, "POST", "session", content, repeatable=True)


def read_session(response: Response, merchant: Merchant) -> Session:
    """Raises OutcomeUnknown when no page was opened; no money moves by opening one."""
    body = decided_object_of(response)
    session_id = text_at(body, "session", "id")
    indicator = text_at(body, "successIndicator")
    if text_at(body, "result") != "SUCCESS" or not session_id or not indicator:
        raise OutcomeUnknown("no session was opened")
    return Session(page_url(merchant.gateway_url, session_id), session_id, indicator)


def page_url(gateway_url: str, session_id: str) -> str:
    """Where the buyer is sent to."""
    page = f"{gateway_url}/checkout/pay/{quote(session_id, safe='')}"
    return f"{page}?checkoutVersion={CHECKOUT_VERSION}"


def is_success(result_indicator: str, success_indicator: str | None) -> bool:
    """Whether the buyer came back from a success: for what they are shown, never for money."""
    return is_one_of(result_indicator, [success_indicator or ""])


def order_request(merchant: Merchant, payment_id: str) -> Request:
    return _request(merchant, "GET", _order_path(payment_id), repeatable=True)


def read_order(response: Response, payment_id: str) -> Report:
    """Where an order stands. ABSENT before the buyer has tried: a session alone makes no order.

    Raises:
        OutcomeUnknown: it is no answer about this order, or a status that we do not know.
    """
    if _is_unknown_thing(response):
        return Report(ReportState.ABSENT)
    order = _order_in(decided_object_of(response))
    status = text_at(order, "status")
    if text_at(order, "id") != payment_id or status not in STATES:
        raise OutcomeUnknown("no order of ours in a status that we know")
    state, currency = STATES[status], text_at(order, "currency")
    totals = {
        ReportState.AUTHORIZED: "totalAuthorizedAmount",
        ReportState.CAPTURED: "totalCapturedAmount",
    }
    refunded = money_from(text_at(order, "totalRefundedAmount") or "0", currency)
    if state is ReportState.CAPTURED and refunded is None:
        raise OutcomeUnknown("what was refunded cannot be read")
    return Report(
        state=state,
        provider_reference=payment_id,
        amount=money_from(text_at(order, totals.get(state, "")), currency),
        refunded_minor=refunded.amount_minor if refunded else 0,
        dispute=DISPUTES.get(status),
        reason=status.lower(),
    )


def authorization_in(response: Response) -> str:
    """The id of the transaction that reserved the money, out of a retrieved order; or empty."""
    listed = object_of(response).get("transaction")
    for each in listed if isinstance(listed, list) else []:
        said = each if isinstance(each, dict) else {}
        kind = (text_at(said, "result"), text_at(said, "transaction", "type"))
        if kind == ("SUCCESS", "AUTHORIZATION"):
            return text_at(said, "transaction", "id")
    return ""


def capture_id(payment_id: str) -> str:
    return f"capture-{payment_id}"


def void_id(payment_id: str) -> str:
    return f"void-{payment_id}"


def capture_request(merchant: Merchant, payment_id: str, amount: Money) -> Request:
    content = {"apiOperation": "CAPTURE", "transaction": _amount(amount)}
    return _operation(merchant, payment_id, capture_id(payment_id), content)


def void_request(merchant: Merchant, payment_id: str, authorization: str) -> Request:
    """VOID lets go of what `authorization` has reserved; empty: of the order's only one."""
    target = {"targetTransactionId": authorization} if authorization else {}
    content = {"apiOperation": "VOID", "transaction": target}
    return _operation(merchant, payment_id, void_id(payment_id), content)


def refund_request(merchant: Merchant, payment_id: str, reference: str, amount: Money) -> Request:
    content = {"apiOperation": "REFUND", "transaction": _amount(amount)}
    return _operation(merchant, payment_id, reference, content)


def transaction_request(merchant: Merchant, payment_id: str, transaction_id: str) -> Request:
    """Asks what became of one transaction, by our id."""
    path = f"{_order_path(payment_id)}/transaction/{_segment(transaction_id)}"
    return _request(merchant, "GET", path, repeatable=True)


def read_transaction(
    response: Response, payment_id: str, transaction_id: str
) -> RefundReport | None:
    """What became of a capture, void or refund; None when the gateway would not take the request.

    None is no refusal yet: it is also said of a transaction that is there already. Ask for it.

    Raises:
        OutcomeUnknown: it is no answer about this transaction.
    """
    if _is_unknown_thing(response):
        return RefundReport(RefundState.ABSENT)
    if 400 <= response.status < 500 and _cause(response) in REJECTIONS:
        return None
    body = decided_object_of(response)
    named = (text_at(body, "order", "id"), text_at(body, "transaction", "id"))
    if named != (payment_id, transaction_id):
        raise OutcomeUnknown("an answer about another transaction")
    result, code = text_at(body, "result"), text_at(body, "response", "gatewayCode")
    receipt = text_at(body, "transaction", "receipt") or transaction_id
    reason = f"gateway code {code[:40] or 'missing'}"
    if result == "SUCCESS" and code in APPROVED:
        return RefundReport(RefundState.DONE, receipt[:100])
    if result == "FAILURE" and code in REFUSED:
        return RefundReport(RefundState.REFUSED, receipt[:100], reason)
    return RefundReport(RefundState.PENDING, receipt[:100], reason)


def read_notification(
    raw_body: bytes, headers: Mapping[str, str], secrets: Sequence[str]
) -> ProviderEvent | None:
    """A genuine notification in our words; None when its secret is none of the active ones.

    `headers` has lower-case names. The same notification has the same key each time it comes.
    """
    if not is_one_of(headers.get("x-notification-secret", ""), secrets):
        return None
    event_id = headers.get("x-notification-id", "") or hashlib.sha256(raw_body).hexdigest()
    if len(event_id) > MAX_EVENT_ID:
        event_id = ids.fingerprint(event_id)
    body = read_object(raw_body) or {}
    return ProviderEvent(
        key=f"mastercard#{event_id}",
        provider=Provider.MASTERCARD,
        kind=EventKind.NOTIFIED,
        reference=text_at(_order_in(body), "id")[:64] or "none",
        provider_reference="",
        amount=None,
        occurred_at="",
    )


def _order_in(body: dict[str, Any]) -> Mapping[str, Any]:
    # A retrieved order is the body itself; a transaction has its order inside.
    inside = body.get("order")
    return inside if isinstance(inside, dict) else body


def _cause(response: Response) -> str:
    body = read_object(response.body) or {}
    return text_at(body, "error", "cause") if text_at(body, "result") == "ERROR" else ""


def _is_unknown_thing(response: Response) -> bool:
    """True when the gateway says that it knows no such order or transaction."""
    if is_absent(response):
        return True
    if response.status != 400 or _cause(response) != "INVALID_REQUEST":
        return False
    said = text_at(read_object(response.body) or {}, "error", "explanation").lower()
    return any(words in said for words in _NOT_FOUND)


def _operation(
    merchant: Merchant, payment_id: str, transaction_id: str, content: Mapping[str, Any]
) -> Request:
    # Not repeated blindly, though our id makes it harmless: the transaction is asked for first.
    path = f"{_order_path(payment_id)}/transaction/{_segment(transaction_id)}"
    return _request(merchant, "PUT", path, content)


def _request(
    merchant: Merchant,
    method: str,
    path: str,
    content: Mapping[str, Any] | None = None,
    repeatable: bool = False,
) -> Request:
    base = f"{merchant.gateway_url}/api/rest/version/{API_VERSION}"
    credentials = f"merchant.{merchant.merchant_id}:{merchant.password}".encode()
    headers = {
        "Authorization": f"Basic {base64.b64encode(credentials).decode('ascii')}",
        "Accept": JSON,
    }
    if content is not None:
        headers["Content-Type"] = JSON
    return Request(
        method=method,
        url=f"{base}/merchant/{quote(merchant.merchant_id, safe='')}/{path}",
        headers=headers,
        body=b"" if content is None else json.dumps(content, separators=(",", ":")).encode(),
        repeatable=repeatable,
    )


def _order_path(payment_id: str) -> str:
    return f"order/{_segment(payment_id)}"


def _segment(identifier: str) -> str:
    return quote(_own_id(identifier), safe="")


def _own_id(identifier: str) -> str:
    assert 0 < len(identifier) <= MAX_ID, "the gateway takes ids of 1 to 40 characters"
    return identifier


def _amount(amount: Money) -> dict[str, str]:
    return {"amount": amount.decimal_text(), "currency": amount.currency}
