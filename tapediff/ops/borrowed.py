"""The functions of SciPy that formulas may call as ``scipy_<name>``: a well-kept library instead of code of ours.

Each is a function of arrays here, and a function of doubles, found by its C signature, in compiled code (tapediff/kernels/borrowing.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["BORROWED", "PREFIX", "Borrowed", "on_arrays"]

PREFIX = "scipy_"


class Borrowed(NamedTuple):
    """A function of scipy.special: its name, the number of its arguments, and of its results; `result` is the one that is meant."""

    name: str
    arguments: int
    results: int = 1
    result: int = 0


BORROWED = {
    **{name: Borrowed(name, 1) for name in ("i0", "i0e", "i1", "i1e", "k0", "k0e", "k1", "k1e", "j0", "j1", "y0", "y1")},
    **{name: Borrowed(name, 1) for name in ("erfcx", "ndtri", "log_ndtr")},
    **{name: Borrowed(name, 2) for name in ("iv", "ive", "jv", "gammainc", "gammaincc")},
    "airy_ai": Borrowed("airy", 1, 4, 0),
    "airy_ai_slope": Borrowed("airy", 1, 4, 1),
}


def on_arrays(name: str) -> Callable[..., Any]:
    """The function that a formula calls, of arrays.

    >>> float(on_arrays("scipy_i0")(0.0))
    1.0
    """
    import scipy.special  # takes longer to import than NumPy

    borrowed = BORROWED[name.removeprefix(PREFIX)]
    function: Callable[..., Any] = getattr(scipy.special, borrowed.name)
    return function if borrowed.results == 1 else lambda *operands: function(*operands)[borrowed.result]
