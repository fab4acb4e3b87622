"""The one client for calls to providers: time-outs, a retry budget, and "unknown" as an outcome.

A call ends in an answer, or nobody knows what it did: `OutcomeUnknown`. No connection is kept: one
from before Lambda froze the process is often dead, and would make an outcome unknown for nothing.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chalicelib import clock
from chalicelib.config import LOCAL_STAGES, settings
from chalicelib.edge.observability import count, logger
from chalicelib.errors import Unavailable

if TYPE_CHECKING:
    import ssl

MAX_ANSWER_BYTES = 256 * 1024
MAX_RETRIES = 2
RETRY_RESERVE = 5
CALLS_PER_RETRY = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call may take, in seconds; `total` includes its retries.

    Chosen for a function that has 25 seconds: no attempt starts that could end after `total`.
    """

    connect: float = 2
    read: float = 8
    total: float = 20


@dataclass(frozen=True, slots=True)
class Request:
    """A call to a provider. `repeatable`: sending it twice has the effect of sending it once."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = field(default=b"", repr=False)


class OutcomeUnknown(Unavailable):
    """Nobody answered that can be trusted: it may have happened. Ask by our own reference.

    It has no code of its own: to whoever calls us, a part is not answering. `why` is for the log.
    """

    is_worth_repeating = True

    def __init__(self, why: str) -> None:
        super().__init__("a provider is not answering; ask again", retry_after_seconds=2)
        self.why = why


class NotSent(OutcomeUnknown):
    """There was no connection: certainly nothing was sent."""


class RefusedToAnswer(OutcomeUnknown):
    """An answer that is none, and that would be the same again: a redirect, or asked too often."""

    is_worth_repeating = False


class UnusableAddress(RuntimeError):
    """A provider's address in the settings is not https; http is for the local stages only."""


Transport = Callable[[Request], Response]


def send(provider: str, request: Request) -> Response:
    """The provider's answer, of any status that is one.

    What is repeatable, and what certainly was never sent, is tried again at most twice, as long as
    the provider's retry budget of this process lasts: an outage does not multiply the traffic.

    Raises:
        OutcomeUnknown: time-outs, broken connections, 3xx, 408, 429, 5xx, bodies over 256 KB.
        UnusableAddress: the address is not https.
    """
    _check_address(request.url)
    _budget_of(provider).earn()
    latest = clock.outside_now() + timedelta(seconds=_limits.total - _limits.connect - _limits.read)
    for attempt in range(MAX_RETRIES + 1):
        try:
            response = _answer(request)
        except OutcomeUnknown as unknown:
            logger.warning("a provider gave no answer", provider=provider, why=unknown.why)
            if not _may_repeat(provider, request, unknown, attempt, latest):
                count("ProviderCall", provider=provider, outcome="unknown")
                raise
            count("ProviderCall", provider=provider, outcome="repeated")
            clock.pause(random.uniform(0, 0.2 * 2**attempt))
        else:
            count("ProviderCall", provider=provider, outcome="answered")
            return response
    raise AssertionError("the last attempt returns or raises")


def _may_repeat(
    provider: str, request: Request, unknown: OutcomeUnknown, attempt: int, latest: datetime
) -> bool:
    if attempt == MAX_RETRIES or not unknown.is_worth_repeating:
        return False
    if not request.repeatable and not isinstance(unknown, NotSent):
        return False
    return clock.outside_now() <= latest and _budget_of(provider).spend()


def _answer(request: Request) -> Response:
    try:
        response = _transport(request)
    except OSError as error:
        raise OutcomeUnknown("the connection broke") from error
    if len(response.body) > MAX_ANSWER_BYTES:
        raise OutcomeUnknown("the answer is over 256 KB")
    if response.status >= 500 or response.status == 408:
        raise OutcomeUnknown(f"the answer is {response.status}")
    if not 200 <= response.status < 300 and (response.status < 400 or response.status == 429):
        raise RefusedToAnswer(f"the answer is {response.status}")
    return response


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    allowed = ("https", "http") if settings().stage in LOCAL_STAGES else ("https",)
    if parts.scheme not in allowed or not parts.hostname or parts.username is not None:
        raise UnusableAddress("a provider's address must be https://host/…")


class _Budget:
    """Retries are earned, one by ten calls, and kept up to a small reserve."""

    def __init__(self) -> None:
        self._earned = RETRY_RESERVE * CALLS_PER_RETRY
        self._lock = Lock()

    def earn(self) -> None:
        with self._lock:
            self._earned = min(self._earned + 1, RETRY_RESERVE * CALLS_PER_RETRY)

    def spend(self) -> bool:
        with self._lock:
            if self._earned < CALLS_PER_RETRY:
                return False
            self._earned -= CALLS_PER_RETRY
            return True


_budgets: dict[str, _Budget] = {}
_limits = Limits()


def _budget_of(provider: str) -> _Budget:
    return _budgets.setdefault(provider, _Budget())


def call_over_http(request: Request) -> Response:
    """One call over the network. No redirect is followed, no proxy used, and TLS is verified.

    Raises:
        NotSent, OutcomeUnknown.
    """
    import urllib3

    until = clock.outside_now() + timedelta(seconds=_limits.connect + _limits.read)
    # A pool for each call: a shared one keeps a connection even when it was asked to close it.
    pool = urllib3.PoolManager(num_pools=1, ssl_context=_tls())
    try:
        answer = pool.request(
            request.method,
            request.url,
            headers={**request.headers, "Connection": "close"},
            body=request.body or None,
            timeout=urllib3.Timeout(connect=_limits.connect, read=_limits.read),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        return Response(answer.status, _read(answer, until))
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise NotSent("no connection") from error
    except urllib3.exceptions.TimeoutError as error:
        raise OutcomeUnknown("no answer in time") from error
    except urllib3.exceptions.HTTPError as error:
        raise OutcomeUnknown("the connection broke") from error
    finally:
        pool.clear()


def _read(answer: Any, until: datetime) -> bytes:
    """The body; reading ends once it is too long, which `_answer` sees.

    The time-out of a socket is for each piece: whoever sends a byte a second is cut off here.
    """
    body = b""
    while len(body) <= MAX_ANSWER_BYTES and (piece := answer.read1(16 * 1024)):
        body += piece
        if clock.outside_now() > until:
            raise OutcomeUnknown("the answer took too long")
    return body


@lru_cache(maxsize=1)
def _tls() -> "ssl.SSLContext":
    # Made once: it reads every certificate authority.
    import ssl

    return ssl.create_default_context()


_transport: Transport = call_over_http


def set_transport(call: Transport) -> None:
    """Who carries requests from now on, instead of the network. Local stack and tests only."""
    global _transport
    _transport = call


def set_limits(limits: Limits) -> None:
    """Shorter times, for tests."""
    global _limits
    _limits = limits


def reset() -> None:
    """As if the process had just started. Local stack and tests only."""
    set_transport(call_over_http)
    set_limits(Limits())
    _budgets.clear()
    _tls.cache_clear()
