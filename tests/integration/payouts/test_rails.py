"""Wallets and cards by API: sent once under our id, asked about while unknown (P7, P8, P11)."""

from typing import Any

import pytest

from chalicelib import clock
from chalicelib.artisans.domain import DestinationKind
from chalicelib.edge import outbound
from chalicelib.edge.outbound import OutcomeUnknown, Request, Response
from chalicelib.errors import Conflict
from chalicelib.payouts import rails, sending, service, tables
from chalicelib.payouts.domain import PayoutNotSubmitted, PayoutStatus
from chalicelib.settlement.break_tables import BreakTable
from tests.factories.bank import InProcessBank
from tests.factories.payouts import a_payable_artisan
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")

PHONE = "+212612345678"
HOUR = 3600


class Rail:
    """The sandbox's rail, whose calls are noted; `before` may fail one before it is carried."""

    def __init__(self) -> None:
        self.bank = InProcessBank()
        self.calls: list[tuple[str, str]] = []
        self.headers: list[Any] = []
        outbound.set_transport(self._carry)

    def _carry(self, request: Request) -> Response:
        self.calls.append((request.method, request.url.rpartition("/")[2]))
        self.headers.append(request.headers)
        return self.bank.carry(request)

    @property
    def payouts(self):
        return self.bank.bank.payouts

    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]


@pytest.fixture
def rail(aws) -> Rail:
    return Rail()


def a_payout(minor: int, kind: DestinationKind = DestinationKind.WALLET, value: str = PHONE):
    """Approved and sent out, but its rail was not called yet."""
    a_payable_artisan(payable_minor=minor, kind=kind, value=value)
    batch = service.draft_batch("op-1", "k")
    service.approve_batch(batch.batch_id, "op-1")
    service.submit_batch(batch.batch_id, "op-1")
    [payout] = service.batch(batch.batch_id)[1]
    return payout


def status_of(payout) -> PayoutStatus:
    return tables.find_payout(payout.payout_id).status


def money():
    found = service.balance_of("art_a")
    return tuple(found[name].amount_minor for name in ("payable", "in_payout", "paid_out"))


def breaks() -> list[tuple[str, str]]:
    return sorted((row.kind, row.reference) for row in BreakTable.scan())


def later(seconds: int = HOUR) -> None:
    clock.advance(seconds)
    sending.ask_unknown()


@pytest.mark.parametrize(
    ("kind", "value"), [(DestinationKind.WALLET, PHONE), (DestinationKind.CARD, "tok_12345678")]
)
def test_a_payout_is_sent_under_its_own_id_and_paid(rail, kind, value):
    payout = a_payout(20_071, kind, value)
    sending.send_payout(payout.payout_id)
    assert rail.calls == [("PUT", payout.payout_id)]
    assert rail.headers[0]["Idempotency-Key"] == payout.payout_id
    assert status_of(payout) is PayoutStatus.PAID
    assert money() == (0, 0, 20_071)
    later()
    assert rail.methods() == ["PUT"]  # what has an end is not asked about


def test_P4_what_is_rejected_is_payable_again(rail):
    payout = a_payout(20_072)
    sending.send_payout(payout.payout_id)
    found = tables.find_payout(payout.payout_id)
    assert (found.status, found.reason) == (PayoutStatus.FAILED, "account_closed")
    assert money() == (20_072, 0, 0)


def test_what_is_accepted_waits_for_its_callback_and_is_asked_for_after_an_hour(rail):
    payout = a_payout(20_000)
    sending.send_payout(payout.payout_id)
    assert status_of(payout) is PayoutStatus.SUBMITTED
    later(30 * 60)
    assert rail.methods() == ["PUT"]
    later()
    assert rail.methods() == ["PUT", "GET"]
    assert status_of(payout) is PayoutStatus.SUBMITTED
    assert money() == (0, 20_000, 0)


def test_P8_a_lost_answer_leaves_it_unknown_and_the_money_where_it_is(rail):
    payout = a_payout(20_074)
    sending.send_payout(payout.payout_id)
    assert status_of(payout) is PayoutStatus.UNKNOWN
    assert money() == (0, 20_074, 0)
    # It is asked about, and not sent again: it was paid.
    later()
    assert rail.methods() == ["PUT", "GET"]
    assert rail.payouts.put_count == {payout.payout_id: 1}
    assert status_of(payout) is PayoutStatus.PAID
    assert money() == (0, 0, 20_074)


def test_P8_what_the_rail_never_got_is_sent_again_under_the_same_id(rail):
    payout = a_payout(20_075)
    sending.send_payout(payout.payout_id)
    assert status_of(payout) is PayoutStatus.UNKNOWN
    later()
    assert rail.calls == [(method, payout.payout_id) for method in ("PUT", "GET", "PUT")]
    assert status_of(payout) is PayoutStatus.PAID
    assert money() == (0, 0, 20_075)


def test_P8_a_message_that_comes_again_sends_nothing_while_it_is_unknown(rail):
    payout = a_payout(20_074)
    for _ in range(3):
        sending.send_payout(payout.payout_id)
    assert rail.methods() == ["PUT"]


