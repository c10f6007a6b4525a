"""A file that must stay as it was: its identity, and the error when it changes while a job reads it."""

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tapediff.jobs.errors import JobError

WHOLE = 1 << 28  # bytes: of larger files some blocks are digested, not all
BLOCK = 1 << 20
BLOCKS = 128


class InputFile:
    """A file of the user's, as it was when the job opened it.

    >>> import tempfile
    >>> file = tempfile.NamedTemporaryFile()
    >>> watched = InputFile(file.name)
    >>> sorted(watched.identity())
    ['digest', 'size']
    >>> file.write(b"more"), file.flush()
    (4, None)
    >>> watched.require_unchanged()
    Traceback (most recent call last):
        ...
    tapediff.jobs.errors.JobError: /... changed while the job read it: it had 0 bytes and has 4; ...
    """

    def __init__(self, path: str):
        self.path = path
        require_file(Path(path))
        self.size, *_ = self.state = state(path)

    def require_unchanged(self) -> None:
        """Raise JobError if the file was written, replaced or removed since."""
        try:
            now = state(self.path)
        except OSError as error:
            raise JobError(f"{self.path} was removed while the job read it: {error.strerror}") from error
        if now != self.state:
            how = f"it had {self.size:,} bytes and has {now[0]:,}" if now[0] != self.size else "it was written or replaced"
            raise JobError(f"{self.path} changed while the job read it: {how}; results would mix two states of it")

    def identity(self) -> dict[str, Any]:
        """Size and digest of the content; of files over 256 MB, of blocks spread evenly, and the time of the last write."""
        try:
            digest = digest_of_file(self.path, self.state)
        except OSError as error:
            raise JobError(f"{self.path} can't be read: {error.strerror}") from error
        self.require_unchanged()
        found: dict[str, Any] = {"size": self.size, "digest": digest}
        return found if self.size <= WHOLE else found | {"mtime_ns": self.state[1]}


def state(path: str) -> tuple[int, int, int]:
    """Size, time of the last write and number of the file: all change what is read."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ino


@lru_cache(maxsize=64)  # several columns of one file are several sources
def digest_of_file(path: str, state: tuple[int, int, int]) -> str:
    with open(path, "rb", buffering=0) as file:
        return digest_of(blocks(file.fileno(), state[0]))


def blocks(descriptor: int, size: int) -> Iterator[bytes]:
    """The whole content, or from a large file BLOCKS blocks, the first and the last among them."""
    if size <= WHOLE:
        starts: Iterable[int] = range(0, size, BLOCK)
    else:
        starts = (number * (size - BLOCK) // (BLOCKS - 1) for number in range(BLOCKS))
    for start in starts:
        yield os.pread(descriptor, BLOCK, start)


def digest_of(pieces: Iterable[Any]) -> str:
    """The BLAKE2b digest of bytes or contiguous arrays, one behind the other.

    >>> digest_of([b"a", b"b"]) == digest_of([b"ab"])
    True
    """
    digest = blake2b(digest_size=16)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def require_file(path: Path) -> None:
    """Raise JobError unless `path` is a file."""
    try:
        is_file = path.is_file()
    except (OSError, ValueError) as error:
        raise JobError(f"{str(path)!r} can't be opened: {error}") from error
    if not is_file:
        raise JobError(f"{path} {'is not a file' if path.exists() else 'does not exist'}")


def one_line(error: BaseException) -> str:
    """The message of an exception without line breaks; its type where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
