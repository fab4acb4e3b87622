"""What keeps an artisan's money: shown with its reason, lifted by who can, and told."""

import random

import pytest

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import ArtisanStatus
from chalicelib.edge.auth import artisan_id_of
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import Entry, posting
from chalicelib.notifications.tables import NotificationTable
from chalicelib.payouts import service as payouts
from chalicelib.settlement import hold_domain, holds, reconciliation, releases, service
from chalicelib.settlement.hold_domain import AlreadyReleased, UnknownShare
from chalicelib.settlement.reversals import Stage
from infra.local.identity import ARTISAN_SUBJECT
from tests.factories.faults import interleave
from tests.factories.payouts import a_payable_artisan, a_report, give_payable
from tests.factories.settlement import (
    a_dispute,
    a_file,
    a_portion,
    a_refund,
    a_sale,
    be_known,
    file_line,
    money_of,
    release,
    share_of,
    terms,
)
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")
WHO = artisan_id_of(ARTISAN_SUBJECT)
SALE = a_sale(terms(artisan=WHO))
HOLD_OVER = 14 * 24 * 3600 + 1
DAY = 24 * 3600


def complete(sale=SALE):
    """Everything but what is asked of the artisan, and the sweep."""
    service.settle_payment(sale)
    for one in sale.shares:
        service.record_delivery(one.parcel_id, clock.now())
    reconciliation.reconcile(a_file([file_line(sale)]), "cmi", "standard")
    clock.advance(HOLD_OVER)


def shown(who=WHO, page=100):
    """Every part, page by page: (state, amount, reason)."""
    found, key, ended = [], None, False
    while not ended:
        parts, key = service.waiting_parts(who, page, key)
        found += [(part.state, part.amount_minor, str(part.hold.reason)) for part in parts]
        ended = key is None
    return found


def hold(parcel="prc_a", key="k"):
    return holds.hold_parcel(parcel, "checked by hand", "op-1", key)


class TestVerification:
    def test_who_is_not_verified_waits_and_is_released_once_they_are(self, aws, pump):
        be_known(WHO, ArtisanStatus.SUBMITTED)
        complete()
        assert (service.release_due_shares(), money_of(WHO)) == (0, {"pending": 22_054})
        assert shown() == [("pending", 22_054, "artisan_not_verified")]
        clock.advance(120)
        assert list(releases.tables.due_shares()) == []  # not looked at each minute
        artisans.verify(WHO)
        pump.drain()
        service.release_due_shares()
        assert (money_of(WHO), shown()) == ({"payable": 22_054}, [])

    def test_where_the_event_is_lost_they_are_found_a_day_later(self, aws):
        be_known(WHO, ArtisanStatus.SUBMITTED)
        complete()
        assert service.release_due_shares() == 0
        artisans.verify(WHO)
        clock.advance(DAY + 1)
        assert service.release_due_shares() == 1

    def test_a_stranger_and_a_suspended_artisan_wait(self, aws):
        complete()
        assert service.release_due_shares() == 0
        be_known(WHO)
        artisans.suspend(WHO, "asked about")
        clock.advance(DAY + 1)
        assert service.release_due_shares() == 0
        artisans.reinstate(WHO)
        service.look_again(WHO, None)
        assert service.release_due_shares() == 1

    @pytest.mark.parametrize("seed", range(6))
    def test_verified_at_the_moment_of_the_sweep_nobody_is_forgotten(self, aws, seed):
        be_known(WHO, ArtisanStatus.SUBMITTED)
        complete()

        def verify():
            artisans.verify(WHO)
            service.look_again(WHO, None)

        assert interleave([service.release_due_shares, verify], seed) == [None] * 2
        service.release_due_shares()
        assert money_of(WHO) == {"payable": 22_054}

    def test_more_than_a_page_of_shares_goes_through_the_queue(self, aws, pump, monkeypatch):
        monkeypatch.setattr(releases, "PAGE", 1)
        be_known(WHO, ArtisanStatus.SUBMITTED)
        complete(a_sale(terms(artisan=WHO), terms("prc_b", WHO), terms("prc_c", WHO)))
        service.release_due_shares()
        artisans.verify(WHO)
        pump.drain()
        service.release_due_shares()
        assert "pending" not in money_of(WHO)


