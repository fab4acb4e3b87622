"""pain.001.001.09, the bank's file: a customer credit transfer initiation, piece by piece.

Which form the bank wants is not public; this with the RIB as a domestic account (BBAN) is what its
ISO 20022 platform reads. Nothing in it comes from anywhere but the batch, its payouts and the rules
that were kept when it was approved, so that a rebuilt file is the same byte for byte.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from xml.sax.saxutils import escape

from chalicelib import clock
from chalicelib.money import Money
from chalicelib.payouts.domain import Batch, Destination, Payout, RailTotal
from chalicelib.payouts.limits import is_instant
from chalicelib.rib import is_valid_rib

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
DEBTOR_NAME = "Maalem"
MAX_ID_LENGTH = 35
MAX_NAME_LENGTH = 70
_NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


@dataclass(frozen=True, slots=True)
class FileRules:
    """What the bank wants of a file. `instant_code`: how it wants instant transfers marked
    (LclInstrm/Cd), empty where it has not said."""

    debtor_rib: str
    lines_per_block: int = 1_000
    instant_code: str = ""
    instant_cap_minor: int = 2_000_000


def pieces(
    batch: Batch, total: RailTotal, lines: Iterable[tuple[Payout, Destination]], rules: FileRules
) -> Iterator[str]:
    """The file's text; lines come in the order of their ids and are read once.

    No more than a block of them is held: each has a PmtInf of its own, with its count and sum.
    """
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}">'
    yield f"<CstmrCdtTrfInitn>{_header(batch, total)}"
    count, minor = 0, 0
    blocks = _blocks(lines, rules.lines_per_block)
    for number, block in enumerate(blocks, 1):
        transfers, sum_minor = [], 0
        for payout, destination in block:
            transfers.append(_transfer(payout, destination, rules))
            sum_minor += payout.amount.amount_minor
        yield _block_head(batch, number, RailTotal(len(transfers), Money(sum_minor)), rules)
        yield from transfers
        yield "</PmtInf>"
        count, minor = count + len(transfers), minor + sum_minor
    assert RailTotal(count, Money(minor)) == total
    yield "</CstmrCdtTrfInitn></Document>\n"


def _blocks(
    lines: Iterable[tuple[Payout, Destination]], size: int
) -> Iterator[list[tuple[Payout, Destination]]]:
    waiting = iter(lines)
    while block := list(islice(waiting, size)):
        yield block


def _header(batch: Batch, total: RailTotal) -> str:
    assert batch.approved_at is not None
    created = clock.to_text(batch.approved_at)[:19]
    return (
        f"<GrpHdr><MsgId>{file_id(batch.batch_id)}</MsgId><CreDtTm>{created}</CreDtTm>"
        f"{_sums(total)}<InitgPty><Nm>{DEBTOR_NAME}</Nm></InitgPty></GrpHdr>"
    )


def _block_head(batch: Batch, number: int, total: RailTotal, rules: FileRules) -> str:
    assert batch.approved_at is not None
    day = clock.to_text(batch.approved_at)[:10]
    return (
        f"<PmtInf><PmtInfId>{file_id(f'{batch.batch_id}-{number}')}</PmtInfId>"
        f"<PmtMtd>TRF</PmtMtd>{_sums(total)}<ReqdExctnDt><Dt>{day}</Dt></ReqdExctnDt>"
        f"<Dbtr><Nm>{DEBTOR_NAME}</Nm></Dbtr>"
        f"<DbtrAcct>{_account(rules.debtor_rib)}<Ccy>MAD</Ccy></DbtrAcct>"
        f"<DbtrAgt>{_bank(rules.debtor_rib)}</DbtrAgt>"
    )


def _transfer(payout: Payout, destination: Destination, rules: FileRules) -> str:
    assert is_valid_rib(destination.value)  # whoever has another was taken out of the batch
    own_id, amount = file_id(payout.payout_id), payout.amount
    kind = ""
    if rules.instant_code and is_instant(amount, rules.instant_cap_minor):
        code = escape(rules.instant_code)
        kind = f"<PmtTpInf><LclInstrm><Cd>{code}</Cd></LclInstrm></PmtTpInf>"
    return (
        f"<CdtTrfTxInf><PmtId><InstrId>{own_id}</InstrId><EndToEndId>{own_id}</EndToEndId></PmtId>"
        f'{kind}<Amt><InstdAmt Ccy="{amount.currency}">{amount.decimal_text()}</InstdAmt></Amt>'
        f"<CdtrAgt>{_bank(destination.value)}</CdtrAgt>"
        f"<Cdtr><Nm>{escape(name_in_file(destination.name))}</Nm></Cdtr>"
        f"<CdtrAcct>{_account(destination.value)}</CdtrAcct></CdtTrfTxInf>"
    )


def _sums(total: RailTotal) -> str:
    return f"<NbOfTxs>{total.count}</NbOfTxs><CtrlSum>{total.amount.decimal_text()}</CtrlSum>"


def _account(rib: str) -> str:
    return f"<Id><Othr><Id>{rib}</Id><SchmeNm><Cd>BBAN</Cd></SchmeNm></Othr></Id>"


def _bank(rib: str) -> str:
    """A bank is known by the first three digits of its accounts."""
    member = f"<ClrSysMmbId><MmbId>{rib[:3]}</MmbId></ClrSysMmbId>"
    return f"<FinInstnId>{member}</FinInstnId>"


def name_in_file(name: str) -> str:
    """A name as XML can hold it, at most 70 characters; a dash where nothing is left of it."""
    return _NOT_IN_XML.sub("", name)[:MAX_NAME_LENGTH].strip() or "-"


def file_id(our_id: str) -> str:
    """Our id as banks take it: at most 35 characters of their alphabet, which has no underscore."""
    found = our_id.replace("_", "-")
    assert len(found) <= MAX_ID_LENGTH
    return found
