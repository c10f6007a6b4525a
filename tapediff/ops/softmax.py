"""Rows of the softmax: exponentials along one dimension that add up to 1, and their logarithms.

Attributes: the dimension, counted from the front.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.ops.reductions import expanded, quiet, total
from tapediff.ops.structural import add_row, same_shape

__all__: list[str] = []


def from_largest(dim: int, a: Any) -> tuple[Any, tuple[int, ...]]:
    """The distances from the largest element along `dim`, which exp takes without overflow; and the dims that are folded."""
    dims = (dim,) if a.ndim else ()
    return a - a.max(axis=dims, keepdims=True, initial=-np.inf), dims


@quiet
def softmax_forward(dim: int, a: Any) -> Any:
    distances, dims = from_largest(dim, a)
    powers = np.exp(distances)
    return powers / total(powers, dims)


@quiet
def log_softmax_forward(dim: int, a: Any) -> Any:
    distances, dims = from_largest(dim, a)
    return distances - np.log(total(np.exp(distances), dims))


def repeated_sum(F: Any, dim: int, a: Any) -> Any:
    """The sum along `dim`, repeated over it."""
    attributes = ((dim,) if a.shape else (), True)
    return expanded(F, attributes, F.sum(a, attributes), a)


@quiet
def softmax_pullback(F: Any, dim: int, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return y * (y_bar - repeated_sum(F, dim, y_bar * y))


@quiet
def log_softmax_pullback(F: Any, dim: int, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return y_bar - F.exp(y) * repeated_sum(F, dim, y_bar)


add_row("softmax", same_shape, softmax_forward, softmax_pullback, saves=(frozenset({"y"}),), kernel="softmax", lanes="softmax", doc="exp(a) over its sum along a dimension.")
add_row("log_softmax", same_shape, log_softmax_forward, log_softmax_pullback, saves=(frozenset({"y"}),), kernel="softmax", lanes="softmax", doc="The logarithm of softmax, without underflow.")
