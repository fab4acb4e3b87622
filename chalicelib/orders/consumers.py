"""What follows from a change of an order, and the sweeps of its stock."""

from chalicelib.edge import queues
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.streams import Change
from chalicelib.orders import service
from chalicelib.orders.domain import ParcelStatus
from chalicelib.orders.messages import ParcelDelivered

order_events = FeatureBlueprint(__name__)


@order_events.stream("orders")
def relay_order_changes(change: Change) -> None:
    # A new state holds or sells stock; with the last thing due done, stock has gone back.
    if change.became("state") or change.lost("due_shard"):
        service.refresh_stock_hints(change.text("order_id"))
    if change.became("parcel_status") == ParcelStatus.DELIVERED:
        delivered = ParcelDelivered(
            order_id=change.text("order_id"),
            parcel_id=change.text("parcel_id"),
            artisan_id=change.text("artisan_id"),
            delivered_at=change.text("delivered_at"),
        )
        queues.send("settlement", delivered, group=delivered.artisan_id)


@order_events.every_minute
def sweep_order_stock() -> None:
    service.sweep_order_stock()
