"""A compiled program as a function that Python's interpreter calls directly: machine code from the arguments to the results.

It does what `Program.value_and_grad` does for arguments of exactly the types that were seen before: it makes the results through
NumPy's and CPython's own functions, hands their memory and that of the arguments to the program's machine code, and returns them.
All else goes to the Python function. A Python object is an int64 here, its address; `tapediff.program.native_calls` fills in the
tables and decides whether the code may be used.

The results are made first, since that may collect garbage and so run any code. From the first look at an argument to the last
copy of a result nothing runs Python code and the GIL is held, so that one frame serves all threads.
"""

from __future__ import annotations

from numba import cfunc, types

from tapediff.kernels.options import inner
from tapediff.kernels.recorder import call0, call1, call2, call3, call4, load, store

__all__ = ["ENTRY", "FUNCTIONS", "HEAD", "call_program"]

# the table: words of the head
(MACHINE, FRAME, FAILED, INPUTS, RESULTS, ARGNUMS, IS_DEFAULT, IS_NESTED, FALLBACK, FLOAT, FLOAT64, ARRAY, NAME_OF_ARGNUMS,
 INCREF, DECREF, NEW_TUPLE, SET_TUPLE_ITEM, VECTORCALL, COMPARE, CLEAR_ERROR, NEW_ARRAY) = range(21)
FUNCTIONS = {INCREF: "Py_IncRef", DECREF: "Py_DecRef", NEW_TUPLE: "PyTuple_New", SET_TUPLE_ITEM: "PyTuple_SetItem",
             VECTORCALL: "PyObject_Vectorcall", COMPARE: "PyObject_RichCompareBool", CLEAR_ERROR: "PyErr_Clear"}
HEAD = 24
# an input or a result: whether it is an array; the cell of a number (0: nobody reads it); the word of the frame that says where
# an array lies (0: nobody reads it); of an array its dtype and its dimensions; of a number its type, and what allocates one
IS_ARRAY, CELL, WORD, DTYPE, NDIM, DIMENSIONS, TYPE, ALLOCATE = range(8)
ENTRY = 8

_TYPE = 8  # of an object: behind the reference count
_VALUE = 16  # of a float, and of NumPy's scalars
_ITEMS = 24  # of a tuple
# of NumPy's arrays, as its headers state them
_DATA, _NDIM, _DIMENSIONS, _DTYPE, _FLAGS = 16, 24, 32, 56, 64
_CONTIGUOUS_ALIGNED = 0x0001 | 0x0100
_EQUAL = 2


@inner
def word(table: int, which: int) -> int:
    """A word of the table or of an entry."""
    return load(table + 8 * which)


@inner
def is_known(table: int, entry: int, thing: int) -> bool:
    """Whether an argument has exactly the type, dtype and shape that the program was recorded for, and lies as it reads it."""
    kind = load(thing + _TYPE)
    if not word(entry, IS_ARRAY):
        return kind == word(table, FLOAT) or kind == word(table, FLOAT64)
    if kind != word(table, ARRAY) or load(thing + _DTYPE) != word(entry, DTYPE):
        return False
    ndim = word(entry, NDIM)
    if load(thing + _NDIM) & 0xFFFFFFFF != ndim or load(thing + _FLAGS) & _CONTIGUOUS_ALIGNED != _CONTIGUOUS_ALIGNED:
        return False
    for k in range(ndim):  # noqa: SIM110 (Numba has no all())
        if load(load(thing + _DIMENSIONS) + 8 * k) != load(word(entry, DIMENSIONS) + 8 * k):
            return False
    return True


@inner
def made(table: int, entry: int) -> int:
    """A new object for a result; 0 with a Python error."""
    if word(entry, IS_ARRAY):
        call1(word(table, INCREF), word(entry, DTYPE))  # which the function takes over
        return call4(word(table, NEW_ARRAY), word(entry, NDIM), word(entry, DIMENSIONS), word(entry, DTYPE), 0)
    return call2(word(entry, ALLOCATE), word(entry, TYPE), 0)


