"""Kernels that read and write values in lanes at places which indices name, and at places which masks name.

The place of element k of what is read or written is ``start[k] + the sum over the indices j of stride[j] * index j[at j[k]]``,
where a negative index counts from the end. Parameters: lanes; elements read or written; elements of the base; which operands
have lanes (base or values, other values); number of indices; for each index whether it has lanes, its stride, the size of its
dimension and its number of elements; then start, and `at` of each index. A place outside of the base is left alone, and reads as
0: the guards of a program refuse such rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit

from tapediff.kernels.pointers import bytes_at, integers_at, moved, value_at

__all__ = ["HEADER", "add_at", "add_masked", "fill_at", "fill_masked", "find_last_write", "fold_at", "put_masked", "read_at",
           "skip_adjoint", "sum_masked", "take_adjoint", "take_masked", "write_at"]

HEADER = 6  # lanes, elements, elements of the base, base or values have lanes, other values have lanes, indices


@njit(error_model="numpy")
def _place(p: Any, q: Any, first: int, k: int, lane: int) -> int:
    """Where element k lies in one lane, or -1; the indices begin at pointer `first`."""
    header = carray(p, 6)
    lanes, count, size, indices = header[0], header[1], header[2], header[5]
    facts = carray(p, 6 + 4 * indices)
    place = carray(moved(p, 6 + 4 * indices), count)[k]
    for j in range(indices):
        at = carray(moved(p, 6 + 4 * indices + (1 + j) * count), count)[k]
        is_laned, stride, extent = facts[6 + 4 * j], facts[7 + 4 * j], facts[8 + 4 * j]
        if is_laned:
            index = carray(moved(integers_at(q, first + j), at * lanes), lanes)[lane]
        else:
            index = carray(integers_at(q, first + j), at + 1)[at]
        if index < 0:
            index += extent
        if index < 0 or index >= extent:
            return -1
        place += index * stride
    if place >= size:
        return -1
    return place


@njit(error_model="numpy")
def _is_same_in_lanes(p: Any) -> bool:
    """Whether no index has lanes."""
    indices = carray(p, 6)[5]
    facts = carray(p, 6 + 4 * indices)
    laned = 0
    for j in range(indices):
        laned += facts[6 + 4 * j]
    return laned == 0


def read_at(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = what lies at the places of the base. Pointers: y, base, indices."""
    header = carray(p, 6)
    lanes, count, is_laned = header[0], header[1], header[3]
    y_at, base_at = value_at(q, 0), value_at(q, 1)
    is_same = _is_same_in_lanes(p)
    for k in range(count):
        y = carray(moved(y_at, k * lanes), lanes)
        if is_same:
            place = _place(p, q, 2, k, 0)
            if place < 0:
                y[:] = 0
            elif is_laned:
                base = carray(moved(base_at, place * lanes), lanes)
                for lane in range(lanes):
                    y[lane] = base[lane]
            else:
                y[:] = carray(moved(base_at, place), 1)[0]
            continue
        for lane in range(lanes):
            place = _place(p, q, 2, k, lane)
            if place < 0:
                y[lane] = 0
            else:
                y[lane] = carray(moved(base_at, place * lanes + lane if is_laned else place), 1)[0]


@njit(error_model="numpy")
def _copy(y_at: Any, a_at: Any, elements: int, lanes: int, is_laned: int) -> None:
    """y = a, repeated in the lanes where a has none."""
    for k in range(elements):
        y = carray(moved(y_at, k * lanes), lanes)
        if is_laned:
            a = carray(moved(a_at, k * lanes), lanes)
            for lane in range(lanes):
                y[lane] = a[lane]
        else:
            y[:] = carray(moved(a_at, k), 1)[0]


