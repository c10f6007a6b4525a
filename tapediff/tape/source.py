"""Sources: values that instructions read and do not compute. Leaves, constants, and slots of earlier segments."""

from __future__ import annotations

import ctypes
import struct
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff.tape.layout import (
    CHUNK_ROWS,
    CHUNK_SHIFT,
    EMPTY,
    IN_CELL,
    PYTHON,
    S_ADDRESS,
    S_CELL,
    S_CLOCK,
    S_FIELDS,
    S_GRADIENT,
    S_STATE,
    S_WANTED,
)
from tapediff.tape.spec import Spec

__all__ = [
    "ADJOINTS",
    "CLOCK",
    "NUMBER",
    "SOURCE",
    "SOURCES",
    "WRITING",
    "WRITTEN",
    "Source",
    "SourceTable",
    "Storage",
    "tell_written",
]

_MOST_CHUNKS = 1 << 16
# address, cell, bytes, wanted, pass, adjoint, clock, state, gradient, item
_PACK = {name: struct.Struct(f"=q{cell}qqqqqqdq").pack_into
         for name, cell in (("float64", "d"), ("float32", "f4x"), ("int64", "q"), ("int32", "i4x"), ("bool", "?7x"))}
_READ = {name: struct.Struct(cell).unpack_from
         for name, cell in (("float64", "=d"), ("float32", "=f"), ("int64", "=q"), ("int32", "=i"), ("bool", "=?"))}
_ROW_BYTES = S_FIELDS * 8


class Clock:
    """Counts the in-place writes; an instruction remembers the time at which it was computed."""

    __slots__ = ("lock", "now")

    def __init__(self) -> None:
        self.now = 0
        self.lock = threading.Lock()

    def tick(self) -> int:
        """The time of one more write."""
        with self.lock:
            self.now += 1
            return self.now


CLOCK = Clock()
# A row has one place for an adjoint and one for a gradient, and threads share leaves: whoever runs a reverse pass, adds to a
# gradient or takes it out of the table holds this.
ADJOINTS = threading.RLock()


class SourceTable:
    """The rows of all sources. A row never moves; a chunk is added when the rows run out."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.buffers: list[bytearray] = []
        self.words: list[memoryview] = []  # the same memory as int64
        self.free: list[int] = []
        self.owners: list[weakref.ref[Source] | None] = []
        self.bases: list[int] = []
        self.chunks = (ctypes.c_int64 * _MOST_CHUNKS)()
        self.address = ctypes.addressof(self.chunks)

    def grow(self) -> None:
        """Add a chunk of free rows."""
        with self.lock:
            if self.free:
                return
            number = len(self.buffers)
            if number == _MOST_CHUNKS:
                raise MemoryError(f"more than {_MOST_CHUNKS * CHUNK_ROWS} leaf tensors and constants are alive at once")
            buffer = bytearray(CHUNK_ROWS * _ROW_BYTES)
            base = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
            self.buffers.append(buffer)
            self.words.append(memoryview(buffer).cast("q"))
            self.bases.append(base)
            self.chunks[number] = base
            self.owners.extend([None] * CHUNK_ROWS)
            first = number * CHUNK_ROWS
            self.free.extend(range(first + CHUNK_ROWS - 1, first - 1, -1))


SOURCES = SourceTable()


class _SourceSegment:
    """Stands where a segment stands for values that are sources; has no code, so that the recorders' quick path passes it by."""

    __slots__ = ()
    code = None
    thread = 0

    def __repr__(self) -> str:
        return "<sources>"


class _Writing(set[Any]):
    """Segments in which writes into the memory of sources wait. `finish` computes them: before anybody looks at a source."""

    finish: Callable[[], None]


SOURCE: Any = _SourceSegment()
WRITING = _Writing()
NUMBER: Any = object()  # the owner of sources that stand for Python numbers


