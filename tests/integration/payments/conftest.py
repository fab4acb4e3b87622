"""A shop whose buyers pay at the sandbox's bank, without a socket."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.edge import storage
from infra.local.pump import Pump
from tests.aws import Answered, Api
from tests.factories import bank as banks
from tests.factories.bank import InProcessBank
from tests.factories.orders import BOWL, OWNER, RUG, an_order_body, open_shop

bank = banks.bank


class Shop:
    """What a buyer, the artisans and an operator do, over the API."""

    def __init__(self, api: Api, pump: Pump, bank: InProcessBank) -> None:
        self.api, self.pump, self.bank = api, pump, bank
        self._keys = 0

    def key(self) -> dict[str, str]:
        self._keys += 1
        return {"Idempotency-Key": f"key-{self._keys}"}

    def place(self, method: str = "wallet", lines: dict[str, int] | None = None) -> Any:
        body = an_order_body(lines or {BOWL: 1, RUG: 1}, payment_method=method)
        placed = self.api.post("/v1/orders", body, headers=self.key())
        assert placed.status == 201, placed.text
        self._open_page(placed.json["payment"]["action"])
        return placed.json

    def _open_page(self, action: dict[str, Any] | None) -> None:
        if action is not None and action["type"] == "redirect_form":
            at = "pay/cmi" if "oid" in action["fields"] else "bank/payzone/paywall"
            self.bank.post_form(at, action["fields"])

    def paid(self, method: str = "wallet", lines: dict[str, int] | None = None) -> Any:
        """An order that is placed and paid, with everything that follows done."""
        placed = self.place(method, lines)
        self.bank.press(placed["payment"]["id"])
        self.settle()
        return placed

    def settle(self) -> None:
        """Deliver what waits until nothing does, sweeps included."""
        for _ in range(2):
            self.pump.drain(sweep=True)
            self.bank.deliver()

    def books(self, placed: Any) -> dict[str, Any]:
        """What stands in the bank's own books of an order's payment."""
        return self.bank.charge(placed["payment"]["id"]).view()

    def read(self, placed: Any) -> Any:
        token = {"Order-Token": placed["order_token"]}
        return self.api.get(f"/v1/orders/{placed['order']['id']}", headers=token).json

    def as_buyer(self, placed: Any, action: str, body: Any = None) -> Answered:
        headers = {"Order-Token": placed["order_token"]} | self.key()
        return self.api.post(
            f"/v1/orders/{placed['order']['id']}/{action}", body or {}, headers=headers
        )

    def as_artisan(self, artisan_id: str, path: str, body: Any = None) -> Answered:
        token = self.token_of(artisan_id)
        return self.api.post(f"/v1/me/{path}", body or {}, token=token, headers=self.key())

    def token_of(self, artisan_id: str) -> str:
        own = artisan_id == OWNER
        return self.api.artisan if own else self.api.token("another-artisan", "artisans")

    def as_operator(self, path: str, body: Any = None) -> Answered:
        path = f"/v1/operator/{path}"
        return self.api.post(path, body or {}, token=self.api.operator, headers=self.key())

    def listed(self, path: str) -> list[Any]:
        found = self.api.get(f"/v1/operator/{path}", token=self.api.operator)
        assert found.status == 200, found.text
        data: list[Any] = found.json["data"]
        return data

    def balance(self, artisan_id: str) -> dict[str, int]:
        found = self.api.get("/v1/me/balance", token=self.token_of(artisan_id)).json
        return {
            name: found[name]["amount_minor"] for name in ("pending", "payable", "held", "owed")
        }

    def ledger_holds(self) -> bool:
        check = self.api.get("/v1/operator/ledger/check", token=self.api.operator).json
        return bool(check["ok"])

    def confirm(self, placed: Any) -> None:
        """The provider's settlement file names the payment."""
        payment = self.read(placed)["payments"][0]
        gross = payment["amount"]["amount_minor"]
        fee = (gross * 175 * 2 + 10_000) // 20_000
        amounts = [f"{minor // 100}.{minor % 100:02d}" for minor in (gross, fee, gross - fee)]
        row = [payment["id"], "T-1", *amounts, "MAD", "2030-06-15", "payment"]
        head = "reference,provider_reference,gross,fee,net,currency,settled_at,type"
        answered = self.api.post(
            f"/v1/operator/reconciliations?provider={payment['provider']}",
            f"{head}\n{','.join(row)}\n".encode(),
            token=self.api.operator,
            headers={"Content-Type": "text/csv"} | self.key(),
        )
        assert answered.json["lines"][0]["result"] == "matched", answered.text
        self.settle()

    def send_all(self, placed: Any, upto: str = "delivered") -> None:
        """Each artisan ships their parcel, and (unless `upto` says less) it arrives."""
        for parcel in placed["order"]["parcels"]:
            path = f"parcels/{parcel['id']}"
            sent = {"carrier": "Amana", "tracking": "EE-1-MA"}
            assert self.as_artisan(parcel["artisan_id"], f"{path}/ship", sent).status == 200
            if upto == "delivered":
                assert self.as_artisan(parcel["artisan_id"], f"{path}/delivered").status == 200
        self.settle()


@pytest.fixture
def shop(api: Api, pump: Pump, bank: InProcessBank, monkeypatch: pytest.MonkeyPatch) -> Shop:
    # One shard of each due index instead of eight: a sweep costs an eighth.
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)
    open_shop({BOWL: 5, RUG: 5})
    return Shop(api, pump, bank)


@pytest.fixture
def count_of(shop: Shop) -> Callable[[str], Any]:
    """What the stock of a listing is."""
    from chalicelib.stock import service as stock

    return lambda listing_id: stock.levels([listing_id])[listing_id]
