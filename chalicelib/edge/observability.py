"""Logs and metrics: structured, with the request's id, and with nobody's personal data."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from aws_lambda_powertools.logging import Logger

from chalicelib.config import settings
from chalicelib.edge.cards import BETWEEN_DIGITS, REMOVED, without_card_numbers

NAMESPACE = "Maalem"
SERVICE = "maalem"

request_id: ContextVar[str] = ContextVar("request_id", default="")

# A last net under the rule that personal data is not passed to the logger: e-mail addresses,
# card-like and RIB-like digit runs, and telephone numbers in exception texts.
_PRIVATE = re.compile(
    rf"[^\s@\"']+@[^\s@\"']+\.[a-z]{{2,}}|\+?\d(?:{BETWEEN_DIGITS}?\d){{8,}}", re.IGNORECASE
)


def scrubbed(text: str) -> str:
    return _PRIVATE.sub(REMOVED, without_card_numbers(text))


def _line(entry: Any) -> str:
    """A log entry as JSON. Whatever it holds and whoever wrote it, no card number is in it."""
    text = json.dumps(entry, default=str, separators=(",", ":"), ensure_ascii=False)
    return without_card_numbers(text)


logger = Logger(service=SERVICE, json_serializer=_line)


@contextmanager
def request_scope(identifier: str) -> Iterator[None]:
    """Log lines inside carry this request id."""
    token = request_id.set(identifier)
    logger.append_keys(request_id=identifier)
    try:
        yield
    finally:
        request_id.reset(token)
        logger.remove_keys(["request_id"])


def count(metric: str, **dimensions: str) -> None:
    """Add one to a metric (CloudWatch embedded format)."""
    # Imported here: most requests count nothing, and the import costs a cold start 10 ms.
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(
        name=metric,
        unit=MetricUnit.Count,
        value=1,
        namespace=NAMESPACE,
        default_dimensions={"service": SERVICE, "stage": settings().stage},
    ) as line:
        for name, value in dimensions.items():
            line.add_dimension(name=name, value=value)


def log_failure(message: str, error: BaseException, **keys: Any) -> None:
    """An unexpected failure: its kind and where it happened, never the values it was about."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 3)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    logger.error(
        message,
        error_type=type(error).__name__,
        error=scrubbed(str(error))[:500],
        where=frames[-6:],
        **keys,
    )
