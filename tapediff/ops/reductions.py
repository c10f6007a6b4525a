"""Rows of the reductions: ops that fold dimensions into one value each.

Attributes: (dims, keepdim), then what the op needs besides: the dims folded, counted from the front and sorted.
"""

from __future__ import annotations

from itertools import groupby
from math import inf, nan, prod
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.ops.structural import add_row
from tapediff.shapes import contiguous_strides
from tapediff.tape.spec import Spec

__all__ = ["count_of", "expanded", "quiet", "reduced_shape", "total"]

Attributes = tuple[Any, ...]
BLOCK = 64  # rows that are added up one after the other before partial sums are: float32 keeps six digits

quiet = np.errstate(all="ignore")  # inf, nan and 0 / 0 are values here, not warnings


def reduced_shape(shape: tuple[int, ...], dims: tuple[int, ...], keepdim: bool) -> tuple[int, ...]:
    """The shape after folding `dims`."""
    if keepdim:
        return tuple(1 if dim in dims else size for dim, size in enumerate(shape))
    return tuple(size for dim, size in enumerate(shape) if dim not in dims)


def infer_reduction(attributes: Attributes, spec: Spec) -> tuple[tuple[int, ...], DType]:
    return reduced_shape(spec.shape, *attributes[:2]), spec.dtype


def infer_bool(attributes: Attributes, spec: Spec) -> tuple[tuple[int, ...], DType]:
    return reduced_shape(spec.shape, *attributes[:2]), dtypes.bool_


def infer_count(attributes: Attributes, spec: Spec) -> tuple[tuple[int, ...], DType]:
    return reduced_shape(spec.shape, *attributes[:2]), dtypes.int64


def expanded(F: Any, attributes: Attributes, folded: Any, like: Any) -> Any:
    """A folded value repeated to the shape of `like`, the operand of the reduction."""
    shape = tuple(like.shape)
    kept = reduced_shape(shape, attributes[0], True)
    strides = tuple(0 if dim in attributes[0] else stride for dim, stride in enumerate(contiguous_strides(kept)))
    return F.expand(F.view(folded, (kept, contiguous_strides(kept), 0)), (shape, strides, 0))


def count_of(attributes: Attributes, like: Any) -> int:
    """The number of elements that are folded into one."""
    return prod(like.shape[dim] for dim in attributes[0])


def shaped(attributes: Attributes, kept: Any, like: Any) -> Any:
    """An array whose folded dims have size 1, in the shape of the result."""
    return kept.reshape(reduced_shape(like.shape, *attributes[:2]))


# --- sums -----------------------------------------------------------------------------------------------------------------------------------

def total(a: Any, dims: tuple[int, ...]) -> Any:
    """The sum over `dims`, kept with size 1; adds pairwise along every run of dims, so that rounding errors grow with the logarithm of the count.

    >>> int(total(np.arange(24).reshape(2, 3, 4), (0, 2))[0, 1, 0])
    92
    """
    for run in reversed(runs(dims)):
        before, count, after = (prod(a.shape[part]) for part in (slice(run[0]), slice(run[0], run[-1] + 1), slice(run[-1] + 1, None)))
        shape = reduced_shape(a.shape, tuple(run), True)
        a = middle_total(a.reshape(before, count, after)).reshape(shape)
    return a


def runs(dims: tuple[int, ...]) -> list[list[int]]:
    """Dims grouped into runs of neighbours: (0, 1, 3) gives [[0, 1], [3]]."""
    return [[dim for _, dim in group] for _, group in groupby(enumerate(dims), lambda pair: pair[1] - pair[0])]


def middle_total(a: Any) -> Any:
    """The sum over the second of three dimensions."""
    if a.shape[2] == 1:
        return a[:, :, 0].sum(axis=1, dtype=a.dtype)  # NumPy itself adds pairwise along contiguous memory
    while a.shape[1] > BLOCK:
        before, count, after = a.shape
        whole = count - count % BLOCK
        parts = [a[:, :whole].reshape(before, -1, BLOCK, after).sum(axis=2, dtype=a.dtype)]
        if whole < count:
            parts.append(a[:, whole:].sum(axis=1, keepdims=True, dtype=a.dtype))
        a = np.concatenate(parts, axis=1)
    return a.sum(axis=1, dtype=a.dtype)


