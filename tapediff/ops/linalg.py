"""Rows of linear algebra: inverses, solutions, determinants and Cholesky factors of matrices or of stacks of them.

Every rule is made of these rows and of products, so every order of derivative exists. LAPACK does the work, by way of NumPy and SciPy. A matrix
without an inverse gives inf here; the functions that users call look first and raise PyTorch's error.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapediff.dtypes import DType
from tapediff.ops.products import PLAIN, reshaped, scaled
from tapediff.ops.reductions import quiet
from tapediff.ops.structural import add_row, same_shape
from tapediff.tape.spec import Spec

__all__ = ["product"]

Shape = tuple[int, ...]
Triangle = tuple[bool, bool, bool]


def product(F: Any, a: Any, b: Any, transposes: tuple[bool, bool] = PLAIN) -> Any:
    """The products of two stacks of matrices of the same number, either of which may be transposed first."""
    *lead, rows, columns = a.shape
    *_, height, width = b.shape
    if not lead:
        return F.mm(a, b, transposes)
    count = int(np.prod(lead, dtype=np.int64))
    made = F.bmm(reshaped(F, a, (count, rows, columns)), reshaped(F, b, (count, height, width)), transposes)
    return reshaped(F, made, (*lead, *made.shape[1:]))


def one_each(F: Any, x: Any) -> Any:
    """One number per matrix as matrices of one element."""
    return reshaped(F, x, (*x.shape, 1, 1))


def turned(F: Any, x: Any) -> Any:
    """The matrices transposed."""
    *lead, rows, columns = x.shape
    shape = (*lead, columns, rows)
    steps = [1] * len(shape)
    for dim in range(len(lead) - 1, -1, -1):
        steps[dim] = rows * columns * int(np.prod(lead[dim + 1 :], dtype=np.int64))
    return F.transpose(x, (shape, (*steps[:-2], 1, columns), 0))


# --- inverse and solve ----------------------------------------------------------------------------------------------------------


@quiet
def inverse_forward(attributes: None, a: Any) -> Any:
    return solved(a, None)


def solved(a: Any, b: Any) -> Any:
    """The solutions of a x = b, or the inverses without b; inf for a matrix that has none."""
    try:
        return np.linalg.inv(a) if b is None else np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        pass
    out = np.full(a.shape if b is None else b.shape, np.inf, a.dtype)
    regular = np.linalg.slogdet(a)[0] != 0
    out[regular] = np.linalg.inv(a[regular]) if b is None else np.linalg.solve(a[regular], b[regular])
    return out


def inverse_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return -product(F, product(F, y, y_bar, (True, False)), y, (False, True))


add_row(
    "inverse",
    same_shape,
    inverse_forward,
    inverse_pullback,
    saves=(frozenset({"y"}),),
    grad_fn="LinalgInvExBackward0",
    lanes="inverse",
    doc="The inverses of square matrices.",
)


def infer_second(attributes: Any, a: Spec, b: Spec) -> tuple[Shape, DType]:
    return b.shape, b.dtype


@quiet
def solve_forward(attributes: bool, a: Any, b: Any) -> Any:
    return solved(np.swapaxes(a, -1, -2) if attributes else a, b)


def solve_pullback(F: Any, attributes: bool, k: int, y_bar: Any, y: Any, a: Any, b: Any) -> Any:
    found = F.solve(a, y_bar, not attributes)
    if k == 1:
        return found
    return -product(F, y, found, (False, True)) if attributes else -product(F, found, y, (False, True))


add_row(
    "solve",
    infer_second,
    solve_forward,
    solve_pullback,
    saves=(frozenset({0, "y"}), frozenset({0})),
    grad_fn="LinalgSolveExBackward0",
    lanes="solve",
    doc="The solutions of a x = b for square matrices a. Attributes: whether a is transposed first.",
)


def triangle(attributes: Triangle, a: Any) -> Any:
    """The part of square matrices that a triangular solution reads."""
    upper, _, unit = attributes
    part = np.triu(a, int(unit)) if upper else np.tril(a, -int(unit))
    return part + np.eye(a.shape[-1], dtype=a.dtype) if unit else part


@quiet
def solve_triangular_forward(attributes: Triangle, a: Any, b: Any) -> Any:
    upper, transposed, unit = attributes
    if not b.size:
        return np.zeros_like(b)
    from scipy.linalg import solve_triangular  # takes longer to import than NumPy

    matrices, right = a.reshape(-1, *a.shape[-2:]), b.reshape(-1, *b.shape[-2:])
    if not triangle(attributes, matrices).diagonal(axis1=1, axis2=2).all():
        return solved(np.swapaxes(triangle(attributes, a), -1, -2) if transposed else triangle(attributes, a), b)
    found = [
        solve_triangular(m, r, int(transposed), not upper, unit, check_finite=False) for m, r in zip(matrices, right, strict=True)
    ]
    return np.stack(found).reshape(b.shape)


def solve_triangular_pullback(F: Any, attributes: Triangle, k: int, y_bar: Any, y: Any, a: Any, b: Any) -> Any:
    upper, transposed, unit = attributes
    found = F.solve_triangular(a, y_bar, (upper, not transposed, unit))
    if k == 1:
        return found
    full = product(F, y, found, (False, True)) if transposed else product(F, found, y, (False, True))
    return -(F.triu(full, int(unit)) if upper else F.tril(full, -int(unit)))


add_row(
    "solve_triangular",
    infer_second,
    solve_triangular_forward,
    solve_triangular_pullback,
    saves=(frozenset({0, "y"}), frozenset({0})),
    grad_fn="LinalgSolveTriangularBackward0",
    lanes="solve_triangular",
    doc="The solutions of a x = b, reading one triangle of a. Attributes: (upper, whether a is transposed first, whether its "
    "diagonal counts as ones).",
)


# --- determinants ---------------------------------------------------------------------------------------------------------------


def infer_each(attributes: None, a: Spec) -> tuple[Shape, DType]:
    return a.shape[:-2], a.dtype


@quiet
def det_forward(attributes: None, a: Any) -> Any:
    return np.linalg.det(a)


def det_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return one_each(F, y_bar) * F.cofactors(a, None)


add_row(
    "det",
    infer_each,
    det_forward,
    det_pullback,
    saves=(frozenset({0}),),
    grad_fn="LinalgDetBackward0",
    lanes="det",
    doc="The determinants of square matrices.",
)


@quiet
def cofactors_forward(attributes: None, a: Any) -> Any:
    if not a.size:
        return np.zeros_like(a)
    u, s, v = np.linalg.svd(a)
    others = np.stack([np.prod(np.delete(s, k, -1), -1) for k in range(s.shape[-1])], -1)  # without division: s may hold a zero
    sign = np.linalg.det(u) * np.linalg.det(v)
    return sign[..., None, None] * ((u * others[..., None, :]) @ v)


def cofactors_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    inverse = F.inverse(a, None)
    inner = F.sum(y_bar * turned(F, inverse), ((len(a.shape) - 2, len(a.shape) - 1), True))
    between = product(F, product(F, inverse, y_bar, (True, True)), inverse, (False, True))
    return inner * y - one_each(F, F.det(a, None)) * between


add_row(
    "cofactors",
    same_shape,
    cofactors_forward,
    cofactors_pullback,
    saves=(frozenset({0, "y"}),),
    grad_fn="MulBackward0",
    lanes="cofactors",
    doc="The derivatives of the determinants by the elements, which singular matrices have, too.",
)


@quiet
def log_det_forward(attributes: None, a: Any) -> Any:
    return np.linalg.slogdet(a)[1]


def log_det_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return one_each(F, y_bar) * turned(F, F.inverse(a, None))


@quiet
def sign_det_forward(attributes: None, a: Any) -> Any:
    return np.linalg.slogdet(a)[0]


def sign_det_pullback(F: Any, attributes: None, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    return F.zeros_like(a)


add_row(
    "log_det",
    infer_each,
    log_det_forward,
    log_det_pullback,
    saves=(frozenset({0}),),
    grad_fn="LinalgSlogdetBackward0",
    lanes="log_det",
    doc="The logarithms of the magnitudes of determinants.",
)
add_row(
    "sign_det",
    infer_each,
    sign_det_forward,
    sign_det_pullback,
    saves=(frozenset(),),
    grad_fn="LinalgSlogdetBackward0",
    lanes="sign_det",
    doc="The signs of determinants.",
)


# --- Cholesky -------------------------------------------------------------------------------------------------------------------


@quiet
def cholesky_forward(attributes: bool, a: Any) -> Any:
    try:
        lower = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        if a.ndim > 2:
            return np.stack([cholesky_forward(attributes, matrix) for matrix in a])
        lower = np.full_like(a, np.nan)
    return np.swapaxes(lower, -1, -2) if attributes else lower


def cholesky_pullback(F: Any, attributes: bool, k: int, y_bar: Any, y: Any, a: Any) -> Any:
    upper = attributes
    grown = product(F, y_bar, y, (False, True)) if upper else product(F, y, y_bar, (True, False))
    if upper:
        half = scaled(F.triu(grown, 0) + F.triu(grown, 1), 0.5)
    else:
        half = scaled(F.tril(grown, 0) + F.tril(grown, -1), 0.5)
    # y^-T half y^-1, or its mirror image for the upper factor
    left = F.solve_triangular(y, turned(F, half) if upper else half, (upper, not upper, False))
    found = F.solve_triangular(y, turned(F, left), (upper, not upper, False))
    return scaled(found + turned(F, found), 0.5)


add_row(
    "cholesky",
    same_shape,
    cholesky_forward,
    cholesky_pullback,
    saves=(frozenset({"y"}),),
    grad_fn="LinalgCholeskyExBackward0",
    lanes="cholesky",
    doc="The triangular factor of positive definite matrices, whose lower triangle is read. Attributes: whether it is the upper "
    "one.",
)
