"""What a row of the table of element-wise ops says.

A row states an op once: its formula, the partial with respect to each operand, and the facts that its readers need (kernels, the
recorder for higher orders, ``grad_fn``, the op reference, tests, benchmarks).  Nothing about an op lives anywhere else.

The vocabulary of a formula:

* operands ``a``, ``b``, ``c``; in a partial also ``y``, the op's value, and ``y_bar``, its adjoint;
* ``+ - * / **``, comparisons, ``& | ^ ~``, numbers (which take the type of what they meet), ``pi``, ``inf``, ``nan``;
* calls of other rows by name, and of functions of SciPy, as ``scipy_i0`` (tapediff/ops/borrowed.py).

A partial that does not mention ``y_bar`` is dy/da.  One that does is the whole pullback, linear in ``y_bar``: ``where(a, y_bar, 0)``.
"""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

OPERANDS = ("a", "b", "c")
FLOAT, INT, BOOL = "float", "int", "bool"


@dataclass(frozen=True, slots=True)
class Domain:
    """The open interval from which the tests draw an operand, and the points where the op has a kink or a jump.

    >>> import random
    >>> Domain(0.0, 1.0).sample(2, random.Random(0))
    [0.8444218515250481, 0.7579544029403025]
    """

    low: float
    high: float
    kinks: tuple[float, ...] = ()

    def sample(self, count: int, generator: random.Random) -> list[float]:
        """`count` points, none of them nearer than 1e-3 to a kink."""
        return [next(self._points_off_the_kinks(generator)) for _ in range(count)]

    def _points_off_the_kinks(self, generator: random.Random) -> Iterator[float]:
        while True:
            point = generator.uniform(self.low, self.high)
            if all(abs(point - kink) > 1e-3 for kink in self.kinks):
                yield point


@dataclass(frozen=True, slots=True)
class Elementwise:
    """One element-wise op: ``y = formula``, with one partial per operand (None: not differentiable with respect to it).

    >>> tanh = Elementwise("tanh", "tanh(a)", ("1 - y*y",))
    >>> tanh.arity, tanh.grad_fn, sorted(tanh.saves), tanh.pullback(0)
    (1, 'TanhBackward0', ['y'], 'zero_product(y_bar, 1 - y*y)')
    """

    name: str
    formula: str
    partials: tuple[str | None, ...]
    oracle: str | None = None
    domain: tuple[Domain, ...] = ()
    result: str = "same"
    kinds: frozenset[str] = frozenset({FLOAT})
    arguments: tuple[str, ...] = ()
    grad_fn: str = ""
    doc: str = ""

    def __post_init__(self) -> None:
        if not self.arguments:
            object.__setattr__(self, "arguments", ("input", "other")[: self.arity])
        if not self.grad_fn:
            object.__setattr__(self, "grad_fn", _camel_case(self.name) + "Backward0")

    @property
    def arity(self) -> int:
        """The number of operands."""
        return len(self.partials)

    @property
    def saves(self) -> frozenset[str]:
        """Which of ``a``, ``b``, ``c``, ``y`` the reverse kernel reads."""
        read = {name for partial in self.partials if partial is not None for name in names_in(partial)}
        return frozenset(read & {*OPERANDS, "y"})

    @property
    def is_differentiable(self) -> bool:
        """Whether the op has a partial at all."""
        return any(partial is not None for partial in self.partials)

    def pullback(self, operand: int, adjoint: str = "y_bar") -> str:
        """The formula of the contribution to the adjoint of `operand`; with a tangent's name for `adjoint`, the pushforward.

        An adjoint that is exactly zero contributes zero, also where the partial is inf or nan.  A row whose partial is the literal
        "0" has the literal pullback "0".

        >>> Elementwise("neg", "-a", ("-1",)).pullback(0)
        '-y_bar'
        """
        partial = self.partials[operand]
        if partial is None:
            raise ValueError(f"{self.name} is not differentiable with respect to operand {operand} ({OPERANDS[operand]})")
        return _contribution(partial, adjoint)

    def evaluate(self, formula: str, namespace: Mapping[str, Any]) -> Any:
        """The value of one of this row's formulas, with operands and functions taken from `namespace`.

        >>> Elementwise("mul", "a * b", ("b", "a")).evaluate("a * b", {"a": 2, "b": 3})
        6
        """
        return eval(compiled(formula), {"__builtins__": {}}, dict(namespace))

    def oracle_function(self) -> Callable[..., Any] | None:
        """The function named by `oracle`, imported now; None when the tests have to take another source."""
        if self.oracle is None:
            return None
        module, _, name = self.oracle.rpartition(".")
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return function


@functools.cache
def compiled(formula: str) -> CodeType:
    """The formula as a Python code object for ``eval``."""
    return compile(formula, __file__, "eval")  # the package's own code, to whoever looks for the user's lines


@functools.cache
def names_in(formula: str) -> frozenset[str]:
    """The names that a formula reads or calls.

    >>> sorted(names_in("where(a > 0, y_bar, 0)"))
    ['a', 'where', 'y_bar']
    """
    return frozenset(node.id for node in ast.walk(ast.parse(formula, mode="eval")) if isinstance(node, ast.Name))


@functools.cache
def _contribution(partial: str, adjoint: str) -> str:
    tree = ast.parse(partial, mode="eval")
    if "y_bar" in names_in(partial):
        return ast.unparse(_Renamed("y_bar", adjoint).visit(tree))
    if partial in ("0", "1"):
        return adjoint if partial == "1" else "0"
    if partial == "-1":
        return f"-{adjoint}"
    if not names_in(partial):
        return f"{adjoint} * ({partial})"
    return f"zero_product({adjoint}, {partial})"


class _Renamed(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.new, node.ctx) if node.id == self.old else node


def _camel_case(name: str) -> str:
    """PyTorch's spelling: a letter after an underscore or a digit is a capital, as in Log1PBackward0."""
    return re.sub(r"(?:^|_|(?<=\d))([a-z])", lambda match: match[1].upper(), name)
