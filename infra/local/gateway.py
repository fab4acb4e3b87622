"""API Gateway: finds the route, makes the proxy event, calls the app, gives back its answer.

What the deployed gateway refuses by itself (no such route, no such method, too large) is refused
here with the same problem documents.
"""

import base64
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from chalice import Chalice

from chalicelib.config import settings
from infra.local.environment import ACCOUNT
from infra.local.lambdas import API_FUNCTION, API_TIMEOUT_SECONDS, LambdaContext, make_threaded

MAX_BODY_BYTES = 10 * 1024 * 1024
PROBLEM = "application/problem+json"
STAGE = "api"

logger = logging.getLogger("maalem.local")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came over the wire; `target` is the path with its query."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    source_ip: str = "127.0.0.1"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        text = self.target.partition("?")[2]
        return parse_qs(text, keep_blank_values=True, max_num_fields=1000)

    def header(self, name: str) -> str:
        """The value of a header, empty when it was not sent."""
        found = [value for key, value in self.headers if key.lower() == name]
        return found[-1] if found else ""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class AnswerLost(Exception):
    """The request was carried out and nobody is told: the connection is closed without a word."""


def problem(
    status: int, code: str, detail: str, headers: tuple[tuple[str, str], ...] = ()
) -> HttpAnswer:
    """A refusal as `application/problem+json`."""
    request_id = str(uuid.uuid4())
    body = {
        "type": f"{settings().public_url}/v1/errors/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    own = (
        ("Content-Type", PROBLEM),
        ("X-Request-Id", request_id),
        ("Cache-Control", "no-store"),
        ("Access-Control-Allow-Origin", "*"),
    )
    return HttpAnswer(status, (*own, *headers), json.dumps(body).encode())


@dataclass(frozen=True, slots=True)
class _Route:
    template: str
    parts: tuple[str, ...]
    methods: Mapping[str, Any] = field(repr=False)

    def values(self, parts: tuple[str, ...]) -> dict[str, str] | None:
        """What the route's parameters are in a path, None when the path is another's."""
        values = {}
        for wanted, given in zip(self.parts, parts, strict=True):
            if wanted.startswith("{"):
                if not given:
                    return None
                values[wanted[1:-1]] = given
            elif wanted != given:
                return None
        return values


class Gateway:
    """API Gateway in front of a Chalice app."""

    def __init__(self, app: Chalice) -> None:
        self._app = make_threaded(app)
        self._by_length: dict[int, list[_Route]] = {}
        # "{" sorts after every letter, so fixed paths are tried before those with parameters.
        for template in sorted(app.routes):
            parts = tuple(template.split("/"))
            route = _Route(template, parts, app.routes[template])
            self._by_length.setdefault(len(parts), []).append(route)

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """What the deployed API would answer; never raises."""
        if len(request.body) > MAX_BODY_BYTES:
            return problem(413, "body_too_large", "Send at most 10 MB.")
        found = self._find(request.path)
        if found is None:
            return problem(404, "not_found", "There is nothing at this address.")
        route, values = found
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS" and method not in route.methods:
            return _preflight(route)
        if method not in route.methods:
            allowed = ", ".join(sorted([*route.methods, "OPTIONS"]))
            detail = f"This address answers {allowed}."
            return problem(405, "method_not_allowed", detail, (("Allow", allowed),))
        return self._invoke(request, method, route, values)

    def _find(self, path: str) -> tuple[_Route, dict[str, str]] | None:
        if len(path) > 1 and path.endswith("/"):
            path = path[:-1]
        parts = tuple(path.split("/"))
        for route in self._by_length.get(len(parts), ()):
            values = route.values(parts)
            if values is not None:
                return route, values
        return None

    def _invoke(
        self, request: HttpRequest, method: str, route: _Route, values: dict[str, str]
    ) -> HttpAnswer:
        context = LambdaContext(API_FUNCTION, API_TIMEOUT_SECONDS)
        try:
            event = self._event(request, method, route, values, context)
        except ValueError:
            return problem(400, "bad_request", "The query cannot be read.")
        try:
            return _answer_from(self._app(event, context))
        except Exception:
            logger.exception("%s %s failed outside of its view", method, route.template)
            return problem(502, "internal_error", "The function failed; its trace is on stderr.")

    def _event(
        self,
        request: HttpRequest,
        method: str,
        route: _Route,
        values: dict[str, str],
        context: LambdaContext,
    ) -> dict[str, Any]:
        many: dict[str, list[str]] = {}
        for name, value in request.headers:
            many.setdefault(name, []).append(value)
        query = request.query
        body, is_encoded = self._body(request)
        identity = {"sourceIp": request.source_ip, "userAgent": request.header("user-agent")}
        return {
            "resource": route.template,
            "path": request.path,
            "httpMethod": method,
            "headers": {name: found[-1] for name, found in many.items()},
            "multiValueHeaders": many,
            "queryStringParameters": {name: found[-1] for name, found in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": values or None,
            "stageVariables": None,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": "local",
                "httpMethod": method,
                "identity": identity,
                "path": f"/{STAGE}{request.path}",
                "protocol": "HTTP/1.1",
                "requestId": context.aws_request_id,
                "resourcePath": route.template,
                "stage": STAGE,
            },
            "body": body,
            "isBase64Encoded": is_encoded,
        }

    def _body(self, request: HttpRequest) -> tuple[str | None, bool]:
        if not request.body:
            return None, False
        media = request.header("content-type").partition(";")[0].strip().lower()
        if media not in self._app.api.binary_types:
            try:
                return request.body.decode("utf-8"), False
            except UnicodeDecodeError:
                pass
        return base64.b64encode(request.body).decode("ascii"), True


def _preflight(route: _Route) -> HttpAnswer:
    """What the gateway answers to OPTIONS from the API's definition, without calling the app."""
    shared = [entry.cors for entry in route.methods.values() if entry.cors]
    allowed = ",".join(sorted([*route.methods, "OPTIONS"]))
    headers = dict(shared[0].get_access_control_headers()) if shared else {}
    headers["Access-Control-Allow-Methods"] = allowed if shared else "OPTIONS"
    return HttpAnswer(200, tuple((name, str(value)) for name, value in headers.items()))


def _answer_from(answered: Mapping[str, Any]) -> HttpAnswer:
    headers = [(name, str(value)) for name, value in answered["headers"].items()]
    for name, values in (answered.get("multiValueHeaders") or {}).items():
        headers += [(name, str(value)) for value in values]
    body = answered.get("body") or ""
    raw = base64.b64decode(body) if answered.get("isBase64Encoded") else body.encode("utf-8")
    return HttpAnswer(answered["statusCode"], tuple(headers), raw)
