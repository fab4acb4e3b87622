"""What operators see and decide of payments: refunds, disputes, callbacks that fit nothing."""

from typing import Any

from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.pages import Page, PageQuery, cursor_of, key_of
from chalicelib.edge.schemas import Nothing
from chalicelib.orders import service as orders
from chalicelib.payments import disputes, enquiries, evidence, refunds, service
from chalicelib.payments.operator_schemas import (
    CallbackView,
    ConfirmBody,
    DisputeBody,
    DisputeQuery,
    DisputeView,
    EvidenceView,
    OperatorOrder,
    OperatorPayment,
    PaymentQuery,
    RefundBody,
    RefundQuery,
    RefundView,
    WhyBody,
)
from chalicelib.payments.refund_domain import RefundStatus

operator_payments = FeatureBlueprint(__name__)


def _before(call: Call[Any, Any]) -> str | None:
    """Where a list that is merged from shards goes on."""
    found = key_of(call.query.cursor, call.query.scope())
    return found["before"] if found else None


def _next(call: Call[Any, Any], last: str | None) -> str | None:
    return cursor_of({"before": last}, call.query.scope()) if last else None


@operator_payments.route(
    "/v1/operator/orders",
    access=Access.OPERATOR,
    query=PageQuery,
    answer=Page[OperatorOrder],
    summary="Orders, the newest first",
)
def list_orders(call: Call[None, PageQuery]) -> Page[OperatorOrder]:
    found, last = orders.recent_orders(call.query.limit, _before(call))
    data = [OperatorOrder.of(order, status) for order, status in found]
    return Page(data=data, next_cursor=_next(call, last))


@operator_payments.route(
    "/v1/operator/payments",
    access=Access.OPERATOR,
    query=PaymentQuery,
    answer=Page[OperatorPayment],
    summary="Payments of a status, or those to be looked at (`review=true`), the newest first",
)
def list_payments(call: Call[None, PaymentQuery]) -> Page[OperatorPayment]:
    query = call.query
    found, last = enquiries.payments(query.status, query.review, query.limit, _before(call))
    return Page(data=[OperatorPayment.of(each) for each in found], next_cursor=_next(call, last))


@operator_payments.route(
    "/v1/operator/payments/{payment_id}/refunds",
    method="POST",
    access=Access.OPERATOR,
    body=RefundBody,
    answer=RefundView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    summary="Give money back: all that is left, an amount, or lines",
)
def request_refund(call: Call[RefundBody, None]) -> RefundView:
    enquiries.check_wish(call.body.amount, call.body.lines)
    made = refunds.request_refund(
        call.path["payment_id"],
        call.idempotency_key,
        call.body.wish(),
        call.body.reason,
        call.caller.subject,
    )
    return RefundView.of(made)


@operator_payments.route(
    "/v1/operator/payments/{payment_id}/reviewed",
    method="POST",
    access=Access.OPERATOR,
    body=WhyBody,
    answer=OperatorPayment,
    summary="Somebody has looked at the payment: it is off the list",
)
def close_review(call: Call[WhyBody, None]) -> OperatorPayment:
    return OperatorPayment.of(enquiries.close_review(call.path["payment_id"], call.body.reason))


@operator_payments.route(
    "/v1/operator/refunds",
    access=Access.OPERATOR,
    query=RefundQuery,
    answer=Page[RefundView],
    summary="Refunds of a status; `manual` ones wait for an operator to do them by hand",
)
def list_refunds(call: Call[None, RefundQuery]) -> Page[RefundView]:
    found, last = enquiries.refunds(call.query.status, call.query.limit, _before(call))
    return Page(data=[RefundView.of(refund) for refund in found], next_cursor=_next(call, last))


@operator_payments.route(
    "/v1/operator/refunds/{refund_id}",
    access=Access.OPERATOR,
    answer=RefundView,
    summary="A refund",
)
def show_refund(call: Call[None, None]) -> RefundView:
    return RefundView.of(refunds.refund(call.path["refund_id"]))


@operator_payments.route(
    "/v1/operator/refunds/{refund_id}/confirm",
    method="POST",
    access=Access.OPERATOR,
    body=ConfirmBody,
    answer=RefundView,
    summary="A refund by hand is done at the provider",
)
def confirm_refund(call: Call[ConfirmBody, None]) -> RefundView:
    refund_id, said = call.path["refund_id"], call.body.reference
    return RefundView.of(refunds.finish_by_hand(refund_id, RefundStatus.PAID, said))


@operator_payments.route(
    "/v1/operator/refunds/{refund_id}/fail",
    method="POST",
    access=Access.OPERATOR,
    body=WhyBody,
    answer=RefundView,
    summary="A refund by hand was refused at the provider: nothing went back",
)
def fail_refund(call: Call[WhyBody, None]) -> RefundView:
    refund_id, said = call.path["refund_id"], call.body.reason
    return RefundView.of(refunds.finish_by_hand(refund_id, RefundStatus.FAILED, said))


