"""Why an artisan's money is not payable yet, who can change that, and when it is expected; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.settlement.domain import Share


class Reason(StrEnum):
    DISPUTED = "disputed"
    OPERATOR_HOLD = "operator_hold"
    RETURN_OPEN = "return_open"
    NOT_DELIVERED = "not_delivered"
    RETURN_WINDOW = "return_window"
    MONEY_NOT_CONFIRMED = "money_not_confirmed"
    ARTISAN_NOT_VERIFIED = "artisan_not_verified"
    BEING_RELEASED = "being_released"  # nothing keeps it: the next sweep takes it


LIFTED_BY: dict[Reason, tuple[str, ...]] = {
    Reason.DISPUTED: ("bank",),
    Reason.OPERATOR_HOLD: ("operator",),
    Reason.RETURN_OPEN: ("artisan", "operator"),
    Reason.NOT_DELIVERED: ("buyer", "carrier", "artisan"),
    Reason.RETURN_WINDOW: ("time",),
    Reason.MONEY_NOT_CONFIRMED: ("provider",),
    Reason.ARTISAN_NOT_VERIFIED: ("operator",),
    Reason.BEING_RELEASED: ("time",),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a release asks of an artisan at the last moment."""

    is_verified: bool
    is_on_hold: bool

    @property
    def is_clear(self) -> bool:
        return self.is_verified and not self.is_on_hold


@dataclass(frozen=True, slots=True)
class Hold:
    """Why an amount is held; `expected_at` where only time is missing."""

    reason: Reason
    expected_at: datetime | None = None

    @property
    def lifted_by(self) -> tuple[str, ...]:
        return LIFTED_BY[self.reason]


def why_not_released(share: Share, standing: Standing, hold_days: int, now: datetime) -> Hold:
    """Why what is pending of a share is not payable.

    Of several reasons the one that says most: what people decide, then what is awaited.
    """
    for reason, holds in (
        (Reason.DISPUTED, bool(share.disputes)),
        (Reason.OPERATOR_HOLD, bool(share.holds) or standing.is_on_hold),
        (Reason.RETURN_OPEN, bool(share.returns)),
    ):
        if holds:
            return Hold(reason)
    if share.hold_days != 0:  # else it was handed over at the sale
        if share.delivered_at is None:
            return Hold(Reason.NOT_DELIVERED)
        days = hold_days if share.hold_days is None else share.hold_days
        until = share.delivered_at + timedelta(days=days)
        if until > now:
            return Hold(Reason.RETURN_WINDOW, until)
    if share.confirmed_at is None:
        return Hold(Reason.MONEY_NOT_CONFIRMED)
    if not standing.is_verified:
        return Hold(Reason.ARTISAN_NOT_VERIFIED)
    return Hold(Reason.BEING_RELEASED, now)


@dataclass(frozen=True, slots=True)
class Part:
    """Some of an artisan's pending or held balance, and why it is there."""

    parcel_id: str
    order_id: str | None
    state: str  # pending or held, as the balance that it is in
    amount_minor: int
    hold: Hold


def parts_of(share: Share, standing: Standing, hold_days: int, now: datetime) -> Iterator[Part]:
    """What a share adds to its artisan's pending and held balances; together they are these."""
    if share.pending_minor:
        hold = why_not_released(share, standing, hold_days, now)
        yield Part(share.parcel_id, share.order_id, "pending", share.pending_minor, hold)
    if share.held_minor:
        disputed = Hold(Reason.DISPUTED)
        yield Part(share.parcel_id, share.order_id, "held", share.held_minor, disputed)
