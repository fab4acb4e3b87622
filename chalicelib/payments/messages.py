"""What payments tell the rest of the house, and what their own queue carries."""

from typing import Literal

from pydantic import BaseModel


class Share(BaseModel):
    """One parcel's part of a payment; terms as frozen at the sale; centimes and basis points."""

    parcel_id: str
    artisan_id: str
    goods_minor: int
    shipping_minor: int
    commission_bp: int
    fee_estimate_bp: int
    vat_on_commission_bp: int


class PaymentCaptured(BaseModel):
    """The buyer is being debited; the shares add up to the amount."""

    type: Literal["payment_captured"] = "payment_captured"
    version: Literal[1] = 1
    payment_id: str
    order_id: str
    provider: str
    amount_minor: int
    currency: str
    captured_at: str
    shares: list[Share]


class PayoutReported(BaseModel):
    """The bank or wallet says what became of a payout."""

    type: Literal["payout_reported"] = "payout_reported"
    version: Literal[1] = 1
    payout_id: str
    outcome: Literal["paid", "failed", "returned"]
    amount_minor: int
    currency: str
    reason: str | None = None
    provider_reference: str | None = None
    occurred_at: str


class CallbackReceived(BaseModel):
    """A verified callback was stored and waits to be applied."""

    type: Literal["callback_received"] = "callback_received"
    version: Literal[1] = 1
    event_key: str
