"""Dividing a captured payment, and what becomes of its shares."""

from collections.abc import Mapping
from datetime import datetime

from chalicelib import clock
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import Statement
from chalicelib.money import Money
from chalicelib.settlement import domain, reconciliation, releases, tables
from chalicelib.settlement.domain import Sale


def settle_payment(sale: Sale) -> None:
    """Divide a captured payment: one transaction, one read. A repeat finishes what is left.

    Raises:
        EntryMismatch: the payment was settled with other terms. CompanionRefused: one of its
            parcels was paid by another payment.
    """
    parts = domain.split(sale.shares)
    ledger.post(domain.sale_entry(sale, parts, clock.now()), also=tables.keep_sale(sale, parts))
    payments, shares = tables.payments_and_shares([sale.payment_id], sale.parcel_ids)
    releases.schedule_complete(shares)
    reconciliation.match_waiting_line(payments[sale.payment_id])


def record_delivery(parcel_id: str, delivered_at: datetime) -> None:
    """A parcel has arrived: from now the hold period runs."""
    releases.schedule_complete([tables.note_delivery(parcel_id, delivered_at)])


def release_due_shares() -> int:
    """What is due becomes payable; how many shares that were."""
    return releases.release_due()


def finish_files() -> None:
    """What a crash left half done of a provider's file is finished."""
    reconciliation.finish_files()


def statement(
    artisan_id: str, balance: str, limit: int, before: Mapping[str, str | int] | None
) -> Statement:
    """A page of what changed one of an artisan's balances (see BALANCES), newest first."""
    return ledger.statement(f"{domain.BALANCES[balance]}:{artisan_id}", limit, before)


def balances(artisan_id: str) -> dict[str, Money]:
    """An artisan's balances, by one read: pending, payable, held, owed."""
    accounts = {name: f"{kind}:{artisan_id}" for name, kind in domain.BALANCES.items()}
    found = ledger.balances(accounts.values())
    return {name: found[account] for name, account in accounts.items()}
