"""The API by which wallets and cards are paid: our neutral contract, until M2T's own is known.

`PUT payouts/{our id}` asks for a payout, `GET payouts/{our id}` asks about it. Our id is the key:
the same one again is the same payout. All of it is unverified, as with the wallet's payments.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chalicelib.config import settings
from chalicelib.edge import outbound
from chalicelib.edge.outbound import OutcomeUnknown, Request, Response
from chalicelib.money import Money
from chalicelib.payouts.domain import Destination, Payout

JSON = "application/json"


class RailState(StrEnum):
    ACCEPTED = "accepted"  # it is on its way; how it ends is told later
    PAID = "paid"
    REJECTED = "rejected"  # refused before any money left
    RETURNED = "returned"
    ABSENT = "absent"  # the rail never got it


@dataclass(frozen=True, slots=True)
class RailAnswer:
    state: RailState
    amount: Money | None = None
    provider_reference: str | None = None
    reason: str | None = None


class _Amount(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    amount_minor: Annotated[int, Field(ge=0, le=10**12)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class _Answer(BaseModel):
    """What we are answered may say more than we need; what we need is never guessed."""

    model_config = ConfigDict(extra="ignore", strict=True)

    reference: str
    state: Literal["accepted", "paid", "rejected", "returned"]
    amount: _Amount
    provider_reference: Annotated[str | None, Field(pattern=r"^[!-~]{1,64}$")] = None
    reason: Annotated[str | None, Field(pattern=r"^[a-z0-9_]{1,64}$")] = None


def send(payout: Payout, destination: Destination) -> RailAnswer:
    """Have a payout made, under its own id.

    Raises:
        OutcomeUnknown: nobody knows whether it was; ask before it is sent again.
    """
    content = {
        "rail": payout.rail,
        "destination": destination.value,
        "amount": {
            "amount_minor": payout.amount.amount_minor,
            "currency": payout.amount.currency,
        },
    }
    body = json.dumps(content, separators=(",", ":")).encode()
    answer = _read(_called("PUT", payout, body), payout)
    if answer.state is RailState.ABSENT:
        raise OutcomeUnknown("the rail has no such address")
    return answer


def ask(payout: Payout) -> RailAnswer:
    """What became of a payout, by our id.

    Raises:
        OutcomeUnknown: still nobody knows.
    """
    return _read(_called("GET", payout), payout)


def _called(method: str, payout: Payout, body: bytes = b"") -> Response:
    given = settings()
    headers = {"Authorization": f"Bearer {given.wallet_api_key}", "Accept": JSON}
    if body:
        headers |= {"Content-Type": JSON, "Idempotency-Key": payout.payout_id}
    url = f"{given.wallet_api_url}/payouts/{quote(payout.payout_id, safe='')}"
    # A PUT is not repeated within the call: after a time-out it is asked for first.
    request = Request(method, url, headers, body, repeatable=method == "GET")
    return outbound.send(f"payout_{payout.rail}", request)


def _read(response: Response, payout: Payout) -> RailAnswer:
    if response.status == 404 and _is_json(response.body):
        return RailAnswer(RailState.ABSENT)
    if not 200 <= response.status < 300:
        raise OutcomeUnknown(f"the answer is {response.status}")
    try:
        said = _Answer.model_validate_json(response.body)
    except ValidationError as error:
        raise OutcomeUnknown(f"the answer {response.status} cannot be read") from error
    if said.reference != payout.payout_id:
        raise OutcomeUnknown("an answer about another payout")
    amount = Money(said.amount.amount_minor, said.amount.currency)
    return RailAnswer(RailState(said.state), amount, said.provider_reference, said.reason)


def _is_json(body: bytes) -> bool:
    """False for a page of a proxy that stands before the rail: that says nothing of a payout."""
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
