"""Puts the native recorder in the place of the quick path's Python functions, where it is certain to fit.

An operator's slot of the Tensor type gets the address of machine code; ``Tensor.__mul__`` stays the Python function, which is
also what the machine code calls for all that is unusual. A method such as ``Tensor.sin`` becomes a method descriptor, as in
PyTorch. Python itself takes the machine code out again where somebody assigns ``Tensor.__mul__``.

The code reads and writes attributes where the objects of this process are seen to keep them. It is not used on anything but
CPython with its global lock, nor where a trial does not record what Python records, nor with TAPEDIFF_NATIVE=0 in the
environment. It is installed when some segments have been opened and values computed: `import tapediff` loads no LLVM for it.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MemberDescriptorType
from typing import Any

from tapediff import dtypes, quick, recording
from tapediff.compiling import IS_COMPILED
from tapediff.recording import latest, modes
from tapediff.tape.segment import Segment
from tapediff.tape.source import SOURCE, Source
from tapediff.tape.spec import Spec, spec_of
from tapediff.tensor import Tensor, of_source

__all__ = ["install", "state", "uninstall"]

# operator: its reflection, its place in PyNumberMethods, its number among the type slots of the stable ABI
_OPERATORS = {
    "__add__": ("__radd__", 0, 7), "__sub__": ("__rsub__", 1, 36), "__mul__": ("__rmul__", 2, 29),
    "__truediv__": ("__rtruediv__", 30, 37), "__pow__": ("__rpow__", 5, 33), "__neg__": ("", 6, 30),
}
_TP_AS_NUMBER = 96  # in PyTypeObject
_TP_ALLOC = 47  # among the type slots of the stable ABI
_METH_NOARGS, _METH_O = 4, 8
_WORD = ctypes.c_int64


class Unfit(Exception):
    """Something is not as the native recorder needs it."""


class Method(ctypes.Structure):
    """PyMethodDef."""

    _fields_ = [("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p)]


class State:
    """What is installed.

    refusal   why the recorder is not used, or None
    prepared  whether the tables are filled
    openings  segments to be opened before it is installed: it takes as long as a thousand operations would without it
    """

    def __init__(self) -> None:
        self.refusal: str | None = "few segments were opened yet"
        self.prepared = False
        self.openings = 1 if os.environ.get("TAPEDIFF_NATIVE") == "1" else 8
        self.slots: dict[int, tuple[int, int]] = {}  # address of a type slot -> what was there, what is put there
        self.methods: dict[str, tuple[Any, Any]] = {}  # name -> the Python function, the descriptor
        self.cells: list[tuple[Any, Any, Any]] = []  # a function's variable, what was there, what is put there


state = State()
_lock = threading.RLock()


# --- what the objects look like -------------------------------------------------------------------------------------------------

def _word_at(address: int) -> int:
    return _WORD.from_address(address).value


def _offset(thing: Any, name: str) -> int:
    """Where `thing` keeps the attribute that one of its class's __slots__ declares."""
    if not isinstance(getattr(type(thing), name), MemberDescriptorType):
        raise Unfit(f"{type(thing).__name__}.{name} is no slot")
    places = set(range(16, type(thing).__basicsize__, 8))
    for value in (object(), object()):
        setattr(thing, name, value)
        places &= {place for place in places if _word_at(id(thing) + place) == id(value)}
    delattr(thing, name)
    places = {place for place in places if _word_at(id(thing) + place) == 0}
    if len(places) != 1:
        raise Unfit(f"{type(thing).__name__}.{name} lies at {sorted(places)}")
    return places.pop()


def _blank(kind: type) -> Any:
    return object.__new__(kind)


def _offsets(names: tuple[tuple[str, str], ...]) -> list[int]:
    source = Source(spec_of((), dtypes.float64, False), 0.0)
    things: dict[str, Any] = {"tensor": _blank(Tensor), "segment": _blank(Segment), "spec": _blank(Spec), "source": source,
              "latest": _blank(type(latest))}
    return [_offset(things[thing], name) for thing, name in names]


def _check_interpreter() -> None:
    import sysconfig
    if os.environ.get("TAPEDIFF_NATIVE") == "0":
        raise Unfit("TAPEDIFF_NATIVE is 0")
    if not IS_COMPILED:
        raise Unfit("NUMBA_DISABLE_JIT is set")
    if sys.implementation.name != "cpython" or struct.calcsize("P") != 8:
        raise Unfit("this is not CPython of 64 bits")
    if sysconfig.get_config_var("Py_GIL_DISABLED") or hasattr(sys, "gettotalrefcount"):
        raise Unfit("this CPython is built without the global lock, or for debugging")
    some: tuple[Any, ...] = (Tensor, 1.5, 7, [], latest)
    for thing in some:
        if _word_at(id(thing) + 8) != id(type(thing)):
            raise Unfit("an object's type is not its second word")


