"""The native recorder: the quick path of operators as machine code that Python's interpreter calls directly.

It does what the templates of `tapediff.quick` do, through CPython's own functions, called by address: the tape's lists,
dictionaries and tensors are the same as if Python had recorded. A Python object is an int64 here, its address. `tapediff.native`
fills in the tables and decides whether the code may be used.

The *context* is a table of addresses of functions and objects, and of the offsets at which objects keep their attributes. A *row*
belongs to one operator; behind its head lie WAYS entries that remember pairs (kind, spec) found in the dictionaries of a spec. An
entry owns what it names, so that no address in it can come to mean another object.

Whatever is unusual goes to the row's FALLBACK, the Python function that records the same instruction. Nothing here runs Python
code between the first look at a segment and the last append, so no thread and no finalizer sees half an instruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import cfunc, types
from numba.extending import intrinsic

from tapediff.kernels.options import inner

__all__ = ["ATTRIBUTES", "CONTEXT_WORDS", "FUNCTIONS", "ROW_WORDS", "SHAPES", "operate", "print_entries"]

# the context: objects and numbers
(TENSOR, FLOAT, INT, LIST, NONE, TRUE, SOURCE, MODES, NAME_OF_SEGMENT, LATEST, LATEST_THREAD, CLOSE, ZERO, POSITIONS,
 POSITION_COUNT, LIMIT, ALLOCATE) = range(17)
# the context: documented functions of CPython
FUNCTIONS = ("PyDict_GetItemWithError", "PyErr_Clear", "PyList_Append", "PyList_SetSlice", "PyList_Size", "PyObject_CallObject",
             "PyObject_GetAttr", "PyThreadState_Get", "PyThreadState_GetID", "PyTuple_GetItem", "PyTuple_New", "PyTuple_SetItem",
             "Py_DecRef", "Py_IncRef")
(GET_ITEM, CLEAR_ERROR, APPEND, SET_SLICE, SIZE, CALL, GET_ATTRIBUTE, THREAD, THREAD_NUMBER, TUPLE_ITEM, NEW_TUPLE,
 SET_TUPLE_ITEM, DECREF, INCREF) = range(17, 31)
# the context: where an object keeps an attribute
ATTRIBUTES = (("tensor", "segment"), ("tensor", "slot"), ("tensor", "spec"), ("tensor", "source"), ("segment", "code"),
              ("segment", "stamp"), ("segment", "held"), ("source", "stamp"), ("spec", "constants"), ("spec", "is_large"),
              ("latest", "segment"))
(TENSOR_SEGMENT, TENSOR_SLOT, TENSOR_SPEC, TENSOR_SOURCE, SEGMENT_CODE, SEGMENT_STAMP, SEGMENT_HELD, SOURCE_STAMP, SPEC_CONSTANTS,
 SPEC_IS_LARGE, LATEST_SEGMENT) = range(31, 42)
CONTEXT_WORDS = 48

# a row: where a spec keeps its dictionary for (tensor, anything), for (number, tensor); whether a number on the left may change
# sides; whether the number itself is the dictionary's key; the Python function for all else
TABLE, REFLECTED, COMMUTES, BY_VALUE, FALLBACK = range(5)
ENTRIES = 8  # where the row's entries begin, of eight words each
# an entry: spec, key and table as looked up; the instruction's kind (0: its results are large), the result's spec, the number's
# operand; the pair that owns kind and result
SPEC, KEY, WHERE, KIND, RESULT, OPERAND, PAIR = range(7)
WAYS = 16
ROW_WORDS = ENTRIES + WAYS * 8

_TYPE = 8  # of an object's type: behind the reference count
_I64 = ir.IntType(64)


@intrinsic
def load(typing_context: Any, address: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], _I64.as_pointer()))
    return types.int64(types.int64), emit


@intrinsic
def store(typing_context: Any, address: Any, value: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], _I64.as_pointer()))
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), emit


def _call(count: int) -> Any:
    """Call a C function by address with words as arguments; its result is a word."""
    function_type = ir.FunctionType(_I64, [_I64] * count)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.call(builder.inttoptr(arguments[0], function_type.as_pointer()), arguments[1:])
    return types.int64(*[types.int64] * (count + 1)), emit


@intrinsic
def call0(typing_context: Any, address: Any) -> Any:
    return _call(0)


@intrinsic
def call1(typing_context: Any, address: Any, a: Any) -> Any:
    return _call(1)


@intrinsic
def call2(typing_context: Any, address: Any, a: Any, b: Any) -> Any:
    return _call(2)


@intrinsic
def call3(typing_context: Any, address: Any, a: Any, b: Any, c: Any) -> Any:
    return _call(3)


@intrinsic
def call4(typing_context: Any, address: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    return _call(4)


@inner
def word(context: int, which: int) -> int:
    """A word of the context or of a row."""
    return load(context + 8 * which)


@inner
def attribute(context: int, thing: int, which: int) -> int:
    """An attribute of an object, borrowed; 0 if it has none."""
    return load(thing + load(context + 8 * which))


@inner
def replace(context: int, place: int, thing: int) -> None:
    """Store an owned reference, and drop the one that was there."""
    old = load(place)
    if thing:
        call1(word(context, INCREF), thing)
    store(place, thing)
    if old:
        call1(word(context, DECREF), old)


@inner
def find(context: int, row: int, table: int, spec: int, key: int, is_number: bool) -> int:
    """The entry for an operand of `spec` beside `key`: a spec, a number, or None; 0 if the quick path does not know them.

    `table` is the offset of the spec's dictionary.
    """
    mixed = (spec + 3 * key) * 0x9E3779B97F4A7C1
    entry = row + 8 * (ENTRIES + 8 * ((mixed >> 40) & (WAYS - 1)))
    if word(entry, SPEC) == spec and word(entry, KEY) == key and word(entry, WHERE) == table:
        return entry
    return fill(context, row, table, spec, key, is_number, entry)


@inner
def fill(context: int, row: int, table: int, spec: int, key: int, is_number: bool, entry: int) -> int:
    """As `find`, from the spec's dictionaries; the entry remembers it."""
    pairs = load(spec + table)
    if pairs == 0:
        return 0
    wanted = key
    if is_number and not (word(row, BY_VALUE) and table == word(row, TABLE)):
        wanted = load(key + _TYPE)
    pair = call2(word(context, GET_ITEM), pairs, wanted)
    operand = word(context, ZERO)
    if pair and is_number:
        operand = call2(word(context, GET_ITEM), attribute(context, spec, SPEC_CONSTANTS), key)
    if pair == 0 or operand == 0:
        call0(word(context, CLEAR_ERROR))
        return 0
    replace(context, entry + 8 * PAIR, pair)
    replace(context, entry + 8 * KEY, key)
    replace(context, entry + 8 * OPERAND, operand)
    store(entry + 8 * SPEC, spec)
    store(entry + 8 * WHERE, table)
    result = call2(word(context, TUPLE_ITEM), pair, 1)
    is_large = attribute(context, result, SPEC_IS_LARGE) == word(context, TRUE)
    store(entry + 8 * RESULT, result)
    store(entry + 8 * KIND, 0 if is_large else call2(word(context, TUPLE_ITEM), pair, 0))
    return entry


