"""From what the user gives for an input, a file by name or an array, to a source of rows or to a whole array."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from tapediff.jobs.errors import JobError
from tapediff.jobs.sources.csv import CsvRows
from tapediff.jobs.sources.ipc import IpcRows
from tapediff.jobs.sources.location import Location
from tapediff.jobs.sources.memory import ArrayRows, as_array
from tapediff.jobs.sources.npy import NpyRows, open_npy, read_element_of
from tapediff.jobs.sources.npz import Member, NpzRows
from tapediff.jobs.sources.parquet import ParquetRows
from tapediff.jobs.sources.parts import Parts
from tapediff.jobs.sources.source import Source, require_dtype
from tapediff.jobs.sources.zarr import ZarrRows

Given = Any  # str, a path, or what `as_array` takes


def open_source(name: str, given: Given, folder: Path | None = None) -> Source:
    """The rows of the input `name`: of a file, `FILE.npy` or `FILE.parquet:COLUMN`, or of an array, a tensor, a list of numbers.

    `folder` is where numbers are kept that can't be read by position in their file; the system's place for such files if None.

    >>> open_source("x", [[1.0, 2.0], [3.0, 4.0]]).read(1, 2)
    array([[3., 4.]])
    """
    if not isinstance(given, str | PathLike):
        return ArrayRows(name, as_array(name, given))
    location = Location.of(text(name, given))
    with ExitStack() as opened:
        parts: list[Source] = []
        for file in location.files():
            parts.append(open_file(name, file, location, folder))
            opened.callback(parts[-1].close)
        source = parts[0] if len(parts) == 1 else Parts(str(given), parts)
        opened.pop_all()
    return source


def open_sources(rows: Mapping[str, Given], folder: Path | None = None) -> dict[str, Source]:
    """A source for every row input; none stays open if one can't be opened."""
    sources: dict[str, Source] = {}
    with ExitStack() as opened:
        for name, given in rows.items():
            sources[name] = open_source(name, given, folder)
            opened.callback(sources[name].close)
        opened.pop_all()
    return sources


def open_file(name: str, path: str, location: Location, folder: Path | None) -> Source:
    """The rows of one file."""
    selection = location.selection
    if location.format == "npy":
        require_no_selection(path, selection)
        return NpyRows(name, path)
    if location.format == "npz":
        return NpzRows(name, path, selection, folder)
    if location.format == "parquet":
        return ParquetRows(path, selection)
    if location.format == "ipc":
        return IpcRows(path, selection)
    if location.format == "csv":
        return CsvRows(path, selection, folder)
    return ZarrRows(name, path, selection)


def read_shared(name: str, given: Given) -> np.ndarray:
    """The whole array that all rows share: from a file, from memory, or a number, which may be written as text.

    >>> read_shared("k", 0.5), read_shared("k", "0.5"), read_shared("n", "3"), read_shared("w", [1.0, 2.0])
    (array(0.5), array(0.5), array(3), array([1., 2.]))
    """
    if not isinstance(given, str | PathLike):
        array = as_array(name, given)
        return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).reshape(array.shape)
    if isinstance(given, str) and (number := parse_number(given)) is not None:
        array = np.array(number)
        require_dtype(name, array.dtype)  # a whole number may be too large
        return array
    location = Location.of(text(name, given))
    if location.format in ("npy", "npz") and (found := read_element(name, location)) is not None:
        return found
    source = open_source(name, given)
    try:
        return source.read(0, source.length)
    finally:
        source.close()


def files_of(given: Given) -> list[str]:
    """The files and folders behind an input; none for one in memory or a number.

    >>> files_of("data/weights.npz:w"), files_of("0.5"), files_of([1.0])
    (['data/weights.npz'], [], [])
    """
    if not isinstance(given, str | PathLike) or parse_number(fspath(given)) is not None:
        return []
    with suppress(JobError):
        return Location.of(fspath(given)).files()
    return []


def read_element(name: str, location: Location) -> np.ndarray | None:
    """The array without dimensions that an `.npy` file or a member of an `.npz` file holds; None if it has dimensions."""
    if location.format == "npy":
        require_no_selection(location.path, location.selection)
        file, layout = open_npy(name, location.path)
        with file:
            return None if layout.shape else read_element_of(file, location.path, layout)
    member = Member(name, location.path, location.selection)
    try:
        return None if member.layout.shape else member.element()
    finally:
        member.close()


def parse_number(given: str) -> int | float | bool | None:
    """The number or truth value that text says, else None.

    >>> parse_number("1e-3"), parse_number("7"), parse_number("true"), parse_number("w.npy")
    (0.001, 7, True, None)
    """
    with suppress(ValueError):
        return int(given)
    with suppress(ValueError):
        return float(given)
    return {"true": True, "false": False}.get(given.lower())


def text(name: str, given: str | PathLike[Any]) -> str:
    path = fspath(given)
    if not isinstance(path, str):
        raise JobError(f"{name} is given as bytes; wanted the path of a file as text")
    return path


def require_no_selection(path: str, selection: str | None) -> None:
    if selection is not None:
        raise JobError(f"{path} holds one array; leave out ':{selection}'")
