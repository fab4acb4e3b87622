"""The four languages, which one a reader gets, and which text stands in for a missing one."""

from collections.abc import Mapping
from enum import StrEnum


class Language(StrEnum):
    AR = "ar"
    FR = "fr"
    EN = "en"
    ZGH = "zgh"


FALLBACK = (Language.FR, Language.EN)


def preferred(accept_language: str | None) -> Language:
    """The first language of an Accept-Language header that we speak, by weight; else French."""
    weighted = []
    for position, part in enumerate((accept_language or "").split(",")[:16]):
        tag, _, parameters = part.strip().partition(";")
        weighted.append((-_weight(parameters), position, tag.split("-")[0].lower()))
    spoken = {language.value: language for language in Language}
    for weight, _, tag in sorted(weighted):
        if weight < 0 and tag in spoken:
            return spoken[tag]
    return Language.FR


def _weight(parameters: str) -> int:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1000
    whole, _, thousandths = value.partition(".")
    digits = (whole + thousandths.ljust(3, "0"))[:4]
    return min(int(digits), 1000) if digits.isascii() and digits.isdigit() else 0


def text_in(texts: Mapping[str, str], language: str) -> tuple[str, str]:
    """(text, its language): the one asked for, then French, English, then whatever there is."""
    for choice in (language, *FALLBACK):
        if texts.get(choice):
            return texts[choice], str(choice)
    for written_in, text in texts.items():
        if text:
            return text, written_in
    return "", str(language)
