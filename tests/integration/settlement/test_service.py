"""Settling, releasing and reconciling against a database."""

import pytest

from chalicelib import clock
from chalicelib.edge import queues
from chalicelib.errors import MarketplaceError
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import CompanionRefused, EntryMismatch
from chalicelib.settlement import reconciliation, service, tables
from chalicelib.settlement.domain import ShareStatus
from chalicelib.settlement.provider_files import LineResult
from tests.aws import both_databases
from tests.factories.faults import Calls, calls_through
from tests.factories.settlement import (
    a_file,
    a_payment_id,
    a_sale,
    captured_message,
    file_line,
    terms,
)

DAY = 24 * 3600
CSV = {"Content-Type": "text/csv", "Idempotency-Key": "file-1"}


def balances(artisan="art_a"):
    found = service.balances(artisan)
    return found["pending"].amount_minor, found["payable"].amount_minor


def results(lines):
    return [(judged.number, judged.result) for judged in lines]


def confirm(*sales):
    return reconciliation.reconcile(a_file([file_line(sale) for sale in sales]), "cmi", "standard")


@both_databases
class TestSettling:
    def test_each_artisan_gets_their_part(self, aws):
        service.settle_payment(
            a_sale(terms(), terms("prc_b", "art_b", goods_minor=10_000, shipping_minor=2_000))
        )
        assert balances("art_a") == (22_054, 0)
        # 120.00 less commission on goods (10.00) and fee (2.10)
        assert balances("art_b") == (10_790, 0)
        assert ledger.check().holds

    def test_P7_a_repeat_settles_nothing_again(self, aws):
        service.settle_payment(a_sale())
        service.settle_payment(a_sale())
        assert balances() == (22_054, 0)

    def test_other_terms_under_the_same_payment_are_refused(self, aws):
        service.settle_payment(a_sale())
        with pytest.raises(EntryMismatch):
            service.settle_payment(a_sale(terms(commission_bp=900)))

    def test_P2_a_parcel_is_settled_by_one_payment_only(self, aws):
        service.settle_payment(a_sale())
        with pytest.raises(CompanionRefused):
            service.settle_payment(a_sale(payment_id=a_payment_id("two")))
        assert balances() == (22_054, 0)

    def test_one_sale_takes_two_round_trips(self, aws):
        calls = Calls()
        with calls_through(calls.make):
            service.settle_payment(a_sale(terms(), terms("prc_b", "art_b")))
        assert calls.names == ["TransactWriteItems", "BatchGetItem"]


@both_databases
class TestReleasing:
    def test_what_is_delivered_and_confirmed_is_released_after_the_hold(self, aws):
        sale = a_sale()
        service.settle_payment(sale)
        service.record_delivery("prc_a", clock.now())
        confirm(sale)
        clock.advance(14 * DAY - 60)
        assert (service.release_due_shares(), balances()) == (0, (22_054, 0))
        clock.advance(61)
        assert (service.release_due_shares(), balances()) == (1, (0, 22_054))
        assert service.release_due_shares() == 0

    @pytest.mark.parametrize("missing", ["delivery", "confirmation"])
    def test_P4_nothing_is_released_without_delivery_and_confirmation(self, aws, missing):
        sale = a_sale()
        service.settle_payment(sale)
        if missing == "confirmation":
            service.record_delivery("prc_a", clock.now())
        else:
            confirm(sale)
        clock.advance(100 * DAY)
        assert (service.release_due_shares(), balances()) == (0, (22_054, 0))

    def test_what_was_handed_over_is_released_as_soon_as_it_is_confirmed(self, aws):
        sale = a_sale(terms(hold_days=0))
        service.settle_payment(sale)
        assert service.release_due_shares() == 0
        confirm(sale)
        assert (service.release_due_shares(), balances()) == (1, (0, 22_054))

    def test_a_share_whose_artisan_gets_nothing_comes_to_rest(self, aws):
        sale = a_sale(terms(commission_bp=10_000, fee_bp=0))
        service.settle_payment(sale)
        service.record_delivery("prc_a", clock.now())
        reconciliation.reconcile(a_file([file_line(sale, fee_minor=0)]), "cmi", "standard")
        clock.advance(15 * DAY)
        assert service.release_due_shares() == 1
        _, [share] = tables.payments_and_shares([], ["prc_a"])
        assert share.status is ShareStatus.RELEASED

    def test_a_share_the_index_shows_as_it_was_is_left_alone(self, aws, monkeypatch):
        # Stands in for an index that lags: one share pays its artisan nothing, the other something.
        sale = a_sale(terms(commission_bp=10_000, fee_bp=0), terms("prc_b", "art_b", fee_bp=0))
        service.settle_payment(sale)
        for parcel in ("prc_a", "prc_b"):
            service.record_delivery(parcel, clock.now())
        reconciliation.reconcile(a_file([file_line(sale, fee_minor=0)]), "cmi", "standard")
        clock.advance(15 * DAY)
        seen = tables.due_shares()
        assert service.release_due_shares() == 2
        monkeypatch.setattr(tables, "due_shares", lambda: seen)
        assert service.release_due_shares() == 0


