"""P15: a card number is refused wherever it stands, and is neither stored nor logged.

It is sent to every route, in every field, query parameter, path value and header, in all the ways
that people write it. What is kept and said afterwards is read by a search of its own, which does
not use the code that refuses.
"""

import json
import logging
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from itertools import cycle
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from chalicelib.edge import observability, queues, storage
from chalicelib.edge.auth import Access
from chalicelib.edge.cards import CHECKED_HEADERS
from chalicelib.edge.operations import Operation
from infra.local.aws import LocalAws
from infra.local.environment import ACCOUNT, REGION
from tests import wire
from tests.aws import Answered, Api
from tests.proofs.test_access_matrix import MATRIX
from tests.proofs.test_bad_input import JSON, admitted, example, filled, operation_of

NUMBER = "4556737586899855"
OTHER_HEADERS = (
    "User-Agent", "Referer", "Origin", "Cookie", "X-Forwarded-For", "X-Request-Id", "Webhook-Id",
    "Webhook-Signature", "X-Notification-Secret", "X-Callback-Signature",
)  # fmt: skip


def _fours(between: str, zero: str = "0") -> str:
    written = NUMBER.translate({ord("0") + value: ord(zero) + value for value in range(10)})
    return between.join(written[start : start + 4] for start in range(0, 16, 4))


NOTATIONS = [
    NUMBER, _fours(" "), _fours("-"), _fours("."), _fours("\u00a0"), _fours("\u202f"),
    _fours("", "٠"), _fours(" ", "٠"), _fours("", "۰"), _fours("", "０"), _fours("\u2013", "０"),
    _fours("", "𝟎"), _fours("\u200f"), f"carte {NUMBER} 12/29", f"{_fours(' ')} 12 29 123",
    " ".join(NUMBER), f"n{NUMBER}x",
]  # fmt: skip
VISIBLE = [NUMBER, _fours("-"), _fours("."), f"key-{NUMBER}", f"{NUMBER}/1"]  # as headers may hold


@dataclass(frozen=True)
class Sent:
    """A request with the number in it; `param` is the field that the refusal shall name.

    Without it, there is no such address: one may not hold every character.
    """

    where: str
    param: str | None = None
    target: str = ""
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


def in_the_body(operation: Operation, schemas: dict[str, Any]) -> Iterator[Sent]:
    notations = _rotated(operation)
    if JSON not in operation.media:
        for text in NOTATIONS:
            lines = f"reference,card\nx,4556 73** **** 9855\nx,{text}\n"
            yield Sent("line", "line 2", body=lines.encode())
        return
    whole = _example_of(operation, schemas)
    for path, put in _places(whole):
        text = next(notations)
        for value in (text, int(NUMBER)):
            body = json.dumps(put(value), ensure_ascii=len(path) % 2 == 0)
            yield Sent(f"field {path}", path or "body", body=body.encode())
    for path, put in _objects(whole):
        yield Sent(
            f"name in {path}", path or "body", body=json.dumps(put(next(notations))).encode()
        )
    yield Sent("unknown field", "note", body=json.dumps({"note": next(notations)}).encode())
    yield Sent("text alone", "body", body=json.dumps(NUMBER).encode())
    yield Sent("list", "1.0", body=f"[1, [{NUMBER}]]".encode())
    yield Sent("float", "a", body=f'{{"a": 4.{NUMBER[1:]}e15}}'.encode())
    yield Sent("not JSON", "body", body=f'{{"a": "{NUMBER}'.encode())


def _rotated(operation: Operation) -> Iterator[str]:
    """The notations over and over, begun with another for each route."""
    start = sum(operation.path.encode()) % len(NOTATIONS)
    return cycle(NOTATIONS[start:] + NOTATIONS[:start])


def _example_of(operation: Operation, schemas: dict[str, Any]) -> Any:
    if operation.body is None:
        return {"a": {"b": ["c"]}}
    name = operation.body.__name__
    known = next((each for each in (name, f"{name}-Input") if each in schemas), None)
    return example({"$ref": f"/{known}"}, schemas) if known else {"a": 1}


