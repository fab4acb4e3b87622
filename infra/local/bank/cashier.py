"""Plays a plan: moves the bank's own books, and sends what a real provider would send."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime

from chalicelib import clock
from infra.local.bank.accounts import BankRefusal, Books, Charge, State, Try
from infra.local.bank.callbacks import Callback, Send, Sent
from infra.local.bank.dialect import Dialect, Step, Takes
from infra.local.bank.plans import Late, Plan

HOUR_SECONDS = 3600
ONE_PAYMENT = ("mastercard", "payzone")  # They take an order's money once; the others may twice.


class Cashier:
    """What happens at the bank when a buyer presses a button, and what follows of it later."""

    def __init__(self, books: Books, send: Send, drain: Callable[[], object]) -> None:
        self._books = books
        self._send = send
        self._drain = drain
        self._later: deque[Step] = deque()
        self._delivering = threading.Lock()
        self.dialects: Mapping[str, Dialect] = {}
        self.delivered_count = 0

    def play(self, charge: Charge, plan: Plan, expires_at: datetime | None) -> list[Sent]:
        """Carry a plan out; what was sent, in order.

        Raises:
            BankRefusal: the order is paid, and its provider takes no second payment.
        """
        if plan.is_paid and charge.paid_by is not None and charge.provider in ONE_PAYMENT:
            raise BankRefusal("this payment is paid already")
        dialect = self.dialects[charge.provider]
        if plan.is_forged:
            claimed = Try("SBforged", charge.due_minor, "MAD", State.CAPTURED)
            return self._send_all(dialect.callbacks(charge, claimed, forged=True), 1)
        self._let_time_pass(plan.late, expires_at)
        sent: list[Sent] = []
        if plan.is_refused:
            refused = self._books.decline(charge)
            sent += self._send_all(dialect.callbacks(charge, refused), plan.callback_count)
        return [*sent, *self._pay(charge, plan, dialect)] if plan.is_paid else sent

    def _let_time_pass(self, late: Late, expires_at: datetime | None) -> None:
        """Move the marketplace's clock on, and let the sweeps see it, before the buyer pays."""
        if late is Late.NOT:
            return
        seconds = HOUR_SECONDS
        if late is Late.AFTER_EXPIRY:
            left = expires_at - clock.now() if expires_at else None
            seconds = max(0, int(left.total_seconds())) + 61 if left is not None else 0
        clock.advance(seconds)
        self._drain()

    def _pay(self, charge: Charge, plan: Plan, dialect: Dialect) -> list[Sent]:
        made = self._books.authorize(charge, plan)
        takes = dialect.takes(charge)
        # Where our answer decides and nobody is asked, the bank takes what it can.
        unasked = takes is Takes.BY_ANSWER and plan.callback_count == 0
        if takes is Takes.AT_ONCE or unasked:
            self._books.capture(charge, made, made.amount_minor)
        sent = self._send_all(dialect.callbacks(charge, made), plan.callback_count)
        asked_for = takes is Takes.BY_ANSWER and any(dialect.captures(one) for one in sent)
        if asked_for and made.state is State.AUTHORIZED:
            self._books.capture(charge, made, made.amount_minor)
        if plan.dispute and charge.state is State.CAPTURED and charge.dispute is None:
            sent += self.dispute(charge, "opened")
        return sent

    def dispute(self, charge: Charge, outcome: str) -> list[Sent]:
        """Open a dispute, or close the open one: `opened`, `won` or `lost`; what was sent.

        Raises:
            BankRefusal: there is nothing to dispute, or no open dispute.
        """
        if outcome == "opened":
            self._books.open_dispute(charge)
        else:
            self._books.decide_dispute(charge, outcome)
        return self._send_all(self.dialects[charge.provider].dispute_callbacks(charge), 1)

    def _send_all(self, callbacks: list[Callback], count: int) -> list[Sent]:
        return [
            self._send(callback.delivery(number))
            for callback in callbacks
            for number in range(1, count + 1)
        ]

    def defer(self, step: Step) -> None:
        """Send what a step gives once the call that caused it is answered."""
        self._later.append(step)

    def deliver(self) -> list[Sent]:
        """Send what was deferred; whoever delivers meanwhile is waited for."""
        sent: list[Sent] = []
        with self._delivering:
            while self._later:
                sent += [self._send(callback) for callback in self._later.popleft()()]
            self.delivered_count += len(sent)
        return sent
