"""Moroccan account numbers: RIB (24 digits) and ICE (15 digits).

The public libraries either refuse Moroccan accounts or accept a wrong key, so the check is ours:
the whole number is divisible by 97 and the key, its last two digits, is 01 to 97.
"""

import re

_RIB = re.compile(r"[0-9]{24}")
_ICE = re.compile(r"[0-9]{15}")
_SPACES = re.compile(r"[ \u00a0-]")


def normalise(text: str) -> str:
    """The digits without the blanks and hyphens that people put between the fields."""
    return _SPACES.sub("", text)


def is_valid_rib(text: str) -> bool:
    """True for 24 digits (blanks allowed) whose key is right."""
    digits = normalise(text)
    return (
        _RIB.fullmatch(digits) is not None and 1 <= int(digits[22:]) <= 97 and int(digits) % 97 == 0
    )


def key_of(first_22_digits: str) -> str:
    """The two-digit key that completes a RIB."""
    assert re.fullmatch(r"[0-9]{22}", first_22_digits)
    return f"{97 - int(first_22_digits + '00') % 97:02d}"


def is_valid_ice(text: str) -> bool:
    """True for the 15 digits of a company identifier whose control number is right."""
    digits = normalise(text)
    return _ICE.fullmatch(digits) is not None and int(digits) % 97 == 0


def masked(rib: str) -> str:
    """Bank code and last four digits, for people to recognise: never enough to pay to."""
    return f"{rib[:3]}…{rib[-4:]}"
