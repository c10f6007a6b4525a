"""Kernels of scans over values in lanes: element i depends on the elements up to i along a dimension.

Parameters as in `lanes_folds`: the results are the lines along the dimension; own numbers: whether a line is walked from its end,
and which operands have lanes. Sums and products are carried in float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, njit

from tapediff.kernels.pointers import moved, value_at

__all__ = ["add_up", "log_add_up", "multiply_up", "recur"]


@njit(error_model="numpy")
def _log_add(a: float, b: float) -> float:
    """log(exp(a) + exp(b)) without overflow."""
    if a == b:
        return a + math.log(2.0)
    difference = a - b
    if difference > 0:
        return a + math.log1p(math.exp(-difference))
    if difference <= 0:
        return b + math.log1p(math.exp(difference))
    return difference


@njit(error_model="numpy")
def _carry(p: Any, q: Any, fold: int) -> None:
    """y = what each line has come to up to each element: its sum (0), product (1) or logarithm of summed exponentials (2)."""
    header = carray(p, 4)
    lanes, lines, count, is_reversed = header[0], header[1], header[2], header[3]
    starts, steps = carray(moved(p, 9), lines), carray(moved(p, 9 + lines), count)
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    carried = np.empty(lanes, np.float64)
    for line in range(lines):
        carried[:] = fold == 1
        for k in range(count):
            at = (starts[line] + steps[count - 1 - k if is_reversed else k]) * lanes
            y, a = carray(moved(y_at, at), lanes), carray(moved(a_at, at), lanes)
            if fold == 0:
                for lane in range(lanes):
                    carried[lane] += a[lane]
            elif fold == 1:
                for lane in range(lanes):
                    carried[lane] *= a[lane]
            else:
                for lane in range(lanes):
                    carried[lane] = a[lane] if k == 0 else _log_add(carried[lane], np.float64(a[lane]))
            for lane in range(lanes):
                y[lane] = carried[lane]


def add_up(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the sums of the elements up to each one."""
    _carry(p, q, 0)


def multiply_up(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the products of the elements up to each one."""
    _carry(p, q, 1)


def log_add_up(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = log(cumsum(exp(a)))."""
    _carry(p, q, 2)


@njit(error_model="numpy")
def _element(at: Any, place: int, lane: int, lanes: int, is_laned: int) -> float:
    return float(carray(moved(at, place * lanes + lane if is_laned else place), 1)[0])


def recur(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y[i] = factors[i] y[i-1] + terms[i]; y[0] = terms[0]. Pointers: y, factors, terms."""
    header = carray(p, 6)
    lanes, lines, count, is_reversed = header[0], header[1], header[2], header[3]
    factors_laned, terms_laned = header[4], header[5]
    starts, steps = carray(moved(p, 9), lines), carray(moved(p, 9 + lines), count)
    y_at, factors_at, terms_at = value_at(q, 0), value_at(q, 1), value_at(q, 2)
    carried = np.empty(lanes, np.float64)
    for line in range(lines):
        for k in range(count):
            place = starts[line] + steps[count - 1 - k if is_reversed else k]
            y = carray(moved(y_at, place * lanes), lanes)
            for lane in range(lanes):
                term = _element(terms_at, place, lane, lanes, terms_laned)
                if k == 0:
                    carried[lane] = term
                else:
                    carried[lane] = term + _element(factors_at, place, lane, lanes, factors_laned) * carried[lane]
                y[lane] = carried[lane]
