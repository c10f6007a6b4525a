"""Rows of pooling: the largest element under each window, and the mean.

The largest is two instructions: one finds where it is, which has no derivative, and one reads the elements there. The mean and its
transpose are each other's rules.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.ops.sliding import Geometry, framed, offsets, outputs, unframed
from tapediff.ops.structural import add_row
from tapediff.tape.spec import Spec

__all__ = ["adaptive_windows", "divisors"]

Array = Any  # of NumPy, whose own types do not know an index of an ellipsis and slices
Shape = tuple[int, ...]
NOTHING: frozenset[Any] = frozenset()
INDEX = frozenset({1})


# --- where the largest element is: its number in the flat plane of its channel --------------------------------------------------

def infer_index(attributes: tuple[Geometry, bool], x: Spec) -> tuple[Shape, DType]:
    geometry, ceil = attributes
    return (*x.shape[:x.ndim - len(geometry[0])], *outputs(geometry, ceil)), dtypes.int64


def index_forward(attributes: tuple[Geometry, bool], x: Array) -> Array:
    geometry, ceil = attributes
    inputs, kernel, stride, padding, dilation = geometry
    counts = outputs(geometry, ceil)
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    frame = framed(x, geometry, counts, least)
    has_nan = x.dtype.kind == "f" and bool(np.isnan(x).any())
    best: Any = None
    chosen = np.zeros((*x.shape[:x.ndim - len(inputs)], *counts), np.int32)
    for number, (_, place) in enumerate(offsets(geometry, counts)):
        found = frame[(..., *place)]
        if best is None:
            best = found.copy()
            continue
        is_better = found > best
        if has_nan:
            is_better |= found != found
        np.copyto(best, found, where=is_better)
        np.copyto(chosen, np.int32(number), where=is_better)
    chosen = inside(chosen, geometry, counts, frame, best)
    index: Any = np.zeros(chosen.shape, np.int64)
    for axis, at in enumerate(np.unravel_index(chosen, kernel)):
        starts = np.arange(counts[axis]) * stride[axis] - padding[axis]
        places = starts.reshape(-1, *(1,) * (len(counts) - axis - 1)) + at * dilation[axis]
        index = index * inputs[axis] + places
    return np.asarray(index, np.int64)


def inside(chosen: Array, geometry: Geometry, counts: Shape, frame: Array, best: Array) -> Array:
    """Choices moved off the padding, where all elements under a window are as small as the padding."""
    least = -np.inf if frame.dtype.kind == "f" else np.iinfo(frame.dtype).min
    if not any(geometry[3]) or not (best == least).any():
        return chosen
    is_inside = framed(np.ones(geometry[0], bool), geometry, counts, False)
    first = np.full(counts, -1, np.int32)
    for number, (_, place) in enumerate(offsets(geometry, counts)):
        np.copyto(first, np.int32(number), where=(first < 0) & is_inside[place])
    return np.where(best == least, first, chosen)


def adaptive_windows(size: int, count: int) -> list[tuple[int, int]]:
    """Where `count` windows that together cover a dimension begin and end.

    >>> adaptive_windows(5, 2)
    [(0, 3), (2, 5)]
    """
    return [(number * size // count, -(-(number + 1) * size // count)) for number in range(count)]


def infer_adaptive_index(counts: Shape, x: Spec) -> tuple[Shape, DType]:
    return (*x.shape[:x.ndim - len(counts)], *counts), dtypes.int64


def adaptive_index_forward(counts: Shape, x: Array) -> Array:
    inputs = x.shape[x.ndim - len(counts):]
    leading = x.shape[:x.ndim - len(counts)]
    index = np.empty((*leading, *counts), np.int64)
    windows = [adaptive_windows(size, count) for size, count in zip(inputs, counts)]
    for at in np.ndindex(*counts):
        ends = [along[number] for along, number in zip(windows, at)]
        under = x[(..., *(slice(*end) for end in ends))].reshape(*leading, -1)
        chosen = np.unravel_index(under.argmax(-1), [stop - start for start, stop in ends])
        flat: Any = 0
        for (start, _), place, size in zip(ends, chosen, inputs):
            flat = flat * size + place + start
        index[(..., *at)] = flat
    return index


add_row("max_pool_index", infer_index, index_forward, None, lanes="max_pool_index",
        doc="Where the largest element under each window is, in the flat plane of its channel; a nan is larger than any number. Attributes: (geometry, ceil_mode).")
add_row("adaptive_max_pool_index", infer_adaptive_index, adaptive_index_forward, None,
        doc="Where the largest element of each of some windows that cover a plane is. Attributes: how many windows along each dimension.")


def infer_read(inputs: Shape, x: Spec, index: Spec) -> tuple[Shape, DType]:
    return index.shape, x.dtype


def read_forward(inputs: Shape, x: Array, index: Array) -> Array:
    planes = prod(x.shape[:x.ndim - len(inputs)])
    found = np.take_along_axis(x.reshape(planes, prod(inputs)), index.reshape(planes, -1), 1)
    return found.reshape(index.shape)


def read_pullback(F: Any, inputs: Shape, k: int, y_bar: Any, y: Any, x: Any, index: Any) -> Any:
    return F.pool_spread(y_bar, index, inputs)


def infer_spread(inputs: Shape, y_bar: Spec, index: Spec) -> tuple[Shape, DType]:
    return (*y_bar.shape[:y_bar.ndim - len(inputs)], *inputs), y_bar.dtype


def spread_forward(inputs: Shape, y_bar: Array, index: Array) -> Array:
    leading = y_bar.shape[:y_bar.ndim - len(inputs)]
    planes = prod(leading)
    out = np.zeros(planes * prod(inputs), y_bar.dtype)
    flat = index.reshape(planes, -1) + np.arange(0, out.size, max(prod(inputs), 1))[:, None] if out.size else index
    np.add.at(out, flat.reshape(-1), y_bar.reshape(-1))
    return out.reshape(*leading, *inputs)


def spread_pullback(F: Any, inputs: Shape, k: int, x: Any, y: Any, y_bar: Any, index: Any) -> Any:
    return F.max_pool2d(x, index, inputs)


for _name, _grad_fn in (("max_pool2d", "MaxPool2DWithIndicesBackward0"), ("max_pool3d", "MaxPool3DWithIndicesBackward0"),
                        ("adaptive_max_pool2d", "AdaptiveMaxPool2DBackward0")):
    add_row(_name, infer_read, read_forward, read_pullback, saves=(INDEX,), operands=(0,), grad_fn=_grad_fn, lanes="pool_read",
            doc="The elements at places in the flat planes of the channels. Attributes: the shape of a plane.")
add_row("pool_spread", infer_spread, spread_forward, spread_pullback, saves=(INDEX,), operands=(0,), lanes="pool_spread",
        doc="The transpose of max_pool2d: elements added up at places in the flat planes of the channels. Attributes: the shape of a plane.")


# --- means: attributes (geometry, ceil_mode, count_include_pad, divisor_override) -----------------------------------------------

Mean = tuple[Geometry, bool, bool, int | None]


def divisors(attributes: Mean, dtype: Any) -> Any:
    """What the sum under each window is divided by."""
    (inputs, kernel, stride, padding, _), ceil, counts_padding, override = attributes
    if override is not None:
        return override
    found: Any = np.ones((), dtype)
    for size, length, step, before, count in zip(inputs, kernel, stride, padding, outputs(attributes[0], ceil)):
        starts = np.arange(count) * step - before
        stops = np.minimum(starts + length, size + before)
        counted = stops - starts if counts_padding else np.minimum(stops, size) - np.maximum(starts, 0)
        found = found[..., None] * counted.astype(dtype)
    return found


def infer_mean(attributes: Mean, x: Spec) -> tuple[Shape, DType]:
    geometry, ceil, *_ = attributes
    return (*x.shape[:x.ndim - len(geometry[0])], *outputs(geometry, ceil)), x.dtype


def mean_forward(attributes: Mean, x: Array) -> Array:
    geometry, ceil, *_ = attributes
    counts = outputs(geometry, ceil)
    frame = framed(x, geometry, counts)
    total = np.zeros((*x.shape[:x.ndim - len(counts)], *counts), x.dtype)
    for _, place in offsets(geometry, counts):
        total += frame[(..., *place)]
    divisor = divisors(attributes, x.dtype)
    return total / divisor if x.dtype.kind == "f" else total // divisor


def mean_pullback(F: Any, attributes: Mean, k: int, y_bar: Any, y: Any, x: Any) -> Any:
    return F.avg_pool_spread(y_bar, attributes)


def infer_mean_spread(attributes: Mean, y_bar: Spec) -> tuple[Shape, DType]:
    inputs = attributes[0][0]
    return (*y_bar.shape[:y_bar.ndim - len(inputs)], *inputs), y_bar.dtype


def mean_spread_forward(attributes: Mean, y_bar: Array) -> Array:
    geometry, ceil, *_ = attributes
    counts = outputs(geometry, ceil)
    share = y_bar / divisors(attributes, y_bar.dtype)
    reach = framed(np.ones(geometry[0], bool), geometry, counts).shape
    frame: Array = np.zeros((*y_bar.shape[:y_bar.ndim - len(counts)], *reach), y_bar.dtype)
    for _, place in offsets(geometry, counts):
        frame[(..., *place)] += share
    return unframed(frame, geometry)


def mean_spread_pullback(F: Any, attributes: Mean, k: int, x: Any, y: Any, y_bar: Any) -> Any:
    return F.avg_pool2d(x, attributes)


for _name in ("avg_pool2d", "avg_pool3d"):
    add_row(_name, infer_mean, mean_forward, mean_pullback, saves=(NOTHING,), lanes="average_pool", grad_fn=_name.title().replace("_", "") + "Backward0",
            doc="The mean under each window. Attributes: (geometry, ceil_mode, count_include_pad, divisor_override).")
add_row("avg_pool_spread", infer_mean_spread, mean_spread_forward, mean_spread_pullback, saves=(NOTHING,), grad_fn="AvgPool2DBackwardBackward0", lanes="average_pool_spread",
        doc="The transpose of the mean under each window. Attributes: (geometry, ceil_mode, count_include_pad, divisor_override).")
