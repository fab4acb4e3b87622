"""What the sandbox's bank looks up: what is due where it is told nothing, and what was paid by a
callback that a script has signed by hand."""

from infra.local.bank.accounts import ByHand, Due


def find_due(payment_id: str) -> Due | None:
    """The payment as the provider sees it; None when there is none of this id."""
    from chalicelib.payments import tables  # Its models make clients: after moto has started.

    payment = tables.find(payment_id)
    if payment is None:
        return None
    return Due(
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        amount_minor=payment.amount.amount_minor,
        provider=str(payment.provider),
        expires_at=payment.expires_at,
    )


def find_paid_by_hand(payment_id: str) -> ByHand | None:
    """Money that the platform has and the bank may know nothing of; None where there is none."""
    from chalicelib.payments import tables
    from chalicelib.payments.domain import PAID, Provider

    payment = tables.find(payment_id)
    if payment is None or payment.status not in PAID or payment.provider is Provider.MASTERCARD:
        return None  # Mastercard's gateway is asked itself: nobody can sign for it.
    amount = payment.amount.amount_minor
    return ByHand(str(payment.provider), amount, payment.provider_reference or "")
