"""Rows that run in lanes as other rows: how they are composed of these, in terms of F, as derivative rules are."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod
from typing import Any

import numpy as np

from tapediff.ops.pooling import divisors
from tapediff.ops.products import reshaped
from tapediff.ops.sliding import Geometry, outputs

__all__ = ["COMPOSITIONS"]

Indices = tuple[int, ...]
Shape = tuple[int, ...]


def einsum(F: Any, attributes: tuple[tuple[Indices, ...], Indices], *operands: Any) -> Any:
    """One pair of operands after the other; an index is summed over as soon as no later operand has it."""
    indices, result = attributes
    names, value = indices[0], operands[0]
    for position in range(1, len(operands)):
        later = {index for other in indices[position + 1 :] for index in other}.union(result)
        is_last = position == len(operands) - 1
        kept = result if is_last else tuple(dict.fromkeys(index for index in names + indices[position] if index in later))
        value = F.einsum(value, operands[position], ((names, indices[position]), kept))
        names = kept
    return value


def cross(F: Any, attributes: tuple[int], a: Any, b: Any) -> Any:
    dims = (attributes[0],)
    return F.roll(a, ((-1,), dims)) * F.roll(b, ((-2,), dims)) - F.roll(a, ((-2,), dims)) * F.roll(b, ((-1,), dims))


def nan_to_numbers(F: Any, attributes: tuple[float, float, float], a: Any) -> Any:
    nan, positive, negative = attributes
    finite = F.where(F.eq(a, inf), positive, F.where(F.eq(a, -inf), negative, a))
    return F.where(F.isnan(a), nan, finite)


def trace(F: Any, attributes: None, a: Any) -> Any:
    rows, columns = a.shape
    return F.sum(F.diagonal(a, ((min(rows, columns),), (columns + 1,), 0)), ((0,), False))


# --- windows --------------------------------------------------------------------------------------------------------------------

Convolution = tuple[Geometry, int]


def grouped(F: Any, w: Any, groups: int) -> Any:
    """The kernels of each group as a matrix."""
    return reshaped(F, w, (groups, w.shape[0] // groups, prod(w.shape[1:])))


def windows(F: Any, x: Any, attributes: Convolution) -> Any:
    """What is under each window, by samples and groups."""
    under = F.im2col(x, attributes[0])
    return reshaped(F, under, (x.shape[0], attributes[1], under.shape[1] // attributes[1], under.shape[2]))


def adjoints(F: Any, y_bar: Any, groups: int) -> Any:
    """A value at each window, by samples, groups and channels."""
    return reshaped(F, y_bar, (y_bar.shape[0], groups, y_bar.shape[1] // groups, prod(y_bar.shape[2:])))


def biased(F: Any, y: Any, bias: tuple[Any, ...]) -> Any:
    """With one number added to each channel."""
    for b in bias:
        y = y + reshaped(F, b, (b.shape[0], *(1,) * (len(y.shape) - 2)))
    return y


def convolution(F: Any, attributes: Convolution, x: Any, w: Any, *bias: Any) -> Any:
    made = F.einsum(grouped(F, w, attributes[1]), windows(F, x, attributes), (((1, 2, 3), (0, 1, 3, 4)), (0, 1, 2, 4)))
    return biased(F, reshaped(F, made, (x.shape[0], w.shape[0], *outputs(attributes[0]))), bias)


def convolution_transpose(F: Any, attributes: Convolution, y_bar: Any, w: Any, *bias: Any) -> Any:
    geometry, groups = attributes
    under = F.einsum(grouped(F, w, groups), adjoints(F, y_bar, groups), (((1, 2, 3), (0, 1, 2, 4)), (0, 1, 3, 4)))
    under = reshaped(F, under, (y_bar.shape[0], under.shape[1] * under.shape[2], under.shape[3]))
    return biased(F, F.col2im(under, geometry), bias)


def convolution_weight(F: Any, attributes: Convolution, x: Any, y_bar: Any) -> Any:
    geometry, groups = attributes
    made = F.einsum(adjoints(F, y_bar, groups), windows(F, x, attributes), (((0, 1, 2, 4), (0, 1, 3, 4)), (1, 2, 3)))
    return reshaped(F, made, (y_bar.shape[1], x.shape[1] // groups, *geometry[1]))


def planes(x: Any, sliding: int) -> int:
    """The number of planes that windows slide over."""
    return prod(x.shape[:len(x.shape) - sliding])


def pool_read(F: Any, inputs: Shape, x: Any, index: Any) -> Any:
    count = planes(x, len(inputs))
    each = prod(index.shape) // max(count, 1)
    found = F.gather(reshaped(F, x, (count, prod(inputs))), reshaped(F, index, (count, each)), 1)
    return reshaped(F, found, tuple(index.shape))


def pool_spread(F: Any, inputs: Shape, y_bar: Any, index: Any) -> Any:
    leading = tuple(y_bar.shape[:len(y_bar.shape) - len(inputs)])
    count, each = prod(leading), prod(y_bar.shape) // max(prod(leading), 1)
    flat = reshaped(F, y_bar, (count, each))
    zero = F.zeros_like(F.as_strided(flat, ((), (), 0)))
    zeros = F.expand(zero, ((count, prod(inputs)), (0, 0), 0))
    return reshaped(F, F.scatter_add(zeros, flat, reshaped(F, index, (count, each)), (1, True)), (*leading, *inputs))


Mean = tuple[Geometry, bool, bool, int | None]


def shared_out(F: Any, x: Any, attributes: Mean) -> Any:
    """Values at windows over what the mean under each window divides by."""
    from tapediff.tensor import of_array

    divisor = np.asarray(divisors(attributes, x.dtype.numpy), x.dtype.numpy)
    return F.div(x, of_array(divisor))


def average_pool(F: Any, attributes: Mean, x: Any) -> Any:
    geometry, ceil, *_ = attributes
    if ceil:  # windows that end beyond the padding are not under im2col
        return None
    inputs = geometry[0]
    under = F.im2col(reshaped(F, x, (planes(x, len(inputs)), 1, *inputs)), geometry)
    leading = tuple(x.shape[:len(x.shape) - len(inputs)])
    return shared_out(F, reshaped(F, F.sum(under, ((1,), False)), (*leading, *outputs(geometry))), attributes)


def average_pool_spread(F: Any, attributes: Mean, y_bar: Any) -> Any:
    geometry, ceil, *_ = attributes
    if ceil:
        return None
    inputs, kernel = geometry[0], prod(geometry[1])
    count, each = planes(y_bar, len(inputs)), prod(outputs(geometry))
    share = F.expand(shared_out(F, y_bar, attributes), ((count, kernel, each), (each, 0, 1), 0))
    return reshaped(F, F.col2im(share, geometry), (*y_bar.shape[:len(y_bar.shape) - len(inputs)], *inputs))


COMPOSITIONS: dict[str | None, Callable[..., Any]] = {
    "einsum": einsum, "cross": cross, "nan_to_numbers": nan_to_numbers, "trace": trace, "convolution": convolution,
    "convolution_transpose": convolution_transpose, "convolution_weight": convolution_weight, "pool_read": pool_read,
    "pool_spread": pool_spread, "average_pool": average_pool, "average_pool_spread": average_pool_spread,
}
