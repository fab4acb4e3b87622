"""What wakes payouts: rails' reports, what is to be sent, pieces of large work, and the clock."""

from typing import Annotated, assert_never

from pydantic import Field

from chalicelib import clock
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.streams import Change
from chalicelib.money import Money
from chalicelib.payments.messages import PayoutReported
from chalicelib.payouts import announcements, bank_reports, sending, service
from chalicelib.payouts.domain import Outcome, Report
from chalicelib.payouts.messages import BankFileToRead, BatchToWorkOn, LaneToDraft, PayoutToSend

payout_events = FeatureBlueprint(__name__)
Told = PayoutReported | LaneToDraft | BatchToWorkOn | PayoutToSend | BankFileToRead
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
            sending.send_payout(message.payout_id)
        case BankFileToRead():
            bank_reports.work_on(message.file_id)
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


@payout_events.stream("payouts")
def relay_payouts(change: Change) -> None:
    """An artisan hears what has become of their payout."""
    announcements.tell_of(change)


@payout_events.every_minute
def finish_payout_batches() -> None:
    service.sweep()
