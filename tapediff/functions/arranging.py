"""Arrangements composed of others: at least so many dimensions, blocks on a diagonal, splits along a fixed dimension, writes
into a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, check_tensor, function, method
from tapediff.functions.views import reshape, tensor_split
from tapediff.tensor import Tensor, of_array

__all__ = [
    "as_strided_scatter",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "diagflat",
    "diagonal_scatter",
    "dsplit",
    "hsplit",
    "select_scatter",
    "slice_scatter",
    "split_with_sizes",
    "vsplit",
]


def _at_least(tensors: tuple[Any, ...], name: str, widened: Callable[[Tensor], Tensor]) -> Any:
    """One tensor or several with more dimensions, where they have too few."""
    if len(tensors) == 1 and isinstance(tensors[0], tuple | list):
        return tuple(widened(x) for x in tensors[0])
    for position, x in enumerate(tensors):
        check_tensor(x, name, "tensors", position + 1)
    return widened(tensors[0]) if len(tensors) == 1 else tuple(widened(x) for x in tensors)


@function(method=False)
def atleast_1d(*tensors: Any) -> Any:
    """A number as a vector of one element; everything else as it is."""
    return _at_least(tensors, "atleast_1d", lambda x: x if x.spec.ndim else reshape(x, (1,)))


@function(method=False)
def atleast_2d(*tensors: Any) -> Any:
    """Numbers and vectors as matrices of one row.

    >>> import tapediff as td
    >>> td.atleast_2d(td.tensor([1, 2]))
    tensor([[1, 2]])
    """
    return _at_least(tensors, "atleast_2d", lambda x: x if x.spec.ndim > 1 else reshape(x, (1, x.spec.size)))


@function(method=False)
def atleast_3d(*tensors: Any) -> Any:
    """With dimensions of size 1 added, a vector of n as (1, n, 1) and a matrix of n by m as (n, m, 1)."""

    def widened(x: Tensor) -> Tensor:
        if x.spec.ndim > 2:
            return x
        return reshape(x, (*x.spec.shape, 1) if x.spec.ndim == 2 else (1, x.spec.size, 1))

    return _at_least(tensors, "atleast_3d", widened)


@function(method=False)
def block_diag(*tensors: Tensor) -> Tensor:
    """Matrices one after the other on the diagonal of a matrix that is zero elsewhere.

    >>> import tapediff as td
    >>> td.block_diag(td.ones(1, 2), td.tensor([[5.]]))
    tensor([[1., 1., 0.],
            [0., 0., 5.]])
    """
    for position, x in enumerate(tensors):
        check_tensor(x, "block_diag", "tensors", position + 1)
        if x.spec.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {position} has {x.spec.ndim} dimensions"
            )
    matrices = [atleast_2d(x) for x in tensors]
    width = sum(x.spec.shape[1] for x in matrices)
    rows, left = [], 0
    for x in matrices:
        height, own = x.spec.shape
        pieces = [of_array(np.zeros((height, columns), x.spec.dtype.numpy)) for columns in (left, width - left - own)]
        rows.append(FUNCTIONS["cat"]([pieces[0], x, pieces[1]], 1))
        left += own
    return FUNCTIONS["cat"](rows, 0) if rows else of_array(np.zeros((1, 0), np.float32))


@function()
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix with the elements on a diagonal.

    >>> import tapediff as td
    >>> td.diagflat(td.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    check_tensor(input, "diagflat")
    return FUNCTIONS["diag"](reshape(input, (input.spec.size,)), offset)


def _split(name: str, least: int, dim_of: Callable[[int], int]) -> None:
    def split(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
        check_tensor(input, name)
        ndim = input.spec.ndim
        if ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension{'s' * (least > 1)}, but got a tensor with "
                f"{ndim} dimensions!"
            )
        dim = dim_of(ndim)
        if isinstance(indices_or_sections, int) and (indices_or_sections < 1 or input.spec.shape[dim] % indices_or_sections):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {input.spec.shape[dim]} "
                "is not divisible "
                f"by the split_size {indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, dim)

    split.__name__ = split.__qualname__ = name
    split.__doc__ = f"`tensor_split` along the dimension that `{name}` stands for; sections must be equally long."
    function(name)(split)


for _name, _least, _dim_of in (
    ("hsplit", 1, lambda ndim: int(ndim > 1)),
    ("vsplit", 2, lambda ndim: 0),
    ("dsplit", 3, lambda ndim: 2),
):
    _split(_name, _least, _dim_of)
hsplit, vsplit, dsplit = (FUNCTIONS[_name] for _name in ("hsplit", "vsplit", "dsplit"))


def _written(input: Tensor, src: Tensor, place: Callable[[Tensor], Tensor], grad_fn: str) -> Tensor:
    """A copy of `input` with `src` written where `place` shows it."""
    made: Tensor = FUNCTIONS["clone"](input)
    place(made).copy_(src)
    return named(made, grad_fn)


@function()
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy with `src` at one index of a dimension.

    >>> import tapediff as td
    >>> td.select_scatter(td.zeros(2, 2), td.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    check_tensor(input, "select_scatter")
    return _written(input, src, lambda x: FUNCTIONS["select"](x, dim, index), "SelectScatterBackward0")


@function()
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy with `src` in a slice of a dimension.

    >>> import tapediff as td
    >>> td.slice_scatter(td.zeros(3), td.ones(2), start=1)
    tensor([0., 1., 1.])
    """
    check_tensor(input, "slice_scatter")
    dim %= input.spec.ndim
    return _written(input, src, lambda x: x[(slice(None),) * dim + (slice(start, end, step),)],
                    "SliceScatterBackward0")


