"""A batch gradient job: read the inputs, evaluate every row, write values and gradients, check a sample of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from time import perf_counter

import numpy as np
from tqdm import tqdm

from tapediff.jobs.batches import BatchEvaluator
from tapediff.jobs.check import Check, check_rows
from tapediff.jobs.errors import JobError
from tapediff.jobs.function import Function, match_parameters
from tapediff.jobs.inputs import Source, count_rows, read_arrays
from tapediff.jobs.outputs import OutputFolder


@dataclass(frozen=True)
class JobResult:
    """What a finished job found: `outputs` maps `value` and each `grad_<name>` to its file."""

    rows: int
    seconds: float
    non_finite_rows: int
    independent_rows: dict[str, int]
    outputs: dict[str, Path]
    check: Check | None

    @property
    def value(self) -> np.ndarray:
        """The value of every row, memory-mapped."""
        return self.array("value")

    def gradient(self, name: str) -> np.ndarray:
        """The gradient of every row with respect to the input `name`, memory-mapped."""
        return self.array(f"grad_{name}")

    def array(self, output: str) -> np.ndarray:
        return np.load(self.outputs[output], mmap_mode="r")

    def __str__(self) -> str:
        """The summary table that the command line prints."""
        per_second = self.rows / self.seconds if self.seconds else 0.0
        lines = [
            ("rows", f"{self.rows:,}"),
            ("seconds", f"{self.seconds:.2f}"),
            ("rows per second", f"{per_second:,.0f}"),
            ("non-finite rows", f"{self.non_finite_rows:,}"),
        ]
        lines += [(f"independent of {name}", f"{count:,} rows") for name, count in self.independent_rows.items() if count]
        for name, path in self.outputs.items():
            array = self.array(name)
            lines.append((name, f"{path}  {array.dtype} {array.shape}"))
        if self.check is not None:
            lines.append(("check", str(self.check)))
        width = max(len(label) for label, _ in lines)
        return "\n".join(f"{label:<{width}}  {text}" for label, text in lines)


def run(
    f: Function,
    *,
    rows: Mapping[str, Source],
    shared: Mapping[str, Source] | None = None,
    wrt: str | Sequence[str],
    out: str | PathLike[str],
    check: int = 0,
    progress: bool = False,
    overwrite: bool = False,
) -> JobResult:
    """Evaluate `f` and its gradient for every row and write them as `.npy` files into the folder `out`.

    `f` is called with keyword arguments: for each name in `rows` one row (an index of the first axis), for each name in
    `shared` the whole array, all as tensors. It returns a tensor of one element. `wrt` names the inputs to differentiate by;
    `grad_<name>.npy` then has the shape (rows, *shape of one argument), for a shared input too. `check` rows are
    compared with finite differences. Raises JobError, and leaves no file, if an input or a row can't be used.

    >>> import tempfile
    >>> def f(x, scale):
    ...     return (scale * x * x).sum()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = run(f, rows={"x": np.array([[1.0, 2.0], [3.0, 4.0]])}, shared={"scale": np.array(0.5)}, wrt="x", out=folder)
    ...     print(np.array(result.value), np.array(result.gradient("x")).tolist())
    [ 2.5 12.5] [[1.0, 2.0], [3.0, 4.0]]
    """
    names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    row_arrays, shared_arrays = read_arrays(rows), read_arrays(shared or {})
    length = count_rows(row_arrays)
    require_disjoint(row_arrays, shared_arrays)
    require_differentiable(names, row_arrays | shared_arrays)
    match_parameters(f, [*row_arrays, *shared_arrays])
    dtypes = {name: array.dtype for name, array in (row_arrays | shared_arrays).items()}
    shapes = {name: array.shape[1:] for name, array in row_arrays.items()}
    shapes |= {name: array.shape for name, array in shared_arrays.items()}
    evaluator = BatchEvaluator(f, row_arrays, shared_arrays, names)

    with OutputFolder(Path(out)) as folder:
        if not overwrite:
            folder.require_absent(["value", *(f"grad_{name}" for name in names)])
        value_dtype = evaluator.by_row.value(0).dtype if length else np.result_type(*(dtypes[name] for name in names))
        values = folder.create("value", (length,), value_dtype)
        gradients = {name: folder.create(f"grad_{name}", (length, *shapes[name]), dtypes[name]) for name in names}
        start = perf_counter()
        non_finite, independent = fill(evaluator, values, gradients, progress)
        seconds = perf_counter() - start
        outputs = folder.publish()
    checked = check_rows(f, row_arrays, shared_arrays, gradients, check) if check else None
    return JobResult(length, seconds, non_finite, independent, outputs, checked)


def fill(
    evaluator: BatchEvaluator, values: np.ndarray, gradients: Mapping[str, np.ndarray], progress: bool
) -> tuple[int, dict[str, int]]:
    """Evaluate every row into the arrays; returns the number of non-finite rows, and of rows independent of each input."""
    non_finite = 0
    independent = dict.fromkeys(gradients, 0)
    hidden = None if progress else True  # None: shown where stderr is a terminal
    size = evaluator.chunk_rows()
    with tqdm(total=len(values), unit="row", disable=hidden) as bar:
        for first in range(0, len(values), size):
            last = min(first + size, len(values))
            for name, count in evaluator.fill(first, last, values, gradients).items():
                independent[name] += count
            finite = np.isfinite(values[first:last])
            for gradient in gradients.values():
                finite &= np.isfinite(gradient[first:last]).reshape(last - first, -1).all(axis=1)
            non_finite += int((~finite).sum())
            bar.update(last - first)
    return non_finite, independent


def require_disjoint(rows: Mapping[str, np.ndarray], shared: Mapping[str, np.ndarray]) -> None:
    both = sorted(set(rows) & set(shared))
    if both:
        raise JobError(f"{', '.join(both)} was given both as a row input and as a shared input; give it once")


def require_differentiable(names: Sequence[str], arrays: Mapping[str, np.ndarray]) -> None:
    if not names:
        raise JobError("wrt names no input; name at least one to differentiate by")
    for name in names:
        if name not in arrays:
            raise JobError(f"wrt names {name!r}, which is no input; the inputs are {', '.join(arrays)}")
        if arrays[name].dtype.kind != "f":
            raise JobError(f"{name} has dtype {arrays[name].dtype}, which has no gradients; convert it to float64")
