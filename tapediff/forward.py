"""The forward sweep: computes the pending instructions of a segment."""

from __future__ import annotations

from array import array
from collections.abc import Container
from struct import pack
from threading import get_ident

import numpy as np

from tapediff import sweeps
from tapediff.building import build_forward
from tapediff.kernels.options import entry
from tapediff.memory import POOL, WORD, Block, address_of, operand_array, operands_of, slot_array, slot_value
from tapediff.tape import layout
from tapediff.tape.kinds import KINDS
from tapediff.tape.segment import Segment
from tapediff.tape.source import CLOCK, SOURCES, WRITING, Source

__all__ = ["compute", "finish_writes", "flush", "leave_tape", "settle_large"]

_run_batch = entry(sweeps.run_batch)
_settle = entry(sweeps.settle)
_forward = entry(sweeps.forward)
_rooms: dict[int, int] = {}  # the bytes that a batch of so many instructions took last
PASSING_BYTES = 1 << 20  # below that finding them costs more than the memory


def flush(segment: Segment) -> None:
    """Compute the values of all pending instructions of `segment`."""
    if len(segment.recorded) // 3 > segment.count:
        if WRITING:
            finish_writes()
        with segment.lock:
            compute(segment)


def finish_writes() -> None:
    """Compute what writes into memory that may be read next, in whichever segments it waits."""
    for segment in list(WRITING):
        with segment.lock:
            compute(segment)


def compute(segment: Segment) -> None:
    """As `flush`, by the thread that holds the segment's lock."""
    recorded = segment.recorded
    total = len(recorded) // 3
    first = segment.count
    if total <= first:
        return
    is_foreign = segment.thread != 0 and segment.thread != get_ident()
    # another thread may be appending to its list
    pending = recorded[3 * first:3 * total] if first or is_foreign or len(recorded) > 3 * total else recorded
    code = array("i", pack(f"{len(pending)}i", *pending))  # half the time of array("i", pending)
    if KINDS.unbuilt:
        build_forward()
    count = total - first
    room = _rooms.get(count, 8 * count)
    if first:
        grow_addresses(segment, total)
        memory = np.empty(room + 64, np.uint8)
        chunk_at = address_of(memory) + 63 & ~63
    else:  # the addresses and the values in one piece
        memory = np.empty(8 * total + room + 64, np.uint8)
        segment.addresses_at = addresses_at = address_of(memory)
        segment.addresses = memory
        segment.address_room = total
        chunk_at = addresses_at + 8 * total + 63 & ~63
    segment.chunks.append(memory)
    addresses_at = segment.addresses_at
    code_at = code.buffer_info()[0]
    kinds_at = KINDS.address
    chunks_at = SOURCES.address
    if segment.unplaced:
        place_large(segment, code, first, is_foreign)
    if segment.targets:
        for index, source in segment.targets.items():
            WORD.from_address(addresses_at + 8 * index).value = source.address
    segment.clocks.extend((first, CLOCK.now))
    position = _run_batch(code_at, first, total, addresses_at, kinds_at, chunks_at, chunk_at, room)
    if position < 0:
        room = -1 - position
        _rooms[count] = room
        if len(_rooms) > 10000:
            _rooms.clear()
        memory = np.empty(room + 64, np.uint8)
        segment.chunks.append(memory)
        _settle(code_at, first, total, addresses_at, kinds_at, chunks_at, address_of(memory) + 63 & ~63)
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
    if segment.targets:
        segment.targets.clear()
        WRITING.discard(segment)
    if not is_foreign and not segment.is_open:
        segment.recorded = []
    if segment.unplaced and (segment.is_on_tape or not is_foreign):
        settle_large(segment)


def forget_instruction(segment: Segment, index: int) -> None:
    """Replace an instruction that failed by one that does nothing, so that the rest of the segment can still be computed."""
    failed = KINDS.kinds[segment.recorded[3 * index]]
    segment.recorded[3 * index] = KINDS.add(layout.ARGUMENT, failed.row, (), failed.spec, failed.attributes, 0, 0, 0, 0).number


def grow_addresses(segment: Segment, total: int) -> None:
    """Make room for the addresses of `total` instructions."""
    if segment.address_room < total:
        grown = np.empty(16 * total, np.uint8)
        grown[:8 * segment.count] = segment.addresses[:8 * segment.count]
        segment.chunks.append(segment.addresses)  # another thread may be reading it
        segment.addresses = grown
        segment.addresses_at = address_of(grown)
        segment.address_room = 2 * total


