"""Derivative rules as closed tapes: a reverse step that has no kernel of its own runs as the forward steps of its rule."""

from __future__ import annotations

import functools

import numpy as np

from tapediff.program.closed import ClosedTape
from tapediff.program.operations import Operation
from tapediff.program.recorder import Recorder

__all__ = ["rule_of"]


@functools.lru_cache(maxsize=4096)
def rule_of(operation: Operation, position: int) -> ClosedTape:
    """What an operation adds to the adjoint of operand `position`.

    The inputs of the tape are the result's adjoint, the result and the operands; its one output has the operand's shape.
    """
    from tapediff.autograd.recorded import TENSORS
    specs = (operation.spec, operation.spec, *operation.operands)
    recorder = Recorder()
    with recorder:
        # zeros: an index of 0 is in bounds
        y_bar, y, *operands = [recorder.input(np.zeros(spec.shape, spec.dtype.numpy), differentiable=False) for spec in specs]
        found = operation.row.pullback(TENSORS, operation.attributes, position, y_bar, y, *operands)
    return recorder.finish([found])
