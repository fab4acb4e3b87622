"""An artisan's month: what was theirs when it began, what changed that, what was theirs at its end.

What is theirs is all that we owe them less what they owe us, wherever it stands: a release moves it
from pending to payable, and is no line here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.errors import Invalid, TooLarge, Unavailable
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import Change, in_normal_sense
from chalicelib.money import Money
from chalicelib.settlement import tables
from chalicelib.settlement.domain import BALANCES, Parts, Share

MAX_LINES = 10_000
ATTEMPTS = 5
PAYMENTS_AT_ONCE = 100
SALE = "sale"


class UnknownMonth(Invalid):
    """A month is written `YYYY-MM`, is not to come, and not more than two years ago."""

    code = "unknown_month"


class StatementTooLong(TooLarge):
    """The month has more than 10,000 lines; read `GET /v1/me/statements` page by page."""

    code = "statement_too_long"


@dataclass(frozen=True, slots=True)
class Sold:
    """What of a sale is an artisan's, and what was kept of it; `parts` add up to what was paid."""

    gross_minor: int
    parts: Parts


@dataclass(frozen=True, slots=True)
class Movement:
    """One entry as it changed what is the artisan's; `balance` is after it."""

    entry_id: str
    reason: str
    at: datetime
    amount: Money
    balance: Money
    sold: Sold | None = None

    @property
    def reference(self) -> str:
        """What it is about: the payment, refund, dispute, batch or payout."""
        return self.entry_id.split(":")[1] if ":" in self.entry_id else self.entry_id


@dataclass(frozen=True, slots=True)
class MonthStatement:
    """`balances` is where the closing balance stood, by the names of BALANCES."""

    artisan_id: str
    month: str
    opening: Money
    closing: Money
    movements: tuple[Movement, ...]
    balances: Mapping[str, Money]

    def total_of(self, reasons: Iterable[str]) -> Money:
        wanted = set(reasons)
        return Money(sum(m.amount.amount_minor for m in self.movements if m.reason in wanted))


def of_month(artisan_id: str, month: str, begins: datetime, ends: datetime) -> MonthStatement:
    """The statement of the month from `begins` until before `ends`.

    Read backwards from what the balances are now, so a month that has ended reads the same whenever
    it is asked for.

    Raises:
        StatementTooLong. Unavailable: the balances kept changing while they were read.
    """
    accounts = {name: f"{kind}:{artisan_id}" for name, kind in BALANCES.items()}
    now, since = _read(accounts, begins)
    later = {name: _sum(found, ends) for name, found in since.items()}
    balances = {
        name: Money(now[account].amount_minor - later[name]) for name, account in accounts.items()
    }
    closing = sum(
        in_normal_sense(accounts[name], one.amount_minor) for name, one in balances.items()
    )
    inside = _merged({accounts[name]: found for name, found in since.items()}, ends)
    if len(inside) > MAX_LINES:
        raise StatementTooLong("read it page by page")
    opening = closing - sum(one.change_minor for one in inside)
    sold = _sold(artisan_id, [one.entry_id for one in inside if one.reason == SALE])
    movements, after = [], opening
    for one in inside:
        after += one.change_minor
        amount, balance = Money(one.change_minor), Money(after)
        found = sold.get(one.entry_id)
        movements.append(Movement(one.entry_id, one.reason, one.at, amount, balance, found))
    return MonthStatement(
        artisan_id, month, Money(opening), Money(closing), tuple(movements), balances
    )


def _read(
    accounts: Mapping[str, str], begins: datetime
) -> tuple[Mapping[str, Money], dict[str, list[Change]]]:
    """Balances and what changed them, which belong together: nothing came in between."""
    before = ledger.balances(accounts.values())
    for _ in range(ATTEMPTS):
        since = {name: ledger.changes_since(account, begins) for name, account in accounts.items()}
        after = ledger.balances(accounts.values())
        if before == after:
            return after, since
        before = after
    raise Unavailable("the balances keep changing; ask again", retry_after_seconds=1)


def _sum(found: Sequence[Change], from_then: datetime) -> int:
    return sum(one.change_minor for one in found if one.at >= from_then)


def _merged(found: Mapping[str, Sequence[Change]], ends: datetime) -> list[Change]:
    """The changes of all accounts, one an entry, credits positive; what nets to nothing is out."""
    sums: defaultdict[str, int] = defaultdict(int)
    seen: dict[str, Change] = {}
    for account, changes in found.items():
        for one in changes:
            if one.at < ends:
                sums[one.entry_id] += in_normal_sense(account, one.change_minor)
                seen[one.entry_id] = one
    kept = [
        Change(name, one.reason, one.at, sums[name]) for name, one in seen.items() if sums[name]
    ]
    return sorted(kept, key=lambda one: (one.at, one.entry_id))


def _sold(artisan_id: str, entry_ids: Sequence[str]) -> dict[str, Sold]:
    """By sale, what the buyer paid for the artisan's parcels and how that was divided."""
    payment_ids = [entry_id.partition(":")[2] for entry_id in entry_ids]
    sold: dict[str, Sold] = {}
    for start in range(0, len(payment_ids), PAYMENTS_AT_ONCE):
        payments, _ = tables.payments_and_shares(payment_ids[start : start + PAYMENTS_AT_ONCE], [])
        parcel_ids = [parcel for one in payments.values() for parcel in one.parcel_ids]
        _, shares = tables.payments_and_shares([], parcel_ids)
        for share in shares:
            if share.artisan_id == artisan_id:
                _add(sold, share)
    return sold


def _add(sold: dict[str, Sold], share: Share) -> None:
    assert share.parts is not None, "the shares of a sale are written with it"
    name = f"{SALE}:{share.payment_id}"
    before = sold.get(name, Sold(0, Parts(0, 0, 0, 0)))
    gross = before.gross_minor + share.parts.total_minor
    sold[name] = Sold(gross, before.parts + share.parts)
