"""Disputes against a database: the artisan's money is held, and is theirs again or gone."""

import pytest

from chalicelib import clock
from chalicelib.ledger import service as ledger
from chalicelib.payouts import service as payouts
from chalicelib.settlement import reconciliation, service, tables
from chalicelib.settlement.domain import ShareStatus
from chalicelib.settlement.reversals import PortionsDoNotFit, ReversalContradicted, Stage
from tests.aws import both_databases
from tests.factories.payouts import a_payable_artisan, give_payable
from tests.factories.settlement import (
    a_dispute,
    a_file,
    a_portion,
    a_refund,
    a_sale,
    file_line,
    money_of,
    ours,
    release,
    share_of,
    terms,
)

SALE = a_sale()
DAY = 24 * 3600
SOLD = {
    "commission_revenue": 2_082,
    "vat_payable": 417,
    "psp_fee_accrued:cmi": 437,
    "psp_clearing:cmi": 24_990,
}


def opened(dispute=None):
    service.record_dispute(dispute or a_dispute(SALE), Stage.TAKEN)


def won(dispute=None):
    service.record_dispute(dispute or a_dispute(SALE), Stage.GIVEN_BACK)


def lost(dispute=None):
    service.record_dispute(dispute or a_dispute(SALE), Stage.GONE)


def ready(sale=SALE):
    """Everything is known that a release waits for, and its time has come."""
    service.settle_payment(sale)
    service.record_delivery("prc_a", clock.now())
    reconciliation.reconcile(a_file([file_line(sale)]), "cmi", "standard")
    clock.advance(14 * DAY + 1)


@both_databases
class TestBeforeTheRelease:
    def test_the_artisans_part_is_held_and_ours_stays_until_it_is_lost(self, aws):
        service.settle_payment(SALE)
        opened()
        assert money_of() == {"held": 22_054}
        assert ours() == {
            "commission_revenue": 2_082,
            "vat_payable": 417,
            "psp_fee_accrued:cmi": 437,
            "dispute_receivable:cmi": 24_990,
        }
        assert ledger.check().holds

    def test_won_all_is_as_it_was(self, aws):
        service.settle_payment(SALE)
        opened()
        won()
        assert (money_of(), ours()) == ({"pending": 22_054}, SOLD)
        assert share_of().status is ShareStatus.PENDING

    def test_P2_lost_every_part_is_gone_and_the_fee_is_our_loss(self, aws):
        service.settle_payment(SALE)
        opened()
        lost()
        assert (money_of(), ours()) == ({}, {"psp_fee_accrued:cmi": 437, "psp_fee_loss": 437})
        assert share_of().status is ShareStatus.REVERSED
        assert ledger.check().holds

    def test_a_disputed_share_is_frozen_with_the_reason_and_thawed_when_it_is_won(self, aws):
        ready()
        opened()
        share = share_of()
        assert (share.status, share.disputes, share.due_at) == (
            ShareStatus.FROZEN,
            frozenset({"dsp_a"}),
            None,
        )
        assert (service.release_due_shares(), money_of()) == (0, {"held": 22_054})
        won()
        assert (service.release_due_shares(), money_of()) == (1, {"payable": 22_054})

    def test_a_part_that_is_disputed_freezes_the_whole_share(self, aws):
        ready()
        opened(a_dispute(SALE, a_portion(10_000)))
        assert (service.release_due_shares(), money_of()) == (
            0,
            {"held": 8_825, "pending": 13_229},
        )
        lost(a_dispute(SALE, a_portion(10_000)))
        assert (service.release_due_shares(), money_of()) == (1, {"payable": 13_229})

    def test_a_share_is_frozen_as_long_as_any_dispute_is_open(self, aws):
        ready()
        both = [
            a_dispute(SALE, a_portion(minor), dispute_id=name)
            for name, minor in (("dsp_a", 10_000), ("dsp_b", 14_990))
        ]
        for dispute in both:
            opened(dispute)
        won(both[0])
        assert service.release_due_shares() == 0
        won(both[1])
        assert (service.release_due_shares(), money_of()) == (1, {"payable": 22_054})

    def test_what_is_known_late_of_a_frozen_share_does_not_release_it(self, aws):
        some = a_dispute(SALE, a_portion(10_000))
        opened(some)
        service.record_delivery("prc_a", clock.now())
        reconciliation.reconcile(a_file([file_line(SALE)]), "cmi", "standard")
        clock.advance(15 * DAY)
        assert (service.release_due_shares(), money_of()) == (
            0,
            {"held": 8_825, "pending": 13_229},
        )
        won(some)
        assert service.release_due_shares() == 1


