"""The schedule that seals the days of the ledger."""

from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.ledger import service

ledger_events = FeatureBlueprint(__name__)


@ledger_events.every_minute
def seal_ledger_days() -> None:
    service.seal_days()
