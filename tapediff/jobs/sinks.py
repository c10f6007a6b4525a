"""Where the results of a chunk's rows go: those of every row, or their sums, and what is said of rows that went wrong."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapediff.jobs.paths import Path, Rows
from tapediff.jobs.result import MOST_FAILURES, ChunkResult, Counts, Failure, ProgramFacts
from tapediff.jobs.status import EXCEPTION, NON_FINITE_GRADIENT, NON_FINITE_INPUT, NON_FINITE_VALUE, OK
from tapediff.jobs.sums import CompensatedSum, sum_of

Gradients = Sequence[np.ndarray]


class Sink:
    """Where the results of a chunk's rows go.

    status  of every row
    shapes  shape and dtype of one gradient by each of `wrt`
    """

    def __init__(self, inputs: Rows, shared: Rows, wrt: Sequence[str]) -> None:
        self.inputs = inputs
        self.wrt = wrt
        self.rows = count = len(next(iter(inputs.values())))
        self.shapes = {name: (inputs[name].shape[1:] if name in inputs else shared[name].shape,
                              (inputs[name] if name in inputs else shared[name]).dtype) for name in wrt}
        self.status = np.zeros(count, np.uint8)
        self.texts: dict[int, tuple[str, str]] = {}
        self.counts = Counts(independent=dict.fromkeys(wrt, 0))
        self.programs: dict[str, ProgramFacts] = {}

    def fail(self, row: int, code: int, text: str, line: str = "") -> None:
        """Mark a row that has neither value nor gradients."""
        self.status[row] = code
        if len(self.texts) < 4 * MOST_FAILURES:  # texts of later rows come sooner where rows are taken path by path
            self.texts[row] = text, line

    def take_path(self, path: Path, rows: int, is_alone: bool = False) -> None:
        """Count rows that a path served."""
        if is_alone:
            self.counts.alone += rows
        else:
            self.programs.setdefault(path.signature, path.facts)
            self.counts.programs[path.signature] = self.counts.programs.get(path.signature, 0) + rows
        for name, reaches in path.reaches.items():
            self.counts.independent[name] += 0 if reaches else rows

    def failures(self, first: int) -> list[Failure]:
        """The first few rows whose status is not 0, by number."""
        found = []
        for row in np.flatnonzero(self.status)[:MOST_FAILURES].tolist():
            code = int(self.status[row])
            text, line = self.texts.get(row) or (self.describe(row, code), "")
            found.append(Failure(first + row, code, text, line))
        return found

    def describe(self, row: int, code: int) -> str:
        """What is not finite in a row."""
        if code == NON_FINITE_INPUT:
            names = [name for name, array in self.inputs.items() if array.dtype.kind == "f" and not np.isfinite(array[row]).all()]
            return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not finite"
        return {NON_FINITE_VALUE: "the value is not finite", NON_FINITE_GRADIENT: "the gradient is not finite"}.get(code, "")

    def mark_inputs(self) -> None:
        """Mark computed rows with an input that is not finite."""
        bad = np.zeros(self.rows, bool)
        for array in self.inputs.values():
            bad |= non_finite_rows(array)
        self.status[bad & ((self.status == OK) | (self.status < EXCEPTION))] = NON_FINITE_INPUT

    def accept(self, chosen: Any, values: np.ndarray, gradients: Gradients) -> None:
        """Take the results of rows, a slice or numbers."""
        raise NotImplementedError

    def result(self, first: int) -> ChunkResult:
        """All that was accepted."""
        raise NotImplementedError


class EveryRow(Sink):
    """Keeps value and gradients of every row."""

    def __init__(self, inputs: Rows, shared: Rows, wrt: Sequence[str], dtype: np.dtype) -> None:
        super().__init__(inputs, shared, wrt)
        self.dtype = dtype
        self.values = np.empty(0, dtype)
        self.gradients: dict[str, np.ndarray] = {}

    def accept(self, chosen: Any, values: np.ndarray, gradients: Gradients) -> None:
        if len(values) == self.rows and not self.gradients:  # the usual case: nothing is copied
            self.values = values.astype(self.dtype, copy=False)
            self.gradients = dict(zip(self.wrt, gradients, strict=True))
            return
        self.make()
        self.values[chosen] = values
        for array, gradient in zip(self.gradients.values(), gradients, strict=True):
            array[chosen] = gradient

    def make(self) -> None:
        """Have arrays for all rows."""
        if not self.gradients:
            self.values = np.full(self.rows, np.nan, self.dtype)
            self.gradients = {name: np.full((self.rows, *shape), np.nan, dtype) for name, (shape, dtype) in self.shapes.items()}

    def result(self, first: int) -> ChunkResult:
        self.make()
        computed = self.status == OK
        bad = np.zeros(self.rows, bool)
        for gradient in self.gradients.values():
            bad |= non_finite_rows(gradient)
        self.status[computed & bad] = NON_FINITE_GRADIENT
        self.status[computed & non_finite_rows(self.values)] = NON_FINITE_VALUE
        self.mark_inputs()
        return ChunkResult(first, first + self.rows, self.values, self.gradients, self.status, self.failures(first), self.counts,
                           self.programs)


class Summed(Sink):
    """Keeps the sums over rows whose value and gradients are finite."""

    def __init__(self, inputs: Rows, shared: Rows, wrt: Sequence[str]) -> None:
        super().__init__(inputs, shared, wrt)
        self.total = CompensatedSum(())
        self.totals = {name: CompensatedSum(shape) for name, (shape, _) in self.shapes.items()}

    def accept(self, chosen: Any, values: np.ndarray, gradients: Gradients) -> None:
        """Take the values of rows, and the sums of their gradients."""
        self.total.add(np.array(sum_of(values)))
        for total, gradient in zip(self.totals.values(), gradients, strict=True):
            total.add(gradient.astype(np.float64))
        self.counts.summed += len(values)

    def result(self, first: int) -> ChunkResult:
        self.mark_inputs()
        gradients = {name: total.result() for name, total in self.totals.items()}
        return ChunkResult(first, first + self.rows, self.total.result(), gradients, self.status, self.failures(first),
                           self.counts, self.programs)


def non_finite_rows(array: np.ndarray) -> np.ndarray:
    """Which rows hold an inf or a nan.

    >>> non_finite_rows(np.array([[1.0, 2.0], [np.inf, -np.inf]]))
    array([False,  True])
    """
    with np.errstate(all="ignore"):
        if array.dtype.kind != "f" or np.isfinite(array.sum()):  # whatever is added to an inf or a nan is one
            return np.zeros(len(array), bool)
    found: np.ndarray = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
    return found
