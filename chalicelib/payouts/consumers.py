"""What wakes payouts: the rails' reports, and the clock."""

from chalicelib import clock
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.money import Money
from chalicelib.payments.messages import PayoutReported
from chalicelib.payouts import service
from chalicelib.payouts.domain import Outcome, Report

payout_events = FeatureBlueprint(__name__)


@payout_events.consumer("payouts", message=PayoutReported)
def record_payout_report(message: PayoutReported) -> None:
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
    service.finish_batches()
