"""Posting against a database."""

import pytest

from chalicelib.ledger import service
from chalicelib.ledger.domain import CompanionRefused, EntryMismatch, InsufficientFunds
from chalicelib.ledger.tables import LedgerTable
from chalicelib.money import Money
from tests.aws import both_databases
from tests.factories.ledger import a_posting, an_entry

PENDING, PAYABLE = "artisan_pending:art_a", "artisan_payable:art_a"


def balance(account):
    return service.balances([account])[account].amount_minor


def refusing(transaction):
    nowhere = LedgerTable("nowhere", "nothing")
    transaction.update(nowhere, [LedgerTable.reason.set("x")], condition=LedgerTable.pk.exists())


@both_databases
class TestPost:
    def test_an_entry_moves_the_balances_it_names(self, aws):
        assert service.post(an_entry("one", a_posting(minor=700)))
        assert service.post(an_entry("two", a_posting(PENDING, PAYABLE, 200)))
        assert (balance(PENDING), balance(PAYABLE)) == (500, 200)

    def test_P7_the_same_entry_again_moves_nothing(self, aws):
        assert service.post(an_entry("one", a_posting(minor=700)))
        assert not service.post(an_entry("one", a_posting(minor=700)))
        assert balance(PENDING) == 700

    def test_another_entry_of_the_same_id_is_refused(self, aws):
        service.post(an_entry("one", a_posting(minor=700)))
        with pytest.raises(EntryMismatch):
            service.post(an_entry("one", a_posting(minor=701)))
        assert balance(PENDING) == 700

    def test_a_kept_account_cannot_fall_below_zero(self, aws):
        service.post(an_entry("one", a_posting(minor=700)))
        with pytest.raises(InsufficientFunds):
            service.post(an_entry("two", a_posting(PENDING, PAYABLE, 701)))
        assert (balance(PENDING), balance(PAYABLE)) == (700, 0)
        assert service.check().entry_count == 1

    def test_an_account_nobody_paid_into_has_nothing_to_give(self, aws):
        with pytest.raises(InsufficientFunds):
            service.post(an_entry("two", a_posting(PENDING, PAYABLE, 1)))

    def test_an_entry_that_follows_from_balances_stands_as_it_was_first_posted(self, aws):
        assert service.post_once(an_entry("one", a_posting(minor=700)))
        assert not service.post_once(an_entry("one", a_posting(minor=701)))
        assert balance(PENDING) == 700
        with pytest.raises(EntryMismatch):
            service.post_once(an_entry("one", a_posting(minor=700), refs={"refund_id": "rfd_b"}))

    def test_what_belongs_to_it_and_has_changed_is_told_before_a_balance_that_is_too_low(self, aws):
        # Both are so when the amounts were reckoned from something that is no longer there.
        with pytest.raises(CompanionRefused):
            service.post(an_entry("two", a_posting(PENDING, PAYABLE, 1)), also=refusing)

    def test_a_refused_companion_takes_the_entry_with_it(self, aws):
        with pytest.raises(CompanionRefused):
            service.post(an_entry("one", a_posting(minor=700)), also=refusing)
        assert (balance(PENDING), service.check().entry_count) == (0, 0)


class TestStatement:
    @both_databases
    def test_pages_follow_each_other_and_keep_the_running_balance(self, aws):
        for number in range(1, 6):
            service.post(an_entry(f"e{number}", a_posting(minor=number)))
        first = service.statement(PENDING, 2, None)
        second = service.statement(PENDING, 2, first.next_key)
        third = service.statement(PENDING, 2, second.next_key)
        lines = [*first.lines, *second.lines, *third.lines]
        assert [line.change.amount_minor for line in lines] == [5, 4, 3, 2, 1]
        assert [line.balance_after.amount_minor for line in lines] == [15, 10, 6, 3, 1]
        assert third.next_key is None

    def test_a_hot_account_is_derived_from_the_entries(self, aws):
        service.post(an_entry("one", a_posting(minor=700)))
        service.post(an_entry("two", a_posting("bank:main", "psp_clearing:cmi", 600)))
        found = service.statement("psp_clearing:cmi", 1, None)
        assert found.balance == Money(100)
        assert [line.entry_id for line in found.lines] == ["two"]
        rest = service.statement("psp_clearing:cmi", 1, found.next_key)
        assert ([line.entry_id for line in rest.lines], rest.next_key) == (["one"], None)

    def test_an_account_without_lines_is_empty(self, aws):
        assert service.statement(PAYABLE, 5, None).lines == ()


class TestCheck:
    def test_a_whole_ledger_holds(self, aws):
        service.post(an_entry("one", a_posting(minor=700)))
        assert service.check().holds

    def test_P3_a_changed_balance_is_found(self, aws):
        service.post(an_entry("one", a_posting(minor=700)))
        row = LedgerTable.get(f"account#{PENDING}", "total")
        row.update([LedgerTable.available.add(1)])
        found = service.check()
        assert not found.holds
        assert found.total == Money(1)
        assert [(one.account, one.kept, one.replayed) for one in found.differences] == [
            (PENDING, Money(701), Money(700))
        ]

    def test_P3_a_changed_entry_is_found(self, aws):
        service.post(an_entry("one", a_posting(minor=700)))
        row = LedgerTable.get("entry#one", "entry")
        row.update([LedgerTable.reason.set("refund")])
        assert service.check().altered_entry_ids == ("one",)

    def test_P3_a_deleted_entry_is_found(self, aws):
        service.post(an_entry("one", a_posting(minor=700)))
        LedgerTable.get("entry#one", "entry").delete()
        assert not service.check().holds


class TestFinding:
    @both_databases
    def test_balances_are_found_by_size(self, aws):
        for name, minor in (("a", 99), ("b", 100), ("c", 101)):
            posting = a_posting("bank:main", f"artisan_payable:{name}", minor)
            service.post(an_entry(name, posting))
        found = dict(service.accounts_with_at_least("artisan_payable", Money(100)))
        assert found == {"b": Money(100), "c": Money(101)}


class TestRoutes:
    def test_an_operator_sees_an_account(self, api):
        service.post(an_entry("one", a_posting(minor=700)))
        seen = api.get(f"/v1/operator/ledger/accounts/{PENDING}", token=api.operator)
        assert seen.status == 200
        assert seen.json["balance"] == {"amount_minor": 700, "currency": "MAD"}
        assert seen.json["data"][0]["entry_id"] == "one"

    def test_an_unknown_account_is_not_found(self, api):
        seen = api.get("/v1/operator/ledger/accounts/wishes", token=api.operator)
        assert (seen.status, seen.json["code"]) == (404, "unknown_account")

    def test_an_artisan_may_not_look(self, api):
        assert api.get("/v1/operator/ledger/check", token=api.artisan).status == 403

    def test_the_check_says_how_much_was_checked(self, api):
        service.post(an_entry("one", a_posting(minor=700)))
        seen = api.get("/v1/operator/ledger/check", token=api.operator).json
        assert seen == {
            "ok": True,
            "sum": {"amount_minor": 0, "currency": "MAD"},
            "entries": 1,
            "accounts": 2,
            "differences": [],
            "altered_entries": [],
            "seals": {"days": 0, "through": None, "broken": None},
        }
