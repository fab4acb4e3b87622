"""Weekly payout batches, and what the rails do with them: paid, refused, returned, silent."""

import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import standard_webhooks
from infra.month.world import World

OUTCOMES = {"paid": 84, "failed": 5, "returned": 5, "unknown": 6}
RETURNED_AFTER_DAYS = 3
KNOWN_AFTER_DAYS = 6
FINAL = ("paid", "failed", "returned", "cancelled")


@dataclass(slots=True)
class Sent:
    """A payout as the rail knows it."""

    payout_id: str
    artisan_id: str
    rail: str
    amount_minor: int
    is_paid: bool = False
    is_returned: bool = False


class Paydays:
    """What operators do on a payday, and what banks and wallets answer then and later."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._chosen = random.Random(f"{seed} paydays")
        self._later: dict[int, list[tuple[Sent, str]]] = defaultdict(list)
        self._told = 0
        self.sent: dict[str, Sent] = {}
        self.batch_ids: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.files_differ = 0

    def payday(self, day: int) -> None:
        """Draft, approve by two, take the file, submit; the rails answer."""
        world, path = self._world, "/v1/operator/payout-batches"
        batch = world.call("POST", path, world.operator, body={}, key=f"month-batch-{day}")
        world.drain()
        path = f"{path}/{batch['id']}"
        if not world.call("GET", path, world.operator)["payouts"]:
            return
        self.batch_ids.append(batch["id"])
        world.call("POST", f"{path}/approve", world.second_operator, body={})
        world.drain()
        self._compare_files(path)
        world.call("POST", f"{path}/submit", world.operator, body={})
        world.drain()
        for payout in sorted(world.all_of(f"{path}/payouts", world.operator), key=_by_whom):
            self._answer(payout, day)
        world.drain()

    def _compare_files(self, path: str) -> None:
        """The file is the same, byte for byte, whenever it is asked for."""
        rails = {one["rail"] for one in self._world.all_of(f"{path}/payouts", self._world.operator)}
        for rail in sorted(rails):
            asked = [
                self._world.call("GET", f"{path}/file?rail={rail}", self._world.operator)
                for _ in range(2)
            ]
            self.files_differ += asked[0] != asked[1]

    def _answer(self, payout: dict[str, Any], day: int) -> None:
        if payout["status"] in FINAL and payout["status"] != "paid":
            return
        amount = payout["amount"]["amount_minor"]
        sent = Sent(payout["id"], payout["artisan_id"], payout["rail"], amount)
        self.sent[sent.payout_id] = sent
        if self._has_its_own_end(sent, day):
            return
        outcome = self._outcome()
        self.outcomes[outcome] += 1
        if outcome == "unknown":
            self._later[day + KNOWN_AFTER_DAYS].append((sent, "paid"))
            return
        if outcome == "returned":
            self._later[day + RETURNED_AFTER_DAYS].append((sent, "returned"))
        self._tell(sent, "paid" if outcome == "returned" else outcome)

    def _has_its_own_end(self, sent: Sent, day: int) -> bool:
        """Whether the rail's API has decided by the amount what becomes of it (a magic one)."""
        if sent.rail == "bank_account":
            return False
        asked = self._world.bank.payouts.find(sent.payout_id)
        if asked is not None and asked.fate.is_returned:
            self._later[day + RETURNED_AFTER_DAYS].append((sent, "sent back"))
        is_usual = asked is not None and asked.state == "accepted" and not asked.fate.called_back
        return not is_usual

    def _outcome(self) -> str:
        """As the shares say, each of them once first."""
        missing = [name for name in OUTCOMES if name not in self.outcomes]
        if missing and self.outcomes.total():
            return missing[0]
        return self._chosen.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]

    def run_day(self, day: int) -> None:
        """What rails tell days later."""
        for when in sorted(one for one in self._later if one <= day):
            for sent, outcome in self._later.pop(when):
                if outcome == "sent back":
                    self._world.bank.payouts.send_back(sent.payout_id)
                else:
                    self._tell(sent, outcome)

    def _tell(self, sent: Sent, outcome: str) -> None:
        """The wallet's callback carries what became of payouts; now and then twice."""
        sent.is_paid = sent.is_paid or outcome == "paid"
        sent.is_returned = sent.is_returned or outcome == "returned"
        self._told += 1
        body = json.dumps(
            {
                "type": f"payout.{outcome}",
                "reference": sent.payout_id,
                "provider_reference": f"B{self._told}",
                "amount": {"amount_minor": sent.amount_minor, "currency": "MAD"},
                "occurred_at": clock.to_text(clock.now()),
                **({"reason": "account_closed"} if outcome != "paid" else {}),
            }
        )
        for _ in range(1 + (self._told % 7 == 0)):
            self._post(body, f"msg_month{self._told}")

    def _post(self, body: str, msg_id: str) -> None:
        stamp = int(clock.outside_now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": msg_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": standard_webhooks.sign(
                settings().wallet_secret, msg_id, stamp, body
            ),
        }
        path = "/v1/payments/callbacks/wallet"
        self._world.call("POST", path, body=body.encode(), headers=headers)

    @property
    def last_day(self) -> int:
        """The day on which the last rail has said what it had to say."""
        return max(self._later, default=0)

    @property
    def paid_minor(self) -> int:
        """What has left our bank account."""
        return sum(one.amount_minor for one in self.sent.values() if self._left(one))

    @property
    def returned_minor(self) -> int:
        """What has come back."""
        return sum(one.amount_minor for one in self.sent.values() if self._came_back(one))

    def _left(self, sent: Sent) -> bool:
        return sent.is_paid or self._state_of(sent) in ("paid", "returned")

    def _came_back(self, sent: Sent) -> bool:
        return sent.is_returned or self._state_of(sent) == "returned"

    def _state_of(self, sent: Sent) -> str:
        """As the books of the rail's API have it."""
        asked = self._world.bank.payouts.find(sent.payout_id)
        return asked.state if asked is not None else ""


def _by_whom(payout: dict[str, Any]) -> tuple[str, str]:
    return payout["artisan_id"], payout["rail"]
