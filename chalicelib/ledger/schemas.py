"""What the ledger answers to operators."""

from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody
from chalicelib.ledger.domain import Chain, Check, Line, Statement
from chalicelib.ledger.seal_domain import Seal


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


class DayView(AnswerBody):
    """A sealed day; `digest` stands for all entries until its end: worth noting elsewhere."""

    day: str
    entries: int
    digest: str
    previous: str
    sealed_at: Moment

    @classmethod
    def of(cls, seal: Seal) -> "DayView":
        assert seal.sealed_at is not None
        return cls(
            day=seal.day.isoformat(),
            entries=seal.entry_count,
            digest=seal.digest,
            previous=seal.previous,
            sealed_at=seal.sealed_at,
        )


class BrokenView(AnswerBody):
    """The first day that is not as it was sealed, and what was done to it: `entry_changed`,
    `entry_removed`, `entry_inserted` or `seal_altered`."""

    day: str
    damage: str


class ChainView(AnswerBody):
    days: int
    through: str | None
    broken: BrokenView | None

    @classmethod
    def of(cls, chain: Chain) -> "ChainView":
        broken = chain.broken and BrokenView(
            day=chain.broken.day.isoformat(), damage=chain.broken.damage
        )
        through = chain.through and chain.through.isoformat()
        return cls(days=chain.day_count, through=through, broken=broken)


class CheckView(AnswerBody):
    """`ok` when all accounts add up to zero, every kept balance is what its entries say, and every
    sealed day is as it was sealed."""

    ok: bool
    sum: MoneyBody
    entries: int
    accounts: int
    differences: list[DifferenceView]
    altered_entries: list[str]
    seals: ChainView

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
            seals=ChainView.of(check.chain),
        )
