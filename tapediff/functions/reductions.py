"""Reductions: functions that fold dimensions."""

from __future__ import annotations

from typing import Any

from tapediff import dtypes
from tapediff.functions.registry import check_tensor, function
from tapediff.ops.structural import STRUCTURAL
from tapediff.record import cast, structural
from tapediff.shapes import normalize_dims
from tapediff.tensor import Tensor

__all__ = ["mean", "sum"]


@function()
def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum of all elements, or over the dimensions `dim`; integers and bools add up as int64.

    >>> import tapediff as td
    >>> td.tensor([[1., 2.], [3., 4.]]).sum(dim=0)
    tensor([4., 6.])
    """
    check_tensor(input, "sum")
    if dtype is not None:
        input = cast(input, dtypes.parse(dtype))
    elif not input.dtype.is_floating_point:
        input = cast(input, dtypes.int64)
    return structural(STRUCTURAL["sum"], (normalize_dims(dim, input.spec.ndim), bool(keepdim)), input)


@function()
def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of all elements, or over the dimensions `dim`.

    >>> import tapediff as td
    >>> td.tensor([1., 2., 6.]).mean()
    tensor(3.)
    """
    check_tensor(input, "mean")
    if dtype is not None:
        input = cast(input, dtypes.parse(dtype))
    if not input.dtype.is_floating_point:
        raise RuntimeError("mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
                           f"Got: {input.dtype.legacy}; convert it first with .float() or pass dtype=")
    return structural(STRUCTURAL["mean"], (normalize_dims(dim, input.spec.ndim), bool(keepdim)), input)
