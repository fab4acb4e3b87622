"""Credits on the bank statement, and the remittances of the providers that they are."""

from dataclasses import replace
from datetime import date

import pytest

from chalicelib import clock
from chalicelib.iso20022 import CamtEntry
from chalicelib.ledger import service as ledger
from chalicelib.money import Money
from chalicelib.settlement import (
    bank_domain,
    bank_matching,
    bank_tables,
    breaks,
    reconciliation,
    service,
)
from chalicelib.settlement.bank_domain import Confidence, Remittance
from chalicelib.settlement.break_domain import BreakStatus
from chalicelib.settlement.tables import SettlementTable
from tests.aws import both_databases
from tests.factories.settlement import COLUMNS, a_file, a_payment_id, a_sale, file_line, terms
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")


DAY = date(2026, 6, 15)
NET = Money(24_553)


def an_entry(**changes) -> CamtEntry:
    plain = CamtEntry(
        entry_id="B-1", amount=NET, is_credit=True, booked_on=date(2026, 6, 16),
        end_to_end_id=None, reference="R-1", info="VIREMENT CMI", is_return=False, reason=None,
    )  # fmt: skip
    return replace(plain, **changes)


def a_remittance(name="rem_1", **changes) -> Remittance:
    return replace(Remittance(name, "rec_1", "cmi", "R-1", DAY, NET), **changes)


def matched(entry: CamtEntry, *remittances: Remittance):
    credit = bank_domain.credit_of(
        "S", entry.entry_id, entry.amount, entry.booked_on, (entry.reference, entry.info)
    )
    found = bank_domain.match(credit, remittances)
    return found and (found.confidence, [one.remittance_id for one in found.remittances])


def filed(batch: str = "R-1", name: str = "one") -> None:
    sale = a_sale(terms(f"prc_{name}"), payment_id=a_payment_id(name))
    service.settle_payment(sale)
    content = a_file([f"{file_line(sale)},{batch}"], f"{COLUMNS},batch")
    reconciliation.reconcile(content, "cmi", "standard")


def kinds(status=BreakStatus.OPEN):
    return sorted(one.kind for one in breaks.listed(status, None, None, 99, None)[0])


class TestMatch:
    def test_keys_in_order(self):
        other = a_remittance("rem_2", batch="R-2")
        assert matched(an_entry(), other, a_remittance()) == (Confidence.REFERENCE, ["rem_1"])
        half = a_remittance(batch=None, net=Money(10_000))
        rest = a_remittance("rem_2", batch=None, net=Money(14_553))
        plain = an_entry(reference=None)
        assert matched(plain, half, rest) == (Confidence.DAY_SUM, ["rem_1", "rem_2"])
        nameless = an_entry(reference=None, info="VIREMENT RECU")
        assert matched(nameless, a_remittance()) == (Confidence.LOW, ["rem_1"])

    @pytest.mark.parametrize(
        "wrong",
        [
            {"amount": Money(24_554)},
            {"booked_on": date(2026, 6, 14), "reference": None},
            {"booked_on": date(2026, 6, 19), "reference": None},
        ],
    )
    def test_what_does_not_fit_is_no_match(self, wrong):
        assert matched(an_entry(**wrong), a_remittance()) is None

    def test_of_two_alike_none_is_guessed(self):
        nameless = an_entry(reference=None, info="VIREMENT RECU")
        assert matched(nameless, a_remittance(), a_remittance("rem_2", batch="R-2")) is None


@both_databases
class TestStatement:
    def test_a_credit_confirms_the_remittance_and_posts_nothing(self, aws):
        filed()
        before = ledger.check().entry_count
        assert bank_matching.take_credits("S-1", [an_entry()]) == 1
        assert bank_matching.take_credits("S-1", [an_entry()]) == 0
        assert bank_matching.take_credits("S-2", [an_entry()]) == 0
        assert ledger.check().entry_count == before
        assert (bank_tables.open_remittances(), kinds()) == ([], [])

    def test_an_unknown_credit_is_a_break_once_and_returns_and_debits_are_not(self, aws):
        entries = [an_entry(), an_entry(entry_id="B-2", is_return=True)]
        entries.append(an_entry(entry_id="B-3", is_credit=False))
        for statement in ("S-1", "S-2"):
            assert bank_matching.take_credits(statement, entries) == 0
        assert kinds() == ["unknown_bank_credit"]

    def test_a_file_that_comes_after_the_money_cures_the_unknown_credit(self, aws):
        bank_matching.take_credits("S-1", [an_entry()])
        filed()
        assert (kinds(), kinds(BreakStatus.RESOLVED)) == ([], ["unknown_bank_credit"])
        assert bank_tables.open_remittances() == []

    def test_what_the_bank_does_not_show_is_a_break_until_it_does(self, aws):
        filed()
        clock.advance(5 * 24 * 3600)
        service.miss_remittances()
        service.miss_remittances()
        assert kinds() == ["late"]
        assert bank_matching.take_credits("S-1", [an_entry()]) == 1
        assert (kinds(), kinds(BreakStatus.RESOLVED)) == ([], ["late"])

    def test_two_credits_are_not_one_remittance(self, aws):
        filed()
        found = bank_matching.take_credits("S-1", [an_entry(), an_entry(entry_id="B-2")])
        assert (found, kinds()) == (1, ["unknown_bank_credit"])

    def test_P15_no_name_of_whoever_sent_it_is_kept(self, aws):
        bank_matching.take_credits(
            "S-1", [an_entry(info="DE FATIMA ZAHRA IDRISSI 007780000123456789012345")]
        )
        [row] = [row for row in SettlementTable.scan() if row.sk == "credit"]
        assert row.words == {"R-1"}
