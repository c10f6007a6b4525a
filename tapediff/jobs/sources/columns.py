"""Columns of an Arrow table as rows of numbers: which are meant, what their types become, nulls and ragged lists refused."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapediff.jobs.errors import JobError
from tapediff.jobs.sources.files import one_line
from tapediff.jobs.sources.location import listing, unknown
from tapediff.jobs.sources.optional import require_package

PURPOSE = "reading Parquet, Arrow and CSV files"
LARGEST_EXACT = 2**53  # whole numbers beyond are not all float64


class BadRow(Exception):
    """What is wrong with one row of a column, counted from the beginning of the piece."""

    def __init__(self, row: int, text: str):
        super().__init__(text)
        self.row = row


def arrow() -> Any:
    """The module pyarrow."""
    return require_package("pyarrow", PURPOSE)


@contextmanager
def one_error(text: str) -> Iterator[None]:
    """Turn what pyarrow raises about a file that it can't read into a JobError that begins with `text`."""
    try:
        yield
    except JobError:
        raise
    except (arrow().lib.ArrowException, OSError, ValueError, TypeError, MemoryError, OverflowError) as error:
        raise JobError(f"{text}: {one_line(error)}") from error


@dataclass(frozen=True)
class Selection:
    """The columns that make up a row: one of any shape, or several of single numbers, which become a vector."""

    label: str
    columns: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype, ...]
    is_vector: bool

    @classmethod
    def of(cls, path: str, selection: str | None, schema: Any, first: Callable[[str], Any] | None) -> "Selection":
        """The columns that `selection` names; `first(column)` gives a column's first row as an array, for lists of any length."""
        if not selection:
            raise JobError(f"{path} holds columns; say which one: {path}:COLUMN (it holds {listing(schema.names)})")
        label = f"{path}:{selection}"
        columns = [selection] if selection in schema.names else [part.strip() for part in selection.split(",")]
        found = []
        for column in columns:
            if column not in schema.names:
                raise unknown(path, "column", column, schema.names)
            if schema.names.count(column) > 1:
                raise JobError(f"{path} has {schema.names.count(column)} columns named {column!r}; rename them")
            sample = (lambda column=column: first(column)) if first else (lambda: None)
            found.append(layout_of(f"{path}:{column}", schema.field(column).type, sample))
        shapes, dtypes = zip(*found, strict=True)
        if len(columns) > 1 and any(shapes):
            wide = next(column for column, shape in zip(columns, shapes, strict=True) if shape)
            raise JobError(f"{label}: {wide!r} has rows of lists; only columns of single numbers can be put side by side")
        if len({dtype.kind == "b" for dtype in dtypes}) > 1:
            raise JobError(f"{label} puts bool beside numbers; give them as two inputs")
        return cls(label, tuple(columns), shapes, dtypes, len(columns) > 1)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.columns),) if self.is_vector else self.shapes[0]

    @property
    def dtype(self) -> np.dtype:
        return np.result_type(*self.dtypes)

    @property
    def row_bytes(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def rows(self, arrays: Sequence[Any], first: int) -> np.ndarray:
        """The arrays of the columns, from row `first` of the file on, as rows."""
        rows = np.empty((len(arrays[0]), *self.shape), dtype=self.dtype)
        for number, (column, array) in enumerate(zip(self.columns, arrays, strict=True)):
            try:
                dense = to_numpy(array, self.shapes[number])
                self._require_exact(dense)
            except BadRow as bad:
                path = self.label.removesuffix(f":{self.label.rpartition(':')[2]}")
                raise JobError(f"{path}:{column}: row {first + bad.row} {bad}") from bad
            rows[(slice(None), number) if self.is_vector else ...] = dense
        return rows

    def _require_exact(self, dense: np.ndarray) -> None:
        """Raise BadRow at the first whole number that loses digits beside columns of floats."""
        if self.dtype.kind == "f" and dense.dtype == np.int64:
            lossy = (dense > LARGEST_EXACT) | (dense < -LARGEST_EXACT)
            if lossy.any():
                row = int(np.argmax(lossy))
                raise BadRow(row, f"is {dense[row]}, which is no float64, as the columns beside it are; give it as another input")


def layout_of(label: str, kind: Any, first: Callable[[], Any]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape of a row and dtype of a column of the Arrow type `kind`; lists of any length take that of the first row."""
    types = arrow().types
    if isinstance(kind, arrow().FixedShapeTensorType):
        if kind.permutation is not None and list(kind.permutation) != sorted(kind.permutation):
            raise JobError(f"{label} holds {kind}, whose dimensions are permuted; write it in row-major order")
        return tuple(kind.shape), layout_of(label, kind.value_type, first)[1]
    if isinstance(kind, arrow().BaseExtensionType):
        return layout_of(label, kind.storage_type, first)
    if types.is_dictionary(kind):
        return layout_of(label, kind.value_type, first)
    if types.is_fixed_size_list(kind):
        shape, dtype = layout_of(label, kind.value_type, lambda: flat(first()))
        return (kind.list_size, *shape), dtype
    if types.is_list(kind) or types.is_large_list(kind):
        sample = first()
        length = len(sample[0]) if sample is not None and len(sample) and sample[0].is_valid else 0
        shape, dtype = layout_of(label, kind.value_type, lambda: flat(sample))
        return (length, *shape), dtype
    if types.is_float32(kind) or types.is_float64(kind) or types.is_int64(kind) or types.is_int32(kind) or types.is_boolean(kind):
        return (), np.dtype(kind.to_pandas_dtype())
    hint = "; was the column all empty?" if types.is_null(kind) else ""
    raise JobError(f"{label} holds {kind}; a tensor holds float32, float64, int64, int32, bool: convert the column first{hint}")


def flat(lists: Any) -> Any:
    """The elements of an array of lists behind each other."""
    if lists is None:
        return None
    lists = lists.combine_chunks() if isinstance(lists, arrow().ChunkedArray) else lists
    return lists.flatten()


def to_numpy(array: Any, shape: tuple[int, ...]) -> np.ndarray:
    """An Arrow array as a NumPy array of rows of `shape`; BadRow for a null and for a list of another length."""
    pa = arrow()
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        if isinstance(array.type, pa.FixedShapeTensorType):  # its storage is one flat list
            size = int(np.prod(shape))
            return to_numpy(array.storage, (size,)).reshape(len(array), *shape)
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if array.null_count:
        row = int(np.argmax(array.is_null().to_numpy(zero_copy_only=False)))
        raise BadRow(row, "is null; leave such rows out or fill them")
    if not shape:
        return array.to_numpy(zero_copy_only=False)
    if not pa.types.is_fixed_size_list(array.type):
        lengths = array.value_lengths().to_numpy(zero_copy_only=False)
        if (lengths != shape[0]).any():
            row = int(np.argmax(lengths != shape[0]))
            raise BadRow(row, f"has {lengths[row]} elements and the first row has {shape[0]}; all rows need the same number")
    try:
        inner = to_numpy(array.flatten(), shape[1:])
    except BadRow as bad:
        raise BadRow(bad.row // max(1, shape[0]), f"contains a row that {bad}" if len(shape) > 1 else "contains a null") from bad
    return inner.reshape(len(array), *shape)
