"""What the provider says of a payment: only forward, and never more than was asked for.

A payment has many attempts; an attempt that fails never closes it. Money that does not fit
(another amount, a second capture, an order that cannot be filled) marks it for review and is
counted as unapplied; it never makes an order paid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.errors import Conflict, Unauthorized
from chalicelib.money import Money

MAX_ATTEMPTS_KEPT = 20
MAX_PAYMENTS_PER_ORDER = 20
ASK_AFTER = timedelta(minutes=15)
MAX_ASK_DOUBLINGS = 6  # then twice a day or so, until it is known
MAX_ASKS_ONCE_CLOSED = 8  # two days and a half


class Method(StrEnum):
    CARD = "card"
    WALLET = "wallet"
    CASH_VOUCHER = "cash_voucher"
    MASTERCARD = "mastercard"
    PAYZONE = "payzone"
    WALLET_QR = "wallet_qr"


class Provider(StrEnum):
    CMI = "cmi"
    MASTERCARD = "mastercard"
    PAYZONE = "payzone"
    WALLET = "wallet"


PROVIDER_OF: dict[Method, Provider] = {
    Method.CARD: Provider.CMI,
    Method.WALLET: Provider.WALLET,
    Method.CASH_VOUCHER: Provider.WALLET,
    Method.MASTERCARD: Provider.MASTERCARD,
    Method.PAYZONE: Provider.PAYZONE,
    Method.WALLET_QR: Provider.WALLET,
}
PAY_WITHIN: dict[Method, timedelta] = {
    Method.CARD: timedelta(minutes=15),
    Method.WALLET: timedelta(minutes=30),
    Method.CASH_VOUCHER: timedelta(hours=48),
    Method.MASTERCARD: timedelta(minutes=15),
    Method.PAYZONE: timedelta(minutes=15),
    Method.WALLET_QR: timedelta(minutes=30),
}


PAID_AT_THE_LATEST = timedelta(hours=72)
"""After it was placed an order is not paid anew: its pieces are for others, too."""


class PaymentStatus(StrEnum):
    PENDING = "pending"
    AUTHORIZED = "authorized"
    CAPTURE_REQUESTED = "capture_requested"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    VOIDED = "voided"
    DISPUTED = "disputed"
    CHARGED_BACK = "charged_back"


# CMI never confirms a capture itself: its payments wait at CAPTURE_REQUESTED for the settlement
# file or the status API. Late money may still pay what has expired, unless that was called off: a
# payment link that is sold anew. AUTHORIZED is money reserved on a card that will not be taken: it
# is on its way to VOIDED. Only a dispute that was won leads back.
_BACK = frozenset({PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED})
MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.PENDING: frozenset(
        {
            PaymentStatus.AUTHORIZED,
            PaymentStatus.CAPTURE_REQUESTED,
            PaymentStatus.CAPTURED,
            PaymentStatus.EXPIRED,
            PaymentStatus.CANCELLED,
        }
    ),
    PaymentStatus.EXPIRED: frozenset(
        {
            PaymentStatus.CANCELLED,
            PaymentStatus.AUTHORIZED,
            PaymentStatus.CAPTURE_REQUESTED,
            PaymentStatus.CAPTURED,
        }
    ),
    PaymentStatus.CANCELLED: frozenset({PaymentStatus.AUTHORIZED}),
    PaymentStatus.AUTHORIZED: frozenset({PaymentStatus.VOIDED}),
    PaymentStatus.VOIDED: frozenset(),
    PaymentStatus.CAPTURE_REQUESTED: _BACK | {PaymentStatus.CAPTURED, PaymentStatus.DISPUTED},
    PaymentStatus.CAPTURED: _BACK | {PaymentStatus.DISPUTED},
    PaymentStatus.PARTIALLY_REFUNDED: frozenset({PaymentStatus.REFUNDED, PaymentStatus.DISPUTED}),
    PaymentStatus.REFUNDED: frozenset(),
    PaymentStatus.DISPUTED: frozenset(
        {
            PaymentStatus.CAPTURED,
            PaymentStatus.PARTIALLY_REFUNDED,
            PaymentStatus.CHARGED_BACK,
        }
    ),
    PaymentStatus.CHARGED_BACK: frozenset(),
}
RANK: dict[PaymentStatus, int] = {
    PaymentStatus.PENDING: 0,
    PaymentStatus.EXPIRED: 1,
    PaymentStatus.CANCELLED: 2,
    PaymentStatus.AUTHORIZED: 3,
    PaymentStatus.VOIDED: 4,
    PaymentStatus.CAPTURE_REQUESTED: 4,
    PaymentStatus.CAPTURED: 5,
    PaymentStatus.PARTIALLY_REFUNDED: 6,
    PaymentStatus.REFUNDED: 7,
    PaymentStatus.DISPUTED: 8,
    PaymentStatus.CHARGED_BACK: 9,
}
"""Every move raises it, but for those out of DISPUTED; what would lower it is late."""
REFUNDABLE = frozenset(
    {
        PaymentStatus.CAPTURE_REQUESTED,
        PaymentStatus.CAPTURED,
        PaymentStatus.PARTIALLY_REFUNDED,
    }
)
PAID = REFUNDABLE | {
    PaymentStatus.REFUNDED,
    PaymentStatus.DISPUTED,
    PaymentStatus.CHARGED_BACK,
}
UNPAID = frozenset({PaymentStatus.PENDING, PaymentStatus.EXPIRED, PaymentStatus.CANCELLED})
WAITING = frozenset(
    {PaymentStatus.PENDING, PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURE_REQUESTED}
)
"""What the provider is asked about until it is decided."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try as the provider reported it."""

    outcome: str
    provider_reference: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ShareTerms:
    """One parcel's part of the payment, with the terms frozen at the sale (`messages.Share`)."""

    parcel_id: str
    artisan_id: str
    goods_minor: int
    shipping_minor: int
    commission_bp: int
    fee_estimate_bp: int
    vat_on_commission_bp: int
    hold_days: int | None = None  # None: the platform's own; 0: it was handed over
    commission_minor: int | None = None
    discount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """What of one parcel is taken back from the artisan by a refund or a dispute; centimes."""

    parcel_id: str
    goods_minor: int
    shipping_minor: int

    @property
    def total_minor(self) -> int:
        return self.goods_minor + self.shipping_minor


