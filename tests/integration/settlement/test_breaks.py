"""Breaks: found once, aged, and resolved once, by a new entry or by what cured them."""

from datetime import timedelta

import pytest

from chalicelib import clock
from chalicelib.ledger import service as ledger
from chalicelib.money import Money
from chalicelib.settlement import breaks, payment_tables, reconciliation, service, tables
from chalicelib.settlement.break_domain import (
    Break,
    BreakKind,
    BreakResolved,
    BreakStatus,
    Decision,
    Resolution,
    ResolutionNotAllowed,
    WriteOffTooLarge,
)
from chalicelib.settlement.provider_files import LineResult
from chalicelib.settlement.reversals import Stage
from tests.aws import both_databases
from tests.factories.settlement import (
    a_file,
    a_payment_id,
    a_refund,
    a_sale,
    file_line,
    terms,
)
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")


DAY = 24 * 3600
CMI_HEAD = (
    "Numero commande;Reference transaction;Montant brut;Commission HT;TVA commission;Montant net;"
    "Devise;Date reglement;Type operation;Numero remise"
)
LATER = {"provider_reference": "T-second"}


def cmi_line(sale, kind="achat", gross="249,90", fee="3,64", vat="0,73", net="245,53", ref="T-1"):
    return f"{sale.payment_id};{ref};{gross};{fee};{vat};{net};504;15/06/2026;{kind};R-1"


def take(*lines, head=None, profile="standard", provider="cmi"):
    content = a_file(lines) if head is None else a_file(lines, head)
    return reconciliation.reconcile(content, provider, profile)[1]


def opened(status=BreakStatus.OPEN, kind=None) -> list[Break]:
    return breaks.listed(status, kind, None, 100, None)[0]


def kinds(status=BreakStatus.OPEN):
    return sorted(found.kind for found in opened(status))


def balance(account):
    return ledger.statement(account, 9, None).balance.amount_minor


def settled(*names, **changes):
    sales = [
        a_sale(terms(f"prc_{name}"), payment_id=a_payment_id(name), **changes) for name in names
    ]
    for sale in sales:
        service.settle_payment(sale)
    return sales


def decide(found: Break, resolution: Resolution, event_id=None, by="op_1", note="looked at"):
    return breaks.resolve(found.break_id, Decision(resolution, by, note, event_id))


@both_databases
class TestOpening:
    def test_each_line_that_does_not_fit_is_a_break_of_its_kind(self, aws):
        good, short, twice, dear = settled("good", "short", "twice", "dear")
        unheard = a_sale(payment_id=a_payment_id("unheard"))
        take(
            file_line(good),
            file_line(short, gross="249.00", net="244.63"),
            file_line(twice),
            file_line(twice),
            file_line(dear, 900),
            file_line(unheard),
            "broken",
        )
        found = {one.kind: one for one in opened()}
        assert set(found) == {"amount_diff", "duplicate", "fee_diff", "missing_in_ledger"}
        assert len(opened()) == 4
        assert found["amount_diff"].amount == Money(90)
        assert found["fee_diff"].amount == Money(463)
        assert found["missing_in_ledger"].owner == "payments"
        assert balance("psp_fee_variance") == 463

    def test_P7_the_same_file_and_a_longer_one_open_nothing_again(self, aws):
        [sale] = settled("one")
        take(file_line(sale), file_line(sale, **LATER))
        before = opened()
        take(file_line(sale), file_line(sale, **LATER))
        take(file_line(sale), file_line(sale, **LATER), "x")
        assert opened() == before
        assert kinds() == ["duplicate"]

    def test_a_break_is_opened_once_by_its_id(self, aws):
        for amount in (5_000, 6_000):
            breaks.open_break(
                "payout_unmatched", "brk_x", amount=Money(amount), provider=None, reference="R",
                reason="a debit that is no payout of ours",
            )  # fmt: skip
        [found] = opened()
        assert (found.amount, found.owner) == (Money(5_000), "bank")

    def test_ages_and_overdue_first(self, aws):
        settled_sale = a_sale(payment_id=a_payment_id("late"))
        take(file_line(settled_sale))
        clock.advance(DAY + 1)
        breaks.open_break(
            BreakKind.PAYOUT_RETURNED, "brk_r", amount=Money(1), provider=None, reference=None,
            reason="returned",
        )  # fmt: skip
        assert [one.kind for one in opened()] == ["missing_in_ledger", "payout_returned"]
        assert opened()[0].due_at < clock.now()


