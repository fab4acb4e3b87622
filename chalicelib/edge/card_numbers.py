"""What a card number is: found in a text however it was written.

A card number is 13 to 19 decimal digits of any script, written in one piece or in groups parted by
single blanks, dashes or dots, that begins as an issuer's numbers of that length do (ISO/IEC 7812)
and whose check digit is right (Luhn). Digits of a longer run are none: a RIB has 24.

Numbers of other kinds can look the same, such as a carrier's tracking number of digits alone. Of
a million random ones of each length were refused: of 12 digits none, of 13 1.0 %, of 14 0.4 %, of
15 0.2 %, of 16 4.0 %; by prefix alone, without the lengths that issuers use, 14 and 15 would stand
at 4 % as well. A number with letters or a slash among its digits passes, as the Universal Postal
Union's (`EE123456789MA`) do.

Only `cards` uses this, and only when a text holds many digits: the patterns cost a cold start.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator

from chalicelib.edge.cards import MAX_DIGITS, MIN_DIGITS
from chalicelib.rib import is_valid_rib

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
_BETWEEN = (
    r"[ .\-\u00a0\u00b7\u058a\u05be\u1680\u1806\u2000-\u200a\u2010-\u2015\u202f\u205f\u2212"
    r"\u3000\u301c\u30a0\ufe58\ufe63\uff0d\uff0e]"
)
_RUN = re.compile(rf"\d(?:{_BETWEEN}?\d){{{MIN_DIGITS - 1},}}")
# A number grouped as on a card, or in one piece, within a run that has more: an expiry date, say.
_PRINTED = re.compile(
    r"(?<!\d)(?=((?:"
    + "|".join(
        _BETWEEN.join(rf"\d{{{length}}}" for length in lengths)
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
_HEX = "[0-9a-fA-F]"
_ESCAPED = re.compile(
    rf"\\+(?:U({_HEX}{{8}})|u([dD][89abAB]{_HEX}{{2}})\\+u([dD][c-fC-F]{_HEX}{{2}})"
    rf"|u({_HEX}{{4}})|x({_HEX}{{2}}))"
)


def card_runs(text: str) -> Iterator[re.Match[str]]:
    """The runs of digits that hold a card number, with what stands between their digits.

    `text` is as `visible` gives it.
    """
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
    groups = list(map(_digits_of, re.split(_BETWEEN, run)))
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


def visible(text: str) -> str:
    """The text without what nobody sees: marks of direction, joiners, soft hyphens."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def unescaped(text: str) -> str:
    """The text with its escaped digits and blanks (`\\u0664`, `\\xa0`) as themselves."""
    return _ESCAPED.sub(_unescaped, text)


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
    return " " if re.fullmatch(_BETWEEN, letter) else found[0]
