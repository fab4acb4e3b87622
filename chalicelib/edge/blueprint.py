"""The seam to Chalice: views may refuse and answer models; consumers take one message or change.

Chalice's middleware never sees an ordinary exception, and blueprint event handlers are deployed
without app.py, so both are dealt with here, around each view and handler.
"""

import gc
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from chalice import Blueprint, CORSConfig, Rate, Response
from pydantic import BaseModel, TypeAdapter

from chalicelib.edge import queues, rates, streams
from chalicelib.edge.auth import Access
from chalicelib.edge.calls import JSON_ONLY, Call, answer_to
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.observability import log_failure
from chalicelib.edge.operations import MAX_BODY_BYTES, OPERATIONS, Operation
from chalicelib.edge.replies import Reply

View = Callable[[Call[Any, Any]], "BaseModel | Reply"]
CORS = CORSConfig(
    allow_origin="*",
    allow_headers=[
        "Authorization",
        "Accept-Language",
        "Admission-Ticket",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Order-Token",
    ],
    expose_headers=[
        "Admission-Ticket",
        "Content-Language",
        "ETag",
        "Idempotent-Replayed",
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "RateLimit-Reset",
        "Retry-After",
        "X-Request-Id",
    ],
    max_age=600,
)


class SweepFailed(RuntimeError):
    """A scheduled sweep stopped; the next one finds its work again."""


def _feature_of(view: View) -> str:
    """`chalicelib.orders.api` -> "orders"; the edge's own routes are "system"."""
    package = view.__module__.split(".")[1:2]
    return "system" if package in ([], ["edge"]) else package[0]


def _usual_key(method: str) -> KeyUse:
    return KeyUse.KEPT if method == "POST" else KeyUse.NONE


@cache
def _end_of_start() -> None:
    """At the first event: the collector leaves alone what was imported, and works as it should."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


class FeatureBlueprint(Blueprint):
    """A feature's routes and handlers."""

    def route(  # type: ignore[override]
        self,
        path: str,
        *,
        access: Access,
        summary: str,
        method: str = "GET",
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        answer: type[BaseModel] | None = None,
        status: int = 200,
        key: KeyUse | None = None,
        media: tuple[str, ...] = JSON_ONLY,
        answer_media: str = "application/json",
        cached_seconds: int = 0,
        failure_text: str = "",
        max_bytes: int = MAX_BODY_BYTES,
        rate: rates.Rate | None = rates.USUAL,
    ) -> Callable[[View], View]:
        """Mount a view: parse, one call, present.

        Args:
            access: who may call; there is no default.
            body, query: models that the request must fit; unknown fields are refused.
            key: how `Idempotency-Key` is used; honoured on every POST unless said otherwise.
            cached_seconds: how long shared caches may keep the answer; adds an ETag.
            failure_text: what a caller that cannot read problems is told, with the same status.
            rate: how often a caller may ask; None for never limited.
        """
        limit = rates.usual(method, access) if rate is rates.USUAL else rate

        def decorate(view: View) -> View:
            operation = Operation(
                view.__name__, method, path, access, body, query, answer, status, summary,
                key or _usual_key(method), media, answer_media, cached_seconds, failure_text,
                _feature_of(view), view.__doc__ or "", max_bytes, limit,
            )  # fmt: skip
            return self._mount(operation, view)

        return decorate

    def _mount(self, operation: Operation, view: View) -> View:
        OPERATIONS.append(operation)

        @wraps(view)
        def answering(**path_values: str) -> Response:
            _end_of_start()
            return answer_to(self.current_request, path_values, operation, view)

        # No content types: Chalice's own 415 is not a problem document; `answer_to` checks.
        mount = Blueprint.route(
            self, operation.path, methods=[operation.method], content_types=[], cors=CORS
        )
        mount(answering)
        return view

    def consumer(self, queue: str, message: Any) -> Callable[[Callable[[Any], None]], Any]:
        """Take the messages of a queue one by one; `message` is a model or a union of models."""
        adapter = cache(lambda: TypeAdapter[Any](message))  # the API never needs it
        arn: Any = {"Fn::GetAtt": [queues.logical_id(queue, "Queue"), "Arn"]}
        size = queues.QUEUES[queue].batch_size
        register = super().on_sqs_message(queue_arn=arn, batch_size=size)

        def decorate(handle: Callable[[Any], None]) -> Any:
            @wraps(handle)  # Chalice derives the Lambda handler from __name__.
            def consume(event: Any) -> dict[str, Any]:
                _end_of_start()
                records = event.to_dict()["Records"]
                return queues.consume_batch(queue, records, adapter(), handle)

            return register(consume)

        return decorate

    def stream(self, table: str) -> Callable[[Callable[[streams.Change], None]], Any]:
        """Take the changes of a table one by one, in order."""
        arn: Any = {"Fn::GetAtt": [queues.logical_id(table, "Table"), "StreamArn"]}
        register = super().on_dynamodb_record(
            stream_arn=arn, batch_size=100, starting_position="TRIM_HORIZON"
        )

        def decorate(handle: Callable[[streams.Change], None]) -> Any:
            @wraps(handle)
            def consume(event: Any) -> dict[str, Any]:
                _end_of_start()
                return streams.consume_changes(event.to_dict()["Records"], handle)

            return register(consume)

        return decorate

    def every_minute(self, sweep: Callable[[], None]) -> Any:
        """Run a sweep each minute; its work is found in an index, so a missed run loses nothing.

        Raises:
            SweepFailed: instead of what the sweep raised, which Lambda would log with its values.
        """

        @wraps(sweep)
        def run(event: Any) -> None:
            _end_of_start()
            try:
                sweep()
            except Exception as error:  # Whatever it is, it is logged without private data.
                log_failure("sweep failed", error, sweep=sweep.__name__)
                raise SweepFailed(f"{sweep.__name__}: {type(error).__name__}") from None

        return super().schedule(Rate(1, unit=Rate.MINUTES))(run)
