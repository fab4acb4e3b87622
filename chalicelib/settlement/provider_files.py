"""Reading a provider's settlement file, and judging a line of it against what was settled.

The providers' real formats are not public. Until they are, a file is CSV in UTF-8 with the columns
of a profile of PROFILES; a new format is a new profile here, and nothing else changes. Amounts are
decimal texts in MAD. A byte order mark, semicolons, and with these decimal commas, are tolerated.
"""

import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from chalicelib import ids
from chalicelib.errors import Invalid, NotFound, TooLarge
from chalicelib.ledger.domain import CURRENCY, Entry, posting
from chalicelib.money import Money, from_decimal_text
from chalicelib.settlement.domain import SettledPayment

MAX_LINES = 500
FIELDS = (
    "reference",  # our own payment id
    "provider_reference",  # the provider's id of the money movement
    "gross",  # what the buyer paid
    "fee",  # what the provider keeps
    "net",  # what reaches our bank account: gross less fee
    "currency",
    "settled_at",  # RFC 3339, or a date alone (UTC)
    "type",  # `payment`; other kinds of lines are reported as unreadable
)
PROFILES: dict[str, Mapping[str, str]] = {
    # Our field -> the file's column, compared without regard to case and blanks.
    "standard": {name: name for name in FIELDS},
}
_PAYMENT_ID = re.compile(r"pay_[a-z2-7]{24}[0-9]{2}")
_PROVIDER_REFERENCE = re.compile(r"[!-~]{1,64}")


class FileTooLong(TooLarge):
    """A settlement file has at most 500 lines; send the rest as another file."""

    code = "file_too_long"


class FileUnreadable(Invalid):
    """The file is not CSV in UTF-8 with the columns of its profile."""

    code = "file_unreadable"


class UnknownReconciliation(NotFound):
    """There is no reconciliation of this id."""

    code = "unknown_reconciliation"


class LineResult(StrEnum):
    MATCHED = "matched"
    AMOUNT_DIFF = "amount_diff"
    MISSING_IN_LEDGER = "missing_in_ledger"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ProviderFile:
    """A settlement file; its id follows from its content."""

    file_id: str
    provider: str
    profile: str
    sha256: str
    line_count: int


@dataclass(frozen=True, slots=True)
class FileLine:
    """A line that could be read. `line_id` says where it stands: file and number."""

    line_id: str
    number: int
    provider: str
    reference: str
    provider_reference: str
    gross: Money
    fee: Money
    net: Money
    settled_at: datetime

    @property
    def line_key(self) -> str:
        """The same for the same movement of money, in whichever file it is reported."""
        return ids.derived_id("stl", self.provider, self.provider_reference, self.reference)


@dataclass(frozen=True, slots=True)
class Judged:
    """A line with its result; `line` is None when it could not be read."""

    number: int
    result: LineResult
    reason: str | None = None
    line: FileLine | None = None


def line_id_of(file_id: str, number: int) -> str:
    return f"{file_id}#{number}"


def split_line_id(line_id: str) -> tuple[str, int]:
    file_id, _, number = line_id.rpartition("#")
    return file_id, int(number)


def file_id_of(line: FileLine) -> str:
    return split_line_id(line.line_id)[0]


def read_file(
    content: bytes, provider: str, profile: str
) -> tuple[ProviderFile, list[FileLine | Judged]]:
    """The file and its lines; a line that cannot be read is judged already and keeps no other back.

    Raises:
        FileUnreadable: nothing of it can be read. FileTooLong.
    """
    rows = _rows(content)
    columns = _columns(rows[0], PROFILES[profile])
    body = [(number, row) for number, row in enumerate(rows[1:], start=1) if any(row)]
    if len(body) > MAX_LINES:
        raise FileTooLong(f"send at most {MAX_LINES} lines in one file")
    sha256 = hashlib.sha256(content).hexdigest()
    file_id = ids.derived_id("rec", provider, profile, sha256)
    found = [_line(file_id, number, row, columns, provider) for number, row in body]
    return ProviderFile(file_id, provider, profile, sha256, len(body)), found


def _rows(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable("send CSV in UTF-8") from error
    lines = text.splitlines()
    if not lines or not lines[0].strip():
        raise FileUnreadable("send a first line that names the columns")
    delimiter = ";" if lines[0].count(";") > lines[0].count(",") else ","
    return [_cells(line, delimiter) for line in lines]


def _cells(line: str, delimiter: str) -> list[str]:
    # Line by line, so that an unclosed quote spoils its own line only.
    try:
        row = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]
    cells = [cell.strip() for cell in row]
    return [cell.replace(",", ".") for cell in cells] if delimiter == ";" else cells


