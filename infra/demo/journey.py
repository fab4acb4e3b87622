"""One order's journey, told step by step: browse, order, pay, settle, ship, release, pay out."""

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.demo.client import DemoFailed, Marketplace

SUBJECTS = ("demo-artisan-001", "demo-artisan-002")
DAY_SECONDS = 24 * 3600
RELEASE_DAYS = 15
FEE_BP = 175


def dirhams(money: dict[str, Any]) -> str:
    minor = money["amount_minor"]
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d} {money['currency']}"


class Journey:
    """The steps in their order; each prints what it saw and fails the demo if it is not right."""

    def __init__(self, marketplace: Marketplace, console: Console) -> None:
        self.api = marketplace
        self.console = console
        self.step = 0
        self.operator = ""
        self.approver = ""
        self.artisans: dict[str, str] = {}
        self.names: dict[str, str] = {}

    def run(self) -> None:
        self._sign_in()
        lines = self._browse()
        placed = self._order(lines)
        self._pay(placed)
        self._deliver(placed)
        self._reconcile(placed)
        self._release()
        batch = self._pay_out()
        self._bank_reports(batch)
        self._show_balances()

    def _say(self, title: str, detail: str) -> None:
        self.step += 1
        self.console.print(f"[bold cyan]{self.step:2d}[/] [bold]{title}[/]  {detail}")

    def _check(self, holds: bool, claim: str) -> None:
        if not holds:
            raise DemoFailed(f"step {self.step + 1}: {claim}")

    def _drain(self) -> None:
        self.api.call("POST", "/_local/drain")

    def _sign_in(self) -> None:
        self.operator = self.api.call("GET", "/_local/tokens")["operator"]
        for subject in SUBJECTS:
            found = self.api.call("GET", f"/_local/tokens?subject={subject}")
            self.artisans[found["artisan_id"]] = found["artisan"]
            profile = self.api.call("GET", f"/v1/artisans/{found['artisan_id']}")
            self.names[found["artisan_id"]] = f"{profile['name']}, {profile['town']}"

    def _browse(self) -> list[dict[str, Any]]:
        page = self.api.call("GET", "/v1/listings?limit=24")
        self._check(bool(page["data"]), "there are listings to browse")
        lines = []
        for artisan_id in self.artisans:
            own = self.api.call("GET", f"/v1/listings?artisan_id={artisan_id}&limit=24")["data"]
            detail = self._best_stocked(own)
            lines.append({"listing_id": detail["id"], "quantity": 1})
            self._say("browse", f"{detail['title']} · {dirhams(detail['price'])}")
        return lines

    def _best_stocked(self, cards: list[dict[str, Any]]) -> dict[str, Any]:
        for card in cards:
            detail: dict[str, Any] = self.api.call("GET", f"/v1/listings/{card['id']}")
            if detail["stock"]["state"] == "in_stock":
                return detail
        raise DemoFailed("none of the demo artisan's listings is in stock; restart `make run`")

    def _order(self, lines: list[dict[str, Any]]) -> dict[str, Any]:
        ship_to = {"country": "FR", "line1": "4 rue des Lilas", "city": "Lyon"}
        quote = self.api.call("POST", "/v1/quotes", json={"lines": lines, "ship_to": ship_to})
        parcels = len(quote["parcels"])
        total = dirhams(quote["total"])
        self._say("quote", f"{parcels} parcels to France · {total} with shipping")
        placed: dict[str, Any] = self.api.call(
            "POST",
            "/v1/orders",
            json={
                "lines": lines,
                "buyer": {"name": "Ana Sá", "email": "ana@example.com", "language": "en"},
                "ship_to": ship_to,
                "payment_method": "card",
                "expected_total": quote["total"],
            },
        )
        order, payment = placed["order"], placed["payment"]
        self._say("order", f"{order['id']} · {order['status']} · stock held")
        self._say("to pay", f"{payment['action']['type']} to {payment['action']['url']}")
        return placed

    def _pay(self, placed: dict[str, Any]) -> None:
        transaction = f"T{placed['order']['id'][-10:]}"
        answer = self.api.cmi_callback(placed["payment"]["action"]["fields"], transaction)
        self._check(answer == "ACTION=POSTAUTH", f"CMI was answered {answer!r}")
        self._say("CMI callback", f"signed, accepted, answered [green]{answer}[/]: stock sold")
        again = self.api.cmi_callback(placed["payment"]["action"]["fields"], transaction)
        self._say("again", f"the same callback is answered {again} and changes nothing")
        self._drain()
        order = self._read(placed)
        self._check(order["status"] == "paid", f"the order is {order['status']}, not paid")
        self._say("settled", f"the sale is in the ledger · order {order['status']}")
        self._each_balance(lambda balance: f"pending {dirhams(balance['pending'])}", "pending")

    def _read(self, placed: dict[str, Any]) -> dict[str, Any]:
        order: dict[str, Any] = self.api.call(
            "GET",
            f"/v1/orders/{placed['order']['id']}",
            headers={"Order-Token": placed["order_token"]},
        )
        return order

    def _deliver(self, placed: dict[str, Any]) -> None:
        for parcel in placed["order"]["parcels"]:
            token = self.artisans[parcel["artisan_id"]]
            path = f"/v1/me/parcels/{parcel['id']}"
            self.api.call("POST", f"{path}/accept", token)
            shipment = {"carrier": "Poste Maroc", "tracking": f"EE{parcel['id'][-8:].upper()}MA"}
            self.api.call("POST", f"{path}/ship", token, json=shipment)
            delivered = self.api.call("POST", f"{path}/delivered", token)
            name = self.names[parcel["artisan_id"]]
            self._say("parcel", f"{name} · accepted, shipped, {delivered['status']}")
        self._drain()

    def _reconcile(self, placed: dict[str, Any]) -> None:
        payment = placed["payment"]
        gross = payment["amount"]["amount_minor"]
        fee = (gross * FEE_BP * 2 + 10_000) // 20_000
        row = [payment["id"], f"T{placed['order']['id'][-10:]}", *map(_decimal, (gross, fee))]
        row += [_decimal(gross - fee), "MAD", "2026-01-01", "payment"]
        text = "reference,provider_reference,gross,fee,net,currency,settled_at,type\n"
        result = self.api.call(
            "POST",
            "/v1/operator/reconciliations?provider=cmi",
            self.operator,
            content=text + ",".join(row) + "\n",
            headers={"Content-Type": "text/csv"},
        )
        self._check(result["lines"][0]["result"] == "matched", f"the file's line: {result}")
        self._drain()
        status = self._read(placed)["payments"][0]["status"]
        self._say("provider's file", f"1 line matched · the payment is {status}")

    def _release(self) -> None:
        self.api.call("POST", "/_local/clock", json={"advance_seconds": RELEASE_DAYS * DAY_SECONDS})
        self._drain()
        self._each_balance(lambda balance: f"payable {dirhams(balance['payable'])}", "released")

    def _each_balance(self, telling: Callable[[dict[str, Any]], str], title: str) -> None:
        for artisan_id, token in self.artisans.items():
            balance = self.api.call("GET", "/v1/me/balance", token)
            self._say(title, f"{self.names[artisan_id]} · {telling(balance)}")

    def _pay_out(self) -> dict[str, Any]:
        path = "/v1/operator/payout-batches"
        batch: dict[str, Any] = self.api.call("POST", path, self.operator)
        path = f"{path}/{batch['id']}"
        self._say("payout batch", f"{batch['id']} drafted, the money reserved")
        second = self.api.call("GET", "/_local/tokens?operator=demo-operator-002")
        self.api.call("POST", f"{path}/approve", second.get("operator") or self.operator)
        self.api.call("POST", f"{path}/submit", self.operator)
        sent = self.api.call("GET", f"{path}/file", self.operator)
        self._say("file", f"approved and submitted · {len(str(sent))} characters for the bank")
        found: dict[str, Any] = self.api.call("GET", path, self.operator)
        return found

    def _bank_reports(self, batch: dict[str, Any]) -> None:
        for payout in batch["payouts"]:
            if payout["status"] != "paid":
                self.api.wallet_callback("payout.paid", payout["id"], payout["amount"])
        self._drain()
        found = self.api.call("GET", f"/v1/operator/payout-batches/{batch['id']}", self.operator)
        unpaid = [payout for payout in found["payouts"] if payout["status"] != "paid"]
        self._check(not unpaid, f"these are not paid: {unpaid}")
        self._say("paid out", f"{len(found['payouts'])} payouts reported paid")

    def _show_balances(self) -> None:
        table = Table(title="What each artisan has", title_justify="left")
        for heading in ("artisan", "pending", "payable", "paid out"):
            table.add_column(heading, justify="left" if heading == "artisan" else "right")
        for artisan_id, token in self.artisans.items():
            balance = self.api.call("GET", "/v1/me/balance", token)
            self._check(balance["paid_out"]["amount_minor"] > 0, f"{artisan_id} was not paid")
            amounts = (dirhams(balance[name]) for name in ("pending", "payable", "paid_out"))
            table.add_row(self.names[artisan_id], *amounts)
        self.console.print(table)
        check = self.api.call("GET", "/v1/operator/ledger/check", self.operator)
        self._check(check["ok"], f"the ledger does not hold: {check}")
        entries, accounts = check["entries"], check["accounts"]
        total = f"{entries} entries on {accounts} accounts add up to {dirhams(check['sum'])}"
        self._say("ledger", f"[green]{total}[/]; replayed balances equal the kept ones")


def _decimal(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
