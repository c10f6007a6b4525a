"""Searching and counting: where elements are not zero, which values occur, where values belong. Results without derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.functions.composing import checked, leaf, number, promoted, read
from tapediff.functions.registry import function
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import is_traced, structural
from tapediff.shapes import normalize_dim
from tapediff.tensor import Tensor

__all__ = [
    "argwhere",
    "bincount",
    "bucketize",
    "histc",
    "nonzero",
    "nonzero_positions",
    "searchsorted",
    "unique",
    "unique_consecutive",
]


def read_places(input: Tensor) -> np.ndarray[Any, Any]:
    """An array that is zero where the input is; a recording fixes where, and no values."""
    if is_traced() and input.spec.dtype is not dtypes.bool_:
        input = input != 0
    value: np.ndarray[Any, Any] = read(input)
    return value


def nonzero_positions(input: Tensor) -> tuple[Tensor, ...]:
    """For each dimension the positions of the elements that are not zero; what a mask means as indices, and what
    `where(condition)` returns."""
    value = read_places(input)
    return tuple(leaf(positions) for positions in np.nonzero(value if value.ndim else value.reshape(1)))


@function()
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The positions of the elements that are not zero: one row each, or with `as_tuple` one vector per dimension.

    >>> import tapediff as td
    >>> td.tensor([[0, 1], [2, 0]]).nonzero()
    tensor([[0, 1],
            [1, 0]])
    """
    checked(input, "nonzero")
    if as_tuple:
        return nonzero_positions(input)
    return leaf(rows_of_nonzero(read_places(input)))


def rows_of_nonzero(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The positions of the elements that are not zero, one row each; of a number a row of no columns."""
    if not value.ndim:
        return np.empty((int(bool(value)), 0), np.int64)
    return np.argwhere(value).astype(np.int64, copy=False)


@function()
def argwhere(input: Tensor) -> Tensor:
    """The positions of the elements that are not zero, one row each.

    >>> import tapediff as td
    >>> td.argwhere(td.tensor([0., 3.]))
    tensor([[1]])
    """
    checked(input, "argwhere")
    return leaf(rows_of_nonzero(read_places(input)))


@function()
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The different elements, or slices along `dim`, in rising order; on request with the place of each element among them,
    and how often each occurs.

    >>> import tapediff as td
    >>> td.unique(td.tensor([3, 1, 3]), return_inverse=True, return_counts=True)
    (tensor([1, 3]), tensor([1, 0, 1]), tensor([1, 2]))
    """
    shape = checked(input, "unique")
    if dim is None:
        values, inverse, counts = np.unique(read(input), return_inverse=True, return_counts=True, equal_nan=False)
        inverse = inverse.reshape(shape)
    else:
        values, inverse, counts = np.unique(
            read(input), return_inverse=True, return_counts=True, axis=normalize_dim(dim, len(shape)), equal_nan=False
        )
        inverse = inverse.reshape(-1)
    return chosen(values, inverse, counts, return_inverse, return_counts)


def chosen(values: Any, inverse: Any, counts: Any, return_inverse: bool, return_counts: bool) -> Any:
    """The parts of a result that were asked for."""
    parts = [leaf(values)]
    if return_inverse:
        parts.append(leaf(inverse.astype(np.int64, copy=False)))
    if return_counts:
        parts.append(leaf(counts.astype(np.int64, copy=False)))
    return parts[0] if len(parts) == 1 else tuple(parts)


@function()
def unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """The elements, or slices along `dim`, without those that equal the one before.

    >>> import tapediff as td
    >>> td.unique_consecutive(td.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    shape = checked(input, "unique_consecutive")
    value = read(input)
    rows = value.reshape(-1) if dim is None else np.moveaxis(value, normalize_dim(dim, len(shape)), 0)
    differs = (rows[1:] != rows[:-1]).any(axis=tuple(range(1, rows.ndim)))
    starts = np.concatenate([np.ones(min(len(rows), 1), bool), differs])
    inverse = np.cumsum(starts) - 1
    counts = np.diff(np.append(np.nonzero(starts)[0], len(rows)))
    values = rows[starts] if dim is None else np.moveaxis(rows[starts], 0, normalize_dim(dim, len(shape)))
    return chosen(values, inverse.reshape(shape) if dim is None else inverse, counts, return_inverse, return_counts)


@function()
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where the values of `input` belong in rising sequences (the last dimension): before equal elements, or with `right`
    behind them.

    `sorter` gives the order that makes the sequences rise, as argsort does.

    >>> import tapediff as td
    >>> td.searchsorted(td.tensor([1., 3., 5.]), td.tensor([3., 9.]))
    tensor([1, 3])
    """
    shape = checked(sorted_sequence, "searchsorted", "sorted_sequence")
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if right and side == "left":
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    if not shape:
        raise RuntimeError("torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension")
    if sorter is not None:
        if sorter.spec.shape != shape:
            raise RuntimeError(
                "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
                f"{list(shape)} and got sorter tensor {list(sorter.spec.shape)}"
            )
        if sorter.spec.dtype is not dtypes.int64:
            raise RuntimeError(
                f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {sorter.spec.dtype.legacy}"
            )
        sorted_sequence = structural(STRUCTURAL["gather"], len(shape) - 1, sorted_sequence, sorter)
    values = (
        input
        if isinstance(input, Tensor)
        else leaf(np.array(number(input, "searchsorted", "input"), sorted_sequence.spec.dtype.numpy))
    )
    given = values.spec.shape
    if not given and len(shape) != 1:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got "
            "boundaries tensor "
            f"dim({len(shape)}) and input value's dim(0) numel(1)"
        )
    if len(shape) != 1 and shape[:-1] != given[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor "
            "and input value "
            f"tensor must match, but we got boundaries tensor {list(shape)} and input value tensor {list(given)}"
        )
    return structural(STRUCTURAL["searchsorted"], (right or side == "right", out_int32), *promoted((sorted_sequence, values)))


