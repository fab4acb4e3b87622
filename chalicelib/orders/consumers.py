"""What follows from a change of an order, and the sweeps of its stock."""

from chalicelib.edge import queues
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.streams import Change
from chalicelib.orders import announcements, holds
from chalicelib.orders.domain import OrderState, ParcelStatus
from chalicelib.orders.messages import ParcelDelivered, ReturnMoved
from chalicelib.orders.return_tables import RETURN

order_events = FeatureBlueprint(__name__)


@order_events.stream("orders")
def relay_order_changes(change: Change) -> None:
    # A new state holds or sells stock; with the last thing due done, stock has gone back.
    state = change.became("state")
    if state or change.lost("due_shard"):
        holds.refresh_stock_hints(change.text("order_id"))
    if state in (OrderState.EXPIRED, OrderState.CANCELLED):
        announcements.tell_closed(change.text("order_id"), state)
    if change.became("return_status"):
        return_id = change.text("part").removeprefix(RETURN)
        announcements.tell_return(change.text("order_id"), return_id)
        _tell_settlement_of_return(change, return_id)
    status = change.became("parcel_status")
    if status is None or change.old is None:
        return
    if status == ParcelStatus.DELIVERED:
        delivered = ParcelDelivered(
            order_id=change.text("order_id"),
            parcel_id=change.text("parcel_id"),
            artisan_id=change.text("artisan_id"),
            delivered_at=change.text("delivered_at"),
        )
        queues.send("settlement", delivered, group=delivered.artisan_id)
    announcements.tell_parcel(change.text("order_id"), change.text("parcel_id"), status)


def _tell_settlement_of_return(change: Change, return_id: str) -> None:
    """While it is open, the parcel's money stays where a refund finds it."""
    moved = ReturnMoved.model_validate(
        {
            "order_id": change.text("order_id"),
            "return_id": return_id,
            "parcel_id": change.text("parcel_id"),
            "artisan_id": change.text("artisan_id"),
            "status": change.text("return_status"),
        }
    )
    queues.send("settlement", moved, group=moved.artisan_id)


@order_events.every_minute
def sweep_order_stock() -> None:
    holds.sweep_order_stock()
