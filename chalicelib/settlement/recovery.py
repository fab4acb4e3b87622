"""What an artisan owes is taken from what they may be paid."""

from chalicelib import clock
from chalicelib.errors import Conflict
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import InsufficientFunds
from chalicelib.money import Money
from chalicelib.settlement import owed_domain, owed_tables
from chalicelib.settlement.domain import FULL_BP

ATTEMPTS = 3


def recover(cause: str, artisan_id: str, limit_bp: int = FULL_BP) -> Money:
    """Set what is payable against what is owed, once for a cause; what may be paid then.

    At most `limit_bp` of what is payable is taken: the rest may be paid, and the next cause goes
    on. Doing it again, or at once with another, does no harm: neither balance falls below zero. So
    the amount may come from balances that move, and what was missed is made up for later.
    """
    payable, owed = f"artisan_payable:{artisan_id}", f"artisan_receivable:{artisan_id}"
    for _ in range(ATTEMPTS):
        found = ledger.balances([payable, owed])
        minors = found[payable].amount_minor, found[owed].amount_minor
        minor = owed_domain.recovered_minor(*minors, limit_bp)
        if minor == 0:
            return found[payable]
        now = clock.now()
        entry = owed_domain.recovery_entry(cause, artisan_id, minor, now)
        try:
            ledger.post_once(entry, also=owed_tables.recovered(cause, artisan_id, minor, now))
        except InsufficientFunds:  # Somebody paid, or recovered, a moment ago.
            continue
        left = ledger.balances([payable, owed])
        still_owed = left[owed].amount_minor if limit_bp == FULL_BP else 0
        return Money(max(0, left[payable].amount_minor - still_owed))
    raise Conflict("the balances keep being changed", retry_after_seconds=1)
