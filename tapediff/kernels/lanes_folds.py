"""Kernels that fold elements of values in lanes into one: sums, products, extrema, norms, softmax, losses of classes.

Parameters: lanes, number of results, number of elements in each, six numbers of the kernel's own, then where the elements of each
result start, and how far from there each of them lies. Every lane adds in the same order as it would alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, njit

from tapediff.kernels.pointers import address_at, bytes_at, call_function, integers_at, moved, value_at

__all__ = ["HEADER", "fold_extremum", "fold_log_sum", "fold_norm", "fold_product", "fold_spread", "fold_sum", "fold_truth",
           "nll_loss", "nll_spread", "softmax", "softmax_adjoint", "spread_sum"]

HEADER = 9
BLOCK = 128  # elements that are added one after the other before partial sums are


def fold_sum(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the sum over a divisor; own numbers: the divisor, whether nans count as 0."""
    header = carray(p, 5)
    lanes, results, count, divisor, skips = header[0], header[1], header[2], header[3], header[4]
    starts, steps = carray(moved(p, 9), results), carray(moved(p, 9 + results), count)
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    part = np.empty(lanes, carray(y_at, 1).dtype)
    for o in range(results):
        y = carray(moved(y_at, o * lanes), lanes)
        y[:] = 0
        for first in range(0, count, BLOCK):
            part[:] = 0
            for k in range(first, min(first + BLOCK, count)):
                a = carray(moved(a_at, (starts[o] + steps[k]) * lanes), lanes)
                if skips:
                    for lane in range(lanes):
                        part[lane] += a[lane] if a[lane] == a[lane] else 0
                else:
                    for lane in range(lanes):
                        part[lane] += a[lane]
            for lane in range(lanes):
                y[lane] += part[lane]
        if divisor != 1:
            for lane in range(lanes):
                y[lane] /= divisor