@inner
def make_results(table: int) -> int:
    """The tuple of value and gradient, in which nothing is computed yet; 0 with a Python error."""
    results = word(table, RESULTS)
    first = table + 8 * (HEAD + ENTRY * word(table, INPUTS))
    outer = call1(word(table, NEW_TUPLE), 2)
    if outer == 0:
        return 0
    nest = outer
    if word(table, IS_NESTED):
        nest = call1(word(table, NEW_TUPLE), results - 1)
        if nest == 0:
            call1(word(table, DECREF), outer)
            return 0
        call3(word(table, SET_TUPLE_ITEM), outer, 1, nest)
    for k in range(results):
        thing = made(table, first + 8 * ENTRY * k)
        if thing == 0:
            call1(word(table, DECREF), outer)
            return 0
        if k and nest != outer:
            call3(word(table, SET_TUPLE_ITEM), nest, k - 1, thing)
        else:
            call3(word(table, SET_TUPLE_ITEM), outer, k, thing)
    return outer


@inner
def result_of(table: int, outer: int, k: int) -> int:
    """The object of a result, borrowed."""
    if k and word(table, IS_NESTED):
        return load(load(outer + _ITEMS + 8) + _ITEMS + 8 * (k - 1))
    return load(outer + _ITEMS + 8 * k)


@inner
def compute(table: int, arguments: int, outer: int) -> bool:
    """Run the program; False where an argument is unusual, or a guard failed."""
    inputs, results = word(table, INPUTS), word(table, RESULTS)
    entries = table + 8 * HEAD
    for k in range(inputs):
        if not is_known(table, entries + 8 * ENTRY * k, load(arguments + 8 * k)):
            return False
    for k in range(inputs):
        entry = entries + 8 * ENTRY * k
        thing = load(arguments + 8 * k)
        if word(entry, CELL):
            store(word(entry, CELL), load(thing + _VALUE))
        if word(entry, WORD):
            store(word(entry, WORD), load(thing + _DATA))
    entries += 8 * ENTRY * inputs
    for k in range(results):
        entry = entries + 8 * ENTRY * k
        if word(entry, WORD):
            store(word(entry, WORD), load(result_of(table, outer, k) + _DATA))
    store(word(table, FAILED), 0)
    call3(word(table, MACHINE), word(table, FRAME), 0, 1)
    if load(word(table, FAILED)):
        return False
    for k in range(results):
        entry = entries + 8 * ENTRY * k
        if word(entry, CELL):
            store(result_of(table, outer, k) + _VALUE, load(word(entry, CELL)))
    return True


@inner
def is_this_gradient(table: int, arguments: int, count: int, names: int) -> bool:
    """Whether the call asks for the gradient that the table is for."""
    if names == 0:
        return word(table, IS_DEFAULT) != 0
    if load(names + _VALUE) != 1 or load(names + _ITEMS) != word(table, NAME_OF_ARGNUMS):
        return False
    wanted = load(arguments + 8 * count)
    if wanted == word(table, ARGNUMS):
        return True
    same = call3(word(table, COMPARE), wanted, word(table, ARGNUMS), _EQUAL) & 0xFFFFFFFF
    if same == 0xFFFFFFFF:
        call0(word(table, CLEAR_ERROR))
    return same == 1


@cfunc(types.int64(*[types.int64] * 4), cache=True, error_model="numpy", boundscheck=False)
def call_program(own: int, arguments: int, count: int, names: int) -> int:
    """`value_and_grad` as CPython calls it: `own` is a tuple whose first element is the array that holds the table."""
    table = load(load(own + _ITEMS) + _DATA)
    if count == word(table, INPUTS) and is_this_gradient(table, arguments, count, names):
        outer = make_results(table)
        if outer == 0:
            return 0
        if compute(table, arguments, outer):
            return outer
        call1(word(table, DECREF), outer)
    return call4(word(table, VECTORCALL), word(table, FALLBACK), arguments, count, names)
