"""The seam: a request is read, admitted and answered, and nothing it holds makes it fail."""

import base64
import json
import time
from typing import Annotated

import pytest
from chalice.app import Request
from pydantic import BaseModel, Field

from chalicelib.edge.auth import Access
from chalicelib.edge.calls import JSON_ONLY, answer_to
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.operations import MAX_BODY_BYTES, Operation
from chalicelib.edge.pages import PageQuery
from chalicelib.edge.replies import Reply
from chalicelib.edge.schemas import MoneyBody, RequestBody
from chalicelib.errors import Conflict


class Body(RequestBody):
    name: Annotated[str, Field(max_length=50)]
    price: MoneyBody | None = None


class Answer(BaseModel):
    said: str


def an_operation(**changed) -> Operation:
    fields = {
        "name": "try_it", "method": "POST", "path": "/v1/things/{thing_id}",
        "access": Access.PUBLIC, "body": Body, "query": None, "answer": Answer, "status": 201,
        "summary": "", "key": KeyUse.NONE, "media": JSON_ONLY,
        "answer_media": "application/json", "cached_seconds": 0,
    }  # fmt: skip
    return Operation(**(fields | changed))


def a_request(body=b"", *, query=None, headers=None, request_id="request-1", encoded=None):
    raw = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    event = {
        "multiValueQueryStringParameters": query,
        "headers": {"Content-Type": "application/json"} if headers is None else headers,
        "pathParameters": None,
        "requestContext": {"httpMethod": "POST", "resourcePath": "/", "requestId": request_id},
        "body": base64.b64encode(raw).decode() if isinstance(raw, bytes) else raw,
        "isBase64Encoded": isinstance(raw, bytes) if encoded is None else encoded,
        "stageVariables": None,
    }
    return Request(event)


def echo(call) -> Answer:
    return Answer(said=call.body.name if call.body else call.path.get("thing_id", ""))


def ask(body=b"", *, view=echo, path=None, operation=None, **request):
    path_values = {"thing_id": "1"} if path is None else path
    answer = answer_to(a_request(body, **request), path_values, operation or an_operation(), view)
    return answer.status_code, answer.headers, json.loads(answer.body) if answer.body else None


def refused_as(code: str, *args, **request) -> dict:
    status, headers, body = ask(*args, **request)
    assert headers["Content-Type"] == "application/problem+json"
    assert (body["code"], body["status"]) == (code, status)
    assert body["request_id"] == headers["X-Request-Id"]
    assert status < 500
    return body


class TestReading:
    def test_a_good_body_reaches_the_view(self):
        assert ask({"name": "zellige"})[::2] == (201, {"said": "zellige"})

    @pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"name=1", b"[1}", b"\x00", b"'a'"])
    def test_what_is_not_json_is_refused(self, raw):
        _, _, body = ask(raw)
        assert body["code"] in ("malformed_json", "invalid_fields")

    @pytest.mark.parametrize("body", [[], [{"name": "x"}], b"null", b"1", b'"name"', b"true"])
    def test_a_body_that_is_no_object_is_refused(self, body):
        refused_as("invalid_fields", body)

    @pytest.mark.parametrize(
        "body",
        [
            {"name": "x", "more": 1},
            {"name": 1},
            {"name": "x" * 51},
            {"name": None},
            {"name": "x", "price": 1},
            {"name": "x", "price": {"amount_minor": 1.0, "currency": "MAD"}},
            {"name": "x", "price": {"amount_minor": "1", "currency": "MAD"}},
            {"name": "x", "price": {"amount_minor": True, "currency": "MAD"}},
            {"name": "x", "price": {"amount_minor": 10**12 + 1, "currency": "MAD"}},
            {"name": "x", "price": {"amount_minor": 10**4000, "currency": "MAD"}},
            {"name": "x", "price": {"amount_minor": 1, "currency": "MAD\n"}},
        ],
    )
    def test_a_field_that_does_not_fit_is_refused(self, body):
        assert refused_as("invalid_fields", body)["errors"]

    def test_256_kb_are_read_and_one_byte_more_is_not(self):
        padding = b" " * (MAX_BODY_BYTES - len(b'{"name": "x"}'))
        assert ask(b'{"name": "x"}' + padding)[0] == 201
        assert refused_as("body_too_large", b'{"name": "x"}' + padding + b" ")["status"] == 413

    def test_32_levels_are_read_and_33_are_not(self):
        deep = b'{"name": ' + b"[" * 32 + b"]" * 32 + b"}"
        assert refused_as("bad_request", deep)["status"] == 400
        refused_as("invalid_fields", deep.replace(b"[[", b"[", 1).replace(b"]]", b"]", 1))

    def test_brackets_inside_texts_are_no_depth(self):
        assert ask({"name": "[{" * 25})[0] == 201
        assert ask({"name": '"[' * 25})[0] == 201

    def test_P13_a_hostile_body_does_not_keep_us_busy(self):
        began = time.process_time()
        refused_as("malformed_json", b"[]" * 40 + b'["' + b'\\"' * 130_000)
        refused_as("malformed_json", b'{"name": "' + b"\\" * 260_000)
        assert time.process_time() - began < 2

    @pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "json"])
    def test_another_media_type_is_refused(self, media):
        refused_as("unsupported_media_type", {"name": "x"}, headers={"Content-Type": media})

    def test_a_body_without_a_media_type_is_refused(self):
        refused_as("unsupported_media_type", {"name": "x"}, headers={})

    @pytest.mark.parametrize("media", ["application/json; charset=utf-8", "APPLICATION/JSON"])
    def test_parameters_and_case_of_the_media_type_do_not_matter(self, media):
        assert ask({"name": "x"}, headers={"content-type": media})[0] == 201

    @pytest.mark.parametrize("text", ["\0", "a\bb", "\x1b[31m", "\x7f", "\x85"])
    def test_control_characters_are_refused(self, text):
        refused_as("control_character", json.dumps({"name": text}).encode())

    @pytest.mark.parametrize("text", ["two\nlines", "a\ttab", "\\u0000 in words", "\u202e", "ⴰ"])
    def test_line_breaks_tabs_and_every_script_are_read(self, text):
        assert ask({"name": text})[2] == {"said": text}

    def test_a_lone_surrogate_is_not_json(self):
        refused_as("malformed_json", b'{"name": "\\ud800"}')

    def test_P13_an_event_that_is_not_unicode_or_base64_is_refused(self):
        refused_as("bad_request", "\ud800")
        refused_as("bad_request", "a", encoded=True)

    def test_a_route_without_a_body_refuses_fields_too(self):
        operation = an_operation(body=None)
        assert ask(operation=operation)[0] == 201
        assert ask({}, operation=operation)[0] == 201
        refused_as("invalid_fields", {"amount": 1}, operation=operation)
        refused_as("malformed_json", b"{", operation=operation)

    def test_a_provider_may_send_what_it_likes(self):
        operation = an_operation(body=None, access=Access.PROVIDER, media=("*/*",))
        raw = b"\x00\xff" * 10
        seen = []

        def view(call):
            seen.append(call.raw_body)
            return Answer(said="ok")

        assert ask(raw, operation=operation, headers={}, view=view)[0] == 201
        assert seen == [raw]


