"""The tables, generated from the PynamoDB models: the models are the schema."""

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import TTLAttribute

import chalicelib
from chalicelib.edge.storage import Table
from infra.template.names import logical, physical


class ConflictingModels(RuntimeError):
    """Two models share a table but disagree on its keys, its stream or its expiry."""


def table_id(name: str) -> str:
    return logical(name, "table")


def table_models() -> dict[str, list[type[Table]]]:
    """Every model below `chalicelib`, grouped by the short name of its table."""
    for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
        if module.name.endswith("tables"):
            importlib.import_module(module.name)
    grouped: dict[str, list[type[Table]]] = {}
    for model in _descendants(Table):
        if model.__module__.startswith("chalicelib.") and hasattr(model.Meta, "short_name"):
            grouped.setdefault(model.Meta.short_name, []).append(model)
    return dict(sorted(grouped.items()))


def table_resources(stage: str) -> dict[str, Any]:
    return {
        table_id(name): _resource(stage, name, models) for name, models in table_models().items()
    }


def _descendants(model: type[Table]) -> Iterable[type[Table]]:
    for child in model.__subclasses__():
        yield child
        yield from _descendants(child)


def _resource(stage: str, name: str, models: list[type[Table]]) -> dict[str, Any]:
    """A table as CloudFormation has it; several models may live in one table."""
    keys = [_keys(_schema(model)["key_schema"]) for model in models]
    properties: dict[str, Any] = {
        "TableName": physical(stage, name),
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _agreed(name, "keys", keys),
        "AttributeDefinitions": _attribute_definitions(models),
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
        "DeletionProtectionEnabled": stage == "prod",
    }
    if indexes := _indexes(name, models):
        properties["GlobalSecondaryIndexes"] = indexes
    views = {getattr(model.Meta, "stream_view_type", None) for model in models} - {None}
    if views:
        properties["StreamSpecification"] = {"StreamViewType": _agreed(name, "stream", list(views))}
    if expiries := {found for model in models if (found := _expiry_of(model))}:
        attribute = _agreed(name, "expiry", list(expiries))
        properties["TimeToLiveSpecification"] = {"AttributeName": attribute, "Enabled": True}
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": properties,
    }


def _expiry_of(model: type[Table]) -> str | None:
    """The attribute that DynamoDB's time-to-live reads; only ever to tidy up."""
    attributes = model.get_attributes().values()
    names = [attribute.attr_name for attribute in attributes if isinstance(attribute, TTLAttribute)]
    return names[0] if names else None


def _schema(model: type[Table]) -> Any:
    schema = model._get_schema()
    if schema["local_secondary_indexes"]:
        raise ConflictingModels(f"{model.__name__}: local indexes cannot be added later; use a GSI")
    return schema


def _agreed(name: str, what: str, values: list[Any]) -> Any:
    if any(value != values[0] for value in values):
        raise ConflictingModels(f"table {name}: its models disagree on its {what}")
    return values[0]


def _keys(key_schema: list[dict[str, str]]) -> list[dict[str, str]]:
    """The partition key first, as DynamoDB demands; PynamoDB lists attributes by name."""
    ordered = sorted(key_schema, key=lambda key: key["KeyType"] != "HASH")
    return [{"AttributeName": key["AttributeName"], "KeyType": key["KeyType"]} for key in ordered]


def _attribute_definitions(models: list[type[Table]]) -> list[dict[str, str]]:
    types = {
        definition["AttributeName"]: definition["AttributeType"]
        for model in models
        for definition in _schema(model)["attribute_definitions"]
    }
    return [
        {"AttributeName": attribute, "AttributeType": types[attribute]}
        for attribute in sorted(types)
    ]


def _indexes(name: str, models: list[type[Table]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for model in models:
        for index in _schema(model)["global_secondary_indexes"]:
            made = {
                "IndexName": index["index_name"],
                "KeySchema": _keys(index["key_schema"]),
                "Projection": dict(index["projection"]),
            }
            earlier = found.setdefault(made["IndexName"], made)
            _agreed(name, f"index {made['IndexName']}", [earlier, made])
    return [found[index] for index in sorted(found)]
