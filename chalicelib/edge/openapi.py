"""The API as an OpenAPI 3.1 document, made from the routes and the pydantic models."""

import json
import re
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib.config import settings
from chalicelib.edge.auth import Access
from chalicelib.edge.calls import JSON_ONLY, MAX_PATH_VALUE_LENGTH
from chalicelib.edge.explanations import explanations
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.openapi_parts import (
    COMPONENT_HEADERS,
    COMPONENT_PARAMETERS,
    INTRODUCTION,
    PROBLEM_SCHEMAS,
    RATE_HEADERS,
    SECURITY_OF,
    SECURITY_SCHEMES,
    TAGS,
)
from chalicelib.edge.operations import OPERATIONS, Operation
from chalicelib.edge.problems import PROBLEM

Json = dict[str, Any]
Schemas = dict[tuple[type[BaseModel], str], Json]
_VARIABLE = re.compile(r"\{(\w+)\}")
_ENCODED_FORM = "application/x-www-form-urlencoded"


@lru_cache(maxsize=1)
def document_text() -> str:
    """The document as JSON, made once per process."""
    return json.dumps(_without_null_defaults(document()), ensure_ascii=False, separators=(",", ":"))


def _without_null_defaults(part: Any) -> Any:
    """A default of null says only "may be left out", and is often not of the field's type."""
    if isinstance(part, dict):
        kept = {name: each for name, each in part.items() if (name, each) != ("default", None)}
        return {name: _without_null_defaults(each) for name, each in kept.items()}
    if isinstance(part, list):
        return [_without_null_defaults(each) for each in part]
    return part


def document() -> Json:
    schemas, definitions = _schemas()
    paths: Json = {}
    for operation in OPERATIONS:
        described = _operation(operation, schemas, definitions)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Maalem",
            "summary": "The marketplace of Morocco's artisans",
            "version": settings().version,
            "description": INTRODUCTION,
        },
        "servers": [{"url": settings().public_url}],
        "tags": _tags(),
        "paths": paths,
        "components": {
            "schemas": definitions | PROBLEM_SCHEMAS,
            "parameters": COMPONENT_PARAMETERS,
            "headers": COMPONENT_HEADERS,
            "responses": _problem_responses(),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _schemas() -> tuple[Schemas, Json]:
    """A reference for each model as body or answer, and the definitions behind them."""
    bodies = {(each.body, "validation") for each in OPERATIONS if each.body}
    answers = {(each.answer, "serialization") for each in OPERATIONS if each.answer}
    wanted: Any = sorted(bodies | answers, key=lambda pair: (str(pair[0]), pair[1]))
    found: Any = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    references, all_of_them = found
    return references, all_of_them.get("$defs", {})


def _tags() -> list[Json]:
    used = dict.fromkeys(operation.feature for operation in OPERATIONS)
    return [{"name": name, "description": TAGS.get(name, name)} for name in used]


def _operation(operation: Operation, schemas: Schemas, definitions: Json) -> Json:
    described: Json = {
        "operationId": operation.name,
        "tags": [operation.feature],
        "summary": operation.summary,
        "security": SECURITY_OF[operation.access],
        "parameters": _parameters(operation, definitions),
        "responses": _responses(operation, schemas),
        "x-access": operation.access,
    }
    text = " ".join(operation.description.split())
    if text:
        described["description"] = text
    if _takes_body(operation):
        described["requestBody"] = _request_body(operation, schemas)
    return described


def _takes_body(operation: Operation) -> bool:
    reads_raw = operation.access is Access.PROVIDER or operation.media != JSON_ONLY
    return operation.method not in ("GET", "DELETE") and bool(operation.body or reads_raw)


def _parameters(operation: Operation, definitions: Json) -> list[Json]:
    path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_PATH_VALUE_LENGTH},
        }
        for name in _VARIABLE.findall(operation.path)
    ]
    headers = []
    if operation.access is not Access.PROVIDER:
        headers.append("AcceptLanguage")
    if operation.cached_seconds:
        headers.append("IfNoneMatch")
    if operation.key is KeyUse.KEPT:
        headers.append("IdempotencyKey")
    elif operation.key is not KeyUse.NONE:
        headers.append("IdempotencyKeyRequired")
    references = [{"$ref": f"#/components/parameters/{name}"} for name in headers]
    return path + _query_parameters(operation, definitions) + references


def _query_parameters(operation: Operation, definitions: Json) -> list[Json]:
    if operation.query is None:
        return []
    schema = operation.query.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions |= schema.get("$defs", {})
    required = schema.get("required", [])
    found = []
    for name, each in schema.get("properties", {}).items():
        parameter = {"name": name, "in": "query", "required": name in required, "schema": each}
        if "description" in each:
            parameter["description"] = each.pop("description")
        found.append(parameter)
    return found


def _request_body(operation: Operation, schemas: Schemas) -> Json:
    if operation.body is not None:
        schema: Json = schemas[(operation.body, "validation")]
    elif JSON_ONLY[0] in operation.media:
        schema = {"type": "object"}
    elif _ENCODED_FORM in operation.media:
        schema = {"type": "object", "additionalProperties": {"type": "string"}}
    else:
        schema = {"type": "string"}
    content = {media: {"schema": schema} for media in operation.media}
    return {
        "description": f"At most {operation.max_bytes // 1024} KB.",
        "required": _is_body_required(operation),
        "content": content,
    }


def _is_body_required(operation: Operation) -> bool:
    fields = operation.body.model_fields.values() if operation.body else ()
    return operation.body is None or any(field.is_required() for field in fields)


def _responses(operation: Operation, schemas: Schemas) -> Json:
    good: Json = {
        "description": "Done",
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
    }
    if operation.status != 204:
        schema: Json = {} if operation.answer_media == JSON_ONLY[0] else {"type": "string"}
        if operation.answer is not None:
            schema = schemas[(operation.answer, "serialization")]
        good["content"] = {operation.answer_media: {"schema": schema}}
    if operation.key in (KeyUse.KEPT, KeyUse.KEPT_REQUIRED, KeyUse.OWN):
        good["headers"]["Idempotent-Replayed"] = {"$ref": "#/components/headers/Replayed"}
    if operation.rate is not None and not operation.cached_seconds:
        good["headers"] |= RATE_HEADERS
    responses: Json = {str(operation.status): good}
    if operation.cached_seconds:
        good["headers"]["ETag"] = {"$ref": "#/components/headers/ETag"}
        responses["304"] = {"description": "What you have is current"}
    for status in sorted(_problem_statuses(operation)):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return responses


def _problem_statuses(operation: Operation) -> set[int]:
    found = {400, 401, 413, 429, 500, 503}
    if operation.access in (Access.ARTISAN, Access.OPERATOR):
        found.add(403)
    if "{" in operation.path or operation.access is Access.ARTISAN or operation.method != "GET":
        found.add(404)
    if operation.query is not None:
        found.add(422)
    if operation.method not in ("GET", "DELETE"):
        found |= {403, 409, 415, 422}
    return found


def _problem_responses() -> Json:
    codes: dict[int, list[str]] = {}
    for each in explanations().values():
        codes.setdefault(each.status, []).append(each.code)
    return {f"Problem{status}": _problem_response(status, codes[status]) for status in codes}


def _problem_response(status: int, codes: list[str]) -> Json:
    headers = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if status == 429:
        headers |= RATE_HEADERS
    if status in (429, 503):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    named = ", ".join(f"`{code}`" for code in codes)
    return {
        "description": f"Refused. `code` is one of {named}.",
        "headers": headers,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
