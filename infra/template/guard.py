"""Holds every function to its policy where there is no IAM: in tests, and on the local stack.

moto lets everybody do everything, so a missing permission would show on AWS first. The guard looks
at each call of botocore that a function makes and refuses what its deployed policy does not name.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from botocore.client import BaseClient
from chalice.app import Chalice, DynamoDBEventConfig, SQSEventConfig

from infra.template.bucket import BUCKET
from infra.template.names import logical
from infra.template.policies import statements, use_of
from infra.template.queues import queue_id
from infra.template.tables import table_id

API = "APIHandler"
LOG_GROUP = "LogGroup"
TRANSACT = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
Need = tuple[str, str]
"""An action and its target: `("dynamodb:GetItem", "OrdersTable.Arn")`."""


class NotGranted(AssertionError):
    """A function did what its policy on AWS would refuse."""


class Guard:
    """The policies of an app's functions, and who is acting now."""

    def __init__(self, app: Chalice, source_root: Path, table_prefix: str, queue_prefix: str):
        self._grants = {
            name: granted(source_root, handler, events) for name, handler, events in _functions(app)
        }
        self._prefixes = (table_prefix, queue_prefix)
        self._acting: ContextVar[str] = ContextVar("acting", default="")
        self.used: dict[str, set[Need]] = {}
        self.refused: list[str] = []

    @contextmanager
    def acting_as(self, function: str) -> Iterator[None]:
        """What happens inside is done by this function, by its Chalice name."""
        token = self._acting.set(function)
        try:
            yield
        finally:
            self._acting.reset(token)

    @contextmanager
    def on_duty(self) -> Iterator["Guard"]:
        """Look at every call of botocore while this is open."""
        make = BaseClient._make_api_call

        def guarded(client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
            self._check(client.meta.service_model.service_name, operation, parameters)
            return make(client, operation, parameters)

        BaseClient._make_api_call = guarded
        try:
            yield self
        finally:
            BaseClient._make_api_call = make

    def _check(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        function = self._acting.get()
        if not function:
            return
        for need in needs(service, operation, parameters, *self._prefixes):
            self.used.setdefault(function, set()).add(need)
            if need not in self._grants[function]:
                self.refused.append(f"{function} may not {need[0]} on {need[1]}")
                raise NotGranted(self.refused[-1])


def granted(source_root: Path, handler: str, events: dict[str, Any]) -> frozenset[Need]:
    """What the deployed policy of a handler allows."""
    return frozenset(
        (action, _target(resource))
        for statement in statements(use_of(source_root, handler), LOG_GROUP, events)
        for action in statement["Action"]
        for resource in statement["Resource"]
    )


def needs(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    table_prefix: str,
    queue_prefix: str,
) -> list[Need]:
    """What IAM would ask for: a transaction asks for each of its parts."""

    def on_table(action: str, part: Mapping[str, Any]) -> Need:
        target = f"{table_id(str(part['TableName']).removeprefix(table_prefix))}.Arn"
        suffix = "/index/*" if part.get("IndexName") else ""
        return f"dynamodb:{action}", target + suffix

    if service == "dynamodb" and "TransactItems" in parameters:
        return [
            on_table(TRANSACT[kind], part)
            for item in parameters["TransactItems"]
            for kind, part in item.items()
        ]
    if service == "dynamodb" and "RequestItems" in parameters:
        tables = parameters["RequestItems"]
        return [on_table(operation, {"TableName": table}) for table in tables]
    if service == "dynamodb" and operation != "DescribeEndpoints":
        return [on_table(operation, parameters)]
    if service == "sqs":
        queue = str(parameters["QueueUrl"]).rpartition("/")[2].removeprefix(queue_prefix)
        return [(f"sqs:{operation}", f"{queue_id(queue)}.Arn")]
    return [(f"{service}:{operation}", f"{BUCKET}.Arn/*")]


def _functions(app: Chalice) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, handler and triggers of each function, as Chalice would package them."""
    yield API, "app.app", {}
    for source in app.event_sources:
        if isinstance(source, SQSEventConfig):
            event = {"Type": "SQS", "Properties": {"Queue": source.queue_arn}}
        elif isinstance(source, DynamoDBEventConfig):
            event = {"Type": "DynamoDB", "Properties": {"Stream": source.stream_arn}}
        else:
            event = {"Type": "Schedule", "Properties": {}}
        yield source.name, source.handler_string, {logical(source.name): event}


def _target(resource: dict[str, Any]) -> str:
    if "Fn::GetAtt" in resource:
        return ".".join(resource["Fn::GetAtt"])
    return str(resource["Fn::Sub"]).replace("${", "").replace("}", "")