@inner
def know_running_segment(context: int) -> bool:
    """Let `latest` be this thread's running segment; False where the general path must record."""
    # unlike get_ident()'s, this number is never given to another thread
    thread = call1(word(context, THREAD_NUMBER), call0(word(context, THREAD)))
    place = word(context, LATEST) + word(context, LATEST_SEGMENT)
    segment = load(place)
    if thread != word(context, LATEST_THREAD) or segment == word(context, NONE):
        segment = call2(word(context, GET_ATTRIBUTE), word(context, MODES), word(context, NAME_OF_SEGMENT))
        if segment == 0:
            call0(word(context, CLEAR_ERROR))
            return False
        store(context + 8 * LATEST_THREAD, thread)
        replace(context, place, segment)
        call1(word(context, DECREF), segment)
        if load(place) != segment or word(context, LATEST_THREAD) != thread:  # what was dropped ran code
            return False
    code = attribute(context, segment, SEGMENT_CODE)
    return code != 0 and load(code + _TYPE) == word(context, LIST)


@inner
def hold(context: int, segment: int, source: int) -> bool:
    """Let a segment hold a source that it reads; False if memory runs out."""
    stamp = attribute(context, segment, SEGMENT_STAMP)
    if attribute(context, source, SOURCE_STAMP) != stamp:
        if call2(word(context, APPEND), attribute(context, segment, SEGMENT_HELD), source) & 0xFFFFFFFF:
            return False
        replace(context, source + word(context, SOURCE_STAMP), stamp)
    return True


