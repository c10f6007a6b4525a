"""Rows of the reductions: ops that fold dimensions.

Attributes: (dims, keepdim): the dims folded, counted from the front and sorted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.ops.structural import add_row
from tapediff.shapes import contiguous_strides
from tapediff.tape.spec import Spec

__all__ = ["expanded", "reduced_shape"]

Attributes = tuple[tuple[int, ...], bool]


def reduced_shape(shape: tuple[int, ...], dims: tuple[int, ...], keepdim: bool) -> tuple[int, ...]:
    """The shape after folding `dims`."""
    if keepdim:
        return tuple(1 if dim in dims else size for dim, size in enumerate(shape))
    return tuple(size for dim, size in enumerate(shape) if dim not in dims)


def infer_reduction(attributes: Attributes, spec: Spec) -> tuple[tuple[int, ...], DType]:
    return reduced_shape(spec.shape, *attributes), spec.dtype


def expanded(F: Any, attributes: Attributes, folded: Any, like: Any) -> Any:
    """A folded value repeated to the shape of `like`, the operand of the reduction."""
    shape = tuple(like.shape)
    kept = reduced_shape(shape, attributes[0], True)
    strides = tuple(0 if dim in attributes[0] else stride for dim, stride in enumerate(contiguous_strides(kept)))
    return F.expand(F.view(folded, (kept, contiguous_strides(kept), 0)), (shape, strides, 0))


def sum_forward(attributes: Attributes, a: Any) -> Any:
    return a.sum(axis=attributes[0], keepdims=attributes[1], dtype=a.dtype)


def sum_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return expanded(F, attributes, y_bar, a)


add_row("sum", infer_reduction, sum_forward, sum_pullback, saves=(frozenset(),), kernel="sum", doc="The sum over dimensions.")


def mean_forward(attributes: Attributes, a: Any) -> Any:
    with np.errstate(all="ignore"):
        count = np.prod([a.shape[dim] for dim in attributes[0]], dtype=a.dtype)
        return a.sum(axis=attributes[0], keepdims=attributes[1]) / count


def mean_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    count = 1
    for dim in attributes[0]:
        count *= a.shape[dim]
    return expanded(F, attributes, y_bar / max(count, 1), a)


add_row("mean", infer_reduction, mean_forward, mean_pullback, saves=(frozenset(),), kernel="mean", doc="The arithmetic mean over dimensions.")
