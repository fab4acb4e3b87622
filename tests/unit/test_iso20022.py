"""Banks' reports: what is read exactly, and that nothing else is ever anything but unreadable."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import iso20022
from chalicelib.iso20022 import Camt, Pain002, Unreadable
from chalicelib.money import Money
from tests.factories.bank_reports import a_camt, a_pain002, a_status, an_entry


def camt(*entries, **changes):
    found = iso20022.read(a_camt(*entries, **changes))
    assert isinstance(found, Camt)
    return found.entries


def pain002(*statuses, **whole):
    found = iso20022.read(a_pain002(*statuses, **whole))
    assert isinstance(found, Pain002)
    return found.statuses


class TestStatements:
    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            ("BkToCstmrStmt", "camt.053.001.02"),
            ("BkToCstmrStmt", "camt.053.001.08"),
            ("BkToCstmrDbtCdtNtfctn", "camt.054.001.02"),
            ("BkToCstmrDbtCdtNtfctn", "camt.054.001.08"),
        ],
    )
    def test_every_version_is_read_by_its_local_names(self, kind, name):
        namespace = f"urn:iso:std:iso:20022:tech:xsd:{name}"
        [entry] = camt(an_entry(end_to_end="pot-a"), kind=kind, namespace=namespace)
        assert (entry.amount, entry.is_credit) == (Money(22_054), False)
        assert (entry.end_to_end_id, entry.entry_id) == ("pot-a", "B-1")
        assert entry.booked_on == date(2026, 7, 1)
        assert not entry.is_return

    def test_what_came_back_says_so_and_why(self):
        [entry] = camt(an_entry(sign="CRDT", end_to_end="pot-a", returned="AC04"))
        assert (entry.is_credit, entry.is_return, entry.reason) == (True, True, "AC04")

    def test_a_reversal_is_a_return(self):
        [entry] = camt(an_entry(sign="CRDT", status="<RvslInd>true</RvslInd>"))
        assert entry.is_return

    def test_what_is_not_booked_yet_has_moved_nothing(self):
        assert camt(an_entry(status="<Sts>PDNG</Sts>")) == ()
        assert len(camt(an_entry(status="<Sts>BOOK</Sts>"))) == 1

    def test_an_entry_with_details_is_read_by_its_details(self):
        def detail(own_id, amount):
            told = f'<AmtDtls><TxAmt><Amt Ccy="MAD">{amount}</Amt></TxAmt></AmtDtls>'
            return f"<TxDtls><Refs><EndToEndId>{own_id}</EndToEndId></Refs>{told}</TxDtls>"

        parts = f"<NtryDtls>{detail('pot-a', '1.00')}{detail('pot-b', '2.5')}</NtryDtls>"
        first, second = camt(an_entry(350, details=parts))
        assert (first.end_to_end_id, first.amount) == ("pot-a", Money(100))
        assert (second.end_to_end_id, second.amount) == ("pot-b", Money(250))
        assert {first.entry_id, second.entry_id} == {"B-1#1", "B-1#2"}
        # Parts that do not add up are not believed: the entry is one.
        whole = camt(an_entry(351, details=parts))
        assert [(one.end_to_end_id, one.amount) for one in whole] == [(None, Money(351))]

    def test_a_debit_of_a_whole_file_names_the_file(self):
        batch = "<NtryDtls><Btch><MsgId>pbt-x</MsgId><PmtInfId>pbt-x-1</PmtInfId></Btch></NtryDtls>"
        [entry] = camt(an_entry(details=batch))
        assert (entry.message_id, entry.block_id) == ("pbt-x", "pbt-x-1")

    @pytest.mark.parametrize("text", ["1.005", "1,00", "-1.00", "1e3", "", "١.00", "1" * 14])
    def test_P5_an_amount_is_whole_centimes_or_nothing_is_read(self, text):
        content = a_camt(an_entry()).replace(b"220.54", text.encode())
        with pytest.raises(Unreadable):
            iso20022.read(content)

    @pytest.mark.parametrize(("text", "minor"), [("7", 700), ("7.5", 750), ("7.05000", 705)])
    def test_P5_an_amount_is_exact(self, text, minor):
        content = a_camt(an_entry()).replace(b"220.54", text.encode())
        assert iso20022.read(content).entries[0].amount == Money(minor)


class TestStatusReports:
    def test_each_payment_has_its_status(self):
        first, second = pain002(
            a_status("pot-a", "ACSC", None), a_status("pot-b", "RJCT", 100, "AC04"), group="PART"
        )
        assert (first.end_to_end_id, first.status, first.amount) == ("pot-a", "ACSC", None)
        assert (second.status, second.amount, second.reason) == ("RJCT", Money(100), "AC04")

    def test_a_status_of_the_whole_counts_where_no_payment_has_one(self):
        [whole] = pain002(group="RJCT")
        assert (whole.message_id, whole.status, whole.end_to_end_id) == ("pbt-x", "RJCT", None)
        [block] = pain002(block="RJCT", group="PART")
        assert (block.block_id, block.status) == ("pbt-x-1", "RJCT")

    def test_P15_words_of_the_bank_are_not_taken_for_a_reason(self):
        status = a_status("pot-a", "RJCT", reason="Fatima Z., compte ferme")
        assert pain002(status)[0].reason is None


GOOD = a_camt(an_entry(end_to_end="pot-a"), an_entry(sign="CRDT", returned="AC04"))


class TestRefusals:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_a_doctype_is_refused_before_any_entity_is_made(self, encoding):
        bomb = '<!DOCTYPE x [<!ENTITY a "S1"><!ENTITY b "&a;">]>'
        content = bomb + a_camt(an_entry()).decode().replace("<Id>S1</Id>", "<Id>&b;</Id>")
        with pytest.raises(Unreadable):
            iso20022.read(content.encode(encoding))

    def test_what_is_too_large_or_deep_is_unreadable(self):
        deep = b"<Document>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</Document>"
        for content in (b" " * (iso20022.MAX_BYTES + 1), deep):
            with pytest.raises(Unreadable):
                iso20022.read(content)

    def test_an_old_encoding_is_read_where_it_is_declared(self):
        head = b'<?xml version="1.0" encoding="ISO-8859-1"?>'
        content = a_camt(an_entry(details="<AddtlNtryInf>payé</AddtlNtryInf>"))
        latin = head + content.decode().encode("latin-1")
        assert iso20022.read(latin).entries[0].info == "payé"

    @given(st.binary(max_size=200))
    @settings(max_examples=200, deadline=None)
    def test_P13_any_bytes_are_unreadable_or_read(self, content):
        with pytest.raises(Unreadable):
            iso20022.read(content)

    @given(st.data())
    @settings(max_examples=400, deadline=None)
    def test_P13_a_report_spoilt_anywhere_is_unreadable_or_read(self, data):
        source = data.draw(st.sampled_from([GOOD, a_pain002(a_status("pot-a", "ACSC"))]))
        start = data.draw(st.integers(0, len(source)))
        end = data.draw(st.integers(start, min(len(source), start + 40)))
        content = source[:start] + data.draw(st.binary(max_size=8)) + source[end:]
        try:
            found = iso20022.read(content)
        except Unreadable:
            return
        assert isinstance(found, Camt | Pain002)