def _keep(thing: Any) -> None:
    """Never free an object whose address machine code has: not even when the interpreter ends, where finalizers still record."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


# --- installation ---------------------------------------------------------------------------------------------------------------

def _operate(name: str, reflection: str) -> Callable[..., Any]:
    """What Python does for an operator whose operands may come in either order, by the functions of `quick`."""
    forward = Tensor.__dict__[name]
    backward = Tensor.__dict__.get(reflection)

    def operate(left: Any, *right: Any) -> Any:
        if type(left) is Tensor:
            return forward(left, *right)
        if isinstance(left, Tensor):
            return getattr(type(left), name)(left, *right)
        if len(right) == 1 and isinstance(right[0], Tensor):
            return backward(right[0], left)  # type: ignore[misc]
        return NotImplemented

    return operate


def _rows() -> Iterator[tuple[str, str, Any, Any, str]]:
    """Shape, name, Python function, reflected one, row: of every operator and method that the recorder serves."""
    for name, (reflection, _, _) in _OPERATORS.items():
        template, row = quick.made_from[Tensor.__dict__[name]]
        shape = {quick.UNARY: "unary", quick.POWER: "power"}.get(template, "binary")
        yield shape, name, _operate(name, reflection), Tensor.__dict__.get(reflection), row
    for made in quick.cells:
        template, row = quick.made_from[made]
        yield "method" if template is quick.UNARY else "method of two", made.__name__, made, None, row


def _prepare() -> None:
    """Fill the tables and find the addresses; nothing is changed yet."""
    from tapediff.kernels import recorder
    from tapediff.kernels.library import get_library

    api = ctypes.pythonapi
    get_slot = api.PyType_GetSlot
    get_slot.argtypes, get_slot.restype = [ctypes.py_object, ctypes.c_int], ctypes.c_void_p
    rows = list(_rows())
    state.slots, state.methods, state.cells = {}, {}, []
    table = (ctypes.c_int64 * (recorder.CONTEXT_WORDS + recorder.ROW_WORDS * len(rows)))()
    numbers: Any = range(0, recording.SEGMENT_CODE + 192, 3)
    positions = (ctypes.py_object * len(numbers))(*numbers)
    objects = {"TENSOR": Tensor, "FLOAT": float, "INT": int, "LIST": list, "NONE": None, "TRUE": True, "SOURCE": SOURCE,
               "MODES": modes, "NAME_OF_SEGMENT": "segment", "LATEST": latest, "CLOSE": recording.close, "ZERO": 0}
    for name, thing in objects.items():
        table[getattr(recorder, name)] = id(thing)
    table[recorder.POSITIONS] = ctypes.addressof(positions)
    table[recorder.POSITION_COUNT] = len(positions)
    table[recorder.LIMIT] = recording.SEGMENT_CODE
    table[recorder.ALLOCATE] = get_slot(Tensor, _TP_ALLOC)
    first = recorder.GET_ITEM
    for place, name in enumerate(recorder.FUNCTIONS, first):
        table[place] = ctypes.cast(getattr(api, name), ctypes.c_void_p).value or 0
    for place, offset in enumerate(_offsets(recorder.ATTRIBUTES), recorder.TENSOR_SEGMENT):
        table[place] = offset

    addresses = get_library().functions(
        recorder.print_entries(tuple(row[0] for row in rows)), [f"entry_{number}" for number in range(len(rows))],
        {"context": ctypes.addressof(table), "operate": recorder.operate.address})
    blank = _blank(Spec)
    as_number = _word_at(id(Tensor) + _TP_AS_NUMBER)
    for number, ((shape, name, function, reflected, row), address) in enumerate(zip(rows, addresses, strict=True)):
        at = recorder.CONTEXT_WORDS + number * recorder.ROW_WORDS
        table[at + recorder.TABLE] = _offset(blank, row)
        table[at + recorder.REFLECTED] = _offset(blank, row + "_reflected")
        table[at + recorder.COMMUTES] = quick.made_from.get(reflected, ("", ""))[0] is quick.SWAPPED
        table[at + recorder.BY_VALUE] = shape == "power"
        table[at + recorder.FALLBACK] = id(function)
        _keep(function)
        if function in quick.cells:
            other, flag = ("", _METH_NOARGS) if shape == "method" else ("other, ", _METH_O)
            text = f"{name}($self, {other}/)\n--\n\n{function.__doc__}"
            method = Method(name.encode(), address, flag, text.encode())
            _keep(method)
            new_method = api.PyDescr_NewMethod
            new_method.argtypes, new_method.restype = [ctypes.py_object, ctypes.c_void_p], ctypes.py_object
            descriptor = new_method(Tensor, ctypes.addressof(method))
            state.cells += [(cell, function, descriptor) for cell in quick.cells[function]]
            state.methods.update((public, (function, descriptor)) for public, made in Tensor.__dict__.items() if made is function)
        else:
            _, place, slot = _OPERATORS[name]
            if _word_at(as_number + 8 * place) != get_slot(Tensor, slot):
                raise Unfit(f"the slot of {name} is not where it should be")
            state.slots[as_number + 8 * place] = (get_slot(Tensor, slot), address)
    for thing in (table, positions, recorder.operate, get_library(), *objects.values()):
        _keep(thing)
    _try_out(rows, addresses)
    state.prepared = True


def _try_out(rows: list[Any], addresses: list[int]) -> None:
    """Let machine code and Python record the same operations of tensors made for that, and compare all that there is to see."""
    from tapediff.kernels import recorder
    spec = _blank(Spec)
    spec.constants, spec.is_large = {0.5: -7, 3: -8}, False
    leaf, other = (of_source(Source(spec_of((), dtypes.float64, False), value)) for value in (1.0, 2.0))
    leaf.spec = other.spec = spec
    for number, (shape, name, function, _, row) in enumerate(rows):
        for suffix, first in (("", 300), ("_reflected", 400)):
            setattr(spec, row + suffix, {key: (first + k, spec) for k, key in enumerate((spec, float, int, None, 0.5, 3))})
        given, count = recorder.SHAPES[shape]
        native = ctypes.PYFUNCTYPE(ctypes.py_object, *[ctypes.py_object] * given)(addresses[number])
        with _trial_segment() as segment:
            y = function(*[leaf] * min(count, 2))
            several = [(leaf, other), (leaf, y), (y, other), (y, y), (y, 0.5), (leaf, 3), (3, y), (0.5, leaf)]
            for operands in ((leaf,), (y,)) if count == 1 else several[:-2] if shape == "method of two" else several:
                rest = (None,) * (given - len(operands))
                seen = [_observe(function, operands, (), segment, spec), _observe(native, operands, rest, segment, spec),
                        _observe(native, operands, rest, segment, spec)]
                if not seen[0] == seen[1] == seen[2]:
                    raise Unfit(f"{name} records {seen[1:]}, not {seen[0]}")


def _observe(record: Callable[..., Any], operands: tuple[Any, ...], rest: tuple[Any, ...], segment: Segment, spec: Spec) -> Any:
    """What an operation appends, how its result looks, and which references it leaves behind."""
    record(*operands, *rest)  # leaves its pair in the memory of the machine code
    watched = (segment, spec, segment.held, segment.recorded, *operands)
    size, held = len(segment.recorded), len(segment.held)
    before = [sys.getrefcount(thing) for thing in watched]
    made = record(*operands, *rest)
    with_result = [sys.getrefcount(thing) - count for thing, count in zip(watched, before, strict=True)]
    facts = type(made), made.segment is segment, made.spec is spec, made.slot == len(segment.recorded)
    del made
    after = [sys.getrefcount(thing) - count for thing, count in zip(watched, before, strict=True)]
    return segment.recorded[size:], len(segment.held) - held, facts, with_result, after


@contextmanager
def _trial_segment() -> Iterator[Segment]:
    """A running segment of this thread that nobody else knows."""
    segment = Segment(True)
    before = modes.segment, modes.grad_enabled
    modes.segment, modes.grad_enabled = segment, True
    latest.segment = None
    try:
        yield segment
    finally:
        modes.segment, modes.grad_enabled = before
        latest.segment = None


def install() -> bool:
    """Let machine code record, if it fits; whether it does."""
    with _lock:
        if state.refusal is None:
            return True
        try:
            _check_interpreter()
            if not state.prepared:
                _prepare()
        except Exception as error:  # whatever it is: Python can do without
            state.refusal = f"{type(error).__name__}: {error}"
            return False
        for at, (_, new) in state.slots.items():
            _WORD.from_address(at).value = new
        for name, (function, descriptor) in state.methods.items():
            if Tensor.__dict__.get(name) is function:
                setattr(Tensor, name, descriptor)
        for cell, _, descriptor in state.cells:
            cell.cell_contents = descriptor
        state.refusal = None
        return True


def uninstall() -> None:
    """Let Python record again."""
    with _lock:
        for at, (old, new) in state.slots.items():
            if _word_at(at) == new:
                _WORD.from_address(at).value = old
        for name, (function, descriptor) in state.methods.items():
            if Tensor.__dict__.get(name) is descriptor:
                setattr(Tensor, name, function)
        for cell, function, _ in state.cells:
            cell.cell_contents = function
        state.refusal = "it was uninstalled"


def _install_at_last() -> None:
    """Called when a segment is opened."""
    if "tapediff.forward" in sys.modules and not recording.recordings:
        state.openings -= 1
        if state.openings <= 0:
            recording.at_open.remove(_install_at_last)
            if install():
                atexit.register(uninstall)


recording.at_open.append(_install_at_last)
