"""The samples in `events/`: lists them, and sends them to the local stack, signed anew.

events/README.md says what each sample is and how to send it.
"""

import argparse
import copy
import hashlib
import http.client
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from rich.console import Console
from rich.table import Table

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import standard_webhooks
from chalicelib.payments.providers import payzone
from chalicelib.payments.providers.cmi import ver3_hash
from infra.local.environment import CannotStart, read_settings

FOLDER = Path(__file__).parent.parent / "events"
ANSWER_SECONDS = 30
RECONCILE = "/v1/operator/reconciliations?provider=cmi"
CALLBACKS = "/v1/payments/callbacks/"
NAMES_PAYMENT = {
    "cmi": ("oid", "ReturnOid"),
    "mastercard": ("order.id",),
    "payzone": ("id", "orderId"),
    "wallet": ("reference",),
}
NAMES_AMOUNT = {
    "cmi": ("amount",),
    "mastercard": ("order.amount", "order.totalAuthorizedAmount", "transaction.amount"),
    "payzone": ("transactions.0.amount",),
    "wallet": ("amount.amount_minor",),
}
"""Where a callback names the payment and the amount, which the wallet gives in centimes."""
Json = dict[str, Any]


class CannotSend(Exception):
    """Why a sample is not sent, in one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.iterdir() if path.suffix in (".json", ".csv"))


def sample(name: str) -> Json:
    """A sample by its name, with or without folder and suffix.

    Raises:
        CannotSend: there is no such sample.
    """
    path = FOLDER / f"{Path(name).stem}.json"
    if not path.exists():
        raise CannotSend(f"there is no sample {Path(name).stem}: see `python -m infra.events list`")
    content: Json = json.loads(path.read_text(encoding="utf-8"))
    return content


def kind_of(name: str) -> str:
    """What starts with a sample: `http`, `callback`, `file`, or the name of a Lambda source."""
    if (FOLDER / f"{name}.csv").exists():
        return "file"
    content = sample(name)
    if "httpMethod" in content:
        return "http"
    if "path" in content:
        return "callback"
    return "schedule" if "detail-type" in content else _source_of(content)


def _source_of(content: Json) -> str:
    return str(content["Records"][0]["eventSource"]).removeprefix("aws:")


def request_of(name: str, changes: Mapping[str, Any] | None = None) -> Request:
    """The request of a sample, with some fields changed, signed as its provider would now.

    Raises:
        CannotSend: it is not sent over HTTP, or has no such field.
    """
    kind = kind_of(name)
    if kind == "file":
        content = (FOLDER / f"{name}.csv").read_bytes()
        return Request("POST", RECONCILE, {"Content-Type": "text/csv"}, content)
    if kind == "http":
        return _http_request(sample(name), changes or {})
    if kind != "callback":
        raise CannotSend(
            f"{name} is an event of {kind}: the tests and the local pump deliver those"
        )
    return _callback_request(sample(name), changes or {})


def callback_for(name: str, payment_id: str, amount_minor: int) -> Request:
    """A provider's callback about this payment and amount."""
    provider = _provider_of(sample(name))
    whole, centimes = divmod(amount_minor, 100)
    amount = amount_minor if provider == "wallet" else f"{whole}.{centimes:02d}"
    return request_of(
        name,
        dict.fromkeys(NAMES_PAYMENT[provider], payment_id)
        | dict.fromkeys(NAMES_AMOUNT[provider], amount),
    )


def _provider_of(content: Json) -> str:
    return str(content["path"]).removeprefix(CALLBACKS)


def _http_request(content: Json, changes: Mapping[str, Any]) -> Request:
    body = json.loads(content["body"]) if content["body"] else None
    text = json.dumps(_changed(body, changes)) if body is not None else ""
    query = content["multiValueQueryStringParameters"]
    path = content["path"] + (f"?{urlencode(query, doseq=True)}" if query else "")
    return Request(content["httpMethod"], path, content["headers"], text.encode())


def _callback_request(content: Json, changes: Mapping[str, Any]) -> Request:
    path, headers = content["path"], dict(content["headers"])
    if "form" in content:
        fields = _changed(content["form"], changes)
        fields["HASH"] = ver3_hash(fields, settings().cmi_store_key)
        return Request("POST", path, headers, urlencode(fields).encode())
    body = json_text(_changed(content["body"], changes))
    return Request("POST", path, headers | _SIGNATURES[_provider_of(content)](body), body)


