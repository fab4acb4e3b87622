"""The local stack in one process, without a socket: the app, its clock, its pump, and the bank."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
from chalice import Chalice

from chalicelib import clock
from chalicelib.edge import outbound
from chalicelib.edge.outbound import NotSent, OutcomeUnknown
from infra.local.aws import LocalAws
from infra.local.bank.accounts import Charge
from infra.local.bank.callbacks import Callback, Sent
from infra.local.bank.desk import Bank
from infra.local.bank.plans import Plan
from infra.local.environment import ACCOUNT, REGION
from infra.local.gateway import AnswerLost, Gateway, HttpAnswer, HttpRequest
from infra.local.identity import OPERATOR_SUBJECT, UserPool
from infra.local.payments import find_due
from infra.local.pump import Pump

LOCAL = "/_local/"
SECOND_OPERATOR = "month-operator-002"
MAX_DRAINS = 20
REFUSED = 400


class MonthFailed(Exception):
    """The marketplace did not answer as it should; the text says to what."""


class Refused(Exception):
    """A refusal with its code."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code = status, code


class World:
    """Calls the app as API Gateway would; providers are called and call back in the process.

    `weather` says what becomes of the platform's calls to providers: "fine", "down" (nothing is
    sent) or "silent" (it is done, and nobody hears of it).
    """

    def __init__(self, app: Chalice, aws: LocalAws, pool: UserPool) -> None:
        self.pump = Pump(app, aws)
        self.aws = aws
        self.weather = "fine"
        self.calls_lost = 0
        self.failed: dict[str, int] = {}
        self._gateway = Gateway(app)
        self._pool = pool
        self._tokens: dict[tuple[str, str], str] = {}
        self._keys = 0
        self._kept_back: list[Callback] | None = None
        self.bank = Bank(find_due, self.drain, self._call_back)
        outbound.set_transport(self._carry)

    @property
    def operator(self) -> str:
        return self._token(OPERATOR_SUBJECT, "operators")

    @property
    def second_operator(self) -> str:
        return self._token(SECOND_OPERATOR, "operators")

    def artisan(self, subject: str) -> str:
        return self._token(subject, "artisans")

    def _token(self, subject: str, group: str) -> str:
        if (subject, group) not in self._tokens:
            self._tokens[subject, group] = self._pool.token(subject, group)
        return self._tokens[subject, group]

    def call(
        self,
        method: str,
        path: str,
        token: str = "",
        *,
        body: Any = None,
        key: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON of an answer, or its text. `body` is sent as JSON unless it is bytes.

        Raises:
            Refused: the answer is a refusal. MonthFailed: it is no answer to be given to anybody.
        """
        given = dict(headers or {})
        if token:
            given["Authorization"] = f"Bearer {token}"
        if method == "POST":
            self._keys += 1
            given["Idempotency-Key"] = key or f"month-{self._keys}"
        raw = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            raw = json.dumps(body).encode()
            given["Content-Type"] = "application/json"
        answer = self._gateway.answer(HttpRequest(method, path, tuple(given.items()), raw))
        return _read(answer, f"{method} {path}")

    def all_of(self, path: str, token: str) -> list[Any]:
        """A list to its end."""
        found: list[Any] = []
        joint = "&" if "?" in path else "?"
        cursor = ""
        while True:
            page = self.call("GET", f"{path}{joint}limit=100{cursor}", token)
            found += page["data"]
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def at_bank(self, name: str, body: Any = None, form: Mapping[str, str] | None = None) -> Any:
        """What a browser posts to the bank, or gets from it where nothing is given."""
        kind, raw = "application/json", json.dumps(body).encode() if body is not None else b""
        if form is not None:
            kind, raw = "application/x-www-form-urlencoded", urlencode(form).encode()
        method = "GET" if body is None and form is None else "POST"
        headers = (("Content-Type", kind), ("Accept", "application/json"))
        return _read(self.bank.answer(HttpRequest(method, f"{LOCAL}{name}", headers, raw)), name)

    def follow(self, action: Mapping[str, Any]) -> None:
        """The buyer's browser goes where the platform sends it."""
        url = str(action.get("url", ""))
        if LOCAL in url:
            name = url.partition(LOCAL)[2]
            self.at_bank(name, form=action.get("fields"))

    def press(self, payment_id: str, outcome: str = "pay") -> None:
        """A button of the payment page. Raises Refused: the bank does not do it."""
        self.at_bank(f"pay/{payment_id}", {"outcome": outcome})

    def charge(self, payment_id: str) -> Charge | None:
        return self.bank.books.find(payment_id)

    def open(self, payment_id: str) -> Charge:
        """The charge of a payment of which the provider was told nothing beforehand."""
        due = find_due(payment_id)
        assert due is not None
        asked = Charge(due.payment_id, due.provider, due.amount_minor, order_id=due.order_id)
        return self.bank.books.open(asked)

    def play(self, charge: Charge, plan: Plan) -> None:
        """As `press`, with a plan of its own."""
        self.bank.play(charge, plan)

    @contextmanager
    def callbacks_reversed(self) -> Iterator[None]:
        """What is sent meanwhile arrives afterwards, the last first."""
        self._kept_back = []
        yield
        kept, self._kept_back = self._kept_back, None
        for callback in reversed(kept):
            self._call_back(callback)

    def drain(self, *, sweep: bool = False) -> None:
        """Deliver until everything is quiet, what the bank has to say about it included."""
        self.bank.deliver()
        for _ in range(MAX_DRAINS):
            before = self.bank.delivered_count
            drained = self.pump.drain(sweep=sweep)
            for name, tally in drained["functions"].items():
                self.failed[name] = self.failed.get(name, 0) + tally["failed"]
            self.bank.deliver()
            if self.bank.delivered_count == before:
                return
        raise MonthFailed("the bank and the platform never stop talking")

    def let_pass(self, seconds: int) -> None:
        clock.advance(seconds)
        self.drain()

    def _carry(self, request: outbound.Request) -> outbound.Response:
        """A call of the platform's to a provider, in whatever weather there is."""
        if self.weather == "down":
            self.calls_lost += 1
            raise NotSent("no connection")
        target = LOCAL + request.url.partition(LOCAL)[2]
        given = tuple(request.headers.items())
        try:
            answer = self.bank.answer(HttpRequest(request.method, target, given, request.body))
        except AnswerLost as lost:
            raise OutcomeUnknown("the answer was lost") from lost
        if self.weather == "silent":
            self.calls_lost += 1
            raise OutcomeUnknown("no answer in time")
        return outbound.Response(answer.status, answer.body)

    def _call_back(self, callback: Callback) -> Sent:
        if self._kept_back is not None:
            self._kept_back.append(callback)
            return Sent(callback.what, 0, "it is on its way")
        path = urlsplit(callback.url).path
        given = tuple(callback.headers.items())
        answer = self._gateway.answer(HttpRequest("POST", path, given, callback.body))
        return Sent(callback.what, answer.status, answer.body.decode("utf-8", "replace"))

    def left_in_queues(self) -> dict[str, int]:
        """Messages that wait, by queue, dead letters included; only queues that have any."""
        sqs = boto3.client("sqs")
        left = {}
        for name in self.aws.resources.queues():
            url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
            wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
            count = sum(int(found[one]) for one in wanted)
            if count:
                left[name] = count
        return left


def _read(answer: HttpAnswer, what: str) -> Any:
    text = answer.body.decode("utf-8", "replace")
    if answer.status >= 500:
        raise MonthFailed(f"{what} was answered {answer.status} {text[:300]}")
    kinds = [value for name, value in answer.headers if name.lower() == "content-type"]
    is_json = bool(kinds) and "json" in kinds[0] and bool(text)
    found = json.loads(text) if is_json else text
    if answer.status >= REFUSED:
        told = found if isinstance(found, dict) else {}
        raise Refused(answer.status, str(told.get("code")), str(told.get("detail", text[:200])))
    return found
