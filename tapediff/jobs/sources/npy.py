"""Rows of `.npy` data: a file, or bytes of that format somewhere inside another file."""

import math
import os
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from tapediff.jobs.errors import JobError
from tapediff.jobs.sources.files import InputFile, one_line
from tapediff.jobs.sources.source import require_dtype, require_range


@dataclass(frozen=True)
class Layout:
    """What the header of `.npy` data says, and where the elements begin."""

    shape: tuple[int, ...]
    dtype: np.dtype
    is_fortran: bool
    start: int

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def require_rows(self, name: str) -> None:
        if not self.shape:
            raise JobError(f"{name} is a single number, but a row input has one entry per row; give it as a shared input")


def read_layout(name: str, label: str, file: IO[bytes]) -> Layout:
    """The layout of the `.npy` data that `file` stands at; JobError if it is not such data or holds what tensors do not."""
    start = file.tell()
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
        elif version == (2, 0):
            shape, is_fortran, dtype = np.lib.format.read_array_header_2_0(file)
        else:
            raise ValueError(f"version {version[0]}.{version[1]} of the format, which is for named fields, is not supported")
    except Exception as error:  # whatever NumPy's parser makes of a damaged header
        raise JobError(f"{label} is not a readable .npy file: {one_line(error)}") from error
    if any(size < 0 for size in shape):
        raise JobError(f"{label} is not a readable .npy file: its header says the shape {shape}")
    if dtype.hasobject:
        raise JobError(f"{label} is not a readable .npy file: it holds pickled Python objects, which are never loaded")
    require_dtype(name, dtype)
    return Layout(shape, dtype, is_fortran, file.tell() - start)


class RawRows:
    """Rows that lie uncompressed in an open file, read by position: nothing is mapped, so that a shortened file is an error.

    `origin` is the byte of the file at which the `.npy` data begins.
    """

    def __init__(self, label: str, file: IO[bytes], layout: Layout, origin: int = 0):
        self.label = label
        self.file = file
        self.layout = layout
        self.start = origin + layout.start
        self.length, *rest = layout.shape
        self.shape = tuple(rest)
        self.dtype = layout.dtype.newbyteorder("=")

    def read(self, first: int, last: int) -> np.ndarray:
        require_range(self.label, self.length, first, last)
        width = math.prod(self.shape)
        if self.layout.is_fortran and self.shape:
            columns = np.empty((*reversed(self.shape), last - first), dtype=self.layout.dtype)
            for number, column in enumerate(columns.reshape(width, last - first)):
                self._read_into(column, number * self.length + first)
            raw = columns.T
        else:
            raw = np.empty((last - first, *self.shape), dtype=self.layout.dtype)
            self._read_into(raw.reshape(-1), first * width)
        if raw.dtype == bool:
            raw = raw.view(np.uint8) != 0  # a byte that is neither 0 nor 1 would be no bool
        return np.ascontiguousarray(raw, dtype=self.dtype)

    def _read_into(self, flat: np.ndarray, element: int) -> None:
        fill(flat, self.file.fileno(), self.start + element * self.dtype.itemsize, self.label)

    def close(self) -> None:
        self.file.close()


class NpyRows(RawRows):
    """The rows of an `.npy` file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/x.npy", np.arange(6.0).reshape(3, 2))
    ...     rows = NpyRows("x", f"{folder}/x.npy")
    ...     print(rows.length, rows.shape, rows.dtype, rows.read(1, 3).tolist())
    ...     rows.close()
    3 (2,) float64 [[2.0, 3.0], [4.0, 5.0]]
    """

    def __init__(self, name: str, path: str):
        self.input = InputFile(path)
        file, layout = open_npy(name, path)
        try:
            layout.require_rows(name)
        except JobError:
            file.close()
            raise
        super().__init__(path, file, layout)

    def read(self, first: int, last: int) -> np.ndarray:
        self.input.require_unchanged()
        return super().read(first, last)

    def identity(self) -> dict[str, Any]:
        return {"kind": "npy", **self.input.identity()}


def open_npy(name: str, path: str) -> tuple[IO[bytes], Layout]:
    """The file at its elements and their layout; JobError if it is damaged or shorter than its header says."""
    try:
        file = open(path, "rb")  # noqa: SIM115 - open for as long as the source
    except OSError as error:
        raise JobError(f"{path} can't be read: {error.strerror}") from error
    try:
        layout = read_layout(name, path, file)
        require_size(path, os.fstat(file.fileno()).st_size - layout.start, layout)
    except BaseException:
        file.close()
        raise
    return file, layout


def require_size(label: str, available: int, layout: Layout) -> None:
    """Raise JobError if fewer bytes are there than the shape needs."""
    if available < layout.nbytes:
        wanted = f"{layout.nbytes:,} bytes of data for the shape {layout.shape}"
        raise JobError(f"{label} is not a readable .npy file: it is cut off, with {max(available, 0):,} of {wanted}")


def read_element_of(file: IO[bytes], label: str, layout: Layout) -> np.ndarray:
    """The one element of an array without dimensions."""
    element = np.empty(1, dtype=layout.dtype)
    fill(element, file.fileno(), layout.start, label)
    return element.astype(layout.dtype.newbyteorder("=")).reshape(())


def fill(flat: np.ndarray, descriptor: int, position: int, label: str) -> None:
    """Read the bytes of a contiguous array from a position of a file; JobError if the file ends or fails before."""
    view = flat.view(np.uint8).data
    done = 0
    while done < len(view):
        try:
            count = os.preadv(descriptor, [view[done:]], position + done)
        except OSError as error:
            raise JobError(f"{label} can't be read: {error.strerror}") from error
        if not count:
            raise JobError(f"{label} became shorter while the job read it: no data at byte {position + done:,}")
        done += count
