"""What is asked again before a payout leaves, what is called off, who asks, what the day drafts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import DestinationKind
from chalicelib.config import settings
from chalicelib.edge.auth import artisan_id_of
from chalicelib.ledger import service as ledger
from chalicelib.payouts import (
    batch_tables,
    domain,
    files,
    schedule,
    service,
    tables,
    working,
)
from chalicelib.payouts.domain import (
    FileTaken,
    FourEyesRequired,
    IllegalBatchMove,
    NotPayableNow,
)
from infra.local.identity import ARTISAN_SUBJECT
from tests.aws import both_databases
from tests.factories.faults import frozen_clock
from tests.factories.payouts import a_payable_artisan, a_report, give_payable
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")
WALLET = {"kind": DestinationKind.WALLET, "value": "+212612345678"}
PATH = "/v1/operator/payout-batches"


def drafted(**options):
    a_payable_artisan(**options)
    return service.draft_batch("op-1", "k").batch_id


def the_payout(batch_id):
    [payout] = tables.payouts_of(batch_id)
    return payout


def money(artisan="art_a"):
    found = service.balance_of(artisan)
    return tuple(found[name].amount_minor for name in ("payable", "in_payout", "paid_out"))


@both_databases
class TestAskedAgain:
    @pytest.mark.parametrize("step", ["approve", "submit"])
    def test_P4_who_lost_the_verification_is_taken_out(self, aws, step):
        batch_id = drafted()
        if step == "submit":
            service.approve_batch(batch_id, "op-1")
        artisans.suspend("art_a", "fraud")
        batch = getattr(service, f"{step}_batch")(batch_id, "op-1")
        payout = the_payout(batch_id)
        assert (payout.status, payout.reason) == ("cancelled", "not_verified")
        assert (batch.total.amount_minor, batch.rails, batch.file_sha256) == (0, {}, {})
        assert money() == (22_054, 0, 0)
        assert ledger.check().holds

    def test_P4_another_destination_in_effect_takes_it_out(self, aws):
        batch_id = drafted()
        artisans.set_payout_destination("art_a", DestinationKind.WALLET, "+212600000000")
        clock.advance(73 * 3600)
        service.approve_batch(batch_id, "op-1")
        assert the_payout(batch_id).reason == "destination_changed"
        assert money() == (22_054, 0, 0)

    def test_P4_what_was_taken_out_is_paid_once_by_the_next_batch(self, aws):
        batch_id = drafted()
        artisans.suspend("art_a", "fraud")
        service.approve_batch(batch_id, "op-1")
        artisans.reinstate("art_a")
        service.submit_batch(batch_id, "op-1")
        assert service.batch(batch_id)[0].status == "closed"
        assert service.draft_batch("op-1", "next").payout_count == 1
        assert money() == (0, 22_054, 0)

    def test_P4_what_the_bank_may_have_by_now_stays_in(self, api):
        batch_id = drafted()
        service.approve_batch(batch_id, "op-1")
        assert api.get(f"{PATH}/{batch_id}/file", token=api.operator).status == 200
        artisans.suspend("art_a", "fraud")
        batch = service.submit_batch(batch_id, "op-1")
        assert the_payout(batch_id).status == "submitted"
        assert batch.files_taken == {"bank_account"}

    def test_P10_a_report_of_what_was_taken_out_is_kept_and_moves_nothing(self, aws):
        batch_id = drafted()
        artisans.suspend("art_a", "fraud")
        service.approve_batch(batch_id, "op-1")
        service.record_report(a_report(the_payout(batch_id).payout_id))
        assert money() == (22_054, 0, 0)

    def test_P4_a_checker_that_was_overtaken_takes_nobody_out_of_a_written_file(self, aws):
        batch_id = drafted()
        begun = batch_tables.approve(
            batch_tables.find(batch_id), "op-1", clock.now(), files.rules_now()
        )
        page = tables.payouts_behind(batch_id, None, 50)
        written = working.go_on(begun)
        artisans.suspend("art_a", "fraud")
        working._check(begun, page)
        assert the_payout(batch_id).status == "reserved"
        assert written.rails["bank_account"].count == 1
        assert ledger.check().holds


@both_databases
class TestCancelling:
    @pytest.mark.parametrize("is_approved", [False, True])
    def test_its_money_is_payable_again(self, api, is_approved):
        batch_id = drafted()
        if is_approved:
            service.approve_batch(batch_id, "op-1")
        shown = api.post(f"{PATH}/{batch_id}/cancel", {}, token=api.operator)
        assert (shown.status, shown.json["status"]) == (200, "cancelled")
        assert shown.json["payouts"][0]["reason"] == "batch_cancelled"
        assert money() == (22_054, 0, 0)
        assert ledger.check().holds
        with pytest.raises(IllegalBatchMove):
            service.approve_batch(batch_id, "op-2")
        assert api.get(f"{PATH}/{batch_id}/file", token=api.operator).status == 409

    def test_P4_not_once_a_file_of_it_was_handed_out(self, api):
        batch_id = drafted()
        service.approve_batch(batch_id, "op-1")
        api.get(f"{PATH}/{batch_id}/file", token=api.operator)
        with pytest.raises(FileTaken):
            service.cancel_batch(batch_id, "op-1")
        assert money() == (0, 22_054, 0)

    def test_nor_once_it_went_out(self, aws):
        batch_id = drafted()
        service.approve_batch(batch_id, "op-1")
        service.submit_batch(batch_id, "op-1")
        with pytest.raises(IllegalBatchMove):
            service.cancel_batch(batch_id, "op-1")


class TestRailLimits:
    def test_a_wallet_is_paid_up_to_its_ceiling_and_the_rest_stays_payable(self, aws):
        batch_id = drafted(payable_minor=2_000_500, **WALLET)
        payout = the_payout(batch_id)
        assert (payout.amount.amount_minor, payout.reason) == (2_000_000, "wallet_ceiling")
        assert money() == (500, 2_000_000, 0)
        give_payable("art_a", 50_000, "more")
        batch = service.draft_batch("op-1", "next")
        assert batch.skipped == {"art_a": "wallet_full"}


@both_databases
class TestOnDemand:
    def asking(self, api, key):
        return api.post("/v1/me/payouts", {}, token=api.artisan, headers={"Idempotency-Key": key})

    def test_what_is_payable_is_reserved_at_once_and_a_repeat_is_the_same(self, api):
        own = artisan_id_of(ARTISAN_SUBJECT)
        a_payable_artisan(own)
        first = self.asking(api, "a")
        assert (first.status, first.json["status"]) == (201, "reserved")
        assert money(own) == (0, 22_054, 0)
        assert self.asking(api, "a").json == first.json
        assert service.request_payout(own, "a").payout_id == first.json["id"]
        give_payable(own, 50_000, "more")
        refused = self.asking(api, "b")
        assert (refused.status, refused.json.get("code")) == (429, "payout_requested_today")
        assert int(refused.headers["retry-after"]) <= 24 * 3600
        assert money(own) == (50_000, 22_054, 0)

    def test_who_cannot_be_paid_is_told_why(self, api):
        a_payable_artisan(artisan_id_of(ARTISAN_SUBJECT), settings().payout_minimum_minor - 1)
        refused = self.asking(api, "a")
        assert (refused.status, refused.json["code"]) == (409, "not_payable_now")
        assert refused.json["reason"] == "below_minimum"
        assert service.batches(5, None)[0] == []

    def test_all_who_ask_on_a_day_are_in_one_batch_that_ends_with_it(self, aws):
        with frozen_clock(datetime(2026, 11, 27, 12, tzinfo=UTC)):
            clock.reset()
            for name in ("art_a", "art_b"):
                a_payable_artisan(name)
            payouts = [service.request_payout(name, "k") for name in ("art_a", "art_b")]
            [batch_id] = {one.batch_id for one in payouts}
            with pytest.raises(domain.BatchNotComplete):
                service.approve_batch(batch_id, "op-1")
            service.finish_batches()
            assert not service.batch(batch_id)[0].is_complete
            clock.advance(24 * 3600)
            service.finish_batches()
            batch = service.batch(batch_id)[0]
            assert (batch.is_complete, batch.payout_count) == (True, 2)
            give_payable("art_a", 50_000, "more")
            assert service.request_payout("art_a", "k").batch_id != batch_id

    def test_P4_nobody_is_added_to_a_day_that_has_ended(self, aws, monkeypatch):
        a_payable_artisan()
        a_payable_artisan("art_b")
        batch_id = service.request_payout("art_a", "k").batch_id
        clock.advance(26 * 3600)
        service.finish_batches()
        monkeypatch.setattr(domain, "batch_id_of_day", lambda *given: batch_id)  # a clock behind
        with pytest.raises(domain.Conflict):
            service.request_payout("art_b", "k")
        assert money("art_b") == (22_054, 0, 0)
        assert service.batch(batch_id)[0].payout_count == 1

    def test_P4_a_large_batch_that_no_operator_drafted_takes_two(self, aws):
        a_payable_artisan(payable_minor=settings().payout_four_eyes_minor + 1)
        batch_id = service.request_payout("art_a", "k").batch_id
        clock.advance(26 * 3600)
        service.finish_batches()
        vouched = service.approve_batch(batch_id, "op-1")
        assert (vouched.status, vouched.vouched_by) == ("draft", "op-1")
        with pytest.raises(FourEyesRequired):
            service.approve_batch(batch_id, "op-1")
        assert service.approve_batch(batch_id, "op-2").status == "approved"

    def test_asking_is_refused_for_who_is_nobody(self, aws):
        with pytest.raises(NotPayableNow):
            service.request_payout("art_nobody", "k")


class TestSchedule:
    FRIDAY = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)  # Morocco is at UTC for good by then

    @pytest.mark.parametrize(
        ("plan", "minutes", "is_due"),
        [
            ("FRI 09:00", 0, True), ("FRI 09:00", -1, False), ("FRI 09:00", 14 * 60, True),
            ("FRI 09:00", 15 * 60, False), ("MON 08:00, FRI 09:00", 0, True),
            ("THU 09:00", 0, False),
        ],
    )  # fmt: skip
    def test_a_day_is_due_from_its_time_until_it_ends(self, plan, minutes, is_due):
        local = clock.in_morocco(self.FRIDAY + timedelta(minutes=minutes))
        assert (schedule.day_due(plan, local) is not None) == is_due

    def test_its_batch_is_drafted_once_and_waits_for_people(self, aws, monkeypatch):
        planned = replace(settings(), payout_schedule="FRI 09:00")
        monkeypatch.setattr(schedule, "settings", lambda: planned)
        with frozen_clock(self.FRIDAY - timedelta(days=4, minutes=2)):
            clock.reset()
            a_payable_artisan()
            service.sweep()
            assert service.batches(5, None)[0] == []
            clock.advance(120)
            for _ in range(3):
                service.sweep()
                give_payable("art_a", 5_000, f"more-{clock.now().timestamp():.0f}")
                clock.advance(60)
        [batch] = service.batches(5, None)[0]
        assert (batch.drafted_by, batch.status, batch.payout_count) == ("schedule", "draft", 1)
        assert batch.batch_id == domain.batch_id_of_day("schedule", self.FRIDAY.date())
