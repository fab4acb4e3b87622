"""`make magic`: every magic amount at every provider over HTTP, each ending as the README says."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from infra.local.bank.magic import MAGIC, PAID

METHODS = {"cmi": "card", "mastercard": "mastercard", "payzone": "payzone", "wallet": "wallet"}
SEQUENCE = (0, *MAGIC)
QUARTER_SECONDS = 16 * 60
QUARTERS = 2  # from one stage to the next: long enough to expire, to be asked about, to be swept
PRICE_MINOR = 240_00
LOST, WON = 60, 61
REFUNDED = (59, 62)
BY_HAND = ("cmi", "payzone")
"""Providers without a public way to refund, and that tell of disputes by letter."""

TAKEN = ("captured", "paid")
UNPAID = ("expired", "expired")
ENDS: dict[int, tuple[str, str]] = {
    51: UNPAID,
    56: UNPAID,
    57: UNPAID,
    59: ("refunded", "refunded"),
    60: ("charged_back", "paid"),
    62: ("refunded", "refunded"),
}
"""How payment and order end where it is not as it is for any other amount: captured and paid."""


class Caller(Protocol):
    def call(self, method: str, path: str, token: str = "", **options: Any) -> Any: ...


def ends_as(ending: int, provider: str) -> tuple[str, str]:
    """(the payment's status, the order's) in the end."""
    payment, order = ENDS.get(ending, TAKEN)
    if provider == "mastercard" and ending in (56, 57):
        payment = "voided"  # Only reserved on the card: let go of.
    return payment, order


def readme_table() -> str:
    """The README's table: what the sandbox does, and how payment and order end."""
    heads = ["amount ends in", "what the sandbox does", *METHODS]
    rows = [heads, ["---"] * len(heads)]
    for ending in SEQUENCE:
        magic = MAGIC.get(ending, PAID)
        ends = (ends_as(ending, provider) for provider in METHODS)
        cells = [f"{payment} · {order}" for payment, order in ends]
        rows.append([f"`.{ending:02d}`" if ending else "anything else", magic.en, *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


@dataclass(slots=True)
class Case:
    """One order, paid by one provider with one amount."""

    ending: int
    provider: str
    order_id: str = ""
    payment_id: str = ""
    token: str = ""
    ended: tuple[str, str] = ("", "")

    @property
    def is_as_expected(self) -> bool:
        return self.ended == ends_as(self.ending, self.provider)


class MagicAmounts:
    """Places, pays and follows one order for each amount and provider.

    `step` is called as each piece of work is done: `count` tells how many there are.
    """

    def __init__(self, api: Caller, step: Callable[[], None] = lambda: None) -> None:
        self.api = api
        self.step = step
        self.cases = [Case(ending, provider) for ending in SEQUENCE for provider in METHODS]
        self.count = 3 * len(self.cases)
        self.operator = ""
        self.artisan = ""

    def run(self) -> list[Case]:
        """All of it; how each case ended."""
        tokens = self.api.call("GET", "/_local/tokens")
        self.operator, self.artisan = tokens["operator"], tokens["artisan"]
        with self._listing() as listing_id:
            shipping = self._shipping(listing_id)
            for case in self.cases:
                self._order(case, listing_id, shipping)
                self._press(case)
                self.step()
        self._let_time_pass()
        for case in self.cases:
            self._follow(case)
            self.step()
        self._let_time_pass()
        self._finish_refunds()
        self._decide_disputes()
        self._let_time_pass()
        for case in self.cases:
            order = self._read(case)
            case.ended = (order["payments"][0]["status"], order["status"])
            self.step()
        return self.cases

    def ledger(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.call("GET", "/v1/operator/ledger/check", self.operator)
        return found

    def left_on(self, account: str) -> int:
        path = f"/v1/operator/ledger/accounts/{account}"
        found = self.api.call("GET", path, self.operator)
        return int(found["balance"]["amount_minor"])

    @contextmanager
    def _listing(self) -> Iterator[str]:
        """A listing of the demo artisan's own, whose price makes the amount; retired in the end."""
        texts = {"en": {"title": "Sandbox tile", "description": "For trying ways to pay."}}
        body = {
            "craft": "zellige",
            "texts": texts,
            "price": _money(PRICE_MINOR),
            "weight_grams": 400,
        }
        made = self.api.call("POST", "/v1/me/listings", self.artisan, json=body)
        path = f"/v1/me/listings/{made['id']}"
        self.api.call("PUT", f"{path}/stock", self.artisan, json={"on_hand": len(self.cases)})
        self.api.call("POST", f"{path}/submit", self.artisan, json={})
        self.api.call("POST", f"/v1/operator/listings/{made['id']}/publish", self.operator, json={})
        try:
            yield made["id"]
        finally:
            self.api.call("POST", f"{path}/retire", self.artisan, json={})

    def _shipping(self, listing_id: str) -> int:
        body = {"lines": [{"listing_id": listing_id, "quantity": 1}], "ship_to": {"country": "MA"}}
        return int(self.api.call("POST", "/v1/quotes", json=body)["shipping"]["amount_minor"])

    def _order(self, case: Case, listing_id: str, shipping_minor: int) -> None:
        price = PRICE_MINOR + (case.ending - shipping_minor) % 100
        path = f"/v1/me/listings/{listing_id}"
        self.api.call("PATCH", path, self.artisan, json={"price": _money(price)})
        email = f"magic-{case.ending}-{case.provider}-{uuid.uuid4().hex[:6]}@example.com"
        body = {
            "lines": [{"listing_id": listing_id, "quantity": 1}],
            "buyer": {"name": "Magic", "email": email, "language": "en"},
            "ship_to": {"country": "MA"},
            "payment_method": METHODS[case.provider],
        }
        placed = self.api.call("POST", "/v1/orders", json=body)
        case.order_id, case.token = placed["order"]["id"], placed["order_token"]
        case.payment_id = placed["payment"]["id"]
        self._open_page(placed["payment"]["action"])

    def _open_page(self, action: dict[str, Any]) -> None:
        """The buyer's browser goes where the platform sends it."""
        local = action["url"][action["url"].index("/_local/") :]
        if action["type"] == "redirect_form":
            self.api.call("POST", local, data=action["fields"])
        else:
            self.api.call("GET", local)

    def _press(self, case: Case) -> None:
        self.api.call(
            "POST",
            f"/_local/pay/{case.payment_id}",
            json={"outcome": "pay"},
            headers={"Accept": "application/json"},
        )

    def _let_time_pass(self) -> None:
        for _ in range(QUARTERS):
            self.api.call("POST", "/_local/drain")
            seconds = {"advance_seconds": QUARTER_SECONDS}
            self.api.call("POST", "/_local/clock", json=seconds)
        self.api.call("POST", "/_local/drain")

    def _follow(self, case: Case) -> None:
        """What an operator, or the buyer's bank, does next."""
        payment = f"/v1/operator/payments/{case.payment_id}"
        if case.ending in REFUNDED:
            self.api.call("POST", f"{payment}/refunds", self.operator, json={"reason": "magic"})
        if case.ending in (LOST, WON) and case.provider in BY_HAND:
            body = {"case": f"B-{case.payment_id[-6:]}", "reason": "not received"}
            self.api.call("POST", f"{payment}/disputes", self.operator, json=body)

    def _finish_refunds(self) -> None:
        """Tasks that are done by hand, and refunds that are tried again."""
        for refund in self._own("/v1/operator/refunds?status=manual&limit=100"):
            path = f"/v1/operator/refunds/{refund['id']}/confirm"
            self.api.call("POST", path, self.operator, json={"reference": "BY-HAND"})
        for refund in self._own("/v1/operator/refunds?status=failed&limit=100"):
            path = f"/v1/operator/refunds/{refund['id']}/retry"
            self.api.call("POST", path, self.operator, json={})

    def _decide_disputes(self) -> None:
        """The buyer's bank decides; where it tells by letter, the operator enters it."""
        opened = self._own("/v1/operator/disputes?status=opened&limit=100")
        cases = {case.payment_id: case for case in self.cases}
        for dispute in opened:
            case = cases[dispute["payment_id"]]
            outcome = "lost" if case.ending == LOST else "won"
            path = f"/v1/operator/disputes/{dispute['id']}"
            self.api.call("POST", f"{path}/evidence", self.operator, json={})
            if case.provider in BY_HAND:
                self.api.call("POST", f"{path}/{outcome}", self.operator, json={})
            else:
                path = f"/_local/bank/{case.provider}/disputes/{case.payment_id}"
                self.api.call("POST", path, json={"outcome": outcome})

    def _own(self, path: str) -> list[dict[str, Any]]:
        """Those of a list (its newest 100) that are about our payments."""
        own = {case.payment_id for case in self.cases}
        found = self.api.call("GET", path, self.operator)["data"]
        return [one for one in found if one["payment_id"] in own]

    def _read(self, case: Case) -> dict[str, Any]:
        headers = {"Order-Token": case.token}
        found: dict[str, Any] = self.api.call("GET", f"/v1/orders/{case.order_id}", headers=headers)
        return found


def _money(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "MAD"}
