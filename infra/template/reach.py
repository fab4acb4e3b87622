"""What a Lambda function's code can reach: its handler, and the modules that this one imports.

Read from the sources, without running them; imports inside functions count. Of the handler's own
module only what the handler uses counts, of every other module all. A function's policy is made
from this, so a permission is there exactly when the code that needs it is.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_NAMED_MODULE = re.compile(r"^(chalicelib(?:\.\w+)+)(?::\w+)?$")


@dataclass(frozen=True, slots=True)
class Part:
    """What counts of a module: what it imports (modules, and their names) and its texts."""

    imports: frozenset[str]
    texts: frozenset[str]


def reached(source_root: Path, handler: str, is_foreign: Callable[[str], bool]) -> dict[str, Part]:
    """The modules that a handler ("chalicelib.orders.consumers.expire") reaches, by name.

    Args:
        is_foreign: names of modules that are imported but never run by this kind of function.
    """
    own_module, _, function = handler.rpartition(".")
    found: dict[str, Part] = {}
    waiting = [own_module]
    while waiting:
        name = waiting.pop()
        path = _module_path(source_root, name)
        if name in found or path is None or is_foreign(name):
            continue
        found[name] = _part(path, name, function if name == own_module else None)
        waiting += [*_parents(name), *found[name].imports]
    return found


def attributes_used(source_root: Path, module: str) -> frozenset[str]:
    """Every name that follows a dot in a module: `row.delete(…)` uses `delete`."""
    path = _module_path(source_root, module)
    if path is None:
        return frozenset()
    return frozenset(node.attr for node in ast.walk(_tree(path)) if isinstance(node, ast.Attribute))


def _module_path(source_root: Path, name: str) -> Path | None:
    """The file of one of our modules, None for anybody else's."""
    base = source_root.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _parents(name: str) -> Iterable[str]:
    parts = name.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts)))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _part(path: Path, name: str, function: str | None) -> Part:
    tree = _tree(path)
    nodes = list(_used_by(tree, function) if function else ast.walk(tree))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    imports = {target for node in nodes for target in _bound_by(node, path, name).values()}
    # "chalicelib.orders.api:orders": app.py mounts by name.
    named = {found for text in texts for found in _NAMED_MODULE.findall(str(text))}
    owners = {target.rpartition(".")[0] for target in imports}
    return Part(
        frozenset(imports | owners | named), frozenset(text for text in texts if type(text) is str)
    )


def _used_by(tree: ast.Module, function: str) -> Iterator[ast.AST]:
    """The nodes of a function, of what it uses of its module, and the imports of both.

    Decorators do not count: they say what starts the function, not what it does.
    """
    defined = {name: node for node in tree.body for name in _names_defined(node)}
    if not isinstance(defined.get(function), ast.FunctionDef):
        yield from ast.walk(tree)
        return
    seen, waiting = set[str](), [function]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in defined:
            continue
        seen.add(name)
        top = defined[name]
        parts = [top.args, *top.body] if isinstance(top, ast.FunctionDef) else [top]
        for node in (node for part in parts for node in ast.walk(part)):
            yield node
            if isinstance(node, ast.Name):
                waiting.append(node.id)


def _names_defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).split(".")[0] for alias in node.names]
    targets = ast.walk(node) if isinstance(node, ast.Assign | ast.AnnAssign) else ()
    return [
        part.id
        for part in targets
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    ]


def _bound_by(node: ast.AST, path: Path, name: str) -> dict[str, str]:
    """What an import binds; a name that turns out to be no module is dropped by its path."""
    if isinstance(node, ast.Import):
        return {alias.name: alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        base = _absolute(path, name, node)
        return {alias.name: f"{base}.{alias.name}" for alias in node.names}
    return {}


def _absolute(path: Path, name: str, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])
