"""Regions for tests."""

from chalicelib.regions.domain import Region, RegionStatus


def a_region(code: str = "MA-03", status: RegionStatus = RegionStatus.LIVE) -> Region:
    return Region(code, status)
