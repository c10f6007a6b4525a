"""vmap: a function of one row mapped over many.

The function is recorded at the first row and replayed over all; rows that take another branch are recorded in their turn, until
every row has a program. Where that cannot be (inside another recording, or with random numbers that differ from row to row) the
function runs row by row.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tapediff import recording
from tapediff.errors import GuardError
from tapediff.func.transforms import Derivative, derivative_of, flows_in, parted, scalar, selected
from tapediff.functions import FUNCTIONS
from tapediff.functions.random import default_generator
from tapediff.nested import LEAF, Structure, flatten, matched
from tapediff.program.calls import Call, Route
from tapediff.program.compiled import MOST_PROGRAMS
from tapediff.program.known import program_of
from tapediff.program.program import Program
from tapediff.program.recorder import Recorder
from tapediff.program.rows import run
from tapediff.tape.source import Source
from tapediff.tensor import Tensor, of_array, of_source

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
        return rows.replayed(derivative_of(func))
    return mapped


def _named(func: Any) -> str:
    return getattr(func, "__name__", type(func).__name__)


class _Path(NamedTuple):
    """The program of one path through a function.

    sources     of the tensors that it captures
    structure   the nest of the result
    depends     which results depend on the row
    wanted      the inputs whose gradients are among the results
    order       of the results among gradients and outputs; None: they are the outputs
    """

    program: Program
    sources: list[Source]
    structure: Structure = LEAF
    depends: Sequence[bool] = ()
    wanted: tuple[int, ...] = ()
    order: tuple[int, ...] | None = None

    def results(self, gradients: Sequence[Array], outputs: Sequence[Array]) -> list[Array]:
        """The results, in the order of their nest."""
        known = [*gradients, *outputs]
        return known if self.order is None else [known[k] for k in self.order]


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

    def replayed(self, derivative: Derivative | None = None) -> Any:
        """Record at rows until every row has a program, and replay.

        derivative  what the function is a gradient of: that is recorded, and its gradient is the reverse sweep of the replay
        """
        tensors, laned, places = self._tensors()
        if derivative is not None and (derivative.how == "jacobian" or flows_in(tensors)
                                       or not all(isinstance(dim, int) for dim in flatten(self.out_dims)[0])):
            derivative = None
        arrays = [tensor._array() for tensor in tensors]
        own = len(tensors)
        left = np.arange(self.count)
        routes: list[Route] = []
        parts: list[list[Array]] = []
        structure = LEAF
        is_mapped: Sequence[bool] = ()
        path: _Path
        state = default_generator.get_state() if self.randomness == "same" else None
        while len(left) or not routes:
            if routes and state is not None:  # rows of every path draw the same numbers
                default_generator.set_state(state)
            path = self._record(arrays, laned, places, int(left[0]) if len(left) else None, derivative)
            if derivative is not None and flows_in(path.sources):
                if state is not None:
                    default_generator.set_state(state)
                return self.replayed()
            program = path.program
            if routes and path.structure != structure:
                raise RuntimeError(f"vmap: rows return different nests: {structure} and {path.structure}")
            structure = path.structure
            is_mapped = [a or b for a, b in zip(is_mapped, path.depends, strict=True)] if routes else path.depends
            inputs = list(range(own))
            for source in path.sources:
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
            replayed = Call._of(given, flags, rows)
            results = run(program, replayed, flags, len(left), wanted=path.wanted)
            passed = results.failed == 0
            is_alone = len(left) > 0 and not passed[0]
            if is_alone:
                parts.append(self._alone(path, given, inputs, left[:1], laned))
                routes.append(Route(program, left[:1], tuple(inputs), True))
            is_all = bool(passed.all())
            found = path.results([results.gradients[k] for k in path.wanted],
                                 [results.outputs[k] for k in range(len(program.output_specs))])
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
                first = int(np.argmax(~passed))
                change = program.change_of(int(failed[first]), [array[first] if has_rows else array
                                                                for array, has_rows in zip(replayed, flags, strict=True)])
                raise RuntimeError(f"vmap: the rows take more than {limit} paths, and {len(left)} of {self.count} rows are left; "
                                   f"they part here: {change}. Choose by value with torch.where there, or raise "
                                   "tapediff.func.vmap.limit.")
        call = Call(routes, laned, self.count)
        call.ready = call.joined(parts)
        outputs = [of_array(y) for y in call.ready] if derivative is not None else call(tensors)
        return self.nested(outputs, structure, is_mapped)

    def _alone(self, path: _Path, given: Sequence[Array], inputs: Sequence[int], rows: Array,
               laned: Sequence[bool]) -> list[Array]:
        """The results of the row that was recorded, which failed a guard in lanes.

        Raises
            RuntimeError: it fails by itself, too.
        """
        try:
            values, gradients = Call((), laned, self.count).single(path.program, given, inputs, rows, path.wanted)
            return path.results(gradients, values)
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

    def _record(self, arrays: Sequence[Array], laned: Sequence[bool], places: Sequence[int], row: int | None,
                derivative: Derivative | None) -> _Path:
        """The path that a row takes."""
        examples = [np.array((array[row] if row is not None else np.zeros(array.shape[1:], array.dtype)) if has_rows else array,
                             order="C")
                    for array, has_rows in zip(arrays, laned, strict=False)]
        recorder = Recorder(self.randomness)
        with recorder:
            leaves = list(self.leaves)
            for place, example in zip(places, examples, strict=False):
                leaves[place] = recorder.input(example)
            if derivative is None:
                outputs, structure = self.results(self.call(leaves))
            else:
                outputs, stated = self._recorded_derivative(derivative, leaves)
        program, sources = program_of(recorder, outputs, _named(self.func))
        if derivative is None:
            tape = program.tape
            roots = [value for value, has_rows in zip(tape.inputs(), laned, strict=False) if has_rows]
            found = tape.depends_on(roots)
            depends = [found[value] if value >= 0 else value in roots for value in tape.outputs]
            return _Path(program, sources, structure, depends)
        structure, order, chosen = stated
        is_own = [leaves[place] for place in places]
        wanted = tuple(next(k for k, own in enumerate(is_own) if own is x) for x in chosen)
        return _Path(program, sources, structure, [True] * len(order), wanted, tuple(order))

    def _recorded_derivative(self, derivative: Derivative, leaves: Sequence[Any]) -> tuple[list[Tensor], Any]:
        """What the function behind a gradient returns: the value, then what `has_aux` gives beside it; and how the result is
        nested, in which order gradients and then outputs stand there, and by which tensors."""
        arguments, options = self.structure.unflatten(list(leaves))
        chosen, nest, _ = selected(derivative.argnums, arguments, "grad")
        value, aux = parted(derivative.func(*arguments, **options), derivative.has_aux, "grad_and_value(f)(*args)")
        value = scalar(value)
        beside, aux_nest = flatten(aux) if derivative.has_aux else ([], LEAF)
        self.results(beside)
        count = len(chosen)
        gradient = nest.unflatten(list(range(count)))
        if isinstance(derivative.argnums, int):
            gradient = gradient[0]
        other = aux_nest.unflatten(list(range(count + 1, count + 1 + len(beside)))) if derivative.has_aux else None
        if derivative.how == "grad":
            result = (gradient, other) if derivative.has_aux else gradient
        else:
            result = (gradient, (count, other) if derivative.has_aux else count)
        order, structure = flatten(result)
        return [value, *beside], (structure, order, chosen)


vmap.limit = MOST_PROGRAMS  # type: ignore[attr-defined]
