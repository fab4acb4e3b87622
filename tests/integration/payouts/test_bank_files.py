"""A bank's reports read back: paid, rejected, returned days later; in any order, once (P6, P7)."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import DestinationKind
from chalicelib.ledger import service as ledger
from chalicelib.payouts import bank_file_tables, bank_reports, reserving, service, tables
from chalicelib.payouts.bank_files import BankFile
from chalicelib.payouts.domain import Payout
from chalicelib.payouts.pain001 import file_id
from chalicelib.payouts.tables import PayoutsTable
from chalicelib.settlement.break_tables import BreakTable
from infra.local.bank.payout_magic import RETURNED_AFTER_DAYS
from infra.local.bank.transfers import Transfers
from tests.aws import Api
from tests.factories.artisans import RIB
from tests.factories.bank_reports import a_camt, a_pain002, a_status, an_entry
from tests.factories.payouts import a_payable_artisan, give_payable
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")
XML = {"Content-Type": "application/xml", "Idempotency-Key": "k"}


@pytest.fixture
def payouts(aws) -> list[Payout]:
    """Three bank transfers of a batch that was sent out: 100.00, 200.00 and 300.00."""
    return a_batch(10_000, 20_000, 30_000)


def a_batch(*amounts: int, submitted: bool = True) -> list[Payout]:
    for number, minor in enumerate(amounts):
        a_payable_artisan(f"art_{'abc'[number]}", minor)
    batch = service.draft_batch("op-1", "k")
    service.approve_batch(batch.batch_id, "op-1")
    if submitted:
        service.submit_batch(batch.batch_id, "op-1")
    found = service.batch(batch.batch_id)[1]
    return sorted(found, key=lambda payout: payout.amount.amount_minor)


def own_id(payout: Payout) -> str:
    return file_id(payout.payout_id)


def debit(payout: Payout, minor: int | None = None) -> bytes:
    reference = f"D{payout.payout_id[4:14]}"
    minor = payout.amount.amount_minor if minor is None else minor
    return a_camt(an_entry(minor, end_to_end=own_id(payout), reference=reference))


def came_back(payout: Payout) -> bytes:
    minor, reference = payout.amount.amount_minor, f"R{payout.payout_id[4:14]}"
    back = an_entry(minor, "CRDT", end_to_end=own_id(payout), returned="AC04", reference=reference)
    return a_camt(back)


def says(payout: Payout, status: str, **changes: Any) -> bytes:
    minor = changes.get("minor", payout.amount.amount_minor)
    return a_pain002(a_status(own_id(payout), status, minor, changes.get("reason", "")))


def whole(payouts: list[Payout], minor: int, block: str = "") -> bytes:
    own = file_id(payouts[0].batch_id)
    names = f"<MsgId>{own}</MsgId>" + (f"<PmtInfId>{own}-{block}</PmtInfId>" if block else "")
    return a_camt(an_entry(minor, details=f"<NtryDtls><Btch>{names}</Btch></NtryDtls>"))


def results(found: BankFile) -> list[tuple[str, str | None]]:
    return [(one.result, one.detail) for one in bank_file_tables.lines_of(found.file_id)]


def take(content: bytes) -> list[tuple[str, str | None]]:
    return results(bank_reports.take(content))


def statuses(payouts: list[Payout]) -> list[str]:
    return [tables.find_payout(one.payout_id).status for one in payouts]


def money(artisan_id: str = "art_a") -> tuple[int, ...]:
    found = service.balance_of(artisan_id)
    return tuple(found[name].amount_minor for name in ("payable", "in_payout", "paid_out"))


def breaks() -> list[tuple[str, str, str]]:
    return sorted((row.kind, row.reference or "", row.status) for row in BreakTable.scan())


class TestOnePayout:
    def test_what_is_settled_is_paid(self, payouts):
        assert take(says(payouts[0], "ACSC")) == [("paid", None)]
        assert (statuses(payouts)[0], money()) == ("paid", (0, 0, 10_000))

    def test_a_debit_of_the_account_is_paid(self, payouts):
        assert take(debit(payouts[0])) == [("paid", None)]
        assert (statuses(payouts)[0], money()) == ("paid", (0, 0, 10_000))

    @pytest.mark.parametrize("status", ["ACCP", "ACSP", "PDNG", "ACTC", "XXXX"])
    def test_what_is_on_its_way_moves_nothing(self, payouts, status):
        assert take(says(payouts[0], status)) == [("noted", status)]
        assert (statuses(payouts)[0], money()) == ("submitted", (0, 10_000, 0))

    def test_P4_what_is_rejected_is_payable_again(self, payouts):
        assert take(says(payouts[0], "RJCT", reason="AC01")) == [("failed", None)]
        assert money() == (10_000, 0, 0)
        assert tables.find_payout(payouts[0].payout_id).reason == "AC01"

    def test_P4_what_comes_back_days_later_is_payable_again(self, payouts):
        take(debit(payouts[0]))
        clock.advance(5 * 24 * 3600)
        assert take(came_back(payouts[0])) == [("returned", None)]
        assert money() == (10_000, 0, 0)
        assert breaks() == [("payout_returned", payouts[0].payout_id, "open")]
        names = [f"payout:{payouts[0].payout_id}:{how}" for how in ("paid", "returned")]
        assert all(ledger.stands(name) for name in names)
        assert ledger.check().holds

    def test_a_return_that_names_our_id_elsewhere_is_one(self, payouts):
        details = f"<NtryRef>{own_id(payouts[0])}</NtryRef>"
        assert take(a_camt(an_entry(10_000, "CRDT", details=details))) == [("returned", None)]

    def test_ids_are_read_in_any_case(self, payouts):
        assert take(says(payouts[0], "ACSC").replace(b"pot-", b"POT-")) == [("paid", None)]

    @pytest.mark.parametrize("minor", [9_999, 10_001])
    def test_another_amount_is_parked_and_nothing_is_posted(self, payouts, minor):
        assert take(debit(payouts[0], minor)) == [("unmatched", "amount_differs")]
        assert money() == (0, 10_000, 0)
        assert breaks() == [("payout_unmatched", payouts[0].payout_id, "open")]

    def test_another_currency_is_another_amount(self, payouts):
        euros = debit(payouts[0]).replace(b'"MAD"', b'"EUR"')
        assert take(euros) == [("unmatched", "amount_differs")]
        assert money() == (0, 10_000, 0)

    def test_an_id_that_is_not_ours_is_parked(self, payouts):
        unknown = a_camt(an_entry(500, end_to_end="pot-" + "a" * 24))
        assert take(unknown) == [("unmatched", "unknown_payout")]
        assert take(a_camt(an_entry(501))) == [("unmatched", "names_no_payout")]
        assert [kind for kind, *_ in breaks()] == ["payout_unmatched"] * 2

    def test_what_contradicts_is_parked(self, payouts):
        take(says(payouts[0], "RJCT"))
        assert take(debit(payouts[0])) == [("unmatched", "contradicts_failed")]
        assert money() == (10_000, 0, 0)

    def test_a_credit_that_is_no_return_touches_no_payout(self, payouts):
        assert take(a_camt(an_entry(10_000, "CRDT"))) == [("credit", None)]
        assert [kind for kind, *_ in breaks()] == ["unknown_bank_credit"]

    def test_a_report_before_the_batch_is_sent_out_waits_for_it(self, aws):
        payouts = a_batch(10_000, submitted=False)
        found = bank_reports.take(debit(payouts[0]))
        assert results(found) == [("waiting", "not_submitted")]
        service.submit_batch(payouts[0].batch_id, "op-1")
        clock.advance(180)
        service.sweep()
        assert results(found) == [("paid", None)]
        clock.advance(180)
        assert list(bank_file_tables.due()) == []


ENDS = {
    "paid": (("ACCP", "ACSC", "debit"), "paid", (0, 0, 10_000)),
    "returned": (("ACSP", "ACSC", "debit", "return"), "returned", (10_000, 0, 0)),
    "rejected": (("PDNG", "ACCP", "RJCT"), "failed", (10_000, 0, 0)),
}


@pytest.mark.parametrize("name", ENDS)
def test_P7_reports_in_any_order_and_repeated_end_alike(aws, name):
    told, status, expected = ENDS[name]
    orders = list(permutations(told))[:: 2 if len(told) == 3 else 5]
    a_payable_artisan("art_a", 10_000)
    for number, order in enumerate(orders):
        batch = service.draft_batch("op-1", f"k{number}")
        [payout] = service.batch(batch.batch_id)[1]
        service.approve_batch(batch.batch_id, "op-1")
        service.submit_batch(batch.batch_id, "op-1")
        for one in (*order, order[0]):
            reports = {"debit": debit, "return": came_back}
            take(reports[one](payout) if one in reports else says(payout, one))
        assert tables.find_payout(payout.payout_id).status == status, order
        payable, in_payout, paid_out = money()
        assert (payable, in_payout) == expected[:2], order
        assert paid_out == expected[2] * (number + 1), order
        if not payable:
            give_payable("art_a", 10_000, f"g{number}")
        reserving.confirm_destination("art_a")
    assert ledger.check().holds


class TestWholeFiles:
    def test_one_debit_of_the_whole_file_pays_all_its_lines(self, payouts):
        assert take(whole(payouts, 60_000)) == [("paid", "whole_file")]
        assert statuses(payouts) == ["paid"] * 3

    def test_a_debit_of_a_block_pays_its_lines(self, aws, monkeypatch):
        monkeypatch.setenv("MAALEM_PAYOUT_LINES_PER_BLOCK", "2")
        from chalicelib.config import settings

        settings.cache_clear()
        payouts = a_batch(10_000, 20_000, 30_000)
        in_file = sorted(payouts, key=lambda payout: payout.payout_id)
        total = sum(payout.amount.amount_minor for payout in in_file[:2])
        assert take(whole(payouts, in_file[2].amount.amount_minor, "2")) == [("paid", "whole_file")]
        assert statuses(in_file) == ["submitted", "submitted", "paid"]
        assert take(whole(payouts, total, "1")) == [("paid", "whole_file")]
        assert statuses(in_file) == ["paid"] * 3

    def test_another_sum_is_parked_and_nothing_is_posted(self, payouts):
        assert take(whole(payouts, 59_999)) == [("unmatched", "sum_differs")]
        assert statuses(payouts) == ["submitted"] * 3
        assert breaks() == [("payout_unmatched", payouts[0].batch_id, "open")]

    @pytest.mark.parametrize("rejected_first", [True, False])
    def test_P7_a_debit_without_what_was_rejected_ends_alike(self, payouts, rejected_first):
        reports = [says(payouts[0], "RJCT"), whole(payouts, 50_000)]
        for content in reports if rejected_first else reversed(reports):
            take(content)
        clock.advance(180)
        service.sweep()
        assert statuses(payouts) == ["failed", "paid", "paid"]
        assert money() == (10_000, 0, 0)
        assert [status for *_, status in breaks()] in ([], ["resolved"])
        clock.advance(180)
        assert list(bank_file_tables.due()) == []

    def test_a_file_that_is_rejected_as_a_whole_is_payable_again(self, payouts):
        content = a_pain002(message_id=file_id(payouts[0].batch_id), group="RJCT")
        assert take(content) == [("failed", "whole_file")]
        assert statuses(payouts) == ["failed"] * 3
        assert money() == (10_000, 0, 0)

    def test_a_file_of_nobody_is_parked(self, payouts):
        content = whole(payouts, 60_000).replace(b"pbt-", b"pbx-")
        assert take(content) == [("unmatched", "names_no_payout")]
        none = whole(payouts, 60_000).replace(
            file_id(payouts[0].batch_id).encode(), b"pbt-" + b"a" * 24
        )
        assert take(none) == [("unmatched", "no_such_batch")]

    @pytest.mark.parametrize("in_one", [True, False])
    def test_P6_a_long_report_goes_on_through_the_queue(self, payouts, monkeypatch, in_one):
        monkeypatch.setattr(bank_reports, "AT_ONCE", 1)
        if in_one:
            content = whole(payouts, 60_000)
        else:
            content = a_pain002(*(a_status(own_id(each), "ACSC", None) for each in payouts))
        found = bank_reports.take(content)
        assert statuses(payouts).count("paid") == 1
        # Its messages are lost; the sweep finds it.
        for _ in range(3):
            clock.advance(180)
            service.sweep()
        assert statuses(payouts) == ["paid"] * 3
        assert {result for result, _ in results(found)} == {"paid"}
        clock.advance(180)
        assert list(bank_file_tables.due()) == []


class TestDestinations:
    def returned(self, payout: Payout) -> None:
        take(debit(payout))
        take(came_back(payout))

    def skipped(self, key: str) -> dict[str, str]:
        return dict(service.draft_batch("op-1", key).skipped or {})

    def test_P4_the_next_batches_skip_a_destination_that_failed(self, payouts):
        self.returned(payouts[0])
        assert self.skipped("next") == {"art_a": "destination_returned"}
        assert money() == (10_000, 0, 0)

    def test_it_is_paid_to_again_once_its_artisan_confirms_it(self, payouts):
        self.returned(payouts[0])
        reserving.confirm_destination("art_a")
        assert self.skipped("next") == {}
        assert money() == (0, 10_000, 0)

    def test_it_is_bad_again_when_the_next_comes_back(self, payouts):
        self.returned(payouts[0])
        reserving.confirm_destination("art_a")
        clock.advance(60)
        batch = service.draft_batch("op-1", "next")
        service.approve_batch(batch.batch_id, "op-1")
        service.submit_batch(batch.batch_id, "op-1")
        self.returned(service.batch(batch.batch_id)[1][0])
        assert self.skipped("third") == {"art_a": "destination_returned"}

    def test_another_destination_is_paid_to_once_it_may_be(self, payouts):
        self.returned(payouts[0])
        artisans.set_payout_destination("art_a", DestinationKind.WALLET, "+212612345678")
        assert self.skipped("held") == {"art_a": "destination_returned"}
        clock.advance(int(timedelta(hours=73).total_seconds()))
        assert self.skipped("later") == {}

    def test_a_batch_drafted_before_does_not_pay_to_it(self, payouts):
        give_payable("art_a", 7_000, "more")
        batch = service.draft_batch("op-1", "next")
        self.returned(payouts[0])
        service.approve_batch(batch.batch_id, "op-1")
        [payout] = service.batch(batch.batch_id)[1]
        assert (payout.status, payout.reason) == ("cancelled", "destination_returned")


class TestRoutes:
    def post(self, api: Api, content: bytes, key: str = "k") -> Any:
        headers = XML | {"Idempotency-Key": key}
        path = "/v1/operator/bank-files"
        return api.post(path, content, headers=headers, token=api.operator)

    def test_the_same_file_twice_is_once(self, api, payouts):
        content = a_camt(*(_entry_of(each) for each in payouts))
        first, second = self.post(api, content), self.post(api, content, "other")
        assert (first.status, first.json) == (201, second.json)
        assert first.json["counts"] == {"paid": 3}
        assert [line["result"] for line in first.json["lines"]] == ["paid"] * 3
        path = f"/v1/operator/bank-files/{first.json['id']}"
        assert api.get(path, token=api.operator).json == first.json
        page = api.get(f"{path}/lines?limit=2", token=api.operator).json
        assert [line["number"] for line in page["data"]] == [1, 2]
        rest = api.get(f"{path}/lines?cursor={page['next_cursor']}", token=api.operator).json
        assert [line["number"] for line in rest["data"]] == [3]

    @pytest.mark.parametrize(
        "content", [b"", b"<x/>", b"<!DOCTYPE a><Document/>", b"\xff\xfe", b"<Document/>"]
    )
    def test_P13_what_cannot_be_read_is_refused(self, api, content):
        answered = self.post(api, content)
        assert (answered.status, answered.json["code"]) == (422, "bank_file_unreadable")

    def test_P14_a_file_that_is_not_there_is_not_found(self, api):
        for path in ("", "/lines"):
            address = f"/v1/operator/bank-files/bnk_none{path}"
            assert api.get(address, token=api.operator).json["code"] == "unknown_bank_file"

    def test_P15_no_account_number_is_kept_or_answered(self, api, payouts):
        details = f"<AddtlNtryInf>Fatima {RIB}</AddtlNtryInf>"
        answered = self.post(api, a_camt(an_entry(500, details=details)))
        credit = self.post(api, a_camt(an_entry(501, "CRDT", details=details)), "credit")
        for answer in (answered, credit):
            kept = [row.serialize() for row in PayoutsTable.query(answer.json["id"])]
            assert RIB not in answer.text + repr(kept)
            assert "Fatima" not in answer.text + repr(kept)

    def test_an_artisan_confirms_their_destination(self, api):
        answered = api.post("/v1/me/payout-destination/confirm", {}, token=api.artisan)
        assert (answered.status, answered.json["payable"]["amount_minor"]) == (200, 0)


def _entry_of(payout: Payout) -> str:
    reference = f"D{payout.payout_id[4:14]}"
    return an_entry(payout.amount.amount_minor, end_to_end=own_id(payout), reference=reference)


@pytest.mark.parametrize("in_one", [True, False])
def test_the_sandbox_bank_carries_a_file_out_and_reports_it(aws, in_one):
    payouts = a_batch(10_071, 10_072, 10_076)
    bank, today = Transfers(), clock.now().date()
    sent = service.rail_file(payouts[0].batch_id, "bank_account").content.encode()
    transfers = bank.submit(sent, today)
    assert bank.submit(sent, today) == transfers
    take(bank.status_report(transfers[0].message_id))
    assert statuses(payouts) == ["submitted", "failed", "submitted"]
    take(bank.statement(today, in_one=in_one))
    assert statuses(payouts) == ["paid", "failed", "paid"]
    take(bank.statement(today + timedelta(days=RETURNED_AFTER_DAYS), in_one=in_one))
    assert statuses(payouts) == ["paid", "failed", "returned"]
    assert ledger.check().holds
