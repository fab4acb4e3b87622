"""What settlement reads and answers."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from chalicelib.edge.pages import PageQuery
from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody
from chalicelib.ledger.domain import Line
from chalicelib.settlement.provider_files import FileLine, Judged, ProviderFile


class FileQuery(AnswerBody):
    """Whose file it is. Columns of profile `standard`: `reference` (our payment id),
    `provider_reference`, `gross`, `fee`, `net`, `currency`, `settled_at`, `type`."""

    model_config = ConfigDict(extra="forbid")

    provider: Literal["cmi", "mastercard", "payzone", "wallet"]
    profile: Literal["standard"] = "standard"


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
            }
        )


class ReconciliationView(AnswerBody):
    """A settlement file with the result of each line; a line without one is still to be read."""

    id: str
    provider: str
    profile: str
    sha256: str
    line_count: int
    counts: dict[str, int]
    lines: list[FileLineView]

    @classmethod
    def of(cls, found: ProviderFile, lines: list[Judged]) -> "ReconciliationView":
        results = [judged.result for judged in lines]
        return cls(
            id=found.file_id,
            provider=found.provider,
            profile=found.profile,
            sha256=found.sha256,
            line_count=found.line_count,
            counts={result: results.count(result) for result in sorted(set(results))},
            lines=[FileLineView.of(judged) for judged in lines],
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
