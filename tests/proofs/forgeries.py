"""Forged callbacks: what is done to a genuine one so that its provider would not have sent it.

A forgery is made of the reference that it names, each time anew: times are of the moment, and the
same forgery can name a payment that is there and one that is not.
"""

import base64
import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from io import StringIO
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from infra.local.environment import ACCOUNT, REGION
from tests import wire
from tests.aws import Answered, Api
from tests.factories import shop
from tests.factories.callbacks import METHODS, Sent, genuine, post
from tests.factories.orders import an_order_request, open_shop

Forge = Callable[[str], Sent]
Corpus = dict[str, Forge]
UNKNOWN = "pay_" + "z" * 24 + "01"
PROVIDERS = tuple(METHODS)
KEYS = {"cmi": "key-1", "mastercard": "key-2", "payzone": "key-3", "wallet": "key-4"}
KNOWN = {name: shop.payment_id_of(an_order_request(key).order_id) for name, key in KEYS.items()}
OK = {
    "cmi": (200, "ACTION=POSTAUTH"),
    "mastercard": (200, ""),
    "payzone": (200, '{"status":"OK"}'),
    "wallet": (204, ""),
}
"""What a genuine callback is answered that says that a payment was paid."""


def open_for(*providers: str) -> None:
    """A shop with an order to be paid at each of these: its payment is the one of KNOWN."""
    open_shop()
    for name in providers:
        shop.buy(an_order_request(KEYS[name]), METHODS[name])


def of(provider: str, change: Callable[[Sent], Sent]) -> Forge:
    """A genuine callback, changed after it was signed."""
    return lambda reference: change(genuine(provider, reference))


def with_headers(provider: str, **changes: str | None) -> Forge:
    """The same body under other headers; `_` is `-`, and None leaves the header out."""
    named = {name.replace("_", "-"): value for name, value in changes.items()}

    def change(sent: Sent) -> Sent:
        kept = {name: value for name, value in sent.headers.items() if name.lower() not in named}
        added = {name: value for name, value in named.items() if value is not None}
        return replace(sent, headers=kept | added)

    return of(provider, change)


def with_header(provider: str, name: str, alter: Callable[[str], str | None]) -> Forge:
    """One header made of what it was; None leaves it out."""

    def change(sent: Sent) -> Sent:
        headers = dict(sent.headers)
        [key] = [known for known in headers if known.lower() == name]
        altered = alter(headers.pop(key))
        return replace(sent, headers=headers if altered is None else headers | {key: altered})

    return of(provider, change)


def with_body(provider: str, alter: Callable[[bytes], bytes]) -> Forge:
    return of(provider, lambda sent: replace(sent, body=alter(sent.body)))


def other_letter(letter: str) -> str:
    return "0" if letter != "0" else "1"


def altered_at(text: str, position: int) -> str:
    position %= len(text)
    return text[:position] + other_letter(text[position]) + text[position + 1 :]


