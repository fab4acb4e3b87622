"""Every magic amount at every provider ends as the README's table says."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib import clock
from chalicelib.edge import storage
from infra.demo.magic import MagicAmounts, readme_table
from infra.local.pump import Pump
from tests.aws import Api
from tests.factories import bank as banks
from tests.factories import shop
from tests.factories.artisans import a_registration
from tests.factories.bank import FORM, InProcessBank
from tests.factories.orders import open_shop

bank = banks.bank


class InProcess:
    """The calls of `make magic`, without a socket: to the app, its clock, its pump and the bank."""

    def __init__(self, api: Api, pump: Pump, made: InProcessBank) -> None:
        self.api, self.pump, self.bank = api, pump, made
        self._keys = 0

    def call(self, method: str, path: str, token: str = "", **options: Any) -> Any:
        headers = dict(options.get("headers", {}))
        if path.startswith("/_local/"):
            return self._local(method, path.removeprefix("/_local/"), headers, options)
        self._keys += 1
        if method == "POST":
            headers["Idempotency-Key"] = f"magic-{self._keys}"
        answered = self.api.request(
            method, path, options.get("json"), token=token or None, headers=headers
        )
        assert answered.status < 400, (method, path, answered.text)
        return answered.json

    def _local(self, method: str, name: str, headers: dict[str, str], options: Any) -> Any:
        if name == "tokens":
            return {"operator": self.api.operator, "artisan": self.api.artisan}
        if name == "clock":
            return clock.advance(options["json"]["advance_seconds"])
        if name == "drain":
            self.bank.deliver()
            return self.pump.drain(sweep=True)
        body = json.dumps(options["json"]).encode() if "json" in options else b""
        if "data" in options:
            body, headers = urlencode(options["data"]).encode(), headers | FORM
        if "json" in options:
            headers["Content-Type"] = "application/json"
        answer = self.bank.ask(method, name, body, headers)
        assert answer.status < 400, (method, name, answer.body)
        return answer.body


@pytest.fixture
def magic(api: Api, pump: Pump, bank: InProcessBank, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)  # A sweep costs an eighth.
    open_shop()
    api.post("/v1/artisans", a_registration(region="MA-03"), token=api.artisan)
    artisan_id = api.get("/v1/me", token=api.artisan).json["id"]
    api.post(f"/v1/operator/artisans/{artisan_id}/verify", {}, token=api.operator)
    return MagicAmounts(InProcess(api, pump, bank))


def test_every_magic_amount_at_every_provider_ends_as_the_table_says(magic: MagicAmounts) -> None:
    cases = magic.run()
    wrong = [(c.ending, c.provider, c.ended) for c in cases if not c.is_as_expected]
    assert wrong == []
    # And the money adds up: nothing is left between us, the providers and the buyers.
    check = magic.ledger()
    assert check["ok"], check
    for account in ("unapplied_receipts", "refund_payable", "dispute_receivable:wallet"):
        assert magic.left_on(account) == 0, account
    shop.check_shop()


def test_the_readme_shows_the_table() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert readme_table() in readme
