"""Returns: which pieces of a parcel come back, and how far that has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.orders.domain import Order, Parcel, ParcelStatus

MAX_RETURNS_PER_ORDER = 50


class ReturnStatus(StrEnum):
    REQUESTED = "requested"
    ACCEPTED = "accepted"  # the buyer may send it
    REFUSED = "refused"
    RECEIVED = "received"  # it is back with the artisan: its goods are refunded


MOVES: dict[ReturnStatus, frozenset[ReturnStatus]] = {
    ReturnStatus.REQUESTED: frozenset(
        {ReturnStatus.ACCEPTED, ReturnStatus.REFUSED, ReturnStatus.RECEIVED}
    ),
    ReturnStatus.ACCEPTED: frozenset({ReturnStatus.RECEIVED}),
    ReturnStatus.REFUSED: frozenset(),
    ReturnStatus.RECEIVED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Return:
    """Pieces of one artisan's parcel; `lines` is how many of each line."""

    return_id: str
    order_id: str
    parcel_id: str
    artisan_id: str
    lines: Mapping[str, int]
    reason: str
    status: ReturnStatus
    requested_at: datetime
    answer: str | None = None
    asked_by: str | None = None


class UnknownReturn(NotFound):
    """There is no such return, or it is not yours."""

    code = "unknown_return"


class NotReturnable(Conflict):
    """Only what has arrived, within the time to return it, and not refunded, can be returned."""

    code = "not_returnable"


class ReturnLinesUnknown(Invalid):
    """The order has no such lines, not as many pieces left, or they are of several artisans."""

    code = "return_lines_unknown"


class IllegalReturnMove(Conflict):
    """The return is in a state that forbids this."""

    code = "return_state_forbids"


def move(asked: Return, to: ReturnStatus) -> Return:
    """
    Raises:
        IllegalReturnMove: `to` does not follow its status in MOVES.
    """
    if to not in MOVES[asked.status]:
        raise IllegalReturnMove(
            f"the return is {asked.status}, so it cannot become {to}",
            extra={"return_status": asked.status},
        )
    return replace(asked, status=to)


def parcel_to_return(
    order: Order,
    lines: Mapping[str, int],
    earlier: Sequence[Return],
    now: datetime,
    window: timedelta,
) -> Parcel:
    """The parcel that these lines came in, when they can still be returned.

    Raises:
        ReturnLinesUnknown, NotReturnable.
    """
    known = {line.line_id: line for line in order.lines}
    asked = _asked(earlier)
    for line_id, quantity in lines.items():
        room = known[line_id].quantity - asked.get(line_id, 0) if line_id in known else 0
        if quantity > room:
            raise ReturnLinesUnknown("give lines of this order, and at most what is left of them")
    artisans = {known[line_id].artisan_id for line_id in lines}
    if len(artisans) != 1:
        raise ReturnLinesUnknown("ask for each artisan's lines apart")
    parcel = next(parcel for parcel in order.parcels if parcel.artisan_id in artisans)
    arrived = parcel.delivered_at if parcel.status is ParcelStatus.DELIVERED else None
    if arrived is None or now > arrived + window or order.in_person:
        raise NotReturnable("it has not arrived, or the time to return it is over")
    return parcel


def _asked(earlier: Sequence[Return]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for one in earlier:
        if one.status is not ReturnStatus.REFUSED:
            for line_id, quantity in one.lines.items():
                sums[line_id] = sums.get(line_id, 0) + quantity
    return sums


def is_all_returned(order: Order, parcel: Parcel, received: Sequence[Return]) -> bool:
    """Whether every piece of a parcel has come back."""
    back = _asked([one for one in received if one.status is ReturnStatus.RECEIVED])
    own = [line for line in order.lines if line.artisan_id == parcel.artisan_id]
    return all(back.get(line.line_id, 0) >= line.quantity for line in own)
