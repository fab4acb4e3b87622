"""`Idempotency-Key`: the same request gets the same answer and has one effect.

Two ways. Money and orders derive their ids from the key, so that the effect itself can happen only
once (`KeyUse.OWN`); the use case finds what it made and answers again. Everything else keeps the
answer here (`KeyUse.KEPT`).
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum

from chalicelib import clock, ids
from chalicelib.edge import tables
from chalicelib.edge.replies import Reply
from chalicelib.errors import BadRequest, Conflict, KeyMismatch, MarketplaceError

KEPT_SECONDS = 30 * 24 * 3600
LEASE_SECONDS = 40  # longer than API Gateway lets a request live (29 s)
MAX_ANSWER_BYTES = 300_000
REPLAYED = {"Idempotent-Replayed": "true"}


class KeyUse(StrEnum):
    NONE = "none"  # reads, and callbacks that carry their own event id
    KEPT = "kept"  # honoured when sent; the answer is kept
    KEPT_REQUIRED = "kept_required"  # as KEPT, and must be sent: this moves money
    OWN = "own"  # must be sent; the use case derives its ids from the key


class KeyMissing(BadRequest):
    """This request creates money or an order and needs an `Idempotency-Key` header."""

    code = "idempotency_key_missing"


class KeyMalformed(BadRequest):
    """An `Idempotency-Key` is 1 to 255 visible ASCII characters."""

    code = "idempotency_key_invalid"


class KeyInProgress(Conflict):
    """The first request with this key is still being worked on; repeat in a moment."""

    code = "idempotency_in_progress"


def key_from(headers: Mapping[str, str], use: KeyUse) -> str:
    """The key of a request, or empty.

    Raises:
        KeyMissing: it is required. KeyMalformed: it is no key.
    """
    key = headers.get("idempotency-key", "").strip()
    if not key:
        if use in (KeyUse.OWN, KeyUse.KEPT_REQUIRED):
            raise KeyMissing("send an `Idempotency-Key` header, new for each new request")
        return ""
    if len(key) > 255 or not all("!" <= letter <= "~" for letter in key):
        raise KeyMalformed("an `Idempotency-Key` is 1 to 255 visible ASCII characters")
    return key


def answer_once(scope: str, key: str, content: bytes, act: Callable[[], Reply]) -> Reply:
    """Act, or give the kept answer of the first request with this key in this scope.

    A refusal is not kept: the request had no effect, and may succeed when it is repeated.

    Raises:
        KeyMismatch: the key came with another content.
        KeyInProgress: the first request has not ended.
    """
    now = clock.now()
    row = tables.IdempotencyTable(
        ids.fingerprint(scope, key),
        fingerprint=ids.fingerprint(content),
        owner=ids.new_id("req"),
        lease_until=int(now.timestamp()) + LEASE_SECONDS,
        expires=now + timedelta(seconds=KEPT_SECONDS),
    )
    if not tables.claim_key(row, now):
        return _earlier_answer(row)
    try:
        reply = act()
    except MarketplaceError:
        tables.release_key(row)
        raise
    _keep(row, reply)
    return reply


def _earlier_answer(row: tables.IdempotencyTable) -> Reply:
    kept = tables.find_answer(row.scope_key)
    if kept is not None and kept.fingerprint != row.fingerprint:
        raise KeyMismatch("this Idempotency-Key was used with another body; use a new key")
    if kept is None or kept.answer is None:
        raise KeyInProgress("the first request with this key has not ended", retry_after_seconds=1)
    stored = json.loads(kept.answer)
    return Reply(
        body=stored["body"],
        status=int(kept.status or 0),  # 0 is the route's own, as in the first answer
        headers=stored["headers"] | REPLAYED,
        content_type=stored["content_type"],
    )


def _keep(row: tables.IdempotencyTable, reply: Reply) -> None:
    answer = json.dumps(
        {
            "body": reply.text(),
            "headers": dict(reply.headers),
            "content_type": reply.content_type,
        }
    ).encode()
    if reply.status >= 500 or len(answer) > MAX_ANSWER_BYTES:
        tables.release_key(row)
        return
    row.status = reply.status
    row.answer = answer
    tables.keep_answer(row)