def place_large(segment: Segment, code: array[int], first: int, is_foreign: bool) -> None:
    """Give the pending large slots arrays of their own; an alias shares the array of what it shows."""
    # an operation that its owner is about to record may read what nothing reads now
    passing: Container[int] = ()
    if segment.large_bytes >= PASSING_BYTES and not is_foreign and (found := passing_values(segment, code, first)):
        passing = found
        room = layout.BLOCK * 8
        memory = np.empty(len(found) * room + 64, np.uint8)
        segment.chunks.append(memory)
        start = address_of(memory) + 63 & ~63
        for position, index in enumerate(found):
            WORD.from_address(segment.addresses_at + 8 * index).value = start + position * room | layout.ONE_BLOCK
            del segment.owners[index]
    for index in segment.unplaced:
        at = 3 * (index - first)
        if at < 0 or at >= len(code) or index in passing:  # placed before; announced, but recorded after this batch began
            continue
        kind = KINDS.kinds[code[at]]
        if kind.kind_class == layout.ALIAS:
            operand = code[at + 1]  # still a position: place comes later
            shown = operand // 3 - 1 if operand > 0 else operand
            known = segment.large.get(shown)
            segment.large[index] = operand_array(segment, shown, kind.operands[0]) if known is None else known
            continue
        block = segment.large[index] = POOL.take(kind.spec.word_bytes)
        WORD.from_address(segment.addresses_at + 8 * index).value = block.address


def passing_values(segment: Segment, code: array[int], first: int) -> set[int]:
    """Which pending large values need no array of their own, since only their own run of element-wise instructions reads them: no
    tensor shows them, no instruction elsewhere reads them, no reverse pass will. One block of memory serves them.
    """
    kinds = KINDS.kinds
    passing = set()
    for index in segment.unplaced:
        if not 0 <= index - first < len(code) // 3:
            continue
        kind = kinds[code[3 * (index - first)]]
        if (kind.kind_class == layout.ELEMENTWISE and kind.spec.nbytes >= PASSING_BYTES and segment.owners[index]() is None
            and not kind.saves & 1):
            passing.add(index)
    if not passing or len(code) > 3 * 512:
        return set()
    run = size = -1  # the first instruction of the present run of long instructions, and their elements
    is_reduced = False  # sums over all elements end a run
    for at in range(0, len(code), 3):
        kind = kinds[code[at]]
        kind_class = kind.kind_class
        if kind_class == layout.ARGUMENT:
            continue
        if kind_class == layout.ELEMENTWISE:
            if kind.spec.size != size or is_reduced:
                run, size = at, kind.spec.size
            is_reduced = False
        elif kind_class == layout.REDUCTION:
            if kind.operands[0].size != size:
                run, size = at, kind.operands[0].size
            is_reduced = True
        else:
            run, size = len(code), -1
        for k in range(len(kind.operands)):
            operand = code[at - k // 2 * 3 + 1 + k % 2]  # still a position: place comes later
            if operand > 0 and (operand // 3 - 1 - first < run // 3 or kind.saves >> 1 >> min(k, 60) & 1):
                passing.discard(operand // 3 - 1)
    return passing


def settle_large(segment: Segment) -> None:
    """Where no gradient is recorded, let large values leave the tape: those that no tensor shows go back to the pool.

    A value that was only just computed waits for the next sweep, since the expression that reads it may still be running.
    """
    count = segment.count
    done = sum(1 for index in segment.unplaced if index < count)
    computed = segment.unplaced[:done]
    del segment.unplaced[:done]  # the same list: its owner may be adding to it
    if segment.is_on_tape:
        return
    earlier, segment.settling = segment.settling, computed
    for index in earlier:
        leave_tape(segment, index)


def leave_tape(segment: Segment, index: int) -> None:
    """Turn a large value that no gradient will pass into a source of its own, or give its memory back."""
    value = segment.large.pop(index, None)
    if value is None:
        return
    tensor = segment.owners.pop(index)()
    spec = KINDS.kinds[segment.kind_number(index)].spec
    if tensor is not None and tensor.segment is segment and tensor.slot == 3 * index + 3:
        source = Source(spec, array=slot_value(value, spec))
        source.take_over(tensor)
        segment.held.append(source)
    elif type(value) is Block:
        POOL.give(value, spec.word_bytes)


def run_host(segment: Segment, code: array[int], first: int, index: int) -> None:
    """Execute an instruction whose kernel is a Python function on arrays."""
    kind = KINDS.kinds[code[3 * (index - first)]]
    KINDS.count_run(kind)
    values = [operand_array(segment, operand, spec)
              for operand, spec in zip(operands_of(code, index - first, len(kind.operands)), kind.operands, strict=True)]
    out = slot_array(segment, index, kind.spec)
    with np.errstate(all="ignore"):
        out[...] = kind.row.forward(kind.attributes, *values)
