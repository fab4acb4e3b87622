"""The seam: a request is read, admitted and answered, and nothing it holds makes it fail."""

import base64
import json
import time
from typing import Annotated

import pytest
from chalice.app import Request
from pydantic import BaseModel, Field

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.auth import Access, Caller
from chalicelib.edge.calls import JSON_ONLY, answer_to
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.operations import MAX_BODY_BYTES, Operation
from chalicelib.edge.pages import PageQuery
from chalicelib.edge.rates import Rate
from chalicelib.edge.replies import Reply
from chalicelib.edge.schemas import MoneyBody, RequestBody
from chalicelib.errors import Conflict, Unauthorized


class Body(RequestBody):
    name: Annotated[str, Field(max_length=50)]
    price: MoneyBody | None = None


class Answer(BaseModel):
    said: str


JSON_HEADERS = {"Content-Type": "application/json"}


def an_operation(**changed) -> Operation:
    fields = {
        "name": "try_it", "method": "POST", "path": "/v1/things/{thing_id}",
        "access": Access.PUBLIC, "body": Body, "query": None, "answer": Answer, "status": 201,
        "summary": "", "key": KeyUse.NONE, "media": JSON_ONLY,
        "answer_media": "application/json", "cached_seconds": 0,
    }  # fmt: skip
    return Operation(**(fields | changed))


def a_request(
    body=b"", *, query=None, headers=None, request_id="request-1", encoded=None, address="1.2.3.4"
):
    raw = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    event = {
        "multiValueQueryStringParameters": query,
        "headers": JSON_HEADERS if headers is None else headers,
        "pathParameters": None,
        "requestContext": {
            "httpMethod": "POST",
            "resourcePath": "/",
            "requestId": request_id,
            "identity": {"sourceIp": address},
        },
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

    def test_a_route_may_read_less(self):
        operation = an_operation(body=None, access=Access.PROVIDER, max_bytes=100, media=("*/*",))
        assert ask(b"x" * 100, operation=operation)[0] == 201
        body = refused_as("body_too_large", b"x" * 101, operation=operation, view=pytest.fail)
        assert body["status"] == 413

    def test_P16_of_what_is_too_large_no_signature_is_looked_at(self):
        operation = an_operation(
            body=None, access=Access.PROVIDER, max_bytes=100, failure_text="FAILURE",
            answer_media="text/plain",
        )  # fmt: skip
        request = a_request(b"x" * 101)
        answer = answer_to(request, {}, operation, pytest.fail)
        assert (answer.status_code, answer.body) == (413, "FAILURE")

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


NUMBER = "4556737586899855"


class TestCardNumbers:
    @pytest.mark.parametrize("access", [each for each in Access if each is not Access.PROVIDER])
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
    def test_P15_no_route_reads_one(self, monkeypatch, access, method):
        monkeypatch.setattr("chalicelib.edge.calls.caller_for", lambda access, headers: Caller())
        operation = an_operation(method=method, access=access)
        for request in (
            {"body": {"name": NUMBER}},
            {"body": {"name": "x"}, "query": {"q": [NUMBER]}},
            {"body": {"name": "x"}, "path": {"thing_id": NUMBER}},
            {"body": {"name": "x"}, "headers": JSON_HEADERS | {"Idempotency-Key": NUMBER}},
        ):
            refused_as("card_number_refused", operation=operation, view=pytest.fail, **request)

    def test_who_is_not_admitted_is_told_that_first(self):
        operation = an_operation(access=Access.ARTISAN)
        refused_as("unauthorized", {"name": NUMBER}, operation=operation)

    def test_a_callback_is_read_whatever_number_is_in_it(self):
        operation = an_operation(body=None, access=Access.PROVIDER, media=("*/*",))
        assert ask(NUMBER.encode(), operation=operation)[0] == 201


class TestLimits:
    operation = an_operation(rate=Rate("tries", 60, 2, by_address=1))

    @pytest.fixture(autouse=True)
    def _by_the_book(self, monkeypatch):
        """The usual scale, and a clock that stands still."""
        monkeypatch.setenv("MAALEM_RATE_LIMIT_SCALE_PERCENT", "100")
        settings.cache_clear()
        standing = clock.outside_now()
        monkeypatch.setattr(clock, "outside_now", lambda: standing)

    def test_every_answer_tells_what_is_left_and_the_third_is_refused(self):
        for left in ("1", "0"):
            _, headers, _ = ask({"name": "x"}, operation=self.operation)
            assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("2", left)
        status, headers, body = ask({"name": "x"}, operation=self.operation, view=pytest.fail)
        assert (status, body["code"]) == (429, "rate_limited")
        assert (headers["Retry-After"], headers["RateLimit-Remaining"]) == ("1", "0")
        assert not {"headers", "RateLimit-Limit"} & set(body)

    def test_a_request_that_is_refused_counts_and_is_told_too(self):
        _, headers, _ = ask(b"{", operation=self.operation)
        assert headers["RateLimit-Remaining"] == "1"
        _, headers, _ = ask(b"x" * (MAX_BODY_BYTES + 1), operation=self.operation)
        assert headers["RateLimit-Remaining"] == "0"

    def test_another_address_is_another_caller(self):
        for address in ("1.2.3.4", "1.2.3.5"):
            for expected in (201, 201, 429):
                answer = ask({"name": "x"}, operation=self.operation, address=address)
                assert answer[0] == expected

    def test_made_up_credentials_count_for_the_address(self):
        headers = JSON_HEADERS | {"Authorization": "Bearer a.b.c"}
        seen = [ask({"name": "x"}, operation=self.operation, headers=headers)[0] for _ in range(4)]
        assert seen == [401, 401, 429, 429]

    def test_what_caches_share_tells_nobodys_limit(self):
        operation = an_operation(
            method="GET", body=None, status=200, cached_seconds=60, rate=self.operation.rate
        )
        _, headers, _ = ask(operation=operation)
        etag = headers["ETag"]
        assert not any(name.startswith("RateLimit") for name in headers)
        status, headers, _ = ask(operation=operation, headers={"If-None-Match": etag})
        assert status == 304
        assert not any(name.startswith("RateLimit") for name in headers)
        status, headers, _ = ask(operation=operation)
        assert (status, headers["RateLimit-Limit"]) == (429, "2")

    def test_a_route_without_a_limit_has_none_and_tells_none(self):
        for _ in range(1000):
            status, headers, _ = ask({"name": "x"}, operation=an_operation(rate=None))
            assert status == 201
        assert not any(name.startswith("RateLimit") for name in headers)


class TestCallbacks:
    def test_P16_a_forged_callback_is_answered_the_same_whatever_it_asks_about(self):
        """No oracle: neither its content nor its headers change a byte of the answer."""

        def view(call):
            raise Unauthorized("sign the raw body with the active secret")

        for failure_text, media in (("", "application/json"), ("FAILURE", "text/plain")):
            operation = an_operation(
                body=None, access=Access.PROVIDER, failure_text=failure_text,
                media=("*/*",), answer_media=media,
            )  # fmt: skip
            answers = set()
            for reference in ("pay_known", "pay_other", NUMBER, "\u202e", "x" * 10_000, ""):
                request = a_request(
                    reference.encode(), headers={"X-Reference": reference, "Signature": reference}
                )
                answer = answer_to(request, {}, operation, view)
                answers.add((answer.status_code, answer.body, json.dumps(answer.headers)))
            assert len(answers) == 1


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
