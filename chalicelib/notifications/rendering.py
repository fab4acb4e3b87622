"""Filling a template: numbers, amounts, times and ids as each language writes them."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Formatter
from zoneinfo import ZoneInfo

from chalicelib import clock
from chalicelib.locales import Language, text_in
from chalicelib.notice import Params
from chalicelib.notifications.templates import TEMPLATES

NO_BREAK_SPACE = "\u00a0"
ISOLATE, END_ISOLATE = "\u2068", "\u2069"
MAX_CHARACTERS = {"ar": 140, "fr": 160, "en": 160}
"""One SMS in Latin letters, two in Arabic ones."""

GOODS_CHARACTERS = {"ar": 28, "fr": 40, "en": 40}
LONGEST = {"carrier": 20, "tracking": 30, "voucher_code": 16}
MONTHS = {
    "ar": (
        "يناير", "فبراير", "مارس", "أبريل", "ماي", "يونيو",
        "يوليوز", "غشت", "شتنبر", "أكتوبر", "نونبر", "دجنبر",
    ),
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    language: str
    subject: str
    text: str


def render(kind: str, params: Params, asked_language: str) -> Words:
    """A notice in words: in the language asked for, or in the one that stands in for it.

    A sentence about something that this notice does not have is left out.
    """
    in_languages = TEMPLATES[kind]
    subjects: dict[str, str] = {each: subject for each, (subject, *_) in in_languages.items()}
    subject, language = text_in(subjects, asked_language)
    _, *sentences = in_languages[Language(language)]
    shown = {name: _shown(name, value, language) for name, value in params.items()}
    kept = (each for each in sentences if placeholders(each) <= shown.keys())
    return Words(language, subject, " ".join(each.format_map(shown) for each in kept))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def _shown(name: str, value: str | int, language: str) -> str:
    if name == "amount_minor":
        return _amount(int(value), language)
    if name == "until":
        return _moment(str(value), language)
    if isinstance(value, int):
        return _isolated(str(value), language)
    length = GOODS_CHARACTERS[language] if name == "goods" else LONGEST.get(name)
    return _isolated(_cut(_plain(value), length), language)


def _amount(amount_minor: int, language: str) -> str:
    """128500 centimes as 1 285,00 MAD, MAD 1,285.00 or 1.285,00 dirhams, each in its letters."""
    thousands, point = {"fr": (NO_BREAK_SPACE, ","), "ar": (".", ",")}.get(language, (",", "."))
    whole = f"{amount_minor // 100:,}".replace(",", thousands)
    number = _isolated(f"{whole}{point}{amount_minor % 100:02d}", language)
    if language == "ar":
        return f"{number}{NO_BREAK_SPACE}درهم"
    return f"{number}{NO_BREAK_SPACE}MAD" if language == "fr" else f"MAD{NO_BREAK_SPACE}{number}"


def _moment(text: str, language: str) -> str:
    """A time as clocks in Morocco show it, to readers who may be elsewhere."""
    local = clock.from_text(text).astimezone(_morocco())
    day = _isolated(str(local.day), language)
    month = MONTHS[language][local.month - 1]
    time = _isolated(f"{local.hour:02d}:{local.minute:02d}", language)
    if language == "ar":
        return f"{day} {month} {time} بتوقيت المغرب"
    if language == "fr":
        return f"{'1er' if local.day == 1 else day} {month} à {time} (heure du Maroc)"
    return f"{day} {month} at {time} (Morocco time)"


@cache
def _morocco() -> ZoneInfo:
    # From the pinned package, not from the system, whose copy is as old as the runtime: Morocco
    # sets its clocks by decree. Copies from before 2026 know nothing of its return to UTC for good
    # on 20 September 2026, and are an hour wrong since.
    with resources.files("tzdata.zoneinfo.Africa").joinpath("Casablanca").open("rb") as data:
        return ZoneInfo.from_file(data, key="Africa/Casablanca")


def _isolated(text: str, language: str) -> str:
    """Kept apart from the direction around it: in Arabic, and where it is itself Arabic."""
    if language == "ar" or any(unicodedata.bidirectional(each) in ("R", "AL") for each in text):
        return f"{ISOLATE}{text}{END_ISOLATE}"
    return text


def _plain(text: str) -> str:
    """On one line, and without what would turn the text around it."""
    visible = (" " if unicodedata.category(each) == "Cc" else each for each in text)
    kept = (
        each for each in visible if unicodedata.category(each) != "Cf" or each in "\u200c\u200d"
    )
    return " ".join("".join(kept).split())


def _cut(text: str, length: int | None) -> str:
    if length is None or len(text) <= length:
        return text
    return text[: length - 1].rstrip(" \u200c\u200d") + "…"
