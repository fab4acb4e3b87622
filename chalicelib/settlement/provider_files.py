"""Reading a provider's settlement file, and judging a line of it against what was settled.

A file is CSV in UTF-8 with the columns of a profile; see `profiles`. Amounts are decimal texts in
MAD. A byte order mark, semicolons, and with these decimal commas, are tolerated.
"""

import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib import ids
from chalicelib.errors import Invalid, NotFound, TooLarge
from chalicelib.ledger.domain import CURRENCY, Entry, posting
from chalicelib.money import Money, from_decimal_text
from chalicelib.settlement.domain import SettledPayment
from chalicelib.settlement.profiles import BATCH, FEE_VAT, PROFILES, LineType, Profile

LINES_AT_ONCE = 500
"""So many are judged within the request; a longer file is worked on afterwards."""
MAX_LINES = 20_000
_PAYMENT_ID = re.compile(r"pay_[a-z2-7]{24}[0-9]{2}")
ZERO = Money(0)
_PROVIDER_REFERENCE = re.compile(r"[!-~]{1,64}")


class FileTooLong(TooLarge):
    """A settlement file has at most 20,000 lines; send the rest as another file."""

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
    STATUS_DIFF = "status_diff"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ProviderFile:
    """A settlement file; its id follows from its content."""

    file_id: str
    provider: str
    profile: str
    sha256: str
    line_count: int
    taken_count: int = 0  # of a long one: lines that were taken, in order

    @property
    def is_long(self) -> bool:
        """Its lines are worked on after the request."""
        return self.line_count > LINES_AT_ONCE


@dataclass(frozen=True, slots=True)
class FileLine:
    """A line that could be read. `line_id` says where it stands: file and number.

    Signs are the provider's: `gross` and `net` are below zero where money leaves us. `fee` is all
    that it keeps, the VAT on it (`fee_vat`) included. `batch`: the remittance it is part of.
    """

    line_id: str
    number: int
    provider: str
    reference: str
    provider_reference: str
    gross: Money
    fee: Money
    net: Money
    settled_at: datetime
    type: LineType = LineType.PAYMENT
    fee_vat: Money = ZERO
    batch: str | None = None

    @property
    def line_key(self) -> str:
        """The same for the same movement of money, in whichever file it is reported."""
        named = (self.provider, self.provider_reference, self.reference)
        kind = () if self.type is LineType.PAYMENT else (self.type.value,)
        return ids.derived_id("stl", *named, *kind)


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
    found = file_of(content, provider, profile)
    return found, lines_of(content, found, 1, MAX_LINES)


def file_of(content: bytes, provider: str, profile: str) -> ProviderFile:
    """
    Raises:
        FileUnreadable, FileTooLong: as `read_file`.
    """
    head, *texts = _texts(content)
    _columns(_cells(head, _delimiter_of(head)), PROFILES[profile])
    line_count = sum(1 for text in texts if text.strip())
    if line_count > MAX_LINES:
        raise FileTooLong(f"send at most {MAX_LINES} lines in one file")
    sha256 = hashlib.sha256(content).hexdigest()
    file_id = ids.derived_id("rec", provider, profile, sha256)
    return ProviderFile(file_id, provider, profile, sha256, line_count)


def lines_of(
    content: bytes, found: ProviderFile, first: int, count: int
) -> list[FileLine | Judged]:
    """Of the lines with something in them, `count` from the `first`th (1 is the first) on."""
    head, *texts = _texts(content)
    delimiter = _delimiter_of(head)
    columns = _columns(_cells(head, delimiter), PROFILES[found.profile])
    filled = [(number, text) for number, text in enumerate(texts, start=1) if text.strip()]
    return [
        _line(found, number, _cells(text, delimiter), columns)
        for number, text in filled[first - 1 : first - 1 + count]
    ]


def _texts(content: bytes) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable("send CSV in UTF-8") from error
    lines = text.splitlines()
    if not lines or not lines[0].strip():
        raise FileUnreadable("send a first line that names the columns")
    return lines


def _delimiter_of(head: str) -> str:
    return ";" if head.count(";") > head.count(",") else ","


