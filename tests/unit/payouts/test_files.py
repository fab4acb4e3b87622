"""The files that go out to the rails."""

from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema

from chalicelib.money import Money
from chalicelib.payouts import files, pain001
from chalicelib.payouts.domain import Batch, BatchStatus, Destination, RailTotal
from chalicelib.payouts.pain001 import FileRules
from tests.factories.artisans import RIB
from tests.factories.payouts import AT, a_payout

BATCH = Batch("pbt_" + "a" * 24, BatchStatus.APPROVED, "op-1", AT, approved_at=AT)
TO_BANK = Destination("bank_account", RIB, "001…0318", "Fatima & Filles <Fès>")
TO_WALLET = Destination("wallet", "+212612345678", "+212…78", "Driss")
FIRST = a_payout(payout_id="pot_" + "a" * 24)
SECOND = replace(FIRST, payout_id="pot_" + "b" * 24, amount=Money(5))
THIRD = replace(FIRST, payout_id="pot_" + "c" * 24, rail="wallet", amount=Money(100))
LINES = [(FIRST, TO_BANK), (SECOND, TO_BANK)]
RULES = FileRules(RIB)
SPACE = {"p": pain001.NAMESPACE}


def bank_file(lines=LINES, rules=RULES):
    total = RailTotal(len(lines), Money(sum(one.amount.amount_minor for one, _ in lines)))
    return "".join(pain001.pieces(BATCH, total, lines, rules))


def texts(path, **options):
    root = ElementTree.fromstring(bank_file(**options))
    return [found.text for found in root.findall(path, SPACE)]


@cache
def schema() -> Any:
    """The schema as the ISO publishes it; `sepaxml` ships it, for these tests only."""
    found = resources.files("sepaxml").joinpath("schemas/pain.001.001.09.xsd")
    return xmlschema.XMLSchema(found.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        (TO_BANK.name, RULES),
        ("فاطمة الزهراء", RULES),
        ("a\x00\x0b\ud800" + "é" * 90, RULES),
        ("\x07", RULES),
        ("]]>&amp;", replace(RULES, lines_per_block=1)),
        ("Amal", replace(RULES, instant_code="INST")),
    ],
)
def test_the_banks_file_is_valid_by_the_schema(name, rules):
    lines = [(payout, replace(TO_BANK, name=name)) for payout, _ in LINES]
    schema().validate(bank_file(lines, rules))


def test_the_schema_would_tell():
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema().validate(bank_file().replace("<NbOfTxs>2<", "<NbOfTxs>two<"))


def test_it_is_the_same_byte_for_byte_as_when_the_bank_first_saw_one():
    assert bank_file([LINES[0]]) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>'
        f"<GrpHdr><MsgId>pbt-{'a' * 24}</MsgId><CreDtTm>2026-06-30T12:00:00</CreDtTm>"
        "<NbOfTxs>1</NbOfTxs><CtrlSum>220.54</CtrlSum><InitgPty><Nm>Maalem</Nm></InitgPty>"
        f"</GrpHdr><PmtInf><PmtInfId>pbt-{'a' * 24}-1</PmtInfId><PmtMtd>TRF</PmtMtd>"
        "<NbOfTxs>1</NbOfTxs><CtrlSum>220.54</CtrlSum>"
        "<ReqdExctnDt><Dt>2026-06-30</Dt></ReqdExctnDt><Dbtr><Nm>Maalem</Nm></Dbtr>"
        f"<DbtrAcct><Id><Othr><Id>{RIB}</Id><SchmeNm><Cd>BBAN</Cd></SchmeNm></Othr></Id>"
        "<Ccy>MAD</Ccy></DbtrAcct><DbtrAgt><FinInstnId><ClrSysMmbId><MmbId>001</MmbId>"
        "</ClrSysMmbId></FinInstnId></DbtrAgt>"
        f"<CdtTrfTxInf><PmtId><InstrId>pot-{'a' * 24}</InstrId>"
        f"<EndToEndId>pot-{'a' * 24}</EndToEndId></PmtId>"
        '<Amt><InstdAmt Ccy="MAD">220.54</InstdAmt></Amt><CdtrAgt><FinInstnId><ClrSysMmbId>'
        "<MmbId>001</MmbId></ClrSysMmbId></FinInstnId></CdtrAgt>"
        "<Cdtr><Nm>Fatima &amp; Filles &lt;Fès&gt;</Nm></Cdtr>"
        f"<CdtrAcct><Id><Othr><Id>{RIB}</Id><SchmeNm><Cd>BBAN</Cd></SchmeNm></Othr></Id></CdtrAcct>"
        "</CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>\n"
    )


def test_counts_and_sums_are_those_of_the_lines():
    assert texts(".//p:NbOfTxs") == ["2", "2"]
    assert texts(".//p:CtrlSum") == ["220.59", "220.59"]
    assert texts(".//p:InstdAmt") == ["220.54", "0.05"]


def test_where_the_bank_wants_blocks_each_has_its_own_id_count_and_sum():
    options = {"rules": replace(RULES, lines_per_block=1)}
    assert texts(".//p:NbOfTxs", **options) == ["2", "1", "1"]
    assert texts(".//p:CtrlSum", **options) == ["220.59", "220.54", "0.05"]
    assert len(set(texts(".//p:PmtInfId", **options))) == 2


def test_a_file_that_is_not_what_the_batch_says_is_not_finished():
    with pytest.raises(AssertionError):
        list(pain001.pieces(BATCH, RailTotal(2, Money(22_060)), LINES, RULES))


def test_an_account_with_a_wrong_key_never_gets_into_it():
    with pytest.raises(AssertionError):
        bank_file([(FIRST, replace(TO_BANK, value=RIB[:-1] + "9"))])


@pytest.mark.parametrize(("minor", "is_instant"), [(2_000_000, True), (2_000_001, False)])
def test_instant_transfers_are_marked_up_to_their_cap_once_the_bank_has_said_how(minor, is_instant):
    lines = [(replace(FIRST, amount=Money(minor)), TO_BANK)]
    told = texts(".//p:LclInstrm/p:Cd", lines=lines, rules=replace(RULES, instant_code="INST"))
    assert told == (["INST"] if is_instant else [])
    assert texts(".//p:LclInstrm", lines=lines) == []


def test_accounts_are_domestic_numbers():
    assert texts(".//p:CdtrAcct/p:Id/p:Othr/p:Id") == [RIB, RIB]
    assert texts(".//p:CdtrAcct/p:Id/p:Othr/p:SchmeNm/p:Cd") == ["BBAN", "BBAN"]
    assert texts(".//p:DbtrAcct/p:Id/p:Othr/p:Id") == [RIB]


def test_ids_are_short_enough_and_unlike_each_other():
    ids = texts(".//p:EndToEndId")
    assert len(set(ids)) == 2
    assert all(len(one) <= 35 and "_" not in one for one in ids + texts(".//p:MsgId"))


def test_a_wallet_line_says_where_and_how_much_and_no_more():
    content = "".join(files.csv_pieces([(THIRD, TO_WALLET)]))
    assert content.splitlines()[1] == f"{THIRD.payout_id},+212612345678,1.00,MAD"
    assert "Driss" not in content
