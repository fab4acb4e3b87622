import pytest

from chalicelib.regions.domain import (
    MOVES,
    NAMES,
    IllegalRegionMove,
    RegionStatus,
    check_move,
)
from tests.factories.regions import a_region


def test_there_are_twelve_regions_named_in_four_languages():
    assert list(NAMES) == [f"MA-{number:02d}" for number in range(1, 13)]
    for names in NAMES.values():
        assert set(names) == {"ar", "fr", "en", "zgh"}
        assert all(names.values())


@pytest.mark.parametrize(
    ("status", "is_open"), [("planned", False), ("pilot", True), ("live", True), ("paused", False)]
)
def test_a_region_is_open_in_pilot_and_live(status, is_open):
    assert a_region(status=RegionStatus(status)).is_open is is_open


@pytest.mark.parametrize(("start", "to"), [(s, t) for s in MOVES for t in sorted(MOVES[s])])
def test_the_moves_of_the_table_are_allowed(start, to):
    check_move(a_region(status=start), to)


@pytest.mark.parametrize(
    ("start", "to"), [(s, t) for s in RegionStatus for t in RegionStatus if t not in MOVES[s]]
)
def test_every_other_move_is_refused(start, to):
    with pytest.raises(IllegalRegionMove) as refusal:
        check_move(a_region(status=start), to)
    assert refusal.value.extra == {"current": start, "allowed": sorted(MOVES[start])}


def test_an_open_region_never_goes_back_to_planned():
    # Browsing relies on it: what was published stays in a region that was opened once.
    assert all(RegionStatus.PLANNED not in following for following in MOVES.values())
