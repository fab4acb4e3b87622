"""Reading what a bank reports: pain.002 (of payments), camt.053 and camt.054 (of an account).

Elements are found by their local names, so that every version of a report is read that keeps them.
A document with a DOCTYPE is refused: without one no entity can be declared, and none expands.
Nothing of a report is guessed: what has no exact amount or no date is unreadable as a whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element, ParseError, fromstring

from chalicelib.errors import Invalid
from chalicelib.money import Money

MAX_BYTES = 4 * 1024 * 1024
MAX_TEXT = 140
_ENCODING = re.compile(r"""<\?xml[^>]{0,60}encoding=["'](?:iso-8859-1|windows-1252)["']""", re.I)
_AMOUNT = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,2})0{0,3})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_CODE = re.compile(r"[A-Za-z0-9]{1,35}")
_UNWRITABLE = re.compile(r"[^ -~\u00a0-\ud7ff\ue000-\ufffd]")


class Unreadable(Invalid):
    """The file is no pain.002, camt.053 or camt.054 that can be read exactly."""

    code = "bank_file_unreadable"


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """What the bank says of one payment, or (no `end_to_end_id`) of a whole file or block of it."""

    status: str
    end_to_end_id: str | None = None
    message_id: str | None = None
    block_id: str | None = None
    amount: Money | None = None
    reason: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Pain002:
    message_id: str
    statuses: tuple[PaymentStatus, ...]


@dataclass(frozen=True, slots=True)
class CamtEntry:
    """A booked movement of an account, or one part of it that has details of its own.

    `entry_id` is the bank's reference where it gives one: a camt.054 and the camt.053 after it then
    name the same movement alike. `message_id` and `block_id` are those of our own file.
    """

    entry_id: str
    amount: Money
    is_credit: bool
    booked_on: date
    end_to_end_id: str | None
    reference: str | None
    info: str
    is_return: bool
    reason: str | None
    message_id: str | None = None
    block_id: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    statement_id: str
    entries: tuple[CamtEntry, ...]


@dataclass(frozen=True, slots=True)
class Camt:
    message_id: str
    statements: tuple[Statement, ...]

    @property
    def entries(self) -> tuple[CamtEntry, ...]:
        return tuple(entry for one in self.statements for entry in one.entries)


def read(content: bytes) -> Pain002 | Camt:
    """
    Raises:
        Unreadable: whatever else these bytes are.
    """
    root = _parsed(content)
    report = next(iter(root), None)
    if report is None:
        raise Unreadable("the document is empty")
    if report.tag == "CstmrPmtStsRpt":
        return Pain002(_needed(report, "GrpHdr", "MsgId"), tuple(_statuses(report)))
    parts = {"BkToCstmrStmt": "Stmt", "BkToCstmrDbtCdtNtfctn": "Ntfctn"}
    if report.tag not in parts:
        raise Unreadable("send a pain.002, camt.053 or camt.054")
    message_id = _needed(report, "GrpHdr", "MsgId")
    statements = tuple(_statement(each) for each in report.findall(parts[report.tag]))
    return Camt(message_id, statements)


def _parsed(content: bytes) -> Element:
    if len(content) > MAX_BYTES:
        raise Unreadable("send at most 4 MB in one file")
    text = _decoded(content)
    if "<!DOCTYPE" in text:
        raise Unreadable("a document with a DOCTYPE is not read")
    try:
        root = fromstring(text)
    except (ParseError, ValueError, LookupError) as error:
        raise Unreadable("send well-formed XML") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag != "Document":
        raise Unreadable("send the whole document, from its Document element on")
    return root


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if _ENCODING.match(content[:120].decode("latin-1")):
            return content.decode("latin-1")
        raise Unreadable("send XML in UTF-8") from error


def _statuses(report: Element) -> Iterator[PaymentStatus]:
    group = _at(report, "OrgnlGrpInfAndSts")
    message_id = _text(group, "OrgnlMsgId")
    singles = [
        _single(each, message_id, _text(block, "OrgnlPmtInfId"))
        for block in report.findall("OrgnlPmtInfAndSts")
        for each in block.findall("TxInfAndSts")
    ]
    yield from singles
    if singles:  # A status of the whole then only sums up what is said of each.
        return
    blocks = report.findall("OrgnlPmtInfAndSts")
    for block in blocks:
        if status := _text(block, "PmtInfSts"):
            block_id = _text(block, "OrgnlPmtInfId")
            yield PaymentStatus(status, None, message_id, block_id, None, _reason(block))
    if not blocks and (status := _text(group, "GrpSts")):
        yield PaymentStatus(status, None, message_id, None, None, _reason(group))


def _single(found: Element, message_id: str | None, block_id: str | None) -> PaymentStatus:
    original = _at(found, "OrgnlTxRef", "Amt", "InstdAmt")
    return PaymentStatus(
        status=_needed(found, "TxSts"),
        end_to_end_id=_text(found, "OrgnlEndToEndId") or _text(found, "OrgnlInstrId"),
        message_id=message_id,
        block_id=block_id,
        amount=None if original is None else _money(original),
        reason=_reason(found),
        reference=_text(found, "AcctSvcrRef"),
    )


