"""The planted breaks of a settlement file: as many as were planted are found, and no other."""

from infra.bench import reconcile
from infra.bench.planting import KINDS, planned
from infra.bench.reconcile import Measured
from tests.quick_moto import quick_moto  # noqa: F401  a fixture


def test_of_six_hundred_lines_every_planted_break_is_found_and_no_other(aws, quick_moto) -> None:  # noqa: F811
    plan = planned(600, 16, seed=3)
    measured = reconcile.measure(plan, "moto", lambda doing, done, total: None)
    assert measured.found == plan.planted
    assert {kind for kind, _ in plan.planted} == set(KINDS)
    assert (len(plan.planted), measured.wrong) == (16, "")
    # Eighteen or so of the lines that match go into one transaction.
    assert sum(measured.calls.values()) < len(plan.sales) // 3


def test_the_same_seed_plants_the_same() -> None:
    one, again, other = planned(40, 8, 1), planned(40, 8, 1), planned(40, 8, 2)
    assert one.file == again.file
    assert one.planted != other.planted


def test_what_is_not_as_it_should_be_is_said() -> None:
    whole = Measured(10, "moto", planted={("late", "a")}, found={("late", "a")}, is_balanced=True)
    assert whole.wrong == ""
    missing = Measured(10, "moto", planted={("late", "a")}, found={("late", "b")})
    assert missing.wrong == "1 breaks were not found, 1 are false."
    assert missing.wrong in reconcile.notes_of(missing)
