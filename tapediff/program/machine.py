"""The compiled tape: the steps of a schedule printed as straight-line LLVM IR.

The formulas of the rows are printed one after the other on vectors of as many rows as the schedule has lanes; values and adjoints
are registers, which LLVM spills where they do not fit. What the interpreter's steps say of memory is followed while printing, so
both executors mean the same and give the same bits.

A long schedule is cut into functions of bounded size, since the time that LLVM takes for one function grows faster than its
length; what one of them leaves for another lies in the workspace.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tapediff.kernels.formula import Printer
from tapediff.kernels.instructions import BITS, IR_TYPES, KIND, Module, Value
from tapediff.kernels.library import KernelSpec, get_library
from tapediff.kernels.loop import Kernel
from tapediff.ops.custom import content_of
from tapediff.program.layout import (
    A_BUFFER,
    A_CLASS,
    A_COUNT,
    A_EXPECTED,
    A_ITEM,
    A_KERNEL,
    A_REPEAT,
    A_STRIDES,
    A_WORDS,
    COPY,
    F_BUFFERS,
    F_FAILED,
    F_PARTIAL,
    FILL,
    FORWARD2,
    FORWARD3,
    FORWARD_REPEATED,
    GUARD_INTEGER,
    GUARD_TRUTH,
    GUARD_VALUE,
    LOAD,
    NULL,
    REDUCE,
    REVERSE2,
    REVERSE3,
    REVERSE_REPEATED,
    STORE,
    SUM_LANES,
    UNIFORM,
    WIDEN,
    WORKSPACE,
    ZERO,
)
from tapediff.program.schedule import Schedule

__all__ = ["APART", "BESIDE", "SAME", "CannotCompile", "compile_schedule", "content_key", "print_schedule", "print_text",
           "size_of"]

NAMES = {FORWARD2: "yab", FORWARD3: "yabc", FORWARD_REPEATED: "yabc"}
REVERSE_NAMES = {REVERSE2: ("y_bar", "y", "a", "b", "a_bar", "b_bar"),
                 REVERSE3: ("y_bar", "y", "a", "b", "c", "a_bar", "b_bar", "c_bar"),
                 REVERSE_REPEATED: ("y_bar", "y", "a", "b", "c", "a_bar", "b_bar", "c_bar")}
DTYPES = ("bool", "int32", "int64", "float32", "float64")  # by the codes of guards
PRINTED = (LOAD, STORE, REDUCE, ZERO, FILL, GUARD_TRUTH, GUARD_INTEGER, GUARD_VALUE)  # besides those with a formula
APART, BESIDE, SAME = range(3)
AHEAD = 128  # bytes that rows which lie beside each other are fetched ahead
FUNCTION_STEPS = 1500  # of one function: up to here LLVM takes about as long for a step as in a short function


class CannotCompile(Exception):
    """A schedule has steps that no formula states."""


def size_of(schedule: Schedule) -> int | None:
    """The steps that the compiled tape of a schedule would have, every element of vectors counted; None where it cannot be."""
    if schedule.hosts or schedule.request.lanes not in (1, 4, 8, 16):
        return None
    code, lanes = schedule.code.tolist(), schedule.request.lanes
    rows = schedule.actions.tolist()
    words = [row[A_WORDS] for row in rows]
    counts = [0] * len(rows)  # many steps share an action, which says all that is asked here
    at = 0
    while at < len(code):
        counts[code[at]] += 1
        at += words[code[at]]
    total = 0
    for number, count in enumerate(counts):
        if count:
            step = _Step(rows[number], (), schedule.specs.get(number), lanes)
            if step.spec is None and step.action_class not in PRINTED:
                return None
            total += count * step.elements
    return total


class _Step:
    """One step of a schedule, decoded.

    pointers  (base, offset in bytes)
    elements  how many vectors of lanes it computes
    strides   in bytes from one element to the next, for each pointer
    """

    __slots__ = ("action_class", "buffer", "count", "elements", "expected", "item", "pointers", "spec", "strides")

    def __init__(self, row: Sequence[int], words: Sequence[int], spec: KernelSpec | None, lanes: int) -> None:
        self.action_class = row[A_CLASS]
        self.count, self.item, self.buffer, self.expected = row[A_COUNT], row[A_ITEM], row[A_BUFFER], row[A_EXPECTED]
        self.pointers = [(word & 3, (word >> 2) * 8) for word in words]
        self.spec = spec
        self.strides: Sequence[int] = ()
        if self.action_class in (FORWARD_REPEATED, REVERSE_REPEATED):
            self.elements, self.strides = row[A_REPEAT], row[A_STRIDES:A_STRIDES + 8]
        elif spec is not None:
            self.elements = self.count // lanes
            self.strides = self._dense_strides(spec, lanes)
        elif self.action_class == ZERO:
            self.elements = 1
        elif self.action_class in (FILL, COPY):
            self.elements = self.count // lanes
        else:
            self.elements = self.count

    def _dense_strides(self, spec: KernelSpec, lanes: int) -> list[int]:
        """The strides of a kernel that is called once for all elements."""
        items = {name: BITS[dtype] // 8 or 1 for name, dtype in zip("abc", spec.operands, strict=False)}
        steps = {name: 0 if spec.scalars >> "abc".index(name) & 1 else item * lanes for name, item in items.items()}
        own = (BITS[spec.result] // 8 or 1) * lanes
        names = self.names()
        return [own if name[0] == "y" else steps.get(name[0], 0) for name in names]

    def names(self) -> Sequence[str]:
        """What each pointer is to the kernel."""
        return NAMES.get(self.action_class) or REVERSE_NAMES[self.action_class]


class _Steps:
    """The steps of a schedule, in order."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def __iter__(self) -> Any:
        code, actions = self.schedule.code.tolist(), self.schedule.actions.tolist()
        lanes, specs = self.schedule.request.lanes, self.schedule.specs
        at = 0
        while at < len(code):
            row = actions[code[at]]
            yield _Step(row, code[at + 1:at + row[A_WORDS]], specs.get(code[at]), lanes)
            at += row[A_WORDS]


