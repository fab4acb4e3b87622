"""What wakes payouts: the rails' reports, the next piece of a large batch, and the clock."""

from typing import Annotated, assert_never

from pydantic import Field

from chalicelib import clock
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.money import Money
from chalicelib.payments.messages import PayoutReported
from chalicelib.payouts import service
from chalicelib.payouts.domain import Outcome, Report
from chalicelib.payouts.messages import BatchToWorkOn, LaneToDraft, PayoutToSend

payout_events = FeatureBlueprint(__name__)
Told = PayoutReported | LaneToDraft | BatchToWorkOn | PayoutToSend
PayoutMessage = Annotated[Told, Field(discriminator="type")]


@payout_events.consumer("payouts", message=PayoutMessage)
def record_payout_report(message: Told) -> None:
    match message:
        case PayoutReported():
            _record(message)
        case LaneToDraft():
            service.draft_lane(message.batch_id, message.lane, message.step)
        case BatchToWorkOn():
            service.work_on(message.batch_id, message.step)
        case PayoutToSend():
            pass  # so far whoever runs the rail takes its file
        case _:
            assert_never(message)


def _record(message: PayoutReported) -> None:
    service.record_report(
        Report(
            payout_id=message.payout_id,
            outcome=Outcome(message.outcome),
            amount=Money(message.amount_minor, message.currency),
            reason=message.reason,
            provider_reference=message.provider_reference,
            occurred_at=clock.from_text(message.occurred_at),
        )
    )


@payout_events.every_minute
def finish_payout_batches() -> None:
    service.sweep()
