"""Placing an order and paying it: order and payment are written together, so both stand here.

The callbacks of the providers arrive here too; each is answered in the provider's own words.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import standard_webhooks
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call, read_json
from chalicelib.edge.idempotency import REPLAYED, KeyUse
from chalicelib.edge.observability import count
from chalicelib.edge.replies import Reply
from chalicelib.edge.schemas import Nothing
from chalicelib.orders import service as orders
from chalicelib.orders.domain import Order, Reader
from chalicelib.orders.schemas import OrderView
from chalicelib.orders.service import OrderRequest
from chalicelib.payments import checkout, service
from chalicelib.payments.domain import PAY_WITHIN, BadSignature, Method
from chalicelib.payments.providers import cmi, wallet
from chalicelib.payments.schemas import (
    OrderWithPayments,
    PayAgainBody,
    PaymentView,
    PlacedView,
    PlaceOrderBody,
)

payments = FeatureBlueprint(__name__)
FORM = ("application/x-www-form-urlencoded",)


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
    checkout.check_method(method)
    placed = checkout.place_order(_request(call, method), method)
    return Reply(_placed_view(placed), headers=REPLAYED if placed.replayed else {})


def _request(call: Call[PlaceOrderBody, None], method: Method) -> OrderRequest:
    body = call.body
    return OrderRequest(
        key=call.idempotency_key,
        buyer=body.buyer.to_domain(),
        ship_to=body.ship_to.to_domain(),
        wanted=tuple(line.to_domain() for line in body.lines),
        expected_total=body.expected_total.to_domain() if body.expected_total else None,
        hold_for=PAY_WITHIN.get(method, timedelta()),
        content=body.model_dump(mode="json"),
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
    return OrderWithPayments(
        **_order_view(order).model_dump(),
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
    payment = checkout.pay_again(order.order_id, Method(call.body.payment_method))
    return PaymentView.of(payment, order.buyer)


@payments.route(
    "/v1/orders/{order_id}/cancel",
    method="POST",
    access=Access.BUYER,
    body=Nothing,
    answer=OrderView,
    summary="Cancel an order that is not paid",
)
def cancel_order(call: Call[Nothing, None]) -> OrderView:
    order = _buyers_order(call)
    return _order_view(checkout.cancel_order(order.order_id))


@payments.route(
    "/v1/payments/callbacks/cmi",
    method="POST",
    access=Access.PROVIDER,
    answer_media="text/plain",
    media=FORM,
    key=KeyUse.NONE,
    failure_text=cmi.FAILURE,
    summary="CMI's callback; the answer is the capture decision",
)
def receive_cmi(call: Call[None, None]) -> Reply:
    keys = (settings().cmi_store_key, settings().cmi_store_key_previous)
    fields = cmi.read_callback(call.raw_body, keys)
    if fields is None:
        raise _forged("cmi")
    event = cmi.event_from(fields)
    answer = service.decide_cmi(event, call.raw_body, fields.get("clientid", ""))
    return Reply(answer, content_type="text/plain")


@payments.route(
    "/v1/payments/callbacks/wallet",
    method="POST",
    access=Access.PROVIDER,
    status=204,
    key=KeyUse.NONE,
    summary="The wallet's and vouchers' callback, and results of payouts (Standard Webhooks)",
)
def receive_wallet(call: Call[None, None]) -> Reply:
    secrets = (settings().wallet_secret, settings().wallet_secret_previous)
    now = clock.outside_now()
    if not standard_webhooks.is_genuine(secrets, call.headers, call.raw_body, now):
        raise _forged("wallet")
    event = read_json(wallet.WalletEvent, call.raw_body)
    service.receive_callback(wallet.event_from(event, call.headers), call.raw_body)
    return Reply("", status=204)


def _forged(provider: str) -> BadSignature:
    count("ForgedCallback", provider=provider)
    return BadSignature("sign the raw body with the active secret")
