"""Running the tape: pending instructions forward, reverse passes over a graph of segments."""

from __future__ import annotations

import ctypes
import heapq
import sys
import threading
from array import array
from collections.abc import Callable, Sequence
from struct import pack
from threading import get_ident
from typing import Any, NamedTuple

import numpy as np

from tapediff import sweeps
from tapediff.kernels.library import KernelSpec, get_library
from tapediff.rules import ARRAYS
from tapediff.tape import layout
from tapediff.tape.kinds import KINDS, Kind
from tapediff.tape.segment import Segment
from tapediff.tape.source import CLOCK, SOURCE, SOURCES, Source
from tapediff.tape.spec import Spec

__all__ = ["Consumed", "Overwritten", "Pass", "flush", "slot_address", "slot_array", "slot_item"]


def _entry(function: Any) -> Any:
    """The compiled function itself, without Numba's dispatch on argument types (100 ns a call, `benchmarks`, 2026-11-22)."""
    return (next(iter(function.overloads.values())).entry_point
            if hasattr(function, "overloads") and function.overloads else function)


_run_batch = _entry(sweeps.run_batch)
_whole_pass = _entry(sweeps.whole_pass)
_settle = _entry(sweeps.settle)
_forward = _entry(sweeps.forward)
_plan = _entry(sweeps.plan)
_clear = _entry(sweeps.clear)
_reverse = _entry(sweeps.reverse)
_accumulate = _entry(sweeps.accumulate)
_address = _entry(sweeps.address)


_WORD = ctypes.c_int64


# --- memory ---------------------------------------------------------------------------------------------------------------------

class Pool:
    """Large arrays that were let go, kept for the next taker of the same size: fresh pages cost more than the arithmetic."""

    KEEP_BYTES = 1 << 28

    def __init__(self) -> None:
        self.free: dict[int, list[np.ndarray[Any, Any]]] = {}
        self.kept = 0

    def take(self, nbytes: int) -> np.ndarray[Any, Any]:
        """An array of `nbytes` bytes; what is in it is undefined."""
        try:
            found = self.free[nbytes].pop()
        except (KeyError, IndexError):
            return np.empty(nbytes, np.uint8)
        self.kept -= nbytes
        return found

    def give(self, memory: np.ndarray[Any, Any]) -> None:
        """Take back an array, unless somebody besides the caller refers to it."""
        if sys.getrefcount(memory) <= 3 and self.kept + memory.nbytes <= self.KEEP_BYTES:
            self.kept += memory.nbytes
            self.free.setdefault(memory.nbytes, []).append(memory)


class Scratch(threading.local):
    """Memory of a thread's reverse passes; the frame tells the compiled sweeps where it lies."""

    def __init__(self) -> None:
        self.frame = (ctypes.c_int64 * layout.FRAME_FIELDS)()
        self.frame_at = ctypes.addressof(self.frame)
        self.slots = self.sources = self.adjoint_bytes = 0
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
            self.adjoint_bytes = nbytes + 4096 if nbytes > HAND_OUT_BYTES else 2 * nbytes + 4096
            memory = np.empty(self.adjoint_bytes + 64, np.uint8)
            start = -_address(memory) & 63  # whole cache lines
            self.adjoints = memory[start:start + self.adjoint_bytes]
            self.frame[layout.FRAME_ADJOINTS] = _address(self.adjoints)


    def hand_out(self, spec: Any, offset: int) -> np.ndarray[Any, Any]:
        """An adjoint as an array to keep: a copy, or the memory itself where it makes up most of what the pass used."""
        adjoint = np.ndarray(spec.shape, spec.dtype.numpy, self.adjoints, offset)
        if spec.nbytes < HAND_OUT_BYTES or 4 * spec.nbytes < self.frame[layout.FRAME_USED]:
            return adjoint.copy()
        self.adjoint_bytes = 0  # the next pass takes other memory
        return adjoint


HAND_OUT_BYTES = 1 << 18
_pool = Pool()
_scratch = Scratch()


# --- forward --------------------------------------------------------------------------------------------------------------------

