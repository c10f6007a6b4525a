"""Kernels that move values in lanes: copies of runs of elements, and their transposes.

A run is elements that lie behind each other both where they come from and where they go. Element k of a value is `lanes` numbers.
"""

from __future__ import annotations

from typing import Any

from numba import carray

from tapediff.kernels.pointers import moved, value_at

__all__ = ["LANED", "LITERAL", "UNIFORM", "add_runs", "move_runs"]

LITERAL, UNIFORM, LANED = range(3)


def move_runs(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = elements of the operands, or numbers.

    Parameters: lanes, number of runs; for each run the operand, how it comes (LITERAL: the bits of a number follow; UNIFORM: the
    operand has no lanes; LANED), the first element, the number of elements.
    """
    lanes, runs = carray(p, 2)[0], carray(p, 2)[1]
    y_at = value_at(q, 0)
    for number in range(runs):
        run = carray(moved(p, 2 + 4 * number), 4)
        operand, how, first, count = run[0], run[1], run[2], run[3]
        y = carray(y_at, count * lanes)
        if how == 2:
            a = carray(moved(value_at(q, 1 + operand), first * lanes), count * lanes)
            for k in range(count * lanes):
                y[k] = a[k]
        elif how == 1:
            one = carray(moved(value_at(q, 1 + operand), first), count)
            for k in range(count):
                part = carray(moved(y_at, k * lanes), lanes)
                x = one[k]
                for lane in range(lanes):
                    part[lane] = x
        else:
            bits = y.dtype.type(first)
            for k in range(count * lanes):
                y[k] = bits
        y_at = moved(y_at, count * lanes)


def add_runs(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """Add elements of a to elements of y.

    Parameters: lanes, number of runs, the number of elements of y to make zero first; for each run the first element of y, the
    first of a, and how many.
    """
    header = carray(p, 3)
    lanes, runs, fresh = header[0], header[1], header[2]
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    whole = carray(y_at, fresh * lanes)
    for k in range(fresh * lanes):
        whole[k] = 0
    for number in range(runs):
        run = carray(moved(p, 3 + 3 * number), 3)
        count = run[2]
        y = carray(moved(y_at, run[0] * lanes), count * lanes)
        a = carray(moved(a_at, run[1] * lanes), count * lanes)
        for k in range(count * lanes):
            y[k] += a[k]
