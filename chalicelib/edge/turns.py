"""How long a run takes new work for: what is left stays due, and nothing is cut off in the middle.

The build gives each function the time for it (`infra/build/transform.py`).
"""

from datetime import datetime, timedelta

from chalicelib import clock

TAKING_SECONDS = 45
"""After this a sweep or a batch begins nothing new: the next minute's run goes on."""
LONGEST_STEP_SECONDS = 100
"""What may follow one message: five calls to a provider of 20 seconds each, where a payment is
asked about and then voided."""


def last_beginning() -> datetime:
    """Until when a run that starts now may begin something, on the clock that is never moved."""
    return clock.outside_now() + timedelta(seconds=TAKING_SECONDS)
