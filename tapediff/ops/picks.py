"""Rows of the ops that choose elements along a dimension by their size.

Such an op is two instructions: one finds the indices, which have no derivative, and one reads the elements there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.ops.gather import ALONG, reading
from tapediff.ops.reductions import reduced_shape
from tapediff.ops.structural import add_row
from tapediff.tape.spec import Spec

__all__: list[str] = []

Pick = tuple[int, bool]


for _name, _grad_fn, _which in (("max_dim", "MaxBackward0", "largest"), ("min_dim", "MinBackward0", "smallest"), ("median_dim", "MedianBackward1", "middle"),
                                ("nanmedian_dim", "NanmedianBackward1", "middle, nans left out,"), ("mode", "ModeBackward0", "commonest")):
    reading(_name, ALONG, "add_along", f"The {_which} element along a dimension, at its index. Attributes: (dim, keepdim).", grad_fn=_grad_fn)
reading("cummax", ALONG, "add_along", "The largest element so far, at its index. Attributes: (dim, True).")
reading("cummin", ALONG, "add_along", "The smallest element so far, at its index. Attributes: (dim, True).")


# --- indices of extrema ---------------------------------------------------------------------------------------------------------------------

def infer_extremum(attributes: tuple[int | None, bool], spec: Spec) -> tuple[tuple[int, ...], DType]:
    dims = tuple(range(spec.ndim)) if attributes[0] is None else (attributes[0],)
    return reduced_shape(spec.shape, dims, attributes[1]), dtypes.int64


def argmax_forward(attributes: tuple[int | None, bool], a: Any) -> Any:
    return np.argmax(a, axis=attributes[0] if a.ndim else None, keepdims=attributes[1])


def argmin_forward(attributes: tuple[int | None, bool], a: Any) -> Any:
    return np.argmin(a, axis=attributes[0] if a.ndim else None, keepdims=attributes[1])


add_row("argmax", infer_extremum, argmax_forward, None, lanes="argmax", doc="The index of the first largest element; a nan is larger than any number.")
add_row("argmin", infer_extremum, argmin_forward, None, lanes="argmin", doc="The index of the first smallest element; a nan is smaller than any number.")


def infer_same_index(attributes: int, spec: Spec) -> tuple[tuple[int, ...], DType]:
    return spec.shape, dtypes.int64


def extremum_so_far(accumulate: Any, dim: int, a: Any) -> Any:
    """For every element the index of the last element up to it that is the extremum so far; nan, once met, stays the extremum."""
    if not a.size or not a.ndim:
        return np.zeros(a.shape, np.int64)
    is_new = (accumulate(a, axis=dim) == a) | (a != a)
    places = np.arange(a.shape[dim]).reshape([-1 if axis == dim else 1 for axis in range(a.ndim)])
    return np.maximum.accumulate(np.where(is_new, places, 0), axis=dim)


add_row("cummax_index", infer_same_index, lambda dim, a: extremum_so_far(np.maximum.accumulate, dim, a), None, lanes="cummax_index",
        doc="Where the largest element so far is, the last one of equals. Attributes: dim.")
add_row("cummin_index", infer_same_index, lambda dim, a: extremum_so_far(np.minimum.accumulate, dim, a), None, lanes="cummin_index",
        doc="Where the smallest element so far is, the last one of equals. Attributes: dim.")


# --- indices of ranks -----------------------------------------------------------------------------------------------------------------------

Ranks = tuple[int, bool, tuple[int, ...]]


def infer_rank(attributes: Ranks, spec: Spec) -> tuple[tuple[int, ...], DType]:
    dim, keepdim, ranks = attributes
    if not keepdim:
        return reduced_shape(spec.shape, (dim,), False), dtypes.int64
    return tuple(len(ranks) if axis == dim else size for axis, size in enumerate(spec.shape)), dtypes.int64


def ordered(dim: int, a: Any) -> tuple[Any, Any]:
    """Indices of the elements in ascending order along `dim`, equals in their own order, nans last; and how many are no nans."""
    return np.argsort(a, axis=dim, kind="stable"), np.sum(a == a, axis=dim, keepdims=True)


def rank_forward(attributes: Ranks, a: Any) -> Any:
    dim, _, ranks = attributes
    if not a.ndim:
        return np.zeros(a.shape, np.int64)
    order, count = ordered(dim, a)
    wished = np.asarray(ranks).reshape([-1 if axis == dim else 1 for axis in range(a.ndim)])
    return unkept(np.take_along_axis(order, np.where(count < a.shape[dim], count, wished), dim), attributes)


def nanmedian_forward(attributes: Pick, a: Any) -> Any:
    dim, _ = attributes
    if not a.ndim:
        return np.zeros(a.shape, np.int64)
    order, count = ordered(dim, a)
    return unkept(np.take_along_axis(order, np.maximum(count - 1, 0) // 2, dim), attributes)


def mode_forward(attributes: Pick, a: Any) -> Any:
    dim, _ = attributes
    if not a.size or not a.ndim:
        return np.zeros(infer_extremum_shape(attributes, a), np.int64)
    order, _ = ordered(dim, a)
    lined = np.moveaxis(np.take_along_axis(a, order, dim), dim, 0)
    place = np.arange(len(lined)).reshape(-1, *[1] * (a.ndim - 1))
    is_start = np.concatenate([np.ones_like(lined[:1], bool), lined[1:] != lined[:-1]])
    lengths = place - np.maximum.accumulate(np.where(is_start, place, 0), axis=0)
    last = np.argmax(lengths, axis=0)[None]
    return unkept(np.take_along_axis(order, np.moveaxis(last, 0, dim), dim), attributes)


def infer_extremum_shape(attributes: Pick, a: Any) -> tuple[int, ...]:
    return reduced_shape(a.shape, (attributes[0],), attributes[1])


def unkept(index: Any, attributes: tuple[Any, ...]) -> Any:
    """Indices without the dimension that they count in, unless it is to be kept."""
    return index if attributes[1] else np.squeeze(index, attributes[0])


add_row("rank_index", infer_rank, rank_forward, None, lanes="rank_index", doc="Where the elements of given ranks are, or the first nan of a slice that has one. Attributes: (dim, keepdim, ranks).")
add_row("nanmedian_index", infer_extremum, nanmedian_forward, None, lanes="nanmedian_index", doc="Where the middle element is, nans left out.")
add_row("mode_index", infer_extremum, mode_forward, None, lanes="mode_index", doc="Where the commonest element is: the smallest of several, at its last place.")
