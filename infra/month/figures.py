"""What the month came to, from three sides: the bank's books, the providers' files, our ledger.

Amounts are centimes. An equation has its two sides from different books wherever there are two.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from infra.local.bank.accounts import Charge
from infra.month.market import Market
from infra.month.plan import subjects
from infra.month.world import World

PROVIDERS = ("cmi", "mastercard", "payzone", "wallet")
TAKEN = (
    "captured", "capture_requested", "partially_refunded", "refunded", "disputed", "charged_back",
)  # fmt: skip
OWNED_BY_ARTISANS = ("artisan_pending", "artisan_payable", "artisan_held", "artisan_receivable")
OWNED_BY_PROVIDERS = ("psp_clearing", "psp_fee_accrued", "dispute_receivable")
RAILS = ("bank_account", "wallet", "card")
OURS = (
    "bank:main", "psp_fee_variance", "psp_fee_loss", "commission_revenue", "vat_payable",
    "refund_payable", "shipping_payable", "unapplied_receipts",
)  # fmt: skip
DEBIT_NORMAL = frozenset(
    {
        "artisan_receivable", "psp_clearing", "psp_fee_variance", "psp_fee_loss",
        "dispute_receivable", "bank",
    }
)  # fmt: skip
TOLD_BY_RESULT = ("amount_diff", "duplicate", "missing_in_ledger", "unreadable")


@dataclass(frozen=True, slots=True)
class Term:
    """One addend of an equation; `count` says of how many things, where that means something."""

    label: str
    minor: int
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Equation:
    """A claim: the left side is the sum of the right one. `is_money` or plain numbers."""

    title: str
    left: Term
    right: tuple[Term, ...]
    is_money: bool = True

    @property
    def right_minor(self) -> int:
        return sum(term.minor for term in self.right)

    @property
    def holds(self) -> bool:
        return self.left.minor == self.right_minor


@dataclass(slots=True)
class AtBank:
    """A provider's side, from the bank's own books."""

    captured: list[int] = field(default_factory=list)
    refunded: list[int] = field(default_factory=list)
    charged_back: list[int] = field(default_factory=list)
    in_dispute: list[int] = field(default_factory=list)

    def add(self, charge: Charge) -> None:
        for made in charge.tries:
            self.captured += [made.captured_minor] * bool(made.captured_minor)
            self.charged_back += [made.charged_back_minor] * bool(made.charged_back_minor)
            is_open = charge.dispute == "opened" and made is charge.paid_by
            self.in_dispute += [made.left_minor] * is_open
        self.refunded += [one.amount_minor for one in charge.refunds.values() if one.done]


@dataclass(slots=True)
class Figures:
    """Everything that the report shows."""

    order_states: Counter[str]
    stories: Counter[str]
    equations: list[Equation]
    check: dict[str, Any]
    queues: dict[str, int]
    planted: Counter[str]
    found: Counter[str]
    given_up: list[str]
    payouts: Counter[str]
    owing: int
    facts: dict[str, int]

    @property
    def holds(self) -> bool:
        return not self.queues and not self.given_up and all(one.holds for one in self.equations)


class Books:
    """Balances of the ledger's accounts, in their normal sense."""

    def __init__(self, world: World) -> None:
        names = [*OURS]
        names += [f"{kind}:{owner}" for kind in OWNED_BY_PROVIDERS for owner in PROVIDERS]
        names += [f"payout_clearing:{rail}" for rail in RAILS]
        names += [f"{kind}:{owner}" for kind in OWNED_BY_ARTISANS for owner in sorted(subjects())]
        self.balances = {name: _balance(world, name) for name in names}

    def of(self, kind: str) -> int:
        """All accounts of a class together."""
        return sum(minor for name, minor in self.balances.items() if name.split(":")[0] == kind)

    def count_of(self, kind: str) -> int:
        """How many accounts of a class have a balance."""
        return sum(
            1 for name, minor in self.balances.items() if minor and name.split(":")[0] == kind
        )

    @property
    def credit_sum(self) -> int:
        """Credits less debits over all accounts: nothing, when no account was left out."""
        return sum(
            -minor if name.split(":")[0] in DEBIT_NORMAL else minor
            for name, minor in self.balances.items()
        )


def _balance(world: World, account: str) -> int:
    found = world.call("GET", f"/v1/operator/ledger/accounts/{account}?limit=1", world.operator)
    return int(found["balance"]["amount_minor"])


