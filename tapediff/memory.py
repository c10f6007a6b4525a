"""Where values and adjoints lie: pooled arrays, scratch memory of passes, and the addresses of slots as arrays."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff import sweeps
from tapediff.kernels.options import entry
from tapediff.tape import layout
from tapediff.tape.segment import Segment
from tapediff.tape.source import SOURCES, Source
from tapediff.tape.spec import Spec

__all__ = ["PASSES", "POOL", "SCRATCH", "WORD", "Block", "Pool", "Scratch", "address_of", "adjoint_array", "array_at",
           "operand_array", "operands_of", "slot_address", "slot_array", "slot_item", "slot_value", "source_named"]

address_of = entry(sweeps.address)
WORD = ctypes.c_int64
HAND_OUT_BYTES = 1 << 18
PASSES = iter(range(1, 1 << 62))  # every reverse pass has a number of its own


class Block:
    """Memory of one large value: bytes, and where in them the value starts, on a whole cache line."""

    __slots__ = ("address", "memory", "offset")

    def __init__(self, nbytes: int) -> None:
        self.memory = np.empty(nbytes + 64, np.uint8)
        start = address_of(self.memory)
        self.offset = -start & 63
        self.address = start + self.offset

    def array(self, spec: Spec) -> np.ndarray[Any, Any]:
        """The value as an array, which keeps the memory."""
        return np.ndarray(spec.shape, spec.dtype.numpy, self.memory, self.offset)


class Pool:
    """Blocks that were let go, kept for the next taker of the same size: fresh pages cost more than the arithmetic."""

    KEEP_BYTES = 1 << 28

    def __init__(self) -> None:
        self.free: dict[int, list[Block]] = {}
        self.kept = 0
        self.lock = threading.Lock()

    def take(self, nbytes: int) -> Block:
        """A block of `nbytes` bytes; what is in it is undefined."""
        try:
            found = self.free[nbytes].pop()
        except (KeyError, IndexError):
            return Block(nbytes)
        with self.lock:
            self.kept -= nbytes
        return found

    def give(self, block: Block, nbytes: int) -> None:
        """Take back a block of `nbytes` bytes, unless an array or somebody besides the caller's local variable refers to it."""
        if sys.getrefcount(block) <= 3 and sys.getrefcount(block.memory) <= 2 and self.kept + nbytes <= self.KEEP_BYTES:
            with self.lock:
                self.kept += nbytes
            free = self.free.get(nbytes)
            if free is None:
                free = self.free.setdefault(nbytes, [])
            free.append(block)


class Scratch:
    """Memory of a reverse pass; the frame tells the compiled sweeps where it lies."""

    def __init__(self) -> None:
        self.frame = (ctypes.c_int64 * layout.FRAME_FIELDS)()
        self.frame_at = ctypes.addressof(self.frame)
        self.slots = self.sources = self.adjoint_bytes = self.usual_bytes = 0
        self.lent: list[np.ndarray[Any, Any]] = []  # memory that was handed out
        self.is_busy = False

    def room(self, slots: int, sources: int) -> None:
        """Make the tables large enough."""
        if self.slots < slots:
            self.slots = 2 * slots + 64
            self.offsets = (ctypes.c_int64 * self.slots)()
            self.frame[layout.FRAME_OFFSETS] = ctypes.addressof(self.offsets)
        if self.sources < sources:
            self.sources = 2 * sources + 64
            self.touched = (ctypes.c_int64 * self.sources)()
            self.left = (ctypes.c_int64 * (2 * self.sources))()
            self.frame[layout.FRAME_TOUCHED] = ctypes.addressof(self.touched)
            self.frame[layout.FRAME_LEFT] = ctypes.addressof(self.left)

    def adjoint_room(self, nbytes: int) -> None:
        """Make the adjoint memory large enough."""
        if self.adjoint_bytes < nbytes:
            self.adjoints = np.empty(0, np.uint8)
            self.adjoints = self._returned(nbytes)
            self.adjoint_bytes = self.adjoints.nbytes
            self.usual_bytes = nbytes
            self.frame[layout.FRAME_ADJOINTS] = address_of(self.adjoints)

    def _returned(self, nbytes: int) -> np.ndarray[Any, Any]:
        """Memory that was handed out and that nobody shows any more, for fresh pages cost more than the arithmetic; or fresh."""
        for position in range(len(self.lent)):
            # references to what an array refers to as its base: the memory in the list, the argument
            if nbytes <= self.lent[position].nbytes <= 2 * nbytes and sys.getrefcount(self.lent[position].base) <= 2:
                return self.lent.pop(position)
        room = nbytes + 4096 if nbytes > HAND_OUT_BYTES else 2 * nbytes + 4096
        memory = np.empty(room + 64, np.uint8)
        start = -address_of(memory) & 63  # whole cache lines
        return memory[start:start + room]

    def hand_out(self, spec: Any, offset: int) -> np.ndarray[Any, Any]:
        """An adjoint as an array to keep: a copy, or the memory itself where it makes up most of what the pass used."""
        adjoint = np.ndarray(spec.shape, spec.dtype.numpy, self.adjoints, offset)
        if spec.nbytes < HAND_OUT_BYTES or 4 * spec.nbytes < self.frame[layout.FRAME_USED]:
            return adjoint.copy()
        if self.adjoint_bytes:
            self.adjoint_bytes = 0  # the next pass takes other memory
            self.lent = [*self.lent[-3:], self.adjoints]
        return adjoint


