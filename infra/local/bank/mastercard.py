"""Mastercard Gateway: Hosted Checkout sessions, orders, transactions under our ids, webhooks."""

import json
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from chalicelib.config import settings
from chalicelib.money import Money, from_decimal_text
from infra.local.bank.accounts import BankRefusal, Books, Charge, Refund, State, Try
from infra.local.bank.callbacks import Callback, Sent, callback_url, is_ours
from infra.local.bank.dialect import Step, Takes, has_basic, json_answer, json_of
from infra.local.bank.mastercard_documents import (
    Transaction,
    error,
    order_document,
    transaction_document,
    transactions_of_try,
)
from infra.local.gateway import AnswerLost, HttpAnswer, HttpRequest

FORGERS_SECRET = "not-the-notification-secret-0001"
PAID_AS = {Takes.AT_ONCE: "PAYMENT", Takes.BY_CALL: "AUTHORIZATION"}
_API = re.compile(r"api/rest/version/\d+/merchant/([^/]+)/(.+)")
_ORDER = re.compile(r"order/([^/]+)(?:/transaction/([^/]+))?")


@dataclass(slots=True)
class _Order:
    """What the gateway keeps of an order beside its charge."""

    takes: Takes = Takes.BY_CALL
    indicator: str = ""
    # By the platform's own transaction id: what was asked, what was done, what was answered.
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    done: dict[str, Transaction] = field(default_factory=dict)
    answers: dict[str, HttpAnswer] = field(default_factory=dict)


