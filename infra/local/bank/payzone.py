"""Payzone's paywall: a signed payload in, a signed callback out, and charges to ask about."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlsplit

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.money import from_decimal_text
from infra.local.bank.accounts import BankRefusal, Books, Charge, State, Try
from infra.local.bank.callbacks import Callback, Sent, callback_url, is_ours
from infra.local.bank.dialect import (
    Takes,
    callback_name,
    decimal_text,
    form_of,
    is_same,
    json_answer,
    json_of,
)
from infra.local.gateway import HttpAnswer, HttpRequest, problem

TOLERANCE_SECONDS = 300
FORGERS_KEY = "not-the-notification-key"
STATUS = {State.PENDING: "PENDING", State.FAILED: "DECLINED", State.CAPTURED: "CHARGED"}


class Payzone:
    """Takes the money at once; refunds and disputes are its own operators' business."""

    name = "payzone"

    def __init__(self, books: Books) -> None:
        self._books = books

    def open(self, request: HttpRequest) -> Charge | HttpAnswer:
        """What the buyer's browser posts to the paywall: `payload`, and `signature` over it."""
        fields = form_of(request)
        payload = fields.get("payload", "")
        secret = settings().payzone_paywall_secret
        expected = hashlib.sha256(f"{secret}{payload}".encode()).hexdigest()
        if not is_same(fields.get("signature", ""), expected):
            return problem(400, "bad_signature", "The signature is not that of this payload.")
        asked = json_of(payload) or {}
        amount = from_decimal_text(str(asked.get("price", "")))
        if asked.get("merchantAccount") != settings().payzone_merchant_account:
            return problem(400, "bad_client", "There is no such merchant.")
        if amount is None or asked.get("currency") != "MAD":
            return problem(400, "bad_amount", "The price is not one in MAD.")
        if not is_ours(str(asked.get("callbackUrl", ""))):
            return problem(400, "bad_address", "callbackUrl is not the platform's.")
        return self._opened(asked, amount.amount_minor)

    def _opened(self, asked: dict[str, Any], due_minor: int) -> Charge | HttpAnswer:
        charge = Charge(
            str(asked.get("chargeId", "")),
            self.name,
            due_minor,
            order_id=str(asked.get("orderId", "")),
            callback_url=str(asked.get("callbackUrl", "")),
            return_url=str(asked.get("successUrl", "")),
            fail_url=str(asked.get("failureUrl", "")),
            language=str(asked.get("customerLocale", ""))[:2],
        )
        try:
            return self._books.open(charge)
        except BankRefusal as refusal:
            return problem(400, "bad_order", str(refusal))

    def takes(self, charge: Charge) -> Takes:
        return Takes.AT_ONCE

    def captures(self, sent: Sent) -> bool:
        return False

    def return_url(self, charge: Charge) -> str:
        return charge.fail_url if charge.state is State.FAILED else charge.return_url

    def callbacks(self, charge: Charge, made: Try, *, forged: bool = False) -> list[Callback]:
        body = json.dumps(_told(charge, made, STATUS[made.state])).encode()
        key = FORGERS_KEY if forged else settings().payzone_notification_key
        signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        return [
            Callback(
                callback_name("payzone callback", made, charge, forged),
                callback_url(self.name, charge.callback_url),
                {"Content-Type": "application/json", "X-Callback-Signature": signature},
                body,
            )
        ]

    def dispute_callbacks(self, charge: Charge) -> list[Callback]:
        return []

    def answer(self, request: HttpRequest, path: str) -> HttpAnswer:
        """`GET api/v3/charges/{id}`."""
        kind, _, reference = path.rpartition("/")
        if kind != "api/v3/charges" or request.method != "GET":
            return problem(404, "not_found", "Payzone has nothing at this address.")
        if not _is_callers(request):
            return problem(401, "unauthorized", "X-HMAC-Signature is not that of a caller.")
        charge = self._books.find(reference, self.name)
        if charge is None:
            return problem(404, "not_found", "There is no such charge.")
        state = self._books.asked(charge)
        made = charge.latest if state is not State.PENDING else None
        return json_answer(_told(charge, made, STATUS.get(state, "CANCELLED")))


def _is_callers(request: HttpRequest) -> bool:
    """Whether a caller that is known has signed this question, within five minutes."""
    given = settings()
    asked_at = request.header("x-hmac-timestamp")
    if not (asked_at.isascii() and asked_at.isdigit() and len(asked_at) <= 12):
        return False
    if abs(int(clock.outside_now().timestamp()) - int(asked_at)) > TOLERANCE_SECONDS:
        return False
    # The path as the caller knows it, whatever stands before the bank.
    path = urlsplit(given.payzone_api_url).path + request.path.partition("/api/v3")[2]
    signed = f"{given.payzone_caller_name}{given.payzone_merchant_account}{asked_at}{path}"
    key = given.payzone_caller_password.encode()
    expected = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest().upper()
    return is_same(request.header("x-hmac-signature"), expected)


def _told(charge: Charge, made: Try | None, status: str) -> dict[str, Any]:
    """A charge as the callback and the status API tell it; amounts in dirhams, as numbers."""
    tried = [] if made is None else [made]
    if made in charge.tries:
        tried = charge.tries[: charge.tries.index(made) + 1]  # Earlier refusals are told again.
    return {
        "id": charge.reference,
        "internalId": f"PZ{hashlib.sha256(charge.reference.encode()).hexdigest()[:16]}",
        "orderId": charge.order_id or charge.reference,
        "merchantAccount": settings().payzone_merchant_account,
        "status": status,
        "lineItem": {"amount": float(decimal_text(charge.due_minor)), "currency": "MAD"},
        "transactions": [_transaction(each) for each in tried],
    }


def _transaction(made: Try) -> dict[str, Any]:
    declined = made.state is State.FAILED
    return {
        "id": made.provider_reference,
        "type": "CHARGE",
        "state": "DECLINED" if declined else "APPROVED",
        "resultCode": 51 if declined else 0,
        "gatewayProvidedId": made.provider_reference,
        "amount": float(decimal_text(made.amount_minor)),
        "currency": made.currency,
    }
