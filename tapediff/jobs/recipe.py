"""What another process needs to evaluate chunks of a job: the function, saved programs, shared arrays; as one object to send."""

import importlib
import os
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np

from tapediff.errors import ProgramFileError
from tapediff.jobs.errors import JobError
from tapediff.jobs.evaluator import Evaluator
from tapediff.jobs.function import OWN_MODULES, Function, source_file
from tapediff.jobs.identity import library_identity
from tapediff.jobs.result import ChunkResult
from tapediff.jobs.sources.optional import require_package
from tapediff.program.program import Program

PURPOSE = "running a job on Dask workers"
MOST_EVALUATORS = 64  # that a process keeps, one for each thread and recipe

_evaluators: OrderedDict[tuple[str, int], Evaluator] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Recipe:
    """Makes an `Evaluator` wherever it is sent; see there for the fields that are its arguments.

    function  the function, pickled: by value where it is from the user's file or session, else by the name of its module
    folder    of the function's file, where it may import from
    programs  saved programs, of the paths that are known already
    library   versions and processor that the results depend on: a worker with others is refused
    key       names the recipe, so that a process makes its evaluator once
    """

    function: bytes
    folder: str | None
    names: tuple[str, ...]
    shared: dict[str, np.ndarray]
    wrt: tuple[str, ...]
    reduce: str | None
    dtype: str
    limit: int
    threads: int
    programs: tuple[bytes, ...] = ()
    library: dict[str, str] = field(default_factory=library_identity)
    key: str = field(default_factory=token_hex)

    @classmethod
    def of(cls, f: Function, evaluator: Evaluator, names: Sequence[str], threads: int = 1) -> "Recipe":
        """The recipe of an evaluator, with the programs that it has recorded so far."""
        file = source_file(f)
        return cls(
            function=pickled(f), folder=None if file is None else str(file.resolve().parent), names=tuple(names),
            shared=dict(evaluator.shared), wrt=tuple(evaluator.wrt), reduce=evaluator.reduce, dtype=evaluator.dtype.name,
            limit=evaluator.limit, threads=threads, programs=saved(evaluator.paths.programs()),
        )

    def make(self) -> Evaluator:
        """A new evaluator.

        Raises
            JobError: this process has other versions or another processor than the one that the recipe is from, or can't load
                the function.
        """
        self.require_same_library()
        try:
            with importing_from(self.folder):
                f = require_package("cloudpickle", PURPOSE).loads(self.function)
        except Exception as error:
            raise JobError(f"the function can't be loaded on a worker: {type(error).__name__}: {error}") from error
        evaluator = Evaluator(f, self.names, self.shared, self.wrt, reduce=self.reduce, dtype=self.dtype, limit=self.limit,
                              threads=self.threads)
        for program in self.programs:
            evaluator.know(loaded(program))
        return evaluator

    def require_same_library(self) -> None:
        here = library_identity()
        for name, wanted in self.library.items():
            if here.get(name) != wanted:
                raise JobError(f"a worker has {name} {here.get(name)}, the job {wanted}: last bits of results could differ")

    def evaluate(self, inputs: Mapping[str, np.ndarray], first: int) -> ChunkResult:
        """The result of a chunk, on an evaluator that this thread keeps for the recipe."""
        return self._kept().evaluate(inputs, first)

    def _kept(self) -> Evaluator:
        place = self.key, threading.get_ident()
        with _lock:
            found = _evaluators.get(place)
            if found is not None:
                _evaluators.move_to_end(place)
        if found is None:
            found = self.make()
            with _lock:
                _evaluators[place] = found
                while len(_evaluators) > MOST_EVALUATORS:
                    _evaluators.popitem(last=False)
        return found


def pickled(f: Function) -> bytes:
    """A function as bytes; what a worker could not import goes along by value."""
    cloudpickle = require_package("cloudpickle", PURPOSE)
    module = sys.modules.get(getattr(f, "__module__", None) or "")
    is_own = module is not None and module.__name__.startswith(OWN_MODULES)
    if is_own:
        cloudpickle.register_pickle_by_value(module)
    try:
        found: bytes = cloudpickle.dumps(f)
    except Exception as error:
        raise JobError(f"the function can't be sent to workers: {type(error).__name__}: {error}") from error
    finally:
        if is_own:
            cloudpickle.unregister_pickle_by_value(module)
    return found


@contextmanager
def importing_from(folder: str | None) -> Any:
    """A context in which modules of a folder can be imported, if it is there."""
    if folder is None or not os.path.isdir(folder):
        yield
        return
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)


def saved(programs: Sequence[Program]) -> tuple[bytes, ...]:
    """Programs as the bytes of their files; without those that a file can't hold."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for program in programs:
            path = Path(folder) / "program"
            with suppress(ProgramFileError):
                program.save(path)
                found.append(path.read_bytes())
    return tuple(found)


def loaded(content: bytes) -> Program:
    """A program of its file's bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program"
        path.write_bytes(content)
        return Program.load(path)
