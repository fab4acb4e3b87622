"""The routes that belong to no feature: health, the API's own documents, errors, audit trail."""

import re
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from chalicelib import ids
from chalicelib.config import settings
from chalicelib.edge import pages, tables
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.explanations import Explanation, explanations
from chalicelib.edge.pages import Page, PageQuery
from chalicelib.edge.replies import Reply
from chalicelib.edge.schemas import AnswerBody
from chalicelib.errors import NotFound
from chalicelib.locales import Language, text_in
from chalicelib.problem_titles import TITLES

DOCUMENT_CACHED_SECONDS = 300
DOCS_FILE = Path(__file__).with_name("docs.html")

system = FeatureBlueprint(__name__)


class Health(AnswerBody):
    status: str
    version: str
    mode: str


class ErrorExplanation(AnswerBody):
    code: str
    status: int
    title: str
    explanation: str


class ErrorList(AnswerBody):
    data: list[ErrorExplanation]


class AuditQuery(PageQuery):
    date: Annotated[date, Field(description="the day, in UTC")]


class AuditRow(AnswerBody):
    at: str
    request_id: str
    operator: str
    method: str
    path: str
    body_digest: str


@system.route(
    "/v1/health", access=Access.PUBLIC, answer=Health, summary="Whether the platform answers"
)
def health(call: Call[None, None]) -> Health:
    return Health(status="ok", version=settings().version, mode=settings().mode)


@system.route(
    "/v1/openapi.json",
    access=Access.PUBLIC,
    summary="This API as an OpenAPI 3.1 document",
    cached_seconds=DOCUMENT_CACHED_SECONDS,
)
def openapi_document(call: Call[None, None]) -> Reply:
    # Imported here: the schemas of all models cost a cold start, and few requests ask for them.
    from chalicelib.edge import openapi

    return Reply(openapi.document_text())


@system.route(
    "/docs",
    access=Access.PUBLIC,
    summary="This API as a page to read and to try",
    answer_media="text/html",
    cached_seconds=DOCUMENT_CACHED_SECONDS,
)
def docs_page(call: Call[None, None]) -> Reply:
    page, policy = _docs()
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Reply(page, headers=headers, content_type="text/html; charset=utf-8")


@system.route(
    "/v1/errors",
    access=Access.PUBLIC,
    answer=ErrorList,
    summary="Every error code and what it means",
    cached_seconds=DOCUMENT_CACHED_SECONDS,
)
def list_errors(call: Call[None, None]) -> Reply:
    found = [_explained(each, call.language) for each in explanations().values()]
    return Reply(ErrorList(data=found), headers={"Content-Language": call.language})


@system.route(
    "/v1/errors/{code}",
    access=Access.PUBLIC,
    answer=ErrorExplanation,
    summary="What an error code means",
    cached_seconds=DOCUMENT_CACHED_SECONDS,
)
def explain_error(call: Call[None, None]) -> Reply:
    found = explanations().get(call.path["code"])
    if found is None:
        raise NotFound("there is no such code; /v1/errors lists them all")
    answer = _explained(found, call.language)
    return Reply(answer, headers={"Content-Language": call.language})


@system.route(
    "/v1/operator/audit",
    access=Access.OPERATOR,
    query=AuditQuery,
    answer=Page[AuditRow],
    summary="What operators asked for on a day, newest first",
)
def read_audit(call: Call[None, AuditQuery]) -> Page[AuditRow]:
    scope = call.query.scope()
    start = pages.key_of(call.query.cursor, scope)
    rows, last = tables.audit_page(call.query.date.isoformat(), call.query.limit, start)
    return Page(data=[_audit_row(row) for row in rows], next_cursor=pages.cursor_of(last, scope))


def _audit_row(row: tables.AuditTable) -> AuditRow:
    at, _, request_id = row.at_and_request.partition("#")
    return AuditRow(
        at=at,
        request_id=request_id,
        operator=row.operator,
        method=row.method,
        path=row.path,
        body_digest=row.body_digest,
    )


def _explained(found: Explanation, language: Language) -> ErrorExplanation:
    title, _ = text_in(TITLES.get(found.code, {"en": found.code}), language)
    return ErrorExplanation(
        code=found.code, status=found.status, title=title, explanation=found.text
    )


@lru_cache(maxsize=1)
def _docs() -> tuple[str, str]:
    """The page, read when first asked for, and the policy that admits its own script and style."""
    page = DOCS_FILE.read_text(encoding="utf-8")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hashes_of('script', page)}",
            f"style-src {_hashes_of('style', page)}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
    return page, policy


def _hashes_of(element: str, page: str) -> str:
    contents = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
    return " ".join(f"'sha256-{ids.sha256_base64(content)}'" for content in contents)
