"""P2-P11 over whole lives of money: placed, paid, settled, refunded, disputed, shipped, released,
paid out, returned, every fifth step with a call that fails.

After each step shop and books hold; once the faults stop everything comes to rest within three
sweeps, and the providers' books agree with our ledger to the centime. A seed that fails prints how
to play it again. `make histories` plays 10,000.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.edge import caching
from chalicelib.errors import MarketplaceError
from chalicelib.ledger import tables as ledger_tables
from chalicelib.orders import service as orders
from chalicelib.orders.domain import ParcelStatus
from chalicelib.payments.domain import Method
from chalicelib.payments.messages import PayoutReported
from chalicelib.payments.refund_domain import RefundKind, RefundStatus
from chalicelib.payouts import service as payouts
from chalicelib.payouts.domain import Payout
from chalicelib.payouts.tables import PayoutsTable
from chalicelib.settlement import reconciliation
from chalicelib.settlement import service as settlement
from chalicelib.settlement.domain import ShareStatus
from infra.local.aws import LocalAws
from tests import quick_moto as moto
from tests.crash_points import Fault, disturbed
from tests.factories import shop
from tests.factories import till as tills
from tests.factories.books import check_shares, kept_shares
from tests.factories.money import (
    Outbox,
    check_ledger,
    check_with_bank,
    given_back_of,
    written_so_far,
)
from tests.factories.orders import BOWL, OTHER_ARTISAN, OWNER, RUG, an_order_request, open_shop
from tests.factories.payouts import a_payable_artisan
from tests.factories.settlement import a_file
from tests.factories.shop_promises import Shop, stored
from tests.factories.till import FAILURES, Till
from tests.proofs.test_refunds import History as ShopHistory

pytestmark = pytest.mark.usefixtures("one_due_shard", "quick_moto", "frozen")
one_due_shard, frozen = shop.one_due_shard, shop.frozen
quick_moto, till = moto.quick_moto, tills.till
HISTORIES = int(os.environ.get("HISTORIES", "300"))
FIRST_SEED = int(os.environ.get("HISTORY", "0"))
PER_TEST = 30
STEPS = int(os.environ.get("HISTORY_STEPS", "4"))
DAY = 24 * 3600
HELD = (RefundStatus.FAILED, RefundStatus.MANUAL)
GIVEN = {OWNER: 1_000, OTHER_ARTISAN: 1_000}
AGAIN = (
    "replay: HISTORY={} HISTORIES=1 HISTORY_STEPS={} .venv/bin/python -m pytest -n0"
    " tests/proofs/test_money_histories.py"
)


@pytest.fixture(autouse=True)
def one_ledger_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_tables, "SHARD_COUNT", 1)


class History(ShopHistory):
    """A history of the shop, with the money behind it."""

    def __init__(self, till: Till, seed: int) -> None:
        super().__init__(till, seed)
        self.outbox = Outbox(self.chosen)
        self.remitted: Counter[str] = Counter()
        self.lines: dict[tuple[str, str], str] = {}
        self.batches = {one.batch_id for one in payouts.batches(9, None)[0]}
        self.told: dict[str, list[str]] = {}
        self.checked = ""

    def step(self) -> None:
        acts: list[Callable[[], Any]] = [
            self.flow, self.flow, self.file, self.later, self.pay_out, self.pay_out, self.report,
            self.verify,
        ]  # fmt: skip
        if self.chosen.random() < 0.5:
            super().step()
        else:
            self._do(self.chosen.choice(acts))

    def _do(self, act: Callable[[], Any]) -> None:
        self.done.append(act.__name__)
        if self.chosen.random() >= 0.2:
            with suppress(MarketplaceError):
                act()
            return
        number, fault = self.chosen.randrange(7), self.chosen.choice(list(Fault))
        self.done[-1] += f" ({fault} at {number})"
        with disturbed(number, fault), suppress(*FAILURES):
            act()

    def flow(self) -> None:
        """Streams are relayed, and some of the messages delivered."""
        self.outbox.relay()
        for _ in range(self.chosen.randint(1, 6)):
            self.outbox.deliver_one()

    def file(self) -> None:
        """A provider's file of what it has captured, or an old one again."""
        for provider in ("cmi", "mastercard", "payzone", "wallet"):
            lines = [line for (of, _), line in self._new_lines().items() if of == provider]
            if lines and self.chosen.random() < 0.7:
                reconciliation.reconcile(a_file(lines), provider, "standard")

    def _new_lines(self) -> dict[tuple[str, str], str]:
        """A line for each payment in full; the same payment has the same line each time."""
        for charge in self.till.books._charges.values():
            made = charge.paid_by
            is_whole = made is not None and made.captured_minor == charge.due_minor
            if made is not None and is_whole and charge.reference.startswith("pay_"):
                gross = made.captured_minor
                cells = [
                    charge.reference,
                    made.provider_reference,
                    _text(gross),
                    _text(gross // 50),
                ]
                cells += [_text(gross - gross // 50), "MAD", "2031-03-15", "payment"]
                self.lines[charge.provider, charge.reference] = ",".join(cells)
        return self.lines

    def later(self) -> None:
        clock.advance(self.chosen.choice([DAY, 15 * DAY]))
        settlement.release_due_shares()
        settlement.finish_files()

    def pay_out(self) -> None:
        """The next move of a batch, or a new one."""
        if not self.batches or self.chosen.random() < 0.3:
            key = str(self.chosen.randint(1, 3))
            self.batches.add(payouts.draft_batch("op-1", key).batch_id)
            return
        batch_id = self.chosen.choice(sorted(self.batches))
        move = self.chosen.choice(
            [
                payouts.approve_batch,
                payouts.submit_batch,
                payouts.submit_batch,
                payouts.cancel_batch,
            ]
        )
        move(batch_id, "op-2")

    def report(self) -> None:
        """A rail says what became of a payout; a payout has one fate, told in any order."""
        found = [one for one in self.payouts() if one.status not in ("reserved", "cancelled")]
        if found:
            payout = self.chosen.choice(found)
            if payout.payout_id not in self.told:
                fates = [["paid"], ["paid"], ["failed"], ["paid", "returned"]]
                self.told[payout.payout_id] = self.chosen.choice(fates)
            self._tell(payout, self.chosen.choice(self.told[payout.payout_id]))

    def _tell(self, payout: Payout, outcome: str) -> None:
        self.outbox._put("payouts", PayoutReported(
            payout_id=payout.payout_id, outcome=outcome, amount_minor=payout.amount.amount_minor,
            currency="MAD", occurred_at=clock.to_text(clock.now()), provider_reference="R",
        ))  # fmt: skip

    def payouts(self) -> list[Payout]:
        names = {str(row.batch_id) for row in stored(PayoutsTable) if row.batch_id}
        return [one for name in sorted(names & self.batches) for one in payouts.batch(name)[1]]

    def verify(self) -> None:
        name = self.chosen.choice((OWNER, OTHER_ARTISAN))
        if artisans.artisan(name).is_verified:
            artisans.suspend(name, "looked at")
        else:
            artisans.reinstate(name)

    def check(self) -> None:
        """After a step that has changed something."""
        written = written_so_far()
        if written != self.checked:
            self.checked = written
            shop.check_shop()
            check_ledger(GIVEN)

    def come_to_rest(self) -> None:
        """Whoever was not heard says it again, queues are worked off, three sweeps are enough."""
        for name in GIVEN:
            if not artisans.artisan(name).is_verified:
                artisans.reinstate(name)
        for refund_id in list(self.till.by_hand):
            self.till.note_by_hand(refund_id)
        self.till.redeliver()
        self.outbox.deliver_all()
        shop.come_to_rest()
        self.till.redeliver()
        self.outbox.deliver_all()
        self._finish_by_hand()
        for (provider, _), line in self._new_lines().items():
            reconciliation.reconcile(a_file([line]), provider, "standard")
        self.outbox.deliver_all()
        for batch_id in sorted(self.batches):
            for move in (payouts.approve_batch, payouts.submit_batch):
                with suppress(MarketplaceError):
                    move(batch_id, "op-2")
        payouts.sweep()
        self.outbox.deliver_all()
        for payout in self.payouts():
            for outcome in self.told.setdefault(payout.payout_id, ["paid"]):
                self._tell(payout, outcome)
        self.outbox.deliver_all()
        for _ in range(3):
            clock.advance(15 * DAY)
            shop.sweep()
            settlement.release_due_shares()
            settlement.finish_files()
            payouts.sweep()
            self.till.redeliver()
            self.outbox.deliver_all()
            if shop.is_at_rest() and not self.outbox.is_behind:
                return

    def _finish_by_hand(self) -> None:
        for refund in Shop.now().refunds:
            if refund.status is RefundStatus.MANUAL and refund.kind is not RefundKind.VOID:
                self.till.finish_by_hand(refund)

    def check_at_rest(self) -> None:
        shop.check_at_rest()
        self.till.check_books()
        check_ledger(GIVEN)
        assert not any(self.outbox.waiting.values())
        shares = {share.parcel_id: share for share in kept_shares()}
        check_shares(shares)
        for payout in self.payouts():
            assert payout.status in ("paid", "failed", "returned", "cancelled"), payout
        check_with_bank(self.till, self._remitted())
        held = [one for one in shares.values() if one.status is ShareStatus.PENDING]
        assert all(one.delivered_at is None for one in held), "nothing that is complete waits"

    def _remitted(self) -> Counter[str]:
        """What files have settled: every whole payment, but one that fitted no order: that was
        given back, or is held for an operator as a refund that could not be."""
        remitted: Counter[str] = Counter()
        held = {one.payment_id for one in Shop.now().refunds if one.status in HELD}
        for (provider, reference), _ in self.lines.items():
            charge = self.till.books.find(reference)
            assert charge is not None
            if reference in _settled():
                remitted[provider] += charge.due_minor
            else:
                assert given_back_of(charge) >= charge.due_minor or reference in held
        return remitted


def _settled() -> set[str]:
    return {
        str(entry.refs["payment_id"])
        for entry, _ in ledger_tables.entries()
        if entry.reason == "settlement"
    }


def _text(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def play(till: Till, seed: int) -> list[str]:
    """One history from the same beginning; what was done."""
    random.seed(seed)
    caching.forget_everything()  # Who is suspended is another matter in each history.
    till.made.sent.clear()
    history = History(till, seed)
    with history.outbox.open():
        try:
            if not shop.all_orders():
                history.place()
            for _ in range(STEPS):
                history.step()
                history.check()
            history.come_to_rest()
            history.check_at_rest()
        except BaseException as error:
            error.add_note(f"{AGAIN.format(seed, STEPS)}\n{', '.join(history.done)}")
            raise
    return history.done


@pytest.fixture
def beginnings(aws: LocalAws, till: Till) -> list[Callable[[], None]]:
    """Each brings everything back to where a life of money can begin: a shop whose artisans can be
    paid; an order settled; its shares released; their payouts sent out."""
    open_shop({BOWL: 3, RUG: 3})
    for name, minor in GIVEN.items():
        a_payable_artisan(name, minor)
    found = [till.snapshot()]
    first = History(till, 0)
    with first.outbox.open():
        for act in (_sold, _released, _sent_out):
            act(first)
            first.outbox.deliver_all()
            found.append(till.snapshot())
    return found


def _sold(history: History) -> None:
    request = an_order_request("a", {BOWL: 1, RUG: 2}, email="a@example.com")
    placed = history.till.buy(request, Method.WALLET)
    history.till.press(placed.payment.payment_id)


def _released(history: History) -> None:
    [order] = shop.all_orders()
    for parcel in order.parcels:
        for to in (ParcelStatus.SHIPPED, ParcelStatus.DELIVERED):
            orders.advance_parcel(parcel.parcel_id, parcel.artisan_id, to, "Amana")
    history.outbox.deliver_all()
    for (provider, _), line in history._new_lines().items():
        reconciliation.reconcile(a_file([line]), provider, "standard")
    clock.advance(15 * DAY)
    assert settlement.release_due_shares() == 2


def _sent_out(history: History) -> None:
    batch_id = payouts.draft_batch("op-1", "1").batch_id
    payouts.approve_batch(batch_id, "op-2")
    payouts.submit_batch(batch_id, "op-2")


def _seeds() -> Iterator[range]:
    end = FIRST_SEED + HISTORIES
    return (range(at, min(end, at + PER_TEST)) for at in range(FIRST_SEED, end, PER_TEST))


@pytest.mark.parametrize("seeds", list(_seeds()), ids=lambda one: f"from_{one[0]}")
def test_P2_P11_every_life_of_money_adds_up_after_every_step_and_comes_to_rest(
    beginnings: list[Callable[[], None]], till: Till, seeds: range
) -> None:
    done: Counter[str] = Counter()
    for seed in seeds:
        beginnings[seed % len(beginnings)]()
        done.update(name.partition(" ")[0] for name in play(till, seed))
    if len(seeds) == PER_TEST:  # else it is a replay
        assert min(done[name] for name in ("flow", "file", "pay_out", "report", "refund")) > 0
