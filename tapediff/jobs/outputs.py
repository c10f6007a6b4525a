"""Result files of a job: memory-mapped `.npy` files that get their final names only when all of them are complete."""

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import numpy as np

from tapediff.jobs.errors import JobError

PARTIAL = ".partial"


class OutputFolder:
    """A context that writes arrays into `folder`; they appear when `publish` is called, and nothing is left if it never is."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.arrays: dict[str, np.memmap] = {}

    def __enter__(self) -> "OutputFolder":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JobError(f"the output folder {self.folder} can't be made: {error.strerror}; give another one") from error
        return self

    def require_absent(self, names: Iterable[str]) -> None:
        """Raise if a result of one of these names is there already."""
        found = [path.name for path in map(self.path, names) if path.exists()]
        if found:
            raise JobError(f"{self.folder} already holds {', '.join(found)}; give another folder, or --overwrite to replace it")

    def create(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """A new array of zeros on disk, to be filled."""
        try:
            array = np.lib.format.open_memmap(self.partial(name), mode="w+", dtype=dtype, shape=shape)
        except OSError as error:
            raise JobError(f"{self.partial(name)} can't be written: {error.strerror}; give another output folder") from error
        self.arrays[name] = array
        return array

    def publish(self) -> dict[str, Path]:
        """Flush every array to disk and give all their final names; returns the paths."""
        for name, array in self.arrays.items():
            array.flush()
            with open(self.partial(name), "rb") as file:
                os.fsync(file.fileno())
        for name in self.arrays:
            os.replace(self.partial(name), self.path(name))
        names, self.arrays = list(self.arrays), {}
        return {name: self.path(name) for name in names}

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in self.arrays:
            self.partial(name).unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def partial(self, name: str) -> Path:
        return self.folder / f"{name}.npy{PARTIAL}"
