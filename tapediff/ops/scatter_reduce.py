"""The row of scatter_reduce: values that have one index are folded by a sum, a product, a mean or an extremum.

Attributes: (dim, reduce, include_self); operands: base, values, index. Without include_self the base's elements that are written to take no part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops.gather import gather_places
from tapediff.ops.structural import add_row
from tapediff.tape.spec import Spec

__all__: list[str] = []

Attributes = tuple[int, str, bool]

FOLDS: dict[str, Any] = {"sum": np.add, "mean": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def infer_scatter_reduce(attributes: Attributes, base: Spec, values: Spec, index: Spec) -> tuple[tuple[int, ...], DType]:
    return base.shape, base.dtype


def neutral(reduce: str, dtype: Any) -> Any:
    """The element that changes nothing when it is folded in."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind == "f":
        return -np.inf if reduce == "amax" else np.inf
    if dtype.kind == "b":
        return reduce == "amin"
    return np.iinfo(dtype).min if reduce == "amax" else np.iinfo(dtype).max


def scatter_reduce_forward(attributes: Attributes, base: Any, values: Any, index: Any) -> Any:
    dim, reduce, include_self = attributes
    out = base.copy()
    flat = out.reshape(-1)
    places = gather_places(dim, base.shape, index).reshape(-1)
    if not include_self:
        flat[places] = neutral(reduce, base.dtype)
    FOLDS[reduce].at(flat, places, values.reshape(-1))
    if reduce == "mean":
        count = np.maximum(np.bincount(places, minlength=flat.size) + include_self, 1)
        if flat.dtype.kind == "f":
            flat /= count.astype(flat.dtype)
        else:
            flat //= count.astype(flat.dtype)
    return out


def scatter_reduce_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, base: Any, values: Any, index: Any) -> Any:
    dim, reduce, include_self = attributes
    of_base, of_values = SHARES[reduce](F, attributes, y_bar, y, base, values, index)
    if k == 1:
        return of_values()
    found = of_base()
    return found if include_self else F.scatter(found, F.zeros_like(values), index, (dim, False))


def sum_shares(F: Any, attributes: Attributes, y_bar: Any, y: Any, base: Any, values: Any, index: Any) -> Any:
    return lambda: y_bar, lambda: F.gather(y_bar, index, attributes[0])


def mean_shares(F: Any, attributes: Attributes, y_bar: Any, y: Any, base: Any, values: Any, index: Any) -> Any:
    dim, _, include_self = attributes
    ones = F.ones_like(base)
    start = ones if include_self else F.scatter(ones, F.zeros_like(values), index, (dim, False))
    each = y_bar / F.scatter_add(start, F.ones_like(values), index, (dim, True))
    return lambda: each, lambda: F.gather(each, index, dim)


def extremum_shares(F: Any, attributes: Attributes, y_bar: Any, y: Any, base: Any, values: Any, index: Any) -> Any:
    dim, _, include_self = attributes
    base_is = F.where(base == y, F.ones_like(base), 0)
    values_are = F.where(values == F.gather(y, index, dim), F.ones_like(values), 0)
    start = base_is if include_self else F.scatter(base_is, F.zeros_like(values), index, (dim, False))
    ties = F.scatter_add(start, values_are, index, (dim, True))
    each = y_bar / F.where(ties == 0, F.ones_like(y_bar), ties)
    return lambda: each * base_is, lambda: F.gather(each, index, dim) * values_are


def product_shares(F: Any, attributes: Attributes, y_bar: Any, y: Any, base: Any, values: Any, index: Any) -> Any:
    """The product of the others: the quotient, or where an element is the only zero, the product of all that are not zero."""
    dim, _, include_self = attributes
    base_ones, value_ones = F.where(base == 0, 1, base), F.where(values == 0, 1, values)
    base_zeros, value_zeros = F.where(base == 0, F.ones_like(base), 0), F.where(values == 0, F.ones_like(values), 0)
    start = base_zeros if include_self else F.scatter(base_zeros, F.zeros_like(values), index, (dim, False))
    zeros = F.scatter_add(start, value_zeros, index, (dim, True))
    nonzero_product = F.scatter_reduce(base_ones, value_ones, index, attributes)
    alone = F.where(zeros == 1, nonzero_product, 0)
    return (lambda: y_bar * F.where(base == 0, alone, y / base_ones),
            lambda: F.gather(y_bar, index, dim) * F.where(values == 0, F.gather(alone, index, dim), F.gather(y, index, dim) / value_ones))


SHARES: dict[str, Any] = {"sum": sum_shares, "mean": mean_shares, "prod": product_shares, "amax": extremum_shares, "amin": extremum_shares}

add_row("scatter_reduce", infer_scatter_reduce, scatter_reduce_forward, scatter_reduce_pullback, operands=(0, 1), lanes="scatter_reduce",
        saves=(frozenset({"y", 0, 1, 2}), frozenset({"y", 0, 1, 2})), doc="Values folded into places along a dimension.")
