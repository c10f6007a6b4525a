"""Values and gradients of rows that lie in a Dask array, as Dask arrays: for people whose data is in Dask already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapediff.jobs.errors import JobError
from tapediff.jobs.evaluator import Evaluator
from tapediff.jobs.function import Function, load_function, match_parameters
from tapediff.jobs.plan import require_differentiable
from tapediff.jobs.recipe import Recipe
from tapediff.jobs.sources import Given, read_shared
from tapediff.jobs.sources.optional import require_package
from tapediff.jobs.sources.source import require_dtype
from tapediff.program.compiled import MOST_PROGRAMS


@dataclass(frozen=True)
class Blocks:
    """The results of every row, Dask arrays of the chunks of the inputs, computed when somebody asks.

    value      shape (rows,)
    gradients  by name, rows first
    status     uint8, codes of `tapediff.jobs.status`
    """

    value: Any
    gradients: dict[str, Any]
    status: Any


def map_blocks(
    f: Function | str, *, rows: Mapping[str, Any], shared: Mapping[str, Given] | None = None, wrt: str | Sequence[str],
    dtype: Any = None, limit: int = MOST_PROGRAMS,
) -> Blocks:
    """Evaluate `f` and its gradient for every row of Dask arrays; nothing is computed yet.

    f       as in `run`
    rows    Dask arrays, whose first axis is that of the rows; NumPy arrays beside them are cut as they are. Columns of a
            dataframe come as `frame["x"].to_dask_array()`
    shared  arrays, numbers or files that all rows share
    wrt     the inputs to differentiate by
    dtype   of the values; that of the inputs to differentiate by
    limit   as in `run`, for each chunk

    Chunks are evaluated in one thread each, on the scheduler of Dask's that computes the results. Several results come at one
    pass through `dask.compute(blocks.value, blocks.gradients)`.

    Raises
        JobError: an input or the function can't be used, or Dask is not installed.
    """
    arrays = require_package("dask.array", "mapping over Dask arrays")
    function = load_function(f) if isinstance(f, str) else f
    names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    fixed = {name: read_shared(name, given) for name, given in (shared or {}).items()}
    inputs = cut_alike(arrays, rows)
    match_parameters(function, [*inputs, *fixed])
    known: dict[str, Any] = {**inputs, **fixed}
    if not names:
        raise JobError("wrt names no input; name at least one to differentiate by")
    for name in names:
        if name not in known:
            raise JobError(f"wrt names {name!r}, which is no input; the inputs are {', '.join(known)}")
        require_differentiable(name, np.dtype(known[name].dtype))
    value_dtype = np.dtype(dtype or np.result_type(*(known[name].dtype for name in names)))
    evaluator = Evaluator(function, list(inputs), fixed, names, dtype=value_dtype, limit=limit, threads=1)
    results = results_of(Recipe.of(function, evaluator, list(inputs)), inputs)
    lengths = next(iter(inputs.values())).chunks[0]

    def joined(output: str, shape: tuple[int, ...], of: np.dtype) -> Any:
        parts = [arrays.from_delayed(result[output], (length, *shape), dtype=of)
                 for result, length in zip(results, lengths, strict=True)]
        return arrays.concatenate(parts, allow_unknown_chunksizes=True)

    def shape(name: str) -> tuple[int, ...]:
        return tuple(inputs[name].shape[1:] if name in inputs else fixed[name].shape)

    gradients = {name: joined(f"grad_{name}", shape(name), np.dtype(known[name].dtype)) for name in names}
    return Blocks(joined("value", (), value_dtype), gradients, joined("status", (), np.dtype(np.uint8)))


def cut_alike(arrays: Any, rows: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with the chunks of the first Dask array along the rows, and one along every other axis.

    Raises
        JobError: none is a Dask array, or their lengths differ.
    """
    first = next((array for array in rows.values() if isinstance(array, arrays.Array)), None)
    if first is None:
        raise JobError("no row input is a Dask array; for arrays and files call tapediff.jobs.run")
    found = {}
    for name, given in rows.items():
        array = given if isinstance(given, arrays.Array) else arrays.from_array(np.asarray(given), chunks=-1)
        require_dtype(name, np.dtype(array.dtype))
        if array.ndim == 0 or first.ndim == 0:
            raise JobError(f"{name} is a single number, but a row input has one entry per row; give it as a shared input")
        is_known = not (np.isnan(array.shape[0]) or np.isnan(first.shape[0]))
        if (is_known and array.shape[0] != first.shape[0]) or (not is_known and array.numblocks[0] != first.numblocks[0]):
            raise JobError(f"{name} has {array.shape[0]} rows in {array.numblocks[0]} chunks, and another input {first.shape[0]} "
                           f"in {first.numblocks[0]}; all row inputs need the same rows")
        chunks = {axis: -1 for axis in range(1, array.ndim) if array.numblocks[axis] > 1}
        found[name] = array.rechunk({0: first.chunks[0], **chunks} if is_known else chunks)
    return found


def results_of(recipe: Recipe, inputs: Mapping[str, Any]) -> list[Any]:
    """For every chunk of rows a delayed dictionary of its outputs."""
    delayed = require_package("dask", "mapping over Dask arrays").delayed
    sent = delayed(recipe, pure=True, name=f"tapediff-recipe-{recipe.key}", traverse=False)
    pieces = zip(*(array.to_delayed().ravel() for array in inputs.values()), strict=True)
    call = delayed(outputs_of, pure=True)
    return [call(sent, list(inputs), *piece, dask_key_name=f"tapediff-rows-{recipe.key}-{k}") for k, piece in enumerate(pieces)]


def outputs_of(recipe: Recipe, names: Sequence[str], *arrays: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs of one chunk by their names."""
    native = [np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")) for array in arrays]
    return recipe.evaluate(dict(zip(names, native, strict=True)), 0).arrays()
