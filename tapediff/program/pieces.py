"""Prints the steps of a schedule into one function: what the steps say of memory is followed in registers.

`values` says which register holds each place of the workspace. Memory is brought up to date only for kernels that are called, for
the interpreter's loop where it runs a step, and for the functions that come behind.
"""

from __future__ import annotations

import ast
import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from tapediff.kernels.formula import Printer
from tapediff.kernels.instructions import BITS, IR_TYPES, KIND, Module, Value
from tapediff.kernels.loop import Kernel
from tapediff.program.layout import (
    A_COUNT,
    A_FIELDS,
    A_KERNEL,
    CALL,
    F_ACTIONS,
    F_BUFFERS,
    F_CODE,
    F_FAILED,
    F_PARTIAL,
    F_POINTERS,
    F_STEPS,
    FILL,
    GUARD_INTEGER,
    GUARD_TRUTH,
    LOAD,
    NULL,
    READS,
    STORE,
    SUM_LANES,
    UNIFORM,
    WORKSPACE,
    WRITES,
    ZERO,
)
from tapediff.program.steps import CALLED, DTYPES, PRINTED, Step

__all__ = ["APART", "BESIDE", "DENSE", "SAME", "STEADY", "Inputs", "Piece"]

APART, BESIDE, SAME, DENSE, STEADY = range(5)
FETCHES = 0.5  # cache lines for each formula
AHEAD = 128  # bytes that rows which lie beside each other are fetched ahead
ARGUMENTS = {False: 4, True: 8}  # pointers that a forward kernel takes, and a reverse one


class _TapePrinter(Printer):
    """Prints formulas where more is known of some values than in a kernel.

    steady  values that are finite and not zero: numbers that the program was recorded with, and inputs that all rows share
    """

    def __init__(self, module: Module, lanes: int) -> None:
        super().__init__(module, lanes, "v", "float64")
        self.steady: set[str] = set()

    def call(self, name: str, *arguments: Any) -> Any:
        """As in a kernel. A product by a steady value needs no test of its adjoint for zero: 0 * c + 0 is 0, and c is not inf;
        the sum is rounded once, so that a product too small for the dtype keeps its sign."""
        if name != "zero_product" or not isinstance(arguments[0], Value):
            return super().call(name, *arguments)
        adjoint, factor = arguments
        if isinstance(factor, Value):
            is_steady = factor.text in self.steady and factor.dtype == adjoint.dtype
        else:
            is_steady = factor != 0 and math.isfinite(factor)
        if is_steady and self.module.has_fma:
            return self.intrinsic("fma", adjoint, factor, 0.0)
        if self.lanes > 1:
            return super().call(name, adjoint, factor)
        product = self.binary(ast.Mult, adjoint, factor)  # waits for the factors only: the branch is foreseen
        self.module.declare('!2 = !{!"branch_weights", i32 100000, i32 1}')
        outer, self.dtype = self.dtype, adjoint.dtype
        result = self.branch(self.compare(ast.NotEq, adjoint, 0), lambda: product, lambda: 0.0, ", !prof !2")
        self.dtype = outer
        return result


class Inputs:
    """Which places hold elements of rows that were not read yet: they are read in the function that needs them.

    pending  place -> (step, element)
    fetched  what was fetched ahead
    """

    def __init__(self) -> None:
        self.pending: dict[int, tuple[Step, int]] = {}
        self.fetched: set[tuple[int, int]] = set()


