"""The mobile wallet and cash vouchers: our neutral contract, until M2T's own is known."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import standard_webhooks
from infra.local.bank.accounts import BankRefusal, Books, Charge, Refund, State, Try
from infra.local.bank.callbacks import Callback, Sent, callback_url
from infra.local.bank.dialect import Step, Takes, callback_name, is_same, json_answer, json_of
from infra.local.bank.payouts import Payouts
from infra.local.gateway import AnswerLost, HttpAnswer, HttpRequest, problem

FORGERS_SECRET = "whsec_Rm9yZ2VkRm9yZ2VkRm9yZ2VkRm9yZ2Vk"
STATES = {State.PENDING: "pending", State.CAPTURED: "succeeded"}  # The others failed.


class Wallet:
    """Takes the money at once, and gives it back when asked under the platform's own reference."""

    name = "wallet"

    def __init__(
        self, books: Books, defer: Callable[[Step], None], *, pays_by_itself: bool
    ) -> None:
        self._books = books
        self.payouts = Payouts(_signed, defer, pays_by_itself=pays_by_itself)
        self._unheard: set[str] = set()  # refunds whose answer is lost until they are asked about

    def takes(self, charge: Charge) -> Takes:
        return Takes.AT_ONCE

    def captures(self, sent: Sent) -> bool:
        return False

    def return_url(self, charge: Charge) -> str:
        return charge.return_url

    def callbacks(self, charge: Charge, made: Try, *, forged: bool = False) -> list[Callback]:
        approved = made.state is not State.FAILED
        event = _event("payment.succeeded" if approved else "payment.failed", charge, made)
        if not approved:
            event["reason"] = "insufficient_funds"
        return [_signed(callback_name("wallet callback", made, charge, forged), event, forged)]

    def dispute_callbacks(self, charge: Charge) -> list[Callback]:
        made = charge.paid_by
        if made is None:
            return []
        event = _event("payment.disputed", charge, made) | {"reason": charge.dispute}
        return [_signed(f"wallet callback: dispute {charge.dispute}", event)]

    def answer(self, request: HttpRequest, path: str) -> HttpAnswer:
        """`GET payments/{reference}`, `PUT` and `GET` of refunds and payouts, below `api/`."""
        wanted = f"Bearer {settings().wallet_api_key}"
        if not is_same(request.header("authorization"), wanted):
            return problem(401, "unauthorized", "Give the wallet's key as a bearer token.")
        kind, _, reference = path.removeprefix("api/").partition("/")
        if kind == "payments" and request.method == "GET":
            return self._payment(reference)
        if kind == "payouts":
            return self.payouts.answer(request, reference)
        if kind == "refunds" and request.method == "GET":
            return self._refund(reference)
        if kind == "refunds" and request.method == "PUT":
            return self._give_back(request, reference)
        return problem(404, "not_found", "The wallet has nothing at this address.")

    def _payment(self, reference: str) -> HttpAnswer:
        charge = self._books.find(reference, self.name)
        if charge is None:
            return problem(404, "not_found", "There is no such payment.")
        state = self._books.asked(charge)
        made = charge.latest if state is not State.PENDING else None
        amount = (made.amount_minor, made.currency) if made else (charge.due_minor, "MAD")
        return json_answer(
            {
                "reference": reference,
                "state": STATES.get(state, "failed"),
                "provider_reference": made.provider_reference if made else "",
                "amount": {"amount_minor": amount[0], "currency": amount[1]},
                "refunded_minor": made.refunded_minor if made else 0,
                "dispute": charge.dispute if made and charge.dispute != "won" else None,
                "reason": "insufficient_funds" if state is State.FAILED else None,
            }
        )

    def _refund(self, reference: str) -> HttpAnswer:
        found = self._books.find_refund(self.name, reference)
        self._unheard.discard(reference)
        if found is None:
            return problem(404, "not_found", "There is no such refund.")
        return _told(found)

    def _give_back(self, request: HttpRequest, reference: str) -> HttpAnswer:
        body = json_of(request.body) or {}
        amount = body.get("amount")
        charge = self._books.find(str(body.get("payment_reference")), self.name)
        if not isinstance(amount, dict) or not _is_amount(amount):
            return problem(422, "invalid_fields", "Give payment_reference and amount.")
        if charge is None:
            return _told(Refund(reference, 0, reason="unknown_payment"))
        asked = Refund(reference, amount["amount_minor"], amount["currency"])
        is_new = self._books.find_refund(self.name, reference) is None
        try:
            made = self._books.refund(charge, asked, str(body.get("provider_reference") or ""))
        except BankRefusal as refusal:
            return problem(409, "conflict", str(refusal))
        if is_new and charge.magic.plan.loses_refund_answer:
            self._unheard.add(reference)
        if reference in self._unheard:
            raise AnswerLost
        return _told(made)


def _is_amount(amount: dict[str, Any]) -> bool:
    return type(amount.get("amount_minor")) is int and isinstance(amount.get("currency"), str)


def _told(refund: Refund) -> HttpAnswer:
    return json_answer(
        {
            "state": "done" if refund.done else "refused",
            "provider_reference": refund.provider_reference,
            "reason": refund.reason,
        }
    )


def _event(kind: str, charge: Charge, made: Try) -> dict[str, Any]:
    return {
        "type": kind,
        "reference": charge.reference,
        "provider_reference": made.provider_reference,
        "amount": {"amount_minor": made.amount_minor, "currency": made.currency},
        "occurred_at": clock.to_text(clock.outside_now()),
    }


def _signed(what: str, event: dict[str, Any], forged: bool = False) -> Callback:
    body = json.dumps(event).encode()
    identifier = f"msg_{hashlib.sha256(body).hexdigest()[:24]}"
    timestamp = int(clock.outside_now().timestamp())
    secret = FORGERS_SECRET if forged else settings().wallet_secret
    headers = {
        "Content-Type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard_webhooks.sign(secret, identifier, timestamp, body),
    }
    return Callback(what, callback_url("wallet"), headers, body)
