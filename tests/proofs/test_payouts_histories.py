"""P4, P6, P7 of payouts: whatever happens in whatever order, nobody is paid twice or too much."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import DestinationKind
from chalicelib.edge import queues, storage
from chalicelib.edge.storage import aws_client
from chalicelib.errors import Conflict, Unavailable
from chalicelib.ledger import service as ledger
from chalicelib.ledger import tables as ledger_tables
from chalicelib.ledger.tables import LedgerTable
from chalicelib.payouts import domain, drafting, files, service, working
from chalicelib.payouts.domain import Payout
from chalicelib.payouts.tables import PayoutsTable
from tests.factories.faults import (
    Calls,
    Fault,
    calls_through,
    frozen_clock,
    interleave,
    rows_of,
    telling,
)
from tests.factories.payouts import a_payable_artisan, a_report, give_payable
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
OUTAGES = (PynamoDBException, BotoCoreError, ClientError, Unavailable)
NOT_FAILED = ("Query", "GetItem", "BatchGetItem", "ReceiveMessage", "DeleteMessage")
BATCH_ID = domain.batch_id_of("op-1", "k")
PAYOUT_ID = domain.payout_id_of(BATCH_ID, "art_a")


@contextmanager
def fresh(aws: Any) -> Iterator[None]:
    aws.reset()
    clock.reset()
    with frozen_clock(NOW):
        yield


def state() -> list[dict[str, Any]]:
    # Sealing is never twice the same; of a report it is the effect that counts, not our word on it.
    rows = rows_of(LedgerTable, PayoutsTable, without=("sealed", "verdict", "due_at"))
    return [row for row in rows if not row["sk"].startswith("report#")]


def drafted() -> None:
    service.draft_batch("op-1", "k")


def step_through(act: Callable[[str, str], Any]) -> None:
    # The first try had gone through; operators see that.
    with suppress(domain.IllegalBatchMove, domain.BatchNotComplete):
        act(BATCH_ID, "op-1")


def approved() -> None:
    step_through(service.approve_batch)


def submitted() -> None:
    step_through(service.submit_batch)


def minutes_later() -> None:
    clock.advance(300)


def reported(outcome: str) -> Callable[[], None]:
    return lambda: service.record_report(a_report(PAYOUT_ID, outcome))


def money(artisan: str = "art_a") -> tuple[int, ...]:
    found = service.balance_of(artisan)
    return tuple(found[name].amount_minor for name in ("payable", "in_payout", "paid_out"))


@pytest.mark.parametrize("fault", list(Fault))
def test_P6_a_crash_at_any_call_loses_and_doubles_nothing(aws, fault):
    steps = (
        drafted, approved, submitted, minutes_later, service.finish_batches, reported("paid"),
        reported("returned"),
    )  # fmt: skip

    def run(make: Callable[..., Any]) -> list[dict[str, Any]]:
        with fresh(aws):
            a_payable_artisan()
            with calls_through(make):
                for step in steps:
                    until_done(step)
            return state()

    counting = Calls()
    expected = run(counting.make)
    for number in telling(counting.names, fault):
        calls = Calls(number, fault)
        assert run(calls.make) == expected, (number, counting.names[number])
        assert calls.failed


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


def make_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two artisans are a large batch, and each page has one: they go through the queue."""
    for place in (drafting, working):
        monkeypatch.setattr(place, "AT_ONCE", 1)
        monkeypatch.setattr(place, "PAGE", 1)
    monkeypatch.setattr(working, "STEPS_PER_MESSAGE", 2)
    monkeypatch.setattr(ledger, "ACCOUNT_SHARDS", 1)
    monkeypatch.setattr(ledger_tables, "SHARD_COUNT", 1)
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)


handed_over: set[str] = set()