@function(method=False)
def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The number of the bucket, between the rising `boundaries`, that each value of `input` falls into.

    >>> import tapediff as td
    >>> td.bucketize(td.tensor([0., 3., 9.]), td.tensor([1., 3., 5.]))
    tensor([0, 1, 3])
    """
    shape = checked(boundaries, "bucketize", "boundaries", 2)
    if len(shape) != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({len(shape)})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@function()
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 to the largest occurs in a vector of integers, or the sum of the weights of its occurrences.

    >>> import tapediff as td
    >>> td.tensor([0, 2, 2]).bincount()
    tensor([1, 0, 2])
    """
    shape = checked(input, "bincount")
    dtype = input.spec.dtype
    if dtype.category != 1:
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{dtype.legacy}': bincount takes int64 or int32 tensors")
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, got {minlength}")
    values = read(input)
    if len(shape) != 1 or (values.size and values.min() < 0):
        raise RuntimeError(
            f"bincount only supports 1-d non-negative integral inputs. Got shape {list(shape)}"
            + (f" with smallest element {values.min()}" if values.size else "")
        )
    if weights is None:
        return leaf(np.bincount(values, minlength=minlength).astype(np.int64, copy=False))
    if weights.spec.shape != shape:
        raise RuntimeError(
            f"weights should be 1-d and have the same length as input: got shapes {list(weights.spec.shape)} and {list(shape)}"
        )
    result = np.bincount(values, read(weights), minlength)
    return leaf(result.astype(np.float32) if weights.spec.dtype is dtypes.float32 else result.astype(np.float64, copy=False))


@function()
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of `bins` intervals of equal width from `min` to `max`, or over the elements' own range
    where both are 0.

    >>> import tapediff as td
    >>> td.tensor([1., 2., 2., 4.]).histc(3)
    tensor([1., 2., 1.])
    """
    checked(input, "histc")
    dtype = input.spec.dtype
    if not dtype.is_floating_point:
        raise NotImplementedError(
            f"\"histogram_cpu\" not implemented for '{dtype.legacy}': histc takes float32 or float64 tensors"
        )
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    values = read(input).reshape(-1)
    low, high = float(min), float(max)
    if low == high == 0 and values.size:
        low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(f"torch.histc: max must be larger than min, got min={low} and max={high}")
    if low == high:
        low, high = low - 1, high + 1
    return leaf(np.histogram(values[~np.isnan(values)], bins, (low, high))[0].astype(dtype.numpy))
