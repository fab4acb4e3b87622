"""Eight clients order and pay on the local stack; then a bare client makes the same calls.

A process of its own: `python -m infra.bench.crowd` prints a line of JSON per step, and at last one
with the figures. With DYNAMODB=local it runs on Amazon's DynamoDB Local.
"""

import http.client
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

from infra import events
from infra.bench import floor
from infra.bench.clients import Clients, Task, Worthless
from infra.bench.market import Market
from infra.bench.recording import AwsCall, Recorder
from infra.bench.throughput import CLIENTS, Counted, Row, Speed, Timings, row_of
from infra.local.environment import CannotStart

ORDERS_EACH = 20
PIECES = (3, *[18] * (CLIENTS - 1))  # of each listing: some buyers come too late
PIECES_OF_FLOOR = [40] * CLIENTS
STEPS = 10
JSON = {"Content-Type": "application/json"}
SHIP_TO = {"country": "FR", "name": "Amina Tester", "line1": "1 rue de Fès", "city": "Lyon"}
CARD, WALLET = "card", "wallet"
SAMPLE_OF = {CARD: "cmi_accepted", WALLET: "wallet_payment_succeeded"}
ANSWER_OF = {CARD: (200, b"ACTION=POSTAUTH"), WALLET: (204, b"")}

