"""Equations without one solution: pseudo-inverses, least squares, rank, condition; equations between tensors; exponentials."""

from __future__ import annotations

from functools import reduce
from math import inf, prod
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.functions.checking import some
from tapediff.functions.composing import expanded, integer, leaf, reshaped
from tapediff.functions.decompositions import block, check_no_nan, eigvalsh, svdvals
from tapediff.functions.elementwise import refuse_out
from tapediff.functions.linear_algebra import (
    LinAlgError,
    first_bad,
    floating,
    inv,
    matrices,
    pivot,
    solution_of,
    solve,
)
from tapediff.functions.matrix_norms import norm
from tapediff.functions.naming import named
from tapediff.functions.registry import FUNCTIONS, check_tensor, function
from tapediff.functions.return_types import return_type
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import cast, source_of, structural
from tapediff.shapes import broadcast
from tapediff.tensor import Tensor

__all__ = [
    "cond",
    "inv_ex",
    "lstsq",
    "matrix_exp",
    "matrix_rank",
    "pinv",
    "solve_ex",
    "tensorinv",
    "tensorsolve",
    "vander",
]


# --- small singular values ------------------------------------------------------------------------------------------------------


def default_tolerance(A: Tensor) -> float:
    """The fraction of the largest singular value that counts as 0: the rounding error of one times the larger size."""
    return float(np.finfo(A.spec.dtype.numpy).eps) * max(A.spec.shape[-2:])


def tolerances(A: Tensor, atol: Any, rtol: Any) -> tuple[Tensor, Tensor]:
    """atol and rtol for each matrix; without either PyTorch's default, with atol alone an rtol of 0 where atol is positive."""
    absolute = tolerance(A, 0.0 if atol is None else atol, "atol")
    if rtol is not None:
        return absolute, tolerance(A, rtol, "rtol")
    default = default_tolerance(A)
    if isinstance(atol, Tensor):
        return absolute, FUNCTIONS["where"](absolute > 0, tolerance(A, 0.0, "rtol"), tolerance(A, default, "rtol"))
    return absolute, tolerance(A, 0.0 if atol is not None and atol > 0 else default, "rtol")


def tolerance(A: Tensor, value: Any, argument: str) -> Tensor:
    """A number, or a number for each matrix, in the dtype of A."""
    if not isinstance(value, Tensor):
        return leaf(np.array(value, A.spec.dtype.numpy))
    if value.spec.dtype is dtypes.bool_:
        raise RuntimeError(f"{argument} tensor of bool type is not supported: give numbers")
    made: Tensor = cast(value.detach(), A.spec.dtype)
    return made


def pinv(
    A: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: None = None
) -> Tensor:
    """The pseudo-inverse of a matrix, or of each in a batch.

    Singular values up to ``max(atol, rtol * largest)`` count as 0; both are numbers, or tensors of a number for each matrix, and
    `rcond` is an older name of rtol. A `hermitian` matrix is symmetric: its lower triangle is read. The derivative is that at
    constant rank.

    Raises
        LinAlgError: an element is nan; this reads the values.

    >>> import tapediff as td
    >>> pinv(td.tensor([[2., 0.], [0., 0.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    refuse_out("linalg_pinv", out)
    check_tensor(A, "linalg_pinv", "A")
    if A.spec.ndim < 2 or not A.spec.dtype.is_floating_point:
        raise RuntimeError(
            f"linalg.pinv({A.spec.dtype.legacy}{{{list(A.spec.shape)}}}): expected a tensor with 2 or more dimensions of "
            "float, double, "
            "cfloat or cdouble types"
        )
    if hermitian:
        matrices("linalg.eigh", "A", A.spec.shape)
    else:
        check_no_nan(A)
    least = tolerances(A, atol, rcond if rtol is None else rtol)
    lead = reduce(broadcast, (each.spec.shape for each in least), A.spec.shape[:-2])
    operands = expanded(A, (*lead, *A.spec.shape[-2:])), *(expanded(each, lead) for each in least)
    made: Tensor = structural(STRUCTURAL["pinv"], bool(hermitian), *operands)
    return made


@function("pinverse")
def _pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`linalg.pinv` under its old name: singular values up to `rcond` times the largest count as 0.

    >>> import tapediff as td
    >>> td.pinverse(td.tensor([[4.]]))
    tensor([[0.2500]])
    """
    return pinv(input, rcond)


