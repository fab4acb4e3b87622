"""Placing an order and paying it: order and payment are written together, so both stand here."""

from dataclasses import replace
from typing import Any

from chalicelib import clock, ids
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.idempotency import REPLAYED, KeyUse
from chalicelib.edge.replies import Reply
from chalicelib.edge.schemas import Nothing
from chalicelib.orders import returns
from chalicelib.orders import service as orders
from chalicelib.orders.domain import Order, Reader
from chalicelib.orders.return_schemas import RequestReturnBody, ReturnList, ReturnView
from chalicelib.orders.schemas import OrderView
from chalicelib.orders.service import OrderRequest
from chalicelib.orders.terms_schemas import terms_shown
from chalicelib.payments import cancellations, checkout
from chalicelib.payments.domain import PAY_WITHIN, Method
from chalicelib.payments.schemas import (
    OrderWithPayments,
    PayAgainBody,
    PaymentView,
    PlacedView,
    PlaceOrderBody,
    ReturnQuery,
)

payments = FeatureBlueprint(__name__)


@payments.route(
    "/v1/orders",
    method="POST",
    access=Access.PUBLIC,
    body=PlaceOrderBody,
    answer=PlacedView,
    status=201,
    key=KeyUse.OWN,
    summary="Place an order: its stock is held and it says what the buyer must do to pay",
)
def place_order(call: Call[PlaceOrderBody, None]) -> Reply:
    method = Method(call.body.payment_method)
    placed = checkout.place_order(_request(call, method), method, call.body.return_url)
    return Reply(_placed_view(placed), headers=REPLAYED if placed.replayed else {})


def _request(call: Call[PlaceOrderBody, None], method: Method) -> OrderRequest:
    body = call.body
    return OrderRequest(
        key=call.idempotency_key,
        buyer=body.buyer.to_domain(),
        ship_to=body.ship_to.to_domain(),
        wanted=tuple(line.to_domain() for line in body.lines),
        expected_total=body.expected_total.to_domain() if body.expected_total else None,
        hold_for=PAY_WITHIN[method],
        content=body.content(),
        campaign=body.campaign,
    )


def _placed_view(placed: checkout.Placed) -> PlacedView:
    return PlacedView(
        order=_order_view(placed.order),
        payment=PaymentView.of(placed.payment, placed.order.buyer),
        order_token=orders.order_token_of(placed.order.order_id),
    )


def _order_view(order: Order) -> OrderView:
    return OrderView.of(order, clock.now(), orders.return_window())


def _reader(call: Call[Any, Any]) -> Reader:
    caller = call.caller
    return Reader(caller.is_operator, caller.order_token, caller.artisan_id)


def _buyers_order(call: Call[Any, Any]) -> Order:
    return orders.order_for(call.path["order_id"], replace(_reader(call), artisan_id=""))


@payments.route(
    "/v1/orders/{order_id}",
    access=Access.BUYER,
    answer=OrderWithPayments,
    summary="An order with its parcels and payments; an artisan sees their own part",
)
def read_order(call: Call[None, None]) -> OrderWithPayments:
    order, found = checkout.order_with_payments(call.path["order_id"], _reader(call))
    shown = terms_shown(order, call.caller.artisan_id, call.caller.is_operator)
    return OrderWithPayments(
        **_order_view(order).model_dump() | {"terms": shown},
        payments=[PaymentView.of(payment, order.buyer) for payment in found],
    )


@payments.route(
    "/v1/orders/{order_id}/payments",
    method="POST",
    access=Access.BUYER,
    body=PayAgainBody,
    answer=PaymentView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    summary="Try to pay again, or another way, while the order awaits payment",
)
def pay_again(call: Call[PayAgainBody, None]) -> PaymentView:
    order = _buyers_order(call)
    method = Method(call.body.payment_method)
    asked_by = ids.fingerprint(order.order_id, call.idempotency_key)
    payment = checkout.pay_again(order.order_id, method, call.body.return_url, asked_by)
    return PaymentView.of(payment, order.buyer)


@payments.route(
    "/v1/orders/{order_id}/cancel",
    method="POST",
    access=Access.BUYER,
    body=Nothing,
    answer=OrderView,
    summary="Cancel an order: at once, or, once it is paid and nothing has gone, with a refund",
)
def cancel_order(call: Call[Nothing, None]) -> OrderView:
    order = _buyers_order(call)
    return _order_view(cancellations.cancel_order(order.order_id))


@payments.route(
    "/v1/orders/{order_id}/returns",
    method="POST",
    access=Access.BUYER,
    body=RequestReturnBody,
    answer=ReturnView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    summary="Ask to return lines of one artisan's parcel that has arrived",
)
def request_return(call: Call[RequestReturnBody, None]) -> ReturnView:
    order = _buyers_order(call)
    lines = call.body.quantities()
    asked_by = ids.fingerprint(order.order_id, call.idempotency_key)
    asked = returns.request_return(order.order_id, lines, call.body.reason, asked_by)
    return ReturnView.of(asked)


@payments.route(
    "/v1/orders/{order_id}/returns",
    access=Access.BUYER,
    answer=ReturnList,
    summary="The returns of an order",
)
def list_returns(call: Call[None, None]) -> ReturnList:
    order = _buyers_order(call)
    return ReturnList(data=[ReturnView.of(each) for each in returns.returns_of(order.order_id)])


@payments.route(
    "/v1/payments/{payment_id}/return",
    access=Access.PUBLIC,
    query=ReturnQuery,
    answer_media="text/html",
    status=303,
    summary="Where a card page sends the buyer back to; goes on to the storefront",
)
def come_back(call: Call[None, ReturnQuery]) -> Reply:
    url = checkout.way_back(call.path["payment_id"], call.query.indicator)
    return Reply("", headers={"Location": url}, content_type="text/html; charset=utf-8")
