"""The stock table: one small item per thing for sale, changed by single conditional updates only.

No transaction touches it: two of them on one hot item reject each other at 25-50 a second, while a
plain conditional update carries about 1,000. The calls go through the client, since a refused
update must bring the item back with the refusal.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.attributes import MapAttribute, NumberAttribute, UnicodeAttribute

from chalicelib import clock
from chalicelib.edge.storage import Table, aws_client, due_index, due_shard_of, meta, sweep_due
from chalicelib.stock.domain import MAX_HOLDS_PER_ITEM, Adjustment, Hold, HoldState, Stock

DUE_KIND = "hold_expiry"
Json = dict[str, Any]


class StockTable(Table):
    Meta: Any = meta("stock")
    stock_id = UnicodeAttribute(hash_key=True)
    received = NumberAttribute()
    available = NumberAttribute()
    sold = NumberAttribute()
    written_off = NumberAttribute()
    holds: Any = MapAttribute()
    due_shard = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    due = due_index(keys_only=True)


class Refused(Exception):
    """A condition failed; `stock` is the item as it was, None when there is none."""

    def __init__(self, stock: Stock | None) -> None:
        super().__init__("condition failed")
        self.stock = stock


def find(stock_id: str) -> Stock | None:
    answer = aws_client("dynamodb").get_item(
        TableName=StockTable.Meta.table_name, Key=_key(stock_id), ConsistentRead=True
    )
    return _stock(answer["Item"]) if "Item" in answer else None


def find_many(stock_ids: Sequence[str]) -> dict[str, Stock]:
    """Items by id, up to 100; the missing ones are left out. Eventually consistent."""
    name = StockTable.Meta.table_name
    wanted: Json = {name: {"Keys": [_key(stock_id) for stock_id in dict.fromkeys(stock_ids)]}}
    found: dict[str, Stock] = {}
    while wanted:
        answer = aws_client("dynamodb").batch_get_item(RequestItems=wanted)
        for item in answer["Responses"].get(name, []):
            found[item["stock_id"]["S"]] = _stock(item)
        wanted = answer.get("UnprocessedKeys", {})
    return found


def create(stock_id: str, on_hand: int) -> None:
    """Begin to count. Raises Refused when it is counted already."""
    _update(
        stock_id,
        "SET received = :n, available = :n, sold = :zero, written_off = :zero, holds = :none",
        "attribute_not_exists(stock_id)",
        {":n": _n(on_hand), ":zero": _n(0), ":none": {"M": {}}},
    )


def adjust(stock: Stock, change: Adjustment) -> None:
    """Receive or write off. Raises Refused when the item was changed since it was read."""
    _update(
        stock.stock_id,
        "SET received = received + :in, written_off = written_off + :out,"
        " available = available + :delta",
        "received = :received AND available = :available AND sold = :sold"
        " AND written_off = :written_off",
        {
            ":in": _n(change.received),
            ":out": _n(change.written_off),
            ":delta": _n(change.available),
            ":received": _n(stock.received),
            ":available": _n(stock.available),
            ":sold": _n(stock.sold),
            ":written_off": _n(stock.written_off),
        },
    )


def add_hold(stock_id: str, order_id: str, hold: Hold) -> None:
    """Take a hold, or sell at once what was not held. Raises Refused."""
    sold = hold.quantity if hold.state is HoldState.SOLD else 0
    due = _due_text(hold.until_ms)
    changed = _update(
        stock_id,
        "SET holds.#o = :hold, available = available - :q, sold = sold + :sold,"
        " due_shard = if_not_exists(due_shard, :shard), due_at = if_not_exists(due_at, :due)",
        "attribute_not_exists(holds.#o) AND available >= :q AND size(holds) < :cap",
        {
            ":hold": _hold_item(hold),
            ":q": _n(hold.quantity),
            ":sold": _n(sold),
            ":cap": _n(MAX_HOLDS_PER_ITEM),
            ":shard": {"S": due_shard_of(DUE_KIND, stock_id)},
            ":due": {"S": due},
        },
        {"#o": order_id},
    )
    if changed["due_at"]["S"] > due:
        _bring_forward(stock_id, due)


def _bring_forward(stock_id: str, due: str) -> None:
    # An expression has no minimum: a short hold beside longer ones costs one more update.
    with suppress(Refused):
        _update(stock_id, "SET due_at = :due", "due_at > :due", {":due": {"S": due}})


def sell_hold(stock_id: str, order_id: str, quantity: int, mark: str, until_ms: int) -> None:
    """Turn a hold into a sale, leaving its marker until `until_ms`. Raises Refused."""
    _update(
        stock_id,
        "SET holds.#o.s = :sold, holds.#o.u = :until, sold = sold + :q",
        "holds.#o.s = :held AND holds.#o.q = :q AND holds.#o.m = :mark",
        {
            ":mark": {"S": mark},
            ":sold": {"S": HoldState.SOLD},
            ":held": {"S": HoldState.HELD},
            ":until": _n(until_ms),
            ":q": _n(quantity),
        },
        {"#o": order_id},
    )


def extend_hold(stock_id: str, order_id: str, until_ms: int, state: HoldState) -> None:
    """Keep a hold, or the marker of a claim, for longer. Raises Refused when it is not there."""
    _update(
        stock_id,
        "SET holds.#o.u = :until",
        "holds.#o.s = :state AND holds.#o.u <= :until",
        {":until": _n(until_ms), ":state": {"S": state}},
        {"#o": order_id},
    )


def remove_hold(stock_id: str, order_id: str, hold: Hold) -> None:
    """Give back what an order held or had bought. Raises Refused when the hold has changed."""
    sold = hold.quantity if hold.state is HoldState.SOLD else 0
    _update(
        stock_id,
        "SET available = available + :q, sold = sold - :sold REMOVE holds.#o",
        "holds.#o = :hold",
        {":q": _n(hold.quantity), ":sold": _n(sold), ":hold": _hold_item(hold)},
        {"#o": order_id},
    )


def remove_marker(stock_id: str, order_id: str) -> None:
    """Forget the marker of a sale whose order is known to be paid. Raises Refused."""
    _update(
        stock_id,
        "REMOVE holds.#o",
        "holds.#o.s = :sold",
        {":sold": {"S": HoldState.SOLD}},
        {"#o": order_id},
    )


def reclaim(stock: Stock, expired: Mapping[str, Hold], next_due_ms: int | None) -> None:
    """Give back expired holds, all at once. Raises Refused when any hold has changed.

    The map of holds is compared and replaced as a whole: a condition for each of 200 holds would
    be longer than the 4 KB that DynamoDB reads, and a hold taken meanwhile must not lose its time.
    """
    left = {key: hold for key, hold in stock.holds.items() if key not in expired}
    sets = "SET available = available + :back, holds = :left"
    values = {
        ":back": _n(sum(hold.quantity for hold in expired.values())),
        ":left": _holds_item(left),
        ":holds": _holds_item(stock.holds),
    }
    if next_due_ms is None:
        update = f"{sets} REMOVE due_shard, due_at"
    else:
        update = f"{sets}, due_shard = :shard, due_at = :due"
        values |= {
            ":shard": {"S": due_shard_of(DUE_KIND, stock.stock_id)},
            ":due": {"S": _due_text(next_due_ms)},
        }
    _update(stock.stock_id, update, "holds = :holds", values)


def due_stock_ids() -> Iterator[str]:
    """Items with a hold whose time is over, or was when it was taken."""
    return (row.stock_id for row in sweep_due(StockTable.due, DUE_KIND))


def _update(
    stock_id: str, update: str, condition: str, values: Json, names: Mapping[str, str] | None = None
) -> Json:
    """The attributes that were written. Raises Refused."""
    try:
        answer = aws_client("dynamodb").update_item(
            TableName=StockTable.Meta.table_name,
            Key=_key(stock_id),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
            ReturnValues="UPDATED_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **({"ExpressionAttributeNames": dict(names)} if names else {}),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        item = error.response.get("Item")
        raise Refused(_stock(item) if item else None) from error
    written: Json = answer.get("Attributes", {})
    return written


def _key(stock_id: str) -> Json:
    return {"stock_id": {"S": stock_id}}


def _n(number: int) -> Json:
    return {"N": str(number)}


def _due_text(until_ms: int) -> str:
    return clock.to_text(clock.from_ms(until_ms))


def _hold_item(hold: Hold) -> Json:
    return {
        "M": {
            "q": _n(hold.quantity),
            "u": _n(hold.until_ms),
            "m": {"S": hold.mark},
            "s": {"S": hold.state},
        }
    }


def _holds_item(holds: Mapping[str, Hold]) -> Json:
    return {"M": {order_id: _hold_item(hold) for order_id, hold in holds.items()}}


def _stock(item: Json) -> Stock:
    return Stock(
        stock_id=item["stock_id"]["S"],
        received=int(item["received"]["N"]),
        available=int(item["available"]["N"]),
        sold=int(item["sold"]["N"]),
        written_off=int(item["written_off"]["N"]),
        holds={order_id: _hold(held["M"]) for order_id, held in item["holds"]["M"].items()},
        due_at=item.get("due_at", {}).get("S"),
    )


def _hold(values: Json) -> Hold:
    return Hold(
        quantity=int(values["q"]["N"]),
        until_ms=int(values["u"]["N"]),
        mark=values["m"]["S"],
        state=HoldState(values["s"]["S"]),
    )
