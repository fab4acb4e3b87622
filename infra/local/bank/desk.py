"""The sandbox's bank as one thing: what it answers, and what it sends."""

import threading
from collections.abc import Callable
from urllib.parse import unquote

from infra.local.bank.accounts import Books, Charge, FindByHand
from infra.local.bank.branch import Branch
from infra.local.bank.callbacks import Send, Sent, send_over_http
from infra.local.bank.cashier import Cashier
from infra.local.bank.cmi import Cmi
from infra.local.bank.counter import Counter, FindDue
from infra.local.bank.dialect import Dialect, Step, json_answer
from infra.local.bank.mastercard import Mastercard
from infra.local.bank.payzone import Payzone
from infra.local.bank.plans import Plan
from infra.local.bank.transfers import Transfers
from infra.local.bank.wallet import Wallet
from infra.local.gateway import HttpAnswer, HttpRequest, problem

MAX_BODY_BYTES = 64 * 1024
PREFIX = "/_local/"
PAGES = "pay/"
APIS = "bank/"


class Bank:
    """All four providers: their pages, their APIs, their callbacks, and one set of books.

    Serve `answer` with a server, or call it; `send` carries its callbacks. What follows of a call
    of the platform's is sent by `deliver`, or at once from a thread of its own `in_background`.
    """

    def __init__(
        self,
        find_due: FindDue,
        drain: Callable[[], object],
        send: Send = send_over_http,
        *,
        find_by_hand: FindByHand = lambda _: None,
        in_background: bool = False,
    ) -> None:
        self.books = Books(find_by_hand)
        self._in_background = in_background
        self._cashier = Cashier(self.books, send, drain)
        self._counter = Counter(self.books, self._cashier, find_due)
        self._cmi = Cmi(self.books)
        self._mastercard = Mastercard(self.books, self._defer)
        self._payzone = Payzone(self.books)
        wallet = Wallet(self.books, self._defer, pays_by_itself=in_background)
        self.payouts = wallet.payouts
        self.transfers = Transfers()
        self._branch = Branch(self.transfers, self.payouts)
        dialects: list[Dialect] = [self._cmi, self._mastercard, self._payzone, wallet]
        self._dialects = {dialect.name: dialect for dialect in dialects}
        self._cashier.dialects = self._dialects

    @property
    def delivered_count(self) -> int:
        return self._cashier.delivered_count

    def deliver(self) -> list[Sent]:
        """Send what calls of the platform's have caused; what was sent."""
        return self._cashier.deliver()

    def play(self, charge: Charge, plan: Plan) -> list[Sent]:
        """Carry a plan out that no button has; what was sent. Raises BankRefusal."""
        return self._cashier.play(charge, plan, None)

    def _defer(self, step: Step) -> None:
        self._cashier.defer(step)
        if self._in_background:
            threading.Thread(target=self.deliver, daemon=True).start()

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """What stands below `/_local/pay/` and `/_local/bank/`.

        Raises:
            AnswerLost: it is done, and nobody is told.
        """
        path = request.path.removeprefix(PREFIX).rstrip("/")
        name, _, rest = path.removeprefix(APIS).partition("/")
        if path.startswith(APIS) and name in Branch.NAMES:
            return self._branch.answer(request, name, unquote(rest))
        if len(request.body) > MAX_BODY_BYTES:
            return problem(413, "body_too_large", "Send at most 64 KB.")
        if path == "pay/cmi":
            return self._posted(request, self._cmi.open)
        if path == "bank/payzone/paywall":
            return self._posted(request, self._payzone.open)
        if path.startswith(PAGES):
            return self._counter.answer(request, unquote(path.removeprefix(PAGES)))
        if name == "books":
            return self._shown(unquote(rest))
        if name not in self._dialects:
            return problem(404, "not_found", "There is no such provider.")
        kind, _, last = rest.rpartition("/")
        if kind == "disputes":
            return self._decided(request, name, unquote(last))
        if name == "mastercard" and kind == "checkout/pay":
            return self._checkout(request, unquote(last))
        return self._dialects[name].answer(request, rest)

    def _posted(
        self, request: HttpRequest, opens: Callable[[HttpRequest], Charge | HttpAnswer]
    ) -> HttpAnswer:
        """A page that a browser opens by posting a signed form."""
        if request.method != "POST":
            detail = "The redirect form is posted here."
            return problem(405, "method_not_allowed", detail, (("Allow", "POST"),))
        opened = opens(request)
        if isinstance(opened, HttpAnswer):
            return opened
        return self._counter.page(request, opened)

    def _checkout(self, request: HttpRequest, session_id: str) -> HttpAnswer:
        charge = self._mastercard.open_page(session_id)
        if charge is None:
            return problem(404, "not_found", "There is no such session.")
        return self._counter.answer(request, charge.reference)

    def _decided(self, request: HttpRequest, provider: str, reference: str) -> HttpAnswer:
        charge = self.books.find(reference, provider)
        if charge is None:
            return problem(404, "not_found", "There is no such payment.")
        return self._counter.decide_dispute(request, charge)

    def _shown(self, reference: str) -> HttpAnswer:
        charge = self.books.find(reference)
        if charge is None:
            return problem(404, "not_found", "The bank knows no such payment.")
        return json_answer(charge.view())
