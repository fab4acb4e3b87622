"""The use cases that are measured: played once on moto, with realistic data, and recorded."""

import json
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any

from chalicelib import clock
from chalicelib.edge import caching
from infra import events
from infra.bench.recording import AwsCall, Recorder
from infra.local.lambdas import LambdaContext

API = "app:app"
LINES = 24
BUYER = {"name": "Amina Tester", "email": "amina@example.ma", "language": "fr"}
SHIP_TO = {"country": "FR", "name": "Amina Tester", "line1": "1 rue de Fès", "city": "Lyon"}


@dataclass(frozen=True, slots=True)
class Played:
    """One run of a handler: `module:attribute`, what it was called with, the calls it made."""

    handler: str
    arguments: tuple[Any, ...]
    calls: tuple[AwsCall, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A use case: `warm` fills what a process remembers, `measured` is what counts.

    `pages_forgotten` says that the cached pages, and they alone, are dropped in between.
    """

    name: str
    title: str
    at: datetime
    warm: Played
    measured: Played
    pages_forgotten: bool = False


class Stage:
    """The marketplace on moto with the demo's data, and what one use case leaves to the next."""

    def __init__(self) -> None:
        from app import app

        self._app = app
        self._recorder = Recorder()
        self._orders = 0
        cards = self._api("GET", "/v1/listings", query={"in_stock": "true", "limit": "50"})
        self._listing_id = next(
            card["id"] for card in cards["data"] if card["stock"]["state"] == "in_stock"
        )

    def record(self, name: str) -> Recorded:
        title, make, pages_forgotten = CASES[name]
        handler, runs = make(self)
        caching.forget_everything()
        played = []
        for arguments in runs:
            if pages_forgotten:
                forget_pages()
            with self._recorder.listening() as heard, redirect_stdout(StringIO()):
                checked(resolve(handler)(*arguments))
            played.append(Played(handler, arguments, tuple(heard)))
        warm, measured = played
        return Recorded(name, title, clock.outside_now(), warm, measured, pages_forgotten)

    def _api(self, *given: Any, **options: Any) -> Any:
        answer = self._app(events.api_event(*given, **options), _context())
        return json.loads(checked(answer)["body"])

    def browse(self) -> "Runs":
        event = events.api_event("GET", "/v1/listings", query={"limit": str(LINES)})
        return _same_twice(event)

    def detail(self) -> "Runs":
        path = {"listing_id": self._listing_id}
        return _same_twice(events.api_event("GET", "/v1/listings/{listing_id}", path=path))

    def quote(self) -> "Runs":
        body = {"lines": self._lines(), "ship_to": {"country": "FR"}}
        return _same_twice(events.api_event("POST", "/v1/quotes", body=body))

    def order(self) -> "Runs":
        return API, [(self._order_event("card"), _context()) for _ in range(2)]

    def cmi_callback(self) -> "Runs":
        return API, [self._callback("card", "cmi_accepted") for _ in range(2)]

    def wallet_callback(self) -> "Runs":
        return API, [self._callback("wallet", "wallet_payment_succeeded") for _ in range(2)]

    def settle(self) -> "Runs":
        handler = "chalicelib.settlement.consumers:settle"
        return handler, [_message(self._captured(), "settle") for _ in range(2)]

    def reserve(self) -> "Runs":
        from chalicelib.payouts import batch_tables
        from chalicelib.payouts.plan_tables import Lane

        batch_id, now = f"pbt_bench{self._new_number()}", clock.now()
        batch_tables.begin(batch_id, "bench-operator", now, now)
        runs = []
        for artisan_id in _payable_artisans(2):
            _give_payable(artisan_id)
            runs.append((batch_id, artisan_id, Lane(batch_id).fence))
        return "chalicelib.payouts.reserving:reserve", runs

    def paid_report(self) -> "Runs":
        handler = "chalicelib.payouts.consumers:record_payout_report"
        return handler, [
            _message(report, "record_payout_report") for report in self._reports_of_payouts()
        ]

    def _new_number(self) -> int:
        self._orders += 1
        return self._orders

    def _lines(self) -> list[dict[str, Any]]:
        return [{"listing_id": self._listing_id, "quantity": 1}]

    def _order_event(self, method: str) -> dict[str, Any]:
        body = {
            "lines": self._lines(),
            "buyer": BUYER,
            "ship_to": SHIP_TO,
            "payment_method": method,
        }
        headers = {"Idempotency-Key": f"bench-{self._new_number()}"}
        return events.api_event("POST", "/v1/orders", body=body, headers=headers)

    def _placed(self, method: str) -> dict[str, Any]:
        from chalicelib.stock import service as stock

        stock.set_on_hand(self._listing_id, 8)
        answer = self._app(self._order_event(method), _context())
        payment: dict[str, Any] = json.loads(checked(answer)["body"])["payment"]
        return payment

    def _callback(self, method: str, sample: str) -> tuple[Any, ...]:
        payment = self._placed(method)
        request = events.callback_for(sample, payment["id"], payment["amount"]["amount_minor"])
        event = events.api_event(
            "POST", request.path, raw_body=request.body, headers=dict(request.headers)
        )
        return event, _context()

    def _captured(self) -> Any:
        from chalicelib.payments import tables
        from chalicelib.payments.messages import PaymentCaptured, Share

        found = tables.find(self._placed("card")["id"])
        return PaymentCaptured(
            payment_id=found.payment_id,
            order_id=found.order_id,
            provider=found.provider,
            amount_minor=found.amount.amount_minor,
            currency=found.amount.currency,
            captured_at=clock.to_text(clock.now()),
            shares=[Share.model_validate(share, from_attributes=True) for share in found.shares],
        )

    def _reports_of_payouts(self) -> list[Any]:
        from chalicelib.payments.messages import PayoutReported
        from chalicelib.payouts import service, tables

        handler, runs = self.reserve()
        for arguments in runs:
            checked(resolve(handler)(*arguments))
        _, payouts = service.batch(runs[0][0])
        tables.mark_submitted(payouts, clock.now())
        return [
            PayoutReported(
                payout_id=payout.payout_id,
                outcome="paid",
                amount_minor=payout.amount.amount_minor,
                currency="MAD",
                occurred_at=clock.to_text(clock.now()),
            )
            for payout in payouts
        ]


Runs = tuple[str, Sequence[tuple[Any, ...]]]

CASES: dict[str, tuple[str, Callable[[Stage], Runs], bool]] = {
    "browse": ("Browse 24 listings", Stage.browse, True),
    "browse_again": ("Browse again within the cache time", Stage.browse, False),
    "detail": ("One listing", Stage.detail, False),
    "quote": ("Quote of one line", Stage.quote, False),
    "order": ("Order of one line", Stage.order, False),
    "cmi": ("CMI callback, decided", Stage.cmi_callback, False),
    "wallet": ("Wallet callback, kept", Stage.wallet_callback, False),
    "settle": ("Settle a payment of one share", Stage.settle, False),
    "reserve": ("Payout: reserve one line", Stage.reserve, False),
    "paid": ("Payout: one paid report", Stage.paid_report, False),
}


def resolve(handler: str) -> Callable[..., Any]:
    """The function behind `module:attribute`."""
    from importlib import import_module

    module, _, name = handler.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def forget_pages() -> None:
    """Drop the cached pages of browsing, not what a process knows of regions and artisans."""
    from chalicelib.listings import api, service

    service._pages.clear()
    api._pages.clear()


def _same_twice(event: dict[str, Any]) -> Runs:
    return API, [(event, _context())] * 2


def _context() -> LambdaContext:
    return LambdaContext("bench")


def _message(message: Any, function: str) -> tuple[Any, ...]:
    return events.queue_event("bench", [message.model_dump_json()]), LambdaContext(function)


def checked(answer: Any) -> Any:
    """
    Raises:
        RuntimeError: the use case was refused; its figures would be those of a refusal.
    """
    if isinstance(answer, str):
        raise RuntimeError(f"refused: {answer}")
    if isinstance(answer, dict) and answer.get("statusCode", 200) >= 300:
        raise RuntimeError(f"refused: {answer}")
    if isinstance(answer, dict) and answer.get("batchItemFailures"):
        raise RuntimeError(f"refused: {answer}")
    return answer


def _payable_artisans(count: int) -> list[str]:
    """Artisans of the demo who may be paid, the ones who were not chosen before first."""
    from chalicelib.artisans import service as artisans
    from chalicelib.edge.auth import artisan_id_of
    from chalicelib.payouts import reserving
    from infra.demo.catalogue import demo_artisans

    found = []
    for demo in demo_artisans():
        artisan_id = artisan_id_of(demo.subject)
        artisans.artisan(artisan_id)
        if not isinstance(reserving.destination_of(artisan_id), str):
            found.append(artisan_id)
        if len(found) == count:
            break
    return found


def _give_payable(artisan_id: str) -> Any:
    """A payable balance straight from the ledger."""
    from chalicelib import ids
    from chalicelib.ledger import service as ledger
    from chalicelib.ledger.domain import Entry, Posting
    from chalicelib.money import Money

    amount = Money(220_540)
    posting = Posting("bank:main", f"artisan_payable:{artisan_id}", amount)
    entry = Entry(ids.new_id("gift"), "bench", (posting,), clock.now())
    ledger.post(entry)
    return amount