def _statement(found: Element) -> Statement:
    statement_id = _needed(found, "Id")
    entries: list[CamtEntry] = []
    for number, entry in enumerate(found.findall("Ntry"), 1):
        status = _text(entry, "Sts", "Cd") or _text(entry, "Sts")
        if status in (None, "BOOK"):  # what is only announced has moved nothing
            entries += _parts(entry, f"{statement_id}#{number}")
    return Statement(statement_id, tuple(entries))


def _parts(entry: Element, place: str) -> list[CamtEntry]:
    """An entry by its details; as one where they do not say how its amount divides."""
    whole = _money(_at(entry, "Amt"))
    entry_id = _text(entry, "AcctSvcrRef") or place
    details = entry.findall("NtryDtls/TxDtls")
    amounts = [_amount_of(each) for each in details]
    if len(details) == 1:
        return [_entry(entry, entry_id, details[0], whole)]
    known = [amount for amount in amounts if amount is not None]
    adds_up = len(known) == len(details) and whole.amount_minor == sum(
        amount.amount_minor for amount in known if amount.currency == whole.currency
    )
    if not details or not adds_up:
        return [_entry(entry, entry_id, None, whole)]
    return [
        _entry(entry, f"{entry_id}#{number}", detail, amount)
        for number, (detail, amount) in enumerate(zip(details, known, strict=True), 1)
    ]


def _entry(entry: Element, entry_id: str, detail: Element | None, amount: Money) -> CamtEntry:
    batch = _at(entry, "NtryDtls", "Btch")
    refs = _at(detail, "Refs")
    sign = _needed(entry, "CdtDbtInd")
    if sign not in ("CRDT", "DBIT"):
        raise Unreadable("an entry is neither CRDT nor DBIT")
    returned = _at(detail, "RtrInf")
    is_reversal = _text(entry, "RvslInd") in ("true", "1")
    return CamtEntry(
        entry_id=entry_id,
        amount=amount,
        is_credit=sign == "CRDT",
        booked_on=_day(entry),
        end_to_end_id=_text(refs, "EndToEndId") or _text(refs, "InstrId"),
        reference=_text(refs, "AcctSvcrRef") or _text(entry, "NtryRef"),
        info=_info(entry, detail),
        is_return=returned is not None or is_reversal,
        reason=_code(returned),
        message_id=_text(refs, "MsgId") or _text(batch, "MsgId"),
        block_id=_text(refs, "PmtInfId") or _text(batch, "PmtInfId"),
    )


def _amount_of(detail: Element) -> Money | None:
    for path in (("Amt",), ("AmtDtls", "TxAmt", "Amt"), ("AmtDtls", "InstdAmt", "Amt")):
        found = _at(detail, *path)
        if found is not None:
            return _money(found)
    return None


def _money(found: Element | None) -> Money:
    text = "" if found is None else (found.text or "").strip()
    matched = _AMOUNT.fullmatch(text)
    currency = "" if found is None else found.get("Ccy", "")
    if matched is None or not _CURRENCY.fullmatch(currency):
        raise Unreadable("an amount is not whole centimes with a currency")
    whole, cents = matched.groups()
    return Money(int(whole) * 100 + int((cents or "0").ljust(2, "0")), currency)


def _day(entry: Element) -> date:
    for kind in ("BookgDt", "ValDt"):
        text = _text(entry, kind, "Dt") or _text(entry, kind, "DtTm")
        if text:
            try:
                return date.fromisoformat(text[:10])
            except ValueError as error:
                raise Unreadable("an entry's date cannot be read") from error
    raise Unreadable("an entry has no date")


def _info(entry: Element, detail: Element | None) -> str:
    told = [] if detail is None else detail.findall("RmtInf/Ustrd")
    texts = [_clean(each) for each in told]
    texts += [_text(detail, "AddtlTxInf") or "", _text(entry, "AddtlNtryInf") or ""]
    return " ".join(text for text in texts if text)[: MAX_TEXT * 4]


def _reason(found: Element | None) -> str | None:
    return _code(_at(found, "StsRsnInf"))


def _code(found: Element | None) -> str | None:
    """A code, such as AC04. What a bank writes in words may name somebody and is not kept."""
    code = _text(found, "Rsn", "Cd") or _text(found, "Rsn", "Prtry")
    return code if code and _CODE.fullmatch(code) else None


def _at(found: Element | None, *path: str) -> Element | None:
    for name in path:
        found = None if found is None else found.find(name)
    return found


def _text(found: Element | None, *path: str) -> str | None:
    last = _at(found, *path)
    return None if last is None else _clean(last) or None


def _clean(found: Element) -> str:
    return _UNWRITABLE.sub(" ", found.text or "").strip()[:MAX_TEXT]


def _needed(found: Element, *path: str) -> str:
    text = _text(found, *path)
    if text is None:
        raise Unreadable(f"{'/'.join(path)} is missing")
    return text
