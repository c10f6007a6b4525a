"""Value and gradients of one row: the user's function on tensors, and one backward sweep."""

from collections.abc import Mapping, Sequence

import numpy as np

import tapediff as td
from tapediff.jobs.errors import JobError
from tapediff.jobs.function import Function, describe, source_file


class RowEvaluator:
    """Evaluates a function row by row; what the rows share becomes a tensor once.

    >>> evaluator = RowEvaluator(lambda x, k: k * x * x, {"x": np.array([1.0, 3.0])}, {"k": np.array(2.0)}, ["x"])
    >>> value, gradients = evaluator.value_and_gradients(1)
    >>> float(value), float(gradients["x"])
    (18.0, 12.0)
    """

    def __init__(self, f: Function, rows: Mapping[str, np.ndarray], shared: Mapping[str, np.ndarray], wrt: Sequence[str]):
        self.f = f
        self.rows = rows
        self.wrt = wrt
        self.shared = {name: self.tensor(name, array) for name, array in shared.items()}

    def tensor(self, name: str, array: np.ndarray) -> td.Tensor:
        return td.tensor(np.array(array), requires_grad=name in self.wrt)

    def call(self, row: int) -> tuple[td.Tensor, dict[str, td.Tensor]]:
        """The function's result for a row, a tensor of one element, and the tensors it was given."""
        given = self.shared | {name: self.tensor(name, array[row]) for name, array in self.rows.items()}
        try:
            y = self.f(**given)
        except Exception as error:
            raise JobError(f"row {row}: {describe(error, source_file(self.f))}") from error
        if not isinstance(y, td.Tensor):
            raise JobError(f"row {row}: the result is of type {type(y).__name__}; wanted a tensor of one element")
        if y.numel() != 1:
            shape = tuple(y.shape)
            raise JobError(f"row {row}: the result has the shape {shape}; wanted one element: reduce it, by .sum() say")
        return y, given

    def value(self, row: int) -> np.ndarray:
        """The function's value alone."""
        y, _ = self.call(row)
        return y.detach().numpy().reshape(())

    def value_and_gradients(self, row: int) -> tuple[np.ndarray, dict[str, np.ndarray | None]]:
        """The value, and the gradient for each name in `wrt`: None where the value does not depend on it."""
        y, given = self.call(row)
        leaves = {name: given[name] for name in self.wrt}
        for leaf in leaves.values():
            leaf.grad = None
        if y.requires_grad:
            try:
                y.backward()
            except Exception as error:
                raise JobError(f"row {row}: {describe(error, source_file(self.f))}") from error
        gradients = {name: None if leaf.grad is None else leaf.grad.numpy() for name, leaf in leaves.items()}
        return y.detach().numpy().reshape(()), gradients
