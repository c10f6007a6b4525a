"""Operations in lanes that read or write elements at places which indices or masks name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from tapediff.kernels.lanes_calling import WORDS
from tapediff.kernels.lanes_places import (
    add_at,
    add_masked,
    fill_at,
    fill_masked,
    find_last_write,
    fold_at,
    put_masked,
    read_at,
    skip_adjoint,
    sum_masked,
    take_adjoint,
    take_masked,
    write_at,
)
from tapediff.ops.gather import ADDRESSINGS, GATHER, Addressing, addressing_of
from tapediff.program.lanes import ADJOINT, RESULT, RESULT_ADJOINT, Call, Family, Lanes, call, no_reverse
from tapediff.program.operations import Operation
from tapediff.tape.spec import Spec

__all__ = ["FAMILIES"]

Shape = tuple[int, ...]


def element(operation: Operation) -> str:
    """What elements are where only bits are moved."""
    return WORDS[operation.spec.dtype.itemsize]


def place_parameters(
    where: Addressing, address: Any, base: Shape, indices: tuple[Spec, ...], lanes: Lanes, first: int, *others: int
) -> list[int]:
    """The parameters of the kernels of places; the indices are the operands from `first` on, `others` say what has lanes."""
    zeros = [np.zeros(index.shape, np.int64) for index in indices]
    start = np.asarray(where.places(address, base, *zeros)).reshape(-1)
    facts, tables = [], [start]
    for j, index in enumerate(indices):
        numbers = list(zeros)
        numbers[j] = np.ones(index.shape, np.int64)
        steps = np.asarray(where.places(address, base, *numbers)).reshape(-1) - start
        stride = int(steps[0]) if steps.size else 0
        numbers[j] = np.arange(index.size).reshape(index.shape)
        reached = np.asarray(where.places(address, base, *numbers)).reshape(-1) - start
        tables.append(reached // stride if stride else np.zeros_like(start))
        facts += [int(lanes.operands[first + j]), stride, where.extent(address, base, j), index.size]
    size = int(np.prod(base, dtype=np.int64))
    return [lanes.number, start.size, size, *others, len(indices), *facts, *np.concatenate(tables).tolist()]


def reads_forward(operation: Operation, lanes: Lanes) -> list[Call]:
    base, *indices = operation.operands
    parameters = place_parameters(
        addressing_of(operation.row), operation.attributes, base.shape, tuple(indices), lanes, 1, lanes.operands[0], 0
    )
    return [call(read_at, element(operation), parameters, RESULT, *range(len(operation.operands)))]


def reads_reverse(operation: Operation, position: int, lanes: Lanes) -> list[Call]:
    base, *indices = operation.operands
    parameters = place_parameters(addressing_of(operation.row), operation.attributes, base.shape, tuple(indices), lanes, 1, -1, 1)
    return [call(add_at, operation.spec.dtype.name, parameters, ADJOINT, RESULT_ADJOINT, *range(1, len(operation.operands)))]


def writes_forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
    base, _, *indices = operation.operands
    address, accumulate = cast(Any, operation.attributes)
    if accumulate and operation.spec.dtype.name == "bool":
        return None
    parameters = place_parameters(
        addressing_of(operation.row), address, base.shape, tuple(indices), lanes, 2, *lanes.operands[:2]
    )
    kernel = (add_at, operation.spec.dtype.name) if accumulate else (write_at, element(operation))
    return [call(*kernel, parameters, RESULT, *range(len(operation.operands)))]


def fills_forward(operation: Operation, lanes: Lanes) -> list[Call]:
    base, _, *indices = operation.operands
    parameters = place_parameters(
        addressing_of(operation.row), operation.attributes, base.shape, tuple(indices), lanes, 2, *lanes.operands[:2]
    )
    return [call(fill_at, element(operation), parameters, RESULT, *range(len(operation.operands)))]


def last_write_forward(operation: Operation, lanes: Lanes) -> list[Call]:
    name, address, base = cast(Any, operation.attributes)
    parameters = place_parameters(ADDRESSINGS[name], address, base, operation.operands, lanes, 0, 0, 0)
    return [call(find_last_write, "bool", parameters, RESULT, *range(len(operation.operands)))]


_FOLDS = ("sum", "mean", "prod", "amax", "amin")


def scatter_reduce_forward(operation: Operation, lanes: Lanes) -> list[Call] | None:
    if not operation.spec.dtype.is_floating_point:
        return None
    dim, fold, keeps_base = cast(Any, operation.attributes)
    base, _, index = operation.operands
    parameters = place_parameters(GATHER, dim, base.shape, (index,), lanes, 2, *lanes.operands[:2])
    return [call(fold_at, operation.spec.dtype.name, [*parameters, _FOLDS.index(fold), int(keeps_base)], RESULT, 0, 1, 2)]


# --- masks ----------------------------------------------------------------------------------------------------------------------


def mask_parameters(operation: Operation, lanes: Lanes) -> list[int]:
    """Lanes, elements of the operand, elements of the vector, which operands have lanes."""
    vector = operation.operands[2] if len(operation.operands) > 2 else operation.spec
    return [lanes.number, operation.operands[0].size, vector.size, *lanes.operands, *[0] * (3 - len(lanes.operands))]


def masks_forward(kernel: Callable[..., None]) -> Callable[[Operation, Lanes], list[Call]]:
    def forward(operation: Operation, lanes: Lanes) -> list[Call]:
        return [call(kernel, element(operation), mask_parameters(operation, lanes), RESULT, *range(len(operation.operands)))]

    return forward


def masks_reverse(*kernels: Callable[..., None] | None) -> Callable[[Operation, int, Lanes], list[Call]]:
    def reverse(operation: Operation, position: int, lanes: Lanes) -> list[Call]:
        kernel = kernels[position]
        assert kernel is not None
        return [call(kernel, operation.spec.dtype.name, mask_parameters(operation, lanes), ADJOINT, RESULT_ADJOINT, 1)]

    return reverse


FAMILIES: dict[str | None, Family] = {
    "reads": Family(reads_forward, reads_reverse),
    "writes": Family(writes_forward, no_reverse),
    "fills": Family(fills_forward, no_reverse),
    "is_last_write": Family(last_write_forward, no_reverse),
    "scatter_reduce": Family(scatter_reduce_forward, no_reverse),
    "masked_fill": Family(masks_forward(fill_masked), masks_reverse(skip_adjoint, None, sum_masked)),
    "masked_select": Family(masks_forward(take_masked), masks_reverse(add_masked)),
    "masked_scatter": Family(masks_forward(put_masked), masks_reverse(skip_adjoint, None, take_adjoint)),
}