@operator_payments.route(
    "/v1/operator/refunds/{refund_id}/retry",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=RefundView,
    key=KeyUse.KEPT_REQUIRED,
    summary="Try a refund again that the provider had refused",
)
def retry_refund(call: Call[Nothing, None]) -> RefundView:
    return RefundView.of(refunds.try_again(call.path["refund_id"]))


@operator_payments.route(
    "/v1/operator/refunds/{refund_id}/by-hand",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=RefundView,
    summary="Do a refund by hand that the provider has refused, or never decides",
)
def take_over_refund(call: Call[Nothing, None]) -> RefundView:
    return RefundView.of(refunds.take_over(call.path["refund_id"]))


@operator_payments.route(
    "/v1/operator/payments/{payment_id}/disputes",
    method="POST",
    access=Access.OPERATOR,
    body=DisputeBody,
    answer=DisputeView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    summary="A bank has opened a dispute, by letter or in its own portal",
)
def open_dispute(call: Call[DisputeBody, None]) -> DisputeView:
    payment_id = call.path["payment_id"]
    return DisputeView.of(disputes.open_dispute(payment_id, call.body.case, call.body.reason))


@operator_payments.route(
    "/v1/operator/disputes",
    access=Access.OPERATOR,
    query=DisputeQuery,
    answer=Page[DisputeView],
    summary="Disputes of a status, the newest first",
)
def list_disputes(call: Call[None, DisputeQuery]) -> Page[DisputeView]:
    found, last = enquiries.disputes(call.query.status, call.query.limit, _before(call))
    return Page(data=[DisputeView.of(each) for each in found], next_cursor=_next(call, last))


@operator_payments.route(
    "/v1/operator/disputes/{dispute_id}",
    access=Access.OPERATOR,
    answer=DisputeView,
    summary="A dispute",
)
def show_dispute(call: Call[None, None]) -> DisputeView:
    return DisputeView.of(disputes.dispute(call.path["dispute_id"]))


@operator_payments.route(
    "/v1/operator/disputes/{dispute_id}/evidence",
    access=Access.OPERATOR,
    answer=EvidenceView,
    summary="The evidence for the bank, packed from the order",
)
def show_evidence(call: Call[None, None]) -> EvidenceView:
    packed = disputes.evidence_of(disputes.dispute(call.path["dispute_id"]))
    return EvidenceView(digest=evidence.digest_of(packed), evidence=dict(packed))


@operator_payments.route(
    "/v1/operator/disputes/{dispute_id}/evidence",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=DisputeView,
    summary="The evidence was sent to the bank",
)
def send_evidence(call: Call[Nothing, None]) -> DisputeView:
    return DisputeView.of(disputes.send_evidence(call.path["dispute_id"]))


@operator_payments.route(
    "/v1/operator/disputes/{dispute_id}/won",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=DisputeView,
    summary="The bank has decided for the artisan",
)
def win_dispute(call: Call[Nothing, None]) -> DisputeView:
    return DisputeView.of(disputes.decide(call.path["dispute_id"], won=True))


@operator_payments.route(
    "/v1/operator/disputes/{dispute_id}/lost",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=DisputeView,
    summary="The bank has decided for the buyer",
)
def lose_dispute(call: Call[Nothing, None]) -> DisputeView:
    return DisputeView.of(disputes.decide(call.path["dispute_id"], won=False))


@operator_payments.route(
    "/v1/operator/callbacks",
    access=Access.OPERATOR,
    query=PageQuery,
    answer=Page[CallbackView],
    summary="Verified callbacks that no rule could apply, the newest first",
)
def list_parked_callbacks(call: Call[None, PageQuery]) -> Page[CallbackView]:
    start = key_of(call.query.cursor, call.query.scope())
    found, last = enquiries.parked_callbacks(call.query.limit, start)
    return Page(
        data=[CallbackView.of(kept) for kept in found],
        next_cursor=cursor_of(last, call.query.scope()),
    )


@operator_payments.route(
    "/v1/operator/callbacks/{event_key}",
    access=Access.OPERATOR,
    answer=CallbackView,
    summary="A verified callback and what became of it",
)
def show_callback(call: Call[None, None]) -> CallbackView:
    return CallbackView.of(enquiries.callback(call.path["event_key"]))


@operator_payments.route(
    "/v1/operator/callbacks/{event_key}/apply",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=CallbackView,
    summary="Apply a parked callback once more",
)
def apply_parked_callback(call: Call[Nothing, None]) -> CallbackView:
    return CallbackView.of(service.apply_parked(call.path["event_key"]))
