"""A defect to plant: it takes away one thing that keeps a promise, and names the proof of it.

It is a piece of a function's source and what stands in its place; if the piece is no longer there,
the defect is out of date and says so.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import pytest

from infra.local.aws import LocalAws
from tests.aws import Api

Proof = Callable[[LocalAws, Api], Any]


@dataclass(frozen=True)
class Defect:
    name: str
    function: Any
    piece: str
    instead: str
    proof: Proof

    def plant(self, patch: pytest.MonkeyPatch) -> None:
        """Put the broken function wherever the right one is known."""
        source = textwrap.dedent(inspect.getsource(self.function))
        assert source.count(self.piece) == 1, f"{self.name}: the code has changed"
        home = sys.modules[self.function.__module__]
        made: dict[str, Any] = {}
        code = compile(source.replace(self.piece, self.instead), "planted", "exec")
        assert isinstance(self.function, FunctionType)
        exec(code, home.__dict__, made)
        broken = made[self.function.__name__]
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").startswith("chalicelib") and (
                getattr(module, self.function.__name__, None) is self.function
            ):
                patch.setattr(module, self.function.__name__, broken)
