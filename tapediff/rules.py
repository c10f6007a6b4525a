"""The functions that a derivative rule may call, on arrays: every row of both tables by name.

A rule is written once, in terms of a namespace `F`. In a plain reverse pass F is ARRAYS, below, and computes at once; where the
pass is itself recorded, F records (tapediff.autograd.recorded).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff.ops.borrowed import PREFIX, on_arrays
from tapediff.ops.custom import formula_row, own_row
from tapediff.ops.op import Elementwise
from tapediff.ops.structural import STRUCTURAL, Structural

__all__ = ["ARRAYS"]

_NUMPY: dict[str, Callable[..., Any]] = {
    "div": np.true_divide, "mul": np.multiply, "sub": np.subtract, "add": np.add, "neg": np.negative, "pow": np.power,
    "where": np.where, "zero_product": lambda a, b: np.where(a == 0, np.zeros((), a.dtype), a * b),
}


def _on_arrays(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The `forward` of a structural row with its attributes last."""
    return lambda *arguments: forward(arguments[-1], *[np.asarray(x, order="C") for x in arguments[:-1]])


class ArrayFunctions:
    """F on arrays: `F.exp(x)` and `F.sum(x, attributes)`; attributes of structural ops come last."""

    zeros_like = staticmethod(np.zeros_like)
    ones_like = staticmethod(np.ones_like)
    full_like = staticmethod(np.full_like)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        row = STRUCTURAL.get(name) or own_row(name)
        if isinstance(row, Structural):
            found: Callable[..., Any] = _on_arrays(row.forward)
        elif name in _NUMPY:
            found = _NUMPY[name]
        elif name.startswith(PREFIX):
            found = on_arrays(name)
        elif (formulas := formula_row(name)) is not None:
            found = formulas.oracle_function() or _by_formula(formulas)
        else:
            raise AttributeError(f"no op is called {name!r}")
        quiet = _quiet(found)
        setattr(self, name, quiet)
        return quiet

    def cast(self, x: Any, dtype: Any) -> Any:
        """x as a dtype of ours."""
        return x.astype(dtype.numpy)


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arguments)
    return call


class _Names(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        if name in ("inf", "nan", "pi"):
            return getattr(np, name)
        return getattr(ARRAYS, name)


def _by_formula(row: Elementwise) -> Callable[..., Any]:
    from tapediff.ops.op import compiled
    code = compiled(row.formula)
    return lambda *operands: eval(code, {"__builtins__": {}}, _Names(zip("abc", operands)))


ARRAYS = ArrayFunctions()
