"""DynamoDB's base: names of tables, committing a transaction, telling failures apart."""

import random
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected
from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.errors import Unavailable

NEW_AND_OLD_IMAGES = "NEW_AND_OLD_IMAGES"
DUE_SHARD_COUNT = 8
CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 3
TOTAL_ATTEMPTS = 4
COMMIT_ATTEMPTS = 6
THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
        "TransactionConflictException",  # a plain write met a transaction on its item
        "TransactionInProgressException",
    }
)
TRANSIENT_REASONS = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)


class Table(Model):
    """Base of every table: the models are the schema that the template is made from."""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """PynamoDB would make a client for each table, at 40 ms; all share the process's one."""
        made = super()._get_connection()
        made.connection._client = aws_client("dynamodb")
        return made


def meta(name: str, *, stream: bool = False) -> type:
    """The `Meta` of a table called `name`; with `stream`, its changes are published."""
    options: dict[str, Any] = {
        "table_name": f"{settings().table_prefix}{name}",
        "short_name": name,
        "region": settings().region,
        "billing_mode": "PAY_PER_REQUEST",
    }
    if stream:
        options["stream_view_type"] = NEW_AND_OLD_IMAGES
    return type("Meta", (), options)


def due_index(*, keys_only: bool = False) -> Any:
    """The sparse index of what must happen later: partition kind and shard, sorted by when.

    With `keys_only`, a change of the item costs the index nothing unless its time changes.
    """

    class DueIndex(GlobalSecondaryIndex[Any]):
        class Meta:
            index_name = "due"
            projection = KeysOnlyProjection() if keys_only else AllProjection()

        due_shard = UnicodeAttribute(hash_key=True)
        due_at = UnicodeAttribute(range_key=True)

    return DueIndex()


def due_shard_of(kind: str, key: str) -> str:
    return f"{kind}#{ids.shard_of(key, DUE_SHARD_COUNT)}"


def due_shards(kind: str) -> list[str]:
    return [f"{kind}#{shard}" for shard in range(DUE_SHARD_COUNT)]


_connections: dict[str, Connection] = {}
_clients: dict[str, Any] = {}
_sessions: list[Any] = []
_making = Lock()


def connection() -> Connection:
    """The connection that transactions go through; one per region and process."""
    region = settings().region
    if region not in _connections:
        _connections[region] = Connection(region=region)
    made = _connections[region]
    made._client = aws_client("dynamodb")
    return made


def aws_client(service: str) -> Any:
    """The process's one botocore client of a service; PynamoDB's tables use DynamoDB's, too."""
    if service not in _clients:
        with _making:  # Sessions are not made for several threads.
            _clients.setdefault(service, _made_client(service))
    return _clients[service]


def _made_client(service: str) -> Any:
    # One session for all: each reads its own copy of botocore's data, which costs a cold start.
    if not _sessions:
        _sessions.append(botocore.session.get_session())
    return _sessions[0].create_client(
        service,
        region_name=settings().region,
        config=Config(
            parameter_validation=False,
            # Given, it is not put together anew, twice, for each call: a fifth of a call's CPU.
            user_agent=f"maalem Botocore/{botocore.__version__}",
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
        ),
    )


def forget_connections() -> None:
    """Drop what was connected, after the AWS behind it was replaced (tests, local stack)."""
    _connections.clear()
    _clients.clear()
    _sessions.clear()
    for table in all_tables():
        table._connection = None


def all_tables() -> list[type[Table]]:
    """Every table whose module has been imported."""
    return sorted(Table.__subclasses__(), key=lambda table: table.Meta.table_name)


def commit(write: Callable[[TransactWrite], None]) -> None:
    """Commit what `write` puts into a transaction, all of it or nothing.

    A transaction that lost against another one, or was throttled, is tried again with jitter: that
    says nothing about the business. A failed condition does, and is raised at once.

    Raises:
        TransactWriteError: a condition failed; see `failed_conditions`.
        Unavailable: DynamoDB kept refusing; nothing was written.
    """
    for attempt in range(COMMIT_ATTEMPTS):
        try:
            with TransactWrite(connection=connection()) as transaction:
                write(transaction)
            return
        except TransactWriteError as error:
            if not _worth_retrying(error):
                raise
        clock.pause(random.uniform(0, 0.02 * 2**attempt))
    raise Unavailable("too many writers at once; nothing was changed", retry_after_seconds=1)


def try_commit(write: Callable[[TransactWrite], None]) -> bool:
    """As `commit`; False when a condition failed: what was read has changed."""
    try:
        commit(write)
    except TransactWriteError as error:
        if failed_conditions(error):
            return False
        raise
    return True


def _worth_retrying(error: TransactWriteError) -> bool:
    reasons = {reason.code for reason in error.cancellation_reasons if reason}
    return bool(reasons) and reasons <= TRANSIENT_REASONS


def failed_conditions(error: TransactWriteError) -> list[int]:
    """The positions in the transaction whose condition failed."""
    return [
        position
        for position, reason in enumerate(error.cancellation_reasons)
        if reason and reason.code == "ConditionalCheckFailed"
    ]


def is_condition_failure(error: PynamoDBException) -> bool:
    # Not `error.cause_response_code`: it stumbles over a time-out, which has no response.
    cause = error.cause
    if not isinstance(cause, ClientError):
        return False
    return bool(cause.response["Error"]["Code"] == "ConditionalCheckFailedException")


def is_outage(error: BaseException) -> bool:
    """True when the store was not reached or had no capacity: try again, nothing is wrong."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, (HTTPClientError, NotConnected)):
        return True
    if isinstance(error, TransactWriteError) and _worth_retrying(error):
        return True
    return isinstance(cause, ClientError) and cause.response["Error"]["Code"] in THROTTLES


def sweep_due(index: Any, kind: str) -> Iterator[Any]:
    """Items of a kind whose time has come: one of each shard in turn, its longest overdue first.

    Read page by page while they are dealt with: a backlog of any size is worked off, and what one
    sweep does not reach the next one finds. No shard waits behind the backlog of another.
    """
    is_due = type(index).due_at <= clock.to_text(clock.now())
    shards = [iter(index.query(shard, is_due, page_size=100)) for shard in due_shards(kind)]
    while shards:
        for shard in tuple(shards):
            item = next(shard, None)
            if item is None:
                shards.remove(shard)
            else:
                yield item


def newest_first(
    index: Any, kind: str, sort_key: str, limit: int, before: str | None
) -> tuple[list[Any], str | None]:
    """A page over the shards of a kind, the newest first: one query a shard, merged.

    `before` is the sort key that the page before ended at; so is what is returned beside the rows,
    None at the end. Sort keys are unique.
    """
    sort = getattr(type(index), sort_key)
    found = [
        row
        for shard in due_shards(kind)
        for row in index.query(
            shard,
            None if before is None else sort < before,
            limit=limit + 1,
            scan_index_forward=False,
        )
    ]
    found.sort(key=lambda row: str(getattr(row, sort_key)), reverse=True)
    page = found[:limit]
    return page, getattr(page[-1], sort_key) if len(found) > limit else None
