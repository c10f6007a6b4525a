"""Structural operations of a program without lanes: which compiled kernel serves them, or what NumPy does instead."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from tapediff.program.operations import Operation
from tapediff.recording import serves
from tapediff.tape.spec import Spec, spec_of

__all__ = ["HostStep", "Kernels", "kernels_of", "run_host"]


class Kernels(NamedTuple):
    """The compiled kernels of a structural operation; `parameters` must be kept alive."""

    forward: int
    reverse: int
    parameters: np.ndarray[Any, Any]


def with_lanes(spec: Spec, lanes: int) -> Spec:
    """The spec of a value with one more dimension, its lanes, behind the others."""
    return spec if lanes == 1 else spec_of((*spec.shape, lanes), spec.dtype, False)


def kernels_of(operation: Operation, wanted: int) -> Kernels | None:
    """The compiled kernels that serve an operation without lanes; None where Python has to do it."""
    from tapediff.kernels.structural import KERNELS
    row = operation.row
    specs, spec, attributes = operation.operands, operation.spec, operation.attributes
    if not serves(row, attributes, specs, spec) or len(specs) > 3:
        return None
    kind: Any = SimpleNamespace(row=row, attributes=attributes, operands=specs, spec=spec, wanted=wanted)
    kernel = KERNELS[row.kernel]
    return Kernels(kernel.forward(kind), kernel.reverse(kind) if wanted else 0, kernel.parameters(kind))


class HostStep(NamedTuple):
    """A step that NumPy does.

    which     "forward" or "reverse"
    pointers  forward: result, operands; reverse: adjoint of the result, result, operands, adjoints of the operands (0: none)
    is_laned  for each operand, whether it lies in lanes
    """

    which: str
    operation: Operation
    lanes: int
    is_laned: tuple[bool, ...]
    pointers: tuple[int, ...]


def run_host(step: HostStep, bases: tuple[int, ...], failed: Sequence[int]) -> None:
    """Do a step on NumPy's side, one lane after the other.

    failed  for each lane that holds a row, whether the row failed a guard: it is left out, as its operands may be anything. The
            lanes behind are copies of the last row
    """
    from tapediff.memory import array_at
    from tapediff.rules import ARRAYS
    operation, lanes = step.operation, step.lanes

    def array(pointer: int, spec: Spec, is_laned: bool) -> Any:
        return array_at(bases[pointer & 3] + (pointer >> 2) * 8, with_lanes(spec, lanes if is_laned else 1))

    def lane(value: Any, k: int, is_laned: bool) -> Any:
        return value[..., k].copy() if is_laned and lanes > 1 else value

    arity = len(operation.operands)
    first = 1 if step.which == "forward" else 2
    values = [array(pointer, spec, is_laned) for pointer, spec, is_laned in
              zip(step.pointers[first:first + arity], operation.operands, step.is_laned, strict=True)]
    y = array(step.pointers[first - 1], operation.spec, True)
    adjoints = [] if step.which == "forward" else [
        (k, array(pointer, operation.operands[k], True)) for k, pointer in enumerate(step.pointers[2 + arity:]) if pointer]
    y_bar = None if step.which == "forward" else array(step.pointers[0], operation.spec, True)
    with np.errstate(all="ignore"):
        for number, has_failed in enumerate(failed):
            place = (..., number) if lanes > 1 else ...
            if has_failed:
                if step.which == "forward":
                    y[place] = 0
                continue
            operands = [lane(value, number, is_laned) for value, is_laned in zip(values, step.is_laned, strict=True)]
            if step.which == "forward":
                y[place] = operation.row.forward(operation.attributes, *operands)
                continue
            for k, adjoint in adjoints:
                adjoint[place] += operation.row.pullback(
                    ARRAYS, operation.attributes, k, lane(y_bar, number, True), lane(y, number, True), *operands)
    if step.which == "forward" and len(failed) < lanes:
        y[..., len(failed):] = y[..., len(failed) - 1:len(failed)]