class TestHolds:
    def test_a_held_parcel_is_not_released_until_the_hold_is_lifted(self, aws):
        complete(a_sale(terms()))
        placed = hold()
        assert (service.release_due_shares(), shown("art_a")) == (
            0,
            [("pending", 22_054, "operator_hold")],
        )
        lifted = holds.lift(placed.hold_id, "op-2", "all is well")
        assert (lifted.placed_by, lifted.reason) == ("op-1", "checked by hand")
        assert (lifted.lifted_by, lifted.lifted_reason) == ("op-2", "all is well")
        assert service.release_due_shares() == 1

    def test_of_two_holds_both_have_to_be_lifted(self, aws):
        complete(a_sale(terms()))
        one, two = hold(), hold(key="k2")
        holds.lift(one.hold_id, "op-1", "ok")
        assert service.release_due_shares() == 0
        holds.lift(two.hold_id, "op-1", "ok")
        assert service.release_due_shares() == 1

    def test_the_same_key_is_the_same_hold_and_lifting_twice_is_once(self, aws):
        complete(a_sale(terms()))
        assert hold().hold_id == hold().hold_id
        assert len(holds.open_of("art_a")) == 1
        first = holds.lift(hold_domain.hold_id_of("op-1", "k"), "op-1", "ok")
        assert holds.lift(first.hold_id, "op-2", "again") == first
        assert (holds.open_of("art_a"), share_of().holds) == ([], frozenset())

    @pytest.mark.parametrize("seed", range(4))
    def test_of_two_who_lift_it_at_once_one_is_kept(self, aws, seed):
        complete(a_sale(terms()))
        placed = hold()
        lifted = []
        acts = [lambda by=by: lifted.append(holds.lift(placed.hold_id, by, by)) for by in "ab"]
        assert interleave(acts, seed) == [None] * 2
        assert lifted[0] == lifted[1]

    def test_what_is_released_or_unknown_is_not_held(self, aws):
        with pytest.raises(UnknownShare):
            hold()
        sale = a_sale(terms())
        service.settle_payment(sale)
        release(sale)
        with pytest.raises(AlreadyReleased):
            hold()

    @pytest.mark.parametrize("seed", range(6))
    def test_a_hold_at_the_moment_of_the_release_is_before_or_after_it(self, aws, seed):
        complete(a_sale(terms()))
        refused = interleave([service.release_due_shares, hold], seed)[1]
        if refused is None:
            assert money_of() == {"pending": 22_054}
            assert share_of().holds
        else:
            assert isinstance(refused, AlreadyReleased)
            assert money_of() == {"payable": 22_054}

    def test_an_artisan_on_hold_is_neither_released_nor_paid(self, aws, pump):
        a_payable_artisan(WHO, 30_000)
        complete()
        placed = holds.hold_artisan(WHO, "the police asked", "op-1", "k")
        assert service.release_due_shares() == 0
        assert shown() == [("pending", 22_054, "operator_hold")]
        assert payouts.draft_batch("op-1", "a").skipped == {WHO: "operator_hold"}
        holds.lift(placed.hold_id, "op-1", "nothing found")
        pump.drain()
        service.release_due_shares()
        assert payouts.draft_batch("op-1", "b").total.amount_minor == 30_000 + 22_054

    def test_a_payout_that_is_reserved_when_its_artisan_is_held_does_not_leave(self, aws):
        a_payable_artisan(WHO, 30_000)
        batch = payouts.draft_batch("op-1", "a")
        holds.hold_artisan(WHO, "the police asked", "op-1", "k")
        payouts.approve_batch(batch.batch_id, "op-2")
        assert money_of(WHO) == {"payable": 30_000}


