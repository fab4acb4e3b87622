"""The rules of double entry."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.ledger import domain
from chalicelib.ledger.domain import CLASSES, Posting, UnknownAccount
from chalicelib.money import Money
from tests.factories.ledger import AT, a_posting, an_entry

ACCOUNTS = [f"{name}:x" if kind.owned else name for name, kind in CLASSES.items()]
accounts = some.sampled_from(ACCOUNTS)
postings = some.builds(
    lambda pair, minor: Posting(pair[0], pair[1], Money(minor)),
    some.tuples(accounts, accounts).filter(lambda pair: pair[0] != pair[1]),
    some.integers(1, 10**12),
)
entries = some.builds(
    lambda found: an_entry("e", *found), some.lists(postings, min_size=1, max_size=12)
)


class TestPosting:
    @pytest.mark.parametrize("minor", [0, -1])
    def test_an_amount_is_above_zero(self, minor):
        with pytest.raises(AssertionError):
            a_posting(minor=minor)

    def test_it_is_in_the_ledgers_currency(self):
        with pytest.raises(AssertionError):
            Posting("bank:main", "vat_payable", Money(1, "EUR"))

    def test_it_leads_from_one_account_to_another(self):
        with pytest.raises(AssertionError):
            a_posting("vat_payable", "vat_payable")

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "bank",
            "bank:",
            "vat_payable:x",
            "wishes",
            "artisan_payable:é",
            "bank:a b",
            "bank:a:b",
        ],
    )
    def test_an_account_that_is_none_of_ours_is_refused(self, name):
        with pytest.raises(UnknownAccount):
            a_posting(name)


class TestEntry:
    @given(entries)
    def test_P3_every_entry_sums_to_zero(self, entry):
        assert sum(domain.deltas_minor(entry).values()) == 0

    @given(some.lists(entries, max_size=8))
    def test_P3_all_entries_together_sum_to_zero(self, listed):
        assert sum(domain.replayed_minor(listed).values()) == 0

    def test_what_we_have_is_positive_in_debit(self):
        entry = an_entry("e", a_posting("bank:main", "psp_clearing:cmi", 5))
        assert domain.in_normal_sense("bank:main", domain.deltas_minor(entry)["bank:main"]) == 5

    def test_an_account_changes_once_however_often_it_is_named(self):
        entry = an_entry("e", a_posting(minor=7), a_posting(minor=5))
        assert domain.kept_changes_minor(entry) == {"artisan_pending:art_a": 12}

    def test_what_an_artisan_owes_is_positive_in_debit(self):
        entry = an_entry("e", a_posting("artisan_receivable:a", "refund_payable", 9))
        assert domain.kept_changes_minor(entry) == {"artisan_receivable:a": 9}


class TestFingerprint:
    def test_the_time_is_no_part_of_it(self):
        later = an_entry(at=AT.replace(year=2031))
        assert domain.fingerprint(later) == domain.fingerprint(an_entry())

    @pytest.mark.parametrize(
        "other",
        [
            an_entry("sale:pay_a", a_posting(minor=1001)),
            an_entry("sale:pay_a", a_posting("psp_clearing:wallet")),
            an_entry(reason="refund"),
            an_entry(refs={"payment_id": "pay_b"}),
        ],
    )
    def test_everything_else_is(self, other):
        assert domain.fingerprint(other) != domain.fingerprint(an_entry())
