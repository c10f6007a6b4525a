"""One run at a time in a folder: a lock that the system lets go of when its process ends, however it ends."""

import fcntl
import os
import platform
from pathlib import Path
from time import sleep

from tapediff.jobs.errors import JobError, LockedError
from tapediff.jobs.files import open_existing, storage_errors


class Lock:
    """A context that holds the file `path` locked; the file stays.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "lock"
    >>> with Lock(path):
    ...     print(holder(path) == f"process {os.getpid()} on {platform.node()}")
    True
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = -1

    def __enter__(self) -> "Lock":
        with storage_errors(self.path):
            descriptor = open_existing(self.path, os.O_RDWR | os.O_CREAT)
        try:
            take(descriptor)
        except BlockingIOError as error:
            os.close(descriptor)
            raise LockedError(f"{self.path.parent.parent} is in use by {holder(self.path)}; wait for it, or give another folder"
                              ) from error
        except OSError as error:
            os.close(descriptor)
            raise JobError(f"{self.path} can't be locked: {error.strerror}; give a folder on a file system that has locks"
                           ) from error
        if not is_at(descriptor, self.path):  # whoever had it took the folder away
            os.close(descriptor)
            raise LockedError(f"{self.path.parent.parent} was in use by another process a moment ago; give the command again")
        self.descriptor = descriptor
        with storage_errors(self.path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {platform.node()}".encode(), 0)
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self.descriptor)
        self.descriptor = -1


def take(descriptor: int) -> None:
    """Lock a file, or raise OSError if another process has it for longer than a look takes (`is_locked`)."""
    for _ in range(5):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(0.02)
    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_at(descriptor: int, path: Path) -> bool:
    """Whether a path leads to an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def holder(path: Path) -> str:
    """What the lock's file says of the process that wrote it."""
    try:
        descriptor = open_existing(path, os.O_RDONLY)
    except (OSError, ValueError):
        return "another process"
    try:
        text = os.pread(descriptor, 300, 0).decode(errors="replace").strip()
        return text if text.isprintable() and text else "another process"
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock now."""
    try:
        descriptor = open_existing(path, os.O_RDONLY)
    except (OSError, ValueError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        os.close(descriptor)