ALTERED_TEXTS: dict[str, Callable[[str], str | None]] = {
    "missing": lambda good: None,
    "empty": lambda good: "",
    "blank": lambda good: " ",
    "cut at the end": lambda good: good[:-1],
    "cut at the start": lambda good: good[1:],
    "half": lambda good: good[: len(good) // 2],
    "first letter only": lambda good: good[0],
    "longer": lambda good: good + "A",
    "longer before": lambda good: "A" + good,
    "twice": lambda good: good + good,
    "twice with a comma": lambda good: f"{good},{good}",
    "several of which none fits": lambda good: f"{good[:-1]},{good[1:]}",
    "first letter": lambda good: altered_at(good, 0),
    "middle letter": lambda good: altered_at(good, len(good) // 2),
    "last letter": lambda good: altered_at(good, len(good) - 1),
    "backwards": lambda good: good[::-1],
    "quoted": lambda good: f'"{good}"',
    "as a bearer": lambda good: f"Bearer {good}",
    "with its algorithm": lambda good: f"sha256={good}",
    "with a zero byte": lambda good: good + "\0",
    "cut by a zero byte": lambda good: good[:5] + "\0" + good[5:],
    "with a blank inside": lambda good: f"{good[:5]} {good[5:]}",
    "with an invisible letter": lambda good: good + "\u200b",
    "with a combining accent": lambda good: good + "\u0301",
    "in full-width letters": lambda good: "".join(chr(ord(c) + 0xFEE0) for c in good),
    "half a surrogate pair": lambda good: good + "\ud800",
    "percent-encoded": lambda good: "".join(f"%{ord(c):02X}" for c in good),
    "base64 of it": lambda good: base64.b64encode(good.encode()).decode(),
    "hex of it": lambda good: good.encode().hex(),
    "null": lambda good: "null",
    "true": lambda good: "true",
    "a list": lambda good: f"[{good}]",
    "a pattern": lambda good: ".*",
    "a wildcard": lambda good: "*",
    "an empty word of SQL": lambda good: "' OR ''='",
    "as long, of zeros": lambda good: "0" * len(good),
    "very long": lambda good: good + "A" * 4000,
}
"""What may be done to a signature or a secret."""


def altered_bodies(body: bytes) -> Iterator[tuple[str, bytes]]:
    """One byte at each class of place, and everything that says the same in other bytes."""
    said = json.loads(body)
    places = {
        "opening bracket": 0,
        "name": body.index(b'"') + 1,
        "colon": body.index(b":"),
        "blank": body.index(b" "),
        "value": body.index(b"pay_") + 8,
        "digit": body.index(b"284"),
        "last letter": len(body) - 2,
        "closing bracket": len(body) - 1,
    }
    for name, place in places.items():
        yield f"byte changed: {name}", _flipped(body, place)
        yield f"byte taken: {name}", body[:place] + body[place + 1 :]
        yield f"byte added: {name}", body[:place] + b" " + body[place:]
    yield "blank after", body + b" "
    yield "line feed after", body + b"\n"
    yield "zero byte after", body + b"\0"
    yield "blank before", b" " + body
    yield "byte order mark", b"\xef\xbb\xbf" + body
    yield "compact", json.dumps(said, separators=(",", ":")).encode()
    yield "indented", json.dumps(said, indent=1).encode()
    yield "sorted", json.dumps(dict(reversed(said.items()))).encode()
    yield "escaped", body.replace(b"pay_", b"\\u0070ay_")
    yield "one field more", body[:-1] + b', "more": 1}'
    yield "a field twice", body[:-1] + b', "status": "CHARGED", "type": "payment.failed"}'
    yield "UTF-16", body.decode().encode("utf-16")
    yield "gzip", gzip.compress(body, mtime=0)
    yield "base64", base64.b64encode(body)
    yield "twice", body + body
    yield "none", b""
    yield "no JSON", b"\xff\xfe\x00"


def _flipped(body: bytes, place: int) -> bytes:
    return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]


def body_forgeries(provider: str) -> Corpus:
    """Each altered body under the signature of the one that it was."""

    def forge(name: str) -> Forge:
        return with_body(provider, lambda body: dict(altered_bodies(body))[name])

    names = dict(altered_bodies(genuine(provider, UNKNOWN).body))
    return {f"body: {name}": forge(name) for name in names}


def signature_forgeries(provider: str, header: str, *, but: str = "") -> Corpus:
    return {
        f"{header}: {name}": with_header(provider, header, alter)
        for name, alter in ALTERED_TEXTS.items()
        if name != but
    }


def stored() -> dict[str, Any]:
    """Everything in every table, and what waits in the queues."""
    tables = dynamodb_backends[ACCOUNT][REGION].tables
    rows = {name: [item.to_json() for item in table.all_items()] for name, table in tables.items()}
    queues = sqs_backends[ACCOUNT][REGION].queues
    return rows | {name: [m.body for m in queue._messages] for name, queue in queues.items()}


@contextmanager
def metrics() -> Iterator[list[Mapping[str, Any]]]:
    """The lines of metrics that are written meanwhile."""
    out, found = StringIO(), list[Mapping[str, Any]]()
    with redirect_stdout(out):
        yield found
    found += [json.loads(line) for line in out.getvalue().splitlines() if '"_aws"' in line]


def without_request_id(answered: Answered) -> tuple[int, tuple[Any, ...], bytes]:
    """An answer but for the one thing that differs each time."""
    identifier = answered.headers["x-request-id"]
    headers = [(name, v) for name, v in answered.headers.items() if name != "x-request-id"]
    return answered.status, tuple(headers), answered.body.replace(identifier.encode(), b"")


def check_refused(
    api: Api, provider: str, forge: Forge, references: tuple[str, ...], status: int = 401
) -> None:
    """It changes nothing, asks nothing of AWS, is counted once, and tells nobody what there is."""
    answers = set()
    for reference in references:
        before = stored()
        with wire.counted() as asked, metrics() as counted:
            answered = post(api, provider, forge(reference))
        assert answered.status == status, (answered.status, answered.body)
        assert asked == []
        assert stored() == before
        forged = [line["provider"] for line in counted if "ForgedCallback" in line]
        assert forged == ([provider] if status == 401 else []), counted
        answers.add(without_request_id(answered))
    assert len(answers) == 1, answers


def check_all_refused(api: Api, provider: str, corpus: Corpus, known: str) -> None:
    for name, forge in corpus.items():
        try:
            check_refused(api, provider, forge, (known, UNKNOWN))
        except BaseException as error:
            error.add_note(f"{provider}: {name}")
            raise
