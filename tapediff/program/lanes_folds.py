"""Reductions, softmax, scans and losses of classes in lanes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, cast

import numpy as np

from tapediff.kernels import lanes_folds as kernels
from tapediff.kernels import lanes_scans as scans
from tapediff.kernels.library import KernelSpec, get_library
from tapediff.program.lanes import ADJOINT, RESULT, RESULT_ADJOINT, Call, Family, Lanes, call, no_reverse
from tapediff.program.operations import Operation
from tapediff.shapes import contiguous_strides

__all__ = ["FAMILIES"]

Shape = tuple[int, ...]
Array = np.ndarray[Any, Any]


def offsets(shape: Shape, dims: tuple[int, ...]) -> Array:
    """The places of all elements of some dimensions, the last one running fastest, the others at 0."""
    strides = contiguous_strides(shape)
    found = np.zeros(1, np.int64)
    for dim in dims:
        found = (found[:, None] + np.arange(shape[dim]) * strides[dim]).reshape(-1)
    return found


def fold_parameters(shape: Shape, dims: tuple[int, ...], lanes: Lanes, *own: int) -> Array:
    """The parameters of kernels that fold `dims`, with up to six numbers of their own."""
    starts, steps = offsets(shape, tuple(dim for dim in range(len(shape)) if dim not in dims)), offsets(shape, dims)
    return np.concatenate([[lanes.number, len(starts), len(steps), *own, *[0] * (6 - len(own))], starts, steps])


def is_floating(operation: Operation) -> bool:
    return operation.operands[0].dtype.is_floating_point


def count_of(operation: Operation) -> int:
    """The number of elements that are folded into one."""
    return prod(operation.operands[0].shape[dim] for dim in cast(Any, operation.attributes)[0])


def folded(
    kernel: Callable[..., None],
    own: Callable[[Operation], tuple[int, ...]] = lambda operation: (),
    serves: Callable[[Operation], bool] = is_floating,
) -> Callable[[Operation, Lanes], list[Call] | None]:
    """The `forward` of a reduction with attributes (dims, ...)."""

    def forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
        if not serves(operation):
            return None
        operand = operation.operands[0]
        parameters = fold_parameters(operand.shape, cast(Any, operation.attributes)[0], lanes, *own(operation))
        return [call(kernel, operand.dtype.name, parameters, RESULT, 0)]

    return forward


def spread_reverse(divisor: Callable[[Operation], int]) -> Callable[[Operation, int, Lanes], list[Call]]:
    """The `reverse` of a sum over a divisor."""

    def reverse(operation: Operation, position: int, lanes: Lanes) -> list[Call]:
        operand = operation.operands[0]
        parameters = fold_parameters(operand.shape, cast(Any, operation.attributes)[0], lanes, divisor(operation))
        return [call(kernels.spread_sum, operand.dtype.name, parameters, ADJOINT, RESULT_ADJOINT)]

    return reverse


def is_number(operation: Operation) -> bool:
    return operation.operands[0].dtype.name != "bool" and operation.spec.dtype is operation.operands[0].dtype


def is_filled(operation: Operation) -> bool:
    """Whether there is something to fold: an extremum of nothing is an error."""
    return is_number(operation) and count_of(operation) > 0


def is_filled_with_floats(operation: Operation) -> bool:
    return is_floating(operation) and count_of(operation) > 0


def spread_numbers(operation: Operation) -> tuple[int, int]:
    """The bits of the divisor, for a correction may be a fraction; whether the root is wanted."""
    divisor = np.float64(max(count_of(operation) - cast(Any, operation.attributes)[2], 0))
    return int(divisor.view(np.int64)), int("std" in operation.row.name)


def order_bits(operation: Operation) -> tuple[int]:
    return (int(np.float64(cast(Any, operation.attributes)[2]).view(np.int64)),)


def function_kernels(operation: Operation) -> tuple[int, int]:
    """The addresses of the kernels of exp and log."""
    dtype = operation.spec.dtype.name
    exp, log = get_library().addresses([KernelSpec(name, "forward", (dtype,), dtype) for name in ("exp", "log")])
    return exp, log


# --- along one dimension --------------------------------------------------------------------------------------------------------


def dims_of(operation: Operation, dim: int) -> tuple[int, ...]:
    """One dimension, which a value without dimensions does not have."""
    return (dim,) if operation.operands[0].shape else ()


def softmax_parameters(operation: Operation, lanes: Lanes) -> Array:
    return fold_parameters(
        operation.spec.shape,
        dims_of(operation, cast(int, operation.attributes)),
        lanes,
        *function_kernels(operation),
        int(operation.row.name == "log_softmax"),
    )


def softmax_forward(operation: Operation, lanes: Lanes) -> list[Call]:
    return [call(kernels.softmax, operation.spec.dtype.name, softmax_parameters(operation, lanes), RESULT, 0)]


def softmax_reverse(operation: Operation, position: int, lanes: Lanes) -> list[Call]:
    return [
        call(
            kernels.softmax_adjoint,
            operation.spec.dtype.name,
            softmax_parameters(operation, lanes),
            ADJOINT,
            RESULT_ADJOINT,
            RESULT,
        )
    ]


def scanned(kernel: Callable[..., None]) -> Callable[[Operation, Lanes], list[Call] | None]:
    """The `forward` of a scan with attributes (dim, is_reversed)."""

    def forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
        if not is_floating(operation):
            return None
        dim, is_reversed = cast(Any, operation.attributes)
        flags = [int(is_laned) for is_laned in lanes.operands]
        parameters = fold_parameters(operation.spec.shape, dims_of(operation, dim), lanes, int(is_reversed), *flags)
        return [call(kernel, operation.spec.dtype.name, parameters, RESULT, *range(len(operation.operands)))]

    return forward


# --- classes --------------------------------------------------------------------------------------------------------------------

_REDUCTIONS = {"none": 0, "sum": 1, "mean": 2}


def class_parameters(operation: Operation, lanes: Lanes, first_is_laned: bool, fresh: int) -> Array:
    reduction, ignored, shape = cast(Any, operation.attributes)
    own = (
        _REDUCTIONS[reduction],
        ignored,
        int(first_is_laned),
        int(lanes.operands[1]),
        int(lanes.operands[2]) if len(operation.operands) > 2 else -1,
        fresh,
    )
    return fold_parameters(shape, (1 if len(shape) > 1 else 0,), lanes, *own)


def nll_forward(operation: Operation, lanes: Lanes) -> list[Call]:
    parameters = class_parameters(operation, lanes, lanes.operands[0], 0)
    return [call(kernels.nll_loss, operation.spec.dtype.name, parameters, RESULT, *range(len(operation.operands)))]


def nll_reverse(operation: Operation, position: int, lanes: Lanes) -> list[Call]:
    parameters = class_parameters(operation, lanes, True, 0)
    return [
        call(
            kernels.nll_spread, operation.spec.dtype.name, parameters, ADJOINT, RESULT_ADJOINT, *range(1, len(operation.operands))
        )
    ]


def nll_spread_forward(operation: Operation, lanes: Lanes) -> list[Call]:
    parameters = class_parameters(operation, lanes, lanes.operands[0], operation.spec.size)
    return [call(kernels.nll_spread, operation.spec.dtype.name, parameters, RESULT, *range(len(operation.operands)))]


def one(operation: Operation) -> int:
    return 1


def at_least_one(operation: Operation) -> int:
    return max(count_of(operation), 1)


FAMILIES: dict[str | None, Family] = {
    "sum": Family(folded(kernels.fold_sum, lambda operation: (1,), is_number), spread_reverse(one)),
    "mean": Family(folded(kernels.fold_sum, lambda operation: (count_of(operation),)), spread_reverse(at_least_one)),
    "nansum": Family(folded(kernels.fold_sum, lambda operation: (1, 1)), no_reverse),
    "prod": Family(folded(kernels.fold_product), no_reverse),
    "largest": Family(folded(kernels.fold_extremum, lambda operation: (1,), is_filled), no_reverse),
    "smallest": Family(folded(kernels.fold_extremum, lambda operation: (0,), is_filled), no_reverse),
    "any": Family(folded(kernels.fold_truth, lambda operation: (0,), lambda operation: True), no_reverse),
    "all": Family(folded(kernels.fold_truth, lambda operation: (1,), lambda operation: True), no_reverse),
    "count_nonzero": Family(folded(kernels.fold_truth, lambda operation: (2,), lambda operation: True), no_reverse),
    "spread": Family(folded(kernels.fold_spread, spread_numbers), no_reverse),
    "norm": Family(folded(kernels.fold_norm, order_bits, is_filled_with_floats), no_reverse),
    "logsumexp": Family(folded(kernels.fold_log_sum, function_kernels), no_reverse),
    "softmax": Family(softmax_forward, softmax_reverse),
    "cumsum": Family(scanned(scans.add_up), no_reverse),
    "cumprod": Family(scanned(scans.multiply_up), no_reverse),
    "logcumsumexp": Family(scanned(scans.log_add_up), no_reverse),
    "linear_recurrence": Family(scanned(scans.recur), no_reverse),
    "nll_loss": Family(nll_forward, nll_reverse),
    "nll_spread": Family(nll_spread_forward, no_reverse),
}