@both_databases
class TestCuring:
    def test_a_sale_that_comes_late_cures_its_line(self, aws):
        sale = a_sale()
        take(file_line(sale))
        assert kinds() == ["missing_in_ledger"]
        service.settle_payment(sale)
        assert kinds() == []
        [found] = opened(BreakStatus.RESOLVED)
        assert (found.resolution, found.resolved_by) == ("cured", "by itself")
        assert balance("psp_clearing:cmi") == 0

    def test_a_corrected_line_cures_the_amount(self, aws):
        [sale] = settled("one")
        take(file_line(sale, gross="249.00", net="244.63"))
        take(file_line(sale))
        assert (kinds(), kinds(BreakStatus.RESOLVED)) == ([], ["amount_diff"])

    def test_what_no_file_names_is_missed_and_named_at_last_is_late(self, aws):
        now = clock.now()
        waits, missed = settled("waits", captured_at=now)[0], settled("missed", captured_at=now)[0]
        clock.advance(3 * DAY - 60)
        service.miss_payments()
        assert kinds() == []
        take(file_line(waits))
        clock.advance(61)
        service.miss_payments()
        service.miss_payments()
        assert kinds() == ["missing_in_provider"]
        assert payment_tables.unnamed(9) == []
        take(file_line(missed))
        assert (kinds(), kinds(BreakStatus.RESOLVED)) == ([], ["late", "missing_in_provider"])
        assert balance("psp_clearing:cmi") == 0
        assert ledger.check().holds


@both_databases
class TestResolving:
    def test_a_small_difference_is_posted_and_the_payment_counts_as_paid(self, aws):
        [sale] = settled("one")
        take(file_line(sale, gross="249.00", net="244.63"))
        decide(opened()[0], Resolution.POST_DIFFERENCE)
        assert (kinds(), balance("psp_clearing:cmi")) == ([], 0)
        assert (balance("bank:main"), balance("psp_fee_variance")) == (24_463, 90)
        assert tables.find_payment(sale.payment_id).confirmed_by
        assert ledger.check().holds

    def test_money_that_is_nobodys_is_kept_apart_once(self, aws):
        unheard = a_sale()
        take(file_line(unheard))
        [found] = opened()
        first = decide(found, Resolution.MOVE_TO_UNAPPLIED)
        assert decide(found, Resolution.MOVE_TO_UNAPPLIED) == first
        assert first.event_id == f"break:{found.break_id}"
        assert (balance("unapplied_receipts"), balance("bank:main")) == (24_990, 24_553)
        # The sale comes after all: its money does not count a second time.
        service.settle_payment(unheard)
        assert balance("bank:main") == 24_553
        assert balance("psp_clearing:cmi") == 24_990

    def test_what_is_missed_is_written_off_up_to_the_limit(self, aws):
        small = a_sale(terms(goods_minor=5_000), payment_id=a_payment_id("small"))
        service.settle_payment(small)
        settled("large")
        service.miss_payments()
        large, little = sorted(opened(), key=lambda one: -one.amount.amount_minor)
        with pytest.raises(WriteOffTooLarge):
            decide(large, Resolution.WRITE_OFF)
        decide(little, Resolution.WRITE_OFF)
        assert [one.break_id for one in opened()] == [large.break_id]
        assert balance("psp_clearing:cmi") == 24_990
        take(file_line(small, fee_minor=88))
        assert kinds() == ["duplicate", "missing_in_provider"]

    def test_another_decision_or_another_kinds_is_refused(self, aws):
        take(file_line(a_sale()))
        [found] = opened()
        with pytest.raises(ResolutionNotAllowed):
            decide(found, Resolution.WRITE_OFF)
        decide(found, Resolution.CURED, "case-7")
        with pytest.raises(BreakResolved):
            decide(found, Resolution.MOVE_TO_UNAPPLIED)
        assert balance("unapplied_receipts") == 0


