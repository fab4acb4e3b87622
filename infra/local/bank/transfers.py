"""The sandbox's bank as the one that carries payout files out: pain.001 in, reports out.

It reads with ElementTree what the platform wrote, and writes what a bank would: a pain.002 of the
order, and for each day a camt.053 of what was debited and what came back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from infra.local.bank.dialect import decimal_text
from infra.local.bank.payout_magic import RETURNED_AFTER_DAYS, Fate, fate_of

PAIN001 = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"
STATUSES = {"rejected": "RJCT", "paid": "ACSC", "accepted": "ACSP"}


@dataclass(frozen=True, slots=True)
class Transfer:
    """A line of an order; `message_id` and `block_id` are its file's and its PmtInf's."""

    message_id: str
    block_id: str
    end_to_end_id: str
    amount_minor: int
    day: date


Decide = Callable[[Transfer], Fate]


class Transfers:
    """What the bank was asked to transfer. `decide` says what becomes of each; else the amount."""

    def __init__(self, decide: Decide = lambda transfer: fate_of(transfer.amount_minor)) -> None:
        self._decide = decide
        self._orders: dict[str, list[Transfer]] = {}

    def submit(self, pain001: bytes, day: date) -> list[Transfer]:
        """Take an order; the same file again is the same order. ValueError: it is none."""
        try:
            root = ElementTree.fromstring(pain001)
            message_id = _text(root, f".//{PAIN001}GrpHdr/{PAIN001}MsgId")
            found = [
                _transfer(message_id, _text(block, f"{PAIN001}PmtInfId"), line, day)
                for block in root.iter(f"{PAIN001}PmtInf")
                for line in block.iter(f"{PAIN001}CdtTrfTxInf")
            ]
        except ElementTree.ParseError as error:
            raise ValueError("no pain.001") from error
        return self._orders.setdefault(message_id, found)

    def status_report(self, message_id: str) -> bytes:
        """The pain.002 of an order, line by line. KeyError: there is no such order."""
        blocks: dict[str, list[str]] = {}
        for one in self._orders[message_id]:
            status = STATUSES["rejected" if self._decide(one).known == "rejected" else "accepted"]
            reason = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>" if status == "RJCT" else ""
            blocks.setdefault(one.block_id, []).append(
                f"<TxInfAndSts><OrgnlInstrId>{one.end_to_end_id}</OrgnlInstrId>"
                f"<OrgnlEndToEndId>{one.end_to_end_id}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
                f'{reason}<OrgnlTxRef><Amt><InstdAmt Ccy="MAD">{decimal_text(one.amount_minor)}'
                "</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>"
            )
        told = "".join(
            f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{escape(block)}</OrgnlPmtInfId>{''.join(lines)}"
            "</OrgnlPmtInfAndSts>"
            for block, lines in blocks.items()
        )
        return _document(
            "pain.002.001.10",
            f"<CstmrPmtStsRpt><GrpHdr><MsgId>STS-{escape(message_id)[:30]}</MsgId></GrpHdr>"
            f"<OrgnlGrpInfAndSts><OrgnlMsgId>{escape(message_id)}</OrgnlMsgId>"
            f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts>{told}"
            "</CstmrPmtStsRpt>",
        )

    def statement(self, day: date, *, in_one: bool = False) -> bytes:
        """The camt.053 of a day. `in_one`: a file is debited by one entry, as many banks do."""
        sent = [one for one in self._all() if one.day == day and self._decide(one).known == "paid"]
        entries = _debits_in_one(sent) if in_one else [_debit(one) for one in sent]
        came_back = timedelta(days=RETURNED_AFTER_DAYS)
        entries += [
            _return(one, day)
            for one in self._all()
            if self._decide(one).is_returned and one.day + came_back == day
        ]
        return _document(
            "camt.053.001.08",
            f"<BkToCstmrStmt><GrpHdr><MsgId>CAMT-{day}</MsgId></GrpHdr><Stmt><Id>ST-{day}</Id>"
            f"{''.join(entries)}</Stmt></BkToCstmrStmt>",
        )

    def _all(self) -> list[Transfer]:
        return [one for order in self._orders.values() for one in order]


def _transfer(
    message_id: str, block_id: str, line: "ElementTree.Element[str]", day: date
) -> Transfer:
    amount = _text(line, f"{PAIN001}Amt/{PAIN001}InstdAmt")
    own_id = _text(line, f"{PAIN001}PmtId/{PAIN001}EndToEndId")
    return Transfer(message_id, block_id, own_id, int(amount.replace(".", "")), day)


def _text(found: "ElementTree.Element[str]", path: str) -> str:
    text = found.findtext(path)
    if text is None:
        raise ValueError(f"{path} is missing")
    return text


def _debit(one: Transfer) -> str:
    refs = f"<EndToEndId>{one.end_to_end_id}</EndToEndId>"
    detail = f"<NtryDtls><TxDtls><Refs>{refs}</Refs></TxDtls></NtryDtls>"
    return _entry(f"D-{one.end_to_end_id}", one.amount_minor, "DBIT", one.day, detail)


def _debits_in_one(sent: Sequence[Transfer]) -> list[str]:
    found = []
    for message_id in dict.fromkeys(one.message_id for one in sent):
        lines = [one for one in sent if one.message_id == message_id]
        batch = f"<MsgId>{message_id}</MsgId><NbOfTxs>{len(lines)}</NbOfTxs>"
        total = sum(one.amount_minor for one in lines)
        detail = f"<NtryDtls><Btch>{batch}</Btch></NtryDtls>"
        found.append(_entry(f"D-{message_id}", total, "DBIT", lines[0].day, detail))
    return found


def _return(one: Transfer, day: date) -> str:
    detail = (
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{one.end_to_end_id}</EndToEndId></Refs>"
        "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls>"
    )
    return _entry(f"R-{one.end_to_end_id}", one.amount_minor, "CRDT", day, detail)


def _entry(reference: str, minor: int, sign: str, day: date, detail: str) -> str:
    return (
        f'<Ntry><Amt Ccy="MAD">{decimal_text(minor)}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<AcctSvcrRef>{reference}</AcctSvcrRef>{detail}</Ntry>"
    )


def _document(kind: str, content: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{kind}"
    return f'{head}<Document xmlns="{namespace}">{content}</Document>'.encode()
