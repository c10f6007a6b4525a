"""Order statistics: functions that find the elements of given ranks, and the commonest."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.functions.arguments import all_dims, need_elements, numpy_names, one_dim
from tapediff.functions.extrema import values_and_indices
from tapediff.functions.registry import check_tensor, function
from tapediff.functions.return_types import ReturnType
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import elementwise, structural
from tapediff.shapes import contiguous_strides
from tapediff.tensor import Tensor, of_array

__all__ = ["median", "mode", "nanmedian", "quantile"]


def middle(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    """median and nanmedian, of all elements or along a dimension."""
    check_tensor(input, name)
    if input.spec.dtype is dtypes.bool_:
        raise NotImplementedError(f"\"{name}_{'cpu' if dim is None else 'out'}\" not implemented for 'Bool': "
                                  "convert it first with .long()")
    is_plain = name == "median" or not input.spec.dtype.is_floating_point
    if dim is None:
        return structural(STRUCTURAL["median" if is_plain else "nanmedian"], (all_dims(input), False), input)
    at, keepdim = one_dim(dim, input, name), bool(keepdim)
    need_elements(input, (at,), dim, name)
    if is_plain:
        length = input.spec.shape[at] if input.spec.ndim else 1
        index = structural(STRUCTURAL["rank_index"], (at, keepdim, ((length - 1) // 2,)), input)
    else:
        index = structural(STRUCTURAL["nanmedian_index"], (at, keepdim), input)
    return values_and_indices(name, f"{name}_dim", input, index, (at, keepdim))


@function()
@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle of all elements, the lower one of two; along `dim` a pair (values, indices). nan where there is a nan.

    >>> import tapediff as td
    >>> td.tensor([3., 1., 2., 9.]).median()
    tensor(2.)
    """
    return middle("median", input, dim, keepdim)


@function()
@numpy_names
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median of what is not nan.

    >>> import tapediff as td
    >>> td.tensor([3., float("nan"), 2., 9.]).nanmedian()
    tensor(3.)
    """
    return middle("nanmedian", input, dim, keepdim)


@function()
@numpy_names
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> ReturnType:
    """The commonest element along `dim`, the smallest one of several, and an index of it.

    >>> import tapediff as td
    >>> td.tensor([3., 1., 3., 2.]).mode().values
    tensor(3.)
    """
    check_tensor(input, "mode")
    attributes = (one_dim(dim, input, "mode"), bool(keepdim))
    need_elements(input, attributes[:1], dim, "mode")
    return values_and_indices("mode", "mode", input, structural(STRUCTURAL["mode_index"], attributes, input), attributes)


INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


@function()
@numpy_names
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The value below which the fraction `q` of the elements lies; between two elements it is found by `interpolation`.

    interpolation is "linear", "lower", "higher", "midpoint" or "nearest". A 1-D tensor `q` puts a dimension in front of the
    result. A slice with a nan gives nan.

    >>> import tapediff as td
    >>> td.tensor([0., 1., 3.]).quantile(0.75)
    tensor(2.)
    """
    check_tensor(input, "quantile")
    check_quantile(input, q, interpolation)
    fractions = q._array().reshape(-1).tolist() if isinstance(q, Tensor) else [q]
    for fraction in fractions:
        if not 0 <= fraction <= 1:
            which = "q values" if isinstance(q, Tensor) else "q"
            raise RuntimeError(f"quantile() {which} must be in the range [0, 1] but got {fraction}")
    is_several = isinstance(q, Tensor) and q.spec.ndim == 1
    ndim = input.spec.ndim
    at = 0 if dim is None else one_dim(dim, input, "quantile")
    lined = flattened(input) if dim is None or not ndim else input
    length = lined.spec.shape[at]
    ranks = [fraction * (length - 1) for fraction in fractions]
    found = between(lined, at, ranks, q, length, interpolation)
    kept = [1] * ndim if dim is None else [1 if axis == at else size for axis, size in enumerate(input.spec.shape)]
    shape = kept if keepdim else [] if dim is None else [size for axis, size in enumerate(kept) if axis != at]
    if is_several and found.spec.ndim > 1 and at:
        axes = (at, *[axis for axis in range(found.spec.ndim) if axis != at])
        sizes, strides = found.spec.shape, contiguous_strides(found.spec.shape)
        moved = tuple(sizes[axis] for axis in axes), tuple(strides[axis] for axis in axes), 0
        found = structural(STRUCTURAL["permute"], moved, found)
    return viewed(found, ([len(fractions)] if is_several else []) + shape)


def check_quantile(input: Tensor, q: Any, interpolation: str) -> None:
    """Refuse what quantile has no meaning for."""
    if not input.spec.size:
        raise RuntimeError(f"quantile() input tensor must be non-empty, got shape {list(input.spec.shape)}")
    if not input.spec.dtype.is_floating_point:
        raise RuntimeError(f"quantile() input tensor must be either float or double dtype, got {input.dtype}; "
                           "convert it first with .float()")
    if isinstance(q, Tensor):
        if q.spec.ndim > 1:
            raise RuntimeError(f"quantile() q must be a scalar or 1D tensor, got shape {list(q.spec.shape)}")
        if q.spec.dtype is not input.spec.dtype:
            raise RuntimeError(f"quantile() q tensor must be same dtype as the input tensor: got {q.dtype} and {input.dtype}")
    elif not isinstance(q, int | float):
        raise TypeError(f"quantile(): argument 'q' (position 2) must be Tensor or float, not {type(q).__name__}")
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(f"quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, "
                           f"but got {interpolation}")


def between(input: Tensor, dim: int, ranks: list[float], q: Any, length: int, interpolation: str) -> Tensor:
    """The elements of fractional ranks along `dim`."""
    def picked(chosen: Any) -> Tensor:
        index = structural(STRUCTURAL["rank_index"], (dim, True, tuple(int(chosen(rank)) for rank in ranks)), input)
        return structural(STRUCTURAL["read_along"], (dim, True), input, index)

    if interpolation == "nearest":
        return picked(round)
    if interpolation == "lower":
        return picked(floor)
    if interpolation == "higher":
        return picked(ceil)
    shape = [len(ranks) if axis == dim else 1 for axis in range(input.spec.ndim)]
    if interpolation == "midpoint":
        weight = constants([0.5 * (rank != floor(rank)) for rank in ranks], input)
    elif isinstance(q, Tensor):
        floors = constants([floor(rank) for rank in ranks], input)
        weight = elementwise(ROWS["sub"], elementwise(ROWS["mul"], flattened(q), length - 1), floors)
    else:
        weight = constants([rank - floor(rank) for rank in ranks], input)
    return elementwise(ROWS["lerp"], picked(floor), picked(ceil), viewed(weight, shape))


def constants(values: Sequence[float], like: Tensor) -> Tensor:
    """Numbers as a tensor of one dimension, in the dtype of another tensor."""
    return of_array(np.array(values, like.spec.dtype.numpy))


def flattened(x: Tensor) -> Tensor:
    """The elements in one dimension."""
    return viewed(x, [x.spec.size])


def viewed(x: Tensor, shape: list[int]) -> Tensor:
    """The same elements under another shape."""
    wished = tuple(shape)
    made: Tensor = x if x.spec.shape == wished else structural(STRUCTURAL["view"], (wished, contiguous_strides(wished), 0), x)
    return made
