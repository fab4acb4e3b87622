"""The messages that would have been sent to people, as the notifications feature keeps them.

Here, and nowhere else, is shown in clear whom each is for.
"""

import json
from collections.abc import Mapping
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer

from chalicelib.edge.sealing import unseal
from infra.local.environment import NAME_PREFIX

TABLE = f"{NAME_PREFIX}notifications"


def messages_sent() -> list[dict[str, Any]]:
    """Every message, oldest first; empty when the platform keeps none."""
    dynamodb = boto3.client("dynamodb")
    rows: list[dict[str, Any]] = []
    try:
        for page in dynamodb.get_paginator("scan").paginate(TableName=TABLE):
            rows += [_message(item) for item in page["Items"]]
    except dynamodb.exceptions.ResourceNotFoundException:
        return []
    return sorted(rows, key=lambda row: (row["created_at"], row["notice_id"]))


def _message(item: Mapping[str, Any]) -> dict[str, Any]:
    read = TypeDeserializer().deserialize
    row = {name: read(value) for name, value in item.items()}
    sealed = bytes(row.pop("to_sealed"))
    row["to"] = json.loads(unseal(sealed, context=row["notice_id"]))
    row["params"] = {name: _plain(value) for name, value in row["params"].items()}
    return row | {"expires": int(row["expires"])}


def _plain(value: Any) -> str | int:
    return value if isinstance(value, str) else int(value)
