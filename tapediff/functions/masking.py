"""Masks: fill, select and scatter where a bool tensor holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.functions.composing import checked, corner, element_tensor, expanded, flattened, read
from tapediff.functions.registry import function
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.shapes import broadcast
from tapediff.tensor import Tensor

__all__ = ["masked_fill", "masked_scatter", "masked_select"]

C_NAMES = {"bool": "bool", "int32": "int", "int64": "long int", "float32": "float", "float64": "double"}


@function()
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`value`, a number or a tensor without dimensions, where `mask` holds, else `input`; input and mask broadcast.

    >>> import tapediff as td
    >>> td.tensor([1., 2.]).masked_fill(td.tensor([True, False]), 0)
    tensor([0., 2.])
    """
    shape = checked(input, "masked_fill")
    of_mask = checked(mask, "masked_fill", "mask", 2)
    if mask.spec.dtype is not dtypes.bool_:
        raise RuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {C_NAMES[mask.spec.dtype.name]}: compare, or "
            "convert it with .bool()"
        )
    common = broadcast(of_mask, shape)
    row = "masked_fill_tensor" if isinstance(value, Tensor) else "masked_fill"
    return structural(
        STRUCTURAL[row],
        None,
        expanded(input, common),
        expanded(mask, common),
        element_tensor(value, input.spec.dtype, "masked_fill_"),
    )


@function()
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where `mask` holds, as a vector; input and mask broadcast.

    >>> import tapediff as td
    >>> td.tensor([1., 2., 3.]).masked_select(td.tensor([True, False, True]))
    tensor([1., 3.])
    """
    shape = checked(input, "masked_select")
    of_mask = checked(mask, "masked_select", "mask", 2)
    if mask.spec.dtype is not dtypes.bool_:
        raise RuntimeError(
            f"masked_select: expected BoolTensor for mask, got {mask.spec.dtype}: compare, or convert it with .bool()"
        )
    common = broadcast(of_mask, shape)
    mask = expanded(mask, common)
    return structural(STRUCTURAL["masked_select"], int(np.count_nonzero(read(mask))), expanded(input, common), mask)


@function()
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`input` with the elements of `source`, one after the other, where `mask` holds; input and mask broadcast.

    >>> import tapediff as td
    >>> td.zeros(3).masked_scatter(td.tensor([True, False, True]), td.tensor([1., 2.]))
    tensor([1., 0., 2.])
    """
    shape = checked(input, "masked_scatter")
    of_mask = checked(mask, "masked_scatter", "mask", 2)
    checked(source, "masked_scatter", "source", 3)
    if source.spec.dtype is not input.spec.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got "
            f"{input.spec.dtype.legacy} and {source.spec.dtype.legacy}"
        )
    if mask.spec.dtype is not dtypes.bool_:
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.spec.dtype.legacy}")
    common = broadcast(of_mask, shape)
    mask = expanded(mask, common)
    count = int(np.count_nonzero(read(mask)))
    if source.spec.size < count:
        raise RuntimeError(f"Number of elements of source < number of ones in mask: {source.spec.size} < {count}")
    return structural(STRUCTURAL["masked_scatter"], None, expanded(input, common), mask, corner(flattened(source), (count,)))
