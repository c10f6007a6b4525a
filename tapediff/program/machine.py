"""The compiled tape: the steps of a schedule printed as straight-line LLVM IR.

The formulas of the rows are printed one after the other on vectors of as many rows as the schedule has lanes; values and adjoints
are registers, which LLVM spills where they do not fit. What the interpreter's steps say of memory is followed while printing, so
both executors mean the same and give the same bits. Structural steps call the kernels that the interpreter calls.

A long schedule is cut into functions of bounded size, since the time that LLVM takes for one function grows faster than its
length; what one of them leaves for another lies in the workspace.
"""

from __future__ import annotations

import functools
import hashlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tapediff.kernels.instructions import Module
from tapediff.kernels.library import KernelSpec, get_library
from tapediff.ops.custom import content_of
from tapediff.program.layout import A_COUNT, A_KERNEL, A_WORDS, F_FAILED, F_ROW, GUARD_TRUTH, READS, WRITES
from tapediff.program.pieces import APART, BESIDE, DENSE, SAME, STEADY, Inputs, Piece
from tapediff.program.schedule import Schedule
from tapediff.program.steps import INTERPRETED, PRINTED, Step, steps_of

__all__ = ["APART", "BESIDE", "DENSE", "SAME", "STEADY", "CannotCompile", "Size", "compile_schedule", "content_key",
           "print_schedule", "print_text", "size_of"]

# of one function: up to here LLVM takes about as long for a step as in a short function. In lanes values stay in registers
# longer, but the scheduler would gather the additions to an adjoint, and what is fetched ahead, at one place of a longer function
FUNCTION_STEPS = 150
LANED_FUNCTION_STEPS = 400
LONG = 3000  # steps from which on functions such as sin are called, not inlined: the code would leave the cache of instructions
LANES = (1, 2, 4, 8, 16, 32)
HERE = ("machine.py", "pieces.py", "steps.py", "layout.py", "handles.py")


class CannotCompile(Exception):
    """A schedule has steps that only Python can do."""


class Size(NamedTuple):
    """What a compiled tape consists of.

    printed  formulas and moves of single elements
    called   steps that kernels do, or the interpreter's loop
    """

    printed: int
    called: int


def size_of(schedule: Schedule) -> Size | None:
    """The size that the compiled tape of a schedule would have; None where there cannot be one."""
    if schedule.hosts or schedule.request.lanes not in LANES:
        return None
    code, rows = schedule.code.tolist(), schedule.actions.tolist()
    counts = [0] * len(rows)  # many steps share an action, which says all that is asked here
    at = 0
    while at < len(code):
        counts[code[at]] += 1
        at += rows[code[at]][A_WORDS]
    printed = called = 0
    for number, (row, count) in enumerate(zip(rows, counts, strict=True)):
        if count:
            step = Step(number, 0, row, (), schedule.specs.get(number), schedule.reach.get(number, ()), schedule.request.lanes)
            printed += count * step.elements * (step.doer == PRINTED)
            called += count * (step.doer != PRINTED)
    return Size(printed, called)


def print_schedule(module: Module, schedule: Schedule, layout: Sequence[int], symbol: str) -> None:
    """Add the function `void symbol(ptr frame, i64 first, i64 last)` that runs a schedule over whole blocks of rows.

    layout  how the rows of each buffer lie: APART, also DENSE (the elements of a row beside each other), BESIDE each other
            element by element, or all the SAME, also STEADY (finite and not zero)
    """
    _Function(module, schedule, layout).print(symbol)


def compile_schedule(schedule: Schedule, layout: tuple[int, ...], only_known: bool = False) -> int | None:
    """The address of the machine code of a schedule, from the cache of objects where it was built before.

    only_known  None where it would have to be built

    Raises
        CannotCompile: it has steps that only Python can do.
    """
    _check(schedule)
    library = get_library()
    key = content_key(schedule, layout)

    def text(symbol: str) -> str:
        module = library.module()
        print_schedule(module, schedule, layout, symbol)
        return module.text()

    return library.function(key, None if only_known else text)


def _check(schedule: Schedule) -> None:
    if schedule.hosts or schedule.request.lanes not in LANES:
        raise CannotCompile("the schedule has steps that NumPy does, or an unusual number of lanes")


def content_key(schedule: Schedule, *more: Any) -> bytes:
    """All that the machine code of a schedule depends on; it reads the addresses of kernels and parameters when it runs."""
    digest = hashlib.sha256(printer_key())
    digest.update(repr((schedule.request.lanes, schedule.dtypes, more)).encode())
    own = set()
    for number, row in enumerate(schedule.actions):
        spec, reach = schedule.specs.get(number), schedule.reach.get(number)
        fields = row.tolist()
        fields[A_KERNEL] = 0
        if reach:
            fields[A_COUNT] = 0
        digest.update(repr((fields, spec, reach)).encode())
        if isinstance(spec, KernelSpec):
            own.add(content_of(spec.name))
    digest.update(repr(sorted(own)).encode())  # formulas that are no sources
    for flags in steady_constants(schedule).values():
        digest.update(np.packbits(flags).tobytes())
    digest.update(schedule.code.tobytes())
    return digest.digest()


