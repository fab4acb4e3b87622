"""What a Lambda function's code can reach: the modules its handler imports, directly or not.

Read from the sources, without running them; imports inside functions count. A function's policy is
made from this, so a permission is there exactly when the code that needs it is.
"""

import ast
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

_NAMED_MODULE = re.compile(r"^(chalicelib(?:\.\w+)+)(?::\w+)?$")


def reached_modules(
    source_root: Path, handler: str, is_foreign: Callable[[str], bool]
) -> frozenset[str]:
    """Modules below `source_root` that `handler` ("chalicelib.orders.consumers.expire") imports.

    Args:
        is_foreign: names of modules that are imported but never run by this kind of function.
    """
    found: set[str] = set()
    waiting = [handler.rpartition(".")[0]]
    while waiting:
        name = waiting.pop()
        path = module_path(source_root, name)
        if name in found or path is None or is_foreign(name):
            continue
        found.add(name)
        waiting += [parent for parent in _parents(name) if parent not in found]
        waiting += _imports(path, name)
    return frozenset(found)


def module_path(source_root: Path, name: str) -> Path | None:
    """The file of one of our modules, None for anybody else's."""
    base = source_root.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def imports_name(source_root: Path, module: str, wanted: str) -> bool:
    """True when `module` imports `wanted` (a module, or a name of one: "a.b.send")."""
    path = module_path(source_root, module)
    return path is not None and wanted in _imports(path, module)


def attributes_used(source_root: Path, module: str) -> frozenset[str]:
    """Every name that follows a dot in a module: `row.delete(…)` uses `delete`."""
    path = module_path(source_root, module)
    assert path is not None
    return frozenset(node.attr for node in ast.walk(_tree(path)) if isinstance(node, ast.Attribute))


def text_constants(source_root: Path, module: str) -> frozenset[str]:
    """Every string literal of a module."""
    path = module_path(source_root, module)
    assert path is not None
    return frozenset(
        node.value
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _parents(name: str) -> Iterable[str]:
    parts = name.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts)))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports(path: Path, name: str) -> frozenset[str]:
    """Modules and `module.name`s; a name that turns out to be no module is dropped by its path."""
    found: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, name, node)
            found.add(base)
            found |= {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant):
            # "chalicelib.orders.api:orders": app.py mounts by name.
            found |= set(_NAMED_MODULE.findall(str(node.value)))
    return frozenset(found)


def _absolute(path: Path, name: str, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])
