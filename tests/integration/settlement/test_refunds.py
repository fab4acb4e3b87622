"""Refunds against a database: before the release, after it, and after the money was paid out."""

import pytest

from chalicelib import clock
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import CompanionRefused, EntryMismatch
from chalicelib.payouts import service as payouts
from chalicelib.settlement import reversal_tables, service
from chalicelib.settlement.domain import ShareStatus
from chalicelib.settlement.reversals import PortionsDoNotFit, ReversalContradicted, Stage
from tests.aws import both_databases
from tests.factories.faults import Calls, calls_through
from tests.factories.payouts import a_payable_artisan, give_payable
from tests.factories.settlement import (
    a_payment_id,
    a_portion,
    a_refund,
    a_sale,
    money_of,
    ours,
    release,
    share_of,
    terms,
)

SALE = a_sale()
# 249.90 divided: 220.54 the artisan's, 20.82 commission, 4.17 its VAT, 4.37 the provider's fee.
SOLD = {
    "commission_revenue": 2_082,
    "vat_payable": 417,
    "psp_fee_accrued:cmi": 437,
    "psp_clearing:cmi": 24_990,
}
# After the provider's file: the fee is settled with the provider, and nothing is left to clear.
CLEARED = {"commission_revenue": 2_082, "vat_payable": 417}


def approve(refund=None):
    service.record_refund(refund or a_refund(SALE), Stage.TAKEN)


def pay(refund=None):
    service.record_refund(refund or a_refund(SALE), Stage.GONE)


def fail(refund=None):
    service.record_refund(refund or a_refund(SALE), Stage.GIVEN_BACK)


@both_databases
class TestBeforeTheRelease:
    def test_P2_a_whole_refund_takes_every_part_back_and_the_fee_is_our_loss(self, aws):
        service.settle_payment(SALE)
        approve()
        assert money_of() == {}
        assert ours() == {
            "psp_fee_accrued:cmi": 437,
            "psp_fee_loss": 437,
            "psp_clearing:cmi": 24_990,
            "refund_payable": 24_990,
        }
        pay()
        assert ours() == {"psp_fee_accrued:cmi": 437, "psp_fee_loss": 437}
        assert ledger.check().holds

    def test_P8_nothing_leaves_the_provider_before_it_says_so(self, aws):
        service.settle_payment(SALE)
        approve()
        assert ours()["psp_clearing:cmi"] == 24_990

    def test_a_part_takes_its_part(self, aws):
        service.settle_payment(SALE)
        approve(a_refund(SALE, a_portion(10_000)))
        assert money_of() == {"pending": 22_054 - 8_825}
        assert ours()["refund_payable"] == 10_000

    def test_P5_parts_of_it_add_up_to_all_of_it(self, aws):
        service.settle_payment(SALE)
        for name, minor in (("a", 10_000), ("b", 4_990), ("c", 10_000)):
            pay(a_refund(SALE, a_portion(minor), refund_id=f"rfd_{name}"))
        assert money_of() == {}
        assert ours() == {"psp_fee_accrued:cmi": 437, "psp_fee_loss": 437}

    def test_what_failed_changes_nothing(self, aws):
        service.settle_payment(SALE)
        approve()
        fail()
        assert (money_of(), ours()) == ({"pending": 22_054}, SOLD)
        assert share_of().status is ShareStatus.PENDING

    def test_what_failed_can_be_tried_again(self, aws):
        service.settle_payment(SALE)
        fail()
        pay(a_refund(SALE, attempt=2))
        assert ours() == {"psp_fee_accrued:cmi": 437, "psp_fee_loss": 437}

    def test_P7_a_second_attempt_that_comes_before_the_first_ones_failure_waits_for_nothing(
        self, aws
    ):
        approve(a_refund(SALE, attempt=2))
        for late in (approve, fail):
            late()
        pay(a_refund(SALE, attempt=2))
        assert (money_of(), ours()) == ({}, {"psp_fee_accrued:cmi": 437, "psp_fee_loss": 437})

    def test_a_share_that_went_back_whole_is_not_released(self, aws):
        service.settle_payment(SALE)
        approve()
        with pytest.raises(AssertionError):
            release(SALE)
        assert (money_of(), share_of().status) == ({}, ShareStatus.REVERSED)
        assert share_of().due_at is None

    def test_P4_what_is_released_is_what_is_left(self, aws):
        service.settle_payment(SALE)
        approve(a_refund(SALE, a_portion(10_000)))
        release(SALE)
        assert money_of() == {"payable": 22_054 - 8_825}

    def test_a_scheduled_share_that_goes_back_and_comes_back_is_released_in_its_time(self, aws):
        service.settle_payment(SALE)
        approve(a_refund(SALE, a_portion(10_000), refund_id="rfd_b"))
        approve(a_refund(SALE, a_portion(14_990)))
        fail(a_refund(SALE, a_portion(14_990)))
        release(SALE)
        assert money_of() == {"payable": 22_054 - 8_825}

    def test_shares_of_other_artisans_are_left_alone(self, aws):
        sale = a_sale(terms(), terms("prc_b", "art_b"))
        service.settle_payment(sale)
        approve(a_refund(sale, a_portion()))
        assert (money_of("art_a"), money_of("art_b")) == ({}, {"pending": 22_054})

    def test_a_new_refund_takes_three_round_trips(self, aws):
        service.settle_payment(SALE)
        calls = Calls()
        with calls_through(calls.make):
            approve()
        assert calls.names == ["BatchGetItem", "TransactWriteItems", "BatchGetItem"]


