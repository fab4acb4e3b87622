"""P13: whatever is sent wherever, the answer is good or a documented problem, never 5xx."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.edge.auth import Access
from chalicelib.edge.explanations import explanations
from chalicelib.edge.openapi import document
from chalicelib.edge.operations import OPERATIONS, Operation
from tests import tokens
from tests.proofs.test_access_matrix import IDS, MATRIX

HEADERS = {Access.ARTISAN: "artisans", Access.OPERATOR: "operators"}
JSON = "application/json"
KNOWN = {
    "currency": "MAD", "country": "MA", "region": "MA-03", "email": "amina@example.com",
    "phone": "+212612345678", "language": "fr", "craft": "zellige", "code": "MA-03",
    "listing_id": IDS["listing_id"], "town": "Fès", "crafts": "zellige", "kind": "bank_account",
}  # fmt: skip

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "cut off": b'{"a": ',
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a list": b"[]",
    "a list of lists": b"[[1], [2]]",
    "null": b"null",
    "a number": b"1e400",
    "a text": b'"text"',
    "not a number": b'{"a": NaN, "b": Infinity}',
    "an unknown field": b'{"no_such_field": 1}',
    "a thousand unknown fields": json.dumps({f"field_{n}": n for n in range(1000)}).encode(),
    "an endless name": b'{"' + b"x" * 200_000 + b'": 1}',
    "300 KB": b'{"a": "' + b"x" * 300_000 + b'"}',
    "a depth of 100": b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}",
    "a depth of 30": b'{"a": ' + b"[" * 30 + b"]" * 30 + b"}",
    "unclosed brackets": b"[" * 100_000,
    "NUL": b"\x00",
    "NUL in a text": b'{"a": "\\u0000"}',
    "a raw control character": b'{"a": "\x01"}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "the same field twice": b'{"a": 1, "a": 2}',
    "a form": b"a=1&b=2&%00=%ff",
    "CSV": b"a,b\n1,\x00\n\xff,2\n",
    "markup": b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
    "prototype": b'{"__proto__": {"x": 1}, "constructor": 1, "__class__": 2}',
}
MEDIA = [
    JSON, "", "text/plain", "application/xml", "multipart/form-data; boundary=x", "application/*",
    "application/x-www-form-urlencoded", "text/csv", "\u202e/json", "a" * 5000,
]  # fmt: skip
VALUES: list[Any] = [
    None, True, -1, 0, 1.5, 1e308, 10**12, 10**13, -(10**18), 10**40, "", " ", "1", "x" * 10_000,
    "\u202e\u200f\u2067", "\ufeff", "😀" * 100, "\n", "\t", "\0", "\x7f", "' OR 1", "=cmd|'x'!A1",
    "../../etc/passwd", "${jndi:ldap://x}", "<script>", "2030-13-45T99:99:99Z", [], {}, [[]],
    [None], ["x"] * 200, {"amount_minor": 1.5, "currency": "MAD"}, {"$ne": None},
    {"amount_minor": -(10**15), "currency": "mad"},
]  # fmt: skip
PATHS = [
    "%00", "%2F", "..%2F..%2F", "%2e%2e", "x" * 254, "x" * 3000, "%E2%80%8F%E2%80%AE", "%FF%FE",
    "%ED%A0%80", "%25", "%", "%20", "'", "%22", "{order_id}", "%0d%0aX-Evil:%201", "-1", "null",
    "lst_", "ord_" + "a" * 23, "ord_" + "A" * 24, "%D9%A1", "platform:x:y:z", "a#b", "a|b", "*",
]  # fmt: skip
STRANGE_HEADERS = {
    "accept-language": ["x," * 5000, "fr;q=9e9, *;q=-1", "\u202ear", "zgh;q=0.5;q=1", "\0"],
    "idempotency-key": ["a b", "a\nb", "x" * 300, "\u200f", "é", "\x00", '"', " "],
    "if-none-match": ["x" * 10_000, "*", '"', "W/", ",,,"],
    "if-match": ["x" * 10_000, "*", '"', "-1", '"1e9"'],
    "order-token": ["x" * 10_000, "é", "\u202e", " ", "\x00"],
    "admission-ticket": ["x" * 10_000, "..", "é", "e30.e30.e30"],
    "authorization": ["Bearer " + "é" * 100, "Bearer a.b.c.d.e", "Bearer \x00", "bearer"],
    "content-length": ["-1", "x"],
    "x-request-id": ["x" * 10_000, "a\r\nb"],
    "webhook-id": ["x" * 10_000], "webhook-timestamp": ["-1", "9" * 400, "٣"],
    "webhook-signature": ["v1," + "A" * 10_000, " ".join(["v1,x"] * 1000), "v1,é"],
}  # fmt: skip
QUERIES = [
    "no_such=1", "limit=0", "limit=-1", "limit=1e9", "limit=" + "9" * 500, "limit=1&limit=2",
    "cursor=x", "cursor=%00", "cursor=" + "A" * 3000, "cursor=eyJhIjoxfQ", "=", "&&&", "%00=%00",
    "%FF=%FF", "a[]=1&a[b]=2", "q=" + "x" * 5000, "limit=%D9%A1", "__proto__=1",
]  # fmt: skip


def operation_of(route: str) -> Operation:
    import app  # noqa: F401  mounts every route

    method, _, path = route.partition(" ")
    return next(each for each in OPERATIONS if (each.method, each.path) == (method, path))


def admitted(operation: Operation) -> dict[str, str]:
    headers = {"Idempotency-Key": "key-1", "Order-Token": "made-up"}
    if operation.access in HEADERS:
        said = tokens.claims("fuzzer", HEADERS[operation.access])
        headers["Authorization"] = f"Bearer {tokens.signed(said)}"
    return headers


def filled(path: str, value: str | None = None) -> str:
    return re.sub(r"{(\w+)}", lambda found: value or IDS.get(found[1], "x"), path)


def check(operation: Operation, answer, what: object) -> None:
    """The answer is good, or a problem as the document describes it."""
    told = (operation.method, operation.path, what, answer.status, answer.body[:300])
    assert answer.status < 500, told
    assert answer.headers["x-request-id"], told
    if answer.status < 400 or _is_in_the_providers_dialect(operation, answer):
        return
    assert answer.headers["content-type"] == "application/problem+json", told
    problem = answer.json
    known = explanations().get(problem["code"])
    assert known is not None, told
    assert known.status == answer.status == problem["status"], told
    assert problem["request_id"] == answer.headers["x-request-id"], told
    assert len(answer.body) < 20_000, told
    for secret in (b"Traceback", b"arn:aws", b"botocore", b"pynamodb", b"chalicelib"):
        assert secret not in answer.body, told


def _is_in_the_providers_dialect(operation: Operation, answer) -> bool:
    said = operation.failure_text
    return bool(said) and answer.text == said


def routes(**wanted: bool) -> list[str]:
    writes = wanted.get("writes")
    return [
        route for route in MATRIX if writes is None or route.startswith(("GET", "DELETE")) != writes
    ]


@pytest.mark.parametrize("route", routes(writes=True))
def test_P13_any_body(api, route):
    operation = operation_of(route)
    for name, body in BODIES.items():
        headers = admitted(operation) | {"Content-Type": operation.media[0]}
        answer = api.request(operation.method, filled(operation.path), body, headers=headers)
        check(operation, answer, name)


@pytest.mark.parametrize("route", routes(writes=True))
def test_P13_any_media_type(api, route):
    operation = operation_of(route)
    for media in MEDIA:
        for body in (b"{}", b"a=1", b"\xff"):
            headers = admitted(operation) | {"Content-Type": media}
            answer = api.request(operation.method, filled(operation.path), body, headers=headers)
            check(operation, answer, media)


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    import app  # noqa: F401

    return document()["components"]["schemas"]


def example(schema: dict[str, Any], schemas: dict[str, Any], name: str = "") -> Any:
    """A value that fits a schema, or nearly."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return example(schema[choice][0], schemas, name)
    kind = schema.get("type")
    if kind == "object":
        fields = schema.get("properties", {})
        return {field: example(each, schemas, field) for field, each in fields.items()}
    if kind == "array":
        return [example(schema.get("items", {}), schemas, name)]
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    if kind == "boolean":
        return True
    return KNOWN.get(name, "x" * max(3, schema.get("minLength", 0)))


