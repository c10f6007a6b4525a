"""What a job found: its results, wherever they lie, and its summary."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tapediff.jobs.check import Check
from tapediff.jobs.errors import JobError
from tapediff.jobs.folder import JobFolder
from tapediff.jobs.outputs import open_array
from tapediff.jobs.parquet import read_parquet
from tapediff.jobs.settings import Settings
from tapediff.jobs.summary import summary_of, table_of
from tapediff.jobs.tally import Tally


@dataclass(repr=False)
class JobResult:
    """Results and summary of a job.

    summary  as data; `print(result)` shows it as a table
    path     the folder of the results; None where they are in memory
    check    the comparison with finite differences that was asked for, or None
    """

    summary: dict[str, Any]
    path: Path | None = None
    check: Check | None = None
    _arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether all rows are done."""
        return bool(self.summary["finished"])

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.summary["rows"])

    @property
    def seconds(self) -> float:
        """How long the chunks took."""
        return float(self.summary["seconds"])

    @property
    def value(self) -> np.ndarray:
        """The value of every row, memory-mapped where it is a file; with `reduce` their sum or mean."""
        return self.array("value")

    @property
    def status(self) -> np.ndarray:
        """The status of every row: 0, or the code of what went wrong."""
        return self.array("status")

    def gradient(self, name: str) -> np.ndarray:
        """The gradient of every row with respect to the input `name`; with `reduce` their sum or mean."""
        if name not in self.summary["wrt"]:
            raise JobError(f"there is no gradient by {name!r}; wrt was {', '.join(self.summary['wrt'])}")
        return self.array(f"grad_{name}")

    def array(self, output: str) -> np.ndarray:
        if output in self._arrays:
            return self._arrays[output]
        if self.path is None:
            raise JobError(f"there is no {output}")
        folder = JobFolder(self.path)
        if os.path.lexists(folder.parquet):
            return read_parquet(folder.parquet, output)
        return open_array(folder.final(output))

    @property
    def outputs(self) -> dict[str, Path]:
        """The files of the results, by the names of the outputs."""
        if self.path is None or not self.is_finished:
            return {}
        folder = JobFolder(self.path)
        names = ["value", *(f"grad_{name}" for name in self.summary["wrt"]), "status"]
        if os.path.lexists(folder.parquet):
            return dict.fromkeys(names, folder.parquet)
        return {name: folder.final(name) for name in names if os.path.lexists(folder.final(name))}

    def __repr__(self) -> str:
        where = "in memory" if self.path is None else f"in {self.path}"
        state = "finished" if self.is_finished else f"{self.summary['finished_rows']:,} finished"
        return f"<job of {self.summary['function']}: {self.rows:,} rows, {state}, {where}>"

    def __str__(self) -> str:
        """The summary table that the command line prints."""
        lines = []
        for name, path in self.outputs.items():
            if path.suffix == ".npy":
                array = self.array(name)
                lines.append((name, f"{path}  {array.dtype} {array.shape}"))
        if self.outputs and not lines and self.path is not None:
            lines.append(("results", f"{JobFolder(self.path).parquet}: {', '.join(self.outputs)}"))
        if self.check is not None:
            lines.append(("check", str(self.check)))
        return table_of(self.summary, lines)


def result_of(folder: JobFolder, settings: Settings, tally: Tally, is_finished: bool, check: Check | None = None) -> JobResult:
    """The result of a job in a folder."""
    return JobResult(summary_of(settings, tally, is_finished), folder.path, check)
