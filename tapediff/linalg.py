"""Linear algebra under the names of torch.linalg."""

from __future__ import annotations

from tapediff.functions.linear_algebra import (
    LinAlgError,
    cholesky,
    det,
    inv,
    matrix_norm,
    norm,
    slogdet,
    solve,
    solve_triangular,
)
from tapediff.functions.norms import vector_norm
from tapediff.functions.products import linalg_cross as cross
from tapediff.functions.products import matmul, matrix_power, multi_dot, vecdot
from tapediff.functions.views import diagonal as _diagonal
from tapediff.tensor import Tensor

__all__ = [
    "LinAlgError",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "multi_dot",
    "norm",
    "slogdet",
    "solve",
    "solve_triangular",
    "vecdot",
    "vector_norm",
]


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices.

    >>> import tapediff as td
    >>> diagonal(td.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return _diagonal(A, offset, dim1, dim2)
