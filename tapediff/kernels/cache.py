"""Object code on disk: what one process compiled, the next one loads.

A file ``<name>.o`` holds the object code of the kernels that were built together; for each kernel a file ``<key>.k`` names that
object and the kernel's symbol.  Both begin with the digest of the rest, so that a truncated or foreign file is a miss and is
written anew.  Files are replaced atomically.  A directory that cannot be written to costs speed, never an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

LIMIT = 256 * 2**20
BLOCK = 4096
DAY = 86400.0
DIGEST = hashlib.sha256().digest_size


class ObjectCache:
    """Object code by kernel key, under one directory; the files longest unused go when `limit` bytes are exceeded.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     cache = ObjectCache(Path(directory))
    ...     cache.store({"key": "symbol"}, b"object code")
    ...     cache.find(["key", "other key"])
    {'key': ('...', 'symbol', b'object code')}
    """

    def __init__(self, directory: Path, limit: int = LIMIT) -> None:
        self.directory = directory
        self.limit = limit

    def find(self, keys: Iterable[str]) -> dict[str, tuple[str, str, bytes]]:
        """For each key that is stored: the name of its object, its symbol in there, and the object code."""
        objects: dict[str, bytes | None] = {}
        found = {}
        for key in keys:
            pointer = self._read(key + ".k")
            if pointer is None:
                continue
            name, _, symbol = pointer.decode().partition(" ")
            if name not in objects:
                objects[name] = self._read(name + ".o")
            code = objects[name]
            if code is not None:
                found[key] = (name, symbol, code)
        for name in objects:
            self._touch(name + ".o")
        return found

    def store(self, symbols: Mapping[str, str], code: bytes) -> None:
        """Keep the object code of the kernels with these keys and symbols."""
        name = hashlib.sha256(code).hexdigest()[:32]
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._write(name + ".o", code)
            for key, symbol in symbols.items():
                self._write(key + ".k", f"{name} {symbol}".encode())
            self._make_room()
        except OSError:
            return

    def _read(self, file: str) -> bytes | None:
        try:
            content = (self.directory / file).read_bytes()
        except OSError:
            return None
        digest, payload = content[:DIGEST], content[DIGEST:]
        return payload if hashlib.sha256(payload).digest() == digest else None

    def _write(self, file: str, payload: bytes) -> None:
        with NamedTemporaryFile(dir=self.directory, prefix=".new-", delete=False) as temporary:
            temporary.write(hashlib.sha256(payload).digest() + payload)
        try:
            os.replace(temporary.name, self.directory / file)
        except OSError:
            os.unlink(temporary.name)
            raise

    def _touch(self, file: str) -> None:
        with contextlib.suppress(OSError):
            if time.time() - (self.directory / file).stat().st_mtime > DAY:
                os.utime(self.directory / file)

    def _make_room(self) -> None:
        """Drop the files longest unused until the cache has its size again; a pointer without its object is a miss."""
        files = []
        for entry in os.scandir(self.directory):
            with contextlib.suppress(OSError):
                status = entry.stat()
                files.append((status.st_mtime, max(status.st_size, BLOCK), entry.path))
        excess = sum(size for _, size, _ in files) - self.limit
        for _, size, path in sorted(files):
            if excess <= 0:
                return
            with contextlib.suppress(OSError):
                os.unlink(path)
            excess -= size


def default_directory() -> Path:
    """TAPEDIFF_CACHE_DIR, else tapediff's folder in the platform's cache directory of the user."""
    chosen = os.environ.get("TAPEDIFF_CACHE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "tapediff" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tapediff"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tapediff"