class Storage:
    """Memory that several sources may show: counts the in-place writes, and tells all of them.

    members   the sources, weakly; they are told of writes before the next reverse pass (`tell_written`), so that many writes in a
              row cost the same each
    copies    those that hold a contiguous copy of strided memory, which every write refreshes
    computed  those that show what a segment computed, and have not been written yet
    is_exported  whether NumPy has been given the memory
    """

    __slots__ = ("computed", "copies", "is_exported", "is_waiting", "members", "most", "version", "writes")

    def __init__(self) -> None:
        self.version = 0
        self.most = 8
        self.members: list[weakref.ref[Source]] = []
        self.copies: list[weakref.ref[Source]] = []
        self.computed: list[weakref.ref[Source]] = []
        self.writes: deque[int] = deque(maxlen=64)
        self.is_waiting = False
        self.is_exported = False

    def add(self, source: Source) -> None:
        """Take in one more source that shows the memory."""
        source.storage = self
        if self.is_exported:
            source.lend()
        reference = weakref.ref(source)
        with SOURCES.lock:
            self.members.append(reference)
            if source.snapshot is not None:
                self.copies.append(reference)
            if source.origin is not None:
                self.computed.append(reference)
            if len(self.members) > self.most:
                self.members = [member for member in self.members if member() is not None]
                self.copies = [member for member in self.copies if member() is not None]
                self.computed = [member for member in self.computed if member() is not None]
                self.most = 2 * len(self.members) + 8

    def is_alone(self) -> bool:
        """Whether one source shows the memory."""
        alive = 0
        for member in reversed(self.members):
            alive += member() is not None
            if alive > 1:
                return False
        if len(self.members) > 1:
            with SOURCES.lock:
                self.members = [member for member in self.members if member() is not None]
        return len(self.members) == 1

    def mark_written(self) -> None:
        """Remember that the memory was written just now, and let copies of strided arrays follow."""
        self.writes.append(CLOCK.tick())
        self.version += 1
        if not self.is_waiting:
            self.is_waiting = True
            WRITTEN.append(self)
            if len(WRITTEN) > 1024:
                tell_written()
        for member in self.copies:
            source = member()
            if source is not None:
                source.snapshot[...] = source.array  # type: ignore[index]

    def take_computed(self) -> list[Source]:
        """The sources that show what a segment computed, once each: from the first write on they show something else."""
        if not self.computed:
            return []
        with SOURCES.lock:
            taken, self.computed = self.computed, []
        return [source for member in taken if (source := member()) is not None]

    def tell(self) -> None:
        """Let the rows of all members say when the memory was written last; those that came after that keep their clock."""
        self.is_waiting = False
        last = self.writes[-1]
        for member in self.members:
            source = member()
            if source is not None and source.read(S_CLOCK) < last:
                source.write(S_CLOCK, last)


WRITTEN: list[Storage] = []  # those that have yet to tell their members


def tell_written() -> None:
    """Before a reverse pass: let all sources whose memory was written know when."""
    with SOURCES.lock:
        while WRITTEN:
            WRITTEN.pop().tell()


def address_of_array(array: np.ndarray[Any, Any]) -> int:
    """Where an array's memory lies; half the time of its `__array_interface__`, which serves what cannot be written."""
    try:
        return ctypes.addressof(_BYTE.from_buffer(array))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found: int = array.__array_interface__["data"][0]
        return found


_BYTE = ctypes.c_char


