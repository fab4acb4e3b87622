"""Files of more lines than a request can judge: kept, sealed, and taken from the queue."""

import pytest

from chalicelib import clock
from chalicelib.edge import objects
from chalicelib.ledger import service as ledger
from chalicelib.settlement import file_tables, provider_files, reconciliation, service, tables
from tests.aws import both_databases
from tests.factories.settlement import a_file, a_payment_id, a_sale, file_line, terms
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")


CSV = {"Content-Type": "text/csv", "Idempotency-Key": "long-1"}


@pytest.fixture
def long_content(monkeypatch) -> bytes:
    """Nine sales and a file of their lines, of which a request judges four and a half at most."""
    monkeypatch.setattr(provider_files, "LINES_AT_ONCE", 4)
    monkeypatch.setattr(reconciliation, "LINES_AT_ONCE", 4)
    return b""


def the_sales():
    found = [a_sale(terms(f"prc_{n}"), payment_id=a_payment_id(str(n))) for n in range(9)]
    for sale in found:
        service.settle_payment(sale)
    return found


def clearing() -> int:
    return ledger.statement("psp_clearing:cmi", 1, None).balance.amount_minor


@pytest.mark.usefixtures("long_content")
class TestLongFiles:
    def test_it_is_taken_and_judged_by_the_queue(self, api, pump):
        content = a_file([file_line(sale) for sale in the_sales()])
        path = "/v1/operator/reconciliations"
        taken = api.post(f"{path}?provider=cmi", content, token=api.operator, headers=CSV)
        assert (taken.status, taken.json["status"], taken.json["judged_count"]) == (
            202, "in_progress", 0,
        )  # fmt: skip
        kept = objects.read(f"reconciliations/{taken.json['id']}")
        assert a_payment_id("1").encode() not in kept
        pump.drain()
        shown = api.get(f"{path}/{taken.json['id']}", token=api.operator).json
        assert (shown["status"], shown["counts"]) == ("finished", {"matched": 9})
        assert clearing() == 0

    def test_P7_its_messages_in_any_number_take_each_line_once(self, aws):
        content = a_file([file_line(sale) for sale in the_sales()])
        found, _ = reconciliation.reconcile(content, "cmi", "standard")
        for first in (1, 1, 5, 1, 9, 5):
            service.take_lines(found.file_id, first)
        assert ledger.check().entry_count == 18
        assert clearing() == 0

    def test_P11_what_a_lost_message_left_is_gone_on_with(self, aws, pump):
        content = a_file([file_line(sale) for sale in the_sales()])
        with pytest.MonkeyPatch.context() as lost:
            lost.setattr(reconciliation.queues, "send", lambda *given, **named: None)
            found, _ = reconciliation.reconcile(content, "cmi", "standard")
            service.take_lines(found.file_id, 1)
        assert len(file_tables.results_of(found.file_id)) == 4
        clock.advance(121)
        service.finish_files()
        pump.drain()
        assert len(file_tables.results_of(found.file_id)) == 9
        service.finish_files()
        assert file_tables.due_files() == []


@both_databases
def test_P7_a_group_that_was_read_too_early_goes_one_by_one(aws):
    # Another file confirms one of its payments after all of them were read.
    sales = the_sales()
    read = tables.payments_and_shares

    def reading_early(payment_ids, parcel_ids):
        found = read(payment_ids, parcel_ids)
        if len(payment_ids) == 9:
            reconciliation.reconcile(a_file([file_line(sales[4])]), "cmi", "standard")
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "payments_and_shares", reading_early)
        content = a_file([file_line(one) for one in sales])
        _, judged = reconciliation.reconcile(content, "cmi", "standard")
    assert [one.result for one in judged].count("matched") == 8
    assert judged[4].result == "duplicate"
    assert clearing() == 0
