"""The throughput's arithmetic: percentiles, rows, what does not add up; and the floor's copies."""

import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from infra.bench import floor, throughput
from infra.bench.clients import Clients, Worthless
from infra.bench.recording import AwsCall
from infra.bench.throughput import Counted, Measured, Row, Speed, Timings, percentile, row_of


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([7.0], 50, 7.0),
        ([7.0], 99, 7.0),
        ([1.0, 2.0], 50, 1.0),
        ([3.0, 1.0, 2.0], 50, 2.0),  # in whatever order they came
        (list(range(1, 101)), 50, 50),
        (list(range(1, 101)), 99, 99),
        (list(range(1, 101)), 100, 100),
        (list(range(1, 11)), 99, 10),  # of ten, the slowest
        (list(range(1, 201)), 99, 198),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values, percent, found) -> None:
    assert percentile(values, percent) == found


def test_a_row_counts_all_clients_together() -> None:
    ours = Timings((30.0, 10.0, 20.0, 40.0), together_seconds=0.05, cpu_seconds=0.006)
    bare = Timings((8.0, 9.0, 10.0, 11.0), together_seconds=0.02, cpu_seconds=0.004)
    row = row_of("Order", ours, bare, 4)
    assert row.ours == Speed(80.0, 20.0, 40.0, 6.0)
    assert row.floor == Speed(200.0, 9.0, 11.0, 4.0)
    assert (row.count, row.round_trips, row.cpu_ratio) == (4, 4, 1.5)


def test_without_a_floor_there_is_no_ratio() -> None:
    assert Row("Delivered", 4, Speed(12.0)).cpu_ratio is None
    free = Speed(12.0, 1.0, 1.0, 0.0)  # less CPU than the clock shows
    assert Row("Kept", 4, Speed(12.0, 1.0, 1.0, 1.0), 1, free).cpu_ratio is None


def a_count(**changes: object) -> Counted:
    content = {
        "database": "moto",
        "pieces": 144,
        "refused": 16,
        "orders": 144,
        "payments": 144,
        "paid": 144,
        "oversold": 0,
    }
    return Counted(**(content | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, ""),
        ({"oversold": 1}, "1 pieces were oversold."),
        ({"payments": 145}, "144 orders have 145 payments, 144 are paid."),
        ({"paid": 143}, "144 orders have 144 payments, 143 are paid."),
    ],
)
def test_what_does_not_add_up_is_said(changes: dict[str, int], wrong: str) -> None:
    assert a_count(**changes).wrong == wrong


def test_the_table_shows_the_floor_below_what_it_is_the_floor_of() -> None:
    ours, bare = Speed(80.0, 20.0, 1234.5, 6.0), Speed(200.0, 9.0, 11.0, 4.0)
    rows = (Row("Order", 4, ours, 4, bare), Row("Delivered", 4, Speed(12.0)))
    out = io.StringIO()
    measured = Measured(rows, a_count(paid=143))
    Console(file=out, width=132).print(throughput.table_of(measured))
    cells = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in out.getvalue().splitlines()
        if line.startswith("│")
    ]
    assert cells == [
        ["Order", "4", "4", "80.0", "20.0 ms", "1,234.5 ms", "6.0 ms", "1.5"],
        [throughput.FLOOR.strip(), "", "4", "200.0", "9.0 ms", "11.0 ms", "4.0 ms", ""],
        ["Delivered", "4", "-", "12.0", "-", "-", "-", "-"],
    ]
    assert "on moto" in out.getvalue()
    assert "143 are paid" in throughput.notes_of(measured)


def test_figures_are_told_from_process_to_process() -> None:
    rows = (Row("Order", 4, Speed(80.0, 1, 2, 3), 4, Speed(9.0, 1, 2, 3)), Row("D", 4, Speed(1.0)))
    measured = Measured(rows, a_count())
    told = throughput.as_json(measured)
    assert told["rows"][0]["cpu_ratio"] == 1.0
    for row in told["rows"]:
        del row["cpu_ratio"]
    assert throughput.measured_from(told) == measured


