"""The stock table: one small item per thing for sale, changed by single conditional updates only.

No transaction touches it: two of them on one hot item reject each other at 25-50 a second, while a
plain conditional update carries about 1,000. The calls go through the client, since a refused
update must bring the item back with the refusal.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.attributes import MapAttribute, NumberAttribute, UnicodeAttribute

from chalicelib import clock
from chalicelib.edge.storage import Table, aws_client, due_index, due_shard_of, meta, sweep_due
from chalicelib.stock.domain import (
    MAX_HOLDS_PER_ITEM,
    Adjustment,
    Hold,
    HoldState,
    Stock,
    counts_of,
    shard_id,
    short_mark,
)

DUE_KIND = "hold_expiry"
KEYS_PER_CALL = 100
COUNTS = ("available", "sold", "cleared", "written_off")
Json = dict[str, Any]


class StockTable(Table):
    Meta: Any = meta("stock")
    stock_id = UnicodeAttribute(hash_key=True)
    received = NumberAttribute()
    available = NumberAttribute()
    sold = NumberAttribute()
    cleared = NumberAttribute(null=True)
    written_off = NumberAttribute()
    shard_count = NumberAttribute(null=True)
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


def find_many(stock_ids: Iterable[str], *, consistent: bool = False) -> dict[str, Stock]:
    """Items by id, a hundred in one call; the missing ones are left out."""
    wanted = list(dict.fromkeys(stock_ids))
    found: dict[str, Stock] = {}
    for start in range(0, len(wanted), KEYS_PER_CALL):
        found |= _found(wanted[start : start + KEYS_PER_CALL], consistent)
    return found


def _found(stock_ids: Sequence[str], consistent: bool) -> dict[str, Stock]:
    name = StockTable.Meta.table_name
    keys = [_key(stock_id) for stock_id in stock_ids]
    wanted: Json = {name: {"Keys": keys, "ConsistentRead": consistent}}
    found: dict[str, Stock] = {}
    while wanted:
        answer = aws_client("dynamodb").batch_get_item(RequestItems=wanted)
        for item in answer["Responses"].get(name, []):
            found[item["stock_id"]["S"]] = _stock(item)
        wanted = answer.get("UnprocessedKeys", {})
    return found


def find_shards(stock_id: str, at_least: int) -> dict[int, Stock]:
    """All shards as they are now, by number; empty when nothing was counted yet.

    One call when there are not more than `at_least`, else two.
    """
    ids = [shard_id(stock_id, number) for number in range(at_least)]
    found = find_many(ids, consistent=True)
    if stock_id not in found:
        return {}
    count = found[stock_id].shard_count
    ids += [shard_id(stock_id, number) for number in range(at_least, count)]
    found |= find_many(ids[at_least:], consistent=True)
    return {number: found[name] for number, name in enumerate(ids) if name in found}


def create(stock_id: str, on_hand: int, shard_count: int = 1) -> None:
    """Begin to count. Raises Refused when it is counted already."""
    first = {":shards": _n(shard_count)} if shard_count > 1 else {}
    _update(
        stock_id,
        "SET received = :n, available = :n, sold = :zero, written_off = :zero, holds = :none"
        + (", shard_count = :shards" if first else ""),
        "attribute_not_exists(stock_id)",
        {":n": _n(on_hand), ":zero": _n(0), ":none": {"M": {}}} | first,
    )


def grow(stock_id: str, shard_count: int) -> None:
    """From now on whoever looks for pieces looks on so many shards; never on fewer than before."""
    with suppress(Refused):
        _update(
            stock_id,
            "SET shard_count = :n",
            "attribute_exists(stock_id)"
            " AND (attribute_not_exists(shard_count) OR shard_count < :n)",
            {":n": _n(shard_count)},
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


def add_hold(stock_id: str, order_id: str, hold: Hold, cap: int = MAX_HOLDS_PER_ITEM) -> None:
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
            ":cap": _n(cap),
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


def add_return(stock_id: str, key: str, order_id: str, returned: Hold, cap: int) -> None:
    """Make pieces that were sold available again, or write them off. Raises Refused.

    Not while the order's own marker counts them as sold: it must be cleared first, since who
    finds it there may give them back as well.
    """
    to = "available" if returned.state is HoldState.RESTOCKED else "written_off"
    _update(
        stock_id,
        f"SET holds.#k = :entry, sold = sold - :q, {to} = {to} + :q,"
        " cleared = if_not_exists(cleared, :zero) - :q",
        ("cleared >= :q" if returned.quantity else "attribute_exists(stock_id)")
        + " AND attribute_not_exists(holds.#k) AND size(holds) < :cap"
        " AND (attribute_not_exists(holds.#o) OR holds.#o.s = :cleared)",
        {
            ":entry": _hold_item(returned),
            ":q": _n(returned.quantity),
            ":zero": _n(0),
            ":cap": _n(cap),
            ":cleared": {"S": HoldState.CLEARED},
        },
        {"#k": key, "#o": order_id},
    )


def sell_hold(stock_id: str, order_id: str, quantity: int, mark: str, until_ms: int) -> None:
    """Turn a hold into a sale, leaving its marker until `until_ms`. Raises Refused."""
    _update(
        stock_id,
        "SET holds.#o.s = :sold, holds.#o.u = :until, sold = sold + :q",
        # What was held before marks were shortened carries the whole one.
        f"holds.#o.s = :held AND holds.#o.q = :q AND holds.#o.m IN (:mark, :long) AND {_IS_WHOLE}",
        {
            ":mark": {"S": short_mark(mark)},
            ":long": {"S": mark},
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
        f"holds.#o.s = :state AND holds.#o.u <= :until AND {_IS_WHOLE}",
        {":until": _n(until_ms), ":state": {"S": state}},
        {"#o": order_id},
    )


def change_hold(stock_id: str, order_id: str, was: Hold, becomes: Hold | None) -> None:
    """Put another entry in the place of one, or give its pieces back; the counts follow.

    Raises:
        Refused: the entry has changed, or there are not the pieces for the new one.
    """
    before, after = counts_of(was), counts_of(becomes)
    moved = {name: getattr(after, name) - getattr(before, name) for name in COUNTS}
    sets = [f"{name} = {_present(name)} + :{name}" for name, delta in moved.items() if delta]
    guards = [f"{name} >= :least_{name}" for name, delta in moved.items() if delta < 0]
    values = {f":{name}": _n(delta) for name, delta in moved.items() if delta}
    values |= {f":least_{name}": _n(-delta) for name, delta in moved.items() if delta < 0}
    values[":hold"] = _hold_item(was)
    if becomes is not None:
        sets.append("holds.#o = :becomes")
        values[":becomes"] = _hold_item(becomes)
    update = f"SET {', '.join(sets)}" if sets else ""
    if becomes is None:
        update += " REMOVE holds.#o"
    if ":zero" in update:
        values[":zero"] = _n(0)
    _update(stock_id, update, " AND ".join(["holds.#o = :hold", *guards]), values, {"#o": order_id})


def remove_marker(stock_id: str, order_id: str) -> None:
    """Forget the marker of a sale whose order is known to be paid. Raises Refused."""
    _update(
        stock_id,
        "SET cleared = if_not_exists(cleared, :zero) + holds.#o.q REMOVE holds.#o",
        f"holds.#o.s = :sold AND {_IS_WHOLE}",
        {":sold": {"S": HoldState.SOLD}, ":zero": _n(0)},
        {"#o": order_id},
    )


def remove_entry(stock_id: str, name: str, was: Hold) -> None:
    """Forget an entry: its pieces stay counted where they are. Raises Refused when it changed."""
    values = {":hold": _hold_item(was)}
    update = "REMOVE holds.#o"
    if was.state is HoldState.SOLD:
        update = f"SET cleared = {_present('cleared')} + :q {update}"
        values |= {":q": _n(was.quantity), ":zero": _n(0)}
    _update(stock_id, update, "holds.#o = :hold", values, {"#o": name})


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


_IS_WHOLE = "attribute_not_exists(holds.#o.x)"


def _present(count: str) -> str:
    # Items that were counted before there was `cleared` do not have it.
    return "if_not_exists(cleared, :zero)" if count == "cleared" else count


def _key(stock_id: str) -> Json:
    return {"stock_id": {"S": stock_id}}


def _n(number: int) -> Json:
    return {"N": str(number)}


def _due_text(until_ms: int) -> str:
    return clock.to_text(clock.from_ms(until_ms))


def _hold_item(hold: Hold) -> Json:
    item: Json = {
        "q": _n(hold.quantity),
        "u": _n(hold.until_ms),
        "m": {"S": hold.mark},
        "s": {"S": hold.state},
    }
    # Elsewhere: the shards of an anchor, or the home of a piece. Few entries have it.
    if hold.spread is not None:
        item["x"] = {"M": {str(number): _n(q) for number, q in hold.spread.items()}}
    elif hold.home is not None:
        item["x"] = _n(hold.home)
    return {"M": item}


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
        cleared=int(item.get("cleared", {}).get("N", 0)),
        shard_count=int(item.get("shard_count", {}).get("N", 1)),
    )


def _hold(values: Json) -> Hold:
    elsewhere = values.get("x", {})
    return Hold(
        quantity=int(values["q"]["N"]),
        until_ms=int(values["u"]["N"]),
        mark=values["m"]["S"],
        state=HoldState(values["s"]["S"]),
        spread=(
            {int(number): int(q["N"]) for number, q in elsewhere["M"].items()}
            if "M" in elsewhere
            else None
        ),
        home=int(elsewhere["N"]) if "N" in elsewhere else None,
    )
