"""Prepared calls: `value_and_grad` of a compiled program as machine code that Python's interpreter calls.

Where a program has been called often with arguments of one kind, an instance gets a built-in function in the place of the
method: it takes floats and contiguous arrays of the recorded dtypes and shapes, computes, and makes the results. It calls the
Python method for all else, also where a guard fails. It is not used on another interpreter than CPython, nor with
TAPEDIFF_NATIVE=0, nor for programs so long that they let other threads run, nor where its own trial does not give what Python
gave.
"""

from __future__ import annotations

import ctypes
import functools
import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapediff.native import Method, Unfit, check_interpreter
from tapediff.nested import LEAF
from tapediff.program.layout import F_BUFFERS, F_FAILED, F_ROWS
from tapediff.program.running import Frame, Single
from tapediff.tape.source import address_of_array
from tapediff.tape.spec import Spec

if TYPE_CHECKING:
    from tapediff.program.program import Program

__all__ = ["serve"]

_FASTCALL_WITH_KEYWORDS = 0x0080 | 0x0002
_TP_ALLOC = 47  # among the type slots of the stable ABI
_PYARRAY_EMPTY = 184  # in the table of NumPy's C functions, whose order never changes


def serve(program: Program, single: Single, argnums: Any, inputs: Sequence[Any], result: Any) -> None:
    """Let machine code serve calls like this one, whose `result` is known, if it fits."""
    try:
        function = _prepared(program, single, argnums)
        _try_out(function, argnums, inputs, result)
    except Exception:  # whatever it is: Python can do without
        return
    program.__dict__["value_and_grad"] = function


@functools.cache
def _environment() -> dict[int, int]:
    """The words of a table that are the same for all programs."""
    from tapediff.kernels import caller
    check_interpreter()
    api = ctypes.pythonapi
    words = {place: ctypes.cast(getattr(api, name), ctypes.c_void_p).value or 0 for place, name in caller.FUNCTIONS.items()}
    get_pointer = api.PyCapsule_GetPointer
    get_pointer.argtypes, get_pointer.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_void_p
    functions = get_pointer(np._core._multiarray_umath._ARRAY_API, None)  # type: ignore[attr-defined]
    words[caller.NEW_ARRAY] = ctypes.c_void_p.from_address(functions + 8 * _PYARRAY_EMPTY).value or 0
    words |= {caller.FLOAT: id(float), caller.FLOAT64: id(np.float64), caller.ARRAY: id(np.ndarray),
              caller.NAME_OF_ARGNUMS: id(_NAMES[0])}
    return words


_NAMES = tuple((lambda **names: names)(argnums=0))  # the interned string that a call hands over


