"""Kernels of linear algebra on small square matrices in lanes, one lane after the other, in float64.

Parameters: lanes, number of matrices, rows of a matrix, columns of the right side, two numbers of the kernel's own, whether the
matrices and the right sides have lanes. A matrix without an inverse gives inf, as the rows' NumPy does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, njit

from tapediff.kernels.pointers import moved, value_at

__all__ = ["cholesky", "cofactors", "determinant", "inverse", "solve", "solve_triangular"]


@njit(error_model="numpy")
def _load(at: Any, first: int, rows: int, columns: int, lane: int, lanes: int, is_laned: int, is_turned: int, out: Any) -> None:
    """A matrix of one lane, transposed or not."""
    for i in range(rows):
        for j in range(columns):
            place = first + (j * rows + i if is_turned else i * columns + j)
            out[i, j] = carray(moved(at, place * lanes + lane if is_laned else place), 1)[0]


@njit(error_model="numpy")
def _store(at: Any, first: int, rows: int, columns: int, lane: int, lanes: int, is_turned: int, a: Any) -> None:
    for i in range(rows):
        for j in range(columns):
            place = first + (j * rows + i if is_turned else i * columns + j)
            carray(moved(at, place * lanes + lane), 1)[0] = a[i, j]


@njit(error_model="numpy")
def _factor(a: Any, n: int, order: Any) -> int:
    """LU factors in place, with partial pivoting; the sign of the row order, or 0 where a pivot is 0."""
    sign = 1
    for k in range(n):
        order[k] = k
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[best, k]):
                best = i
        if best != k:
            sign = -sign
            order[k], order[best] = order[best], order[k]
            for j in range(n):
                a[k, j], a[best, j] = a[best, j], a[k, j]
        if a[k, k] == 0:
            return 0
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i, k] = factor
            for j in range(k + 1, n):
                a[i, j] -= factor * a[k, j]
    return sign


@njit(error_model="numpy")
def _substitute(a: Any, n: int, order: Any, b: Any, columns: int, x: Any) -> None:
    """Solve with LU factors."""
    for i in range(n):
        for j in range(columns):
            x[i, j] = b[order[i], j]
        for k in range(i):
            for j in range(columns):
                x[i, j] -= a[i, k] * x[k, j]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            for j in range(columns):
                x[i, j] -= a[i, k] * x[k, j]
        for j in range(columns):
            x[i, j] /= a[i, i]


@njit(error_model="numpy")
def _solve_stack(p: Any, y_at: Any, a_at: Any, b_at: Any, has_right: bool) -> None:
    header = carray(p, 8)
    lanes, stacks, n, columns, is_turned, a_laned, b_laned = (header[0], header[1], header[2], header[3], header[4], header[6],
                                                              header[7])
    a, b, x = np.empty((n, n)), np.zeros((n, columns)), np.empty((n, columns))
    order = np.empty(n, np.int64)
    for number in range(stacks):
        for lane in range(lanes):
            _load(a_at, number * n * n, n, n, lane, lanes, a_laned, is_turned, a)
            if has_right:
                _load(b_at, number * n * columns, n, columns, lane, lanes, b_laned, 0, b)
            else:
                for i in range(n):
                    b[i, i] = 1
            if _factor(a, n, order) == 0:
                x[:] = np.inf
            else:
                _substitute(a, n, order, b, columns, x)
            _store(y_at, number * n * columns, n, columns, lane, lanes, 0, x)


def inverse(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the inverses."""
    _solve_stack(p, value_at(q, 0), value_at(q, 1), value_at(q, 1), False)


