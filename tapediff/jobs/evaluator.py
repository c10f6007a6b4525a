"""Chunks of rows into values, gradients and status: programs for the paths that rows take, Python for what has none."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tapediff.errors import GuardError
from tapediff.jobs.evaluate import RowEvaluator, describe_row_error
from tapediff.jobs.function import Function
from tapediff.jobs.paths import Path, Paths, Rows
from tapediff.jobs.result import ChunkResult
from tapediff.jobs.sinks import EveryRow, Gradients, Sink, Summed, non_finite_rows
from tapediff.jobs.status import EXCEPTION, NON_FINITE_GRADIENT, NON_FINITE_VALUE, UNMET_GUARD
from tapediff.program.compiled import MOST_PROGRAMS
from tapediff.program.guards import PACKAGE
from tapediff.program.program import Program

MOST_UNRECORDED = 16  # rows of a chunk that had to do without a program, after which its other rows are not recorded either
PART_BYTES = 1 << 23  # of gradients of single rows, where sums have to be looked into


class Evaluator:
    """Evaluates chunks of rows.

    names    of the row inputs
    shared   what all rows share
    wrt      names of the inputs to differentiate by
    reduce   None: value and gradients of every row; "sum" or "mean": their sums (of rows whose value and gradients are finite)
    dtype    of the values
    limit    programs for one chunk; rows of further paths are recorded one by one
    threads  how many to use; the cores that the process may use by default

    A result depends on nothing but the rows of the chunk, neither on earlier chunks nor on threads: the paths of a chunk are
    those that its own rows take, in the order of the rows, and earlier recordings only save the work of scheduling them anew.

    >>> evaluator = Evaluator(lambda x: x * x if x > 0 else -x, ["x"], {}, ["x"])
    >>> result = evaluator.evaluate({"x": np.array([3.0, -1.0, np.nan])}, 0)
    >>> result.values, result.gradients["x"], result.status, len(result.programs)
    (array([ 9.,  1., nan]), array([ 6., -1., -1.]), array([0, 0, 1], dtype=uint8), 2)
    """

    def __init__(self, f: Function, names: Sequence[str], shared: Rows, wrt: Sequence[str], *, reduce: str | None = None,
                 dtype: Any = np.float64, limit: int = MOST_PROGRAMS, threads: int | None = None) -> None:
        self.f = f
        self.shared = shared
        self.wrt = wrt
        self.reduce = reduce
        self.dtype = np.dtype(dtype)
        self.limit = limit
        self.paths = Paths(f, names, shared, wrt, threads)
        self.by_row = RowEvaluator(f, {}, shared, wrt)
        self.only: Path | None = None  # a path without guards, which all rows take

    def evaluate(self, inputs: Rows, first: int) -> ChunkResult:
        """The result of the rows in `inputs`, which are those of the job from `first` on."""
        given = inputs, self.shared, self.wrt
        sink = Summed(*given) if self.reduce else EveryRow(*given, self.dtype)
        with np.errstate(all="ignore"):
            Chunk(self, inputs, sink).fill()
            return sink.result(first)

    def know(self, program: Program) -> None:
        """Take a program that was recorded elsewhere: rows that take its path need no recording here."""
        path = self.paths.keep(program)
        if not program.guards:
            self.only = path


class Chunk:
    """The rows of one chunk on their way into a sink."""

    def __init__(self, evaluator: Evaluator, inputs: Rows, sink: Sink) -> None:
        self.evaluator = evaluator
        self.paths = evaluator.paths
        self.inputs = inputs
        self.sink = sink
        self.left = np.arange(sink.rows)
        self.unrecorded = 0

    def fill(self) -> None:
        """Evaluate all rows."""
        number = 0
        while len(self.left) and number < self.evaluator.limit and self.unrecorded < MOST_UNRECORDED:
            path = self.path(int(self.left[0]))
            if path is not None:
                self.take(path)
                number += 1
        for row in self.left.tolist():
            if self.unrecorded < MOST_UNRECORDED:
                self.take_by_itself(row)
            else:
                self.evaluate(row)

    def path(self, row: int) -> Path | None:
        """The path that a row takes; None where it has been evaluated without one."""
        if self.evaluator.only is not None:
            return self.evaluator.only
        try:
            path = self.paths.path(self.inputs, row)
        except Exception:  # whatever it is: evaluated by itself, the row says what is wrong with it, or does without a program
            self.evaluate(row)
            self.left = self.left[1:]
            return None
        if not path.program.guards:
            self.evaluator.only = path
        return path

    def take(self, path: Path) -> None:
        """Evaluate the rows that take a path; the first of those left does."""
        row = int(self.left[0])
        passed = self.run(path, self.left)
        if not passed[0]:
            self.replay_alone(path, row)
            passed[0] = True
        self.left = self.left[~passed]

    def take_by_itself(self, row: int) -> None:
        """Evaluate one row on a program of its own."""
        try:
            path = self.paths.path_of_one_row(self.inputs, row)
        except Exception:
            self.evaluate(row)
            return
        if not self.run(path, np.array([row]), is_alone=True)[0]:
            self.replay_alone(path, row)

    def run(self, path: Path, rows: np.ndarray, is_alone: bool = False) -> np.ndarray:
        """Replay a program over rows; returns which of them are done with."""
        is_whole = len(rows) == rows[-1] - rows[0] + 1
        chosen: Any = slice(int(rows[0]), int(rows[-1]) + 1) if is_whole else rows
        try:
            values, gradients, failed = self.paths.run(path, self.inputs, chosen, "sum" if self.evaluator.reduce else None)
            if self.evaluator.reduce and not is_finite(values, gradients, failed):
                return self.run_with_care(path, rows, is_alone)
        except MemoryError:
            raise
        except Exception:  # a step of NumPy met a row that it cannot do: a singular matrix, say
            if len(rows) == 1:
                self.evaluate(int(rows[0]))
                return np.ones(1, bool)
            half = len(rows) // 2
            return np.concatenate([self.run(path, part, is_alone) for part in (rows[:half], rows[half:])])
        passed: np.ndarray = ~failed
        if passed.all():
            self.sink.accept(chosen, values, gradients)
        elif self.evaluator.reduce:
            self.sink.accept(rows[passed], values[passed], gradients)
        else:
            self.sink.accept(rows[passed], values[passed], [gradient[passed] for gradient in gradients])
        self.sink.take_path(path, int(passed.sum()), is_alone)
        return passed

    def run_with_care(self, path: Path, rows: np.ndarray, is_alone: bool) -> np.ndarray:
        """Sum over the rows whose value and gradients are finite, and mark the others; returns which rows are done with."""
        passed, is_finite_row = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
        row_bytes = 8 + sum(int(np.prod(shape)) * dtype.itemsize for shape, dtype in self.sink.shapes.values())
        step = max(1, PART_BYTES // row_bytes)
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            values, gradients, failed = self.paths.run(path, self.inputs, rows[part], None)
            bad_values, bad_gradients = non_finite_rows(values), np.zeros(len(values), bool)
            for gradient in gradients:
                bad_gradients |= non_finite_rows(gradient)
            passed[part] = ~failed
            is_finite_row[part] = ~(failed | bad_values | bad_gradients)
            self.sink.status[rows[part][~failed & bad_gradients]] = NON_FINITE_GRADIENT
            self.sink.status[rows[part][~failed & bad_values]] = NON_FINITE_VALUE
        good = rows[is_finite_row]
        if len(good):
            values, gradients, _ = self.paths.run(path, self.inputs, good, "sum")
            self.sink.accept(good, values, gradients)
        self.sink.take_path(path, int(passed.sum()), is_alone)
        return passed

    def replay_alone(self, path: Path, row: int) -> None:
        """Evaluate a row by the arithmetic in which its program was recorded."""
        try:
            value, gradients = self.paths.run_alone(path, self.inputs, row)
        except GuardError as error:
            self.sink.fail(row, UNMET_GUARD, " ".join(str(error).split()), place_of(path, error))
            return
        except Exception:
            self.evaluate(row)
            return
        self.accept_row(row, value, gradients)
        self.sink.take_path(path, 1)

    def evaluate(self, row: int) -> None:
        """Evaluate a row in Python."""
        try:
            value, found = self.evaluator.by_row.evaluate(self.inputs, row)
        except Exception as error:
            self.sink.fail(row, EXCEPTION, describe_row_error(self.evaluator.f, error), line_of(error))
            return
        self.unrecorded += 1
        self.sink.counts.eager += 1
        for name, gradient in found.items():
            self.sink.counts.independent[name] += gradient is None
        zeros = {name: np.zeros(shape, dtype) for name, (shape, dtype) in self.sink.shapes.items()}
        self.accept_row(row, np.asarray(value), [zeros[name] if g is None else g for name, g in found.items()])

    def accept_row(self, row: int, value: np.ndarray, gradients: Gradients) -> None:
        """Hand on the results of one row."""
        if not self.evaluator.reduce:
            self.sink.accept(np.array([row]), value.reshape(1), [gradient[None] for gradient in gradients])
        elif is_finite(value, gradients, np.zeros((), bool)):
            self.sink.accept(np.array([row]), value.reshape(1), gradients)
        else:
            self.sink.status[row] = NON_FINITE_GRADIENT if np.isfinite(value).all() else NON_FINITE_VALUE


def is_finite(values: np.ndarray, gradients: Gradients, failed: np.ndarray) -> bool:
    """Whether the values of rows that did not fail, and all gradients, are finite."""
    return bool(np.isfinite(values[~failed]).all() and all(np.isfinite(gradient).all() for gradient in gradients))


def line_of(error: BaseException) -> str:
    """The innermost line of source that is not tapediff's own, as FILE:LINE."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(PACKAGE) and not code.co_filename.startswith("<"):
            found = f"{code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def place_of(path: Path, error: GuardError) -> str:
    """The line of the guard that failed, as FILE:LINE."""
    guards: Mapping[str, str] = {str(guard): f"{guard.file}:{guard.line}" for guard in path.program.guards}
    return next((place for text, place in guards.items() if text in str(error)), "")