@quiet
def sum_forward(attributes: Attributes, a: Any) -> Any:
    return shaped(attributes, total(a, attributes[0]), a)


def sum_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return expanded(F, attributes, y_bar, a)


@quiet
def mean_forward(attributes: Attributes, a: Any) -> Any:
    return shaped(attributes, total(a, attributes[0]) / a.dtype.type(count_of(attributes, a)), a)


def mean_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return expanded(F, attributes, y_bar / max(count_of(attributes, a), 1), a)


@quiet
def nansum_forward(attributes: Attributes, a: Any) -> Any:
    return sum_forward(attributes, np.where(np.isnan(a), a.dtype.type(0), a))


def nansum_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.where(F.isnan(a), 0.0, expanded(F, attributes, y_bar, a))


for _name, _grad_fn, _which in (("sum", "SumBackward0", "all elements"), ("sum_dim", "SumBackward1", "dimensions")):
    add_row(_name, infer_reduction, sum_forward, sum_pullback, grad_fn=_grad_fn, saves=(frozenset(),), kernel="sum", lanes="sum", doc=f"The sum over {_which}.")
for _name, _grad_fn, _which in (("mean", "MeanBackward0", "all elements"), ("mean_dim", "MeanBackward1", "dimensions")):
    add_row(_name, infer_reduction, mean_forward, mean_pullback, grad_fn=_grad_fn, saves=(frozenset(),), kernel="mean", lanes="mean", doc=f"The arithmetic mean over {_which}.")
add_row("nansum", infer_reduction, nansum_forward, nansum_pullback, saves=(frozenset({0}),), lanes="nansum", doc="The sum over dimensions of what is not nan.")


def infer_trace(attributes: None, spec: Spec) -> tuple[tuple[int, ...], DType]:
    return (), spec.dtype


def trace_forward(attributes: None, a: Any) -> Any:
    return total(np.diagonal(a).copy(), (0,)).reshape(())


def trace_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    rows, columns = a.shape
    diagonal = F.expand(y_bar, ((min(rows, columns),), (0,), 0))
    return F.strided_sum(diagonal, ((rows, columns), (columns + 1,), 0))


add_row("trace", infer_trace, trace_forward, trace_pullback, saves=(frozenset(),), lanes="trace", doc="The sum of a matrix's diagonal.")


# --- products -------------------------------------------------------------------------------------------------------------------------------

@quiet
def prod_forward(attributes: Attributes, a: Any) -> Any:
    return a.prod(axis=attributes[0], keepdims=attributes[1], dtype=np.float64 if a.dtype == np.float32 else a.dtype)


@quiet
def prod_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    shape = tuple(a.shape)
    if len(attributes[0]) == 1:
        return F.zero_product(expanded(F, attributes, y_bar, a), product_of_others(F, attributes[0][0], a))
    flat = product_of_others(F, 0, F.view(a, ((prod(shape),), (1,), 0)))
    return F.zero_product(expanded(F, attributes, y_bar, a), F.view(flat, (shape, contiguous_strides(shape), 0)))


def product_of_others(F: Any, dim: int, a: Any) -> Any:
    """For every element the product of all others along `dim`: what lies before times what lies after, which is exact beside zeros too."""
    before = F.shifted(F.cumprod(a, (dim, False)), (dim, 1, 1.0))
    after = F.shifted(F.cumprod(a, (dim, True)), (dim, -1, 1.0))
    return before * after


add_row("prod", infer_reduction, prod_forward, prod_pullback, grad_fn="ProdBackward0", saves=(frozenset({0}),), lanes="prod", doc="The product of all elements.")
add_row("prod_dim", infer_reduction, prod_forward, prod_pullback, grad_fn="ProdBackward1", saves=(frozenset({0}),), lanes="prod", doc="The product over one dimension.")


# --- spread ---------------------------------------------------------------------------------------------------------------------------------

@quiet
def var_forward(attributes: Attributes, a: Any) -> Any:
    wide = a.astype(np.float64)
    count = count_of(attributes, a)
    deviation = wide - total(wide, attributes[0]) / np.float64(count)
    return shaped(attributes, total(deviation * deviation, attributes[0]) / np.float64(max(count - attributes[2], 0)), a)


@quiet
def var_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    freedom = count_of(attributes, a) - attributes[2]
    deviation = a - expanded(F, attributes, F.mean(a, (attributes[0], True)), a)
    return expanded(F, attributes, y_bar, a) * deviation * (2 / freedom if freedom > 0 else nan)


