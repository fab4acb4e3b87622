"""What a process remembers for a moment, so that a repeated read touches no table."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Generic, TypeVar

from chalicelib import clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_caches: list["TtlCache[Any, Any]"] = []


class TtlCache(Generic[K, V]):
    """Values that are good for `seconds`; the one used longest ago makes room for a new one."""

    def __init__(self, seconds: int, max_entries: int) -> None:
        assert seconds > 0
        assert max_entries > 0
        self._lifetime = timedelta(seconds=seconds)
        self._max_entries = max_entries
        self._entries: OrderedDict[K, tuple[datetime, V]] = OrderedDict()
        self._lock = Lock()
        self._clearings = 0
        _caches.append(self)

    def get(self, key: K, load: Callable[[], V]) -> V:
        """The remembered value, or what `load` gives. A `load` that raises is not remembered."""
        now = clock.now()
        with self._lock:
            entry = self._entries.get(key)
            # A moment ahead of now was written before the clock of a test was set back.
            if entry is not None and entry[0] <= now < entry[0] + self._lifetime:
                self._entries.move_to_end(key)
                return entry[1]
            clearings = self._clearings
        value = load()
        with self._lock:
            if clearings != self._clearings:  # What was loaded may be older than the change.
                return value
            self._entries[key] = (now, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget everything: this process has just changed what lies behind."""
        with self._lock:
            self._entries.clear()
            self._clearings += 1


def forget_everything() -> None:
    """Empty every cache of this process, after the tables behind it were replaced."""
    for cache in _caches:
        cache.clear()
