"""The whole local stack, put together: AWS, users, the app, its HTTP server and its pump."""

import importlib
import os
import threading
from collections.abc import Callable
from typing import Any

from chalice import Chalice

from infra.local.aws import LocalAws
from infra.local.bank.desk import Bank
from infra.local.dynamodb_local import DynamoDbLocal
from infra.local.endpoints import PREFIX, LocalEndpoints
from infra.local.environment import LocalSettings, set_app_environment
from infra.local.gateway import Gateway, HttpAnswer, HttpRequest
from infra.local.identity import UserPool
from infra.local.payments import find_due, find_paid_by_hand
from infra.local.pump import Pump
from infra.local.server import LocalServer
from infra.local.storefront import Storefront

Progress = Callable[[str], None]


class LocalStack:
    """Started part by part; `stop` undoes whatever was started, in the opposite order."""

    def __init__(self, given: LocalSettings) -> None:
        self._given = given
        self._undo: list[Callable[[], Any]] = []

    def start(self, say: Progress) -> str:
        """Start everything; the address that is served.

        Raises:
            CannotStart: in one sentence, why not.
        """
        # The port first: it is the likeliest to be refused, and nothing is lost yet.
        self._server = LocalServer(self._given.port, self._answer)
        self._undo.append(self._server.server_close)
        set_app_environment(self._server.url)
        aws = self._start_aws(say)
        say("Importing the app")
        app: Chalice = importlib.import_module("app").app
        self._gateway = Gateway(app)
        self._pump = Pump(app, aws)
        bank = Bank(find_due, self._pump.drain, find_by_hand=find_paid_by_hand, in_background=True)
        self._endpoints = LocalEndpoints(self._pool, self._pump, bank)
        self._storefront = Storefront(draw_demo)
        self._load_demo(say)
        self._pump.start()
        self._undo.append(self._pump.stop)
        serving = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        self._undo.append(self._server.shutdown)
        return self._server.url

    def stop(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        if self._storefront.answers(request.path):
            return self._storefront.answer(request)
        if request.path.startswith(PREFIX):
            return self._endpoints.answer(request)
        return self._gateway.answer(request)

    def _start_aws(self, say: Progress) -> LocalAws:
        # moto is never stopped: a request still in hand must not reach the real AWS.
        aws = LocalAws().start()
        if self._given.on_dynamodb_local:
            say("Starting DynamoDB Local")
            database = DynamoDbLocal(self._given.data_folder)
            self._undo.append(database.stop)
            aws.use_dynamodb(database.start(say))
        self._pool = UserPool()
        self._pool.export()
        say("Creating tables and queues")
        declare_template(aws)
        return aws

    def _load_demo(self, say: Progress) -> None:
        if not self._given.with_demo:
            return
        try:
            load_demo = importlib.import_module("infra.demo.load").load_demo
        except ModuleNotFoundError:
            return
        say("Loading the demo")
        load_demo(say)


def draw_demo(listing_id: str) -> str | None:
    """The drawing of a demo listing; None when it is another's, or the demo is not there."""
    try:
        load = importlib.import_module("infra.demo.load")
    except ModuleNotFoundError:
        return None
    found: str | None = load.image_of(listing_id)
    return found


def declare_template(aws: LocalAws) -> None:
    """Create what the template declares, and tell the app what depends on it."""
    from chalicelib.config import settings

    settings.cache_clear()
    template = importlib.import_module("infra.template")
    aws.declare(template.resources("local"))
    for bucket in aws.resources.buckets():
        os.environ["MAALEM_BUCKET"] = bucket
    settings.cache_clear()