def mutants(body: Any) -> Iterator[Any]:
    """The body with one thing in it, at any depth, replaced by each strange value, or left out."""
    yield from VALUES
    if isinstance(body, dict):
        for name, value in body.items():
            yield {other: each for other, each in body.items() if other != name}
            yield from (body | {name: changed} for changed in mutants(value))
    elif isinstance(body, list) and body:
        yield from ([changed, *body[1:]] for changed in mutants(body[0]))


@pytest.mark.parametrize(
    "route", [each for each in routes(writes=True) if MATRIX[each] is not Access.PROVIDER]
)
def test_P13_any_value_in_any_field(api, schemas, route):
    operation = operation_of(route)
    if operation.body is None:
        return
    body = example({"$ref": f"/{_schema_name(operation, schemas)}"}, schemas)
    headers = admitted(operation) | {"Content-Type": JSON}
    for number, changed in enumerate(mutants(body)):
        own = headers | {"Idempotency-Key": f"key-{number}"}
        raw = json.dumps(changed).encode()
        answer = api.request(operation.method, filled(operation.path), raw, headers=own)
        check(operation, answer, changed)


def _schema_name(operation: Operation, schemas: dict[str, Any]) -> str:
    name = operation.body.__name__
    return next(each for each in (name, f"{name}-Input") if each in schemas)


