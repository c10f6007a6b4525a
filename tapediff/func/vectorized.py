"""vmap: a function of one row mapped over many.

The function is recorded at the first row and replayed over all; rows that take another branch are recorded in their turn, until
every row has a program. Where that cannot be (inside another recording, or with random numbers that differ from row to row) the
function runs row by row.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapediff import recording
from tapediff.errors import GuardError
from tapediff.functions import FUNCTIONS
from tapediff.functions.random import default_generator
from tapediff.nested import LEAF, Structure, flatten, matched
from tapediff.program.calls import Call, Route
from tapediff.program.compiled import MOST_PROGRAMS
from tapediff.program.program import interned
from tapediff.program.recorder import Recorder
from tapediff.program.rows import run
from tapediff.tensor import Tensor, of_source

__all__ = ["vmap"]

Array = np.ndarray[Any, Any]


def vmap(func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
         chunk_size: int | None = None) -> Callable[..., Any]:
    """A function that applies `func` to every row of its arguments, and stacks the results.

    in_dims     the dimension of each argument that holds the rows: a number, None for what all rows share, or a nest of them;
                all rows share what is given by name
    out_dims    where the rows of the results go, likewise
    randomness  what random numbers do: "error", "same" for every row, or "different" (then rows are run one by one)
    chunk_size  at most so many rows at a time

    `func` may branch on values: rows are then recorded once for every path that they take, at most 64 (`vmap.limit`).

    >>> import tapediff as td
    >>> td.func.vmap(lambda x: x.sin() if x > 0 else -x)(td.tensor([-1., 0., 0.]))
    tensor([1., -0., -0.])

    Raises
        ValueError: in_dims do not fit the arguments, or numbers of rows differ.
        RuntimeError: a random number with randomness="error"; more paths than the limit.
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def mapped(*arguments: Any, **options: Any) -> Any:
        rows = _Rows(func, in_dims, out_dims, randomness, arguments, options)
        if chunk_size is not None and rows.count > chunk_size:
            return rows.in_chunks(chunk_size)
        if recording.is_traced() or randomness == "different":
            return rows.one_by_one()
        return rows.replayed()
    return mapped


def _named(func: Any) -> str:
    return getattr(func, "__name__", type(func).__name__)


