"""Listings: a closed tape as numbered lines."""

from __future__ import annotations

import numpy as np

from tapediff.program.closed import ClosedTape
from tapediff.tape.spec import Spec

__all__ = ["listing"]


def listing(tape: ClosedTape, name: str) -> str:
    """The tape as text: inputs `x0`, `x1`, ..., constants as they are, and a line for every instruction.

    >>> import tapediff as td
    >>> print(td.record(lambda x: (x * 2 + 1).sin(), 1.0))
    program <lambda>: 1 input, 1 output, 3 instructions
      x0: float64
      0: mul(x0, 2.0): float64
      1: add(%0, 1.0): float64
      2: sin(%1): float64
      return %2
    """
    lines = [f"program {name}: {counted(len(tape.inputs()), 'input')}, {counted(len(tape.outputs), 'output')}, "
             + counted(len(tape), "instruction") + (f", {counted(len(tape.guards), 'guard')}" if tape.guards else "")]
    names = {-k - 1: f"x{leaf.what}" if leaf.how == "input" else f"c{k}" for k, leaf in enumerate(tape.leaves)}
    for k, leaf in enumerate(tape.leaves):
        if leaf.how == "constant" and leaf.spec.size == 1:
            names[-k - 1] = repr(np.asarray(leaf.what).item())
        else:
            lines.append(f"  {names[-k - 1]}: {described(leaf.spec)}" + ("" if leaf.how == "input" else f", {leaf.how}"))

    def named(value: int) -> str:
        return f"%{value}" if value >= 0 else names[value]

    guards: dict[int, list[str]] = {}
    for guard in tape.guards:
        guards.setdefault(guard.value, []).append(f"     guard: {named(guard.value)}: {guard}")
    lines += [line for value, some in guards.items() if value < 0 for line in some]
    for index, (operation, operands) in enumerate(zip(tape.operations, tape.operands, strict=True)):
        attributes = "" if operation.attributes is None else f", {operation.attributes}"
        lines.append(f"  {index}: {operation.name}({', '.join(map(named, operands))}{attributes}): {described(operation.spec)}")
        lines += guards.get(index, [])
    return "\n".join([*lines, f"  return {', '.join(map(named, tape.outputs))}"])


def counted(count: int, what: str) -> str:
    """A number with its noun."""
    return f"{count} {what}" + ("" if count == 1 else "s")


def described(spec: Spec) -> str:
    """Dtype and shape."""
    return spec.dtype.name + (str(list(spec.shape)) if spec.shape else "")