class TestAddresses:
    @pytest.mark.parametrize("value", ["", "%00", "a%0Ab", "%7F", "x" * 256, "%C2%85", "a\x1fb"])
    def test_an_address_that_cannot_be_is_not_found(self, value):
        refused_as("not_found", path={"thing_id": value}, operation=an_operation(body=None))

    @pytest.mark.parametrize(
        ("given", "read"), [("a%2Fb", "a/b"), ("%E2%B4%B0", "ⴰ"), ("a+b", "a+b"), ("%FF", "\ufffd")]
    )
    def test_an_address_is_decoded_once(self, given, read):
        answer = ask(path={"thing_id": given}, operation=an_operation(body=None))
        assert answer[2] == {"said": read}


class TestQueries:
    operation = an_operation(method="GET", body=None, query=PageQuery, status=200)

    @pytest.mark.parametrize(
        "query",
        [{"x": ["1"]}, {"limit": ["1", "2"]}, {"limit": ["9" * 5000]}, {"limit": ["1e2"]},
         {"cursor": ["a", "b"]}, {"cursor": ["x" * 3000]}, {"limit": [""]}],
    )  # fmt: skip
    def test_an_unknown_or_wrong_parameter_is_refused(self, query):
        assert refused_as("invalid_fields", query=query, operation=self.operation)["status"] == 422

    def test_control_characters_are_refused(self):
        refused_as("control_character", query={"cursor": ["\0"]}, operation=self.operation)

    def test_no_query_is_the_usual_query(self):
        assert ask(query=None, operation=self.operation)[0] == 200


class TestAnswering:
    def test_every_answer_carries_the_gateways_request_id(self):
        assert ask({"name": "x"})[1]["X-Request-Id"] == "request-1"

    @pytest.mark.parametrize("given", [None, "", "short", "x" * 65, "evil\r\nSet-Cookie: a=b"])
    def test_a_request_id_that_is_none_is_replaced(self, given):
        found = ask({"name": "x"}, request_id=given)[1]["X-Request-Id"]
        assert found.startswith("req_")

    def test_P13_a_failure_tells_nothing(self):
        def view(call):
            raise RuntimeError("arn:aws:dynamodb:eu-west-3:123456789012:table/secret")

        status, _, body = ask({"name": "x"}, view=view)
        assert (status, body["code"]) == (500, "internal_error")
        assert "arn" not in json.dumps(body)

    def test_an_answer_that_cannot_be_written_is_our_failure_and_still_a_problem(self):
        status, headers, body = ask({"name": "x"}, view=lambda call: Answer(said="\ud800"))
        assert (status, body["code"]) == (500, "internal_error")
        assert headers["Content-Type"] == "application/problem+json"

    def test_a_refusal_of_the_view_is_a_problem(self):
        def view(call):
            raise Conflict("gone")

        assert refused_as("conflict", {"name": "x"}, view=view)["detail"] == "gone"

    def test_nothing_is_kept_by_caches_unless_a_route_says_so(self):
        assert ask({"name": "x"})[1]["Cache-Control"] == "no-store"

    def test_a_204_has_no_body(self):
        assert ask({"name": "x"}, view=lambda call: Reply("", status=204))[::2] == (204, None)


class TestCaching:
    operation = an_operation(method="GET", body=None, status=200, cached_seconds=60)

    def test_a_cached_route_says_how_long_and_names_its_content(self):
        _, headers, _ = ask(operation=self.operation)
        assert headers["Cache-Control"].startswith("public, max-age=60")
        assert headers["ETag"] == ask(operation=self.operation)[1]["ETag"]
        assert "Accept-Language" in headers["Vary"]

    def test_who_has_it_gets_304(self):
        etag = ask(operation=self.operation)[1]["ETag"]
        for asked in (etag, f'"other", W/{etag}', "*"):
            status, _, body = ask(operation=self.operation, headers={"If-None-Match": asked})
            assert (status, body) == (304, None)
        assert ask(operation=self.operation, headers={"If-None-Match": '"other"'})[0] == 200

    def test_a_refusal_is_never_cached(self):
        def view(call):
            raise Conflict("gone")

        _, headers, _ = ask(operation=self.operation, view=view)
        assert headers["Cache-Control"] == "no-store"
