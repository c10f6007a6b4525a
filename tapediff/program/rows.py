"""Running a program over rows: how many lanes, which executor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapediff.program.executors import ROWS
from tapediff.program.running import Results, available_threads, row_layout, run_batch
from tapediff.program.schedule import Request

if TYPE_CHECKING:
    from tapediff.program.program import Program

__all__ = ["checked_lanes", "choose_lanes", "run"]

Array = np.ndarray[Any, Any]
WORKSPACE_BYTES = 600_000  # of a thread: more than half of a usual second-level cache
MOST_LANES = 256
FEWEST_LANES = 8


def choose_lanes(program: Program, request: Request, rows: int) -> int:
    """As many lanes as let values and adjoints stay in the cache, a power of two from 8 to 256."""
    narrow = program.schedule(request._replace(lanes=FEWEST_LANES))
    lanes = FEWEST_LANES
    while lanes < MOST_LANES and lanes < rows and 2 * lanes * narrow.workspace_bytes // FEWEST_LANES <= WORKSPACE_BYTES:
        lanes *= 2
    return lanes


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
    request = Request(FEWEST_LANES, in_lanes, tuple(range(len(program.output_specs)) if outputs is None else outputs), wanted,
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
