"""What a batch pays by each rail, counted from its payouts."""

from chalicelib.money import Money
from chalicelib.payouts import tables
from chalicelib.payouts.domain import PayoutStatus, RailTotal


def totals_of(batch_id: str) -> dict[str, RailTotal]:
    """Payouts that are in the batch and their sum by rail; reads them page by page."""
    found: dict[str, tuple[int, int]] = {}
    for rail, status, minor in tables.amounts_of(batch_id):
        if status is not PayoutStatus.CANCELLED:
            count, total = found.get(rail, (0, 0))
            found[rail] = (count + 1, total + minor)
    return {rail: RailTotal(count, Money(total)) for rail, (count, total) in sorted(found.items())}
