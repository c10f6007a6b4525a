"""Batch gradient jobs: value and gradient of a function for every row of a table, from file to file, resumable."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np

from tapediff.jobs.check import Check, check_rows
from tapediff.jobs.errors import JobError, StorageError, StrictError
from tapediff.jobs.evaluator import Evaluator
from tapediff.jobs.finish import combined, finish
from tapediff.jobs.folder import JobFolder, remove
from tapediff.jobs.function import Function, load_function
from tapediff.jobs.job_result import JobResult, result_of
from tapediff.jobs.origins import explained
from tapediff.jobs.pipeline import Pipeline
from tapediff.jobs.plan import Plan, Wanted
from tapediff.jobs.progress import Progress, tell
from tapediff.jobs.recipe import Recipe
from tapediff.jobs.result import ChunkResult
from tapediff.jobs.settings import Settings, read_settings, require_same, write_settings
from tapediff.jobs.sources import Given, Source, files_of
from tapediff.jobs.state import read_tally
from tapediff.jobs.status import REASONS
from tapediff.jobs.store import FolderStore, MemoryStore, Store, free_bytes
from tapediff.jobs.summary import summary_of
from tapediff.jobs.tally import Tally
from tapediff.jobs.trust import is_signed


def run(
    f: Function | str,
    *,
    rows: Mapping[str, Given],
    shared: Mapping[str, Given] | None = None,
    wrt: str | Sequence[str],
    reduce: str | None = None,
    out: str | os.PathLike[str] | None = None,
    format: str = "npy",
    chunk_rows: int | None = None,
    limit: int | None = None,
    threads: int | None = None,
    strict: bool = False,
    restart: bool = False,
    check: int = 0,
    progress: str = "none",
    client: Any = None,
) -> JobResult:
    """Evaluate `f` and its gradient for every row.

    f          is called with keyword arguments, tensors: one row of each of `rows`, all of each of `shared`; returns a tensor of
               one floating-point element. Or "FILE.py:FUNCTION"
    rows       by parameter: an array, or a file, `data.npy`, `table.parquet:column` ...; rows lie along the first axis
    shared     by parameter: an array, a number, or a file
    wrt        the inputs to differentiate by
    reduce     None: value and gradients of every row; "sum" or "mean": of all rows whose value and gradients are finite
    out        the folder of the results; None: they stay in memory. A folder in which the same job was begun goes on with it
    format     "npy": a file for each output, or "parquet": one file
    chunk_rows rows of a chunk, which is computed at a time and, after a crash, again; chosen by the bytes of a row
    limit      programs of one chunk (64): rows that take further paths are recorded one by one
    threads    how many to use; the cores that the process may use by default
    strict     stop at the first row that goes wrong
    restart    take away the job and the results that the folder holds
    check      compare so many rows with finite differences
    progress   "auto", "bar", "log" or "none"; on stderr
    client     a `distributed.Client`: chunks are computed by the workers of its Dask scheduler, each with `threads` (1) at a time

    Rows that go wrong are marked in `status` (see `tapediff.jobs.status`), and the job goes on.

    >>> def f(x, scale):
    ...     return (scale * x * x).sum()
    >>> result = run(f, rows={"x": np.array([[1.0, 2.0], [3.0, 4.0]])}, shared={"scale": 0.5}, wrt="x")
    >>> result.value, result.gradient("x").tolist()
    (array([ 2.5, 12.5]), [[1.0, 2.0], [3.0, 4.0]])

    Raises
        JobError: an input, the function or a setting can't be used; of its kinds ChangedError: the folder holds another job;
            LockedError: another process runs in it; StrictError: a row went wrong; StorageError: the disk is full, say.
    """
    target = os.path.abspath(f) if isinstance(f, str) else None
    function = load_function(f) if isinstance(f, str) else f
    names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    wanted = Wanted(function, dict(rows), dict(shared or {}), names, reduce, format, chunk_rows, limit, target)
    wanted.check()
    if check and reduce:
        raise JobError("check compares rows with finite differences; leave it out with reduce")
    if out is None:
        return run_in_memory(wanted, threads, strict, check, progress, client)
    return run_in_folder(JobFolder(out), wanted, threads, strict, restart, check, progress, client)


def resume(out: str | os.PathLike[str], *, threads: int | None = None, strict: bool = False, progress: str = "none",
           client: Any = None) -> JobResult:
    """Go on with the job in a folder, which this user started on this machine with a function and inputs from files.

    Any other job goes on when it is run again as it was started; a folder from somebody else is not told what to run here.

    Raises
        JobError: as `run`; or the folder holds no job, or one that was not started so.
    """
    folder = JobFolder(out)
    folder.check()
    found = read_settings(folder)
    if found is None:
        raise JobError(f"{folder.path} holds no job that was begun; start it with `tapediff run`")
    settings, text, signature = found
    again = "give the whole command again (or td.jobs.run): it goes on where the job stopped"
    if not is_signed(text, signature):
        raise JobError(f"the job in {folder.path} was not started by you on this machine, so the function that it names is not "
                       f"run: {again}")
    if settings.target is None:
        raise JobError(f"the job in {folder.path} was started from Python with a function that no file is known of: {again}")
    given: dict[str, dict[str, str]] = {"rows": {}, "shared": {}}
    for kind, inputs in (("rows", settings.rows), ("shared", settings.shared)):
        for name, entry in inputs.items():
            if entry.given is None:
                raise JobError(f"{name} was an array in memory: {again}")
            given[kind][name] = entry.given
    wanted = Wanted(load_function(settings.target), given["rows"], given["shared"], settings.wrt, settings.reduce,
                    settings.format, settings.chunk_rows, settings.limit, settings.target)
    return run_in_folder(folder, wanted, threads, strict, False, 0, progress, client)


def run_in_memory(wanted: Wanted, threads: int | None, strict: bool, check: int, progress: str, client: Any) -> JobResult:
    """A job whose results stay in memory."""
    with Plan(wanted, None) as plan:
        settings = plan.settings
        store = MemoryStore(settings.partition, settings.layouts)
        evaluator = plan.evaluator(threads)
        compute(plan, evaluator, store, strict, progress, threads, client)
        store.tally.failures = explained(store.tally.failures, plan, evaluator)
        arrays = combined(settings, store) | {"status": store.arrays["status"]} if settings.reduce else store.arrays
        found = check_of(plan, arrays, check)
        return JobResult(summary_of(settings, store.tally, True), None, found, arrays)


def run_in_folder(folder: JobFolder, wanted: Wanted, threads: int | None, strict: bool, restart: bool, check: int,
                  progress: str, client: Any) -> JobResult:
    """A job whose results go into a folder."""
    with folder.opened(), ExitStack() as opened:
        found = None if restart else read_settings(folder)
        if restart and folder.inputs.exists():
            remove(folder.inputs)
        plan = opened.enter_context(Plan(wanted, folder.inputs, found[0] if found else None))
        settings = plan.settings
        if found:
            require_same(folder, found[0], settings)
        else:
            prepare(folder, settings, restart)
        tally, is_finished = read_tally(folder, settings)
        if not is_finished or not all(path.exists() for path in final_paths(folder, settings)):
            tally = compute_in_folder(folder, plan, threads, strict, progress, client)
        result = result_of(folder, settings, tally, True)
        result.check = check_of(plan, {name: result.array(name) for name in settings.outputs}, check) if check else None
        return result


def prepare(folder: JobFolder, settings: Settings, restart: bool) -> None:
    """Make room for a job in a folder, and write its settings: from then on there is one."""
    found = folder.results(settings.outputs)
    if found and not restart:
        names = ", ".join(path.name for path in found)
        raise JobError(f"{folder.path} already holds {names}; give another folder, or --restart (restart=True) to replace it")
    needed = sum(layout.length * layout.entry_bytes for layout in settings.layouts.values())
    outputs = settings.outputs
    if restart:
        try:
            old = read_settings(folder)
        except JobError:
            old = None
        outputs = [*outputs, *(old[0].outputs if old else [])]
    require_inputs_kept(folder, settings, outputs)
    folder.clear(outputs)
    if needed > free_bytes(folder.work):
        raise StorageError(f"{folder.path} has room for {free_bytes(folder.work):,} bytes, and the results take {needed:,}; make "
                           "room or give another folder")
    write_settings(folder, settings)


def require_inputs_kept(folder: JobFolder, settings: Settings, outputs: Sequence[str]) -> None:
    """Raise JobError if an input is among the files that are taken away."""
    removed = [os.path.realpath(path) for path in [*folder.results(outputs), folder.work]]
    for name, entry in (settings.rows | settings.shared).items():
        for file in files_of(entry.given):
            place = os.path.realpath(file)
            if any(place == path or place.startswith(path + os.sep) for path in removed):
                raise JobError(f"{name} is read from {file}, which restarting would remove; give another folder")


def final_paths(folder: JobFolder, settings: Settings) -> list[Path]:
    """The files of a finished job."""
    return [folder.parquet] if settings.format == "parquet" else [folder.final(name) for name in settings.outputs]


def compute_in_folder(folder: JobFolder, plan: Plan, threads: int | None, strict: bool, progress: str, client: Any) -> Tally:
    """Do what is left of a job, and give the results their names."""
    settings = plan.settings
    store = FolderStore(folder, settings.job, settings.partition, settings.layouts, lambda text: tell(progress, text))
    try:
        evaluator = plan.evaluator(threads)
        try:
            compute(plan, evaluator, store, strict, progress, threads, client)
        except BaseException:
            with suppress(StorageError):  # the disk may be full: what stopped the job is what is to be told
                store.commit()
            raise
        store.tally.failures = explained(store.tally.failures, plan, evaluator)
        finish(folder, settings, store, summary_of(settings, store.tally, True))
    finally:
        store.close()
    return store.tally


def compute(plan: Plan, evaluator: Evaluator, store: Store, strict: bool, progress: str, threads: int | None,
            client: Any) -> None:
    """Compute the chunks that a store does not have, here or by the workers of a client."""
    partition = plan.settings.partition
    todo = [chunk for chunk in range(partition.count) if chunk not in store.done]
    with Progress(progress, partition.rows, store.tally.rows) as shown:
        known = set(store.tally.programs)

        def read(chunk: int) -> dict[str, np.ndarray]:
            return plan.read(*partition.bounds(chunk))

        def accepted(result: ChunkResult) -> ChunkResult:
            if strict and result.failures:
                failure = result.failures[0]
                raise StrictError(f"row {failure.row}: {REASONS[failure.code]}: {failure.text}; without --strict the job marks "
                                  "such rows and goes on")
            known.update(result.programs)
            shown.advance(result.last - result.first, len(known))
            return result

        if client is None:
            Pipeline(read, store.write).run(todo, lambda chunk, inputs: accepted(
                evaluator.evaluate(inputs, partition.bounds(chunk)[0])))
        else:
            from tapediff.jobs.distributed import Workers

            Workers(client, recipe_of(plan, evaluator, threads)).run(
                todo, lambda chunk: (read(chunk), partition.bounds(chunk)[0]),
                lambda chunk, result: store.write(chunk, accepted(result)))


def recipe_of(plan: Plan, evaluator: Evaluator, threads: int | None) -> Recipe:
    """What workers need, with the program of the first row, so that they need not record it."""
    if plan.probed_row is not None:
        with suppress(Exception):  # the function can't be recorded: neither can it there
            evaluator.paths.path(plan.probe, plan.probed_row)
    return Recipe.of(plan.wanted.f, evaluator, list(plan.sources), threads or 1)


class Rows:
    """A source as `check_rows` takes it: an array that is read row by row."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def __len__(self) -> int:
        return self.source.length

    def __getitem__(self, row: int) -> np.ndarray:
        found: np.ndarray = self.source.read(row, row + 1)[0]
        return found


def check_of(plan: Plan, arrays: Mapping[str, np.ndarray], count: int) -> Check | None:
    """The comparison of some rows with finite differences."""
    if not count:
        return None
    gradients = {name: arrays[f"grad_{name}"] for name in plan.settings.wrt}
    rows = {name: Rows(source) for name, source in plan.sources.items()}
    with np.errstate(all="ignore"):
        return check_rows(plan.wanted.f, rows, plan.shared, gradients, count)  # type: ignore[arg-type]