def print_schedule(module: Module, schedule: Schedule, layout: Sequence[int], symbol: str) -> None:
    """Add the function `void symbol(ptr frame, i64 first, i64 last)` that runs a schedule over whole blocks of rows.

    layout  how the rows of each buffer lie: APART, BESIDE each other element by element, or all the SAME
    """
    _Function(module, schedule, layout).print(symbol)


def compile_schedule(schedule: Schedule, layout: tuple[int, ...], only_known: bool = False) -> int | None:
    """The address of the machine code of a schedule, from the cache of objects where it was built before.

    only_known  None where it would have to be built

    Raises
        CannotCompile: it has steps that no formula states.
    """
    if size_of(schedule) is None:
        raise CannotCompile("the schedule has steps that no formula states")
    library = get_library()
    key = content_key(schedule, layout)

    def text(symbol: str) -> str:
        module = library.module()
        print_schedule(module, schedule, layout, symbol)
        return module.text()

    return library.function(key, None if only_known else text)


def content_key(schedule: Schedule, *more: Any) -> bytes:
    """All that the machine code of a schedule depends on, the addresses of kernels left out."""
    specs = [schedule.specs.get(number) for number in range(len(schedule.actions))]
    table = schedule.actions.copy()
    table[[number for number, spec in enumerate(specs) if spec is not None], A_KERNEL] = 0
    own = sorted({content_of(spec.name) for spec in specs if isinstance(spec, KernelSpec)})  # formulas that are no sources
    facts = repr((schedule.request.lanes, schedule.dtypes, specs, own, more)).encode()
    return printer_key() + facts + schedule.code.tobytes() + table.tobytes()


@functools.cache
def printer_key() -> bytes:
    """What the cache of objects must know of this file and of the layout that it follows."""
    here = Path(__file__)
    return hashlib.sha256(b"".join(here.with_name(name).read_bytes() for name in (here.name, "layout.py", "handles.py"))).digest()


