"""Seeded interleaving: actors are threads, one runs at a time, and the baton moves at AWS calls.

That is the granularity DynamoDB has, so a schedule is one order in which concurrent requests could
have reached it, and it comes back from its seed.
"""

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

from tests.wire import Answer, Attempt, Send, attempts_through

STUCK_SECONDS = 30


class _Baton:
    def __init__(self, count: int, seed: int) -> None:
        self._chosen = random.Random(seed)
        self._changed = threading.Condition()
        self._alive = set(range(count))
        self._waiting: set[int] = set()
        self._holder: int | None = None
        self.trace: list[tuple[int, str]] = []

    def wait(self, me: int) -> None:
        """Come to rest, and go on when it is this actor's turn."""
        with self._changed:
            self._waiting.add(me)
            self._pass_on()
            if not self._changed.wait_for(lambda: self._holder == me, STUCK_SECONDS):
                raise TimeoutError("the baton is lost")
            self._holder = None

    def leave(self, me: int) -> None:
        with self._changed:
            self._alive.discard(me)
            self._pass_on()

    def _pass_on(self) -> None:
        # Only when all rest: else it would be luck who comes first, and no seed would repeat it.
        if self._alive and self._waiting == self._alive:
            self._holder = self._chosen.choice(sorted(self._waiting))
            self._waiting.discard(self._holder)
            self._changed.notify_all()


def interleave(actors: Sequence[Callable[[], Any]], seed: int) -> list[Any]:
    """Run actors, one AWS call at a time, in the order that `seed` gives.

    Returns:
        What each actor returned, or the exception it raised.
    """
    baton = _Baton(len(actors), seed)
    own = threading.local()
    results: list[Any] = [None] * len(actors)

    def make(attempt: Attempt, send: Send) -> Answer:
        me = getattr(own, "me", None)
        if me is not None:
            baton.wait(me)
            baton.trace.append((me, attempt.operation))
        return send()

    def act(me: int) -> None:
        own.me = me
        try:
            baton.wait(me)
            results[me] = actors[me]()
        except BaseException as error:  # handed to the test
            results[me] = error
        finally:
            own.me = None
            baton.leave(me)

    with attempts_through(make):
        threads = [
            threading.Thread(target=act, args=(number,), daemon=True)
            for number in range(len(actors))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * STUCK_SECONDS)
            assert not thread.is_alive(), f"seed {seed} is stuck"
    return results
