"""The house rules, as tests: who may import whom, how long things may get, what stays in one place.

Every rule is a function from a file to what is wrong in it, and each has planted violations, so
that a rule that stopped looking is noticed.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE_CAP = 400
FUNCTION_CAP = 40
APP_CAP = 60

# Which features a feature may call directly; calls go only down, so also what lies below those.
CALLS = {
    "payments": {"orders"},
    # What is sold is sold on terms: they are agreed while it is priced.
    "orders": {"listings", "shipping", "stock", "surge", "terms"},
    # A seller sets the stock with the listing, and a listing shows its stock state.
    "listings": {"artisans", "stock", "surge"},
    "artisans": {"regions"},
    # Where the money goes and whether its owner is still verified is asked at the last moment.
    "payouts": {"settlement", "artisans"},
    # Whether an artisan is verified is asked when their money is released, and at no time before.
    "settlement": {"ledger", "artisans"},
    "banking": {"settlement", "training"},
    "insights": set(),
    "ledger": set(),
    "notifications": set(),
    "regions": set(),
    "shipping": set(),
    "stock": set(),
    "surge": set(),
    "terms": {"regions"},  # a rule may be of a region: it names one that there is
    "training": set(),
}

# What a layer may import of its own feature, of lower features, and of the edge.
OWN = {
    "domain": set(),
    "tables": {"domain"},
    "messages": set(),
    "service": {"domain", "tables", "messages"},
    "schemas": {"domain"},
    "api": {"schemas", "service", "domain"},
    "consumers": {"messages", "service", "domain", "tables"},  # a stream's image is a table's row
}
LOWER = {
    "domain": {"domain"},
    "tables": {"domain"},
    "service": {"service", "domain"},
    "schemas": {"domain", "schemas"},  # an answer may show what is another's
    "api": {"domain", "schemas", "service"},
    "consumers": {"service", "domain"},
}
EXCEPTIONS = {
    # Payment and order change in one transaction, so that neither is ever seen without the other.
    ("payments/service", "chalicelib.orders.tables"),
    ("payments/service", "chalicelib.orders.parcel_tables"),
}
EDGE = {
    "domain": set(),
    "messages": set(),
    "tables": {"storage", "sealing", "caching"},
    "service": {
        "queues",
        "notices",
        "storage",
        "sealing",
        "caching",
        "observability",
        "pages",
        "sweeps",
    },
    "schemas": {"schemas", "pages", "texts"},
}
FORBIDDEN = {
    "domain": ("boto3", "botocore", "chalice", "pynamodb", "pydantic", "os", "chalicelib.config"),
    "tables": ("boto3", "chalice", "pydantic"),
    "messages": ("boto3", "botocore", "chalice", "pynamodb"),
    "service": ("boto3", "chalice", "pydantic"),
    "schemas": ("boto3", "botocore", "chalice", "pynamodb"),
    "api": ("boto3", "botocore", "pynamodb"),
    "consumers": ("boto3", "botocore", "pynamodb"),
}
MONEY = ("ledger", "orders", "payments", "payouts", "settlement", "terms")
CLOCKS = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"), ("time", "monotonic"), ("time", "sleep"),
}  # fmt: skip


@dataclass(frozen=True)
class File:
    path: str  # from the repository's top, as chalicelib/orders/domain.py
    source: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.removesuffix(".py").split("/"))

    @property
    def feature(self) -> str:
        """The feature's folder, or empty for the edge, root modules and infra."""
        parts = self.parts
        in_feature = parts[0] == "chalicelib" and len(parts) > 2 and parts[1] != "edge"
        return parts[1] if in_feature else ""

    @property
    def layer(self) -> str:
        """The layer that a file of a feature is, or belongs to; empty for nouns split off."""
        return layer_of(self.parts[2:]) if self.feature else ""


