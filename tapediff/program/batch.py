"""Batches: a program replayed over rows, on SIMD lanes and threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapediff.errors import GuardError
from tapediff.nested import LEAF, flatten, matched
from tapediff.program import batch_products
from tapediff.program.branches import RowBranches, states_of_rows
from tapediff.program.executors import checked_executor
from tapediff.program.explain import Explanation
from tapediff.program.rows import checked_lanes, run
from tapediff.program.running import Results, element_stride
from tapediff.tensor import Tensor

if TYPE_CHECKING:
    from tapediff.program.program import Program

__all__ = ["Batch"]

Array = np.ndarray[Any, Any]


class Batch:
    """A program over the rows of its inputs; made by `Program.batch`.

    A call takes arrays whose rows lie along the dimensions `in_dims` and gives arrays with rows first. The results have the same
    bits for any number of threads and lanes.

    >>> import numpy as np, tapediff as td
    >>> program = td.record(lambda x, w: (x * w).sin(), 1.0, 1.0)
    >>> rows = program.batch(in_dims=(0, None))
    >>> value, gradient = rows.value_and_grad(np.array([0.0, 1.0]), 2.0)
    >>> gradient
    array([ 2.        , -0.83229367])
    """

    def __init__(self, program: Program, in_dims: Any = 0, threads: int | None = None, lanes: int | None = None,
                 executor: str = "auto") -> None:
        self.executor = checked_executor(executor)
        self.program = program
        self.in_dims = in_dims
        self.threads = threads
        self.lanes = lanes
        checked_lanes(lanes)
        if threads is not None and threads < 1:
            raise ValueError(f"threads={threads}: choose at least 1, or None for all cores")
        structure = program.in_structure
        dims = matched(tuple(in_dims) if isinstance(in_dims, list) else in_dims, structure, "in_dims")
        self.dims: list[int | None] = dims
        if all(dim is None for dim in dims):
            raise ValueError("in_dims: at least one input must have rows; all are None")

    def __repr__(self) -> str:
        return f"<batch of {self.program!r}, in_dims={self.in_dims!r}>"

    # --- arguments --------------------------------------------------------------------------------------------------------------

    def arrays(self, inputs: tuple[Any, ...]) -> tuple[list[Array], int]:
        """The arguments as arrays with rows first, and the number of rows.

        Raises
            ValueError: shapes differ from those that were recorded, or the numbers of rows differ.
        """
        program = self.program
        leaves, structure = flatten(inputs)
        if structure != program.in_structure:
            raise TypeError(f"{program.name} was recorded for arguments {program.in_structure}: got {structure}")
        arrays = []
        rows: int | None = None
        for position, (leaf, spec, dim) in enumerate(zip(leaves, program.specs, self.dims, strict=True)):
            array = as_rows(leaf, spec, dim, f"input {position} of {program.name}")
            if dim is not None:
                if rows is not None and len(array) != rows:
                    raise ValueError(f"{program.name}: input {position} has {len(array)} rows, an earlier one {rows}")
                rows = len(array)
            arrays.append(array)
        assert rows is not None
        return arrays, rows

    @property
    def laned(self) -> list[bool]:
        """For each input, whether it has rows."""
        return [dim is not None for dim in self.dims]

    # --- runs -------------------------------------------------------------------------------------------------------------------

    def _run(self, arrays: Sequence[Array], rows: int, **options: Any) -> Results:
        return run(self.program, arrays, self.laned, rows, threads=self.threads, lanes=self.lanes, executor=self.executor,
                   **options)

    def _result(self, results: Results, parts: tuple[Any, ...], mask: bool, inputs: Sequence[Array],
                arrays: Sequence[Array] = ()) -> Any:
        """What a call gives; rows that failed a guard raise, or hold nan (0 where there is none) in `arrays`."""
        failed = results.failed != 0
        if failed.any():
            if not mask:
                refuse(self.program, self.laned, inputs, results.failed)
            for array in arrays:
                array[failed] = np.nan if array.dtype.kind == "f" else 0
        if mask:
            parts = (*parts, failed)
        return parts if len(parts) > 1 else parts[0]

    def _outputs(self, results: Results) -> tuple[Any, list[Array]]:
        found = [results.outputs[position] for position in range(len(self.program.output_specs))]
        return self.program.out_structure.unflatten(found), found

    def branches(self, *inputs: Any) -> RowBranches:
        """What becomes of each decision in each row; see `Program.branches`."""
        arrays, rows = self.arrays(inputs)
        program, asked = self.program.questions()
        try:
            results = run(program, arrays, self.laned, rows, threads=self.threads, lanes=self.lanes)
            outputs = [results.outputs[position] for position in range(len(asked.outputs))]
        except (IndexError, ValueError, RuntimeError, np.linalg.LinAlgError):  # what an earlier decision keeps NumPy from
            codes = [self.program.branches_of(self.row(arrays, row)).codes for row in range(rows)]
            return RowBranches(asked.guards, np.stack(codes, axis=1))
        return states_of_rows(asked, outputs, rows)

    def explain(self, row: int, *inputs: Any) -> Explanation:
        """Where an inf or a nan of one row comes from; see `Program.explain`.

        Raises
            IndexError: there is no such row.
        """
        arrays, rows = self.arrays(inputs)
        if not -rows <= row < rows:
            raise IndexError(f"explain: row {row} of {rows}")
        return self.program.explain_leaves(self.row(arrays, row))

    def row(self, arrays: Sequence[Array], row: int) -> list[Array]:
        """The inputs of one row."""
        return [array[row] if has_rows else array for array, has_rows in zip(arrays, self.laned, strict=True)]

    def __call__(self, *inputs: Any, mask: bool = False) -> Any:
        """The results of all rows.

        With `mask` rows that fail a guard do not raise: a mask of them comes last, and they hold nan.

        Raises
            GuardError: rows take another path than the one recorded; `.failed` says which.
        """
        arrays, rows = self.arrays(inputs)
        results = self._run(arrays, rows)
        value, parts = self._outputs(results)
        return self._result(results, (value,), mask, arrays, parts)

    def value_and_grad(self, *inputs: Any, argnums: int | tuple[int, ...] = 0, reduce: str | None = None,
                       mask: bool = False) -> Any:
        """The results of all rows, each one scalar, and their gradients.

        reduce  None: a gradient for every row; "sum" or "mean": gradients summed or averaged over the rows, in an order that
                depends on nothing but their number; rows that fail a guard do not count
        """
        program = self.program
        wanted, structure = program.wanted(argnums)
        program.need_scalar()
        if reduce not in (None, "sum", "mean"):
            raise ValueError(f"reduce={reduce!r}: choose None, 'sum' or 'mean'")
        arrays, rows = self.arrays(inputs)
        results = self._run(arrays, rows, wanted=wanted, summed=wanted if reduce is not None else ())
        gradients = [results.gradients[position] for position in wanted]
        if reduce == "mean":
            counted = int((results.failed == 0).sum())
            gradients = [gradient / gradient.dtype.type(counted) if counted else gradient * np.nan for gradient in gradients]
        value, parts = self._outputs(results)
        nested = gradients[0] if structure is LEAF else structure.unflatten(gradients)
        return self._result(results, (value, nested), mask, arrays, parts if reduce else [*parts, *gradients])

    def grad(self, *inputs: Any, argnums: int | tuple[int, ...] = 0, reduce: str | None = None) -> Any:
        """The gradients alone."""
        return self.value_and_grad(*inputs, argnums=argnums, reduce=reduce)[1]

    # --- products; rows first in all that comes back ----------------------------------------------------------------------------

    def results(self, arrays: Sequence[Array], rows: int, *, program: Program | None = None, laned: Sequence[bool] | None = None,
                **options: Any) -> Results:
        """Run this program, or one derived from it, over rows.

        Raises
            GuardError: rows take another path than the one recorded.
        """
        program = program or self.program
        laned = self.laned if laned is None else laned
        found = run(program, arrays, laned, rows, threads=self.threads, lanes=self.lanes, **options)
        if found.failed.any():
            refuse(program, laned, arrays, found.failed)
        return found

    def outputs(self, results: Results) -> Any:
        """The outputs in the nest of the result."""
        return self._outputs(results)[0]

    def vjp(self, inputs: Any, v: Any = None) -> tuple[Any, Any]:
        """The results of all rows, and for each the vector-Jacobian product with its v, in the nest of `inputs`.

        inputs  a tuple of the arguments, or the one argument
        v       in the nest of the result, rows first; None for one scalar result

        >>> import numpy as np, tapediff as td
        >>> rows = td.record(lambda x: x * x, np.zeros(2)).batch()
        >>> rows.vjp(np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones((2, 2)))[1].tolist()
        [[2.0, 4.0], [6.0, 8.0]]
        """
        return batch_products.vjp(self, inputs, v)

    def jvp(self, inputs: Any, v: Any) -> tuple[Any, Any]:
        """The results of all rows, and for each the Jacobian-vector product with its v: in the nest of `inputs`, rows first where
        an input has rows."""
        return batch_products.jvp(self, inputs, v)

    def hvp(self, inputs: Any, v: Any) -> tuple[Any, Any]:
        """The results of all rows, each one scalar, and for each its Hessian times its v."""
        return batch_products.hvp(self, inputs, v)

    def jacobian(self, inputs: Any) -> Any:
        """For each row the derivatives of every output by every input, of shape (rows, *output.shape, *input.shape): in the nest
        of the result, and inside of that in the nest of `inputs`.

        >>> import numpy as np, tapediff as td
        >>> td.record(lambda x: x * x, np.zeros(2)).batch().jacobian(np.array([[1.0, 2.0]])).tolist()
        [[[2.0, 0.0], [0.0, 4.0]]]
        """
        return batch_products.jacobian(self, inputs)

    def hessian(self, inputs: Any) -> Any:
        """For each row the second derivatives of its result, one scalar, of shape (rows, *input.shape, *input.shape)."""
        return batch_products.hessian(self, inputs)


def refuse(program: Program, laned: Sequence[bool], arrays: Sequence[Array], failed: Array) -> None:
    """Raise the error of the first row that failed a guard, with what was compared there.

    failed  for each row 0, or 1 + the number of the guard
    """
    row = int(np.argmax(failed != 0))
    change = program.change_at([array[row] if has_rows else array for array, has_rows in zip(arrays, laned, strict=True)])
    raise GuardError.at(program.tape.guards[int(failed[row]) - 1], failed != 0, lambda: f"In row {row}: {change()}")


def as_rows(leaf: Any, spec: Any, dim: int | None, what: str) -> Array:
    """An argument as an array of the recorded dtype: rows first, the elements of each at one distance; or one value where there
    are no rows.

    Raises
        ValueError: the shape is another.
        TypeError: the dtype cannot be converted.
    """
    if (type(leaf) is np.ndarray and dim == 0 and leaf.ndim and leaf.dtype == spec.dtype.numpy and leaf.shape[1:] == spec.shape
        and leaf.flags.c_contiguous and leaf.size):
        return leaf  # what most batches are made of
    array = leaf._array() if isinstance(leaf, Tensor) else np.asarray(leaf)
    if not np.can_cast(array.dtype, spec.dtype.numpy, "same_kind"):
        raise TypeError(f"{what} was recorded as {spec.dtype.name}: got {array.dtype}")
    if dim is not None:
        if not array.ndim:
            raise ValueError(f"{what} should have rows along dimension {dim}: got a number; pass in_dims=None for it")
        if not -array.ndim <= dim < array.ndim:
            raise ValueError(f"in_dims: {what} has no dimension {dim}, its shape is {list(array.shape)}")
        array = np.moveaxis(array, dim, 0)
    shape = array.shape if dim is None else array.shape[1:]
    if shape != spec.shape:
        raise ValueError(f"{what} was recorded with shape {list(spec.shape)}: got {list(shape)}"
                         + ("" if dim is None else " in each row"))
    array = array.astype(spec.dtype.numpy, copy=False)
    if dim is not None and array.size and array.strides[0] > 0:
        try:
            element_stride(array)
            return array
        except ValueError:
            pass
    return np.ascontiguousarray(array).reshape(array.shape)
