"""Linear algebra under the names of torch.linalg: products and vector norms."""

from __future__ import annotations

from typing import Any

from tapediff.functions.norms import vector_norm
from tapediff.functions.products import linalg_cross as cross
from tapediff.functions.products import matmul, matrix_power, multi_dot, vecdot
from tapediff.functions.registry import check_tensor
from tapediff.tensor import Tensor

__all__ = ["cross", "matmul", "matrix_power", "multi_dot", "norm", "vecdot", "vector_norm"]


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of all elements, of vectors along `dim`, or the Frobenius norm of matrices; other norms of matrices are not there.

    >>> import tapediff as td
    >>> norm(td.tensor([[3., 0.], [0., 4.]]))
    tensor(5.)
    """
    check_tensor(A, "linalg_norm", "A")
    dims = A.spec.ndim if dim is None else 1 if isinstance(dim, int) else len(dim)
    if ord is None or (dims == 2 and ord == "fro"):
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dims != 1:
        raise NotImplementedError(f"linalg.norm takes ord={ord!r} of vectors only, got {dims} dimensions: pass dim=, "
                                  "or use vector_norm")
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)
