"""Linear algebra of square matrices, and of batches of them: inverses, equations, determinants, Cholesky factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.functions.checking import some
from tapediff.functions.composing import expanded, reshaped
from tapediff.functions.elementwise import refuse_out
from tapediff.functions.registry import FUNCTIONS, check_tensor, function
from tapediff.functions.return_types import return_type
from tapediff.functions.views import transpose
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import is_traced, source_of, structural
from tapediff.shapes import Shape, broadcast
from tapediff.tensor import Tensor

__all__ = ["LinAlgError", "cholesky", "det", "inv", "logdet", "slogdet", "solve", "solve_triangular"]


class LinAlgError(RuntimeError):
    """A matrix does not allow what was asked: it is singular, or not positive definite."""


# --- checks ---------------------------------------------------------------------------------------------------------------------


def floating(name: str, *tensors: Tensor) -> None:
    """Refuse what is no tensor of floating dtype, and several that differ in dtype."""
    for position, x in enumerate(tensors):
        check_tensor(x, name.replace(".", "_"), "AB"[position], position + 1)
    for x in tensors:
        if not x.spec.dtype.is_floating_point:
            raise RuntimeError(
                f"{name}: Expected a floating point or complex tensor as input. Got {x.spec.dtype.legacy}; convert it with "
                ".float()"
            )
    if len({x.spec.dtype for x in tensors}) > 1:
        given = [x.spec.dtype.legacy for x in tensors]
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type {given[0]} and B of type {given[1]} instead; "
            "convert "
            "one with .to(...)"
        )


def matrices(name: str, argument: str, shape: Shape, are_square: bool = True) -> None:
    """Refuse shapes that are no matrices."""
    if len(shape) < 2:
        raise RuntimeError(f"{name}: The input tensor {argument} must have at least 2 dimensions.")
    if are_square and shape[-1] != shape[-2]:
        raise RuntimeError(
            f"{name}: {argument} must be batches of square matrices, but they are {shape[-2]} by {shape[-1]} matrices"
        )


def first_bad(is_bad: Any) -> tuple[int, str]:
    """The number of the first bad matrix, and how PyTorch names it in a message."""
    flags = np.reshape(is_bad, -1)
    place = int(np.flatnonzero(flags)[0])
    return place, f" (Batch element {place}):" if np.ndim(is_bad) else ""


def check_regular(x: Tensor) -> tuple[int, str] | None:
    """Which matrix is singular to the last bit, if any; reads the values."""
    if not x.spec.size:
        return None
    if is_traced():
        some(structural(STRUCTURAL["sign_det"], None, x) == 0)
    with np.errstate(all="ignore"):
        is_bad = np.linalg.slogdet(source_of(x).values())[0] == 0
    return first_bad(is_bad) if np.any(is_bad) else None


def pivot(matrix: Any) -> int:
    """The number, from 1, of the first zero on the diagonal of the factor U of a singular matrix."""
    from scipy.linalg import lu

    upper = lu(matrix)[2]
    zeros = np.flatnonzero(upper.diagonal() == 0)
    return int(zeros[0]) + 1 if zeros.size else len(matrix)


# --- inverse and equations ------------------------------------------------------------------------------------------------------


@function("inverse")
def inv(A: Tensor, *, out: None = None) -> Tensor:
    """The inverse of a square matrix, or of each in a batch.

    Raises
        LinAlgError: a matrix is singular; this reads the values.

    >>> import tapediff as td
    >>> td.linalg.inv(td.tensor([[2., 0.], [0., 4.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    refuse_out("linalg_inv", out)
    floating("linalg.inv", A)
    matrices("linalg.inv", "A", A.spec.shape)
    bad = check_regular(A)
    if bad is not None:
        place, where = bad
        number = pivot(source_of(A).values().reshape(-1, *A.spec.shape[-2:])[place])
        raise LinAlgError(
            f"linalg.inv:{where} The diagonal element {number} is zero, the inversion could not be completed because the input "
            "matrix is "
            "singular."
        )
    return structural(STRUCTURAL["inverse"], None, A)


def solve(A: Tensor, B: Tensor, *, left: bool = True, out: None = None) -> Tensor:
    """The solution X of ``A X = B``, or of ``X A = B`` where `left` is False; B is a matrix, or a vector, in every batch.

    Raises
        LinAlgError: a matrix is singular; this reads the values of A.

    >>> import tapediff as td
    >>> solve(td.tensor([[2., 0.], [0., 4.]]), td.tensor([2., 8.]))
    tensor([1., 2.])
    """
    refuse_out("linalg_solve", out)
    found = solution_of(A, B, left)
    if check_regular(A) is not None:
        raise LinAlgError("torch.linalg.solve: The solver failed because the input matrix is singular.")
    return found


def solution_of(A: Tensor, B: Tensor, left: bool) -> Tensor:
    """The solution of equations; inf where a matrix is singular."""
    floating("linalg.solve", A, B)
    matrices("linalg.solve", "A", A.spec.shape)
    is_vector = B.spec.ndim == 1 or B.spec.shape == A.spec.shape[:-1]
    if is_vector and not left:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve "
            "is "
            "equivalent to B / A.squeeze(-1)"
        )
    right = reshaped(B, (*B.spec.shape, 1)) if is_vector else B
    first, second = equations("linalg.solve", A, right if left else transposed(right), left)
    found = structural(STRUCTURAL["solve"], not left, first, second)
    if is_vector:
        return reshaped(found, found.spec.shape[:-1])
    return found if left else transposed(found)


def transposed(x: Tensor) -> Tensor:
    """The matrices with rows and columns exchanged."""
    return transpose(x, -2, -1)


def equations(name: str, A: Tensor, B: Tensor, left: bool) -> tuple[Tensor, Tensor]:
    """Both sides with their batches broadcast."""
    if A.spec.shape[-1] != B.spec.shape[-2]:
        rows, columns = B.spec.shape[-2:] if left else B.spec.shape[:-3:-1]
        order = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {order} ({A.spec.shape[-2]}x{A.spec.shape[-1]} and "
            f"{rows}x{columns})"
        )
    lead = broadcast(A.spec.shape[:-2], B.spec.shape[:-2])
    return expanded(A, (*lead, *A.spec.shape[-2:])), expanded(B, (*lead, *B.spec.shape[-2:]))


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False, out: None = None
) -> Tensor:
    """The solution X of ``A X = B``, or of ``X A = B``, reading the upper or the lower triangle of A only; its
    diagonal counts as ones if `unitriangular`.

    >>> import tapediff as td
    >>> solve_triangular(td.tensor([[2., 1.], [9., 4.]]), td.tensor([[4.], [8.]]), upper=True)
    tensor([[1.],
            [2.]])
    """
    refuse_out("linalg_solve_triangular", out)
    floating("linalg.solve_triangular", A, B)
    matrices("linalg.solve_triangular", "A", A.spec.shape)
    matrices("linalg.solve_triangular", "B", B.spec.shape, are_square=False)
    first, second = equations("linalg.solve_triangular", A, B if left else transposed(B), left)
    found = structural(STRUCTURAL["solve_triangular"], (bool(upper), not left, bool(unitriangular)), first, second)
    return found if left else transposed(found)


# --- determinants ---------------------------------------------------------------------------------------------------------------


@function()
def det(A: Tensor, *, out: None = None) -> Tensor:
    """The determinant of a square matrix, or of each in a batch.

    >>> import tapediff as td
    >>> td.det(td.tensor([[2., 1.], [0., 4.]]))
    tensor(8.)
    """
    refuse_out("linalg_det", out)
    floating("linalg.det", A)
    matrices("linalg.det", "A", A.spec.shape)
    return structural(STRUCTURAL["det"], None, A)


def sign_and_logarithm(name: str, A: Tensor, returned: str) -> Any:
    """The sign of the determinant and the logarithm of its magnitude."""
    floating(name, A)
    matrices(name, "A", A.spec.shape)
    found = return_type(returned, "sign", "logabsdet")
    return found((structural(STRUCTURAL["sign_det"], None, A), structural(STRUCTURAL["log_det"], None, A)))


@function("slogdet")
def _slogdet(input: Tensor) -> Any:
    """The sign of the determinant, and the logarithm of its magnitude.

    >>> import tapediff as td
    >>> sign, logabsdet = td.slogdet(td.tensor([[2., 0.], [0., -0.5]]))
    >>> sign
    tensor(-1.)
    """
    return sign_and_logarithm("linalg.slogdet", input, "slogdet")


def slogdet(A: Tensor, *, out: None = None) -> Any:
    """The sign of the determinant, and the logarithm of its magnitude: ``det = sign * exp(logabsdet)``.

    >>> import tapediff as td
    >>> slogdet(td.tensor([[1., 0.], [0., 1.]])).logabsdet
    tensor(0.)
    """
    refuse_out("linalg_slogdet", out)
    return sign_and_logarithm("linalg.slogdet", A, "linalg_slogdet")


@function()
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; nan where that is negative.

    >>> import tapediff as td
    >>> td.logdet(td.eye(2))
    tensor(0.)
    """
    sign, logarithm = sign_and_logarithm("logdet", input, "slogdet")
    return FUNCTIONS["where"](sign < 0, float("nan"), logarithm)


# --- Cholesky -------------------------------------------------------------------------------------------------------------------


def cholesky(A: Tensor, *, upper: bool = False, out: None = None) -> Tensor:
    """The lower triangular L with ``L @ L.mT = A``, or its transpose; reads the lower triangle of A.

    Raises
        LinAlgError: a matrix is not positive definite; this reads the values.

    >>> import tapediff as td
    >>> cholesky(td.tensor([[4., 2.], [2., 5.]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    refuse_out("linalg_cholesky", out)
    floating("linalg.cholesky", A)
    matrices("linalg.cholesky", "A", A.spec.shape)
    check_definite(A)
    factor: Tensor = structural(STRUCTURAL["cholesky"], bool(upper), A)
    if is_traced():
        some(factor != factor)  # nan, where a replay finds that A is not definite
    return factor


def check_definite(A: Tensor, name: str = "linalg.cholesky") -> None:
    """Refuse matrices that are not positive definite.

    Raises
        LinAlgError: one is not.
    """
    value = source_of(A).values()
    try:
        np.linalg.cholesky(value)
    except np.linalg.LinAlgError:
        is_bad = [not is_definite(matrix) for matrix in value.reshape(-1, *value.shape[-2:])]
        place, where = first_bad(is_bad if value.ndim > 2 else is_bad[0])
        matrix = value.reshape(-1, *value.shape[-2:])[place]
        order = next((size for size in range(1, len(matrix) + 1) if not is_definite(matrix[:size, :size])), len(matrix))
        raise LinAlgError(
            f"{name}:{where} The factorization could not be completed because the input is not positive-definite (the "
            "leading minor "
            f"of order {order} is not positive-definite)."
        ) from None


def is_definite(matrix: Any) -> bool:
    """Whether a matrix has a Cholesky factor."""
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


@function("cholesky")
def _cholesky(input: Tensor, upper: bool = False, *, out: None = None) -> Tensor:
    """`linalg.cholesky` under its old name.

    >>> import tapediff as td
    >>> td.cholesky(td.tensor([[4.]]))
    tensor([[2.]])
    """
    return cholesky(input, upper=upper, out=out)


@function()
def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False, *, out: None = None) -> Tensor:
    """The solution X of ``A X = B``, given the Cholesky factor of A.

    >>> import tapediff as td
    >>> td.cholesky_solve(td.tensor([[8.]]), td.tensor([[2.]]))
    tensor([[2.]])
    """
    refuse_out("cholesky_solve", out)
    floating("cholesky_solve", B, L)
    between = solve_triangular(transposed(L) if upper else L, B, upper=False)
    return solve_triangular(L if upper else transposed(L), between, upper=True)
