"""What a request means for every value of a tape: its lanes, whose memory it shows, if its adjoint is wanted, its last reader."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from tapediff.ops.op import names_in
from tapediff.ops.views import VIEWS
from tapediff.program.closed import ClosedTape
from tapediff.program.operations import Operation

__all__ = ["Request", "Values"]


class Request(NamedTuple):
    """What a schedule is for.

    lanes    rows at a time; 1 for a single replay
    laned    for each input, whether it differs from row to row; in a single replay all do
    outputs  positions of the outputs whose values are wanted
    wanted   positions of the inputs whose gradients are wanted
    seeds    "one": the first output is a scalar whose adjoint is 1; "given": an adjoint for each output comes with each row
    summed   which of `wanted` have their gradients summed over the rows
    shared   which of `wanted` have one value for all rows; where no kernel needs it in lanes, it is not copied to them
    """

    lanes: int
    laned: tuple[bool, ...]
    outputs: tuple[int, ...]
    wanted: tuple[int, ...] = ()
    seeds: str = "one"
    summed: tuple[int, ...] = ()
    shared: tuple[int, ...] = ()


@functools.cache
def saved_names(row: Any, wanted: int) -> frozenset[str]:
    """Which of a, b, c, y the reverse kernel of an element-wise row reads."""
    read: set[str] = set()
    for k in range(row.arity):
        if wanted >> k & 1 and row.partials[k] is not None:
            read |= names_in(row.pullback(k))
    return frozenset(read & {"a", "b", "c", "y"})


def saved_positions(operation: Operation, wanted: int) -> tuple[int, ...]:
    """Which operands the adjoints of the operands `wanted` read; -1 for the result."""
    if operation.is_elementwise:
        names = saved_names(operation.row, wanted)
        return (*[k for k, name in enumerate("abc"[:len(operation.operands)]) if name in names], *[-1] * ("y" in names))
    found = {what for k in range(len(operation.operands)) if wanted >> k & 1 for what in operation.row.saved_by(k)}
    return tuple([-1 if what == "y" else what for what in found if what == "y" or what < len(operation.operands)])


def skipped_elements(operation: Operation) -> int | None:
    """Where an operation shows neighbouring elements of its operand in order: how many lie before them; None elsewhere."""
    if operation.is_alias or operation.row.name == "clone":
        return 0
    if operation.row.name not in VIEWS:
        return None
    shape, strides, offset = operation.attributes
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1:
            if stride != expected:
                return None
            expected *= size
    return int(offset)


class Values:
    """The facts of one tape for one request.

    laned, leaf_laned  which instructions, and leaves, differ from row to row
    roots, offsets     whose memory each instruction shows, and from which byte on
    active, leaf_active, bits  which adjoints are wanted, and of which operands of each instruction
    needed             which instructions have to be run
    last               the time of the last step that reads each root; ending: the roots by that time
    """

    def __init__(self, tape: ClosedTape, request: Request) -> None:
        self.tape = tape
        self.request = request
        self.lanes = request.lanes
        inputs = tape.inputs()
        self.inputs = inputs
        self.wanted = [inputs[position] for position in request.wanted]
        roots = [value for position, value in enumerate(inputs) if request.laned[position]]
        self.leaf_laned = [False] * len(tape.leaves)
        if request.lanes > 1 and request.shared:
            narrow = self._narrow([inputs[position] for position in request.shared], roots)
            roots = [value for value in roots if value not in narrow]
        for value in roots:
            self.leaf_laned[-value - 1] = True
        self.laned = tape.depends_on(roots)
        operations = set(tape.operations)
        sizes = {operation: max(operation.spec.size, 1) * operation.spec.dtype.itemsize for operation in operations}
        self.own_bytes = [sizes[operation] for operation in tape.operations]
        self._find_roots(operations)
        self._find_active()
        self.needed: list[int] = tape.needed([
            *(tape.outputs[position] for position in request.outputs), *(guard.value for guard in tape.guards),
            *(value for value in tape.outputs if value >= 0 and self.active[value])]).tolist()
        self._find_last_uses()

    def _narrow(self, shared: Sequence[int], roots: Sequence[int]) -> set[int]:
        """Which of the inputs that all rows share may do without lanes, although their adjoints have them.

        Structural steps read values without lanes where adjoints have them; element-wise kernels do not.
        """
        tape = self.tape
        laned = tape.depends_on([value for value in roots if value not in shared])
        readers: dict[int, list[int]] = {}
        for index, operands in enumerate(tape.operands):
            for x in set(operands):
                readers.setdefault(x, []).append(index)
        fits: dict[int, bool] = {}
        for index in range(len(tape) - 1, -1, -1):
            fits[index] = not tape.operations[index].is_elementwise and (
                laned[index] or all(fits[reader] for reader in readers.get(index, ())))
        return {value for value in shared if all(fits[reader] for reader in readers.get(value, ()))}

    def _find_roots(self, operations: set[Operation]) -> None:
        """The value whose memory each instruction shows, and from which byte on: its own, or that of what it is a view of."""
        roots = list(range(len(self.tape)))
        skips = [0] * len(roots)  # in one lane
        views: dict[Operation, int] = {}  # and how many elements each one skips
        for operation in operations:
            skipped = skipped_elements(operation)
            if skipped is not None:
                views[operation] = skipped
        for index, operation in enumerate(self.tape.operations):
            if operation in views:
                first = self.tape.operands[index][0]
                lanes = self.lanes if self.laned[index] else 1
                within = views[operation] * operation.spec.dtype.itemsize + (skips[first] if first >= 0 else 0)
                if within * lanes % 8 == 0:
                    roots[index], skips[index] = roots[first] if first >= 0 else first, within
        self.roots = roots
        self.skips = skips
        self.offsets = [skip * (self.lanes if is_laned else 1) for skip, is_laned in zip(skips, self.laned, strict=True)]

    def root(self, value: int) -> int:
        """The value whose memory a value shows."""
        return self.roots[value] if value >= 0 else value

    def is_part(self, value: int) -> bool:
        """Whether a value shows a part of its root only."""
        if value < 0 or self.roots[value] == value:
            return False
        return self.tape.spec(value).size != self.tape.spec(self.root(value)).size

    def is_laned(self, value: int) -> bool:
        """Whether a value differs from row to row."""
        return self.laned[value] if value >= 0 else self.leaf_laned[-value - 1]

    def nbytes(self, value: int) -> int:
        """The bytes of a value, in all its lanes."""
        if value >= 0:
            return self.own_bytes[value] * self.lanes if self.laned[value] else self.own_bytes[value]
        spec = self.tape.spec(value)
        return max(spec.size, 1) * spec.dtype.itemsize * (self.lanes if self.is_laned(value) else 1)

    def adjoint_bytes(self, value: int) -> int:
        """The bytes of an adjoint; adjoints always have lanes."""
        if value >= 0:
            return self.own_bytes[value] * self.lanes
        spec = self.tape.spec(value)
        return max(spec.size, 1) * spec.dtype.itemsize * self.lanes

    def _find_active(self) -> None:
        """Which instructions pass adjoints on: those between outputs and wanted inputs."""
        tape = self.tape
        leaves = [False] * len(tape.leaves)
        for value in self.wanted:
            leaves[-value - 1] = tape.spec(value).dtype.is_floating_point
        self.leaf_active = leaves
        self.bits = [0] * len(tape)
        depends: list[bool] = []
        if not any(leaves):
            self.active = [False] * len(tape)
            return
        for operation, operands in zip(tape.operations, tape.operands, strict=True):
            bits = operation.adjoints
            found = False
            for x in operands:
                if bits & 1 and (depends[x] if x >= 0 else leaves[-x - 1]):
                    found = True
                    break
                bits >>= 1
            depends.append(found)
        active = [False] * len(tape)
        for position in self.seeded():
            value = tape.outputs[position]
            if value >= 0 and depends[value]:
                active[value] = True
        for index in range(len(tape) - 1, -1, -1):
            if active[index]:
                bits = tape.operations[index].adjoints
                wanted = 0
                for k, x in enumerate(tape.operands[index]):
                    if bits >> k & 1 and (depends[x] if x >= 0 else leaves[-x - 1]):
                        wanted |= 1 << k
                        if x >= 0:
                            active[x] = True
                self.bits[index] = wanted
        self.active = active

    def seeded(self) -> range:
        """The outputs whose adjoints are given, or are 1."""
        return range(len(self.tape.outputs)) if self.request.seeds == "given" else range(1)

    def is_active(self, value: int) -> bool:
        """Whether the adjoint of a value is wanted."""
        return self.active[value] if value >= 0 else self.leaf_active[-value - 1]

    def wanted_bits(self, index: int) -> int:
        """The operands of an instruction that take adjoints."""
        return self.bits[index]

    def _find_last_uses(self) -> None:
        """The time of the last step that reads each root's value; instruction i runs at time i and backwards at 2 * end - i."""
        tape, needed = self.tape, self.needed
        end = len(tape)
        last: dict[int, int] = {}
        roots, laned, operations = self.roots, self.laned, tape.operations
        for index, operands in enumerate(tape.operands):
            if needed[index] and laned[index]:
                if index not in last:
                    last[index] = index
                for x in operands:
                    last[roots[x] if x >= 0 else x] = index
        known: dict[Any, tuple[int, ...]] = {}
        for index, is_active in enumerate(self.active):
            if not is_active or roots[index] != index:
                continue
            operands = tape.operands[index]
            key = operations[index], self.bits[index]
            positions = known.get(key)
            if positions is None:
                positions = known[key] = saved_positions(*key)
            time = 2 * end - index
            for position in positions:
                x = operands[position] if position >= 0 else index
                root = roots[x] if x >= 0 else x
                if last.get(root, 0) < time:
                    last[root] = time
        self.last = last
        self.ending: dict[int, list[int]] = {}
        for root, time in last.items():
            self.ending.setdefault(time, []).append(root)
