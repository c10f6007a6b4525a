"""A closed tape: the instructions of a program, which never change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np

from tapediff.program.guards import Guard
from tapediff.program.operations import Operation, plain
from tapediff.tape.spec import Spec

__all__ = ["ClosedTape", "Leaf", "Place"]

Place = tuple[Any, ...]  # file, line and function, in a program from a file the source text, too


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A value that the tape reads and does not compute.

    how   "input" (`what` is its position), "constant" (the array) or "captured" (the source of a tensor from outside)
    """

    how: str
    spec: Spec
    what: Any


class ClosedTape:
    """Instructions, numbered from 0. A value is named by the number of its instruction, or by -1 - k, for leaf k.

    leaves      inputs, constants, and tensors captured from outside
    operations  what each instruction does
    operands    the values that each instruction reads
    outputs     values
    guards      decisions that Python took
    lines       for each instruction the place in the source that recorded it, where that was asked for; else None
    """

    __slots__ = ("guards", "leaves", "lines", "operands", "operations", "outputs")

    def __init__(self, leaves: Sequence[Leaf], operations: Sequence[Operation], operands: Sequence[tuple[int, ...]],
                 outputs: Sequence[int], guards: Sequence[Guard], lines: Sequence[Place | None] | None = None) -> None:
        self.leaves = list(leaves)
        self.operations = list(operations)
        self.operands = list(operands)
        self.outputs = list(outputs)
        self.guards = list(guards)
        self.lines = None if lines is None else list(lines)

    def __len__(self) -> int:
        return len(self.operations)

    def spec(self, value: int) -> Spec:
        """Shape and dtype of a value."""
        return plain(self.leaves[-value - 1].spec) if value < 0 else self.operations[value].spec

    def inputs(self) -> list[int]:
        """The values of the inputs, in their order."""
        found = [(leaf.what, -k - 1) for k, leaf in enumerate(self.leaves) if leaf.how == "input"]
        return [value for _, value in sorted(found)]

    def captured(self) -> list[int]:
        """The values captured from outside."""
        return [-k - 1 for k, leaf in enumerate(self.leaves) if leaf.how == "captured"]

    def with_constants(self) -> ClosedTape:
        """The tape with captured tensors frozen at their present values."""
        leaves = [replace(leaf, how="constant", what=np.array(leaf.what.values())) if leaf.how == "captured" else leaf
                  for leaf in self.leaves]
        return ClosedTape(leaves, self.operations, self.operands, self.outputs, self.guards, self.lines)

    def with_captured_inputs(self) -> tuple[ClosedTape, list[Any]]:
        """The tape with captured tensors as further inputs, and their sources."""
        position = len(self.inputs())
        sources = []
        leaves = []
        for leaf in self.leaves:
            if leaf.how == "captured":
                sources.append(leaf.what)
                leaf = replace(leaf, how="input", what=position)
                position += 1
            leaves.append(leaf)
        return ClosedTape(leaves, self.operations, self.operands, self.outputs, self.guards, self.lines), sources

    def needed(self, roots: Iterable[int]) -> np.ndarray[Any, Any]:
        """Which instructions the values `roots` depend on: a flag for each."""
        flags = bytearray(len(self.operations))
        for root in roots:
            if root >= 0:
                flags[root] = 1
        operands = self.operands
        for index in range(len(flags) - 1, -1, -1):
            if flags[index]:
                for operand in operands[index]:
                    if operand >= 0:
                        flags[operand] = 1
        return np.frombuffer(flags, np.uint8)

    def depends_on(self, roots: Iterable[int]) -> list[bool]:
        """Which instructions depend on one of the leaves `roots`."""
        leaves = [False] * len(self.leaves)
        for root in roots:
            leaves[-root - 1] = True
        found: list[bool] = []
        for operands in self.operands:
            found.append(any(found[operand] if operand >= 0 else leaves[-operand - 1] for operand in operands))
        return found

    def without_dead_code(self) -> ClosedTape:
        """The tape without instructions and leaves that neither outputs nor guards need; inputs stay."""
        flags = self.needed([*self.outputs, *(guard.value for guard in self.guards)]).tolist()
        numbers: list[int] = []
        operations: list[Operation] = []
        kept: list[tuple[int, ...]] = []
        used: set[int] = set()
        for index, is_needed in enumerate(flags):
            numbers.append(len(operations))
            if is_needed:
                operations.append(self.operations[index])
                kept.append(self.operands[index])
                used.update(self.operands[index])
        used.update(self.outputs, (guard.value for guard in self.guards))
        renamed: dict[int, int] = {}
        leaves = []
        for k, leaf in enumerate(self.leaves):
            if leaf.how == "input" or -k - 1 in used:
                leaves.append(leaf)
                renamed[-k - 1] = -len(leaves)

        def name(value: int) -> int:
            return numbers[value] if value >= 0 else renamed[value]

        guards = [replace(guard, value=name(guard.value)) for guard in self.guards]
        lines = None if self.lines is None else list(compress(self.lines, flags))
        return ClosedTape(leaves, operations, [tuple([numbers[x] if x >= 0 else renamed[x] for x in line]) for line in kept],
                          [name(value) for value in self.outputs], guards, lines)