class Mastercard:
    """Everything is asked for by order id and transaction id, which the platform chooses."""

    name = "mastercard"

    def __init__(self, books: Books, defer: Callable[[Step], None]) -> None:
        self._books = books
        self._defer = defer
        self._orders: dict[str, _Order] = {}
        self._sessions: dict[str, tuple[str, str]] = {}  # reference and indicator, by session
        self._unheard: set[tuple[str, str]] = set()  # answers lost until they are asked about
        self._turn = threading.RLock()

    def open_page(self, session_id: str) -> Charge | None:
        """The order of a session, as its buyer opens the payment page."""
        reference, indicator = self._sessions.get(session_id, ("", ""))
        if reference:
            self._order(reference).indicator = indicator
        return self._books.find(reference, self.name)

    def takes(self, charge: Charge) -> Takes:
        return self._order(charge.reference).takes

    def captures(self, sent: Sent) -> bool:
        return False

    def return_url(self, charge: Charge) -> str:
        """The shop's address; only a buyer who paid brings the right indicator."""
        indicator = self._order(charge.reference).indicator
        if charge.paid_by is None or not charge.return_url:
            return charge.return_url
        joint = "&" if "?" in charge.return_url else "?"
        return f"{charge.return_url}{joint}resultIndicator={indicator}&sessionVersion=1"

    def callbacks(self, charge: Charge, made: Try, *, forged: bool = False) -> list[Callback]:
        """Two notifications of a try: of the buyer's authentication, and of the payment."""
        place = charge.tries.index(made) + 1 if made in charge.tries else len(charge.tries) + 1
        order = order_document(charge, made.state, made)
        told = transactions_of_try(place, made, PAID_AS[self.takes(charge)])
        return [self._notification(charge, order, each, forged) for each in told]

    def dispute_callbacks(self, charge: Charge) -> list[Callback]:
        made = charge.paid_by
        if made is None:
            return []
        order = order_document(charge, charge.state, made)
        kind = "CHARGEBACK" if charge.dispute == "lost" else "DISPUTE"
        about = Transaction(f"{kind.lower()}-1", kind, made.left_minor, made.currency)
        return [self._notification(charge, order, about)]

    def _notification(
        self, charge: Charge, order: dict[str, Any], about: Transaction, forged: bool = False
    ) -> Callback:
        said = f"{about.kind.lower()} {about.gateway_code.lower()}, order {order['status']}"
        secret = FORGERS_SECRET if forged else settings().mastercard_notification_secret
        headers = {
            "Content-Type": "application/json",
            "X-Notification-Secret": secret,
            "X-Notification-Id": secrets.token_hex(16),
        }
        return Callback(
            f"mastercard notification: {said}" + ", with a wrong secret" * forged,
            callback_url(self.name, charge.callback_url),
            headers,
            json.dumps(transaction_document(order, about)).encode(),
            counted_in="X-Notification-Attempt",
        )

    def answer(self, request: HttpRequest, path: str) -> HttpAnswer:
        """The REST-JSON API below `api/rest/version/{n}/merchant/{mid}/`."""
        merchant = settings().mastercard_merchant_id
        if not has_basic(request, f"merchant.{merchant}", settings().mastercard_password):
            return error(401, "Invalid credentials.")
        found = _API.fullmatch(path)
        if found is None or found[1] != merchant:
            return error(404, "There is nothing at this address.")
        if found[2] == "session" and request.method == "POST":
            return self._open_session(json_of(request.body) or {})
        named = _ORDER.fullmatch(found[2])
        if named is None:
            return error(404, "There is nothing at this address.")
        charge = self._books.find(unquote(named[1]), self.name)
        if charge is None or not charge.tries:  # A session alone makes no order.
            return error(400, "Unable to find order.")
        txn_id = unquote(named[2] or "")
        if request.method == "GET":
            return self._transaction(charge, txn_id) if txn_id else self._retrieve(charge)
        if request.method == "PUT" and txn_id:
            return self._operate(charge, txn_id, json_of(request.body) or {})
        return error(405, "This address answers GET; a transaction also PUT.")

    def _open_session(self, body: dict[str, Any]) -> HttpAnswer:
        order, interaction = _part(body, "order"), _part(body, "interaction")
        amount = from_decimal_text(str(order.get("amount", "")))
        operation = interaction.get("operation")
        if body.get("apiOperation") != "INITIATE_CHECKOUT":
            return error(400, "apiOperation must be INITIATE_CHECKOUT.")
        if operation not in ("AUTHORIZE", "PURCHASE") or not _part(interaction, "merchant"):
            return error(400, "interaction.operation and interaction.merchant.name are needed.")
        if amount is None or order.get("currency") != "MAD":
            return error(400, "order.amount and order.currency are needed, in MAD.")
        if not is_ours(str(order.get("notificationUrl", ""))):
            return error(400, "order.notificationUrl is not the platform's.")
        asked = Charge(
            str(order.get("id", "")),
            self.name,
            amount.amount_minor,
            callback_url=str(order.get("notificationUrl", "")),
            return_url=str(interaction.get("returnUrl", "")),
            language=str(interaction.get("locale", ""))[:2],
        )
        try:
            charge = self._books.open(asked)
        except BankRefusal as refusal:
            return error(400, str(refusal))
        if charge.paid_by is not None:
            return error(400, "The order is paid already.")
        takes = Takes.AT_ONCE if operation == "PURCHASE" else Takes.BY_CALL
        return self._session_of(charge, takes)

    def _session_of(self, charge: Charge, takes: Takes) -> HttpAnswer:
        session_id = f"SESSION000{secrets.token_hex(11)}"
        indicator = secrets.token_hex(8)
        kept = self._order(charge.reference)
        kept.takes, kept.indicator = takes, indicator
        self._sessions[session_id] = (charge.reference, indicator)
        body = {
            "checkoutMode": "WEBSITE",
            "merchant": settings().mastercard_merchant_id,
            "result": "SUCCESS",
            "session": {"id": session_id, "updateStatus": "SUCCESS", "version": "1"},
            "successIndicator": indicator,
        }
        return json_answer(body, 201)

    def _retrieve(self, charge: Charge) -> HttpAnswer:
        state = self._books.asked(charge)
        is_hidden = state is State.PENDING
        made = None if is_hidden else charge.latest
        with self._turn:
            self._unheard = {key for key in self._unheard if key[0] != charge.reference}
        order = order_document(charge, state, made)
        done = [] if is_hidden else self._all_of(charge)
        told = [transaction_document(order, each) for each in done]
        merchant = settings().mastercard_merchant_id
        return json_answer(order | {"merchant": merchant, "result": "SUCCESS", "transaction": told})

    def _all_of(self, charge: Charge) -> list[Transaction]:
        paid_as = PAID_AS[self.takes(charge)]
        tried = [
            each
            for place, made in enumerate(charge.tries, 1)
            for each in transactions_of_try(place, made, paid_as)
        ]
        return tried + list(self._order(charge.reference).done.values())

    def _transaction(self, charge: Charge, txn_id: str) -> HttpAnswer:
        self._unheard.discard((charge.reference, txn_id))
        found = [each for each in self._all_of(charge) if each.txn_id == txn_id]
        if not found:
            return error(400, "Unable to find transaction.")
        order = order_document(charge, charge.state, charge.latest)
        return json_answer(transaction_document(order, found[0]))

    def _operate(self, charge: Charge, txn_id: str, body: dict[str, Any]) -> HttpAnswer:
        """CAPTURE, VOID or REFUND, once per transaction id; the stored answer afterwards."""
        given = _part(body, "transaction")
        names = ("amount", "currency", "targetTransactionId")
        asked = (str(body.get("apiOperation")), *(str(given.get(name, "")) for name in names))
        key = (charge.reference, txn_id)
        with self._turn:
            kept = self._order(charge.reference)
            if kept.asked.get(txn_id, asked) != asked:
                return error(400, "This transaction id was used for another request.")
            if txn_id not in kept.asked:
                try:
                    done = self._apply(charge, txn_id, asked)
                except BankRefusal as refusal:
                    return error(400, str(refusal))
                self._keep(charge, asked, done)
                if _is_unheard(charge, asked[0]):
                    self._unheard.add(key)
        if key in self._unheard:
            raise AnswerLost
        return kept.answers[txn_id]

    def _apply(self, charge: Charge, txn_id: str, asked: tuple[str, ...]) -> Transaction:
        """Do it in the books. Raises BankRefusal: it cannot be done, and nothing was."""
        operation, amount_text, currency, target = asked
        made = charge.paid_by
        if made is None:
            raise BankRefusal("The order is not paid.")
        if txn_id in {each.txn_id for each in self._all_of(charge)}:
            raise BankRefusal("This transaction id is the gateway's own.")
        if operation == "VOID":
            known = {each.txn_id for each in self._all_of(charge)}
            if target and target not in known:
                raise BankRefusal("transaction.targetTransactionId names no transaction.")
            self._books.void(made)
            return Transaction(txn_id, "VOID_AUTHORIZATION", made.amount_minor, made.currency)
        amount = from_decimal_text(amount_text, currency)
        if amount is None or amount.amount_minor == 0 or currency != made.currency:
            raise BankRefusal("transaction.amount and transaction.currency do not fit the order.")
        if operation == "CAPTURE":
            self._books.capture(charge, made, amount.amount_minor)
            return Transaction(txn_id, "CAPTURE", amount.amount_minor, currency)
        if operation == "REFUND":
            return self._refund(charge, made, txn_id, amount)
        raise BankRefusal("apiOperation must be CAPTURE, VOID or REFUND.")

    def _refund(self, charge: Charge, made: Try, txn_id: str, amount: Money) -> Transaction:
        if amount.amount_minor > made.left_minor:
            raise BankRefusal("The amount is more than what is left of the order.")
        asked = Refund(txn_id, amount.amount_minor, amount.currency)
        given = self._books.refund(charge, asked)
        code = "APPROVED" if given.done else "DECLINED"
        receipt = given.provider_reference
        return Transaction(txn_id, "REFUND", amount.amount_minor, amount.currency, code, receipt)

    def _keep(self, charge: Charge, asked: tuple[str, ...], done: Transaction) -> None:
        """Write down what is answered from now on, and have the platform told."""
        kept = self._order(charge.reference)
        order = order_document(charge, charge.state, charge.paid_by)
        kept.asked[done.txn_id], kept.done[done.txn_id] = asked, done
        kept.answers[done.txn_id] = json_answer(transaction_document(order, done), 201)
        notification = self._notification(charge, order, done)
        copies = range(1, charge.plan.callback_count + 1)
        self._defer(lambda: [notification.delivery(number) for number in copies])
        if done.kind == "CAPTURE" and charge.plan.dispute and charge.dispute is None:
            self._defer(lambda: self._disputed(charge))

    def _disputed(self, charge: Charge) -> list[Callback]:
        try:
            self._books.open_dispute(charge)
        except BankRefusal:
            return []  # Opened meanwhile, for another part of the money.
        return [each.delivery(1) for each in self.dispute_callbacks(charge)]

    def _order(self, reference: str) -> _Order:
        return self._orders.setdefault(reference, _Order())


def _is_unheard(charge: Charge, operation: str) -> bool:
    if operation == "CAPTURE":
        return charge.plan.loses_capture_answer
    return operation == "REFUND" and charge.magic.plan.loses_refund_answer


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    return found if isinstance(found, dict) else {}
