"""What payouts read and answer."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody
from chalicelib.money import Money
from chalicelib.payouts.domain import Batch, Payout
from chalicelib.settlement.holding import Part
from chalicelib.settlement.schemas import PartView


class BalanceView(AnswerBody):
    """`pending`: sold, not yet payable. `payable`: in the next batch. `held`: disputed. `owed`: to
    be made good by the artisan. `in_payout`: on its way. `paid_out`: all that ever arrived."""

    pending: MoneyBody
    payable: MoneyBody
    held: MoneyBody
    owed: MoneyBody
    in_payout: MoneyBody
    paid_out: MoneyBody
    parts: list[PartView] = []
    more: Annotated[bool, Field(description="there are more parts than these")] = False

    @classmethod
    def of(cls, balance: dict[str, Money]) -> "BalanceView":
        return cls(**{name: MoneyBody.of(amount) for name, amount in balance.items()})

    def explained(self, parts: Sequence[Part], more: bool) -> "BalanceView":
        shown = [PartView.of(part) for part in parts]
        return self.model_copy(update={"parts": shown, "more": more})


class OwnPayoutView(AnswerBody):
    """A payout as its artisan sees it; `destination` is masked."""

    id: str
    status: str
    amount: MoneyBody
    rail: str
    destination: str
    created_at: Moment
    updated_at: Moment
    reason: str | None = None

    @classmethod
    def of(cls, payout: Payout) -> "OwnPayoutView":
        return cls(
            id=payout.payout_id,
            status=payout.status,
            amount=MoneyBody.of(payout.amount),
            rail=payout.rail,
            destination=payout.masked,
            created_at=payout.reserved_at,
            updated_at=payout.changed_at,
            reason=payout.reason,
        )


class PayoutView(OwnPayoutView):
    batch_id: str
    artisan_id: str
    provider_reference: str | None = None

    @classmethod
    def of(cls, payout: Payout) -> "PayoutView":
        return cls(
            **OwnPayoutView.of(payout).model_dump(),
            batch_id=payout.batch_id,
            artisan_id=payout.artisan_id,
            provider_reference=payout.provider_reference,
        )


class RailTotalView(AnswerBody):
    payout_count: int
    total: MoneyBody


class BatchSummary(AnswerBody):
    """`total` and `rails`: what the batch pays; `payout_count` are all that were ever reserved for
    it, also those that were taken out. `in_progress`: a large batch is still being drafted (then
    `payout_count` grows) or worked on; `work` says at what: check, file, send or cancel.
    `files_taken`: rails whose file was handed out."""

    id: str
    status: str
    total: MoneyBody
    payout_count: int
    rails: dict[str, RailTotalView] = {}
    in_progress: bool = False
    work: str | None = None
    drafted_by: str
    drafted_at: Moment
    vouched_by: str | None = None
    approved_by: str | None = None
    approved_at: Moment | None = None
    submitted_by: str | None = None
    submitted_at: Moment | None = None
    cancelled_by: str | None = None
    cancelled_at: Moment | None = None
    skipped_count: int = 0
    files_taken: list[str] = []
    file_sha256: Annotated[dict[str, str], Field(description="digest of each rail's file")] = {}

    @classmethod
    def of(cls, batch: Batch) -> "BatchSummary":
        return cls(
            id=batch.batch_id,
            status=batch.status,
            total=MoneyBody.of(batch.total),
            payout_count=batch.payout_count,
            rails={
                rail: RailTotalView(payout_count=each.count, total=MoneyBody.of(each.amount))
                for rail, each in batch.rails.items()
            },
            work=batch.work,
            in_progress=not batch.is_complete or batch.work is not None,
            drafted_by=batch.drafted_by,
            drafted_at=batch.drafted_at,
            vouched_by=batch.vouched_by,
            approved_by=batch.approved_by,
            approved_at=batch.approved_at,
            submitted_by=batch.submitted_by,
            submitted_at=batch.submitted_at,
            cancelled_by=batch.cancelled_by,
            cancelled_at=batch.cancelled_at,
            skipped_count=batch.skipped_count,
            files_taken=sorted(batch.files_taken),
            file_sha256=dict(batch.file_sha256 or {}),
        )


class Skipped(AnswerBody):
    artisan_id: str
    reason: str


class BatchView(BatchSummary):
    """A batch with its payouts, and who has a balance to be paid but is not in it, and why. Of both
    the first are here, 200 and 100; all are at `…/payouts` and `…/skipped`."""

    payouts: list[PayoutView]
    skipped: list[Skipped]

    @classmethod
    def with_payouts(cls, batch: Batch, payouts: list[Payout]) -> "BatchView":
        return cls(
            **BatchSummary.of(batch).model_dump(),
            payouts=[PayoutView.of(payout) for payout in payouts],
            skipped=[
                Skipped(artisan_id=artisan_id, reason=reason)
                for artisan_id, reason in sorted((batch.skipped or {}).items())
            ],
        )


class FileQuery(AnswerBody):
    model_config = ConfigDict(extra="forbid")

    rail: Literal["bank_account", "wallet", "card"] | None = None
