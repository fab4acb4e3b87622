"""The sweep that gives expired holds back."""

from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.stock import service

stock_events = FeatureBlueprint(__name__)


@stock_events.every_minute
def sweep_expired_holds() -> None:
    service.sweep_expired_holds()