class _Rows:
    """One call of a mapped function.

    leaves  of the arguments, where dims says which dimension holds the rows, or None
    count   the number of rows
    """

    def __init__(self, func: Callable[..., Any], in_dims: Any, out_dims: Any, randomness: str, arguments: tuple[Any, ...],
                 options: dict[str, Any]) -> None:
        self.func = func
        self.out_dims = out_dims
        self.randomness = randomness
        self.options = options
        name = _named(func)
        if not isinstance(in_dims, int | tuple | list) and in_dims is not None:
            raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be int or a (potentially "
                             "nested) tuple "
                             f"matching the structure of inputs, got: {type(in_dims)}.")
        if not arguments and not options:
            raise ValueError(f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap "
                             "over a "
                             "function with no inputs. The latter is unsupported.")
        self.leaves, self.structure = flatten((arguments, options))
        nests = self.structure.children
        try:
            dims = matched(tuple(in_dims) if isinstance(in_dims, list) else in_dims, nests[0], "in_dims")
        except ValueError as error:
            raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible with the structure of "
                             f"`inputs`: {error}") from None
        dims += [None] * (len(self.leaves) - len(dims))  # what is given by name is the same for all rows
        counts = set()
        self.dims: list[int | None] = []
        for leaf, dim in zip(self.leaves, dims, strict=True):
            if dim is None:
                self.dims.append(None)
                continue
            if not isinstance(dim, int):
                raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={dim!r} for an input but in_dim "
                                 "must be "
                                 "either an integer dimension or None.")
            if not isinstance(leaf, Tensor):
                raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={dim} for an input but the input "
                                 "is of type "
                                 f"{type(leaf)}. We cannot vmap over non-Tensor arguments, please use None as the respective "
                                 "in_dim")
            if not -leaf.spec.ndim <= dim < leaf.spec.ndim:
                raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={dim} for some input, but that "
                                 "input is a "
                                 f"Tensor of dimensionality {leaf.spec.ndim} so expected in_dim to satisfy "
                                 f"-{leaf.spec.ndim} <= in_dim < {leaf.spec.ndim}.")
            self.dims.append(dim % leaf.spec.ndim)
            counts.add(leaf.spec.shape[dim])
        if not counts:
            raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): in_dims must have at least one dimension that is "
                             "not None: "
                             "there is nothing to map over.")
        if len(counts) > 1:
            sizes = [leaf.spec.shape[dim] for leaf, dim in zip(self.leaves, self.dims, strict=True) if dim is not None]
            raise ValueError(f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for "
                             "the mapped "
                             "dimension")
        self.count: int = counts.pop()

    def call(self, leaves: Sequence[Any]) -> Any:
        """The function on other leaves."""
        arguments, options = self.structure.unflatten(list(leaves))
        return self.func(*arguments, **options)

    def results(self, result: Any) -> tuple[list[Tensor], Structure]:
        """The leaves of a result, which must be tensors.

        Raises
            ValueError: one is not.
        """
        leaves, structure = flatten(result)
        for leaf in leaves:
            if not isinstance(leaf, Tensor):
                raise ValueError(f"vmap({_named(self.func)}, ...): `{_named(self.func)}` must only return Tensors, got type "
                                 f"{type(leaf)}. "
                                 "Did you mean to set the `out_dims=` to None for output?")
        return leaves, structure

    def nested(self, outputs: list[Tensor], structure: Structure, is_mapped: Sequence[bool]) -> Any:
        """Outputs with rows first in the nest of the result, their rows where `out_dims` wants them."""
        try:
            dims = matched(self.out_dims, structure, "out_dims")
        except ValueError as error:
            raise ValueError(f"vmap({_named(self.func)}, ..., out_dims={self.out_dims}): out_dims is not compatible with the "
                             "structure of "
                             f"`outputs`: {error}") from None
        moved = []
        for output, dim, depends in zip(outputs, dims, is_mapped, strict=True):
            if dim is None:
                if depends:
                    raise ValueError(f"vmap({_named(self.func)}, ...): `{_named(self.func)}` can not return a BatchedTensor when "
                                     "out_dim is "
                                     "None")
                moved.append(output[0])
                continue
            ndim = output.spec.ndim
            if not -ndim <= dim < ndim:
                raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})")
            moved.append(output if dim in (0, -ndim) else FUNCTIONS["movedim"](output, 0, dim))
        return structure.unflatten(moved)

    # --- row by row -------------------------------------------------------------------------------------------------------------

    def row(self, number: int) -> list[Any]:
        """The leaves of one row."""
        return [leaf if dim is None else leaf.select(dim, number) for leaf, dim in zip(self.leaves, self.dims, strict=True)]

    def one_by_one(self) -> Any:
        """Run the function once for every row."""
        if not self.count:
            raise ValueError("vmap over no rows inside of another transform: the shapes of the results are not known")
        columns: list[list[Tensor]] = []
        structure = LEAF
        for number in range(self.count):
            leaves, structure = self.results(self.call(self.row(number)))
            columns.append(leaves)
        outputs = [FUNCTIONS["stack"](list(column)) for column in zip(*columns, strict=True)]
        return self.nested(outputs, structure, [dim is not None for dim in matched(self.out_dims, structure, "out_dims")])

    def in_chunks(self, size: int) -> Any:
        """Map over so many rows at a time and join the results."""
        parts = []
        structure = LEAF
        for start in range(0, self.count, size):
            leaves = [leaf if dim is None else leaf.narrow(dim, start, min(size, self.count - start))
                      for leaf, dim in zip(self.leaves, self.dims, strict=True)]
            arguments, options = self.structure.unflatten(leaves)
            in_dims = self.structure.children[0].unflatten(self.dims[:self.structure.children[0].count])
            result = vmap(self.func, in_dims, self.out_dims, self.randomness)(*arguments, **options)
            found, structure = flatten(result)
            parts.append(found)
        dims = matched(self.out_dims, structure, "out_dims")
        return structure.unflatten([column[0] if dim is None else FUNCTIONS["cat"](list(column), dim)
                                    for column, dim in zip(zip(*parts, strict=True), dims, strict=True)])

    # --- replayed ---------------------------------------------------------------------------------------------------------------

    def replayed(self) -> Any:
        """Record at rows until every row has a program, and replay."""
        tensors, laned, places = self._tensors()
        arrays = [tensor._array() for tensor in tensors]
        own = len(tensors)
        left = np.arange(self.count)
        routes: list[Route] = []
        parts: list[list[Array]] = []
        structure = LEAF
        is_mapped: list[bool] = []
        state = default_generator.get_state() if self.randomness == "same" else None
        while len(left) or not routes:
            if routes and state is not None:  # rows of every path draw the same numbers
                default_generator.set_state(state)
            program, sources, out_structure, depends = self._record(arrays, laned, places, int(left[0]) if len(left) else None)
            if routes and out_structure != structure:
                raise RuntimeError(f"vmap: rows return different nests: {structure} and {out_structure}")
            structure = out_structure
            is_mapped = [a or b for a, b in zip(is_mapped, depends, strict=True)] if routes else depends
            inputs = list(range(own))
            for source in sources:
                known = next((k for k in range(own, len(tensors)) if tensors[k].source is source), None)
                if known is None:
                    known = len(tensors)
                    tensors.append(of_source(source))
                    arrays.append(source.values())
                    laned.append(False)
                inputs.append(known)
            given = [arrays[k] for k in inputs]
            flags = [laned[k] for k in inputs]
            rows = left if routes else None
            results = run(program, Call._of(given, flags, rows), flags, len(left))
            passed = results.failed == 0
            is_alone = len(left) > 0 and not passed[0]
            if is_alone:
                parts.append(self._alone(program, given, inputs, left[:1], laned))
                routes.append(Route(program, left[:1], tuple(inputs), True))
            is_all = bool(passed.all())
            found = [results.outputs[k] for k in range(len(program.output_specs))]
            if parts and [one.shape[1:] for one in found] != [one.shape[1:] for one in parts[0]]:
                raise RuntimeError("vmap: rows return tensors of different shapes: " + ", ".join(
                    f"{list(a.shape[1:])} and {list(b.shape[1:])}" for a, b in zip(parts[0], found, strict=True)))
            if not is_alone or passed.any():
                routes.append(Route(program, None if is_all and not routes else left[passed], tuple(inputs)))
                parts.append(found if is_all else [one[passed] for one in found])
            passed[:1] |= is_alone
            failed = results.failed
            left = left[~passed]
            limit: int = vmap.limit  # type: ignore[attr-defined]
            if len(left) and len(routes) >= limit:
                guard = program.tape.guards[int(failed[~passed][0]) - 1]
                raise RuntimeError(f"vmap: the rows take more than {limit} paths, and {len(left)} of {self.count} rows are left; "
                                   f"they part at {guard}. Choose by value with torch.where there, or raise "
                                   "tapediff.func.vmap.limit.")
        call = Call(routes, laned, self.count)
        call.ready = call.joined(parts)
        return self.nested(call(tensors), structure, is_mapped)

    def _alone(self, program: Any, given: Sequence[Array], inputs: Sequence[int], rows: Array,
               laned: Sequence[bool]) -> list[Array]:
        """The outputs of the row that was recorded, which failed a guard in lanes.

        Raises
            RuntimeError: it fails by itself, too.
        """
        try:
            return Call((), laned, self.count).single(program, given, inputs, rows)
        except GuardError as error:
            raise RuntimeError(f"vmap: a row does not take the path that was recorded at it: {error.guard}; {_named(self.func)} "
                               "must do "
                               "the same each time it is called") from None

    def _tensors(self) -> tuple[list[Tensor], list[bool], list[int]]:
        """The tensors among the leaves, rows first; which of them have rows; and where they stand."""
        tensors, laned, places = [], [], []
        for place, (leaf, dim) in enumerate(zip(self.leaves, self.dims, strict=True)):
            if isinstance(leaf, Tensor):
                tensors.append(leaf if not dim else FUNCTIONS["movedim"](leaf, dim, 0))
                laned.append(dim is not None)
                places.append(place)
        return tensors, laned, places

    def _record(self, arrays: Sequence[Array], laned: Sequence[bool], places: Sequence[int], row: int | None) -> Any:
        """The program of the path that a row takes; the tensors that it captures; the nest of its result; which results depend on
        the row."""
        examples = [np.array((array[row] if row is not None else np.zeros(array.shape[1:], array.dtype)) if has_rows else array,
                             order="C")
                    for array, has_rows in zip(arrays, laned, strict=False)]
        recorder = Recorder(self.randomness)
        with recorder:
            leaves = list(self.leaves)
            for place, example in zip(places, examples, strict=False):
                leaves[place] = recorder.input(example)
            outputs, structure = self.results(self.call(leaves))
        tape, sources = recorder.finish(outputs).with_captured_inputs()
        roots = [value for value, has_rows in zip(tape.inputs(), laned, strict=False) if has_rows]
        depends = tape.depends_on(roots)
        mapped = [depends[value] if value >= 0 else value in roots for value in tape.outputs]
        program = interned(tape, [*examples, *(np.array(source.values()) for source in sources)], _named(self.func))
        return program, sources, structure, mapped


vmap.limit = MOST_PROGRAMS  # type: ignore[attr-defined]