@both_databases
class TestAfterTheRelease:
    def test_it_is_taken_from_what_is_payable(self, aws):
        service.settle_payment(SALE)
        release(SALE)
        approve(a_refund(SALE, a_portion(10_000)))
        assert money_of() == {"payable": 22_054 - 8_825}
        pay(a_refund(SALE, a_portion(10_000)))
        assert ours()["psp_clearing:cmi"] == -10_000
        assert ledger.check().holds

    def test_what_failed_gives_it_back(self, aws):
        service.settle_payment(SALE)
        release(SALE)
        fail()
        assert (money_of(), ours()) == ({"payable": 22_054}, CLEARED)

    def test_what_was_approved_before_and_failed_after_the_release_is_payable(self, aws):
        service.settle_payment(SALE)
        approve(a_refund(SALE, a_portion(10_000)))
        release(SALE)
        fail(a_refund(SALE, a_portion(10_000)))
        assert (money_of(), ours()) == ({"payable": 22_054}, CLEARED)

    def test_what_is_not_there_is_owed(self, aws):
        a_payable_artisan(payable_minor=5_000)
        service.settle_payment(SALE)
        release(SALE)
        payouts.draft_batch("op-1", "all of it")
        approve()
        assert money_of() == {"owed": 22_054}
        assert ours()["refund_payable"] == 24_990
        assert ledger.check().holds

    def test_a_part_is_there_and_the_rest_is_owed(self, aws):
        a_payable_artisan(payable_minor=5_000)
        service.settle_payment(SALE)
        release(SALE)
        payouts.draft_batch("op-1", "all of it")
        give_payable("art_a", 2_054, "sold")
        approve()
        assert money_of() == {"owed": 20_000}

    @pytest.mark.usefixtures("netted_whole")
    def test_what_failed_after_a_debt_was_recovered_is_payable_again(self, aws):
        a_payable_artisan(payable_minor=5_000)
        service.settle_payment(SALE)
        release(SALE)
        payouts.draft_batch("op-1", "all of it")
        approve()
        give_payable("art_a", 30_000, "sold")
        payouts.draft_batch("op-1", "the rest")
        assert money_of() == {}
        fail()
        assert money_of() == {"payable": 22_054}

    def test_what_failed_before_it_was_recovered_is_not_owed_any_more(self, aws):
        a_payable_artisan(payable_minor=5_000)
        service.settle_payment(SALE)
        release(SALE)
        payouts.draft_batch("op-1", "all of it")
        approve()
        fail()
        assert (money_of(), ours()) == ({}, CLEARED)


