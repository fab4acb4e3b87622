"""One thing to tell one person: the message that any feature may send, and what it may be about.

`edge/notices.py` sends it, `notifications` puts it into words. Who it is for stands in it sealed
only; its parameters are in clear and name no person: ids, amounts, times, and what was bought.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, model_validator

Params = Mapping[str, str | int]


class Audience(StrEnum):
    BUYER = "buyer"
    ARTISAN = "artisan"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of notice always has, and what it may have besides."""

    audience: Audience
    needs: frozenset[str]
    may_have: frozenset[str] = frozenset()

    @property
    def params(self) -> frozenset[str]:
        return self.needs | self.may_have


PARAMS: dict[str, type] = {
    "amount_minor": int,  # centimes of MAD
    "carrier": str,
    "goods": str,  # what it is about, in a line; see `goods_line`
    "order_id": str,
    "parcel_id": str,
    "pieces": int,
    "tracking": str,
    "until": str,  # RFC 3339
    "voucher_code": str,
}


def _buyer(*needs: str, may_have: tuple[str, ...] = ()) -> Kind:
    return Kind(Audience.BUYER, frozenset(needs), frozenset(may_have))


def _artisan(*needs: str, may_have: tuple[str, ...] = ()) -> Kind:
    return Kind(Audience.ARTISAN, frozenset(needs), frozenset(may_have))


KINDS: dict[str, Kind] = {
    # What the buyer hears of an order, ...
    "order_placed": _buyer("order_id", "amount_minor", "until", may_have=("voucher_code",)),
    "order_paid": _buyer("order_id", "amount_minor"),
    "order_expired": _buyer("order_id"),
    "order_cancelled": _buyer("order_id", may_have=("amount_minor",)),  # amount: what comes back
    "parcel_accepted": _buyer("order_id", "goods"),
    "parcel_declined": _buyer("order_id", "goods", "amount_minor"),
    "parcel_shipped": _buyer("order_id", "carrier", may_have=("tracking",)),
    "parcel_delivered": _buyer("order_id", "goods", may_have=("until",)),  # until: may return
    "return_accepted": _buyer("order_id", "goods"),
    "return_refused": _buyer("order_id", "goods"),
    "return_received": _buyer("order_id", "goods"),
    "refund_approved": _buyer("order_id", "amount_minor"),
    "refund_paid": _buyer("order_id", "amount_minor"),
    "payment_unapplied": _buyer("order_id", "amount_minor"),
    # ... and the artisan of a sale.
    "order_sold": _artisan("parcel_id", "pieces", "goods"),
    "sale_cancelled": _artisan("parcel_id"),
    "return_requested": _artisan("parcel_id", "goods"),
    "dispute_opened": _artisan("parcel_id", "amount_minor", may_have=("until",)),  # until: evidence
    "dispute_won": _artisan("parcel_id", "amount_minor"),
    "dispute_lost": _artisan("parcel_id", "amount_minor"),
    # ... and of their money.
    "money_released": _artisan("parcel_id", "amount_minor"),
    "money_owed": _artisan("parcel_id", "amount_minor"),
    "money_recovered": _artisan("amount_minor"),
    "debt_written_off": _artisan("amount_minor"),
    "payout_paid": _artisan("amount_minor"),
    "payout_failed": _artisan("amount_minor"),
    "payout_returned": _artisan("amount_minor"),
    "in_person_paid": _artisan("order_id", "amount_minor"),
}


def fault_of(kind: str, params: Params) -> str | None:
    """What is wrong with a notice's parameters, without their values; None when they fit."""
    if kind not in KINDS:
        return "unknown kind"
    declared, given = KINDS[kind], params.keys()
    if missing := declared.needs - given:
        return f"{kind} needs {sorted(missing)}"
    if foreign := given - declared.params:
        return f"{kind} has no {sorted(foreign)}"
    wrong = [name for name, value in params.items() if not _fits(name, value)]
    return f"{kind}: not of their kind: {wrong}" if wrong else None


def _fits(name: str, value: str | int) -> bool:
    if type(value) is not PARAMS[name]:
        return False
    if isinstance(value, int):
        return value >= 0
    return bool(value.strip()) and (name != "until" or _is_a_moment(value))


def _is_a_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


class Contact(BaseModel):
    """How a person is reached. Never in clear in a queue, a log or a table; not even when shown."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: str | None = Field(default=None, repr=False)
    email: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)


class Recipient(BaseModel):
    """`sealed` opens, in the context of the notice's id, to the JSON of a Contact."""

    sealed: Base64Bytes = Field(repr=False)
    language: str


class Notice(BaseModel):
    """The same `notice_id` is the same thing told to the same person, however often it comes."""

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["notice"] = "notice"
    version: Literal[1] = 1
    notice_id: str = Field(min_length=1, max_length=200)
    kind: str
    to: Recipient
    params: dict[str, str | int]

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if fault := fault_of(self.kind, self.params):
            raise ValueError(fault)
        return self
