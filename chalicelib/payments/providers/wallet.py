"""The mobile wallet and cash vouchers: our neutral contract, with callbacks as Standard Webhooks.

M2T's own specification is not public; when it comes, this module changes and nothing else. So all
of it is unverified: callbacks, `GET payments/{reference}`, `PUT` and `GET refunds/{reference}`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import quote

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from chalicelib import clock, ids
from chalicelib.edge.outbound import OutcomeUnknown, Request, Response
from chalicelib.money import Money
from chalicelib.payments.domain import EventKind, Provider, ProviderEvent
from chalicelib.payments.providers.answers import JSON, is_absent
from chalicelib.payments.reports import RefundReport, RefundState, Report, ReportState

MAX_EVENT_ID = 100
STATES = {
    "pending": ReportState.PENDING,
    "succeeded": ReportState.CAPTURED,
    "failed": ReportState.FAILED,
}


class _Amount(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount_minor: Annotated[int, Field(strict=True, ge=0, le=10**12)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


KINDS = {
    name: EventKind(name)
    for name in (
        "payment.succeeded",
        "payment.failed",
        "payment.refunded",
        "payment.disputed",
        "payout.paid",
        "payout.failed",
        "payout.returned",
    )
}


class WalletEvent(BaseModel):
    """The body of a wallet callback. It may say more than we know of: a genuine event of another
    type, or with fields of its own, is kept for an operator and never turned away."""

    model_config = ConfigDict(extra="ignore")

    type: Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,64}$")]
    reference: Annotated[str, Field(min_length=1, max_length=64)]
    provider_reference: Annotated[str, Field(max_length=100)] = ""
    amount: _Amount | None = None
    occurred_at: AwareDatetime | None = None
    reason: Annotated[str | None, Field(max_length=200)] = None

    @model_validator(mode="after")
    def _has_an_amount(self) -> Self:
        if self.type in KINDS and self.amount is None:
            raise PydanticCustomError("missing", "Field required: amount")
        return self


def event_from(event: WalletEvent, headers: Mapping[str, str]) -> ProviderEvent:
    """A verified callback in our words; `webhook-id` is the same each time it is repeated."""
    event_id = headers["webhook-id"]
    if len(event_id) > MAX_EVENT_ID:
        event_id = ids.fingerprint(event_id)
    return ProviderEvent(
        key=f"wallet#{event_id}",
        provider=Provider.WALLET,
        kind=KINDS.get(event.type, EventKind.UNKNOWN),
        reference=event.reference,
        provider_reference=event.provider_reference or event.reference,
        amount=None if event.amount is None else _money(event.amount),
        occurred_at=clock.to_text(event.occurred_at or clock.now()),
        reason=event.reason if event.type in KINDS else event.type,
    )


def _money(amount: _Amount) -> Money:
    return Money(amount.amount_minor, amount.currency)


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks, at an address such as `https://host/api`."""

    api_url: str
    api_key: str = field(repr=False)


class _Answer(BaseModel):
    """What we are answered may say more than we need; what we need is never guessed."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _PaymentAnswer(_Answer):
    reference: str
    state: Literal["pending", "succeeded", "failed"]
    provider_reference: Annotated[str, Field(max_length=100)] = ""
    amount: _Amount | None = None
    refunded_minor: Annotated[int, Field(ge=0, le=10**12)] = 0
    dispute: Literal["opened", "lost"] | None = None
    reason: Annotated[str | None, Field(max_length=200)] = None


class _RefundAnswer(_Answer):
    state: Literal["done", "refused", "pending"]
    provider_reference: Annotated[str, Field(max_length=100)] = ""
    reason: Annotated[str | None, Field(max_length=200)] = None


A = TypeVar("A", bound=_Answer)


def payment_request(account: Account, payment_id: str) -> Request:
    return _request(account, "GET", f"payments/{quote(payment_id, safe='')}")


def read_payment(response: Response, payment_id: str) -> Report:
    """Where a payment stands.

    Raises:
        OutcomeUnknown: it is no answer about this payment, or money of which the amount is missing.
    """
    if is_absent(response):
        return Report(ReportState.ABSENT)
    said = _read(_PaymentAnswer, response)
    if said.reference != payment_id:
        raise OutcomeUnknown("an answer about another payment")
    amount = None if said.amount is None else _money(said.amount)
    if said.state == "succeeded" and amount is None:
        raise OutcomeUnknown("money of which the amount is missing")
    return Report(
        state=STATES[said.state],
        provider_reference=said.provider_reference,
        amount=amount,
        refunded_minor=said.refunded_minor,
        dispute=said.dispute,
        reason=said.reason,
    )


def refund_request(
    account: Account, payment_id: str, provider_reference: str, reference: str, amount: Money
) -> Request:
    """Gives money of a payment back. The same reference again is the same refund."""
    content = {
        "payment_reference": payment_id,
        "provider_reference": provider_reference,
        "amount": {"amount_minor": amount.amount_minor, "currency": amount.currency},
    }
    body = json.dumps(content, separators=(",", ":")).encode()
    return _request(account, "PUT", f"refunds/{quote(reference, safe='')}", body)


def refund_status_request(account: Account, reference: str) -> Request:
    return _request(account, "GET", f"refunds/{quote(reference, safe='')}")


def read_refund(response: Response) -> RefundReport:
    """What became of a refund, asked for or asked about.

    Raises:
        OutcomeUnknown: it is no answer of the contract.
    """
    if is_absent(response):
        return RefundReport(RefundState.ABSENT)
    said = _read(_RefundAnswer, response)
    return RefundReport(RefundState(said.state), said.provider_reference, said.reason)


def _read(model: type[A], response: Response) -> A:
    if not 200 <= response.status < 300:
        raise OutcomeUnknown(f"the answer is {response.status}")
    try:
        return model.model_validate_json(response.body)
    except ValidationError as error:
        raise OutcomeUnknown(f"the answer {response.status} cannot be read") from error


def _request(account: Account, method: str, path: str, body: bytes = b"") -> Request:
    headers = {"Authorization": f"Bearer {account.api_key}", "Accept": JSON}
    if body:
        headers["Content-Type"] = JSON
    return Request(method, f"{account.api_url}/{path}", headers, body, repeatable=True)