@both_databases
class TestOtherLines:
    def test_refunds_and_fees_of_a_card_file_empty_the_clearing_account(self, aws):
        [sale] = settled("one")
        refund = a_refund(sale)
        service.record_refund(refund, Stage.TAKEN)
        service.record_refund(refund, Stage.GONE)
        lines = [
            cmi_line(sale),
            cmi_line(sale, "remboursement", "-249,90", "0,00", "0,00", "-249,90", ref="T-1"),
            ";F-1;0,00;10,00;2,00;-12,00;MAD;15/06/2026;frais;R-1",
        ]
        judged = take(*lines, head=CMI_HEAD, profile="card_cmi")
        assert [one.result for one in judged] == [LineResult.MATCHED] * 3
        assert balance("psp_clearing:cmi") == 0
        assert balance("bank:main") == 24_553 - 24_990 - 1_200
        assert kinds() == []

    def test_what_is_given_back_without_us_is_a_break_and_posted_when_it_is_explained(self, aws):
        [sale] = settled("one")
        lines = [
            cmi_line(sale),
            cmi_line(sale, "impaye", "-100,00", "0,00", "0,00", "-100,00", ref="T-2"),
        ]
        judged = take(*lines, head=CMI_HEAD, profile="card_cmi")
        assert judged[1].result is LineResult.STATUS_DIFF
        [found] = opened()
        assert (found.kind, found.amount) == ("status_diff", Money(10_000))
        decide(found, Resolution.CURED, "dsp_1")
        assert balance("bank:main") == 24_553 - 10_000

    def test_P7_two_files_give_back_once(self, aws):
        [sale] = settled("one")
        service.record_refund(a_refund(sale), Stage.TAKEN)
        back = cmi_line(sale, "remboursement", "-249,90", "0,00", "0,00", "-249,90", ref="T-9")
        for extra in ((), ("x",)):
            take(cmi_line(sale), back, *extra, head=CMI_HEAD, profile="card_cmi")
        assert balance("bank:main") == 24_553 - 24_990
        assert kinds() == []


class TestRoutes:
    def test_breaks_are_listed_paged_and_resolved_by_key(self, api):
        take(*(file_line(a_sale(payment_id=a_payment_id(str(n)))) for n in range(3)))
        path = "/v1/operator/breaks"
        page = api.get(f"{path}?kind=missing_in_ledger&limit=2", token=api.operator)
        assert (page.status, len(page.json["data"])) == (200, 2)
        cursor = page.json["next_cursor"]
        rest = api.get(f"{path}?kind=missing_in_ledger&limit=2&cursor={cursor}", token=api.operator)
        shown = [*page.json["data"], *rest.json["data"]]
        assert len({one["id"] for one in shown}) == 3
        assert shown[0]["age"] == "D+0"
        headers = {"Idempotency-Key": "resolve-1"}
        body = {"resolution": "cured", "note": "found by hand", "event_id": "case-1"}
        target = f"{path}/{shown[0]['id']}/resolve"
        done = api.post(target, body, token=api.operator, headers=headers)
        assert (done.status, done.json["status"]) == (200, "resolved")
        assert done.json["resolved_by"]
        again = api.post(target, body, token=api.operator, headers=headers)
        assert again.json == done.json
        listed = api.get(f"{path}?status=resolved&provider=cmi", token=api.operator)
        assert [one["id"] for one in listed.json["data"]] == [shown[0]["id"]]

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"resolution": "cured", "note": "because"}, 422, "event_missing"),
            ({"resolution": "shrug", "note": "because"}, 422, "invalid_fields"),
            ({"resolution": "write_off", "note": "because"}, 409, "resolution_not_allowed"),
        ],
    )
    def test_what_cannot_be_decided_is_refused(self, api, body, status, code):
        take(file_line(a_sale()))
        path = f"/v1/operator/breaks/{opened()[0].break_id}/resolve"
        refused = api.post(path, body, token=api.operator, headers={"Idempotency-Key": "k"})
        assert (refused.status, refused.json["code"]) == (status, code)

    def test_what_providers_owe_is_shown_by_age(self, api):
        now = clock.now()
        settled("old", captured_at=now - timedelta(days=2))
        settled("new", captured_at=now)
        settled("missed", captured_at=now - timedelta(days=9))
        service.miss_payments()
        [cmi] = api.get("/v1/operator/clearing", token=api.operator).json["providers"]
        assert {age: one["count"] for age, one in cmi["by_age"].items()} == {"D+0": 1, "D+1": 1}
        assert cmi["missed"]["count"] == 1
