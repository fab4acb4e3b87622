"""Reads a DynamoDB stream from its beginning, shard by shard, parents before children."""

from time import monotonic
from typing import Any

import boto3

from infra.local.aws import LocalAws

REFRESH_SECONDS = 5.0


class StreamReader:
    """One consumer's position in a stream. Not for several threads at once.

    It starts at the beginning every time: queues live in this process, so after a restart on kept
    data the stream is what brings their messages back. Handlers take repeats.
    """

    def __init__(self, aws: LocalAws, arn: str) -> None:
        self.arn = arn
        self._aws = aws
        self._client = boto3.client("dynamodbstreams")
        self.rewind()

    def rewind(self) -> None:
        """Start again at the beginning of the stream, as it is now."""
        self.arn = self._aws.current_stream_arn(self.arn)
        self._iterators: dict[str, str] = {}
        self._parents: dict[str, str | None] = {}
        self._last: dict[str, str] = {}
        self._finished: set[str] = set()
        self._refreshed = 0.0
        self._version = -1

    def read(self, limit: int) -> list[dict[str, Any]]:
        """The next records, oldest first; empty when there are none yet."""
        version = self._aws.stream_version(self.arn)
        if version is not None and version == self._version:
            return []
        if not self._iterators or (version is None and self._is_stale()):
            self._open_shards()
        records = self._read_shards(limit)
        if not records and version is not None:
            self._version = version
        return records

    def _is_stale(self) -> bool:
        return monotonic() - self._refreshed > REFRESH_SECONDS

    def _read_shards(self, limit: int) -> list[dict[str, Any]]:
        for shard in list(self._iterators):
            if self._parents.get(shard) in self._iterators:
                continue  # Its parent's records come first.
            records = self._read_shard(shard, limit)
            if records:
                return records
        return []

    def _read_shard(self, shard: str, limit: int) -> list[dict[str, Any]]:
        errors = self._client.exceptions
        spent = self._iterators[shard]
        try:
            answer = self._client.get_records(ShardIterator=spent, Limit=min(limit, 1000))
        except (errors.ExpiredIteratorException, errors.TrimmedDataAccessException):
            del self._iterators[shard]
            self._open(shard)
            return []
        following = answer.get("NextShardIterator")
        if following:
            self._iterators[shard] = following
        else:
            del self._iterators[shard]
            self._finished.add(shard)
        records: list[dict[str, Any]] = answer["Records"]
        if records:
            self._last[shard] = records[-1]["dynamodb"]["SequenceNumber"]
        self._aws.forget_iterator(spent)
        return records

    def _open_shards(self) -> None:
        self._refreshed = monotonic()
        request: dict[str, Any] = {"StreamArn": self.arn}
        while True:
            found = self._client.describe_stream(**request)["StreamDescription"]
            for shard in found["Shards"]:
                name = shard["ShardId"]
                self._parents[name] = shard.get("ParentShardId")
                if name not in self._iterators and name not in self._finished:
                    self._open(name)
            last = found.get("LastEvaluatedShardId")
            if not last:
                return
            request["ExclusiveStartShardId"] = last

    def _open(self, shard: str) -> None:
        request: dict[str, Any] = {"StreamArn": self.arn, "ShardId": shard}
        if shard in self._last:
            request["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER"
            request["SequenceNumber"] = self._last[shard]
        else:
            request["ShardIteratorType"] = "TRIM_HORIZON"
        self._iterators[shard] = self._client.get_shard_iterator(**request)["ShardIterator"]
