"""What each Lambda function may do: one policy per function, made from the code that it runs.

Tables: those whose models the function reaches. Putting, updating and deleting are allowed where
what it reaches of the modules that use the model does so; nothing may delete a ledger entry, and
nothing may scan. Queues: those that what sends names, and that of the notices, if anybody is told
anything. The rest comes from its trigger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.edge import notices
from chalicelib.edge.queues import QUEUES
from infra.template import reach
from infra.template.bucket import BUCKET
from infra.template.names import arn, logical
from infra.template.queues import STREAM_DEAD, queue_id
from infra.template.tables import table_id, table_models

HTTP_MODULES = frozenset(
    {"chalicelib.edge.calls", "chalicelib.edge.idempotency", "chalicelib.edge.audit"}
)
"""Imported by the seam for everybody, run for requests only."""

READS = ("BatchGetItem", "ConditionCheckItem", "GetItem", "Query")
NEVER_DELETED = frozenset({"audit", "ledger"})
BY_CALL = {
    "save": "PutItem",
    "update": "UpdateItem",
    "update_item": "UpdateItem",
    "delete": "DeleteItem",
    "batch_write": "BatchWriteItem",
}
"""What PynamoDB and botocore call their ways of writing, and the action that IAM asks for."""
SENDING = ("chalicelib.edge.queues", "send")
TELLING = ("chalicelib.edge.notices", "tell")
CALLING_OUT = ("chalicelib.edge.outbound", "send")


@dataclass(frozen=True, slots=True)
class Use:
    """What the code of one function touches; `calls_out`: it asks providers over the network."""

    tables: dict[str, tuple[str, ...]]
    queues: tuple[str, ...]
    files: bool
    calls_out: bool


def use_of(source_root: Path, handler: str) -> Use:
    """What a handler ("app.app", "chalicelib.orders.consumers.expire") touches."""
    serves_http = not handler.startswith("chalicelib.")
    units = reach.reached(
        source_root, handler, _runs_for_events_only if serves_http else _runs_for_requests_only
    )
    tables = {
        name: actions
        for name, models in table_models().items()
        if (actions := _table_actions(units, name, {(m.__module__, m.__name__) for m in models}))
    }
    senders = [part for part in units.values() if SENDING in part.mentions]
    queues = {word for part in senders for word in part.texts} & QUEUES.keys()
    if TELLING in units:
        queues |= {notices.QUEUE}
    files = any("s3" in part.texts for part in units.values())
    return Use(tables, tuple(sorted(queues)), files, CALLING_OUT in units)


def statements(use: Use, log_group_id: str, events: dict[str, Any]) -> list[dict[str, Any]]:
    """The policy of one function, triggers included; no statement has `*` for its resource."""
    made = [_allow("Log", "logs", ["CreateLogStream", "PutLogEvents"], [arn(log_group_id)])]
    for table, actions in use.tables.items():
        indexes = {"Fn::Sub": f"${{{table_id(table)}.Arn}}/index/*"}
        targets = [arn(table_id(table)), indexes]
        made.append(_allow(logical("use", table), "dynamodb", list(actions), targets))
    if use.queues:
        targets = [arn(queue_id(queue)) for queue in use.queues]
        made.append(_allow("Send", "sqs", ["SendMessage"], targets))
    if use.files:
        every_object = {"Fn::Sub": f"${{{BUCKET}.Arn}}/*"}
        made.append(_allow("Files", "s3", ["GetObject", "PutObject"], [every_object]))
    for event in events.values():
        made += _trigger_statements(event)
    return made


def _runs_for_events_only(module: str) -> bool:
    return module.endswith(".consumers")


def _runs_for_requests_only(module: str) -> bool:
    return module in HTTP_MODULES or module.endswith(".api")


def _table_actions(
    units: Mapping[reach.Unit, reach.Part], table: str, models: set[reach.Unit]
) -> tuple[str, ...]:
    if not units.keys() & models:
        return ()
    users = {unit[0] for unit, part in units.items() if part.mentions & models} | {
        module for module, _ in models
    }
    calls = {call for unit, part in units.items() if unit[0] in users for call in part.calls}
    writes = {action for name, action in BY_CALL.items() if name in calls}
    if table in NEVER_DELETED:
        writes -= {"DeleteItem", "BatchWriteItem"}
    return tuple(sorted({*READS, *writes}))


def _trigger_statements(event: dict[str, Any]) -> list[dict[str, Any]]:
    properties = event["Properties"]
    if event["Type"] == "SQS":
        queue = properties["Queue"]["Fn::GetAtt"][0]
        dead = f"{queue.removesuffix('Queue')}DeadQueue"
        taking = ["ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes"]
        return [
            _allow("Take", "sqs", [*taking, "ReceiveMessage"], [arn(queue)]),
            _allow("Bury", "sqs", ["SendMessage"], [arn(dead)]),
        ]
    if event["Type"] == "DynamoDB":
        table = properties["Stream"]["Fn::GetAtt"][0]
        reading = ["DescribeStream", "GetRecords", "GetShardIterator"]
        streams = {"Fn::Sub": f"${{{table}.Arn}}/stream/*"}
        stream_dead = arn(logical(STREAM_DEAD, "queue"))
        return [
            _allow("Follow", "dynamodb", reading, [properties["Stream"]]),
            _allow("FindStream", "dynamodb", ["ListStreams"], [streams]),
            _allow("GiveUp", "sqs", ["SendMessage"], [stream_dead]),
        ]
    return []


def _allow(sid: str, service: str, actions: list[str], targets: list[Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in actions],
        "Resource": targets,
    }
