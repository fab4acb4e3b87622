"""Lists: `limit`, and opaque cursors that are signed and tied to the query they came from."""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.config import settings
from chalicelib.errors import Invalid

MAX_CURSOR_LENGTH = 2048
_SIGNATURE_BYTES = 12

# Who asks at which address; set by the seam. A cursor is good only there: it holds a key of a
# table, which may not be read with another's, and means nothing at another address.
asked: ContextVar[str] = ContextVar("asked", default="")
T = TypeVar("T")


class InvalidCursor(Invalid):
    """The cursor is not one of ours, or belongs to another query."""

    code = "invalid_cursor"


class PageQuery(BaseModel):
    """The part of a query that every list understands."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    limit: Annotated[int, Field(ge=1, le=100, description="items per page")] = 24
    cursor: Annotated[
        str | None,
        Field(max_length=MAX_CURSOR_LENGTH, description="`next_cursor` of the page before"),
    ] = None

    def scope(self) -> str:
        """What a cursor is tied to: the query without its limit and cursor."""
        return json.dumps(self.model_dump(exclude={"limit", "cursor"}, mode="json"), sort_keys=True)


class Page(BaseModel, Generic[T]):
    model_config = ConfigDict(defer_build=True)

    data: list[T]
    next_cursor: str | None = None


def cursor_of(last_key: Mapping[str, Any] | None, scope: str) -> str | None:
    """An opaque cursor for the key a query stopped at; None when it reached the end."""
    if last_key is None:
        return None
    payload = json.dumps(last_key, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_signature(payload, scope) + payload).decode().rstrip("=")


def key_of(cursor: str | None, scope: str) -> dict[str, Any] | None:
    """The key behind a cursor.

    Raises:
        InvalidCursor: it was changed, or made for another query.
    """
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor("use `next_cursor` as it was given", param="cursor") from error
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(payload, scope)):
        raise InvalidCursor("the cursor belongs to another query", param="cursor")
    key: dict[str, Any] = json.loads(payload)
    return key


def _signature(payload: bytes, scope: str) -> bytes:
    key = settings().signing_secret.encode()
    tied_to = f"cursor:{asked.get()}\0{scope}\0".encode()
    return hmac.digest(key, tied_to + payload, "sha256")[:_SIGNATURE_BYTES]