def matrix_rank(
    A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: None = None
) -> Tensor:
    """The number of singular values above ``max(atol, rtol * largest)``; `tol` is an atol without rtol.

    >>> import tapediff as td
    >>> matrix_rank(td.tensor([[1., 2.], [2., 4.]]))
    tensor(1)
    """
    refuse_out("linalg_matrix_rank", out)
    check_tensor(A, "linalg_matrix_rank", "A")
    matrices("torch.linalg.matrix_rank", "input", A.spec.shape, are_square=False)
    check_floating(A)
    if tol is not None:
        atol, rtol = tol, 0.0
    values = FUNCTIONS["abs"](eigvalsh(A)) if hermitian else svdvals(A)
    values = values.detach()
    if not values.spec.shape[-1]:
        return FUNCTIONS["sum"](values, -1).to(dtypes.int64)
    absolute, relative = tolerances(A, atol, rtol)
    least = FUNCTIONS["maximum"](absolute, relative * FUNCTIONS["amax"](values, -1))
    found: Tensor = FUNCTIONS["sum"](values > FUNCTIONS["unsqueeze"](least, -1), -1)
    return found


def check_floating(A: Tensor) -> None:
    """Refuse integers."""
    if not A.spec.dtype.is_floating_point:
        raise RuntimeError(
            f"This function doesn't handle types other than float and double: got {A.dtype}; convert it with .float()"
        )


def cond(A: Tensor, p: Any = None, *, out: None = None) -> Tensor:
    """The condition number: the norm of a matrix times that of its inverse.

    p is None or 2 for singular values, largest over smallest; -2 for smallest over largest; or a norm of square matrices, "fro",
    "nuc", 1, -1, inf or -inf: inf where a matrix is singular.

    >>> import tapediff as td
    >>> cond(td.tensor([[4., 0.], [0., 2.]])), cond(td.tensor([[4., 0.], [0., 2.]]), 1)
    (tensor(2.), tensor(2.))
    """
    refuse_out("linalg_cond", out)
    check_tensor(A, "linalg_cond", "A")
    if A.spec.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p not in (None, 2, -2, 1, -1, inf, -inf, "fro", "nuc"):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}; take None, 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2")
    if not prod(A.spec.shape[-2:]):
        return leaf(np.zeros(A.spec.shape[:-2], A.spec.dtype.numpy))
    if p in (None, 2, -2):
        values = svdvals(A)
        first, last = (FUNCTIONS["narrow"](values, -1, place, 1) for place in (0, values.spec.shape[-1] - 1))
        ratio: Tensor = FUNCTIONS["squeeze"](last / first if p == -2 else first / last, -1)
        return ratio
    matrices(f"linalg.cond(ord={p})", "A", A.spec.shape)
    floating("linalg.cond", A)
    inverse = structural(STRUCTURAL["inverse"], None, A)
    if p == "nuc":  # the inverse of a singular matrix is inf, which has no singular values
        inverse_norm = FUNCTIONS["sum"](structural(STRUCTURAL["svdvals"], None, inverse), -1)
    else:
        inverse_norm = norm(inverse, p, (-2, -1))
    found: Tensor = FUNCTIONS["nan_to_num"](norm(A, p, (-2, -1)) * inverse_norm, inf, inf, -inf)
    return found


# --- least squares --------------------------------------------------------------------------------------------------------------

DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """The X that makes the norm of ``A @ X - B`` least; the one of the smallest norm, where there are several.

    Returns solution, residuals (sums of the squares of ``A @ X - B``; empty unless A has more rows than columns and full rank,
    and for the driver "gelsy", which is the default), rank (empty for "gels") and singular_values (empty but for "gelsd" and
    "gelss"). Singular values up to `rcond` times the largest count as 0. The derivative is that at constant rank.

    >>> import tapediff as td
    >>> lstsq(td.tensor([[1., 0.], [1., 1.], [1., 2.]]), td.tensor([[1.], [3.], [5.]])).solution.round(decimals=4)
    tensor([[1.],
            [2.]])
    """
    name = "torch.linalg.lstsq"
    check_tensor(A, "linalg_lstsq", "A")
    check_tensor(B, "linalg_lstsq", "B", 2)
    check_least_squares(name, A, B)
    driver = "gelsy" if driver is None else driver
    if driver not in DRIVERS:
        raise RuntimeError(f"{name}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), got {driver!r}")
    is_vector = A.spec.ndim - 1 == B.spec.ndim and A.spec.shape[:-1] == B.spec.shape
    right = reshaped(B, (*B.spec.shape, 1)) if is_vector else B
    rows, columns = A.spec.shape[-2:]
    if right.spec.ndim < 2 or right.spec.shape[-2] != rows:
        what = "size(-1)" if B.spec.ndim == 1 else "size(-2)"
        raise RuntimeError(f"{name}: input.size(-2) should match other.{what}: got {list(A.spec.shape)} and {list(B.spec.shape)}")
    lead = broadcast(A.spec.shape[:-2], right.spec.shape[:-2])
    width = right.spec.shape[-1]
    first, second = expanded(A, (*lead, rows, columns)), expanded(right, (*lead, rows, width))
    tolerance = default_tolerance(A) if rcond is None or rcond < 0 else float(rcond)
    packed = structural(STRUCTURAL["lstsq"], (driver, tolerance), first, second)
    solution = block(packed, (0, columns), (0, width))
    rank = reshaped(cast(block(packed, (columns, columns + 1), (0, 1)), dtypes.int64), lead)
    empty = np.zeros(0, A.spec.dtype.numpy)
    residuals, values = leaf(empty), leaf(empty)
    if rows > columns and driver != "gelsy" and (driver == "gels" or not some(rank != columns)):
        rest = FUNCTIONS["matmul"](first, solution) - second
        residuals = named(FUNCTIONS["sum"](rest * rest, -2), "LinalgLstsqBackward0")
    if driver in ("gelsd", "gelss"):
        values = structural(STRUCTURAL["svdvals"], None, first.detach())
    if driver == "gels":
        rank = leaf(np.zeros(0, np.int64))
    if is_vector:
        solution = reshaped(solution, solution.spec.shape[:-1])
    found = return_type("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
    return found((named(solution, "LinalgLstsqBackward0"), residuals, rank, values))


def check_least_squares(name: str, A: Tensor, B: Tensor) -> None:
    """Refuse what is no least squares problem."""
    if A.spec.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if B.spec.ndim < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    if A.spec.dtype is not B.spec.dtype:
        raise RuntimeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype {A.spec.dtype.legacy} and "
            "other's dtype "
            f"{B.spec.dtype.legacy}"
        )
    if not 0 <= A.spec.ndim - B.spec.ndim <= 1:
        raise RuntimeError(
            f"{name}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1: got "
            f"{A.spec.ndim} and "
            f"{B.spec.ndim}"
        )
    check_floating(A)


# --- checks left to the caller --------------------------------------------------------------------------------------------------


def regularity(A: Tensor) -> Tensor:
    """The number, from 1, of the first zero pivot of each matrix; 0 for regular ones."""
    made: Tensor = structural(STRUCTURAL["lu_info"], None, structural(STRUCTURAL["lu_factor"], None, A.detach()))
    return made


def inv_ex(A: Tensor, *, check_errors: bool = False, out: None = None) -> Any:
    """The inverse, and the number, from 1, of the first zero pivot; 0 for regular matrices.

    The inverse of a singular matrix is inf. `check_errors` raises `linalg.inv`'s error.

    >>> import tapediff as td
    >>> inv_ex(td.ones(2, 2)).info
    tensor(2, dtype=torch.int32)
    """
    refuse_out("linalg_inv_ex", out)
    floating("linalg.inv_ex", A)
    matrices("linalg.inv", "A", A.spec.shape)
    info = regularity(A)
    if check_errors and some(info != 0):
        place, where = first_bad(source_of(info).values() != 0)
        number = pivot(source_of(A).values().reshape(-1, *A.spec.shape[-2:])[place])
        raise LinAlgError(
            f"linalg.inv_ex:{where} The diagonal element {number} is zero, the inversion could not be completed because the "
            "input matrix "
            "is singular."
        )
    return return_type("linalg_inv_ex", "inverse", "info")((structural(STRUCTURAL["inverse"], None, A), info))


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: None = None) -> Any:
    """`linalg.solve`, and the number, from 1, of the first zero pivot; 0 for regular matrices.

    The solution for a singular matrix is inf. `check_errors` raises `linalg.solve`'s error.

    >>> import tapediff as td
    >>> solve_ex(td.ones(2, 2), td.ones(2)).info
    tensor(2, dtype=torch.int32)
    """
    refuse_out("linalg_solve_ex", out)
    found = solution_of(A, B, left)
    info = regularity(A)
    if check_errors and some(info != 0):
        raise LinAlgError("torch.linalg.solve_ex: The solver failed because the input matrix is singular.")
    return return_type("linalg_solve_ex", "result", "info")((found, info))


