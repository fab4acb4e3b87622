"""What only the local server answers: tokens, clock, draining, queues, outbox, and the bank."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib import clock
from chalicelib.edge.auth import GROUP_ARTISANS, GROUP_OPERATORS, artisan_id_of
from infra.local import signals
from infra.local.bank.desk import Bank
from infra.local.gateway import HttpAnswer, HttpRequest, problem
from infra.local.identity import ARTISAN_SUBJECT, OPERATOR_SUBJECT, UserPool
from infra.local.outbox import messages_sent
from infra.local.pump import Pump
from infra.local.queues import SQS_PATH, LocalSqs, oldest_seconds

PREFIX = "/_local/"
MAX_ADVANCE_SECONDS = 10 * 366 * 86400
MAX_DRAINS = 20
DEMO_ARTISAN_COUNT = 500
OPERATORS = re.compile(r"demo-operator-00[1-9]")
"""Large batches take two operators, so there are more than one."""

Answer = Callable[[HttpRequest], HttpAnswer]


class BadInput(Exception):
    """The request to a local endpoint is wrong; the text says how."""


def json_answer(body: Mapping[str, Any], status: int = 200) -> HttpAnswer:
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return HttpAnswer(status, headers, json.dumps(body, ensure_ascii=False).encode())


def added(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two drains told as one."""
    functions = {name: dict(counts) for name, counts in first["functions"].items()}
    for name, counts in second["functions"].items():
        known = functions.setdefault(name, {"handled": 0, "failed": 0})
        functions[name] = {key: known[key] + counts[key] for key in known}
    rounds = first["rounds"] + second["rounds"]
    return {"quiet": second["quiet"], "rounds": rounds, "functions": functions}


class LocalEndpoints:
    """Answers everything below `/_local/`."""

    def __init__(self, pool: UserPool, pump: Pump, bank: Bank) -> None:
        self._pool = pool
        self._pump = pump
        self._bank = bank
        # Ids follow from subjects, not the other way round: these are the demo's.
        demo = (f"demo-artisan-{number:03d}" for number in range(1, DEMO_ARTISAN_COUNT + 1))
        self._subjects = {artisan_id_of(subject): subject for subject in demo}
        self._calls: dict[tuple[str, str], Answer] = {
            ("GET", "tokens"): self._tokens,
            ("POST", "clock"): self._advance_clock,
            ("GET", "clock"): lambda _: json_answer({"now": clock.to_text(clock.now())}),
            ("POST", "drain"): lambda _: json_answer(self._drain()),
            ("GET", "outbox"): lambda _: json_answer({"data": messages_sent()}),
            ("GET", "queues"): lambda _: json_answer({"oldest_seconds": oldest_seconds()}),
            ("POST", SQS_PATH.removeprefix(PREFIX)): LocalSqs().answer,
        }

    def answer(self, request: HttpRequest) -> HttpAnswer:
        name = request.path.removeprefix(PREFIX).rstrip("/")
        method = "GET" if request.method == "HEAD" else request.method
        try:
            if name.startswith(("pay/", "bank/")):
                return self._bank.answer(request)
            if (method, name) in self._calls:
                return self._calls[method, name](request)
        except BadInput as refusal:
            return problem(422, "invalid_fields", str(refusal))
        known = sorted(verb for verb, endpoint in self._calls if endpoint == name)
        if known:
            allowed = ", ".join(known)
            detail = f"This address answers {allowed}."
            return problem(405, "method_not_allowed", detail, (("Allow", allowed),))
        return problem(404, "not_found", "There is no such local endpoint.")

    def _drain(self) -> dict[str, Any]:
        """Drain the queues, and again while the bank still has something to say about it."""
        self._bank.deliver()
        delivered, drained = self._bank.delivered_count, self._pump.drain()
        for _ in range(MAX_DRAINS):
            self._bank.deliver()
            if self._bank.delivered_count == delivered:
                break
            delivered, drained = self._bank.delivered_count, added(drained, self._pump.drain())
        return drained

    def _tokens(self, request: HttpRequest) -> HttpAnswer:
        query = request.query
        operator = query.pop("operator", [OPERATOR_SUBJECT])[-1]
        if not OPERATORS.fullmatch(operator):
            raise BadInput("Operators are called demo-operator-001 to demo-operator-009.")
        subject = self._subject_from(query)
        return json_answer(
            {
                "operator": self._pool.token(operator, GROUP_OPERATORS),
                "artisan": self._pool.token(subject, GROUP_ARTISANS),
                "artisan_id": artisan_id_of(subject),
            }
        )

    def _subject_from(self, query: Mapping[str, list[str]]) -> str:
        unknown = set(query) - {"subject", "artisan_id"}
        if unknown:
            raise BadInput("The parameters are subject, artisan_id and operator.")
        if "subject" in query:
            subject = query["subject"][-1]
            if not 1 <= len(subject) <= 64 or not subject.isascii() or not subject.isprintable():
                raise BadInput("A subject is 1 to 64 visible characters.")
            if " " in subject or OPERATORS.fullmatch(subject):
                raise BadInput("This subject cannot be an artisan's.")
            self._subjects[artisan_id_of(subject)] = subject
            return subject
        if "artisan_id" in query:
            return self._subject_of(query["artisan_id"][-1])
        return ARTISAN_SUBJECT

    def _subject_of(self, artisan_id: str) -> str:
        if artisan_id not in self._subjects:
            raise BadInput("No demo artisan has this id; ask with ?subject= instead.")
        return self._subjects[artisan_id]

    def _advance_clock(self, request: HttpRequest) -> HttpAnswer:
        try:
            body = json.loads(request.body or b"{}")
        except (ValueError, RecursionError):
            return problem(400, "malformed_json", "Send a JSON document in UTF-8.")
        seconds = body.get("advance_seconds") if isinstance(body, dict) else None
        if type(seconds) is not int or not 0 <= seconds <= MAX_ADVANCE_SECONDS:
            raise BadInput("advance_seconds must be a whole number of seconds, 0 or more.")
        now = clock.advance(seconds)
        signals.work.set()  # Schedules may be due now.
        return json_answer({"now": clock.to_text(now)})