def print_text(schedule: Schedule, layout: tuple[int, ...], which: str) -> str:
    """The code of a schedule to look at: LLVM IR before optimisation ("llvm"), or assembly ("asm")."""
    if size_of(schedule) is None:
        raise CannotCompile("the schedule has steps that no formula states")
    library = get_library()
    module = library.module()
    print_schedule(module, schedule, layout, "tape")
    return module.text() if which == "llvm" else library.assembly_of(module.text())


class _Function:
    """Prints one schedule."""

    def __init__(self, module: Module, schedule: Schedule, layout: Sequence[int]) -> None:
        self.module = module
        self.schedule = schedule
        self.layout = layout
        self.lanes = schedule.request.lanes
        self.steps = list(_Steps(schedule))
        self.has_guards = any(step.action_class >= GUARD_TRUTH for step in self.steps)

    def print(self, symbol: str) -> None:
        """Print the pieces and the loop over rows that calls them."""
        pieces = self._pieces()
        names = []
        for number, (first, last) in enumerate(pieces):
            names.append(f"{symbol}.{number}")
            live = self._read_later(last) if last < len(self.steps) else set()
            self._print_piece(names[-1], self.steps[first:last], live, len(pieces) == 1)
        calls = "\n".join(f"  call void @{name}(ptr %frame, i64 %row)" for name in names)
        self.module.define(f"""define void @{symbol}(ptr %frame, i64 %first, i64 %last) nounwind {{
entry:
  %some = icmp slt i64 %first, %last
  br i1 %some, label %loop, label %done
loop:
  %row = phi i64 [ %first, %entry ], [ %next, %loop ]
{calls}
  %next = add i64 %row, {self.lanes}
  %more = icmp slt i64 %next, %last
  br i1 %more, label %loop, label %done
done:
  ret void
}}
""")

    def _pieces(self) -> list[tuple[int, int]]:
        pieces = []
        first = size = 0
        for index, step in enumerate(self.steps):
            size += step.elements
            if size >= FUNCTION_STEPS:
                pieces.append((first, index + 1))
                first, size = index + 1, 0
        if first < len(self.steps) or not pieces:
            pieces.append((first, len(self.steps)))
        return pieces

    def _read_later(self, start: int) -> set[int]:
        """The places of the workspace whose values steps from `start` on read before they write them."""
        if not hasattr(self, "_live_at"):
            self._live_at = self._live_places()
        return self._live_at[start]

    def _live_places(self) -> dict[int, set[int]]:
        starts = {first for first, _ in self._pieces()}
        live: set[int] = set()
        found = {}
        for index in range(len(self.steps) - 1, -1, -1):
            read, written = self._touched(self.steps[index])
            live = (live - written) | read
            if index in starts:
                found[index] = set(live)
        return found

    def _touched(self, step: _Step) -> tuple[set[int], set[int]]:
        """The places that a step reads and those that it writes."""
        read: set[int] = set()
        written: set[int] = set()
        cls = step.action_class
        if step.spec is not None:
            for k, name in enumerate(step.names()):
                base, offset = step.pointers[k] if k < len(step.pointers) else (NULL, 0)
                if base != WORKSPACE:
                    continue
                places = {offset + e * step.strides[k] for e in range(step.elements)}
                if cls in NAMES:
                    (written if k == 0 else read).update(places)
                elif name.endswith("_bar") and name != "y_bar":
                    if not step.spec.fresh >> "abc".index(name[0]) & 1:
                        read.update(places)
                    written.update(places)
                else:
                    read.update(places)
            return read, written
        width = step.item * self.lanes
        offset = step.pointers[0][1]
        if cls == ZERO:
            written.update(range(offset, offset + step.count, 4))
        elif cls in (LOAD, WIDEN):
            written.update(offset + e * width for e in range(step.count))
        elif cls in (FILL, COPY):
            written.update(offset + e * width for e in range(step.elements))
            if cls == COPY and step.pointers[1][0] == WORKSPACE:
                read.update(step.pointers[1][1] + e * width for e in range(step.elements))
        elif cls in (STORE, REDUCE):
            read.update(offset + e * width for e in range(step.count))
        elif step.pointers[0][0] == WORKSPACE:  # guards
            width = self.lanes * (BITS[DTYPES[step.item]] // 8 or 1)
            read.update(offset + e * width for e in range(step.count))
        return read, written

    def _print_piece(self, symbol: str, steps: Sequence[_Step], live: set[int], is_whole: bool) -> None:
        piece = _Piece(self)
        for step in steps:
            piece.step(step)
        piece.leave(live)
        inlining = "alwaysinline" if is_whole else "noinline"
        self.module.define(f"define internal void @{symbol}(ptr noalias %frame, i64 %row) {inlining} nounwind {{\nentry:\n"
                           f"{piece.printer.text()}\n  ret void\n}}\n")


class _Piece:
    """Prints steps into one function: `values` says which register holds each place of the workspace."""

    def __init__(self, function: _Function) -> None:
        self.function = function
        self.lanes = function.lanes
        self.printer = Printer(function.module, self.lanes, "v", "float64")
        self.values: dict[int, Value | None] = {}  # None: zero, of any dtype
        self.written: set[int] = set()
        self.bases: dict[int, str] = {}
        self.failed: Value | None = None

    # --- memory -----------------------------------------------------------------------------------------------------------------

    def word(self, index: int) -> str:
        """A word of the frame, which does not change while the function runs."""
        address = self.printer.emit("", f"getelementptr i64, ptr %frame, i64 {index}").text
        return self.printer.emit("int64", f"load i64, ptr {address}, !invariant.load !1").text

    def base(self, index: int) -> str:
        """A word of the frame as a pointer."""
        self.printer.module.declare("!1 = !{}")
        return self.printer.emit("", f"inttoptr i64 {self.word(index)} to ptr").text

    def at(self, base: str, offset: int | str) -> str:
        """A pointer some bytes on."""
        return self.printer.emit("", f"getelementptr i8, ptr {base}, i64 {offset}").text

    def memory_type(self, dtype: str) -> str:
        """The type of a value's lanes in memory."""
        return self.printer.vector("i8" if dtype == "bool" else IR_TYPES[dtype])

    def load(self, address: str, dtype: str, align: int) -> Value:
        """All lanes from memory that may change."""
        printer = self.printer
        name = printer.fresh()
        printer.line(f"{name} = load {self.memory_type(dtype)}, ptr {address}, align {align}")
        if dtype != "bool":
            return Value(dtype, name)
        zero = "zeroinitializer" if self.lanes > 1 else "0"
        return printer.emit("bool", f"icmp ne {self.memory_type(dtype)} {name}, {zero}")

    def store(self, address: str, value: Value, align: int) -> None:
        """All lanes into memory."""
        printer = self.printer
        text, type_ = value.text, self.memory_type(value.dtype)
        if value.dtype == "bool":
            text = printer.emit("", f"zext {printer.ir_type('bool')} {text} to {type_}").text
        printer.line(f"store {type_} {text}, ptr {address}, align {align}")

    def scalar(self, offset: int, dtype: str) -> Value:
        """An element that all rows share, in every lane."""
        printer = self.printer
        address = self.at(self.base(UNIFORM), offset)
        if dtype == "bool":
            byte = printer.emit("", f"load i8, ptr {address}, !invariant.load !1").text
            return printer.splat("bool", printer.emit("", f"icmp ne i8 {byte}, 0").text)
        return printer.splat(dtype, printer.emit("", f"load {IR_TYPES[dtype]}, ptr {address}, !invariant.load !1").text)

    def read(self, pointer: tuple[int, int], dtype: str) -> Value:
        """The lanes of a value."""
        base, offset = pointer
        if base == UNIFORM:
            if self.lanes == 1:
                return self.scalar(offset, dtype)
            raise CannotCompile("a vector of lanes among values that all rows share")
        if offset in self.values:
            found = self.values[offset]
            if found is None:
                return self.printer.constant(dtype, 0)
            return found
        item = BITS[dtype] // 8 or 1
        align = min(item * self.lanes, 8 if self.lanes == 1 else 64)
        made = self.values[offset] = self.load(self.at(self.base(WORKSPACE), offset), dtype, align)
        return made

    def write(self, pointer: tuple[int, int], value: Value) -> None:
        """Let a place hold a value."""
        self.values[pointer[1]] = value
        self.written.add(pointer[1])

    def leave(self, live: set[int]) -> None:
        """At the end of the function: store what later functions read, and which rows failed."""
        for offset in sorted(self.written & live):
            value = self.values[offset]
            if value is None:
                printer = self.printer
                address = self.at(self.base(WORKSPACE), offset)
                printer.line(f"store {printer.vector('i64')} {'0' if self.lanes == 1 else 'zeroinitializer'}, ptr {address}, "
                             "align 4")
                continue
            item = BITS[value.dtype] // 8 or 1
            self.store(self.at(self.base(WORKSPACE), offset), value, min(64, item * self.lanes))
        if self.failed is not None:
            self.store(self._failed_place(), self.failed, 4)

    # --- steps ------------------------------------------------------------------------------------------------------------------

    def step(self, step: _Step) -> None:
        """Print one step."""
        cls = step.action_class
        if step.spec is not None:
            for element in range(step.elements):
                self.compute(step, element)
        elif cls == LOAD:
            for element in range(step.count):
                self.load_row(step, element)
        elif cls in (STORE, REDUCE):
            for element in range(step.count):
                (self.store_row if cls == STORE else self.add_row)(step, element)
        elif cls == ZERO:
            for offset in range(step.pointers[0][1], step.pointers[0][1] + step.count, 4 if self.lanes == 1 else 4 * self.lanes):
                self.values[offset] = None
                self.written.add(offset)
        elif cls == FILL:
            dtype = "float64" if step.item == 8 else "float32"
            bits = np.int64(step.expected).view(np.float64) if step.item == 8 else np.int32(step.expected).view(np.float32)
            number = float(bits)
            for element in range(step.elements):
                place = (WORKSPACE, step.pointers[0][1] + element * step.item * self.lanes)
                self.write(place, self.printer.constant(dtype, number))
        elif cls in (GUARD_TRUTH, GUARD_INTEGER, GUARD_VALUE):
            self.guard(step)
        else:
            raise CannotCompile(f"steps of class {cls}")

    def compute(self, step: _Step, element: int) -> None:
        """Print a row's formula, or its pullback, for one element of every lane."""
        spec = step.spec
        assert spec is not None
        kernel = Kernel(self.printer.module, spec)
        pointers = {name: (base, offset + element * stride) for name, (base, offset), stride in
                    zip(step.names(), step.pointers, step.strides, strict=False) if base != NULL}
        self.printer.dtype = spec.result
        values = {}
        for name, dtype in kernel.loaded().items():
            is_scalar = name in "abc" and spec.scalars >> "abc".index(name) & 1
            values[name] = self.scalar(pointers[name][1], dtype) if is_scalar else self.read(pointers[name], dtype)
        kernel.element(self.printer, values, _Places(self, pointers), {})

    def rows(self, buffer: int, element: int) -> str:
        """Where an element of the first of the rows at hand lies in a buffer."""
        printer = self.printer
        start = self.base(F_BUFFERS + 3 * buffer)
        stride, step = self.word(F_BUFFERS + 3 * buffer + 1), self.word(F_BUFFERS + 3 * buffer + 2)
        skipped = printer.emit("int64", f"mul i64 %row, {stride}").text
        address = self.at(start, skipped)
        if element:
            address = self.at(address, printer.emit("int64", f"mul i64 {step}, {element}").text)
        return address

    def lane_addresses(self, address: str, buffer: int) -> list[str]:
        """Where each row lies."""
        stride = self.word(F_BUFFERS + 3 * buffer + 1)
        return [self.at(address, self.printer.emit("int64", f"mul i64 {stride}, {lane}").text) if lane else address
                for lane in range(self.lanes)]

    def prefetch(self, address: str) -> None:
        """Fetch a cache line that will be read soon."""
        self.printer.module.declare("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        self.printer.line(f"call void @llvm.prefetch.p0(ptr {address}, i32 0, i32 3, i32 1)")

    def load_row(self, step: _Step, element: int) -> None:
        printer = self.printer
        dtype = self.function.schedule.dtypes[step.buffer]
        address = self.rows(step.buffer, element)
        layout = self.function.layout[step.buffer]
        place = (WORKSPACE, step.pointers[0][1] + element * step.item * self.lanes)
        if layout == BESIDE or self.lanes == 1:
            if layout == BESIDE:  # each element is a stream of its own: too many for the hardware to foresee
                self.prefetch(self.at(address, AHEAD))
            self.write(place, self.load(address, dtype, step.item))
            return
        type_ = "i8" if dtype == "bool" else IR_TYPES[dtype]
        if layout == SAME and dtype != "bool":
            one = printer.fresh()
            printer.line(f"{one} = load {type_}, ptr {address}, align {step.item}")
            self.write(place, printer.splat(dtype, one))
            return
        vector = "poison"
        if element % (64 // step.item) == 0:
            stride = self.word(F_BUFFERS + 3 * step.buffer + 1)
            next_block = printer.emit("int64", f"mul i64 {stride}, {self.lanes}").text
            for at in self.lane_addresses(address, step.buffer):
                self.prefetch(self.at(at, next_block))
        for lane, at in enumerate(self.lane_addresses(address, step.buffer)):
            one, whole = printer.fresh(), printer.fresh()
            printer.line(f"{one} = load {type_}, ptr {at}, align {step.item}")
            printer.line(f"{whole} = insertelement {self.memory_type(dtype)} {vector}, {type_} {one}, i64 {lane}")
            vector = whole
        if dtype == "bool":
            self.write(place, printer.emit("bool", f"icmp ne {self.memory_type(dtype)} {vector}, zeroinitializer"))
        else:
            self.write(place, Value(dtype, vector))

    def store_row(self, step: _Step, element: int) -> None:
        printer = self.printer
        dtype = self.function.schedule.dtypes[step.buffer]
        value = self.read((step.pointers[0][0], step.pointers[0][1] + element * step.item * self.lanes), dtype)
        # the layout of a result is C: its elements lie beside each other
        address = self.base(F_BUFFERS + 3 * step.buffer)
        stride = self.word(F_BUFFERS + 3 * step.buffer + 1)
        address = self.at(address, printer.emit("int64", f"mul i64 %row, {stride}").text)
        if element:
            address = self.at(address, element * step.item)
        if self.function.layout[step.buffer] == BESIDE or self.lanes == 1:
            self.store(address, value, step.item)
            return
        text, type_, whole = value.text, IR_TYPES[dtype], self.memory_type(dtype)
        if dtype == "bool":
            type_, text = "i8", printer.emit("", f"zext {printer.ir_type('bool')} {text} to {whole}").text
        for lane, at in enumerate(self.lane_addresses(address, step.buffer)):
            one = printer.emit("", f"extractelement {whole} {text}, i64 {lane}").text
            printer.line(f"store {type_} {one}, ptr {at}, align {step.item}")

    def add_row(self, step: _Step, element: int) -> None:
        """Add the rows that passed their guards to the partial sums, in the order of rows."""
        printer = self.printer
        dtype = "float64" if step.item == 8 else "float32"
        value = self.read((step.pointers[0][0], step.pointers[0][1] + element * step.item * self.lanes), dtype)
        address = self.at(self.base(F_PARTIAL), step.buffer + element * SUM_LANES * 8)
        if self.lanes % SUM_LANES:
            raise CannotCompile("sums over fewer lanes than a partial sum has")
        if self.function.has_guards:
            passed = printer.compare(ast.Eq, self.failures(), 0)
            kept = printer.where(passed, value, 0.0)
            assert isinstance(kept, Value)
            value = kept
        wide = f"<{SUM_LANES} x double>"
        for first in range(0, self.lanes, SUM_LANES):
            text = value.text
            element_type = f"<{SUM_LANES} x {IR_TYPES[dtype]}>"
            if self.lanes > SUM_LANES:
                mask = ", ".join(f"i32 {lane}" for lane in range(first, first + SUM_LANES))
                vector = printer.ir_type(dtype)
                text = printer.emit("", f"shufflevector {vector} {text}, {vector} poison, <{SUM_LANES} x i32> <{mask}>").text
            if dtype == "float32":
                text = printer.emit("", f"fpext {element_type} {text} to {wide}").text
            old, new = printer.fresh(), printer.fresh()
            printer.line(f"{old} = load {wide}, ptr {address}, align 8")
            printer.line(f"{new} = fadd {wide} {old}, {text}")
            printer.line(f"store {wide} {new}, ptr {address}, align 8")

    # --- guards -----------------------------------------------------------------------------------------------------------------

    def _failed_place(self) -> str:
        start = self.base(F_FAILED)
        return self.at(start, self.printer.emit("int64", "mul i64 %row, 4").text)

    def failures(self) -> Value:
        """For each row 0, or 1 + the number of the guard that failed first."""
        if self.failed is None:
            self.failed = self.load(self._failed_place(), "int32", 4)
        return self.failed

    def guard(self, step: _Step) -> None:
        """Note the rows whose decision differs."""
        printer = self.printer
        dtype = DTYPES[step.item]
        width = self.lanes * (BITS[dtype] // 8 or 1)
        wrong: Any = None
        for element in range(step.count):
            base, offset = step.pointers[0]
            value = self.read((base, offset + element * width), dtype)
            if step.action_class == GUARD_TRUTH:
                truth = value if dtype == "bool" else printer.compare(ast.NotEq, value, 0)
                one = printer.unary(ast.Invert, truth) if step.expected else truth
            elif step.action_class == GUARD_INTEGER:
                if dtype == "bool":
                    value = printer.convert(value, "int64")
                if KIND[dtype] == "float":
                    value = printer.intrinsic("trunc", value)
                one = printer.unary(ast.Invert, printer.compare(ast.Eq, value, step.expected))
            else:
                one = self._differs(value, self.scalar(step.pointers[1][1] + element * (BITS[dtype] // 8 or 1), dtype), dtype)
            wrong = one if wrong is None else printer.binary(ast.BitOr, wrong, one)
        if wrong is None:
            return
        before = self.failures()
        is_first = printer.binary(ast.BitAnd, printer.compare(ast.Eq, before, 0), wrong)
        self.failed = printer.where(is_first, step.buffer + 1, before)  # type: ignore[assignment]

    def _differs(self, value: Value, expected: Value, dtype: str) -> Any:
        printer = self.printer
        if KIND[dtype] != "float":
            return printer.compare(ast.NotEq, value, expected) if dtype != "bool" else printer.binary(ast.BitXor, value, expected)
        integer = "int64" if dtype == "float64" else "int32"
        bits = printer.compare(ast.NotEq, printer.bitcast(value, integer), printer.bitcast(expected, integer))
        is_nan, was_nan = printer.compare(ast.NotEq, value, value), printer.compare(ast.NotEq, expected, expected)
        both = printer.binary(ast.BitAnd, is_nan, was_nan)
        return printer.binary(ast.BitAnd, bits, printer.unary(ast.Invert, both))


class _Places:
    """Where a kernel's results go: into registers."""

    adds: ClassVar[dict[str, Value]] = {}  # what is written first is a kernel of its own

    def __init__(self, piece: _Piece, pointers: dict[str, tuple[int, int]]) -> None:
        self.piece = piece
        self.pointers = pointers

    @property
    def mask(self) -> Value:
        """All lanes count."""
        raise AssertionError("a compiled tape sums no adjoints over lanes")

    def store(self, name: str, value: Value) -> None:
        """Let the result be a value."""
        self.piece.write(self.pointers[name], value)

    def add(self, name: str, value: Value) -> None:
        """Let an adjoint gain a value."""
        old = self.piece.read(self.pointers[name], value.dtype)
        total = self.piece.printer.binary(ast.Add, old, value)
        assert isinstance(total, Value)
        self.piece.write(self.pointers[name], total)


