"""What a Lambda function's code can reach: its handler, what this one uses, and so on.

Read from the sources, without running them, by name: a function, class or constant is reached when
something reached mentions it. A function's policy is made from this, so it allows what the function
itself may come to do, and not what the modules it imports do for others.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WHOLE = ""
"""Stands for all of a module."""
Unit = tuple[str, str]
"""A module and a name of its top level, or WHOLE: `("chalicelib.orders.tables", "find")`."""
_NAMED_MODULE = re.compile(r"^(chalicelib(?:\.\w+)+)(?::\w+)?$")


@dataclass(frozen=True, slots=True)
class Part:
    """What counts of a unit: the units that it mentions, its texts, and the names it calls after a
    dot: `row.delete()` calls `delete`."""

    mentions: frozenset[Unit]
    texts: frozenset[str]
    calls: frozenset[str]


def reached(source_root: Path, handler: str, is_foreign: Callable[[str], bool]) -> dict[Unit, Part]:
    """The units that a handler ("chalicelib.orders.consumers.expire") reaches.

    Of one that is no function ("app.app") all counts, and all of every module that it mounts.

    Args:
        is_foreign: names of modules that are imported but never run by this kind of function.
    """
    own_module, _, function = handler.rpartition(".")
    path = _module_path(source_root, own_module)
    is_function = path is not None and isinstance(_defined(path).get(function), ast.FunctionDef)
    start = (own_module, function if is_function else WHOLE)
    found: dict[Unit, Part] = {}
    waiting = [start]
    while waiting:
        unit = waiting.pop()
        path = _module_path(source_root, unit[0])
        if unit in found or path is None or is_foreign(unit[0]):
            continue
        found[unit] = _part(source_root, path, unit, unit == start)
        waiting += found[unit].mentions
        if unit == (own_module, WHOLE):
            waiting += [(module, WHOLE) for module, _ in found[unit].mentions]
    return found


def _module_path(source_root: Path, name: str) -> Path | None:
    """The file of one of our modules, None for anybody else's."""
    base = source_root.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _part(source_root: Path, path: Path, unit: Unit, is_handler: bool) -> Part:
    module, name = unit
    nodes = list(_nodes(path, name, is_handler))
    bound = _bound(path, module)
    targets = set(_imported_names(nodes, bound))
    if name in bound and name not in _defined(path):
        targets.add(bound[name])  # It passes on what it imported.
    mentions = {_unit_of(source_root, target) for target in targets}
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    mentions |= {(module, each) for each in names & _defined(path).keys()}
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    # "chalicelib.orders.api:orders": what is mounted by name.
    named = {found for text in texts for found in _NAMED_MODULE.findall(str(text))}
    mentions |= {(each, WHOLE) for each in named}
    return Part(
        frozenset(mentions),
        frozenset(text for text in texts if type(text) is str),
        frozenset(_calls(nodes)),
    )


def _nodes(path: Path, name: str, is_handler: bool) -> Iterator[ast.AST]:
    """The nodes of a unit. A handler's decorators say what starts it, not what it does."""
    if name == WHOLE:
        yield from ast.walk(_tree(path))
        return
    top = _defined(path).get(name)
    if is_handler and isinstance(top, ast.FunctionDef):
        for part in (top.args, *top.body):
            yield from ast.walk(part)
    elif top is not None:
        yield from ast.walk(top)


@cache
def _defined(path: Path) -> dict[str, ast.stmt]:
    """What a module's top level defines, imports aside."""
    return {name: node for node in _tree(path).body for name in _names_defined(node)}


def _names_defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = ast.walk(node) if isinstance(node, ast.Assign | ast.AnnAssign) else ()
    return [
        part.id
        for part in targets
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    ]


@cache
def _bound(path: Path, module: str) -> dict[str, str]:
    """What imports bind in a module, those inside functions too: a name and its target."""
    bound: dict[str, str] = {}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            # `import a.b` binds `a`, and is used as `a.b`.
            short = {each.name.split(".")[0]: each.name.split(".")[0] for each in node.names}
            bound |= short | {each.asname: each.name for each in node.names if each.asname}
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, module, node)
            bound |= {each.asname or each.name: f"{base}.{each.name}" for each in node.names}
    return bound


def _absolute(path: Path, module: str, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _imported_names(nodes: Iterable[ast.AST], bound: dict[str, str]) -> Iterator[str]:
    """What is mentioned of other modules: `tables.find` of an imported `tables`, or just `find`."""
    bases = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        if isinstance(node, ast.Attribute):
            chain = _chain(node)
            if chain and chain[0] in bound:
                yield ".".join([bound[chain[0]], *chain[1:]])
        elif isinstance(node, ast.Name) and node.id in bound and id(node) not in bases:
            yield bound[node.id]


def _chain(node: ast.expr) -> list[str]:
    """`tables.PaymentTable.due` as its three names; nothing where it begins with no name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) else []


def _unit_of(source_root: Path, target: str) -> Unit:
    """`chalicelib.orders.tables.find` is `find` of a module; a module by itself is all of it."""
    parts = target.split(".")
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        if _module_path(source_root, module) is not None:
            return module, parts[length] if length < len(parts) else WHOLE
    return target, WHOLE


def _calls(nodes: Iterable[ast.AST]) -> Iterator[str]:
    nodes = list(nodes)
    from_sets = {
        id(node.func)
        for node in nodes
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Set)
    }
    for node in nodes:
        # `orders.delete({order_id})` takes a member out of a set, and deletes no item.
        if isinstance(node, ast.Attribute) and id(node) not in from_sets:
            yield node.attr
