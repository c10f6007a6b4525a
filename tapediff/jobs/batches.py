"""Values and gradients of many rows at once: the function is recorded for every path that rows take, and replayed over them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import tapediff as td
from tapediff.jobs.evaluate import RowEvaluator, one_element
from tapediff.jobs.function import Function
from tapediff.program.compiled import MOST_PROGRAMS

CHUNK_BYTES = 1 << 25  # of gradients that are computed at a time


class BatchEvaluator:
    """Evaluates chunks of rows on programs; what cannot be recorded is evaluated row by row.

    programs  recorded so far

    >>> evaluator = BatchEvaluator(lambda x: x * x if x > 0 else -x, {"x": np.array([3.0, -1.0, 2.0])}, {}, ["x"])
    >>> values, gradients = np.empty(3), {"x": np.empty(3)}
    >>> evaluator.fill(0, 3, values, gradients)
    {'x': 0}
    >>> values, gradients["x"], len(evaluator.programs)
    (array([9., 1., 4.]), array([ 6., -1.,  4.]), 2)
    """

    def __init__(self, f: Function, rows: Mapping[str, np.ndarray], shared: Mapping[str, np.ndarray], wrt: Sequence[str]):
        self.f = f
        self.rows = rows
        self.shared = shared
        self.wrt = wrt
        self.names = [*rows, *shared]
        self.by_row = RowEvaluator(f, rows, shared, wrt)
        self.programs: list[Any] = []
        self.is_recordable = True

    def chunk_rows(self) -> int:
        """How many rows to evaluate at a time."""
        given = {**{name: array[:1] for name, array in self.rows.items()}, **self.shared}
        width = sum(given[name].nbytes for name in self.wrt) + 8
        return int(max(256, CHUNK_BYTES // width))

    def fill(self, first: int, last: int, values: np.ndarray, gradients: Mapping[str, np.ndarray]) -> dict[str, int]:
        """Evaluate the rows from `first` to `last` into the arrays; returns how many do not depend on each of `wrt`."""
        independent = dict.fromkeys(self.wrt, 0)
        left = np.arange(first, last)
        if self.is_recordable:
            try:
                left = self._replay(left, values, gradients, independent)
            except Exception:  # whatever it is: evaluated by itself, the row that caused it is named, or does without a program
                self.is_recordable = False
        for row in left.tolist():
            values[row], found = self.by_row.value_and_gradients(row)
            for name, gradient in found.items():
                independent[name] += gradient is None
                gradients[name][row] = 0 if gradient is None else gradient
        return independent

    def _replay(self, left: np.ndarray, values: np.ndarray, gradients: Mapping[str, np.ndarray],
                independent: dict[str, int]) -> np.ndarray:
        """Evaluate rows on programs; returns those for which there are too many."""
        counts = dict(independent)
        number = 0
        while len(left) and number < MOST_PROGRAMS:
            if number == len(self.programs):
                self.programs.append(self._record(int(left[0])))
            program = self.programs[number]
            passed = self._run(program, left, values, gradients)
            if number == len(self.programs) - 1 and not passed.any():
                raise RuntimeError("the row that was recorded does not take the path that was recorded")
            for name in self.wrt:
                if not program.reaches(self.names.index(name)):
                    counts[name] += int(passed.sum())
            left = left[~passed]
            number += 1
        independent.update(counts)
        return left

    def _record(self, row: int) -> Any:
        def call(*arguments: td.Tensor) -> td.Tensor:
            return one_element(self.f(**dict(zip(self.names, arguments, strict=True))))

        return td.record(call, *[array[row] for array in self.rows.values()], *self.shared.values())

    def _run(self, program: Any, left: np.ndarray, values: np.ndarray, gradients: Mapping[str, np.ndarray]) -> np.ndarray:
        """Write what a program gives for rows; returns which of them take its path."""
        is_whole = len(left) == left[-1] - left[0] + 1
        chosen: Any = slice(int(left[0]), int(left[-1]) + 1) if is_whole else left
        arguments = [array[chosen] for array in self.rows.values()] + list(self.shared.values())
        batch = program.batch(in_dims=(0,) * len(self.rows) + (None,) * len(self.shared))
        argnums = tuple(self.names.index(name) for name in self.wrt)
        value, found, failed = batch.value_and_grad(*arguments, argnums=argnums, mask=True)
        passed: np.ndarray = ~failed
        rows = left[passed]
        values[rows] = value.reshape(-1)[passed]
        for name, gradient in zip(self.wrt, found, strict=True):
            gradients[name][rows] = gradient[passed]
        return passed
