"""Rows of a Zarr array, a folder of compressed chunks."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tapediff.jobs.errors import JobError
from tapediff.jobs.sources.files import InputFile, one_line
from tapediff.jobs.sources.location import listing, unknown
from tapediff.jobs.sources.optional import require_package
from tapediff.jobs.sources.source import require_dtype, require_range


class ZarrRows:
    """The rows of an array, or of an array in a group; a chunk of the array is in memory at a time."""

    def __init__(self, name: str, path: str, member: str | None):
        self.path = path
        self.label = f"{path}:{member}" if member else path
        if not Path(path).exists():
            raise JobError(f"{path} does not exist")
        zarr = require_package("zarr", "reading Zarr arrays")
        try:
            node = zarr.open(path, mode="r")
        except Exception as error:  # zarr has no exception of its own for all that may be wrong
            raise JobError(f"{path} is not a readable Zarr store: {one_line(error)}") from error
        self.array = self._find(zarr, node, member)
        require_dtype(name, np.dtype(self.array.dtype))
        if not self.array.ndim:
            raise JobError(f"{name} is a single number, but a row input has one entry per row; give it as a shared input")
        self.length, *rest = (int(size) for size in self.array.shape)
        self.shape = tuple(rest)
        self.dtype = np.dtype(self.array.dtype).newbyteorder("=")
        self.files = {file: InputFile(file) for file in self._files()}

    def _find(self, zarr: Any, node: Any, member: str | None) -> Any:
        if isinstance(node, zarr.Array):
            if member:
                raise JobError(f"{self.path} is one array; leave out ':{member}'")
            return node
        names = sorted(name for name, _ in node.arrays())
        if not member:
            raise JobError(f"{self.path} holds several arrays; say which one: {self.path}:ARRAY (it holds {listing(names)})")
        try:
            found = node[member]
        except Exception as error:
            raise unknown(self.path, "array", member, names) from error
        if not isinstance(found, zarr.Array):
            raise unknown(self.path, "array", member, names)
        return found

    def _files(self) -> Iterator[str]:
        """Every file of the store, in the order of their names."""
        if not Path(self.path).is_dir():
            yield self.path
        for folder, folders, files in os.walk(self.path):
            folders.sort()
            yield from (os.path.join(folder, file) for file in sorted(files))

    def read(self, first: int, last: int) -> np.ndarray:
        require_range(self.label, self.length, first, last)
        try:
            return np.ascontiguousarray(self.array[first:last], dtype=self.dtype)
        except Exception as error:
            raise JobError(f"{self.label} can't be read from row {first} to {last}: {one_line(error)}") from error

    def identity(self) -> dict[str, Any]:
        files = {os.path.relpath(path, self.path): file.identity() for path, file in self.files.items()}
        return {"kind": "zarr", "array": self.array.path, "files": files}

    def close(self) -> None:
        pass
