"""Money that fits nothing: it is the provider's debt to us, and ours to whoever paid it."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib import clock
from chalicelib.edge.observability import count
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import CURRENCY, Entry, posting
from chalicelib.money import Money

UNAPPLIED = "unapplied_receipts"


class ReceiptStage(StrEnum):
    RECEIVED = "received"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that came for a payment and is not its own."""

    receipt_id: str
    payment_id: str
    provider: str
    amount: Money


def record(receipt: Receipt, stage: ReceiptStage) -> None:
    """Keep such money apart, or note that it went back; a repeat changes nothing.

    The ledger is in MAD: another currency is counted, and left to an operator.

    Raises:
        EntryMismatch: the same receipt stands with another amount.
    """
    if receipt.amount.currency != CURRENCY:
        count("UnappliedNotPosted", provider=receipt.provider)
        return
    ledger.post(_entry(receipt, ReceiptStage.RECEIVED))
    if stage is ReceiptStage.RETURNED:
        ledger.post(_entry(receipt, ReceiptStage.RETURNED))


def _entry(receipt: Receipt, stage: ReceiptStage) -> Entry:
    clearing, minor = f"psp_clearing:{receipt.provider}", receipt.amount.amount_minor
    entry_id, reason = f"unapplied:{receipt.receipt_id}", "unapplied"
    postings = posting(clearing, UNAPPLIED, minor)
    if stage is ReceiptStage.RETURNED:
        entry_id, reason = f"{entry_id}:returned", "unapplied_returned"
        postings = posting(UNAPPLIED, clearing, minor)
    return Entry(
        entry_id=entry_id,
        reason=reason,
        postings=tuple(postings),
        at=clock.now(),
        refs={"payment_id": receipt.payment_id, "receipt_id": receipt.receipt_id},
    )
