"""Refusals as `application/problem+json` (RFC 9457), in the reader's language."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from chalicelib.config import settings
from chalicelib.edge.observability import request_id
from chalicelib.edge.replies import Reply
from chalicelib.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    MarketplaceError,
    NotFound,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
)
from chalicelib.locales import Language, text_in
from chalicelib.problem_titles import TITLES

PROBLEM = "application/problem+json"
MAX_FIELD_ERRORS = 20
MAX_PARAM_LENGTH = 120
STATUS_OF: dict[type[MarketplaceError], int] = {
    BadRequest: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    UnsupportedMedia: 415,
    Invalid: 422,
    TooMany: 429,
    Unavailable: 503,
}
_FIELD_CODES = {"extra_forbidden": "unknown_field", "missing": "required"}


class InvalidFields(Invalid):
    """One or more fields are wrong; `errors` says which and why."""

    code = "invalid_fields"


class MalformedJson(BadRequest):
    """The body is not JSON in UTF-8."""

    code = "malformed_json"


def status_of(error: type[MarketplaceError]) -> int:
    return next(status for kind, status in STATUS_OF.items() if issubclass(error, kind))


def refusal(error: MarketplaceError, language: Language) -> Reply:
    """The answer to a request that is refused."""
    status = status_of(type(error))
    headers = dict[str, str]()
    if status in (429, 503) or error.retry_after_seconds:
        headers["Retry-After"] = str(error.retry_after_seconds or 1)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    extra = dict(error.extra)
    if error.param:
        extra.setdefault(
            "errors", [{"param": error.param, "code": error.code, "detail": error.detail}]
        )
    headers |= extra.pop("headers", {})
    return problem(status, error.code, error.detail, language, extra, headers)


def internal_error(language: Language) -> Reply:
    """The answer when we failed: no trace and no cause, only the id to ask about."""
    detail = "this is our fault; nothing was lost. Repeat the request with the same key"
    return problem(500, "internal_error", detail, language, {}, {"Retry-After": "2"})


def problem(
    status: int,
    code: str,
    detail: str,
    language: Language,
    extra: Mapping[str, Any],
    headers: Mapping[str, str],
) -> Reply:
    title, title_language = text_in(TITLES.get(code, {"en": code.replace("_", " ")}), language)
    body = {
        "type": f"{settings().public_url}/v1/errors/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id.get(),
    } | dict(extra)
    return Reply(
        body=json.dumps(body, ensure_ascii=False),
        status=status,
        headers={"Content-Language": title_language, "Cache-Control": "no-store"} | dict(headers),
        content_type=PROBLEM,
    )


def from_validation(error: ValidationError, *, inside: str) -> MarketplaceError:
    """The refusal for a body or query that does not fit its model; quotes none of its values."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if any(detail["type"] == "json_invalid" for detail in found):
        return MalformedJson("send a JSON document in UTF-8")
    fields = [
        {
            "param": ".".join(str(step) for step in detail["loc"])[:MAX_PARAM_LENGTH] or inside,
            "code": _FIELD_CODES.get(detail["type"], detail["type"]),
            "detail": detail["msg"],
        }
        for detail in found[:MAX_FIELD_ERRORS]
    ]
    named = ", ".join(str(field["param"])[:60] for field in fields[:5])
    return InvalidFields(f"correct {named} and send it again", extra={"errors": fields})
