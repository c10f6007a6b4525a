"""The journal of a job: a line for every finished chunk, each under its own checksum, behind a line that names the job."""

import json
import os
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tapediff.jobs.files import open_existing, read_file, storage_errors, write_all, write_atomically

FORMAT = 1
MOST_BYTES = 1 << 33
Record = dict[str, Any]


def line_of(record: Record) -> bytes:
    """A record as a line: JSON, a tab, the checksum of the JSON.

    >>> line_of({"chunk": 1})
    b'{"chunk":1}\\tcda899a42d3f258b\\n'
    """
    text = json.dumps(record, separators=(",", ":")).encode()
    return text + b"\t" + blake2b(text, digest_size=8).hexdigest().encode() + b"\n"


def record_of(line: bytes) -> Record | None:
    """The record of a line without its end; None if it is torn or damaged.

    >>> record_of(line_of({"chunk": 1})[:-1]), record_of(line_of({"chunk": 1})[:-2])
    ({'chunk': 1}, None)
    """
    text, tab, checksum = line.rpartition(b"\t")
    if not tab or blake2b(text, digest_size=8).hexdigest().encode() != checksum:
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):  # made with a right checksum, by whomever
        return None
    return record if isinstance(record, dict) else None


def read_records(path: Path, job: str) -> list[Record]:
    """The records of a journal that are whole; none if it is of another job or not there."""
    try:
        lines = read_file(path, MOST_BYTES).split(b"\n")
    except FileNotFoundError:
        return []
    if record_of(lines[0]) != {"journal": FORMAT, "job": job}:
        return []
    return [record for line in lines[1:] if (record := record_of(line)) is not None]


class Journal:
    """The open journal of a running job.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal"
    >>> journal = Journal(path, "a", [{"chunk": 0}])
    >>> journal.append([{"chunk": 1}])
    >>> journal.close()
    >>> read_records(path, "a"), read_records(path, "b")
    ([{'chunk': 0}, {'chunk': 1}], [])
    """

    def __init__(self, path: Path, job: str, records: Iterable[Record] = ()) -> None:
        """Begin anew with records that are known to be right: what was torn or damaged is gone."""
        self.path = path
        write_atomically(path, b"".join(map(line_of, [{"journal": FORMAT, "job": job}, *records])))
        with storage_errors(path):
            self.descriptor = open_existing(path, os.O_WRONLY | os.O_APPEND)

    def append(self, records: Iterable[Record]) -> None:
        """Add records and have them on the disk. What they speak of must be there already."""
        with storage_errors(self.path):
            write_all(self.descriptor, b"".join(map(line_of, records)))
            os.fsync(self.descriptor)

    def close(self) -> None:
        """Let go of the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
