"""Linear algebra under the names of torch.linalg."""

from __future__ import annotations

from tapediff.functions.decompositions import (
    cholesky_ex,
    eigh,
    eigvalsh,
    householder_product,
    lu,
    lu_factor,
    lu_factor_ex,
    lu_solve,
    qr,
    svd,
    svdvals,
)
from tapediff.functions.equations import (
    cond,
    inv_ex,
    lstsq,
    matrix_exp,
    matrix_rank,
    pinv,
    solve_ex,
    tensorinv,
    tensorsolve,
    vander,
)
from tapediff.functions.linear_algebra import (
    LinAlgError,
    cholesky,
    det,
    inv,
    slogdet,
    solve,
    solve_triangular,
)
from tapediff.functions.matrix_norms import matrix_norm, norm
from tapediff.functions.norms import vector_norm
from tapediff.functions.products import linalg_cross as cross
from tapediff.functions.products import matmul, matrix_power, multi_dot, vecdot
from tapediff.functions.views import diagonal as _diagonal
from tapediff.tensor import Tensor

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
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
