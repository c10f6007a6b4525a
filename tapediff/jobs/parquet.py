"""Results as one Parquet file: a row group for each chunk."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tapediff.jobs.errors import JobError, StorageError
from tapediff.jobs.files import storage_errors
from tapediff.jobs.folder import JobFolder
from tapediff.jobs.sources.optional import require_package

if TYPE_CHECKING:
    from tapediff.jobs.settings import Settings
    from tapediff.jobs.store import FolderStore


def require_pyarrow() -> Any:
    """The package that writes Parquet.

    Raises
        JobError: it is not installed.
    """
    require_package("pyarrow.parquet", "writing Parquet")
    return require_package("pyarrow", "writing Parquet")


def write_parquet(folder: JobFolder, settings: "Settings", store: "FolderStore") -> None:
    """Write the outputs of all rows into the folder's Parquet file, which appears when it is complete."""
    pyarrow = require_pyarrow()
    partial = folder.work / "results.parquet"
    names = settings.outputs
    shapes = {name: store.files[name].layout.shape for name in names}
    schema = pyarrow.schema([(name, arrow_type(pyarrow, store.files[name].layout.dtype, shapes[name])) for name in names])
    partition = settings.partition
    with storage_errors(folder.parquet):
        partial.unlink(missing_ok=True)
        try:
            with pyarrow.parquet.ParquetWriter(partial, schema) as writer:
                for chunk in range(partition.count):
                    bounds = partition.bounds(chunk)
                    columns = [arrow_array(pyarrow, store.read(name, *bounds), schema.field(name).type) for name in names]
                    writer.write_table(pyarrow.table(columns, schema=schema))
        except pyarrow.lib.ArrowException as error:
            raise StorageError(f"{folder.parquet} can't be written: {' '.join(str(error).split())}") from error
        descriptor = os.open(partial, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(partial, folder.parquet)
    folder.sync()


def read_parquet(path: Path, output: str) -> np.ndarray:
    """An output in a file that a job wrote."""
    pyarrow = require_pyarrow()
    try:
        column = pyarrow.parquet.read_table(path, columns=[output])[output].combine_chunks()
    except (pyarrow.lib.ArrowException, OSError, KeyError) as error:
        raise JobError(f"{path} is no file of results with a column {output!r}: {' '.join(str(error).split())}") from error
    shape = [len(column)]
    while pyarrow.types.is_fixed_size_list(column.type):
        shape.append(column.type.list_size)
        column = column.flatten()
    found: np.ndarray = column.to_numpy(zero_copy_only=False).reshape(shape)
    return found


def arrow_type(pyarrow: Any, dtype: np.dtype, shape: tuple[int, ...]) -> Any:
    """A number, or lists of fixed size, one in the other, the first dimension outermost."""
    found = pyarrow.from_numpy_dtype(dtype)
    for size in reversed(shape):
        found = pyarrow.list_(found, size)
    return found


def arrow_array(pyarrow: Any, entries: np.ndarray, kind: Any) -> Any:
    """Entries as a column."""
    found = pyarrow.array(np.ascontiguousarray(entries).reshape(-1))
    kinds = []
    while pyarrow.types.is_fixed_size_list(kind):
        kinds.append(kind)
        kind = kind.value_type
    for lists in reversed(kinds):
        found = pyarrow.FixedSizeListArray.from_arrays(found, type=lists)
    return found
