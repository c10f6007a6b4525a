"""Value and gradients of one row: the user's function on tensors, and one backward sweep."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

import tapediff as td
from tapediff.jobs.errors import JobError
from tapediff.jobs.function import Function, describe, source_file, without_exit

Rows = Mapping[str, np.ndarray]


class RowEvaluator:
    """Evaluates a function row by row; what the rows share becomes a tensor once.

    >>> evaluator = RowEvaluator(lambda x, k: k * x * x, {"x": np.array([1.0, 3.0])}, {"k": np.array(2.0)}, ["x"])
    >>> value, gradients = evaluator.evaluate({"x": np.array([1.0, 3.0])}, 1)
    >>> value, float(gradients["x"])
    (18.0, 12.0)
    """

    def __init__(self, f: Function, rows: Rows, shared: Mapping[str, np.ndarray], wrt: Sequence[str]):
        self.f = without_exit(f)
        self.rows = rows
        self.wrt = wrt
        self.shared = {name: self.tensor(name, array) for name, array in shared.items()}

    def tensor(self, name: str, array: np.ndarray) -> td.Tensor:
        return td.tensor(np.array(array), requires_grad=name in self.wrt)

    def value(self, row: int) -> np.ndarray:
        """The function's value alone, an array without dimensions, of the dtype that the function gives it."""
        with self.errors_of(row):
            return one_element(self.f(**self.arguments(row))).detach().numpy().reshape(())

    def evaluate(self, rows: Rows, row: int) -> tuple[float, dict[str, np.ndarray | None]]:
        """The value, and the gradient for each name in `wrt` (None: the value does not depend on it), of a row of other inputs.

        What the function raises is raised.
        """
        given = self.arguments(row, rows)
        leaves = {name: given[name] for name in self.wrt}
        for leaf in leaves.values():
            leaf.grad = None
        y = one_element(self.f(**given))
        if y.requires_grad:
            y.backward()
        return y.item(), {name: None if leaf.grad is None else leaf.grad.numpy() for name, leaf in leaves.items()}

    def arguments(self, row: int, rows: Rows | None = None) -> dict[str, td.Tensor]:
        rows = self.rows if rows is None else rows
        return self.shared | {name: self.tensor(name, array[row]) for name, array in rows.items()}

    @contextmanager
    def errors_of(self, row: int) -> Iterator[None]:
        """Name the row, and the line of the function's file, in what is raised there: by the function or by the late sweeps."""
        try:
            yield
        except Exception as error:
            raise JobError(f"row {row}: {describe_row_error(self.f, error)}") from error


def describe_row_error(f: Function, error: Exception) -> str:
    """One line about what evaluating a row raised."""
    return str(error) if isinstance(error, JobError) else describe(error, source_file(f))


def one_element(y: td.Tensor) -> td.Tensor:
    """The function's result, if it is a tensor of one floating-point element."""
    if not isinstance(y, td.Tensor):
        raise JobError(f"the result is of type {type(y).__name__}; wanted a tensor of one element")
    if y.numel() != 1:
        raise JobError(f"the result has the shape {tuple(y.shape)}; wanted one element: reduce it, by .sum() say")
    if not y.is_floating_point():
        raise JobError(f"the result is of dtype {y.dtype}, which has no gradients; wanted float32 or float64: convert it")
    return y
