"""Norms of matrices."""

from __future__ import annotations

from math import inf
from typing import Any

from tapediff.functions.decompositions import svdvals
from tapediff.functions.elementwise import refuse_out
from tapediff.functions.linear_algebra import floating, matrices
from tapediff.functions.norms import vector_norm
from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.tensor import Tensor

__all__ = ["matrix_norm", "norm"]


def matrix_norm(A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of matrices: "fro", the root of the sum of squares; "nuc", the sum of the singular values; 2 and -2, the largest
    and the smallest of them; 1 and inf, the largest sum of magnitudes of a column or a row; -1 and -inf, the smallest.

    >>> import tapediff as td
    >>> matrix_norm(td.tensor([[3., 0.], [0., 4.]])), matrix_norm(td.tensor([[3., -1.], [0., 4.]]), 1)
    (tensor(5.), tensor(5.))
    """
    floating("linalg.matrix_norm", A)
    matrices("linalg.matrix_norm", "A", A.spec.shape, are_square=False)
    if not isinstance(dim, tuple | list) or len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
    rows, columns = (one % A.spec.ndim for one in dim)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({rows}, {columns})")
    if dtype is not None:
        A = A.to(dtype)
    if ord in ("fro", None):
        return FUNCTIONS["norm"](A, 2, (rows, columns), keepdim)
    if ord == "nuc" or (not isinstance(ord, str) and abs(ord) == 2):
        return of_singular_values(A, ord, (rows, columns), keepdim)
    if isinstance(ord, str) or abs(ord) not in (1, inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    summed, kept = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = FUNCTIONS["sum"](FUNCTIONS["abs"](A), summed, True)
    found: Tensor = FUNCTIONS["amax" if ord > 0 else "amin"](sums, kept, True)
    shape = tuple(
        1 if position in (rows, columns) else size
        for position, size in enumerate(A.spec.shape)
        if keepdim or position not in (rows, columns)
    )
    return (
        found
        if keepdim
        else FUNCTIONS["squeeze"](found, (rows, columns))
        if shape
        else FUNCTIONS["amax" if ord > 0 else "amin"](sums)
    )


def of_singular_values(A: Tensor, ord: Any, dims: tuple[int, int], keepdim: bool) -> Tensor:
    """The sum, the maximum or the minimum of the singular values of matrices that lie in two dimensions."""
    values = svdvals(FUNCTIONS["movedim"](A, dims, (-2, -1)))
    if ord == "nuc" or (ord == 2 and not values.spec.shape[-1]):
        found = FUNCTIONS["sum"](values, -1)
    else:
        found = FUNCTIONS["amax" if ord == 2 else "amin"](values, -1)
    if keepdim:
        for dim in sorted(dims):
            found = FUNCTIONS["unsqueeze"](found, dim)
    made: Tensor = found
    return made


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, out: None = None, dtype: Any = None) -> Tensor:
    """A vector norm along one dimension, a matrix norm over two; without `ord` the root of the sum of all squares.

    >>> import tapediff as td
    >>> norm(td.tensor([[3., 0.], [0., 4.]])), norm(td.tensor([3., -4.]), 1)
    (tensor(5.), tensor(7.))
    """
    refuse_out("linalg_norm", out)
    check_tensor(A, "linalg_norm", "A")
    if isinstance(ord, str) and ord not in ("fro", "nuc"):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    dims = (dim,) if isinstance(dim, int) else dim
    if dims is None and ord is not None:
        if A.spec.ndim not in (1, 2):
            raise RuntimeError(
                f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.spec.ndim}D."
            )
        dims = tuple(range(A.spec.ndim))
    if ord is None or (len(dims) == 1 and not isinstance(ord, str)):
        return vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype=dtype)
    if len(dims) == 1:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dims[0]}")
    return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
