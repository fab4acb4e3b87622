"""The holds' figures: what is reckoned, what does not add up, and a small run on moto."""

import io

import pytest
from rich.console import Console

from chalicelib.stock import domain, service
from infra.bench import holds, rush
from infra.bench.holds import Row
from infra.local.aws import LocalAws


def a_row(**changes: object) -> Row:
    content = {
        "title": "one item",
        "database": "moto",
        "pieces": 99,
        "shards": 1,
        "held": 99,
        "sold_out": 8,
        "busy": 0,
        "conflicts": 8,
        "oversold": 0,
        "per_second": 55.6,
        "round_trips": 1.01,
        "write_units": 4.0,
        "read_units": 0.0,
        "recorded": 107,
    }
    return Row(**(content | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("units", "shards", "ceiling"),
    [(1.0, 1, 1_000), (4.0, 1, 250), (4.09, 1, 244), (2.5, 8, 3_200), (0.0, 1, 0)],
)
def test_a_ceiling_is_what_the_partitions_of_the_shards_take(
    units: float, shards: int, ceiling: int
) -> None:
    assert a_row(write_units=units, shards=shards).ceiling_per_second == ceiling


def test_what_does_not_add_up_is_said() -> None:
    assert a_row().wrong == ""
    assert a_row(held=60, sold_out=0).wrong == "", "time was up before it was sold out"
    assert a_row(oversold=2).wrong == "one item: 2 pieces were oversold."
    assert a_row(held=98).wrong == "one item: sold out was said with 1 left."
    assert "2 pieces were oversold" in holds.notes_of([a_row(oversold=2)])
    assert "first 40 holds" in holds.notes_of([a_row(recorded=40)])


def test_the_table_says_what_is_reckoned() -> None:
    console = Console(file=io.StringIO(), width=132)
    console.print(holds.table_of([a_row(), a_row(title="an edition in 4 shards", shards=4)]))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "reckoned ceiling" in shown
    assert "250 /s" in shown
    assert "1,000 /s" in shown
    assert "on moto" in shown


def measured(pieces: int) -> Row:
    return rush.measured("a stock", pieces, "moto", lambda part: None)


def test_one_item_is_sold_out_and_no_piece_twice(aws: LocalAws) -> None:
    row = measured(5)
    assert (row.held, row.sold_out, row.busy, row.oversold) == (5, 8, 0, 0)
    assert (row.shards, row.recorded) == (1, 13)
    assert row.round_trips == 1.0
    assert row.conflicts == 8
    assert 1 <= row.write_units <= 1.2, "an item below 1 KB, and its index once"
    assert row.read_units == 0
    assert row.wrong == ""


def test_an_edition_is_sold_out_on_all_its_shards(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Shards of three pieces instead of fifty, to save time.
    monkeypatch.setattr(domain, "PIECES_PER_SHARD", 3)
    row = measured(12)
    assert (row.held, row.sold_out, row.oversold, row.shards) == (12, 8, 0, 4)
    assert row.round_trips > 1
    assert row.read_units > 0
    assert row.wrong == ""


def test_more_answers_than_holds_are_noticed(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Everybody is told that they hold a piece, as a broken stock would.
    monkeypatch.setattr(service, "hold", lambda *given: True)
    row = measured(5)
    assert row.held == 0
    assert row.oversold == 13
    assert row.wrong == "a stock: 13 pieces were oversold."
