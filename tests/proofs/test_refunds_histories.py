"""P2, P3, P4, P5, P11 of refunds and disputes: every random history adds up, and comes to rest."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from chalicelib import clock
from chalicelib.edge import storage
from chalicelib.ledger import tables as ledger_tables
from chalicelib.payouts import service as payouts
from chalicelib.settlement import reconciliation, service
from chalicelib.settlement.domain import Sale, ShareStatus
from chalicelib.settlement.reversals import Portion, Reversal, Stage
from tests.factories.books import check_books, kept_shares
from tests.factories.payouts import a_payable_artisan
from tests.factories.settlement import (
    a_dispute,
    a_file,
    a_payment_id,
    a_refund,
    a_sale,
    file_line,
    ours,
    terms,
)
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def one_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    """One shard of each index instead of eight: fewer calls, more happens between them."""
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)
    monkeypatch.setattr(ledger_tables, "SHARD_COUNT", 1)


class History:
    """Random buyers, banks and operators. `stands` is what is taken of each parcel, by us."""

    def __init__(self, seed: int) -> None:
        self.chosen = random.Random(seed)
        self.sales: list[Sale] = []
        self.open: dict[tuple[str, int], tuple[Reversal, list[Reversal]]] = {}
        self.ended: list[tuple[list[Reversal], Stage]] = []
        self.left: dict[str, tuple[int, int]] = {}
        self.back = 0  # what went back to buyers, or to their banks
        self.count = 0
        for name in ("art_a", "art_b"):
            a_payable_artisan(name, 1)
        for _ in range(3):
            self.sell()

    def sell(self) -> None:
        number = len(self.sales)
        own = [
            terms(
                f"prc_{number}{name[-1]}",
                name,
                goods_minor=self.chosen.randint(1, 30_000),
                shipping_minor=self.chosen.choice([0, self.chosen.randint(1, 4_000)]),
            )
            for name in ("art_a", "art_b")
        ]
        sale = a_sale(*own, payment_id=a_payment_id(f"sale {number}"))
        self.sales.append(sale)
        self.left |= {one.parcel_id: (one.goods_minor, one.shipping_minor) for one in own}

    def step(self) -> None:
        acts = [self.settle, self.deliver, self.release, self.refund, self.refund, self.dispute,
                self.end, self.end, self.repeat, self.draft]  # fmt: skip
        self.chosen.choice(acts)()

    def settle(self) -> None:
        service.settle_payment(self.chosen.choice(self.sales))

    def deliver(self) -> None:
        sale = self.chosen.choice(self.sales)
        for one in sale.shares:
            service.record_delivery(one.parcel_id, clock.now())
        reconciliation.reconcile(a_file([file_line(sale, 1)]), "cmi", "standard")

    def release(self) -> None:
        clock.advance(self.chosen.choice([DAY, 15 * DAY]))
        service.release_due_shares()

    def draft(self) -> None:
        payouts.draft_batch("op-1", str(self.chosen.randint(1, 10)))

    def refund(self) -> None:
        self.take(lambda sale, some: [a_refund(sale, *some, refund_id=f"rfd_{self.count}")])

    def dispute(self) -> None:
        self.take(lambda sale, some: a_dispute(sale, *some, dispute_id=f"dsp_{self.count}"))

    def take(self, make: Callable[[Sale, list[Portion]], list[Reversal]]) -> None:
        sale = self.chosen.choice(self.sales)
        some = [portion for one in sale.shares if (portion := self.portion(one.parcel_id))]
        if not some:
            return
        self.count += 1
        parts = make(sale, some)
        self.move(some, -1)
        self.open[parts[0].reversal_id, 1] = (parts[0], parts)
        if self.chosen.random() < 0.7:  # Else its first message is late.
            self.tell(parts, Stage.TAKEN)

    def portion(self, parcel: str) -> Portion | None:
        goods, shipping = self.left[parcel]
        if self.chosen.random() < 0.6:
            goods, shipping = self.chosen.randint(0, goods), self.chosen.randint(0, shipping)
        return Portion(parcel, goods, shipping) if goods + shipping else None

    def move(self, portions: Sequence[Portion], times: int) -> None:
        for one in portions:
            goods, shipping = self.left[one.parcel_id]
            self.left[one.parcel_id] = (
                goods + times * one.goods_minor,
                shipping + times * one.shipping_minor,
            )

    def tell(self, parts: list[Reversal], stage: Stage) -> None:
        record = service.record_refund if parts[0].kind == "refund" else None
        if record is not None:
            record(parts[0], stage)
        else:
            service.record_dispute(parts, stage)

    def end(self) -> None:
        if not self.open:
            return
        key = self.chosen.choice(sorted(self.open))
        stage = self.chosen.choice([Stage.GONE, Stage.GIVEN_BACK])
        self.conclude(key, stage)

    def conclude(self, key: tuple[str, int], stage: Stage) -> None:
        first, parts = self.open.pop(key)
        self.tell(parts, stage)
        self.ended.append((parts, stage))
        portions = [one for part in parts for one in part.portions]
        if stage is Stage.GONE:
            self.back += sum(one.goods_minor + one.shipping_minor for one in portions)
        elif first.kind == "refund" and self.chosen.random() < 0.5:
            again = replace(first, number=first.number + 1)
            self.open[again.reversal_id, again.number] = (again, [again])
        else:
            self.move(portions, 1)

    def repeat(self) -> None:
        """An old message comes again."""
        for parts, stage in self.chosen.sample(self.ended, min(2, len(self.ended))):
            self.tell(parts, self.chosen.choice([Stage.TAKEN, stage]))

    def come_to_rest(self) -> None:
        for key in sorted(self.open):
            self.conclude(key, Stage.GONE)
        for sale in self.sales:
            service.settle_payment(sale)
            for one in sale.shares:
                service.record_delivery(one.parcel_id, clock.now())
            reconciliation.reconcile(a_file([file_line(sale, 1)]), "cmi", "standard")
        for key in sorted(self.open):
            self.conclude(key, Stage.GONE)
        clock.advance(15 * DAY)
        service.release_due_shares()


@pytest.mark.parametrize("seed", range(10))
def test_P2_P5_every_history_adds_up_after_every_step_and_comes_to_rest(aws, seed):
    history = History(seed)
    for _ in range(22):
        history.step()
        check_books(given=1)
    history.come_to_rest()
    check_books(given=1)
    check_at_rest(history)


def check_at_rest(history: History) -> None:
    """P2, P11: everything has ended, and who got what adds up to what was captured."""
    shares = kept_shares()
    ends = {ShareStatus.RELEASED, ShareStatus.REVERSED}
    assert {share.status for share in shares} <= ends
    books = ours()
    assert not books.get("refund_payable")
    assert not books.get("dispute_receivable:cmi")
    captured = sum(sale.captured.amount_minor for sale in history.sales)
    artisans = sum(share.left.parts.artisan_minor for share in shares)
    taken = books.get("commission_revenue", 0) + books.get("vat_payable", 0)
    fees = sum(share.parts.fee_minor for share in shares if share.parts)
    lost = books.get("psp_fee_loss", 0)
    assert artisans + taken + fees - lost + history.back == captured
