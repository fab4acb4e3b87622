"""Lists of listings, read from the sparse indexes through the client: one query, no models.

Building models costs twice the CPU, and browsing is what most requests do. A shelf is an index:
all, by craft, by region, by both, by artisan; each sorted by newest and by price.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib import clock
from chalicelib.edge.storage import aws_client
from chalicelib.listings.domain import (
    BrowseQuery,
    Card,
    CardPage,
    Image,
    Position,
    Seller,
    Sort,
    StockState,
)
from chalicelib.listings.tables import (
    EVERYTHING,
    IN_REVIEW,
    ListingTable,
    craft_region,
    price_text,
)
from chalicelib.money import Money

# How many listings each query of a page looks through. Most pages need one query: the further ones
# are for a filter that few fit, and for a paused region or a suspended artisan among the results.
PLAIN_ROUNDS = (0, 100, 300, 1000, 1000)
FILTERED_ROUNDS = (100, 400, 1000, 1000, 1000)
Json = dict[str, Any]


@dataclass(slots=True)
class _Conditions:
    """The growing parts of a DynamoDB query."""

    key: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    values: Json = field(default_factory=dict)

    def text(self, value: str) -> str:
        return self._value({"S": value})

    def number(self, value: int) -> str:
        return self._value({"N": str(value)})

    def _value(self, value: Json) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name


def browse(
    query: BrowseQuery, start: Position | None, is_shown: Callable[[Card], bool]
) -> CardPage:
    """A page of published listings; `is_shown` drops what no index knows to be hidden.

    A page is short, yet has a next one, only where five queries found too few.
    """
    shelf, value = _shelf_of(query)
    sort_key = "newest_key" if query.sort is Sort.NEWEST else "price_key"
    conditions = _conditions(query, shelf, value, sort_key)
    request = _request(f"{shelf}_{sort_key.removesuffix('_key')}", conditions)
    request["ScanIndexForward"] = query.sort is Sort.PRICE_ASC
    if start is not None:
        request["ExclusiveStartKey"] = _start_key(start, shelf, value, sort_key)
    found: list[tuple[Position, Card]] = []
    for round_size in FILTERED_ROUNDS if conditions.filters else PLAIN_ROUNDS:
        # One more than is shown tells whether there is a next page.
        request["Limit"] = max(round_size, query.limit + 1)
        answer = aws_client("dynamodb").query(**request)
        for item in answer["Items"]:
            if not is_shown(card := card_of(item)):
                continue
            if len(found) == query.limit:
                return _page(found, found[-1][0])
            found.append((Position(item[sort_key]["S"], item["listing_id"]["S"]), card))
        last = answer.get("LastEvaluatedKey")
        if last is None:
            return _page(found, None)
        request["ExclusiveStartKey"] = last
    return _page(found, Position(last[sort_key]["S"], last["listing_id"]["S"]))


def in_review(
    limit: int, start: Mapping[str, Any] | None
) -> tuple[list[tuple[str, Card]], Json | None]:
    """(time of submission, card) of listings that wait for an operator, the longest wait first."""
    conditions = _Conditions()
    conditions.key.append(f"review = {conditions.text(IN_REVIEW)}")
    request = _request("in_review", conditions) | {"Limit": limit}
    if start:
        request["ExclusiveStartKey"] = dict(start)
    answer = aws_client("dynamodb").query(**request)
    rows = [(item["submitted_at"]["S"], card_of(item)) for item in answer["Items"]]
    return rows, answer.get("LastEvaluatedKey")


def card_of(item: Mapping[str, Any]) -> Card:
    """A card from an item of a shelf, in the wire form."""
    content = json.loads(item["card"]["S"])
    published_at = content["published_at"]
    return Card(
        listing_id=item["listing_id"]["S"],
        artisan_id=item["artisan_id"]["S"],
        seller=Seller(*content["seller"]),
        region=item["region"]["S"],
        craft=item["craft"]["S"],
        titles=content["titles"],
        price=Money(int(item["price_minor"]["N"]), content["currency"]),
        image=Image(*content["image"]) if content["image"] else None,
        stock_state=StockState(item["stock_state"]["S"]),
        made_to_order_days=content["days"],
        published_at=clock.from_text(published_at) if published_at else None,
    )


def _shelf_of(query: BrowseQuery) -> tuple[str, str]:
    if query.artisan_id:
        return "artisan", query.artisan_id
    if query.craft and query.region:
        return "craft_region", craft_region(query.craft, query.region)
    if query.craft:
        return "craft", query.craft
    if query.region:
        return "region", query.region
    return "all", EVERYTHING


def _conditions(query: BrowseQuery, shelf: str, value: str, sort_key: str) -> _Conditions:
    made = _Conditions()
    made.key.append(f"shelf_{shelf} = {made.text(value)}")
    _add_price(made, query, sort_key)
    if shelf == "artisan":
        if query.craft:
            made.filters.append(f"craft = {made.text(query.craft)}")
        if query.region:
            made.filters.append(f"#region = {made.text(query.region)}")
    if query.collection:
        made.filters.append(f"#collection = {made.text(query.collection)}")
    if query.in_stock is not None:
        states = [made.text(state) for state in (StockState.IN_STOCK, StockState.LAST_ONE)]
        counted = f"stock_state IN ({', '.join(states)})"
        made.filters.append(counted if query.in_stock else f"NOT {counted}")
    return made


def _add_price(made: _Conditions, query: BrowseQuery, sort_key: str) -> None:
    lowest, highest = query.min_price, query.max_price
    if lowest is None and highest is None:
        return
    if sort_key == "price_key":
        low = price_text(lowest or 0)
        high = "~" if highest is None else f"{price_text(highest)}~"
        made.key.append(f"price_key BETWEEN {made.text(low)} AND {made.text(high)}")
        return
    if lowest is not None:
        made.filters.append(f"price_minor >= {made.number(lowest)}")
    if highest is not None:
        made.filters.append(f"price_minor <= {made.number(highest)}")


def _request(index: str, conditions: _Conditions) -> Json:
    request: Json = {
        "TableName": ListingTable.Meta.table_name,
        "IndexName": index,
        "KeyConditionExpression": " AND ".join(conditions.key),
        "ExpressionAttributeValues": conditions.values,
    }
    if conditions.filters:
        expression = " AND ".join(f"({condition})" for condition in conditions.filters)
        reserved = {"#region": "region", "#collection": "collection"}
        request["FilterExpression"] = expression
        names = {short: name for short, name in reserved.items() if short in expression}
        if names:
            request["ExpressionAttributeNames"] = names
    return request


def _start_key(start: Position, shelf: str, value: str, sort_key: str) -> Json:
    return {
        "listing_id": {"S": start.listing_id},
        f"shelf_{shelf}": {"S": value},
        sort_key: {"S": start.sort_key},
    }


def _page(found: list[tuple[Position, Card]], end: Position | None) -> CardPage:
    return CardPage(cards=tuple(card for _, card in found), end=end)
