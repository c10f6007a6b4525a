"""Memory of large results, used again when nobody shows them any more: fresh pages can cost as much as the arithmetic."""

from __future__ import annotations

import sys
import threading
from math import prod
from typing import Any

import numpy as np

__all__ = ["RESULTS", "Recycled"]

Array = np.ndarray[Any, Any]


class Recycled:
    """Arrays whose contents are undefined, as of `np.empty`; what is dropped is kept for the next taker of the same size.

    Whoever holds an array, or a view of one, holds a reference to its memory: so references tell what is free.

    least        bytes of the smallest array that is kept
    keep         bytes that are kept at most, those in use among them; the longest unused go first
    most_arrays  how many are kept at most

    >>> memory = Recycled()
    >>> first = memory.array((100, 1000), np.float64)
    >>> address = first.ctypes.data
    >>> memory.array((100, 1000), np.float64).ctypes.data == address
    False
    >>> del first
    >>> memory.array((1000, 100), np.float64).ctypes.data == address
    True
    """

    def __init__(self, least: int = 1 << 17, keep: int = 1 << 27, most_arrays: int = 32) -> None:
        self.least = least
        self.keep = keep
        self.most_arrays = most_arrays
        self.kept: list[Array] = []
        self.lock = threading.Lock()

    def array(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """An array of a shape and dtype."""
        dtype = np.dtype(dtype)
        nbytes = prod(shape) * dtype.itemsize
        if not self.least <= nbytes <= self.keep:
            return np.empty(shape, dtype)
        with self.lock:
            memory = self._free(nbytes)
            if memory is None:
                memory = np.empty(nbytes, np.uint8)
            self.kept.append(memory)
            while len(self.kept) > self.most_arrays or sum(one.nbytes for one in self.kept) > self.keep:
                del self.kept[0]
            found: Array = memory.view(dtype).reshape(shape)
        return found

    def _free(self, nbytes: int) -> Array | None:
        """Memory of a size that nobody shows, taken out of the list."""
        for position in range(len(self.kept)):
            if self.kept[position].nbytes == nbytes and references(self.kept, position) <= _ALONE:
                return self.kept.pop(position)
        return None


def references(things: list[Any], position: int) -> int:
    """How many references `sys.getrefcount` sees of what a list holds: its own among them, which not all Pythons count."""
    thing = things[position]
    return sys.getrefcount(thing)


_ALONE = references([np.empty(1)], 0)
RESULTS = Recycled()
