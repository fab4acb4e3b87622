"""Reads the demo texts under data/: products, artisans, towns, tones, collections."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

Row = dict[str, Any]


def _read(name: str) -> Row:
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


def _rows(folder: str, table: str) -> tuple[Row, ...]:
    files = sorted((DATA / folder).glob("*.toml"))
    return tuple(row for file in files for row in _read(f"{folder}/{file.name}")[table])


@cache
def towns() -> Row:
    return _read("towns.toml")


@cache
def tones() -> Row:
    return _read("tones.toml")


@cache
def closings() -> Row:
    return _read("closings.toml")


@cache
def collections() -> Row:
    return _read("collections.toml")


@cache
def products() -> dict[str, Row]:
    rows = _rows("products", "product")
    by_key = {row["key"]: row for row in rows}
    assert len(by_key) == len(rows)
    return by_key


@cache
def artisans() -> tuple[Row, ...]:
    return tuple(sorted(_rows("artisans", "artisan"), key=lambda row: row["number"]))