@both_databases
class TestReconciling:
    def test_lines_end_with_their_results(self, aws):
        sale, other = a_sale(), a_sale(terms("prc_b"), payment_id=a_payment_id("two"))
        service.settle_payment(sale)
        service.settle_payment(other)
        lines = [
            file_line(sale),
            "broken",
            file_line(other, gross="1.00", fee="0", net="1.00"),
            file_line(sale),
            file_line(a_sale(payment_id=a_payment_id("unheard"))),
        ]
        _, judged = reconciliation.reconcile(a_file(lines), "cmi", "standard")
        assert results(judged) == [
            (1, LineResult.MATCHED),
            (2, LineResult.UNREADABLE),
            (3, LineResult.AMOUNT_DIFF),
            (4, LineResult.DUPLICATE),
            (5, LineResult.MISSING_IN_LEDGER),
        ]
        assert ledger.statement("bank:main", 9, None).balance.amount_minor == 24_553

    def test_P7_the_same_file_twice_is_once(self, aws):
        sale = a_sale()
        service.settle_payment(sale)
        assert confirm(sale) == confirm(sale)
        assert ledger.check().entry_count == 2

    def test_P7_the_same_line_in_two_files_is_once(self, aws):
        sale = a_sale()
        service.settle_payment(sale)
        confirm(sale)
        longer = a_file([file_line(sale), "x"])
        _, judged = reconciliation.reconcile(longer, "cmi", "standard")
        assert results(judged)[0] == (1, LineResult.DUPLICATE)
        assert ledger.check().entry_count == 2

    def test_P7_a_line_that_came_before_its_sale_is_matched_by_it(self, aws):
        sale = a_sale()
        found, judged = confirm(sale)
        assert results(judged) == [(1, LineResult.MISSING_IN_LEDGER)]
        service.settle_payment(sale)
        assert results(reconciliation.reconciliation(found.file_id)[1]) == [(1, LineResult.MATCHED)]
        assert ledger.statement("psp_clearing:cmi", 9, None).balance.amount_minor == 0


class TestRoutes:
    def test_a_file_is_taken_and_shown_again(self, api):
        service.settle_payment(a_sale())
        content = a_file([file_line(a_sale())])
        path = "/v1/operator/reconciliations"
        taken = api.post(f"{path}?provider=cmi", content, token=api.operator, headers=CSV)
        assert (taken.status, taken.json["counts"]) == (201, {"matched": 1})
        again = api.post(f"{path}?provider=cmi", content, token=api.operator, headers=CSV)
        assert (again.json, again.headers["idempotent-replayed"]) == (taken.json, "true")
        shown = api.get(f"{path}/{taken.json['id']}", token=api.operator)
        assert shown.json == taken.json

    @pytest.mark.parametrize(
        ("content", "query", "status", "code"),
        [
            (b"", "?provider=cmi", 422, "file_unreadable"),
            (b"x", "?provider=paypal", 422, "invalid_fields"),
            (b"x", "", 422, "invalid_fields"),
            (a_file(["x"] * 20_001), "?provider=cmi", 413, "file_too_long"),
        ],
    )
    def test_a_file_that_cannot_be_taken_is_refused(self, api, content, query, status, code):
        path = f"/v1/operator/reconciliations{query}"
        refused = api.post(path, content, token=api.operator, headers=CSV)
        assert (refused.status, refused.json["code"]) == (status, code)

    def test_a_reconciliation_nobody_made_is_not_found(self, api):
        shown = api.get("/v1/operator/reconciliations/rec_x", token=api.operator)
        assert (shown.status, shown.json["code"]) == (404, "unknown_reconciliation")

    def test_a_statement_of_pending_money(self, api):
        from chalicelib.edge.auth import artisan_id_of
        from infra.local.identity import ARTISAN_SUBJECT

        service.settle_payment(a_sale(terms(artisan=artisan_id_of(ARTISAN_SUBJECT))))
        shown = api.get("/v1/me/statements?account=pending", token=api.artisan).json
        assert [(line["reason"], line["amount"]["amount_minor"]) for line in shown["data"]] == [
            ("sale", 22_054)
        ]


class TestMessages:
    def test_P9_a_payment_that_does_not_add_up_is_buried_and_keeps_no_other_back(self, api, pump):
        bad = captured_message(a_sale()).model_copy(update={"amount_minor": 1})
        queues.send("settlement", bad)
        queues.send("settlement", captured_message(a_sale()))
        pump.drain()
        assert balances() == (22_054, 0)

    def test_a_confirmation_is_told_to_payments(self, api, pump, monkeypatch):
        told = []
        monkeypatch.setattr(queues, "send", lambda queue, message: told.append((queue, message)))
        sale = a_sale()
        service.settle_payment(sale)
        confirm(sale)
        pump.drain()
        [(queue, message)] = told
        assert (queue, message.payment_id, message.amount_minor) == (
            "payments",
            sale.payment_id,
            24_990,
        )


def test_an_error_of_one_share_keeps_no_other_back(aws, monkeypatch):
    sale = a_sale(terms(), terms("prc_b", "art_b"))
    service.settle_payment(sale)
    for parcel in ("prc_a", "prc_b"):
        service.record_delivery(parcel, clock.now())
    reconciliation.reconcile(a_file([file_line(sale, 875)]), "cmi", "standard")
    clock.advance(15 * DAY)
    post = ledger.post_once

    def failing(entry, also):
        if entry.entry_id == "release:prc_a":
            raise MarketplaceError("no")
        return post(entry, also)

    monkeypatch.setattr(ledger, "post_once", failing)
    assert service.release_due_shares() == 1
    monkeypatch.undo()
    clock.advance(3601)
    assert service.release_due_shares() == 1