class TestReturns:
    def test_while_a_return_is_open_nothing_is_released(self, aws):
        complete(a_sale(terms()))
        service.record_return("prc_a", "ret_a", True)
        assert (service.release_due_shares(), shown("art_a")[0][2]) == (0, "return_open")
        service.record_return("prc_a", "ret_a", False)
        assert service.release_due_shares() == 0  # a refund may follow
        clock.advance(3601)
        assert service.release_due_shares() == 1


class TestParts:
    @pytest.mark.parametrize("seed", range(12))
    def test_in_any_order_of_facts_parts_add_up_and_all_orders_end_alike(self, aws, seed):
        sale = a_sale(terms(), terms("prc_b"))
        dispute = a_dispute(sale, a_portion(9_000))
        refund = a_refund(sale, a_portion(5_000, parcel="prc_b"))
        facts = [
            lambda: service.record_delivery("prc_a", clock.now()),
            lambda: service.record_delivery("prc_b", clock.now()),
            lambda: reconciliation.reconcile(a_file([file_line(sale, 875)]), "cmi", "standard"),
            lambda: service.record_dispute(dispute, Stage.TAKEN),
            lambda: service.record_dispute(dispute, Stage.GIVEN_BACK),
            lambda: service.record_refund(refund, Stage.TAKEN),
            lambda: service.record_return("prc_b", "ret_b", False),
            lambda: service.record_return("prc_b", "ret_b", True),
            lambda: holds.lift(hold().hold_id, "op", "ok"),
        ]  # fmt: skip
        order = random.Random(seed)
        order.shuffle(facts)
        service.settle_payment(sale)
        for fact in facts:
            fact()
            balances = service.balances("art_a")
            parts = shown("art_a", page=1)
            for state in ("pending", "held"):
                added = sum(minor for each, minor, _ in parts if each == state)
                assert added == balances[state].amount_minor
        for _ in range(2):
            clock.advance(HOLD_OVER)
            service.release_due_shares()
        left = sum(share_of(one).left.parts.artisan_minor for one in ("prc_a", "prc_b"))
        assert (money_of(), shown("art_a")) == ({"payable": left}, [])

    def test_what_is_disputed_after_its_release_is_shown_as_held_until_it_ends(self, aws):
        sale = a_sale(terms())
        service.settle_payment(sale)
        release(sale)
        service.record_dispute(a_dispute(sale), Stage.TAKEN)
        assert shown("art_a") == [("held", 22_054, "disputed")]
        service.record_dispute(a_dispute(sale), Stage.GONE)
        assert shown("art_a") == []

    def test_what_is_sold_in_person_is_released_at_once_on_confirmation(self, aws):
        sale = a_sale(terms(hold_days=0))
        service.settle_payment(sale)
        assert shown("art_a") == [("pending", 22_054, "money_not_confirmed")]
        reconciliation.reconcile(a_file([file_line(sale)]), "cmi", "standard")
        assert (service.release_due_shares(), money_of()) == (1, {"payable": 22_054})

    def test_the_balance_shows_them_with_who_lifts_them(self, api):
        service.settle_payment(SALE)
        found = api.get("/v1/me/balance", token=api.artisan).json
        (part,) = found["parts"]
        assert (found["more"], part["amount"], part["reason"], part["lifted_by"]) == (
            False,
            found["pending"],
            "not_delivered",
            ["buyer", "carrier", "artisan"],
        )
        assert api.get("/v1/me/balance/parts", token=api.artisan).json["data"] == [part]


