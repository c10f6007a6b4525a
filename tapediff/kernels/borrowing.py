"""Calls of SciPy's functions in compiled code: what is printed, and the addresses under which a linker finds the functions.

Code that is kept on disk names a function and not its address, which is another one in each process.
"""

from __future__ import annotations

import ctypes
import re

from tapediff.errors import TapediffError
from tapediff.ops.borrowed import BORROWED, Borrowed

__all__ = ["declarations", "provide", "symbol"]

_SYMBOL = re.compile(rb"tapediff\.scipy\.(\w+)")
_known: set[str] = set()


def symbol(name: str) -> str:
    """What code calls: SciPy's function, or one that passes on one of its results."""
    borrowed = BORROWED[name]
    return f"tapediff.scipy.{borrowed.name}" if borrowed.results == 1 else f"td.scipy.{name}"


def declarations(name: str, attributes: str) -> list[str]:
    """The LLVM IR that code needs besides the call.

    >>> declarations("i0", "nounwind")
    ['declare double @tapediff.scipy.i0(double, i32) nounwind']
    """
    borrowed = BORROWED[name]
    types = ", ".join(["double"] * borrowed.arguments)
    if borrowed.results == 1:
        return [f"declare double @{symbol(name)}({types}, i32) {attributes}"]
    places = [f"%out{k}" for k in range(borrowed.results)]
    passed = ", ".join(f"double %x{k}" for k in range(borrowed.arguments))
    theirs = f"@tapediff.scipy.{borrowed.name}"
    return [
        f"declare void {theirs}({', '.join([types] + ['ptr'] * borrowed.results)}) nounwind willreturn",
        "\n".join(
            [
                f"define internal double @{symbol(name)}({passed}, i32 %flag) nounwind willreturn {{",
                *[f"  {place} = alloca double" for place in places],
                f"  call void {theirs}({passed}, {', '.join(f'ptr {place}' for place in places)})",
                f"  %y = load double, ptr {places[borrowed.result]}",
                "  ret double %y",
                "}",
            ]
        ),
    ]


def provide(code: bytes) -> None:
    """Make the functions known that object code calls, before it is linked."""
    import llvmlite.binding as llvm  # only who links has loaded it

    for name in {match.decode() for match in _SYMBOL.findall(code)} - _known:
        borrowed = next(each for each in BORROWED.values() if each.name == name)
        llvm.add_symbol(f"tapediff.scipy.{name}", _address(borrowed))
        _known.add(name)


def _address(borrowed: Borrowed) -> int:
    """Where SciPy's function of doubles is."""
    from scipy.special import cython_special  # takes longer to import than NumPy

    doubles = ", ".join(["double"] * borrowed.arguments)
    results = ", ".join(["double *"] * borrowed.results)
    wanted = f"double ({doubles}, int __pyx_skip_dispatch)" if borrowed.results == 1 else f"void ({doubles}, {results})"
    for name, capsule in cython_special.__pyx_capi__.items():
        if re.fullmatch(rf"(__pyx_fuse_\d+)?{borrowed.name}", name) and _name(capsule) == wanted.encode():
            return _pointer(capsule, wanted.encode())
    raise TapediffError(f"scipy.special.cython_special has no {borrowed.name} of the type {wanted}: take another SciPy")


def _name(capsule: object) -> bytes:
    function = ctypes.pythonapi.PyCapsule_GetName
    function.restype, function.argtypes = ctypes.c_char_p, [ctypes.py_object]
    found: bytes = function(capsule)
    return found


def _pointer(capsule: object, name: bytes) -> int:
    function = ctypes.pythonapi.PyCapsule_GetPointer
    function.restype, function.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    found: int = function(capsule, name)
    return found
