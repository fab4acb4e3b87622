"""The shop's till: the four providers in this process, whose calls the platform takes without HTTP.

What a route does with a callback (verify the raw bytes, keep it, answer) is done here by the same
functions; what a stream would put on a queue is done by `redeliver`. The bank keeps its own books
across every retry, and may be put back with the tables (`snapshot`).
"""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import outbound, standard_webhooks
from chalicelib.errors import MarketplaceError
from chalicelib.orders.service import OrderRequest
from chalicelib.payments import checkout, inquiries, refunds, service
from chalicelib.payments.domain import PAID, Method, Payment, PaymentStatus, ProviderEvent
from chalicelib.payments.providers import cmi, mastercard, payzone, wallet
from chalicelib.payments.refund_domain import Refund, RefundKind, RefundStatus
from infra.local.bank import accounts
from infra.local.bank import cmi as card_gateway
from infra.local.bank import mastercard as gateway
from infra.local.bank.accounts import BankRefusal, Charge, State
from infra.local.bank.accounts import Refund as GivenBack
from infra.local.bank.callbacks import Callback, Sent
from infra.local.bank.plans import Plan
from infra.local.payments import find_due
from tests.crash_points import Fault, unheard
from tests.factories import shop
from tests.factories.bank import InProcessBank
from tests.factories.shop_promises import Shop
from tests.wire import attempts_through, unwatched

FAILURES = (MarketplaceError, BotoCoreError, ClientError, PynamoDBException)
RATHER_OFTEN = 6
REFUSES_FIRST_REFUND = 59


