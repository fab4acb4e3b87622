"""The files that carry a batch to the rails: pain.001 to the bank, CSV to wallets and cards.

Built from the batch and its payouts and from nothing else, so that a rebuilt file is the same byte
for byte. Which form the bank wants is not public; a customer credit transfer initiation
(pain.001.001.09) with the RIB as a domestic account (BBAN) is what its ISO 20022 platform reads.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from chalicelib import clock
from chalicelib.money import Money
from chalicelib.payouts.domain import Batch, Destination, Payout

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
BANK = "bank_account"
DEBTOR_NAME = "Maalem"
MAX_ID_LENGTH = 35
MAX_NAME_LENGTH = 70

Line = tuple[Payout, Destination]


@dataclass(frozen=True, slots=True)
class RailFile:
    """A file for one rail."""

    rail: str
    content: str
    content_type: str


def files_of(batch: Batch, lines: Sequence[Line], debtor_rib: str) -> dict[str, RailFile]:
    """A file for each rail that the batch uses; payouts in the order of their ids."""
    ordered = sorted(lines, key=lambda line: line[0].payout_id)
    rails = sorted({payout.rail for payout, _ in ordered})
    return {
        rail: _file(batch, rail, [line for line in ordered if line[0].rail == rail], debtor_rib)
        for rail in rails
    }


def empty_file() -> RailFile:
    """What a batch without payouts sends out: a bank file would have to have one."""
    return RailFile("none", _csv([]), "text/csv; charset=utf-8")


def _file(batch: Batch, rail: str, lines: Sequence[Line], debtor_rib: str) -> RailFile:
    if rail == BANK:
        return RailFile(rail, _pain001(batch, lines, debtor_rib), "application/xml; charset=utf-8")
    return RailFile(rail, _csv(lines), "text/csv; charset=utf-8")


def _csv(lines: Sequence[Line]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["payout_id", "destination", "amount", "currency"])
    for payout, destination in lines:
        writer.writerow(
            [
                payout.payout_id,
                destination.value,
                payout.amount.decimal_text(),
                payout.amount.currency,
            ]
        )
    return out.getvalue()


def _pain001(batch: Batch, lines: Sequence[Line], debtor_rib: str) -> str:
    assert batch.approved_at is not None
    total = Money(sum(payout.amount.amount_minor for payout, _ in lines))
    root = ElementTree.Element("Document", xmlns=NAMESPACE)
    initiation = ElementTree.SubElement(root, "CstmrCdtTrfInitn")
    header = ElementTree.SubElement(initiation, "GrpHdr")
    _text(header, "MsgId", file_id(batch.batch_id))
    _text(header, "CreDtTm", clock.to_text(batch.approved_at)[:19])
    _text(header, "NbOfTxs", str(len(lines)))
    _text(header, "CtrlSum", total.decimal_text())
    _text(header, "InitgPty/Nm", DEBTOR_NAME)
    payment = ElementTree.SubElement(initiation, "PmtInf")
    _text(payment, "PmtInfId", file_id(f"{batch.batch_id}-1"))
    _text(payment, "PmtMtd", "TRF")
    _text(payment, "NbOfTxs", str(len(lines)))
    _text(payment, "CtrlSum", total.decimal_text())
    _text(payment, "ReqdExctnDt/Dt", clock.to_text(batch.approved_at)[:10])
    _text(payment, "Dbtr/Nm", DEBTOR_NAME)
    _account(payment, "DbtrAcct", debtor_rib)
    _text(payment, "DbtrAgt/FinInstnId/ClrSysMmbId/MmbId", debtor_rib[:3])
    for payout, destination in lines:
        _transfer(payment, payout, destination)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _transfer(payment: ElementTree.Element, payout: Payout, destination: Destination) -> None:
    transfer = ElementTree.SubElement(payment, "CdtTrfTxInf")
    _text(transfer, "PmtId/InstrId", file_id(payout.payout_id))
    _text(transfer, "PmtId/EndToEndId", file_id(payout.payout_id))
    amount = _text(transfer, "Amt/InstdAmt", payout.amount.decimal_text())
    amount.set("Ccy", payout.amount.currency)
    _text(transfer, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId", destination.value[:3])
    _text(transfer, "Cdtr/Nm", destination.name[:MAX_NAME_LENGTH])
    _account(transfer, "CdtrAcct", destination.value)


def _account(parent: ElementTree.Element, name: str, rib: str) -> None:
    _text(parent, f"{name}/Id/Othr/Id", rib)
    _text(parent, f"{name}/Id/Othr/SchmeNm/Cd", "BBAN")
    if name == "DbtrAcct":
        _text(parent, f"{name}/Ccy", "MAD")


def _text(parent: ElementTree.Element, path: str, text: str) -> ElementTree.Element:
    """Put a text at a path of element names, inside the elements that were made last."""
    *steps, leaf = path.split("/")
    for name in steps:
        is_there = len(parent) > 0 and parent[-1].tag == name
        parent = parent[-1] if is_there else ElementTree.SubElement(parent, name)
    element = ElementTree.SubElement(parent, leaf)
    element.text = text
    return element


def file_id(our_id: str) -> str:
    """Our id as banks take it: at most 35 characters of their alphabet, which has no underscore."""
    found = our_id.replace("_", "-")
    assert len(found) <= MAX_ID_LENGTH
    return found
