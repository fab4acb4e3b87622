"""What every provider's dialect has in common: how it is asked, told, and tells."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import parse_qsl

from infra.local.bank.accounts import Charge, Try
from infra.local.bank.callbacks import Callback, Sent
from infra.local.gateway import HttpAnswer, HttpRequest

# What is sent later than the answer to the call that caused it.
Step = Callable[[], list[Callback]]


class Takes(StrEnum):
    """When the money of an accepted payment is taken."""

    AT_ONCE = "at_once"
    BY_ANSWER = "by_answer"  # our answer to the callback decides
    BY_CALL = "by_call"  # the platform captures by a call of its own


class Dialect(Protocol):
    """One provider: its API, and the callbacks it signs."""

    name: str

    def answer(self, request: HttpRequest, path: str) -> HttpAnswer:
        """What its API answers at a path below `/_local/bank/{name}/`."""

    def takes(self, charge: Charge) -> Takes: ...

    def captures(self, sent: Sent) -> bool:
        """Whether an answer to a callback asks for the money to be taken."""

    def callbacks(self, charge: Charge, made: Try, *, forged: bool = False) -> list[Callback]:
        """What it sends of one try."""

    def dispute_callbacks(self, charge: Charge) -> list[Callback]:
        """What it sends when a dispute is opened or decided; nothing where letters are written."""

    def return_url(self, charge: Charge) -> str:
        """Where the buyer's browser is led next."""


def form_of(request: HttpRequest) -> dict[str, str]:
    text = request.body.decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=300))
    except ValueError:
        return {}


def json_of(body: bytes | str) -> dict[str, Any] | None:
    """A JSON object; None when it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def json_answer(body: Mapping[str, Any], status: int = 200) -> HttpAnswer:
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return HttpAnswer(status, headers, json.dumps(body, ensure_ascii=False).encode())


def has_basic(request: HttpRequest, user: str, password: str) -> bool:
    """Whether the request carries this user and password (HTTP Basic)."""
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return is_same(request.header("authorization"), wanted)


def is_same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def decimal_text(amount_minor: int) -> str:
    """Centimes as the providers write them: 24990 is 249.90."""
    whole, centimes = divmod(amount_minor, 100)
    return f"{whole}.{centimes:02d}"


def callback_name(what: str, made: Try, charge: Charge, forged: bool) -> str:
    """A callback in a few words, for whoever pressed the button."""
    said = "declined" if made.state == "failed" else "approved"
    other = made.amount_minor != charge.due_minor
    return (
        f"{what}: {said}"
        + " with another amount" * other
        + f" in {made.currency}" * (made.currency != "MAD")
        + ", signed with a wrong key" * forged
    )
