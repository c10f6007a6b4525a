"""Operations in lanes that only move elements: views, copies in another order, joined operands, and their transposes.

Where each element comes from is found out by running the row's NumPy forward on the elements' numbers.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from tapediff.kernels.lanes_calling import WORDS
from tapediff.kernels.lanes_moves import LANED, LITERAL, UNIFORM, add_runs, move_runs
from tapediff.program.lanes import ADJOINT, RESULT, RESULT_ADJOINT, Call, Family, Lanes, call, no_reverse
from tapediff.program.operations import Operation

__all__ = ["FAMILIES"]

Array = np.ndarray[Any, Any]
_SHIFT = 40  # element k of operand n is number (n + 1 << 40) + k; smaller numbers stand for themselves


def origins(operation: Operation) -> tuple[Array, Array]:
    """For each element of the result the operand that it comes from, or -1, and which element, or which number."""
    # asarray: a sum of arrays without dimensions is no array, and forward functions may write into a copy
    numbers = [np.asarray(((k + 1) << _SHIFT) + np.arange(spec.size).reshape(spec.shape))
               for k, spec in enumerate(operation.operands)]
    found = np.ascontiguousarray(operation.row.forward(operation.attributes, *numbers)).reshape(-1)
    assert found.dtype == np.int64
    return (found >> _SHIFT) - 1, found & ((1 << _SHIFT) - 1)


def runs(operands: Array, elements: Array) -> tuple[Array, Array, Array, Array]:
    """Neighbours that come from neighbours: for each run where it goes, its operand, where it comes from, and its length."""
    if not operands.size:
        return operands, operands, operands, operands
    steps = np.where(operands[1:] < 0, 0, 1)
    is_start = np.concatenate([[True], (operands[1:] != operands[:-1]) | (elements[1:] != elements[:-1] + steps)])
    starts = np.flatnonzero(is_start)
    return starts, operands[starts], elements[starts], np.diff(np.append(starts, operands.size))


def moves_forward(operation: Operation, lanes: Lanes) -> list[Call]:
    _, operands, elements, lengths = runs(*origins(operation))
    dtype = operation.spec.dtype.numpy
    how = np.where(operands < 0, LITERAL, np.where(np.array([*lanes.operands, False])[operands], LANED, UNIFORM))
    words = np.zeros(operands.size, f"u{dtype.itemsize}")
    words[:] = elements.astype(dtype).view(words.dtype)
    table = np.stack([operands, how, np.where(operands < 0, words.astype(np.int64), elements), lengths], 1)
    parameters = np.concatenate([[lanes.number, len(table)], table.reshape(-1)])
    return [call(move_runs, WORDS[dtype.itemsize], parameters, RESULT, *range(len(operation.operands)))]


def moves_reverse(operation: Operation, position: int, lanes: Lanes) -> list[Call]:
    places, operands, elements, lengths = runs(*origins(operation))
    table = np.stack([elements, places, lengths], 1)[operands == position]
    parameters = np.concatenate([[lanes.number, len(table), 0], table.reshape(-1)])
    return [call(add_runs, operation.spec.dtype.name, parameters, ADJOINT, RESULT_ADJOINT)]


# --- the transpose of a view ----------------------------------------------------------------------------------------------------


def transposed(operation: Operation) -> tuple[Array, Array, Array]:
    """For each run where it goes, where it comes from, and its length."""
    from tapediff.ops.views import strided

    shape, strides, offset = cast(Any, operation.attributes)
    numbers = np.arange(operation.spec.size).reshape(shape)
    targets = np.ascontiguousarray(strided(numbers, operation.operands[0].shape, strides, offset)).reshape(-1)
    places, _, elements, lengths = runs(np.zeros_like(targets), targets)
    return elements, places, lengths


def strided_sum_forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
    if not operation.spec.dtype.is_floating_point:
        return None
    targets, sources, lengths = transposed(operation)
    parameters = np.concatenate(
        [[lanes.number, len(lengths), operation.spec.size], np.stack([targets, sources, lengths], 1).reshape(-1)]
    )
    return [call(add_runs, operation.spec.dtype.name, parameters, RESULT, 0)]


def strided_sum_reverse(operation: Operation, position: int, lanes: Lanes) -> list[Call]:
    targets, sources, lengths = transposed(operation)
    parameters = np.concatenate([[lanes.number, len(lengths), 0], np.stack([sources, targets, lengths], 1).reshape(-1)])
    return [call(add_runs, operation.spec.dtype.name, parameters, ADJOINT, RESULT_ADJOINT)]


# --- windows added up -----------------------------------------------------------------------------------------------------------


def overlay_forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
    """What lies under windows is where the transpose finds it."""
    from tapediff.ops.sliding import unfold_forward

    if not operation.spec.dtype.is_floating_point:
        return None
    numbers = 1 + np.arange(operation.spec.size).reshape(operation.spec.shape)
    targets = np.ascontiguousarray(unfold_forward(cast(Any, operation.attributes), numbers)).reshape(-1) - 1
    sources, inside, elements, lengths = runs(np.where(targets < 0, -1, 0), np.maximum(targets, 0))
    table = np.stack([elements, sources, lengths], 1)[inside == 0]
    parameters = np.concatenate([[lanes.number, len(table), operation.spec.size], table.reshape(-1)])
    return [call(add_runs, operation.spec.dtype.name, parameters, RESULT, 0)]


FAMILIES: dict[str | None, Family] = {
    "moves": Family(moves_forward, moves_reverse),
    "strided_sum": Family(strided_sum_forward, strided_sum_reverse),
    "overlays": Family(overlay_forward, no_reverse),
}
