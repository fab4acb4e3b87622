"""An operator's hold: on one parcel's share, or on all that an artisan has."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib import ids
from chalicelib.errors import Conflict, Invalid, NotFound


class UnknownHold(NotFound):
    """There is no hold of this id."""

    code = "unknown_hold"


class UnknownShare(NotFound):
    """No settled sale has a parcel of this id."""

    code = "unknown_share"


class AlreadyReleased(Conflict):
    """The parcel's money is released; hold its artisan to keep it from being paid out."""

    code = "already_released"


class HoldOnOne(Invalid):
    """A hold is on one parcel or on one artisan: name one of them."""

    code = "hold_on_one"


@dataclass(frozen=True, slots=True)
class OperatorHold:
    """`parcel_id` None: all that the artisan has is neither released nor paid out."""

    hold_id: str
    artisan_id: str
    parcel_id: str | None
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None = None
    lifted_reason: str | None = None
    lifted_at: datetime | None = None


def hold_id_of(operator: str, idempotency_key: str) -> str:
    """The same operator's same key is the same hold."""
    return ids.derived_id("hld", operator, idempotency_key)
