"""Result arrays in files of NumPy's format: written in pieces, read back to be checked, given their names when complete."""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from tapediff.jobs.chunks import Partition
from tapediff.jobs.errors import JobError
from tapediff.jobs.files import open_existing, open_new, read_all, storage_errors, write_all

PIECE = 1 << 22  # bytes that are read back at a time


@dataclass(frozen=True)
class Layout:
    """An output: how many entries there are along the first axis, the shape and dtype of one, whether each chunk has one or each
    row."""

    length: int
    shape: tuple[int, ...]
    dtype: np.dtype
    is_by_chunk: bool = False

    @property
    def entry_bytes(self) -> int:
        """The bytes of one entry."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def entries(self, partition: Partition, chunk: int) -> tuple[int, int]:
        """The entries of a chunk."""
        return (chunk, chunk + 1) if self.is_by_chunk else partition.bounds(chunk)


def header_of(layout: Layout) -> bytes:
    """The head of an `.npy` file.

    >>> header_of(Layout(3, (2,), np.dtype("float64")))[:6]
    b'\\x93NUMPY'
    """
    file = io.BytesIO()
    description: dict[str, Any] = {"descr": np.lib.format.dtype_to_descr(layout.dtype), "fortran_order": False,
                                   "shape": (layout.length, *layout.shape)}
    np.lib.format.write_array_header_1_0(file, description)
    return file.getvalue()


def digest(data: Any) -> str:
    """The BLAKE2b digest, 16 bytes, of a buffer.

    >>> digest(b"")[:8], digest(np.zeros(0))[:8]
    ('cae66941', 'cae66941')
    """
    return blake2b(data, digest_size=16).hexdigest()


class OutputFile:
    """One result array in a file."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self.header = header_of(layout)
        self.descriptor = -1
        self.is_synced = True

    def create(self) -> None:
        """Make the file, with zeros for all entries, which take no room yet."""
        with storage_errors(self.path):
            self.descriptor = open_new(self.path)
            write_all(self.descriptor, self.header)
            os.ftruncate(self.descriptor, len(self.header) + self.layout.length * self.layout.entry_bytes)

    def open(self) -> bool:
        """Open the file that is there; False if there is none, or one that is not of this layout."""
        try:
            self.descriptor = open_existing(self.path, os.O_RDWR)
        except FileNotFoundError:
            return False
        size = os.fstat(self.descriptor).st_size
        if size == len(self.header) + self.layout.length * self.layout.entry_bytes:
            if read_all(self.descriptor, len(self.header), 0) == self.header:
                return True
        self.close()
        return False

    def write(self, first: int, entries: np.ndarray) -> str:
        """Write entries from `first` on, cast to the layout's dtype; returns their digest."""
        data = np.ascontiguousarray(entries, self.layout.dtype)
        self.is_synced = False
        with storage_errors(self.path):
            write_all(self.descriptor, data.reshape(-1).view(np.uint8), len(self.header) + first * self.layout.entry_bytes)
        return digest(data.reshape(-1).view(np.uint8))

    def digest(self, first: int, last: int) -> str:
        """The digest of the entries that are in the file."""
        found = blake2b(digest_size=16)
        at, end = (len(self.header) + entry * self.layout.entry_bytes for entry in (first, last))
        while at < end and (piece := read_all(self.descriptor, min(PIECE, end - at), at)):
            found.update(piece)
            at += len(piece)
        return found.hexdigest()

    def read(self, first: int, last: int) -> np.ndarray:
        """The entries in the file."""
        size = self.layout.entry_bytes
        data = read_all(self.descriptor, (last - first) * size, len(self.header) + first * size)
        if len(data) != (last - first) * size:
            raise JobError(f"{self.path} is shorter than the job wrote it; give the same command again")
        return np.frombuffer(data, self.layout.dtype).reshape(last - first, *self.layout.shape)

    def sync(self) -> None:
        """Have on the disk what was written."""
        if not self.is_synced:
            with storage_errors(self.path):
                os.fsync(self.descriptor)
            self.is_synced = True

    def close(self) -> None:
        """Let go of the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def open_array(path: Path) -> np.ndarray:
    """The array of a finished output, memory-mapped; a link is not followed, and nothing is unpickled."""
    try:
        descriptor = open_existing(path, os.O_RDONLY)
    except FileNotFoundError as error:
        raise JobError(f"{path} is not there: the job is not finished, or the file was moved") from error
    with open(descriptor, "rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read_header(file)
            if dtype.hasobject:
                raise ValueError("it holds Python objects")
            if 0 in shape:
                return np.zeros(shape, dtype)
            return np.memmap(file, dtype, "r", file.tell(), shape)
        except (ValueError, OSError) as error:
            raise JobError(f"{path} is no array that a job wrote: {error}") from error


def layouts_of(partition: Partition, shapes: Mapping[str, tuple[tuple[int, ...], np.dtype]], dtype: np.dtype,
               reduce: str | None) -> dict[str, Layout]:
    """The outputs of a job by name: of each row, or with `reduce` the partial sums of each chunk.

    >>> layouts_of(Partition(5, 2), {"x": ((3,), np.dtype("float32"))}, np.dtype("float64"), None)["grad_x"]
    Layout(length=5, shape=(3,), dtype=dtype('float32'), is_by_chunk=False)
    """
    rows, double = partition.rows, np.dtype(np.float64)
    found = {"value": Layout(partition.count, (), double, True) if reduce else Layout(rows, (), dtype)}
    for name, (shape, kind) in shapes.items():
        found[f"grad_{name}"] = Layout(partition.count, shape, double, True) if reduce else Layout(rows, shape, kind)
    found["status"] = Layout(rows, (), np.dtype(np.uint8))
    return found