def json_text(body: Json) -> bytes:
    """The body as it is signed and sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def webhook_id(body: bytes) -> str:
    """The same body is the same event, however often it is sent."""
    return f"msg_{hashlib.sha256(body).hexdigest()[:24]}"


def _signed_by_wallet(body: bytes) -> dict[str, str]:
    identifier, timestamp = webhook_id(body), int(clock.outside_now().timestamp())
    signed = standard_webhooks.sign(settings().wallet_secret, identifier, timestamp, body)
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signed,
    }


def _signed_by_mastercard(body: bytes) -> dict[str, str]:
    """The gateway signs nothing: it says the secret. The same body is the same notification."""
    return {
        "X-Notification-Secret": settings().mastercard_notification_secret,
        "X-Notification-Id": hashlib.sha256(body).hexdigest()[:32],
    }


def _signed_by_payzone(body: bytes) -> dict[str, str]:
    key = settings().payzone_notification_key
    return {"X-Callback-Signature": payzone.callback_signature(body, key)}


_SIGNATURES = {
    "mastercard": _signed_by_mastercard,
    "payzone": _signed_by_payzone,
    "wallet": _signed_by_wallet,
}


def _changed(content: Json, changes: Mapping[str, Any]) -> Json:
    """The content with some fields changed: `amount`, `order.id`, `transactions.0.amount`."""
    changed = copy.deepcopy(content)
    for dotted, value in changes.items():
        *folders, name = dotted.split(".") if dotted not in changed else [dotted]
        inside: Any = changed
        for folder in folders:
            inside = _inside(inside, folder)
        if not isinstance(inside, dict) or name not in inside:
            raise CannotSend(f"there is no field {dotted}; there are {', '.join(content)}")
        inside[name] = value if isinstance(inside[name], str) else _number(dotted, value)
    return changed


def _inside(content: Any, name: str) -> Any:
    if isinstance(content, list) and name.isdigit() and int(name) < len(content):
        return content[int(name)]
    return content.get(name) if isinstance(content, dict) else None


def _number(name: str, value: Any) -> Any:
    try:
        return json.loads(str(value))
    except ValueError:
        raise CannotSend(f"{name} takes a number, not {value}") from None


def api_event(
    method: str,
    resource: str,
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    raw_body: bytes = b"",
) -> Json:
    """What API Gateway passes to the app, made from the sample of a GET."""
    event = sample("apigateway_get")
    given = {**event["headers"], **(headers or {})}
    if body is not None:
        given.setdefault("Content-Type", "application/json")
        raw_body = json.dumps(body).encode()
    event |= {
        "resource": resource,
        "path": resource.format(**(path or {})),
        "httpMethod": method,
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": (
            {name: [value] for name, value in query.items()} if query else None
        ),
        "pathParameters": dict(path) if path else None,
        "body": raw_body.decode() or None,
    }
    event["requestContext"] |= {
        "httpMethod": method,
        "path": f"/api{event['path']}",
        "resourcePath": resource,
    }
    return event


def queue_event(queue: str, bodies: Sequence[str]) -> Json:
    """What Lambda passes to the consumer of a queue, made from the sample of settlement."""
    event = sample("sqs_settlement")
    record = event["Records"][0]
    arn = record["eventSourceARN"].rpartition(":")[0]
    event["Records"] = [
        record
        | {
            "messageId": f"{record['messageId'][:-4]}{number:04d}",
            "body": body,
            "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "eventSourceARN": f"{arn}:{queue}",
        }
        for number, body in enumerate(bodies)
    ]
    return event


def send(request: Request, port: int) -> tuple[int, str]:
    """What the local stack answers.

    Raises:
        CannotSend: nobody listens there.
    """
    try:
        headers = dict(request.headers)
        if "/v1/operator/" in request.path:
            tokens = json.loads(_ask(Request("GET", "/_local/tokens", {}, b""), port)[1])
            digest = hashlib.sha256(request.body).hexdigest()[:24]
            headers |= {"Authorization": f"Bearer {tokens['operator']}", "Idempotency-Key": digest}
        return _ask(Request(request.method, request.path, headers, request.body), port)
    except ConnectionError as error:
        raise CannotSend(f"nobody listens on port {port}: start `make run` first") from error


def _ask(request: Request, port: int) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request(request.method, request.path, request.body, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def _list() -> Table:
    table = Table("sample", "what it is", "sent to the local stack")
    for name in names():
        kind = kind_of(name)
        sent = "yes" if kind in ("http", "callback", "file") else "by the pump"
        table.add_row(name, KINDS[kind], sent)
    return table


KINDS = {
    "http": "API Gateway proxy event",
    "callback": "a provider's callback",
    "file": "a provider's settlement file",
    "sqs": "SQS event",
    "dynamodb": "DynamoDB stream event",
    "schedule": "EventBridge schedule",
}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: write name=value")
    return name, value


def main(arguments: Sequence[str] | None = None) -> int:
    import os

    parser = argparse.ArgumentParser(prog="python -m infra.events", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the samples in events/")
    sending = commands.add_parser("send", help="send one to the local stack (PORT, or 8000)")
    sending.add_argument("name")
    sending.add_argument("--set", action="append", default=[], type=_pair, metavar="name=value")
    given = parser.parse_args(arguments)
    if given.command == "list":
        Console().print(_list())
        return 0
    try:
        port = read_settings(None, os.environ).port
        status, answer = send(request_of(Path(given.name).stem, dict(given.set)), port)
    except (CannotSend, CannotStart) as error:
        print(error, file=sys.stderr)
        return 2
    print(status, answer)
    return 0 if status < 300 else 1


if __name__ == "__main__":
    sys.exit(main())
