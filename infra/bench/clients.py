"""Threads that ask one thing after the other, all starting together, and how long each took."""

import threading
from collections.abc import Callable, Sequence
from time import perf_counter, process_time

from infra.bench.throughput import PHASE_SECONDS, Timings

TOLD_EVERY = 10

Task = Callable[[], bool]
"""One request; False when what was answered is not to be counted."""


class Worthless(Exception):
    """Something was answered that makes the figures worthless; the text says what."""


class Clients:
    """A thread for each list of tasks. After PHASE_SECONDS nobody begins another one."""

    def __init__(self, tasks: Sequence[Sequence[Task]], say: Callable[[float], object]) -> None:
        self._tasks = tasks
        self._say = say
        self._total = sum(map(len, tasks))
        self._start, self._lock = threading.Barrier(len(tasks)), threading.Lock()
        self._each_ms: list[float] = []
        self._done = 0
        self._spans: list[tuple[float, float]] = []
        self._failures: list[Exception] = []

    def run(self) -> Timings:
        """
        Raises:
            Worthless: a task failed, or none was counted.
        """
        cpu = process_time()
        threads = [threading.Thread(target=self._work, args=(own,)) for own in self._tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failures:
            raise Worthless(str(self._failures[0])) from self._failures[0]
        if not self._each_ms:
            raise Worthless("nothing was answered in time")
        began, ended = zip(*self._spans, strict=True)
        spent = process_time() - cpu
        return Timings(tuple(self._each_ms), max(ended) - min(began), spent / self._done)

    def _work(self, own: Sequence[Task]) -> None:
        self._start.wait()
        began = before = perf_counter()
        for task in own:
            if self._failures or before - began > PHASE_SECONDS:
                break
            try:
                counts = task()
            except Exception as error:  # Whoever waits for the threads tells it.
                self._failures.append(error)
                break
            after = perf_counter()
            self._note((after - before) * 1000 if counts else None)
            before = perf_counter()
        with self._lock:
            self._spans.append((began, before))

    def _note(self, took_ms: float | None) -> None:
        with self._lock:
            self._done += 1
            if took_ms is not None:
                self._each_ms.append(took_ms)
            if self._done % TOLD_EVERY == 0:
                self._say(self._done / self._total)
