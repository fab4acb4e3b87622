"""Reading what providers answer: JSON whose numbers stay text, so that no float is made."""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from chalicelib.edge.outbound import OutcomeUnknown, Response
from chalicelib.money import Money, from_decimal_text

JSON = "application/json"
_CURRENCY = re.compile(r"[A-Z]{3}")


def read_object(body: bytes) -> dict[str, Any] | None:
    """A JSON object; numbers as they were written, as text. None when it is no such thing."""
    try:
        read = json.loads(
            body.decode("utf-8"), parse_float=str, parse_int=str, parse_constant=_refused
        )
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def object_of(response: Response) -> dict[str, Any]:
    """The JSON object that a provider answered.

    Raises:
        OutcomeUnknown: it answered something else, such as a page of a proxy before it.
    """
    read = read_object(response.body)
    if read is None:
        raise OutcomeUnknown(f"the answer {response.status} cannot be read")
    return read


def decided_object_of(response: Response) -> dict[str, Any]:
    """As `object_of`, of an answer that the provider calls a success.

    Raises:
        OutcomeUnknown: it did not understand us, or does not know us: that says nothing of money.
    """
    if not 200 <= response.status < 300:
        raise OutcomeUnknown(f"the answer is {response.status}")
    return object_of(response)


def is_absent(response: Response) -> bool:
    """True for a 404 of the provider itself; one with a page in it comes from somebody else."""
    if response.status != 404:
        return False
    return not response.body.strip() or read_object(response.body) is not None


def text_at(document: Mapping[str, Any], *path: str) -> str:
    """The text or number at a path, as text that can be stored; empty when there is none."""
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    # JSON can escape half a surrogate pair, which is no text.
    return found.encode("utf-8", "ignore").decode("utf-8") if isinstance(found, str) else ""


def money_from(amount: str, currency: str) -> Money | None:
    """A decimal amount with its currency; None when it cannot be read exactly."""
    return from_decimal_text(amount, currency) if _CURRENCY.fullmatch(currency) else None


def is_one_of(given: str, expected: Sequence[str]) -> bool:
    """Compared in constant time with each; what is empty never matches."""
    sent = given.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(sent, each.encode()) for each in expected if each]
    return any(matches)