Tell = Callable[[Mapping[str, Any]], object]
Calls = tuple[AwsCall, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """A payment that was asked for, and by which method."""

    method: str
    payment_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Sample:
    """The AWS calls of one order and of its payment, and the ids that only they have."""

    order: Calls
    payment: Calls
    own: frozenset[str]


class Crowd:
    """The whole run, a step after the other."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._step, self._doing = 0, ""
        self._market = Market(self._rename)
        self._placed: list[Due] = []
        self._refused = 0

    def measure(self) -> dict[str, Any]:
        """
        Raises:
            Worthless: an answer was none that may be counted.
        """
        ours = self._ours()
        delivered = self._delivered()
        counted = self._counted()
        samples = self._samples()
        bare = self._bare(samples)
        trips = {
            "order": max(len(sample.order) for sample in samples.values()),
            CARD: len(samples[CARD, 0].payment),
            WALLET: len(samples[WALLET, 0].payment),
        }
        rows = [
            row_of("Place an order", ours["order"], bare["order"], trips["order"]),
            row_of("CMI callback, decided", ours[CARD], bare[CARD], trips[CARD]),
            row_of("Wallet callback, kept", ours[WALLET], bare[WALLET], trips[WALLET]),
            delivered,
        ]
        return {"rows": [asdict(row) for row in rows], "counted": asdict(counted)}

    def stop(self) -> None:
        self._market.stop()

    def _begin(self, doing: str) -> None:
        self._step += 1
        self._rename(doing)

    def _rename(self, doing: str) -> None:
        self._doing = doing
        self._say(0)

    def _say(self, part: float) -> None:
        self._tell({"doing": self._doing, "part": (self._step + part) / STEPS})

    def _run(self, doing: str, tasks: Sequence[Sequence[Task]]) -> Timings:
        self._begin(doing)
        return Clients(tasks, self._say).run()

    def _ours(self) -> dict[str, Timings]:
        self._listings = listings = self._market.open_shop(PIECES)
        lines = [self._market.connect() for _ in range(CLIENTS)]
        self._warm_up(lines[0], listings)
        tasks = [
            [self._ordering(line, listings, client, number) for number in range(ORDERS_EACH)]
            for client, line in enumerate(lines)
        ]
        timings = {"order": self._run("Placing orders", tasks)}
        for method, doing in ((CARD, "Paying by card"), (WALLET, "Paying by wallet")):
            due = [due for due in self._placed if due.method == method]
            tasks = [
                [self._paying(line, each) for each in due[client::CLIENTS]]
                for client, line in enumerate(lines)
            ]
            timings[method] = self._run(doing, tasks)
        for line in lines:
            line.close()
        return timings

    def _warm_up(self, line: http.client.HTTPConnection, listings: Sequence[str]) -> None:
        """What a process remembers of listings, regions and artisans, it learns here."""
        for listing_id in listings:
            body = json.dumps({"lines": _one(listing_id), "ship_to": {"country": "FR"}}).encode()
            status, answer = _post(line, "/v1/quotes", body, JSON)
            if status >= 300:
                raise Worthless(f"a quote was answered {status}: {answer[:200]!r}")

    def _ordering(
        self, line: http.client.HTTPConnection, listings: Sequence[str], client: int, number: int
    ) -> Task:
        method, key = (CARD, WALLET)[number % 2], f"crowd-{client}-{number}"
        body = _order_body(listings[(client + number) % CLIENTS], method, key)

        def task() -> bool:
            status, answer = _post(line, "/v1/orders", body, JSON | {"Idempotency-Key": key})
            if status == 409:
                self._refused += 1
                return False
            self._placed.append(_due_from(method, status, answer))
            return True

        return task

    def _paying(self, line: http.client.HTTPConnection, due: Due) -> Task:
        request = events.callback_for(SAMPLE_OF[due.method], due.payment_id, due.amount_minor)

        def task() -> bool:
            answered = _post(line, request.path, request.body, dict(request.headers))
            if answered != ANSWER_OF[due.method]:
                raise Worthless(f"a callback was answered {answered}")
            return True

        return task

    def _delivered(self) -> Row:
        """What follows of all these orders: the wallet's callbacks applied, sales settled, …"""
        self._begin("Delivering what follows")
        began = perf_counter()
        self._market.pump.drain()
        per_second = len(self._placed) / (perf_counter() - began)
        title = "All that follows of an order, delivered"
        return Row(title, len(self._placed), Speed(round(per_second, 1)))

    def _counted(self) -> Counted:
        from chalicelib.orders import tables as orders
        from chalicelib.orders.domain import OrderState
        from chalicelib.payments.tables import PaymentTable

        self._begin("Counting")
        named = [row.order_id for row in orders.OrderTable.scan(orders.OrderTable.part == "order")]
        found = [order for name in named if (order := orders.find(name))]
        paid = [order for order in found if order.state is OrderState.PAID]
        bought: dict[str, int] = {}
        for order in paid:
            for listing_id, quantity in order.quantities().items():
                bought[listing_id] = bought.get(listing_id, 0) + quantity
        return Counted(
            database=self._market.database,
            pieces=sum(PIECES),
            refused=self._refused,
            orders=len(found),
            payments=PaymentTable.count(),
            paid=len(paid),
            oversold=sum(
                max(0, bought.get(listing_id, 0) - pieces)
                for listing_id, pieces in zip(self._listings, PIECES, strict=True)
            ),
        )

    def _samples(self) -> dict[tuple[str, int], Sample]:
        """An order and its payment on each listing by each method, as AWS sees them."""
        self._begin("Recording for the floor")
        listings = self._market.open_shop(PIECES_OF_FLOOR)
        line, recorder = self._market.connect(), Recorder()
        self._warm_up(line, listings)
        recorded: dict[tuple[str, int], tuple[Calls, Calls]] = {}
        for place, listing_id in enumerate(listings):
            for method in (CARD, WALLET):
                key = f"sample-{method}-{place}"
                headers = JSON | {"Idempotency-Key": key}
                with recorder.listening() as order:
                    answer = _post(
                        line, "/v1/orders", _order_body(listing_id, method, key), headers
                    )
                with recorder.listening() as payment:
                    self._paying(line, _due_from(method, *answer))()
                recorded[method, place] = tuple(order), tuple(payment)
        line.close()
        own = floor.own_tokens([order + payment for order, payment in recorded.values()])
        pairs = zip(recorded.items(), own, strict=True)
        return {key: Sample(order, payment, mine) for (key, (order, payment)), mine in pairs}

    def _bare(self, samples: Mapping[tuple[str, int], Sample]) -> dict[str, Timings]:
        """The same calls, as often, by as many threads; what was not ordered is not paid."""
        client = floor.bare_client(CLIENTS)
        ordered: set[tuple[int, int]] = set()

        def calling(place: int, number: int, method: str, *, is_order: bool) -> Task:
            sample = samples[method, (place + number) % CLIENTS]
            recorded = sample.order if is_order else sample.payment
            copy = place * ORDERS_EACH + number
            calls = floor.calls_of(client, recorded, sample.own, copy)

            def task() -> bool:
                for call, params in calls:
                    call(**params)
                ordered.add((place, number))
                return True

            return task

        def tasks(*methods: str, is_order: bool = False) -> list[list[Task]]:
            return [
                [
                    calling(place, number, method, is_order=is_order)
                    for number in range(ORDERS_EACH)
                    if (method := (CARD, WALLET)[number % 2]) in methods
                    if is_order or (place, number) in ordered
                ]
                for place in range(CLIENTS)
            ]

        timings = {"order": self._run("Floor: placing orders", tasks(CARD, WALLET, is_order=True))}
        timings[CARD] = self._run("Floor: paying by card", tasks(CARD))
        timings[WALLET] = self._run("Floor: paying by wallet", tasks(WALLET))
        return timings


def _one(listing_id: str) -> list[dict[str, Any]]:
    return [{"listing_id": listing_id, "quantity": 1}]


def _order_body(listing_id: str, method: str, key: str) -> bytes:
    """Each order is another buyer's: nobody may have many that are not paid."""
    buyer = {"name": "Amina Tester", "email": f"{key}@example.ma", "language": "fr"}
    body = {
        "lines": _one(listing_id),
        "buyer": buyer,
        "ship_to": SHIP_TO,
        "payment_method": method,
    }
    return json.dumps(body).encode()


def _due_from(method: str, status: int, answer: bytes) -> Due:
    if status != 201:
        raise Worthless(f"an order was answered {status}: {answer[:200]!r}")
    payment = json.loads(answer)["payment"]
    return Due(method, payment["id"], payment["amount"]["amount_minor"])


def _post(
    line: http.client.HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    line.request("POST", path, body, dict(headers))
    answer = line.getresponse()
    return answer.status, answer.read()


def main() -> int:
    told = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Where the app's metrics go.

    def tell(line: Mapping[str, Any]) -> None:
        told.write(json.dumps(line) + "\n")
        told.flush()

    try:
        crowd = Crowd(tell)
        try:
            tell(crowd.measure())
        finally:
            crowd.stop()
    except (CannotStart, Worthless) as refusal:
        tell({"cannot": str(refusal)})
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
