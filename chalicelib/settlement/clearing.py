"""What the providers still owe us, payment by payment, by age: what `psp_clearing` consists of."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from chalicelib import clock
from chalicelib.money import Money
from chalicelib.settlement import break_tables, payment_tables
from chalicelib.settlement.break_domain import AGE_DAYS, BreakKind, BreakStatus

LOOKED_AT = 1_000
"""So many of each shard, and so many breaks, are looked at for one answer."""


@dataclass(frozen=True, slots=True)
class Bucket:
    count: int = 0
    amount: Money = Money(0)

    def with_one(self, amount: Money) -> "Bucket":
        return Bucket(self.count + 1, self.amount + amount)


@dataclass(frozen=True, slots=True)
class Outstanding:
    by_age: dict[str, dict[str, Bucket]]  # provider, age
    missed: dict[str, Bucket]
    is_complete: bool


def outstanding() -> Outstanding:
    """Payments that no file has named, and those of them that were missed; an index may lag."""
    now = clock.now()
    waiting = payment_tables.unnamed(LOOKED_AT)
    missed, more = break_tables.page(
        BreakStatus.OPEN, BreakKind.MISSING_IN_PROVIDER, None, LOOKED_AT, None
    )
    by_age: dict[str, dict[str, Bucket]] = defaultdict(lambda: defaultdict(Bucket))
    totals: dict[str, Bucket] = defaultdict(Bucket)
    for payment, captured_at in waiting:
        if payment.captured is not None:
            ages = by_age[str(payment.provider)]
            age = _age(captured_at, now)
            ages[age] = ages[age].with_one(payment.captured)
    for one in missed:
        by_age[str(one.provider)]  # so that it is listed
        totals[str(one.provider)] = totals[str(one.provider)].with_one(one.amount)
    is_complete = more is None and len(waiting) < LOOKED_AT
    return Outstanding({name: dict(ages) for name, ages in by_age.items()}, totals, is_complete)


def _age(since: datetime, now: datetime) -> str:
    days = (now - since).days
    return f"D+{next((least for least in AGE_DAYS if days >= least), 0)}"
