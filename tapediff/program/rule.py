"""Operations as small closed tapes: what has no kernel of its own runs as the steps of its parts, or of its derivative rule."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff.program.closed import ClosedTape
from tapediff.program.compositions import COMPOSITIONS
from tapediff.program.operations import Operation
from tapediff.program.recorder import Recorder
from tapediff.tape.spec import Spec

__all__ = ["gives_zeros", "parts_of", "rule_of"]


@functools.lru_cache(maxsize=4096)
def rule_of(operation: Operation, position: int) -> ClosedTape:
    """What an operation adds to the adjoint of operand `position`.

    The inputs of the tape are the result's adjoint, the result and the operands; its one output has the operand's shape.
    """
    from tapediff.autograd.recorded import TENSORS
    specs = (operation.spec, operation.spec, *operation.operands)
    found = recorded(specs, lambda *values: operation.row.pullback(TENSORS, operation.attributes, position, *values))
    assert found is not None
    return found


def gives_zeros(rule: ClosedTape) -> bool:
    """Whether a rule gives zeros whatever its inputs are."""
    output = rule.outputs[0]
    return output < 0 and rule.leaves[-output - 1].how == "constant" and not np.any(rule.leaves[-output - 1].what)


@functools.lru_cache(maxsize=4096)
def parts_of(operation: Operation) -> ClosedTape | None:
    """The other operations that an operation consists of; None where there are none. The inputs of the tape are the operands."""
    from tapediff.autograd.recorded import TENSORS
    compose = COMPOSITIONS.get(operation.row.lanes)
    if compose is None or not operation.spec.dtype.is_floating_point:
        return None
    return recorded(operation.operands, lambda *operands: compose(TENSORS, operation.attributes, *operands))


def recorded(specs: tuple[Spec, ...], function: Callable[..., Any]) -> ClosedTape | None:
    """The tape of a function of values of given shapes and dtypes; None where it gives none."""
    recorder = Recorder()
    with recorder:
        # zeros: an index of 0 is in bounds
        inputs = [recorder.input(np.zeros(spec.shape, spec.dtype.numpy), differentiable=False) for spec in specs]
        found = function(*inputs)
    return None if found is None else recorder.finish([found])
