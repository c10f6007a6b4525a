"""Rows of the ops that order elements. The order is an op of its own, without derivative; the values are then read in that order.

NaN counts as larger than every number, and equal elements keep their order, in both directions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.ops.gather import ALONG, reading
from tapediff.ops.structural import add_row
from tapediff.tape.spec import Spec

__all__: list[str] = []

Shape = tuple[int, ...]


def order(a: Any, dim: int, descending: bool) -> Any:
    """The stable order of the elements along a dimension."""
    if not a.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(a, axis=dim, kind="stable")
    reverse = np.argsort(np.flip(a, dim), axis=dim, kind="stable")
    return a.shape[dim] - 1 - np.flip(reverse, dim)


def infer_argsort(attributes: tuple[int, bool], a: Spec) -> tuple[Shape, DType]:
    return a.shape, dtypes.int64


def argsort_forward(attributes: tuple[int, bool], a: Any) -> Any:
    return order(a, *attributes)


add_row("argsort", infer_argsort, argsort_forward, None, lanes="argsort", doc="The order of the elements along a dimension. Attributes: (dim, descending).")


def infer_topk_order(attributes: tuple[int, int, bool], a: Spec) -> tuple[Shape, DType]:
    k, dim, _ = attributes
    return (*a.shape[:dim], k, *a.shape[dim + 1:]) if a.shape else (), dtypes.int64


def topk_order_forward(attributes: tuple[int, int, bool], a: Any) -> Any:
    k, dim, largest = attributes
    found = order(a, dim, largest)
    return found[(slice(None),) * dim + (slice(k),)] if a.ndim else found


add_row("topk_order", infer_topk_order, topk_order_forward, None, lanes="topk_order", doc="Where the k largest or smallest elements are. Attributes: (k, dim, largest).")


def infer_kth_position(attributes: tuple[int, int, bool], a: Spec) -> tuple[Shape, DType]:
    _, dim, keepdim = attributes
    return (*a.shape[:dim], *(1,) * keepdim, *a.shape[dim + 1:]) if a.shape else (), dtypes.int64


def kth_position_forward(attributes: tuple[int, int, bool], a: Any) -> Any:
    k, dim, keepdim = attributes
    found = order(a, dim, False)
    if not a.ndim:
        return found
    return found[(slice(None),) * dim + (slice(k - 1, k) if keepdim else k - 1,)]


add_row("kth_position", infer_kth_position, kth_position_forward, None, lanes="kth_position", doc="Where the k-th smallest element is. Attributes: (k, dim, keepdim).")

reading("sort", ALONG, "add_along", "The elements in the order of an index. Attributes: (dim, True).")
reading("sort_stable", ALONG, "add_along", "As sort, where the caller asks for a stable order. Attributes: (dim, True).", grad_fn="SortBackward1")
reading("topk", ALONG, "add_along", "The elements at an index. Attributes: (dim, True).")
reading("kthvalue", ALONG, "add_along", "The element at an index. Attributes: (dim, keepdim).")


def infer_searchsorted(attributes: tuple[bool, bool], boundaries: Spec, values: Spec) -> tuple[Shape, DType]:
    return values.shape, dtypes.int32 if attributes[1] else dtypes.int64


def searchsorted_forward(attributes: tuple[bool, bool], boundaries: Any, values: Any) -> Any:
    side: Any = "right" if attributes[0] else "left"
    if boundaries.ndim == 1:
        return np.searchsorted(boundaries, values, side)
    rows = boundaries.reshape(-1, boundaries.shape[-1])
    wanted = values.reshape(len(rows), -1) if values.size else np.empty((len(rows), 0), values.dtype)
    found = [np.searchsorted(row, each, side) for row, each in zip(rows, wanted, strict=True)]
    return np.array(found, np.int64).reshape(values.shape)


add_row("searchsorted", infer_searchsorted, searchsorted_forward, None, lanes="searchsorted",
        doc="Where values belong in rising boundaries; several rows of boundaries have a row of values each. Attributes: (right, int32).")
