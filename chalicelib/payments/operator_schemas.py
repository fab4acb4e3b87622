"""What operators ask and are told of payments, refunds, disputes and parked callbacks."""

from typing import Annotated, Any

from pydantic import Field

from chalicelib.edge.pages import PageQuery
from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody, RequestBody
from chalicelib.listings.domain import stock_id_of
from chalicelib.money import Money
from chalicelib.orders.domain import Order, OrderState, OrderStatus
from chalicelib.orders.schemas import Lines, Text
from chalicelib.payments.dispute_domain import Dispute, DisputeStatus
from chalicelib.payments.domain import Kept, Payment, PaymentStatus, Portion
from chalicelib.payments.refund_domain import Refund, RefundKind, RefundStatus, Wish
from chalicelib.payments.schemas import AttemptView

Reference = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]


class RefundBody(RequestBody):
    """All of what is left, or `amount`, or `lines` (their goods; shipping stays paid)."""

    amount: MoneyBody | None = None
    lines: Lines | None = None
    reason: Text

    def wish(self) -> Wish:
        lines: dict[str, int] = {}
        for line in self.lines or ():
            line_id = stock_id_of(line.listing_id, line.variant)
            lines[line_id] = lines.get(line_id, 0) + line.quantity
        amount = self.amount.amount_minor if self.amount else None
        return Wish(lines=lines or None, amount_minor=amount)


class ConfirmBody(RequestBody):
    reference: Annotated[Reference, Field(description="what the provider calls the refund")]


class WhyBody(RequestBody):
    reason: Text


class DisputeBody(RequestBody):
    case: Annotated[Reference, Field(description="the bank's own number of the case")]
    reason: Text


class PaymentQuery(PageQuery):
    status: Annotated[PaymentStatus | None, Field(description="payments of this status")] = None
    review: Annotated[bool | None, Field(description="those somebody has to look at")] = None


class RefundQuery(PageQuery):
    status: RefundStatus = RefundStatus.MANUAL


class DisputeQuery(PageQuery):
    status: DisputeStatus = DisputeStatus.OPENED


class PortionView(AnswerBody):
    parcel_id: str
    goods: MoneyBody
    shipping: MoneyBody

    @classmethod
    def of(cls, portion: Portion) -> "PortionView":
        return cls(
            parcel_id=portion.parcel_id,
            goods=MoneyBody.of(Money(portion.goods_minor)),
            shipping=MoneyBody.of(Money(portion.shipping_minor)),
        )


class OperatorPayment(AnswerBody):
    id: str
    order_id: str
    method: str
    provider: str
    provider_reference: str | None
    status: PaymentStatus
    review: bool
    review_reason: str | None
    amount: MoneyBody
    refunded: MoneyBody
    dispute_id: str | None
    attempts: list[AttemptView]
    created_at: Moment

    @classmethod
    def of(cls, payment: Payment) -> "OperatorPayment":
        return cls(
            id=payment.payment_id,
            order_id=payment.order_id,
            method=payment.method,
            provider=payment.provider,
            provider_reference=payment.provider_reference,
            status=payment.status,
            review=payment.review,
            review_reason=payment.review_reason,
            amount=MoneyBody.of(payment.amount),
            refunded=MoneyBody.of(Money(payment.refunded_minor, payment.amount.currency)),
            dispute_id=payment.dispute_id,
            attempts=[AttemptView.of(attempt) for attempt in payment.attempts],
            created_at=payment.created_at,
        )


class RefundView(AnswerBody):
    id: str
    payment_id: str
    order_id: str
    provider: str
    kind: RefundKind
    status: RefundStatus
    amount: MoneyBody
    portions: list[PortionView]
    receipt: Annotated[str, Field(description="the provider's reference of what goes back")]
    reason: str
    attempt: int
    reference: Annotated[str | None, Field(description="what the provider calls the refund")]
    failure: str | None
    requested_at: Moment

    @classmethod
    def of(cls, refund: Refund) -> "RefundView":
        return cls(
            id=refund.refund_id,
            payment_id=refund.payment_id,
            order_id=refund.order_id,
            provider=refund.provider,
            kind=refund.kind,
            status=refund.status,
            amount=MoneyBody.of(refund.amount),
            portions=[PortionView.of(portion) for portion in refund.portions],
            receipt=refund.receipt,
            reason=refund.reason,
            attempt=refund.attempt,
            reference=refund.done_reference,
            failure=refund.failure,
            requested_at=refund.requested_at,
        )


class DisputeView(AnswerBody):
    id: str
    payment_id: str
    order_id: str
    provider: str
    status: DisputeStatus
    amount: MoneyBody
    case: str
    reason: str
    opened_at: Moment
    evidence_due_at: Moment
    overdue: bool
    evidence_digest: str | None
    decided_at: Moment | None

    @classmethod
    def of(cls, dispute: Dispute) -> "DisputeView":
        return cls(
            id=dispute.dispute_id,
            payment_id=dispute.payment_id,
            order_id=dispute.order_id,
            provider=dispute.provider,
            status=dispute.status,
            amount=MoneyBody.of(dispute.amount),
            case=dispute.case,
            reason=dispute.reason,
            opened_at=dispute.opened_at,
            evidence_due_at=dispute.evidence_due_at,
            overdue=dispute.overdue,
            evidence_digest=dispute.evidence_digest,
            decided_at=dispute.decided_at,
        )


class EvidenceView(AnswerBody):
    """What the platform knows that speaks for the artisan; `digest` shows later what it was."""

    digest: str
    evidence: dict[str, Any]


class CallbackView(AnswerBody):
    key: str
    provider: str
    kind: str
    status: str
    why: str | None
    reference: str
    provider_reference: str
    amount: MoneyBody | None
    received_at: str

    @classmethod
    def of(cls, kept: Kept) -> "CallbackView":
        event = kept.event
        return cls(
            key=event.key,
            provider=event.provider,
            kind=event.kind,
            status=kept.status,
            why=kept.outcome,
            reference=event.reference,
            provider_reference=event.provider_reference,
            amount=MoneyBody.of(event.amount) if event.amount else None,
            received_at=kept.received_at,
        )


class OperatorOrder(AnswerBody):
    """`status` is what the buyer sees, `state` how far the order itself is."""

    id: str
    status: OrderStatus
    state: OrderState
    total: MoneyBody
    total_goods: MoneyBody
    discount: MoneyBody
    refunded: MoneyBody
    country: str
    in_person: bool
    payment_count: int
    placed_at: Moment

    @classmethod
    def of(cls, order: Order, status: OrderStatus) -> "OperatorOrder":
        return cls(
            id=order.order_id,
            status=status,
            state=order.state,
            total=MoneyBody.of(order.total),
            total_goods=MoneyBody.of(order.goods),
            discount=MoneyBody.of(order.discount),
            refunded=MoneyBody.of(Money(order.refunded_minor, order.currency)),
            country=order.ship_to.country,
            in_person=order.in_person,
            payment_count=order.payment_count,
            placed_at=order.placed_at,
        )