@dataclass(frozen=True, slots=True)
class Payment:
    """`taken_back` is what refunds (approved and not failed) and disputes have reserved of it,
    by parcel; `returned_lines` how many of each line were refunded by line; `refunded_minor` what
    the provider has given back. `ask_at` is when the provider is asked about it next.
    """

    payment_id: str
    order_id: str
    method: Method
    provider: Provider
    status: PaymentStatus
    amount: Money
    shares: tuple[ShareTerms, ...]
    created_at: datetime
    expires_at: datetime
    attempts: tuple[Attempt, ...] = ()
    review: bool = False
    review_reason: str | None = None
    provider_reference: str | None = None
    captured_at: datetime | None = None
    version: int = 0
    session_id: str | None = None
    success_indicator: str | None = None
    return_url: str | None = None
    asked_by: str | None = None  # the request that made it, where it is not the order's own
    refunded_minor: int = 0
    taken_back: tuple[Portion, ...] = ()
    returned_lines: Mapping[str, int] = field(default_factory=dict)
    dispute_id: str | None = None
    ask_at: datetime | None = None
    asked_count: int = 0


class EventKind(StrEnum):
    """What a verified callback says, in our words."""

    NOTIFIED = "payment.notified"  # something happened: the provider is to be asked what
    AUTHORIZED = "payment.authorized"
    SUCCEEDED = "payment.succeeded"
    FAILED = "payment.failed"
    REFUNDED = "payment.refunded"
    DISPUTED = "payment.disputed"
    PAYOUT_PAID = "payout.paid"
    PAYOUT_FAILED = "payout.failed"
    PAYOUT_RETURNED = "payout.returned"
    UNKNOWN = "unknown"  # genuine, and of a type that we do not know

    @property
    def is_about_payout(self) -> bool:
        return self.value.startswith("payout.")


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A verified callback, translated. `key` is the same each time the provider repeats it.

    `amount` is None where the provider sent none that can be read. `is_taken`: the money has moved
    already; CMI's has not, it asks for our answer.
    """

    key: str
    provider: Provider
    kind: EventKind
    reference: str
    provider_reference: str
    amount: Money | None
    occurred_at: str
    reason: str | None = None
    is_taken: bool = True


class EventStatus(StrEnum):
    RECEIVED = "received"
    APPLIED = "applied"
    NO_EFFECT = "no_effect"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept callback and what became of it."""

    event: ProviderEvent
    status: EventStatus
    outcome: str | None
    received_at: str


class Verdict(StrEnum):
    """What an event does to a payment."""

    PAY = "pay"  # the money fits: the order becomes paid, if its stock is still to be had
    ATTEMPT_FAILED = "attempt_failed"
    REPEATED = "repeated"  # known already
    UNAPPLIED = "unapplied"  # money that does not fit: kept for an operator, never an order


class BadSignature(Unauthorized):
    """The callback is not signed by the provider; it was not stored."""

    code = "bad_signature"


