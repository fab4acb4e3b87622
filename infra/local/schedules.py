"""When a schedule expression of EventBridge is due: `rate(...)` and `cron(...)`."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MAX_DAYS_AHEAD = 366 * 5

NextTime = Callable[[datetime], datetime]


class BadSchedule(ValueError):
    """The expression is not one that EventBridge understands, or that this module does."""


def next_time(expression: str) -> NextTime:
    """A function that gives the first time after a given one at which the schedule runs (UTC).

    Raises:
        BadSchedule: the expression cannot be read.
    """
    text = expression.strip()
    if match := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", text, re.IGNORECASE):
        period = timedelta(seconds=int(match[1]) * _UNITS[match[2].lower()])
        return lambda after: after + period
    if match := re.fullmatch(r"cron\(([^)]+)\)", text):
        return _cron(match[1].split())
    raise BadSchedule(f"{expression!r} is neither rate(...) nor cron(...)")


def _cron(fields: list[str]) -> NextTime:
    if len(fields) != 6:
        raise BadSchedule("cron takes six fields: minutes, hours, day, month, weekday, year")
    minutes = _numbers(fields[0], 0, 59)
    hours = _numbers(fields[1], 0, 23)
    days = _numbers(fields[2], 1, 31)
    months = _numbers(fields[3], 1, 12, _MONTHS, first=1)
    weekdays = _numbers(fields[4], 1, 7, _DAYS, first=1)
    years = _numbers(fields[5], 1970, 2199)

    def following(after: datetime) -> datetime:
        moment = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for _ in range(_MAX_DAYS_AHEAD):
            if (
                moment.year in years
                and moment.month in months
                and moment.day in days
                and moment.isoweekday() % 7 + 1 in weekdays
            ):
                found = _time_of_day(moment, hours, minutes)
                if found:
                    return found
            moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
        raise BadSchedule("this schedule does not run within five years")

    return following


def _time_of_day(start: datetime, hours: set[int], minutes: set[int]) -> datetime | None:
    for hour in sorted(hours):
        for minute in sorted(minutes):
            if (hour, minute) >= (start.hour, start.minute):
                return start.replace(hour=hour, minute=minute)
    return None


def _numbers(
    text: str, lowest: int, highest: int, names: tuple[str, ...] = (), first: int = 0
) -> set[int]:
    """The numbers that a field such as `*`, `1,15`, `MON-FRI` or `0/10` stands for."""

    def number(part: str) -> int:
        if part.upper() in names:
            return names.index(part.upper()) + first
        if not part.isdigit() or not lowest <= int(part) <= highest:
            raise BadSchedule(f"{part!r} is not between {lowest} and {highest}")
        return int(part)

    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            start, end = lowest, highest
        elif "-" in span:
            start, end = (number(end) for end in span.split("-", 1))
        else:
            start = number(span)
            end = highest if step else start
        if step and (not step.isdigit() or int(step) < 1):
            raise BadSchedule(f"{part!r} has no good step")
        found.update(range(start, end + 1, int(step or 1)))
    return found
