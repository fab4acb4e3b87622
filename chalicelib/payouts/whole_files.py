"""What a bank says of a whole file of ours, or of a block of it: which payouts are meant.

Many banks debit a file by one entry. It is believed where its sum is that of all the payouts meant,
or of those that had not failed before.
"""

from dataclasses import dataclass

from chalicelib.money import Money
from chalicelib.payouts import batch_tables, tables
from chalicelib.payouts.domain import Payout, PayoutStatus, UnknownBatch
from chalicelib.payouts.limits import BANK


@dataclass(frozen=True, slots=True)
class Progress:
    """The payouts behind `after`, up to `until`; `but_failed`: without those that had failed."""

    after: str  # empty: from the first on
    until: str
    but_failed: bool

    def text(self) -> str:
        return f"{self.after}|{self.until}|{'open' if self.but_failed else 'all'}"


def progress_of(text: str) -> Progress:
    after, until, which = text.split("|")
    return Progress(after, until, which == "open")


def begin(batch_id: str, block: int | None, amount: Money | None) -> Progress | str:
    """Where to begin with what is said of a file or a block; or why it is not believed."""
    try:
        batch = batch_tables.find(batch_id)
    except UnknownBatch:
        return "no_such_batch"
    size = int((batch.file_rules or {}).get("lines_per_block", 0))
    first, last = (0, None) if block is None else ((block - 1) * size, block * size)
    before, until, everything, still_open = "", "", 0, 0
    position = 0
    for payout, _ in tables.lines_of(batch_id, BANK):
        if payout.status is PayoutStatus.CANCELLED:
            continue
        if position < first:
            before = payout.payout_id
        elif last is None or position < last:
            until = payout.payout_id
            everything += payout.amount.amount_minor
            if payout.status is not PayoutStatus.FAILED:
                still_open += payout.amount.amount_minor
        position += 1
    if not until:
        return "no_such_block"
    if amount not in (None, Money(everything), Money(still_open)):
        return "sum_differs"
    return Progress(before, until, amount is not None and amount != Money(everything))


def page(batch_id: str, progress: Progress, limit: int) -> tuple[list[Payout], Progress | None]:
    """The next payouts that are meant, and where to go on; None at the end."""
    found = tables.payouts_behind(batch_id, progress.after or None, limit)
    meant = [
        payout
        for payout, _ in found
        if payout.rail == BANK
        and payout.payout_id <= progress.until
        and payout.status is not PayoutStatus.CANCELLED
        and not (progress.but_failed and payout.status is PayoutStatus.FAILED)
    ]
    last = found[-1][0].payout_id if found else progress.until
    if len(found) < limit or last >= progress.until:
        return meant, None
    return meant, Progress(last, progress.until, progress.but_failed)
