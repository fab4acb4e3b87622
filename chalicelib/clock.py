"""The only clock. Everything that asks for the time asks here.

`now` is the marketplace's own time, which the local stack and the tests may move forward.
`outside_now` is never moved: it is what times written by others (a token's expiry, a webhook's
timestamp) are compared with.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_offset = timedelta()
_pause: Callable[[float], None] = time.sleep


def outside_now() -> datetime:
    return datetime.now(UTC)


def now() -> datetime:
    return outside_now() + _offset


def advance(seconds: int) -> datetime:
    """Move the marketplace's clock forward; the new time. Local stack and tests only."""
    global _offset
    assert seconds >= 0
    _offset += timedelta(seconds=seconds)
    return now()


def reset() -> None:
    """Back to the real time. Local stack and tests only."""
    global _offset
    _offset = timedelta()


def pause(seconds: float) -> None:
    """Wait before a retry; tests replace it through `set_pause`."""
    _pause(seconds)


def set_pause(wait: Callable[[float], None]) -> None:
    global _pause
    _pause = wait


def to_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: sorts as text, so it can be a sort key."""
    whole_seconds = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole_seconds}.{moment.microsecond // 1000:03d}Z"


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)


def now_ms() -> int:
    """Milliseconds since 1970 on the marketplace's clock."""
    return to_ms(now())


def to_ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def from_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC) + timedelta(
        milliseconds=milliseconds % 1000
    )


def in_morocco(moment: datetime) -> datetime:
    """The same moment as clocks in Morocco show it."""
    return moment.astimezone(_morocco())


@cache
def _morocco() -> "ZoneInfo":
    # Imported here: few ask, and the imports cost a cold start. From the pinned package, not from
    # the system, whose copy is as old as the runtime: Morocco sets its clocks by decree.
    from importlib import resources
    from zoneinfo import ZoneInfo

    with resources.files("tzdata.zoneinfo.Africa").joinpath("Casablanca").open("rb") as data:
        return ZoneInfo.from_file(data, key="Africa/Casablanca")
