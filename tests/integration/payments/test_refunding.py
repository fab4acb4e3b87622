"""Refunds that operators ask for: whole, by line, by amount; sent, refused, done by hand."""

from typing import Any

import pytest

from chalicelib import clock
from chalicelib.edge import outbound
from chalicelib.edge.outbound import OutcomeUnknown
from tests.factories.orders import BOWL, BOWL_PRICE, OWNER, RUG, RUG_PRICE
from tests.integration.payments.conftest import Shop


def ask(shop: Shop, placed: Any, **body: Any) -> Any:
    path = f"payments/{placed['payment']['id']}/refunds"
    return shop.as_operator(path, {"reason": "the buyer asked", **body})


def mad(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "MAD"}


def line(listing_id: str, quantity: int = 1) -> dict[str, Any]:
    return {"listing_id": listing_id, "quantity": quantity}


@pytest.mark.parametrize("method", ["wallet", "mastercard"])
def test_pieces_of_a_refund_add_up_to_the_payment_and_not_a_centime_more(
    shop: Shop, method: str
) -> None:
    placed = shop.paid(method)
    total = placed["payment"]["amount"]["amount_minor"]
    for body in ({"lines": [line(BOWL)]}, {"amount": mad(33_33)}, {"amount": mad(1)}):
        assert ask(shop, placed, **body).status == 201
        shop.settle()
    seen = shop.read(placed)
    assert seen["status"] == "partially_refunded"
    assert seen["refunded"]["amount_minor"] == BOWL_PRICE + 33_34
    left = total - BOWL_PRICE - 33_34
    too_much = ask(shop, placed, amount=mad(left + 1))
    assert (too_much.status, too_much.json["code"]) == (409, "refund_exceeds_captured")
    assert too_much.json["refundable"] == mad(left)
    assert ask(shop, placed).json["amount"] == mad(left)
    shop.settle()
    assert shop.read(placed)["payments"][0]["status"] == "refunded"
    assert shop.books(placed)["refunded_minor"] == total
    assert ask(shop, placed).json["code"] == "not_refundable"
    assert set(shop.balance(OWNER).values()) == {0}
    assert shop.ledger_holds()


def test_the_same_key_is_one_refund(shop: Shop) -> None:
    placed = shop.paid()
    path = f"/v1/operator/payments/{placed['payment']['id']}/refunds"
    body, key = {"reason": "twice", "amount": mad(100)}, {"Idempotency-Key": "one"}
    first, again = (
        shop.api.post(path, body, token=shop.api.operator, headers=key) for _ in range(2)
    )
    assert first.json == again.json
    shop.settle()
    assert shop.books(placed)["refunded_minor"] == 100


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"lines": [line(BOWL, 2)]}, 422, "refund_lines_unknown"),
        ({"lines": [line("lst_" + "z" * 24)]}, 422, "refund_lines_unknown"),
        ({"amount": mad(0)}, 422, "amount_or_lines"),
        ({"amount": mad(-5)}, 422, "amount_or_lines"),
        ({"amount": {"amount_minor": 5, "currency": "EUR"}}, 422, "amount_or_lines"),
        ({"amount": mad(5), "lines": [line(BOWL)]}, 422, "amount_or_lines"),
        ({"amount": mad(10**9)}, 409, "refund_exceeds_captured"),
    ],
)
def test_a_refund_that_cannot_be_is_refused_and_changes_nothing(
    shop: Shop, body: Any, status: int, code: str
) -> None:
    placed = shop.paid()
    refused = ask(shop, placed, **body)
    assert (refused.status, refused.json["code"]) == (status, code)
    shop.settle()
    assert shop.read(placed)["refunded"]["amount_minor"] == 0