class Till:
    """Where buyers pay. Use it by the fixture `till`."""

    def __init__(self) -> None:
        self._number, self._turn = 0, threading.Lock()
        self.made = InProcessBank(self._call_back, find=_due)
        self.unheard: list[Callback] = []
        self.by_hand: list[str] = []  # given back by an operator, who has not said so yet
        self.calls = self.made.calls

    def number(self, size: int) -> str:
        """Stands for `secrets.token_hex` at the bank: its references come back, too."""
        with self._turn:
            self._number += 1
            return f"{self._number:0{size * 2}x}"

    def buy(self, request: OrderRequest, method: Method = Method.CARD) -> checkout.Placed:
        return shop.buy(request, method)

    def press(self, payment_id: str, outcome: str = "pay") -> None:
        """The buyer pays, or is refused; the provider calls back, and the queue is worked off."""
        with suppress(AssertionError):  # It is paid: the page says no.
            self.made.press(payment_id, outcome)

    def pay(self, payment_id: str, plan: Plan) -> None:
        """As `press`, with a plan of its own."""
        with unwatched():
            due = _due(payment_id)
        assert due is not None
        asked = Charge(due.payment_id, due.provider, due.amount_minor, order_id=due.order_id)
        charge = self.books.find(payment_id) or self.books.open(asked)
        with suppress(BankRefusal):
            self.made.bank._cashier.play(charge, plan, due.expires_at)

    @property
    def books(self) -> accounts.Books:
        return self.made.bank.books

    def decide(self, payment_id: str, outcome: str) -> None:
        """The buyer's bank opens a dispute, or closes it."""
        charge = self.made.charge(payment_id)
        with suppress(BankRefusal):
            self.made.bank._cashier.dispute(charge, outcome)

    @property
    def is_owed_an_answer(self) -> bool:
        """Whether somebody knows of money that they could not tell the platform of yet."""
        return bool(self.unheard or self.by_hand)

    def give_back_by_hand(self, refund: Refund) -> bool:
        """An operator gives money back at a provider that has no way to be asked; False when the
        bank does not do it."""
        charge = self.made.charge(refund.payment_id)
        asked = GivenBack(refund.reference, refund.amount.amount_minor, refund.amount.currency)
        named = [made for made in charge.tries if made.provider_reference == refund.receipt]
        given = self.books.refund(charge, asked, refund.receipt if named else "")
        if given.done:
            self.by_hand.append(refund.refund_id)
        return given.done

    def note_by_hand(self, refund_id: str) -> None:
        refunds.finish_by_hand(refund_id, RefundStatus.PAID, "by hand")
        if refund_id in self.by_hand:
            self.by_hand.remove(refund_id)

    def finish_by_hand(self, refund: Refund) -> None:
        """What an operator does with a refund that waits for them."""
        if self.give_back_by_hand(refund):
            self.note_by_hand(refund.refund_id)
        else:
            refunds.finish_by_hand(refund.refund_id, RefundStatus.FAILED, "refused")

    def refuse_next_refund(self, payment_id: str) -> None:
        """From now on the charge's amount is one of the bank's magic ones: refused once."""
        self.made.charge(payment_id).due_minor = REFUSES_FIRST_REFUND

    def take_unasked(self, payment_id: str, provider: str, amount_minor: int) -> None:
        """Money of which the platform knows nothing (yet)."""
        charge = self.books.open(Charge(payment_id, provider, amount_minor))
        self.made.bank._cashier.play(charge, Plan(), None)

    @contextmanager
    def answers_lost(self, how: Fault = Fault.ANSWER_LOST) -> Iterator[None]:
        """No provider gives an answer, as long as this lasts; with ANSWER_LOST and REPEATED it
        does what it is asked all the same."""
        with attempts_through(lambda attempt, send: unheard(how, attempt, send)):
            yield

    @contextmanager
    def queue_down(self) -> Iterator[None]:
        """Callbacks are kept and answered, and nobody takes them from their queue."""
        with mock.patch.object(inquiries, "take_callback", return_value=None):
            yield

    def _call_back(self, callback: Callback) -> Sent:
        """As the route of the callback would answer. What was not taken is sent again later."""
        try:
            answer = ROUTES[callback.url.rpartition("/")[2]](callback)
        except FAILURES:
            self.unheard.append(callback)
            return Sent(callback.what, 500, "")
        return Sent(callback.what, 200, answer)

    def redeliver(self) -> None:
        """All that was not taken comes again, from the providers and from our queues."""
        for _ in range(RATHER_OFTEN):
            waiting, self.unheard[:] = list(self.unheard), []
            for callback in waiting:
                self._call_again(callback)
            self.made.deliver()
            shop.redeliver()
            if not self.unheard:
                return

    def _call_again(self, callback: Callback) -> None:
        answer = self._call_back(callback)
        if answer.status == 200 and answer.answer == cmi.CAPTURE:
            fields = cmi.read_callback(callback.body, (settings().cmi_store_key,))
            assert fields is not None
            charge = self.made.charge(fields["oid"])
            for made in charge.tries:
                if (made.provider_reference, made.state) == (fields["TransId"], State.AUTHORIZED):
                    self.books.capture(charge, made, made.amount_minor)

    def snapshot(self) -> Callable[[], None]:
        """Keep tables, time and the bank's books; what it returns puts all of them back."""
        tables_again = shop.snapshot()
        kept = copy.deepcopy(self._memory())
        unheard, by_hand, number = list(self.unheard), list(self.by_hand), self._number

        def again() -> None:
            tables_again()
            for owner, names in copy.deepcopy(kept).items():
                for name, value in names.items():
                    setattr(self._owners()[owner], name, value)
            self.made.bank._cashier._later.clear()
            self.unheard[:], self.by_hand[:] = unheard, by_hand
            self._number = number
            self.calls.clear()
            outbound._budgets.clear()

        return again

    def _owners(self) -> dict[str, Any]:
        bank = self.made.bank
        wallet_desk = bank._dialects["wallet"]
        return {"books": bank.books, "gateway": bank._mastercard, "wallet": wallet_desk}

    def _memory(self) -> dict[str, dict[str, Any]]:
        """What the bank remembers; one object, so that what is shared in it stays shared."""
        names = {
            "books": ("_charges", "_refunds"),
            "gateway": ("_orders", "_sessions", "_unheard"),
            "wallet": ("_unheard",),
        }
        return {
            owner: {name: getattr(found, name) for name in names[owner]}
            for owner, found in self._owners().items()
        }

    def state(self) -> str:
        """All that is known on both sides: what follows of the same state is the same."""
        known = (self._memory(), self.unheard, self.by_hand)
        return f"{shop.state_of_shop()}\n{known}"

    def check_books(self) -> None:
        """P2, P7: what the bank took and gave back is what we say it did, payment by payment."""
        found = Shop.now()
        for payment in found.payments.values():
            charge = self.books.find(payment.payment_id)
            theirs = 0 if charge is None else _taken_minor(charge)
            ours = _kept_minor(payment, found)
            doubtful = payment.amount.amount_minor * _is_in_doubt(payment)
            assert theirs in (ours, ours - doubtful), (theirs, ours, payment, charge)

    def given_back(self, payment_id: str) -> list[int]:
        """Each time the bank gave money of a payment back; centimes."""
        charge = self.made.charge(payment_id)
        return sorted(given.amount_minor for given in charge.refunds.values() if given.done)


