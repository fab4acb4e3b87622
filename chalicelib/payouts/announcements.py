"""What artisans are told of their payouts: paid, or not, or come back."""

from chalicelib.artisans.announcements import tell_artisan
from chalicelib.edge.streams import Change

KINDS = {"paid": "payout_paid", "failed": "payout_failed", "returned": "payout_returned"}


def tell_of(change: Change) -> None:
    """Tell what a change of the table means to an artisan; each status is told once."""
    kind = KINDS.get(change.became("status") or "")
    row = change.new or {}
    if kind is None or "artisan_id" not in row or "amount_minor" not in row:
        return
    minor = int(row["amount_minor"]["N"])
    tell_artisan(change.text("artisan_id"), kind, change.text("sk"), amount_minor=minor)
