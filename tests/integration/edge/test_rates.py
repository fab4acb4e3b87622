"""Rate limits on the real routes: who is limited, and what never is."""

import pytest

from chalicelib import clock
from chalicelib.config import settings


@pytest.fixture
def _on_aws(monkeypatch):
    """The limits as deployed; the local stack has far wider ones."""
    monkeypatch.setenv("MAALEM_RATE_LIMIT_SCALE_PERCENT", "100")
    settings.cache_clear()
    standing = clock.outside_now()
    monkeypatch.setattr(clock, "outside_now", lambda: standing)


def refused(answers) -> list[int]:
    return [number for number, answer in enumerate(answers) if answer.status == 429]


@pytest.mark.usefixtures("_on_aws")
class TestAsDeployed:
    def test_a_storefront_may_place_a_burst_of_300_orders_from_one_address(self, api):
        answers = [api.post("/v1/quotes", {}) for _ in range(301)]
        assert refused(answers) == [300]
        assert answers[-1].json["code"] == "rate_limited"
        assert answers[-1].headers["retry-after"] == "1"
        assert answers[-1].headers["ratelimit-remaining"] == "0"
        clock.advance(1)
        assert refused(api.post("/v1/quotes", {}) for _ in range(11)) == [10]

    def test_an_artisan_may_write_30_times_at_once_and_read_600_times(self, api):
        amina, said = api.token("amina", "artisans"), api.token("said", "artisans")
        assert refused(api.patch("/v1/me", {}, token=amina) for _ in range(31)) == [30]
        assert refused(api.get("/v1/health", token=amina) for _ in range(601)) == [600]
        assert api.patch("/v1/me", {}, token=said).status != 429

    def test_P6_a_callback_is_never_limited_and_says_nothing_of_limits(self, api):
        for path in ("/v1/payments/callbacks/wallet", "/v1/payments/callbacks/cmi"):
            for _ in range(1500):
                answer = api.post(path, b"{}", headers={"Content-Type": "application/json"})
                assert answer.status in (401, 415)
            assert not any(name.startswith("ratelimit") for name in answer.headers)

    def test_an_order_may_be_looked_at_600_times_a_minute_by_each_buyer(self, api):
        for token, times in (("otk_one", 600), ("otk_two", 20)):  # behind one address
            for _ in range(times):
                answer = api.get("/v1/orders/ord_nobodys", headers={"Order-Token": token})
                assert answer.status == 404


def test_a_page_may_read_the_limits(api):
    answer = api.get("/v1/health", headers={"Origin": "https://shop.example.ma"})
    shown = answer.headers["access-control-expose-headers"].split(",")
    assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"} <= set(
        shown
    )
    assert answer.headers["ratelimit-limit"]


def test_on_the_local_stack_one_caller_is_not_in_the_way_of_a_demo(api):
    assert refused(api.post("/v1/quotes", {}) for _ in range(2000)) == []