@quiet
def std_forward(attributes: Attributes, a: Any) -> Any:
    return np.sqrt(var_forward(attributes, a))


@quiet
def std_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return var_pullback(F, attributes, k, F.where(F.eq(y, 0.0), 0.0, F.div(y_bar * 0.5, y)), y, a)


_spread = "over dimensions; attributes: (dims, keepdim, correction)."
add_row("var", infer_reduction, var_forward, var_pullback, saves=(frozenset({0}),), lanes="spread", doc=f"The variance {_spread}")
add_row("std", infer_reduction, std_forward, std_pullback, saves=(frozenset({0, "y"}),), lanes="spread", doc=f"The standard deviation {_spread}")
for _pair in ("var", "std"):
    _grad_fn = f"{_pair.capitalize()}MeanBackward0"
    _forward, _pullback = (var_forward, var_pullback) if _pair == "var" else (std_forward, std_pullback)
    add_row(f"{_pair}_mean_{_pair}", infer_reduction, _forward, _pullback, grad_fn=_grad_fn, saves=(frozenset({0, "y"}),), lanes="spread",
            doc=f"The first of the two results of {_pair}_mean.")
    add_row(f"{_pair}_mean_mean", infer_reduction, mean_forward, mean_pullback, grad_fn=_grad_fn, saves=(frozenset(),), lanes="mean",
            doc=f"The second of the two results of {_pair}_mean.")


# --- extrema of values: ties share the adjoint evenly -----------------------------------------------------------------------------------------

@quiet
def amax_forward(attributes: Attributes, a: Any) -> Any:
    return a.max(axis=attributes[0], keepdims=attributes[1])


@quiet
def amin_forward(attributes: Attributes, a: Any) -> Any:
    return a.min(axis=attributes[0], keepdims=attributes[1])


def shared(F: Any, attributes: Attributes, mask: Any, y_bar: Any, a: Any) -> Any:
    """An adjoint divided evenly among the elements of each slice where the mask holds."""
    count = F.sum(F.where(mask, F.ones_like(a), 0.0), (attributes[0], True))
    return F.div(F.where(mask, expanded(F, attributes, y_bar, a), 0.0), expanded(F, attributes, count, a))


def equal_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    """Equal elements share; where the result is nan nothing equals it, and 0 / 0 makes the whole slice nan."""
    return shared(F, attributes, F.eq(a, expanded(F, attributes, y, a)), y_bar, a)


def equal_or_nan_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    """Equal elements share; where the result is nan the nans share."""
    value = expanded(F, attributes, y, a)
    return shared(F, attributes, F.logical_or(F.eq(a, value), F.logical_and(F.isnan(a), F.isnan(value))), y_bar, a)


@quiet
def median_forward(attributes: Attributes, a: Any) -> Any:
    flat = a.reshape(-1)
    if not flat.size:
        return np.full((), nan if a.dtype.kind == "f" else np.iinfo(a.dtype).min)
    return np.where(np.isnan(flat).any(), nan, middle(flat)) if a.dtype.kind == "f" else middle(flat)


def nanmedian_forward(attributes: Attributes, a: Any) -> Any:
    return median_forward(attributes, a[~np.isnan(a)])


def middle(flat: Any) -> Any:
    """The lower of the two middle elements, where their number is even."""
    rank = (flat.size - 1) // 2
    return np.partition(flat, rank)[rank]


_saved = (frozenset({0, "y"}),)
EXTREMA = {"largest": "largest", "smallest": "smallest", "middle": "median", "middle, nans left out,": "nanmedian"}
for _name, _forward, _backward, _which in (("max", amax_forward, "MaxBackward1", "largest"), ("min", amin_forward, "MinBackward1", "smallest"),
                                           ("median", median_forward, "MedianBackward0", "middle"),
                                           ("nanmedian", nanmedian_forward, "NanmedianBackward0", "middle, nans left out,")):
    add_row(_name, infer_reduction, _forward, equal_or_nan_pullback, grad_fn=_backward, saves=_saved,
            kernel="extreme" if _name in ("max", "min") else None, lanes=EXTREMA.get(_which), doc=f"The {_which} of all elements.")
