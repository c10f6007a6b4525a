"""Sorting: elements in order, the largest, the k-th."""

from __future__ import annotations

from typing import Any

from tapediff.functions.composing import checked, integer
from tapediff.functions.registry import function
from tapediff.functions.return_types import return_type
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.shapes import normalize_dim
from tapediff.tensor import Tensor

__all__ = ["argsort", "kthvalue", "msort", "sort", "topk"]


@function()
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool | None = None) -> Any:
    """The elements in rising or falling order along `dim`, as `values` and the `indices` they come from; NaN is larger than
    all numbers.

    Equal elements keep their order, whether or not `stable` asks for it.

    >>> import tapediff as td
    >>> td.tensor([3., 1., 2.]).sort()
    torch.return_types.sort(
    values=tensor([1., 2., 3.]),
    indices=tensor([1, 2, 0]))
    """
    dim = normalize_dim(dim, len(checked(input, "sort")))
    indices = structural(STRUCTURAL["argsort"], (dim, bool(descending)), input)
    values = structural(STRUCTURAL["sort" if stable is None else "sort_stable"], (dim, True), input, indices)
    return return_type("sort", "values", "indices")((values, indices))


@function()
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The indices that put the elements along `dim` in order.

    >>> import tapediff as td
    >>> td.tensor([3., 1., 2.]).argsort(descending=True)
    tensor([0, 2, 1])
    """
    dim = normalize_dim(dim, len(checked(input, "argsort")))
    return structural(STRUCTURAL["argsort"], (dim, bool(descending)), input)


@function()
def msort(input: Tensor) -> Tensor:
    """The elements in rising order along the first dimension.

    >>> import tapediff as td
    >>> td.msort(td.tensor([[2., 1.], [1., 3.]]))
    tensor([[1., 1.],
            [2., 3.]])
    """
    values: Tensor = sort(input, 0).values
    return values


@function()
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The `k` largest or smallest elements along `dim` in order, as `values` and `indices`; of equal elements the first.

    >>> import tapediff as td
    >>> td.tensor([3., 1., 2.]).topk(2)
    torch.return_types.topk(
    values=tensor([3., 2.]),
    indices=tensor([0, 2]))
    """
    shape = checked(input, "topk")
    k = integer(k, "topk", "k", 2)
    dim = normalize_dim(dim, len(shape))
    if not input.spec.dtype.category:
        raise RuntimeError("topk does not support bool dtypes on CPU: convert the tensor first with .int()")
    size = shape[dim] if shape else 1
    if not 0 <= k <= size:
        raise RuntimeError(f"selected index k out of range: topk got k = {k} for dimension {dim} of size {size}")
    indices = structural(STRUCTURAL["topk_order"], (k, dim, bool(largest)), input)
    values = structural(STRUCTURAL["topk"], (dim, True), input, indices)
    return return_type("topk", "values", "indices")((values, indices))


@function()
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The `k`-th smallest element along `dim` (k = 1 is the smallest), as `values` and `indices`.

    >>> import tapediff as td
    >>> td.tensor([3., 1., 2.]).kthvalue(2)
    torch.return_types.kthvalue(
    values=tensor(2.),
    indices=tensor(2))
    """
    shape = checked(input, "kthvalue")
    k = integer(k, "kthvalue", "k", 2)
    dim = normalize_dim(dim, len(shape))
    size = shape[dim] if shape else 1
    if not 1 <= k <= size:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}: got k = {k}, the size is {size}")
    indices = structural(STRUCTURAL["kth_position"], (k, dim, bool(keepdim)), input)
    values = structural(STRUCTURAL["kthvalue"], (dim, bool(keepdim)), input, indices)
    return return_type("kthvalue", "values", "indices")((values, indices))
