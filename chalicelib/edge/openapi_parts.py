"""What the OpenAPI document says apart from routes: prose, headers, security, problems."""

from typing import Any

from chalicelib.edge.auth import Access

INTRODUCTION = """\
Storefronts browse and sell, artisans list and ship, operators verify and pay out, and payment
providers call back.

* **Money** is `{"amount_minor": 24990, "currency": "MAD"}`: whole minor units, never a float.
* **Times** are RFC 3339 in UTC. `Accept-Language` chooses among `ar`, `fr`, `en` and `zgh`.
* **Refusals** are `application/problem+json` with a stable `code`, explained at its `type`.
* **Repeats** are safe with an `Idempotency-Key`: the same key and body get the same answer.
* **Limits** are per caller: `RateLimit-Remaining` says what is left, 429 `rate_limited` when to
  come back. Callbacks of providers have none.
* **Card numbers** are refused wherever they stand; they belong on the payment page alone.
* **Lists** take `limit` and `cursor` and answer `{"data": [...], "next_cursor": ...}`.
"""

TAGS = {
    "system": "Health, this document, error codes, the audit trail",
    "regions": "The twelve regions and how far each is open",
    "artisans": "Sellers: profiles, verification, where payouts go",
    "listings": "What is for sale",
    "orders": "Quotes, orders and parcels",
    "payments": "Paying, refunds, and what providers report",
    "ledger": "Accounts, balances and the check that they add up",
    "settlement": "Who gets what of a payment, and reconciliation",
    "payouts": "Money on its way to artisans",
    "surge": "The mode the platform is in, and the waiting room",
    "training": "Lessons and certificates",
    "banking": "Bank offers and the artisan's card",
    "notifications": "Messages out",
    "insights": "The sector's figures",
}

SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A Cognito token of an account in the group `artisans` or `operators`.",
    },
    "orderToken": {
        "type": "apiKey",
        "in": "header",
        "name": "Order-Token",
        "description": "Given with the order when it was placed: the buyer's key to that order.",
    },
}

SECURITY_OF: dict[Access, list[dict[str, list[str]]]] = {
    Access.PUBLIC: [],
    Access.PROVIDER: [],
    Access.BUYER: [{"orderToken": []}, {"bearer": []}],
    Access.ARTISAN: [{"bearer": []}],
    Access.OPERATOR: [{"bearer": []}],
}

_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "New for each new request; 1 to 255 visible ASCII characters.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}

COMPONENT_PARAMETERS: dict[str, Any] = {
    "IdempotencyKey": _KEY | {"required": False},
    "IdempotencyKeyRequired": _KEY | {"required": True},
    "AcceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "required": False,
        "description": "The language of texts and errors: `ar`, `fr`, `en` or `zgh`.",
        "schema": {"type": "string"},
        "example": "fr",
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` of the answer you have; 304 when it is current.",
        "schema": {"type": "string"},
    },
}

COMPONENT_HEADERS: dict[str, Any] = {
    "RequestId": {
        "description": "Name it when you ask us about this request.",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Send it as `If-None-Match` next time.",
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "Seconds to wait before the next try.",
        "schema": {"type": "integer"},
    },
    "RateLimitLimit": {
        "description": "How many requests of this kind may come at once.",
        "schema": {"type": "integer"},
    },
    "RateLimitRemaining": {
        "description": "How many of them are left now.",
        "schema": {"type": "integer"},
    },
    "RateLimitReset": {
        "description": "Seconds until all of them are there again.",
        "schema": {"type": "integer"},
    },
    "Replayed": {
        "description": "`true` when this is the answer of an earlier request with the same key.",
        "schema": {"type": "string"},
    },
}

RATE_HEADERS: dict[str, Any] = {
    f"RateLimit-{name}": {"$ref": f"#/components/headers/RateLimit{name}"}
    for name in ("Limit", "Remaining", "Reset")
}

PROBLEM_SCHEMAS: dict[str, Any] = {
    "Problem": {
        "title": "Problem",
        "description": "RFC 9457. Some codes add members, such as `available`.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": {"type": "string", "description": "An address that explains the code."},
            "title": {"type": "string", "description": "In the reader's language."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What to do about it, in English."},
            "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
            "request_id": {"type": "string"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldProblem"}},
        },
    },
    "FieldProblem": {
        "title": "FieldProblem",
        "type": "object",
        "required": ["param", "code", "detail"],
        "properties": {
            "param": {"type": "string", "description": "The field, as `lines.0.quantity`."},
            "code": {"type": "string"},
            "detail": {"type": "string"},
        },
    },
}