def flush(segment: Segment) -> None:
    """Compute the values of all pending instructions of `segment`."""
    if len(segment.recorded) // 3 > segment.count:
        with segment.lock:
            compute(segment)


def compute(segment: Segment) -> None:
    """As `flush`, by the thread that holds the segment's lock."""
    recorded = segment.recorded
    total = len(recorded) // 3
    first = segment.count
    if total <= first:
        return
    pending = recorded[3 * first:3 * total] if first or len(recorded) > 3 * total else recorded
    code = array("i", pack(f"{len(pending)}i", *pending))  # half the time of array("i", pending)
    if KINDS.unbuilt:
        build_forward()
    count = total - first
    room = _rooms.get(count, 8 * count)
    if first:
        grow_addresses(segment, total)
        memory = np.empty(room + 64, np.uint8)
        chunk_at = _address(memory) + 63 & ~63
    else:  # the addresses and the values in one piece
        memory = np.empty(8 * total + room + 64, np.uint8)
        segment.addresses_at = addresses_at = _address(memory)
        segment.addresses = memory
        segment.address_room = total
        chunk_at = addresses_at + 8 * total + 63 & ~63
    segment.chunks.append(memory)
    addresses_at = segment.addresses_at
    code_at = code.buffer_info()[0]
    kinds_at = KINDS.address
    chunks_at = SOURCES.address
    if segment.unplaced:
        place_large(segment, code, first)
    segment.clocks.extend((first, CLOCK.now))
    position = _run_batch(code_at, first, total, addresses_at, kinds_at, chunks_at, chunk_at, room)
    if position < 0:
        room = -1 - position
        _rooms[count] = room
        if len(_rooms) > 10000:
            _rooms.clear()
        memory = np.empty(room + 64, np.uint8)
        segment.chunks.append(memory)
        _settle(code_at, first, total, addresses_at, kinds_at, chunks_at, _address(memory) + 63 & ~63)
        position = _forward(code_at, first, first, total, addresses_at, kinds_at, chunks_at)
    while position < total:
        try:
            run_host(segment, code, first, position)
        except BaseException:
            forget_instruction(segment, position)
            raise
        position = _forward(code_at, first, position + 1, total, addresses_at, kinds_at, chunks_at)
    segment.batches.append((code, first))
    segment.count = total
    # another thread must not take away the list that its owner may be appending to
    if not segment.is_open and segment.thread == get_ident():
        segment.recorded = []
    if segment.unplaced:
        settle_large(segment)


def forget_instruction(segment: Segment, index: int) -> None:
    """Replace an instruction that failed by one that does nothing, so that the rest of the segment can still be computed."""
    failed = KINDS.kinds[segment.recorded[3 * index]]
    segment.recorded[3 * index] = KINDS.add(layout.ARGUMENT, failed.row, (), failed.spec, failed.attributes, 0, 0, 0, 0).number


_rooms: dict[int, int] = {}  # the bytes that a batch of so many instructions took last


def grow_addresses(segment: Segment, total: int) -> None:
    """Make room for the addresses of `total` instructions."""
    if segment.address_room < total:
        grown = np.empty(16 * total, np.uint8)
        grown[:8 * segment.count] = segment.addresses[:8 * segment.count]
        segment.chunks.append(segment.addresses)  # another thread may be reading it
        segment.addresses = grown
        segment.addresses_at = _address(grown)
        segment.address_room = 2 * total


