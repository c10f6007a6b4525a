"""What every source of rows does, whatever its format."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from tapediff.jobs.errors import JobError

DTYPES = ("float32", "float64", "int64", "int32", "bool")


class Source(Protocol):
    """Rows that are read in pieces; holds no more than a piece in memory where the format allows.

    label   what the user wrote, for messages: "data.parquet:price"
    length  how many rows there are
    shape   of one row
    dtype   one of DTYPES, in native byte order
    """

    label: str
    length: int
    shape: tuple[int, ...]
    dtype: np.dtype

    def read(self, first: int, last: int) -> np.ndarray:
        """The rows from `first` to `last`, shape (last - first, *shape), C-contiguous; from one thread at a time."""

    def identity(self) -> dict[str, Any]:
        """What tells this data from other data, as JSON: equal identities, equal data. The path is no part of it."""

    def close(self) -> None:
        """Let go of files; twice does no harm."""


def require_dtype(name: str, dtype: np.dtype) -> None:
    """Raise JobError unless tensors have `dtype`, in either byte order.

    >>> require_dtype("x", np.dtype(">f8"))
    >>> require_dtype("x", np.dtype("float16"))
    Traceback (most recent call last):
        ...
    tapediff.jobs.errors.JobError: x has dtype float16; a tensor holds float32, float64, int64, int32, bool: convert it first
    """
    if dtype.hasobject:
        raise JobError(f"{name} holds Python objects, which are never loaded; convert it to numbers first")
    if dtype.newbyteorder("=").name not in DTYPES:
        raise JobError(f"{name} has dtype {dtype}; a tensor holds {', '.join(DTYPES)}: convert it first")


def require_range(label: str, length: int, first: int, last: int) -> None:
    """Raise IndexError unless a source of `length` rows has those from `first` to `last`."""
    if not 0 <= first <= last <= length:
        raise IndexError(f"{label} has {length} rows; wanted those from {first} to {last}")


def common_length(sources: Mapping[str, Source]) -> int:
    """How many rows all of them have; JobError if they differ or there is none."""
    if not sources:
        raise JobError("no row inputs were given; name at least one parameter of the function with an array of rows")
    lengths = {name: source.length for name, source in sources.items()}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise JobError(f"the first axes of the row inputs differ: {given}; every row input needs the same number of rows")
    return next(iter(lengths.values()))
