"""How many orders of a buyer await payment: a set of their ids, under a keyed hash of the e-mail.

It changes only inside the transactions that open and close orders, so it is exact.
"""

from typing import Any

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import size
from pynamodb.transactions import TransactWrite

from chalicelib.edge.storage import Table, meta


class BuyerTable(Table):
    Meta: Any = meta("buyers")
    buyer_key = UnicodeAttribute(hash_key=True)
    open_orders: Any = UnicodeSetAttribute(null=True)


def add_open_order(transaction: TransactWrite, buyer_key: str, order_id: str, cap: int) -> None:
    """Count an order that awaits payment; refused when the buyer has as many as they may."""
    if not buyer_key:
        return
    orders = BuyerTable.open_orders
    transaction.update(
        BuyerTable(buyer_key),
        actions=[orders.add({order_id})],
        condition=orders.does_not_exist() | (size(orders) < cap),
    )


def add_closed_order(transaction: TransactWrite, buyer_key: str, order_id: str) -> None:
    """An order no longer awaits payment; one that was not counted changes nothing."""
    if buyer_key:
        orders = BuyerTable.open_orders
        transaction.update(BuyerTable(buyer_key), actions=[orders.delete({order_id})])