def _cells(line: str, delimiter: str) -> list[str]:
    # Line by line, so that an unclosed quote spoils its own line only.
    try:
        row = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]
    cells = [cell.strip() for cell in row]
    return [cell.replace(",", ".") for cell in cells] if delimiter == ";" else cells


def _columns(header: Sequence[str], profile: Profile) -> dict[str, int]:
    named = {name.strip().lower(): position for position, name in enumerate(header)}
    missing = [column for column in profile.columns.values() if column not in named]
    if missing:
        raise FileUnreadable(f"the first line lacks the columns {', '.join(missing)}")
    wanted = {**profile.optional, **profile.columns}
    return {name: named[column] for name, column in wanted.items() if column in named}


def _line(
    found: ProviderFile, number: int, row: Sequence[str], columns: Mapping[str, int]
) -> FileLine | Judged:
    if max(columns.values()) >= len(row):
        return Judged(number, LineResult.UNREADABLE, "columns are missing")
    profile = PROFILES[found.profile]
    cell = {name: row[position] for name, position in columns.items()}
    kind = profile.types.get(cell["type"].lower())
    gross, fee, net = (_amount(cell[name]) for name in ("gross", "fee", "net"))
    vat = _amount(cell.get(FEE_VAT) or "0")
    kept = fee + vat if fee is not None and vat is not None else None
    settled_at = profile.moment(cell["settled_at"])
    problem = _problem_of(cell, profile, kind, (gross, kept, net), settled_at)
    if problem or gross is None or kept is None or vat is None or net is None:
        return Judged(number, LineResult.UNREADABLE, problem)
    assert kind is not None
    assert settled_at is not None
    return FileLine(
        line_id=line_id_of(found.file_id, number),
        number=number,
        provider=found.provider,
        reference=cell["reference"],
        provider_reference=cell["provider_reference"],
        gross=gross,
        fee=kept,
        net=net,
        settled_at=settled_at,
        type=kind,
        fee_vat=vat,
        batch=cell.get(BATCH) or None,
    )


def _amount(text: str) -> Money | None:
    """A decimal amount, with its sign."""
    below_zero = text.startswith("-")
    found = from_decimal_text(text.removeprefix("-"))
    return Money(-found.amount_minor) if found is not None and below_zero else found


def _problem_of(
    cell: Mapping[str, str],
    profile: Profile,
    kind: LineType | None,
    amounts: Sequence[Money | None],
    settled_at: datetime | None,
) -> str | None:
    gross, fee, net = amounts
    batch = cell.get(BATCH) or "-"
    checks = (
        (kind, f"type is not {' or '.join(profile.types)}"),
        (_is_reference(kind, cell["reference"]), "reference is not a payment id"),
        (_PROVIDER_REFERENCE.fullmatch(cell["provider_reference"]), "provider_reference is wrong"),
        (cell["currency"].upper() in profile.currencies, f"currency is not {CURRENCY}"),
        (gross and _is_signed_right(kind, gross.amount_minor), _SIGNS.get(kind, _SIGNS[None])),
        (fee and fee.amount_minor >= (kind is LineType.FEE), "fee is not an amount"),
        (net and (kind is not LineType.PAYMENT or net.amount_minor >= 0), "net is not an amount"),
        (settled_at, "settled_at is not a time"),
        (gross and fee and net and gross == net + fee, "gross is not net plus fee"),
        (_PROVIDER_REFERENCE.fullmatch(batch), "batch is wrong"),
    )
    return next((problem for holds, problem in checks if not holds), None)


def _is_reference(kind: LineType | None, text: str) -> bool:
    """A fee that is for no payment names none."""
    return bool(_PAYMENT_ID.fullmatch(text)) or (kind is LineType.FEE and not text)


_SIGNS: dict[LineType | None, str] = {
    None: "gross is not an amount above zero",
    LineType.REFUND: "gross is not an amount below zero",
    LineType.CHARGEBACK: "gross is not an amount",
    LineType.FEE: "gross is not zero",
}


def _is_signed_right(kind: LineType | None, gross_minor: int) -> bool:
    match kind:
        case LineType.REFUND:
            return gross_minor < 0
        case LineType.CHARGEBACK:
            return gross_minor != 0
        case LineType.FEE:
            return gross_minor == 0
        case _:
            return gross_minor > 0


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
