"""Products: matmul and its relatives."""

from __future__ import annotations

from tapediff.functions.registry import check_tensor, function
from tapediff.ops.structural import STRUCTURAL
from tapediff.record import structural
from tapediff.tensor import Tensor

__all__ = ["mm"]


@function()
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of an n x m and an m x p matrix.

    >>> import tapediff as td
    >>> td.mm(td.tensor([[1., 2.]]), td.tensor([[3.], [4.]]))
    tensor([[11.]])
    """
    check_tensor(input, "mm")
    check_tensor(mat2, "mm", "mat2", 2)
    a, b = input.spec, mat2.spec
    if a.ndim != 2 or b.ndim != 2:
        raise RuntimeError(f"{'self' if a.ndim != 2 else 'mat2'} must be a matrix: mm got shapes {list(a.shape)} and {list(b.shape)}")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {a.dtype.legacy.lower()} != {b.dtype.legacy.lower()}")
    return structural(STRUCTURAL["mm"], None, input, mat2)
