"""Mastercard Gateway's documents: an order, its transactions, an error; amounts are numbers."""

from dataclasses import dataclass
from typing import Any

from chalicelib import clock
from chalicelib.config import settings
from infra.local.bank.accounts import Charge, State, Try
from infra.local.bank.dialect import decimal_text, json_answer
from infra.local.gateway import HttpAnswer


@dataclass(frozen=True, slots=True)
class Transaction:
    """One thing that was done to an order; `kind` in the gateway's words."""

    txn_id: str
    kind: str
    amount_minor: int
    currency: str
    gateway_code: str = "APPROVED"
    receipt: str = ""

    @property
    def is_done(self) -> bool:
        return self.gateway_code == "APPROVED"


def number(amount_minor: int) -> float:
    return float(decimal_text(amount_minor))


def error(status: int, explanation: str, cause: str = "INVALID_REQUEST") -> HttpAnswer:
    body = {"error": {"cause": cause, "explanation": explanation}, "result": "ERROR"}
    return json_answer(body, status)


def transactions_of_try(number_of_try: int, made: Try, paid_as: str) -> list[Transaction]:
    """The buyer's authentication, and the payment or authorisation that followed."""
    code = "DECLINED" if made.state is State.FAILED else "APPROVED"
    common = (made.amount_minor, made.currency)
    return [
        Transaction(f"trans-{number_of_try}", "AUTHENTICATION", *common),
        Transaction(str(number_of_try), paid_as, *common, code, made.provider_reference),
    ]


def status_of(charge: Charge, state: State, made: Try | None) -> str:
    """The `order.status`; what is hidden from whoever asks looks as if nobody had paid."""
    if state is State.PENDING or made is None:
        return "INITIATED"
    if charge.dispute in ("opened", "lost"):
        return "DISPUTED" if charge.dispute == "opened" else "CHARGEBACK_PROCESSED"
    if state is State.CAPTURED:
        if made.refunded_minor:
            whole = made.refunded_minor == made.captured_minor
            return "REFUNDED" if whole else "PARTIALLY_REFUNDED"
        part = made.captured_minor < made.amount_minor
        return "PARTIALLY_CAPTURED" if part else "CAPTURED"
    return {State.FAILED: "FAILED", State.VOIDED: "CANCELLED"}.get(state, "AUTHORIZED")


def order_document(charge: Charge, state: State, made: Try | None) -> dict[str, Any]:
    """An order; `made` is the try that counts, None where there is none to be seen."""
    paid = made if made and made.state is not State.FAILED and state is not State.PENDING else None
    return {
        "id": charge.reference,
        "amount": number(made.amount_minor if made else charge.due_minor),
        "currency": made.currency if made else "MAD",
        "status": status_of(charge, state, made),
        "totalAuthorizedAmount": number(paid.amount_minor if paid else 0),
        "totalCapturedAmount": number(paid.captured_minor if paid else 0),
        "totalRefundedAmount": number(paid.refunded_minor if paid else 0),
        "lastUpdatedTime": clock.to_text(clock.outside_now()),
    }


def transaction_document(order: dict[str, Any], done: Transaction) -> dict[str, Any]:
    """What Retrieve Transaction answers; it is also the body of a notification."""
    return {
        "merchant": settings().mastercard_merchant_id,
        "result": "SUCCESS" if done.is_done else "FAILURE",
        "order": order,
        "response": {
            "gatewayCode": done.gateway_code,
            "acquirerCode": "00" if done.is_done else "05",
        },
        "transaction": {
            "id": done.txn_id,
            "type": done.kind,
            "amount": number(done.amount_minor),
            "currency": done.currency,
            "receipt": done.receipt,
        },
        "version": "100",
    }
