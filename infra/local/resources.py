"""Creates what the template declares (tables, queues, buckets, user pools) by calls to AWS."""

import json
import re
from collections.abc import Mapping
from typing import Any

import boto3

from infra.local.environment import ACCOUNT, NAME_PREFIX, REGION, CannotStart

Resource = Mapping[str, Any]

_PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::StackName": NAME_PREFIX.rstrip("-"),
    "AWS::URLSuffix": "amazonaws.com",
}
_NAME_PROPERTY = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::S3::Bucket": "BucketName",
}
_QUEUE_ATTRIBUTES = ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds")


class Resources:
    """The template's resources as they are called on this machine."""

    def __init__(self, declared: Mapping[str, Resource]) -> None:
        self._declared = declared
        self._stream_arns: dict[str, str] = {}

    def create(self) -> None:
        """Create everything; what is there already (DynamoDB Local keeps tables) is left as is."""
        self.create_tables()
        queues = self._of_kind("AWS::SQS::Queue")
        for _, properties in sorted(queues, key=lambda queue: "RedrivePolicy" in queue[1]):
            _create_queue(properties)
        for _, properties in self._of_kind("AWS::S3::Bucket"):
            boto3.client("s3").create_bucket(
                Bucket=properties["BucketName"],
                CreateBucketConfiguration={"LocationConstraint": REGION},
            )

    def drop_tables(self) -> None:
        for name in self.tables():
            boto3.client("dynamodb").delete_table(TableName=name)

    def create_tables(self) -> None:
        for name, properties in self._of_kind("AWS::DynamoDB::Table"):
            self._stream_arns[name] = _create_table(properties)

    def tables(self) -> list[str]:
        return [properties["TableName"] for _, properties in self._of_kind("AWS::DynamoDB::Table")]

    def queues(self) -> list[str]:
        return [properties["QueueName"] for _, properties in self._of_kind("AWS::SQS::Queue")]

    def stream_arn(self, table: str) -> str:
        """The ARN of a table's stream.

        Raises:
            CannotStart: the template gives this table no stream.
        """
        for logical, properties in self._of_kind("AWS::DynamoDB::Table"):
            if properties["TableName"] == table and self._stream_arns.get(logical):
                return self._stream_arns[logical]
        raise CannotStart(f"A consumer reads the stream of {table}, which the template lacks.")

    def buckets(self) -> list[str]:
        return [properties["BucketName"] for _, properties in self._of_kind("AWS::S3::Bucket")]

    def resolve(self, value: Any) -> Any:
        """A template value with its Ref, Fn::GetAtt, Fn::Sub and Fn::Join worked out."""
        if isinstance(value, list):
            return [self.resolve(part) for part in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref":
                return self._ref(argument)
            if function == "Fn::GetAtt":
                parts = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._attribute(*parts)
            if function == "Fn::Sub":
                return self._sub(argument)
            if function == "Fn::Join":
                return argument[0].join(str(self.resolve(part)) for part in argument[1])
        return {key: self.resolve(part) for key, part in value.items()}

    def _of_kind(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        found = []
        for name, resource in self._declared.items():
            if resource["Type"] == kind:
                properties = self.resolve(resource.get("Properties", {}))
                if kind in _NAME_PROPERTY:
                    properties[_NAME_PROPERTY[kind]] = self._name(name)
                found.append((name, properties))
        return found

    def _name(self, logical: str) -> str:
        resource = self._declared[logical]
        given = resource.get("Properties", {}).get(_NAME_PROPERTY[resource["Type"]])
        return str(self.resolve(given)) if given else f"{NAME_PREFIX}{logical}".lower()

    def _ref(self, logical: str) -> str:
        if logical in _PSEUDO:
            return _PSEUDO[logical]
        kind = self._declared.get(logical, {}).get("Type")
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self._name(logical)}"
        if kind in _NAME_PROPERTY:
            return self._name(logical)
        return logical  # Of a kind that only the deployed stack has.

    def _attribute(self, logical: str, attribute: str) -> str:
        kind = self._declared.get(logical, {}).get("Type")
        if kind not in _NAME_PROPERTY:
            return f"{logical}.{attribute}"
        name = self._name(logical)
        if attribute == "StreamArn":
            return self._stream_arns.get(logical, "")
        if attribute == "QueueName":
            return name
        if kind == "AWS::SQS::Queue":
            return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        if kind == "AWS::DynamoDB::Table":
            return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
        return f"arn:aws:s3:::{name}"

    def _sub(self, argument: Any) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument

        def value_of(match: re.Match[str]) -> str:
            name = match[1]
            if name in given:
                return str(self.resolve(given[name]))
            if "." in name:
                return self._attribute(*name.split(".", 1))
            return self._ref(name)

        return re.sub(r"\$\{([^!}]+)\}", value_of, text)


def _create_table(properties: Mapping[str, Any]) -> str:
    """Create a table and return its stream's ARN, empty without a stream."""
    dynamodb = boto3.client("dynamodb")
    wanted = _table_request(properties)
    try:
        answer = dynamodb.create_table(**wanted)["TableDescription"]
    except dynamodb.exceptions.ResourceInUseException:
        answer = dynamodb.describe_table(TableName=wanted["TableName"])["Table"]
        _check_same_table(wanted, answer)
    else:
        _set_expiry(properties)
    return str(answer.get("LatestStreamArn", ""))


def _table_request(properties: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {
        name: properties[name] for name in ("TableName", "KeySchema", "AttributeDefinitions")
    }
    request["BillingMode"] = "PAY_PER_REQUEST"
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if properties.get(kind):
            request[kind] = [
                {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
                for index in properties[kind]
            ]
    if "StreamSpecification" in properties:
        view = properties["StreamSpecification"]["StreamViewType"]
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    return request


def _set_expiry(properties: Mapping[str, Any]) -> None:
    if "TimeToLiveSpecification" in properties:
        boto3.client("dynamodb").update_time_to_live(
            TableName=properties["TableName"],
            TimeToLiveSpecification=properties["TimeToLiveSpecification"],
        )


def _check_same_table(wanted: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    def shape(table: Mapping[str, Any]) -> Any:
        indexes = {
            index["IndexName"]: index["KeySchema"]
            for index in table.get("GlobalSecondaryIndexes", [])
        }
        stream = table.get("StreamSpecification", {}).get("StreamEnabled", False)
        return table["KeySchema"], indexes, stream

    if shape(wanted) != shape(stored):
        raise CannotStart(
            f"The stored table {wanted['TableName']} is from another version of Maalem:"
            " delete the folder .local/dynamodb and start again."
        )


def _create_queue(properties: Mapping[str, Any]) -> None:
    attributes = {name: str(properties[name]) for name in _QUEUE_ATTRIBUTES if name in properties}
    if "RedrivePolicy" in properties:
        attributes["RedrivePolicy"] = json.dumps(properties["RedrivePolicy"])
    boto3.client("sqs").create_queue(QueueName=properties["QueueName"], Attributes=attributes)
