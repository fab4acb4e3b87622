"""The figures beside their targets, as one table."""

from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from infra.bench.cases import Recorded

CPU_RATIO = 1.6
COLD_RATIO = 1.25
ROUND_TRIPS = {"browse": 1, "browse_again": 0, "order": 4, "wallet": 2}
NONE = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """A use case; a target of None is none."""

    name: str
    title: str
    round_trips: int
    round_trips_target: int | None
    read_units: float
    write_units: float
    handler_us: int
    bare_us: int | None
    cpu_ratio: float | None
    cpu_target: float | None
    other_calls: int = 0

    @property
    def missed(self) -> list[str]:
        """Which of the targets are not reached."""
        found = []
        if self.round_trips_target is not None and self.round_trips > self.round_trips_target:
            found.append("round trips")
        if self.cpu_target is not None and (self.cpu_ratio or 0) > self.cpu_target:
            found.append("CPU")
        return found


def row_of(case: Recorded, cpu: dict[str, Any]) -> Row:
    calls = [call for call in case.measured.calls if call.service == "dynamodb"]
    return Row(
        name=case.name,
        title=case.title,
        round_trips=len(calls),
        round_trips_target=ROUND_TRIPS.get(case.name),
        read_units=sum(call.read_units for call in calls),
        write_units=sum(call.write_units for call in calls),
        handler_us=cpu["handler_us"],
        bare_us=cpu["bare_us"],
        cpu_ratio=cpu["cpu_ratio"],
        cpu_target=CPU_RATIO if cpu["bare_us"] else None,
        other_calls=len(case.measured.calls) - len(calls),
    )


def table_of(rows: list[Row], cold: dict[str, Any] | None, zips: dict[str, int]) -> Table:
    table = Table(title="What a use case costs (target after the figure)", title_justify="left")
    table.add_column("use case")
    for name in ("round trips", "RRU", "WRU", "handler", "bare client", "CPU ratio"):
        table.add_column(name, justify="right")
    table.add_column("target")
    for row in rows:
        table.add_row(*_cells(row))
    if cold is not None:
        table.add_section()
        _add_cold(table, cold, zips)
    return table


def _cells(row: Row) -> list[str]:
    return [
        row.title,
        _beside(row.round_trips, row.round_trips_target),
        f"{row.read_units:g}" if row.read_units else NONE,
        f"{row.write_units:g}" if row.write_units else NONE,
        f"{row.handler_us:,} µs",
        f"{row.bare_us:,} µs" if row.bare_us else NONE,
        _beside(row.cpu_ratio, row.cpu_target),
        _verdict(row.missed, row.round_trips_target is not None or row.cpu_target is not None),
    ]


def _add_cold(table: Table, cold: dict[str, Any], zips: dict[str, int]) -> None:
    is_over = cold["ratio"] > COLD_RATIO
    table.add_row(
        "Cold start: import and DynamoDB client", NONE, NONE, NONE,
        f"{cold['handler_cpu_ms']:g} ms", f"{cold['empty_cpu_ms']:g} ms",
        _beside(cold["ratio"], COLD_RATIO), _verdict(["cold start"] if is_over else [], True),
    )  # fmt: skip
    if not zips:
        table.add_row("Zip: run `make package` first", *[NONE] * 7)
    for stage, size in zips.items():
        size_text = f"{size / 1024 / 1024:.2f} MB"
        table.add_row(f"Zip of {stage}", NONE, NONE, NONE, size_text, NONE, NONE, NONE)


def _beside(figure: float | None, target: float | None) -> str:
    if figure is None:
        return NONE
    return f"{figure:g}" if target is None else f"{figure:g} / {target:g}"


def _verdict(missed: list[str], has_target: bool) -> str:
    if missed:
        return f"[bold red]not reached: {', '.join(missed)}[/]"
    return "reached" if has_target else NONE


NOTES = """\
Round trips are DynamoDB calls of one warm run; units follow AWS's published rules from the sizes of
the stored items on moto (transactions twice, index writes included), not from ConsumedCapacity.
CPU is process time in one process, handler and bare botocore client in turns, answers from a tape:
no network, no TLS. Cold start is CPU of new processes against an empty Chalice app with boto3."""


def as_json(rows: list[Row], cold: dict[str, Any] | None, zips: dict[str, int]) -> dict[str, Any]:
    return {
        "use_cases": [asdict(row) | {"missed": row.missed} for row in rows],
        "cold_start": cold and cold | {"target": COLD_RATIO},
        "zip_bytes": zips,
    }