def _columns(header: Sequence[str], profile: Mapping[str, str]) -> dict[str, int]:
    named = {name.strip().lower(): position for position, name in enumerate(header)}
    missing = [column for column in profile.values() if column not in named]
    if missing:
        raise FileUnreadable(f"the first line lacks the columns {', '.join(missing)}")
    return {name: named[column] for name, column in profile.items()}


def _line(
    file_id: str, number: int, row: Sequence[str], columns: Mapping[str, int], provider: str
) -> FileLine | Judged:
    if max(columns.values()) >= len(row):
        return Judged(number, LineResult.UNREADABLE, "columns are missing")
    cell = {name: row[position] for name, position in columns.items()}
    amounts = [from_decimal_text(cell[name]) for name in ("gross", "fee", "net")]
    settled_at = _moment(cell["settled_at"])
    problem = _problem_of(cell, amounts, settled_at)
    gross, fee, net = amounts
    if problem or gross is None or fee is None or net is None or settled_at is None:
        return Judged(number, LineResult.UNREADABLE, problem)
    return FileLine(
        line_id=line_id_of(file_id, number),
        number=number,
        provider=provider,
        reference=cell["reference"],
        provider_reference=cell["provider_reference"],
        gross=gross,
        fee=fee,
        net=net,
        settled_at=settled_at,
    )


def _problem_of(
    cell: Mapping[str, str], amounts: Sequence[Money | None], settled_at: datetime | None
) -> str | None:
    gross, fee, net = amounts
    checks = (
        (cell["type"].lower() == "payment", "type is not payment"),
        (_PAYMENT_ID.fullmatch(cell["reference"]), "reference is not a payment id"),
        (_PROVIDER_REFERENCE.fullmatch(cell["provider_reference"]), "provider_reference is wrong"),
        (cell["currency"].upper() == CURRENCY, f"currency is not {CURRENCY}"),
        (gross and gross.amount_minor > 0, "gross is not an amount above zero"),
        (fee, "fee is not an amount"),
        (net, "net is not an amount"),
        (settled_at, "settled_at is not a time"),
        (gross and fee and net and gross == net + fee, "gross is not net plus fee"),
    )
    return next((problem for holds, problem in checks if not holds), None)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def judge(line: FileLine, payment: SettledPayment | None) -> Judged:
    """What a line says against what was settled; decides, and changes nothing."""

    def judged(result: LineResult, reason: str | None = None) -> Judged:
        return Judged(line.number, result, reason, line)

    if payment is None or payment.captured is None:
        return judged(LineResult.MISSING_IN_LEDGER, "no such payment has been settled")
    if payment.provider != line.provider:
        return judged(LineResult.AMOUNT_DIFF, "the payment is another provider's")
    if payment.confirmed_by not in (None, line.line_id):
        return judged(LineResult.DUPLICATE, "the payment was confirmed by another line")
    if payment.captured != line.gross:
        expected = payment.captured.decimal_text()
        return judged(LineResult.AMOUNT_DIFF, f"captured were {expected}")
    return judged(LineResult.MATCHED)


def settlement_entry(line: FileLine, payment: SettledPayment, at: datetime) -> Entry:
    """The provider has paid: the net is in the bank, the fee is what it is and not what we thought.

    The fee comes from the file; what it differs from our estimate by has an account of its own.
    """
    assert payment.fee_estimate is not None
    clearing, accrued = f"psp_clearing:{line.provider}", f"psp_fee_accrued:{line.provider}"
    estimate, fee = payment.fee_estimate.amount_minor, line.fee.amount_minor
    postings = [
        *posting("bank:main", clearing, line.net.amount_minor),
        *posting(accrued, clearing, min(estimate, fee)),
        *posting("psp_fee_variance", clearing, max(0, fee - estimate)),
        *posting(accrued, "psp_fee_variance", max(0, estimate - fee)),
    ]
    return Entry(
        entry_id=f"stl:{line.line_key}",
        reason="settlement",
        postings=tuple(postings),
        at=at,
        refs={"payment_id": payment.payment_id, "provider_reference": line.provider_reference},
    )
