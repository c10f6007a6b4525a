"""What compiled code does to memory, in Python: for sweeps and the interpreter while NUMBA_DISABLE_JIT=1 is set.

Debuggers and coverage then see every line of them. Element-wise kernels stay machine code, which is called by address; what has a
kernel compiled by Numba is NumPy's.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["addition", "call", "copy", "memory_access", "prefetch", "transpose", "zero"]

_TYPES: dict[str, Any] = {"int64": ctypes.c_int64, "int32": ctypes.c_int32, "uint8": ctypes.c_uint8, "float64": ctypes.c_double,
                          "float32": ctypes.c_float}
_FLOATS: dict[str, Any] = {"float64": np.float64, "float32": np.float32}  # they divide by zero, and round, as compiled code does


def memory_access(name: str) -> tuple[Callable[[int], Any], Callable[[int, Any], None]]:
    """Functions `load(address)` and `store(address, value)` for one element type.

    >>> load, store = memory_access("float32")
    >>> place = (ctypes.c_float * 1)()
    >>> store(ctypes.addressof(place), 0.1)
    >>> load(ctypes.addressof(place))
    np.float32(0.1)
    """
    element = _TYPES[name]
    made = _FLOATS.get(name, int)

    def load(address: int) -> Any:
        return made(element.from_address(address).value)

    def store(address: int, value: Any) -> None:
        element.from_address(address).value = value if name in _FLOATS else int(value)

    return load, store


@functools.lru_cache(maxsize=65536)
def _function(address: int, count: int) -> Any:
    return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * count)(address)


def call(address: int, *arguments: int) -> None:
    """Call machine code that takes int64 and returns nothing."""
    _function(address, len(arguments))(*arguments)


def zero(address: int, size: int) -> None:
    """Zero `size` bytes."""
    ctypes.memset(address, 0, size)


def copy(target: int, source: int, size: int) -> None:
    """Copy `size` bytes between places that do not overlap."""
    ctypes.memmove(target, source, size)


def prefetch(address: int) -> None:
    """Nothing: there is no hurry."""


def transpose(item: int) -> Callable[[int, int, int, int], None]:
    """The function `transpose(target, target_stride, source, source_stride)` of a square of a cache line's elements."""
    size = 64 // item

    def transpose(target: int, target_stride: int, source: int, source_stride: int) -> None:
        for i in range(size):
            for j in range(size):
                copy(target + j * target_stride + i * item, source + i * source_stride + j * item, item)

    return transpose


def addition(item: int, count: int) -> Callable[[int, int], None]:
    """The function `add(target, source)`: numbers of `item` bytes added to as many float64."""
    load, _ = memory_access("float64" if item == 8 else "float32")
    load_total, store_total = memory_access("float64")

    def add(target: int, source: int) -> None:
        for k in range(count):
            store_total(target + 8 * k, load_total(target + 8 * k) + np.float64(load(source + item * k)))

    return add
