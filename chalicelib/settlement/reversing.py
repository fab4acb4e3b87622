"""Taking money out of shares for a refund or a dispute, and what becomes of it.

Messages come in any order and repeated. Each step makes sure of the one before it, and each is one
transaction: its entry, the reversal's row and the shares, on condition that the shares are as they
were when the amounts were reckoned. If not, they are reckoned again.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from chalicelib import clock
from chalicelib.edge.observability import count
from chalicelib.errors import Conflict
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import CompanionRefused, EntryMismatch, InsufficientFunds
from chalicelib.settlement import recovery, releases, reversal_tables, reversals, settling
from chalicelib.settlement.domain import Piece, Share
from chalicelib.settlement.reversals import (
    Kind,
    PortionsDoNotFit,
    Reversal,
    ReversalContradicted,
    Stage,
    Taken,
)

ATTEMPTS = 6
CHANGED_MEANWHILE = (CompanionRefused, InsufficientFunds)


def record(wanted: Reversal, stage: Stage) -> None:
    """Bring a reversal to a stage, whatever is known of it so far. A repeat changes nothing.

    Raises:
        PortionsDoNotFit: not so much is left of a share. EntryMismatch: it is kept with other
            portions. ReversalContradicted: it has ended the other way.
    """
    taken = _taken(wanted)
    if stage is not Stage.TAKEN:
        taken = _concluded(taken, stage)
        releases.schedule_complete(taken.shares.values())
    cause = Stage.GIVEN_BACK if stage is Stage.GIVEN_BACK else Stage.TAKEN
    for artisan_id in reversals.released_artisans(taken.shares.values()):
        recovery.recover(wanted.entry_id(cause), artisan_id)


def _taken(wanted: Reversal) -> Taken:
    """Take it out of the shares, unless that is done; as it is kept."""
    failed_before = _attempt_before(wanted)
    for _ in range(ATTEMPTS):
        found, shares = reversal_tables.find(wanted)
        if found is not None:
            return _checked(found)
        paid_here = {
            one.parcel_id for one in shares.values() if one.payment_id == wanted.sale.payment_id
        }
        if not set(wanted.parcel_ids) <= paid_here:
            settling.settle_payment(wanted.sale)
        elif failed_before is not None:
            # A refund is tried again only after it failed, also where that message is late.
            record(failed_before, Stage.GIVEN_BACK)
            failed_before = None
        elif (pieces := _fitting(wanted, shares)) is not None:
            _post(Taken(wanted, Stage.TAKEN, pieces, shares), Stage.TAKEN)
    raise Conflict("the shares keep being changed", retry_after_seconds=1)


def _fitting(wanted: Reversal, shares: Mapping[str, Share]) -> dict[str, Piece] | None:
    """What it takes; None when it was just taken by somebody else, and so nothing is left."""
    try:
        return reversals.pieces_of(wanted, shares)
    except PortionsDoNotFit:
        # The shares were read a moment after the reversal's row.
        if reversal_tables.find(wanted)[0] is None:
            raise
        return None


def _attempt_before(wanted: Reversal) -> Reversal | None:
    if wanted.kind is Kind.REFUND and wanted.number > 1:
        return replace(wanted, number=wanted.number - 1)
    return None


def _checked(found: Taken) -> Taken:
    if not found.is_as_wanted:
        count("ReversalMismatch", kind=found.wanted.kind)
        raise EntryMismatch(f"the {found.wanted.kind} stands with other portions")
    return found


def _concluded(taken: Taken, to: Stage) -> Taken:
    """End it, unless that is done; as it is kept then.

    Raises:
        ReversalContradicted
    """
    for _ in range(ATTEMPTS):
        if taken.stage is to:
            return taken
        if taken.stage is not Stage.TAKEN:
            count("ReversalContradicted", kind=taken.wanted.kind)
            raise ReversalContradicted(f"the {taken.wanted.kind} has ended as {taken.stage}")
        _post(taken, to)
        taken = _taken(taken.wanted)
    raise Conflict("the shares keep being changed", retry_after_seconds=1)


def _post(taken: Taken, to: Stage) -> None:
    """Try a step; whether it was done, or by somebody else, shows when it is read again."""
    entry = reversals.entry_of(taken, to, clock.now())
    is_first = to is Stage.TAKEN
    step = reversal_tables.taking(taken) if is_first else reversal_tables.concluding(taken, to)
    with suppress(*CHANGED_MEANWHILE):
        ledger.post_once(entry, also=step)
