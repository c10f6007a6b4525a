"""Rows of the ops that put several operands into one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops.structural import add_row
from tapediff.shapes import contiguous_strides
from tapediff.tape.spec import Spec

__all__: list[str] = []

Shape = tuple[int, ...]
NOTHING: frozenset[Any] = frozenset()
LEGACY_EMPTY = (0,)  # PyTorch lets an empty vector be concatenated with anything


def infer_cat(attributes: tuple[int, Shape], *specs: Spec) -> tuple[Shape, DType]:
    dim, starts = attributes
    shape = next((spec.shape for spec in specs if spec.shape != LEGACY_EMPTY), LEGACY_EMPTY)
    return (*shape[:dim], starts[-1], *shape[dim + 1:]), specs[0].dtype


def cat_forward(attributes: tuple[int, Shape], *arrays: Any) -> Any:
    return np.concatenate([a for a in arrays if a.shape != LEGACY_EMPTY] or arrays, axis=attributes[0])


def cat_pullback(F: Any, attributes: tuple[int, Shape], k: int, y_bar: Any, y: Any, *operands: Any) -> Any:
    dim, starts = attributes
    shape = tuple(operands[k].shape)
    if shape == LEGACY_EMPTY:
        return F.zeros_like(operands[k])
    strides = contiguous_strides(tuple(y_bar.shape))
    return F.slice(y_bar, (shape, strides, starts[k] * strides[dim]))


add_row("cat", infer_cat, cat_forward, cat_pullback, saves=lambda k: NOTHING, lanes="moves",
        doc="The operands behind each other along a dimension. Attributes: (dim, (where each operand starts along dim, ..., where the last one ends)).")


def infer_stack(dim: int, *specs: Spec) -> tuple[Shape, DType]:
    shape = specs[0].shape
    return (*shape[:dim], len(specs), *shape[dim:]), specs[0].dtype


def stack_forward(dim: int, *arrays: Any) -> Any:
    return np.stack(arrays, axis=dim)


def stack_pullback(F: Any, dim: int, k: int, y_bar: Any, y: Any, *operands: Any) -> Any:
    strides = contiguous_strides(tuple(y_bar.shape))
    return F.select(y_bar, (tuple(operands[k].shape), strides[:dim] + strides[dim + 1:], k * strides[dim]))


add_row("stack", infer_stack, stack_forward, stack_pullback, saves=lambda k: NOTHING, lanes="moves",
        doc="The operands behind each other along a new dimension. Attributes: dim.")
