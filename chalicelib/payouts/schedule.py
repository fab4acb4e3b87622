"""Batches that draft themselves, by a plan such as "MON 09:00, THU 14:30" in Morocco's time.

A batch follows from its day, so there is never a second one; approving it stays with people.
"""

from datetime import date, datetime, time

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.payouts import batch_tables, domain, drafting

NO_PLAN = ("", "off")
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def draft_scheduled() -> None:
    """Draft the batch of this day once its time has come, if the plan has one."""
    plan = settings().payout_schedule
    if plan in NO_PLAN:
        return
    day = day_due(plan, clock.in_morocco(clock.now()))
    if day is None:
        return
    batch_id = domain.batch_id_of_day(domain.SCHEDULE, day)
    if not batch_tables.exists(batch_id):
        drafting.draft(batch_id, domain.SCHEDULE)


def day_due(plan: str, local: datetime) -> date | None:
    """This day, from the time on that a plan names for its weekday; None before, and otherwise."""
    for part in plan.split(","):
        weekday, _, at = part.strip().partition(" ")
        if DAYS.index(weekday) == local.weekday() and time.fromisoformat(at) <= local.time():
            return local.date()
    return None