@inner
def is_lent(context: int, source: int) -> bool:
    """Whether the memory of a source was given to NumPy: what reads it is not to wait."""
    return source != 0 and attribute(context, source, SOURCE_STAMP) == 0


@inner
def append(context: int, code: int, size: int, kind: int, a: int, b: int) -> bool:
    """Append an instruction to the code, the whole of it or nothing; False if memory runs out."""
    function = word(context, APPEND)
    if call2(function, code, kind) & 0xFFFFFFFF or call2(function, code, a) & 0xFFFFFFFF or call2(function, code, b) & 0xFFFFFFFF:
        call4(word(context, SET_SLICE), code, size, size + 3, 0)
        return False
    return True


FAILED, MISSED, DONE = range(3)  # a Python error is set; nothing has happened; recorded


@inner
def write(context: int, row: int, table: int, a: int, b: int, number: int, made: int) -> int:
    """Record the operation of tensor `a` and tensor `b`, or `number`, or nothing more (0), and let `made` show its slot."""
    if not know_running_segment(context):
        return MISSED
    segment = attribute(context, word(context, LATEST), LATEST_SEGMENT)
    source = word(context, SOURCE)
    segment_of_a = attribute(context, a, TENSOR_SEGMENT)
    segment_of_b = source
    spec = attribute(context, a, TENSOR_SPEC)
    slot = attribute(context, a, TENSOR_SLOT)
    key = number if number else word(context, NONE)
    if b:
        segment_of_b = attribute(context, b, TENSOR_SEGMENT)
        key = attribute(context, b, TENSOR_SPEC)
    if ((segment_of_a != segment and segment_of_a != source) or (segment_of_b != segment and segment_of_b != source)
            or spec == 0 or slot == 0 or key == 0):
        return MISSED
    entry = find(context, row, table, spec, key, number != 0)
    if entry == 0 or word(entry, KIND) == 0:
        return MISSED
    other = attribute(context, b, TENSOR_SLOT) if b else word(entry, OPERAND)
    code = attribute(context, segment, SEGMENT_CODE)
    size = call1(word(context, SIZE), code)
    position = size // 3 + 1
    if other == 0 or size % 3 or position >= word(context, POSITION_COUNT):
        return MISSED
    source_of_a = attribute(context, a, TENSOR_SOURCE) if segment_of_a == source else 0
    source_of_b = attribute(context, b, TENSOR_SOURCE) if b and segment_of_b == source else 0
    if is_lent(context, source_of_a) or is_lent(context, source_of_b):
        return MISSED
    if source_of_a and not hold(context, segment, source_of_a):
        return FAILED
    if source_of_b and not hold(context, segment, source_of_b):
        return FAILED
    if number and table == word(row, REFLECTED):
        slot, other = other, slot
    if not append(context, code, size, word(entry, KIND), slot, other):
        return FAILED
    function = word(context, INCREF)
    own = load(word(context, POSITIONS) + 8 * position)
    call1(function, own)
    store(made + word(context, TENSOR_SLOT), own)
    result = word(entry, RESULT)
    call1(function, result)
    store(made + word(context, TENSOR_SPEC), result)
    call1(function, segment)
    store(made + word(context, TENSOR_SEGMENT), segment)
    if size + 3 >= word(context, LIMIT):
        done = call2(word(context, CALL), word(context, CLOSE), 0)
        if done == 0:
            return FAILED
        call1(word(context, DECREF), done)
    return DONE


