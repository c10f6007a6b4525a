"""Programs of a job's function, one for each path that rows take, and their replay over rows."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import tapediff as td
from tapediff.errors import ProgramFileError
from tapediff.jobs.evaluate import one_element
from tapediff.jobs.function import Function, without_exit
from tapediff.jobs.result import ProgramFacts
from tapediff.nested import LEAF, Structure
from tapediff.program.batch import Batch
from tapediff.program.file import Parts, signature
from tapediff.program.known import interned
from tapediff.program.program import Program, trace
from tapediff.program.rows import FEWEST_LANES

MOST_KNOWN = 256  # programs that are kept: those used last

Rows = Mapping[str, np.ndarray]


@dataclass
class Path:
    """A program of the function, what runs it over rows, and which of `wrt` its value depends on."""

    program: Program
    batch: Batch
    reaches: dict[str, bool]

    @cached_property
    def signature(self) -> str:
        """What names the program in every process."""
        return signature_of(self.program)

    @property
    def facts(self) -> ProgramFacts:
        """What summaries say of it."""
        tape = self.program.tape
        return ProgramFacts(len(tape), sum(operation.spec.nbytes for operation in tape.operations), tuple(map(str, tape.guards)))


class Paths:
    """Records a function and keeps the programs of the paths it met; paths alike are one."""

    def __init__(self, f: Function, names: Sequence[str], shared: Rows, wrt: Sequence[str], threads: int | None = None) -> None:
        self.f = without_exit(f)
        self.names = [*names, *shared]
        self.dims = (0,) * len(names) + (None,) * len(shared)
        self.shared = shared
        self.wrt = wrt
        self.argnums = tuple(self.names.index(name) for name in wrt)
        self.threads = threads
        self._known: OrderedDict[Program, Path] = OrderedDict()

    def arguments(self, rows: Rows, chosen: Any) -> list[np.ndarray]:
        """The inputs in the order in which programs take them."""
        return [array[chosen] for array in rows.values()] + list(self.shared.values())

    def record(self, rows: Rows, row: int, lines: bool = False) -> Program:
        """The program of the path that a row takes; raises what the function raises, and RuntimeError where it cannot be
        recorded."""
        def call(*arguments: td.Tensor) -> td.Tensor:
            return one_element(self.f(**dict(zip(self.names, arguments, strict=True))))

        tape, examples, _, _ = trace(call, tuple(self.arguments(rows, row)), lines=lines)
        leaves = Structure(tuple, (), (LEAF,) * len(examples))
        results = Structure(tuple, (), (LEAF,))
        return Program(tape.with_constants(), examples, leaves, results, getattr(self.f, "__name__", "function"))

    def path(self, rows: Rows, row: int) -> Path:
        """The path that a row takes, kept."""
        return self.keep(self.record(rows, row))

    def programs(self) -> list[Program]:
        """The programs of the paths that are kept."""
        return list(self._known)

    def keep(self, program: Program) -> Path:
        """A program that was recorded elsewhere, as the path that it is here."""
        program = interned(program.tape, program.examples, program.name)
        if program not in self._known:
            self._known[program] = self._of(program)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        self._known.move_to_end(program)
        return self._known[program]

    def path_of_one_row(self, rows: Rows, row: int) -> Path:
        """The path that a row takes, to be used for this row alone and dropped: what pays off later is left out."""
        program = self.record(rows, row)
        return self._of(program, lanes=FEWEST_LANES, executor="interpreter")

    def _of(self, program: Program, **options: Any) -> Path:
        reaches = {name: program.reaches(number) for name, number in zip(self.wrt, self.argnums, strict=True)}
        return Path(program, program.batch(in_dims=self.dims, threads=self.threads, **options), reaches)

    def run(self, path: Path, rows: Rows, chosen: Any, reduce: str | None) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
        """Values of the chosen rows, their gradients or the sums of those, and which rows take another path."""
        given = self.arguments(rows, chosen)
        (value,), gradients, failed = path.batch.value_and_grad(*given, argnums=self.argnums, reduce=reduce, mask=True)
        return value.reshape(-1), list(gradients), failed

    def run_alone(self, path: Path, rows: Rows, row: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """Value and gradients of one row by the arithmetic of the recording: in lanes a sum may round differently, and the row
        would fail a guard that was recorded at itself.

        Raises
            GuardError: it takes another path even so.
        """
        (value,), gradients = path.program.value_and_grad(*self.arguments(rows, row), argnums=self.argnums)
        return np.asarray(value), list(gradients)


def signature_of(program: Program) -> str:
    """A digest of a program that is the same in every process."""
    try:
        return signature(Parts(program.tape, (), program.in_structure, program.out_structure, ""))
    except ProgramFileError:  # an op of the user's own, say: nothing that processes could agree on but what is printed
        return f"{len(program)} instructions, {len(program.guards)} guards"
