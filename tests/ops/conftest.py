"""The local server on a free port, started once; and an operator at it."""

import threading
from collections.abc import Iterator

import pytest

from infra.local.aws import LocalAws
from infra.local.endpoints import PREFIX, LocalEndpoints
from infra.local.gateway import Gateway, HttpAnswer, HttpRequest
from infra.local.identity import UserPool
from infra.local.pump import Pump
from infra.local.server import LocalServer
from tests.factories.bank import InProcessBank
from tests.factories.counter import Operator


@pytest.fixture(scope="session")
def served(declared_aws: LocalAws, gateway: Gateway, user_pool: UserPool) -> Iterator[str]:
    from app import app

    endpoints = LocalEndpoints(user_pool, Pump(app, declared_aws), InProcessBank().bank)

    def answer(request: HttpRequest) -> HttpAnswer:
        if request.path.startswith(PREFIX):
            return endpoints.answer(request)
        return gateway.answer(request)

    server = LocalServer(0, answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.url
    server.shutdown()
    server.server_close()


@pytest.fixture
def operator(aws: LocalAws, served: str) -> Operator:
    return Operator(served)
