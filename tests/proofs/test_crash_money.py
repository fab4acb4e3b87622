"""P6, P7, P11: every handler of settlement and payouts, failing at each of its calls in each way.

Repeated as its queue, its clock or its caller would, it ends where no fault ends. A message, a
schedule or a route that has no case here, and is not said to be proven elsewhere, fails a test.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, get_args

import pytest
from moto.dynamodb.models import dynamodb_backends

from chalicelib import clock, ids
from chalicelib.edge import storage
from chalicelib.edge.blueprint import OPERATIONS
from chalicelib.errors import Conflict
from chalicelib.ledger import domain as ledger_domain
from chalicelib.ledger import service as ledger
from chalicelib.ledger import tables as ledger_tables
from chalicelib.orders.messages import ParcelDelivered, ReturnMoved
from chalicelib.payments.messages import (
    DisputeMoved,
    MoneyUnapplied,
    PayoutReported,
    Portion,
    RefundMoved,
)
from chalicelib.payouts import consumers as payout_consumers
from chalicelib.payouts import domain as payout_domain
from chalicelib.payouts import service as payouts
from chalicelib.payouts.tables import PayoutsTable
from chalicelib.settlement import consumers, reconciliation
from chalicelib.settlement.messages import ArtisanCleared
from infra.local.environment import ACCOUNT, REGION
from tests import quick_moto as moto
from tests.crash_points import Fault, calls_of, disturbed, telling_points
from tests.factories import shop
from tests.factories.books import kept_shares
from tests.factories.money import handler_of
from tests.factories.payouts import a_payable_artisan
from tests.factories.settlement import a_file, a_sale, captured_message, file_line
from tests.factories.shop_promises import stored
from tests.factories.till import FAILURES

pytestmark = pytest.mark.usefixtures("one_due_shard", "quick_moto", "frozen")
one_due_shard, frozen, quick_moto = shop.one_due_shard, shop.frozen, moto.quick_moto
DAY = 24 * 3600
SALE = a_sale()
PARCEL = SALE.shares[0].parcel_id
BATCH = payout_domain.batch_id_of("op-1", "k")
Work = Callable[[], Any]
PROVEN_ELSEWHERE = {
    "LaneToDraft": "tests/proofs/test_payouts_histories.py, large batches",
    "BatchToWorkOn": "tests/proofs/test_payouts_histories.py, large batches",
    "PayoutToSend": "tests/proofs/test_payouts_crashes.py",
    "BankFileToRead": "tests/proofs/test_payouts_crashes.py",
    "POST /v1/operator/bank-files": "tests/proofs/test_payouts_crashes.py",
}
# Each is tested for repeats, but not failed at each of its calls.
NOT_YET = {
    "FileLinesToTake", "miss_remittances", "relay_confirmations", "relay_money_notices",
    "relay_payouts", "relay_verifications", "POST /v1/me/payout-destination/confirm",
    "POST /v1/operator/artisans/{artisan_id}/write-offs",
    "POST /v1/operator/artisans/{artisan_id}/write-offs/{write_off_id}/approve",
    "POST /v1/operator/breaks/{break_id}/resolve", "POST /v1/operator/holds",
    "POST /v1/operator/holds/{hold_id}/lift",
}  # fmt: skip


def _settlement(message: Any) -> Work:
    return lambda: handler_of(consumers.settle)(message)


def _payout(message: Any) -> Work:
    return lambda: handler_of(payout_consumers.record_payout_report)(message)


def _told_of(stage: str, kind: type[Any], **name: Any) -> Work:
    portions = [Portion(parcel_id=PARCEL, goods_minor=9_999, shipping_minor=0)]
    return _settlement(kind(stage=stage, sale=captured_message(SALE), portions=portions, **name))


captured = _settlement(captured_message(SALE))
delivered = _settlement(
    ParcelDelivered(
        order_id="ord_a", parcel_id=PARCEL, artisan_id="art_a", delivered_at="2031-03-14T10:00:00Z"
    )
)
approved_refund = _told_of("approved", RefundMoved, refund_id="rfd_a", attempt=1)
disputed = _told_of("opened", DisputeMoved, dispute_id="dsp_a")
lost = _told_of("lost", DisputeMoved, dispute_id="dsp_a")


def confirmed() -> None:
    reconciliation.reconcile(a_file([file_line(SALE)]), "cmi", "standard")


def fortnight() -> None:
    clock.advance(15 * DAY)


def release() -> None:
    handler_of(consumers.release_due_shares)()  # type: ignore[call-arg]


def finish_files() -> None:
    handler_of(consumers.finish_settlement_files)()  # type: ignore[call-arg]


def finish_batches() -> None:
    handler_of(payout_consumers.finish_payout_batches)()  # type: ignore[call-arg]


def drafted() -> None:
    payouts.draft_batch("op-1", "k")


def approved() -> None:
    payouts.approve_batch(BATCH, "op-2")


def submitted() -> None:
    payouts.submit_batch(BATCH, "op-2")


def half(work: Work) -> Work:
    """Work that died on its way: what a sweep finds."""

    def act() -> None:
        with disturbed(4, Fault.DIED_AFTER), suppress(*FAILURES):
            work()

    return act


def reported() -> None:
    _payout(
        PayoutReported(
            payout_id=payout_domain.payout_id_of(BATCH, "art_a"),
            outcome="paid",
            amount_minor=22_054,
            currency="MAD",
            occurred_at="2031-03-14T10:00:00Z",
        )
    )()


CASES: dict[str, tuple[list[Work], Work]] = {
    "PaymentCaptured": ([], captured),
    "ParcelDelivered": ([captured], delivered),
    "ReturnMoved": (
        [captured, delivered],
        _settlement(ReturnMoved(
            order_id="ord_a", return_id="ret_a", parcel_id=PARCEL, artisan_id="art_a",
            status="requested",
        )),
    ),
    "RefundMoved": ([captured], approved_refund),
    "RefundMoved, paid after release": (
        [captured, delivered, confirmed, fortnight, release, approved_refund],
        _told_of("paid", RefundMoved, refund_id="rfd_a", attempt=1),
    ),
    "DisputeMoved": ([captured], disputed),
    "DisputeMoved, lost": ([captured, disputed], lost),
    "MoneyUnapplied": (
        [],
        _settlement(MoneyUnapplied(
            receipt_id="rfd_u", payment_id=SALE.payment_id, provider="cmi", amount_minor=99,
            currency="MAD", stage="received",
        )),
    ),
    "ArtisanCleared": (
        [captured, delivered, confirmed], _settlement(ArtisanCleared(artisan_id="art_a")),
    ),
    "release_due_shares": ([captured, delivered, confirmed, fortnight], release),
    "finish_settlement_files": ([captured, delivered, half(confirmed), fortnight], finish_files),
    "POST /v1/operator/reconciliations": ([captured, delivered], confirmed),
    "POST /v1/operator/payout-batches": ([], drafted),
    "POST /v1/operator/payout-batches/{batch_id}/approve": ([drafted], approved),
    "POST /v1/operator/payout-batches/{batch_id}/submit": ([drafted, approved], submitted),
    "POST /v1/operator/payout-batches/{batch_id}/cancel": (
        [drafted], lambda: payouts.cancel_batch(BATCH, "op-2"),
    ),
    "POST /v1/me/payouts": ([], lambda: payouts.request_payout("art_a", "k")),
    "PayoutReported": ([drafted, approved, submitted], reported),
    "miss_payments": ([captured, fortnight], lambda: handler_of(consumers.miss_payments)()),
    "finish_payout_batches": ([half(drafted), fortnight], finish_batches),
}  # fmt: skip


def state() -> Any:
    """Where the money is, what stands of each share, and how each payout and batch ended."""
    assert ledger.check().holds
    credit = ledger_domain.replayed_minor(entry for entry, _ in ledger_tables.entries())
    shares = sorted((one.parcel_id, one.status, one.reversed) for one in kept_shares())
    rows = sorted((row.pk, row.sk, str(getattr(row, "status", ""))) for row in stored(PayoutsTable))
    return {name: minor for name, minor in credit.items() if minor}, shares, rows


def all_that_is_stored() -> str:
    tables = dynamodb_backends[ACCOUNT][REGION].tables.values()
    return ids.fingerprint(str([str(one.to_json()) for own in tables for one in own.all_items()]))


def swept() -> None:
    for _ in range(2):
        clock.advance(300)
        finish_files()
        release()
        finish_batches()


@pytest.mark.parametrize("name", CASES)
def test_P6_P7_P11_a_crash_anywhere_ends_where_no_fault_ends(
    aws: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # Given how it ends when nothing fails
    monkeypatch.setattr(ledger_tables, "SHARD_COUNT", 1)
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)
    a_payable_artisan()
    given, work = CASES[name]
    for step in given:
        step()
    start_again = shop.snapshot()
    asked = calls_of(work)
    swept()
    undisturbed, seen = state(), set()
    for number, fault in telling_points(asked):
        # When one call fails in one way, and it is done again until it succeeds
        start_again()
        with disturbed(number, fault) as disturbance, suppress(*FAILURES):
            work()
        assert disturbance.hit
        left = all_that_is_stored()
        if left in seen:  # What follows of the same state is the same.
            continue
        seen.add(left)
        for _ in range(3):
            with suppress(*FAILURES):
                with suppress(Conflict):  # The first try had gone through: its caller sees that.
                    work()
                break
        swept()
        # Then it ends the same
        assert state() == undisturbed, f"{fault} at call {number} ({asked[number]})"


def handlers() -> set[str]:
    """Every message, stream, schedule and changing route of settlement and payouts."""
    told = {one.__name__ for both in (consumers, payout_consumers) for one in get_args(both.Told)}
    events = {
        name
        for module in (consumers, payout_consumers)
        for name, one in vars(module).items()
        if hasattr(one, "func") and name not in ("settle", "record_payout_report")
    }
    routes = {
        f"{one.method} {one.path}"
        for one in OPERATIONS
        if one.feature in ("settlement", "payouts") and one.method != "GET"
    }
    return told | events | routes


def test_every_handler_of_money_has_a_crash_case() -> None:
    import app

    assert app.app
    covered = {name.partition(",")[0] for name in CASES} | set(PROVEN_ELSEWHERE) | NOT_YET
    assert handlers() <= covered, handlers() - covered
