"""Decompositions of matrices and of batches of them: eigenvalues, singular values, QR and LU, and what is made of their parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.functions.checking import some
from tapediff.functions.composing import expanded, leaf, reshaped
from tapediff.functions.elementwise import refuse_out
from tapediff.functions.linear_algebra import (
    LinAlgError,
    check_definite,
    equations,
    first_bad,
    floating,
    matrices,
    transposed,
)
from tapediff.functions.naming import named, undifferentiable
from tapediff.functions.registry import FUNCTIONS, check_tensor, function
from tapediff.functions.return_types import return_type
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import cast, is_traced, source_of, structural
from tapediff.shapes import contiguous_strides
from tapediff.tensor import Tensor

__all__ = [
    "cholesky_ex",
    "eigh",
    "eigvalsh",
    "householder_product",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "qr",
    "svd",
    "svdvals",
]


def block(packed: Tensor, rows: tuple[int, int], columns: tuple[int, int] | None = None) -> Tensor:
    """The part of matrices between the given rows and columns, ends excluded."""
    *lead, _, width = packed.spec.shape
    first, last = columns or (0, width)
    arrangement = (*lead, rows[1] - rows[0], last - first), contiguous_strides(packed.spec.shape), rows[0] * width + first
    made: Tensor = structural(STRUCTURAL["slice"], arrangement, packed)
    return made


def line(packed: Tensor, row: int, count: int) -> Tensor:
    """The first elements of a row of matrices, as vectors."""
    return reshaped(block(packed, (row, row + 1), (0, count)), (*packed.spec.shape[:-2], count))


def unit(rows: int, columns: int, like: Tensor) -> Tensor:
    """A matrix with ones on the diagonal."""
    return leaf(np.eye(rows, columns, dtype=like.spec.dtype.numpy))


# --- eigenvalues of symmetric matrices ------------------------------------------------------------------------------------------


def reads_upper(name: str, A: Tensor, UPLO: str) -> bool:
    """Whether the upper triangle is meant; refuses what is no square matrix."""
    check_tensor(A, f"linalg_{name}", "A")
    matrices(f"linalg.{name}", "A", A.spec.shape)
    if not A.spec.dtype.is_floating_point:
        raise NotImplementedError(f"\"linalg_eigh_cpu\" not implemented for '{A.spec.dtype.legacy}': convert it with .float()")
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return UPLO.upper() == "U"


def eigh(A: Tensor, UPLO: str = "L", *, out: None = None) -> Any:
    """Eigenvalues, ascending, and eigenvectors as columns of a symmetric matrix, of which one triangle is read.

    The derivative of the eigenvectors exists where all eigenvalues differ. nan where a matrix has a nan.

    >>> import tapediff as td
    >>> eigh(td.tensor([[2., 0.], [0., 1.]])).eigenvalues
    tensor([1., 2.])
    """
    refuse_out("linalg_eigh", out)
    upper, size = reads_upper("eigh", A, UPLO), A.spec.shape[-1]
    packed = structural(STRUCTURAL["eigh"], upper, A)
    values, vectors = line(packed, 0, size), block(packed, (1, size + 1))
    found = return_type("linalg_eigh", "eigenvalues", "eigenvectors")
    return found((named(values, "LinalgEighBackward0"), named(vectors, "LinalgEighBackward0")))


def eigvalsh(A: Tensor, UPLO: str = "L", *, out: None = None) -> Tensor:
    """The eigenvalues of a symmetric matrix, ascending; one triangle of it is read.

    >>> import tapediff as td
    >>> eigvalsh(td.tensor([[2., 0.], [1., 2.]]))
    tensor([1., 3.])
    """
    refuse_out("linalg_eigvalsh", out)
    made: Tensor = structural(STRUCTURAL["eigvalsh"], reads_upper("eigh", A, UPLO), A)
    return made


# --- singular values ------------------------------------------------------------------------------------------------------------


def check_no_nan(A: Tensor) -> None:
    """Refuse matrices that have no singular values.

    Raises
        LinAlgError: an element of one is nan; this reads the values.
    """
    if is_traced():
        some(FUNCTIONS["isnan"](A))
    is_bad = np.isnan(source_of(A).values()).any((-1, -2))
    if np.any(is_bad):
        raise LinAlgError(
            f"linalg.svd:{first_bad(is_bad)[1]} The algorithm failed to converge because the input matrix contained "
            "non-finite values."
        )


def check_decomposable(A: Tensor, driver: str | None = None) -> None:
    """Refuse what has no singular value decomposition."""
    floating("linalg.svd", A)
    matrices("linalg.svd", "A", A.spec.shape, are_square=False)
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend: leave out "
            f"{driver!r}"
        )
    check_no_nan(A)


def singular_parts(A: Tensor, full_matrices: bool) -> tuple[Tensor, Tensor, Tensor]:
    """U, S and V; square U and V if they are to be full."""
    rows, columns = A.spec.shape[-2:]
    size = min(rows, columns)
    packed = structural(STRUCTURAL["svd"], None, A)
    u, s, v = block(packed, (0, rows)), line(packed, rows, size), block(packed, (rows + 1, rows + 1 + columns))
    return completed(u) if full_matrices else u, s, completed(v) if full_matrices else v


def completed(u: Tensor) -> Tensor:
    """Orthonormal columns, and others that complete them to a basis."""
    if u.spec.shape[-2] == u.spec.shape[-1]:
        return u
    made: Tensor = FUNCTIONS["cat"]((u, structural(STRUCTURAL["complement"], None, u)), -1)
    return made


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: None = None) -> Any:
    """The decomposition ``A = U @ diag(S) @ Vh`` into orthogonal matrices and singular values, descending.

    The columns that `full_matrices` adds have no derivative; that of U and Vh exists where all singular values differ and, for
    matrices that are not square, none is zero.

    Raises
        LinAlgError: an element is nan; this reads the values.

    >>> import tapediff as td
    >>> svd(td.tensor([[3., 0.], [0., 4.]])).S
    tensor([4., 3.])
    """
    refuse_out("linalg_svd", out)
    check_decomposable(A, driver)
    u, s, v = singular_parts(A, full_matrices)
    name = "LinalgSvdBackward0"
    return return_type("linalg_svd", "U", "S", "Vh")((named(u, name), named(s, name), named(transposed(v), name)))


@function("svd")
def _svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: None = None) -> Any:
    """The decomposition ``input = U @ diag(S) @ V.mT``; `some` leaves out the columns beyond the singular values.

    Without `compute_uv` U and V are zeros.

    >>> import tapediff as td
    >>> td.svd(td.tensor([[3., 0.], [0., 4.]])).S
    tensor([4., 3.])
    """
    refuse_out("svd", out)
    check_decomposable(input)
    found = return_type("svd", "U", "S", "V")
    if compute_uv:
        u, s, v = singular_parts(input, not some)
        return found((named(u, "LinalgSvdBackward0"), named(s, "LinalgSvdBackward0"), named(v, "TransposeBackward0")))
    *lead, rows, columns = input.spec.shape
    u, v = (leaf(np.zeros((*lead, size, size), input.spec.dtype.numpy)) for size in (rows, columns))
    return found((u, structural(STRUCTURAL["svdvals"], None, input), v))


def svdvals(A: Tensor, *, driver: str | None = None, out: None = None) -> Tensor:
    """The singular values of a matrix, descending.

    Raises
        LinAlgError: an element is nan; this reads the values.

    >>> import tapediff as td
    >>> svdvals(td.tensor([[0., -2.], [1., 0.]]))
    tensor([2., 1.])
    """
    refuse_out("linalg_svdvals", out)
    check_decomposable(A, driver)
    made: Tensor = structural(STRUCTURAL["svdvals"], None, A)
    return made


# --- QR -------------------------------------------------------------------------------------------------------------------------


def orthogonal_and_triangular(A: Tensor, mode: str) -> tuple[Tensor, Tensor]:
    """Q and R of a mode; an empty Q for "r"."""
    floating("linalg.qr", A)
    matrices("linalg.qr", "A", A.spec.shape, are_square=False)
    if mode not in ("reduced", "r", "complete"):
        raise RuntimeError(f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'")
    rows, columns = A.spec.shape[-2:]
    if columns > rows:  # R continues with what A's other columns are in terms of Q
        packed = structural(STRUCTURAL["qr"], None, block(A, (0, rows), (0, rows)))
        q, first = block(packed, (0, rows)), block(packed, (rows, 2 * rows))
        r = FUNCTIONS["cat"]((first, FUNCTIONS["matmul"](transposed(q), block(A, (0, rows), (rows, columns)))), -1)
    elif mode == "complete" and rows > columns:
        message = (
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols: "
            f"got {list(A.spec.shape)}; take mode='reduced'"
        )
        packed = undifferentiable(structural(STRUCTURAL["qr_complete"], None, A), A, message)
        q, r = block(packed, (0, rows), (0, rows)), block(packed, (0, rows), (rows, rows + columns))
    else:
        packed = structural(STRUCTURAL["qr"], None, A)
        q, r = block(packed, (0, rows)), block(packed, (rows, rows + columns))
    if mode == "r":
        q = leaf(np.zeros(0, A.spec.dtype.numpy))
    return named(q, "LinalgQrBackward0"), named(r, "LinalgQrBackward0")


def qr(A: Tensor, mode: str = "reduced", *, out: None = None) -> Any:
    """The decomposition ``A = Q @ R`` into orthonormal columns and an upper triangle.

    mode is "reduced", "complete" (a square Q, without derivative where A has more rows than columns) or "r" (Q is empty). The
    derivative exists where the first columns of A, as many as Q has, are independent.

    >>> import tapediff as td
    >>> qr(td.tensor([[3., 1.], [4., 2.]])).R.abs()
    tensor([[5.0000, 2.2000],
            [0.0000, 0.4000]])
    """
    refuse_out("linalg_qr", out)
    return return_type("linalg_qr", "Q", "R")(orthogonal_and_triangular(A, mode))


@function("qr")
def _qr(input: Tensor, some: bool = True, *, out: None = None) -> Any:
    """`linalg.qr` under its old name; without `some` in mode "complete".

    >>> import tapediff as td
    >>> td.qr(td.tensor([[3.], [4.]])).R.abs()
    tensor([[5.]])
    """
    refuse_out("qr", out)
    return return_type("qr", "Q", "R")(orthogonal_and_triangular(input, "reduced" if some else "complete"))


def householder_product(input: Tensor, tau: Tensor, *, out: None = None) -> Tensor:
    """The first columns of the product of the reflections ``I - tau[i] * v @ v.mT``.

    v is column i of `input` below its diagonal, 1 on it and 0 above.

    >>> import tapediff as td
    >>> householder_product(td.tensor([[1.], [2.]]), td.tensor([0.4]))
    tensor([[ 0.6000],
            [-0.8000]])
    """
    refuse_out("linalg_householder_product", out)
    name = "torch.linalg.householder_product"
    check_tensor(input, "linalg_householder_product")
    check_tensor(tau, "linalg_householder_product", "tau", 2)
    shape, other = input.spec.shape, tau.spec.shape
    if len(shape) < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if shape[-2] < shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if len(other) != len(shape) - 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {len(other)} and "
            "input.ndim is "
            f"equal to {len(shape)}"
        )
    if shape[-1] < other[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if other[:-1] != shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(other[:-1])}"
        )
    floating("linalg.householder_product", input, tau)
    *lead, rows, columns = shape
    matmul = FUNCTIONS["matmul"]
    found = expanded(unit(rows, columns, input), shape)
    reflectors = structural(STRUCTURAL["tril"], -1, input) + unit(rows, columns, input)
    factors = reshaped(tau, (*lead, 1, other[-1]))
    for k in range(other[-1] - 1, -1, -1):
        v, factor = block(reflectors, (0, rows), (k, k + 1)), block(factors, (0, 1), (k, k + 1))
        found = found - factor * matmul(v, matmul(transposed(v), found))
    made: Tensor = named(found, "LinalgHouseholderProductBackward0")
    return made


@function()
def orgqr(input: Tensor, input2: Tensor, *, out: None = None) -> Tensor:
    """`linalg.householder_product` under its old name.

    >>> import tapediff as td
    >>> td.orgqr(td.tensor([[1.]]), td.tensor([2.]))
    tensor([[-1.]])
    """
    return householder_product(input, input2, out=out)


# --- LU -------------------------------------------------------------------------------------------------------------------------


def factored(name: str, A: Tensor, pivot: bool) -> tuple[Tensor, Tensor, Tensor]:
    """What the row lu_factor gives, and L and U in one matrix, and the pivots."""
    check_tensor(A, name.replace(".", "_"), "A")
    if A.spec.ndim < 2:
        raise RuntimeError(f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(A.spec.shape)} instead")
    floating("linalg.lu_factor", A)
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU: leave out pivot=False")
    rows, columns = A.spec.shape[-2:]
    packed = structural(STRUCTURAL["lu_factor"], None, A)
    return packed, block(packed, (0, rows)), cast(line(packed, rows, min(rows, columns)), dtypes.int32)


def check_pivots(name: str, info: Tensor) -> None:
    """Refuse factors by which nothing can be divided; reads the values."""
    if not some(info != 0):
        return
    value = source_of(info).values()
    place, where = first_bad(value != 0)
    number = int(value.reshape(-1)[place])
    raise RuntimeError(
        f"torch.linalg.{name}:{where} U[{number},{number}] is zero and using it on lu_solve would result in a division by "
        "zero. If you "
        "still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
    )


def lu_factor(A: Tensor, *, pivot: bool = True, out: None = None) -> Any:
    """L and U of ``A = P @ L @ U`` in one matrix, without the ones of L, and the pivots, from which `lu_solve` solves equations.

    Raises
        RuntimeError: U has a zero on its diagonal; this reads the values.

    >>> import tapediff as td
    >>> LU, pivots = lu_factor(td.tensor([[1., 2.], [4., 4.]]))
    >>> LU, pivots
    (tensor([[4.0000, 4.0000],
            [0.2500, 1.0000]]), tensor([2, 2], dtype=torch.int32))
    """
    refuse_out("linalg_lu_factor", out)
    packed, lu, pivots = factored("torch.lu_factor", A, pivot)
    check_pivots("lu_factor", structural(STRUCTURAL["lu_info"], None, packed))
    return return_type("linalg_lu_factor", "LU", "pivots")((named(lu, "LinalgLuFactorExBackward0"), pivots))


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: None = None) -> Any:
    """As `lu_factor`, with the number, from 1, of the first zero on the diagonal of U instead of an error; 0 where there is none.

    >>> import tapediff as td
    >>> lu_factor_ex(td.ones(2, 2)).info
    tensor(2, dtype=torch.int32)
    """
    refuse_out("linalg_lu_factor_ex", out)
    packed, lu, pivots = factored("torch.lu_factor", A, pivot)
    info = structural(STRUCTURAL["lu_info"], None, packed)
    if check_errors:
        check_pivots("lu_factor_ex", info)
    return return_type("linalg_lu_factor_ex", "LU", "pivots", "info")((named(lu, "LinalgLuFactorExBackward0"), pivots, info))


@function("lu")
def _lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: None = None) -> Any:
    """`linalg.lu_factor_ex` under its old name, with the third result if `get_infos`.

    >>> import tapediff as td
    >>> td.lu(td.tensor([[4.]]))
    (tensor([[4.]]), tensor([1], dtype=torch.int32))
    """
    refuse_out("lu", out)
    packed, lu, pivots = factored("torch.lu_factor", A, pivot)
    lu = named(lu, "LinalgLuFactorExBackward0")
    info = structural(STRUCTURAL["lu_info"], None, packed)
    if get_infos:
        return return_type("_lu_with_info", "LU", "pivots", "info")((lu, pivots, info))
    return lu, pivots


def permutation(name: str, pivots: Tensor, like: Tensor) -> Tensor:
    """The matrix P for the rows of `like`, from pivots; reads their values."""
    rows = like.spec.shape[-2]
    if some(pivots > rows) or some(pivots < 1):
        which = "smaller or equal to LU.size(-2)" if some(pivots > rows) else "greater or equal to 1"
        between = "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
        given = f"Pivots given to {name} must all be {which}." if name == "lu_solve" else between
        raise RuntimeError(f"{given} Did you properly pass the result of lu_factor?")
    return matrix_of(pivots, like)


def matrix_of(pivots: Tensor, like: Tensor) -> Tensor:
    """The matrix P for the rows of `like`."""
    made: Tensor = structural(STRUCTURAL["permutation"], like.spec.shape[-2], cast(pivots, like.spec.dtype))
    return made


def triangles(lu: Tensor, grad_fn: str) -> tuple[Tensor, Tensor]:
    """L and U from one matrix."""
    rows, columns = lu.spec.shape[-2:]
    size = min(rows, columns)
    lower = structural(STRUCTURAL["tril"], -1, block(lu, (0, rows), (0, size))) + unit(rows, size, lu)
    upper = structural(STRUCTURAL["triu"], 0, block(lu, (0, size)))
    return named(lower, grad_fn), named(upper, grad_fn)


def lu(A: Tensor, *, pivot: bool = True, out: None = None) -> Any:
    """The decomposition ``A = P @ L @ U`` into a permutation, a lower triangle with ones on its diagonal and an upper triangle.

    >>> import tapediff as td
    >>> lu(td.tensor([[1., 2.], [4., 4.]])).L
    tensor([[1.0000, 0.0000],
            [0.2500, 1.0000]])
    """
    refuse_out("linalg_lu", out)
    _, factors, pivots = factored("linalg.lu", A, pivot)
    p = matrix_of(pivots, A)
    return return_type("linalg_lu", "P", "L", "U")((p, *triangles(factors, "LinalgLuBackward0")))


@function(method=False)
def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True, *, out: None = None
) -> Any:
    """P, L and U from the results of `linalg.lu_factor`; what is not unpacked is empty.

    >>> import tapediff as td
    >>> td.lu_unpack(*td.linalg.lu_factor(td.tensor([[1., 2.], [4., 4.]]))).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    refuse_out("lu_unpack", out)
    floating("lu_unpack", LU_data)
    matrices("lu_unpack", "LU_data", LU_data.spec.shape, are_square=False)
    check_tensor(LU_pivots, "lu_unpack", "LU_pivots", 2)
    if LU_pivots.spec.dtype is not dtypes.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype: got "
            f"{LU_pivots.dtype}; pass the output of linalg.lu_factor"
        )
    p, lower, upper = (leaf(np.zeros(0, LU_data.spec.dtype.numpy)) for _ in range(3))
    if unpack_pivots:
        p = permutation("lu_unpack", LU_pivots, LU_data)
    if unpack_data:
        lower, upper = triangles(LU_data, "LuUnpackBackward0")
    return return_type("lu_unpack", "P", "L", "U")((p, lower, upper))


