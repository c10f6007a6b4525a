"""Rows of several files of one kind, one behind the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapediff.jobs.errors import JobError
from tapediff.jobs.sources.source import Source, require_range


class Parts:
    """The rows of all parts in their order.

    >>> from tapediff.jobs.sources.memory import ArrayRows
    >>> parts = Parts("x", [ArrayRows("a", np.array([1.0, 2.0])), ArrayRows("b", np.array([3.0]))])
    >>> parts.length, parts.read(1, 3)
    (3, array([2., 3.]))
    """

    def __init__(self, label: str, parts: Sequence[Source]):
        self.label = label
        self.parts = parts
        self.shape, self.dtype = parts[0].shape, parts[0].dtype
        for part in parts:
            if (part.shape, part.dtype) != (self.shape, self.dtype):
                raise JobError(
                    f"{part.label} has rows of shape {part.shape} and {part.dtype}, but {parts[0].label} of {self.shape} and "
                    f"{self.dtype}; all parts need the same"
                )
        self.starts = np.concatenate([[0], np.cumsum([part.length for part in parts])])
        self.length = int(self.starts[-1])

    def read(self, first: int, last: int) -> np.ndarray:
        require_range(self.label, self.length, first, last)
        rows = np.empty((last - first, *self.shape), dtype=self.dtype)
        for start, part in zip(self.starts.tolist(), self.parts, strict=False):
            begin, end = max(first, start), min(last, start + part.length)
            if begin < end:
                rows[begin - first : end - first] = part.read(begin - start, end - start)
        return rows

    def identity(self) -> dict[str, Any]:
        return {"kind": "parts", "parts": [part.identity() for part in self.parts]}

    def close(self) -> None:
        for part in self.parts:
            part.close()
