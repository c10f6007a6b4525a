"""Rows of matrix decompositions: eigenvalues, singular values, QR, LU, pseudo-inverses, least squares and the exponential.

An op has one result: a decomposition of several parts puts them into one array, rows upon rows, from which the functions that users call
take slices.  The rules are made of rows, so every order of derivative exists.  They divide by differences of eigenvalues, or of squares of
singular values: where two are equal, a function of the vectors has no derivative and gets inf or nan, but what does not depend on the
vectors gets its own, since an exactly zero adjoint contributes zero.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from tapediff.dtypes import DType, int32
from tapediff.ops.linalg import product, turned
from tapediff.ops.products import reshaped, scaled
from tapediff.ops.reductions import quiet
from tapediff.ops.structural import add_row, same_shape
from tapediff.shapes import contiguous_strides
from tapediff.tape.spec import Spec

__all__: list[str] = []

Shape = tuple[int, ...]
RIGHT, LEFT = (False, True), (True, False)  # which factor of a product is transposed


# --- parts of matrices, in terms of rows ----------------------------------------------------------------------------------------


def part(F: Any, x: Any, rows: tuple[int, int], columns: tuple[int, int] | None = None) -> Any:
    """The block of matrices between the given rows and columns, ends excluded."""
    *lead, _, width = x.shape
    first, last = columns or (0, width)
    shape = (*lead, rows[1] - rows[0], last - first)
    return F.slice(x, (shape, contiguous_strides(tuple(x.shape)), rows[0] * width + first))


def joined(F: Any, dim: int, *parts: Any) -> Any:
    """Stacks of matrices behind each other along a dimension given from the end."""
    at = len(parts[0].shape) + dim
    return F.cat(*parts, (at, tuple(accumulate((x.shape[at] for x in parts), initial=0))))


def identity(F: Any, square: Any) -> Any:
    """The identity in the shape of square matrices."""
    ones = F.ones_like(square)
    return F.triu(ones, 0) - F.triu(ones, 1)


def on_diagonal(F: Any, eye: Any, numbers: Any) -> Any:
    """Rows of numbers on the diagonals of matrices."""
    return F.zero_product(eye, numbers)


def over(F: Any, x: Any, divisor: Any) -> Any:
    """x / divisor, but 0 where x is exactly 0."""
    return F.zero_product(x, F.reciprocal(divisor))


def skew(F: Any, x: Any) -> Any:
    """Matrices minus their transposes."""
    return x - turned(F, x)


def beyond(F: Any, u: Any, x: Any) -> Any:
    """What of the columns of `x` is orthogonal to the orthonormal columns of `u`."""
    return x - product(F, u, product(F, u, x, LEFT))


def each_by_itself(forward: Any, attributes: Any, a: Any, shape: Shape) -> Any:
    """A decomposition of a stack in which one fails; nan for that one."""
    if a.ndim > 2:
        return np.stack([forward(attributes, each) for each in a])
    return np.full(shape, np.nan, a.dtype)


# --- eigenvalues of symmetric matrices: Giles, "Collected matrix derivative results" (2008), 3.1 -----------------------------------


def infer_eigh(upper: bool, a: Spec) -> tuple[Shape, DType]:
    *lead, size, _ = a.shape
    return (*lead, size + 1, size), a.dtype


@quiet
def eigh_forward(upper: bool, a: Any) -> Any:
    try:
        values, vectors = np.linalg.eigh(a, "U" if upper else "L")
    except np.linalg.LinAlgError:
        return each_by_itself(eigh_forward, upper, a, (a.shape[-1] + 1, a.shape[-1]))
    return np.concatenate([values[..., None, :], vectors], axis=-2)


def eigh_pullback(F: Any, upper: bool, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    size = a.shape[-1]
    values, vectors = part(F, y, (0, 1)), part(F, y, (1, size + 1))
    values_bar, vectors_bar = part(F, y_bar, (0, 1)), part(F, y_bar, (1, size + 1))
    eye = identity(F, a)
    gaps = values - turned(F, values) + eye
    turning = scaled(skew(F, product(F, vectors, vectors_bar, LEFT)), 0.5)
    core = over(F, turning, gaps) + on_diagonal(F, eye, values_bar)
    return product(F, vectors, product(F, core, vectors, RIGHT))


add_row(
    "eigh",
    infer_eigh,
    eigh_forward,
    eigh_pullback,
    saves=(frozenset({0, "y"}),),
    grad_fn="LinalgEighBackward0",
    doc="A row of the eigenvalues of symmetric matrices, ascending, upon the eigenvectors as columns. Attributes: whether the upper "
    "triangle is read.",
)


def infer_values(attributes: Any, a: Spec) -> tuple[Shape, DType]:
    return (*a.shape[:-2], min(a.shape[-2:])), a.dtype


@quiet
def eigvalsh_forward(upper: bool, a: Any) -> Any:
    try:
        return np.linalg.eigvalsh(a, "U" if upper else "L")
    except np.linalg.LinAlgError:
        return each_by_itself(eigvalsh_forward, upper, a, a.shape[-1:])


def eigvalsh_pullback(F: Any, upper: bool, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    size = a.shape[-1]
    vectors = part(F, F.eigh(a, upper), (1, size + 1))
    return product(F, vectors * row_of(F, y_bar), vectors, RIGHT)


def row_of(F: Any, x: Any) -> Any:
    """Vectors as matrices of one row."""
    return reshaped(F, x, (*x.shape[:-1], 1, x.shape[-1]))


add_row(
    "eigvalsh",
    infer_values,
    eigvalsh_forward,
    eigvalsh_pullback,
    saves=(frozenset({0}),),
    grad_fn="LinalgEighBackward0",
    doc="The eigenvalues of symmetric matrices, ascending. Attributes: whether the upper triangle is read.",
)


# --- singular values: Townsend, "Differentiating the singular value decomposition" (2016) ------------------------------------------


def infer_svd(attributes: None, a: Spec) -> tuple[Shape, DType]:
    *lead, rows, columns = a.shape
    return (*lead, rows + 1 + columns, min(rows, columns)), a.dtype


@quiet
def svd_forward(attributes: None, a: Any) -> Any:
    try:
        u, s, v = np.linalg.svd(a, full_matrices=False)
    except np.linalg.LinAlgError:
        rows, columns = a.shape[-2:]
        return each_by_itself(svd_forward, None, a, (rows + 1 + columns, min(rows, columns)))
    return np.concatenate([u, s[..., None, :], np.swapaxes(v, -1, -2)], axis=-2)


def svd_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    rows, columns = a.shape[-2:]
    (u, s, v), (u_bar, s_bar, v_bar) = (svd_parts(F, x, rows, columns) for x in (y, y_bar))
    turning_u, turning_v = product(F, u, u_bar, LEFT), product(F, v, v_bar, LEFT)
    eye, column = identity(F, turning_u), turned(F, s)
    gaps = (s - column) * (s + column) + eye
    core = over(F, skew(F, turning_u), gaps) * s + column * over(F, skew(F, turning_v), gaps) + on_diagonal(F, eye, s_bar)
    found = product(F, u, product(F, core, v, RIGHT))
    if rows > columns:
        found = found + product(F, over(F, beyond(F, u, u_bar), s), v, RIGHT)
    if columns > rows:
        found = found + product(F, u, over(F, beyond(F, v, v_bar), s), RIGHT)
    return found


def svd_parts(F: Any, packed: Any, rows: int, columns: int) -> tuple[Any, Any, Any]:
    return part(F, packed, (0, rows)), part(F, packed, (rows, rows + 1)), part(F, packed, (rows + 1, rows + 1 + columns))


add_row(
    "svd",
    infer_svd,
    svd_forward,
    svd_pullback,
    saves=(frozenset({0, "y"}),),
    grad_fn="LinalgSvdBackward0",
    doc="The singular value decomposition a = U diag(S) V': U, upon a row of S, descending, upon V.",
)


@quiet
def svdvals_forward(attributes: None, a: Any) -> Any:
    try:
        return np.linalg.svd(a, compute_uv=False)
    except np.linalg.LinAlgError:
        return each_by_itself(svdvals_forward, None, a, (min(a.shape[-2:]),))


def svdvals_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    u, _, v = svd_parts(F, F.svd(a, None), *a.shape[-2:])
    return product(F, u * row_of(F, y_bar), v, RIGHT)


add_row(
    "svdvals",
    infer_values,
    svdvals_forward,
    svdvals_pullback,
    saves=(frozenset({0}),),
    grad_fn="LinalgSvdBackward0",
    doc="The singular values of matrices, descending.",
)


def infer_complement(attributes: None, u: Spec) -> tuple[Shape, DType]:
    *lead, rows, columns = u.shape
    return (*lead, rows, rows - columns), u.dtype


@quiet
def complement_forward(attributes: None, u: Any) -> Any:
    *lead, rows, columns = u.shape
    if not columns:
        return np.broadcast_to(np.eye(rows, dtype=u.dtype), (*lead, rows, rows)).copy()
    return np.ascontiguousarray(np.linalg.qr(u, mode="complete")[0][..., columns:])


add_row(
    "complement",
    infer_complement,
    complement_forward,
    None,
    doc="Orthonormal columns that complete those of the operand to a basis. No derivative: any rotation of them would do.",
)


# --- QR: Walter and Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum experimental design"
# (2010); Roberts and Roberts, "QR and LQ decomposition matrix backpropagation algorithms" (2020) -----------------------------------


def infer_qr(attributes: None, a: Spec) -> tuple[Shape, DType]:
    *lead, rows, columns = a.shape
    return (*lead, rows + columns, columns), a.dtype


@quiet
def qr_forward(attributes: None, a: Any) -> Any:
    return np.concatenate(np.linalg.qr(a), axis=-2)


def qr_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    rows, columns = a.shape[-2:]
    q, r = part(F, y, (0, rows)), part(F, y, (rows, rows + columns))
    q_bar, r_bar = part(F, y_bar, (0, rows)), part(F, y_bar, (rows, rows + columns))
    grown = product(F, F.triu(r_bar, 0), r, RIGHT) - product(F, q, q_bar, LEFT)
    symmetric = F.triu(grown, 0) + turned(F, F.triu(grown, 1))
    inner = q_bar + product(F, q, symmetric)
    return turned(F, F.solve_triangular(r, turned(F, inner), (True, False, False)))


add_row(
    "qr",
    infer_qr,
    qr_forward,
    qr_pullback,
    saves=(frozenset({0, "y"}),),
    grad_fn="LinalgQrBackward0",
    doc="Q upon R, for a = Q R of no more columns than rows.",
)


def infer_qr_complete(attributes: None, a: Spec) -> tuple[Shape, DType]:
    *lead, rows, columns = a.shape
    return (*lead, rows, rows + columns), a.dtype


@quiet
def qr_complete_forward(attributes: None, a: Any) -> Any:
    if not a.size:
        q = np.broadcast_to(np.eye(a.shape[-2], dtype=a.dtype), (*a.shape[:-1], a.shape[-2]))
        return np.concatenate([q, a], axis=-1)
    return np.concatenate(np.linalg.qr(a, mode="complete"), axis=-1)


add_row(
    "qr_complete",
    infer_qr_complete,
    qr_complete_forward,
    None,
    grad_fn="LinalgQrBackward0",
    doc="A square Q beside R, for a = Q R of more rows than columns. No derivative: any rotation of Q's last columns would do.",
)


# --- LU: Walter and Lehmann, as above ------------------------------------------------------------------------------------------------


def infer_lu(attributes: None, a: Spec) -> tuple[Shape, DType]:
    *lead, rows, columns = a.shape
    return (*lead, rows + 1, columns), a.dtype


@quiet
def lu_forward(attributes: None, a: Any) -> Any:
    *lead, rows, columns = a.shape
    out = np.zeros((*lead, rows + 1, columns), a.dtype)
    if not a.size:
        return out
    from scipy.linalg import get_lapack_funcs  # takes longer to import than NumPy

    (factor,) = get_lapack_funcs(("getrf",), (a,))
    for matrix, made in zip(a.reshape(-1, rows, columns), out.reshape(-1, rows + 1, columns), strict=True):
        made[:-1], pivots, _ = factor(matrix)
        made[-1, : len(pivots)] = pivots + 1
    return out


def lu_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    *lead, rows, columns = a.shape
    size = min(rows, columns)
    if not size:
        return F.zeros_like(a)
    pivots = reshaped(F, part(F, y, (rows, rows + 1), (0, size)), (*lead, size))
    corner = (0, size), (0, size)
    lu, lu_bar = part(F, y, *corner), part(F, y_bar, *corner)
    lower = F.tril(lu, -1) + identity(F, lu)
    lower_grown = product(F, lower, F.tril(lu_bar, -1), LEFT)
    upper_grown = product(F, F.triu(lu_bar, 0), F.triu(lu, 0), RIGHT)
    if columns > rows:
        beside, beside_bar = (part(F, x, (0, size), (size, columns)) for x in (y, y_bar))
        lower_grown = lower_grown - product(F, beside_bar, beside, RIGHT)
    if rows > columns:
        below, below_bar = (part(F, x, (size, rows)) for x in (y, y_bar))
        upper_grown = upper_grown - product(F, below, below_bar, LEFT)
    inner = F.solve_triangular(lu, F.tril(lower_grown, -1) + F.triu(upper_grown, 0), (False, True, True))
    found = from_the_right(F, lu, inner)
    if columns > rows:
        found = joined(F, -1, found, F.solve_triangular(lu, beside_bar, (False, True, True)))
    if rows > columns:
        found = joined(F, -2, found, from_the_right(F, lu, below_bar))
    return product(F, F.permutation(pivots, rows), found)


def from_the_right(F: Any, lu: Any, x: Any) -> Any:
    """x U^-T."""
    return turned(F, F.solve_triangular(lu, turned(F, x), (True, False, False)))


add_row(
    "lu_factor",
    infer_lu,
    lu_forward,
    lu_pullback,
    saves=(frozenset({0, "y"}),),
    grad_fn="LinalgLuFactorExBackward0",
    doc="L and U of a = P L U with partial pivoting, in one matrix without the ones of L, upon a row that begins with the pivots: row "
    "i was exchanged with row pivot[i], counted from 1.",
)


def infer_permutation(rows: int, pivots: Spec) -> tuple[Shape, DType]:
    return (*pivots.shape[:-1], rows, rows), pivots.dtype


def permutation_forward(rows: int, pivots: Any) -> Any:
    out = np.zeros((*pivots.shape[:-1], rows, rows), pivots.dtype)
    if not pivots.size:
        out[..., range(rows), range(rows)] = 1
        return out
    for row, made in zip(pivots.reshape(-1, pivots.shape[-1]), out.reshape(-1, rows, rows), strict=True):
        order = np.arange(rows)
        for place, other in enumerate(row):
            other = int(other) - 1 if 0 < other <= rows else place
            order[[place, other]] = order[[other, place]]
        made[order, np.arange(rows)] = 1
    return out


add_row(
    "permutation",
    infer_permutation,
    permutation_forward,
    None,
    doc="The matrices P of a = P L U, from the pivots. Attributes: the number of rows.",
)


def infer_info(attributes: Any, a: Spec) -> tuple[Shape, DType]:
    return a.shape[:-2], int32


@quiet
def lu_info_forward(attributes: None, packed: Any) -> Any:
    """Of the first zero on the diagonal of U."""
    zeros = np.diagonal(packed[..., :-1, :], axis1=-2, axis2=-1) == 0
    if not zeros.shape[-1]:
        return np.zeros(packed.shape[:-2], np.int32)
    return np.where(zeros.any(-1), zeros.argmax(-1) + 1, 0).astype(np.int32)


@quiet
def cholesky_info_forward(attributes: None, a: Any) -> Any:
    if not a.size:
        return np.zeros(a.shape[:-2], np.int32)
    from scipy.linalg import get_lapack_funcs  # takes longer to import than NumPy

    (factor,) = get_lapack_funcs(("potrf",), (a,))
    found = [factor(matrix, lower=True)[1] for matrix in a.reshape(-1, *a.shape[-2:])]
    return np.array(found, np.int32).reshape(a.shape[:-2])


add_row(
    "lu_info",
    infer_info,
    lu_info_forward,
    None,
    doc="The number, from 1, of the first zero on the diagonal of U, in a result of lu_factor; 0 where there is none.",
)
add_row(
    "cholesky_info",
    infer_info,
    cholesky_info_forward,
    None,
    doc="The order of the first leading minor that is not positive definite; 0 for positive definite matrices.",
)


# --- pseudo-inverses: Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
# separate" (1973), 4.12 --------------------------------------------------------------------------------------------------------------


def infer_pinv(attributes: bool, a: Spec, atol: Spec, rtol: Spec) -> tuple[Shape, DType]:
    return (*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype


@quiet
def pinv_forward(hermitian: bool, a: Any, atol: Any, rtol: Any) -> Any:
    if not a.size:
        return np.zeros((*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype)
    try:
        if hermitian:
            s, u = np.linalg.eigh(a)
            v = np.swapaxes(u, -1, -2)
        else:
            u, s, v = np.linalg.svd(a, full_matrices=False)
    except np.linalg.LinAlgError:
        if a.ndim > 2:
            return np.stack([pinv_forward(hermitian, *each) for each in zip(a, atol, rtol, strict=True)])
        return np.full((a.shape[-1], a.shape[-2]), np.nan, a.dtype)
    size = np.abs(s)
    least = np.maximum(atol[..., None], rtol[..., None] * size.max(-1, keepdims=True))
    inverse = np.where(size > least, 1 / s, np.where(np.isnan(s), s, 0)).astype(a.dtype)
    return np.swapaxes(v, -1, -2) @ (inverse[..., None] * np.swapaxes(u, -1, -2))


def pinv_pullback(F: Any, hermitian: bool, k: int, y_bar: Any, y: Any, a: Any, atol: Any, rtol: Any) -> Any:
    turned_bar = turned(F, y_bar)
    left = product(F, product(F, turned_bar, y), y, RIGHT)
    right = product(F, y, product(F, y, turned_bar), LEFT)
    found = left - product(F, a, product(F, y, left)) + right - product(F, product(F, right, y), a)
    return found - product(F, product(F, y, y_bar, LEFT), y, RIGHT)


add_row(
    "pinv",
    infer_pinv,
    pinv_forward,
    pinv_pullback,
    operands=(0,),
    saves=(frozenset({0, "y"}),),
    grad_fn="LinalgPinvBackward0",
    doc="The pseudo-inverses of matrices: singular values up to max(atol, rtol * largest) count as 0. Operands: a, atol, rtol. Attributes: "
    "whether the matrices are symmetric, and their lower triangles read.",
)


def infer_lstsq(attributes: tuple[str, float], a: Spec, b: Spec) -> tuple[Shape, DType]:
    return (*a.shape[:-2], a.shape[-1] + 1, max(b.shape[-1], 1)), a.dtype


@quiet
def lstsq_forward(attributes: tuple[str, float], a: Any, b: Any) -> Any:
    *lead, rows, columns = a.shape
    width = b.shape[-1]
    out = np.zeros((*lead, columns + 1, max(width, 1)), a.dtype)
    if not a.size:
        return out
    if not width:
        b = np.zeros((*lead, rows, 1), b.dtype)
    pairs = zip(a.reshape(-1, rows, columns), b.reshape(-1, rows, b.shape[-1]), strict=True)
    for (left, right), made in zip(pairs, out.reshape(-1, *out.shape[-2:]), strict=True):
        made[:-1], made[-1] = solved_least_squares(attributes, left, right)
    return out


def solved_least_squares(attributes: tuple[str, float], a: Any, b: Any) -> tuple[Any, int]:
    """The solution for one matrix, and the rank."""
    from scipy.linalg import LinAlgError, lstsq  # takes longer to import than NumPy

    driver, rcond = attributes
    try:
        solution, _, rank, _ = lstsq(a, b, rcond, check_finite=False, lapack_driver="gelsy" if driver == "gels" else driver)
    except (LinAlgError, ValueError):
        return np.nan, min(a.shape)
    return solution, int(rank)


def lstsq_pullback(F: Any, attributes: tuple[str, float], k: int, y_bar: Any, y: Any, a: Any, b: Any) -> Any:
    if not b.shape[-1]:
        return F.zeros_like((a, b)[k])
    found = part(F, y_bar, (0, a.shape[-1]))
    zeros = F.sum(F.zeros_like(a), ((len(a.shape) - 2, len(a.shape) - 1), False))
    inverse = F.pinv(a, zeros, zeros + attributes[1], False)
    if k == 1:
        return product(F, inverse, found, LEFT)
    return pinv_pullback(F, False, 0, product(F, found, b, RIGHT), inverse, a, zeros, zeros)


add_row(
    "lstsq",
    infer_lstsq,
    lstsq_forward,
    lstsq_pullback,
    saves=(frozenset({0, 1}), frozenset({0})),
    grad_fn="LinalgLstsqBackward0",
    doc="The solutions x of the smallest norm that make the norm of a x - b least, upon a row that holds the rank of a. Attributes: "
    "(LAPACK's driver, rcond: singular values up to rcond * largest count as 0).",
)


# --- the exponential: Van Loan, "Computing integrals involving the matrix exponential" (1978) ------------------------------------------


@quiet
def matrix_exp_forward(attributes: None, a: Any) -> Any:
    if not a.size:
        return a.copy()
    from scipy.linalg import expm  # takes longer to import than NumPy

    out = np.full_like(a, np.nan)
    is_finite = np.isfinite(a).all((-1, -2))
    out[is_finite] = expm(a[is_finite])
    return out


def matrix_exp_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    size = a.shape[-1]
    across = turned(F, a)
    above, below = joined(F, -1, across, y_bar), joined(F, -1, F.zeros_like(a), across)
    return part(F, F.matrix_exp(joined(F, -2, above, below), None), (0, size), (size, 2 * size))


add_row(
    "matrix_exp",
    same_shape,
    matrix_exp_forward,
    matrix_exp_pullback,
    saves=(frozenset({0}),),
    grad_fn="LinalgMatrixExpBackward0",
    doc="The exponentials of square matrices.",
)
