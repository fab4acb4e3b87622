"""A payment at the sandbox's bank, and a stand-in for the platform that it calls back.

The stand-in verifies each callback with the platform's own readers and notes what it says.
"""

import json
from datetime import timedelta
from urllib.parse import parse_qsl

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import standard_webhooks
from chalicelib.money import from_decimal_text
from chalicelib.payments.providers import cmi, mastercard, payzone
from chalicelib.payments.reports import Report
from infra.local.bank.accounts import Charge, State
from infra.local.bank.callbacks import Callback, Sent
from tests.factories.bank import InProcessBank, a_due
from tests.factories.provider_calls import ask, capture, open_session

REFERENCE = "pay_1"
# What a callback says: what it is about, and over how much.
Said = tuple[str, int, str]


class Platform:
    """Verifies each callback and notes what it says; CMI is told to take the money."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.bodies: list[bytes] = []
        self.cmi_answer = cmi.CAPTURE

    def receive(self, callback: Callback) -> Sent:
        provider = callback.url.rpartition("/")[2]
        headers = {name.lower(): value for name, value in callback.headers.items()}
        said = _READERS[provider](callback.body, headers)
        if said is None:
            return Sent(callback.what, 401, "refused")
        self.said.append(said)
        self.bodies.append(callback.body)
        return Sent(callback.what, 200, self.cmi_answer if provider == "cmi" else "")


def _of_cmi(body: bytes, headers: dict[str, str]) -> Said | None:
    if cmi.read_callback(body, [settings().cmi_store_key]) is None:
        return None
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    amount = from_decimal_text(fields["amount"])
    assert amount is not None
    currency = {"504": "MAD", "978": "EUR"}[fields["currency"]]
    kind = "paid" if fields["ProcReturnCode"] == "00" else "refused"
    return kind, amount.amount_minor, currency


def _of_mastercard(body: bytes, headers: dict[str, str]) -> Said | None:
    secrets = [settings().mastercard_notification_secret]
    if mastercard.read_notification(body, headers, secrets) is None:
        return None
    told = json.loads(body)
    amount = from_decimal_text(str(told["order"]["amount"]))
    assert amount is not None
    kind = told["transaction"]["type"].lower()
    if kind in ("authorization", "payment"):
        kind = "paid" if told["result"] == "SUCCESS" else "refused"
    return kind, amount.amount_minor, told["order"]["currency"]


def _of_payzone(body: bytes, headers: dict[str, str]) -> Said | None:
    event = payzone.read_callback(body, headers, [settings().payzone_notification_key])
    if event is None:
        return None
    last = json.loads(body)["transactions"][-1]
    amount = from_decimal_text(str(last["amount"]))
    assert amount is not None
    kind = "paid" if event.kind == "payment.succeeded" else "refused"
    return kind, amount.amount_minor, last["currency"]


def _of_wallet(body: bytes, headers: dict[str, str]) -> Said | None:
    now = clock.outside_now()
    if not standard_webhooks.is_genuine([settings().wallet_secret], headers, body, now):
        return None
    event = json.loads(body)
    kinds = {"payment.succeeded": "paid", "payment.failed": "refused"}
    kind = kinds.get(event["type"]) or f"dispute {event['reason']}"
    return kind, event["amount"]["amount_minor"], event["amount"]["currency"]


_READERS = {
    "cmi": _of_cmi,
    "mastercard": _of_mastercard,
    "payzone": _of_payzone,
    "wallet": _of_wallet,
}


class Buyer:
    """A payment of an amount at one provider, and everybody who has to do with it."""

    def __init__(self, provider: str, amount_minor: int) -> None:
        self.provider = provider
        self.minor = amount_minor
        self.platform = Platform()
        self.drained: list[tuple[timedelta, State]] = []
        self._began = clock.now()
        until = clock.now() + timedelta(minutes=15)
        due = a_due(provider, amount_minor, expires_at=until)
        self.bank = InProcessBank(self.platform.receive, self._drain, {REFERENCE: due}.get)
        if provider == "mastercard":
            open_session(self.bank, REFERENCE, amount_minor)

    def _drain(self) -> None:
        self.drained.append((clock.now() - self._began, self.charge.state))

    @property
    def charge(self) -> Charge:
        return self.bank.charge(REFERENCE)

    def press(self, outcome: str = "pay") -> None:
        self.bank.press(REFERENCE, outcome)

    def pay(self, outcome: str = "pay") -> None:
        """Press, and take the money where the platform does that by a call of its own."""
        self.press(outcome)
        taken = self.charge.paid_by
        if self.provider == "mastercard" and taken is not None:
            capture(self.bank, REFERENCE, taken.amount_minor)
            self.bank.deliver()

    def report(self) -> Report:
        """What the platform learns when it asks."""
        return ask(self.bank, self.provider, REFERENCE)

    def said(self, *kinds: str) -> list[Said]:
        """What was sent of these kinds, in order."""
        return [said for said in self.platform.said if said[0] in kinds]
