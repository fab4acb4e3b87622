"""The one thing that the sandbox's bank looks up: what is due where it is told nothing."""

from infra.local.bank.accounts import Due


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