def test_P8_an_outage_of_days_is_asked_about_ever_more_rarely(rail):
    payout = a_payout(20_071)
    asked: list[str] = []

    def silent(request: Request) -> Response:
        asked.append(request.method)
        raise OutcomeUnknown("no answer in time")

    outbound.set_transport(silent)
    sending.send_payout(payout.payout_id)
    for _ in range(48):
        later(30 * 60)
    # Nothing but the first was sent; the questions (each with its repeats) got rare.
    assert asked.count("PUT") == 1
    assert tables.find_payout(payout.payout_id).asks <= 12
    assert status_of(payout) is PayoutStatus.UNKNOWN
    outbound.set_transport(rail.bank.carry)
    later(6 * HOUR)
    assert status_of(payout) is PayoutStatus.PAID


def test_P6_a_lost_message_is_found_by_the_sweep(rail):
    payout = a_payout(20_071)
    clock.advance(120)
    service.sweep()
    assert status_of(payout) is PayoutStatus.PAID


def test_P10_nothing_is_sent_before_it_is_submitted(rail):
    a_payable_artisan(payable_minor=20_071, kind=DestinationKind.WALLET, value=PHONE)
    [payout] = service.batch(service.draft_batch("op-1", "k").batch_id)[1]
    with pytest.raises(PayoutNotSubmitted):
        sending.send_payout(payout.payout_id)
    assert rail.calls == []


def test_a_bank_transfer_is_never_sent_by_api(rail):
    a_payable_artisan(payable_minor=20_071)
    batch = service.draft_batch("op-1", "k")
    service.approve_batch(batch.batch_id, "op-1")
    service.submit_batch(batch.batch_id, "op-1")
    [payout] = service.batch(batch.batch_id)[1]
    sending.send_payout(payout.payout_id)
    later()
    assert rail.calls == []


ODD = {
    "another payout": {"reference": "pot_other"},
    "no amount": {"amount": None},
    "a float": {"amount": {"amount_minor": 200.71, "currency": "MAD"}},
    "an unknown state": {"state": "done"},
}


@pytest.mark.parametrize("name", ODD)
def test_P8_an_answer_that_is_none_is_unknown(rail, name):
    payout = a_payout(20_071)
    good = {
        "reference": payout.payout_id,
        "state": "paid",
        "amount": {"amount_minor": 20_071, "currency": "MAD"},
    }
    body = rails.json.dumps(good | ODD[name]).encode()
    outbound.set_transport(lambda request: Response(200, body))
    sending.send_payout(payout.payout_id)
    assert status_of(payout) is PayoutStatus.UNKNOWN
    assert money() == (0, 20_071, 0)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
def test_P8_a_refusal_that_says_nothing_of_the_money_is_unknown(rail, status):
    payout = a_payout(20_071)
    outbound.set_transport(lambda request: Response(status, b"{}"))
    sending.send_payout(payout.payout_id)
    assert status_of(payout) is PayoutStatus.UNKNOWN


def test_P8_a_page_of_a_proxy_is_not_taken_for_absence(rail):
    payout = a_payout(20_074)
    sending.send_payout(payout.payout_id)
    page = Response(404, b"<html>not here</html>")
    outbound.set_transport(
        lambda request: page if request.method == "GET" else rail.bank.carry(request)
    )
    later()
    assert rail.payouts.put_count == {payout.payout_id: 1}
    assert status_of(payout) is PayoutStatus.UNKNOWN


def test_another_amount_is_parked_and_nothing_is_posted(rail):
    payout = a_payout(20_071)
    body = rails.json.dumps(
        {
            "reference": payout.payout_id,
            "state": "paid",
            "amount": {"amount_minor": 20_070, "currency": "MAD"},
        }
    ).encode()
    outbound.set_transport(lambda request: Response(200, body))
    sending.send_payout(payout.payout_id)
    assert money() == (0, 20_071, 0)
    assert breaks() == [("payout_unmatched", payout.payout_id)]


def test_P9_one_that_fails_keeps_no_other_back(rail, monkeypatch):
    payout = a_payout(20_071)
    due = ["pot_gone", payout.payout_id]
    clock.advance(120)
    monkeypatch.setattr("chalicelib.payouts.sending_tables.due", lambda: iter(due))
    with pytest.raises(Exception, match="1 steps failed"):
        sending.ask_unknown()
    assert status_of(payout) is PayoutStatus.PAID


def test_of_two_who_go_on_at_once_one_calls(rail, monkeypatch):
    payout = a_payout(20_071)
    line = tables.find_line(payout.payout_id)
    monkeypatch.setattr(tables, "find_line", lambda payout_id: line)  # both have read the same
    sending.send_payout(payout.payout_id)
    sending.send_payout(payout.payout_id)
    assert rail.methods() == ["PUT"]


def test_P15_an_unknown_outcome_names_no_destination(rail, capsys):
    payout = a_payout(20_074)
    sending.send_payout(payout.payout_id)
    later()
    out = capsys.readouterr()
    assert PHONE[-9:] not in out.out + out.err
    assert not issubclass(OutcomeUnknown, Conflict)
