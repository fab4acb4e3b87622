"""Disputes: opened by the provider or by letter, evidence, won and lost, the artisan's money."""

from typing import Any

import pytest

from chalicelib import clock
from tests.factories.orders import OWNER
from tests.integration.payments.conftest import Shop

WEEKS = 14 * 24 * 3600


def opened(shop: Shop, method: str) -> tuple[Any, Any]:
    """A paid order that is disputed, and its dispute."""
    placed = shop.paid(method)
    payment_id = placed["payment"]["id"]
    if method in ("wallet", "mastercard"):
        shop.bank.decide(method, payment_id, "opened")
    else:
        body = {"case": "BMCE-17", "reason": "not received"}
        assert shop.as_operator(f"payments/{payment_id}/disputes", body).status == 201
    shop.settle()
    [dispute] = shop.listed("disputes?status=opened")
    return placed, dispute


def decide(shop: Shop, method: str, placed: Any, dispute: Any, outcome: str) -> None:
    if method in ("wallet", "mastercard"):
        shop.bank.decide(method, placed["payment"]["id"], outcome)
    else:
        assert shop.as_operator(f"disputes/{dispute['id']}/{outcome}").status == 200
    shop.settle()


@pytest.mark.parametrize("method", ["wallet", "mastercard", "card", "payzone"])
def test_a_dispute_that_is_won_frees_what_it_held(shop: Shop, method: str) -> None:
    placed, dispute = opened(shop, method)
    assert shop.read(placed)["payments"][0]["status"] == "disputed"
    held = shop.balance(OWNER)
    assert (held["pending"], held["held"] > 0) == (0, True)
    # Nothing of it is refunded meanwhile
    refund = shop.as_operator(f"payments/{placed['payment']['id']}/refunds", {"reason": "x"})
    assert (refund.status, refund.json["code"]) == (409, "not_refundable")
    decide(shop, method, placed, dispute, "won")
    assert shop.read(placed)["payments"][0]["status"] == "captured"
    free = shop.balance(OWNER)
    assert (free["pending"], free["held"]) == (held["held"], 0)
    assert shop.ledger_holds()


@pytest.mark.parametrize("method", ["wallet", "mastercard", "card", "payzone"])
def test_a_dispute_that_is_lost_takes_what_it_held(shop: Shop, method: str) -> None:
    placed, dispute = opened(shop, method)
    decide(shop, method, placed, dispute, "lost")
    assert shop.read(placed)["payments"][0]["status"] == "charged_back"
    assert set(shop.balance(OWNER).values()) == {0}
    assert shop.listed("disputes?status=lost")[0]["decided_at"]
    assert shop.ledger_holds()


def test_the_evidence_is_what_the_order_says_and_names_no_address(shop: Shop) -> None:
    placed = shop.paid("card")
    shop.send_all(placed)
    body = {"case": "BMCE-18", "reason": "not received"}
    path = f"payments/{placed['payment']['id']}/disputes"
    dispute = shop.as_operator(path, body).json
    pack = shop.api.get(
        f"/v1/operator/disputes/{dispute['id']}/evidence", token=shop.api.operator
    ).json
    assert [parcel["tracking"] for parcel in pack["evidence"]["parcels"]] == ["EE-1-MA"] * 2
    assert all(parcel["delivered_at"] for parcel in pack["evidence"]["parcels"])
    assert (
        pack["evidence"]["payment"]["amount_minor"] == (placed["payment"]["amount"]["amount_minor"])
    )
    assert "@" not in str(pack)
    sent = shop.as_operator(f"disputes/{dispute['id']}/evidence").json
    assert (sent["status"], sent["evidence_digest"]) == ("evidence_sent", pack["digest"])


def test_evidence_that_is_not_sent_in_time_is_marked(shop: Shop) -> None:
    _, dispute = opened(shop, "card")
    assert not dispute["overdue"]
    clock.advance(WEEKS)
    shop.settle()
    [late] = shop.listed("disputes?status=opened")
    assert late["overdue"]


@pytest.mark.parametrize("method", ["card", "wallet", "mastercard"])
def test_what_a_letter_opened_is_not_closed_by_what_the_provider_says(
    shop: Shop, method: str
) -> None:
    # Given a dispute that only the bank's letter tells of
    placed = shop.paid(method)
    payment_id = placed["payment"]["id"]
    body = {"case": "L-1", "reason": "by letter"}
    shop.as_operator(f"payments/{payment_id}/disputes", body)
    # When the provider is asked about the payment, which it has as captured
    from chalicelib.payments import inquiries, tables

    found = tables.find(payment_id)
    assert found
    assert inquiries.learn(found)
    shop.settle()
    # Then it is still open
    assert shop.read(placed)["payments"][0]["status"] == "disputed"


def test_the_same_case_is_one_dispute_and_a_decided_one_stays_decided(shop: Shop) -> None:
    placed, dispute = opened(shop, "card")
    path = f"payments/{placed['payment']['id']}/disputes"
    again = shop.as_operator(path, {"case": "BMCE-17", "reason": "not received"})
    assert again.json["id"] == dispute["id"]
    other = shop.as_operator(path, {"case": "BMCE-99", "reason": "again"})
    assert (other.status, other.json["code"]) == (409, "not_disputable")
    decide(shop, "card", placed, dispute, "lost")
    turned = shop.as_operator(f"disputes/{dispute['id']}/won")
    assert (turned.status, turned.json["code"]) == (409, "dispute_state_forbids")


def test_a_dispute_after_a_refund_is_about_the_rest(shop: Shop) -> None:
    placed = shop.paid("card")
    payment = f"payments/{placed['payment']['id']}"
    body = {"reason": "part", "amount": {"amount_minor": 10_000, "currency": "MAD"}}
    refund = shop.as_operator(f"{payment}/refunds", body).json["id"]
    shop.as_operator(f"refunds/{refund}/confirm", {"reference": "R-1"})
    dispute = shop.as_operator(f"{payment}/disputes", {"case": "C-1", "reason": "rest"}).json
    total = placed["payment"]["amount"]["amount_minor"]
    assert dispute["amount"]["amount_minor"] == total - 10_000
    shop.settle()
    decide(shop, "card", placed, dispute, "won")
    assert shop.read(placed)["payments"][0]["status"] == "partially_refunded"
    assert shop.ledger_holds()


def test_an_unpaid_payment_is_not_disputed(shop: Shop) -> None:
    placed = shop.place("card")
    path = f"payments/{placed['payment']['id']}/disputes"
    refused = shop.as_operator(path, {"case": "C-1", "reason": "x"})
    assert (refused.status, refused.json["code"]) == (409, "not_disputable")
