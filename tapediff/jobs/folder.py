"""The folder of a job: results under their names when complete, and a hidden folder for the work until then."""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tapediff.jobs.errors import JobError
from tapediff.jobs.files import storage_errors, sync_folder
from tapediff.jobs.lock import Lock

WORK = ".tapediff"
SUMMARY = "summary.json"
PARQUET = "results.parquet"


class JobFolder:
    """The paths in a job's folder. All of them follow from names that a job chooses, none from what a file says.

    >>> folder = JobFolder("results")
    >>> str(folder.journal), str(folder.final("value"))
    ('results/.tapediff/journal', 'results/value.npy')
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not os.fspath(path):
            raise JobError("the output folder has no name; give one, or . for the current folder")
        self.path = Path(path)
        self.work = self.path / WORK
        self.settings = self.work / "settings.json"
        self.journal = self.work / "journal"
        self.inputs = self.work / "inputs"
        self.summary = self.path / SUMMARY
        self.parquet = self.path / PARQUET

    def work_path(self, output: str) -> Path:
        """Where an output lies until the job is complete."""
        return self.work / f"{output}.npy"

    def final(self, output: str) -> Path:
        """Where it lies then."""
        return self.path / f"{output}.npy"

    def make(self) -> None:
        """Have the folder and the work folder in it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.work.mkdir(exist_ok=True)
        except OSError as error:
            raise JobError(f"the output folder {self.path} can't be made: {error.strerror}; give another one") from error
        self.check()

    def check(self) -> None:
        """Refuse a work folder that leads elsewhere.

        Raises
            JobError: it is a link, or no folder.
        """
        try:
            mode = os.lstat(self.work).st_mode
        except FileNotFoundError:
            raise JobError(f"{self.path} holds no job, there is no {WORK} folder in it; `tapediff run` starts one") from None
        except OSError as error:
            raise JobError(f"{self.path} can't be read: {error.strerror}") from error
        if not stat.S_ISDIR(mode):
            raise JobError(f"{self.work} is a link or a file, not a folder; a job's files lie in its folder")

    @contextmanager
    def opened(self) -> Iterator[None]:
        """A context that holds the folder locked; a folder that was made for it goes away with it unless a job was begun."""
        is_new = not os.path.lexists(self.path)
        self.make()
        with Lock(self.work / "lock"):
            try:
                yield
            finally:
                if not os.path.lexists(self.settings):
                    self._remove_traces(is_new)

    def _remove_traces(self, is_new: bool) -> None:
        """Remove the work folder of a job that was not begun."""
        shutil.rmtree(self.work, ignore_errors=True)
        if is_new:
            with suppress(OSError):
                self.path.rmdir()

    def results(self, outputs: Iterable[str]) -> list[Path]:
        """Results that are there under their final names."""
        paths = [*map(self.final, outputs), self.parquet, self.summary]
        return [path for path in paths if os.path.lexists(path)]

    def clear(self, outputs: Iterable[str]) -> None:
        """Take away a job and its results; the settings first, without which there is no job."""
        with storage_errors(self.work):
            self.settings.unlink(missing_ok=True)
            for path in self.work.iterdir():
                if path.name not in ("lock", self.inputs.name):
                    remove(path)
            for path in self.results(outputs):
                remove(path)
        self.sync()

    def publish(self, outputs: Iterable[str]) -> None:
        """Give outputs that are complete and on the disk their final names."""
        with storage_errors(self.path):
            for output in outputs:
                if self.work_path(output).exists():
                    os.replace(self.work_path(output), self.final(output))
        self.sync()

    def take_back(self, outputs: Iterable[str]) -> None:
        """Undo a `publish` that a crash cut short."""
        with storage_errors(self.path):
            for output in outputs:
                if not os.path.lexists(self.work_path(output)) and os.path.lexists(self.final(output)):
                    os.replace(self.final(output), self.work_path(output))

    def sync(self) -> None:
        """Have the names of files on the disk."""
        with storage_errors(self.path):
            sync_folder(self.work)
            sync_folder(self.path)


def remove(path: Path) -> None:
    """Remove a file, a link (not what it leads to), or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
