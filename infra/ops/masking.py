"""Hides personal data: of a message only what is known to be none is shown."""

import json
import re
from typing import Any

HIDDEN = "•••"
_TEXTS = {
    "type": re.compile(r"[a-z_]{1,40}"),
    "stage": re.compile(r"[a-z_]{1,40}"),
    "outcome": re.compile(r"[a-z_]{1,40}"),
    "kind": re.compile(r"[a-z_.]{1,40}"),
    "status": re.compile(r"[a-z_]{1,40}"),
    "provider": re.compile(r"[a-z_]{1,40}"),
    "rail": re.compile(r"[a-z_]{1,40}"),
    "language": re.compile(r"ar|fr|en|zgh"),
    "currency": re.compile(r"[A-Z]{3}"),
    "event_key": re.compile(r"[a-z]{1,20}(#[0-9A-Za-z_.:-]{1,100}){1,6}"),
}
_POINTER = (
    "functionArn", "condition", "streamArn", "shardId", "startSequenceNumber", "batchSize",
    "approximateArrivalOfFirstRecord",
)  # fmt: skip
_ID = re.compile(r"[a-z]{3}_[0-9A-Za-z_-]{1,80}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_COUNTS = re.compile(r"(\w+_)?(minor|bp|days|count)|version|attempt|step|lane|quantity")
_EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.[a-zA-Z]+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}[\d ]{10,}\d")
_DIGITS = re.compile(r"\+?\d[\d .()-]{6,}\d")
_NUMBER_LENGTH = 8


def masked_body(body: str) -> Any:
    """A message's body with everything hidden that is no id, time, amount or word of ours."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return f"not JSON, {len(body)} characters"
    return _masked(found, "")


def pointer(body: str) -> Any:
    """Of what Lambda says of a stream's record that was given up on: where to find it."""
    try:
        found = json.loads(body)
        parts = {**found["requestContext"], **found["DDBStreamBatchInfo"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return masked_body(body)
    return {name: str(parts[name]) for name in _POINTER if name in parts}


def masked_text(text: str) -> str:
    """A sentence without e-mail addresses and without numbers as long as a phone's.

    Ids and times are left: they hold letters, or are written as times are.
    """
    return " ".join(_masked_word(part) for part in _without_numbers(text).split(" "))


def _masked_word(word: str) -> str:
    return HIDDEN if _EMAIL.search(word) else word


def _without_numbers(text: str) -> str:
    def hide(found: re.Match[str]) -> str:
        return HIDDEN if _is_number(text, found) else found[0]

    return _DIGITS.sub(hide, _IBAN.sub(HIDDEN, text))


def _is_number(text: str, found: re.Match[str]) -> bool:
    """Whether it is a number by itself: no part of an id or a time, no amount."""
    before, after = text[: found.start()], text[found.end() :]
    touches = bool(re.search(r"[A-Za-z_]-?$", before)) or bool(re.match(r"-?[A-Za-z_]", after))
    is_date = bool(re.match(r"\d{4}-\d\d-\d\d", found[0]))
    is_amount = bool(re.fullmatch(r"[\d ]+\.\d\d", found[0]))
    return not (touches or is_date or is_amount) and (
        sum(character.isdigit() for character in found[0]) >= _NUMBER_LENGTH
    )


def _masked(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {_key(name): _masked(part, str(name)) for name, part in value.items()}
    if isinstance(value, list):
        return [_masked(part, key) for part in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if _COUNTS.fullmatch(key) else HIDDEN
    return value if isinstance(value, str) and _is_plain(value, key) else HIDDEN


def _is_plain(text: str, key: str) -> bool:
    pattern = _TEXTS.get(key)
    if pattern is not None:
        return pattern.fullmatch(text) is not None
    return (_ID.fullmatch(text) or _TIME.fullmatch(text)) is not None


def _key(name: Any) -> str:
    return name if re.fullmatch(r"[a-z_]{1,40}", str(name)) else HIDDEN
