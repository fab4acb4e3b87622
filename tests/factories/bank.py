"""The sandbox's bank without a socket: for tests of the platform, and of the bank itself.

A test of the platform takes the fixture `bank` (`bank = factories.bank.bank`): what the platform
asks of providers reaches it, its callbacks reach the platform, and `bank.press(payment_id)` pays.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from chalicelib.config import settings
from chalicelib.edge import outbound
from chalicelib.edge.outbound import OutcomeUnknown
from infra.local.bank.accounts import Charge, Due, FindByHand
from infra.local.bank.callbacks import Callback, Send, Sent
from infra.local.bank.counter import FindDue
from infra.local.bank.desk import Bank
from infra.local.gateway import AnswerLost, HttpAnswer, HttpRequest
from infra.local.payments import find_due
from infra.local.pump import Pump
from tests.aws import Api

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


class InProcessBank:
    """A bank that is called and calls back without a socket; `carry` is a transport.

    As it is made by default it knows no payment, nobody is called back and time passes unseen.
    """

    def __init__(
        self,
        send: Send | None = None,
        drain: Callable[[], object] = dict,
        find: FindDue = lambda _: None,
        find_by_hand: FindByHand = lambda _: None,
    ) -> None:
        self._send = send or _nobody
        self.calls: list[outbound.Request] = []
        self.sent: list[Callback] = []
        self.bank = Bank(find, drain, self._call_back, find_by_hand=find_by_hand)

    def carry(self, request: outbound.Request) -> outbound.Response:
        """A call of the platform's to a provider. Raises OutcomeUnknown: its answer is lost."""
        self.calls.append(request)
        target = _target_of(request.url)
        try:
            answer = self.ask(request.method, target, request.body, request.headers)
        except AnswerLost as lost:
            raise OutcomeUnknown("the answer was lost") from lost
        return outbound.Response(answer.status, answer.body)

    def ask(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """Anything below `/_local/`, as the local server would pass it on."""
        given = tuple((headers or {}).items())
        return self.bank.answer(HttpRequest(method, f"/_local/{target}", given, body))

    def press(self, payment_id: str, outcome: str = "pay") -> dict[str, Any]:
        """A button of the payment page: `{"sent": […], "bank": {…}, "back_to": "…"}`."""
        return self._told(f"pay/{payment_id}", outcome)

    def decide(self, provider: str, payment_id: str, outcome: str) -> dict[str, Any]:
        """Open or close a dispute: `opened`, `won` or `lost`."""
        return self._told(f"bank/{provider}/disputes/{payment_id}", outcome)

    def _told(self, target: str, outcome: str) -> dict[str, Any]:
        answer = self.ask("POST", target, json.dumps({"outcome": outcome}).encode(), JSON)
        assert answer.status == 200, answer.body
        told: dict[str, Any] = json.loads(answer.body)
        return told

    def post_form(self, target: str, fields: Mapping[str, str]) -> HttpAnswer:
        """What the buyer's browser posts to open a provider's page."""
        return self.ask("POST", target, urlencode(fields).encode(), FORM)

    def charge(self, payment_id: str) -> Charge:
        """What stands in the bank's books."""
        found = self.bank.books.find(payment_id)
        assert found is not None, "the bank knows no such payment"
        return found

    def deliver(self) -> list[Sent]:
        """Send what calls of the platform's have caused (Mastercard's later notifications)."""
        return self.bank.deliver()

    def _call_back(self, callback: Callback) -> Sent:
        self.sent.append(callback)
        return self._send(callback)


def _nobody(callback: Callback) -> Sent:
    return Sent(callback.what, 0, "nobody is there")


def through(api: Api) -> Send:
    """Callbacks go to the platform as API Gateway would hand them on."""

    def send(callback: Callback) -> Sent:
        path = urlsplit(callback.url).path
        answered = api.post(path, callback.body, headers=callback.headers)
        return Sent(callback.what, answered.status, answered.text)

    return send


def _target_of(url: str) -> str:
    """Which of the bank's addresses a provider's is, whatever the settings say it is."""
    given = settings()
    addresses = {
        given.cmi_api_url: "bank/cmi/api",
        given.mastercard_gateway_url: "bank/mastercard",
        given.payzone_api_url: "bank/payzone/api/v3",
        given.wallet_api_url: "bank/wallet/api",
    }
    for address, target in addresses.items():
        if url == address or url.startswith(f"{address}/"):
            return target + url.removeprefix(address)
    raise AssertionError(f"a test called {url}, which is no provider's")


@pytest.fixture
def bank(api: Api, pump: Pump) -> Iterator[InProcessBank]:
    """The four providers, called by the platform and calling it back."""
    made = InProcessBank(through(api), pump.drain, find_due)
    outbound.set_transport(made.carry)
    yield made
    outbound.reset()


def a_due(provider: str, amount_minor: int, **changes: Any) -> Due:
    content: dict[str, Any] = {
        "payment_id": "pay_1",
        "order_id": "ord_1",
        "amount_minor": amount_minor,
        "provider": provider,
    }
    return Due(**(content | changes))
