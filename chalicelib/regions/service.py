"""Opening regions one by one, and asking which are open."""

from collections.abc import Mapping

from chalicelib import clock
from chalicelib.edge.caching import TtlCache
from chalicelib.errors import Conflict
from chalicelib.regions import tables
from chalicelib.regions.domain import (
    NAMES,
    NoSuchRegion,
    Region,
    RegionStatus,
    check_move,
    is_region,
)

STATUS_CACHE_SECONDS = 30
_statuses: TtlCache[str, Mapping[str, RegionStatus]] = TtlCache(STATUS_CACHE_SECONDS, 1)


def region(code: str) -> Region:
    """A region as it is now, past the cache.

    Raises:
        NoSuchRegion: the code is none of the 12.
    """
    if not is_region(code):
        raise NoSuchRegion("regions are ISO 3166-2, such as MA-03; see /v1/regions")
    return Region(code, tables.find_status(code))


def regions() -> list[Region]:
    """All 12, as of at most 30 seconds ago."""
    return [Region(code, status) for code, status in statuses().items()]


def statuses() -> Mapping[str, RegionStatus]:
    """The status of every region, as of at most 30 seconds ago."""
    return _statuses.get("all", _read_statuses)


def open_codes() -> frozenset[str]:
    """The regions whose artisans' work is shown and sold, as of at most 30 seconds ago."""
    return frozenset(region.code for region in regions() if region.is_open)


def set_status(code: str, to: RegionStatus) -> Region:
    """Move a region on in the rollout; asking for the status it has changes nothing.

    Raises:
        NoSuchRegion, IllegalRegionMove.
        Conflict: another operator moved it at the same moment.
    """
    before = region(code)
    if before.status is to:
        return before
    check_move(before, to)
    if not tables.change_status(code, before.status, to, clock.now()):
        raise Conflict("another operator changed this region; look at it again")
    _statuses.clear()
    return Region(code, to)


def _read_statuses() -> Mapping[str, RegionStatus]:
    found = tables.find_statuses(NAMES)
    return {code: found.get(code, RegionStatus.PLANNED) for code in NAMES}
