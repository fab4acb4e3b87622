"""Card numbers: found in whatever is sent, so that none is accepted (P15), and kept out of logs.

A card number is 13 to 19 decimal digits of any script, written in one piece or in groups parted by
single blanks, dashes or dots, that begins as an issuer's numbers of that length do (ISO/IEC 7812)
and whose check digit is right (Luhn). Digits of a longer run are none: a RIB has 24.

Numbers of other kinds can look the same, such as a carrier's tracking number of digits alone. Of
a million random ones of each length were refused: of 12 digits none, of 13 1.0 %, of 14 0.4 %, of
15 0.2 %, of 16 4.0 %; by prefix alone, without the lengths that issuers use, 14 and 15 would stand
at 4 % as well. A number with letters or a slash among its digits passes, as the Universal Postal
Union's (`EE123456789MA`) do.
"""

import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from chalicelib.errors import Invalid
from chalicelib.rib import is_valid_rib

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

# Visa has 13, 16 and more digits, American Express 15, Diners 14, 16 and more; Mastercard, JCB,
# UnionPay, Discover, Maestro and Mir 16 and more. Maestro's of 12 to 15 digits are of the past.
_ISSUERS = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15,18})"
    r"|3[47][0-9]{13}"
    r"|3[0689](?:[0-9]{12}|[0-9]{14,17})"
    r"|(?:35|5[0-9]|6[0-9])[0-9]{14,17}"
    r"|(?:220[0-4]|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12,15}"
)
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
# Blanks (Unicode's Zs), dashes (Pd, and the minus sign), full stops and the middle dot.
BETWEEN_DIGITS = (
    r"[ .\-\u00a0\u00b7\u058a\u05be\u1680\u1806\u2000-\u200a\u2010-\u2015\u202f\u205f\u2212"
    r"\u3000\u301c\u30a0\ufe58\ufe63\uff0d\uff0e]"
)
_RUN = re.compile(rf"\d(?:{BETWEEN_DIGITS}?\d){{{MIN_DIGITS - 1},}}")
# A number grouped as on a card, or in one piece, within a run that has more: an expiry date, say.
_PRINTED = re.compile(
    r"(?<!\d)(?=((?:"
    + "|".join(
        BETWEEN_DIGITS.join(rf"\d{{{length}}}" for length in lengths)
        for lengths in (
            (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (8, 8), (4, 4, 5), (4, 4, 4, 1), (4, 4, 4, 4, 3),
            (6, 13), ("13,19",),
        )
    )
    + r")(?!\d)))"
)  # fmt: skip
_MAX_WHOLE_LENGTH = 2 * MAX_DIGITS - 1
_RIB_DIGITS, _MAX_RUN_WITH_RIB = 24, 100
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# Identifiers that machines make: UUIDs and digests in hexadecimal. They are full of digits, and one
# in some thousands would be taken for a card number.
_MACHINE_MADE = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|(?=[0-9]*[a-f])(?:[0-9a-f]{8}){3,}"
    r")(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_ESCAPED = re.compile(
    r"\\+(?:U([0-9a-fA-F]{8})|u([dD][89abAB][0-9a-fA-F]{2})\\+u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))"
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
    rb"\\u(?:003|06[6f]|0[7-9a-f]|1[0-9ab]|a[6-9ab]|ff1|d8(?:0|1a|35|38|3a|3e))", re.IGNORECASE
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
    return next(_card_runs(text if text.isascii() else _INVISIBLE.sub("", text)), None) is not None


def without_card_numbers(text: str) -> str:
    """The text with every run of digits that holds a card number removed; for what is logged.

    Digits and blanks that were escaped on the way (`\\u0664`, `\\xa0`) are found, too.
    """
    if "\\" in text:
        text = _ESCAPED.sub(_unescaped, text)
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    for run in reversed(list(_card_runs(text))):
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


def _card_runs(text: str) -> Iterator[re.Match[str]]:
    for run in _RUN.finditer(text):
        after_plus = text[max(0, run.start() - 1) : run.start()] == "+"
        if _is_card_run(run[0], after_plus=after_plus) and not _is_machine_made(text, run):
            yield run


def _is_machine_made(text: str, run: re.Match[str]) -> bool:
    return any(
        word.start() <= run.start() and run.end() <= word.end()
        for word in _MACHINE_MADE.finditer(text)
    )


def _is_card_run(run: str, *, after_plus: bool) -> bool:
    if len(run) <= _MAX_WHOLE_LENGTH:
        whole = _digits_of(run)
        if after_plus and len(whole) <= 15:  # A telephone number has at most 15 digits (E.164).
            return False
        if _is_card_number(whole):
            return True
    printed = (_digits_of(found[1]) for found in _PRINTED.finditer(run))
    return any(map(_is_card_number, printed)) and not _holds_rib(run)


def _holds_rib(run: str) -> bool:
    """True for an account number in groups, of which some may look like a card number."""
    if len(run) > _MAX_RUN_WITH_RIB:
        return False
    groups = list(map(_digits_of, re.split(BETWEEN_DIGITS, run)))
    parts = (
        "".join(groups[start:end])
        for start in range(len(groups))
        for end in range(start + 1, len(groups) + 1)
    )
    return any(len(part) == _RIB_DIGITS and is_valid_rib(part) for part in parts)


def _is_card_number(digits: str) -> bool:
    if _ISSUERS.fullmatch(digits) is None:
        return False
    raw = digits.encode()
    total = sum(raw[-1::-2]) + sum(raw[-2::-2].translate(_DOUBLED)) - ord("0") * len(raw)
    return total % 10 == 0


def _digits_of(text: str) -> str:
    """Its digits, in ASCII."""
    return "".join(str(unicodedata.decimal(each)) for each in text if each.isdecimal())


def _unescaped(found: re.Match[str]) -> str:
    """What an escape stands for, when it is a digit or may stand between digits."""
    long, high, low, short, byte = found.groups()
    code = int(long or low or short or byte, 16)
    if high:
        code = 0x10000 + ((int(high, 16) & 0x3FF) << 10) + (code & 0x3FF)
    letter = chr(code) if code <= sys.maxunicode else ""
    if letter.isdecimal():
        return _digits_of(letter)
    if _INVISIBLE.fullmatch(letter):
        return ""
    return " " if re.fullmatch(BETWEEN_DIGITS, letter) else found[0]
