"""Accounts, entries and postings: double entry in whole centimes of MAD.

Signs. A posting moves an amount from a source account to a destination account: the source is
debited, the destination credited. Inside the ledger credits are positive, so all accounts together
are zero. To people an account is shown in its normal sense: what we owe (`artisan_payable`) and
what we earn is positive in credit, what we have (`bank`, `psp_clearing`) is positive in debit.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from chalicelib import ids
from chalicelib.errors import Conflict, NotFound
from chalicelib.money import Money

CURRENCY = "MAD"
MAX_ACCOUNTS_PER_ENTRY = 48  # a transaction has 100 actions: two per kept account, and more


class Normal(StrEnum):
    """The side on which an account's balance is positive."""

    CREDIT = "credit"
    DEBIT = "debit"


@dataclass(frozen=True, slots=True)
class AccountClass:
    """What holds for all accounts of a name.

    `kept`: the balance has an item of its own, changed together with each entry and never below
    zero, and the account has a statement. Accounts that are not kept take part in every sale; one
    item would be too hot for that, so their balances are derived from the entries.
    """

    normal: Normal
    owned: bool
    kept: bool


CLASSES: dict[str, AccountClass] = {
    "artisan_pending": AccountClass(Normal.CREDIT, owned=True, kept=True),
    "artisan_payable": AccountClass(Normal.CREDIT, owned=True, kept=True),
    "artisan_held": AccountClass(Normal.CREDIT, owned=True, kept=True),
    "artisan_receivable": AccountClass(Normal.DEBIT, owned=True, kept=True),
    "psp_clearing": AccountClass(Normal.DEBIT, owned=True, kept=False),
    "psp_fee_accrued": AccountClass(Normal.CREDIT, owned=True, kept=False),
    "psp_fee_variance": AccountClass(Normal.DEBIT, owned=False, kept=False),
    "psp_fee_loss": AccountClass(Normal.DEBIT, owned=False, kept=False),
    "payout_clearing": AccountClass(Normal.CREDIT, owned=True, kept=False),
    "dispute_receivable": AccountClass(Normal.DEBIT, owned=True, kept=False),
    "bank": AccountClass(Normal.DEBIT, owned=True, kept=False),
    "commission_revenue": AccountClass(Normal.CREDIT, owned=False, kept=False),
    "vat_payable": AccountClass(Normal.CREDIT, owned=False, kept=False),
    "refund_payable": AccountClass(Normal.CREDIT, owned=False, kept=False),
    "shipping_payable": AccountClass(Normal.CREDIT, owned=False, kept=False),
    "written_off": AccountClass(Normal.DEBIT, owned=False, kept=False),
    "unapplied_receipts": AccountClass(Normal.CREDIT, owned=False, kept=False),
}
KEPT_CLASSES = tuple(name for name, kind in CLASSES.items() if kind.kept)
_ACCOUNT = re.compile(r"([a-z_]{1,40})(?::([A-Za-z0-9_-]{1,64}))?")


class UnknownAccount(NotFound):
    """No account has this name; names are `class` or `class:owner`."""

    code = "unknown_account"


class InsufficientFunds(Conflict):
    """An account would fall below zero; nothing was moved."""

    code = "insufficient_funds"


class EntryMismatch(Conflict):
    """An entry of this id says something else; entries are never changed."""

    code = "entry_mismatch"


class CompanionRefused(Conflict):
    """What was to be written together with an entry did not hold any more; nothing was written."""

    code = "companion_refused"


def class_name_of(account: str) -> str:
    """The class of an account: `artisan_payable` of `artisan_payable:art_…`.

    Raises:
        UnknownAccount: the name is none of ours.
    """
    found = _ACCOUNT.fullmatch(account)
    name, owner = found.groups() if found else ("", None)
    if name not in CLASSES or CLASSES[name].owned != (owner is not None):
        raise UnknownAccount("there is no such account")
    return name


def class_of(account: str) -> AccountClass:
    return CLASSES[class_name_of(account)]


