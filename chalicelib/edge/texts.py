"""Words that people write: trimmed, bounded, and free of what could deceive a reader."""

import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

# Overrides and isolates make text read differently from what is stored; plain marks (200E, 200F)
# and joiners are part of ordinary Arabic and stay.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_VISIBLE = frozenset("LNPS")


def _trimmed(text: Any) -> Any:
    return text.replace("\r\n", "\n").strip() if isinstance(text, str) else text


def _readable(text: str, *, lines: bool) -> str:
    for letter in text:
        if letter == "\n" and lines:
            continue
        if unicodedata.category(letter) in _REFUSED_CATEGORIES:
            raise PydanticCustomError("control_character", "leave out control characters")
        if letter in _BIDI_CONTROLS or "\U000e0000" <= letter <= "\U000e007f":
            raise PydanticCustomError("bidi_control", "leave out direction overrides and tags")
    if text and not any(unicodedata.category(letter)[0] in _VISIBLE for letter in text):
        raise PydanticCustomError("blank", "write at least one visible character")
    return unicodedata.normalize("NFC", text)


def _line(text: str) -> str:
    return _readable(text, lines=False)


def _prose(text: str) -> str:
    return _readable(text, lines=True)


def line(max_length: int) -> Any:
    """The type of a text of one line, such as a name or a title."""
    return Annotated[
        str,
        Field(min_length=1, max_length=max_length),
        BeforeValidator(_trimmed),
        AfterValidator(_line),
    ]


def prose(max_length: int, *, may_be_empty: bool = False) -> Any:
    """The type of a text that may have line breaks, such as a description."""
    return Annotated[
        str,
        Field(min_length=0 if may_be_empty else 1, max_length=max_length),
        BeforeValidator(_trimmed),
        AfterValidator(_prose),
    ]
