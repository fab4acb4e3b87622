"""The files that go out to the rails."""

from dataclasses import replace
from xml.etree import ElementTree

from chalicelib.money import Money
from chalicelib.payouts import files
from chalicelib.payouts.domain import Batch, BatchStatus, Destination
from tests.factories.artisans import RIB
from tests.factories.payouts import AT, a_payout

BATCH = Batch("pbt_" + "a" * 24, BatchStatus.APPROVED, "op-1", AT, approved_at=AT)
TO_BANK = Destination("bank_account", RIB, "001…0318", "Fatima & Filles <Fès>")
TO_WALLET = Destination("wallet", "+212612345678", "+212…78", "Driss")
FIRST = a_payout(payout_id="pot_" + "a" * 24)
SECOND = replace(FIRST, payout_id="pot_" + "b" * 24, amount=Money(5))
THIRD = replace(FIRST, payout_id="pot_" + "c" * 24, rail="wallet", amount=Money(100))
LINES = [(SECOND, TO_BANK), (THIRD, TO_WALLET), (FIRST, TO_BANK)]
SPACE = {"p": files.NAMESPACE}


def bank_file(lines=LINES):
    return files.files_of(BATCH, lines, RIB)["bank_account"].content


def texts(path):
    root = ElementTree.fromstring(bank_file())
    return [found.text for found in root.findall(path, SPACE)]


def test_each_rail_has_its_file():
    found = files.files_of(BATCH, LINES, RIB)
    assert {rail: one.content_type for rail, one in found.items()} == {
        "bank_account": "application/xml; charset=utf-8",
        "wallet": "text/csv; charset=utf-8",
    }


def test_it_is_the_same_byte_for_byte_in_whatever_order_it_is_built():
    assert bank_file() == bank_file(list(reversed(LINES)))


def test_counts_and_sums_are_those_of_the_lines():
    assert texts(".//p:NbOfTxs") == ["2", "2"]
    assert texts(".//p:CtrlSum") == ["220.59", "220.59"]
    assert texts(".//p:InstdAmt") == ["220.54", "0.05"]


def test_accounts_are_domestic_numbers():
    assert texts(".//p:CdtrAcct/p:Id/p:Othr/p:Id") == [RIB, RIB]
    assert texts(".//p:CdtrAcct/p:Id/p:Othr/p:SchmeNm/p:Cd") == ["BBAN", "BBAN"]
    assert texts(".//p:DbtrAcct/p:Id/p:Othr/p:Id") == [RIB]


def test_ids_are_short_enough_and_unlike_each_other():
    ids = texts(".//p:EndToEndId")
    assert len(set(ids)) == 2
    assert all(len(one) <= 35 and "_" not in one for one in ids + texts(".//p:MsgId"))


def test_names_are_escaped():
    assert texts(".//p:Cdtr/p:Nm") == [TO_BANK.name] * 2


def test_elements_stand_in_the_order_of_the_schema():
    root = ElementTree.fromstring(bank_file())
    payment = root.find(".//p:PmtInf", SPACE)
    assert payment is not None
    names = [one.tag.partition("}")[2] for one in payment]
    assert names == [
        "PmtInfId", "PmtMtd", "NbOfTxs", "CtrlSum", "ReqdExctnDt", "Dbtr", "DbtrAcct", "DbtrAgt",
        "CdtTrfTxInf", "CdtTrfTxInf",
    ]  # fmt: skip
    transfer = [one.tag.partition("}")[2] for one in payment[-1]]
    assert transfer == ["PmtId", "Amt", "CdtrAgt", "Cdtr", "CdtrAcct"]


def test_a_wallet_line_says_where_and_how_much_and_no_more():
    content = files.files_of(BATCH, LINES, RIB)["wallet"].content
    assert content.splitlines()[1] == f"{THIRD.payout_id},+212612345678,1.00,MAD"
    assert "Driss" not in content
