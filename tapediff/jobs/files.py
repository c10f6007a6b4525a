"""Files that survive a crash: whole or not there, and on the disk before anything says so."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tapediff.jobs.errors import JobError, StorageError


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into one line that names the file and what to do."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path} can't be written: {error.strerror or error}; make room or put it right, then give the same "
                           "command again: finished chunks are kept") from error


def write_all(descriptor: int, data: Any, offset: int | None = None) -> None:
    """Write all bytes of a buffer, at `offset` or behind what is there, however few the system takes at a time."""
    view = memoryview(data).cast("B")
    done = 0
    while done < len(view):
        if offset is None:
            count = os.write(descriptor, view[done:])
        else:
            count = os.pwrite(descriptor, view[done:], offset + done)
        if count <= 0:
            raise OSError(f"only {done} of {len(view)} bytes were written")
        done += count


def read_all(descriptor: int, size: int, offset: int) -> bytes:
    """Up to `size` bytes from `offset`; fewer where the file ends."""
    parts = []
    while size > 0 and (part := os.pread(descriptor, size, offset)):
        parts.append(part)
        size -= len(part)
        offset += len(part)
    return b"".join(parts)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file by another content, or leave it as it is.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note"
    >>> write_atomically(path, b"text")
    >>> path.read_bytes(), len(list(path.parent.iterdir()))
    (b'text', 1)
    """
    partial = path.with_name(path.name + ".partial")
    with storage_errors(path):
        descriptor = open_new(partial)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(partial, path)
        sync_folder(path.parent)


def open_new(path: Path) -> int:
    """A descriptor of an empty file, which replaces what has the name; a link there is not followed."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)


def open_existing(path: Path, flags: int) -> int:
    """A descriptor of a file; JobError for a link, a pipe or a folder, none of which a job writes."""
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except FileNotFoundError:
        raise
    except OSError as error:
        what = "is a link, which no job makes" if path.is_symlink() else f"can't be opened: {error.strerror}"
        raise JobError(f"{path} {what}; put it right, or start over with --restart") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise JobError(f"{path} is no regular file; put it right, or start over with --restart")
    return descriptor


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a file that a job wrote, which are no more than `most`."""
    descriptor = open_existing(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        if size > most:
            raise JobError(f"{path} has {size:,} bytes; a job writes no more than {most:,} there: it is damaged; "
                           "--restart starts over")
        return read_all(descriptor, size, 0)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
