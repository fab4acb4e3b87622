"""Which remittance of a provider a credit on the bank statement is; pure.

Keys in order: the batch that the credit names, with the amount; the provider it names, with what
that sent on one day; the amount and the day alone, which is flagged as of low confidence.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chalicelib import ids
from chalicelib.money import Money
from chalicelib.settlement.provider_files import Judged, LineResult

SHOWN_WITHIN = timedelta(days=3)
MAX_WORDS = 20
_WORD = re.compile(r"[A-Z0-9][A-Z0-9_./-]{2,63}")
_DIGIT = re.compile(r"[0-9]")
_PRIVATE = re.compile(r"[0-9]{9}")  # of an account or a telephone
_NAMES = {
    # How a provider may be called on a statement.
    "CMI": "cmi",
    "MASTERCARD": "mastercard",
    "MPGS": "mastercard",
    "PAYZONE": "payzone",
    "WALLET": "wallet",
    "M2T": "wallet",
}


class Confidence(StrEnum):
    REFERENCE = "reference"
    DAY_SUM = "day_sum"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Remittance:
    """What a file says that reaches the bank at once: a batch, or a day without one."""

    remittance_id: str
    file_id: str
    provider: str
    batch: str | None
    day: date
    net: Money
    is_missed: bool = False


@dataclass(frozen=True, slots=True)
class Credit:
    """Money that came to our account. `words`: what it names that has a digit in it, in capitals;
    names of people are not kept."""

    credit_id: str
    statement_id: str
    amount: Money
    booked_on: date
    words: frozenset[str]
    provider: str | None


@dataclass(frozen=True, slots=True)
class Match:
    confidence: Confidence
    remittances: tuple[Remittance, ...]


def credit_of(
    statement_id: str, entry_id: str, amount: Money, booked_on: date, texts: Iterable[str | None]
) -> Credit:
    """The same movement has the same id in whichever report the bank tells it."""
    words = [word for text in texts if text for word in _WORD.findall(text.upper())]
    named = [_NAMES[word] for word in words if word in _NAMES]
    with_digits = [word for word in words if _DIGIT.search(word) and not _PRIVATE.search(word)]
    credit_id = ids.derived_id("crd", entry_id, str(amount.amount_minor), booked_on.isoformat())
    return Credit(
        credit_id, statement_id, amount, booked_on, frozenset(with_digits[:MAX_WORDS]),
        named[0] if named else None,
    )  # fmt: skip


def match(credit: Credit, open_ones: Sequence[Remittance]) -> Match | None:
    """The remittance, or those of one day, that a credit is; None where none or several fit."""
    by_batch = [one for one in open_ones if one.batch and one.batch.upper() in credit.words]
    whole = [one for one in by_batch if one.net == credit.amount]
    if whole:
        return Match(Confidence.REFERENCE, (whole[0],))
    if by_batch and Money(sum(one.net.amount_minor for one in by_batch)) == credit.amount:
        return Match(Confidence.REFERENCE, tuple(by_batch))  # one batch, told in two files
    near = [one for one in open_ones if timedelta(0) <= credit.booked_on - one.day <= SHOWN_WITHIN]
    days: dict[tuple[str, date], list[Remittance]] = defaultdict(list)
    for one in near:
        if one.provider == credit.provider:
            days[one.provider, one.day].append(one)
    sums = [
        group
        for group in days.values()
        if sum(one.net.amount_minor for one in group) == credit.amount.amount_minor
    ]
    if len(sums) == 1:
        return Match(Confidence.DAY_SUM, tuple(sums[0]))
    alike = [one for one in near if one.net == credit.amount]
    return Match(Confidence.LOW, (alike[0],)) if len(alike) == 1 else None


def remittances_of(
    file_id: str, provider: str, lines: Iterable[Judged], told_before: str
) -> list[Remittance]:
    """What a file says that reaches the bank, by batch or day. All that could be read counts,
    matched or not: it is what the provider pays. What another file told before does not."""
    sums: dict[str, int] = defaultdict(int)
    days: dict[str, date] = {}
    batches: dict[str, str | None] = {}
    for judged in lines:
        line = judged.line
        if line is None:
            continue
        if judged.result is LineResult.DUPLICATE and judged.reason == told_before:
            continue
        day = line.settled_at.date()
        key = line.batch or day.isoformat()
        sums[key] += line.net.amount_minor
        days[key] = max(day, days.get(key, day))
        batches[key] = line.batch
    return [
        Remittance(
            ids.derived_id("rem", file_id, key), file_id, provider, batches[key], days[key],
            Money(minor),
        )
        for key, minor in sums.items()
        if minor > 0
    ]  # fmt: skip
