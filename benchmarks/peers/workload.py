"""What a row of the table is made of: a workload, and for each peer how it is written there."""

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.workloads import Case


@dataclass(frozen=True)
class Peer:
    """One library's way: `make(inputs)` builds what a user builds once; `user_code` are the functions that a user has to write.

    Sizes above `largest` are left out for the reason `too_large`.
    """

    name: str
    make: Callable[[Any], Case]
    user_code: tuple[Callable[..., Any], ...]
    largest: float = math.inf
    too_large: str = ""

    @property
    def lines(self) -> int:
        return sum(count_lines(function) for function in self.user_code)


@dataclass(frozen=True)
class Workload:
    """The same numbers computed by several libraries, for one or several sizes.

    `inputs(size)` makes what all of them are given; results may differ from tapediff's by `tolerance` relative to the largest
    number; `wanted` are the ratios tapediff / peer that the project wants to stay under; `reasons` say why tapediff loses where it
    does, by peer.
    """

    name: str
    title: str
    inputs: Callable[[int], Any]
    peers: tuple[Peer, ...]
    sizes: tuple[int, ...] = (0,)
    quick_size: int | None = None
    size_name: str = ""
    tolerance: float = 1e-9
    wanted: Mapping[str, float] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def count_lines(function: Callable[..., Any]) -> int:
    """Lines of a function's source that hold code: no blank lines, comments, docstrings or decorators' closing lines.

    >>> def double(x):
    ...     return 2 * x
    >>> count_lines(textwrap.dedent)  > 10
    True
    """
    source = textwrap.dedent(inspect.getsource(function))
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            continue
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.expr) and not is_docstring(node, source):
            lines.add(node.lineno)
    return len(lines)


def is_docstring(node: ast.AST, source: str) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and source.splitlines()[node.lineno - 1].strip()[:3] == '"""'
