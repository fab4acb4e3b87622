"""Working off what is due, each piece apart: one that fails keeps no other back (P9)."""

from collections.abc import Callable, Iterable

from chalicelib import clock
from chalicelib.edge import turns
from chalicelib.edge.observability import count, log_failure
from chalicelib.edge.storage import is_outage


class StepsFailed(RuntimeError):
    """Some of what was due could not be done; it is still due, and somebody should look."""


def each_apart(steps: Iterable[Callable[[], object]]) -> None:
    """Take every step. When the store is not answering, or the time is up, stop: what is left
    stays due.

    Raises:
        StepsFailed: afterwards, when steps failed, so that the sweep's alarm tells.
    """
    failed = 0
    last_beginning = turns.last_beginning()
    for step in steps:
        if clock.outside_now() >= last_beginning:
            count("SweepCutShort")
            break
        try:
            step()
        except Exception as error:  # Whatever it is, the other pieces are done.
            if is_outage(error):
                raise
            failed += 1
            count("SweepStepFailed")
            log_failure("a due step failed", error)
    if failed:
        raise StepsFailed(f"{failed} steps failed")
