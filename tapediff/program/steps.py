"""The steps of a schedule, decoded for the compiled tape: what each reads and writes, and whether it is printed or called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tapediff.kernels.instructions import BITS
from tapediff.kernels.library import KernelSpec
from tapediff.program.layout import (
    A_BUFFER,
    A_CLASS,
    A_COUNT,
    A_EXPECTED,
    A_ITEM,
    A_REPEAT,
    A_STRIDES,
    A_WORDS,
    CALL_ROWS,
    COPY,
    FILL,
    FORWARD2,
    FORWARD3,
    FORWARD_REPEATED,
    GUARD_INTEGER,
    GUARD_TRUTH,
    GUARD_VALUE,
    LOAD,
    NULL,
    READS,
    REDUCE,
    REVERSE2,
    REVERSE3,
    REVERSE_REPEATED,
    STORE,
    SUM_LANES,
    TURN,
    WIDEN,
    WORKSPACE,
    WRITES,
    ZERO,
)
from tapediff.program.schedule import Schedule

__all__ = ["CALLED", "DTYPES", "INTERPRETED", "PRINTED", "Reach", "Step", "steps_of"]

NAMES = {FORWARD2: "yab", FORWARD3: "yabc", FORWARD_REPEATED: "yabc"}
REVERSE_NAMES = {REVERSE2: ("y_bar", "y", "a", "b", "a_bar", "b_bar"),
                 REVERSE3: ("y_bar", "y", "a", "b", "c", "a_bar", "b_bar", "c_bar"),
                 REVERSE_REPEATED: ("y_bar", "y", "a", "b", "c", "a_bar", "b_bar", "c_bar")}
DTYPES = ("bool", "int32", "int64", "float32", "float64")  # by the codes of guards
# elements of a vector that are printed one by one: in lanes, and without, where a kernel's loop has vectors of elements. Longer
# ones are left to kernels
MOST_UNROLLED, MOST_UNROLLED_ALONE = 16, 8
MOVES = (LOAD, STORE, REDUCE, ZERO, FILL)

# who does a step: its formula is printed; its kernel is called; or the interpreter runs it
PRINTED, CALLED, INTERPRETED = range(3)

Reach = tuple[int, int, int]  # first byte in the workspace, number of bytes, READS or WRITES or both


class Step:
    """One step of a schedule.

    number    of its action; at  its word in the code
    pointers  (base, offset in bytes)
    elements  how many vectors of lanes it computes
    strides   in bytes from one element to the next, for each pointer
    reach     of each pointer of a structural step: (number of bytes, READS or WRITES or both)
    doer      PRINTED, CALLED or INTERPRETED
    """

    __slots__ = ("action_class", "at", "buffer", "count", "doer", "elements", "expected", "item", "lanes", "number", "pointers",
                 "reach", "spec", "strides")

    def __init__(self, number: int, at: int, row: Sequence[int], words: Sequence[int], spec: KernelSpec | None,
                 reach: Sequence[tuple[int, int]], lanes: int) -> None:
        self.number, self.at, self.lanes = number, at, lanes
        self.action_class = row[A_CLASS]
        self.count, self.item, self.buffer, self.expected = row[A_COUNT], row[A_ITEM], row[A_BUFFER], row[A_EXPECTED]
        self.pointers = [(word & 3, (word >> 2) * 8) for word in words]
        self.spec = spec
        self.reach = reach
        self.strides: Sequence[int] = ()
        self.elements = self.count
        if self.action_class in (FORWARD_REPEATED, REVERSE_REPEATED):
            self.elements, self.strides = row[A_REPEAT], row[A_STRIDES:A_STRIDES + 8]
        elif spec is not None:
            self.elements = self.count // lanes
            self.strides = self._dense_strides(spec)
        elif reach:
            self.elements = 1
        elif self.action_class == ZERO:
            self.elements = -(-self.count // (8 * lanes))
        elif self.action_class in (FILL, COPY):
            self.elements = self.count // lanes
        self.doer = self._doer()

    def _dense_strides(self, spec: KernelSpec) -> list[int]:
        """The strides of a kernel that is called once for all elements."""
        items = {name: BITS[dtype] // 8 or 1 for name, dtype in zip("abc", spec.operands, strict=False)}
        steps = {name: 0 if spec.scalars >> "abc".index(name) & 1 else item * self.lanes for name, item in items.items()}
        own = (BITS[spec.result] // 8 or 1) * self.lanes
        return [own if name[0] == "y" else steps.get(name[0], 0) for name in self.names()]

    def names(self) -> Sequence[str]:
        """What each pointer is to an element-wise kernel."""
        return NAMES.get(self.action_class) or REVERSE_NAMES[self.action_class]

    def _doer(self) -> int:
        cls = self.action_class
        if self.spec is not None:
            if self.elements <= (MOST_UNROLLED if self.lanes > 1 else MOST_UNROLLED_ALONE) and not self._sums_elements():
                return PRINTED
            return INTERPRETED if cls in (FORWARD_REPEATED, REVERSE_REPEATED) else CALLED
        if cls in (TURN, CALL_ROWS):
            return INTERPRETED
        if self.reach:
            return CALLED
        if cls in (COPY, WIDEN) or (cls == REDUCE and self.lanes % SUM_LANES):
            return INTERPRETED
        is_long = cls in (ZERO, FILL, GUARD_TRUTH, GUARD_INTEGER, GUARD_VALUE) and self.elements > MOST_UNROLLED
        return INTERPRETED if is_long else PRINTED

    def _sums_elements(self) -> bool:
        """Whether it adds the contributions of several elements of one row to an adjoint that is one element: in the order of the
        kernel's lanes."""
        spec = self.spec
        assert spec is not None
        return self.lanes == 1 and self.elements > 1 and spec.which == "reverse" and bool(spec.scalars & spec.wanted)

    # --- what it touches --------------------------------------------------------------------------------------------------------

    def reaches(self) -> Iterator[Reach]:
        """The parts of the workspace that it reads and writes."""
        for k, (base, offset) in enumerate(self.pointers):
            if base != WORKSPACE:
                continue
            nbytes, how = self._reach(k)
            if how and nbytes:
                yield offset, nbytes, how

    def _reach(self, k: int) -> tuple[int, int]:
        if self.spec is not None:
            names = self.names()
            return (self.elements - 1) * self.strides[k] + self.width(names[k]), self._how(names[k])
        if self.reach:
            return self.reach[k]
        cls = self.action_class
        if cls == ZERO:
            return self.count, WRITES
        if cls == FILL:
            return self.count * self.item, WRITES
        if cls == COPY:
            return self.count * self.item, READS if k else WRITES
        if cls in (LOAD, WIDEN):
            return self.count * self.item * self.lanes, READS if k else WRITES
        if cls in (STORE, REDUCE):
            return self.count * self.item * self.lanes, READS
        return self.count * self.lanes * (BITS[DTYPES[self.item]] // 8 or 1), READS  # a guard

    def width(self, name: str) -> int:
        """The bytes of one element of an element-wise kernel's pointer, in its lanes."""
        assert self.spec is not None
        dtype = self.spec.result if name[0] == "y" else dict(zip("abc", self.spec.operands, strict=False)).get(name[0], "bool")
        return (BITS[dtype] // 8 or 1) * self.lanes

    def _how(self, name: str) -> int:
        """What an element-wise kernel does with a pointer."""
        assert self.spec is not None
        if self.spec.which == "forward":
            return WRITES if name == "y" else READS
        if not name.endswith("_bar") or name == "y_bar":
            return READS
        return WRITES if self.spec.fresh >> "abc".index(name[0]) & 1 else READS | WRITES

    def places(self) -> tuple[list[int], list[int]]:
        """Where the elements lie that a printed step reads, and those that it writes: first bytes in the workspace."""
        read: list[int] = []
        written: list[int] = []
        for k, (base, offset) in enumerate(self.pointers):
            if base != WORKSPACE:
                continue
            nbytes, how = self._reach(k)
            if self.spec is not None:
                stride = self.strides[k]
                found = [offset + e * stride for e in range(self.elements)] if stride else [offset]
            else:
                found = list(range(offset, offset + nbytes, self.grain(k)))
            if how & READS:
                read += found
            if how & WRITES:
                written += found
        return read, written

    def grain(self, k: int) -> int:
        """The bytes of what a printed step that is no kernel moves at a time."""
        if self.action_class == ZERO:
            return 4 * self.lanes
        if self.action_class >= GUARD_TRUTH:
            return self.lanes * (BITS[DTYPES[self.item]] // 8 or 1)
        return self.item * self.lanes


def steps_of(schedule: Schedule) -> list[Step]:
    """The steps of a block of rows, in order.

    Long rows that a kernel reads from memory are moved by the interpreter's loop, which turns them in registers.
    """
    code, actions = schedule.code.tolist(), schedule.actions.tolist()
    lanes, specs, reach = schedule.request.lanes, schedule.specs, schedule.reach
    steps = []
    at = 0
    while at < len(code):
        number = code[at]
        row = actions[number]
        words = row[A_WORDS]
        steps.append(Step(number, at, row, code[at + 1:at + words], specs.get(number), reach.get(number, ()), lanes))
        at += words
    from_memory = {pointer for step in steps if step.doer != PRINTED for pointer in step.pointers if pointer[0] != NULL}
    if from_memory:
        for step in steps:
            if step.action_class in MOVES and step.elements > MOST_UNROLLED and step.pointers[0] in from_memory:
                step.doer = INTERPRETED
    return steps
