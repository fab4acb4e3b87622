"""Batches and reports against a database."""

import pytest
from pynamodb.exceptions import PynamoDBException

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import DestinationKind
from chalicelib.config import settings
from chalicelib.ledger import service as ledger
from chalicelib.payouts import service
from chalicelib.payouts.domain import (
    FourEyesRequired,
    IllegalBatchMove,
    PayoutNotSubmitted,
    PayoutStatus,
    UnknownPayout,
)
from chalicelib.payouts.tables import PayoutsTable
from tests.aws import both_databases
from tests.factories.artisans import RIB, a_profile
from tests.factories.faults import Calls, calls_through, rows_of
from tests.factories.payouts import a_payable_artisan, a_report, give_payable

KEY = {"Idempotency-Key": "k"}


def money(artisan="art_a"):
    found = service.balance_of(artisan)
    return tuple(found[name].amount_minor for name in ("payable", "in_payout", "paid_out"))


def a_submitted_payout():
    a_payable_artisan()
    batch = service.draft_batch("op-1", "k")
    service.approve_batch(batch.batch_id, "op-1")
    service.submit_batch(batch.batch_id, "op-1")
    [payout] = service.batch(batch.batch_id)[1]
    return payout


@both_databases
class TestDrafting:
    def test_a_payable_balance_is_reserved(self, aws):
        a_payable_artisan()
        batch = service.draft_batch("op-1", "k")
        assert (batch.payout_count, batch.total.amount_minor) == (1, 22_054)
        assert money() == (0, 22_054, 0)

    def test_P7_the_same_key_is_the_same_batch(self, aws):
        a_payable_artisan()
        batch = service.draft_batch("op-1", "k")
        give_payable("art_a", 50_000, "more")
        assert service.draft_batch("op-1", "k") == batch
        assert money() == (50_000, 22_054, 0)

    def test_P4_what_is_reserved_is_not_reserved_again(self, aws):
        a_payable_artisan()
        service.draft_batch("op-1", "k")
        assert service.draft_batch("op-1", "other").payout_count == 0
        assert money() == (0, 22_054, 0)

    def test_P4_who_cannot_be_paid_is_left_out_with_the_reason(self, aws):
        a_payable_artisan("art_a")
        artisans.register("art_new", a_profile(), None)
        artisans.register("art_fresh", a_profile(), None)
        artisans.verify("art_fresh")
        artisans.set_payout_destination("art_fresh", DestinationKind.BANK_ACCOUNT, RIB)
        for name in ("art_new", "art_fresh", "art_gone"):
            give_payable(name, 20_000)
        batch = service.draft_batch("op-1", "k")
        assert batch.payout_count == 1
        assert batch.skipped == {
            "art_new": "not_verified",
            "art_fresh": "destination_just_changed",
            "art_gone": "not_registered",
        }

    def test_below_the_minimum_nothing_is_paid(self, aws):
        a_payable_artisan(payable_minor=settings().payout_minimum_minor - 1)
        assert service.draft_batch("op-1", "k").payout_count == 0

    def test_P11_a_draft_that_was_left_is_finished_by_the_sweep(self, aws):
        a_payable_artisan()
        with calls_through(Calls(fails_at=2).make), pytest.raises(PynamoDBException):
            service.draft_batch("op-1", "k")
        clock.advance(180)
        service.finish_batches()
        [batch] = service.batches(5, None)[0]
        assert (batch.is_complete, batch.payout_count) == (True, 1)


@both_databases
class TestApproving:
    def test_a_large_batch_takes_another_operator(self, aws):
        a_payable_artisan(payable_minor=settings().payout_four_eyes_minor + 1)
        batch = service.draft_batch("op-1", "k")
        with pytest.raises(FourEyesRequired):
            service.approve_batch(batch.batch_id, "op-1")
        assert service.approve_batch(batch.batch_id, "op-2").approved_by == "op-2"

    def test_nothing_is_submitted_before_it_is_approved(self, aws):
        a_payable_artisan()
        batch = service.draft_batch("op-1", "k")
        with pytest.raises(IllegalBatchMove):
            service.submit_batch(batch.batch_id, "op-1")


