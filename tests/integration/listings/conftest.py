"""A verified artisan in an open region, and the steps that bring a listing to the market."""

from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.artisans import service as artisans
from tests.factories.artisans import a_registration
from tests.factories.listings import a_new_listing


@dataclass
class Shop:
    """What an artisan and an operator do over HTTP."""

    api: Any
    token: str
    artisan_id: str

    def write(self, **changes: Any) -> dict[str, Any]:
        answer = self.api.post("/v1/me/listings", a_new_listing(**changes), token=self.token)
        assert answer.status == 201, answer.text
        return answer.json

    def submit(self, listing_id: str) -> Any:
        return self.api.post(f"/v1/me/listings/{listing_id}/submit", token=self.token)

    def publish(self, listing_id: str) -> Any:
        path = f"/v1/operator/listings/{listing_id}/publish"
        return self.api.post(path, token=self.api.operator)

    def published(self, **changes: Any) -> str:
        listing_id = self.write(**changes)["id"]
        assert self.submit(listing_id).status == 200
        assert self.publish(listing_id).status == 200
        return listing_id

    def set_region(self, status: str, code: str = "MA-03") -> None:
        path = f"/v1/operator/regions/{code}"
        assert self.api.put(path, {"status": status}, token=self.api.operator).status == 200


def open_shop(api: Any, subject: str, **changes: Any) -> Shop:
    token = api.token(subject, "artisans")
    answer = api.post("/v1/artisans", a_registration(**changes), token=token)
    assert answer.status == 201
    return Shop(api, token, answer.json["id"])


@pytest.fixture
def shop(api) -> Shop:
    made = open_shop(api, "shop-owner")
    artisans.verify(made.artisan_id)
    made.set_region("live")
    return made


@pytest.fixture
def other_shop(api, shop) -> Shop:
    made = open_shop(api, "other-owner", region="MA-07", workshop_name="Autre Atelier")
    artisans.verify(made.artisan_id)
    made.set_region("pilot", "MA-07")
    return made
