"""Calls one kernel on NumPy arrays, for tests and benchmarks of kernels; the sweeps call them by address.

>>> y = np.zeros(3)
>>> call_kernel(get_library(), KernelSpec("square", "forward", ("float64",), "float64"), 3, y=y, a=np.array([1.0, 2.0, 3.0]))
>>> y
array([1., 4., 9.])
"""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from tapediff.kernels.library import KernelLibrary, KernelSpec, get_library
from tapediff.kernels.loop import ARGUMENTS

__all__ = ["call_kernel", "get_library"]


def call_kernel(library: KernelLibrary, spec: KernelSpec, n: int, **arrays: NDArray[np.generic]) -> None:
    """Run the kernel of `spec` over n elements of contiguous arrays, named as in `ARGUMENTS`; the others are null pointers."""
    names = ARGUMENTS[spec.which]
    unknown = set(arrays) - set(names)
    if unknown:
        raise TypeError(f"a {spec.which} kernel has no arrays {sorted(unknown)}; it has {list(names)}")
    (address,) = library.addresses([spec])
    function = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * len(names))(address)
    function(n, *[arrays[name].ctypes.data if name in arrays else 0 for name in names])
