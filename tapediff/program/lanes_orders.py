"""Indices of extrema and ranks, orders, medians and searches in lanes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, cast

import numpy as np

from tapediff.kernels import lanes_orders as kernels
from tapediff.ops.sliding import framed, outputs
from tapediff.ops.sliding import offsets as offsets_of
from tapediff.program.lanes import RESULT, Call, Family, Lanes, call, no_reverse
from tapediff.program.lanes_folds import fold_parameters, offsets
from tapediff.program.operations import Operation

__all__ = ["FAMILIES"]

What = tuple[int | None, int, int, int, tuple[int, ...]]


def indices(describe: Callable[[Operation, Any], What]) -> Callable[[Operation, Lanes], list[Call]]:
    """The `forward` of a row whose result is indices along a dimension.

    describe  (operation, attributes) -> the dimension (None: all of them), what is wanted, a number that goes with it,
              whether the order is descending, the ranks
    """

    def forward(operation: Operation, lanes: Lanes) -> list[Call]:
        dim, what, number, descending, ranks = describe(operation, operation.attributes)
        operand = operation.operands[0]
        shape, out = operand.shape, operation.spec.shape
        dims = tuple(range(len(shape))) if dim is None or not shape else (dim,)
        keeps = len(out) == len(shape) and dim is not None and bool(shape)
        wanted = out[dims[0]] if keeps else 1
        parameters = fold_parameters(shape, dims, lanes, what, number, descending, wanted)
        if keeps:
            starts, steps = offsets(out, tuple(other for other in range(len(out)) if other not in dims)), offsets(out, dims)
        else:
            starts, steps = np.arange(operation.spec.size), np.zeros(1, np.int64)
        ranks = (*ranks, *[0] * (wanted - len(ranks)))
        return [call(kernels.find_indices, operand.dtype.name, np.concatenate([parameters, starts, steps, ranks]), RESULT, 0)]

    return forward


def extremum(what: int) -> Callable[[Operation, Lanes], list[Call]]:
    return indices(lambda operation, attributes: (attributes[0], what, 0, 0, ()))


def so_far(what: int) -> Callable[[Operation, Lanes], list[Call]]:
    return indices(lambda operation, attributes: (attributes, what, 0, 0, ()))


def median(skips: int) -> Callable[[Operation, Lanes], list[Call] | None]:
    def forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
        operand = operation.operands[0]
        if not operand.dtype.is_floating_point or not operand.size:
            return None
        parameters = fold_parameters(operand.shape, cast(Any, operation.attributes)[0], lanes, skips)
        return [call(kernels.find_median, operand.dtype.name, parameters, RESULT, 0)]

    return forward


def searchsorted_forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
    boundaries, values = operation.operands
    if boundaries.dtype is not values.dtype:
        return None
    is_right, is_short = cast(Any, operation.attributes)
    length = boundaries.shape[-1]
    width = values.size if boundaries.ndim == 1 else values.shape[-1]
    parameters = [lanes.number, values.size, length, max(width, 1), int(is_right), int(is_short), *map(int, lanes.operands)]
    return [call(kernels.search_sorted, boundaries.dtype.name, parameters, RESULT, 0, 1)]


def window_forward(operation: Operation, lanes: Lanes) -> list[Call]:
    """Where the elements under the windows lie is found on their numbers."""
    geometry, ceil = cast(Any, operation.attributes)
    shape, inputs, kernel = operation.operands[0].shape, geometry[0], geometry[1]
    numbers = 1 + np.arange(prod(shape)).reshape(-1, *inputs)
    counts = outputs(geometry, ceil)
    frame = framed(numbers, geometry, counts)
    under = [frame[(..., *place)].reshape(-1) - 1 for _, place in offsets_of(geometry, counts)]
    places = np.stack(under, 1).reshape(-1)
    parameters = np.stack([places, places % max(prod(inputs), 1)], 1).reshape(-1)
    header = [lanes.number, operation.spec.size, prod(kernel)]
    return [call(kernels.find_in_windows, operation.operands[0].dtype.name, np.concatenate([header, parameters]), RESULT, 0)]


def fact(forward: Callable[[Operation, Lanes], list[Call] | None]) -> Family:
    return Family(forward, no_reverse)


FAMILIES: dict[str | None, Family] = {
    "argmax": fact(extremum(kernels.ARGMAX)),
    "argmin": fact(extremum(kernels.ARGMIN)),
    "cummax_index": fact(so_far(kernels.CUMMAX)),
    "cummin_index": fact(so_far(kernels.CUMMIN)),
    "argsort": fact(indices(lambda operation, attributes: (attributes[0], kernels.ORDER, 0, int(attributes[1]), ()))),
    "topk_order": fact(indices(lambda operation, attributes: (attributes[1], kernels.ORDER, 0, int(attributes[2]), ()))),
    "kth_position": fact(indices(lambda operation, attributes: (attributes[1], kernels.ORDER, attributes[0] - 1, 0, ()))),
    "rank_index": fact(indices(lambda operation, attributes: (attributes[0], kernels.RANKS, 0, 0, attributes[2]))),
    "nanmedian_index": fact(extremum(kernels.NANMEDIAN)),
    "mode_index": fact(extremum(kernels.MODE)),
    "median": fact(median(0)),
    "nanmedian": fact(median(1)),
    "max_pool_index": fact(window_forward),
    "searchsorted": fact(searchsorted_forward),
}