def spread_sum(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """Add y_bar over a divisor to all elements of a_bar. Pointers: a_bar, y_bar."""
    header = carray(p, 4)
    lanes, results, count, divisor = header[0], header[1], header[2], header[3]
    starts, steps = carray(moved(p, 9), results), carray(moved(p, 9 + results), count)
    a_bar_at, y_bar_at = value_at(q, 0), value_at(q, 1)
    part = np.empty(lanes, carray(y_bar_at, 1).dtype)
    for o in range(results):
        y_bar = carray(moved(y_bar_at, o * lanes), lanes)
        for lane in range(lanes):
            part[lane] = y_bar[lane] / divisor
        for k in range(count):
            a_bar = carray(moved(a_bar_at, (starts[o] + steps[k]) * lanes), lanes)
            for lane in range(lanes):
                a_bar[lane] += part[lane]


def fold_product(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the product, in float64."""
    header = carray(p, 3)
    lanes, results, count = header[0], header[1], header[2]
    starts, steps = carray(moved(p, 9), results), carray(moved(p, 9 + results), count)
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    part = np.empty(lanes, np.float64)
    for o in range(results):
        part[:] = 1
        for k in range(count):
            a = carray(moved(a_at, (starts[o] + steps[k]) * lanes), lanes)
            for lane in range(lanes):
                part[lane] *= a[lane]
        y = carray(moved(y_at, o * lanes), lanes)
        for lane in range(lanes):
            y[lane] = part[lane]


def fold_extremum(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the largest element, or the smallest; a nan counts as both. Own number: whether the largest is wanted."""
    header = carray(p, 4)
    lanes, results, count, wants_largest = header[0], header[1], header[2], header[3]
    starts, steps = carray(moved(p, 9), results), carray(moved(p, 9 + results), count)
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    for o in range(results):
        y = carray(moved(y_at, o * lanes), lanes)
        first = carray(moved(a_at, (starts[o] + steps[0]) * lanes), lanes)
        for lane in range(lanes):
            y[lane] = first[lane]
        for k in range(1, count):
            a = carray(moved(a_at, (starts[o] + steps[k]) * lanes), lanes)
            if wants_largest:
                for lane in range(lanes):
                    y[lane] = a[lane] if (a[lane] > y[lane]) | (a[lane] != a[lane]) else y[lane]
            else:
                for lane in range(lanes):
                    y[lane] = a[lane] if (a[lane] < y[lane]) | (a[lane] != a[lane]) else y[lane]


def fold_truth(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = whether any element (0) or all elements (1) are not zero, as bytes; or how many are not (2), as int64."""
    header = carray(p, 4)
    lanes, results, count, what = header[0], header[1], header[2], header[3]
    starts, steps = carray(moved(p, 9), results), carray(moved(p, 9 + results), count)
    a_at = value_at(q, 1)
    found = np.empty(lanes, np.int64)
    for o in range(results):
        found[:] = 0
        for k in range(count):
            a = carray(moved(a_at, (starts[o] + steps[k]) * lanes), lanes)
            for lane in range(lanes):
                found[lane] += a[lane] != 0
        if what == 2:
            counts = carray(moved(integers_at(q, 0), o * lanes), lanes)
            for lane in range(lanes):
                counts[lane] = found[lane]
        else:
            flags = carray(moved(bytes_at(q, 0), o * lanes), lanes)
            for lane in range(lanes):
                flags[lane] = found[lane] == count if what == 1 else found[lane] != 0


def fold_spread(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the sum of squared deviations from the mean over a divisor, in float64.

    Own numbers: the bits of the divisor, a float64; whether the root is wanted.
    """
    header = carray(p, 5)
    lanes, results, count, takes_root = header[0], header[1], header[2], header[4]
    divisor = header_float(p)
    starts, steps = carray(moved(p, 9), results), carray(moved(p, 9 + results), count)
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    mean, total = np.empty(lanes, np.float64), np.empty(lanes, np.float64)
    for o in range(results):
        mean[:] = 0
        total[:] = 0
        for k in range(count):
            a = carray(moved(a_at, (starts[o] + steps[k]) * lanes), lanes)
            for lane in range(lanes):
                mean[lane] += a[lane]
        for lane in range(lanes):
            mean[lane] /= count
        for k in range(count):
            a = carray(moved(a_at, (starts[o] + steps[k]) * lanes), lanes)
            for lane in range(lanes):
                deviation = a[lane] - mean[lane]
                total[lane] += deviation * deviation
        y = carray(moved(y_at, o * lanes), lanes)
        for lane in range(lanes):
            spread = total[lane] / divisor
            y[lane] = math.sqrt(spread) if takes_root else spread


@njit(error_model="numpy")
def _power_of_two(largest: float) -> float:
    """The power of two that brings numbers up to `largest` to at most 1."""
    if largest == math.inf or largest != largest:
        return 1.0
    return math.ldexp(1.0, min(max(math.frexp(largest)[1], -1021), 1023))


def fold_norm(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the norm of an order, in float64. Own number: the bits of the order, a float64."""
    header = carray(p, 3)
    lanes, results, count = header[0], header[1], header[2]
    order = header_float(p)
    starts, steps = carray(moved(p, 9), results), carray(moved(p, 9 + results), count)
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    total, scale = np.empty(lanes, np.float64), np.empty(lanes, np.float64)
    for o in range(results):
        y = carray(moved(y_at, o * lanes), lanes)
        total[:] = math.inf if order == -math.inf else 0
        scale[:] = 1
        if order != 0 and order != 1 and order != -math.inf:
            scale[:] = 0
            for k in range(count):
                a = carray(moved(a_at, (starts[o] + steps[k]) * lanes), lanes)
                for lane in range(lanes):
                    size = np.float64(abs(a[lane]))
                    scale[lane] = size if (size > scale[lane]) | (size != size) else scale[lane]
            if order == math.inf:
                for lane in range(lanes):
                    y[lane] = scale[lane]
                continue
            for lane in range(lanes):
                scale[lane] = _power_of_two(scale[lane])
        for k in range(count):
            a = carray(moved(a_at, (starts[o] + steps[k]) * lanes), lanes)
            if order == 2:
                for lane in range(lanes):
                    size = a[lane] / scale[lane]
                    total[lane] += size * size
            elif order == 1:
                for lane in range(lanes):
                    total[lane] += abs(a[lane])
            elif order == 0:
                for lane in range(lanes):
                    total[lane] += a[lane] != 0
            elif order == -math.inf:
                for lane in range(lanes):
                    size = np.float64(abs(a[lane]))
                    total[lane] = size if (size < total[lane]) | (size != size) else total[lane]
            else:
                for lane in range(lanes):
                    total[lane] += (np.float64(abs(a[lane])) / scale[lane]) ** order
        for lane in range(lanes):
            if order == 2:
                y[lane] = math.sqrt(total[lane]) * scale[lane]
            elif order == 0 or order == 1 or order == -math.inf:
                y[lane] = total[lane]
            else:
                y[lane] = total[lane] ** (1 / order) * scale[lane]


@njit(error_model="numpy")
def header_float(p: Any) -> float:
    """The first number of a kernel's own, as a float64."""
    words = carray(p, 9)
    return words[3:4].view(np.float64)[0]


# --- exponentials ---------------------------------------------------------------------------------------------------------------

@njit(error_model="numpy")
def _distances(p: Any, o: int, a_at: Any, largest: Any, out: Any, keeps_finite: int) -> None:
    """The elements of a result less the largest of them, which exp takes without overflow, behind each other."""
    header = carray(p, 3)
    lanes, results, count = header[0], header[1], header[2]
    start, steps = carray(moved(p, 9), results)[o], carray(moved(p, 9 + results), count)
    largest[:] = -np.inf
    for k in range(count):
        a = carray(moved(a_at, (start + steps[k]) * lanes), lanes)
        for lane in range(lanes):
            largest[lane] = a[lane] if (a[lane] > largest[lane]) | (a[lane] != a[lane]) else largest[lane]
    if keeps_finite:
        for lane in range(lanes):
            if not abs(largest[lane]) < np.inf:
                largest[lane] = 0
    for k in range(count):
        a = carray(moved(a_at, (start + steps[k]) * lanes), lanes)
        for lane in range(lanes):
            out[k * lanes + lane] = a[lane] - largest[lane]


@njit(error_model="numpy")
def _add_all(rows: Any, count: int, lanes: int, total: Any, part: Any) -> None:
    """The sums over the rows of a matrix, in blocks."""
    total[:] = 0
    for first in range(0, count, BLOCK):
        part[:] = 0
        for k in range(first, min(first + BLOCK, count)):
            for lane in range(lanes):
                part[lane] += rows[k * lanes + lane]
        for lane in range(lanes):
            total[lane] += part[lane]


def fold_log_sum(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = log of the sum of exp. Own numbers: the kernels of exp and log."""
    header = carray(p, 5)
    lanes, results, count, exp, log = header[0], header[1], header[2], header[3], header[4]
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    like = carray(y_at, 1)
    powers, largest = np.empty(count * lanes, like.dtype), np.empty(lanes, like.dtype)
    total, part = np.empty(lanes, like.dtype), np.empty(lanes, like.dtype)
    powers_at = address_at(powers.ctypes.data, y_at)
    total_at = address_at(total.ctypes.data, y_at)
    for o in range(results):
        _distances(p, o, a_at, largest, powers, 1)
        call_function(exp, count * lanes, powers_at, powers_at)
        _add_all(powers, count, lanes, total, part)
        call_function(log, lanes, total_at, total_at)
        y = carray(moved(y_at, o * lanes), lanes)
        for lane in range(lanes):
            y[lane] = total[lane] + largest[lane]


def softmax(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = exp(a) over its sum, or the logarithm of that.

    Own numbers: the kernels of exp and log, whether the logarithm is wanted.
    """
    header = carray(p, 6)
    lanes, results, count, exp, log, takes_log = header[0], header[1], header[2], header[3], header[4], header[5]
    starts, steps = carray(moved(p, 9), results), carray(moved(p, 9 + results), count)
    y_at, a_at = value_at(q, 0), value_at(q, 1)
    like = carray(y_at, 1)
    distances, powers = np.empty(count * lanes, like.dtype), np.empty(count * lanes, like.dtype)
    largest = np.empty(lanes, like.dtype)
    total, part = np.empty(lanes, like.dtype), np.empty(lanes, like.dtype)
    distances_at, powers_at = address_at(distances.ctypes.data, y_at), address_at(powers.ctypes.data, y_at)
    total_at = address_at(total.ctypes.data, y_at)
    for o in range(results):
        _distances(p, o, a_at, largest, distances, 0)
        call_function(exp, count * lanes, powers_at, distances_at)
        _add_all(powers, count, lanes, total, part)
        if takes_log:
            call_function(log, lanes, total_at, total_at)
        for k in range(count):
            y = carray(moved(y_at, (starts[o] + steps[k]) * lanes), lanes)
            if takes_log:
                for lane in range(lanes):
                    y[lane] = distances[k * lanes + lane] - total[lane]
            else:
                for lane in range(lanes):
                    y[lane] = powers[k * lanes + lane] / total[lane]


def softmax_adjoint(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """Add the adjoint of a softmax to a_bar. Pointers: a_bar, y_bar, y."""
    header = carray(p, 6)
    lanes, results, count, exp, takes_log = header[0], header[1], header[2], header[3], header[5]
    starts, steps = carray(moved(p, 9), results), carray(moved(p, 9 + results), count)
    a_bar_at, y_bar_at, y_at = value_at(q, 0), value_at(q, 1), value_at(q, 2)
    like = carray(y_at, 1)
    values = np.empty(count * lanes, like.dtype)
    total, part = np.empty(lanes, like.dtype), np.empty(lanes, like.dtype)
    values_at = address_at(values.ctypes.data, y_at)
    for o in range(results):
        for k in range(count):
            y_bar = carray(moved(y_bar_at, (starts[o] + steps[k]) * lanes), lanes)
            y = carray(moved(y_at, (starts[o] + steps[k]) * lanes), lanes)
            for lane in range(lanes):
                values[k * lanes + lane] = y_bar[lane] if takes_log else y_bar[lane] * y[lane]
        _add_all(values, count, lanes, total, part)
        if takes_log:
            for k in range(count):
                y = carray(moved(y_at, (starts[o] + steps[k]) * lanes), lanes)
                for lane in range(lanes):
                    values[k * lanes + lane] = y[lane]
            call_function(exp, count * lanes, values_at, values_at)
        for k in range(count):
            at = (starts[o] + steps[k]) * lanes
            a_bar, y_bar = carray(moved(a_bar_at, at), lanes), carray(moved(y_bar_at, at), lanes)
            if takes_log:
                for lane in range(lanes):
                    a_bar[lane] += y_bar[lane] - values[k * lanes + lane] * total[lane]
            else:
                y = carray(moved(y_at, at), lanes)
                for lane in range(lanes):
                    a_bar[lane] += y[lane] * (y_bar[lane] - total[lane])


# --- losses of classes ----------------------------------------------------------------------------------------------------------
# results: the targets; count: the classes; own numbers: reduction (0 none, 1 sum, 2 mean), the ignored class, whether input or
# y_bar, target and weights have lanes (weights: -1 where there are none)

@njit(error_model="numpy")
def _class_of(p: Any, target_at: Any, sample: int, lane: int) -> int:
    """The class of a target, or -1 where it is ignored or does not exist."""
    header = carray(p, 9)
    lanes, classes, ignored, is_laned = header[0], header[2], header[4], header[6]
    found = carray(moved(target_at, sample * lanes + lane if is_laned else sample), 1)[0]
    return -1 if found == ignored or found < 0 or found >= classes else found


@njit(error_model="numpy")
def _weight_of(p: Any, weight_at: Any, label: int, lane: int) -> float:
    header = carray(p, 9)
    lanes, is_laned = header[0], header[7]
    if label < 0:
        return 0.0
    if is_laned < 0:
        return 1.0
    return float(carray(moved(weight_at, label * lanes + lane if is_laned else label), 1)[0])


@njit(error_model="numpy")
def _total_weights(p: Any, target_at: Any, weight_at: Any, out: Any) -> None:
    """What each lane's mean divides by; 1 where it is no mean."""
    header = carray(p, 9)
    lanes, samples, reduction = header[0], header[1], header[3]
    out[:] = 1
    if reduction == 2:
        out[:] = 0
        for sample in range(samples):
            for lane in range(lanes):
                out[lane] += _weight_of(p, weight_at, _class_of(p, target_at, sample, lane), lane)


def nll_loss(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """y = the negative of each sample's element at its class, weighted, summed or averaged.

    Pointers: y, input, target, weights.
    """
    header = carray(p, 9)
    lanes, samples, classes, reduction, is_laned = header[0], header[1], header[2], header[3], header[5]
    starts, steps = carray(moved(p, 9), samples), carray(moved(p, 9 + samples), classes)
    y_at, a_at, target_at = value_at(q, 0), value_at(q, 1), integers_at(q, 2)
    weight_at = value_at(q, 3) if header[7] >= 0 else a_at
    like = carray(y_at, 1)
    divisor, total = np.empty(lanes, like.dtype), np.zeros(lanes, like.dtype)
    _total_weights(p, target_at, weight_at, divisor)
    for sample in range(samples):
        for lane in range(lanes):
            label = _class_of(p, target_at, sample, lane)
            weight = _weight_of(p, weight_at, label, lane)
            loss = like.dtype.type(0)
            if weight != 0:
                place = starts[sample] + steps[label]
                loss = like.dtype.type(-carray(moved(a_at, place * lanes + lane if is_laned else place), 1)[0] * weight)
            if reduction == 0:
                carray(moved(y_at, sample * lanes + lane), 1)[0] = loss
            else:
                total[lane] += loss
    if reduction != 0:
        y = carray(y_at, lanes)
        for lane in range(lanes):
            y[lane] = total[lane] / divisor[lane]


def nll_spread(p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    """Add the adjoint of each sample's loss to its class. Pointers: a_bar, y_bar, target, weights.

    The sixth number of its own: how many elements of a_bar to make zero first.
    """
    header = carray(p, 9)
    lanes, samples, classes, reduction = header[0], header[1], header[2], header[3]
    is_laned, fresh = header[5], header[8]
    starts, steps = carray(moved(p, 9), samples), carray(moved(p, 9 + samples), classes)
    a_bar_at, y_bar_at, target_at = value_at(q, 0), value_at(q, 1), integers_at(q, 2)
    weight_at = value_at(q, 3) if header[7] >= 0 else y_bar_at
    like = carray(a_bar_at, 1)
    whole = carray(a_bar_at, fresh * lanes)
    for k in range(fresh * lanes):
        whole[k] = 0
    divisor = np.empty(lanes, like.dtype)
    _total_weights(p, target_at, weight_at, divisor)
    for sample in range(samples):
        at = sample if reduction == 0 else 0
        for lane in range(lanes):
            label = _class_of(p, target_at, sample, lane)
            weight = _weight_of(p, weight_at, label, lane)
            if weight != 0:
                y_bar = carray(moved(y_bar_at, at * lanes + lane if is_laned else at), 1)[0]
                place = starts[sample] + steps[label]
                carray(moved(a_bar_at, place * lanes + lane), 1)[0] -= y_bar / divisor[lane] * weight
