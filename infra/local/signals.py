"""Tells the pump that there may be work: any call that wrote to a table or sent a message."""

from threading import Event
from typing import Any

# Set after a write; whoever waits for work clears it first, and then looks.
work = Event()

_WRITES = frozenset(
    {
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
        "TransactWriteItems",
        "SendMessage",
        "SendMessageBatch",
    }
)


def note_call(model: Any, **_: object) -> None:
    """A botocore `after-call` handler."""
    if model.name in _WRITES:
        work.set()