class OrderNotPayable(Conflict):
    """The order no longer awaits a payment."""

    code = "order_not_payable"


class OrderAlreadyPaid(Conflict):
    """The order is paid: ask for a refund instead."""

    code = "order_already_paid"


class TooManyPayments(Conflict):
    """The order has been tried to pay too often; place a new one."""

    code = "too_many_payments"


def judge(payment: Payment, event: ProviderEvent) -> tuple[Verdict, str]:
    """What a success or failure reported by the provider means, and why."""
    if event.provider is not payment.provider:
        return Verdict.UNAPPLIED, "another provider"
    if event.kind is EventKind.FAILED:
        return Verdict.ATTEMPT_FAILED, event.reason or "declined"
    if event.amount is None or event.amount.currency != payment.amount.currency:
        return Verdict.UNAPPLIED, "currency differs, or no amount can be read"
    if event.amount != payment.amount:
        return Verdict.UNAPPLIED, "amount differs"
    if payment.status in PAID:
        same = event.provider_reference == payment.provider_reference
        return (Verdict.REPEATED, "known") if same else (Verdict.UNAPPLIED, "second capture")
    if PaymentStatus.CAPTURED not in MOVES[payment.status]:
        return Verdict.UNAPPLIED, f"payment is {payment.status}"
    return Verdict.PAY, "fits"


def paid_status(event: ProviderEvent) -> PaymentStatus:
    """What money that fits makes of a payment: captured, or to be captured by what we do next."""
    taken = event.kind is EventKind.SUCCEEDED and event.is_taken
    return PaymentStatus.CAPTURED if taken else PaymentStatus.CAPTURE_REQUESTED


def with_attempt(payment: Payment, attempt: Attempt) -> Payment:
    """The payment with one more attempt; the same one twice is one. The oldest are dropped."""
    known = {(a.outcome, a.provider_reference) for a in payment.attempts}
    if (attempt.outcome, attempt.provider_reference) in known:
        return payment
    return replace(payment, attempts=(*payment.attempts, attempt)[-MAX_ATTEMPTS_KEPT:])


def paid(payment: Payment, event: ProviderEvent, now: datetime) -> Payment:
    """The payment once money that fits was taken, or its capture is asked for."""
    to = paid_status(event)
    assert to in MOVES[payment.status]
    attempt = Attempt("succeeded", event.provider_reference, now)
    return replace(
        with_attempt(payment, attempt),
        status=to,
        provider_reference=event.provider_reference,
        captured_at=now,
        asked_count=0,
        ask_at=None if to is PaymentStatus.CAPTURED else next_ask(0, now),
    )


def next_ask(asked_count: int, now: datetime) -> datetime:
    """When the provider is asked: after 15 minutes, then after twice as long each time."""
    return now + ASK_AFTER * (1 << min(asked_count, MAX_ASK_DOUBLINGS))


def for_review(payment: Payment, event: ProviderEvent, reason: str, now: datetime) -> Payment:
    """The payment with money that does not fit, for an operator to look at."""
    attempt = Attempt("unapplied", event.provider_reference, now, reason)
    return replace(with_attempt(payment, attempt), review=True, review_reason=reason)


def confirm(payment: Payment, provider: str, amount: Money) -> Payment:
    """The payment once the provider itself has named it; marked for review if it differs."""
    assert payment.status in PAID
    if (provider, amount) != (payment.provider, payment.amount):
        return replace(payment, review=True, review_reason="the provider's record differs")
    if payment.status is not PaymentStatus.CAPTURE_REQUESTED:
        return payment
    return replace(payment, status=PaymentStatus.CAPTURED, ask_at=None)


def as_made(payment: Payment) -> Payment:
    """The payment as it was when it was made: a repeated request gets the same answer."""
    return replace(
        payment, status=PaymentStatus.PENDING, attempts=(), review=False, refunded_minor=0
    )


def closed(payment: Payment, to: PaymentStatus, now: datetime) -> Payment:
    """The payment once its order will not be paid by it. Its provider is asked a while longer:
    a buyer may have paid, and nobody have said so."""
    return replace(payment, status=to, asked_count=0, ask_at=next_ask(0, now))


def is_untouched(payment: Payment) -> bool:
    """Whether the money is taken, or asked for, and nothing of it is on its way back."""
    taken = payment.status in (PaymentStatus.CAPTURE_REQUESTED, PaymentStatus.CAPTURED)
    return taken and not payment.taken_back


def open_payments(payments: Sequence[Payment]) -> list[Payment]:
    return [payment for payment in payments if payment.status is PaymentStatus.PENDING]
