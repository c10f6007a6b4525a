"""Value and gradients of one row: the user's function on tensors, and one backward sweep."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

import tapediff as td
from tapediff.jobs.errors import JobError
from tapediff.jobs.function import Function, describe, source_file


class RowEvaluator:
    """Evaluates a function row by row; what the rows share becomes a tensor once.

    >>> evaluator = RowEvaluator(lambda x, k: k * x * x, {"x": np.array([1.0, 3.0])}, {"k": np.array(2.0)}, ["x"])
    >>> value, gradients = evaluator.value_and_gradients(1)
    >>> value, float(gradients["x"])
    (18.0, 12.0)
    """

    def __init__(self, f: Function, rows: Mapping[str, np.ndarray], shared: Mapping[str, np.ndarray], wrt: Sequence[str]):
        self.f = f
        self.rows = rows
        self.wrt = wrt
        self.shared = {name: self.tensor(name, array) for name, array in shared.items()}

    def tensor(self, name: str, array: np.ndarray) -> td.Tensor:
        return td.tensor(np.array(array), requires_grad=name in self.wrt)

    def value(self, row: int) -> np.ndarray:
        """The function's value alone, an array without dimensions, of the dtype that the function gives it."""
        with self.errors_of(row):
            return one_element(self.f(**self.arguments(row))).detach().numpy().reshape(())

    def value_and_gradients(self, row: int) -> tuple[float, dict[str, np.ndarray | None]]:
        """The value, and the gradient for each name in `wrt`: None where the value does not depend on it."""
        given = self.arguments(row)
        leaves = {name: given[name] for name in self.wrt}
        for leaf in leaves.values():
            leaf.grad = None
        with self.errors_of(row):
            y = one_element(self.f(**given))
            if y.requires_grad:
                y.backward()
            value = y.item()
        return value, {name: None if leaf.grad is None else leaf.grad.numpy() for name, leaf in leaves.items()}

    def arguments(self, row: int) -> dict[str, td.Tensor]:
        return self.shared | {name: self.tensor(name, array[row]) for name, array in self.rows.items()}

    @contextmanager
    def errors_of(self, row: int) -> Iterator[None]:
        """Name the row, and the line of the function's file, in what is raised there: by the function or by the late sweeps."""
        try:
            yield
        except Exception as error:
            text = str(error) if isinstance(error, JobError) else describe(error, source_file(self.f))
            raise JobError(f"row {row}: {text}") from error


def one_element(y: td.Tensor) -> td.Tensor:
    """The function's result, if it is a tensor of one element."""
    if not isinstance(y, td.Tensor):
        raise JobError(f"the result is of type {type(y).__name__}; wanted a tensor of one element")
    if y.numel() != 1:
        raise JobError(f"the result has the shape {tuple(y.shape)}; wanted one element: reduce it, by .sum() say")
    return y
