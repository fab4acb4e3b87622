"""P7 and P9: of a thousand messages of money, one in twenty fails and one in fifty comes twice.

They go through the real queues to the real consumers. What fails is given up on with its reason and
holds nothing else up; once the defect is mended it is put back, nothing is left and nothing is
there twice.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3
import pytest
from pydantic import BaseModel

from chalicelib import clock
from chalicelib.edge import queues, storage
from chalicelib.errors import Conflict
from chalicelib.ledger import service as ledger
from chalicelib.ledger import tables as ledger_tables
from chalicelib.money import Money
from chalicelib.orders.messages import ParcelDelivered
from chalicelib.payments.messages import PayoutReported, Portion, RefundMoved
from chalicelib.payouts import service as payouts
from chalicelib.settlement import domain
from chalicelib.settlement.domain import Sale
from infra.local.environment import NAME_PREFIX
from infra.local.pump import Pump
from infra.ops import redrive
from infra.ops.sqs import Queues
from tests import quick_moto as moto
from tests.factories.books import check_shares, kept_shares
from tests.factories.payouts import a_payable_artisan
from tests.factories.settlement import a_payment_id, a_sale, captured_message, terms

pytestmark = pytest.mark.usefixtures("quick_moto")
quick_moto = moto.quick_moto
ROUNDS = 10  # of a hundred messages each: moto's transactions cost what its tables are long
SALES, REFUNDS, PAYOUTS, MESSAGES = 40, 9, 2, 100
ARTISANS = 5
POISON_PERCENT, TWICE_PERCENT = 5, 2
DEFECTS = (RuntimeError("a defect"), Conflict("a refusal"), KeyError("another defect"))
REASONS = {"failed: RuntimeError", "refused: conflict", "failed: KeyError"}
Message = tuple[str, BaseModel]


@pytest.fixture(autouse=True)
def few_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_tables, "SHARD_COUNT", 1)
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)


def sales() -> list[Sale]:
    return [
        a_sale(
            terms(f"prc_{number}", f"art_{number % ARTISANS}", goods_minor=10_000 + number),
            payment_id=a_payment_id(f"sale {number}"),
        )
        for number in range(SALES)
    ]


def messages_of(sold: list[Sale], paid_out: list[Any]) -> list[Message]:
    """Sold, delivered, a part of them refunded in two steps, and what banks say of payouts."""
    found: list[Message] = []
    for sale in sold:
        found.append(("settlement", captured_message(sale)))
        found.append(("settlement", ParcelDelivered(
            order_id=sale.order_id, parcel_id=sale.shares[0].parcel_id,
            artisan_id=sale.shares[0].artisan_id, delivered_at=clock.to_text(clock.now()),
        )))  # fmt: skip
    for number, sale in enumerate(sold[:REFUNDS]):
        portions = [Portion(parcel_id=sale.shares[0].parcel_id, goods_minor=99, shipping_minor=0)]
        for stage in ("approved", "paid"):
            found.append(("settlement", RefundMoved(
                refund_id=f"rfd_{number}", attempt=1, stage=stage,
                sale=captured_message(sale), portions=portions,
            )))  # fmt: skip
    for payout in paid_out:
        found.append(("payouts", PayoutReported(
            payout_id=payout.payout_id, outcome="paid", currency="MAD",
            amount_minor=payout.amount.amount_minor, occurred_at=clock.to_text(clock.now()),
        )))  # fmt: skip
    assert len(found) == MESSAGES
    return found


@contextmanager
def defect_in_handlers(poison: set[str]) -> Iterator[None]:
    """Handlers fail for these messages, in one of three ways: what a release can break."""
    real = queues._refusal_of

    def failing(record: Any, adapter: Any, handle: Any) -> Any:
        def defective(message: BaseModel) -> None:
            if message.model_dump_json() in poison:
                raise DEFECTS[len(message.model_dump_json()) % len(DEFECTS)]
            handle(message)

        return real(record, adapter, defective)

    with mock.patch.object(queues, "_refusal_of", failing):
        yield


def waiting(name: str) -> int:
    return sum(Queues(boto3.client("sqs"), NAME_PREFIX).depth(name))


def entry_ids() -> Counter[str]:
    return Counter(entry.entry_id for entry, _ in ledger_tables.entries())


def paid_out(batch_id: str) -> int:
    return sum(one.status == "paid" for one in payouts.batch(batch_id)[1])


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_P7_P9_a_thousand_messages_with_poison_end_as_without(
    aws: Any, pump: Pump, seed: int
) -> None:
    # Given a hundred messages, of which five fail and two come twice
    chosen = random.Random(seed)
    for number in range(PAYOUTS):
        a_payable_artisan(f"art_p{number}", 5_000 + number)
    batch_id = payouts.draft_batch("op-1", "k").batch_id
    payouts.approve_batch(batch_id, "op-2")
    payouts.submit_batch(batch_id, "op-2")
    pump.drain()
    sold = sales()
    told = messages_of(sold, payouts.batch(batch_id)[1])
    bad = chosen.sample(told[:-1], MESSAGES * POISON_PERCENT // 100 - 1) + told[-1:]
    poison = {message.model_dump_json() for _, message in bad}
    twice = chosen.sample(told, MESSAGES * TWICE_PERCENT // 100)
    queued = [*told, *twice]
    chosen.shuffle(queued)
    for queue, message in queued:
        queues.send(queue, message, group="g")

    # When they are delivered by a release with a defect
    with defect_in_handlers(poison):
        pump.drain()

    # Then what failed stands apart with its reason, and all else is done
    sqs = Queues(boto3.client("sqs"), NAME_PREFIX)
    given_up = {name: redrive.take(sqs, f"{name}-dead") for name in ("settlement", "payouts")}
    letters = [letter for own in given_up.values() for letter in own]
    assert {letter.body for letter in letters} == poison
    assert {letter.reason for letter in letters} <= REASONS
    assert len(letters) >= MESSAGES * POISON_PERCENT // 100
    assert waiting("settlement") == waiting("payouts") == 0
    done = [s for s in sold if captured_message(s).model_dump_json() not in poison]
    assert {f"sale:{one.payment_id}" for one in done} <= set(entry_ids())
    assert paid_out(batch_id) == PAYOUTS - len(given_up["payouts"])
    assert ledger.check().holds

    # And put back once the defect is mended, and once more, nothing is left and nothing is twice
    for name, own in given_up.items():
        assert redrive.move(sqs, f"{name}-dead", name, own) == len(own)
    pump.drain()
    ended = entry_ids()
    for letter in letters:
        queue = "payouts" if "payout_id" in letter.body else "settlement"
        sqs.send(queue, [letter])
    pump.drain()
    assert entry_ids() == ended
    check_end(sold, batch_id)


def check_end(sold: list[Sale], batch_id: str) -> None:
    assert all(waiting(name) + waiting(f"{name}-dead") == 0 for name in ("settlement", "payouts"))
    found = entry_ids()
    assert set(found.values()) == {1}
    assert {f"sale:{one.payment_id}" for one in sold} <= set(found)
    assert paid_out(batch_id) == PAYOUTS
    assert ledger.check().holds
    shares = {share.parcel_id: share for share in kept_shares()}
    check_shares(shares)
    assert len(shares) == SALES
    assert all(share.delivered_at for share in shares.values())
    assert sum(share.reversed.gross_minor for share in shares.values()) == REFUNDS * 99
    artisans = {f"artisan_pending:art_{number}" for number in range(ARTISANS)}
    left = sum(share.left.parts.artisan_minor for share in shares.values())
    balances = ledger.balances(artisans).values()
    assert sum((one.amount_minor for one in balances), 0) == left
    whole = sum(domain.split(one.shares)[0].artisan_minor for one in sold)
    assert Money(left).amount_minor < whole
