"""P2-P5, P7, P10, P11 of refunds and disputes: any order, any crash, at once, ends alike."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib import clock
from chalicelib.edge import storage
from chalicelib.errors import Conflict, MarketplaceError
from chalicelib.ledger import tables as ledger_tables
from chalicelib.ledger.tables import LedgerTable
from chalicelib.money import Money
from chalicelib.payouts import service as payouts
from chalicelib.payouts.tables import PayoutsTable
from chalicelib.settlement import reconciliation, service
from chalicelib.settlement.domain import ShareStatus
from chalicelib.settlement.reversals import (
    PortionsDoNotFit,
    ReversalContradicted,
    Stage,
)
from chalicelib.settlement.tables import SettlementTable
from chalicelib.settlement.unapplied import Receipt, ReceiptStage
from tests.aws import both_databases
from tests.crash_points import Fault, calls_of, disturbed, points
from tests.factories.books import check_books, kept_shares
from tests.factories.faults import frozen_clock, interleave, rows_of
from tests.factories.payouts import a_payable_artisan, give_payable
from tests.factories.settlement import (
    a_dispute,
    a_file,
    a_payment_id,
    a_portion,
    a_refund,
    a_sale,
    file_line,
    money_of,
    ours,
    terms,
)
from tests.factories.shop import snapshot
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
DAY = 24 * 3600
SALE = a_sale(terms(shipping_minor=3_000), terms("prc_b", "art_b", goods_minor=9_999))
FEE_MINOR = 665
SOME = (a_portion(10_001, 999), a_portion(3_333, parcel="prc_b"))
OUTAGES = (MarketplaceError, BotoCoreError, ClientError, PynamoDBException)
Step = Callable[[], Any]


@pytest.fixture(autouse=True)
def one_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    """One shard of each index instead of eight: fewer calls, more happens between them."""
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)
    monkeypatch.setattr(ledger_tables, "SHARD_COUNT", 1)


@contextmanager
def fresh(aws: Any) -> Iterator[None]:
    aws.reset()
    clock.reset()
    with frozen_clock(NOW):
        yield


def sold() -> None:
    service.settle_payment(SALE)


def delivered() -> None:
    for one in SALE.shares:
        service.record_delivery(one.parcel_id, NOW)


def confirmed() -> None:
    reconciliation.reconcile(a_file([file_line(SALE, FEE_MINOR)]), "cmi", "standard")


def released() -> None:
    clock.advance(14 * DAY + 1)
    service.release_due_shares()


def refund(stage: Stage, attempt: int = 1) -> Step:
    def step() -> None:
        service.record_refund(a_refund(SALE, *SOME, attempt=attempt), stage)

    step.__name__ = f"refund {attempt} {stage}"
    return step


def dispute(stage: Stage) -> Step:
    def step() -> None:
        service.record_dispute(a_dispute(SALE, *SOME), stage)

    step.__name__ = f"dispute {stage}"
    return step


def state(without: Sequence[str] = ()) -> list[dict[str, Any]]:
    rows = rows_of(LedgerTable, SettlementTable, PayoutsTable, without=("sealed", *without))
    return [row for row in rows if not row["sk"].startswith("report#")]


# Any order, any number.

ENDINGS = {
    "paid": [sold, delivered, refund(Stage.TAKEN), refund(Stage.GONE)],
    "failed": [sold, delivered, refund(Stage.TAKEN), refund(Stage.GIVEN_BACK)],
    "paid at last": [
        sold, refund(Stage.TAKEN), refund(Stage.GIVEN_BACK), refund(Stage.GONE, 2),
    ],
    "won": [sold, delivered, dispute(Stage.TAKEN), dispute(Stage.GIVEN_BACK)],
    "lost": [sold, delivered, dispute(Stage.TAKEN), dispute(Stage.GONE)],
}  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
def test_P7_messages_in_any_order_and_number_end_in_one_state(aws, ending):
    # Every order, each followed by all of it again the other way round.
    messages = ENDINGS[ending]
    expected: list[Any] = []
    for order in permutations(messages):
        with fresh(aws):
            for step in (*order, *reversed(order)):
                step()
            found = state()
            expected = expected or found
            assert found == expected, [step.__name__ for step in order]
    delivered()
    confirmed()
    released()
    check_books()


@pytest.mark.parametrize("ending", ENDINGS)
def test_P7_so_they_do_when_the_release_comes_at_any_moment(aws, ending):
    messages = ENDINGS[ending][-2:]
    expected: list[Any] = []
    for before in range(len(messages) + 1):
        for order in permutations(messages):
            with fresh(aws):
                for step in (
                    sold,
                    delivered,
                    confirmed,
                    *order[:before],
                    released,
                    *order[before:],
                ):
                    step()
                service.release_due_shares()  # what was frozen until now
                check_books()
                found = [money_of("art_a"), money_of("art_b"), ours()]
            expected = expected or found
            assert found == expected, (before, [step.__name__ for step in order])


@both_databases
@pytest.mark.parametrize("end", [Stage.GONE, Stage.GIVEN_BACK])
def test_P10_what_has_ended_stays_ended(aws, end):
    other = Stage.GIVEN_BACK if end is Stage.GONE else Stage.GONE
    for step in (refund, dispute):
        aws.reset()
        step(end)()
        before = state()
        with pytest.raises(ReversalContradicted):
            step(other)()
        assert state() == before


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("step", [refund, dispute])
def test_P10_of_two_contradicting_ends_at_once_one_counts(aws, step, seed):
    step(Stage.TAKEN)()
    raised = interleave([step(Stage.GONE), step(Stage.GIVEN_BACK)], seed)
    assert [type(error) for error in raised if error] == [ReversalContradicted]
    check_books()


def test_P7_unapplied_money_in_any_order_and_number_ends_in_one_state(aws):
    expected: list[Any] = []
    for order in sorted(set(permutations([ReceiptStage.RECEIVED, ReceiptStage.RETURNED] * 2))):
        with fresh(aws):
            for stage in order:
                money_back(stage)()
                assert ours() == {} or stage is ReceiptStage.RECEIVED
            expected = expected or state()
            assert (state(), ours()) == (expected, {})


# A crash at any call.


def paid_out() -> None:
    """Both artisans can be paid and were, so that whatever is taken back is owed."""
    for artisan in ("art_a", "art_b"):
        a_payable_artisan(artisan, 1)
        clock.reset()
    clock.advance(5 * DAY)
    for step in (sold, delivered, confirmed, released):
        step()
    payouts.draft_batch("op-1", "all of it")


def owing() -> None:
    paid_out()
    refund(Stage.TAKEN)()
    give_payable("art_a", 30_000, "sold")


def ready() -> None:
    for step in (sold, delivered, confirmed):
        step()


def all_released() -> None:
    ready()
    released()


def money_back(stage: ReceiptStage) -> Step:
    return lambda: service.record_unapplied(
        Receipt("evt_a", a_payment_id(), "cmi", Money(5_000)), stage
    )


@dataclass(frozen=True)
class Case:
    name: str
    given: Step
    work: Step


CASES = [
    Case("approved", ready, refund(Stage.TAKEN)),
    Case("approved before its sale", lambda: None, refund(Stage.TAKEN)),
    Case("approved after the release", all_released, refund(Stage.TAKEN)),
    Case("approved after the payout", paid_out, refund(Stage.TAKEN)),
    Case("paid", lambda: (ready(), refund(Stage.TAKEN)()), refund(Stage.GONE)),
    Case("failed", lambda: (ready(), refund(Stage.TAKEN)()), refund(Stage.GIVEN_BACK)),
    Case("failed after the release", all_released, refund(Stage.GIVEN_BACK)),
    Case("failed when recovered", owing, refund(Stage.GIVEN_BACK)),
    Case("tried again", ready, refund(Stage.GONE, 2)),
    Case("opened", ready, dispute(Stage.TAKEN)),
    Case("opened after the payout", paid_out, dispute(Stage.TAKEN)),
    Case("won", lambda: (ready(), dispute(Stage.TAKEN)()), dispute(Stage.GIVEN_BACK)),
    Case("won after the release", all_released, dispute(Stage.GIVEN_BACK)),
    Case("lost", lambda: (ready(), dispute(Stage.TAKEN)()), dispute(Stage.GONE)),
    Case("a payout of who owes", owing, lambda: payouts.draft_batch("op-1", "k")),
    Case("unapplied", lambda: None, money_back(ReceiptStage.RECEIVED)),
    Case("returned", lambda: None, money_back(ReceiptStage.RETURNED)),
]  # fmt: skip


def worth_failing(asked: list[str]) -> list[tuple[int, Fault]]:
    """Every fault at every write; of a read that fails it does not matter how."""
    reads = ("BatchGetItem", "GetItem", "Query")
    return [
        (number, fault)
        for number, fault in points(asked)
        if asked[number] not in reads or fault is Fault.DIED_BEFORE
    ]


def until_done(work: Step) -> None:
    for _ in range(5):
        with suppress(*OUTAGES):
            work()
            return
    raise AssertionError("it never went through")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_P7_a_crash_at_any_call_loses_and_doubles_nothing(aws, case):
    with fresh(aws):
        case.given()
        given = snapshot()
        asked = calls_of(case.work)
        expected = state(without=("due_at",))
    for number, fault in worth_failing(asked):
        with frozen_clock(NOW):
            given()
            with disturbed(number, fault), suppress(*OUTAGES):
                case.work()
            until_done(case.work)
            assert state(without=("due_at",)) == expected, (number, asked[number], fault)


@pytest.mark.parametrize("name", ["won", "failed", "lost"])
def test_P11_a_share_that_thaws_or_comes_back_is_released(aws, name):
    [case] = [case for case in CASES if case.name == name]
    with fresh(aws):
        case.given()
        given = snapshot()
        asked = calls_of(case.work)
    for number, fault in points(asked):
        if fault not in (Fault.DIED_AFTER, Fault.NOT_SENT):
            continue
        with frozen_clock(NOW):
            given()
            with disturbed(number, fault), suppress(*OUTAGES):
                case.work()
            until_done(case.work)
            released()
            assert {share.status for share in kept_shares()} == {ShareStatus.RELEASED}
            check_books()


# At once.


@pytest.mark.parametrize("seed", range(16))
def test_P7_refunds_disputes_releases_and_payouts_at_once_lose_nothing(aws, seed):
    with fresh(aws):
        for name in ("art_a", "art_b"):
            a_payable_artisan(name, 1)
            clock.reset()
        clock.advance(5 * DAY)
        ready()
        clock.advance(14 * DAY)
        other = a_dispute(SALE, a_portion(5_000), dispute_id="dsp_b")
        actors = random.Random(seed).sample(
            [
                refund(Stage.TAKEN), refund(Stage.TAKEN), refund(Stage.GIVEN_BACK),
                service.release_due_shares, lambda: payouts.draft_batch("op-1", "k"),
                lambda: service.record_dispute(other, Stage.TAKEN),
            ],
            4,
        )  # fmt: skip
        for actor, error in zip(actors, interleave(actors, seed), strict=True):
            assert error is None or type(error) is Conflict, error  # too many at once: again
            if error is not None:
                actor()
        check_books(given=1)
        service.record_dispute(other, Stage.GIVEN_BACK)
        refund(Stage.GIVEN_BACK)()
        released()
        check_books(given=1)
        whole = sum(share.parts.artisan_minor for share in kept_shares() if share.parts)
        got = [payouts.balance_of(name) for name in ("art_a", "art_b")]
        names = ("payable", "in_payout")
        assert sum(one[name].amount_minor for one in got for name in names) == whole + 2
        assert sum(one["owed"].amount_minor for one in got) == 0


@pytest.mark.parametrize("seed", range(8))
def test_P5_refunds_and_a_dispute_of_one_share_at_once_add_up(aws, seed):
    sold()
    pieces = [a_portion(minor) for minor in (3_333, 3_334, 3_335)]
    wanted = [
        *(a_refund(SALE, piece, refund_id=f"rfd_{n}") for n, piece in enumerate(pieces[:2])),
        *a_dispute(SALE, pieces[2]),
    ]
    actors = [lambda one=one: service.record_dispute([one], Stage.TAKEN) for one in wanted]
    assert interleave(actors, seed) == [None] * 3
    check_books()
    [share] = [share for share in kept_shares() if share.parcel_id == "prc_a"]
    assert share.reversed.goods_minor == 3_333 + 3_334 + 3_335


@pytest.mark.parametrize("seed", range(8))
def test_P5_of_two_refunds_at_once_that_do_not_fit_together_one_counts(aws, seed):
    sold()
    other = a_sale(terms("prc_c"), payment_id=a_payment_id("two"))
    service.settle_payment(other)  # so that there is enough that is pending for both
    both = [a_refund(SALE, a_portion(20_000), refund_id=name) for name in ("rfd_a", "rfd_b")]
    actors = [lambda one=one: service.record_refund(one, Stage.TAKEN) for one in both]
    raised = interleave(actors, seed)
    assert [type(error) for error in raised if error] == [PortionsDoNotFit]
    assert ours()["refund_payable"] == 20_000
    check_books()


def test_P7_a_message_handled_twice_at_once_with_a_release_takes_once(aws):
    with fresh(aws):
        ready()
        clock.advance(14 * DAY + 1)
        given = snapshot()
        refund(Stage.TAKEN)()
        service.release_due_shares()
        expected = money_of("art_a"), money_of("art_b"), ours()
    for seed in range(20, 50):
        with frozen_clock(NOW):
            given()
            actors = [refund(Stage.TAKEN), refund(Stage.TAKEN), service.release_due_shares]
            assert interleave(actors, seed) == [None] * 3, seed
            service.release_due_shares()
            assert (money_of("art_a"), money_of("art_b"), ours()) == expected, seed
            check_books()
