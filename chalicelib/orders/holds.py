"""An order's stock: held while it is to be paid, sold once it is, given back if it will not be."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from chalicelib import clock
from chalicelib.edge.sweeps import each_apart
from chalicelib.listings import service as listings
from chalicelib.orders import parcel_tables, tables
from chalicelib.orders.domain import (
    Order,
    OrderLine,
    OrderMismatch,
    OrderState,
    Parcel,
    ParcelStatus,
    Restock,
)
from chalicelib.stock import service as stock
from chalicelib.stock.domain import HoldMismatch, InsufficientStock, SoldOut


def hold_stock(order: Order) -> Order:
    """Hold what the order needs until it expires; all of it, or nothing more than before.

    The order as it is then: what is not there and can be made will be made. What the same request
    holds already, sent twice at once, is left to the other one.
    """
    taken: list[OrderLine] = []
    try:
        return replace(order, lines=tuple(_held(order, line, taken) for line in order.lines))
    except BaseException:
        for line in taken:
            stock.release(line.line_id, order.order_id, order.fingerprint, line.shard_count)
        raise


def _held(order: Order, line: OrderLine, taken: list[OrderLine]) -> OrderLine:
    taken.append(line)  # First: a call that times out may have been applied.
    try:
        if not _hold(order, line, order.expires_at):
            taken.remove(line)
    except (SoldOut, InsufficientStock):
        if line.made_to_order_days is None:
            raise
        return replace(line, from_stock=False)
    return line


def _hold(order: Order, line: OrderLine, until: datetime) -> bool:
    try:
        return stock.hold(
            line.line_id, order.order_id, line.quantity, order.fingerprint, until, line.shard_count
        )
    except HoldMismatch as mismatch:
        raise OrderMismatch("use a new Idempotency-Key for a new order") from mismatch


def extend_holds(order: Order, until: datetime) -> None:
    """Keep the stock for longer while the buyer goes on paying; what was lost is taken anew.

    Raises:
        SoldOut, InsufficientStock, TooManyHolds: some was lost; what is still held stays.
    """
    for line in order.from_stock():
        if not stock.extend(line.line_id, order.order_id, until, line.shard_count):
            _hold(order, line, until)


def release_stock(order: Order) -> bool:
    """Give back what the order holds, or had claimed for a payment that did not come.

    False when a claim is so fresh that its payment may still come: ask again later.
    """
    released = [
        stock.release(line.line_id, order.order_id, order.fingerprint, line.shard_count)
        for line in order.from_stock()
    ]
    return all(released)


def claim_stock(order: Order) -> None:
    """The order is being paid: its holds become sales, once.

    Raises:
        SoldOut, InsufficientStock: a hold had expired and cannot be taken again; what was claimed
            before that is given back by a sweep.
    """
    if order.state is not OrderState.AWAITING_PAYMENT:
        # It closed, so nothing else would find what is claimed now if the payment stopped halfway.
        tables.want_release(order, clock.now() + stock.CLAIM_IN_FLIGHT)
    for line in order.from_stock():
        stock.claim(
            line.line_id, order.order_id, line.quantity, order.fingerprint, line.shard_count
        )


def give_back_stock(order: Order) -> None:
    """Give back the stock of a closed order; what is still in doubt is left to the sweep."""
    if release_stock(order):
        tables.clear_due(order, tables.DUE_RELEASE)


def sweep_order_stock() -> None:
    """Give back the stock of orders that closed, and tidy the markers of those long paid."""
    each_apart(_due_stock_steps())


def _due_stock_steps() -> Iterator[Callable[[], None]]:
    for order_id in tables.due_order_ids(tables.DUE_RELEASE):
        yield partial(_give_back_if_closed, order_id)
    for order_id in tables.due_order_ids(tables.DUE_RESTOCK):
        yield partial(restock, order_id)
    for order_id in tables.due_order_ids(tables.DUE_FORGET):
        yield partial(_forget_if_paid, order_id)


def _give_back_if_closed(order_id: str) -> None:
    order = tables.find(order_id)
    if order is not None and order.state in (OrderState.EXPIRED, OrderState.CANCELLED):
        give_back_stock(order)


def _forget_if_paid(order_id: str) -> None:
    order = tables.find(order_id)
    if order is None or order.state is not OrderState.PAID:
        return
    if any(parcel.restock for parcel in order.parcels):
        # Cancelled at the very moment when another parcel was sorted out: this one is not yet.
        parcel_tables.want_restock(order, clock.now())
        return
    for line in order.from_stock():
        stock.forget(line.line_id, order_id, line.shard_count)
    for parcel in order.parcels:
        if parcel.status is ParcelStatus.CANCELLED:
            for line in _from_stock_of(order, parcel):
                stock.forget(line.line_id, parcel.parcel_id, line.shard_count)
    tables.clear_due(order, tables.DUE_FORGET)


def restock(order_id: str) -> None:
    """Sort out the pieces of cancelled parcels: for sale again, or written off; each once."""
    order = tables.find(order_id)
    if order is None or order.due_at is None:
        return
    waiting = [parcel for parcel in order.parcels if parcel.restock]
    for parcel in waiting:
        for line in _from_stock_of(order, parcel):
            stock.restock(
                line.line_id,
                parcel.parcel_id,
                line.quantity,
                line.shard_count,
                write_off=parcel.restock == Restock.WRITTEN_OFF,
            )
    parcel_tables.note_restocked(order, waiting, clock.now())


def _from_stock_of(order: Order, parcel: Parcel) -> list[OrderLine]:
    return [line for line in order.from_stock() if line.artisan_id == parcel.artisan_id]


def refresh_stock_hints(order_id: str) -> None:
    """Have the lists show what is left of what an order took or gave back."""
    order = tables.find(order_id)
    if order is not None:
        listings.refresh_stock_states(list(order.quantities()))
