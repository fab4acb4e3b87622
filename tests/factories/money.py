"""Money's whole way at service level: what streams put on queues, what queues hand over, in any
order and more than once; and what must hold of the books at every moment.

Streams are moto's own, read where it keeps them; queues are lists, from which a message goes only
when its handler has taken it.
"""

import inspect
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

from moto.dynamodb.models import dynamodb_backends
from pydantic import BaseModel

from chalicelib import ids
from chalicelib.config import settings
from chalicelib.edge import queues
from chalicelib.edge.streams import Change
from chalicelib.ledger import domain as ledger_domain
from chalicelib.ledger import service as ledger
from chalicelib.ledger import tables as ledger_tables
from chalicelib.ledger.domain import Entry
from chalicelib.orders import consumers as order_consumers
from chalicelib.payments import consumers as payment_consumers
from chalicelib.payments.refund_domain import RefundKind, RefundStatus
from chalicelib.payouts import consumers as payout_consumers
from chalicelib.payouts import service as payouts
from chalicelib.settlement import consumers as settlement_consumers
from infra.local.bank.accounts import Charge
from infra.local.environment import ACCOUNT, REGION
from tests.factories.shop_promises import Shop
from tests.factories.till import FAILURES, Till

STREAMS = {
    "orders": order_consumers.relay_order_changes,
    "callbacks": payment_consumers.relay_callbacks,
    "payments": payment_consumers.relay_payment_changes,
    "refunds": payment_consumers.relay_refund_changes,
    "disputes": payment_consumers.relay_dispute_changes,
    "settlement": settlement_consumers.relay_confirmations,
    "artisans": settlement_consumers.relay_verifications,
}
QUEUES = {
    "payments": payment_consumers.apply_payment_message,
    "settlement": settlement_consumers.settle,
    "payouts": payout_consumers.record_payout_report,
}
KEPT = ("pending", "payable", "held", "owed")
RATHER_OFTEN = 40


def handler_of(registered: Any) -> Callable[[Any], None]:
    """The function below what the blueprint has made of it: one change, or one message."""
    found: Callable[[Any], None] = inspect.unwrap(registered.func)
    return found


class Outbox:
    """Relays what the tables' streams hold, and keeps what waits in queues."""

    def __init__(self, chosen: random.Random) -> None:
        self._chosen = chosen
        self._read: dict[str, int] = defaultdict(int)
        self.waiting: dict[str, list[BaseModel]] = {name: [] for name in QUEUES}
        self.delivered: list[tuple[str, BaseModel]] = []

    @contextmanager
    def open(self) -> Iterator[None]:
        with mock.patch.object(queues, "send", self._put):
            yield

    def _put(self, queue: str, message: BaseModel, group: str | None = None) -> None:
        if queue in self.waiting:
            self.waiting[queue].append(message)

    def relay(self) -> None:
        """Each stream in its order; at a record that fails its stream waits."""
        for name, relay in STREAMS.items():
            records = self._records(name)
            for record in records[self._read[name] :]:
                data = record.to_json()["dynamodb"]
                change = Change(data.get("OldImage"), data.get("NewImage"))
                handler_of(relay)(change)
                self._read[name] += 1

    def _records(self, name: str) -> list[Any]:
        table = dynamodb_backends[ACCOUNT][REGION].tables[f"{settings().table_prefix}{name}"]
        return list(table.stream_shard.items)

    def deliver_one(self) -> None:
        """Any message, from any queue; now and then one that was delivered before."""
        if self.delivered and self._chosen.random() < 0.1:
            queue, message = self._chosen.choice(self.delivered)
            handler_of(QUEUES[queue])(message)
            return
        full = [name for name, own in self.waiting.items() if own]
        if full:
            queue = self._chosen.choice(full)
            message = self._chosen.choice(self.waiting[queue])
            handler_of(QUEUES[queue])(message)
            self.waiting[queue].remove(message)
            self.delivered.append((queue, message))

    def deliver_all(self) -> None:
        """Until every queue is empty; what is refused comes again."""
        for _ in range(RATHER_OFTEN):
            with suppress(*FAILURES):
                self.relay()
            for queue, own in self.waiting.items():
                for message in list(own):
                    with suppress(*FAILURES):
                        handler_of(QUEUES[queue])(message)
                        own.remove(message)
            if not any(self.waiting.values()) and not self.is_behind:
                return

    @property
    def is_behind(self) -> bool:
        return any(len(self._records(name)) > self._read[name] for name in STREAMS)


