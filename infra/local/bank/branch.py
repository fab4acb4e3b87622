"""Where the sandbox's bank takes payout files, and hands its reports out.

`POST bank/transfers` (a pain.001), `GET bank/transfers/{message id}` (its pain.002),
`GET bank/statement?day=YYYY-MM-DD&in_one=1` (a camt.053), `POST bank/payouts/{our id}/return`.
"""

from datetime import date
from typing import ClassVar

from chalicelib import clock
from infra.local.bank.dialect import json_answer
from infra.local.bank.payouts import Payouts
from infra.local.bank.transfers import Transfers
from infra.local.gateway import HttpAnswer, HttpRequest, problem

XML = (("Content-Type", "application/xml"), ("Cache-Control", "no-store"))


class Branch:
    NAMES: ClassVar = frozenset({"transfers", "statement", "payouts"})

    def __init__(self, transfers: Transfers, payouts: Payouts) -> None:
        self._transfers = transfers
        self._payouts = payouts

    def answer(self, request: HttpRequest, name: str, rest: str) -> HttpAnswer:
        match request.method, name:
            case "POST", "transfers" if not rest:
                return self._taken(request)
            case "GET", "transfers":
                return self._status_report(rest)
            case "GET", "statement":
                return self._statement(request)
            case "POST", "payouts":
                return self._sent_back(rest.removesuffix("/return"))
        return problem(405, "method_not_allowed", "Post a pain.001, or get a report.")

    def _taken(self, request: HttpRequest) -> HttpAnswer:
        try:
            found = self._transfers.submit(request.body, clock.now().date())
        except ValueError as error:
            return problem(422, "invalid_fields", f"That is no pain.001: {error}.")
        message_id = found[0].message_id if found else ""
        return json_answer({"message_id": message_id, "transfers": len(found)}, 201)

    def _status_report(self, message_id: str) -> HttpAnswer:
        try:
            return HttpAnswer(200, XML, self._transfers.status_report(message_id))
        except KeyError:
            return problem(404, "not_found", "There is no such order.")

    def _statement(self, request: HttpRequest) -> HttpAnswer:
        given = request.query.get("day", [""])[0]
        try:
            day = date.fromisoformat(given) if given else clock.now().date()
        except ValueError:
            return problem(422, "invalid_fields", "day is YYYY-MM-DD.")
        in_one = request.query.get("in_one", ["0"])[0] == "1"
        return HttpAnswer(200, XML, self._transfers.statement(day, in_one=in_one))

    def _sent_back(self, reference: str) -> HttpAnswer:
        found = self._payouts.find(reference)
        if found is None or found.state != "paid":
            return problem(409, "conflict", "Only a payout that was paid comes back.")
        self._payouts.send_back(reference)
        return json_answer({"reference": reference, "state": "returned"})
