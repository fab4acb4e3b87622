"""The local storefront: one page that needs no other host and speaks only the public API."""

import re

import pytest

from chalicelib.config import settings
from chalicelib.edge.operations import OPERATIONS
from infra.local.bank.desk import Bank
from infra.local.endpoints import LocalEndpoints
from infra.local.gateway import HttpAnswer, HttpRequest
from infra.local.identity import UserPool
from infra.local.pump import Pump
from infra.local.stack import draw_demo
from infra.local.storefront import PAGE_FILE, Storefront, policy_of

PAGE = PAGE_FILE.read_text("utf-8")
SMALL_BYTES = 60_000
DRAWN = "lst_drawn"


@pytest.fixture
def shop() -> Storefront:
    return Storefront({DRAWN: "<svg/>"}.get)


def headers_of(answer: HttpAnswer) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers}


class TestThePage:
    @pytest.mark.parametrize("target", ["/", "/?lang=ar", "/orders/x", "/orders/ord_1?paid=1"])
    def test_the_shop_and_every_order_are_one_page(self, shop, target):
        request = HttpRequest("GET", target)
        assert shop.answers(request.path)
        answer = shop.answer(request)
        assert (answer.status, answer.body.decode()) == (200, PAGE)
        assert headers_of(answer)["content-type"] == "text/html; charset=utf-8"

    @pytest.mark.parametrize("target", ["/", "/orders/x"])
    def test_its_policy_allows_its_own_code_and_its_own_host_only(self, shop, target):
        policy = headers_of(shop.answer(HttpRequest("GET", target)))["content-security-policy"]
        allowed = dict(part.split(" ", 1) for part in policy.split("; "))
        assert allowed["default-src"] == "'none'"
        assert re.fullmatch(r"'sha256-[\w+/=]{44}'", allowed["script-src"])
        assert re.fullmatch(r"'sha256-[\w+/=]{44}'", allowed["style-src"])
        assert (allowed["connect-src"], allowed["form-action"]) == ("'self'", "'self'")
        assert "http" not in policy
        assert "unsafe" not in policy

    def test_a_changed_script_has_another_policy(self):
        assert policy_of(b"<script>1</script>") != policy_of(b"<script>2</script>")

    def test_it_names_no_other_host(self):
        assert not re.search(r"\b(?:https?|wss?)://|[\"'(]//", PAGE)
        assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"(?!data:,)", PAGE)

    def test_it_never_makes_markup_of_data(self):
        sinks = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|srcdoc"
        assert not re.search(sinks, PAGE)
        assert not re.search(r"<[^>]+\s(?:on\w+|style)=", PAGE.partition("<script>")[0])

    def test_it_is_small(self):
        assert len(PAGE.encode()) < SMALL_BYTES

    def test_every_word_that_it_says_is_there_in_three_languages(self):
        table = PAGE.partition("const WORDS = ")[2].partition("\n};")[0]
        by_language = re.findall(r"^(\w+): {(.*?)(?= },\n)", table, re.DOTALL | re.MULTILINE)
        words = {name: set(re.findall(r"(\w+): \"", told)) for name, told in by_language}
        assert words["fr"] == words["en"] == words["ar"]
        assert set(re.findall(r"\bt\(\"(\w+)\"[,)]", PAGE)) <= words["fr"]

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_it_is_only_read(self, shop, method):
        answer = shop.answer(HttpRequest(method, "/"))
        assert (answer.status, headers_of(answer)["allow"]) == (405, "GET")

    def test_localhost_is_led_to_the_address_that_payments_lead_back_to(self, shop):
        request = HttpRequest("GET", "/?lang=ar", (("Host", "localhost:8000"),))
        answer = shop.answer(request)
        assert answer.status == 307
        assert headers_of(answer)["location"] == f"{settings().storefront_url}/?lang=ar"


class TestWhatItCalls:
    def test_it_calls_only_routes_of_the_public_contract(self):
        pytest.importorskip("app")  # Importing the app registers every operation.
        known = {re.sub(r"{\w+}", "{}", operation.path) for operation in OPERATIONS}
        called = {
            re.sub(r"\$\{[^}]*\}", "{}", path)
            for path in re.findall(r"/v1/(?:\$\{[^}]*\}|[\w/-])+", PAGE)
        }
        assert {"/v1/listings", "/v1/quotes", "/v1/orders/{}/payments"} <= called
        assert called <= known
        assert not {path for path in called if "/me/" in path or "/operator/" in path}

    def test_its_local_addresses_are_answered(self, shop):
        pool, pump = object.__new__(UserPool), object.__new__(Pump)
        endpoints = LocalEndpoints(pool, pump, Bank(lambda _: None, dict))
        named = set(re.findall(r"/_local/\w+", PAGE))
        assert named == {
            "/_local/tokens",
            "/_local/outbox",
            "/_local/clock",
            "/_local/drain",
            "/_local/pay",
        }
        for path in named - {"/_local/pay"}:
            assert endpoints.answer(HttpRequest("DELETE", path)).status == 405


class TestDrawings:
    def test_a_demo_listing_is_drawn(self, shop):
        answer = shop.answer(HttpRequest("GET", f"/_local/images/{DRAWN}.svg"))
        assert (answer.status, answer.body) == (200, b"<svg/>")
        assert headers_of(answer)["content-type"] == "image/svg+xml"
        assert "default-src 'none'" in headers_of(answer)["content-security-policy"]

    @pytest.mark.parametrize("name", [DRAWN, "lst_other.svg", "", "../storefront.html", ".svg"])
    def test_what_is_not_drawn_is_not_found(self, shop, name):
        assert shop.answer(HttpRequest("GET", f"/_local/images/{name}")).status == 404

    def test_the_stack_draws_only_demo_listings(self):
        assert draw_demo("lst_no_such_listing") is None

    @pytest.mark.parametrize("path", ["/v1/orders/x", "/docs", "/_local/tokens", "/orders", "/x"])
    def test_other_addresses_are_not_the_storefronts(self, shop, path):
        assert not shop.answers(path)
