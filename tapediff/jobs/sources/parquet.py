"""Rows of columns of a Parquet file, decoded batch by batch in the order of the file."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tapediff.jobs.errors import JobError
from tapediff.jobs.sources.columns import PURPOSE, Selection, one_error
from tapediff.jobs.sources.files import InputFile
from tapediff.jobs.sources.optional import require_package
from tapediff.jobs.sources.source import require_range

BATCH_BYTES = 1 << 22
BUFFER_BYTES = 1 << 20  # of compressed data that is read at a time; without it a whole column of a row group is


class ParquetRows:
    """The rows of one column or several; reading on from where the last read ended is cheap."""

    def __init__(self, path: str, selection: str | None):
        self.input = InputFile(path)
        self.path = path
        self.label = f"{path}:{selection}" if selection else path
        parquet = require_package("pyarrow.parquet", PURPOSE)
        with one_error(f"{path} is not a readable Parquet file"):
            # page checksums are verified where the file has them
            self.file = parquet.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True)
        try:
            with one_error(f"{path} is not a readable Parquet file"):
                self._open(selection)
        except BaseException:
            self.close()
            raise

    def _open(self, selection: str | None) -> None:
        metadata = self.file.metadata
        counts = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        self.starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self.length = int(self.starts[-1])
        self.selection = Selection.of(self.path, selection, self.file.schema_arrow, self._first_row)
        self.shape, self.dtype = self.selection.shape, self.selection.dtype
        self.batch_rows = int(min(1 << 16, max(64, BATCH_BYTES // max(1, self.selection.row_bytes))))
        self.position = 0
        self.batches: Iterator[Any] = iter(())
        self.left: Any = None  # of a batch: what is still to be read, from `position` on
        self._require_no_nulls()

    def _first_row(self, column: str) -> Any:
        """The first row of a column, as an array; None if there is no row."""
        batches = self.file.iter_batches(batch_size=1, columns=[column], use_threads=False)
        batch = next(batches, None)
        return None if batch is None else batch.column(0)

    def _require_no_nulls(self) -> None:
        """Raise JobError at the first null, where the statistics say that there is one: before the job, not within it."""
        if self.selection.shape and not self.selection.is_vector:
            return  # those of lists count their elements
        metadata = self.file.metadata
        for group in range(metadata.num_row_groups):
            row_group = metadata.row_group(group)
            for number in range(row_group.num_columns):
                chunk = row_group.column(number)
                if chunk.path_in_schema not in self.selection.columns or not chunk.is_stats_set:
                    continue
                if chunk.statistics.has_null_count and chunk.statistics.null_count:
                    self.seek(int(self.starts[group]))
                    while self.position < self.starts[group + 1]:
                        self._take(int(self.starts[group + 1]))

    def read(self, first: int, last: int) -> np.ndarray:
        require_range(self.label, self.length, first, last)
        self.input.require_unchanged()
        rows = np.empty((last - first, *self.shape), dtype=self.dtype)
        with one_error(f"{self.label} can't be read from row {first} to {last}"):
            if first != self.position or self.left is None:
                self.seek(first)
            while self.position < last:
                start = self.position - first
                piece = self._take(last)
                rows[start : start + len(piece)] = piece
        return rows

    def seek(self, row: int) -> None:
        """Go to a row: on, if it lies in the same row group behind this position, or from the beginning of its row group."""
        group = min(int(np.searchsorted(self.starts, row, side="right")) - 1, max(0, len(self.starts) - 2))
        start = int(self.starts[group])
        if not start <= self.position <= row or self.left is None:
            self.position, self.left = start, None
            self.batches = self._batches(range(group, len(self.starts) - 1))
        while self.position < row:
            skipped = min(row - self.position, len(self._batch()))
            self.left = self.left.slice(skipped)
            self.position += skipped

    def _batches(self, groups: range) -> Iterator[Any]:
        columns = list(self.selection.columns)
        for group in groups:  # one after the other: the next row group is not opened early
            yield from self.file.iter_batches(self.batch_rows, row_groups=[group], columns=columns, use_threads=False)

    def _batch(self) -> Any:
        """What is left of the current batch, or the next one."""
        while self.left is None or not len(self.left):
            self.left = next(self.batches, None)
            if self.left is None:
                raise JobError(f"{self.path} has fewer rows than its metadata says: {self.position:,} of {self.length:,}")
        return self.left

    def _take(self, last: int) -> np.ndarray:
        """Rows from the position on, as many as the current batch has, but none from `last` on."""
        batch = self._batch()
        piece = batch.slice(0, min(len(batch), last - self.position))
        rows = self.selection.rows([piece.column(piece.schema.names.index(c)) for c in self.selection.columns], self.position)
        self.left = batch.slice(len(piece))
        self.position += len(piece)
        return rows

    def identity(self) -> dict[str, Any]:
        return {"kind": "parquet", "columns": list(self.selection.columns), **self.input.identity()}

    def close(self) -> None:
        self.left, self.batches = None, iter(())
        self.file.close()
