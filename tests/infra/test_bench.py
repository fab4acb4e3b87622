"""The bench counts DynamoDB's units as AWS publishes them, and measures what it says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bench import report
from infra.bench.units import (
    Index,
    Schema,
    index_units,
    item_bytes,
    query_units,
    read_units,
    write_units,
)

KIB = 1024
PLAIN = Schema(keys=("pk",))
BY_TOWN = Index("by_town", ("town", "at"), frozenset({"name"}))
EVERYTHING = Index("by_craft", ("craft",), None)


def an_item(size_bytes: int, **values: str) -> dict[str, dict[str, str]]:
    """An item of exactly this size, whose attributes are all texts."""
    item = {"pk": {"S": "1"}} | {name: {"S": value} for name, value in values.items()}
    return item | {"rest": {"S": "x" * (size_bytes - item_bytes(item) - len("rest"))}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "Fès"}, 4),  # UTF-8, not letters
        ({"N": "0"}, 1),
        ({"N": "27"}, 2),
        ({"N": "249900"}, 3),  # trailing zeros do not count
        ({"N": "-27"}, 3),
        ({"N": "0.0027"}, 2),
        ({"B": "AAEC"}, 3),
        ({"B": b"\x00\x01"}, 2),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 8),
        ({"M": {"a": {"S": "bc"}}}, 7),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_the_size_of_a_value_follows_the_developer_guide(value: object, size: int) -> None:
    assert item_bytes({"name": value}) == len("name") + size


@pytest.mark.parametrize(
    ("size", "consistent", "eventual", "transactional"),
    [
        (0, 1, 0.5, 2),
        (3 * KIB, 1, 0.5, 2),
        (4 * KIB, 1, 0.5, 2),
        (4 * KIB + 1, 2, 1, 4),
        (8 * KIB, 2, 1, 4),  # the guide's own example
    ],
)
def test_reads_step_by_four_kilobytes(
    size: int, consistent: float, eventual: float, transactional: float
) -> None:
    assert read_units(size, consistent=True) == consistent
    assert read_units(size, consistent=False) == eventual
    assert read_units(size, consistent=True, transactional=True) == transactional


@pytest.mark.parametrize(
    ("size", "plain", "transactional"),
    [(512, 1, 2), (KIB, 1, 2), (KIB + 1, 2, 4), (2 * KIB, 2, 4), (3 * KIB, 3, 6)],
)
def test_writes_step_by_one_kilobyte(size: int, plain: int, transactional: int) -> None:
    item = an_item(size)
    assert item_bytes(item) == size
    assert write_units(None, item, PLAIN) == plain
    assert write_units(None, item, PLAIN, transactional=True) == transactional


def test_the_larger_of_before_and_after_counts() -> None:
    small, large = an_item(100), an_item(2 * KIB)
    assert write_units(large, small, PLAIN) == write_units(small, large, PLAIN) == 2
    assert write_units(large, None, PLAIN) == 2
    # A refused write costs what stands there, or the least there is.
    assert write_units(None, None, PLAIN) == 1


def test_a_query_is_rounded_once_and_a_batch_item_by_item() -> None:
    items = [an_item(500)] * 10
    assert query_units(items, consistent=True) == 2
    assert query_units(items, consistent=False) == 1
    assert sum(read_units(item_bytes(item), consistent=True) for item in items) == 10


def test_an_index_is_written_only_when_its_entry_changes() -> None:
    schema = Schema(("pk",), (BY_TOWN,))
    listed = an_item(3 * KIB, town="Fès", at="1", name="Amina")
    unlisted = {name: value for name, value in listed.items() if name != "town"}

    def units(before: object, after: object) -> int:
        return index_units(before, after, schema, BY_TOWN)  # type: ignore[arg-type]

    # A new entry, a removed one: a write each, of the projected attributes only
    assert units(None, listed) == units(listed, None) == units(unlisted, listed) == 1
    # Sparse: without a key there is no entry
    assert units(None, unlisted) == 0
    # What is not projected changes nothing
    assert units(listed, listed | {"rest": {"S": "other"}}) == 0
    # A projected attribute: one write; a key: away and in again
    assert units(listed, listed | {"name": {"S": "Aïcha"}}) == 1
    assert units(listed, listed | {"town": {"S": "Safi"}}) == 2


def test_an_index_of_everything_costs_as_much_again_and_is_not_doubled() -> None:
    schema = Schema(("pk",), (EVERYTHING,))
    item = an_item(2 * KIB, craft="zellige")
    assert write_units(None, item, schema) == 2 + 2
    assert write_units(None, item, schema, transactional=True) == 4 + 2


def test_a_schema_is_read_from_what_describe_table_answers() -> None:
    description = {
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": name,
                "KeySchema": [{"AttributeName": "town", "KeyType": "HASH"}],
                "Projection": projection,
            }
            for name, projection in [
                ("all", {"ProjectionType": "ALL"}),
                ("keys", {"ProjectionType": "KEYS_ONLY"}),
                ("some", {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["name"]}),
            ]
        ],
    }
    schema = Schema.of(description)
    assert schema.keys == ("pk",)
    assert [index.included for index in schema.indexes] == [None, frozenset(), frozenset({"name"})]


def a_row(**changes: object) -> report.Row:
    content = {
        "name": "order",
        "title": "Order",
        "round_trips": 4,
        "round_trips_target": 4,
        "read_units": 2,
        "write_units": 8,
        "handler_us": 1600,
        "bare_us": 1000,
        "cpu_ratio": 1.6,
        "cpu_target": 1.6,
    }
    return report.Row(**(content | changes))  # type: ignore[arg-type]


def test_a_target_that_is_not_reached_is_marked() -> None:
    assert a_row().missed == []
    assert a_row(round_trips=5, cpu_ratio=1.61).missed == ["round trips", "CPU"]
    assert a_row(round_trips_target=None, cpu_target=None, cpu_ratio=None).missed == []


def test_the_bench_runs_for_one_use_case(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    command = [sys.executable, "-m", "infra.bench", "--only", "detail", "--json", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    (measured,) = json.loads(out.read_text())["use_cases"]
    assert measured["round_trips"] == 2
    assert measured["read_units"] >= 1
    assert measured["write_units"] == 0
    assert measured["cpu_ratio"] > 1
    assert "One listing" in done.stdout
    assert "Cold start" not in done.stdout.split("Round trips are")[0]