class TestOwed:
    def test_a_payout_takes_half_at_most_and_goes_on_with_the_next(self, aws):
        a_payable_artisan(WHO, 20_000)
        ledger.post(_owing(25_000))
        assert payouts.draft_batch("op-1", "a").total.amount_minor == 10_000
        assert money_of(WHO) == {"owed": 15_000}
        give_payable(WHO, 40_000, "sold")
        assert payouts.draft_batch("op-1", "b").total.amount_minor == 25_000
        assert money_of(WHO) == {}

    def test_a_repeat_takes_nothing_more(self, aws):
        a_payable_artisan(WHO, 20_000)
        ledger.post(_owing(25_000))
        assert service.recover("pbt", WHO) == service.recover("pbt", WHO)
        assert money_of(WHO) == {"owed": 15_000, "payable": 10_000}

    def test_a_payout_that_the_artisan_asks_for_takes_all(self, aws):
        a_payable_artisan(WHO, 20_000)
        ledger.post(_owing(15_000))
        assert payouts.request_payout(WHO, "k").amount.amount_minor == 5_000
        assert money_of(WHO) == {}

    def test_operators_see_who_owes_and_write_it_off(self, api):
        ledger.post(_owing(15_000))
        (row,) = api.get("/v1/operator/receivables", token=api.operator).json["data"]
        assert (row["artisan_id"], row["owed"]["amount_minor"]) == (WHO, 15_000)
        assert row["since"] is not None
        path, options = f"/v1/operator/artisans/{WHO}/write-offs", {"token": api.operator}
        body = {"amount": {"amount_minor": 15_001, "currency": "MAD"}, "reason": "gone"}
        refused = api.post(path, body, headers={"Idempotency-Key": "w-1"}, **options)
        assert (refused.status, refused.json["code"]) == (409, "more_than_owed")
        body["amount"]["amount_minor"] = 6_000
        for _ in range(2):
            done = api.post(path, body, headers={"Idempotency-Key": "w-2"}, **options)
            assert (done.status, done.json["status"]) == (201, "posted")
        assert money_of(WHO) == {"owed": 9_000}
        assert ledger.check().holds
        assert [one["reason"] for one in api.get(path, **options).json["data"]] == ["gone"]

    def test_a_large_one_takes_two_operators(self, api):
        ledger.post(_owing(500_000))
        path = f"/v1/operator/artisans/{WHO}/write-offs"
        body = {"amount": {"amount_minor": 400_000, "currency": "MAD"}, "reason": "gone"}
        drafted = api.post(path, body, headers={"Idempotency-Key": "w"}, token=api.operator).json
        assert (drafted["status"], money_of(WHO)) == ("awaiting_approval", {"owed": 500_000})
        approve = f"{path}/{drafted['id']}/approve"
        own = api.post(approve, {}, token=api.operator)
        assert (own.status, own.json.get("code")) == (403, "another_operator")
        for _ in range(2):
            other = api.post(approve, {}, token=api.token("op-2", "operators"))
            assert (other.status, other.json["status"]) == (200, "posted")
        assert money_of(WHO) == {"owed": 100_000}


class TestTold:
    def test_nothing_of_an_artisans_money_moves_in_silence(self, aws, pump):
        a_payable_artisan(WHO, 1_000)
        service.settle_payment(SALE)
        release(SALE)
        service.record_refund(a_refund(SALE, a_portion(10_000)), Stage.TAKEN)
        pump.drain()
        told = {row.kind: row.params.as_dict() for row in NotificationTable.scan()}
        assert {kind: params["amount_minor"] for kind, params in told.items()} == {
            "money_released": 22_054,
            "money_owed": 8_825,
            "money_recovered": 8_825,
        }

    def test_a_payout_is_told_when_it_is_paid(self, aws, pump):

        a_payable_artisan(WHO, 20_000)
        batch = payouts.draft_batch("op-1", "a")
        payouts.approve_batch(batch.batch_id, "op-2")
        payouts.submit_batch(batch.batch_id, "op-2")
        (payout,) = payouts.batch(batch.batch_id)[1]
        payouts.record_report(a_report(payout.payout_id, minor=20_000))
        pump.drain()
        assert [(row.kind, row.params["amount_minor"]) for row in NotificationTable.scan()] == [
            ("payout_paid", 20_000)
        ]


def _owing(minor):
    postings = tuple(posting(f"artisan_receivable:{WHO}", "refund_payable", minor))
    return Entry(f"refund:{WHO}", "refund", postings, clock.now(), {})