@both_databases
class TestPayouts:
    def owing(self, minor, payable_minor):
        a_payable_artisan(payable_minor=1)
        service.settle_payment(SALE)
        release(SALE)
        payouts.draft_batch("op-1", "before")
        approve(a_refund(SALE, a_portion(minor)))
        give_payable("art_a", payable_minor, "sold")

    def test_P4_a_payout_is_net_of_what_is_owed(self, aws):
        self.owing(10_000, 20_000)
        assert money_of() == {"owed": 8_825, "payable": 20_000}
        batch = payouts.draft_batch("op-1", "k")
        assert (batch.payout_count, batch.total.amount_minor) == (1, 20_000 - 8_825)
        assert money_of() == {}
        assert ledger.check().holds

    @pytest.mark.parametrize("payable", [8_825, 8_825 + 999])
    @pytest.mark.usefixtures("netted_whole")
    def test_who_owes_as_much_is_left_out_and_owes_nothing_more(self, aws, payable):
        self.owing(10_000, payable)
        batch = payouts.draft_batch("op-1", "k")
        assert (batch.payout_count, batch.skipped) == (0, {"art_a": "below_minimum"})
        assert sum(money_of().values()) == payable - 8_825

    @pytest.mark.usefixtures("netted_whole")
    def test_who_owes_more_owes_the_rest(self, aws):
        self.owing(10_000, 5_000)
        assert payouts.draft_batch("op-1", "k").payout_count == 0
        assert money_of() == {"owed": 3_825}


@both_databases
class TestAnyOrder:
    def test_P7_a_refund_settles_its_sale_first(self, aws):
        pay()
        service.settle_payment(SALE)
        assert (money_of(), ours()) == ({}, {"psp_fee_accrued:cmi": 437, "psp_fee_loss": 437})

    def test_P7_a_repeat_takes_nothing_again(self, aws):
        for _ in range(3):
            approve()
        assert ledger.check().entry_count == 2

    def test_a_delivery_that_is_known_before_the_sale_is_no_sale(self, aws):
        service.record_delivery("prc_a", clock.now())
        approve()
        assert (money_of(), ours()["refund_payable"]) == ({}, 24_990)


@both_databases
class TestRefused:
    def test_P5_more_than_was_paid_is_not_refunded(self, aws):
        approve(a_refund(SALE, a_portion(20_000)))
        with pytest.raises(PortionsDoNotFit):
            approve(a_refund(SALE, a_portion(4_991), refund_id="rfd_b"))
        assert ours()["refund_payable"] == 20_000

    def test_other_portions_under_the_same_refund_are_refused(self, aws):
        approve(a_refund(SALE, a_portion(20_000)))
        with pytest.raises(EntryMismatch):
            approve(a_refund(SALE, a_portion(4_000)))
        assert ours()["refund_payable"] == 20_000

    @pytest.mark.parametrize(("first", "then"), [(pay, fail), (fail, pay)])
    def test_P10_what_has_ended_does_not_end_the_other_way(self, aws, first, then):
        first()
        before = money_of(), ours()
        with pytest.raises(ReversalContradicted):
            then()
        assert (money_of(), ours()) == before

    def test_a_parcel_of_another_payment_is_not_refunded(self, aws):
        service.settle_payment(SALE)
        other = a_sale(payment_id=a_payment_id("two"))
        with pytest.raises(CompanionRefused):
            approve(a_refund(other))
        assert money_of() == {"pending": 22_054}


def test_thirty_artisans_are_refunded_in_one_transaction(aws):
    sale = a_sale(*(terms(f"prc_{number}", f"art_{number}") for number in range(30)))
    pay(a_refund(sale))
    assert [money_of(f"art_{number}") for number in range(30)] == [{}] * 30
    assert ledger.check().holds


def test_P7_a_repeat_that_reads_the_shares_after_it_was_done_is_a_repeat(aws, monkeypatch):
    # Stands in for a batch read, which is no snapshot: the row before it was done, the share after.
    approve()
    find = reversal_tables.find
    torn = [(None, find(a_refund(SALE))[1])]
    monkeypatch.setattr(
        reversal_tables, "find", lambda wanted: torn.pop() if torn else find(wanted)
    )
    approve()
    assert ours()["refund_payable"] == 24_990
