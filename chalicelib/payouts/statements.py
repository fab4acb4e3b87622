"""The month that an artisan asks for, and whose it is."""

import re
from datetime import UTC, datetime

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.errors import NotFound
from chalicelib.settlement import service as settlement
from chalicelib.settlement.statements import MonthStatement, UnknownMonth

KEPT_MONTHS = 24
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


def month_of(artisan_id: str, month: str) -> MonthStatement:
    """An artisan's month by the clocks of Morocco; the present one ends now.

    Raises:
        UnknownMonth, StatementTooLong, Unavailable.
    """
    begins, ends = span_of(month, clock.now())
    return settlement.month_statement(artisan_id, month, begins, ends)


def span_of(month: str, now: datetime) -> tuple[datetime, datetime]:
    """(when a month begins, when the next one does), in Morocco.

    Raises:
        UnknownMonth
    """
    found = _MONTH.fullmatch(month)
    if found is None:
        raise UnknownMonth("write the month as 2026-11", param="month")
    year, number = int(found[1]), int(found[2])
    begins = _first_of(year, number)
    age = (now.year - year) * 12 + now.month - number
    if begins > now or age > KEPT_MONTHS:
        raise UnknownMonth("ask for one of the last 24 months", param="month")
    return begins, _first_of(year + number // 12, number % 12 + 1)


def _first_of(year: int, month: int) -> datetime:
    noon = datetime(year, month, 1, 12, tzinfo=UTC)
    return (clock.in_morocco(noon).replace(hour=0)).astimezone(UTC)


def name_of(artisan_id: str) -> str:
    """The name over the statement; the id of one who is not registered."""
    try:
        return artisans.artisan(artisan_id).display_name
    except NotFound:
        return artisan_id
