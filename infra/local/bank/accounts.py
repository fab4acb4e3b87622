"""The bank's own books: what it was asked to take, took, gave back, and who disputes it.

Kept in memory and never read from the platform's tables; amounts in centimes.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from infra.local.bank.magic import Magic, magic_of
from infra.local.bank.plans import MAD, Plan

MAX_REFERENCE = 64
ISSUER_REFUSED = "refused_by_issuer"


class State(StrEnum):
    """Where a charge stands, or one try of it."""

    PENDING = "pending"
    FAILED = "failed"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"


class BankRefusal(Exception):
    """The bank does not do this; the text says why. Nothing has changed."""


@dataclass(slots=True)
class Try:
    """One time the buyer paid, or was refused."""

    provider_reference: str
    amount_minor: int
    currency: str
    state: State
    captured_minor: int = 0
    refunded_minor: int = 0
    charged_back_minor: int = 0

    @property
    def left_minor(self) -> int:
        """What may still be given back."""
        return self.captured_minor - self.refunded_minor - self.charged_back_minor


@dataclass(slots=True)
class Refund:
    """Money given back, or refused to be, under the platform's own reference."""

    reference: str
    amount_minor: int
    currency: str = MAD
    done: bool = False
    reason: str | None = None
    provider_reference: str = field(default_factory=lambda: f"SBR{secrets.token_hex(8)}")


