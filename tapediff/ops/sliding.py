"""Windows that slide over the last dimensions of an array: where they lie, what is under them, and the transpose of looking.

A geometry is a tuple (inputs, kernel, stride, padding, dilation), each a tuple of one number for each dimension that windows slide
over; `inputs` are the sizes of these dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from tapediff.ops.structural import add_row
from tapediff.tape.spec import Spec

__all__ = ["Geometry", "blocks", "framed", "offsets", "outputs", "overlaid", "patches", "unframed"]

Array = Any  # of NumPy, whose own types do not know an index of an ellipsis and slices
Shape = tuple[int, ...]
Geometry = tuple[Shape, Shape, Shape, Shape, Shape]
BLOCK = 1 << 16  # elements under windows that are laid out at a time: fresh pages cost more than the arithmetic


def outputs(geometry: Geometry, ceil: bool = False) -> Shape:
    """How many windows there are along each dimension; with `ceil` also those that begin inside and end beyond the padding.

    >>> outputs(((5,), (2,), (2,), (0,), (1,)))
    (2,)
    >>> outputs(((5,), (2,), (2,), (0,), (1,)), ceil=True)
    (3,)
    """
    found = []
    for size, length, stride, padding, dilation in zip(*geometry):
        room = size + 2 * padding - dilation * (length - 1) - 1
        count = (room + (stride - 1 if ceil else 0)) // stride + 1
        found.append(count - 1 if ceil and (count - 1) * stride >= size + padding else count)
    return tuple(found)


def extents(geometry: Geometry, counts: Shape) -> Shape:
    """How far the windows reach, from where the padding begins."""
    _, kernel, stride, _, dilation = geometry
    return tuple(max((count - 1) * step + apart * (length - 1) + 1, 0)
                 for count, step, apart, length in zip(counts, stride, dilation, kernel))


def kept(geometry: Geometry, reach: Shape) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The part of the inputs that windows reach, in the inputs and in the frame that the windows slide over."""
    inputs, padding = geometry[0], geometry[3]
    sizes = [max(min(size, whole - before), 0) for size, whole, before in zip(inputs, reach, padding)]
    return (tuple(slice(0, size) for size in sizes),
            tuple(slice(before, before + size) for before, size in zip(padding, sizes)))


def framed(x: Array, geometry: Geometry, counts: Shape, fill: Any = 0) -> Array:
    """The array in a frame of `fill` that is as large as the windows reach."""
    reach = extents(geometry, counts)
    if reach == x.shape[x.ndim - len(reach):] and not any(geometry[3]):
        return x
    frame: Array = np.full((*x.shape[:x.ndim - len(reach)], *reach), fill, x.dtype)
    inner, place = kept(geometry, reach)
    frame[(..., *place)] = x[(..., *inner)]
    return frame


def unframed(frame: Array, geometry: Geometry) -> Array:
    """What lies in a frame where `framed` put the array; zeros where no window reached."""
    reach = frame.shape[frame.ndim - len(geometry[0]):]
    if reach == geometry[0] and not any(geometry[3]):
        return np.ascontiguousarray(frame)
    x: Array = np.zeros((*frame.shape[:frame.ndim - len(reach)], *geometry[0]), frame.dtype)
    inner, place = kept(geometry, reach)
    x[(..., *inner)] = frame[(..., *place)]
    return x


def offsets(geometry: Geometry, counts: Shape) -> Iterator[tuple[Shape, tuple[slice, ...]]]:
    """For each place in the kernel, its index and where it lies in the frame under all windows at once."""
    _, kernel, stride, _, dilation = geometry
    for index in np.ndindex(*kernel):
        yield index, tuple(slice(at * apart, at * apart + (count - 1) * step + 1, step)
                           for at, apart, count, step in zip(index, dilation, counts, stride))


def patches(x: Array, geometry: Geometry, counts: Shape) -> Array:
    """What is under the windows: (N, C, *inputs) as (C, *kernel, N, *counts), a copy."""
    frame = framed(x, geometry, counts)
    _, kernel, stride, _, dilation = geometry
    samples, channels, *along = frame.strides
    shape = (x.shape[1], *kernel, x.shape[0], *counts)
    strides = (channels, *(step * apart for step, apart in zip(along, dilation)), samples,
               *(step * apart for step, apart in zip(along, stride)))
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(frame, shape, strides))


def overlaid(windows: Array, geometry: Geometry, counts: Shape) -> Array:
    """The transpose of `patches`: (C, *kernel, N, *counts) added up where the windows lie, as (N, C, *inputs)."""
    sliding = len(counts)
    channels, samples = windows.shape[0], windows.shape[1 + sliding]
    frame: Array = np.zeros((channels, samples, *extents(geometry, counts)), windows.dtype)
    if windows.size:
        for index, place in offsets(geometry, counts):
            frame[(..., *place)] += windows[(slice(None), *index)]
    return unframed(frame.swapaxes(0, 1), geometry)


def blocks(samples: int, size: int) -> Iterator[slice]:
    """Runs of samples for which all that is under their windows, `size` elements a sample, fits the cache."""
    step = max(BLOCK // max(size, 1), 1)
    for start in range(0, samples, step):
        yield slice(start, min(start + step, samples))


# --- unfold and fold ------------------------------------------------------------------------------------------------------------

def infer_unfold(geometry: Geometry, x: Spec) -> tuple[Shape, Any]:
    *samples, channels = x.shape[:x.ndim - len(geometry[0])]
    return (*samples, channels * prod(geometry[1]), prod(outputs(geometry))), x.dtype


def unfold_forward(geometry: Geometry, x: Array) -> Array:
    shape, _ = infer_unfold(geometry, x)
    channels = x.shape[x.ndim - len(geometry[0]) - 1]
    found = patches(x.reshape(prod(shape[:-2]), channels, *geometry[0]), geometry, outputs(geometry))
    return np.ascontiguousarray(found.reshape(shape[-2], -1, shape[-1]).swapaxes(0, 1)).reshape(shape)


def unfold_pullback(F: Any, geometry: Geometry, k: int, y_bar: Any, y: Any, x: Any) -> Any:
    return F.col2im(y_bar, geometry)


def infer_fold(geometry: Geometry, x: Spec) -> tuple[Shape, Any]:
    *samples, height, _ = x.shape
    return (*samples, height // prod(geometry[1]), *geometry[0]), x.dtype


def fold_forward(geometry: Geometry, x: Array) -> Array:
    shape, _ = infer_fold(geometry, x)
    counts = outputs(geometry)
    channels, samples = shape[len(shape) - len(counts) - 1], prod(x.shape[:-2])
    windows = x.reshape(samples, *x.shape[-2:]).swapaxes(0, 1).reshape(channels, *geometry[1], samples, *counts)
    return overlaid(windows, geometry, counts).reshape(shape)


def fold_pullback(F: Any, geometry: Geometry, k: int, y_bar: Any, y: Any, x: Any) -> Any:
    return F.im2col(y_bar, geometry)


add_row("im2col", infer_unfold, unfold_forward, unfold_pullback, grad_fn="Im2ColBackward0", saves=(frozenset(),), lanes="moves",
        doc="What is under each window of (..., C, *inputs), as (..., C * elements of a window, windows). Attributes: the geometry of the windows.")
add_row("col2im", infer_fold, fold_forward, fold_pullback, grad_fn="Col2ImBackward0", saves=(frozenset(),), lanes="overlays",
        doc="The transpose of im2col: windows added up where they lie. Attributes: the geometry of the windows.")