@both_databases
class TestAfterTheRelease:
    def test_it_is_held_from_what_is_payable(self, aws):
        service.settle_payment(SALE)
        release(SALE)
        opened()
        assert money_of() == {"held": 22_054}
        won()
        assert money_of() == {"payable": 22_054}
        assert ledger.check().holds

    def test_P4_what_is_held_is_not_paid_out(self, aws):
        a_payable_artisan(payable_minor=5_000)
        service.settle_payment(SALE)
        release(SALE)
        opened()
        assert payouts.draft_batch("op-1", "k").total.amount_minor == 5_000

    @pytest.mark.usefixtures("netted_whole")
    def test_what_was_paid_out_is_owed_and_lost(self, aws):
        a_payable_artisan(payable_minor=5_000)
        service.settle_payment(SALE)
        release(SALE)
        payouts.draft_batch("op-1", "all of it")
        opened()
        assert money_of() == {"held": 22_054, "owed": 22_054}
        lost()
        assert money_of() == {"owed": 22_054}
        give_payable("art_a", 30_000, "sold")
        assert payouts.draft_batch("op-1", "k").total.amount_minor == 30_000 - 22_054
        assert ledger.check().holds

    def test_what_was_paid_out_is_owed_and_won(self, aws):
        a_payable_artisan(payable_minor=5_000)
        service.settle_payment(SALE)
        release(SALE)
        payouts.draft_batch("op-1", "all of it")
        opened()
        won()
        assert money_of() == {}
        assert share_of().disputes == frozenset()

    @pytest.mark.usefixtures("netted_whole")
    def test_what_was_recovered_meanwhile_is_payable_when_it_is_won(self, aws):
        a_payable_artisan(payable_minor=5_000)
        service.settle_payment(SALE)
        release(SALE)
        payouts.draft_batch("op-1", "all of it")
        opened()
        give_payable("art_a", 30_000, "sold")
        payouts.draft_batch("op-1", "the rest")
        won()
        assert money_of() == {"payable": 22_054}


@both_databases
class TestWithRefunds:
    def test_P5_a_dispute_of_what_a_refund_left_adds_up(self, aws):
        service.record_refund(a_refund(SALE, a_portion(10_000)), Stage.GONE)
        lost(a_dispute(SALE, a_portion(14_990)))
        assert (money_of(), ours()) == ({}, {"psp_fee_accrued:cmi": 437, "psp_fee_loss": 437})

    def test_P5_so_does_a_refund_of_what_is_not_disputed(self, aws):
        opened(a_dispute(SALE, a_portion(14_990)))
        service.record_refund(a_refund(SALE, a_portion(10_000)), Stage.GONE)
        won(a_dispute(SALE, a_portion(14_990)))
        service.record_refund(a_refund(SALE, a_portion(14_990), refund_id="rfd_b"), Stage.GONE)
        assert (money_of(), ours()) == ({}, {"psp_fee_accrued:cmi": 437, "psp_fee_loss": 437})

    def test_what_is_disputed_is_not_refunded_as_well(self, aws):
        opened()
        with pytest.raises(PortionsDoNotFit):
            service.record_refund(a_refund(SALE, a_portion(1)), Stage.TAKEN)
        won()
        service.record_refund(a_refund(SALE, a_portion(1)), Stage.TAKEN)
        assert ours()["refund_payable"] == 1


@both_databases
class TestAnyOrder:
    @pytest.mark.parametrize(("first", "then"), [(won, lost), (lost, won)])
    def test_P10_what_is_decided_is_not_decided_the_other_way(self, aws, first, then):
        first()
        before = money_of(), ours()
        with pytest.raises(ReversalContradicted):
            then()
        assert (money_of(), ours()) == before

    def test_P7_a_decision_opens_the_dispute_first(self, aws):
        lost()
        opened()
        service.settle_payment(SALE)
        assert (money_of(), ours()) == ({}, {"psp_fee_accrued:cmi": 437, "psp_fee_loss": 437})


@both_databases
def test_a_dispute_of_more_artisans_than_a_transaction_holds(aws):
    artisans = [f"art_{number}" for number in range(30)]
    sale = a_sale(*(terms(f"prc_{who}", who) for who in artisans))
    opened(a_dispute(sale))
    assert [money_of(who)["held"] for who in artisans] == [
        part.artisan_minor for part in service.domain.split(sale.shares)
    ]
    assert ours()["dispute_receivable:cmi"] == sale.captured.amount_minor
    won(a_dispute(sale))
    assert sum(money_of(who)["pending"] for who in artisans) == sum(
        part.artisan_minor for part in service.domain.split(sale.shares)
    )
    assert "dispute_receivable:cmi" not in ours()
    assert ledger.check().holds


def test_a_share_that_was_scheduled_as_it_was_frozen_leaves_the_index(aws):
    # Whoever schedules a share has read it a moment before.
    ready()
    opened()
    tables.schedule(share_of(), clock.now())
    assert service.release_due_shares() == 0
    assert (share_of().due_at, money_of()) == (None, {"held": 22_054})


def test_an_artisan_sees_what_is_held_and_what_they_owe(api):
    from chalicelib.edge.auth import artisan_id_of
    from infra.local.identity import ARTISAN_SUBJECT

    who = artisan_id_of(ARTISAN_SUBJECT)
    sale = a_sale(terms(artisan=who), terms("prc_b", who))
    a_payable_artisan(who, payable_minor=5_000)
    service.settle_payment(sale)
    release(sale, fee_minor=875)
    payouts.draft_batch("op-1", "all of it")
    opened(a_dispute(sale, a_portion()))
    service.record_refund(a_refund(sale, a_portion(10_000, parcel="prc_b")), Stage.TAKEN)
    shown = api.get("/v1/me/balance", token=api.artisan).json
    assert {
        name: shown[name]["amount_minor"] for name in ("pending", "payable", "held", "owed")
    } == {
        "pending": 0,
        "payable": 0,
        "held": 22_053,
        "owed": 22_053 + 8_825,
    }
    lines = api.get("/v1/me/statements?account=owed", token=api.artisan).json["data"]
    assert {line["reason"]: line["amount"]["amount_minor"] for line in lines} == {
        "dispute_opened": 22_053,  # the fee's odd centime is on the first share
        "refund": 8_825,
    }