class Source:
    """One value read by instructions: `operand` is its (negative) number in their code.

    array   the value as a NumPy array of the spec's shape, or None while a single element lies in the table's cell
    origin  None for a leaf; else what computed the value and takes its adjoint, with `slot` there
    owner   keeps the memory of a value without an array alive
    former  the memory that the value had before it got an array of its own; or the source whose memory `.data` shows
    snapshot  a contiguous copy for the sweeps, where `array` is not contiguous
    """

    __slots__ = ("__weakref__", "array", "former", "grad", "hooks", "index", "is_lent", "operand", "origin", "owner", "slot",
                 "snapshot", "spec", "stamp", "storage")

    def __init__(self, spec: Spec, value: Any = None, array: np.ndarray[Any, Any] | None = None, address: int = 0,
                 origin: Any = None, slot: int = 0, owner: Any = None) -> None:
        free = SOURCES.free
        while True:
            try:
                index = free.pop()
                break
            except IndexError:
                SOURCES.grow()
        self.index = index
        self.operand = -index - 1
        self.spec = spec
        self.array = array
        self.origin = origin
        self.slot = slot
        self.owner = owner
        self.former: Any = None
        self.is_lent = False
        self.stamp: object = None
        self.grad: Any = None
        self.hooks: Any = None
        self.storage: Storage | None = None
        self.snapshot = None
        chunk = index >> CHUNK_SHIFT
        offset = (index & (CHUNK_ROWS - 1)) * _ROW_BYTES
        dtype = spec.dtype
        is_cell = array is None and not address
        if is_cell:
            address = SOURCES.bases[chunk] + offset + S_CELL * 8
        elif not address:
            assert array is not None
            if not array.flags.c_contiguous:
                self.snapshot = array = array.copy()
            address = address_of_array(array)
        state = EMPTY if is_cell and origin is None and spec.requires_grad else PYTHON
        _PACK[dtype.name](SOURCES.buffers[chunk], offset, address, value if is_cell else 0, spec.word_bytes, spec.requires_grad,
                          0, 0, CLOCK.now, state, 0.0, dtype.itemsize)
        SOURCES.owners[index] = weakref.ref(self)

    def __del__(self, give_back: Callable[[int], None] = SOURCES.free.append) -> None:
        give_back(self.index)  # a default, since globals are gone when the interpreter ends

    def take_over(self, handle: Any) -> None:
        """From now on `handle` shows this source, where it showed a slot; the slot's segment is locked.

        Other threads may be reading the handle: who finds its segment to be SOURCE must find the rest, too.
        """
        handle.slot = self.operand
        handle.source = self
        handle.segment = SOURCE

    def read(self, column: int) -> int:
        """One field of the row."""
        index = self.index
        return SOURCES.words[index >> CHUNK_SHIFT][(index & (CHUNK_ROWS - 1)) * S_FIELDS + column]

    def write(self, column: int, value: int) -> None:
        """Change one field of the row."""
        index = self.index
        SOURCES.words[index >> CHUNK_SHIFT][(index & (CHUNK_ROWS - 1)) * S_FIELDS + column] = value

    def share(self) -> Storage:
        """The storage whose memory the value is."""
        if self.storage is None:
            with SOURCES.lock:
                if self.storage is None:
                    made = Storage()
                    made.is_exported = self.is_lent
                    made.add(self)
        storage = self.storage
        assert storage is not None
        return storage

    def export(self) -> None:
        """NumPy is given the memory: it may be written behind the tape's back."""
        if isinstance(self.former, Source):
            self.former.export()
        if self.storage is None:
            self.lend()
            return
        self.storage.is_exported = True
        for member in self.storage.members:
            source = member()
            if source is not None:
                source.lend()

    def lend(self) -> None:
        """An instruction that reads this source is to be computed at once.

        It has no stamp, so that the quick paths leave it to the general one, and others pay nothing.
        """
        if not self.is_lent:
            self.is_lent = True
            del self.stamp

    def is_exported(self) -> bool:
        """Whether an array outside still shows the memory, as far as references tell."""
        array = self.array
        while sys.getrefcount(array) <= 3:  # who holds it, the local variable, the argument
            base = array.base  # type: ignore[union-attr]
            if base is None:
                return False
            if type(base) is not np.ndarray:
                return True
            array = base
            del base
        return True

    def withdraw(self) -> None:
        """Nobody outside shows the memory any more."""
        self.is_lent = False
        self.stamp = None

    @property
    def clock(self) -> int:
        """When the memory was written last; else when the source was made."""
        if WRITTEN:
            tell_written()
        return self.read(S_CLOCK)

    def move(self, array: np.ndarray[Any, Any]) -> None:
        """Let the value lie in a contiguous array of its own, a copy of what it was; views that are on the tape show the former
        memory.
        """
        self.former = self.owner
        self.array = array
        self.write(S_ADDRESS, address_of_array(array))
        self.owner = None

    @property
    def address(self) -> int:
        """Where the value lies."""
        return self.read(S_ADDRESS)

    def item(self) -> Any:
        """The value of a single element, as a Python number."""
        if WRITING:
            WRITING.finish()
        if self.array is not None:
            return self.array.item()
        if self.address == self._cell_address(S_CELL):
            return self._cell(S_CELL)
        return self.values().item()

    def values(self) -> np.ndarray[Any, Any]:
        """The value as an array of the spec's shape that shares its memory."""
        if WRITING:
            WRITING.finish()
        if self.array is None:
            with SOURCES.lock:
                if self.array is None:
                    self.array = self._found_array()
        return self.array

    def _found_array(self) -> np.ndarray[Any, Any]:
        spec = self.spec
        index = self.index
        if self.address == self._cell_address(S_CELL):
            cell = np.ndarray(spec.shape, spec.dtype.numpy, SOURCES.buffers[index >> CHUNK_SHIFT],
                              (index & (CHUNK_ROWS - 1)) * _ROW_BYTES + S_CELL * 8)
            # the row may be given to another source while a view of the cell lives on: move the value out of the table
            array = cell.copy()
            self.write(S_ADDRESS, array.__array_interface__["data"][0])
            return array
        memory: Any = (ctypes.c_char * max(spec.nbytes, 1)).from_address(self.address)
        memory.owner = self.owner
        return np.ndarray(spec.shape, spec.dtype.numpy, memory)

    def _cell(self, column: int) -> Any:
        index = self.index
        return _READ[self.spec.dtype.name](SOURCES.buffers[index >> CHUNK_SHIFT],
                                           (index & (CHUNK_ROWS - 1)) * _ROW_BYTES + column * 8)[0]

    def _cell_address(self, column: int) -> int:
        index = self.index
        return SOURCES.bases[index >> CHUNK_SHIFT] + (index & (CHUNK_ROWS - 1)) * _ROW_BYTES + column * 8

    def take_gradient_cell(self) -> Any:
        """The gradient that the sweeps left in the table, or None; from now on Python keeps it. The caller holds ADJOINTS."""
        state = self.read(S_STATE)
        if state == PYTHON:
            return None
        self.write(S_STATE, PYTHON)
        return self._cell(S_GRADIENT) if state == IN_CELL else None

    def give_back_gradient_cell(self) -> None:
        """Let the sweeps accumulate in the table again; the gradient is None."""
        spec = self.spec
        if spec.size == 1 and spec.requires_grad and self.origin is None and self.hooks is None:
            index = self.index
            SOURCES.words[index >> CHUNK_SHIFT][(index & (CHUNK_ROWS - 1)) * S_FIELDS + S_STATE] = EMPTY

    def set_wanted(self, spec: Spec) -> None:
        """Change requires_grad: `spec` is the twin of the present one."""
        self.spec = spec
        self.write(S_WANTED, int(spec.requires_grad))
        self.write(S_STATE, PYTHON)
        self.give_back_gradient_cell()
