"""Card numbers in requests and logs: none is accepted, and none is said (P15).

What one is says `card_numbers`; of most requests no more than the digits are counted.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from chalicelib.errors import Invalid

MIN_DIGITS, MAX_DIGITS = 13, 19
MAX_PARAM_LENGTH = 120
REMOVED = "[removed]"
# The headers that we read and that a client writes into, but for `Authorization`.
CHECKED_HEADERS = (
    "idempotency-key",
    "order-token",
    "admission-ticket",
    "if-match",
    "if-none-match",
    "accept-language",
    "content-type",
)

# What the fast way out looks at: digits become "0", the rest "x", and what may stand between
# digits is dropped, whatever is not ASCII with it.
_SHAPE = bytes(ord("0") if ord("0") <= code <= ord("9") else ord("x") for code in range(256))
_DROPPED = b" -." + bytes(range(128, 256))
_MANY_DIGITS = b"0" * MIN_DIGITS
# Digits beyond ASCII, and characters of their scripts, in UTF-8 and as escapes of JSON.
_FOREIGN_DIGIT = re.compile(
    rb"\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]|\xdf[\x80-\x89]|\xe0|\xe1|\xea|\xef\xbc[\x90-\x99]"
    rb"|\xf0(?:[\x90-\x9e]|\x9f\xaf)"
)
_ESCAPED_DIGIT = re.compile(
    rb"\\u(?:003|06[6f]|0[7-9a-f]|1[0-9a-c]|a[6-9ab]|ff1|d8(?:0|1a|35|38|3a|3e))", re.IGNORECASE
)
_ANY_ESCAPE = re.compile(rb"\\u[0-9a-f]{4}", re.IGNORECASE)


class CardNumberRefused(Invalid):
    """There is a card number in the request. We read none: it belongs on the payment page alone.

    Another number that only looks like one (a tracking number, say) passes with a slash in it.
    """

    code = "card_number_refused"

    def __init__(self, param: str) -> None:
        super().__init__(
            "leave card numbers out; they belong on the payment page alone. If this is another"
            " number, break it with a slash, as in 41234567/89012, or leave it out;"
            " write a telephone number with its +",
            param="body" if holds_card_number(param) else param,
        )


def holds_card_number(text: str) -> bool:
    if len(text) < MIN_DIGITS or not _may_hold(text.encode("utf-8", "replace")):
        return False
    # Imported here, as below: the patterns cost a cold start, and few texts have so many digits.
    from chalicelib.edge.card_numbers import card_runs, visible

    return next(card_runs(visible(text)), None) is not None


def without_card_numbers(text: str) -> str:
    """The text with every run of digits that holds a card number removed; for what is logged.

    Digits and blanks that were escaped on the way (`\\u0664`, `\\xa0`) are found, too.
    """
    if "\\" not in text and not _may_hold(text.encode("utf-8", "replace")):
        return text
    from chalicelib.edge.card_numbers import card_runs, unescaped, visible

    text = visible(unescaped(text))
    for run in reversed(list(card_runs(text))):
        text = f"{text[: run.start()]}{REMOVED}{text[run.end() :]}"
    return text


def refuse_in_text(text: str, param: str) -> None:
    """Raises CardNumberRefused, naming `param`."""
    if holds_card_number(text):
        raise CardNumberRefused(param)


def refuse_in_headers(headers: Mapping[str, str]) -> None:
    """Raises CardNumberRefused for the headers that we read; names are lower-case."""
    for name in CHECKED_HEADERS:
        if name in headers:
            refuse_in_text(headers[name], name)


def refuse_in_query(values: Mapping[str, list[str]]) -> None:
    """Raises CardNumberRefused for a name or a value."""
    for name, found in values.items():
        refuse_in_text(name, "query")
        for text in found:
            refuse_in_text(text, name)


def refuse_in_body(raw_body: bytes, *, is_json: bool) -> None:
    """Look through every text, number and name of a JSON body, or every line of another.

    Raises:
        CardNumberRefused: with the field's path, such as `buyer.name`, or the line's number.
    """
    if not _may_hold(raw_body):
        return
    text = raw_body.decode("utf-8", "replace")
    found = _field_with_card_number(text) if is_json else _line_with_card_number(text)
    if found is not None:
        raise CardNumberRefused(found)


def _may_hold(raw: bytes) -> bool:
    """False when there is certainly no card number: two microseconds for an order."""
    if b"\\u" in raw:
        if _ESCAPED_DIGIT.search(raw):
            return True
        raw = _ANY_ESCAPE.sub(b"", raw)
    if not raw.isascii() and _FOREIGN_DIGIT.search(raw):
        return True
    return _MANY_DIGITS in raw.translate(_SHAPE, _DROPPED)


class _Object(list[tuple[str, Any]]):
    """A JSON object as it was written: a name that comes twice is there twice."""


def _field_with_card_number(text: str) -> str | None:
    try:
        body = json.loads(text, object_pairs_hook=_Object, parse_int=str, parse_float=_plain_number)
    except (ValueError, RecursionError):  # It will be refused; what it says of a card comes first.
        return "body" if holds_card_number(text) else None
    waiting: list[tuple[str, Any]] = [("", body)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if holds_card_number(value):
                return path or "body"
        elif isinstance(value, _Object):
            if any(holds_card_number(name) for name, _ in value):
                return path or "body"
            waiting += [(_joined(path, name), each) for name, each in reversed(value)]
        elif isinstance(value, list):
            numbered = list(enumerate(value))
            waiting += [(_joined(path, str(number)), each) for number, each in reversed(numbered)]
    return None


def _joined(path: str, step: str) -> str:
    return f"{path}.{step}"[:MAX_PARAM_LENGTH] if path else step[:MAX_PARAM_LENGTH]


def _plain_number(text: str) -> str:
    """`4.111e3` -> "4111": a number is the same however it is written."""
    try:
        number = Decimal(text)
    except ArithmeticError:  # an exponent of twenty digits
        return text
    if number.adjusted() >= MAX_DIGITS or number != number.to_integral_value():
        return text
    return f"{number:.0f}"


def _line_with_card_number(text: str) -> str | None:
    """Lines are counted as reconciliations count them: 0 is the one that names the columns."""
    for number, line in enumerate(text.splitlines()):
        if holds_card_number(line):
            return f"line {number}"
    return None