def solve(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the solutions of a y = b. Own number: whether a is transposed first."""
    _solve_stack(p, value_at(q, 0), value_at(q, 1), value_at(q, 2), True)


def solve_triangular(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the solutions of a y = b, of one triangle of a.

    Own numbers: 1 upper + 2 transposed, whether the diagonal counts as ones.
    """
    header = carray(p, 8)
    lanes, stacks, n, columns = header[0], header[1], header[2], header[3]
    form, is_unit, a_laned, b_laned = header[4], header[5], header[6], header[7]
    is_turned = form >> 1
    from_end = (form & 1) != is_turned  # an upper triangle is solved from its end; transposed, it is a lower one
    y_at, a_at, b_at = value_at(q, 0), value_at(q, 1), value_at(q, 2)
    a, x = np.empty((n, n)), np.empty((n, columns))
    for number in range(stacks):
        for lane in range(lanes):
            _load(a_at, number * n * n, n, n, lane, lanes, a_laned, is_turned, a)
            _load(b_at, number * n * columns, n, columns, lane, lanes, b_laned, 0, x)
            is_singular = False
            for step in range(n):
                i = n - 1 - step if from_end else step
                for k in range(i + 1 if from_end else 0, n if from_end else i):
                    for j in range(columns):
                        x[i, j] -= a[i, k] * x[k, j]
                if not is_unit:
                    is_singular = is_singular or a[i, i] == 0
                    for j in range(columns):
                        x[i, j] /= a[i, i]
            if is_singular:
                x[:] = np.inf
            _store(y_at, number * n * columns, n, columns, lane, lanes, 0, x)


def determinant(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the determinants (0), the logarithms of their magnitudes (1) or their signs (2)."""
    header = carray(p, 5)
    lanes, stacks, n, what = header[0], header[1], header[2], header[4]
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    a, order = np.empty((n, n)), np.empty(n, np.int64)
    for number in range(stacks):
        for lane in range(lanes):
            _load(a_at, number * n * n, n, n, lane, lanes, 1, 0, a)
            sign = _factor(a, n, order)
            product, logarithm = float(sign), 0.0
            if sign == 0:
                logarithm = -np.inf
            else:
                for k in range(n):
                    product *= a[k, k]
                    logarithm += math.log(abs(a[k, k]))
                    if a[k, k] < 0:
                        sign = -sign
            if what == 0:
                found = product
            elif what == 1:
                found = logarithm
            else:
                found = np.nan if product != product else float(sign)
            carray(moved(y_at, number * lanes + lane), 1)[0] = found


def cofactors(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the derivatives of the determinants by the elements: determinants of minors, which singular matrices have, too."""
    header = carray(p, 3)
    lanes, stacks, n = header[0], header[1], header[2]
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    a, minor, found = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    order = np.empty(n, np.int64)
    for number in range(stacks):
        for lane in range(lanes):
            _load(a_at, number * n * n, n, n, lane, lanes, 1, 0, a)
            for i in range(n):
                for j in range(n):
                    for k in range(n - 1):
                        for m in range(n - 1):
                            minor[k, m] = a[k + (k >= i), m + (m >= j)]
                    product = float(_factor(minor, n - 1, order))
                    if product != 0:
                        for k in range(n - 1):
                            product *= minor[k, k]
                    found[i, j] = -product if (i + j) % 2 else product
            _store(y_at, number * n * n, n, n, lane, lanes, 0, found)


def cholesky(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the triangular factors; nan where a matrix is not positive definite.

    Own number: whether the upper ones are wanted.
    """
    header = carray(p, 5)
    lanes, stacks, n, is_upper = header[0], header[1], header[2], header[4]
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    a = np.empty((n, n))
    for lane in range(lanes):
        for number in range(stacks):
            _load(a_at, number * n * n, n, n, lane, lanes, 1, 0, a)
            is_positive = True
            for j in range(n):
                for k in range(j):
                    a[j, j] -= a[j, k] * a[j, k]
                if not a[j, j] > 0:
                    is_positive = False
                    break
                a[j, j] = math.sqrt(a[j, j])
                for i in range(j + 1, n):
                    for k in range(j):
                        a[i, j] -= a[i, k] * a[j, k]
                    a[i, j] /= a[j, j]
                    a[j, i] = 0
            if not is_positive:
                a[:] = np.nan
            _store(y_at, number * n * n, n, n, lane, lanes, is_upper, a)