def _places(body: Any, path: str = "") -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Every value in a body, at any depth: where it stands, and the body with another there."""
    yield path, lambda value: value
    children: list[tuple[Any, Any]] = []
    if isinstance(body, dict):
        children = list(body.items())
    elif isinstance(body, list):
        children = list(enumerate(body))
    for step, child in children:
        for deeper, put in _places(child, f"{path}.{step}" if path else str(step)):
            yield deeper, lambda value, step=step, put=put: _with(body, step, put(value))


def _with(body: Any, step: Any, value: Any) -> Any:
    if isinstance(body, dict):
        return body | {step: value}
    return [*body[:step], value, *body[step + 1 :]]


def _objects(body: Any) -> Iterator[tuple[str, Callable[[str], Any]]]:
    """Every object in a body: where it stands, and the body with one more name in it."""

    def with_name(put: Callable[[Any], Any], found: dict[str, Any]) -> Callable[[str], Any]:
        return lambda name: put({**found, name: 1})

    for path, put in _places(body):
        found = body
        for step in filter(None, path.split(".")):
            found = found[int(step)] if isinstance(found, list) else found[step]
        if isinstance(found, dict):
            yield path, with_name(put, found)


def in_the_address(operation: Operation) -> Iterator[Sent]:
    notations = _rotated(operation)
    for name in re.findall(r"{(\w+)}", operation.path):
        for text in NOTATIONS:
            path = operation.path.replace(f"{{{name}}}", quote(text, safe=""))
            yield Sent(f"path {name}", name if text.isprintable() else None, target=filled(path))
    for name in [*(operation.query.model_fields if operation.query else ()), "note"]:
        for _ in range(3):
            yield Sent(f"query {name}", name, target=f"?{name}={quote(next(notations), safe='')}")
    yield Sent("query name", "query", target=f"?{quote(next(notations))}=1")
    yield Sent("second value", "note", target=f"?note=1&note={quote(next(notations))}")


def in_the_headers(operation: Operation) -> Iterator[Sent]:
    for name, text in zip(CHECKED_HEADERS, cycle(VISIBLE), strict=False):
        yield Sent(f"header {name}", name, headers={name: text})
    for text in VISIBLE:
        yield Sent("key", "idempotency-key", headers={"idempotency-key": text})


def everywhere(operation: Operation, schemas: dict[str, Any]) -> Iterator[Sent]:
    yield from in_the_body(operation, schemas)
    yield from in_the_address(operation)
    yield from in_the_headers(operation)


def send(api: Api, operation: Operation, sent: Sent) -> Answered:
    headers = {name.lower(): value for name, value in admitted(operation).items()}
    headers |= {"content-type": operation.media[0].replace("*/*", JSON)}
    headers |= {name.lower(): value for name, value in sent.headers.items()}
    target = sent.target or filled(operation.path)
    if target.startswith("?"):
        target = filled(operation.path) + target
    body = b"{}" if sent.body is None else sent.body
    return api.request(operation.method, target, body, headers=headers)


def is_refused(answer: Answered) -> bool:
    return answer.status == 422 and answer.json["code"] == "card_number_refused"


def plain(text: str) -> str:
    """Letters and ASCII digits only: however the number was written, here it is in one piece."""
    text = re.sub(r"\\+U([0-9a-fA-F]{8})", lambda found: chr(int(found[1], 16)), text)
    text = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = re.sub(r"\\+x[0-9a-fA-F]{2}", "", text)
    letters = (
        str(unicodedata.decimal(each)) if each.isdecimal() else each
        for each in text
        if each.isalnum()
    )
    return "".join(letters)


def everything_kept() -> str:
    """All tables, queues and buckets, as text."""
    found: list[str] = []
    for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
        for item in table.all_items():
            found += _texts(item.to_json())
        if table.stream_shard is not None:
            found += [json.dumps(each.to_json(), default=str) for each in table.stream_shard.items]
    for queue in sqs_backends[ACCOUNT][REGION].queues.values():
        found += [repr(vars(message)) for message in queue._messages]
    for bucket in s3_backends[ACCOUNT]["aws"].buckets.values():
        for name, key in bucket.keys.items():
            found += [name, key.value.decode("utf-8", "replace"), repr(key.metadata)]
    return "\n".join(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    else:
        yield str(value)


@pytest.fixture
def said(monkeypatch, capfd) -> Iterator[Callable[[], str]]:
    """All that was written or logged since the start, by whomever, down to debug."""
    ours, others = StringIO(), StringIO()
    monkeypatch.setattr(observability.logger.registered_handler, "stream", ours)
    everyone = logging.StreamHandler(others)
    root = logging.getLogger()
    level = root.level
    root.addHandler(everyone)
    root.setLevel(logging.DEBUG)
    texts: list[str] = []

    def read() -> str:
        texts.extend(capfd.readouterr())
        return "\n".join([ours.getvalue(), others.getvalue(), *texts])

    yield read
    root.removeHandler(everyone)
    root.setLevel(level)


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    import app  # noqa: F401  mounts every route
    from chalicelib.edge.openapi import document

    return document()["components"]["schemas"]


OPEN_TO_US = [route for route, access in MATRIX.items() if access is not Access.PROVIDER]
OF_PROVIDERS = [route for route, access in MATRIX.items() if access is Access.PROVIDER]


def check_refused(api: Api, operation: Operation, schemas: dict[str, Any]) -> None:
    for sent in everywhere(operation, schemas):
        with wire.counted() as asked:
            answer = send(api, operation, sent)
        told = (sent.where, ascii(sent.body), ascii(sent.target), answer.status, answer.text[:300])
        if sent.param is None:
            assert (answer.status, answer.json["code"]) == (404, "not_found"), told
        else:
            assert (answer.status, answer.json["code"]) == (422, "card_number_refused"), told
            assert [each["param"] for each in answer.json["errors"]] == [sent.param], told
        assert NUMBER not in plain(answer.text + repr(answer.headers)), told
        assert asked == [], told


@pytest.mark.parametrize("route", OPEN_TO_US)
def test_P15_a_card_number_is_refused_wherever_it_stands(api, schemas, said, route):
    """Before anything is asked of AWS: no look-up, no audit line, no key is kept."""
    check_refused(api, operation_of(route), schemas)
    assert NUMBER not in plain(everything_kept())
    assert NUMBER not in plain(said())


@pytest.mark.parametrize("route", OPEN_TO_US)
def test_P15_a_header_that_we_do_not_read_is_kept_nowhere(api, schemas, said, route):
    operation = operation_of(route)
    body = json.dumps(_example_of(operation, schemas)).encode() if operation.body else b"{}"
    headers = dict(zip(OTHER_HEADERS, cycle(VISIBLE), strict=False))
    for sent in (headers, headers | {"Authorization": f"Bearer {NUMBER}"}):
        answer = send(api, operation, Sent("headers", body=body, headers=sent))
        assert answer.status < 500, answer.text
        assert not is_refused(answer), answer.text
        assert NUMBER not in plain(answer.text), answer.text
    assert NUMBER not in plain(everything_kept())
    assert NUMBER not in plain(said())


@pytest.mark.parametrize("route", OF_PROVIDERS)
def test_P15_what_a_forger_sends_as_a_callback_is_kept_nowhere(api, schemas, said, route):
    """What a provider has signed may not be lost, so nothing is refused for a number in it."""
    operation = operation_of(route)
    form = (f"a={quote(text)}&MaskedPan={quote(text)}&b=1" for text in NOTATIONS)
    bodies = [Sent("form", body=text.encode()) for text in form]
    events = [
        Sent("event", body=json.dumps({"type": text, text: 1}).encode()) for text in NOTATIONS
    ]
    for sent in [*bodies, *events, *in_the_address(operation), *in_the_headers(operation)]:
        answer = send(api, operation, sent)
        assert answer.status in (401, 415), (sent, answer.text)
        assert not is_refused(answer), (sent, answer.text)
        assert NUMBER not in plain(answer.text), (sent, answer.text)
    assert NUMBER not in plain(everything_kept())
    assert NUMBER not in plain(said())


@pytest.mark.parametrize("route", MATRIX)
def test_without_the_number_nothing_is_refused_for_it(api, schemas, route):
    operation = operation_of(route)
    bodies = [b"{}", b"reference,card\nx,4556 73** **** 9855\n"]
    if operation.body is not None:
        bodies.append(json.dumps(_example_of(operation, schemas)).encode())
    for body in bodies:
        assert not is_refused(send(api, operation, Sent("", body=body)))


@pytest.mark.parametrize("text", NOTATIONS, ids=ascii)
def test_P15_a_failure_that_quotes_the_number_is_logged_without_it(said, text):
    def fail() -> None:
        raise ValueError(f"bad row {text}: {text!r} {ascii(text)} {json.dumps({'a': [text]})}")

    try:
        fail()
    except ValueError as error:
        observability.log_failure("unexpected failure", error, order_id=f"ord {text}")
        observability.logger.exception("it failed", row={"card": [text, {text: text}]})
        observability.logger.warning(f"plain {text}")
        observability.logger.error("formatted %s", text)
    logged = observability.logger.registered_handler.stream.getvalue()
    assert len([json.loads(line) for line in logged.splitlines()]) == 4
    assert "unexpected failure" in logged
    assert NUMBER not in plain(logged)


class TestTheSearch:
    """A search that finds nothing proves nothing: it finds what is planted."""

    def item(self, value: dict[str, Any]) -> None:
        storage.aws_client("dynamodb").put_item(
            TableName="maalem-local-audit",
            Item={"day": {"S": "d"}, "at_and_request": {"S": "r"}, "x": value},
        )

    def test_it_finds_every_notation_however_it_was_escaped(self):
        for text in NOTATIONS:
            for written in (text, json.dumps(text), json.dumps(json.dumps(text)), ascii(text)):
                assert NUMBER in plain(written), ascii(written)

    @pytest.mark.parametrize("written", [NOTATIONS[4], json.dumps(NOTATIONS[7])], ids=ascii)
    def test_it_looks_into_every_kind_of_attribute(self, aws: LocalAws, written: str):
        for value in (
            {"S": written}, {"B": written.encode()}, {"SS": [written]}, {"L": [{"S": written}]},
            {"M": {written: {"M": {"a": {"S": "b"}}}}}, {"M": {"a": {"S": written}}}, {"N": NUMBER},
        ):  # fmt: skip
            aws.reset()
            assert NUMBER not in plain(everything_kept())
            self.item(value)
            assert NUMBER in plain(everything_kept()), value

    def test_it_looks_into_queues_and_their_attributes(self, aws: LocalAws):
        queues.bury("payments", "{}", f"refused {NUMBER}")
        assert NUMBER in plain(everything_kept())
        aws.reset()
        storage.aws_client("sqs").send_message(
            QueueUrl=queues.url_of("payments"), MessageBody=json.dumps({"a": _fours("-")})
        )
        assert NUMBER in plain(everything_kept())

    def test_it_looks_into_buckets(self, aws: LocalAws):
        bucket = boto3.client("s3")
        bucket.put_object(Bucket="maalem-local-files", Key="a", Body=_fours(" ").encode())
        assert NUMBER in plain(everything_kept())
        aws.reset()
        bucket.put_object(Bucket="maalem-local-files", Key=f"a/{NUMBER}", Body=b"")
        assert NUMBER in plain(everything_kept())

    def test_it_hears_every_logger_and_every_print(self, said):
        for say in (
            lambda: logging.getLogger("somebody").debug("card %s", NUMBER),
            lambda: observability.logger.registered_handler.stream.write(_fours(".")),
            lambda: __import__("os").write(1, NUMBER.encode()),
            lambda: __import__("os").write(2, NUMBER.encode()),
        ):
            before = plain(said()).count(NUMBER)
            say()
            assert plain(said()).count(NUMBER) == before + 1
