"""What a job is to do: inputs opened, the function matched with them, and tried on the first rows."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from os import PathLike, fspath
from os.path import abspath
from pathlib import Path
from typing import Any

import numpy as np

from tapediff.jobs.chunks import choose_chunk_rows
from tapediff.jobs.errors import JobError
from tapediff.jobs.evaluate import RowEvaluator
from tapediff.jobs.evaluator import Evaluator
from tapediff.jobs.function import Function, match_parameters
from tapediff.jobs.identity import function_identity, library_identity, program_identity
from tapediff.jobs.outputs import digest
from tapediff.jobs.paths import Paths
from tapediff.jobs.settings import FORMATS, REDUCTIONS, Input, Settings
from tapediff.jobs.sources import Given, Source, common_length, open_sources, read_shared
from tapediff.jobs.sources.opening import parse_number
from tapediff.program.compiled import MOST_PROGRAMS
from tapediff.version import __version__

MOST_DIGESTING = 2  # files at a time
PROBED = 8  # rows: a function that fails for all of these is taken to be wrong, not the rows


@dataclass(frozen=True)
class Wanted:
    """A job as the user asks for it; see `run`."""

    f: Function
    rows: Mapping[str, Given]
    shared: Mapping[str, Given]
    wrt: tuple[str, ...]
    reduce: str | None = None
    format: str = "npy"
    chunk_rows: int | None = None
    limit: int | None = None
    target: str | None = None

    def check(self) -> None:
        """Raise JobError for what can be seen to be wrong without looking at data."""
        if self.reduce not in REDUCTIONS:
            raise JobError(f"reduce={self.reduce!r}: choose None, 'sum' or 'mean'")
        if self.format not in FORMATS:
            raise JobError(f"format={self.format!r}: choose one of {', '.join(FORMATS)}")
        if self.format == "parquet":
            if self.reduce:
                raise JobError("a sum or a mean is no table; leave out the format parquet, or reduce")
            from tapediff.jobs.parquet import require_pyarrow
            require_pyarrow()
        for name, number, least in (("chunk_rows", self.chunk_rows, 1), ("limit", self.limit, 0)):
            if number is not None and (type(number) is not int or number < least):
                raise JobError(f"{name}={number!r}: choose a whole number from {least} on")
        both = sorted(set(self.rows) & set(self.shared))
        if both:
            raise JobError(f"{', '.join(both)} was given both as a row input and as a shared input; give it once")
        names = [*self.rows, *self.shared]
        if not self.wrt:
            raise JobError("wrt names no input; name at least one to differentiate by")
        for name in self.wrt:
            if name not in names:
                raise JobError(f"wrt names {name!r}, which is no input; the inputs are {', '.join(names)}")
            if self.wrt.count(name) > 1:
                raise JobError(f"wrt names {name!r} twice; name it once")


class Plan:
    """An opened job; a context that closes its inputs.

    sources   of the row inputs
    shared    arrays that all rows share
    settings  what its results depend on
    """

    def __init__(self, wanted: Wanted, folder: Path | None, stored: Settings | None = None) -> None:
        """Open a job; with the settings that a folder has, what the user left open is as it was there."""
        self.wanted = wanted
        self.folder = folder
        wanted.check()
        with ExitStack() as opened:
            self.sources = open_sources(wanted.rows, folder)
            for source in self.sources.values():
                opened.callback(source.close)
            identities = opened.enter_context(Identities(wanted.rows, self.sources if folder is not None else {}))
            self.length = common_length(self.sources)
            match_parameters(wanted.f, [*wanted.rows, *wanted.shared])
            self.shared = {name: read_shared(name, given) for name, given in wanted.shared.items()}
            for name in wanted.wrt:
                require_differentiable(name, self.dtype(name))
            self.probe, self.value_dtype, self.probed_row = self._probe()
            self.settings = self._settings(stored, identities)
            self.opened = opened.pop_all()

    def __enter__(self) -> "Plan":
        return self

    def __exit__(self, *exception: object) -> None:
        self.opened.close()

    def dtype(self, name: str) -> np.dtype:
        """The dtype of an input."""
        return self.sources[name].dtype if name in self.sources else self.shared[name].dtype

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of one row of an input, or of a shared one."""
        return self.sources[name].shape if name in self.sources else self.shared[name].shape

    def read(self, first: int, last: int) -> dict[str, np.ndarray]:
        """Rows of all row inputs."""
        return {name: source.read(first, last) for name, source in self.sources.items()}

    def evaluator(self, threads: int | None = None) -> Evaluator:
        """What evaluates the job's chunks."""
        settings = self.settings
        return Evaluator(self.wanted.f, list(self.sources), self.shared, settings.wrt, reduce=settings.reduce,
                         dtype=settings.value, limit=settings.limit, threads=threads)

    def _probe(self) -> tuple[dict[str, np.ndarray], np.dtype, int | None]:
        """The first rows, the dtype of the first value, and its row.

        Raises
            JobError: the function fails for all of them.
        """
        rows = self.read(0, min(PROBED, self.length))
        evaluator = RowEvaluator(self.wanted.f, rows, self.shared, wrt=())
        first_error: JobError | None = None
        with np.errstate(all="ignore"):
            for row in range(min(PROBED, self.length)):
                try:
                    return rows, evaluator.value(row).dtype, row
                except JobError as error:
                    first_error = first_error or error
        if first_error is not None:
            raise first_error
        return rows, np.result_type(*(self.dtype(name) for name in self.wanted.wrt)), None

    def _settings(self, stored: Settings | None, identities: "Identities") -> Settings:
        wanted = self.wanted
        paths = Paths(wanted.f, list(self.sources), self.shared, wanted.wrt)
        program = None if self.probed_row is None else program_identity(paths, self.probe, self.probed_row)
        in_folder = self.folder is not None
        found = Settings(
            function={**function_identity(wanted.f), "program": program} if in_folder else {"name": name_of(wanted.f)},
            target=wanted.target,
            rows={name: input_of(wanted.rows[name], source, identities.of(name)) for name, source in self.sources.items()},
            shared={name: shared_input(wanted.shared[name], array, in_folder) for name, array in self.shared.items()},
            wrt=wanted.wrt,
            reduce=wanted.reduce,
            format=wanted.format,
            length=self.length,
            chunk_rows=wanted.chunk_rows or (stored.chunk_rows if stored else self.choose_chunk_rows()),
            limit=wanted.limit if wanted.limit is not None else stored.limit if stored else MOST_PROGRAMS,
            value=self.value_dtype.name,
            library=library_identity() if in_folder else {"tapediff": __version__},
        )
        return replace(found, job=stored.job) if stored else found

    def choose_chunk_rows(self) -> int:
        """Rows of a chunk, by the bytes of a row."""
        given = sum(nbytes(source.shape, source.dtype) for source in self.sources.values())
        gradients = sum(nbytes(self.shape(name), self.dtype(name)) for name in self.wanted.wrt)
        if self.wanted.reduce:
            return choose_chunk_rows(given + 9, gradients)
        return choose_chunk_rows(given + gradients + 9)


