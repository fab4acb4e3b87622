"""Dividing a captured payment among those it belongs to."""

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.ledger import service as ledger
from chalicelib.settlement import domain, line_breaks, releases, tables, taking
from chalicelib.settlement.domain import Sale


def settle_payment(sale: Sale) -> None:
    """Divide a captured payment: one transaction, one read. A repeat finishes what is left.

    Raises:
        EntryMismatch: the payment was settled with other terms. CompanionRefused: one of its
            parcels was paid by another payment.
    """
    parts = domain.split(sale.shares)
    by = line_breaks.named_by(sale.captured_at, sale.provider, settings().settlement_days)
    keep = tables.keep_sale(sale, parts, by)
    ledger.post(domain.sale_entry(sale, parts, clock.now()), also=keep)
    payments, shares = tables.payments_and_shares([sale.payment_id], sale.parcel_ids)
    releases.schedule_complete(shares)
    taking.match_waiting_line(payments[sale.payment_id])