def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False, out: None = None) -> Tensor:
    """The solution X of ``A @ X = B``, or of ``X @ A = B``, from what `lu_factor` made of A; `adjoint` transposes A.

    >>> import tapediff as td
    >>> lu_solve(*lu_factor(td.tensor([[1., 2.], [4., 4.]])), td.tensor([[5.], [12.]]))
    tensor([[1.],
            [2.]])
    """
    refuse_out("linalg_lu_solve", out)
    floating("linalg.lu_solve", LU, B)
    check_tensor(pivots, "linalg_lu_solve", "pivots", 2)
    if pivots.spec.dtype is not dtypes.int32:
        raise RuntimeError(f"linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32, got {pivots.dtype}")
    matrices("torch.linalg.lu_solve", "A", LU.spec.shape)
    matrices("linalg.lu_solve", "B", B.spec.shape, are_square=False)
    if pivots.spec.shape != LU.spec.shape[:-1]:
        raise RuntimeError(
            "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix: got pivots of shape "
            f"{list(pivots.spec.shape)} for matrices of shape {list(LU.spec.shape)}"
        )
    factors, right = equations("linalg.lu_solve", LU, B if left else transposed(B), left)
    p, matmul, row = permutation("lu_solve", pivots, LU), FUNCTIONS["matmul"], STRUCTURAL["solve_triangular"]
    if adjoint is not left:  # P L U x = b
        between = structural(row, (False, False, True), factors, matmul(transposed(p), right))
        found = structural(row, (True, False, False), factors, between)
    else:  # its transpose
        between = structural(row, (True, True, False), factors, right)
        found = matmul(p, structural(row, (False, True, True), factors, between))
    made: Tensor = named(found if left else transposed(found), "LinalgLuSolveBackward0")
    return made