class Identities:
    """Computes the identities of sources in other threads, while the function is loaded and tried; a context that ends them."""

    def __init__(self, given: Mapping[str, Given], sources: Mapping[str, Source]) -> None:
        self.pool = ThreadPoolExecutor(MOST_DIGESTING, "tapediff-identity")
        names_of: dict[str, list[str]] = {}
        for name in sources:  # the columns of a file one after the other: the first has what all need
            place = str(given[name]).rpartition(":")[0] if isinstance(given[name], str | PathLike) else ""
            names_of.setdefault(place or name, []).append(name)
        self.found: dict[str, Future[dict[str, Any]]] = {}
        for names in names_of.values():
            future = self.pool.submit(identities_of, {name: sources[name] for name in names})
            self.found.update(dict.fromkeys(names, future))

    def __enter__(self) -> "Identities":
        return self

    def __exit__(self, *exception: object) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)

    def of(self, name: str) -> dict[str, Any]:
        """The identity of a source; nothing for one that was not asked for."""
        found: dict[str, Any] = self.found[name].result()[name] if name in self.found else {}
        return found


def identities_of(sources: Mapping[str, Source]) -> dict[str, dict[str, Any]]:
    """The identities of some sources."""
    return {name: source.identity() for name, source in sources.items()}


def input_of(given: Given, source: Source, identity: dict[str, Any]) -> Input:
    """A row input as settings have it."""
    return Input(location_of(given), tuple(source.shape), source.dtype.name, identity)


def shared_input(given: Given, array: np.ndarray, with_identity: bool) -> Input:
    """A shared input as settings have it."""
    identity = {"digest": digest(np.ascontiguousarray(array).reshape(-1).view(np.uint8))} if with_identity else {}
    return Input(location_of(given), array.shape, array.dtype.name, identity)


def location_of(given: Given) -> str | None:
    """Where an input lies, as an absolute path; None for one in memory, a number as it is written."""
    if not isinstance(given, str | PathLike):
        return None
    text = fspath(given)
    return text if isinstance(text, str) and parse_number(text) is not None else abspath(str(text))


def require_differentiable(name: str, dtype: np.dtype) -> None:
    """Raise JobError unless an input has gradients."""
    if dtype.kind != "f":
        raise JobError(f"{name} has dtype {dtype}, which has no gradients; convert it to float64")


def name_of(f: Function) -> str:
    return getattr(f, "__qualname__", type(f).__name__)


def nbytes(shape: Sequence[int], dtype: np.dtype) -> int:
    return int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
