"""What the table is made of: a workload, and for each peer how a user writes it there."""

import ast
import inspect
import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.workloads import Case


@dataclass(frozen=True)
class Peer:
    """One library's way: `make(inputs)` builds what a user builds once; `user_code` are the functions that a user has to write.

    A name is the library, and after a comma which of its ways. Sizes above `largest` are left out for the reason `too_large`.
    """

    name: str
    make: Callable[[Any], Case]
    user_code: tuple[Callable[..., Any], ...]
    largest: float = math.inf
    too_large: str = ""

    @property
    def library(self) -> str:
        return self.name.split(",")[0]

    @property
    def lines(self) -> int:
        """Lines of code that a user has to write."""
        return sum(lines_of_code(inspect.getsource(function)) for function in self.user_code)


@dataclass(frozen=True)
class Workload:
    """The same numbers computed by several libraries, for one or several sizes; the last one is the headline.

    inputs        makes what all of them are given for a size
    tolerance     how much results may differ, relative to the largest number of each array
    uses_threads  whether anybody runs it faster on several threads
    """

    name: str
    title: str
    inputs: Callable[[int], Any]
    peers: tuple[Peer, ...]
    sizes: tuple[int, ...]
    size_name: str
    tolerance: float = 1e-9
    uses_threads: bool = False


def lines_of_code(source: str) -> int:
    """Lines on which a statement or a part of one begins: not blank lines, comments, docstrings, or lines of brackets only.

    >>> lines_of_code('''
    ... def double(x):
    ...     "Twice x."
    ...
    ...     return 2 * x  # exact
    ... ''')
    2
    """
    tree = ast.parse(textwrap.dedent(source))
    definitions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    docstrings = {node.body[0].lineno for node in definitions if ast.get_docstring(node) is not None}
    begun = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.expr | ast.arg)}
    return len(begun - docstrings)
