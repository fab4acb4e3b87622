"""What payments tell the rest of the house, and what their own queue carries."""

from typing import Literal

from pydantic import BaseModel


class Share(BaseModel):
    """One parcel's part of a payment; terms as frozen at the sale; centimes and basis points.

    `commission_minor`, VAT included, goes before the rate where it is there; `discount_minor`, what
    we carry of the buyer's discount, is still to be taken off it.
    """

    parcel_id: str
    artisan_id: str
    goods_minor: int
    shipping_minor: int
    commission_bp: int
    fee_estimate_bp: int
    vat_on_commission_bp: int
    hold_days: int | None = None  # None: the platform's own; 0: handed over, nothing to wait for
    commission_minor: int | None = None
    discount_minor: int | None = None


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


class Portion(BaseModel):
    """What of one parcel a refund or a dispute takes back from the artisan; centimes."""

    parcel_id: str
    goods_minor: int
    shipping_minor: int


class RefundMoved(BaseModel):
    """A refund was approved, given back by the provider, or refused by it for good.

    Messages come in any order, so each carries all of it: `sale` is the payment as it was
    captured, `portions` what the refund takes from each parcel. `attempt` grows when a refund that
    failed is tried again.
    """

    type: Literal["refund_moved"] = "refund_moved"
    version: Literal[1] = 1
    refund_id: str
    attempt: int
    stage: Literal["approved", "paid", "failed"]
    sale: PaymentCaptured
    portions: list[Portion]


class DisputeMoved(BaseModel):
    """The buyer's bank has taken the money back, or has decided who keeps it."""

    type: Literal["dispute_moved"] = "dispute_moved"
    version: Literal[1] = 1
    dispute_id: str
    stage: Literal["opened", "won", "lost"]
    sale: PaymentCaptured
    portions: list[Portion]


class MoneyUnapplied(BaseModel):
    """Money came that fits nothing (another amount, a second capture, goods that are gone), or
    such money was given back."""

    type: Literal["money_unapplied"] = "money_unapplied"
    version: Literal[1] = 1
    receipt_id: str
    payment_id: str
    provider: str
    amount_minor: int
    currency: str
    stage: Literal["received", "returned"]


class SendRefund(BaseModel):
    """A refund was approved: have the provider give the money back."""

    type: Literal["send_refund"] = "send_refund"
    version: Literal[1] = 1
    refund_id: str


class CapturePayment(BaseModel):
    """An order is paid with money that is only reserved: take it."""

    type: Literal["capture_payment"] = "capture_payment"
    version: Literal[1] = 1
    payment_id: str


class VoidPayment(BaseModel):
    """Money is reserved that pays nothing: let go of it."""

    type: Literal["void_payment"] = "void_payment"
    version: Literal[1] = 1
    payment_id: str