def place_large(segment: Segment, code: array[int], first: int) -> None:
    """Give the pending large slots arrays of their own; an alias shares the array of what it shows."""
    passing = passing_values(segment, code, first)
    if passing:
        room = layout.BLOCK * 8 + 704  # not a multiple of 4096: see below
        memory = np.empty(len(passing) * room + 64, np.uint8)
        segment.chunks.append(memory)
        start = _address(memory) + 63 & ~63
        for position, index in enumerate(passing):
            _WORD.from_address(segment.addresses_at + 8 * index).value = start + position * room | layout.ONE_BLOCK
            del segment.owners[index]
    for index in segment.unplaced:
        at = 3 * (index - first)
        if at >= len(code) or index in passing:  # announced, but recorded after this batch began
            continue
        kind = KINDS.kinds[code[at]]
        if kind.kind_class == layout.ALIAS:
            operand = code[at + 1]  # still a position: place comes later
            array_of_operand = operand_array(segment, operand // 3 - 1 if operand > 0 else operand, kind.operands[0])
            segment.large[index] = array_of_operand.reshape(kind.spec.shape)
            continue
        memory = _pool.take(kind.spec.word_bytes + 4096 + 64)
        # cache lines are whole, and arrays do not all start in the same cache set: streams of one offset modulo 4096 evict each
        # other
        offset = (-_address(memory) & 63) + 64 * (index * 11 & 63)
        segment.large[index] = np.ndarray(kind.spec.shape, kind.spec.dtype.numpy, memory, offset)
        _WORD.from_address(segment.addresses_at + 8 * index).value = _address(memory) + offset


PASSING_BYTES = 1 << 20  # below that finding them costs more than the memory


def passing_values(segment: Segment, code: array[int], first: int) -> set[int]:
    """Which pending large values need no array of their own, since only their own run of element-wise instructions reads them: no
    tensor shows them, no instruction elsewhere reads them, no reverse pass will. One block of memory serves them.
    """
    kinds = KINDS.kinds
    passing = set()
    for index in segment.unplaced:
        if 3 * (index - first) >= len(code):
            continue
        kind = kinds[code[3 * (index - first)]]
        if (kind.kind_class == layout.ELEMENTWISE and kind.spec.nbytes >= PASSING_BYTES and segment.owners[index]() is None
            and not kind.saves & 1):
            passing.add(index)
    if not passing or len(code) > 3 * 512:
        return set()
    run = size = -1  # the first instruction of the present run of long instructions, and their size
    for at in range(0, len(code), 3):
        kind = kinds[code[at]]
        kind_class = kind.kind_class
        if kind_class == layout.ARGUMENT:
            continue
        if kind_class != layout.ELEMENTWISE or kind.spec.size != size:
            run, size = (at, kind.spec.size) if kind_class == layout.ELEMENTWISE else (len(code), -1)
        for k in range(len(kind.operands)):
            operand = code[at - k // 2 * 3 + 1 + k % 2]  # still a position: place comes later
            if operand > 0 and (operand // 3 - 1 - first < run // 3 or kind.saves >> 1 >> min(k, 60) & 1):
                passing.discard(operand // 3 - 1)
    return passing


def settle_large(segment: Segment) -> None:
    """Let go of large values that nothing can ask for: no tensor shows them and no adjoint will pass."""
    done = sum(1 for index in segment.unplaced if index < segment.count)
    if not segment.grad_enabled and segment.recorder is None:
        for index in segment.unplaced[:done]:
            if index not in segment.large:
                continue
            tensor = segment.owners.pop(index)()
            value = segment.large.pop(index)
            if tensor is not None and tensor.segment is segment and tensor.slot == 3 * index + 3:
                source = Source(tensor.spec, array=value)
                tensor.source, tensor.segment, tensor.slot = source, SOURCE, source.operand
                segment.held.append(source)
    del segment.unplaced[:done]


def build_forward() -> None:
    """Build the forward kernels of all kinds that have none yet."""
    with KINDS.lock:
        waiting = list(KINDS.unbuilt)
        if waiting:
            specs, kinds = [], []
            for kind in waiting:
                if kind.kind_class == layout.STRUCTURAL:
                    kernel = structural_kernel(kind)
                    KINDS.set_parameters(kind, kernel.parameters(kind))
                    KINDS.set_forward(kind, kernel.forward(kind))
                else:
                    specs.append(kernel_spec(kind, "forward"))
                    kinds.append(kind)
            for kind, address in zip(kinds, get_library().addresses(specs), strict=True):
                KINDS.set_forward(kind, address)
            del KINDS.unbuilt[:len(waiting)]  # only now: until then other threads must wait for the lock


def build_reverse(code: array[int]) -> None:
    """Build the reverse kernels that instructions of `code` lack."""
    with KINDS.lock:
        specs, kinds = [], []
        for number in KINDS.lacks_reverse(np.unique(np.frombuffer(code, np.int32)[::3])):
            kind = KINDS.kinds[number]
            if kind.kind_class in (layout.ELEMENTWISE, layout.ALIAS):
                spec = kernel_spec(kind, "reverse")
                specs += [spec, spec._replace(same=(0, 0)) if KINDS.has_same(kind) else spec]
                kinds.append(kind)
            else:
                address = structural_kernel(kind).reverse(kind)
                KINDS.set_reverse(kind, address, address)
        addresses = get_library().addresses(specs)
        for kind, plain, same in zip(kinds, addresses[::2], addresses[1::2], strict=True):
            KINDS.set_reverse(kind, plain, same if KINDS.has_same(kind) else 0)


def structural_kernel(kind: Kind) -> Any:
    """The compiled kernels of a structural kind; the module is loaded when the first one is needed."""
    from tapediff.kernels.structural import KERNELS
    return KERNELS[kind.row.kernel]


def kernel_spec(kind: Kind, which: str) -> KernelSpec:
    """What the kernel library needs to know of an element-wise kind, or of an alias."""
    name = "positive" if kind.kind_class == layout.ALIAS else kind.row.name  # an alias passes its adjoint on unchanged
    return KernelSpec(name, which, tuple(spec.dtype.name for spec in kind.operands), kind.spec.dtype.name, kind.scalars,
                      kind.wanted if which == "reverse" else 0)


def slot_address(segment: Segment, index: int) -> int:
    """Where the computed value of an instruction lies."""
    found: int = _WORD.from_address(segment.addresses_at + 8 * index).value
    return found


def slot_array(segment: Segment, index: int, spec: Spec) -> np.ndarray[Any, Any]:
    """The computed value of an instruction, sharing the tape's memory; whoever keeps it keeps the memory alive."""
    large = segment.large.get(index)
    if large is not None:
        return large.reshape(spec.shape)
    return array_at(slot_address(segment, index), spec, segment.chunks)


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
    return _READERS[spec.dtype.name](_WORD.from_address(segment.addresses_at + 8 * index).value).value


def operands_of(code: Any, index: int, arity: int) -> list[int]:
    """All operands of an instruction: two in itself, two more in each ARGUMENT instruction before it."""
    return [code[3 * (index - k // 2) + 1 + k % 2] for k in range(arity)]


def operand_array(segment: Segment, operand: int, spec: Spec) -> np.ndarray[Any, Any]:
    """The value of an operand, sharing its memory."""
    if operand >= 0:
        return slot_array(segment, operand, spec)
    source = _source(operand)
    if source.array is not None:
        return source.array if source.snapshot is None else source.snapshot
    return array_at(source.address, spec, source.owner or source)


def _source(operand: int) -> Source:
    owner = SOURCES.owners[-operand - 1]
    found = owner() if owner is not None else None
    assert found is not None, "a segment reads a source that it does not hold"
    return found


def run_host(segment: Segment, code: array[int], first: int, index: int) -> None:
    """Execute an instruction whose kernel is a Python function on arrays."""
    kind = KINDS.kinds[code[3 * (index - first)]]
    values = [operand_array(segment, operand, spec)
              for operand, spec in zip(operands_of(code, index - first, len(kind.operands)), kind.operands, strict=True)]
    out = slot_array(segment, index, kind.spec)
    with np.errstate(all="ignore"):
        out[...] = kind.row.forward(kind.attributes, *values)


# --- reverse --------------------------------------------------------------------------------------------------------------------

_passes = iter(range(1, 1 << 62))


class Consumed(Exception):
    """An instruction was used up by an earlier pass."""


class Overwritten(Exception):
    """A saved value was changed in place."""


class Pass:
    """One backward pass over a graph of segments and nodes.

    retain    whether the graph may be used again
    capture   whether the adjoints of all leaves go to `deliver`; else those of scalar leaves are added to the source table
    deliver   gets every leaf source that was reached, with its adjoint as an array that it may keep
    watched   slots of segments whose complete adjoints somebody wants: (segment, slot) -> function of the adjoint
    """

    __slots__ = ("capture", "consumers", "deliver", "finished", "retain", "watched")

    def __init__(self, retain: bool, deliver: Callable[[Source, Any], None], capture: bool = False,
                 watched: dict[Any, dict[int, Callable[[Any], Any]]] | None = None) -> None:
        self.retain = retain
        self.deliver = deliver
        self.capture = capture
        self.watched = watched
        self.finished: list[Segment] = []
        self.consumers: list[Segment] = []

    def run(self, seeds: Sequence[tuple[Any, int, Any]]) -> None:
        """Propagate adjoints from seeds (origin, slot, adjoint array or number) to leaves.

        An origin is a Segment or whatever else has `number` and `propagate`. What was computed later is propagated earlier.
        """
        waiting: dict[int, dict[int, Any]] = {}
        origins: dict[int, Any] = {}
        order: list[int] = []
        deliver = self.deliver
        while True:
            for origin, slot, adjoint in seeds:
                number = origin.number
                slots = waiting.get(number)
                if slots is None:
                    waiting[number] = {slot: adjoint}
                    origins[number] = origin
                    heapq.heappush(order, -number)
                else:
                    known = slots.get(slot)
                    slots[slot] = adjoint if known is None else known + adjoint
            if not order:
                break
            number = -heapq.heappop(order)
            slots = waiting.pop(number)
            origin = origins.pop(number)
            seeds = []
            found = reverse_segment(origin, slots, self) if type(origin) is Segment else origin.propagate(slots, self)
            for source, adjoint in found:
                if source.origin is None:
                    deliver(source, adjoint)
                else:
                    seeds.append((source.origin, source.slot, adjoint))
        for segment in self.finished:
            release(segment)
        for segment in self.consumers:
            segment.consumer = None
        self.finished.clear()
        self.consumers.clear()


def scalar_pass(segment: Segment, slot: int, retain: bool, deliver: Callable[[Source, Any], None]) -> None:
    """`Pass.run` from one scalar slot with adjoint 1: the usual case, in few steps."""
    if (segment.is_released or segment.hooks or segment.consumed is not None or segment.overwritten is not None
        or _scratch.is_busy):
        Pass(retain, deliver).run(((segment, slot, 1.0),))
        return
    if not retain:
        segment.is_open = False
        segment.code = None
    flush(segment)
    scratch = _scratch
    held = len(segment.held) + 1
    if scratch.slots <= slot or scratch.sources <= held:
        scratch.room(slot + 1, held)
    batches = segment.batches
    code = batches[0][0] if len(batches) == 1 else segment.whole_code()
    with _reverse_lock:
        clocks = segment.clocks
        left = _whole_pass(code.buffer_info()[0], slot, segment.count, scratch.frame_at, KINDS.address, SOURCES.address,
                           next(_passes), clocks.buffer_info()[0], len(clocks) // 2, 0, 0, scratch.adjoint_bytes,
                           segment.addresses_at)
        found = []
        if left > 0:
            pairs = scratch.left
            owners = SOURCES.owners
            for k in range(0, 2 * left, 2):
                source = owners[pairs[k]]()  # type: ignore[misc]
                found.append((source, scratch.hand_out(source.spec, pairs[k + 1])))  # type: ignore[union-attr]
    if left < 0:
        Pass(retain, deliver).run(((segment, slot, 1.0),))
        return
    current = None
    if not retain:
        if scratch.frame[layout.FRAME_MISSED]:
            current = Pass(retain, deliver)
            consume(segment, code, scratch.offsets, slot + 1, current)
        else:
            release(segment)
    seeds = []  # from here on hooks may run, and passes of their own
    for source, adjoint in found:
        if source.origin is None:  # type: ignore[union-attr]
            deliver(source, adjoint)  # type: ignore[arg-type]
        else:
            seeds.append((source.origin, source.slot, adjoint))  # type: ignore[union-attr]
    if seeds and current is None:
        current = Pass(retain, deliver)
    if current is not None:
        current.run(seeds)


# The source table has one place for the adjoint of a leaf, and leaves are shared by threads: one reverse pass at a time looks at
# it.
_reverse_lock = threading.RLock()


def reverse_segment(segment: Segment, slots: dict[int, Any], current: Pass) -> list[tuple[Source, np.ndarray[Any, Any]]]:
    """One reverse pass over a segment from adjoints of some of its slots.

    Returns the adjoints of the sources that Python must handle.
    """
    with _reverse_lock:
        return _reverse_segment(segment, slots, current)


def _reverse_segment(segment: Segment, slots: dict[int, Any], current: Pass) -> list[tuple[Source, np.ndarray[Any, Any]]]:
    retain = current.retain
    if not retain:
        segment.close()
    flush(segment)
    top = max(slots) + 1
    if segment.is_released:
        segment.consume_all()
    scratch = Scratch() if _scratch.is_busy else _scratch
    scratch.is_busy = True
    try:
        code = segment.whole_code()
        code_at = code.buffer_info()[0]
        if segment.addresses is None:  # the values are gone; instructions that saved nothing do not ask where they were
            segment.addresses = np.zeros(8 * segment.count, np.uint8)
            segment.addresses_at = _address(segment.addresses)
        scratch.room(top, len(segment.held) + len(slots))
        touched = scratch.touched
        frame, frame_at = scratch.frame, scratch.frame_at
        kinds = KINDS.kinds
        chunks_at = SOURCES.address
        consumed = segment.consumed
        hooks = segment.hooks
        if current.watched and segment in current.watched:
            hooks = {**(hooks or {}), **current.watched[segment]}
        while True:
            touched[0] = len(slots)
            for position, slot in enumerate(slots, 1):
                touched[position] = slot
            status = _plan(code_at, top, segment.count, frame_at, KINDS.address, chunks_at, next(_passes),
                           segment.clocks.buffer_info()[0], len(segment.clocks) // 2,
                           overwritten_address(segment) if segment.overwritten is not None else 0,
                           byte_address(consumed, segment) if consumed and segment.consumer is not current else 0,
                           scratch.adjoint_bytes, bool(hooks))
            if status < 0:
                raise (Overwritten if status & 1 == 0 else Consumed)(segment, (-status - 1) // 2)
            if not frame[layout.FRAME_LACKING]:
                break
            build_reverse(code)
        used = frame[layout.FRAME_USED]
        if used > scratch.adjoint_bytes:
            scratch.adjoint_room(used)
            _clear(frame[layout.FRAME_ADJOINTS], used)
        base = frame[layout.FRAME_ADJOINTS]
        for slot, adjoint in slots.items():
            spec = kinds[code[3 * slot]].spec
            np.ndarray(spec.shape, spec.dtype.numpy, scratch.adjoints, scratch.offsets[slot])[...] = adjoint
        kinds_at = KINDS.address
        addresses_at = segment.addresses_at
        offsets_at = frame[layout.FRAME_OFFSETS]
        for stop in ([*sorted((slot for slot in hooks if slot < top and scratch.offsets[slot] >= 0), reverse=True), -1]
                     if hooks else (-1,)):
            while True:
                top = _reverse(code_at, top, stop + 1, addresses_at, offsets_at, base, kinds_at, chunks_at)
                if top == stop + 1:
                    break
                top -= 1
                reverse_host(segment, code, top, scratch)
            if hooks and stop >= 0:
                places = [(source, source.read(layout.S_ADJOINT)) for source in segment.held]
                run_hook(segment, code, stop, scratch, hooks[stop])
                for source, offset in places:  # a pass that the hook ran may have had its own adjoints there
                    source.write(layout.S_ADJOINT, offset)
        found = []
        if touched[0]:
            left = scratch.left
            owners = SOURCES.owners
            for k in range(_accumulate(frame_at, chunks_at, current.capture)):
                source = owners[left[2 * k]]()  # type: ignore[misc]
                spec = source.spec  # type: ignore[union-attr]
                found.append((source, scratch.hand_out(spec, left[2 * k + 1])))
        if not retain:
            if frame[layout.FRAME_MISSED]:
                consume(segment, code, scratch.offsets, max(slots) + 1, current)
            else:
                current.finished.append(segment)
        return found  # type: ignore[return-value]
    finally:
        scratch.is_busy = False


def byte_address(flags: bytearray, segment: Segment) -> int:
    """The address of a byte per instruction, grown to the segment's length."""
    if len(flags) < segment.count:
        flags.extend(bytes(segment.count - len(flags)))
    return ctypes.addressof(ctypes.c_char.from_buffer(flags))


def overwritten_address(segment: Segment) -> int:
    """Where the segment's table of overwritten values lies."""
    segment.grow_overwritten()
    assert segment.overwritten is not None
    return segment.overwritten.buffer_info()[0]


def is_overwritten_at(segment: Segment, operand: int, reader: int) -> bool:
    """As the compiled `is_overwritten`, for instruction `reader` of a computed segment."""
    while operand >= 0:
        if segment.overwritten is not None and operand < len(segment.overwritten) and segment.overwritten[operand] > reader:
            return True
        code = segment.whole_code()
        if KINDS.kinds[code[3 * operand]].kind_class != layout.ALIAS:
            return False
        operand = code[3 * operand + 1]
    clocks = segment.clocks
    clock = next(clocks[k + 1] for k in range(len(clocks) - 2, -2, -2) if clocks[k] <= reader)
    return _source(operand).read(layout.S_CLOCK) > clock


class OverwrittenValue(NamedTuple):
    """What an error message says of a value that was changed in place."""

    dtype: Any
    shape: tuple[int, ...]
    origin: str
    version: int
    expected: int


def overwritten_operand(segment: Segment, reader: int) -> OverwrittenValue:
    """Which of the values that an instruction saved was changed in place."""
    code = segment.whole_code()
    kind = KINDS.kinds[code[3 * reader]]
    saves = int(KINDS.table[kind.number, layout.K_SAVES])
    saved = [(operand, spec)
             for position, (operand, spec) in enumerate(zip(operands_of(code, reader, len(kind.operands)), kind.operands,
                                                            strict=True))
             if saves >> 1 >> min(position, 60) & 1]
    if saves & 1:
        saved.append((reader, kind.spec))
    operand, spec = next((operand, spec) for operand, spec in saved if is_overwritten_at(segment, operand, reader))
    while operand >= 0 and operand not in segment.versions:  # an alias: what was written is the memory that it shows
        operand = code[3 * operand + 1]
    if operand >= 0:
        version = segment.versions[operand]
        name = KINDS.kinds[code[3 * operand]].grad_fn
        return OverwrittenValue(spec.dtype, spec.shape, f", which is output 0 of {name}", version, version - 1)
    source = _source(operand)
    storage = source.storage
    version = storage.version if storage is not None else 1
    clock = next(segment.clocks[k + 1] for k in range(len(segment.clocks) - 2, -2, -2) if segment.clocks[k] <= reader)
    since = sum(1 for time in storage.writes if time > clock) if storage is not None else 1
    return OverwrittenValue(spec.dtype, spec.shape, "", version, version - since)


def adjoint_array(segment: Segment, operand: int, spec: Spec, scratch: Scratch) -> np.ndarray[Any, Any]:
    """The adjoint of an operand in the running pass, sharing its memory."""
    offset = scratch.offsets[operand] if operand >= 0 else _source(operand).read(layout.S_ADJOINT)
    return np.ndarray(spec.shape, spec.dtype.numpy, scratch.adjoints, offset)


def reverse_host(segment: Segment, code: array[int], index: int, scratch: Scratch) -> None:
    """Propagate the adjoint of an instruction whose kernel is a Python function on arrays."""
    kind = KINDS.kinds[code[3 * index]]
    operands = operands_of(code, index, len(kind.operands))
    values = [operand_array(segment, operand, spec) for operand, spec in zip(operands, kind.operands, strict=True)]
    y_bar = adjoint_array(segment, index, kind.spec, scratch)
    y = slot_array(segment, index, kind.spec)
    for position, spec in enumerate(kind.operands):
        if kind.wanted >> min(position, 60) & 1 and spec.requires_grad and kind.row.is_differentiable(position):
            with np.errstate(all="ignore"):
                contribution = kind.row.pullback(ARRAYS, kind.attributes, position, y_bar, y, *values)
                adjoint_array(segment, operands[position], spec, scratch)[...] += contribution


def run_hook(segment: Segment, code: array[int], slot: int, scratch: Scratch, hook: Callable[[Any], Any]) -> None:
    """Show the complete adjoint of a slot to a hook, which may return another one."""
    adjoint = adjoint_array(segment, slot, KINDS.kinds[code[3 * slot]].spec, scratch)
    changed = hook(adjoint.copy())
    if changed is not None:
        adjoint[...] = changed


KEPT_BYTES = 1 << 13  # values that a kept loss may hold


def keep_value_only(tensor: Any) -> None:
    """After a pass: where a tensor of one element is all that shows a released segment, keep its value alone.

    The memory of the other values is given back.
    """
    segment = tensor.segment
    # references: the tensor, the local variable, the argument
    if (segment is SOURCE or not segment.is_released or sys.getrefcount(segment) > 3
            or sum(chunk.nbytes for chunk in segment.chunks) < KEPT_BYTES):
        return
    index = tensor.slot // 3 - 1
    source = Source(tensor.spec, array=slot_array(segment, index, tensor.spec).copy(), origin=segment, slot=index)
    tensor.source, tensor.segment, tensor.slot = source, SOURCE, source.operand
    segment.chunks = []
    segment.addresses = None


def consume(segment: Segment, code: array[int], offsets: Any, top: int, current: Pass) -> None:
    """Mark what a pass has used up; when nothing is left that could pass an adjoint on, give the segment's memory back."""
    if segment.consumed is None:
        segment.consumed = bytearray(segment.count)
    byte_address(segment.consumed, segment)
    flags = np.frombuffer(segment.consumed, np.uint8)
    flags[:top] |= np.frombuffer(offsets, np.int64, top) >= 0
    wanted = KINDS.table[np.frombuffer(code, np.int32)[::3], layout.K_WANTED] != 0
    segment.consumer = current
    current.consumers.append(segment)
    if np.all(flags[wanted] != 0):
        current.finished.append(segment)


def forget_unreached(segment: Segment) -> None:
    """When a segment is full: of the earlier segments that only its sources keep alive, drop what those sources do not depend on.

    A chain of evaluations that nobody differentiates would otherwise hold its whole history, where one of them lies across a
    boundary.
    """
    slots: dict[Any, list[int]] = {}
    for source in segment.held:
        if type(source.origin) is Segment:
            slots.setdefault(source.origin, []).append(source.slot)
    while slots:
        origin, wanted = slots.popitem()
        # references: the sources' origins, the local variable, the argument
        if sys.getrefcount(origin) > len(wanted) + 2 or not origin.batches or not origin.held:
            continue
        code = origin.whole_code()
        scratch = Scratch()
        scratch.room(origin.count, len(origin.held) + len(wanted) + 1)
        scratch.touched[0] = len(wanted)
        for position, slot in enumerate(wanted, 1):
            scratch.touched[position] = slot
        if _plan(code.buffer_info()[0], origin.count, origin.count, scratch.frame_at, KINDS.address, SOURCES.address,
                 next(_passes), origin.clocks.buffer_info()[0], len(origin.clocks) // 2, 0, 0, 0, 0) == 0:
            reached = set(scratch.touched[1:scratch.touched[0] + 1])
            origin.held = [source for source in origin.held if source.origin is None or source.index in reached]


def release(segment: Segment) -> None:
    """Give back the values that only reverse passes need; those that tensors show stay.

    The code stays: another pass may reach instructions that saved nothing.
    """
    segment.is_released = True
    segment.consumed = None
    if len(segment.held) < 64:  # constants and data: what saved them is refused from now on
        segment.held = [source for source in segment.held if source.spec.requires_grad]
    segment.recorded = []
    if not segment.owners and not segment.large:
        return
    for index, owner in segment.owners.items():
        tensor = owner()
        value = segment.large[index]
        if tensor is not None and tensor.segment is segment and tensor.slot == 3 * index + 3:
            source = Source(tensor.spec, array=value, origin=segment, slot=index)
            tensor.source, tensor.segment, tensor.slot = source, SOURCE, source.operand
    segment.owners.clear()
    while segment.large:
        value = segment.large.popitem()[1]
        memory = value.base
        del value
        _pool.give(memory)
