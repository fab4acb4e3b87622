"""What operators send and see of holds, of what is owed, and of what is written off."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody, RequestBody
from chalicelib.edge.texts import prose
from chalicelib.settlement.hold_domain import OperatorHold
from chalicelib.settlement.owed_domain import Receivable, WriteOff

ArtisanId = Annotated[str, Field(pattern=r"^art_[a-z2-7]{24}$")]
ParcelId = Annotated[str, Field(pattern=r"^prc_[a-z2-7]{24}[0-9]{2}$")]
Why = prose(500)


def _above_zero(amount: MoneyBody) -> MoneyBody:
    if amount.currency != "MAD" or amount.amount_minor <= 0:
        raise PydanticCustomError("amount_not_allowed", "give more than 0 in MAD")
    return amount


class HoldBody(RequestBody):
    """A hold is on one parcel's money or on all that an artisan has: name one of them."""

    parcel_id: ParcelId | None = None
    artisan_id: ArtisanId | None = None
    reason: Why


class LiftBody(RequestBody):
    reason: Why


class HoldsQuery(AnswerBody):
    model_config = ConfigDict(extra="forbid")

    artisan_id: ArtisanId


class HoldView(AnswerBody):
    """`parcel_id` null: all that the artisan has is neither released nor paid out."""

    id: str
    artisan_id: str
    parcel_id: str | None
    reason: str
    placed_by: str
    placed_at: Moment
    lifted_by: str | None
    lifted_reason: str | None
    lifted_at: Moment | None

    @classmethod
    def of(cls, hold: OperatorHold) -> "HoldView":
        return cls(
            id=hold.hold_id,
            artisan_id=hold.artisan_id,
            parcel_id=hold.parcel_id,
            reason=hold.reason,
            placed_by=hold.placed_by,
            placed_at=hold.placed_at,
            lifted_by=hold.lifted_by,
            lifted_reason=hold.lifted_reason,
            lifted_at=hold.lifted_at,
        )


class HoldList(AnswerBody):
    data: list[HoldView]


class ReceivableView(AnswerBody):
    """`since`: when the artisan came to owe; of a long story, or before that."""

    artisan_id: str
    owed: MoneyBody
    since: Moment | None

    @classmethod
    def of(cls, found: Receivable) -> "ReceivableView":
        return cls(artisan_id=found.artisan_id, owed=MoneyBody.of(found.owed), since=found.since)


class WriteOffBody(RequestBody):
    amount: Annotated[MoneyBody, AfterValidator(_above_zero)]
    reason: Why


class WriteOffView(AnswerBody):
    """`status`: posted, or awaiting_approval by another operator."""

    id: str
    artisan_id: str
    amount: MoneyBody
    status: str
    reason: str
    drafted_by: str
    drafted_at: Moment
    approved_by: str | None
    posted_at: Moment | None

    @classmethod
    def of(cls, found: WriteOff) -> "WriteOffView":
        return cls(
            id=found.write_off_id,
            artisan_id=found.artisan_id,
            amount=MoneyBody.of(found.amount),
            status=found.status,
            reason=found.reason,
            drafted_by=found.drafted_by,
            drafted_at=found.drafted_at,
            approved_by=found.approved_by,
            posted_at=found.posted_at,
        )


class WriteOffList(AnswerBody):
    data: list[WriteOffView]