@pytest.mark.parametrize("route", [route for route in MATRIX if "{" in route])
def test_P13_any_address(api, route):
    operation = operation_of(route)
    for value in PATHS:
        headers = admitted(operation)
        if operation.method not in ("GET", "DELETE"):
            headers["Content-Type"] = operation.media[0]
        target = filled(operation.path, value)
        answer = api.request(operation.method, target, b"{}", headers=headers)
        check(operation, answer, target)


@pytest.mark.parametrize("route", MATRIX)
def test_P13_any_header(api, route):
    operation = operation_of(route)
    for name, values in STRANGE_HEADERS.items():
        for value in values:
            headers = {k.lower(): v for k, v in admitted(operation).items()}
            headers |= {"content-type": operation.media[0]} | {name: value}
            answer = api.request(operation.method, filled(operation.path), b"{}", headers=headers)
            check(operation, answer, (name, value[:60]))


@pytest.mark.parametrize("route", routes(writes=False))
def test_P13_any_query(api, route):
    operation = operation_of(route)
    fields = operation.query.model_fields if operation.query else {}
    own = [
        f"{field}={value}"
        for field in fields
        for value in (
            "",
            "%00",
            "-1",
            "9" * 30,
            "x" * 300,
            "%E2%80%AE",
            "1.5",
            "NaN",
            "a&b=c",
            "%ED%A0%80",
        )
    ]
    for query in QUERIES + own:
        target = f"{filled(operation.path)}?{query}"
        answer = api.request(operation.method, target, headers=admitted(operation))
        check(operation, answer, query)


def test_an_unknown_parameter_of_a_list_is_refused(api):
    for route in routes(writes=False):
        operation = operation_of(route)
        # A page that people open is opened, whatever an app has added to its address.
        if operation.query is not None and operation.answer_media != "text/html":
            target = f"{filled(operation.path)}?no_such=1"
            answer = api.request(operation.method, target, headers=admitted(operation))
            assert answer.status == 422, route
