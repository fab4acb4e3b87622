"""The bank statement held against what the providers' files say was remitted.

A statement posts nothing: the bank's side was posted from the provider's file, line by line. A
credit confirms a remittance, or is a break; so is a remittance that the bank does not show.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from typing import Protocol

from chalicelib import clock, ids
from chalicelib.edge.observability import count
from chalicelib.edge.sweeps import each_apart
from chalicelib.ledger.companions import Companion
from chalicelib.money import Money
from chalicelib.settlement import bank_domain, bank_tables, break_tables, breaks
from chalicelib.settlement.bank_domain import Credit, Remittance
from chalicelib.settlement.break_domain import Break, BreakKind, BreakStatus
from chalicelib.settlement.provider_files import Judged, ProviderFile
from chalicelib.settlement.taking import TOLD_BEFORE

ATTEMPTS = 3
LOOKED_AT = 500
"""So many open breaks of credits are held against a new file."""


class Booked(Protocol):
    """What is read of a booked movement; see `iso20022.CamtEntry`."""

    entry_id: str
    amount: Money
    is_credit: bool
    booked_on: date
    end_to_end_id: str | None
    reference: str | None
    info: str
    is_return: bool


def take_credits(statement_id: str, entries: Iterable[Booked]) -> int:
    """Find for each credit what it is; how many of them are known remittances.

    The same statement again, or the same movement in another report, changes nothing.
    """
    found = [
        bank_domain.credit_of(
            statement_id, one.entry_id, one.amount, one.booked_on,
            (one.reference, one.end_to_end_id, one.info),
        )
        for one in entries
        if one.is_credit and not one.is_return
    ]  # fmt: skip
    known = bank_tables.known_credits([one.credit_id for one in found])
    new = list({one.credit_id: one for one in found if one.credit_id not in known}.values())
    open_ones = bank_tables.open_remittances() if new else []
    return sum(_take(one, open_ones) for one in new)


def _take(credit: Credit, open_ones: list[Remittance]) -> bool:
    """`open_ones` are those that no credit was found for: what this one is leaves them."""
    for _ in range(ATTEMPTS):
        match = bank_domain.match(credit, open_ones)
        if match is None:
            unknown = _unknown(credit)
            if bank_tables.add_credit(credit, None, [break_tables.opening(unknown)]):
                count("BreakOpened", kind=unknown.kind)
            return False
        also = _cured(match.remittances, credit)
        is_added = bank_tables.add_credit(credit, match, also)
        open_ones[:] = [one for one in open_ones if one not in match.remittances]
        if is_added:
            return True
        if bank_tables.known_credits([credit.credit_id]):
            return False
        open_ones[:] = bank_tables.open_remittances()
    count("BankCreditContended")
    return False


def _unknown(credit: Credit) -> Break:
    return Break(
        break_id=_break_id(credit),
        kind=BreakKind.UNKNOWN_BANK_CREDIT,
        amount=credit.amount,
        provider=credit.provider,
        reference=credit.credit_id,
        reason="no provider's file says that it was remitted",
        opened_at=clock.now(),
    )


def _break_id(credit: Credit) -> str:
    return ids.derived_id("brk", BreakKind.UNKNOWN_BANK_CREDIT, credit.credit_id)


def _missed_id(one: Remittance) -> str:
    return ids.derived_id("brk", "remittance", one.remittance_id)


def _cured(remittances: Sequence[Remittance], credit: Credit) -> list[Companion]:
    missed = [_missed_id(one) for one in remittances if one.is_missed]
    return breaks.cures(missed, credit.credit_id) or []


def expect(found: ProviderFile, lines: Iterable[Judged]) -> None:
    """Note what a file says that reaches the bank; credits that came before it find it now."""
    remitted = bank_domain.remittances_of(found.file_id, found.provider, lines, TOLD_BEFORE)
    now = clock.now()
    for one in remitted:
        bank_tables.add_remittance(one, now)
    unknown, _ = break_tables.page(
        BreakStatus.OPEN, BreakKind.UNKNOWN_BANK_CREDIT, None, LOOKED_AT, None
    )
    if not remitted or not unknown:
        return
    for credit in bank_tables.credits_of([str(one.reference) for one in unknown]):
        match = bank_domain.match(credit, remitted)
        cured = breaks.cures([_break_id(credit)], found.file_id)
        if match is not None and cured:
            bank_tables.link_credit(credit, match, cured)


def miss_remittances() -> None:
    """Open a break for what a file says was remitted and no statement has shown.

    Raises:
        StepsFailed: some could not be done, and are still due.
    """
    each_apart(partial(_miss, one) for one in bank_tables.due_remittances())


def _miss(one: Remittance) -> None:
    found = Break(
        break_id=_missed_id(one),
        kind=BreakKind.LATE,
        amount=one.net,
        provider=one.provider,
        reference=one.remittance_id,
        reason="no bank statement has shown the remittance",
        opened_at=clock.now(),
    )
    if break_tables.try_add(found, bank_tables.missed(one)):
        count("BreakOpened", kind=found.kind)
