"""Padding: a tensor made larger at the ends of its last dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.shapes import contiguous_strides
from tapediff.tensor import Tensor

__all__ = ["pad"]

_NAMES = {"reflect": "ReflectionPad{}DBackward0", "replicate": "ReplicationPad{}DBackward0",
          "circular": "CopySlices"}


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """A tensor with `pad[0]` elements added before and `pad[1]` after its last dimension, `pad[2]` and `pad[3]` at the one
    before, and so on.

    Negative numbers cut elements off. ``mode="constant"`` fills with `value`, 0 by default; "reflect", "replicate" and "circular"
    repeat elements of the tensor.

    >>> import tapediff as td
    >>> from tapediff.nn import functional as F
    >>> F.pad(td.tensor([[1., 2.]]), (1, 0, 0, 1))
    tensor([[0., 1., 2.],
            [0., 0., 0.]])
    """
    check_tensor(input, "pad")
    widths = [int(width) for width in pad]
    ndim = input.spec.ndim
    if len(widths) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2: got {len(widths)} numbers")
    if len(widths) > 2 * ndim:
        raise RuntimeError("Padding length should be less than or equal to two times the input dimension but got padding length "
                           f"{len(widths)} and input of dimension {ndim}")
    ends = [(0, 0)] * (ndim - len(widths) // 2) + list(zip(widths[::2], widths[1::2]))[::-1]
    if mode == "constant":
        return constant_pad(input, ends, 0.0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}: use constant, reflect, replicate or circular")
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    padded = input
    for dim, (before, after) in enumerate(ends):
        if before or after:
            positions = repeated_positions(mode, input.spec.shape[dim], before, after)
            padded = FUNCTIONS["index_select"](padded, dim, FUNCTIONS["from_numpy"](positions))
    return named(padded, _NAMES[mode].format(len(widths) // 2))


def constant_pad(input: Tensor, ends: list[tuple[int, int]], value: float) -> Tensor:
    """The tensor written into a larger one that is full of `value`."""
    shape = input.spec.shape
    cut = [(max(-before, 0), size - max(-after, 0)) for size, (before, after) in zip(shape, ends)]
    for start, stop in cut:
        if stop < start:
            raise RuntimeError(f"narrow(): length must be non-negative.: pad {ends} cuts off more than a tensor of shape "
                               f"{list(shape)} has")
    strides = contiguous_strides(shape)
    inner = tuple(stop - start for start, stop in cut)
    if inner != shape:
        offset = sum(start * stride for (start, _), stride in zip(cut, strides))
        input = structural(STRUCTURAL["slice"], (inner, strides, offset), input)
    before = [max(first, 0) for first, _ in ends]
    outer = tuple(size + first + max(last, 0) for size, first, (_, last) in zip(inner, before, ends))
    strides = contiguous_strides(outer)
    base = FUNCTIONS["full"](outer, value, dtype=input.spec.dtype)
    offset = sum(first * stride for first, stride in zip(before, strides))
    return named(structural(STRUCTURAL["strided_write"], (inner, strides, offset), base, input), "ConstantPadNdBackward0")


def repeated_positions(mode: str, size: int, before: int, after: int) -> np.ndarray[Any, Any]:
    """Which element of a dimension stands at each place of the padded one.

    >>> repeated_positions("reflect", 3, 2, 1).tolist()
    [2, 1, 0, 1, 2, 1]
    """
    places = np.arange(-before, size + after)
    if mode == "replicate":
        return places.clip(0, size - 1)
    limit = size - (mode == "reflect")
    if max(before, after) > limit:
        raise RuntimeError(f"Padding size should be less than the corresponding input dimension, but got: padding ({before}, "
                           f"{after}) at a "
                           f"dimension of size {size}, mode {mode}")
    if mode == "circular":
        return places % size
    places = np.abs(places)
    return np.where(places < size, places, 2 * (size - 1) - places)
