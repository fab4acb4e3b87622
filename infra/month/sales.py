"""Placing and paying: what buyers, their banks and the way between them do to one order."""

from dataclasses import dataclass, field, replace
from typing import Any

from infra.demo.catalogue import DemoListing
from infra.demo.load import listing_id_of
from infra.local.bank.accounts import Charge
from infra.local.bank.plans import Plan
from infra.month.plan import Planned, sellers_beside, subjects
from infra.month.world import MonthFailed, Refused, World

ANOTHER_WAY = {"card": "wallet", "mastercard": "card", "payzone": "wallet"}
GONE = ("sold_out", "insufficient_stock", "listing_not_for_sale", "does_not_ship_to")
OUTCOMES = {
    "declined": "decline",
    "declined_then_paid": "decline_then_pay",
    "called_back_twice": "pay_twice",
    "wrong_amount": "wrong_amount",
}
RESTOCKED = 12


@dataclass(slots=True)
class Sale:
    """An order that was placed, and all its payments."""

    plan: Planned
    order_id: str
    token: str
    lines: list[dict[str, Any]] = field(default_factory=list)
    payment_ids: list[str] = field(default_factory=list)
    total_minor: int = 0

    def view(self, world: World) -> Any:
        """The order as its buyer sees it."""
        headers = {"Order-Token": self.token}
        return world.call("GET", f"/v1/orders/{self.order_id}", headers=headers)


class Buyers:
    """Everybody who buys, and their banks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.restocked = 0

    def buy(self, plan: Planned) -> Sale:
        """Place an order and begin to pay it."""
        return self._face_to_face(plan) if plan.in_person else self._from_afar(plan)

    def _face_to_face(self, plan: Planned) -> Sale:
        """A stall whose artisan may not sell any more is passed over for the next one."""
        for seller in (plan.seller, *sellers_beside(plan.seller)):
            try:
                return self._at_stall(plan, seller)
            except Refused as refusal:
                if refusal.code != "artisan_not_verified":
                    raise
        raise MonthFailed("there is nobody to buy from")

    def _at_stall(self, plan: Planned, seller: str) -> Sale:
        world, token = self._world, self._world.artisan(seller)
        amount = {"amount_minor": plan.amount_minor, "currency": "MAD"}
        key = f"month-link-{plan.number}"
        path = "/v1/me/payment-links"
        link = world.call("POST", path, token, body={"amount": amount, "title": "Tajine"}, key=key)
        code = link["url"].rpartition("/")[2]
        path = f"/v1/payment-links/{code}"
        payment = world.call(
            "POST", f"{path}/payments", body={"payment_method": plan.method}, key=key
        )
        order_id = world.call("GET", f"/v1/me/payment-links/{link['id']}", token)["order_id"]
        sale = Sale(plan, order_id, "", [], [payment["id"]], plan.amount_minor)
        world.follow(payment["action"])
        return sale

    def _from_afar(self, plan: Planned) -> Sale:
        world = self._world
        placed = self._placed(plan)
        order, payment = placed["order"], placed["payment"]
        lines = [
            {"listing_id": line["listing_id"], "quantity": line["quantity"]}
            for line in order["lines"]
        ]
        total = order["totals"]["total"]["amount_minor"]
        world.follow(payment["action"])
        return Sale(plan, order["id"], placed["order_token"], lines, [payment["id"]], total)

    def _placed(self, plan: Planned) -> Any:
        first = self._first_there(plan, plan.wishes)
        if first is not None:
            return first
        for wish in plan.wishes:
            self._restock(wish)
            again = self._first_there(replace(plan, is_double=False), (wish,))
            if again is not None:
                return again
        raise MonthFailed(f"order {plan.number} finds nothing that can be sent")

    def _first_there(self, plan: Planned, wishes: tuple[DemoListing, ...]) -> Any:
        for number, wish in enumerate(wishes):
            others = [one for one in wishes if one.artisan_subject != wish.artisan_subject]
            wanted = [wish, *others[: int(plan.is_double)]]
            try:
                return self._place(plan, wanted, number)
            except Refused as refusal:
                if refusal.code not in GONE:
                    raise
        return None

    def _place(self, plan: Planned, wanted: list[DemoListing], number: int) -> Any:
        body = {
            "lines": [{"listing_id": listing_id_of(one), "quantity": 1} for one in wanted],
            "buyer": {"name": "Month Buyer", "email": plan.email, "language": "en"},
            "ship_to": {"country": plan.country, "city": "Town", "line1": "1 Street"},
            "payment_method": plan.method,
        }
        key = f"month-order-{plan.number}-{number}-{self.restocked}"
        return self._world.call("POST", "/v1/orders", body=body, key=key)

    def _restock(self, listing: DemoListing) -> None:
        self.restocked += 1
        path = f"/v1/me/listings/{listing_id_of(listing)}/stock"
        token = self._world.artisan(listing.artisan_subject)
        self._world.call("PUT", path, token, body={"on_hand": RESTOCKED})

    def pay(self, sale: Sale) -> None:
        """What the buyer does at once; some do nothing, or come late."""
        story, world, payment_id = sale.plan.story, self._world, sale.payment_ids[0]
        if story == "cancelled_unpaid":
            self.cancel(sale)
        elif story == "not_called_back":
            self._pay_unheard(payment_id)
        elif story == "paid_another_way":
            world.press(payment_id, "decline")
            self._pay_another_way(sale)
        elif story == "called_back_out_of_order":
            with world.callbacks_reversed():
                world.press(payment_id, "decline_then_pay")
        elif story == "forged":
            world.press(payment_id, "forged")
            world.press(payment_id)
        elif story not in ("abandoned", "paid_late"):
            world.press(payment_id, OUTCOMES.get(story, "pay"))

    def _pay_another_way(self, sale: Sale) -> None:
        method = ANOTHER_WAY.get(sale.plan.method, "payzone")
        payment = self._world.call(
            "POST",
            f"/v1/orders/{sale.order_id}/payments",
            headers={"Order-Token": sale.token},
            body={"payment_method": method},
        )
        sale.payment_ids.append(payment["id"])
        self._world.follow(payment["action"])
        self._world.press(payment["id"])

    def _pay_unheard(self, payment_id: str) -> None:
        """The money is taken, and the provider's callback never comes."""
        charge = self._opened(payment_id)
        self._world.play(charge, Plan(callback_count=0))

    def _opened(self, payment_id: str) -> Charge:
        charge = self._world.charge(payment_id)
        return charge or self._world.open(payment_id)

    def cancel(self, sale: Sale) -> None:
        headers = {"Order-Token": sale.token}
        path = f"/v1/orders/{sale.order_id}/cancel"
        self._world.call("POST", path, headers=headers, body={})


def subject_of(artisan_id: str) -> str:
    return subjects()[artisan_id]
