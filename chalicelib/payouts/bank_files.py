"""A bank's report as lines, and what a line says of our payouts; pure.

A payout is known by our own id in the bank's alphabet, a file or a block of it by theirs. Of what a
bank writes, codes, ids and amounts are kept; words only of a credit that is for reconciliation.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from chalicelib import ids, iso20022
from chalicelib.errors import NotFound, TooLarge
from chalicelib.iso20022 import Camt, CamtEntry, Pain002, PaymentStatus
from chalicelib.money import Money
from chalicelib.payouts.domain import Outcome

MAX_LINES = 5_000
STATUSES = {"ACSC": Outcome.PAID, "ACCC": Outcome.PAID, "RJCT": Outcome.FAILED}
"""All others (ACTC, ACCP, ACSP, PDNG, …) say that a payment is on its way: nothing moves."""
_PAYOUT = re.compile(r"pot-[a-z2-7]{24}")
_BATCH = re.compile(r"(pbt-[a-z2-7]{24})(?:-([1-9][0-9]{0,4}))?")


class BankFileTooLong(TooLarge):
    """A bank's file has at most 5,000 lines; send the rest as another file."""

    code = "bank_file_too_long"


class UnknownBankFile(NotFound):
    """There is no bank file of this id."""

    code = "unknown_bank_file"


class LineResult(StrEnum):
    WAITING = "waiting"  # it is not dealt with yet, or its payout has not been sent out
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    LATE = "late"  # a later report was faster
    NOTED = "noted"  # on its way; nothing moves
    UNMATCHED = "unmatched"  # parked as a break; nothing was posted
    CREDIT = "credit"  # no return: handed to reconciliation


@dataclass(frozen=True, slots=True)
class BankFile:
    """A bank's report; its id follows from its content. `kind` is pain.002 or camt."""

    file_id: str
    kind: str
    sha256: str
    line_count: int


@dataclass(frozen=True, slots=True)
class BankLine:
    """`outcome`: what it says of payouts; None where nothing moves by it. What it is about are
    `payout_id`, or the `batch_id` or block of a whole file. `told` is what a credit was."""

    number: int
    key: str  # the same for the same movement, in whichever file it is reported
    outcome: Outcome | None
    amount: Money | None
    payout_id: str | None = None
    batch_id: str | None = None
    block: int | None = None
    reason: str | None = None
    credit: CamtEntry | None = None
    statement_id: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A line with its result so far; `after`: the payout that one of a whole file has come to."""

    line: BankLine
    result: LineResult = LineResult.WAITING
    detail: str | None = None
    after: str | None = None


def read(content: bytes) -> tuple[BankFile, list[BankLine]]:
    """
    Raises:
        iso20022.Unreadable. BankFileTooLong.
    """
    found = iso20022.read(content)
    sha256 = hashlib.sha256(content).hexdigest()
    is_status = isinstance(found, Pain002)
    lines = list(_status_lines(found) if isinstance(found, Pain002) else _entry_lines(found))
    if len(lines) > MAX_LINES:
        raise BankFileTooLong(f"send at most {MAX_LINES} lines in one file")
    file_id = ids.derived_id("bnk", sha256)
    return BankFile(file_id, "pain.002" if is_status else "camt", sha256, len(lines)), lines


def _status_lines(report: Pain002) -> Iterator[BankLine]:
    for number, status in enumerate(report.statuses, 1):
        payout_id = payout_id_in(status.end_to_end_id)
        whole = status.end_to_end_id is None
        batch_id, block = batch_in(status.block_id, status.message_id) if whole else (None, None)
        yield BankLine(
            number=number,
            key=_status_key(status),
            outcome=STATUSES.get(status.status),
            amount=status.amount,
            payout_id=payout_id,
            batch_id=batch_id,
            block=block,
            reason=status.reason or status.status,
        )


def _status_key(said: PaymentStatus) -> str:
    amount = "" if said.amount is None else str(said.amount.amount_minor)
    parts = (said.end_to_end_id, said.message_id, said.block_id, said.status, amount)
    return ids.fingerprint(*(part or "" for part in parts))


def _entry_lines(report: Camt) -> Iterator[BankLine]:
    number = 0
    for statement in report.statements:
        for entry in statement.entries:
            number += 1
            yield _entry_line(number, statement.statement_id, entry)


def _entry_line(number: int, statement_id: str, entry: CamtEntry) -> BankLine:
    payout_id = payout_id_in(entry.end_to_end_id) or payout_id_in(entry.reference)
    batch_id, block = batch_in(entry.block_id, entry.message_id)
    told = (entry.entry_id, str(entry.amount.amount_minor), "C" if entry.is_credit else "D")
    if entry.is_credit and not entry.is_return and payout_id is None:
        return BankLine(
            number, ids.fingerprint(*told), None, entry.amount,
            credit=entry, statement_id=statement_id,
        )  # fmt: skip
    whole = payout_id is None and not entry.is_credit
    return BankLine(
        number=number,
        key=ids.fingerprint(*told),
        outcome=Outcome.RETURNED if entry.is_credit else Outcome.PAID,
        amount=entry.amount,
        payout_id=payout_id,
        batch_id=batch_id if whole else None,
        block=block if whole else None,
        reason=entry.reason,
    )


def payout_id_in(text: str | None) -> str | None:
    """Our payout id as a bank gives it back, in any case."""
    matched = _PAYOUT.fullmatch((text or "").lower())
    return matched[0].replace("-", "_", 1) if matched else None


def batch_in(*texts: str | None) -> tuple[str | None, int | None]:
    """(our batch id, the number of a block of its file) as the first of these texts names them."""
    for text in texts:
        matched = _BATCH.fullmatch((text or "").lower())
        if matched:
            batch_id, block = matched.groups()
            return batch_id.replace("-", "_", 1), int(block) if block else None
    return None, None


def as_json(line: BankLine) -> dict[str, Any]:
    """A line as it is kept; a credit is kept apart, since a bank's words may name somebody."""
    kept = asdict(replace(line, credit=None))
    return {name: value for name, value in kept.items() if value is not None}


def from_json(kept: Mapping[str, Any], credit: CamtEntry | None) -> BankLine:
    values = dict(kept)
    if "amount" in values:
        values["amount"] = _money(values["amount"])
    outcome = Outcome(values["outcome"]) if "outcome" in values else None
    return BankLine(**{"amount": None} | values | {"outcome": outcome, "credit": credit})


def credit_as_text(credit: CamtEntry) -> str:
    return json.dumps(asdict(credit) | {"booked_on": credit.booked_on.isoformat()})


def credit_from_text(text: str) -> CamtEntry:
    kept = json.loads(text)
    booked_on = date.fromisoformat(kept["booked_on"])
    return CamtEntry(**kept | {"amount": _money(kept["amount"]), "booked_on": booked_on})


def _money(kept: Mapping[str, Any]) -> Money:
    return Money(int(kept["amount_minor"]), str(kept["currency"]))
