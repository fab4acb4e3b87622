"""Pieces of request and response bodies that every feature shares."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from chalicelib.edge.addresses import MAX_URL_LENGTH, UnsafeAddress, check_public_url
from chalicelib.money import Money

MAX_AMOUNT_MINOR = 10**12


def rfc3339(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


Moment = Annotated[datetime, PlainSerializer(rfc3339, return_type=str)]
"""A time in answers: RFC 3339 in UTC, whole seconds."""


def _public_url(url: str) -> str:
    try:
        return check_public_url(url)
    except UnsafeAddress as error:
        raise PydanticCustomError("unsafe_address", error.detail) from error


PublicUrl = Annotated[
    str,
    Field(max_length=MAX_URL_LENGTH, json_schema_extra={"format": "uri"}),
    AfterValidator(_public_url),
]
"""An address of another's, https at a public host name; wrong is a field's `unsafe_address`."""


class RequestBody(BaseModel):
    """Base of request bodies: a field we do not know is refused, not ignored.

    A model is made ready when it is first used: a cold start pays only for what it is asked.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)


class AnswerBody(BaseModel):
    """Base of what is answered; made ready when it is first used, as request bodies are."""

    model_config = ConfigDict(defer_build=True)


class MoneyBody(BaseModel):
    """`{"amount_minor": 24990, "currency": "MAD"}`: whole minor units, never a float."""

    model_config = ConfigDict(extra="forbid")

    amount_minor: Annotated[int, Field(ge=-MAX_AMOUNT_MINOR, le=MAX_AMOUNT_MINOR)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

    @classmethod
    def of(cls, money: Money) -> "MoneyBody":
        return cls(amount_minor=money.amount_minor, currency=money.currency)

    def to_domain(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Nothing(BaseModel):
    """An empty body, for calls whose meaning is all in the address."""

    model_config = ConfigDict(extra="forbid")
