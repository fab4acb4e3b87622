"""Callbacks that a script signs with the local secrets are as good as the sandbox's own."""

import pytest

from chalicelib import clock
from chalicelib.edge import outbound
from infra.local.payments import find_due, find_paid_by_hand
from tests.factories.bank import InProcessBank, through
from tests.factories.payments import cmi_body, post_cmi, post_wallet, wallet_event
from tests.integration.payments.conftest import Shop


@pytest.fixture
def by_hand(shop: Shop) -> Shop:
    """A shop whose bank looks up what was signed by hand, as on `make run`."""
    made = InProcessBank(through(shop.api), shop.pump.drain, find_due, find_paid_by_hand)
    outbound.set_transport(made.carry)
    shop.bank = made
    return shop


def test_money_told_by_a_script_is_given_back_by_the_wallet(by_hand: Shop) -> None:
    placed = by_hand.place("wallet")
    payment = placed["payment"]
    event = wallet_event(payment["id"], payment["amount"]["amount_minor"])
    assert post_wallet(by_hand.api, event).status == 204
    by_hand.settle()
    path = f"payments/{payment['id']}/refunds"
    assert by_hand.as_operator(path, {"reason": "by hand"}).json["status"] == "approved"
    by_hand.settle()
    assert by_hand.read(placed)["status"] == "refunded"
    assert by_hand.books(placed)["refunded_minor"] == payment["amount"]["amount_minor"]


def test_a_card_callback_of_a_scripts_is_confirmed_when_cmi_is_asked(by_hand: Shop) -> None:
    placed = by_hand.place("card")
    payment = placed["payment"]
    answered = post_cmi(by_hand.api, cmi_body(payment["id"], payment["amount"]["amount_minor"]))
    assert answered.text == "ACTION=POSTAUTH"
    clock.advance(16 * 60)
    by_hand.settle()
    [seen] = by_hand.read(placed)["payments"]
    assert (seen["status"], seen["review"]) == ("captured", False)
