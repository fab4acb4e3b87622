"""What an artisan's month is asked by, and answered as."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody
from chalicelib.money import Money
from chalicelib.settlement.statements import MonthStatement, Movement, Sold


class MonthQuery(AnswerBody):
    model_config = ConfigDict(extra="forbid")

    format: Annotated[
        Literal["json", "csv", "pdf"],
        Field(description="`pdf` needs `Accept: application/pdf`; the language is the request's"),
    ] = "json"


class SoldView(AnswerBody):
    """`paid` less `commission`, `vat` on it and the payment `fee` is the artisan's."""

    paid: MoneyBody
    commission: MoneyBody
    vat: MoneyBody
    fee: MoneyBody

    @classmethod
    def of(cls, sold: Sold) -> "SoldView":
        return cls(
            paid=MoneyBody.of(Money(sold.gross_minor)),
            commission=MoneyBody.of(Money(sold.parts.commission_minor)),
            vat=MoneyBody.of(Money(sold.parts.vat_minor)),
            fee=MoneyBody.of(Money(sold.parts.fee_minor)),
        )


class MovementView(AnswerBody):
    """`amount` is negative where what is the artisan's fell; `balance` is after it."""

    id: str
    reason: str
    reference: str
    at: Moment
    amount: MoneyBody
    balance: MoneyBody
    sold: SoldView | None = None

    @classmethod
    def of(cls, one: Movement) -> "MovementView":
        return cls(
            id=one.entry_id,
            reason=one.reason,
            reference=one.reference,
            at=one.at,
            amount=MoneyBody.of(one.amount),
            balance=MoneyBody.of(one.balance),
            sold=None if one.sold is None else SoldView.of(one.sold),
        )


class MonthView(AnswerBody):
    """`opening` and what `lines` add is `closing`; `balances` says where that stood."""

    month: str
    opening: MoneyBody
    closing: MoneyBody
    balances: dict[str, MoneyBody]
    lines: list[MovementView]

    @classmethod
    def of(cls, statement: MonthStatement) -> "MonthView":
        return cls(
            month=statement.month,
            opening=MoneyBody.of(statement.opening),
            closing=MoneyBody.of(statement.closing),
            balances={name: MoneyBody.of(one) for name, one in statement.balances.items()},
            lines=[MovementView.of(one) for one in statement.movements],
        )
