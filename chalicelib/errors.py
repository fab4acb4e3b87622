"""Refusals. A feature's own refusals stand next to the rule that raises them and derive from these.

`code` is public and never changes. The HTTP status of each kind stands in `edge/problems.py`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class MarketplaceError(Exception):
    """A refusal. `detail` says what to do about it and holds nobody's personal data.

    `param` names the field that is wrong; `extra` holds further public members of the answer,
    such as `available`.
    """

    code: ClassVar[str] = "marketplace_error"

    def __init__(
        self,
        detail: str,
        *,
        param: str | None = None,
        extra: Mapping[str, Any] | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.param = param
        self.extra = dict(extra or {})
        self.retry_after_seconds = retry_after_seconds


class BadRequest(MarketplaceError):
    """The request cannot be read: not JSON, or a header is missing."""

    code = "bad_request"


class Unauthorized(MarketplaceError):
    """Nobody is known by these credentials, or they have expired."""

    code = "unauthorized"


class Forbidden(MarketplaceError):
    """The caller is known and may not do this."""

    code = "forbidden"


class NotFound(MarketplaceError):
    """There is no such thing, or it is not the caller's."""

    code = "not_found"


class Conflict(MarketplaceError):
    """The thing is in a state that forbids this."""

    code = "conflict"


class TooLarge(MarketplaceError):
    """The body is larger than this address reads: 256 KB, of a callback 64 KB."""

    code = "body_too_large"


class UnsupportedMedia(MarketplaceError):
    """The body is of a media type that this address does not read."""

    code = "unsupported_media_type"


class Invalid(MarketplaceError):
    """A field is wrong."""

    code = "invalid"


class KeyMismatch(Invalid):
    """The `Idempotency-Key` was used before with another body; use a new key for a new request."""

    code = "idempotency_mismatch"


class TooMany(MarketplaceError):
    """Too many requests; ask again after `Retry-After`."""

    code = "too_many_requests"


class Unavailable(MarketplaceError):
    """A part is not answering; nothing was lost, ask again after `Retry-After`."""

    code = "unavailable"
