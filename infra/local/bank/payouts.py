"""The sandbox's API by which wallets and cards are paid: `PUT` and `GET payouts/{our id}`.

The same id again is the same payout, whatever becomes of it. See `payout_magic` for what does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chalicelib import clock
from infra.local.bank.callbacks import Callback
from infra.local.bank.dialect import Step, json_answer, json_of
from infra.local.bank.payout_magic import Fate, fate_of
from infra.local.gateway import AnswerLost, HttpAnswer, HttpRequest, problem

Sign = Callable[[str, dict[str, Any]], Callback]


@dataclass(frozen=True, slots=True)
class Asked:
    """A payout as the rail has it. `state` is as the API tells it."""

    reference: str
    rail: str
    amount_minor: int
    currency: str
    state: str

    @property
    def fate(self) -> Fate:
        return fate_of(self.amount_minor)


class Payouts:
    """`pays_by_itself`: what is accepted is paid at once afterwards, by a callback."""

    def __init__(self, sign: Sign, defer: Callable[[Step], None], *, pays_by_itself: bool) -> None:
        self._sign = sign
        self._defer = defer
        self._pays_by_itself = pays_by_itself
        self._asked: dict[str, Asked] = {}
        self._unheard: set[str] = set()
        self.put_count: dict[str, int] = {}

    def answer(self, request: HttpRequest, reference: str) -> HttpAnswer:
        """
        Raises:
            AnswerLost: it is done, or not, and nobody is told.
        """
        if request.method == "GET":
            found = self._asked.get(reference)
            if found is None:
                return problem(404, "not_found", "There is no such payout.")
            return _told(found)
        if request.method == "PUT":
            return self._put(request, reference)
        return problem(405, "method_not_allowed", "Put or get.", (("Allow", "GET, PUT"),))

    def find(self, reference: str) -> Asked | None:
        return self._asked.get(reference)

    def send_back(self, reference: str) -> None:
        """A payout that was paid comes back, days later; the callback is deferred."""
        self._report(reference, "returned", "payout.returned", "account_closed")

    def _put(self, request: HttpRequest, reference: str) -> HttpAnswer:
        asked = _asked_in(request, reference)
        if asked is None:
            return problem(422, "invalid_fields", "Give rail, destination and amount.")
        self.put_count[reference] = self.put_count.get(reference, 0) + 1
        fate = asked.fate
        is_first = self.put_count[reference] == 1
        if fate.is_lost and is_first and not fate.is_done:
            raise AnswerLost
        kept = self._asked.setdefault(reference, asked)
        if replace(kept, state="") != replace(asked, state=""):
            return problem(409, "conflict", "Another payout has this id.")
        if fate.is_lost and is_first:
            raise AnswerLost
        if kept.state == "accepted" and (fate.called_back or self._pays_by_itself):
            self._report(reference, "paid", "payout.paid", None)
        return _told(kept)

    def _report(self, reference: str, state: str, kind: str, reason: str | None) -> None:
        def told() -> list[Callback]:
            kept = replace(self._asked[reference], state=state)
            self._asked[reference] = kept
            event = {
                "type": kind,
                "reference": reference,
                "provider_reference": _reference(kept),
                "amount": {"amount_minor": kept.amount_minor, "currency": kept.currency},
                "occurred_at": clock.to_text(clock.outside_now()),
                **({"reason": reason} if reason else {}),
            }
            return [self._sign(f"wallet callback: {kind}", event)]

        self._defer(told)


def _asked_in(request: HttpRequest, reference: str) -> Asked | None:
    body = json_of(request.body) or {}
    amount = body.get("amount")
    known = body.get("rail") in ("wallet", "card") and isinstance(body.get("destination"), str)
    if not known or not isinstance(amount, dict) or type(amount.get("amount_minor")) is not int:
        return None
    minor = amount["amount_minor"]
    return Asked(reference, body["rail"], minor, str(amount.get("currency")), fate_of(minor).told)


def _reference(asked: Asked) -> str:
    return f"SBP{asked.reference[4:16]}"


def _told(asked: Asked) -> HttpAnswer:
    return json_answer(
        {
            "reference": asked.reference,
            "state": asked.state,
            "provider_reference": _reference(asked),
            "amount": {"amount_minor": asked.amount_minor, "currency": asked.currency},
            "reason": "account_closed" if asked.state in ("rejected", "returned") else None,
        }
    )
