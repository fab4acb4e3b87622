"""Runs the app's functions as Lambda would: its threads, its context, its event sources."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from chalice import Chalice
from chalice.app import DynamoDBEventConfig, ScheduledEventConfig, SQSEventConfig
from pydantic import BaseModel

from infra.local.environment import ACCOUNT, REGION

API_FUNCTION = "APIHandler"
API_TIMEOUT_SECONDS = 29
EVENT_TIMEOUT_SECONDS = 60

Handler = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What Lambda passes to a handler beside the event."""

    function_name: str
    timeout_seconds: int = EVENT_TIMEOUT_SECONDS
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    memory_limit_in_mb: int = 512
    function_version: str = "$LATEST"
    started: float = field(default_factory=monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        return "local"

    def get_remaining_time_in_millis(self) -> int:
        spent = monotonic() - self.started
        return max(0, int((self.timeout_seconds - spent) * 1000))


@dataclass(frozen=True, slots=True)
class QueueSource:
    function: str
    handler: Handler
    queue: Any  # a name, or a template value that gives an ARN
    batch_size: int


@dataclass(frozen=True, slots=True)
class StreamSource:
    function: str
    handler: Handler
    stream: Any  # an ARN, or a template value that gives one
    batch_size: int


@dataclass(frozen=True, slots=True)
class ScheduleSource:
    function: str
    handler: Handler
    expression: str


@dataclass(frozen=True, slots=True)
class Sources:
    queues: tuple[QueueSource, ...]
    streams: tuple[StreamSource, ...]
    schedules: tuple[ScheduleSource, ...]


def sources_of(app: Chalice) -> Sources:
    """Everything that starts a function of this app, other than HTTP.

    Raises:
        ValueError: two functions have one name, of which Chalice would deploy only one.
    """
    names = [source.name for source in app.event_sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two functions are called {', '.join(twice)}")
    queues, streams, schedules = [], [], []
    for source in app.event_sources:
        handler = app.handler_map[source.name]
        if isinstance(source, SQSEventConfig):
            queue = source.queue or source.queue_arn
            queues.append(QueueSource(source.name, handler, queue, source.batch_size))
        elif isinstance(source, DynamoDBEventConfig):
            found = StreamSource(source.name, handler, source.stream_arn, source.batch_size)
            streams.append(found)
        elif isinstance(source, ScheduledEventConfig):
            expression = source.schedule_expression
            text = expression if isinstance(expression, str) else expression.to_string()
            schedules.append(ScheduleSource(source.name, handler, text))
        else:
            raise NotImplementedError(f"{source.name}: the local pump knows no {type(source)}")
    return Sources(tuple(queues), tuple(streams), tuple(schedules))


class _PerThread(Chalice):
    """Lambda runs one request per process; here each thread has its own current request."""

    _own = threading.local()

    @property
    def current_request(self) -> Any:
        return getattr(self._own, "request", None)

    @current_request.setter
    def current_request(self, request: Any) -> None:
        self._own.request = request

    @property
    def lambda_context(self) -> Any:
        return getattr(self._own, "context", None)

    @lambda_context.setter
    def lambda_context(self, context: Any) -> None:
        self._own.context = context


def make_threaded(app: Chalice) -> Chalice:
    """The same app, safe to call from many threads at once."""
    if not isinstance(app, _PerThread):
        app.__class__ = type("ThreadedChalice", (_PerThread, type(app)), {})
        _make_models_ready(BaseModel)
    return app


def _make_models_ready(model: type[BaseModel]) -> None:
    """Models are made ready at their first use, for the cold start; that is safe in one thread."""
    for each in model.__subclasses__():
        if each.__module__.startswith("chalicelib."):
            each.model_rebuild()
        _make_models_ready(each)
