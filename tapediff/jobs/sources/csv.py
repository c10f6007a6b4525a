"""Rows of columns of a CSV file, read once from beginning to end into a file without a name that is read by position."""

from pathlib import Path
from typing import Any

import numpy as np

from tapediff.jobs.errors import JobError
from tapediff.jobs.sources.columns import PURPOSE, Selection, arrow, one_error
from tapediff.jobs.sources.files import InputFile
from tapediff.jobs.sources.npy import Layout, RawRows
from tapediff.jobs.sources.optional import require_package
from tapediff.jobs.sources.spool import Spool

BLOCK_BYTES = 1 << 20
NULLS = ["", "NA", "N/A", "#N/A", "NULL", "null", "None"]  # "nan" is a number


class CsvRows:
    """The rows of one column or several.

    A column is of int64 if all its entries are whole numbers, else of float64, or of bool if all are true or false. `folder` is
    where the numbers are kept, in a file that the system removes when it is closed, however that happens.
    """

    def __init__(self, path: str, selection: str | None, folder: Path | None):
        self.input = InputFile(path)
        self.path = path
        self.label = f"{path}:{selection}" if selection else path
        self.csv = require_package("pyarrow.csv", PURPOSE)
        with one_error(f"{path} is not a readable CSV file"):
            names, types = self._inferred()
            self._require_one_table(names)
            self.selection = Selection.of(path, selection, arrow().schema(list(zip(names, types, strict=True))), first=None)
            self.spool, self.length = self._spool(names, types, folder)
        self.shape, self.dtype = self.selection.shape, self.selection.dtype
        self.input.require_unchanged()
        self.raw = RawRows(self.label, self.spool.file, Layout((self.length, *self.shape), self.dtype, False, 0))

    def _inferred(self) -> tuple[list[str], list[Any]]:
        """The columns' names, and types that may be theirs, going by the first entries."""
        pa = arrow()
        with self._open(pa, {}, []) as reader:
            names, types = reader.schema.names, reader.schema.types
        # text is taken for float64, so that the error names the entry that is no number
        return names, [pa.float64() if kind in (pa.null(), pa.string()) else kind for kind in types]

    def _open(self, pa: Any, types: dict[str, Any], columns: list[str]) -> Any:
        delimiter = "\t" if ".tsv" in self.path.lower().rpartition("/")[2] else ","
        return self.csv.open_csv(
            self.path,
            read_options=self.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            parse_options=self.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=self.csv.ConvertOptions(column_types=types, include_columns=columns, null_values=NULLS),
        )

    def _require_one_table(self, names: list[str]) -> None:
        if len(names) == 1 and ";" in names[0]:
            raise JobError(f"{self.path} separates its columns by semicolons; wanted commas, or tabs in a .tsv file")

    def _spool(self, names: list[str], types: list[Any], folder: Path | None) -> tuple[Spool, int]:
        """The numbers as a file, and how many rows; with float64 for whole numbers, if a later entry is none."""
        pa = arrow()
        chosen = dict(zip(names, types, strict=True))
        while True:
            spool = Spool(folder)
            try:
                return spool, self._copy(spool, {column: chosen[column] for column in self.selection.columns})
            except pa.ArrowInvalid as error:
                spool.close()
                column = next((c for c in self.selection.columns if f"CSV column #{names.index(c)}:" in str(error)), None)
                if column is None or chosen[column] != pa.int64():
                    raise
                chosen[column] = pa.float64()
                schema = pa.schema(list(chosen.items()))
                self.selection = Selection.of(self.path, self.label[len(self.path) + 1 :], schema, first=None)
            except BaseException:
                spool.close()
                raise

    def _copy(self, spool: Spool, types: dict[str, Any]) -> int:
        length = 0
        with self._open(arrow(), types, list(types)) as reader:
            for batch in reader:
                rows = self.selection.rows([batch.column(number) for number in range(len(types))], length)
                spool.write(np.ascontiguousarray(rows).data)
                length += len(batch)
        spool.finish()
        return length

    def read(self, first: int, last: int) -> np.ndarray:
        return self.raw.read(first, last)

    def identity(self) -> dict[str, Any]:
        return {"kind": "csv", "columns": list(self.selection.columns), **self.input.identity()}

    def close(self) -> None:
        self.raw.close()
