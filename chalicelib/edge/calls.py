"""One HTTP request: read, admit, act, answer. Everything between Chalice and a view."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

from chalice import Response
from pydantic import BaseModel, ValidationError

from chalicelib import ids
from chalicelib.edge import audit, cards, idempotency, pages, problems, rates
from chalicelib.edge.auth import Access, Caller, caller_for
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.observability import log_failure, request_scope
from chalicelib.edge.operations import Operation
from chalicelib.edge.replies import Reply
from chalicelib.edge.schemas import Nothing
from chalicelib.edge.storage import is_outage
from chalicelib.errors import (
    BadRequest,
    Forbidden,
    Invalid,
    MarketplaceError,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
)
from chalicelib.locales import Language, preferred

JSON_ONLY = ("application/json",)
MAX_JSON_DEPTH = 32
# Possessive, and an unclosed string matches too: anything else takes minutes on hostile bodies.
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_CONTROL_ESCAPES = re.compile(
    rb"(?<!\\)(?:\\\\)*+\\(?:[bf]|u00(?:0[0-8bcef]|1[0-9a-f]|7f|[89][0-9a-f]))", re.IGNORECASE
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
MAX_PATH_VALUE_LENGTH = 255
_VARIABLE = re.compile(r"\{(\w+)\}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
B = TypeVar("B")
M = TypeVar("M", bound=BaseModel)
Q = TypeVar("Q")


class ControlCharacter(Invalid):
    """A text holds a control character; only line breaks and tabs are read."""

    code = "control_character"


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """A request that was read and admitted. Header names are lower-case."""

    body: B
    query: Q
    path: Mapping[str, str]
    headers: Mapping[str, str]
    raw_body: bytes
    caller: Caller
    language: Language
    idempotency_key: str


def answer_to(
    request: Any,
    path_values: Mapping[str, str],
    operation: Operation,
    view: Callable[[Call[Any, Any]], "BaseModel | Reply"],
) -> Response:
    """The answer of a view, or the problem that keeps it from answering; never an exception."""
    headers = {name.lower(): value for name, value in dict(request.headers).items()}
    identifier = _request_id(request)
    language = preferred(headers.get("accept-language"))
    limits: dict[str, str] = {}  # what the answer, a refusal too, tells of the caller's limit
    with request_scope(identifier):
        try:
            caller = _admitted(request, headers, operation, limits)
            call = _read(request, headers, path_values, operation, language, caller)
            reply = _act(call, operation, view)
            return _present(reply, operation, headers, identifier, limits)
        except MarketplaceError as error:
            refused = problems.refusal(error, language)
        except Exception as error:  # The last line of defence: no trace ever leaves the house.
            refused = _failure(error, language)
        if operation.failure_text:
            refused = replace(
                refused, body=operation.failure_text, content_type=operation.answer_media
            )
        return _present(refused, operation, headers, identifier, limits)


def _request_id(request: Any) -> str:
    given = str((request.context or {}).get("requestId", ""))
    return given if _REQUEST_ID.fullmatch(given) else ids.new_id("req")


def _failure(error: Exception, language: Language) -> Reply:
    if is_outage(error):
        log_failure("storage is not answering", error)
        busy = Unavailable("repeat the request with the same key", retry_after_seconds=2)
        return problems.refusal(busy, language)
    log_failure("unexpected failure", error)
    return problems.internal_error(language)


def _admitted(
    request: Any, headers: Mapping[str, str], operation: Operation, limits: dict[str, str]
) -> Caller:
    """The caller, who may call this and has not called too often; `limits` is filled."""
    address = rates.address_of(request.context)
    try:
        caller = caller_for(operation.access, headers)
    except (Unauthorized, Forbidden):  # Whoever makes up credentials is nobody, at an address.
        limits |= rates.admit(operation.rate, operation.access, Caller(), address)
        raise
    limits |= rates.admit(operation.rate, operation.access, caller, address)
    return caller


def _read(
    request: Any,
    headers: Mapping[str, str],
    path_values: Mapping[str, str],
    operation: Operation,
    language: Language,
    caller: Caller,
) -> Call[Any, Any]:
    raw_body = _raw_body(request)
    if len(raw_body) > operation.max_bytes:
        raise TooLarge(f"send at most {operation.max_bytes} bytes")
    path = {name: _path_value(value) for name, value in path_values.items()}
    if operation.access is not Access.PROVIDER:  # A signed callback may not be lost; it is sealed.
        _refuse_card_numbers(request, headers, path, raw_body, operation)
    return Call(
        body=_body(raw_body, headers, operation),
        query=_query(request, operation),
        path=path,
        headers=headers,
        raw_body=raw_body,
        caller=caller,
        language=language,
        idempotency_key=(
            "" if operation.key is KeyUse.NONE else idempotency.key_from(headers, operation.key)
        ),
    )


def _refuse_card_numbers(
    request: Any,
    headers: Mapping[str, str],
    path: Mapping[str, str],
    raw_body: bytes,
    operation: Operation,
) -> None:
    """Before anything is kept, looked up or logged (P15)."""
    for name, value in path.items():
        cards.refuse_in_text(value, name)
    cards.refuse_in_headers(headers)
    cards.refuse_in_query(_query_values(request))
    cards.refuse_in_body(raw_body, is_json=JSON_ONLY[0] in operation.media)


def _raw_body(request: Any) -> bytes:
    try:
        return request.raw_body or b""
    except ValueError as error:  # not base64, or text that is not Unicode
        raise BadRequest("the body cannot be read") from error


def _path_value(given: str) -> str:
    value = unquote(given)
    if not value or len(value) > MAX_PATH_VALUE_LENGTH or not value.isprintable():
        raise NotFound("there is nothing at this address")
    return value


def _body(raw_body: bytes, headers: Mapping[str, str], operation: Operation) -> Any:
    if operation.method in ("GET", "DELETE"):
        return None
    _check_media(headers, operation, has_body=bool(raw_body))
    model = operation.body or _empty_body(operation)
    body = read_json(model, raw_body) if model else None
    return body if operation.body else None


def read_json(model: type[M], raw_body: bytes) -> M:
    """A body that fits its model, types taken strictly.

    Raises:
        MalformedJson, InvalidFields, ControlCharacter, BadRequest.
    """
    _check_depth(raw_body)
    if _CONTROL_ESCAPES.search(raw_body):
        raise ControlCharacter("leave out control characters; line breaks and tabs are fine")
    try:
        return model.model_validate_json(raw_body or b"{}", strict=True)
    except ValidationError as error:
        raise problems.from_validation(error, inside="body") from error


def _empty_body(operation: Operation) -> type[BaseModel] | None:
    """A route that declares no body refuses fields too, unless its view reads the raw body."""
    reads_raw = operation.access is Access.PROVIDER or operation.media != JSON_ONLY
    return None if reads_raw else Nothing


def _check_media(headers: Mapping[str, str], operation: Operation, *, has_body: bool) -> None:
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in operation.media and (media or has_body) and "*/*" not in operation.media:
        raise UnsupportedMedia(f"send {' or '.join(operation.media)}")


def _check_depth(raw_body: bytes) -> None:
    if raw_body.count(b"[") + raw_body.count(b"{") <= MAX_JSON_DEPTH:
        return
    depth = deepest = 0
    for letter in _STRINGS.sub(b"", raw_body):
        depth += (letter in b"[{") - (letter in b"]}")
        deepest = max(deepest, depth)
    if deepest > MAX_JSON_DEPTH:
        raise BadRequest(f"nest at most {MAX_JSON_DEPTH} levels deep")


def _query(request: Any, operation: Operation) -> Any:
    if operation.query is None:
        return None
    values = _query_values(request)
    if any(_CONTROL.search(text) for found in values.values() for text in found):
        raise ControlCharacter("leave out control characters")
    flat = {name: found[0] if len(found) == 1 else found for name, found in values.items()}
    try:
        return operation.query.model_validate(flat)
    except ValidationError as error:
        raise problems.from_validation(error, inside="query") from error


def _query_values(request: Any) -> dict[str, list[str]]:
    given = request.query_params
    return {name: given.getlist(name) for name in given} if given else {}


def _act(
    call: Call[Any, Any], operation: Operation, view: Callable[[Call[Any, Any]], Any]
) -> Reply:
    pages.asked.set(f"{operation.method} {_filled(operation, call)} {call.caller.identity}")
    if operation.access is Access.OPERATOR:
        audit.record(call.caller.subject, operation.method, _filled(operation, call), call.raw_body)

    def act() -> Reply:
        answered = view(call)
        return answered if isinstance(answered, Reply) else Reply(answered)

    kept = operation.key in (KeyUse.KEPT, KeyUse.KEPT_REQUIRED)
    if not (kept and call.idempotency_key):
        return act()
    scope = ids.fingerprint(call.caller.identity, operation.method, _filled(operation, call))
    return idempotency.answer_once(scope, call.idempotency_key, call.raw_body, act)


def _filled(operation: Operation, call: Call[Any, Any]) -> str:
    return _VARIABLE.sub(lambda found: call.path[found[1]], operation.path)[:600]


def _present(
    reply: Reply,
    operation: Operation,
    headers: Mapping[str, str],
    identifier: str,
    limits: Mapping[str, str],
) -> Response:
    status = reply.status or operation.status
    text = "" if status in (204, 304) else reply.content()
    out: dict[str, str | list[str]] = {
        "Content-Type": reply.content_type,
        "X-Request-Id": identifier,
        **reply.headers,
    }
    shared = bool(operation.cached_seconds) and status == 200
    if not shared:  # A cache would tell one caller's limit to all.
        out |= limits
    if shared:
        raw = text if isinstance(text, bytes) else text.encode()
        etag = '"' + hashlib.sha256(raw).hexdigest()[:24] + '"'
        out |= {
            "ETag": etag,
            "Cache-Control": f"public, max-age={operation.cached_seconds},"
            f" stale-while-revalidate={2 * operation.cached_seconds}",
            "Vary": "Accept-Language, Accept-Encoding",
        }
        asked = headers.get("if-none-match", "")
        if etag in asked or asked.strip() == "*":
            status, text = 304, ""
    out.setdefault("Cache-Control", "no-store")
    if status in (204, 304):
        del out["Content-Type"]
    return Response(text, headers=out, status_code=status)
