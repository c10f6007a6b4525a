"""Kernels that find where elements of values in lanes are: extrema, ranks, orders, places among boundaries.

Each line of elements of each lane is copied to scratch memory. Parameters: as in `lanes_folds` (results are the lines; own
numbers: what is wanted, a number that goes with it, whether the order is descending, results for each line), then where the
results of each line start, how far apart they lie, and the ranks. A nan counts as larger than every number; equals keep their
order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit

from tapediff.kernels.pointers import int32_at, integers_at, moved, value_at

__all__ = ["ARGMAX", "ARGMIN", "CUMMAX", "CUMMIN", "MODE", "NANMEDIAN", "ORDER", "RANKS", "find_in_windows", "find_indices",
           "find_median", "search_sorted"]

ARGMAX, ARGMIN, CUMMAX, CUMMIN, ORDER, RANKS, NANMEDIAN, MODE = range(8)


@njit(error_model="numpy")
def _is_before(a: Any, b: Any, descending: int) -> bool:
    """Whether a stands before b."""
    if descending:
        return a > b or (a != a and b == b)
    return a < b or (b != b and a == a)


@njit(error_model="numpy")
def _order(values: Any, order: Any, spare: Any, count: int, descending: int) -> None:
    """The stable order of values: runs of 8 by insertion, then merged."""
    for first in range(0, count, 8):
        last = min(first + 8, count)
        for k in range(first, last):
            j = k
            while j > first and _is_before(values[k], values[order[j - 1]], descending):
                order[j] = order[j - 1]
                j -= 1
            order[j] = k
    width = 8
    while width < count:
        for first in range(0, count, 2 * width):
            middle, last = min(first + width, count), min(first + 2 * width, count)
            i, j = first, middle
            for k in range(first, last):
                if j >= last or (i < middle and not _is_before(values[order[j]], values[order[i]], descending)):
                    spare[k] = order[i]
                    i += 1
                else:
                    spare[k] = order[j]
                    j += 1
        for k in range(count):
            order[k] = spare[k]
        width *= 2


@njit(error_model="numpy")
def _extremum(values: Any, count: int, wants_largest: bool) -> int:
    """The index of the first largest or smallest element; a nan is both."""
    best = 0
    for k in range(1, count):
        if values[best] != values[best]:
            break
        if (values[k] > values[best] if wants_largest else values[k] < values[best]) or values[k] != values[k]:
            best = k
    return best


@njit(error_model="numpy")
def _numbers(values: Any, count: int) -> int:
    """How many values are no nans."""
    found = 0
    for k in range(count):
        found += values[k] == values[k]
    return found


@njit(error_model="numpy")
def _mode(values: Any, order: Any, count: int) -> int:
    """The place in the order of the commonest value, the smallest of several, at its last place."""
    best, longest, start = 0, 0, 0
    for k in range(1, count):
        if values[order[k]] != values[order[k - 1]]:
            start = k
        if k - start > longest:
            best, longest = k, k - start
    return best


def find_indices(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = indices along a dimension, as int64."""
    header = carray(p, 9)
    lanes, lines, count, what, number, descending, wanted = (header[0], header[1], header[2], header[3], header[4], header[5],
                                                             header[6])
    starts, steps = carray(moved(p, 9), lines), carray(moved(p, 9 + lines), count)
    behind = moved(p, 9 + lines + count)
    out_starts, out_steps = carray(behind, lines), carray(moved(behind, lines), wanted)
    ranks = carray(moved(behind, lines + wanted), wanted)
    y_at, a_at = integers_at(q, 0), value_at(q, 1)
    values = np.empty(count, carray(a_at, 1).dtype)
    order, spare = np.empty(count, np.int64), np.empty(count, np.int64)
    for line in range(lines):
        for lane in range(lanes):
            for k in range(count):
                values[k] = carray(moved(a_at, (starts[line] + steps[k]) * lanes + lane), 1)[0]
            if what >= 4:
                _order(values, order, spare, count, descending)
            extremum = 0
            for k in range(wanted):
                if what <= 1:
                    found = _extremum(values, count, what == 0)
                elif what <= 3:
                    here, so_far = values[k], values[extremum]
                    if here != here or (so_far == so_far and (here >= so_far if what == 2 else here <= so_far)):
                        extremum = k
                    found = extremum
                elif what == 4:
                    found = order[number + k]
                elif what == 5:
                    some = _numbers(values, count)
                    found = order[some] if some < count else order[ranks[k]]
                elif what == 6:
                    found = order[max(_numbers(values, count) - 1, 0) // 2]
                else:
                    found = order[_mode(values, order, count)]
                carray(moved(y_at, (out_starts[line] + out_steps[k]) * lanes + lane), 1)[0] = found


def find_in_windows(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = where the first largest element under each window is, as int64; a nan is larger than any number.

    Parameters: lanes, windows, elements of a window; for each element of each window where it lies in the operand, or -1, and
    what its index is.
    """
    header = carray(p, 3)
    lanes, count, size = header[0], header[1], header[2]
    y_at, a_at = integers_at(q, 0), value_at(q, 1)
    best = np.empty(lanes, carray(a_at, 1).dtype)
    for window in range(count):
        facts = carray(moved(p, 3 + 2 * window * size), 2 * size)
        y = carray(moved(y_at, window * lanes), lanes)
        is_first = True
        for k in range(size):
            place, index = facts[2 * k], facts[2 * k + 1]
            if place < 0:
                continue
            a = carray(moved(a_at, place * lanes), lanes)
            for lane in range(lanes):
                if is_first or a[lane] > best[lane] or (a[lane] != a[lane]):
                    best[lane] = a[lane]
                    y[lane] = index
            is_first = False


def find_median(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the lower middle element. Own number: whether nans are left out; else one makes the result nan."""
    header = carray(p, 4)
    lanes, lines, count, skips = header[0], header[1], header[2], header[3]
    starts, steps = carray(moved(p, 9), lines), carray(moved(p, 9 + lines), count)
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    values = np.empty(count, carray(a_at, 1).dtype)
    order, spare = np.empty(count, np.int64), np.empty(count, np.int64)
    for line in range(lines):
        for lane in range(lanes):
            for k in range(count):
                values[k] = carray(moved(a_at, (starts[line] + steps[k]) * lanes + lane), 1)[0]
            _order(values, order, spare, count, 0)
            some = _numbers(values, count)
            if some == 0 or (some < count and not skips):
                found = values.dtype.type(np.nan)
            else:
                found = values[order[(some - 1) // 2]]
            carray(moved(y_at, line * lanes + lane), 1)[0] = found


def search_sorted(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = where values belong in rising boundaries. Pointers: y, boundaries, values.

    Parameters: lanes, elements, boundaries in a row, elements of a row, whether on the right of equals, whether y is int32,
    whether boundaries and values have lanes.
    """
    header = carray(p, 8)
    lanes, count, length, width = header[0], header[1], header[2], header[3]
    is_right, is_short, rows_laned, values_laned = header[4], header[5], header[6], header[7]
    rows_at, values_at = value_at(q, 1), value_at(q, 2)
    for k in range(count):
        start = k // width * length
        for lane in range(lanes):
            x = carray(moved(values_at, k * lanes + lane if values_laned else k), 1)[0]
            low, high = 0, length
            while low < high:
                middle = (low + high) // 2
                place = start + middle
                edge = carray(moved(rows_at, place * lanes + lane if rows_laned else place), 1)[0]
                if not _is_before(x, edge, 0) if is_right else _is_before(edge, x, 0):
                    low = middle + 1
                else:
                    high = middle
            if is_short:
                carray(moved(int32_at(q, 0), k * lanes + lane), 1)[0] = low
            else:
                carray(moved(integers_at(q, 0), k * lanes + lane), 1)[0] = low
