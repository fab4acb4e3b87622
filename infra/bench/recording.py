"""Records the AWS calls of a use case: what was asked, what came back, and what it cost."""

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.endpoint
from botocore.client import BaseClient

from infra.bench import units
from infra.bench.units import Schema

Json = dict[str, Any]
Images = dict[tuple[str, str], Json | None]
_KINDS = ("Put", "Update", "Delete", "ConditionCheck")


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One call with its raw answer, and the request units it takes by the published rules."""

    service: str
    operation: str
    params: Json
    status: int
    headers: dict[str, str]
    body: bytes
    read_units: float = 0
    write_units: float = 0


class Recorder:
    """Hears every call of every botocore client in this process while `listening`."""

    def __init__(self) -> None:
        self._dynamodb = boto3.client("dynamodb")
        self._schemas: dict[str, Schema] = {}

    @contextmanager
    def listening(self) -> Iterator[list[AwsCall]]:
        heard: list[AwsCall] = []
        make_call, convert = BaseClient._make_api_call, botocore.endpoint.convert_to_response_dict
        answers: list[Any] = []

        def keep_answer(response: Any, *rest: Any) -> Any:
            answers.append(response)
            return convert(response, *rest)

        def call(client: Any, operation: str, params: Json) -> Any:
            if client is self._dynamodb:
                return make_call(client, operation, params)
            service = client.meta.service_model.service_name
            asked, before = copy.deepcopy(params), self._images(service, operation, params)
            try:
                return make_call(client, operation, params)
            finally:
                raw = answers[-1]
                taken = self._taken(service, operation, asked, before)
                heard.append(
                    AwsCall(
                        service, operation, asked, raw.status_code, dict(raw.headers), raw.content,
                        *taken,
                    )
                )  # fmt: skip

        BaseClient._make_api_call = call
        botocore.endpoint.convert_to_response_dict = keep_answer
        try:
            yield heard
        finally:
            BaseClient._make_api_call = make_call
            botocore.endpoint.convert_to_response_dict = convert

    def _schema(self, table: str) -> Schema:
        if table not in self._schemas:
            found = self._dynamodb.describe_table(TableName=table)["Table"]
            self._schemas[table] = Schema.of(found)
        return self._schemas[table]

    def _images(self, service: str, operation: str, params: Json) -> Images:
        """The items that a call is about to write, as they are now."""
        if service != "dynamodb":
            return {}
        return {
            (table, repr(key)): self._item(table, key)
            for table, key in self._written(operation, params)
        }

    def _item(self, table: str, key: Json) -> Json | None:
        answer = self._dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def _written(self, operation: str, params: Json) -> Iterator[tuple[str, Json]]:
        if operation == "TransactWriteItems":
            for action in params["TransactItems"]:
                ((kind, request),) = action.items()
                assert kind in _KINDS
                yield request["TableName"], self._key(request)
        elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
            yield params["TableName"], self._key(params)
        elif operation == "BatchWriteItem":
            for table, requests in params["RequestItems"].items():
                for request in requests:
                    (inside,) = request.values()
                    yield table, self._key({"TableName": table} | inside)

    def _key(self, request: Mapping[str, Any]) -> Json:
        if "Key" in request:
            return dict(request["Key"])
        return self._schema(request["TableName"]).key_of(request["Item"])

    def _taken(
        self, service: str, operation: str, params: Json, before: Images
    ) -> tuple[float, float]:
        if service != "dynamodb":
            return 0, 0
        if operation in ("GetItem", "BatchGetItem", "Query"):
            return self._read_units(operation, params), 0
        transactional = operation == "TransactWriteItems"
        written = 0
        for table, key in self._written(operation, params):
            old, new = before[table, repr(key)], self._item(table, key)
            schema = self._schema(table)
            written += units.write_units(old, new, schema, transactional=transactional)
        return 0, written

    def _read_units(self, operation: str, params: Json) -> float:
        """What was read counts, whatever a filter or a projection left of it."""
        consistent = params.get("ConsistentRead", False)
        if operation == "Query":
            found = self._dynamodb.query(**_unfiltered(params))["Items"]
            return units.query_units(found, consistent=consistent)
        if operation == "GetItem":
            item = self._item(params["TableName"], params["Key"]) or {}
            return units.read_units(units.item_bytes(item), consistent=consistent)
        total = 0.0
        for table, asked in params["RequestItems"].items():
            for key in asked["Keys"]:
                size = units.item_bytes(self._item(table, key) or {})
                consistent = asked.get("ConsistentRead", False)
                total += units.read_units(size, consistent=consistent)
        return total


def _unfiltered(query: Json) -> Json:
    """The same query without filter and projection, and without the names only these used."""
    left_out = ("FilterExpression", "ProjectionExpression")
    asked = {name: value for name, value in query.items() if name not in left_out}
    for placeholders in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        used = {
            name: value
            for name, value in asked.pop(placeholders, {}).items()
            if re.search(rf"{re.escape(name)}\b", asked["KeyConditionExpression"])
        }
        if used:
            asked[placeholders] = used
    return asked
