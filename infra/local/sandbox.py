"""The hosted payment page of the sandbox provider: one button for every outcome."""

import hmac
import json
from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import parse_qsl

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.payments.providers.cmi import ver3_hash
from infra.local.gateway import HttpAnswer, HttpRequest, problem
from infra.local.pages import language_of, payment_page, result_page
from infra.local.provider import Due, Outcome, Sent, decimal_text, play

GATEWAY = "cmi"
MAX_FORM_BYTES = 64 * 1024

FindDue = Callable[[str], Due | None]
Drain = Callable[[], object]


class Sandbox:
    """Answers below `/_local/pay/`: the gateway's address, and one page per payment."""

    def __init__(self, find_due: FindDue, drain: Drain) -> None:
        self._find_due = find_due
        self._drain = drain
        self._back_to: dict[str, str] = {}

    def answer(self, request: HttpRequest, name: str) -> HttpAnswer:
        """The page of payment `name`, what a button does, or the gateway for CMI's form."""
        if request.method not in ("GET", "HEAD", "POST"):
            detail = "This address answers GET, POST."
            return problem(405, "method_not_allowed", detail, (("Allow", "GET, POST"),))
        if len(request.body) > MAX_FORM_BYTES:
            return problem(413, "body_too_large", "Send at most 64 KB.")
        if name == GATEWAY:
            return self._open_gateway(request)
        due = self._find_due(name)
        if due is None:
            return problem(404, "not_found", "There is no such payment.")
        if request.method == "POST":
            return self._press(request, due)
        return self._page(request, due)

    def _open_gateway(self, request: HttpRequest) -> HttpAnswer:
        """Where the browser posts a redirect form to: checked as CMI checks it."""
        if request.method != "POST":
            detail = "The redirect form is posted here."
            return problem(405, "method_not_allowed", detail, (("Allow", "POST"),))
        fields = _form(request)
        expected = ver3_hash(fields, settings().cmi_store_key)
        if not hmac.compare_digest(expected.encode(), fields.get("HASH", "").encode()):
            return problem(400, "bad_signature", "HASH is not that of these fields.")
        due = self._find_due(fields.get("oid", ""))
        if due is None:
            return problem(404, "not_found", "There is no such payment.")
        if fields.get("amount") != decimal_text(due.amount_minor):
            return problem(400, "bad_amount", "The amount is not that of the payment.")
        self._back_to[due.payment_id] = fields.get("okUrl", "")
        return self._page(request, due, fields.get("lang", ""))

    def _page(self, request: HttpRequest, due: Due, shop_language: str = "") -> HttpAnswer:
        return _html(payment_page(due, language_of(request, shop_language)))

    def _press(self, request: HttpRequest, due: Due) -> HttpAnswer:
        pressed = _outcome(request)
        if pressed is None:
            choices = ", ".join(Outcome)
            return problem(422, "invalid_fields", f"outcome must be one of: {choices}.")
        if pressed is Outcome.LATE:
            self._let_expire(due)
        sent = play(pressed, due)
        if "application/json" in request.header("accept"):
            return _json(sent)
        now = self._find_due(due.payment_id) or due
        shop = f"{settings().storefront_url}/orders/{due.order_id}"
        back = self._back_to.get(due.payment_id, shop)
        return _html(result_page(now, sent, language_of(request), back))

    def _let_expire(self, due: Due) -> None:
        """Move the marketplace's clock past the end of the payment, and let the sweeps see it."""
        if due.expires_at is not None:
            left = due.expires_at - clock.now()
            clock.advance(max(0, int(left.total_seconds())) + 61)
            self._drain()


def _outcome(request: HttpRequest) -> Outcome | None:
    if request.header("content-type").startswith("application/json"):
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            return None
        named = body.get("outcome") if isinstance(body, dict) else None
    else:
        named = _form(request).get("outcome")
    return Outcome(named) if named in set(Outcome) else None


def _form(request: HttpRequest) -> dict[str, str]:
    text = request.body.decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=300))
    except ValueError:
        return {}


def _html(page: str) -> HttpAnswer:
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
    )
    return HttpAnswer(200, headers, page.encode())


def _json(sent: list[Sent]) -> HttpAnswer:
    body = json.dumps({"sent": [asdict(callback) for callback in sent]}, ensure_ascii=False)
    return HttpAnswer(200, (("Content-Type", "application/json"),), body.encode())