class Accountant:
    """Holds the month's books against each other."""

    def __init__(self, market: Market) -> None:
        self.market, self.world = market, market.world
        self.bank = {name: AtBank() for name in PROVIDERS}
        for payment_id in market.payment_ids:
            charge = self.world.charge(payment_id)
            if charge is not None:
                self.bank[charge.provider].add(charge)
        self.books = Books(self.world)
        self.lines = market.files.results()
        token = self.world.operator
        self.payments = [
            one
            for status in TAKEN
            for one in self.world.all_of(f"/v1/operator/payments?status={status}", token)
        ]
        self.refunds = self.world.all_of("/v1/operator/refunds?status=paid", token)
        self.payouts = [
            one
            for name in market.paydays.batch_ids
            for one in self.world.all_of(f"/v1/operator/payout-batches/{name}/payouts", token)
        ]

    def figures(self) -> Figures:
        check = self.world.call("GET", "/v1/operator/ledger/check", self.world.operator)
        planted, found = self._breaks()
        market = self.market
        return Figures(
            order_states=self._order_states(),
            stories=Counter(sale.plan.story for sale in market.sales),
            equations=[
                self._orders(),
                *[self._money_in(name) for name in PROVIDERS],
                *[self._clearing(name) for name in PROVIDERS],
                self._whole(),
                self._bank_account(),
                self._refunds_told(),
                self._payouts_told(),
                *self._ledger(check),
                *[_numbers(f"breaks: {kind}", found[kind], planted[kind])
                  for kind in TOLD_BY_RESULT],
                _numbers("files sent again are once", int(market.files.untouched), 1),
                _numbers("payout files asked for again differ", market.paydays.files_differ, 0),
            ],
            check=check,
            queues=self.world.left_in_queues(),
            planted=planted,
            found=found,
            given_up=list(market.after.given_up),
            payouts=Counter(one["status"] for one in self.payouts),
            owing=self.books.count_of("artisan_receivable"),
            facts={
                "lines in files": market.files.line_count,
                "calls to providers lost": self.world.calls_lost,
                "listings counted anew": market.buyers.restocked,
                "still on the agenda": market.after.left,
            },
        )  # fmt: skip

    def _order_states(self) -> Counter[str]:
        orders = self.world.all_of("/v1/operator/orders", self.world.operator)
        return Counter(one["status"] for one in orders)

    def _orders(self) -> Equation:
        states = self._order_states()
        right = tuple(Term(name, count) for name, count in sorted(states.items()))
        placed = Term("orders placed", len(self.market.sales))
        return Equation("Every order has one end", placed, right, is_money=False)

    def _money_in(self, provider: str) -> Equation:
        bank = self.bank[provider]
        ours = [one["amount"]["amount_minor"] for one in self.payments
                if one["provider"] == provider]  # fmt: skip
        other = [
            one["amount"]["amount_minor"]
            for one in self.refunds
            if one["kind"] == "unapplied" and one["provider"] == provider
        ]
        return Equation(
            f"Money in, {provider}: the bank's books = our payments",
            _sum("captured by the bank", bank.captured),
            (_sum("payments taken", ours), _sum("fitted no order, given back", other)),
        )

    def _matched(self, provider: str = "") -> list[dict[str, Any]]:
        names = {
            line["reference"]: one.provider
            for line in self.lines
            if (one := self.market.files.lines.get(str(line["reference"]))) is not None
        }
        return [
            line for line in self.lines
            if line["result"] == "matched" and provider in ("", names.get(line["reference"]))
        ]  # fmt: skip

    def _clearing(self, provider: str) -> Equation:
        bank = self.bank[provider]
        gross = [line["gross"]["amount_minor"] for line in self._matched(provider)]
        left = self.books.balances[f"psp_clearing:{provider}"]
        return Equation(
            f"Where it is, {provider}: the bank's books = files + our ledger",
            _sum("captured by the bank", bank.captured),
            (
                _sum("refunded by the bank", bank.refunded),
                _sum("charged back", bank.charged_back),
                _sum("in an open dispute", bank.in_dispute),
                _sum("settled by its files", gross),
                Term("with the provider, says our ledger", left),
            ),
        )

    def _whole(self) -> Equation:
        books, paid = self.books, self.market.paydays
        every = [one for name in PROVIDERS for one in self.bank[name].captured]
        fees = [line["fee"]["amount_minor"] for line in self._matched()]
        borne = books.of("psp_fee_variance") + books.of("psp_fee_loss")
        undecided = [one for name in PROVIDERS for one in self.bank[name].in_dispute]
        return Equation(
            "All money in = all that became of it",
            _sum("money in", every),
            (
                _sum("refunds", [one for name in PROVIDERS for one in self.bank[name].refunded]),
                _sum(
                    "chargebacks",
                    [one for name in PROVIDERS for one in self.bank[name].charged_back],
                ),
                _sum("provider fees, from the files", fees),
                Term("provider fees still expected", books.of("psp_fee_accrued")),
                Term("fees that the platform bears", -borne),
                Term("commissions", books.of("commission_revenue")),
                Term("VAT on commissions", books.of("vat_payable")),
                Term("paid out to artisans", paid.paid_minor, len(paid.sent)),
                Term("came back from payouts", -paid.returned_minor),
                *self._owed_to_artisans(),
                Term("refunds approved, not yet given", books.of("refund_payable")),
                Term("fitted no order, not yet given back", books.of("unapplied_receipts")),
                Term("disputes open", sum(undecided) - books.of("dispute_receivable")),
                Term("shipping to pay on", books.of("shipping_payable")),
            ),
        )

    def _owed_to_artisans(self) -> list[Term]:
        kinds = {
            "artisan_pending": "artisans: pending",
            "artisan_payable": "artisans: payable",
            "artisan_held": "artisans: held for disputes",
            "payout_clearing": "artisans: on its way to them",
        }
        terms = [
            Term(label, self.books.of(kind), self.books.count_of(kind))
            for kind, label in kinds.items()
        ]
        owed, owing = self.books.of("artisan_receivable"), self.books.count_of("artisan_receivable")
        return [*terms, Term("artisans: owed by them", -owed, owing)]

    def _bank_account(self) -> Equation:
        paid = self.market.paydays
        net = [line["net"]["amount_minor"] for line in self._matched()]
        return Equation(
            "Our bank account: the ledger = files less payouts",
            Term("bank:main, says our ledger", self.books.balances["bank:main"]),
            (
                _sum("net of the files", net),
                Term("paid out, says the bank", -paid.paid_minor),
                Term("came back, says the bank", paid.returned_minor),
            ),
        )

    def _refunds_told(self) -> Equation:
        given = [one for name in PROVIDERS for one in self.bank[name].refunded]
        ours = [one["amount"]["amount_minor"] for one in self.refunds]
        return Equation(
            "Refunds: the bank's books = ours",
            _sum("refunded by the bank", given),
            (_sum("refunds that we say are paid", ours),),
        )

    def _payouts_told(self) -> Equation:
        ours = [one["amount"]["amount_minor"] for one in self.payouts if one["status"] == "paid"]
        paid = self.market.paydays
        return Equation(
            "Payouts: the bank's books = ours",
            Term("paid and not come back, says the bank", paid.paid_minor - paid.returned_minor),
            (_sum("payouts that we say are paid", ours),),
        )

    def _ledger(self, check: dict[str, Any]) -> list[Equation]:
        wrong = len(check["differences"]) + len(check["altered_entries"])
        return [
            _numbers("ledger check holds", int(check["ok"]), 1),
            Equation("The ledger's sum", Term("sum", check["sum"]["amount_minor"]), ()),
            Equation("The accounts of this report are all", Term("sum", self.books.credit_sum), ()),
            _numbers("accounts that differ, entries altered", wrong, 0),
        ]

    def _breaks(self) -> tuple[Counter[str], Counter[str]]:
        """Planted and found; a line of money that was sent back as a whole is no break."""
        found: Counter[str] = Counter()
        for line in self.lines:
            charge = self.world.charge(str(line["reference"] or ""))
            gone = charge is not None and sum(one.left_minor for one in charge.tries) == 0
            is_explained = line["result"] == "missing_in_ledger" and gone
            if line["result"] != "matched":
                found["sent back" if is_explained else line["result"]] += 1
        return self.market.files.planted, found


def _sum(label: str, amounts: list[int]) -> Term:
    return Term(label, sum(amounts), len(amounts))


def _numbers(title: str, left: int, right: int) -> Equation:
    return Equation(title, Term("found", left), (Term("expected", right),), is_money=False)