@function("lu_solve")
def _lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: None = None) -> Tensor:
    """`linalg.lu_solve` under its old name.

    >>> import tapediff as td
    >>> td.lu_solve(td.tensor([[8.]]), *td.lu(td.tensor([[4.]])))
    tensor([[2.]])
    """
    return lu_solve(LU_data, LU_pivots, b, out=out)


# --- Cholesky -------------------------------------------------------------------------------------------------------------------


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False, out: None = None) -> Any:
    """The Cholesky factor, and the order of the first leading minor that is not positive definite; 0 where all are.

    The factor of a matrix that is not positive definite is nan. `check_errors` raises `linalg.cholesky`'s error.

    >>> import tapediff as td
    >>> cholesky_ex(td.tensor([[4., 2.], [2., 1.]])).info
    tensor(2, dtype=torch.int32)
    """
    refuse_out("linalg_cholesky_ex", out)
    floating("linalg.cholesky_ex", A)
    matrices("linalg.cholesky", "A", A.spec.shape)
    if check_errors:
        check_definite(A, "linalg.cholesky_ex")
    factor, info = structural(STRUCTURAL["cholesky"], bool(upper), A), structural(STRUCTURAL["cholesky_info"], None, A)
    if check_errors and is_traced():
        some(info != 0)
    return return_type("linalg_cholesky_ex", "L", "info")((factor, info))


@function()
def cholesky_inverse(L: Tensor, upper: bool = False, *, out: None = None) -> Tensor:
    """The inverse of the matrix whose Cholesky factor is L.

    >>> import tapediff as td
    >>> td.cholesky_inverse(td.tensor([[2., 0.], [0., 1.]]))
    tensor([[0.2500, 0.0000],
            [0.0000, 1.0000]])
    """
    refuse_out("cholesky_inverse", out)
    floating("cholesky_inverse", L)
    matrices("cholesky_inverse", "A", L.spec.shape)
    eye = expanded(unit(L.spec.shape[-1], L.spec.shape[-1], L), L.spec.shape)
    inverse = structural(STRUCTURAL["solve_triangular"], (bool(upper), False, False), L, eye)
    left, right = (inverse, transposed(inverse)) if upper else (transposed(inverse), inverse)
    made: Tensor = named(FUNCTIONS["matmul"](left, right), "CholeskyInverseBackward0")
    return made
