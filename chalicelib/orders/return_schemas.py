"""What returns look like in requests and answers."""

from typing import Annotated

from pydantic import Field

from chalicelib.edge.schemas import AnswerBody, Moment, RequestBody
from chalicelib.listings.domain import stock_id_of
from chalicelib.orders.return_domain import Return, ReturnStatus
from chalicelib.orders.schemas import Lines, Text


class RequestReturnBody(RequestBody):
    lines: Lines
    reason: Text

    def quantities(self) -> dict[str, int]:
        """How many of each line; a line named twice counts twice."""
        sums: dict[str, int] = {}
        for line in self.lines:
            line_id = stock_id_of(line.listing_id, line.variant)
            sums[line_id] = sums.get(line_id, 0) + line.quantity
        return sums


class AnswerReturnBody(RequestBody):
    answer: Annotated[Text | None, Field(description="a word to the buyer")] = None


class ReturnedLine(AnswerBody):
    listing_id: str
    variant: str | None
    quantity: int


class ReturnView(AnswerBody):
    id: str
    order_id: str
    parcel_id: str
    status: ReturnStatus
    lines: list[ReturnedLine]
    reason: str
    answer: str | None
    requested_at: Moment

    @classmethod
    def of(cls, asked: Return) -> "ReturnView":
        return cls(
            id=asked.return_id,
            order_id=asked.order_id,
            parcel_id=asked.parcel_id,
            status=asked.status,
            lines=[_line(line_id, quantity) for line_id, quantity in asked.lines.items()],
            reason=asked.reason,
            answer=asked.answer,
            requested_at=asked.requested_at,
        )


def _line(line_id: str, quantity: int) -> ReturnedLine:
    listing_id, _, variant = line_id.partition(":")
    return ReturnedLine(listing_id=listing_id, variant=variant or None, quantity=quantity)


class ReturnList(AnswerBody):
    data: list[ReturnView]
