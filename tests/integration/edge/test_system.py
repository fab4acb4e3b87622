"""Health, the API's own documents, error explanations and the audit trail."""

import base64
import hashlib
import re

import pytest
from openapi_spec_validator import validate

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.operations import OPERATIONS


@pytest.fixture
def document(api):
    return api.get("/v1/openapi.json").json


class TestHealth:
    def test_it_says_what_is_running(self, api):
        answer = api.get("/v1/health")
        assert answer.status == 200
        assert answer.json == {"status": "ok", "version": settings().version, "mode": "normal"}
        assert answer.headers["x-request-id"]
        assert answer.headers["cache-control"] == "no-store"


class TestDocument:
    def test_it_is_valid_openapi_3_1(self, document):
        assert document["openapi"].startswith("3.1")
        validate(document)

    def test_every_route_is_in_it_once(self, document):
        described = [
            (method.upper(), path)
            for path, methods in document["paths"].items()
            for method in methods
        ]
        mounted = [(operation.method, operation.path) for operation in OPERATIONS]
        assert sorted(described) == sorted(mounted)

    def test_names_of_operations_are_unique(self, document):
        names = [op["operationId"] for m in document["paths"].values() for op in m.values()]
        assert len(names) == len(set(names))

    def test_every_operation_says_who_may_call_it(self, document):
        for operation in OPERATIONS:
            described = document["paths"][operation.path][operation.method.lower()]
            schemes = {name for way in described["security"] for name in way}
            expected = {
                "public": set(),
                "provider": set(),
                "buyer": {"orderToken", "bearer"},
                "artisan": {"bearer"},
                "operator": {"bearer"},
            }[operation.access]
            assert schemes == expected, operation.name

    def test_the_idempotency_key_is_described_where_it_is_used(self, document):
        for operation in OPERATIONS:
            described = document["paths"][operation.path][operation.method.lower()]
            names = {each.get("$ref", "").rpartition("/")[2] for each in described["parameters"]}
            expected = {
                KeyUse.NONE: set(),
                KeyUse.KEPT: {"IdempotencyKey"},
                KeyUse.KEPT_REQUIRED: {"IdempotencyKeyRequired"},
                KeyUse.OWN: {"IdempotencyKeyRequired"},
            }[operation.key]
            assert names & {"IdempotencyKey", "IdempotencyKeyRequired"} == expected, operation.name
        keys = document["components"]["parameters"]
        assert keys["IdempotencyKeyRequired"]["required"] is True

    def test_every_variable_and_query_field_is_a_parameter(self, document):
        for operation in OPERATIONS:
            described = document["paths"][operation.path][operation.method.lower()]
            given = {(each.get("in"), each.get("name")) for each in described["parameters"]}
            variables = {("path", name) for name in re.findall(r"{(\w+)}", operation.path)}
            fields = operation.query.model_fields if operation.query else {}
            named = {("query", field.alias or name) for name, field in fields.items()}
            assert given - {(None, None)} == variables | named

    def test_money_is_whole_minor_units(self, document):
        schemas = document["components"]["schemas"]
        money = [schema for name, schema in schemas.items() if name.startswith("MoneyBody")]
        assert money
        assert all(each["properties"]["amount_minor"]["type"] == "integer" for each in money)

    def test_providers_are_answered_as_declared(self, document):
        cmi = document["paths"]["/v1/payments/callbacks/cmi"]["post"]
        assert "application/x-www-form-urlencoded" in cmi["requestBody"]["content"]
        assert "text/plain" in cmi["responses"]["200"]["content"]

    def test_who_has_it_is_not_sent_it_again(self, api):
        etag = api.get("/v1/openapi.json").headers["etag"]
        again = api.get("/v1/openapi.json", headers={"If-None-Match": etag})
        assert (again.status, again.body) == (304, b"")


