"""Dividing a captured payment among those it belongs to."""

from chalicelib import clock
from chalicelib.ledger import service as ledger
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
