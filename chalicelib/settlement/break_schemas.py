"""What the routes of breaks read and answer."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.edge.pages import PageQuery
from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody, RequestBody
from chalicelib.settlement import break_domain
from chalicelib.settlement.break_domain import Break, BreakKind, BreakStatus, Resolution
from chalicelib.settlement.clearing import Bucket, Outstanding

ProviderName = Literal["cmi", "mastercard", "payzone", "wallet"]


class BreakQuery(PageQuery):
    status: BreakStatus = BreakStatus.OPEN
    kind: BreakKind | None = None
    provider: ProviderName | None = None


class ResolveBreak(RequestBody):
    """How a break ends. `cured` names the event that cured it."""

    resolution: Annotated[Resolution, Field(strict=False)]
    note: Annotated[str, Field(min_length=3, max_length=500, description="why; no personal data")]
    event_id: Annotated[
        str | None,
        Field(pattern=r"^[!-~]{1,120}$", description="an entry, a line, a refund or another event"),
    ] = None


class BreakView(AnswerBody):
    """Something that does not fit. `age` is how long it has been open at least (`D+0`, `D+1`,
    `D+3`, `D+7`), `event_id` the entry that resolved it or the event that cured it."""

    id: str
    kind: BreakKind
    status: BreakStatus
    owner: str
    provider: str | None
    reference: str | None
    amount: MoneyBody
    reason: str
    line_id: str | None
    opened_at: Moment
    due_at: Moment
    age: str
    resolution: Resolution | None = None
    resolved_at: Moment | None = None
    resolved_by: str | None = None
    note: str | None = None
    event_id: str | None = None

    @classmethod
    def of(cls, found: Break, at: datetime) -> "BreakView":
        return cls(
            id=found.break_id,
            kind=found.kind,
            status=found.status,
            owner=found.owner,
            provider=found.provider,
            reference=found.reference,
            amount=MoneyBody.of(found.amount),
            reason=found.reason,
            line_id=found.line_id,
            opened_at=found.opened_at,
            due_at=found.due_at,
            age=break_domain.age_of(found, at),
            resolution=found.resolution,
            resolved_at=found.resolved_at,
            resolved_by=found.resolved_by,
            note=found.note or None,
            event_id=found.event_id,
        )


class BucketView(AnswerBody):
    count: int
    amount: MoneyBody

    @classmethod
    def of(cls, bucket: Bucket) -> "BucketView":
        return cls(count=bucket.count, amount=MoneyBody.of(bucket.amount))


class ProviderClearing(AnswerBody):
    """What a provider has still to pay, by how long ago it was captured (`D+0` to `D+7`);
    `missed` is what no file named in time."""

    provider: str
    by_age: dict[str, BucketView]
    missed: BucketView


class ClearingView(AnswerBody):
    """`is_complete` is false where there is more than was looked at."""

    providers: list[ProviderClearing]
    is_complete: bool

    @classmethod
    def of(cls, found: Outstanding) -> "ClearingView":
        return cls(
            providers=[
                ProviderClearing(
                    provider=name,
                    by_age={age: BucketView.of(one) for age, one in sorted(ages.items())},
                    missed=BucketView.of(found.missed.get(name, Bucket())),
                )
                for name, ages in sorted(found.by_age.items())
            ],
            is_complete=found.is_complete,
        )
