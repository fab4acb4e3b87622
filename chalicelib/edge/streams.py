"""Streams of the tables: the outbox. One change at a time, in order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.edge.observability import log_failure
from chalicelib.edge.queues import partial_failures


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one item; images are raw DynamoDB attribute values, None when absent."""

    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None

    def became(self, attribute: str) -> str | None:
        """The text an attribute now has, when this change gave it that text; else None."""
        before = (self.old or {}).get(attribute, {}).get("S")
        after = (self.new or {}).get(attribute, {}).get("S")
        return after if after != before else None

    def lost(self, attribute: str) -> bool:
        """True when the item had this attribute and, still there, has it no more."""
        return attribute in (self.old or {}) and attribute not in (self.new or {attribute: None})

    def text(self, attribute: str) -> str:
        """A text attribute of the new image."""
        value: str = (self.new or {})[attribute]["S"]
        return value


def consume_changes(
    records: list[Mapping[str, Any]], handle: Callable[[Change], None]
) -> dict[str, Any]:
    """Hand over changes in order; at the first that fails, all from there on come again."""
    for record in records:
        data = record["dynamodb"]
        try:
            handle(Change(old=data.get("OldImage"), new=data.get("NewImage")))
        except Exception as error:  # The stream waits at this record; Lambda bisects and parks it.
            log_failure("change failed", error, sequence_number=data["SequenceNumber"])
            return partial_failures([data["SequenceNumber"]])
    return partial_failures([])