class _Table:
    """The table of one program and all that its words point to."""

    def __init__(self, program: Program, single: Single, argnums: Any) -> None:
        from tapediff.kernels import caller
        schedule = single.schedule
        self.kept: list[Any] = [single, argnums, caller.call_program]
        self.frame = Frame(schedule, single.uniform)
        self.frame.words[F_ROWS] = 1
        self.buffers = {key: F_BUFFERS + 3 * number for number, key in enumerate(schedule.buffers)}
        self.fallback = types.MethodType(type(program).value_and_grad, program)
        wanted = schedule.request.wanted
        inputs = [("input", position, spec) for position, spec in enumerate(program.specs)]
        results = [("output", 0, program.output_specs[0]), *(("grad", position, program.specs[position]) for position in wanted)]
        self.words = np.zeros(caller.HEAD + caller.ENTRY * (len(inputs) + len(results)), np.int64)
        failed = self._cell()
        self.frame.words[F_FAILED] = failed
        is_nested = isinstance(argnums, tuple)
        head = {**_environment(), caller.MACHINE: single.address or 0, caller.FRAME: self.frame.address, caller.FAILED: failed,
                caller.INPUTS: len(inputs), caller.RESULTS: len(results), caller.ARGNUMS: id(argnums),
                caller.IS_DEFAULT: int(not is_nested and argnums == 0), caller.IS_NESTED: int(is_nested),
                caller.FALLBACK: id(self.fallback)}
        for place, value in head.items():
            self.words[place] = value
        for number, (how, position, spec) in enumerate([*inputs, *results]):
            entry = self.words[caller.HEAD + caller.ENTRY * number:][:caller.ENTRY]
            for place, value in self._entry(how, position, spec).items():
                entry[place] = value

    def _cell(self) -> int:
        """The address of a word of memory."""
        cell = np.zeros(1, np.int64)
        self.kept.append(cell)
        return address_of_array(cell)

    def _entry(self, how: str, position: int, spec: Spec) -> dict[int, int]:
        """The words of an input or a result."""
        from tapediff.kernels import caller
        word = self.buffers.get((how, position))
        if word is None and how != "input":
            raise Unfit("a result that depends on nothing")
        place = 0 if word is None else self.frame.address + 8 * word
        if word is not None:
            self.frame.words[word + 1], self.frame.words[word + 2] = 0, spec.dtype.itemsize
        if spec.shape:
            dimensions = np.array(spec.shape, np.int64)
            self.kept += [dimensions, spec.dtype.numpy]
            return {caller.IS_ARRAY: 1, caller.WORD: place, caller.DTYPE: id(np.dtype(spec.dtype.numpy)),
                    caller.NDIM: len(spec.shape), caller.DIMENSIONS: address_of_array(dimensions)}
        if how == "input" and spec.dtype.name != "float64":
            raise Unfit("a number that is no float64")
        cell = self._cell()
        if word is not None:
            self.frame.words[word] = cell
        kind = np.dtype(spec.dtype.numpy).type
        self.kept.append(kind)
        get_slot = ctypes.pythonapi.PyType_GetSlot
        get_slot.argtypes, get_slot.restype = [ctypes.py_object, ctypes.c_int], ctypes.c_void_p
        return {caller.CELL: 0 if word is None else cell, caller.TYPE: id(kind), caller.ALLOCATE: get_slot(kind, _TP_ALLOC)}


def _prepared(program: Program, single: Single, argnums: Any) -> Any:
    """The built-in function.

    Raises
        Unfit: the program or its arguments are not of the simple kind.
    """
    from tapediff.kernels import caller
    wanted = single.schedule.request.wanted
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    if not program.is_flat or program.out_structure is not LEAF or len(set(wanted)) != len(chosen) or not single.is_short:
        raise Unfit("nests, repeated arguments, or a long program")
    if program.output_specs[0].shape or not all(type(number) is int for number in chosen):
        raise Unfit("a result with dimensions, or strange numbers of arguments")
    table = _Table(program, single, argnums)
    method = Method(b"value_and_grad", caller.call_program.address, _FASTCALL_WITH_KEYWORDS,
                    (type(program).value_and_grad.__doc__ or "").encode())
    new_function = ctypes.pythonapi.PyCFunction_NewEx
    new_function.argtypes, new_function.restype = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p], ctypes.py_object
    table.kept.append(method)
    return new_function(ctypes.addressof(method), (table.words, table), None)


def _try_out(function: Any, argnums: Any, inputs: Sequence[Any], result: Any) -> None:
    """Call the function as it was called before, and compare types and bits.

    Raises
        Unfit: it gives something else.
    """
    for _ in range(3):
        found = function(*inputs, argnums=argnums)
        for mine, other in zip(_leaves(found), _leaves(result), strict=True):
            if type(mine) is not type(other) or mine.dtype != other.dtype or mine.shape != other.shape or (
                    mine.tobytes() != other.tobytes() and not np.isnan(other).any()):
                raise Unfit("other results")


def _leaves(result: Any) -> list[Any]:
    value, gradient = result
    return [value, *gradient] if isinstance(gradient, tuple) else [value, gradient]