class ThreadScratch(threading.local):
    """The scratch memory of each thread."""

    def __init__(self) -> None:
        self.mine = Scratch()


POOL = Pool()
SCRATCH = ThreadScratch()


def slot_address(segment: Segment, index: int) -> int:
    """Where the computed value of an instruction lies."""
    found: int = WORD.from_address(segment.addresses_at + 8 * index).value
    return found


def slot_array(segment: Segment, index: int, spec: Spec) -> np.ndarray[Any, Any]:
    """The computed value of an instruction, sharing the tape's memory; whoever keeps it keeps the memory alive."""
    large = segment.large.get(index)
    if large is not None:
        return slot_value(large, spec)
    return array_at(slot_address(segment, index), spec, segment.chunks)


def slot_value(large: Any, spec: Spec) -> np.ndarray[Any, Any]:
    """A large value as an array: a block of memory, or for an alias of a source the array that it shows."""
    found: np.ndarray[Any, Any] = large.array(spec) if type(large) is Block else large.reshape(spec.shape)
    return found


def array_at(address: int, spec: Spec, owner: Any = None) -> np.ndarray[Any, Any]:
    """The memory at `address` as an array."""
    if not spec.size:
        return np.empty(spec.shape, spec.dtype.numpy)
    memory: Any = (ctypes.c_char * spec.nbytes).from_address(address)
    memory.owner = owner
    return np.ndarray(spec.shape, spec.dtype.numpy, memory)


_READERS: dict[str, Callable[[int], Any]] = {
    name: type_.from_address for name, type_ in (("float64", ctypes.c_double), ("float32", ctypes.c_float),
                                                 ("int64", ctypes.c_int64),
                                                 ("int32", ctypes.c_int32), ("bool", ctypes.c_bool))
}


def slot_item(segment: Segment, index: int, spec: Spec) -> Any:
    """The one element of a computed slot as a Python number."""
    return _READERS[spec.dtype.name](WORD.from_address(segment.addresses_at + 8 * index).value).value


def operands_of(code: Any, index: int, arity: int) -> list[int]:
    """All operands of an instruction: two in itself, two more in each ARGUMENT instruction before it."""
    return [code[3 * (index - k // 2) + 1 + k % 2] for k in range(arity)]


def operand_array(segment: Segment, operand: int, spec: Spec) -> np.ndarray[Any, Any]:
    """The value of an operand, sharing its memory."""
    if operand >= 0:
        return slot_array(segment, operand, spec)
    source = source_named(operand)
    if source.array is not None:
        return source.array if source.snapshot is None else source.snapshot
    return array_at(source.address, spec, source.owner or source)


def source_named(operand: int) -> Source:
    owner = SOURCES.owners[-operand - 1]
    found = owner() if owner is not None else None
    assert found is not None, "a segment reads a source that it does not hold"
    return found


def adjoint_array(operand: int, spec: Spec, scratch: Scratch) -> np.ndarray[Any, Any]:
    """The adjoint of an operand in the running pass, sharing its memory."""
    offset = scratch.offsets[operand] & layout.OFFSET if operand >= 0 else source_named(operand).read(layout.S_ADJOINT)
    return np.ndarray(spec.shape, spec.dtype.numpy, scratch.adjoints, offset)