for _name, _forward, _backward, _which in (("amax", amax_forward, "AmaxBackward0", "largest"), ("amin", amin_forward, "AminBackward0", "smallest"),
                                           ("aminmax_max", amax_forward, "AminmaxBackward0", "largest"),
                                           ("aminmax_min", amin_forward, "AminmaxBackward0", "smallest")):
    add_row(_name, infer_reduction, _forward, equal_pullback, grad_fn=_backward, saves=_saved, kernel="extreme", lanes=EXTREMA.get(_which), doc=f"The {_which} element over dimensions.")


# --- truth and counting ---------------------------------------------------------------------------------------------------------------------

add_row("any", infer_bool, lambda attributes, a: np.any(a, axis=attributes[0], keepdims=attributes[1]), None, lanes="any", doc="Whether any element is not zero.")
add_row("all", infer_bool, lambda attributes, a: np.all(a, axis=attributes[0], keepdims=attributes[1]), None, lanes="all", doc="Whether no element is zero.")
add_row("count_nonzero", infer_count, lambda attributes, a: np.sum(a != 0, axis=attributes[0], keepdims=attributes[1], dtype=np.int64), None, lanes="count_nonzero",
        doc="The number of elements that are not zero.")


# --- exponentials and powers ----------------------------------------------------------------------------------------------------------------

@quiet
def logsumexp_forward(attributes: Attributes, a: Any) -> Any:
    largest = a.max(axis=attributes[0], keepdims=True, initial=-inf)
    largest = np.where(np.isfinite(largest), largest, a.dtype.type(0))
    return shaped(attributes, np.log(total(np.exp(a - largest), attributes[0])) + largest, a)


@quiet
def logsumexp_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.zero_product(expanded(F, attributes, y_bar, a), F.exp(a - expanded(F, attributes, y, a)))


add_row("logsumexp", infer_reduction, logsumexp_forward, logsumexp_pullback, saves=_saved, lanes="logsumexp", doc="log(sum(exp(a))) over dimensions, without overflow.")


@quiet
def vector_norm_forward(attributes: Attributes, a: Any) -> Any:
    dims, _, p = attributes
    size = np.abs(a).astype(np.float64)
    if p == inf:
        made = size.max(axis=dims, keepdims=True, initial=0)
    elif p == -inf:
        made = size.min(axis=dims, keepdims=True)
    elif p == 0:
        made = total((size != 0).astype(np.float64), dims)
    elif p == 1:
        made = total(size, dims)
    else:
        scale = power_of_two(size.max(axis=dims, keepdims=True, initial=0))
        size = size / scale
        made = (np.sqrt(total(size * size, dims)) if p == 2 else total(size**p, dims) ** (1 / p)) * scale
    return shaped(attributes, made, a)


def power_of_two(largest: Any) -> Any:
    """The power of two that brings numbers up to `largest` to at most 1 without rounding, so that their powers do not overflow."""
    return np.where(np.isfinite(largest), np.ldexp(1.0, np.clip(np.frexp(largest)[1], -1021, 1023)), 1.0)


@quiet
def vector_norm_pullback(F: Any, attributes: Attributes, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    p = attributes[2]
    if p == 0:
        return F.zeros_like(a)
    if p == 1:
        return F.zero_product(expanded(F, attributes, y_bar, a), F.sign(a))
    norm = expanded(F, attributes, y, a)
    if p in (inf, -inf):
        return shared(F, attributes, F.eq(F.abs(a), norm), y_bar, a) * F.sign(a)
    if p == 2:
        partial = F.where(F.eq(norm, 0.0), 0.0, F.div(a, norm))
    else:
        partial = F.where(F.eq(a, 0.0), 0.0, F.sign(a) * F.pow(F.div(F.abs(a), norm), p - 1.0))
    return F.zero_product(expanded(F, attributes, y_bar, a), partial)


_norm = "The p-norm of the elements over dimensions, with subgradient 0 at 0; attributes: (dims, keepdim, p)."
add_row("vector_norm", infer_reduction, vector_norm_forward, vector_norm_pullback, grad_fn="LinalgVectorNormBackward0", saves=_saved, lanes="norm", doc=_norm)
add_row("dist", infer_reduction, vector_norm_forward, vector_norm_pullback, saves=_saved, lanes="norm", doc=f"Of a difference: {_norm[0].lower()}{_norm[1:]}")
