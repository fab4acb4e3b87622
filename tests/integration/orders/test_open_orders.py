"""A buyer has a limited number of orders that await payment; each way of closing one makes room."""

from typing import Any

import pytest

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.orders.buyer_tables import BuyerTable
from tests.aws import Answered, Api
from tests.factories import shop
from tests.factories.orders import BOWL, an_order_body, open_shop
from tests.factories.payments import cmi_body, post_cmi

CAP = 3


@pytest.fixture
def buying(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("MAALEM_MAX_OPEN_ORDERS_PER_BUYER", str(CAP))
    settings.cache_clear()
    open_shop({BOWL: 20})
    return api


def place(api: Api, key: str, email: str = "amina@example.com") -> Answered:
    body = an_order_body({BOWL: 1})
    body["buyer"] = body["buyer"] | {"email": email}
    return api.post("/v1/orders", body, headers={"Idempotency-Key": key})


def fill(api: Api) -> list[Any]:
    placed = [place(api, f"key-{number}") for number in range(CAP)]
    assert [answered.status for answered in placed] == [201] * CAP
    return [answered.json for answered in placed]


def test_one_more_is_refused_and_holds_nothing(buying: Api) -> None:
    fill(buying)
    refused = place(buying, "one-more")
    assert (refused.status, refused.json["code"]) == (429, "too_many_open_orders")
    assert refused.headers["retry-after"]
    assert shop.check_shop()[BOWL].held == CAP
    # A name written otherwise is the same buyer, and another buyer is not kept from buying
    assert place(buying, "again", "Amina@Example.com").status == 429
    assert place(buying, "other", "said@example.com").status == 201


def test_the_same_request_again_is_answered_and_not_counted(buying: Api) -> None:
    first = fill(buying)[0]
    again = place(buying, "key-0")
    assert (again.status, again.json["order"]["id"]) == (201, first["order"]["id"])
    [row] = list(BuyerTable.scan())
    assert len(row.open_orders) == CAP


@pytest.mark.parametrize("way", ["paid", "cancelled"])
def test_what_is_paid_or_cancelled_makes_room(buying: Api, way: str) -> None:
    placed = fill(buying)[0]
    if way == "paid":
        minor = placed["payment"]["amount"]["amount_minor"]
        assert post_cmi(buying, cmi_body(placed["payment"]["id"], minor)).text == "ACTION=POSTAUTH"
    else:
        path = f"/v1/orders/{placed['order']['id']}/cancel"
        assert buying.post(path, {}, headers={"Order-Token": placed["order_token"]}).status == 200
    assert place(buying, "one-more").status == 201
    assert place(buying, "and-one-more").status == 429


def test_what_has_expired_makes_room(buying: Api) -> None:
    fill(buying)
    clock.advance(shop.FIFTEEN_MINUTES)
    shop.sweep()
    assert place(buying, "one-more").status == 201
    [row] = list(BuyerTable.scan())
    assert len(row.open_orders) == 1


def test_nobodys_e_mail_stands_in_the_table(buying: Api) -> None:
    fill(buying)
    assert "amina" not in str([row.to_dynamodb_dict() for row in BuyerTable.scan()])