def _taken_minor(charge: Charge) -> int:
    return sum(made.captured_minor - made.refunded_minor for made in charge.tries)


def _is_in_doubt(payment: Payment) -> bool:
    """Whether an operator was told that the provider says it has not captured it."""
    return payment.status is PaymentStatus.CAPTURE_REQUESTED and payment.review


def _kept_minor(payment: Payment, found: Shop) -> int:
    """What we say the provider has taken of a payment and not given back."""
    is_taken = payment.status in PAID
    kept = payment.amount.amount_minor - payment.refunded_minor if is_taken else 0
    for refund in found.refunds:
        is_receipt = refund.kind is RefundKind.UNAPPLIED
        if refund.payment_id == payment.payment_id and is_receipt:
            kept += refund.amount.amount_minor * (refund.status is not RefundStatus.PAID)
    return kept


def _due(payment_id: str) -> accounts.Due | None:
    with unwatched():
        return find_due(payment_id)


def _take(event: ProviderEvent, body: bytes) -> str:
    service.receive_callback(event, body)
    with suppress(*FAILURES):  # Then it waits in its queue.
        inquiries.take_callback(event.key)
    return ""


def _from_cmi(callback: Callback) -> str:
    fields = cmi.read_callback(callback.body, (settings().cmi_store_key,))
    assert fields is not None
    event = cmi.event_from(fields)
    return service.decide_cmi(event, callback.body, fields["clientid"])


def _from_mastercard(callback: Callback) -> str:
    headers, secret = _lower(callback), settings().mastercard_notification_secret
    event = mastercard.read_notification(callback.body, headers, (secret,))
    assert event is not None
    return _take(event, callback.body)


def _from_payzone(callback: Callback) -> str:
    keys = (settings().payzone_notification_key,)
    event = payzone.read_callback(callback.body, _lower(callback), keys)
    assert event is not None
    return _take(event, callback.body)


def _from_wallet(callback: Callback) -> str:
    headers, secrets = _lower(callback), (settings().wallet_secret,)
    assert standard_webhooks.is_genuine(secrets, headers, callback.body, clock.outside_now())
    told = wallet.WalletEvent.model_validate_json(callback.body)
    return _take(wallet.event_from(told, headers), callback.body)


def _lower(callback: Callback) -> dict[str, str]:
    return {name.lower(): value for name, value in callback.headers.items()}


ROUTES: dict[str, Callable[[Callback], str]] = {
    "cmi": _from_cmi,
    "mastercard": _from_mastercard,
    "payzone": _from_payzone,
    "wallet": _from_wallet,
}


def open_till(patch: pytest.MonkeyPatch) -> Till:
    """A till that the platform's calls to providers reach."""
    made = Till()
    numbered = SimpleNamespace(token_hex=made.number)
    for module in (accounts, card_gateway, gateway):
        patch.setattr(module, "secrets", numbered)
    outbound.set_transport(made.made.carry)
    return made


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    yield open_till(monkeypatch)
    outbound.reset()


__all__ = ["FAILURES", "Plan", "Till", "open_till", "till"]
