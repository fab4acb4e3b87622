"""What an artisan owes is taken from what they may be paid."""

from contextlib import suppress

from chalicelib import clock
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import Entry, InsufficientFunds, posting
from chalicelib.money import Money


def recover(cause: str, artisan_id: str) -> Money:
    """Set what is payable against what is owed, once for a cause; what may be paid then.

    Doing it again, or at once with another, does no harm: neither balance falls below zero. So the
    amount may come from balances that move, and what was missed is made up for by the next cause.
    """
    payable, owed = f"artisan_payable:{artisan_id}", f"artisan_receivable:{artisan_id}"
    found = ledger.balances([payable, owed])
    both = min(found[payable].amount_minor, found[owed].amount_minor)
    if both == 0:
        return found[payable]
    entry = Entry(
        entry_id=f"recover:{cause}:{artisan_id}",
        reason="recovered",
        postings=tuple(posting(payable, owed, both)),
        at=clock.now(),
        refs={"artisan_id": artisan_id, "cause": cause},
    )
    with suppress(InsufficientFunds):  # Somebody paid, or recovered, a moment ago.
        ledger.post_once(entry)
    left = ledger.balances([payable, owed])
    return Money(max(0, left[payable].amount_minor - left[owed].amount_minor))