@dataclass(slots=True)
class Charge:
    """A payment as its bank knows it, by the platform's reference."""

    reference: str
    provider: str
    due_minor: int
    order_id: str = ""
    callback_url: str = ""
    return_url: str = ""
    fail_url: str = ""
    language: str = ""
    plan: Plan = field(default_factory=Plan)
    hidden_asks: int = 0
    tries: list[Try] = field(default_factory=list)
    refunds: dict[str, Refund] = field(default_factory=dict)
    dispute: str | None = None  # opened, won, lost

    @property
    def magic(self) -> Magic:
        return magic_of(self.due_minor)

    @property
    def paid_by(self) -> Try | None:
        """The first try that was not refused."""
        return next((one for one in self.tries if one.state is not State.FAILED), None)

    @property
    def latest(self) -> Try | None:
        """The try that counts: the first that was not refused, else the last one."""
        return self.paid_by or (self.tries[-1] if self.tries else None)

    @property
    def state(self) -> State:
        return self.latest.state if self.latest else State.PENDING

    def view(self) -> dict[str, Any]:
        """The charge as JSON, for tests and the curious."""
        return {
            "reference": self.reference,
            "provider": self.provider,
            "state": self.state,
            "due_minor": self.due_minor,
            "captured_minor": sum(one.captured_minor for one in self.tries),
            "refunded_minor": sum(one.refunded_minor for one in self.tries),
            "charged_back_minor": sum(one.charged_back_minor for one in self.tries),
            "dispute": self.dispute,
            "magic": self.magic.name,
            "tries": [asdict(one) for one in self.tries],
            "refunds": [asdict(one) for one in self.refunds.values()],
        }


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be paid, looked up where a provider is told nothing beforehand."""

    payment_id: str
    order_id: str
    amount_minor: int
    provider: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ByHand:
    """Money that somebody has told the platform of with a callback signed by hand."""

    provider: str
    amount_minor: int
    provider_reference: str


FindByHand = Callable[[str], ByHand | None]


class Books:
    """Every charge of every provider. One change at a time; nothing is sent from here.

    A charge of which the bank knows no try may have been paid by a callback that a script has
    signed: where `find_by_hand` says so, it stands in the books as if the bank had sent it.
    """

    def __init__(self, find_by_hand: FindByHand = lambda _: None) -> None:
        self._find_by_hand = find_by_hand
        self._charges: dict[str, Charge] = {}
        self._refunds: dict[tuple[str, str], Refund] = {}
        self._turn = threading.RLock()

    def find(self, reference: str, provider: str = "") -> Charge | None:
        """The charge of this reference, of this provider where one is named."""
        found = self._charges.get(reference)
        if found is None or not found.tries:
            found = self._paid_by_hand(reference, found)
        return found if found and provider in ("", found.provider) else None

    def _paid_by_hand(self, reference: str, known: Charge | None) -> Charge | None:
        paid = self._find_by_hand(reference)
        if paid is None:
            return known
        with self._turn:
            charge = self._charges.setdefault(
                reference, Charge(reference, paid.provider, paid.amount_minor)
            )
            if not charge.tries:
                amount = paid.amount_minor
                taken = Try(paid.provider_reference, amount, MAD, State.CAPTURED, amount)
                charge.tries.append(taken)
            return charge

    def find_refund(self, provider: str, reference: str) -> Refund | None:
        return self._refunds.get((provider, reference))

    def open(self, asked: Charge) -> Charge:
        """The charge of this reference, made where there is none; where it leads back is renewed.

        Raises:
            BankRefusal: it is known for another amount or at another provider, or is no reference.
        """
        if not 1 <= len(asked.reference) <= MAX_REFERENCE:
            raise BankRefusal(f"a reference has 1 to {MAX_REFERENCE} characters")
        with self._turn:
            known = self._charges.setdefault(asked.reference, asked)
            if (known.provider, known.due_minor) != (asked.provider, asked.due_minor):
                raise BankRefusal("this reference was used for another payment")
            for name in ("order_id", "callback_url", "return_url", "fail_url", "language"):
                setattr(known, name, getattr(asked, name) or getattr(known, name))
            return known

    def decline(self, charge: Charge) -> Try:
        with self._turn:
            return self._tried(charge, charge.due_minor, MAD, State.FAILED)

    def authorize(self, charge: Charge, plan: Plan) -> Try:
        """Reserve on the buyer's account what the plan says they pay."""
        with self._turn:
            charge.plan, charge.hidden_asks = plan, plan.hidden_asks
            amount_minor = max(0, charge.due_minor - plan.short_by_minor)
            return self._tried(charge, amount_minor, plan.currency, State.AUTHORIZED)

    def _tried(self, charge: Charge, amount_minor: int, currency: str, state: State) -> Try:
        made = Try(f"SB{secrets.token_hex(8)}", amount_minor, currency, state)
        charge.tries.append(made)
        return made

    def capture(self, charge: Charge, taken: Try, amount_minor: int) -> None:
        """Take what was reserved, or a part of it.

        Raises:
            BankRefusal: it is not reserved, or this is more.
        """
        with self._turn:
            if taken.state not in (State.AUTHORIZED, State.CAPTURED):
                raise BankRefusal(f"the payment is {taken.state}")
            if not 0 <= amount_minor <= taken.amount_minor - taken.captured_minor:
                raise BankRefusal("the amount is more than what is reserved")
            taken.captured_minor += amount_minor
            taken.state = State.CAPTURED

    def void(self, taken: Try) -> None:
        """Let go of what was reserved. Raises BankRefusal when it is not only reserved."""
        with self._turn:
            if taken.state is not State.AUTHORIZED:
                raise BankRefusal(f"the payment is {taken.state}")
            taken.state = State.VOIDED

    def refund(self, charge: Charge, asked: Refund, taken_by: str = "") -> Refund:
        """Give back once per reference; the refund of that reference, done or refused for good.

        `taken_by` names the try by the bank's reference where the buyer paid more than once.

        Raises:
            BankRefusal: the reference was used for another payment or amount.
        """
        with self._turn:
            known = self._refunds.get((charge.provider, asked.reference))
            if known is not None:
                same = (known.amount_minor, known.currency) == (asked.amount_minor, asked.currency)
                if not same or asked.reference not in charge.refunds:
                    raise BankRefusal("this reference was used for another refund")
                return known
            taken = self._taken_by(charge, taken_by)
            asked.reason = _why_not(charge, asked, taken)
            if asked.reason is None and taken is not None:
                taken.refunded_minor += asked.amount_minor
                asked.done = True
            charge.refunds[asked.reference] = asked
            self._refunds[charge.provider, asked.reference] = asked
            return asked

    def _taken_by(self, charge: Charge, provider_reference: str) -> Try | None:
        if not provider_reference:
            return charge.paid_by
        named = [one for one in charge.tries if one.provider_reference == provider_reference]
        return named[0] if named else None

    def open_dispute(self, charge: Charge) -> None:
        """The buyer's bank asks for the money. Raises BankRefusal: none was taken, or again."""
        with self._turn:
            if charge.state is not State.CAPTURED or charge.dispute is not None:
                raise BankRefusal("only a captured payment is disputed, and once")
            charge.dispute = "opened"

    def decide_dispute(self, charge: Charge, outcome: str) -> None:
        """Close the open dispute; lost is what was left. Raises BankRefusal: none is open."""
        with self._turn:
            if charge.dispute != "opened":
                raise BankRefusal("the payment has no open dispute")
            charge.dispute = outcome
            if outcome == "lost" and charge.paid_by is not None:
                charge.paid_by.charged_back_minor = charge.paid_by.left_minor

    def asked(self, charge: Charge) -> State:
        """What whoever asks is told; some charges look pending for their first asks."""
        with self._turn:
            if charge.hidden_asks > 0 and charge.tries:
                charge.hidden_asks -= 1
                return State.PENDING
            return charge.state


def _why_not(charge: Charge, asked: Refund, taken: Try | None) -> str | None:
    """Why a refund is refused; None when it is not."""
    if taken is None or taken.state is not State.CAPTURED:
        return "not_captured"
    if asked.currency != taken.currency:
        return "currency_differs"
    if charge.dispute == "opened":
        return "disputed"
    if not 0 < asked.amount_minor <= taken.left_minor:
        return "more_than_is_left"
    refused = any(one.reason == ISSUER_REFUSED for one in charge.refunds.values())
    if charge.magic.plan.refuses_first_refund and not refused:
        return ISSUER_REFUSED
    return None
