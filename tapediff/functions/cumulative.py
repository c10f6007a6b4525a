"""Scans along a dimension: sums, products and extrema of the elements so far."""

from __future__ import annotations

from typing import Any

from tapediff import dtypes
from tapediff.functions.arguments import numpy_names, one_dim, summable
from tapediff.functions.extrema import values_and_indices
from tapediff.functions.registry import check_tensor, function
from tapediff.functions.return_types import ReturnType
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.tensor import Tensor

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "logcumsumexp"]


def scan(name: str, input: Tensor, dim: Any, dtype: Any) -> Tensor:
    """A scan from the front."""
    check_tensor(input, name)
    input = summable(input, dtype)
    if input.spec.dtype is dtypes.bool_:
        raise NotImplementedError(f"\"{name}_out_cpu\" not implemented for 'Bool': leave dtype out, or pass dtype=torch.int64")
    return structural(STRUCTURAL[name], (one_dim(dim, input, name), False), input)


@function()
@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The sums of the elements along `dim` up to each one; integers and bools add up as int64.

    >>> import tapediff as td
    >>> td.tensor([1., 2., 3.]).cumsum(0)
    tensor([1., 3., 6.])
    """
    return scan("cumsum", input, dim, dtype)


@function()
@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The products of the elements along `dim` up to each one. Their derivatives are exact beside zeros too.

    >>> import tapediff as td
    >>> td.tensor([1., 2., 3.]).cumprod(0)
    tensor([1., 2., 6.])
    """
    return scan("cumprod", input, dim, dtype)


@function()
@numpy_names
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """log(cumsum(exp(input))) along `dim`, without overflow.

    >>> import tapediff as td
    >>> td.tensor([1000., 1000.]).logcumsumexp(0)
    tensor([1000.0000, 1000.6932])
    """
    check_tensor(input, "logcumsumexp")
    if not input.spec.dtype.is_floating_point:
        raise NotImplementedError(f"\"logcumsumexp_out_cpu\" not implemented for '{input.dtype.legacy}': "
                                  "convert it first with .float()")
    return scan("logcumsumexp", input, dim, None)


def extremum_so_far(name: str, input: Tensor, dim: Any) -> ReturnType:
    """cummax and cummin."""
    check_tensor(input, name)
    at = one_dim(dim, input, name)
    return values_and_indices(name, name, input, structural(STRUCTURAL[f"{name}_index"], at, input), (at, True))


@function()
@numpy_names
def cummax(input: Tensor, dim: int) -> ReturnType:
    """The largest elements along `dim` up to each one, and their indices, the last ones of equals.

    >>> import tapediff as td
    >>> td.tensor([1., 3., 2.]).cummax(0).values
    tensor([1., 3., 3.])
    """
    return extremum_so_far("cummax", input, dim)


@function()
@numpy_names
def cummin(input: Tensor, dim: int) -> ReturnType:
    """The smallest elements along `dim` up to each one, and their indices, the last ones of equals.

    >>> import tapediff as td
    >>> td.tensor([2., 3., 1.]).cummin(0).indices
    tensor([0, 0, 2])
    """
    return extremum_so_far("cummin", input, dim)
