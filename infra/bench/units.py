"""DynamoDB's request units, by its published rules, from items in the wire form.

Sizes: developer guide, "DynamoDB item sizes and formats". Units: "DynamoDB read and write
operations" and, for indexes, "Using Global Secondary Indexes". moto's own figures follow neither.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

READ_UNIT_BYTES = 4 * 1024
WRITE_UNIT_BYTES = 1024
COLLECTION_OVERHEAD_BYTES = 3
ELEMENT_OVERHEAD_BYTES = 1

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index; `included` is None where everything is projected."""

    name: str
    keys: tuple[str, ...]
    included: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Schema:
    keys: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> "Schema":
        """From what DescribeTable answers."""
        return cls(
            keys=_key_names(description["KeySchema"]),
            indexes=tuple(
                Index(
                    name=index["IndexName"],
                    keys=_key_names(index["KeySchema"]),
                    included=_included(index["Projection"]),
                )
                for index in description.get("GlobalSecondaryIndexes", ())
            ),
        )

    def key_of(self, item: Item) -> dict[str, Any]:
        return {name: item[name] for name in self.keys}


def _key_names(key_schema: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in key_schema)


def _included(projection: Mapping[str, Any]) -> frozenset[str] | None:
    if projection["ProjectionType"] == "ALL":
        return None
    return frozenset(projection.get("NonKeyAttributes", ()))


def item_bytes(item: Item) -> int:
    """The size of an item: names and values in UTF-8; an item that is not there has none."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind in ("NULL", "BOOL"):
        return 1
    if kind == "M":
        inside = item_bytes(content)
        return COLLECTION_OVERHEAD_BYTES + inside + ELEMENT_OVERHEAD_BYTES * len(content)
    if kind == "L":
        inside = sum(map(_value_bytes, content))
        return COLLECTION_OVERHEAD_BYTES + inside + ELEMENT_OVERHEAD_BYTES * len(content)
    if kind in ("SS", "NS", "BS"):
        return sum(_value_bytes({kind[0]: one}) for one in content)
    return _scalar_bytes(kind, content)


def _scalar_bytes(kind: str, content: Any) -> int:
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return _number_bytes(content)
    assert kind == "B"
    return len(content if isinstance(content, bytes) else base64.b64decode(content))


def _number_bytes(text: str) -> int:
    """One byte, and one for every two significant digits; one more below zero."""
    number = Decimal(text)
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return 1 + (len(digits) + 1) // 2 + (number < 0)


def read_units(size_bytes: int, *, consistent: bool, transactional: bool = False) -> float:
    """Units of one read: 4 KB each, half when eventually consistent, twice in a transaction.

    What is not there costs as much as the smallest item.
    """
    blocks = max(1, -(-size_bytes // READ_UNIT_BYTES))
    if transactional:
        return 2.0 * blocks
    return blocks if consistent else blocks / 2


def query_units(items: Iterable[Item], *, consistent: bool) -> float:
    """Units of a query: what it looked through is added up, and only then rounded."""
    return read_units(sum(map(item_bytes, items)), consistent=consistent)


def write_units(
    before: Item | None, after: Item | None, schema: Schema, *, transactional: bool = False
) -> int:
    """Units of one write with what it writes to the indexes.

    The larger of what was there and what is there now counts, per KB. An index is written after
    the transaction has committed, so its units are not doubled (our reading: AWS does not say).
    """
    table = _blocks(max(item_bytes(before or {}), item_bytes(after or {})))
    return table * (2 if transactional else 1) + sum(
        index_units(before, after, schema, index) for index in schema.indexes
    )


def index_units(before: Item | None, after: Item | None, schema: Schema, index: Index) -> int:
    """Nothing when its entry stays; two writes, away and in, when the entry's key changes."""
    old, new = entry_of(before, schema, index), entry_of(after, schema, index)
    if old == new:
        return 0
    if old is not None and new is not None and _same_place(old, new, index):
        return _blocks(max(item_bytes(old), item_bytes(new)))
    return sum(_blocks(item_bytes(entry)) for entry in (old, new) if entry is not None)


def entry_of(item: Item | None, schema: Schema, index: Index) -> dict[str, Any] | None:
    """What an index holds of an item; None when a key of the index is missing."""
    if item is None or any(name not in item for name in index.keys):
        return None
    if index.included is None:
        return dict(item)
    held = index.included | {*index.keys, *schema.keys}
    return {name: value for name, value in item.items() if name in held}


def _same_place(old: Item, new: Item, index: Index) -> bool:
    return all(old[name] == new[name] for name in index.keys)


def _blocks(size_bytes: int) -> int:
    return max(1, -(-size_bytes // WRITE_UNIT_BYTES))
