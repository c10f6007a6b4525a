"""Rows of the ops that copy the elements of one operand into another order, leave some out, or repeat them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops.structural import add_row, same_shape
from tapediff.ops.views import infer_view, strided, view_forward, view_pullback
from tapediff.shapes import contiguous_strides
from tapediff.tape.spec import Spec

__all__: list[str] = []

Shape = tuple[int, ...]
NOTHING: frozenset[Any] = frozenset()


def flip_forward(dims: Shape, a: Any) -> Any:
    return np.flip(a, dims)


def flip_pullback(F: Any, dims: Shape, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.flip(y_bar, dims)


add_row("flip", same_shape, flip_forward, flip_pullback, saves=(NOTHING,), lanes="moves", doc="Dimensions in reverse order. Attributes: the dims.")


def roll_forward(attributes: tuple[Shape, Shape], a: Any) -> Any:
    shifts, dims = attributes
    return np.roll(a, shifts, dims) if dims else np.roll(a, shifts[0])


def roll_pullback(F: Any, attributes: tuple[Shape, Shape], k: int, y_bar: Any, y: Any, a: Any) -> Any:
    shifts, dims = attributes
    return F.roll(y_bar, (tuple(-shift for shift in shifts), dims))


add_row("roll", same_shape, roll_forward, roll_pullback, saves=(NOTHING,), lanes="moves",
        doc="Elements moved along dimensions, round the end. Attributes: (shifts, dims); no dims: one shift of the flat operand.")


def infer_rot90(attributes: tuple[int, Shape], spec: Spec) -> tuple[Shape, DType]:
    k, (first, second) = attributes
    shape = list(spec.shape)
    if k % 2:
        shape[first], shape[second] = shape[second], shape[first]
    return tuple(shape), spec.dtype


def rot90_forward(attributes: tuple[int, Shape], a: Any) -> Any:
    turns, (first, second) = attributes
    return np.rot90(a, turns, (first, second))


def rot90_pullback(F: Any, attributes: tuple[int, Shape], k: int, y_bar: Any, y: Any, a: Any) -> Any:
    turns, dims = attributes
    return F.rot90(y_bar, (-turns, dims))


add_row("rot90", infer_rot90, rot90_forward, rot90_pullback, saves=(NOTHING,), lanes="moves", doc="A plane turned by quarters of a turn. Attributes: (turns, dims).")


def tril_forward(diagonal: int, a: Any) -> Any:
    return np.tril(a, diagonal)


def tril_pullback(F: Any, diagonal: int, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.tril(y_bar, diagonal)


def triu_forward(diagonal: int, a: Any) -> Any:
    return np.triu(a, diagonal)


def triu_pullback(F: Any, diagonal: int, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.triu(y_bar, diagonal)


add_row("tril", same_shape, tril_forward, tril_pullback, saves=(NOTHING,), lanes="moves", doc="Zero above a diagonal. Attributes: the diagonal.")
add_row("triu", same_shape, triu_forward, triu_pullback, saves=(NOTHING,), lanes="moves", doc="Zero below a diagonal. Attributes: the diagonal.")


def infer_repeat(repeats: Shape, spec: Spec) -> tuple[Shape, DType]:
    shape = (1,) * (len(repeats) - spec.ndim) + spec.shape
    return tuple(times * size for times, size in zip(repeats, shape, strict=True)), spec.dtype


def repeat_forward(repeats: Shape, a: Any) -> Any:
    return np.tile(a, repeats)


def repeat_pullback(F: Any, repeats: Shape, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    shape = (1,) * (len(repeats) - len(a.shape)) + tuple(a.shape)
    apart = tuple(part for pair in zip(repeats, shape, strict=True) for part in pair)
    repeated = F.view(y_bar, (apart, contiguous_strides(apart), 0))
    return F.view(F.sum(repeated, (tuple(range(0, len(apart), 2)), False)), (tuple(a.shape), contiguous_strides(tuple(a.shape)), 0))


add_row("repeat", infer_repeat, repeat_forward, repeat_pullback, saves=(NOTHING,), lanes="moves", doc="Copies beside each other. Attributes: how many along each dimension.")


def diag_embed_forward(attributes: tuple[Shape, Shape, int], a: Any) -> Any:
    shape, strides, offset = attributes
    out = np.zeros(shape, a.dtype)
    strided(out, a.shape, strides, offset)[...] = a
    return out


def diag_embed_pullback(F: Any, attributes: tuple[Shape, Shape, int], k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.diagonal(y_bar, (tuple(a.shape), *attributes[1:]))


add_row("diag_embed", infer_view, diag_embed_forward, diag_embed_pullback, saves=(NOTHING,), lanes="moves",
        doc="Zeros with the operand on a diagonal. Attributes: (result shape, strides of the diagonal in the result, its offset).")
add_row("diagonal_copy", infer_view, view_forward, view_pullback, grad_fn="DiagonalBackward0_copy", saves=(NOTHING,), lanes="moves",
        doc="A copy of a diagonal. Attributes of a view: (shape, strides, offset).")
