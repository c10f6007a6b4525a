"""Running a program over rows: how many lanes, which executor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapediff.kernels.library import get_library
from tapediff.ops.views import VIEWS
from tapediff.program.executors import ROWS
from tapediff.program.running import Results, available_threads, row_layout, run_batch
from tapediff.program.schedule import Request

if TYPE_CHECKING:
    from tapediff.program.closed import ClosedTape
    from tapediff.program.program import Program

__all__ = ["checked_lanes", "choose_lanes", "machine_lanes", "run"]

Array = np.ndarray[Any, Any]
WORKSPACE_BYTES = 600_000  # of a thread: more than half of a usual second-level cache
MOST_LANES = 256
FEWEST_LANES = 8
LONG_TAPE = 200  # instructions: more than a processor looks ahead
MOST_SIDE_BY_SIDE = 8  # instructions that wait for nothing but the same ones, on average


def choose_lanes(program: Program, request: Request, rows: int) -> int:
    """As many lanes as let values and adjoints stay in the cache, a power of two up to 256, and no fewer than `request` has."""
    narrow = program.schedule(request)
    lanes = max(FEWEST_LANES, request.lanes)
    while lanes < MOST_LANES and lanes < rows and 2 * lanes * narrow.workspace_bytes // request.lanes <= WORKSPACE_BYTES:
        lanes *= 2
    return lanes


def machine_lanes(program: Program) -> int:
    """The lanes of the compiled tape: as many as fill a vector register of the host, or two of them.

    One computes while the other waits, where a tape is long and each instruction waits for the one before; the host itself begins
    with the next rows where a tape is short. Two vectors also halve the calls of kernels. Heston's 50 steps for 100,000 rows with
    eight sensitivities: 12 ms with two vectors, 15 with one; 25 % more for bundle adjustment, which is short (2026-11-22).
    """
    tape = program.tape
    specs = [*(leaf.spec for leaf in tape.leaves), *(operation.spec for operation in tape.operations)]
    lanes = get_library().vector_bytes // max(4, *(spec.dtype.itemsize for spec in specs))
    has_calls = any(not operation.is_elementwise and not operation.is_alias and operation.row.name not in VIEWS
                    for operation in tape.operations)
    is_serial = len(tape) >= LONG_TAPE and len(tape) <= MOST_SIDE_BY_SIDE * depth(tape)
    return 2 * lanes if has_calls or is_serial else lanes


def depth(tape: ClosedTape) -> int:
    """The most instructions each of which waits for the one before."""
    found: list[int] = []
    for operation, operands in zip(tape.operations, tape.operands, strict=True):
        found.append(max([found[x] for x in operands if x >= 0], default=0) + operation.is_elementwise)
    return max(found, default=0)


def checked_lanes(lanes: int | None) -> int | None:
    """Lanes as asked for: at least 8, a power of two.

    Raises
        ValueError: not a number from 1 to 256.
    """
    if lanes is None:
        return None
    if not 1 <= lanes <= MOST_LANES:
        raise ValueError(f"lanes={lanes}: choose from 1 to {MOST_LANES}; the next power of two from 8 on is taken")
    return max(FEWEST_LANES, 1 << (lanes - 1).bit_length())


def run(program: Program, arrays: Sequence[Array], laned: Sequence[bool], rows: int, *, wanted: tuple[int, ...] = (),
        seeds: Sequence[Array | None] | None = None, outputs: Sequence[int] | None = None, summed: tuple[int, ...] = (),
        threads: int | None = None, lanes: int | None = None, executor: str = "auto") -> Results:
    """Run a program over rows.

    arrays  for each input its rows, or one value where it is the same in all rows
    laned   for each input whether it has rows
    wanted  inputs whose gradients are wanted, of the one scalar output or weighted by `seeds`
    outputs which outputs are wanted; all by default
    summed  which of `wanted` have their gradients summed over the rows
    """
    in_lanes = tuple(has_rows or position in wanted for position, has_rows in enumerate(laned))
    outputs = tuple(range(len(program.output_specs)) if outputs is None else outputs)
    request = Request(program.machine_lanes, in_lanes, outputs, wanted,
                      "one" if seeds is None else "given", summed, tuple(position for position in wanted if not laned[position]))
    threads = threads or available_threads()
    if executor != "interpreter" and (lanes is None or executor == "compiled"):
        machine = program.machine(request)
        layout = row_layout(machine.schedule, program.specs, program.output_specs, arrays, seeds or ())
        address = machine.address(layout, executor, rows, ROWS)
        if address is not None:
            return run_batch(machine.schedule, program.specs, program.output_specs, arrays, rows, threads, seeds or (), address)
    lanes = checked_lanes(lanes) or choose_lanes(program, request, rows)
    schedule = program.schedule(request._replace(lanes=lanes))
    return run_batch(schedule, program.specs, program.output_specs, arrays, rows, threads, seeds or ())
