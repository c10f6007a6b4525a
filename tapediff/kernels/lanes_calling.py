"""How kernels of values in lanes are compiled: one signature for all of them.

A kernel takes the address of its parameters (int64) and of an array of addresses of its values, typed as a pointer to the element
type that it is compiled for. The other three arguments of an element-wise kernel are there and unused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from numba import cfunc, types

__all__ = ["WORDS", "address"]

_ELEMENTS = {"float64": types.float64, "float32": types.float32, "int64": types.int64, "int32": types.int32, "bool": types.uint8,
             "word8": types.uint64, "word4": types.uint32, "word1": types.uint8}
WORDS = {8: "word8", 4: "word4", 1: "word1"}  # by size in bytes, where only bits are moved


@functools.cache
def address(body: Callable[..., None], element: str) -> int:
    """The machine code of a kernel for one type of elements; compiled when first asked for, and kept on disk."""
    pointer = types.CPointer(_ELEMENTS[element])
    signature = types.void(types.CPointer(types.int64), *[pointer] * 4)
    found: int = cfunc(signature, nopython=True, cache=True, error_model="numpy")(body).address
    return found