def owner_of(account: str) -> str:
    return account.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount above zero that moves from one account to another."""

    source: str
    destination: str
    amount: Money

    def __post_init__(self) -> None:
        assert self.amount.amount_minor > 0
        assert self.amount.currency == CURRENCY
        assert self.source != self.destination
        assert class_of(self.source)
        assert class_of(self.destination)


@dataclass(frozen=True, slots=True)
class Entry:
    """Postings that happen together, once. `entry_id` says why, so that it can happen only once."""

    entry_id: str
    reason: str
    postings: tuple[Posting, ...]
    at: datetime
    refs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.postings
        assert self.at.tzinfo is not None


def posting(source: str, destination: str, amount_minor: int) -> list[Posting]:
    """The posting of an amount of zero or more, as a list: nothing is posted for zero."""
    assert amount_minor >= 0
    return [Posting(source, destination, Money(amount_minor))] if amount_minor else []


def deltas_minor(entry: Entry) -> dict[str, int]:
    """What each account gains in credit (or loses), netted; the values sum to zero."""
    deltas: defaultdict[str, int] = defaultdict(int)
    for one in entry.postings:
        deltas[one.source] -= one.amount.amount_minor
        deltas[one.destination] += one.amount.amount_minor
    assert sum(deltas.values()) == 0
    return dict(deltas)


def in_normal_sense(account: str, credit_minor: int) -> int:
    """A credit-positive amount as it is shown for this account; its own inverse."""
    return credit_minor if class_of(account).normal is Normal.CREDIT else -credit_minor


def kept_changes_minor(entry: Entry) -> dict[str, int]:
    """How the kept balances change, in their normal sense; accounts that net to zero are left out.

    One change per account: DynamoDB refuses two actions on one item in one transaction.
    """
    changes = {
        account: in_normal_sense(account, delta)
        for account, delta in deltas_minor(entry).items()
        if delta and class_of(account).kept
    }
    assert len(changes) <= MAX_ACCOUNTS_PER_ENTRY
    return changes


def fingerprint(entry: Entry) -> str:
    """What tells two entries of one id apart. The time is no part of it: a repeat comes later."""
    postings = sorted(
        f"{one.source}>{one.destination}:{one.amount.amount_minor}" for one in entry.postings
    )
    refs = sorted(f"{name}={value}" for name, value in entry.refs.items())
    return ids.fingerprint(entry.reason, "\n".join(postings), "\n".join(refs))


def is_of_same_intent(one: Entry, other: Entry) -> bool:
    """True when both say why and of what alike; amounts that follow from balances may differ."""
    return (one.reason, dict(one.refs)) == (other.reason, dict(other.refs))


def replayed_minor(entries: Iterable[Entry]) -> dict[str, int]:
    """Every account's balance from nothing but the entries, credits positive."""
    balances: defaultdict[str, int] = defaultdict(int)
    for entry in entries:
        for account, delta in deltas_minor(entry).items():
            balances[account] += delta
    return dict(balances)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as one account sees it, both amounts in the account's normal sense."""

    account: str
    entry_id: str
    reason: str
    at: datetime
    change: Money
    balance_after: Money


@dataclass(frozen=True, slots=True)
class Change:
    """One entry as it changed one kept account, in the account's normal sense."""

    entry_id: str
    reason: str
    at: datetime
    change_minor: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A page of an account's lines, newest first. `next_key` continues it; None at the end."""

    account: str
    balance: Money
    lines: tuple[Line, ...]
    next_key: Mapping[str, str | int] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A kept balance that is not what the entries say; both in the account's normal sense."""

    account: str
    kept: Money
    replayed: Money


class Damage(StrEnum):
    """What was done to a sealed day."""

    SEAL_ALTERED = "seal_altered"
    ENTRY_CHANGED = "entry_changed"
    ENTRY_REMOVED = "entry_removed"
    ENTRY_INSERTED = "entry_inserted"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first day at which the chain does not hold."""

    day: date
    damage: Damage


@dataclass(frozen=True, slots=True)
class Chain:
    """What the seals say: how many days they cover, through which, and where they break."""

    day_count: int = 0
    through: date | None = None
    broken: Broken | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """The ledger held against itself. `total` adds up kept and derived balances: zero if whole;
    `chain` is what the seals of its days say."""

    entry_count: int
    account_count: int
    total: Money
    differences: tuple[Difference, ...]
    altered_entry_ids: tuple[str, ...]
    chain: Chain = Chain()

    @property
    def holds(self) -> bool:
        wrong = self.total.amount_minor or self.differences or self.altered_entry_ids
        return not wrong and self.chain.broken is None