def steady_constants(schedule: Schedule) -> dict[str, np.ndarray[Any, Any]]:
    """For each dtype, which of the constants that all rows share are finite and not zero; inputs among them are zero here."""
    memory = schedule.uniform[:len(schedule.uniform) // 8 * 8]
    with np.errstate(invalid="ignore"):
        return {name: np.isfinite(memory.view(name)) & (memory.view(name) != 0) for name in ("float64", "float32")}


@functools.cache
def printer_key() -> bytes:
    """What the cache of objects must know of this file and of those that it follows."""
    return hashlib.sha256(b"".join(Path(__file__).with_name(name).read_bytes() for name in HERE)).digest()


def print_text(schedule: Schedule, layout: tuple[int, ...], which: str) -> str:
    """The code of a schedule to look at: LLVM IR before optimisation ("llvm"), or assembly ("asm")."""
    _check(schedule)
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
        self.steps = steps_of(schedule)
        self.inputs = Inputs()
        self.steady = steady_constants(schedule)
        self.has_guards = any(step.action_class >= GUARD_TRUTH for step in self.steps)

    def print(self, symbol: str) -> None:
        """Print the pieces and the loop over rows that calls them."""
        pieces = self._pieces()
        self.module.is_long = sum(step.elements for step in self.steps if step.doer == PRINTED) > LONG
        live = self._read_later([first for first, _ in pieces]) if len(pieces) > 1 else {}
        names = []
        for number, (first, last) in enumerate(pieces):
            names.append(f"{symbol}.{number}")
            self._print_piece(names[-1], self.steps[first:last], live.get(last, set()), len(pieces) == 1)
        self.module.define(f"""define void @{symbol}(ptr %frame, i64 %first, i64 %last) nounwind {{
entry:
  %some = icmp slt i64 %first, %last
  br i1 %some, label %loop, label %done
loop:
  %row = phi i64 [ %first, %entry ], [ %next, %behind ]
{self._calls(names)}
  br label %behind
behind:
  %next = add i64 %row, {self.lanes}
  %more = icmp slt i64 %next, %last
  br i1 %more, label %loop, label %done
done:
  ret void
}}
""")

    def _calls(self, names: Sequence[str]) -> str:
        """The calls of all pieces for one block of rows."""
        lines = []
        if any(step.doer == INTERPRETED for step in self.steps):
            lines.append(f"  %word.row = getelementptr i64, ptr %frame, i64 {F_ROW}\n  store i64 %row, ptr %word.row, align 8")
        stops = self.has_guards and self.lanes == 1 and len(names) > 1  # where a guard failed, no later piece runs
        if stops:
            lines.append(f"""  %word.failed = getelementptr i64, ptr %frame, i64 {F_FAILED}
  %failed.at = load ptr, ptr %word.failed, align 8
  %failed.row = getelementptr i32, ptr %failed.at, i64 %row""")
        for number, name in enumerate(names):
            lines.append(f"  call void @{name}(ptr %frame, i64 %row)")
            if stops:
                lines.append(f"""  %failed.{number} = load i32, ptr %failed.row, align 4
  %stops.{number} = icmp ne i32 %failed.{number}, 0
  br i1 %stops.{number}, label %done, label %on.{number}
on.{number}:""")
        return "\n".join(lines)

    def _pieces(self) -> list[tuple[int, int]]:
        pieces = []
        first = size = 0
        for index, step in enumerate(self.steps):
            size += step.elements if step.doer == PRINTED else 1
            if size >= (FUNCTION_STEPS if self.lanes == 1 else LANED_FUNCTION_STEPS):
                pieces.append((first, index + 1))
                first, size = index + 1, 0
        if first < len(self.steps) or not pieces:
            pieces.append((first, len(self.steps)))
        return pieces

    def _read_later(self, starts: Sequence[int]) -> Mapping[int, set[int]]:
        """For each of some steps, the places of the workspace whose values it and later ones read before they write them."""
        touched = [step.places() if step.doer == PRINTED else None for step in self.steps]
        held = sorted({place for both in touched if both is not None for place in both[1]})
        wanted = set(starts)
        live: set[int] = set()
        found = {}
        for index in range(len(self.steps) - 1, -1, -1):
            both = touched[index]
            if both is not None:
                live.difference_update(both[1])
                live.update(both[0])
            else:
                for how in (WRITES, READS):  # what a step writes only is not read
                    for offset, nbytes, does in self.steps[index].reaches():
                        if (does == WRITES) if how == WRITES else does & READS:
                            places = held[bisect_left(held, offset):bisect_left(held, offset + nbytes)]
                            (live.difference_update if how == WRITES else live.update)(places)
            if index in wanted:
                found[index] = set(live)
        return found

    def _print_piece(self, symbol: str, steps: Sequence[Step], live: set[int], is_whole: bool) -> None:
        piece = Piece(self.module, self.lanes, self.layout, self.schedule.dtypes, self.has_guards, self.inputs, self.steady)
        piece.steps(steps)
        piece.leave(live)
        inlining = "alwaysinline" if is_whole else "noinline"
        self.module.define(f"define internal void @{symbol}(ptr noalias %frame, i64 %row) {inlining} nounwind {{\nentry:\n"
                           f"{piece.printer.text()}\n  ret void\n}}\n")