class TestClients:
    def test_only_what_counts_is_timed(self) -> None:
        heard: list[float] = []
        tasks = [[lambda: True, lambda: False], [lambda: True]]
        timings = Clients(tasks, heard.append).run()
        assert len(timings.each_ms) == 2
        assert timings.together_seconds > 0

    def test_how_far_it_has_come_is_told_up_to_the_end(self) -> None:
        heard: list[float] = []
        Clients([[lambda: True] * 20, [lambda: True] * 20], heard.append).run()
        assert heard == [0.25, 0.5, 0.75, 1.0]

    def test_one_that_fails_ends_all(self) -> None:
        def fail() -> bool:
            raise KeyError("what it was")

        with pytest.raises(Worthless, match="what it was"):
            Clients([[fail], [lambda: True] * 3], lambda part: None).run()

    def test_without_an_answer_there_are_no_figures(self) -> None:
        with pytest.raises(Worthless, match="nothing"):
            Clients([[lambda: False]], lambda part: None).run()


def a_call(**params: object) -> AwsCall:
    return AwsCall("dynamodb", "PutItem", params, 200, {}, b"")


class TestFloor:
    ONE = "ord_" + "a" * 24
    OTHER = "ord_" + "b" * 24
    LISTING = "lst_" + "l" * 24

    def samples(self) -> list[list[AwsCall]]:
        """Two orders of the same listing."""
        return [
            [a_call(Item={"order_id": {"S": order}, "listing": {"S": self.LISTING}})]
            for order in (self.ONE, self.OTHER)
        ]

    def test_only_what_no_other_sample_has_is_copied(self) -> None:
        own = floor.own_tokens(self.samples())
        assert own == [frozenset({"a" * 24}), frozenset({"b" * 24})]

    def test_a_copy_has_ids_of_its_own_everywhere_and_is_as_long(self) -> None:
        own = floor.own_tokens(self.samples())[0]
        params = {
            "Key": {"order_id": {"S": self.ONE}},
            "Names": {"#o": self.ONE},
            "Map": {self.ONE: [f"pay_{'a' * 24}", self.LISTING, 7, b"sealed", None]},
        }
        first, second = (floor.renamed(params, own, number) for number in (1, 37))
        copied = "ord_" + "a" * 18 + "000001"
        assert first == {
            "Key": {"order_id": {"S": copied}},
            "Names": {"#o": copied},
            "Map": {copied: [f"pay_{'a' * 18}000001", self.LISTING, 7, b"sealed", None]},
        }
        assert second["Names"]["#o"] == "ord_" + "a" * 18 + "000011"
        assert len(str(first)) == len(str(params))

    def test_a_thousand_copies_are_all_different(self) -> None:
        own = frozenset({"a" * 24})
        copies = {floor.renamed(self.ONE, own, number) for number in range(1000)}
        assert len(copies) == 1000

    def test_words_numbers_and_times_stay(self) -> None:
        text = "callback_apply#3 2030-06-14T19:00:00.000Z maalem-local-orders 1766000000000"
        assert list(floor.tokens_in(text)) == []

    def test_calls_of_other_services_are_left_out(self) -> None:
        class Client:
            def put_item(self, **params: object) -> object:
                return params

        queue = AwsCall("sqs", "SendMessage", {}, 200, {}, b"")
        [(call, params)] = floor.calls_of(Client(), [queue, a_call(TableName="t")], frozenset(), 1)
        assert call(**params) == {"TableName": "t"}


def test_a_small_crowd_is_measured_and_everything_adds_up() -> None:
    """As `make bench` runs it, with two orders for each client."""
    code = "from infra.bench import crowd; crowd.ORDERS_EACH = 2; raise SystemExit(crowd.main())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    measured = throughput.measured_from(told[-1])
    assert measured.counted == a_count(pieces=129, refused=0, orders=16, payments=16, paid=16)
    assert [(row.count, row.round_trips) for row in measured.rows] == [
        (16, 4), (8, 5), (8, 1), (16, None),
    ]  # fmt: skip
    parts = [line["part"] for line in told[:-1]]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0, 0.9)