def written_so_far() -> str:
    """Differs after every write: how many changes each stream has had, and what no stream tells."""
    tables = dynamodb_backends[ACCOUNT][REGION].tables.values()
    streamed = [len(one.stream_shard.items) for one in tables if one.stream_shard is not None]
    silent = [
        str(one.to_json())
        for table in tables
        if table.stream_shard is None and table.name.endswith(("payouts", "stock", "ledger"))
        for one in table.all_items()
    ]
    return ids.fingerprint(f"{streamed}{silent}")


def check_ledger(artisans: Iterable[str]) -> None:
    """P3, P4, P5 at any moment: balanced, replayed as kept, nobody below zero or paid too much."""
    entries = [entry for entry, _ in ledger_tables.entries()]
    credit = ledger_domain.replayed_minor(entries)
    assert sum(credit.values()) == 0
    for artisan_id in artisans:
        money = {name: one.amount_minor for name, one in payouts.balance_of(artisan_id).items()}
        assert min(money.values()) >= 0, money
        for name in KEPT:
            account = f"artisan_{_CLASS[name]}:{artisan_id}"
            kept = ledger_domain.in_normal_sense(account, credit.get(account, 0))
            assert kept == money[name], (account, kept, money)
        left = money["paid_out"] + money["in_payout"] + money["payable"] - money["owed"]
        released = _released_to(artisan_id, entries)
        assert left == released, (artisan_id, left, released)


_CLASS = {"pending": "pending", "payable": "payable", "held": "held", "owed": "receivable"}


def _released_to(artisan_id: str, entries: Iterable[Entry]) -> int:
    """What was made payable and not taken back since, by what the entries say they are for."""
    total = 0
    for entry in entries:
        for posting in entry.postings:
            inside = _of(posting.source, artisan_id), _of(posting.destination, artisan_id)
            if inside == (True, False) and not posting.destination.startswith("payout_clearing"):
                total -= posting.amount.amount_minor
            if inside == (False, True) and not posting.source.startswith("payout_clearing"):
                total += posting.amount.amount_minor
    return total


def _of(account: str, artisan_id: str) -> bool:
    own = (f"artisan_payable:{artisan_id}", f"artisan_receivable:{artisan_id}")
    return account in own


def captured_of(charge: Charge) -> int:
    return sum(one.captured_minor for one in charge.tries)


def given_back_of(charge: Charge) -> int:
    """Refunded, and taken by the buyer's bank."""
    refunded = sum(one.amount_minor for one in charge.refunds.values() if one.done)
    return refunded + sum(one.charged_back_minor for one in charge.tries)


def check_with_bank(till: Till, remitted: Mapping[str, int]) -> None:
    """At rest, what our ledger says is with a provider is what its own books say, to the centime.

    `remitted`: gross amounts that providers' files have settled, by provider.
    """
    assert ledger.check().holds
    credit = ledger_domain.replayed_minor(entry for entry, _ in ledger_tables.entries())
    expected: dict[str, int] = defaultdict(int)
    for charge in till.books._charges.values():
        expected[charge.provider] += captured_of(charge) - given_back_of(charge)
        is_open = charge.dispute == "opened" and charge.paid_by is not None
        expected[charge.provider] -= charge.paid_by.left_minor if is_open else 0  # type: ignore[union-attr]
        if charge.dispute in ("opened", "lost"):
            expected[charge.provider] += _refused_since(charge.reference)
    for provider, minor in expected.items():
        account = f"psp_clearing:{provider}"
        found = ledger_domain.in_normal_sense(account, credit.get(account, 0))
        assert found == minor - remitted.get(provider, 0), (provider, found, minor, remitted)


def _refused_since(payment_id: str) -> int:
    """Refunds that the bank refused because a dispute came first. The dispute is ours to the amount
    that was left beside them, and the bank's for all: the refund stays held for an operator."""
    return sum(
        one.amount.amount_minor
        for one in Shop.now().refunds
        if one.payment_id == payment_id
        and one.kind is RefundKind.REFUND
        and one.status is RefundStatus.FAILED
    )
