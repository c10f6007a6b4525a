"""The table of actions that the steps of a schedule name, and places in memory that serve one value after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapediff.kernels.lanes_products import ProductSpec
from tapediff.kernels.library import KernelSpec, get_library
from tapediff.program.layout import (
    A_BUFFER,
    A_CLASS,
    A_COUNT,
    A_EXPECTED,
    A_FIELDS,
    A_ITEM,
    A_KERNEL,
    A_REPEAT,
    A_STRIDES,
    A_WORDS,
    WORDS,
)

__all__ = ["Actions", "Memory"]


class Memory:
    """Places in a region: a place that was freed serves the next value of the same size."""

    def __init__(self) -> None:
        self.free: dict[int, list[int]] = {}
        self.end = 0

    def take(self, nbytes: int) -> int:
        size = nbytes + 7 & ~7 if nbytes < 64 else nbytes + 63 & ~63
        found = self.free.get(size)
        if found:
            return found.pop()
        if size >= 64:
            self.end = self.end + 63 & ~63
        offset = self.end
        self.end += size
        return offset

    def give(self, offset: int, nbytes: int) -> None:
        size = nbytes + 7 & ~7 if nbytes < 64 else nbytes + 63 & ~63
        self.free.setdefault(size, []).append(offset)


class Actions:
    """The table of actions; steps that say the same share one row. Kernels are built all together at the end."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, ...]] = []
        self.numbers: dict[Any, int] = {}
        self.specs: list[tuple[int, KernelSpec | ProductSpec]] = []
        self.reach: dict[int, tuple[tuple[int, int], ...]] = {}
        self.kept: list[Any] = []

    def number(self, key: Any, action_class: int, kernel: int = 0, count: int = 0, repeat: int = 1, strides: Sequence[int] = (),
               item: int = 8, buffer: int = 0, expected: int = 0, spec: KernelSpec | ProductSpec | None = None,
               words: int = 0, reach: Sequence[tuple[int, int]] = ()) -> int:
        """The number of an action.

        reach  of each pointer of a structural kernel: bytes, READS or WRITES or both
        """
        found = self.numbers.get(key)
        if found is None:
            found = self.numbers[key] = len(self.rows)
            padded = (*strides, *[0] * (8 - len(strides)))
            self.rows.append((action_class, words or WORDS[action_class], kernel, count, repeat, *padded, item, buffer, expected))
            if spec is not None:
                self.specs.append((found, spec))
            if reach:
                self.reach[found] = tuple(reach)
        return found

    def table(self) -> np.ndarray[Any, Any]:
        """All actions, with the addresses of their kernels."""
        table = np.array(self.rows or [(0,) * A_FIELDS], np.int64)
        order = (A_CLASS, A_WORDS, A_KERNEL, A_COUNT, A_REPEAT, *range(A_STRIDES, A_STRIDES + 8), A_ITEM, A_BUFFER, A_EXPECTED)
        assert order == tuple(range(A_FIELDS))  # the rows above are in the order of the layout
        if self.specs:
            numbers, specs = zip(*self.specs, strict=True)
            table[list(numbers), A_KERNEL] = get_library().addresses(specs)
        return table