def _check_size(src: Tensor, place: Tensor, name: str) -> None:
    check_tensor(src, name, "src", 2)
    if src.spec.shape != place.spec.shape:
        raise RuntimeError(f"expected src to have a size equal to the slice of self. src size = {list(src.spec.shape)}, slice "
                           f"size = {list(place.spec.shape)}")


@function()
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy with `src` on a diagonal.

    >>> import tapediff as td
    >>> td.diagonal_scatter(td.zeros(2, 2), td.ones(1), 1)
    tensor([[0., 1.],
            [0., 0.]])
    """
    check_tensor(input, "diagonal_scatter")
    _check_size(src, FUNCTIONS["diagonal"](input.detach(), offset, dim1, dim2), "diagonal_scatter")
    return _written(input, src, lambda x: FUNCTIONS["diagonal"](x, offset, dim1, dim2), "DiagonalScatterBackward0")


@function()
def as_strided_scatter(input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A copy with `src` where `as_strided` shows the elements.

    >>> import tapediff as td
    >>> td.as_strided_scatter(td.zeros(2, 2), td.ones(2), (2,), (2,), 1)
    tensor([[0., 1.],
            [0., 1.]])
    """
    check_tensor(input, "as_strided_scatter")
    _check_size(src, FUNCTIONS["as_strided"](input.detach(), size, stride, storage_offset), "as_strided_scatter")
    return _written(input, src, lambda x: FUNCTIONS["as_strided"](x, size, stride, storage_offset),
                    "AsStridedScatterBackward0")


@function("split_with_sizes", "unsafe_split_with_sizes")
def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of given sizes along a dimension.

    >>> import tapediff as td
    >>> td.split_with_sizes(td.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return FUNCTIONS["split"](input, split_sizes, dim)


@method("sum_to_size")
def sum_to_size(self: Tensor, *size: Any) -> Tensor:
    """The sum over the dimensions in which a tensor of `size` would have been broadcast.

    >>> import tapediff as td
    >>> td.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    from tapediff.shapes import parse_shape

    wanted, shape = parse_shape(size), self.spec.shape
    wide = (1,) * (len(shape) - len(wanted)) + wanted
    if len(wanted) > len(shape) or any(new not in (1, old) for old, new in zip(shape, wide, strict=True)):
        raise RuntimeError(f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.")
    dims = tuple(
        dim for dim, (old, new) in enumerate(zip(shape, wide, strict=True)) if old != new or dim < len(shape) - len(wanted)
    )
    return reshape(FUNCTIONS["sum"](self, dims, True), wanted) if dims else self


@method("fill_diagonal_")
def fill_diagonal_(self: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """The main diagonal set to a number, in place; in a tall matrix it begins anew below if `wrap`.

    >>> import tapediff as td
    >>> td.zeros(2, 3).fill_diagonal_(8)
    tensor([[8., 0., 0.],
            [0., 8., 0.]])
    """
    shape = self.spec.shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError(f"all dimensions of input must be of equal length: fill_diagonal_ got shape {list(shape)}")
    places = np.zeros(shape, np.bool_)
    np.fill_diagonal(places, True, wrap)
    return self.masked_fill_(of_array(places), fill_value)