def delivered() -> None:
    """Everything on the queue is handled; what fails comes again."""
    sqs, place = aws_client("sqs"), {"QueueUrl": queues.url_of("payouts")}
    while messages := sqs.receive_message(**place, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            body = json.loads(message["Body"])
            if body["type"] == "payout_to_send":
                handed_over.add(body["payout_id"])
            elif body["type"] == "lane_to_draft":
                until_done(lambda body=body: service.draft_lane(
                    body["batch_id"], body["lane"], body["step"]
                ))  # fmt: skip
            elif body["type"] == "batch_to_work_on":
                until_done(lambda body=body: service.work_on(body["batch_id"], body["step"]))
            sqs.delete_message(**place, ReceiptHandle=message["ReceiptHandle"])


def all_quiet() -> None:
    """Whatever was lost on the way, three sweeps find it (P11)."""
    for _ in range(3):
        delivered()
        clock.advance(300)
        until_done(service.finish_batches)
        batch = service.batch(BATCH_ID)[0]
        if batch.is_complete and batch.work is None:
            break
    delivered()


def suspended() -> None:
    if artisans.artisan("art_b").is_verified:
        artisans.suspend("art_b", "fraud")


def end() -> Any:
    """What came out: when it was resumed, and by how many pages, is left out."""
    batch, payouts = service.batch(BATCH_ID)
    assert ledger.check().holds
    return (
        [(one.artisan_id, one.amount, one.status, one.reason) for one in payouts],
        (batch.status, batch.is_complete, batch.work, batch.payout_count, batch.rails, batch.total),
        (batch.skipped, batch.file_sha256, sorted(handed_over)),
        [money(name) for name in ("art_a", "art_b")],
        len(list(ledger_tables.entries())),
    )


LARGE = (drafted, all_quiet, suspended, approved, all_quiet, submitted, all_quiet)
CALLED_OFF = (drafted, all_quiet, lambda: step_through(service.cancel_batch), all_quiet)


@pytest.mark.parametrize("steps", [LARGE, CALLED_OFF], ids=["sent", "called_off"])
@pytest.mark.parametrize("fault", [Fault.NOT_SENT, Fault.ANSWER_LOST])
def test_P6_a_crash_in_a_large_batch_loses_and_doubles_nothing(aws, fault, steps, small_pages):
    def run(make: Callable[..., Any]) -> Any:
        with fresh(aws):
            handed_over.clear()
            a_payable_artisan("art_a", kind=DestinationKind.WALLET, value="+212612345678")
            a_payable_artisan("art_b")
            with calls_through(make):
                for step in steps:
                    until_done(step)
            return end()

    counting = Calls()
    expected = run(counting.make)
    writes = [
        number
        for number in telling(counting.names, fault)
        if counting.names[number] not in NOT_FAILED
    ]
    for number in writes[list(Fault).index(fault) :: 2]:  # each write fails in one of two ways
        calls = Calls(number, fault)
        assert run(calls.make) == expected, (number, counting.names[number])
        assert calls.failed


def until_done(step: Callable[[], None]) -> None:
    for _ in range(5):
        try:
            step()
        except OUTAGES:
            continue
        return
    raise AssertionError("it never went through")


@pytest.mark.parametrize("outcomes", [("paid", "returned"), ("paid", "paid"), ("failed", "failed")])
def test_P7_reports_in_any_order_end_in_one_state(aws, outcomes):
    def run(order: tuple[str, ...]) -> list[dict[str, Any]]:
        with fresh(aws):
            a_payable_artisan()
            for step in (drafted, approved, submitted, *map(reported, order)):
                step()
            return state()

    expected = run(outcomes)
    for order in sorted(set(permutations(outcomes * 2))):
        assert run(order) == expected, order


@pytest.mark.parametrize("seed", range(12))
def test_P4_drafts_and_reports_at_once_pay_once(aws, seed):
    a_payable_artisan()
    drafts = [lambda: service.draft_batch("op-1", "k"), lambda: service.draft_batch("op-2", "k")]
    assert interleave([*drafts, drafts[0]], seed) == [None] * 3
    assert money() == (0, 22_054, 0)
    batches = service.batches(9, None)[0]
    [payout] = [one for batch in batches for one in service.batch(batch.batch_id)[1]]
    service.approve_batch(payout.batch_id, "op-3")
    service.submit_batch(payout.batch_id, "op-3")
    paid, returned = (a_report(payout.payout_id, one) for one in ("paid", "returned"))
    reports = [paid, paid, returned]
    raised = interleave([lambda one=one: service.record_report(one) for one in reports], seed)
    for report, error in zip(reports, raised, strict=True):
        if error is not None:  # it lost too often, and comes again
            assert isinstance(error, Conflict)
            service.record_report(report)
    assert money() == (22_054, 0, 0)
    assert ledger.check().holds


REFUSED = (
    domain.IllegalBatchMove, domain.PayoutNotSubmitted, domain.BatchNotComplete, domain.FileTaken,
    domain.BatchNotApproved, domain.NotPayableNow, domain.PayoutRequestedToday,
)  # fmt: skip


class History:
    """Random operators, rails and artisans; `released` is all that was ever made payable."""

    names = ("art_a", "art_b", "art_c")

    def __init__(self, seed: int) -> None:
        self.chosen = random.Random(seed)
        self.released = dict.fromkeys(self.names, 0)
        self.batches: set[str] = set()
        self.handed_out: dict[str, str] = {}
        for name in self.names:
            a_payable_artisan(name, 20_000)
            self.released[name] += 20_000

    def step(self) -> None:
        act = self.chosen.choice(
            [self.release, self.draft, self.approve, self.submit, self.report, self.report,
             self.cancel, self.verify, self.take_file, self.ask, self.day_ends]
        )  # fmt: skip
        with suppress(*REFUSED):
            act()

    def release(self) -> None:
        name = self.chosen.choice(self.names)
        minor = self.chosen.randint(1, 30_000)
        give_payable(name, minor, f"release-{self.chosen.random()}".replace(".", "-"))
        self.released[name] += minor

    def draft(self) -> None:
        key = str(self.chosen.randint(1, 4))
        self.batches.add(service.draft_batch("op-1", key).batch_id)

    def approve(self) -> None:
        service.approve_batch(self.chosen.choice(sorted(self.batches)), "op-2")

    def submit(self) -> None:
        service.submit_batch(self.chosen.choice(sorted(self.batches)), "op-2")

    def cancel(self) -> None:
        service.cancel_batch(self.chosen.choice(sorted(self.batches)), "op-2")

    def verify(self) -> None:
        name = self.chosen.choice(self.names)
        if artisans.artisan(name).is_verified:
            artisans.suspend(name, "looked at")
        else:
            artisans.reinstate(name)

    def take_file(self) -> None:
        batch_id = self.chosen.choice(sorted(self.batches))
        taken = service.rail_file(batch_id, None)
        batch = service.batch(batch_id)[0]
        if taken.content_type == files.XML and batch.status == "approved":
            self.handed_out[batch_id] = taken.content

    def ask(self) -> None:
        name = self.chosen.choice(self.names)
        self.batches.add(service.request_payout(name, str(self.chosen.randint(1, 2))).batch_id)

    def day_ends(self) -> None:
        clock.advance(24 * 3600)
        service.finish_batches()

    def report(self) -> None:
        payouts = self.payouts()
        if payouts:
            payout = self.chosen.choice(payouts)
            outcome = self.chosen.choice(["paid", "paid", "failed", "returned"])
            service.record_report(a_report(payout.payout_id, outcome, payout.amount.amount_minor))

    def payouts(self) -> list[Payout]:
        return [one for batch in sorted(self.batches) for one in service.batch(batch)[1]]

    def check(self) -> None:
        for batch_id, content in self.handed_out.items():
            assert service.rail_file(batch_id, "bank_account").content == content
        for name in self.names:
            payable, in_payout, paid_out = money(name)
            assert min(payable, in_payout, paid_out) >= 0
            assert payable + in_payout + paid_out == self.released[name]
            own = [one for one in self.payouts() if one.artisan_id == name]
            paid = sum(one.amount.amount_minor for one in own if one.status == "paid")
            assert paid == paid_out


@pytest.mark.parametrize("seed", range(6))
def test_P4_no_history_pays_more_than_was_released(aws, seed):
    history = History(seed)
    history.draft()
    for _ in range(35):
        history.step()
        history.check()
    assert ledger.check().holds


def test_P4_a_destination_changed_since_is_not_paid_to(aws):
    a_payable_artisan()
    assert artisans.payout_destination("art_a") is not None
    artisans.set_payout_destination("art_a", DestinationKind.WALLET, "+212600000000")
    service.draft_batch("op-1", "k")
    [payout] = service.batch(BATCH_ID)[1]
    assert payout.rail == "bank_account"


@pytest.mark.parametrize("seed", range(8))
def test_P10_of_two_contradicting_reports_at_once_one_counts(aws, seed):
    a_payable_artisan()
    for step in (drafted, approved, submitted):
        step()
    both = [a_report(PAYOUT_ID, "paid"), a_report(PAYOUT_ID, "failed")]
    interleave([lambda one=one: service.record_report(one) for one in both], seed)
    assert money() in {(22_054, 0, 0), (0, 0, 22_054)}
    assert ledger.check().holds


@pytest.mark.parametrize("seed", range(10))
def test_P4_what_is_in_a_file_that_was_handed_out_is_never_payable_again(aws, seed):
    a_payable_artisan()
    drafted()
    approved()
    artisans.suspend("art_a", "fraud")
    taken = []
    acts = [
        lambda: taken.append(service.rail_file(BATCH_ID, None).content),
        lambda: service.submit_batch(BATCH_ID, "op-1"),
        lambda: service.cancel_batch(BATCH_ID, "op-1"),
    ]
    for error in interleave(acts, seed):
        assert error is None or isinstance(error, REFUSED), error
    all_quiet()
    is_out = any(domain.payout_id_of(BATCH_ID, "art_a")[4:] in content for content in taken)
    assert money() == ((0, 22_054, 0) if is_out else (22_054, 0, 0))


@pytest.mark.parametrize("seed", range(6))
def test_P7_the_same_page_worked_on_at_once_is_worked_on_once(aws, seed, small_pages):
    for name in ("art_a", "art_b"):
        a_payable_artisan(name)
    batch = service.draft_batch("op-1", "k")
    lane = [lambda: service.draft_lane(BATCH_ID, 0, 0)] * 2
    assert interleave(lane, seed) == [None, None]
    all_quiet()
    assert service.batch(BATCH_ID)[0].skipped == {}
    artisans.suspend("art_a", "fraud")
    service.approve_batch(BATCH_ID, "op-1")
    step = service.batch(BATCH_ID)[0].work_step
    assert interleave([lambda: service.work_on(BATCH_ID, step)] * 3, seed) == [None] * 3
    all_quiet()
    batch, payouts = service.batch(BATCH_ID)
    assert (batch.status, batch.work, batch.payout_count) == ("approved", None, 2)
    assert sorted(one.status for one in payouts) == ["cancelled", "reserved"]
    assert batch.total.amount_minor == 22_054
    assert money() == (22_054, 0, 0)
    assert ledger.check().holds


@pytest.mark.parametrize("seed", range(10))
def test_P4_who_asks_as_the_day_ends_is_counted_or_asks_again(aws, seed):
    a_payable_artisan("art_a")
    a_payable_artisan("art_b")
    batch_id = service.request_payout("art_a", "k").batch_id
    clock.advance(26 * 3600)
    with mock.patch.object(domain, "batch_id_of_day", return_value=batch_id):  # a clock behind
        acts = [service.finish_batches, lambda: service.request_payout("art_b", "k")]
        for error in interleave(acts, seed):
            assert error is None or isinstance(error, Conflict), error
    service.finish_batches()
    batch, payouts = service.batch(batch_id)
    assert (batch.is_complete, batch.payout_count) == (True, len(payouts))
    assert batch.total.amount_minor == sum(one.amount.amount_minor for one in payouts)