def test_a_line_is_refunded_once(shop: Shop) -> None:
    placed = shop.paid(lines={BOWL: 2, RUG: 1})
    assert ask(shop, placed, lines=[line(BOWL, 1)]).status == 201
    assert ask(shop, placed, lines=[line(BOWL, 2)]).json["code"] == "refund_lines_unknown"
    assert ask(shop, placed, lines=[line(BOWL, 1), line(RUG)]).status == 201
    shop.settle()
    assert shop.read(placed)["refunded"]["amount_minor"] == 2 * BOWL_PRICE + RUG_PRICE


def test_an_unpaid_order_is_not_refunded(shop: Shop) -> None:
    placed = shop.place()
    assert ask(shop, placed).json["code"] == "not_refundable"


@pytest.mark.parametrize("method", ["card", "payzone"])
def test_where_no_provider_can_be_asked_an_operator_does_it(shop: Shop, method: str) -> None:
    placed = shop.paid(method)
    made = ask(shop, placed, lines=[line(BOWL)]).json
    assert made["status"] == "manual"
    shop.settle()
    assert shop.read(placed)["refunded"]["amount_minor"] == 0
    [task] = shop.listed("refunds?status=manual")
    assert (task["id"], task["amount"]) == (made["id"], mad(BOWL_PRICE))
    done = shop.as_operator(f"refunds/{made['id']}/confirm", {"reference": "MC-77"})
    assert (done.json["status"], done.json["reference"]) == ("paid", "MC-77")
    shop.settle()
    assert shop.read(placed)["refunded"]["amount_minor"] == BOWL_PRICE
    assert shop.listed("refunds?status=manual") == []
    # It is done once: neither again, nor the opposite
    assert shop.as_operator(f"refunds/{made['id']}/confirm", {"reference": "X"}).status == 200
    failed = shop.as_operator(f"refunds/{made['id']}/fail", {"reason": "no"})
    assert (failed.status, failed.json["code"]) == (409, "refund_state_forbids")


def test_a_refund_by_hand_that_fails_changes_nothing_and_is_tried_again(shop: Shop) -> None:
    placed = shop.paid("card")
    before = shop.balance(OWNER)
    made = ask(shop, placed).json
    shop.settle()
    assert shop.balance(OWNER)["pending"] == 0
    assert shop.as_operator(f"refunds/{made['id']}/fail", {"reason": "closed"}).status == 200
    shop.settle()
    assert shop.balance(OWNER) == before
    assert shop.read(placed)["status"] == "paid"
    again = shop.as_operator(f"refunds/{made['id']}/retry")
    assert (again.json["status"], again.json["attempt"]) == ("manual", 2)
    shop.as_operator(f"refunds/{made['id']}/confirm", {"reference": "MC-78"})
    shop.settle()
    assert shop.read(placed)["status"] == "refunded"
    assert shop.ledger_holds()


def test_nobody_confirms_by_hand_what_the_provider_decides(shop: Shop) -> None:
    placed = shop.paid()
    outbound.set_transport(_down)
    made = ask(shop, placed).json
    shop.settle()
    refused = shop.as_operator(f"refunds/{made['id']}/confirm", {"reference": "X"})
    assert (refused.status, refused.json["code"]) == (409, "refund_state_forbids")


def _down(request: Any) -> Any:
    raise OutcomeUnknown("nobody answers")


def test_P8_a_refund_whose_answer_is_lost_is_asked_about_and_given_once(shop: Shop) -> None:
    placed = shop.paid()
    made = ask(shop, placed).json
    outbound.set_transport(_down)
    shop.settle()
    path = f"/v1/operator/refunds/{made['id']}"
    assert shop.api.get(path, token=shop.api.operator).json["status"] == "sending"
    assert shop.read(placed)["refunded"]["amount_minor"] == 0
    outbound.set_transport(shop.bank.carry)
    clock.advance(3600)
    shop.settle()
    assert shop.api.get(path, token=shop.api.operator).json["status"] == "paid"
    total = placed["payment"]["amount"]["amount_minor"]
    assert shop.books(placed)["refunded_minor"] == total
    assert shop.read(placed)["refunded"]["amount_minor"] == total
