"""Rearranging: elements in another order, repeated, or with parts left out."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.functions.composing import checked, expanded, flattened, integer, leaf, read, reshaped
from tapediff.functions.gather import index_select
from tapediff.functions.registry import function, method
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.shapes import Shape, contiguous_strides, normalize_dim, parse_shape
from tapediff.tensor import Tensor

__all__ = [
    "diag",
    "diag_embed",
    "flip",
    "fliplr",
    "flipud",
    "repeat",
    "repeat_interleave",
    "roll",
    "rot90",
    "tile",
    "tril",
    "tril_indices",
    "triu",
    "triu_indices",
]


def integers(values: Any) -> tuple[int, ...]:
    """One integer or several, as a tuple."""
    return parse_shape(values) if isinstance(values, tuple | list) else (operator.index(values),)


@function()
def flip(input: Tensor, *args: Any, dims: Any = None) -> Tensor:
    """The elements in reverse order along `dims`.

    >>> import tapediff as td
    >>> td.tensor([1, 2, 3]).flip(0)
    tensor([3, 2, 1])
    """
    shape = checked(input, "flip")
    named = integers(args if dims is None else dims)
    found = [normalize_dim(dim, len(shape)) for dim in (integers(named[0]) if len(named) == 1 else named)]
    for dim in found:
        if found.count(dim) > 1:
            raise RuntimeError(f"dim {dim} appears multiple times in the list of dims")
    return structural(STRUCTURAL["flip"], tuple(sorted(found)) if shape else (), input)


@function()
def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse order.

    >>> import tapediff as td
    >>> td.fliplr(td.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    if len(checked(input, "fliplr")) < 2:
        raise RuntimeError(f"Input must be >= 2-d. fliplr got shape {list(input.spec.shape)}")
    return flip(input, 1)


@function()
def flipud(input: Tensor) -> Tensor:
    """The rows in reverse order.

    >>> import tapediff as td
    >>> td.flipud(td.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    if not checked(input, "flipud"):
        raise RuntimeError("Input must be >= 1-d. flipud got a tensor without dimensions")
    return flip(input, 0)


@function()
def roll(input: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """The elements moved by `shifts` along `dims`, round the end; without `dims` the flat tensor is shifted.

    >>> import tapediff as td
    >>> td.tensor([1, 2, 3]).roll(1)
    tensor([3, 1, 2])
    """
    shape = checked(input, "roll")
    steps = integers(shifts)
    along = () if dims is None else integers(dims)
    if not steps:
        raise RuntimeError("`shifts` required: roll got no shift")
    if len(steps) != len(along) and not (len(steps) == 1 and not along):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(along)}")
    if along and not shape:
        raise IndexError(f"Dimension specified as {along[0]} but tensor has no dimensions")
    return structural(STRUCTURAL["roll"], (steps, tuple(normalize_dim(dim, len(shape)) for dim in along)), input)


@function()
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """The plane of `dims` turned by `k` quarters, from the first of them towards the second.

    >>> import tapediff as td
    >>> td.rot90(td.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    shape = checked(input, "rot90")
    plane = integers(dims)
    if len(plane) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(plane)}")
    if len(shape) < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {len(shape)}")
    first, second = (normalize_dim(dim, len(shape)) for dim in plane)
    if first == second:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {plane[0]} and dim1 = {plane[1]}")
    return structural(STRUCTURAL["rot90"], (int(k) % 4, (first, second)), input)


@function()
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Each matrix with zeros above a diagonal.

    >>> import tapediff as td
    >>> td.tril(td.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return triangle(input, diagonal, "tril")


@function()
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Each matrix with zeros below a diagonal.

    >>> import tapediff as td
    >>> td.triu(td.ones(2, 2), 1)
    tensor([[0., 1.],
            [0., 0.]])
    """
    return triangle(input, diagonal, "triu")


def triangle(input: Tensor, diagonal: int, name: str) -> Tensor:
    if len(checked(input, name)) < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, got shape {list(input.spec.shape)}")
    made: Tensor = structural(STRUCTURAL[name], integer(diagonal, name, "diagonal", 2), input)
    return made


@function(method=False)
def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64, device: Any = None, layout: Any = None
) -> Tensor:
    """The positions on and below a diagonal of a `row` x `col` matrix: a row of row numbers and a row of column numbers.

    >>> import tapediff as td
    >>> td.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return triangle_indices(np.tril_indices, row, col, offset, dtype, "tril_indices")


@function(method=False)
def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64, device: Any = None, layout: Any = None
) -> Tensor:
    """The positions on and above a diagonal of a `row` x `col` matrix: a row of row numbers and a row of column numbers.

    >>> import tapediff as td
    >>> td.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return triangle_indices(np.triu_indices, row, col, offset, dtype, "triu_indices")


def triangle_indices(positions: Any, row: int, col: int, offset: int, dtype: Any, name: str) -> Tensor:
    found: DType = dtypes.int64 if dtype is None else dtypes.parse(dtype)
    if found.category != 1:
        raise NotImplementedError(f"\"{name}\" not implemented for '{found.legacy}': use int64 or int32")
    for what, size in (("row", row), ("col", col)):
        if size < 0:
            raise RuntimeError(f"{what} must be non-negative, got {size}")
    return leaf(np.array(positions(row, offset, col), found.numpy))


