"""A short way into moto's DynamoDB, for what makes some hundred thousand calls.

Four fifths of a call to moto are spent on HTTP that nobody sees: a request is signed, parsed, and
its answer serialised by the service's model and parsed again. Here botocore's prepared call goes
straight to moto's handler, and what that returns is the parsed answer. All that decides (moto's
handler, its tables, botocore's retries) is the same, and refusals still take the long way back.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from unittest import mock

from botocore.endpoint import Endpoint
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

from infra.local.environment import ACCOUNT, REGION
from infra.local.moto_fixes import moto_lock

_AMAZON = ".amazonaws.com"
_real_equals, _real_is_less = DynamoType.__eq__, DynamoType.__lt__
_real_answer = Endpoint._do_get_response
_real_request = Endpoint.create_request
_OK = SimpleNamespace(status_code=200, headers={}, content=b"")
_method_name = lru_cache(camelcase_to_underscores)
# Who uses the tree of an expression copies it first.
_parsed_once = lru_cache(maxsize=500)(UpdateExpressionParser.make)


@contextmanager
def short_cut() -> Iterator[None]:
    with (
        mock.patch.object(Endpoint, "_do_get_response", _answer),
        mock.patch.object(Endpoint, "create_request", _request),
        mock.patch.object(UpdateExpressionParser, "make", _parsed_once),
        mock.patch.object(DynamoType, "__eq__", _equals),
        mock.patch.object(DynamoType, "__lt__", _is_less),
    ):
        yield


def _equals(one: DynamoType, other: object) -> bool:
    """Texts compare as they are; a query compares the keys of all items."""
    if isinstance(other, DynamoType) and one.type == "S" == other.type:
        return bool(one.value == other.value)
    return bool(_real_equals(one, other))


def _is_less(one: DynamoType, other: DynamoType) -> bool:
    if one.type == "S" == other.type:
        return bool(one.value < other.value)
    return bool(_real_is_less(one, other))


def _is_moto_tables(model: Any, url: str) -> bool:
    return model is not None and model.service_model.service_name == "dynamodb" and _AMAZON in url


def _request(endpoint: Any, params: dict[str, Any], model: Any = None) -> Any:
    if not _is_moto_tables(model, params["url"]):
        return _real_request(endpoint, params, model)
    # Neither signed nor prepared: nobody looks at it.
    return SimpleNamespace(
        url=params["url"], body=params["body"], headers=params["headers"], reset_stream=_nothing
    )


def _nothing() -> None:
    return None


def _answer(endpoint: Any, request: Any, model: Any, context: dict[str, Any]) -> Any:
    if not _is_moto_tables(model, request.url):
        return _real_answer(endpoint, request, model, context)
    handler = DynamoHandler()
    handler.current_account, handler.region = ACCOUNT, REGION
    handler.response_headers = {}
    handler.body = handler.params = json.loads(request.body, object_hook=_with_bytes)
    try:
        with moto_lock:
            result = getattr(handler, _method_name(model.name))()
    except (ServiceException, HTTPException) as error:
        return _refusal(endpoint, handler, request, model, error), None
    parsed = dict(result.result)
    parsed["ResponseMetadata"] = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RequestId": "moto"}
    return (_OK, parsed), None


def _with_bytes(found: dict[str, Any]) -> dict[str, Any]:
    if len(found) == 1 and isinstance(found.get("B"), str):
        return {"B": base64.b64decode(found["B"])}
    return found


def _refusal(endpoint: Any, handler: Any, request: Any, model: Any, error: Exception) -> Any:
    if isinstance(error, HTTPException):  # moto has two kinds; this one carries its body.
        status, headers, body = error.code or 400, {}, str(error.description)
    else:
        handler.headers, handler.querystring = request.headers, {}
        status, headers, body = handler.serialized(ActionResult(error))
    answer = {"status_code": status, "headers": headers, "body": body.encode(), "context": {}}
    parser = endpoint._response_parser_factory.create_parser(model.service_model.resolved_protocol)
    parsed = parser.parse(answer, model.output_shape)
    endpoint._add_modeled_error_fields(answer, parsed, model, parser)
    return SimpleNamespace(status_code=status, headers=headers, content=answer["body"]), parsed