class TestDocsPage:
    @pytest.fixture
    def page(self, api):
        return api.get("/docs")

    def test_it_is_a_page(self, page):
        assert page.status == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.text.startswith("<!doctype html>")

    def test_it_loads_nothing_from_another_host(self, page):
        assert re.findall(r"""(?:src|href|action)\s*=\s*["'](?!#)""", page.text) == []
        assert re.findall(r"https?://|//[a-z]+\.|@import|\burl\(", page.text) == []

    def test_only_its_own_script_and_style_may_run(self, page):
        policy = dict(
            part.split(" ", 1) for part in page.headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == "'none'"
        assert policy["connect-src"] == "'self'"
        for element in ("script", "style"):
            (content,) = re.findall(rf"<{element}>(.*?)</{element}>", page.text, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert policy[f"{element}-src"] == f"'sha256-{digest}'"

    def test_it_has_nothing_inline_that_the_policy_would_stop(self, page):
        markup = re.sub(r"<(script|style)>.*?</\1>", "", page.text, flags=re.DOTALL)
        assert re.findall(r"\s(?:style|on\w+)=", markup) == []

    def test_texts_of_the_document_never_become_markup(self, page):
        assert "innerHTML" not in page.text
        assert "document.write" not in page.text


class TestErrors:
    @pytest.mark.parametrize(
        ("language", "title"), [("en", "Not found"), ("fr", "Introuvable"), ("ar", "غير موجود")]
    )
    def test_a_code_is_explained_in_the_readers_language(self, api, language, title):
        answer = api.get("/v1/errors/not_found", headers={"Accept-Language": language})
        assert answer.status == 200
        assert answer.headers["content-language"] == language
        assert answer.json == {
            "code": "not_found",
            "status": 404,
            "title": title,
            "explanation": "There is no such thing, or it is not the caller's.",
        }

    def test_the_type_of_a_problem_leads_to_its_explanation(self, api):
        problem = api.get("/v1/me").json
        path = problem["type"].removeprefix(settings().public_url)
        assert api.get(path).json["code"] == problem["code"]

    @pytest.mark.parametrize("code", ["nothing", "not_found%00", "Not_Found", "%2e%2e"])
    def test_an_unknown_code_is_not_found(self, api, code):
        assert api.get(f"/v1/errors/{code}").status == 404

    def test_all_codes_are_listed(self, api):
        listed = api.get("/v1/errors").json["data"]
        codes = [each["code"] for each in listed]
        assert {"not_found", "internal_error", "method_not_allowed"} <= set(codes)
        assert codes == sorted(codes)


class TestAuditTrail:
    def read(self, api, **query):
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return api.get(f"/v1/operator/audit?{asked}", token=api.operator)

    def today(self) -> str:
        return clock.to_text(clock.now())[:10]

    def test_what_an_operator_asks_for_is_in_it(self, api):
        asked = api.get("/v1/operator/regions/MA-03", token=api.operator)
        rows = self.read(api, date=self.today()).json["data"]
        found = next(row for row in rows if row["request_id"] == asked.headers["x-request-id"])
        assert (found["method"], found["path"]) == ("GET", "/v1/operator/regions/MA-03")
        assert found["operator"]

    def test_it_is_kept_even_when_the_request_is_refused(self, api):
        api.get("/v1/operator/regions/XX-99", token=api.operator)
        paths = [row["path"] for row in self.read(api, date=self.today()).json["data"]]
        assert "/v1/operator/regions/XX-99" in paths

    def test_P15_of_a_body_only_a_digest_is_kept(self, api):
        body = {"status": "live", "secret": "230810211040700000000030"}
        api.put("/v1/operator/regions/MA-03", body, token=api.operator)
        assert b"2308102" not in self.read(api, date=self.today()).body

    def test_it_is_read_page_by_page_newest_first(self, api):
        for _ in range(5):
            api.get("/v1/operator/regions/MA-03", token=api.operator)
        first = self.read(api, date=self.today(), limit=2).json
        second = self.read(api, date=self.today(), limit=2, cursor=first["next_cursor"]).json
        times = [row["at"] for row in first["data"] + second["data"]]
        assert len(times) == 4
        assert times == sorted(times, reverse=True)

    def test_a_cursor_of_another_day_is_refused(self, api):
        for _ in range(3):
            api.get("/v1/operator/regions/MA-03", token=api.operator)
        cursor = self.read(api, date=self.today(), limit=1).json["next_cursor"]
        answer = self.read(api, date="2020-01-01", limit=1, cursor=cursor)
        assert (answer.status, answer.json["code"]) == (422, "invalid_cursor")

    @pytest.mark.parametrize("query", [{}, {"date": "today"}, {"date": "2030-02-30"}])
    def test_a_day_is_needed(self, api, query):
        assert self.read(api, **query).status == 422

    def test_nobody_else_reads_it(self, api):
        path = f"/v1/operator/audit?date={self.today()}"
        assert api.get(path).status == 401
        assert api.get(path, token=api.artisan).status == 403
