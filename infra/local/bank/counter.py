"""The payment pages: one button for every outcome, and the same by JSON for scripts."""

from collections.abc import Callable
from dataclasses import asdict

from chalicelib.config import settings
from infra.local.bank.accounts import BankRefusal, Books, Charge, Due
from infra.local.bank.callbacks import Sent
from infra.local.bank.cashier import Cashier
from infra.local.bank.dialect import form_of, json_answer, json_of
from infra.local.bank.plans import PLANS, Outcome
from infra.local.gateway import HttpAnswer, HttpRequest, problem
from infra.local.pages import language_of, payment_page, result_page

FindDue = Callable[[str], Due | None]


class Counter:
    """Where the buyer pays. `/_local/pay/{payment_id}` is the page of every provider's charge."""

    def __init__(self, books: Books, cashier: Cashier, find_due: FindDue) -> None:
        self._books = books
        self._cashier = cashier
        self._find_due = find_due

    def answer(self, request: HttpRequest, reference: str) -> HttpAnswer:
        """The page of a charge, or what a button on it does."""
        if request.method not in ("GET", "HEAD", "POST"):
            detail = "This address answers GET, POST."
            return problem(405, "method_not_allowed", detail, (("Allow", "GET, POST"),))
        due = self._find_due(reference)
        charge = self._books.find(reference)
        if charge is None and due is not None:
            # The wallet, vouchers and QR codes are told nothing beforehand; nor is any provider
            # when a script pays without posting the buyer's form first.
            asked = Charge(due.payment_id, due.provider, due.amount_minor, order_id=due.order_id)
            charge = self._books.open(asked)
        if charge is None:
            return problem(404, "not_found", "There is no such payment.")
        if request.method == "POST":
            return self._press(request, charge, due)
        return self.page(request, charge)

    def page(self, request: HttpRequest, charge: Charge) -> HttpAnswer:
        return _html(payment_page(charge, language_of(request, charge.language)))

    def _press(self, request: HttpRequest, charge: Charge, due: Due | None) -> HttpAnswer:
        pressed = _outcome(request)
        if pressed is None:
            choices = ", ".join(Outcome)
            return problem(422, "invalid_fields", f"outcome must be one of: {choices}.")
        plan = PLANS.get(pressed, charge.magic.plan)
        try:
            sent = self._cashier.play(charge, plan, due.expires_at if due else None)
        except BankRefusal as refusal:
            return problem(409, "conflict", str(refusal))
        back_to = self._back_to(charge, due)
        if "application/json" in request.header("accept"):
            return _told(sent, charge, back_to)
        return _html(result_page(charge, sent, language_of(request, charge.language), back_to))

    def _back_to(self, charge: Charge, due: Due | None) -> str:
        led_to = self._cashier.dialects[charge.provider].return_url(charge)
        order_id = due.order_id if due else charge.order_id
        return led_to or f"{settings().storefront_url}/orders/{order_id}"

    def decide_dispute(self, request: HttpRequest, charge: Charge) -> HttpAnswer:
        """Open or close a dispute: `{"outcome": "opened" | "won" | "lost"}`.

        Without an outcome the open dispute ends as the amount says it does.
        """
        if request.method != "POST":
            return problem(405, "method_not_allowed", "Post an outcome.", (("Allow", "POST"),))
        body = json_of(request.body or b"{}")
        outcome = body.get("outcome", charge.magic.plan.dispute) if body is not None else None
        if outcome not in ("opened", "won", "lost"):
            detail = "outcome must be one of: opened, won, lost."
            return problem(422, "invalid_fields", detail)
        try:
            return _told(self._cashier.dispute(charge, outcome), charge)
        except BankRefusal as refusal:
            return problem(409, "conflict", str(refusal))


def _outcome(request: HttpRequest) -> Outcome | None:
    if request.header("content-type").startswith("application/json"):
        named = (json_of(request.body) or {}).get("outcome")
    else:
        named = form_of(request).get("outcome")
    return Outcome(named) if isinstance(named, str) and named in set(Outcome) else None


def _told(sent: list[Sent], charge: Charge, back_to: str = "") -> HttpAnswer:
    told = [asdict(callback) for callback in sent]
    return json_answer({"sent": told, "bank": charge.view(), "back_to": back_to})


def _html(page: str) -> HttpAnswer:
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
    )
    return HttpAnswer(200, headers, page.encode())