@inner
def record(context: int, row: int, table: int, a: int, b: int, number: int) -> int:
    """The tensor that shows the operation; 0 with a Python error, or MISSED."""
    # first, since it may collect garbage and so run any code
    made = call2(word(context, ALLOCATE), word(context, TENSOR), 0)
    if made == 0:
        return 0
    status = write(context, row, table, a, b, number, made)
    if status == DONE:
        return made
    call1(word(context, DECREF), made)
    return MISSED if status == MISSED else 0


@inner
def is_number(context: int, thing: int) -> bool:
    """Whether the quick path knows the type, which must not be a subclass."""
    kind = load(thing + _TYPE)
    return kind == word(context, FLOAT) or kind == word(context, INT)


@inner
def fall_back(context: int, row: int, count: int, a: int, b: int, c: int) -> int:
    """What the row's Python function returns for the first `count` of three arguments."""
    arguments = call1(word(context, NEW_TUPLE), count)
    if arguments == 0:
        return 0
    for k in range(count):
        argument = a if k == 0 else b if k == 1 else c
        call1(word(context, INCREF), argument)
        call3(word(context, SET_TUPLE_ITEM), arguments, k, argument)
    result = call2(word(context, CALL), word(row, FALLBACK), arguments)
    call1(word(context, DECREF), arguments)
    return result


@cfunc(types.int64(*[types.int64] * 6), cache=True, error_model="numpy", boundscheck=False)
def operate(context: int, row: int, count: int, a: int, b: int, modulus: int) -> int:
    """An operator or method of `count` operands, as CPython calls it: of two, either may be the tensor; three are a power's."""
    if count == 3 and modulus == word(context, NONE):
        count = 2
    tensor = word(context, TENSOR)
    table = word(row, TABLE)
    first, other, number = 0, 0, 0
    if load(a + _TYPE) == tensor:
        if count == 1:
            first = a
        elif count == 2 and load(b + _TYPE) == tensor:
            first, other = a, b
        elif count == 2 and is_number(context, b):
            first, number = a, b
    elif count == 2 and load(b + _TYPE) == tensor and is_number(context, a):
        first, number = b, a
        if not word(row, COMMUTES):
            table = word(row, REFLECTED)
    if first:
        made = record(context, row, table, first, other, number)
        if made != MISSED:
            return made
    return fall_back(context, row, count, a, b, modulus)


# how many words CPython gives a function of each shape, and how many of them are operands
SHAPES = {"unary": (1, 1), "method": (2, 1), "binary": (2, 2), "method of two": (2, 2), "power": (3, 3)}


def print_entries(shapes: Sequence[str]) -> str:
    """LLVM IR of a function ``entry_k`` for each row: what CPython hands over does not say which row is meant.

    The globals ``context`` and ``operate`` are to be filled with addresses.
    """
    lines = ["@context = global i64 0", "@operate = global i64 0"]
    for number, shape in enumerate(shapes):
        given, count = SHAPES[shape]
        operands = ", ".join([f"i64 %a{k}" for k in range(count)] + ["i64 0"] * (3 - count))
        lines += [
            f"define i64 @entry_{number}({', '.join(f'i64 %a{k}' for k in range(given))}) {{",
            "  %context = load i64, i64* @context",
            f"  %row = add i64 %context, {8 * (CONTEXT_WORDS + number * ROW_WORDS)}",
            "  %address = load i64, i64* @operate",
            "  %function = inttoptr i64 %address to i64 (i64, i64, i64, i64, i64, i64)*",
            f"  %result = tail call i64 %function(i64 %context, i64 %row, i64 {count}, {operands})",
            "  ret i64 %result",
            "}",
        ]
    return "\n".join(lines) + "\n"