class Piece:
    """Prints steps into one function: `values` says which register holds each place of the workspace."""

    def __init__(self, module: Module, lanes: int, layout: Sequence[int], dtypes: Sequence[str], has_guards: bool,
                 inputs: Inputs, steady: Mapping[str, Any]) -> None:
        self.lanes = lanes
        self.inputs = inputs
        self.layout = layout
        self.dtypes = dtypes
        self.has_guards = has_guards
        self.printer = _TapePrinter(module, lanes)
        self.steady = steady
        self.values: dict[int, Value | None] = {}  # None: zeros, four bytes in each lane
        self.unstored: set[int] = set()  # places whose value memory does not have yet
        self.order: list[int] = []  # places that ever were in `values`, ascending
        self.ordered: set[int] = set()
        self.failed: Value | None = None
        self.is_failed_unstored = False
        self.labels = 0
        self.waiting: deque[str] = deque()  # addresses to be fetched
        self.due = 0.0

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
        found = printer.splat(dtype, printer.emit("", f"load {IR_TYPES[dtype]}, ptr {address}, !invariant.load !1").text)
        if dtype in self.steady and self.steady[dtype][offset // (BITS[dtype] // 8)]:
            printer.steady.add(found.text)
        return found

    def read(self, pointer: tuple[int, int], dtype: str) -> Value:
        """The lanes of a value."""
        base, offset = pointer
        if base == UNIFORM:
            if self.lanes == 1:
                return self.scalar(offset, dtype)
            raise AssertionError("a vector of lanes among values that all rows share")
        if offset not in self.values and offset in self.inputs.pending:
            self.load_element(*self.inputs.pending[offset])
        if offset in self.values:
            found = self.values[offset]
            if found is None:
                return self.printer.constant(dtype, 0)
            return found
        width = (BITS[dtype] // 8 or 1) * self.lanes
        made = self.values[offset] = self.load(self.at(self.base(WORKSPACE), offset), dtype, self._alignment(width))
        self._note(offset)
        return made

    def write(self, pointer: tuple[int, int], value: Value | None) -> None:
        """Let a place hold a value."""
        offset = pointer[1]
        width = 4 * self.lanes if value is None else self._width(value)
        for inside in range(offset + self.lanes, offset + width, self.lanes):  # narrower values that lay here before
            self._drop(inside)
        self._drop(offset)
        self.values[offset] = value
        self.unstored.add(offset)
        self._note(offset)

    def _drop(self, offset: int) -> None:
        self.values.pop(offset, None)
        self.unstored.discard(offset)
        self.inputs.pending.pop(offset, None)

    def _note(self, offset: int) -> None:
        if offset not in self.ordered:
            self.ordered.add(offset)
            insort(self.order, offset)

    @staticmethod
    def _alignment(width: int) -> int:
        """Of a place in the workspace for so many bytes: small ones lie at multiples of 8."""
        return 64 if width % 64 == 0 else min(width, 8)

    def _width(self, value: Value) -> int:
        return (BITS[value.dtype] // 8 or 1) * self.lanes

    def _store_place(self, offset: int) -> None:
        value = self.values[offset]
        address = self.at(self.base(WORKSPACE), offset)
        if value is None:
            zero = "0" if self.lanes == 1 else "zeroinitializer"
            self.printer.line(f"store {self.printer.vector('i32')} {zero}, ptr {address}, align 4")
        else:
            self.store(address, value, self._alignment(self._width(value)))
        self.unstored.discard(offset)

    def _within(self, offset: int, nbytes: int) -> list[int]:
        """The places in a part of the workspace that ever held a value."""
        order = self.order
        return order[bisect_left(order, offset):bisect_left(order, offset + nbytes)]

    def publish(self, step: Step) -> None:
        """Bring memory up to date where a step reads it."""
        for offset, nbytes, how in step.reaches():
            if how & READS:
                if self.inputs.pending:
                    self._load_within(offset, nbytes)
                for place in self._within(offset, nbytes):
                    if place in self.unstored:
                        self._store_place(place)

    def _load_within(self, offset: int, nbytes: int) -> None:
        """Read what memory is to hold in a part of the workspace."""
        for place, (step, element) in list(self.inputs.pending.items()):
            if offset <= place < offset + nbytes:
                self.load_element(step, element)
                if self.inputs.pending.pop(place, None) is not None:
                    self.unstored.add(place)

    def forget(self, step: Step) -> None:
        """Memory has what a step wrote, registers do not."""
        for offset, nbytes, how in step.reaches():
            if how & WRITES:
                for place in self._within(offset, nbytes):
                    self._drop(place)
                if self.inputs.pending:
                    for place in [place for place in self.inputs.pending if offset <= place < offset + nbytes]:
                        self._drop(place)

    def leave(self, live: set[int]) -> None:
        """At the end of the function: store what later functions read, and which rows failed."""
        for offset in sorted(self.unstored & live):
            if offset not in self.unstored:
                continue
            self._store_place(offset)
            behind = offset + 4 * self.lanes  # the other half of a zero of eight bytes
            if self.values[offset] is None and behind in self.unstored and self.values[behind] is None:
                self._store_place(behind)
        self.publish_failures()

    def publish_failures(self) -> None:
        """Bring the numbers of failed guards in memory up to date."""
        if self.failed is not None and self.is_failed_unstored:
            self.store(self._failed_place(), self.failed, 4)
            self.is_failed_unstored = False

    # --- steps ------------------------------------------------------------------------------------------------------------------

    def steps(self, steps: Sequence[Step]) -> None:
        """Print steps; neighbours that the interpreter runs in one call of it."""
        waiting: list[Step] = []
        for step in steps:
            if waiting and (step.doer in (PRINTED, CALLED) or step.at != waiting[-1].at + 1 + len(waiting[-1].pointers)):
                self.interpret(waiting)
                waiting = []
            if step.doer == PRINTED:
                self.print(step)
            elif step.doer == CALLED:
                self.call(step)
            else:
                waiting.append(step)
        if waiting:
            self.interpret(waiting)
        self.fetch(len(self.waiting) + 1)

    def print(self, step: Step) -> None:
        """Print what one step does."""
        cls = step.action_class
        if step.spec is not None:
            for element in range(step.elements):
                self.compute(step, element)
                self.fetch(FETCHES)
        elif cls == LOAD:
            self.load_rows(step)
        elif cls == STORE:
            self.store_rows(step)
        elif cls == ZERO:
            for offset in range(step.pointers[0][1], step.pointers[0][1] + step.count, 4 * self.lanes):
                self.write((WORKSPACE, offset), None)
        elif cls == FILL:
            dtype = "float64" if step.item == 8 else "float32"
            bits = np.int64(step.expected).view(np.float64) if step.item == 8 else np.int32(step.expected).view(np.float32)
            for element in range(step.elements):
                place = (WORKSPACE, step.pointers[0][1] + element * step.item * self.lanes)
                self.write(place, self.printer.constant(dtype, float(bits)))
        elif cls >= GUARD_TRUTH:
            self.guard(step)
        else:
            for element in range(step.count):
                self.add_row(step, element)

    # --- calls ------------------------------------------------------------------------------------------------------------------

    def field(self, number: int, field: int) -> str:
        """A word of an action: kernels and parameters lie elsewhere in each process, so their addresses are read."""
        address = self.at(self.base(F_ACTIONS), (number * A_FIELDS + field) * 8)
        return self.printer.emit("int64", f"load i64, ptr {address}, !invariant.load !1").text

    def address(self, pointer: tuple[int, int]) -> str:
        """A pointer of a step as an IR pointer."""
        base, offset = pointer
        return "null" if base == NULL else self.at(self.base(base), offset)

    def call(self, step: Step) -> None:
        """Call the kernel of a step."""
        self.publish(step)
        printer = self.printer
        kernel = printer.emit("", f"inttoptr i64 {self.field(step.number, A_KERNEL)} to ptr").text
        if step.action_class == CALL:
            memory = self.base(F_POINTERS)
            for k, pointer in enumerate(step.pointers):
                printer.line(f"store ptr {self.address(pointer)}, ptr {self.at(memory, 8 * k)}, align 8")
            addresses = [memory, "null", "null", "null"]
        else:
            addresses = [self.address(pointer) for pointer in self._arguments(step)]
        arguments = ", ".join(f"ptr {address}" for address in addresses)
        printer.line(f"call void {kernel}(i64 {self.field(step.number, A_COUNT)}, {arguments})")
        self.forget(step)

    @staticmethod
    def _arguments(step: Step) -> list[tuple[int, int]]:
        """The pointers of a step in the order in which its kernel takes them."""
        found, none = step.pointers, (NULL, 0)
        if len(found) == 3:  # FORWARD2
            return [*found, none]
        if len(found) == 6:  # REVERSE2
            return [*found[:4], none, *found[4:], none]
        return found

    def interpret(self, steps: Sequence[Step]) -> None:
        """Have the interpreter's loop run steps that lie behind each other."""
        for step in steps:
            self.publish(step)
        self.publish_failures()
        printer = self.printer
        first, last = steps[0].at, steps[-1].at + 1 + len(steps[-1].pointers)
        run = printer.emit("", f"inttoptr i64 {self.word(F_STEPS)} to ptr").text
        frame = printer.emit("int64", "ptrtoint ptr %frame to i64").text
        printer.line(f"call i64 {run}(i64 {self.word(F_CODE)}, i64 {first}, i64 {last}, i64 {self.word(F_ACTIONS)}, i64 {frame})")
        for step in steps:
            self.forget(step)
        self.failed = None
        if self.lanes == 1 and any(step.action_class >= GUARD_TRUTH for step in steps):
            failed = printer.fresh()
            printer.line(f"{failed} = load i32, ptr {self._failed_place()}, align 4")
            wrong = printer.emit("bool", f"icmp ne i32 {failed}, 0")
            self._stop_where(wrong, None)

    def _stop_where(self, wrong: Value, number: int | None) -> None:
        """Leave the function, without lanes, where a guard failed: what comes may rely on it, as an index on its range."""
        printer = self.printer
        self.labels += 1
        stop, on = f"stop.{self.labels}", f"on.{self.labels}"
        printer.module.declare('!0 = !{!"branch_weights", i32 1, i32 100000}')
        address = self._failed_place()
        printer.line(f"br i1 {wrong.text}, label %{stop}, label %{on}, !prof !0")
        printer.begin(stop)
        if number is not None:
            printer.line(f"store i32 {number}, ptr {address}, align 4")
        printer.line("ret void")
        printer.begin(on)

    def compute(self, step: Step, element: int) -> None:
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
            is_shared = is_scalar and pointers[name][0] == UNIFORM
            values[name] = self.scalar(pointers[name][1], dtype) if is_shared else self.read(pointers[name], dtype)
        kernel.element(self.printer, values, _Places(self, pointers), {})

    # --- rows -------------------------------------------------------------------------------------------------------------------

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
        """Fetch a cache line that will be read soon, not at once: many together would hold up what is loaded meanwhile."""
        self.waiting.append(address)

    def fetch(self, share: float) -> None:
        """Print the part of the waiting fetches that is due."""
        self.due += share
        while self.due >= 1 and self.waiting:
            self.due -= 1
            self.printer.module.declare("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
            self.printer.line(f"call void @llvm.prefetch.p0(ptr {self.waiting.popleft()}, i32 0, i32 3, i32 1)")

    def place_of(self, step: Step, element: int) -> tuple[int, int]:
        """Where an element of a step that moves rows lies in the workspace."""
        return step.pointers[0][0], step.pointers[0][1] + element * step.item * self.lanes

    def load_rows(self, step: Step) -> None:
        """Note the elements of rows, which are loaded where they are read."""
        for element in range(step.count):
            place = self.place_of(step, element)[1]
            for inside in range(place, place + step.item * self.lanes, self.lanes):
                self._drop(inside)
            self.inputs.pending[place] = step, element

    def load_element(self, step: Step, element: int) -> None:
        """Print the load of an element of each row.

        Squares of elements that lie beside each other are turned in registers; these, and what is gathered from rows apart, are
        kept for later functions, others are loaded again there.
        """
        size = min(self.lanes, 64 // step.item)
        first = element // size * size
        layout = self.layout[step.buffer]
        if layout == DENSE and self.lanes > 1 and self._is_float_row(step) and first + size <= step.count:
            self._load_square(step, first, size)
            return
        value = self.load_row(step, element)
        place = self.place_of(step, element)
        if layout in (APART, DENSE) and self.lanes > 1:
            self.write(place, value)
        else:
            self.values[place[1]] = value
            self._note(place[1])

    def _load_square(self, step: Step, first: int, size: int) -> None:
        dtype = self.dtypes[step.buffer]
        rows = [self.at(lane, first * step.item) for lane in self.lane_addresses(self.rows(step.buffer, 0), step.buffer)]
        if first * step.item % 64 < size * step.item:
            self._prefetch_next(step.buffer, first, rows)
        parts = [self._square(dtype, size, rows[group:group + size]) for group in range(0, self.lanes, size)]
        for k in range(size):
            if self.place_of(step, first + k)[1] in self.inputs.pending:
                self.write(self.place_of(step, first + k), self._joined(dtype, [part[k] for part in parts], size))

    def _is_float_row(self, step: Step) -> bool:
        return self.dtypes[step.buffer] in ("float32", "float64")

    def _square(self, dtype: str, size: int, addresses: Sequence[str]) -> list[str]:
        """Rows of `size` elements each, loaded and turned: one vector for each element."""
        printer = self.printer
        type_ = f"<{size} x {IR_TYPES[dtype]}>"
        rows = []
        for address in addresses:
            name = printer.fresh()
            printer.line(f"{name} = load {type_}, ptr {address}, align {BITS[dtype] // 8}")
            rows.append(name)
        return self._turned(type_, size, rows)

    def _turned(self, type_: str, size: int, rows: list[str]) -> list[str]:
        """The transpose of a square in registers: halves of rows are exchanged until rows are columns."""
        half = size // 2
        while half:
            masks = []
            for low in (True, False):
                picked = [(k if not k & half else size + k - half) if low else (k + half if not k & half else size + k)
                          for k in range(size)]
                masks.append(f"<{size} x i32> <{', '.join(f'i32 {k}' for k in picked)}>")
            exchanged = list(rows)
            for k in range(size):
                if not k & half:
                    for to, mask in zip((k, k + half), masks, strict=True):
                        exchanged[to] = self.printer.emit(
                            "", f"shufflevector {type_} {rows[k]}, {type_} {rows[k + half]}, {mask}").text
            rows = exchanged
            half //= 2
        return rows

    def _joined(self, dtype: str, parts: list[str], size: int) -> Value:
        """Vectors behind each other as one of all lanes."""
        while len(parts) > 1:
            type_ = f"<{size} x {IR_TYPES[dtype]}>"
            mask = f"<{2 * size} x i32> <{', '.join(f'i32 {k}' for k in range(2 * size))}>"
            parts = [self.printer.emit("", f"shufflevector {type_} {parts[k]}, {type_} {parts[k + 1]}, {mask}").text
                     for k in range(0, len(parts), 2)]
            size *= 2
        return Value(dtype, parts[0])

    def _prefetch_next(self, buffer: int, element: int, addresses: Sequence[str]) -> None:
        """Fetch what the next block will read at these places."""
        if (buffer, element) in self.inputs.fetched:
            return
        self.inputs.fetched.add((buffer, element))
        stride = self.word(F_BUFFERS + 3 * buffer + 1)
        next_block = self.printer.emit("int64", f"mul i64 {stride}, {self.lanes}").text
        for address in addresses:
            self.prefetch(self.at(address, next_block))

    def load_row(self, step: Step, element: int) -> Value:
        """Print the load of one element of each row."""
        printer = self.printer
        dtype = self.dtypes[step.buffer]
        address = self.rows(step.buffer, element)
        layout = self.layout[step.buffer]
        if layout == BESIDE or self.lanes == 1:
            if layout == BESIDE and (step.buffer, element) not in self.inputs.fetched:
                self.inputs.fetched.add((step.buffer, element))
                width = step.item * self.lanes  # each element is a stream of its own: too many for the hardware to foresee
                for line in range(0, width, 64):
                    self.prefetch(self.at(address, max(AHEAD, 2 * width) + line))
            return self.load(address, dtype, step.item)
        type_ = "i8" if dtype == "bool" else IR_TYPES[dtype]
        if layout in (SAME, STEADY) and dtype != "bool":
            one = printer.fresh()
            printer.line(f"{one} = load {type_}, ptr {address}, align {step.item}")
            found = printer.splat(dtype, one)
            if layout == STEADY:
                printer.steady.add(found.text)
            return found
        vector = "poison"
        addresses = self.lane_addresses(address, step.buffer)
        if element % (64 // step.item) == 0 and layout != SAME:
            self._prefetch_next(step.buffer, element, addresses)
        for lane, at in enumerate(addresses):
            one, whole = printer.fresh(), printer.fresh()
            printer.line(f"{one} = load {type_}, ptr {at}, align {step.item}")
            printer.line(f"{whole} = insertelement {self.memory_type(dtype)} {vector}, {type_} {one}, i64 {lane}")
            vector = whole
        if dtype == "bool":
            return printer.emit("bool", f"icmp ne {self.memory_type(dtype)} {vector}, zeroinitializer")
        return Value(dtype, vector)

    def store_rows(self, step: Step) -> None:
        """Print the stores of all elements of a row; results have their elements beside each other."""
        first = 0
        size = min(self.lanes, 64 // step.item)
        if self.layout[step.buffer] == APART and self.lanes > 1 and step.item >= 4 and self._is_float_row(step):
            dtype = self.dtypes[step.buffer]
            type_, whole = f"<{size} x {IR_TYPES[dtype]}>", self.memory_type(dtype)
            lanes = self.lane_addresses(self._result(step, 0), step.buffer)
            for first in range(0, step.count - size + 1, size):
                values = [self.read(self.place_of(step, first + k), dtype).text for k in range(size)]
                for group in range(0, self.lanes, size):
                    mask = f"<{size} x i32> <{', '.join(f'i32 {group + k}' for k in range(size))}>"
                    parts = values if size == self.lanes else [
                        self.printer.emit("", f"shufflevector {whole} {value}, {whole} poison, {mask}").text for value in values]
                    for row, lane in zip(self._turned(type_, size, parts), lanes[group:group + size], strict=True):
                        self.printer.line(f"store {type_} {row}, ptr {self.at(lane, first * step.item)}, align {step.item}")
            first = step.count // size * size
        for element in range(first, step.count):
            self.store_row(step, element)

    def _result(self, step: Step, element: int) -> str:
        """Where an element of the first of the rows at hand lies in a result."""
        stride = self.word(F_BUFFERS + 3 * step.buffer + 1)
        skipped = self.printer.emit("int64", f"mul i64 %row, {stride}").text
        address = self.at(self.base(F_BUFFERS + 3 * step.buffer), skipped)
        return self.at(address, element * step.item) if element else address

    def store_row(self, step: Step, element: int) -> None:
        """Print the store of one element of each row."""
        printer = self.printer
        dtype = self.dtypes[step.buffer]
        value = self.read(self.place_of(step, element), dtype)
        address = self._result(step, element)
        if self.layout[step.buffer] == BESIDE or self.lanes == 1:
            self.store(address, value, step.item)
            return
        text, type_, whole = value.text, IR_TYPES[dtype], self.memory_type(dtype)
        if dtype == "bool":
            type_, text = "i8", printer.emit("", f"zext {printer.ir_type('bool')} {text} to {whole}").text
        for lane, at in enumerate(self.lane_addresses(address, step.buffer)):
            one = printer.emit("", f"extractelement {whole} {text}, i64 {lane}").text
            printer.line(f"store {type_} {one}, ptr {at}, align {step.item}")

    def add_row(self, step: Step, element: int) -> None:
        """Add the rows that passed their guards to the partial sums, in the order of rows."""
        printer = self.printer
        dtype = "float64" if step.item == 8 else "float32"
        value = self.read((step.pointers[0][0], step.pointers[0][1] + element * step.item * self.lanes), dtype)
        address = self.at(self.base(F_PARTIAL), step.buffer + element * SUM_LANES * 8)
        if self.has_guards:
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
        if self.failed is None:  # the interpreter's loop may have noted some
            self.failed = self.load(self._failed_place(), "int32", 4)
        return self.failed

    def guard(self, step: Step) -> None:
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
        if self.lanes == 1:
            self._stop_where(wrong, step.buffer + 1)
            return
        before = self.failures()
        is_first = printer.binary(ast.BitAnd, printer.compare(ast.Eq, before, 0), wrong)
        self.failed = printer.where(is_first, step.buffer + 1, before)  # type: ignore[assignment]
        self.is_failed_unstored = True

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

    def __init__(self, piece: Piece, pointers: dict[str, tuple[int, int]]) -> None:
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


