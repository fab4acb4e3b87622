"""One artisan's payout: whether they may be paid, by which rail and how much; reserving it."""

from datetime import datetime

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import Artisan
from chalicelib.config import settings
from chalicelib.errors import NotFound
from chalicelib.ledger import service as ledger
from chalicelib.ledger.companions import Companion
from chalicelib.ledger.domain import CompanionRefused, InsufficientFunds
from chalicelib.money import Money
from chalicelib.payouts import domain, limits, return_tables, tables
from chalicelib.payouts.domain import Destination, Payout, PayoutStatus
from chalicelib.payouts.limits import Limits
from chalicelib.settlement import service as settlement


class Overtaken(Exception):
    """Who drafts this batch was overtaken by another: it reserves nothing more."""


def limits_now() -> Limits:
    given = settings()
    return Limits(
        minimum_minor=given.payout_minimum_minor,
        bank_minimum_minor=given.payout_bank_minimum_minor,
        wallet_level=given.payout_wallet_level,
        instant_cap_minor=given.payout_instant_cap_minor,
    )


def reserve(
    batch_id: str, artisan_id: str, fence: Companion, known: Artisan | None = None
) -> str | None:
    """Reserve what is payable to an artisan for a batch; why not, where that cannot be.

    Raises:
        Overtaken: `fence` is not met any more.
    """
    found = prepared(batch_id, artisan_id, known)
    return found if isinstance(found, str) else post(*found, fence)


def prepared(
    batch_id: str, artisan_id: str, known: Artisan | None = None, request_key: str | None = None
) -> tuple[Payout, Destination] | str:
    """The payout of what is payable to an artisan, or why there is none.

    What they owe is taken first, so that nobody is paid what they have to give back.
    """
    destination = destination_of(artisan_id, known)
    if isinstance(destination, str):
        return destination
    payable = settlement.recover(batch_id, artisan_id, asked=request_key is not None)
    on_its_way = Money(0)
    if destination.rail == limits.WALLET:
        on_its_way = tables.totals_of(artisan_id).in_payout
    amount, reason = limits.payable_by(destination.rail, payable, on_its_way, limits_now())
    if amount.amount_minor == 0:
        return reason or "below_minimum"
    now = clock.now()
    payout = Payout(
        payout_id=domain.payout_id_of(batch_id, artisan_id),
        batch_id=batch_id,
        artisan_id=artisan_id,
        amount=amount,
        rail=destination.rail,
        masked=destination.masked,
        status=PayoutStatus.RESERVED,
        reserved_at=now,
        changed_at=now,
        reason=reason,
        request_key=request_key,
    )
    return payout, destination


def post(payout: Payout, destination: Destination, fence: Companion) -> str | None:
    """Reserve a payout in the ledger; why not, where that cannot be.

    Raises:
        Overtaken: `fence` is not met any more.
    """
    entry = domain.reserve_entry(payout)
    try:
        ledger.post(entry, also=tables.reserving(payout, destination, fence))
    except InsufficientFunds:
        return "balance_changed"  # The index lagged, or another batch took it a moment ago.
    except CompanionRefused:
        raise Overtaken from None
    return None


def destination_of(artisan_id: str, known: Artisan | None = None) -> Destination | str:
    """Where an artisan may be paid now, or why they may not."""
    try:
        artisan = known or artisans.artisan(artisan_id)
    except NotFound:
        return "not_registered"
    found = artisans.destination_of(artisan)
    why_not = domain.why_not_paid(artisan, found, clock.now())
    if why_not is None and settlement.is_on_hold(artisan_id):
        why_not = "operator_hold"
    if why_not is not None or found is None:
        return why_not or "no_destination"
    why_not = limits.why_not_reachable(found.kind, found.value)
    why_not = why_not or why_returned(artisan_id, found.usable_from)
    return why_not or Destination(found.kind, found.value, found.masked, artisan.profile.name)


def why_returned(artisan_id: str, usable_from: datetime) -> str | None:
    """Why a destination is not paid to: the last payout to it came back, and nobody has since said
    that it is right. Which one it went to shows by when they could be used."""
    came_back = return_tables.newest(artisan_id)
    if came_back is None or came_back.is_confirmed or usable_from > came_back.reserved_at:
        return None
    return "destination_returned"


def confirm_destination(artisan_id: str) -> None:
    """The artisan says that the destination is right to which a payout could not be made."""
    came_back = return_tables.newest(artisan_id)
    if came_back is not None and not came_back.is_confirmed:
        return_tables.confirm(artisan_id, came_back, clock.now())
