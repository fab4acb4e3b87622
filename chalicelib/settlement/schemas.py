"""What settlement reads and answers."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from chalicelib.edge.pages import PageQuery
from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody
from chalicelib.ledger.domain import Line
from chalicelib.money import Money
from chalicelib.settlement.holding import Part
from chalicelib.settlement.provider_files import LINES_AT_ONCE, FileLine, Judged, ProviderFile


class FileQuery(AnswerBody):
    """Whose file it is. Columns of profile `standard`: `reference` (our payment id),
    `provider_reference`, `gross`, `fee`, `net`, `currency`, `settled_at`, `type`. The card and
    wallet profiles also know refunds, chargebacks and fees."""

    model_config = ConfigDict(extra="forbid")

    provider: Literal["cmi", "mastercard", "payzone", "wallet"]
    profile: Literal["standard", "card_cmi", "card_mastercard", "wallet"] = "standard"


class LinesQuery(AnswerBody):
    """Which lines of a long file: 500 at most, from the number `from_line` on."""

    model_config = ConfigDict(extra="forbid")

    from_line: Annotated[int, Field(ge=1, le=999_999)] = 1


class FileLineView(AnswerBody):
    """One line of a settlement file; without amounts where it could not be read."""

    number: int
    result: str
    reason: str | None = None
    reference: str | None = None
    provider_reference: str | None = None
    gross: MoneyBody | None = None
    fee: MoneyBody | None = None
    net: MoneyBody | None = None
    settled_at: Moment | None = None
    type: str | None = None

    @classmethod
    def of(cls, judged: Judged) -> "FileLineView":
        view = cls(number=judged.number, result=judged.result, reason=judged.reason)
        return view if judged.line is None else view.with_amounts(judged.line)

    def with_amounts(self, line: FileLine) -> "FileLineView":
        return self.model_copy(
            update={
                "reference": line.reference,
                "provider_reference": line.provider_reference,
                "gross": MoneyBody.of(line.gross),
                "fee": MoneyBody.of(line.fee),
                "net": MoneyBody.of(line.net),
                "settled_at": line.settled_at,
                "type": line.type,
            }
        )


class ReconciliationView(AnswerBody):
    """A settlement file with the result of each line; a line without one is still to be read.

    A long file is `in_progress` until all its lines are judged; `lines` are 500 at most, and
    `next_line` is where they go on.
    """

    id: str
    provider: str
    profile: str
    sha256: str
    line_count: int
    judged_count: int
    status: Literal["finished", "in_progress"]
    counts: dict[str, int]
    lines: list[FileLineView]
    next_line: int | None = None

    @classmethod
    def of(
        cls, found: ProviderFile, lines: list[Judged], results: Sequence[str]
    ) -> "ReconciliationView":
        is_more = len(lines) == LINES_AT_ONCE and found.is_long
        return cls(
            id=found.file_id,
            provider=found.provider,
            profile=found.profile,
            sha256=found.sha256,
            line_count=found.line_count,
            judged_count=len(results),
            status="finished" if len(results) >= found.line_count else "in_progress",
            counts={result: results.count(result) for result in sorted(set(results))},
            lines=[FileLineView.of(judged) for judged in lines],
            next_line=lines[-1].number + 1 if is_more else None,
        )


class StatementQuery(PageQuery):
    account: Annotated[
        Literal["payable", "pending", "held", "owed"],
        Field(description="which of the artisan's balances"),
    ] = "payable"


class StatementLine(AnswerBody):
    """What changed a balance; `amount` is negative where it fell, `balance` is after it."""

    id: str
    account: str
    reason: str
    at: Moment
    amount: MoneyBody
    balance: MoneyBody

    @classmethod
    def of(cls, line: Line, account: str) -> "StatementLine":
        return cls(
            id=line.entry_id,
            account=account,
            reason=line.reason,
            at=line.at,
            amount=MoneyBody.of(line.change),
            balance=MoneyBody.of(line.balance_after),
        )


class PartView(AnswerBody):
    """An amount of the pending or held balance. `reason`: not_delivered, return_window,
    money_not_confirmed, disputed, artisan_not_verified, return_open, operator_hold or
    being_released. `lifted_by`: who can change that; `expected_at`: when time does."""

    parcel_id: str
    order_id: str | None
    amount: MoneyBody
    state: str
    reason: str
    lifted_by: list[str]
    expected_at: Moment | None

    @classmethod
    def of(cls, part: Part) -> "PartView":
        return cls(
            parcel_id=part.parcel_id,
            order_id=part.order_id,
            amount=MoneyBody.of(Money(part.amount_minor)),
            state=part.state,
            reason=part.hold.reason,
            lifted_by=list(part.hold.lifted_by),
            expected_at=part.hold.expected_at,
        )
