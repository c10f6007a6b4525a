"""A file without a name for rows that can't be read by position where they are; the system removes it, however the job ends."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tapediff.jobs.errors import StorageError


class Spool:
    """Takes bytes, one behind the other; `file` reads them.

    folder  where the file lies, or the nearest folder above that is there; the system's place for such files if None
    """

    def __init__(self, folder: Path | None):
        self.folder = None if folder is None else next((p for p in (folder, *folder.parents) if p.is_dir()), None)
        with self._errors():
            self.file: IO[bytes] = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115 - open for as long as the source

    def write(self, data: Any) -> None:
        with self._errors():
            self.file.write(data)

    def finish(self) -> None:
        """Have all bytes where they can be read."""
        with self._errors():
            self.file.flush()

    def close(self) -> None:
        self.file.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = self.folder or tempfile.gettempdir()
            raise StorageError(f"a copy of an input can't be kept in {place}: {error.strerror}; make room there") from error
