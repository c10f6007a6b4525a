"""Differences between neighbours."""

from __future__ import annotations

from typing import Any

from tapediff.functions.composing import checked
from tapediff.functions.joining import cat
from tapediff.functions.registry import function
from tapediff.functions.views import narrow
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise
from tapediff.shapes import normalize_dim
from tapediff.tensor import Tensor

__all__ = ["diff"]


@function()
def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
    """Each element minus the one before it along `dim`, `n` times over; bools by exclusive or.

    >>> import tapediff as td
    >>> td.tensor([1, 4, 9]).diff()
    tensor([3, 5])
    """
    shape = checked(input, "diff")
    if not shape:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = normalize_dim(dim, len(shape))
    parts: list[Any] = [part for part in (prepend, input, append) if part is not None]
    found = cat(parts, dim) if len(parts) > 1 else input
    row = ROWS["sub" if found.spec.dtype.category else "logical_xor"]
    for _ in range(n):
        size = max(found.spec.shape[dim] - 1, 0)
        start = min(1, found.spec.shape[dim])
        found = elementwise(row, narrow(found, dim, start, size), narrow(found, dim, 0, size))
    return found
