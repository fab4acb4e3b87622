"""The sweeps of payments: what does not answer or cannot be done keeps nothing else back."""

from collections import Counter
from typing import Any

import pytest

from app import app
from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import outbound
from chalicelib.edge.blueprint import SweepFailed
from chalicelib.edge.outbound import OutcomeUnknown, Request, Response
from chalicelib.payments import disputes, expiry, service
from infra import events
from infra.local.lambdas import LambdaContext
from tests.integration.payments.conftest import Shop


class Silence:
    """A transport on which one provider gives no answer; counts who was asked."""

    def __init__(self, shop: Shop, silent: str) -> None:
        self.asked: Counter[str] = Counter()
        self.silent = silent
        self._answer = shop.bank.carry
        self._providers = {
            settings().cmi_api_url: "cmi",
            settings().payzone_api_url: "payzone",
            settings().wallet_api_url: "wallet",
        }

    def carry(self, request: Request) -> Response:
        provider = next(
            name for url, name in self._providers.items() if request.url.startswith(url)
        )
        self.asked[provider] += 1
        if provider == self.silent:
            raise OutcomeUnknown("nobody answers")
        return self._answer(request)


def test_P8_a_silent_provider_is_asked_once_of_an_order_which_does_not_expire(shop: Shop) -> None:
    # Given an order that its buyer tried to pay by wallet, by voucher (the wallet's, too), by card
    placed = shop.place("wallet")
    for method in ("cash_voucher", "card"):
        assert shop.as_buyer(placed, "payments", {"payment_method": method}).status == 201
    clock.advance(49 * 3600)
    # When it is overdue and the wallet does not answer
    silence = Silence(shop, "wallet")
    outbound.set_transport(silence.carry)
    expiry.expire_overdue_orders()
    # Then the wallet is not waited for twice, CMI is asked all the same, and nothing has expired
    assert silence.asked == {"wallet": 1 + outbound.MAX_RETRIES, "cmi": 1}
    assert shop.read(placed)["status"] == "awaiting_payment"
    # When it answers again, two minutes later
    silence.silent = ""
    clock.advance(121)
    expiry.expire_overdue_orders()
    # Then the order expires
    assert shop.read(placed)["status"] == "expired"


@pytest.mark.parametrize("failing", ["disputes", "callbacks"])
def test_P9_sweeps_that_share_a_function_do_not_share_their_failures(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """The use cases are replaced: what is shown is that both are begun."""
    done: list[str] = []

    def a_sweep(name: str) -> Any:
        def sweep() -> None:
            done.append(name)
            if name == failing:
                raise KeyError(name)

        return sweep

    monkeypatch.setattr(disputes, "mark_overdue", a_sweep("disputes"))
    monkeypatch.setattr(service, "apply_due_callbacks", a_sweep("callbacks"))
    name = "sweep_callbacks_and_disputes"
    with pytest.raises(SweepFailed):
        app.handler_map[name](events.sample("schedule"), LambdaContext(name))
    assert sorted(done) == ["callbacks", "disputes"]
