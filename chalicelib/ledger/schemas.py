"""What the ledger answers to operators."""

from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody
from chalicelib.ledger.domain import Check, Line, Statement


class LineView(AnswerBody):
    entry_id: str
    reason: str
    at: Moment
    amount: MoneyBody
    balance: MoneyBody

    @classmethod
    def of(cls, line: Line) -> "LineView":
        return cls(
            entry_id=line.entry_id,
            reason=line.reason,
            at=line.at,
            amount=MoneyBody.of(line.change),
            balance=MoneyBody.of(line.balance_after),
        )


class AccountView(AnswerBody):
    """An account in its normal sense; `data` is its statement, newest first."""

    account: str
    balance: MoneyBody
    data: list[LineView]
    next_cursor: str | None = None

    @classmethod
    def of(cls, statement: Statement, next_cursor: str | None) -> "AccountView":
        return cls(
            account=statement.account,
            balance=MoneyBody.of(statement.balance),
            data=[LineView.of(line) for line in statement.lines],
            next_cursor=next_cursor,
        )


class DifferenceView(AnswerBody):
    account: str
    kept: MoneyBody
    replayed: MoneyBody


class CheckView(AnswerBody):
    """`ok` when all accounts add up to zero and every kept balance is what its entries say."""

    ok: bool
    sum: MoneyBody
    entries: int
    accounts: int
    differences: list[DifferenceView]
    altered_entries: list[str]

    @classmethod
    def of(cls, check: Check) -> "CheckView":
        return cls(
            ok=check.holds,
            sum=MoneyBody.of(check.total),
            entries=check.entry_count,
            accounts=check.account_count,
            differences=[
                DifferenceView(
                    account=one.account,
                    kept=MoneyBody.of(one.kept),
                    replayed=MoneyBody.of(one.replayed),
                )
                for one in check.differences
            ],
            altered_entries=list(check.altered_entry_ids),
        )
