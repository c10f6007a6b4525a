"""Numba's options, in one place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba.extending import intrinsic

from tapediff.compiling import IS_COMPILED

__all__ = ["compiled", "compiled_holding", "entry", "inner", "instruction"]


def compiled(signature: Any) -> Any:
    """Compile for one signature, cached on disk, without the GIL, with IEEE division."""
    return numba.njit(signature, cache=True, nogil=True, error_model="numpy", boundscheck=False)


def compiled_holding(signature: Any) -> Any:
    """As `compiled`, but holding the GIL: for calls so short that a thread would wait longer to get it back than they take."""
    return numba.njit(signature, cache=True, nogil=False, error_model="numpy", boundscheck=False)


def inner(function: Any) -> Any:
    """Compile into the compiled functions of the same file that call it; by itself it is neither compiled nor cached."""
    return numba.njit(nogil=True, error_model="numpy", boundscheck=False,
                      no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)  # wrappers nobody calls: a quarter of the time


def instruction(in_python: Callable[..., Any]) -> Callable[[Any], Any]:
    """An intrinsic, whose body prints LLVM IR; where nothing is compiled, the function that does the same in Python."""
    return intrinsic if IS_COMPILED else lambda body: in_python


def entry(function: Any) -> Any:
    """The compiled function itself, without Numba's dispatch on argument types (100 ns a call, `benchmarks`, 2026-11-22)."""
    if not IS_COMPILED:
        @functools.wraps(function)
        def quiet(*arguments: Any) -> Any:
            with np.errstate(all="ignore"):
                return function(*arguments)
        return quiet
    return (next(iter(function.overloads.values())).entry_point
            if hasattr(function, "overloads") and function.overloads else function)
