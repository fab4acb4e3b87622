"""What becomes of a captured payment: divided, released, taken back, set against a debt."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import Statement
from chalicelib.money import Money
from chalicelib.settlement import (
    bank_matching,
    breaks,
    domain,
    holds,
    reconciliation,
    recovery,
    releases,
    reversing,
    settling,
    share_tables,
    standings,
    statements,
    tables,
    unapplied,
)
from chalicelib.settlement.domain import Sale
from chalicelib.settlement.holding import Part, parts_of
from chalicelib.settlement.reversals import Reversal, Stage
from chalicelib.settlement.statements import MonthStatement
from chalicelib.settlement.unapplied import Receipt, ReceiptStage


def settle_payment(sale: Sale) -> None:
    """Divide a captured payment; a repeat changes nothing.

    Raises:
        EntryMismatch, CompanionRefused: see `settling`.
    """
    settling.settle_payment(sale)


def record_refund(refund: Reversal, stage: Stage) -> None:
    """A refund was approved (taken), paid (gone) or has failed (given back); in any order.

    Raises:
        PortionsDoNotFit, EntryMismatch, ReversalContradicted: see `reversing`.
    """
    reversing.record(refund, stage)


def record_dispute(parts: Sequence[Reversal], stage: Stage) -> None:
    """A dispute was opened (taken), lost (gone) or won (given back); in any order.

    Raises:
        PortionsDoNotFit, EntryMismatch, ReversalContradicted: see `reversing`.
    """
    for part in parts:
        reversing.record(part, stage)


def record_unapplied(receipt: Receipt, stage: ReceiptStage) -> None:
    """Money that fits nothing came, or went back.

    Raises:
        EntryMismatch: the same receipt stands with another amount.
    """
    unapplied.record(receipt, stage)


def recover(cause: str, artisan_id: str, *, asked: bool = False) -> Money:
    """Take what an artisan owes from what is payable to them; what may be paid to them then.

    A payout takes a part of it at most (`recovery_limit_bp_per_payout`), so that who owes still
    lives; one that the artisan asked for takes all.
    """
    limit_bp = domain.FULL_BP if asked else settings().recovery_limit_bp_per_payout
    return recovery.recover(cause, artisan_id, limit_bp)


def is_on_hold(artisan_id: str) -> bool:
    """Whether an operator has put all that an artisan has on hold: nothing is paid out."""
    return holds.is_on_hold(artisan_id)


def waiting_parts(
    artisan_id: str, limit: int, start: dict[str, Any] | None
) -> tuple[list[Part], dict[str, Any] | None]:
    """What an artisan waits for, amount by amount, and why; where it goes on.

    All pages together are their pending and held balances.
    """
    shares, following = share_tables.waiting(artisan_id, limit, start)
    standing = standings.standing_of(artisan_id)
    days, now = settings().release_hold_days, clock.now()
    parts = [part for share in shares for part in parts_of(share, standing, days, now)]
    return parts, following


def record_delivery(parcel_id: str, delivered_at: datetime) -> None:
    """A parcel has arrived: from now the hold period runs."""
    releases.schedule_complete([tables.note_delivery(parcel_id, delivered_at)])


def record_return(parcel_id: str, return_id: str, is_open: bool) -> None:
    """A return of a parcel was opened, which keeps it from release, or closed."""
    releases.record_return(parcel_id, return_id, is_open)


def tell_cleared(artisan_id: str) -> None:
    """An artisan was verified: have looked at what waits for that."""
    releases.tell_cleared(artisan_id)


def look_again(artisan_id: str, page: Mapping[str, Any] | None) -> None:
    """Schedule what waits for an artisan to be cleared, a page at a time."""
    releases.look_again(artisan_id, None if page is None else dict(page))


def release_due_shares() -> int:
    """What is due becomes payable; how many shares that were."""
    return releases.release_due()


def finish_files() -> None:
    """What a crash left half done of a provider's file is finished."""
    reconciliation.finish_files()


def take_lines(file_id: str, first: int) -> None:
    """Take lines of a provider's long file, from the `first`th on."""
    reconciliation.take_lines(file_id, first)


def miss_payments() -> None:
    """Payments that a file should have named by now become breaks."""
    breaks.miss_payments()


def miss_remittances() -> None:
    """What a file says was remitted and no statement has shown becomes a break."""
    bank_matching.miss_remittances()


def statement(
    artisan_id: str, balance: str, limit: int, before: Mapping[str, str | int] | None
) -> Statement:
    """A page of what changed one of an artisan's balances (see BALANCES), newest first."""
    return ledger.statement(f"{domain.BALANCES[balance]}:{artisan_id}", limit, before)


def month_statement(
    artisan_id: str, month: str, begins: datetime, ends: datetime
) -> MonthStatement:
    """An artisan's month, from `begins` until before `ends`.

    Raises:
        StatementTooLong, Unavailable: see `statements`.
    """
    return statements.of_month(artisan_id, month, begins, ends)


def balances(artisan_id: str) -> dict[str, Money]:
    """An artisan's balances, by one read: pending, payable, held, owed."""
    accounts = {name: f"{kind}:{artisan_id}" for name, kind in domain.BALANCES.items()}
    found = ledger.balances(accounts.values())
    return {name: found[account] for name, account in accounts.items()}