@method("repeat")
def repeat(input: Tensor, *args: Any, repeats: Any = None) -> Tensor:
    """Copies of the tensor beside each other, `repeats[d]` along dimension d; there may be more repeats than dimensions.

    >>> import tapediff as td
    >>> td.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    if repeats is None and not args:
        raise TypeError('repeat() missing 1 required positional arguments: "repeats"')
    times = parse_shape(args if repeats is None else (repeats,))
    if len(times) < input.spec.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: got repeats "
            f"{list(times)} for shape {list(input.spec.shape)}"
        )
    return repeated(input, times)


def repeated(input: Tensor, times: Shape) -> Tensor:
    """Copies beside each other."""
    shape = (1,) * (len(times) - input.spec.ndim) + input.spec.shape
    sizes = [size * count for size, count in zip(shape, times, strict=True)]
    for count, size in zip(times, sizes, strict=True):
        if count < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {size}: {sizes}")
    made: Tensor = structural(STRUCTURAL["repeat"], times, input)
    return made


@function()
def tile(input: Tensor, *args: Any, dims: Any = None) -> Tensor:
    """Copies of the tensor beside each other; missing counts in front are 1.

    >>> import tapediff as td
    >>> td.tile(td.tensor([[1, 2]]), (2,))
    tensor([[1, 2, 1, 2]])
    """
    checked(input, "tile")
    times = parse_shape(args if dims is None else (dims,))
    return repeated(input, (1,) * (input.spec.ndim - len(times)) + times)


@function()
def repeat_interleave(input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each element, or each slice along `dim`, repeated `repeats` times; a vector of repeats has one number for each.

    `repeat_interleave(counts)` alone gives each position as often as its count says.

    >>> import tapediff as td
    >>> td.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    >>> td.tensor([1, 2]).repeat_interleave(td.tensor([1, 3]))
    tensor([1, 2, 2, 2])
    """
    shape = checked(input, "repeat_interleave")
    if repeats is None:
        return counted(input, output_size)
    if dim is None:
        input = flattened(input)
        dim, shape = 0, input.spec.shape
    dim = normalize_dim(dim, len(shape))
    if not isinstance(repeats, Tensor):
        times = integer(repeats, "repeat_interleave", "repeats", 2)
        if times < 0:
            raise RuntimeError(f"Repeats must be non-negative, got {times}")
        shape = shape or (1,)
        wide = expanded(reshaped(input, (*shape[: dim + 1], 1, *shape[dim + 1 :])), (*shape[: dim + 1], times, *shape[dim + 1 :]))
        return under_view(wide, (*shape[:dim], shape[dim] * times, *shape[dim + 1 :]))
    if repeats.spec.ndim > 1:
        raise RuntimeError(f"repeats must be 0-dim or 1-dim tensor, got shape {list(repeats.spec.shape)}")
    size = shape[dim] if shape else 1
    if repeats.spec.size == 1:
        repeats = expanded(flattened(repeats), (size,))
    if repeats.spec.shape != (size,):
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{repeats.spec.size} and input.size({dim}) = {size}"
        )
    return index_select(reshaped(input, shape or (1,)), dim, counted(repeats, output_size))


def under_view(tensor: Tensor, shape: Shape) -> Tensor:
    """Another shape, recorded as a step of its own even where the shape stays."""
    made: Tensor = structural(STRUCTURAL["view"], (shape, contiguous_strides(shape), 0), tensor)
    return made


def counted(repeats: Tensor, output_size: int | None) -> Tensor:
    """Each position as often as its count says."""
    if repeats.spec.dtype.category != 1:
        raise NotImplementedError(
            f"\"repeat_interleave_cpu\" not implemented for '{repeats.spec.dtype.legacy}': counts are int64 or int32"
        )
    if repeats.spec.ndim != 1:
        raise RuntimeError(f"repeat_interleave only accept 1D vector as repeat, got shape {list(repeats.spec.shape)}")
    counts = read(repeats)
    if counts.size and counts.min() < 0:
        raise RuntimeError(f"repeats can not be negative: got {counts.min()}")
    if output_size is not None and counts.sum() != output_size:
        raise RuntimeError(
            f"allocated size does not match required size: the repeats add up to {counts.sum()}, output_size is {output_size}"
        )
    return leaf(np.repeat(np.arange(len(counts)), counts))


@function()
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector as a diagonal of a square matrix of zeros; of a matrix, a copy of a diagonal.

    >>> import tapediff as td
    >>> td.diag(td.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    >>> td.diag(td.tensor([[1, 2], [3, 4]]), 1)
    tensor([2])
    """
    shape = checked(input, "diag")
    if len(shape) == 1:
        return diag_embed(input, diagonal)
    if len(shape) != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {len(shape)}D")
    rows, columns = shape
    length = max(min(rows + min(diagonal, 0), columns - max(diagonal, 0)), 0)
    offset = max(-diagonal, 0) * columns + max(diagonal, 0) if length else 0
    return structural(STRUCTURAL["diagonal_copy"], ((length,), (columns + 1,), offset), input)


@function()
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The last dimension as a diagonal of square matrices of zeros in the dimensions `dim1` and `dim2` of the result.

    >>> import tapediff as td
    >>> td.diag_embed(td.tensor([1, 2]), 1)
    tensor([[0, 1, 0],
            [0, 0, 2],
            [0, 0, 0]])
    """
    shape = checked(input, "diag_embed")
    ndim = len(shape) + 1
    first, second = normalize_dim(dim1, ndim), normalize_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    size = shape[-1] + abs(offset)
    out = list(shape[:-1])
    for dim in sorted((first, second)):
        out.insert(dim, size)
    strides = contiguous_strides(tuple(out))
    rest = [stride for dim, stride in enumerate(strides) if dim not in (first, second)]
    start = max(-offset, 0) * strides[first] + max(offset, 0) * strides[second]
    return structural(STRUCTURAL["diag_embed"], (tuple(out), (*rest, strides[first] + strides[second]), start), input)
