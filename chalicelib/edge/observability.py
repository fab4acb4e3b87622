"""Logs and metrics: structured, with the request's id, and with nobody's personal data."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from aws_lambda_powertools.logging import Logger
from pydantic import ValidationError

from chalicelib.config import settings
from chalicelib.edge.cards import REMOVED, without_card_numbers

NAMESPACE = "Maalem"
SERVICE = "maalem"

request_id: ContextVar[str] = ContextVar("request_id", default="")

# A last net under the rule that personal data is not passed to the logger: e-mail addresses,
# card-like and RIB-like digit runs, and telephone numbers in exception texts.
_PRIVATE = re.compile(
    r"[^\s@\"']+@[^\s@\"']+\.[a-z]{2,}|\+?\d(?:[\s.\-\u2010-\u2015]?\d){8,}", re.IGNORECASE
)
# Exceptions quote what they were about, and a name of a person has no form to be known by. A quoted
# word stays, for it is most often an attribute's or a type's.
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"")
_WORD = re.compile(r".[A-Za-z_]{1,24}.")


def scrubbed(text: str) -> str:
    return _PRIVATE.sub(REMOVED, without_card_numbers(text))


def _said_by(error: BaseException) -> str:
    """What an exception says, without the values that it quotes."""
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_input=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in found)
    else:
        text = _QUOTED.sub(_word_or_nothing, str(error))
    return scrubbed(text)[:500]


def _word_or_nothing(quoted: re.Match[str]) -> str:
    return quoted[0] if _WORD.fullmatch(quoted[0]) else REMOVED


def _line(entry: Any) -> str:
    """A log entry as JSON. Whatever it holds and whoever wrote it, no card number is in it."""
    text = json.dumps(entry, default=str, separators=(",", ":"), ensure_ascii=False, skipkeys=True)
    # A line that cannot be written would be said by Python itself, with all that is in it.
    return without_card_numbers(text.encode("utf-8", "replace").decode("utf-8"))


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
        error=_said_by(error),
        where=frames[-6:],
        **keys,
    )
