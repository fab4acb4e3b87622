"""Cancelling, declining and returning what is paid: parcels, money and pieces in one step."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import clock
from tests.factories.orders import BOWL, BOWL_PRICE, OTHER_ARTISAN, OWNER, RUG, RUG_PRICE
from tests.integration.payments.conftest import Shop

DAY = 24 * 3600
Count = Callable[[str], Any]


def parcel_of(seen: Any, artisan_id: str) -> Any:
    return next(parcel for parcel in seen["parcels"] if parcel["artisan_id"] == artisan_id)


@pytest.mark.parametrize("method", ["wallet", "mastercard"])
def test_a_paid_order_is_cancelled_with_all_its_money_and_pieces(
    shop: Shop, count_of: Count, method: str
) -> None:
    placed = shop.paid(method)
    assert shop.balance(OWNER)["pending"] > 0
    assert shop.as_buyer(placed, "cancel").json["status"] == "cancelled"
    shop.settle()
    seen = shop.read(placed)
    assert (seen["status"], seen["payments"][0]["status"]) == ("refunded", "refunded")
    assert seen["refunded"] == seen["totals"]["total"]
    assert [parcel["status"] for parcel in seen["parcels"]] == ["cancelled", "cancelled"]
    assert shop.books(placed)["refunded_minor"] == seen["refunded"]["amount_minor"]
    for listing_id in (BOWL, RUG):
        assert (count_of(listing_id).available, count_of(listing_id).sold) == (5, 0)
    for artisan in (OWNER, OTHER_ARTISAN):
        assert set(shop.balance(artisan).values()) == {0}
    assert shop.ledger_holds()


def test_a_cancelled_order_is_cancelled_once_however_often_it_is_asked(shop: Shop) -> None:
    placed = shop.paid()
    first = shop.as_buyer(placed, "cancel")
    assert [shop.as_buyer(placed, "cancel").status for _ in range(3)] == [200] * 3
    shop.settle()
    assert first.status == 200
    assert shop.books(placed)["refunded_minor"] == (placed["payment"]["amount"]["amount_minor"])
    assert len(shop.listed("refunds?status=paid")) == 1


@pytest.mark.parametrize("upto", ["shipped", "delivered"])
def test_what_has_gone_is_not_cancelled(shop: Shop, upto: str) -> None:
    placed = shop.paid()
    shop.send_all(placed, upto)
    refused = shop.as_buyer(placed, "cancel")
    assert (refused.status, refused.json["code"]) == (409, "already_shipped")
    assert shop.listed("refunds?status=approved") == []


def test_a_declined_parcel_gives_its_part_back_and_the_other_goes_on(
    shop: Shop, count_of: Count
) -> None:
    placed = shop.paid()
    bowl = parcel_of(placed["order"], OWNER)
    declined = shop.as_artisan(OWNER, f"parcels/{bowl['id']}/decline", {"reason": "broken"})
    assert (declined.status, declined.json["status"]) == (200, "cancelled")
    shop.settle()
    seen = shop.read(placed)
    part = bowl["goods"]["amount_minor"] + bowl["shipping"]["amount_minor"]
    assert seen["refunded"]["amount_minor"] == part
    assert (seen["status"], seen["payments"][0]["status"]) == (
        "partially_refunded",
        "partially_refunded",
    )
    assert parcel_of(seen, OWNER)["decline_reason"] == "broken"
    # The artisan said that they have none: it is written off, not for sale again.
    assert (count_of(BOWL).available, count_of(BOWL).sold, count_of(BOWL).written_off) == (4, 0, 1)
    assert shop.balance(OWNER)["pending"] == 0
    assert shop.balance(OTHER_ARTISAN)["pending"] > 0
    rug = parcel_of(placed["order"], OTHER_ARTISAN)
    assert shop.as_artisan(OTHER_ARTISAN, f"parcels/{rug['id']}/accept").status == 200


def test_nobody_declines_anothers_parcel_or_one_that_has_gone(shop: Shop) -> None:
    placed = shop.paid()
    bowl = parcel_of(placed["order"], OWNER)
    reason = {"reason": "not mine"}
    theirs = shop.as_artisan(OTHER_ARTISAN, f"parcels/{bowl['id']}/decline", reason)
    nowhere = shop.as_artisan(OWNER, f"parcels/prc_{'a' * 24}01/decline", reason)
    assert (theirs.status, nowhere.status) == (404, 404)
    assert theirs.json["detail"] == nowhere.json["detail"]
    shop.send_all(placed, "shipped")
    gone = shop.as_artisan(OWNER, f"parcels/{bowl['id']}/decline", reason)
    assert (gone.status, gone.json["code"]) == (409, "parcel_state_forbids")


def test_an_unpaid_parcel_is_not_declined(shop: Shop) -> None:
    placed = shop.place()
    bowl = parcel_of(placed["order"], OWNER)
    refused = shop.as_artisan(OWNER, f"parcels/{bowl['id']}/decline", {"reason": "no"})
    assert (refused.status, refused.json["code"]) == (409, "parcel_state_forbids")


class TestReturns:
    @pytest.fixture(autouse=True)
    def _arrived(self, shop: Shop) -> None:
        self.placed = shop.paid(lines={BOWL: 2, RUG: 1})
        shop.send_all(self.placed)

    def ask(self, shop: Shop, quantity: int = 1, listing_id: str = BOWL) -> Any:
        lines = [{"listing_id": listing_id, "quantity": quantity}]
        return shop.as_buyer(self.placed, "returns", {"lines": lines, "reason": "too small"})

    def test_a_return_gives_its_goods_back_and_shipping_stays_paid(self, shop: Shop) -> None:
        asked = self.ask(shop)
        assert (asked.status, asked.json["status"]) == (201, "requested")
        path = f"returns/{asked.json['id']}"
        assert shop.as_artisan(OWNER, f"{path}/accept", {"answer": "bien sûr"}).status == 200
        assert shop.as_artisan(OWNER, f"{path}/received").json["status"] == "received"
        shop.settle()
        seen = shop.read(self.placed)
        assert seen["refunded"]["amount_minor"] == BOWL_PRICE
        assert parcel_of(seen, OWNER)["status"] == "delivered"
        # And once the rest has come back, the parcel is returned
        rest = self.ask(shop).json["id"]
        shop.as_artisan(OWNER, f"returns/{rest}/received")
        shop.settle()
        seen = shop.read(self.placed)
        assert seen["refunded"]["amount_minor"] == 2 * BOWL_PRICE
        assert parcel_of(seen, OWNER)["status"] == "returned"
        assert shop.ledger_holds()

    def test_money_waits_for_an_open_return_and_goes_back_from_where_it_waits(
        self, shop: Shop
    ) -> None:
        asked = self.ask(shop, listing_id=RUG).json["id"]
        shop.confirm(self.placed)
        clock.advance(15 * DAY)
        shop.settle()
        before = shop.balance(OTHER_ARTISAN)
        assert (before["payable"], before["pending"] > 0) == (0, True)
        shop.as_artisan(OTHER_ARTISAN, f"returns/{asked}/received")
        shop.settle()
        after = shop.balance(OTHER_ARTISAN)
        assert after["pending"] < before["pending"]
        assert after["owed"] == 0
        assert shop.read(self.placed)["refunded"]["amount_minor"] == RUG_PRICE
        assert shop.ledger_holds()

    def test_a_refused_return_changes_nothing_and_may_be_asked_for_again(self, shop: Shop) -> None:
        asked = self.ask(shop, 2).json["id"]
        assert shop.as_artisan(OWNER, f"returns/{asked}/refuse").status == 200
        received = shop.as_artisan(OWNER, f"returns/{asked}/received")
        assert (received.status, received.json["code"]) == (409, "return_state_forbids")
        assert self.ask(shop, 2).status == 201
        assert shop.read(self.placed)["refunded"]["amount_minor"] == 0

    @pytest.mark.parametrize(("quantity", "listing_id"), [(3, BOWL), (1, "lst_" + "z" * 24)])
    def test_no_more_is_returned_than_was_bought(
        self, shop: Shop, quantity: int, listing_id: str
    ) -> None:
        refused = self.ask(shop, quantity, listing_id)
        assert (refused.status, refused.json["code"]) == (422, "return_lines_unknown")

    def test_two_returns_do_not_name_the_same_pieces(self, shop: Shop) -> None:
        assert self.ask(shop, 2).status == 201
        assert self.ask(shop, 1).json["code"] == "return_lines_unknown"

    def test_the_time_to_return_ends(self, shop: Shop) -> None:
        clock.advance(15 * DAY)
        refused = self.ask(shop)
        assert (refused.status, refused.json["code"]) == (409, "not_returnable")

    def test_another_artisans_return_is_not_there(self, shop: Shop) -> None:
        asked = self.ask(shop).json["id"]
        refused = shop.as_artisan(OTHER_ARTISAN, f"returns/{asked}/received")
        assert (refused.status, refused.json["code"]) == (404, "unknown_return")
