"""The API's side: integrations call the alias, and the gateway refuses in our own words."""

import json
from typing import Any

from chalicelib.problem_titles import TITLES

API = "RestAPI"
HANDLER = "APIHandler"
PERMISSION = "APIHandlerInvokePermission"
ALIAS = "live"
INTEGRATION = "x-amazon-apigateway-integration"
RESPONSES = "x-amazon-apigateway-gateway-responses"

# Gateway response type -> status, code, what to do, Retry-After in seconds.
PROBLEMS: dict[str, tuple[int, str, str, int | None]] = {
    "MISSING_AUTHENTICATION_TOKEN": (404, "not_found", "there is no such route", None),
    "RESOURCE_NOT_FOUND": (404, "not_found", "there is no such route", None),
    "BAD_REQUEST_BODY": (400, "bad_request", "send what openapi.json says", None),
    "BAD_REQUEST_PARAMETERS": (400, "bad_request", "send what openapi.json says", None),
    "REQUEST_TOO_LARGE": (413, "body_too_large", "send at most 256 KB", None),
    "UNSUPPORTED_MEDIA_TYPE": (415, "unsupported_media_type", "send JSON", None),
    "THROTTLED": (429, "too_many_requests", "come back in a second", 1),
    "QUOTA_EXCEEDED": (429, "too_many_requests", "come back in a minute", 60),
    "DEFAULT_4XX": (400, "bad_request", "the request was refused", None),
    "INTEGRATION_FAILURE": (503, "unavailable", "repeat with the same key", 2),
    "INTEGRATION_TIMEOUT": (503, "unavailable", "repeat with the same key", 2),
    "DEFAULT_5XX": (503, "unavailable", "repeat with the same key", 2),
}


def put_alias_in_front(resources: dict[str, Any]) -> None:
    """Chalice calls `$LATEST`, so provisioned concurrency on an alias would be paid for in vain."""
    resources[HANDLER]["Properties"] |= {
        "AutoPublishAlias": ALIAS,
        "AutoPublishAliasAllProperties": True,
    }
    for path in resources[API]["Properties"]["DefinitionBody"]["paths"].values():
        for method in path.values():
            uri = method.get(INTEGRATION, {}).get("uri", {}) if isinstance(method, dict) else {}
            if "Fn::Sub" in uri:
                uri["Fn::Sub"] = uri["Fn::Sub"].replace(
                    f"${{{HANDLER}.Arn}}", f"${{{HANDLER}.Alias}}"
                )
    resources[PERMISSION]["Properties"]["FunctionName"] = {"Ref": f"{HANDLER}.Alias"}


def describe_api(resources: dict[str, Any], name: str) -> None:
    """A name of its own per stage, detailed metrics, no second stage, and our own refusals."""
    properties = resources[API]["Properties"]
    # Without a version SAM makes the deployment a stage of its own, called "Stage".
    properties["OpenApiVersion"] = "2.0"
    properties["MethodSettings"] = [
        {"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True}
    ]
    document = properties["DefinitionBody"]
    document["info"] |= {"title": name, "description": "Maalem, made by infra.build"}
    document[RESPONSES] = {kind: _gateway_response(kind) for kind in PROBLEMS}


def _gateway_response(kind: str) -> dict[str, Any]:
    status, code, detail, retry_after_seconds = PROBLEMS[kind]
    headers = {
        "Content-Type": "'application/problem+json'",
        "Content-Language": "'en'",
        "Cache-Control": "'no-store'",
        "Access-Control-Allow-Origin": "'*'",
        "X-Request-Id": "context.requestId",
    }
    if retry_after_seconds:
        headers["Retry-After"] = f"'{retry_after_seconds}'"
    body = {
        "type": f"${{PublicUrl}}/v1/errors/{code}",
        "title": TITLES[code]["en"],
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "$context.requestId",
    }
    return {
        "statusCode": str(status),
        "responseParameters": {
            f"gatewayresponse.header.{name}": value for name, value in headers.items()
        },
        "responseTemplates": {"application/json": {"Fn::Sub": json.dumps(body)}},
    }
