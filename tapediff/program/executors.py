"""The choice between the two executors: the interpreter, which starts at once, and the compiled tape, which runs faster.

Compiling a tape takes about 0.5 ms a step, as long as the interpreter takes for that step of some million rows. So a program is
compiled, in the background, once it has run that often; what is in the cache of objects is used from the first call on.
"""

from __future__ import annotations

import threading

from tapediff.compiling import IS_COMPILED
from tapediff.errors import TapediffError
from tapediff.program.layout import WORDS
from tapediff.program.machine import compile_schedule, print_text, size_of
from tapediff.program.schedule import Schedule

__all__ = ["EXECUTORS", "Machine", "checked_executor"]

EXECUTORS = ("auto", "interpreter", "compiled")
ROWS = 2_000_000  # after which compiling pays
CALLS = 100_000  # after which it pays for single replays
FEWEST_PRINTED = 8  # formulas for each call of a kernel: with fewer a tape runs no faster than interpreted
MOST_STEPS = 20_000  # of a tape that is compiled without being asked for


def checked_executor(executor: str) -> str:
    """An executor as asked for.

    Raises
        ValueError: there is none of that name.
    """
    if executor not in EXECUTORS:
        raise ValueError(f"executor={executor!r}: choose one of {', '.join(map(repr, EXECUTORS))}")
    return executor


class Machine:
    """The machine code of a schedule, one for each way in which its rows may lie."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        # of a long one the size takes longer to count than the schedule took to make
        self.is_long = len(schedule.code) > MOST_STEPS * max(WORDS)
        self.size = None if self.is_long else size_of(schedule)
        self._addresses: dict[tuple[int, ...], int | None] = {}
        self._done = 0
        self._lock = threading.Lock()
        self._waiting: set[tuple[int, ...]] = set()

    def address(self, layout: tuple[int, ...], executor: str, amount: int, enough: int) -> int | None:
        """Where the code lies; None where the interpreter is to do the work.

        amount   rows, or calls, that are to be run now
        enough   how many pay

        Raises
            TapediffError: the compiled tape was asked for and cannot be had.
        """
        if executor == "interpreter" or (executor == "auto" and not IS_COMPILED):
            return None
        if not IS_COMPILED:
            raise TapediffError("NUMBA_DISABLE_JIT is set: there is no compiled tape; use executor='interpreter' or 'auto'")
        found = self._addresses.get(layout)
        if found is not None:
            return found
        if executor == "compiled":
            if self.size is None and (not self.is_long or size_of(self.schedule) is None):
                raise TapediffError("this program has operations that only NumPy does here (docs/ops.md says which): use "
                                    "executor='interpreter' or 'auto'")
            return self._build(layout)
        if not self._pays():
            return None
        self._done += amount
        if layout not in self._addresses:
            self._addresses[layout] = compile_schedule(self.schedule, layout, only_known=True)
            return self._addresses[layout]
        if self._done >= enough:
            with self._lock:
                is_new = layout not in self._waiting
                self._waiting.add(layout)
            if is_new:
                threading.Thread(target=self._build, args=(layout,), name="tapediff-compile", daemon=True).start()
        return None

    def _pays(self) -> bool:
        """Whether the compiled tape would be faster, and be built in reasonable time."""
        size = self.size
        return size is not None and FEWEST_PRINTED * size.called <= size.printed <= MOST_STEPS

    def _build(self, layout: tuple[int, ...]) -> int:
        address = compile_schedule(self.schedule, layout)
        assert address is not None
        self._addresses[layout] = address
        return address

    def text(self, layout: tuple[int, ...], which: str) -> str:
        """The code as text: "llvm" or "asm"."""
        return print_text(self.schedule, layout, which)
