"""The one place every AWS request passes, for tests that make it fail or wait there.

An attempt is what stands between botocore's `before-send` and `before-parse`: DynamoDB does one
attempt at a time per item, and botocore repeats an attempt that failed by itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import botocore.endpoint
from botocore.endpoint import Endpoint
from botocore.exceptions import HTTPClientError

Answer = tuple[Any, HTTPClientError | None]
Send = Callable[[], Answer]
# What is asked; `call` is the same object for all attempts of one call.
Attempt = SimpleNamespace


@contextmanager
def attempts_through(make: Callable[[Attempt, Send], Answer]) -> Iterator[None]:
    """Let `make` decide on each attempt: send it, answer itself, or lose the answer."""
    real = Endpoint._do_get_response

    def do(endpoint: Any, request: Any, model: Any, context: dict[str, Any]) -> Answer:
        attempt = Attempt(operation=model.name, call=context, url=request.url)
        return make(attempt, lambda: real(endpoint, request, model, context))

    without_waiting = SimpleNamespace(sleep=lambda seconds: None)
    with (
        mock.patch.object(Endpoint, "_do_get_response", do),
        mock.patch.object(botocore.endpoint, "time", without_waiting),
    ):
        yield


def refused(code: str, **body: Any) -> Answer:
    """What AWS answers when it refuses: nothing was done."""
    parsed = {
        "Error": {"Code": code, "Message": "injected"},
        "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}, "RequestId": "test"},
    }
    return (SimpleNamespace(status_code=400, headers={}, content=b""), parsed | body), None


@contextmanager
def counted() -> Iterator[list[str]]:
    """The operations that are asked of AWS meanwhile."""
    asked: list[str] = []

    def make(attempt: Attempt, send: Send) -> Answer:
        asked.append(attempt.operation)
        return send()

    with attempts_through(make):
        yield asked
