"""Rows of columns of an Arrow IPC (Feather) file, memory-mapped."""

import mmap
from typing import Any

import numpy as np

from tapediff.jobs.errors import JobError
from tapediff.jobs.sources.columns import PURPOSE, Selection, arrow, one_error
from tapediff.jobs.sources.files import InputFile
from tapediff.jobs.sources.optional import require_package
from tapediff.jobs.sources.source import require_range

RESIDENT = 1 << 24  # bytes that are read before pages of the map are given back: they would count as memory of the job


class IpcRows:
    """The rows of one column or several; of a compressed file, one record batch is in memory."""

    def __init__(self, path: str, selection: str | None):
        self.input = InputFile(path)
        self.path = path
        self.label = f"{path}:{selection}" if selection else path
        self.ipc = require_package("pyarrow.ipc", PURPOSE)
        self.kept: tuple[int, Any] | None = None  # the last record batch, and its number
        self.resident = 0
        self._require_version()
        with one_error(f"{path} is not a readable Arrow IPC file"):
            with open(path, "rb") as file:
                self.map: mmap.mmap | None = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._open(selection)

    def _reader(self, **options: Any) -> Any:
        file = arrow().BufferReader(arrow().py_buffer(self.map))
        return self.ipc.open_file(file, options=self.ipc.IpcReadOptions(use_threads=False, **options))

    def _open(self, selection: str | None) -> None:
        reader = self._reader()
        self.selection = Selection.of(self.path, selection, reader.schema, lambda column: self._first_row(reader, column))
        fields = sorted({reader.schema.names.index(column) for column in self.selection.columns})
        self.reader: Any = self._reader(included_fields=fields)
        self.shape, self.dtype = self.selection.shape, self.selection.dtype
        self.starts = [0]
        for number in range(self.reader.num_record_batches):
            batch = self._batch(number)
            if any(column.null_count for column in self._arrays(batch)):
                self.selection.rows(self._arrays(batch), self.starts[-1])  # names the first
            self.starts.append(self.starts[-1] + len(batch))
            self._give_back(batch.nbytes)
        self.length = self.starts[-1]

    @staticmethod
    def _first_row(reader: Any, column: str) -> Any:
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            if len(batch):
                batch.validate(full=True)
                return batch.column(batch.schema.names.index(column)).slice(0, 1)
        return None

    def _arrays(self, batch: Any) -> list[Any]:
        return [batch.column(batch.schema.names.index(column)) for column in self.selection.columns]

    def read(self, first: int, last: int) -> np.ndarray:
        require_range(self.label, self.length, first, last)
        self.input.require_unchanged()
        rows = np.empty((last - first, *self.shape), dtype=self.dtype)
        number = int(np.searchsorted(self.starts, first, side="right")) - 1
        position = first
        with one_error(f"{self.label} can't be read from row {first} to {last}"):
            while position < last:
                start, stop = self.starts[number], min(last, self.starts[number + 1])
                if stop > position:
                    piece = self._batch(number).slice(position - start, stop - position)
                    if self.shape and not self.selection.is_vector:
                        piece.validate(full=True)  # offsets of lists lead anywhere in a damaged file
                    rows[position - first : stop - first] = self.selection.rows(self._arrays(piece), position)
                    position = stop
                number += 1
        self._give_back(rows.nbytes)
        return rows

    def _batch(self, number: int) -> Any:
        """A record batch; the last one is kept, for decompressing it again would cost more than the rows."""
        if self.kept is None or self.kept[0] != number:
            self.kept = None
            batch = self.reader.get_batch(number)
            batch.validate()  # the sizes of buffers
            self.kept = number, batch
        return self.kept[1]

    def _give_back(self, nbytes: int) -> None:
        self.resident += nbytes
        if self.resident > RESIDENT and self.map is not None:
            self.map.madvise(mmap.MADV_DONTNEED)
            self.resident = 0

    def _require_version(self) -> None:
        """Raise JobError for the two formats that users take for this one."""
        with one_error(f"{self.path} can't be read"), open(self.path, "rb") as file:
            magic = file.read(4)
        if magic == b"\xff\xff\xff\xff":
            raise JobError(f"{self.path} is an Arrow IPC stream, not a file; write it with pyarrow.ipc.new_file")
        if magic == b"FEA1":
            raise JobError(f"{self.path} is Feather version 1; write it with pyarrow.feather.write_feather")

    def identity(self) -> dict[str, Any]:
        return {"kind": "ipc", "columns": list(self.selection.columns), **self.input.identity()}

    def close(self) -> None:
        self.kept = self.reader = self.map = None  # unmapped with the last array that shows it
