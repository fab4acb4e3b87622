"""The one place every AWS request passes, for tests that make it fail or wait there; and beside it
the one place every call to a provider passes.

An attempt is what stands between botocore's `before-send` and `before-parse`: DynamoDB does one
attempt at a time per item, and botocore repeats an attempt that failed by itself. So does our
client with what it asks of a provider.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import botocore.endpoint
from botocore.endpoint import Endpoint

from chalicelib.edge import outbound
from chalicelib.edge.outbound import OutcomeUnknown, Request, Response

Answer = tuple[Any, Exception | None]
Send = Callable[[], Answer]
# What is asked; `call` is the same object for all attempts of one call.
Attempt = SimpleNamespace
PROVIDER = "provider"
_unwatched = threading.local()


@contextmanager
def attempts_through(make: Callable[[Attempt, Send], Answer]) -> Iterator[None]:
    """Let `make` decide on each attempt: send it, answer itself, or lose the answer."""
    real, carry = Endpoint._do_get_response, outbound._transport

    def do(endpoint: Any, request: Any, model: Any, context: dict[str, Any]) -> Answer:
        def send() -> Answer:
            return real(endpoint, request, model, context)

        if getattr(_unwatched, "now", False):
            return send()
        attempt = Attempt(operation=model.name, call=context, url=request.url, is_provider=False)
        return make(attempt, send)

    def ask(request: Request) -> Response:
        def send() -> Answer:
            try:
                with unwatched():  # What the provider itself does.
                    return carry(request), None
            except OutcomeUnknown as unknown:
                return None, unknown

        operation = f"{PROVIDER} {request.method}"
        attempt = Attempt(operation=operation, call=request, url=request.url, is_provider=True)
        response, error = make(attempt, send)
        if error is not None:
            raise error
        return response

    without_waiting = SimpleNamespace(sleep=lambda seconds: None)
    with (
        mock.patch.object(Endpoint, "_do_get_response", do),
        mock.patch.object(botocore.endpoint, "time", without_waiting),
        mock.patch.object(outbound, "_transport", ask),
    ):
        yield


@contextmanager
def unwatched() -> Iterator[None]:
    """What this thread asks of AWS now is not the platform's: no attempt of it is decided on."""
    before = getattr(_unwatched, "now", False)
    _unwatched.now = True
    try:
        yield
    finally:
        _unwatched.now = before


def refused(code: str, **body: Any) -> Answer:
    """What AWS answers when it refuses: nothing was done."""
    parsed = {
        "Error": {"Code": code, "Message": "injected"},
        "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}, "RequestId": "test"},
    }
    return (SimpleNamespace(status_code=400, headers={}, content=b""), parsed | body), None


@contextmanager
def counted() -> Iterator[list[str]]:
    """The operations that are asked of AWS and of providers meanwhile."""
    asked: list[str] = []

    def make(attempt: Attempt, send: Send) -> Answer:
        asked.append(attempt.operation)
        return send()

    with attempts_through(make):
        yield asked
