"""What is answered of banks' reports."""

from typing import Annotated

from pydantic import Field

from chalicelib.edge.schemas import AnswerBody, MoneyBody
from chalicelib.payouts.bank_files import BankFile, LineResult, Taken


class BankLineView(AnswerBody):
    """A line of a bank's report and what became of it. `paid`, `failed`, `returned`: so is its
    payout, or each of the file's. `late`: a later report was faster. `noted`: on its way, nothing
    moves. `unmatched`: nothing was posted, a break is open; `detail` says why. `credit`: money that
    is no payout's, for reconciliation. `waiting`: not dealt with yet, or not sent out yet."""

    number: int
    result: LineResult
    says: Annotated[str | None, Field(description="paid, failed or returned")] = None
    payout_id: str | None = None
    batch_id: str | None = None
    amount: MoneyBody | None = None
    reason: Annotated[str | None, Field(description="the bank's code, such as AC04")] = None
    detail: str | None = None

    @classmethod
    def of(cls, taken: Taken) -> "BankLineView":
        line = taken.line
        return cls(
            number=line.number,
            result=taken.result,
            says=line.outcome,
            payout_id=line.payout_id,
            batch_id=line.batch_id,
            amount=None if line.amount is None else MoneyBody.of(line.amount),
            reason=line.reason,
            detail=taken.detail,
        )


class BankFileView(AnswerBody):
    """A bank's report: `counts` by result. Of its lines the first 100 are here; all of them are at
    `…/lines`. `in_progress`: some are not dealt with yet."""

    id: str
    kind: Annotated[str, Field(description="pain.002 or camt")]
    sha256: str
    line_count: int
    counts: dict[str, int]
    in_progress: bool
    lines: list[BankLineView]

    @classmethod
    def with_lines(
        cls, found: BankFile, counts: dict[str, int], lines: list[Taken]
    ) -> "BankFileView":
        return cls(
            id=found.file_id,
            kind=found.kind,
            sha256=found.sha256,
            line_count=found.line_count,
            counts=counts,
            in_progress=LineResult.WAITING in counts,
            lines=[BankLineView.of(taken) for taken in lines],
        )
