"""What moto lacks for many threads: one call at a time, and transactions that cost what they touch.

moto's transactions are not thread-safe, and each one copies every table it names, with the whole
history of its stream; a refused one then puts the copies in place, and a reader of the stream is
left holding the old shard. Here a lock lets one call in at a time, and a transaction keeps only the
items that it names. Streams are as DynamoDB's: no record for a write that changes nothing, and one
for an update that creates its item, where moto gives two. And `UPDATED_NEW` gives back every
attribute that was set, also one that was set to what it was.
"""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from moto.core.models import botocore_stubber
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import StreamShard, Table
from moto.dynamodb.responses import DynamoHandler

# Reentrant, since a moto backend may call another through botocore.
moto_lock = RLock()

_process_request = botocore_stubber.process_request
_transact_write_items = DynamoDBBackend.transact_write_items
_update_item = DynamoDBBackend.update_item
_add_record = StreamShard.add
_answer_update = DynamoHandler.update_item
_SET_TARGET = re.compile(r"(?:\bSET\b|,)\s*(#?\w+)\s*=", re.IGNORECASE)


def install() -> None:
    """Put the fixes in place; a second call changes nothing.

    Handlers that were registered with `register_first` run before moto's, outside the lock: a test
    that injects a fault or decides which thread runs next may block there.
    """
    botocore_stubber.process_request = _one_at_a_time
    DynamoDBBackend.transact_write_items = _transact
    DynamoDBBackend.update_item = _update
    StreamShard.add = _add_change
    DynamoHandler.update_item = _update_and_answer


def _one_at_a_time(request: Any) -> Any:
    with moto_lock:
        return _process_request(request)


def _add_change(shard: StreamShard, old: Any, new: Any) -> None:
    if old is None or new is None or old.attrs != new.attrs:
        _add_record(shard, old, new)


def _update(backend: DynamoDBBackend, table_name: str, key: Any, *args: Any, **kwargs: Any) -> Any:
    table = backend.get_table(table_name)
    shard = table.stream_shard
    if shard is None or any(name not in key for name in table.table_key_attrs):
        return _update_item(backend, table_name, key, *args, **kwargs)
    before = copy.deepcopy(table.get_item(*backend.get_keys_value(table, key)))
    table.stream_shard = None
    try:
        item = _update_item(backend, table_name, key, *args, **kwargs)
    finally:
        table.stream_shard = shard
    shard.add(before, item)
    return item


def _update_and_answer(handler: DynamoHandler) -> Any:
    answer = _answer_update(handler)
    request = handler.body
    if request.get("ReturnValues") == "UPDATED_NEW" and "UpdateExpression" in request:
        item = handler.dynamodb_backend.get_item(request["TableName"], request["Key"])
        stored = item.to_json()["Attributes"] if item else {}
        names = request.get("ExpressionAttributeNames", {})
        given: dict[str, Any] = answer.result
        given["Attributes"] = {
            name: value
            for name, value in given.get("Attributes", {}).items()
            if name not in request["Key"]
        }
        for target in _SET_TARGET.findall(request["UpdateExpression"]):
            name = names.get(target, target)
            if name in stored:
                given["Attributes"][name] = stored[name]
    return answer


def _transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    undo = _Undo(backend, transact_items)
    try:
        with _tables_are_not_copied():
            _transact_write_items(backend, transact_items)
    except BaseException:
        undo.restore()
        raise


@contextmanager
def _tables_are_not_copied() -> Iterator[None]:
    # Safe because the lock is held: nobody else copies a table meanwhile.
    Table.__deepcopy__ = lambda table, memo: table
    try:
        yield
    finally:
        del Table.__deepcopy__


class _Undo:
    """The items a transaction names, as they were before it."""

    def __init__(self, backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        self._items: list[tuple[Table, Any, Any, Any]] = []
        self._streams: dict[str, tuple[Any, int]] = {}
        for action in transact_items:
            for kind, request in action.items():
                self._remember(backend, kind, request)

    def _remember(self, backend: DynamoDBBackend, kind: str, request: dict[str, Any]) -> None:
        table = backend.tables.get(request.get("TableName", ""))
        key = request.get("Item" if kind == "Put" else "Key")
        if table is None or not key or table.hash_key_attr not in key:
            return  # moto refuses it by itself, and changes nothing for it.
        if table.range_key_attr is not None and table.range_key_attr not in key:
            return
        hash_key, range_key = backend.get_keys_value(table, key)
        before = copy.deepcopy(table.get_item(hash_key, range_key))
        self._items.append((table, hash_key, range_key, before))
        if table.stream_shard is not None:
            self._streams[table.name] = (table.stream_shard, len(table.stream_shard.items))

    def restore(self) -> None:
        for table, hash_key, range_key, before in self._items:
            holder, slot = (table.items, hash_key)
            if range_key is not None:
                holder, slot = (table.items[hash_key], range_key)
            if before is None:
                holder.pop(slot, None)
            else:
                holder[slot] = before
        for shard, length in self._streams.values():
            del shard.items[length:]
