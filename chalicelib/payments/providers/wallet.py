"""The mobile wallet and cash vouchers: our neutral contract in Standard Webhooks form.

M2T's own specification is not public; when it comes, this module changes and nothing else.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chalicelib import clock, ids
from chalicelib.money import Money
from chalicelib.payments.domain import EventKind, Provider, ProviderEvent

MAX_EVENT_ID = 100


class _Amount(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount_minor: Annotated[int, Field(ge=0, le=10**12)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class WalletEvent(BaseModel):
    """The body of a wallet callback."""

    model_config = ConfigDict(extra="forbid")

    type: Literal[
        "payment.succeeded",
        "payment.failed",
        "payment.refunded",
        "payment.disputed",
        "payout.paid",
        "payout.failed",
        "payout.returned",
    ]
    reference: Annotated[str, Field(min_length=1, max_length=64)]
    provider_reference: Annotated[str, Field(max_length=100)] = ""
    amount: _Amount
    occurred_at: AwareDatetime | None = None
    reason: Annotated[str | None, Field(max_length=200)] = None


def event_from(event: WalletEvent, headers: Mapping[str, str]) -> ProviderEvent:
    """A verified callback in our words; `webhook-id` is the same each time it is repeated."""
    event_id = headers["webhook-id"]
    if len(event_id) > MAX_EVENT_ID:
        event_id = ids.fingerprint(event_id)
    return ProviderEvent(
        key=f"wallet#{event_id}",
        provider=Provider.WALLET,
        kind=EventKind(event.type),
        reference=event.reference,
        provider_reference=event.provider_reference or event_id,
        amount=Money(event.amount.amount_minor, event.amount.currency),
        occurred_at=clock.to_text(event.occurred_at or clock.now()),
        reason=event.reason,
    )