def layer_of(inside_feature: tuple[str, ...]) -> str:
    """`tables`, and `file_tables` split off from it, are both of the layer "tables"."""
    last = inside_feature[0].rpartition("_")[2] if inside_feature else ""
    return last if last in OWN else ""


def imported(file: File) -> Iterator[str]:
    """Every module (or name in one) that the file imports, anywhere in it."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def covers(prefix: str, name: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def below(feature: str) -> set[str]:
    found: set[str] = set()
    waiting = set(CALLS.get(feature, ()))
    while waiting:
        found |= waiting
        waiting = {lower for each in waiting for lower in CALLS[each]} - found
    return found


def is_excepted(file: File, name: str) -> bool:
    return any(
        file.path == f"chalicelib/{path}.py" and covers(wanted, name) for path, wanted in EXCEPTIONS
    )


def features_point_down(file: File) -> Iterator[str]:
    if not file.path.startswith("chalicelib/"):  # app.py mounts them all; tools know them
        return
    for name in imported(file):
        parts = tuple(name.split("."))
        if parts[0] != "chalicelib" or len(parts) < 2 or parts[1] not in CALLS:
            continue
        if is_excepted(file, name):
            continue
        if not file.feature:
            yield f"{name}: the edge and the root modules know no feature"
        elif parts[1] != file.feature:
            listens = file.layer == "consumers" and parts[2:3] == ("messages",)
            allowed = LOWER.get(file.layer)
            if parts[1] not in below(file.feature) and not listens:
                yield f"{name}: {parts[1]} is not below {file.feature}; send a message"
            elif (
                parts[2:] and not listens and allowed and layer_of(parts[2:]) not in allowed | {""}
            ):
                yield f"{name}: of a lower feature, {file.layer} may call {sorted(allowed)}"


def layers_point_inwards(file: File) -> Iterator[str]:
    for name in imported(file):
        parts = tuple(name.split("."))
        if parts[:2] == ("chalicelib", file.feature) and file.feature:
            wanted = layer_of(parts[2:])
            outwards = (
                wanted not in OWN[file.layer] if file.layer else wanted in ("api", "consumers")
            )
            if wanted and wanted != file.layer and outwards:
                yield f"{name}: {file.layer or file.path} may not import {wanted}"
        allowed = EDGE.get(file.layer)
        in_edge = parts[:2] == ("chalicelib", "edge") and len(parts) > 2
        if in_edge and allowed is not None and parts[2] not in allowed:
            yield f"{name}: {file.layer} may not import this part of the edge"
        for banned in FORBIDDEN.get(file.layer, ()):
            if covers(banned, name):
                yield f"{name}: {file.layer} may not import {banned}"


def only_the_edge_knows_chalice(file: File) -> Iterator[str]:
    if file.path.startswith("chalicelib/") and not file.path.startswith("chalicelib/edge/"):
        for name in imported(file):
            if covers("chalice", name) or covers("aws_lambda_powertools", name):
                yield f"{name}: only the edge knows Chalice and Powertools"


def lambda_code_imports_no_tools(file: File) -> Iterator[str]:
    if file.path.startswith("chalicelib/") or file.path == "app.py":
        for name in imported(file):
            if any(covers(each, name) for each in ("infra", "tests", "moto", "boto3", "pytest")):
                yield f"{name}: never inside Lambda"


def environment_is_read_in_one_place(file: File) -> Iterator[str]:
    if file.path == "chalicelib/config.py" or not file.path.startswith(("chalicelib/", "app.py")):
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"):
            yield f"line {node.lineno}: the environment is config.py's"
    if any(name in ("os.environ", "os.getenv") for name in imported(file)):
        yield "the environment is config.py's"


def there_is_one_clock(file: File) -> Iterator[str]:
    if file.path == "chalicelib/clock.py" or not file.path.startswith("chalicelib/"):
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if (last, node.func.attr) in CLOCKS:
                yield f"line {node.lineno}: the time is clock.py's"
    for name in imported(file):
        if name in ("time.time", "time.sleep", "time.monotonic"):
            yield f"{name}: the time is clock.py's"


def money_is_whole(file: File) -> Iterator[str]:
    if file.feature not in MONEY and file.path != "chalicelib/money.py":
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "float":
            yield f"line {node.lineno}: float()"
        if isinstance(node, ast.Constant) and type(node.value) is float:
            yield f"line {node.lineno}: {node.value} is a float"
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            yield f"line {node.lineno}: `/` makes a float; use `//`"


def no_table_is_scanned(file: File) -> Iterator[str]:
    if not file.path.startswith("chalicelib/"):
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in (
            "scan",
            "rate_limited_scan",
        ):
            yield f"line {node.lineno}: no function that Lambda runs scans a table"


def files_and_functions_are_short(file: File) -> Iterator[str]:
    lines = len(file.source.splitlines())
    cap = APP_CAP if file.path == "app.py" else FILE_CAP
    if lines > cap:
        yield f"{lines} lines, {cap} is where a file is split by noun"
    for node in ast.walk(file.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_CAP:
                yield f"{node.name} has {length} lines, {FUNCTION_CAP} is the cap"


RULES: list[Callable[[File], Iterator[str]]] = [
    features_point_down,
    layers_point_inwards,
    only_the_edge_knows_chalice,
    lambda_code_imports_no_tools,
    environment_is_read_in_one_place,
    there_is_one_clock,
    money_is_whole,
    no_table_is_scanned,
    files_and_functions_are_short,
]
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("chalicelib", "infra")
    for path in (ROOT / folder).rglob("*.py")
) + ["app.py"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_to(rule):
    wrong = {
        path: found
        for path in FILES
        if (found := list(rule(File(path, (ROOT / path).read_text(encoding="utf-8")))))
    }
    assert wrong == {}


PLANTED = [
    (features_point_down, "orders/service", "from chalicelib.payments import service"),
    (features_point_down, "stock/service", "import chalicelib.listings.service"),
    (features_point_down, "ledger/domain", "from chalicelib.settlement.domain import Share"),
    (
        features_point_down,
        "payments/service",
        "def f():\n    from chalicelib.settlement import fees",
    ),
    (features_point_down, "payments/service", "from chalicelib.settlement.messages import X"),
    (features_point_down, "orders/service", "from chalicelib.stock.tables import StockTable"),
    (features_point_down, "orders/domain", "from chalicelib.stock import service"),
    (features_point_down, "orders/tables", "from chalicelib.stock import service"),
    (features_point_down, "orders/api", "from chalicelib.stock.tables import StockTable"),
    (features_point_down, "edge/blueprint", "from chalicelib.orders import service"),
    (layers_point_inwards, "orders/domain", "from chalicelib.orders import tables"),
    (layers_point_inwards, "orders/domain", "from chalicelib.edge import storage"),
    (layers_point_inwards, "orders/domain", "import pydantic"),
    (layers_point_inwards, "orders/domain", "from os import path"),
    (layers_point_inwards, "orders/tables", "from chalicelib.orders.service import place_order"),
    (layers_point_inwards, "orders/service", "from chalicelib.edge.blueprint import Operation"),
    (layers_point_inwards, "orders/service", "from chalicelib.orders import schemas"),
    (layers_point_inwards, "orders/service", "import boto3"),
    (layers_point_inwards, "orders/api", "from chalicelib.orders.tables import OrderTable"),
    (layers_point_inwards, "orders/api", "from pynamodb.models import Model"),
    (layers_point_inwards, "orders/totals", "from chalicelib.orders import api"),
    (only_the_edge_knows_chalice, "orders/api", "from chalice import Response"),
    (only_the_edge_knows_chalice, "orders/service", "from aws_lambda_powertools import Logger"),
    (lambda_code_imports_no_tools, "orders/service", "from infra.local import pump"),
    (lambda_code_imports_no_tools, "edge/storage", "import boto3"),
    (environment_is_read_in_one_place, "orders/service", "import os\nos.environ['A']"),
    (environment_is_read_in_one_place, "edge/storage", "import os\nos.getenv('A')"),
    (environment_is_read_in_one_place, "edge/storage", "from os import environ"),
    (there_is_one_clock, "orders/domain", "datetime.now(UTC)"),
    (there_is_one_clock, "orders/domain", "datetime.datetime.utcnow()"),
    (there_is_one_clock, "edge/storage", "import time\ntime.sleep(1)"),
    (there_is_one_clock, "edge/storage", "from time import time"),
    (money_is_whole, "orders/totals", "float(amount)"),
    (money_is_whole, "settlement/fees", "amount_minor * 0.1"),
    (money_is_whole, "settlement/fees", "amount_minor / 2"),
    (money_is_whole, "ledger/domain", "amount_minor /= 2"),
    (no_table_is_scanned, "orders/tables", "OrderTable.scan()"),
    (no_table_is_scanned, "edge/storage", "client.scan(TableName='x')"),
    (files_and_functions_are_short, "orders/api", "x = 1\n" * 401),
    (files_and_functions_are_short, "orders/api", "def f():\n" + "    x = 1\n" * 40),
]
HARMLESS = [
    (features_point_down, "payments/service", "from chalicelib.orders import service"),
    (features_point_down, "payments/service", "from chalicelib.listings.domain import Listing"),
    (features_point_down, "settlement/consumers", "from chalicelib.payments.messages import Paid"),
    (layers_point_inwards, "orders/service", "from chalicelib.orders import tables, domain"),
    (there_is_one_clock, "orders/service", "clock.now()"),
    (money_is_whole, "orders/service", "amount_minor // 2"),
    (files_and_functions_are_short, "orders/api", "def f():\n" + "    x = 1\n" * 39),
]


def _named(case) -> str:
    rule, path, source = case
    return f"{rule.__name__}-{path}-{source[:40]}"


@pytest.mark.parametrize("case", PLANTED, ids=_named)
def test_a_planted_violation_is_found(case):
    rule, path, source = case
    assert list(rule(File(f"chalicelib/{path}.py", source))) != []


@pytest.mark.parametrize("case", HARMLESS, ids=_named)
def test_what_is_allowed_is_not_reported(case):
    rule, path, source = case
    assert list(rule(File(f"chalicelib/{path}.py", source))) == []


def test_every_feature_has_its_place():
    folders = {path.parent.name for path in (ROOT / "chalicelib").glob("*/__init__.py")}
    assert folders - set(CALLS) == {"edge"}


def blueprints() -> set[str]:
    pattern = re.compile(r"^(\w+) = FeatureBlueprint\(", re.MULTILINE)
    return {
        f"{path.removesuffix('.py').replace('/', '.')}:{name}"
        for path in FILES
        for name in pattern.findall((ROOT / path).read_text(encoding="utf-8"))
    }


def test_the_app_mounts_every_blueprint():
    tree = File("app.py", (ROOT / "app.py").read_text(encoding="utf-8")).tree
    (loop,) = [node for node in tree.body if isinstance(node, ast.For)]
    mounted = [name.id for name in ast.walk(loop.iter) if isinstance(name, ast.Name)]
    module_of = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(module_of[name] for name in mounted) == sorted(blueprints())


def test_no_exception_is_left_over():
    imports = {
        (path, name)
        for path, _ in EXCEPTIONS
        for name in imported(
            File(path, (ROOT / f"chalicelib/{path}.py").read_text(encoding="utf-8"))
        )
    }
    for path, wanted in EXCEPTIONS:
        assert any(path == user and covers(wanted, name) for user, name in imports), (path, wanted)


def test_a_blueprint_is_found_where_it_is_made():
    assert "chalicelib.edge.system:system" in blueprints()