# --- equations between tensors --------------------------------------------------------------------------------------------------


def tensorinv(A: Tensor, ind: int = 2, *, out: None = None) -> Tensor:
    """The inverse of a tensor as a linear map: its first `ind` dimensions are the rows of a matrix, the others columns.

    >>> import tapediff as td
    >>> tensorinv(td.tensor([[[2., 0.], [0., 4.]]]).reshape(2, 1, 2), ind=1).shape
    torch.Size([1, 2, 2])
    """
    refuse_out("linalg_tensorinv", out)
    check_tensor(A, "linalg_tensorinv", "A")
    ind = integer(ind, "linalg_tensorinv", "ind", 2)
    if ind < 1:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    rows, columns = A.spec.shape[:ind], A.spec.shape[ind:]
    if prod(rows) != prod(columns):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{prod(columns)} != "
            f"{prod(rows)}"
        )
    found = inv(FUNCTIONS["reshape"](A, (prod(rows), prod(rows))))
    made: Tensor = FUNCTIONS["reshape"](found, (*columns, *rows))
    return made


def tensorsolve(A: Tensor, B: Tensor, dims: Any = None, *, out: None = None) -> Tensor:
    """The X with ``tensordot(A, X, X.ndim) = B``; `dims` of A are moved behind its others first.

    >>> import tapediff as td
    >>> tensorsolve(td.eye(4).reshape(2, 2, 4) * 2, td.ones(2, 2))
    tensor([0.5000, 0.5000, 0.5000, 0.5000])
    """
    refuse_out("linalg_tensorsolve", out)
    check_tensor(A, "linalg_tensorsolve", "A")
    check_tensor(B, "linalg_tensorsolve", "B", 2)
    if dims is not None:
        A = FUNCTIONS["movedim"](A, tuple(dims), tuple(range(A.spec.ndim - len(dims), A.spec.ndim)))
    wanted = A.spec.shape[B.spec.ndim :]
    size, other = prod(wanted), prod(A.spec.shape[: B.spec.ndim])
    if size != other:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got "
            f"{size} != {other}"
        )
    reshape = FUNCTIONS["reshape"]
    made: Tensor = reshape(solve(reshape(A, (size, size)), reshape(B, (size,))), wanted)
    return made


# --- functions of matrices, matrices of powers ----------------------------------------------------------------------------------


@function()
def matrix_exp(A: Tensor) -> Tensor:
    """The exponential of a square matrix, or of each in a batch: the sum of ``A^k / k!``.

    >>> import tapediff as td
    >>> td.matrix_exp(td.tensor([[0., 1.], [0., 0.]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    floating("linalg.matrix_exp", A)
    matrices("linalg.matrix_exp", "A", A.spec.shape)
    made: Tensor = structural(STRUCTURAL["matrix_exp"], None, A)
    return made


def vander(x: Tensor, N: int | None = None) -> Tensor:
    """The powers 0 to N - 1 of each element, along a new last dimension; N is the number of elements unless it is given.

    >>> import tapediff as td
    >>> vander(td.tensor([2., 3.]), 3)
    tensor([[1., 2., 4.],
            [1., 3., 9.]])
    """
    check_tensor(x, "linalg_vander", "x")
    shape = x.spec.shape
    count = N if N is not None else shape[-1] if shape else 1
    if count <= 1:
        raise RuntimeError(f"N must be greater than 1. Got {count}")
    ones = FUNCTIONS["ones_like"](reshaped(x, (*shape, 1)))
    powers = FUNCTIONS["cumprod"](expanded(reshaped(x, (*shape, 1)), (*shape, count - 1)), -1)
    if powers.spec.dtype is not x.spec.dtype:
        ones = cast(ones, powers.spec.dtype)
    made: Tensor = FUNCTIONS["cat"]((ones, powers), -1)
    return made
