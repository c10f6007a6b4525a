"""Operands of the parity cases: numbers fixed by their shape, and the layouts in which a tensor may hold them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

LAYOUTS = ("contiguous", "transposed", "sliced", "expanded")
SPICY = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-30, -1e30, float("inf"), -float("inf"), float("nan"))


@dataclass(frozen=True)
class Operand:
    """A tensor argument: its kind ("real", "integer", "boolean" or "fixed"), shape and range, or its fixed values."""

    kind: str
    shape: tuple[int, ...]
    low: float = -2.0
    high: float = 2.0
    values: Any = None

    def numbers(self, position: int, dtype: str) -> np.ndarray:
        """The operand's values; `dtype` is the floating dtype of the run and leaves integers and bools as they are."""
        random = np.random.default_rng([position, *self.shape])
        if self.kind == "real":
            return random.uniform(self.low, self.high, self.shape).astype(dtype)
        if self.kind == "integer":
            return random.integers(int(self.low), int(self.high), self.shape)
        if self.kind == "boolean":
            return random.random(self.shape) < 0.5
        values = np.asarray(self.values)
        return values.astype(dtype) if values.dtype.kind == "f" else values


def reals(*shape: int, low: float = -2.0, high: float = 2.0) -> Operand:
    """Uniform floating-point numbers."""
    return Operand("real", shape, low, high)


def integers(*shape: int, low: int = -5, high: int = 6) -> Operand:
    """Uniform int64 numbers, `high` excluded."""
    return Operand("integer", shape, low, high)


def booleans(*shape: int) -> Operand:
    """True or False, evenly."""
    return Operand("boolean", shape)


def fixed(values: Any) -> Operand:
    """The given values: floats take the dtype of the run, integers are int64."""
    return Operand("fixed", np.shape(values), values=values)


def build(library: Any, numbers: np.ndarray, layout: str, requires_grad: bool) -> tuple[Any, Any]:
    """The leaf that owns the storage, and the tensor seen through the layout.

    Gradients are taken with respect to the leaf, so that they also pass through the view that makes the layout.
    """
    if numbers.ndim == 0:
        layout = "contiguous"
    if layout == "expanded" and numbers.shape[0] == 0:
        layout = "contiguous"
    stored = numbers
    if layout == "transposed":
        stored = np.ascontiguousarray(numbers.transpose())
    elif layout == "sliced":
        stored = np.zeros([2 * size + 1 for size in numbers.shape], numbers.dtype)
        stored[(slice(1, None, 2),) * numbers.ndim] = numbers
    elif layout == "expanded":
        stored = numbers[:1]
    leaf = library.tensor(stored)
    if requires_grad:
        leaf.requires_grad_()
    if layout == "transposed":
        return leaf, leaf.permute(*reversed(range(numbers.ndim)))
    if layout == "sliced":
        return leaf, leaf[(slice(1, None, 2),) * numbers.ndim]
    if layout == "expanded":
        return leaf, leaf.expand(*numbers.shape)
    return leaf, leaf