def write_at(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the base with values written at places, the last one where a place is named twice.

    Pointers: y, base, values, indices.
    """
    header = carray(p, 6)
    lanes, count, size, base_laned, is_laned = header[0], header[1], header[2], header[3], header[4]
    y_at, values_at = value_at(q, 0), value_at(q, 2)
    _copy(y_at, value_at(q, 1), size, lanes, base_laned)
    for k in range(count):
        for lane in range(lanes):
            place = _place(p, q, 3, k, lane)
            if place >= 0:
                x = carray(moved(values_at, k * lanes + lane if is_laned else k), 1)[0]
                carray(moved(y_at, place * lanes + lane), 1)[0] = x


def fill_at(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the base with one value written at places. Pointers: y, base, value, indices."""
    header = carray(p, 6)
    lanes, count, size, base_laned, is_laned = header[0], header[1], header[2], header[3], header[4]
    y_at, values_at = value_at(q, 0), value_at(q, 2)
    _copy(y_at, value_at(q, 1), size, lanes, base_laned)
    for k in range(count):
        for lane in range(lanes):
            place = _place(p, q, 3, k, lane)
            if place >= 0:
                carray(moved(y_at, place * lanes + lane), 1)[0] = carray(moved(values_at, lane if is_laned else 0), 1)[0]


@njit(error_model="numpy")
def _add_values(p: Any, q: Any, first: int, target_at: Any, values_at: Any, is_laned: int) -> None:
    lanes, count = carray(p, 2)[0], carray(p, 2)[1]
    is_same = _is_same_in_lanes(p)
    for k in range(count):
        if is_same and is_laned:
            place = _place(p, q, first, k, 0)
            if place >= 0:
                target = carray(moved(target_at, place * lanes), lanes)
                values = carray(moved(values_at, k * lanes), lanes)
                for lane in range(lanes):
                    target[lane] += values[lane]
            continue
        for lane in range(lanes):
            place = _place(p, q, first, k, lane)
            if place >= 0:
                carray(moved(target_at, place * lanes + lane), 1)[0] += carray(
                    moved(values_at, k * lanes + lane if is_laned else k), 1)[0]


def add_at(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the base with values added at places, in their order. Pointers: y, base, values, indices.

    Where the base is missing (its number of lanes is -1), the values are added to y.
    """
    header = carray(p, 6)
    lanes, size, base_laned, is_laned = header[0], header[2], header[3], header[4]
    y_at = value_at(q, 0)
    if base_laned >= 0:
        _copy(y_at, value_at(q, 1), size, lanes, base_laned)
        _add_values(p, q, 3, y_at, value_at(q, 2), is_laned)
    else:
        _add_values(p, q, 2, y_at, value_at(q, 1), is_laned)


def fold_at(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the base with values folded in at places. Pointers: y, base, values, the index.

    Behind the other parameters: the fold (0 sum, 1 mean, 2 product, 3 largest, 4 smallest), whether the base's elements take
    part.
    """
    header = carray(p, 6)
    lanes, count, size = header[0], header[1], header[2]
    base_laned, is_laned = header[3], header[4]
    own = carray(moved(p, 6 + 4 + 2 * count), 2)
    fold, keeps_base = own[0], own[1]
    y_at, values_at = value_at(q, 0), value_at(q, 2)
    _copy(y_at, value_at(q, 1), size, lanes, base_laned)
    times = np.zeros(size, np.int64)
    for lane in range(lanes):
        for k in range(count):
            place = _place(p, q, 3, k, lane)
            if place < 0:
                continue
            y = carray(moved(y_at, place * lanes + lane), 1)
            x = carray(moved(values_at, k * lanes + lane if is_laned else k), 1)[0]
            times[place] += 1
            if times[place] == 1 and not keeps_base:
                y[0] = x
            elif fold <= 1:
                y[0] += x
            elif fold == 2:
                y[0] *= x
            elif fold == 3:
                y[0] = x if x > y[0] or x != x else y[0]
            else:
                y[0] = x if x < y[0] or x != x else y[0]
        for place in range(size):
            if fold == 1 and times[place]:
                y = carray(moved(y_at, place * lanes + lane), 1)
                y[0] = y[0] / (times[place] + keeps_base)
            times[place] = 0


def find_last_write(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = whether no later element is written to the same place. Pointers: y (bytes), indices."""
    lanes, count = carray(p, 2)[0], carray(p, 2)[1]
    y_at = bytes_at(q, 0)
    for lane in range(lanes):
        for k in range(count):
            place = _place(p, q, 1, k, lane)
            is_last = 1
            for later in range(k + 1, count):
                if _place(p, q, 1, later, lane) == place:
                    is_last = 0
                    break
            carray(moved(y_at, k * lanes + lane), 1)[0] = is_last


# --- masks: lanes, elements of the operand, elements of the vector, whether operand, mask and vector have lanes -----------------

@njit(error_model="numpy")
def _flag(mask_at: Any, k: int, lane: int, lanes: int, is_laned: int) -> bool:
    return bool(carray(moved(mask_at, k * lanes + lane if is_laned else k), 1)[0])


@njit(error_model="numpy")
def _find_held(mask_at: Any, size: int, lane: int, lanes: int, is_laned: int, held: Any) -> int:
    """Where the mask holds in one lane, as far as `held` has room; returns how many places that are."""
    found = 0
    for k in range(size):
        if found < len(held) and _flag(mask_at, k, lane, lanes, is_laned):
            held[found] = k
            found += 1
    return found


def take_masked(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the elements where the mask holds, as far as they fit. Pointers: y, operand, mask."""
    header = carray(p, 6)
    lanes, size, count, a_laned, mask_laned = header[0], header[1], header[2], header[3], header[4]
    y_at, a_at, mask_at = value_at(q, 0), value_at(q, 1), bytes_at(q, 2)
    held = np.empty(count, np.int64)
    for lane in range(lanes):
        found = _find_held(mask_at, size, lane, lanes, mask_laned, held)
        for j in range(found):
            place = held[j]
            carray(moved(y_at, j * lanes + lane), 1)[0] = carray(moved(a_at, place * lanes + lane if a_laned else place), 1)[0]
        for j in range(found, count):
            carray(moved(y_at, j * lanes + lane), 1)[0] = 0


def put_masked(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the operand with the elements of a vector where the mask holds. Pointers: y, operand, mask, vector."""
    header = carray(p, 6)
    lanes, size, count, a_laned, mask_laned, vector_laned = header[0], header[1], header[2], header[3], header[4], header[5]
    y_at, mask_at, vector_at = value_at(q, 0), bytes_at(q, 2), value_at(q, 3)
    _copy(y_at, value_at(q, 1), size, lanes, a_laned)
    held = np.empty(count, np.int64)
    for lane in range(lanes):
        for j in range(_find_held(mask_at, size, lane, lanes, mask_laned, held)):
            carray(moved(y_at, held[j] * lanes + lane), 1)[0] = carray(
                moved(vector_at, j * lanes + lane if vector_laned else j), 1)[0]


def add_masked(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """Add the elements of a vector to y where the mask holds. Pointers: y, vector, mask; both lie in lanes, the mask may."""
    header = carray(p, 6)
    lanes, size, count, mask_laned = header[0], header[1], header[2], header[4]
    y_at, vector_at, mask_at = value_at(q, 0), value_at(q, 1), bytes_at(q, 2)
    held = np.empty(count, np.int64)
    for lane in range(lanes):
        for j in range(_find_held(mask_at, size, lane, lanes, mask_laned, held)):
            carray(moved(y_at, held[j] * lanes + lane), 1)[0] += carray(moved(vector_at, j * lanes + lane), 1)[0]


def take_adjoint(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """Add the elements of y_bar where the mask holds to a vector. Pointers: vector, y_bar, mask."""
    header = carray(p, 6)
    lanes, size, count, mask_laned = header[0], header[1], header[2], header[4]
    vector_at, a_at, mask_at = value_at(q, 0), value_at(q, 1), bytes_at(q, 2)
    held = np.empty(count, np.int64)
    for lane in range(lanes):
        for j in range(_find_held(mask_at, size, lane, lanes, mask_laned, held)):
            carray(moved(vector_at, j * lanes + lane), 1)[0] += carray(moved(a_at, held[j] * lanes + lane), 1)[0]


def skip_adjoint(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """Add the elements of y_bar where the mask does not hold to y. Pointers: y, y_bar, mask."""
    header = carray(p, 6)
    lanes, size, mask_laned = header[0], header[1], header[4]
    y_at, a_at, mask_at = value_at(q, 0), value_at(q, 1), bytes_at(q, 2)
    for k in range(size):
        for lane in range(lanes):
            if not _flag(mask_at, k, lane, lanes, mask_laned):
                carray(moved(y_at, k * lanes + lane), 1)[0] += carray(moved(a_at, k * lanes + lane), 1)[0]


def fill_masked(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = one value where the mask holds, else the operand. Pointers: y, operand, mask, value."""
    header = carray(p, 6)
    lanes, size, a_laned, mask_laned, value_laned = header[0], header[1], header[3], header[4], header[5]
    y_at, a_at, mask_at, number_at = value_at(q, 0), value_at(q, 1), bytes_at(q, 2), value_at(q, 3)
    for k in range(size):
        y = carray(moved(y_at, k * lanes), lanes)
        for lane in range(lanes):
            if _flag(mask_at, k, lane, lanes, mask_laned):
                y[lane] = carray(moved(number_at, lane if value_laned else 0), 1)[0]
            else:
                y[lane] = carray(moved(a_at, k * lanes + lane if a_laned else k), 1)[0]


def sum_masked(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """Add the sum of y_bar where the mask holds to y, one element. Pointers: y, y_bar, mask."""
    header = carray(p, 6)
    lanes, size, mask_laned = header[0], header[1], header[4]
    y = carray(value_at(q, 0), lanes)
    a_at, mask_at = value_at(q, 1), bytes_at(q, 2)
    for lane in range(lanes):
        total = 0.0
        for k in range(size):
            if _flag(mask_at, k, lane, lanes, mask_laned):
                total += carray(moved(a_at, k * lanes + lane), 1)[0]
        y[lane] += total
