"""Jacobians by structure: the identity that a linear tape is run on is known, and so is where its products are zero.

A vector-Jacobian product is linear in its vector. Its tape, run on all rows of the identity at once, gives the Jacobian; and as
long as operations only scale, move and add elements, row r of a value holds few entries, at places that do not depend on the
inputs (the patterns of Griewank and Walther 2008, chapter 7). So a value is a list of entries (row, column) with one tensor of
their values, and what multiplies matrices makes a dense one of it: that of W x is W with scaled rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from tapediff.functions import FUNCTIONS
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.structural import STRUCTURAL
from tapediff.program.closed import ClosedTape
from tapediff.program.derive import keep_guards
from tapediff.program.lanes_moves import origins
from tapediff.program.lanes_products import product_of
from tapediff.program.operations import Operation
from tapediff.program.recorder import Recorder
from tapediff.recording import elementwise, structural
from tapediff.rules import ARRAYS
from tapediff.tensor import Tensor, of_array, of_source

__all__ = ["Layout", "Part", "matrices", "matrices_tape"]

Array = np.ndarray[Any, Any]
MOST_ENTRIES = 1 << 22  # of one value: beyond that rows in lanes take less memory
MOST_TERMS = 32
MOST_INSTRUCTIONS = 5000  # longer tapes take longer to look at than to run


class Entries(NamedTuple):
    """Entries of a matrix: `scale * values[k]` at (rows[k], columns[k]); without values all are `scale`."""

    rows: Array
    columns: Array
    values: Tensor | None
    scale: float = 1.0

    def is_like(self, other: Entries) -> bool:
        """Whether the entries are at the same places in the same order."""
        return np.array_equal(self.rows, other.rows) and np.array_equal(self.columns, other.columns)


class Matrix(NamedTuple):
    """A value for every row of the identity: entries, which add up, and a dense tensor [rows, *shape]."""

    entries: tuple[Entries, ...]
    dense: Tensor | None = None


class Part(NamedTuple):
    """Where values of a result go: `scale * values` is added to the elements at `places`, or is the whole matrix without places.

    values     position among the outputs of the tape; None: all are 1
    is_unique  no place comes twice
    """

    values: int | None
    places: Array | None
    scale: Any
    is_unique: bool = True


class Layout(NamedTuple):
    """How the matrix of one output is put together."""

    shape: tuple[int, ...]
    dtype: Any
    parts: tuple[Part, ...]


class Unknown(Exception):
    """An operation of which it is not known how it changes entries."""


def matrices_tape(tape: ClosedTape, examples: Sequence[Array], seeds: Sequence[int],
                  wanted: Sequence[int]) -> tuple[ClosedTape, list[Layout]] | None:
    """The tape that computes the outputs `wanted`, linear in the inputs `seeds`, for all rows of the identity; its inputs are the
    others. And how each matrix, of shape (rows, *output.shape), is put together from its outputs. None where rows in lanes do it
    better.
    """
    inputs = tape.inputs()
    sizes = [tape.spec(inputs[position]).size for position in seeds]
    if sum(sizes) < 2 or len(tape) > MOST_INSTRUCTIONS:
        return None
    recorder = Recorder()
    with recorder:
        own = [recorder.input(np.array(example)) for position, example in enumerate(examples) if position not in seeds]
        evaluation = _Evaluation(tape, sum(sizes))
        given = iter(own)
        for position, value in enumerate(inputs):
            if position not in seeds:
                evaluation.leaves[value] = next(given)
        start = 0
        for position, size in zip(seeds, sizes, strict=True):
            numbers = np.arange(size)
            evaluation.leaves[inputs[position]] = Matrix((Entries(start + numbers, numbers, None),))
            start += size
        try:
            evaluation.run()
            guarded = [evaluation.tensor(guard.value) for guard in tape.guards]
        except Unknown:
            return None
        keep_guards(tape, recorder, guarded)
        outputs: list[Tensor] = []
        layouts = [evaluation.layout(tape.outputs[position], outputs) for position in wanted]
    return recorder.finish(outputs), layouts


def matrices(layouts: Sequence[Layout], outputs: Sequence[Array]) -> list[Array]:
    """The matrices from the outputs of their tape, which are not kept."""
    found = []
    for shape, dtype, parts in layouts:
        whole = np.zeros(shape, dtype) if not parts or parts[0].places is not None else None
        for values, places, scale, is_unique in parts:
            value = scale if values is None else outputs[values] * dtype.type(scale) if scale != 1 else outputs[values]
            if places is None:
                whole = value.reshape(shape).copy() if scale == 1 else value.reshape(shape)
                continue
            flat = cast(Array, whole).reshape(-1)
            if is_unique:
                flat[places] += value
            else:
                np.add.at(flat, places, value)
        found.append(cast(Array, whole))
    return found


class _Evaluation:
    """A tape run on tensors, and on matrices where values depend on the identity."""

    def __init__(self, tape: ClosedTape, rows: int) -> None:
        self.tape = tape
        self.rows = rows
        self.leaves: dict[int, Any] = {}
        self.values: list[Any] = []
        for k, leaf in enumerate(tape.leaves):
            if leaf.how != "input":
                self.leaves[-k - 1] = of_array(leaf.what) if leaf.how == "constant" else of_source(leaf.what)

    def value(self, x: int) -> Any:
        return self.values[x] if x >= 0 else self.leaves[x]

    def tensor(self, x: int) -> Tensor:
        """A value that does not depend on the identity."""
        found = self.value(x)
        if isinstance(found, Matrix):
            raise Unknown
        return cast(Tensor, found)

    def run(self) -> None:
        """Evaluate all instructions.

        Raises
            Unknown: one takes a matrix as it has not been told how.
        """
        for operation, operands in zip(self.tape.operations, self.tape.operands, strict=True):
            given = [self.value(x) for x in operands]
            if any(isinstance(x, Matrix) for x in given):
                made = self.linear(operation, given, operands)
                size = self.rows * operation.spec.size
                if len(made.entries) > MOST_TERMS or (made.dense is not None and size > MOST_ENTRIES) or any(
                        len(one.rows) > MOST_ENTRIES for one in made.entries):
                    raise Unknown
                self.values.append(made)
            elif operation.is_elementwise:
                out_dtype = operation.spec.dtype if operation.row is ROWS["cast"] else None
                self.values.append(elementwise(operation.row, *given, out_dtype=out_dtype))
            else:
                self.values.append(structural(operation.row, operation.attributes, *given))

    # --- operations -------------------------------------------------------------------------------------------------------------

    def linear(self, operation: Operation, given: list[Any], operands: Sequence[int]) -> Matrix:
        """An operation of which an operand is a matrix."""
        name = operation.name
        if operation.is_elementwise:
            if name in ("add", "sub"):
                return self.added(operation, given, operands)
            chosen = [k for k, x in enumerate(given) if isinstance(x, Matrix)]
            if len(chosen) != 1:
                raise Unknown
            position, = chosen
            spread = self.spread(given[position], operation.operands[position], operation.spec)
            if name == "neg":
                return self.scaled(spread, -1.0)
            if name == "positive":
                return spread
            if name in ("mul", "zero_product") or (name == "div" and position == 0):
                return self.multiplied(operation, spread, given, operands, position)
            raise Unknown
        if operation.row.lanes == "moves":
            return self.moved(operation, given, operands)
        if name in ("strided_sum", "sum", "sum_dim"):
            return self.gathered(operation, given[0])
        if operation.row.lanes == "product":
            return self.multiplied_out(operation, given)
        raise Unknown

    def is_zero(self, x: int) -> bool:
        """Whether a value is a constant of zeros."""
        return x < 0 and self.tape.leaves[-x - 1].how == "constant" and not np.any(self.tape.leaves[-x - 1].what)

    def number(self, x: int) -> float | None:
        """The one number that a constant holds, if it is finite and a value is such a constant."""
        if x >= 0 or self.tape.leaves[-x - 1].how != "constant" or not self.tape.leaves[-x - 1].what.size:
            return None
        found = self.tape.leaves[-x - 1].what.reshape(-1)
        return float(found[0]) if np.isfinite(found[0]) and (found == found[0]).all() else None

    @staticmethod
    def scaled(x: Matrix, scale: float) -> Matrix:
        """A matrix times a number."""
        return Matrix(tuple([one._replace(scale=one.scale * scale) for one in x.entries]),
                      None if x.dense is None else -x.dense if scale == -1 else x.dense * scale)

    def added(self, operation: Operation, given: list[Any], operands: Sequence[int]) -> Matrix:
        total: Matrix | None = None
        for k, (x, operand) in enumerate(zip(given, operands, strict=True)):
            if not isinstance(x, Matrix):
                if not self.is_zero(operand):
                    raise Unknown
                continue
            term = self.spread(x, operation.operands[k], operation.spec)
            if k == 1 and operation.name == "sub":
                term = self.scaled(term, -1.0)
            total = term if total is None else self.sum(total, term)
        assert total is not None
        return total

    def sum(self, a: Matrix, b: Matrix) -> Matrix:
        """The sum of two matrices of one shape."""
        entries = list(a.entries)
        for term in b.entries:
            for k, known in enumerate(entries):
                if known.is_like(term):
                    entries[k] = self.merged(known, term)
                    break
            else:
                entries.append(term)
        dense = a.dense if b.dense is None else b.dense if a.dense is None else a.dense + b.dense
        return Matrix(tuple(entries), dense)

    @staticmethod
    def merged(a: Entries, b: Entries) -> Entries:
        """Entries at the same places as one."""
        if a.values is None and b.values is None:
            return a._replace(scale=a.scale + b.scale)
        if a.values is None:
            a, b = b, a
        assert a.values is not None
        first = a.values if a.scale == 1 else a.values * a.scale
        second = b.scale if b.values is None else b.values if b.scale == 1 else b.values * b.scale
        return a._replace(values=first + second, scale=1.0)

    def spread(self, x: Matrix, of: Any, to: Any) -> Matrix:
        """A matrix of one column repeated for every column of a larger value."""
        if of.size == to.size:
            if of.shape == to.shape or x.dense is None:
                return x
            return Matrix(x.entries, x.dense.reshape(self.rows, *to.shape))
        return Matrix((), self.dense(x, ()).reshape(self.rows, *[1] * to.ndim).expand(self.rows, *to.shape))

    def multiplied(self, operation: Operation, x: Matrix, given: list[Any], operands: Sequence[int], position: int) -> Matrix:
        """A matrix times what does not depend on it, or divided by it."""
        other = 1 - position
        number = self.number(operands[other])
        factor: Tensor = given[other]
        is_product = operation.name != "div"
        if number is not None and is_product:
            return self.scaled(x, number)

        def applied(values: Tensor, factor: Tensor) -> Any:
            return elementwise(operation.row, *((values, factor) if position == 0 else (factor, values)))

        entries = []
        for one in x.entries:
            picked = self.picked(factor, one.columns)
            if one.values is None:
                values = picked if is_product else 1 / picked
                values = values if values.spec.size == len(one.columns) else values.expand(len(one.columns))
            else:
                values = applied(one.values, picked)
            entries.append(one._replace(values=values))
        return Matrix(tuple(entries), None if x.dense is None else applied(x.dense, factor))

    @staticmethod
    def picked(x: Tensor, elements: Array) -> Tensor:
        """Elements of a tensor, in order; without dimensions where it has only one."""
        if x.spec.size == 1:
            return x.reshape(())
        flat = x.reshape(-1)
        if not len(elements):
            return flat[:0]
        first, count = int(elements[0]), len(elements)
        if np.array_equal(elements, np.arange(first, first + count)):
            return flat if count == flat.spec.size else flat[first:first + count]
        return cast(Tensor, FUNCTIONS["index_select"](flat, 0, of_array(elements.astype(np.int64))))

    def moved(self, operation: Operation, given: list[Any], operands: Sequence[int]) -> Matrix:
        """Elements in other places."""
        total: Matrix | None = None
        sources, elements = origins(operation)
        if np.any((sources < 0) & (elements != 0)):
            raise Unknown
        for k, (x, operand) in enumerate(zip(given, operands, strict=True)):
            places = np.flatnonzero(sources == k)
            if not isinstance(x, Matrix):
                if len(places) and not self.is_zero(operand):
                    raise Unknown
                continue
            term = self.replaced(x, operation, elements[places], places)
            total = term if total is None else self.sum(total, term)
        assert total is not None
        return total

    def replaced(self, x: Matrix, operation: Operation, elements: Array, places: Array) -> Matrix:
        """Columns `elements` put to `places` of a value."""
        order = np.argsort(elements, kind="stable")
        known, targets = elements[order], places[order]
        entries = []
        for one in x.entries:
            starts = np.searchsorted(known, one.columns, "left")
            counts = np.searchsorted(known, one.columns, "right") - starts
            chosen = np.repeat(np.arange(len(one.columns)), counts)
            if not len(chosen):
                continue
            behind = np.arange(len(chosen)) - np.repeat(np.cumsum(counts) - counts, counts)
            values = None if one.values is None else self.picked(one.values.expand(len(one.columns)), chosen)
            entries.append(Entries(one.rows[chosen], targets[starts[chosen] + behind], values, one.scale))
        dense = x.dense
        if dense is not None and not operation.is_alias:
            if not np.array_equal(places, np.arange(operation.spec.size)):
                raise Unknown
            dense = FUNCTIONS["index_select"](dense.reshape(self.rows, -1), 1, of_array(elements.astype(np.int64)))
        return Matrix(tuple(entries), None if dense is None else dense.reshape(self.rows, *operation.spec.shape))

    def gathered(self, operation: Operation, x: Matrix) -> Matrix:
        """Columns added up: the transpose says where each one goes."""
        shape, spec = operation.operands[0].shape, operation.spec
        numbers = np.arange(spec.size, dtype=spec.dtype.numpy).reshape(spec.shape)
        found = operation.row.pullback(ARRAYS, operation.attributes, 0, numbers, numbers, np.zeros(shape, spec.dtype.numpy))
        targets = np.asarray(found).reshape(-1).astype(np.int64)
        entries = tuple([one._replace(columns=targets[one.columns]) for one in x.entries])
        dense = x.dense
        if dense is not None:
            zeros = of_array(np.zeros((self.rows, spec.size), spec.dtype.numpy))
            dense = FUNCTIONS["index_add"](zeros, 1, of_array(targets), dense.reshape(self.rows, -1))
            dense = dense.reshape(self.rows, *spec.shape)
        return Matrix(entries, dense)

    def dense(self, x: Matrix, shape: tuple[int, ...]) -> Tensor:
        """A matrix with all its elements."""
        total = x.dense
        size = math.prod(shape)
        for one in x.entries:
            term = self.column(one) if size == 1 else None
            if term is None:
                dtype = np.float64 if one.values is None else one.values.spec.dtype.numpy
                places = of_array(one.rows * size + one.columns)
                zeros = of_array(np.zeros(self.rows * size, dtype))
                ones = of_array(np.ones(len(one.rows), dtype)) if one.values is None else one.values.expand(len(one.rows))
                term = FUNCTIONS["index_add"](zeros, 0, places, ones if one.scale == 1 else ones * one.scale)
            term = term.reshape(self.rows, *shape)
            total = term if total is None else total + term
        assert total is not None
        return total

    def column(self, one: Entries) -> Tensor | None:
        """The values, where there is one for each row in order."""
        if one.values is None or not np.array_equal(one.rows, np.arange(self.rows)):
            return None
        values = one.values.expand(self.rows)
        return values if one.scale == 1 else values * one.scale

    def multiplied_out(self, operation: Operation, given: list[Any]) -> Matrix:
        """A product of a matrix's rows, which are vectors, with a matrix or a vector of the tape."""
        product = product_of(operation)
        if product.first or sum(isinstance(x, Matrix) for x in given) != 1:
            raise Unknown
        position = 0 if isinstance(given[0], Matrix) else 1
        x, other = given[position], given[1 - position]
        names, others = ([name for name in product.names[which] if product.sizes[name] != 1]
                         for which in (1 + position, 2 - position))
        if len(names) != 1 or names[0] not in others or len(others) > 2:
            raise Unknown
        is_first = others[0] == names[0]  # the sum runs over the rows of the other operand
        matrix = other.reshape(*[product.sizes[name] for name in others])
        size = product.sizes[names[0]]
        if len(others) == 1:
            made = structural(STRUCTURAL["mv"], False, self.dense(x, (size,)), matrix)
        elif len(x.entries) == 1 and x.dense is None and np.array_equal(x.entries[0].rows, np.arange(self.rows)):
            made = self.scaled_rows(x.entries[0], matrix if is_first else matrix.t())
        else:
            made = structural(STRUCTURAL["mm"], None if is_first else (False, True), self.dense(x, (size,)), matrix)
        return Matrix((), made.reshape(self.rows, *operation.spec.shape))

    def scaled_rows(self, one: Entries, matrix: Tensor) -> Tensor:
        """The rows of a matrix that entries, one in each row, name, times their values."""
        if not np.array_equal(one.columns, np.arange(matrix.spec.shape[0])):
            matrix = FUNCTIONS["index_select"](matrix, 0, of_array(one.columns.astype(np.int64)))
        if one.values is None:
            return matrix if one.scale == 1 else matrix * one.scale
        values = one.values if one.scale == 1 else one.values * one.scale
        return matrix * values.expand(self.rows).reshape(self.rows, 1)

    # --- results ----------------------------------------------------------------------------------------------------------------

    def layout(self, x: int, outputs: list[Tensor]) -> Layout:
        """Where the matrix of a value comes from; its tensors are added to `outputs`."""
        spec = self.tape.spec(x)
        found = self.value(x)
        shape = (self.rows, *spec.shape)
        if not isinstance(found, Matrix):
            return Layout(shape, spec.dtype.numpy, ())
        parts: list[Part] = []
        if found.dense is not None:
            parts.append(Part(len(outputs), None, 1))
            outputs.append(found.dense)
        fixed = [one for one in found.entries if one.values is None]
        if fixed:
            places = np.concatenate([one.rows * spec.size + one.columns for one in fixed])
            scales = np.concatenate([np.full(len(one.rows), one.scale) for one in fixed])
            unique, inverse = np.unique(places, return_inverse=True)
            parts.append(Part(None, unique, np.bincount(inverse, scales).astype(spec.dtype.numpy)))
        for one in found.entries:
            if one.values is not None:
                places = one.rows * spec.size + one.columns
                parts.append(Part(len(outputs), places, one.scale, len(np.unique(places)) == len(places)))
                outputs.append(one.values)
        return Layout(shape, spec.dtype.numpy, tuple(parts))