@both_databases
class TestReporting:
    def test_paid(self, aws):
        payout = a_submitted_payout()
        service.record_report(a_report(payout.payout_id))
        assert money() == (0, 0, 22_054)
        assert service.batch(payout.batch_id)[0].status == "closed"

    def test_P4_what_failed_is_payable_again(self, aws):
        payout = a_submitted_payout()
        service.record_report(a_report(payout.payout_id, "failed", reason="account closed"))
        assert money() == (22_054, 0, 0)
        assert service.draft_batch("op-1", "next").payout_count == 1

    def test_P4_what_was_returned_is_payable_again(self, aws):
        payout = a_submitted_payout()
        service.record_report(a_report(payout.payout_id))
        service.record_report(a_report(payout.payout_id, "returned"))
        assert money() == (22_054, 0, 0)

    def test_P10_a_return_that_comes_before_its_payment_ends_alike(self, aws):
        payout = a_submitted_payout()
        service.record_report(a_report(payout.payout_id, "returned"))
        service.record_report(a_report(payout.payout_id))
        assert money() == (22_054, 0, 0)
        assert ledger.check().holds

    def test_P7_a_report_again_moves_nothing(self, aws):
        payout = a_submitted_payout()
        for _ in range(3):
            service.record_report(a_report(payout.payout_id, "failed"))
        assert money() == (22_054, 0, 0)

    @pytest.mark.parametrize("minor", [22_053, 22_055])
    def test_P4_another_amount_is_kept_and_moves_nothing(self, aws, minor):
        payout = a_submitted_payout()
        service.record_report(a_report(payout.payout_id, minor=minor))
        assert money() == (0, 22_054, 0)
        kept = [row for row in rows_of(PayoutsTable) if row["sk"].startswith("report#")]
        assert [row["verdict"] for row in kept] == ["amount_differs"]

    def test_a_contradiction_is_kept_and_moves_nothing(self, aws):
        payout = a_submitted_payout()
        service.record_report(a_report(payout.payout_id, "failed"))
        service.record_report(a_report(payout.payout_id, "paid"))
        assert money() == (22_054, 0, 0)

    def test_a_report_of_what_was_not_sent_comes_again_later(self, aws):
        a_payable_artisan()
        batch = service.draft_batch("op-1", "k")
        [payout] = service.batch(batch.batch_id)[1]
        with pytest.raises(PayoutNotSubmitted):
            service.record_report(a_report(payout.payout_id))

    def test_a_report_of_nothing_we_know_is_refused(self, aws):
        with pytest.raises(UnknownPayout):
            service.record_report(a_report("pot_x"))


class TestRoutes:
    def test_a_batch_needs_a_key(self, api):
        refused = api.post("/v1/operator/payout-batches", {}, token=api.operator)
        assert (refused.status, refused.json["code"]) == (400, "idempotency_key_missing")

    def test_a_wallets_batch_has_a_csv_file(self, api):
        a_payable_artisan(kind=DestinationKind.WALLET, value="+212612345678")
        batch = api.post("/v1/operator/payout-batches", {}, token=api.operator, headers=KEY).json
        path = f"/v1/operator/payout-batches/{batch['id']}"
        early = api.get(f"{path}/file", token=api.operator)
        assert (early.status, early.json["code"]) == (409, "batch_not_approved")
        assert api.post(f"{path}/approve", {}, token=api.operator).status == 200
        sent = api.get(f"{path}/file", token=api.operator)
        assert (sent.status, sent.headers["content-type"]) == (200, "text/csv; charset=utf-8")
        assert "+212612345678,220.54,MAD" in sent.text
        none = api.get(f"{path}/file?rail=bank_account", token=api.operator)
        assert (none.status, none.json["code"]) == (422, "no_such_rail")

    def test_an_empty_batch_can_be_walked_through(self, api):
        batch = api.post("/v1/operator/payout-batches", {}, token=api.operator, headers=KEY).json
        path = f"/v1/operator/payout-batches/{batch['id']}"
        assert api.post(f"{path}/approve", token=api.operator).status == 200
        assert api.post(f"{path}/submit", token=api.operator).json["status"] == "closed"
        assert api.get(f"{path}/file", token=api.operator).status == 200

    def test_P15_no_answer_but_the_file_shows_an_account(self, api):
        a_payable_artisan()
        batch = api.post("/v1/operator/payout-batches", {}, token=api.operator, headers=KEY)
        assert RIB not in batch.text
        assert all(RIB not in str(row) for row in rows_of(PayoutsTable))

    def test_an_unknown_batch_is_not_found(self, api):
        shown = api.get("/v1/operator/payout-batches/pbt_x", token=api.operator)
        assert (shown.status, shown.json["code"]) == (404, "unknown_batch")

    def test_batches_are_listed_newest_first_in_pages(self, api):
        for key in ("a", "b", "c"):
            service.draft_batch("op-1", key)
            clock.advance(1)
        first = api.get("/v1/operator/payout-batches?limit=2", token=api.operator).json
        rest = api.get(
            f"/v1/operator/payout-batches?limit=2&cursor={first['next_cursor']}",
            token=api.operator,
        ).json
        listed = [batch["drafted_at"] for batch in first["data"] + rest["data"]]
        assert (len(listed), listed) == (3, sorted(listed, reverse=True))

    def test_an_artisan_without_money_has_a_balance_of_nothing(self, api):
        shown = api.get("/v1/me/balance", token=api.artisan).json
        assert (shown.pop("parts"), shown.pop("more")) == ([], False)
        assert set(shown) == {"pending", "payable", "held", "owed", "in_payout", "paid_out"}
        assert {one["amount_minor"] for one in shown.values()} == {0}


def test_payouts_are_marked_by_the_sweep_where_the_submission_crashed(aws):
    a_payable_artisan()
    batch = service.draft_batch("op-1", "k")
    service.approve_batch(batch.batch_id, "op-1")
    calls = Calls(fails_at=3)
    with calls_through(calls.make), pytest.raises(PynamoDBException):
        service.submit_batch(batch.batch_id, "op-1")
    [payout] = service.batch(batch.batch_id)[1]
    assert payout.status is PayoutStatus.RESERVED
    clock.advance(180)
    service.finish_batches()
    [payout] = service.batch(batch.batch_id)[1]
    assert payout.status is PayoutStatus.SUBMITTED
