"""After the sale: parcels, cancellations, returns, refunds, disputes; who does what on a day."""

import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from infra.local.bank.accounts import BankRefusal, Refund
from infra.month.sales import Buyers, Sale, subject_of
from infra.month.world import Refused, World

BY_HAND = ("cmi", "payzone")
"""Providers without a public way to refund, and that tell of disputes by letter."""
TRIES = 12
PAYDAYS_BEFORE_REFUND = 10
Act = Callable[[Sale], None]


class AfterSales:
    """The agenda of what is still to happen, day by day."""

    def __init__(self, world: World, buyers: Buyers, seed: int) -> None:
        self._world, self._buyers = world, buyers
        self._chosen = random.Random(f"{seed} after sales")
        self._agenda: dict[int, list[tuple[Act, Sale]]] = defaultdict(list)
        self._tries: dict[tuple[str, str], int] = defaultdict(int)
        self.today = 0
        self.given_up: list[str] = []

    def plan(self, sale: Sale) -> None:
        """Put on the agenda what this order's story says."""
        day, story = sale.plan.day, sale.plan.story
        then: dict[str, tuple[int, Act]] = {
            "cancelled_paid": (day, self._buyers.cancel),
            "refund_by_amount": (day + 1, self._refund_amount),
            "refund_by_line": (day + 1, self._refund_line),
            "in_person_refunded": (day + 1, self._refund_all),
            "refund_refused": (day + 1, self._refund_all),
            "outage": (day + 1, self._refund_in_an_outage),
            "refund_after_payout": (PAYDAYS_BEFORE_REFUND, self._refund_all),
            "dispute_won": (day + 2, self._open_dispute),
            "dispute_lost": (day + 2, self._open_dispute),
        }
        if story in then:
            when, act = then[story]
            self._at(when, act, sale)
        if not sale.plan.in_person and story != "cancelled_paid":
            self._at(day + 1, self._send, sale)

    def _at(self, day: int, act: Act, sale: Sale) -> None:
        self._agenda[max(day, self.today)].append((act, sale))

    def run_day(self, day: int) -> None:
        """Everything of this day's agenda; what is refused is tried again the day after."""
        self.today = day
        for act, sale in self._agenda.pop(day, []):
            try:
                act(sale)
            except Refused as refusal:
                self._again(act, sale, refusal)
        self._work_on_refunds()

    def _again(self, act: Act, sale: Sale, refusal: Refused) -> None:
        name = getattr(act, "__name__", "")
        self._tries[sale.order_id, name] += 1
        if self._tries[sale.order_id, name] < TRIES:
            self._agenda[self.today + 1].append((act, sale))
        else:
            self.given_up.append(f"{name.strip('_')} ({sale.plan.story}): {refusal}")

    # Parcels

    def _send(self, sale: Sale) -> None:
        """The artisans accept and ship what is paid, or decline; unpaid orders are left alone."""
        order = sale.view(self._world)
        if order["status"] in ("expired", "cancelled", "awaiting_payment", "refunded"):
            return
        for number, parcel in enumerate(order["parcels"]):
            token = self._world.artisan(subject_of(parcel["artisan_id"]))
            path = f"/v1/me/parcels/{parcel['id']}"
            if parcel["status"] not in ("waiting", "preparing"):
                continue
            if sale.plan.story == "parcel_declined" and number == 0:
                body = {"reason": "broken in the kiln"}
                self._world.call("POST", f"{path}/decline", token, body=body)
                continue
            if parcel["status"] == "waiting":
                self._world.call("POST", f"{path}/accept", token, body={})
            shipment = {"carrier": "Poste Maroc", "tracking": f"EE{parcel['id'][-8:].upper()}MA"}
            self._world.call("POST", f"{path}/ship", token, body=shipment)
        days = self._chosen.randint(2, 4) if sale.plan.country == "MA" else 7
        self._at(self.today + days, self._deliver, sale)

    def _deliver(self, sale: Sale) -> None:
        for parcel in sale.view(self._world)["parcels"]:
            if parcel["status"] == "shipped":
                token = self._world.artisan(subject_of(parcel["artisan_id"]))
                path = f"/v1/me/parcels/{parcel['id']}/delivered"
                self._world.call("POST", path, token, body={})
        if sale.plan.story == "returned":
            self._at(self.today + 2, self._return, sale)

    def _return(self, sale: Sale) -> None:
        body = {"lines": sale.lines[:1], "reason": "too red"}
        headers = {"Order-Token": sale.token}
        path = f"/v1/orders/{sale.order_id}/returns"
        asked = self._world.call("POST", path, headers=headers, body=body)
        parcels = sale.view(self._world)["parcels"]
        [own] = [one for one in parcels if one["id"] == asked["parcel_id"]]
        token = self._world.artisan(subject_of(own["artisan_id"]))
        path = f"/v1/me/returns/{asked['id']}"
        self._world.call("POST", f"{path}/accept", token, body={})
        self._at(
            self.today + 3,
            lambda _: self._world.call("POST", f"{path}/received", token, body={}),
            sale,
        )

    # Refunds

    def _refund(self, sale: Sale, **wish: Any) -> None:
        path = f"/v1/operator/payments/{sale.payment_ids[-1]}/refunds"
        key = f"refund-{sale.order_id}"
        body = {"reason": "month"} | wish
        self._world.call("POST", path, self._world.operator, body=body, key=key)

    def _refund_all(self, sale: Sale) -> None:
        self._refund(sale)

    def _refund_amount(self, sale: Sale) -> None:
        amount = {"amount_minor": max(1, sale.total_minor // 3), "currency": "MAD"}
        self._refund(sale, amount=amount)

    def _refund_line(self, sale: Sale) -> None:
        self._refund(sale, lines=sale.lines[:1])

    def _refund_in_an_outage(self, sale: Sale) -> None:
        """The provider gives the money back, and its answer is lost; or nothing reaches it."""
        self._world.weather = self._chosen.choice(["silent", "down"])
        try:
            self._refund(sale)
            self._world.drain()
        finally:
            self._world.weather = "fine"

    def _work_on_refunds(self) -> None:
        """What an operator does: money given back by hand, refused refunds tried again."""
        world = self._world
        self._world.drain()
        for refund in world.all_of("/v1/operator/refunds?status=manual", world.operator):
            path = f"/v1/operator/refunds/{refund['id']}"
            if self._given_back(refund):
                body = {"reference": f"BY-HAND-{refund['id'][-8:]}"}
                world.call("POST", f"{path}/confirm", world.operator, body=body)
            else:
                world.call("POST", f"{path}/fail", world.operator, body={"reason": "refused"})
        for refund in world.all_of("/v1/operator/refunds?status=failed", world.operator):
            try:
                path = f"/v1/operator/refunds/{refund['id']}/retry"
                world.call("POST", path, world.operator, body={})
            except Refused:
                continue  # The payment has no room for it any more.

    def _given_back(self, refund: dict[str, Any]) -> bool:
        charge = self._world.charge(refund["payment_id"])
        if charge is None:
            return False
        asked = Refund(f"{refund['id']}-{refund['attempt']}", refund["amount"]["amount_minor"])
        named = [one for one in charge.tries if one.provider_reference == refund["receipt"]]
        receipt = refund["receipt"] if named else ""
        try:
            return self._world.bank.books.refund(charge, asked, receipt).done
        except BankRefusal:
            return False

    # Disputes

    def _open_dispute(self, sale: Sale) -> None:
        payment_id = sale.payment_ids[-1]
        charge = self._world.charge(payment_id)
        assert charge is not None
        self._world.at_bank(f"bank/{charge.provider}/disputes/{payment_id}", {"outcome": "opened"})
        if charge.provider in BY_HAND:
            path = f"/v1/operator/payments/{payment_id}/disputes"
            body = {"case": f"B-{payment_id[-6:]}", "reason": "not received"}
            self._world.call("POST", path, self._world.operator, body=body)
        self._at(self.today + 7, self._decide_dispute, sale)

    def _decide_dispute(self, sale: Sale) -> None:
        payment_id, outcome = sale.payment_ids[-1], sale.plan.story.removeprefix("dispute_")
        charge = self._world.charge(payment_id)
        assert charge is not None
        path = f"bank/{charge.provider}/disputes/{payment_id}"
        self._world.at_bank(path, {"outcome": outcome})
        if charge.provider not in BY_HAND:
            return
        opened = self._world.all_of("/v1/operator/disputes?status=opened", self._world.operator)
        for dispute in opened:
            if dispute["payment_id"] == payment_id:
                path = f"/v1/operator/disputes/{dispute['id']}"
                self._world.call("POST", f"{path}/{outcome}", self._world.operator, body={})

    @property
    def left(self) -> int:
        """What is still on the agenda."""
        return sum(len(acts) for acts in self._agenda.values())

    def next_day(self) -> int | None:
        return min((day for day, acts in self._agenda.items() if acts), default=None)
