"""The messages that would have been sent to people, as the notifications feature keeps them."""

from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer

from infra.local.environment import NAME_PREFIX

TABLE = f"{NAME_PREFIX}notifications"


def messages_sent() -> list[dict[str, Any]]:
    """Every message, oldest first; empty when the platform keeps none."""
    dynamodb = boto3.client("dynamodb")
    read = TypeDeserializer().deserialize
    rows: list[dict[str, Any]] = []
    try:
        for page in dynamodb.get_paginator("scan").paginate(TableName=TABLE):
            rows += [
                {name: _plain(read(value)) for name, value in item.items()}
                for item in page["Items"]
            ]
    except dynamodb.exceptions.ResourceNotFoundException:
        return []
    return sorted(rows, key=lambda row: str(row.get("created_at", row.get("at", ""))))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | set):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, str | bool):
        return value
    return int(value) if hasattr(value, "as_tuple") else bytes(value).decode("latin-1")
