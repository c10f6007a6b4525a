"""Reverse passes over a graph of segments."""

from __future__ import annotations

import ctypes
import heapq
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapediff import sweeps
from tapediff.building import build_reverse
from tapediff.forward import flush
from tapediff.freeing import release
from tapediff.kernels.options import entry
from tapediff.leading import Leading
from tapediff.memory import PASSES, SCRATCH, Scratch, address_of, adjoint_array, operand_array, operands_of, slot_array
from tapediff.rules import ARRAYS
from tapediff.tape import layout
from tapediff.tape.kinds import KINDS
from tapediff.tape.segment import Segment
from tapediff.tape.source import ADJOINTS, SOURCES, WRITTEN, Source, tell_written

__all__ = ["Consumed", "Overwritten", "Pass", "scalar_pass"]

_whole_pass = entry(sweeps.whole_pass)
_plan = entry(sweeps.plan)
_reverse = entry(sweeps.reverse)
_accumulate = entry(sweeps.accumulate)


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
    leading   what leads to the inputs, where not everything is to run
    """

    __slots__ = ("capture", "consumers", "deliver", "finished", "leading", "retain", "watched")

    def __init__(self, retain: bool, deliver: Callable[[Source, Any], None], capture: bool = False,
                 watched: dict[Any, dict[int, Callable[[Any], Any]]] | None = None, leading: Leading | None = None) -> None:
        self.leading = leading
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
        leading = self.leading
        while True:
            for origin, slot, adjoint in seeds:
                if leading is not None and not leading.reaches(origin, slot):
                    continue
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
            if leading is not None and leading.ends_at(origin):
                for slot, adjoint in slots.items():
                    self.watched[origin][slot](np.array(adjoint))  # type: ignore[index]
                continue
            found = reverse_segment(origin, slots, self) if type(origin) is Segment else origin.propagate(slots, self)
            for source, adjoint in found:
                if source.origin is None:
                    deliver(source, adjoint)
                else:
                    seeds.append((source.origin, source.slot, adjoint))
        if self.finished:
            with ADJOINTS:
                for segment in self.finished:
                    release(segment)
        for segment in self.consumers:
            segment.consumer = None
        self.finished.clear()
        self.consumers.clear()


def scalar_pass(segment: Segment, slot: int, retain: bool, deliver: Callable[[Source, Any], None]) -> None:
    """`Pass.run` from one scalar slot with adjoint 1: the usual case, in few steps."""
    scratch = SCRATCH.mine
    if segment.hooks or segment.overwritten is not None or scratch.is_busy:
        Pass(retain, deliver).run(((segment, slot, 1.0),))
        return
    if not retain:
        segment.is_open = False
        segment.code = None
    flush(segment)
    batches = segment.batches
    code = batches[0][0] if len(batches) == 1 else segment.whole_code()
    held = len(segment.held) + 1
    if scratch.slots <= slot or scratch.sources <= held:
        scratch.room(slot + 1, held)
    if not scratch.adjoint_bytes:
        scratch.adjoint_room(scratch.usual_bytes)
    clocks = segment.clocks[:]
    found = []
    current = None
    if WRITTEN:
        tell_written()
    with ADJOINTS:
        left = -1
        if not segment.is_released and segment.consumed is None:
            left = _whole_pass(code.buffer_info()[0], slot, len(code) // 3, scratch.frame_at, KINDS.address, SOURCES.address,
                               next(PASSES), clocks.buffer_info()[0], len(clocks) // 2, 0, 0, scratch.adjoint_bytes,
                               segment.addresses_at)
        if left > 0:
            scratch.is_busy = True  # the garbage collector might call a finalizer that runs a pass, too
            pairs = scratch.left
            owners = SOURCES.owners
            for k in range(0, 2 * left, 2):
                source = owners[pairs[k]]()  # type: ignore[misc]
                found.append((source, scratch.hand_out(source.spec, pairs[k + 1])))  # type: ignore[union-attr]
            scratch.is_busy = False
        if left >= 0 and not retain:
            if scratch.frame[layout.FRAME_MISSED] or segment.is_foreign:
                current = Pass(retain, deliver)
                consume(segment, code, scratch.offsets, slot + 1, current)
            else:
                release(segment)
    if left < 0:
        Pass(retain, deliver).run(((segment, slot, 1.0),))
        return
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


def reverse_segment(segment: Segment, slots: dict[int, Any], current: Pass) -> list[tuple[Source, np.ndarray[Any, Any]]]:
    """One reverse pass over a segment from adjoints of some of its slots.

    Returns the adjoints of the sources that Python must handle.
    """
    if not current.retain:
        segment.close()
    flush(segment)
    if WRITTEN:
        tell_written()
    with ADJOINTS:
        if not SCRATCH.mine.is_busy:
            return _reverse_segment(segment, slots, current, SCRATCH.mine)
        # a hook or a finalizer has called us in the middle of a pass, whose adjoints of sources have places in the same table
        places = places_of_adjoints(segment)
        try:
            return _reverse_segment(segment, slots, current, Scratch())
        finally:
            put_back(places)


def places_of_adjoints(segment: Segment) -> list[tuple[Source, int]]:
    """Where the adjoints of a segment's sources lie in the running pass."""
    return [(source, source.read(layout.S_ADJOINT)) for source in segment.held]


def put_back(places: list[tuple[Source, int]]) -> None:
    """Say again where adjoints lie, after another pass had its own in other places."""
    for source, offset in places:
        source.write(layout.S_ADJOINT, offset)


def _reverse_segment(segment: Segment, slots: dict[int, Any], current: Pass,
                     scratch: Scratch) -> list[tuple[Source, np.ndarray[Any, Any]]]:
    retain = current.retain
    top = max(slots) + 1
    if segment.is_released:
        segment.consume_all()
    scratch.is_busy = True
    try:
        code = whole = segment.whole_code()
        if current.leading is not None:
            code = current.leading.code(segment, whole)
        code_at = code.buffer_info()[0]
        clocks = segment.clocks[:]
        overwritten = segment.overwritten_table() if segment.overwritten is not None else None
        if segment.addresses is None:  # the values are gone; instructions that saved nothing do not ask where they were
            segment.addresses = np.zeros(8 * segment.count, np.uint8)
            segment.addresses_at = address_of(segment.addresses)
        scratch.room(top, len(segment.held) + len(slots))
        touched = scratch.touched
        frame, frame_at = scratch.frame, scratch.frame_at
        kinds = KINDS.kinds
        chunks_at = SOURCES.address
        consumed = segment.consumed_table() if segment.consumed and segment.consumer is not current else None
        hooks = segment.hooks
        if current.watched and segment in current.watched:
            hooks = {**(hooks or {}), **current.watched[segment]}
        if hooks and current.leading is not None:
            hooks = {slot: hook for slot, hook in hooks.items() if current.leading.reaches(segment, slot)}
        while True:
            touched[0] = len(slots)
            for position, slot in enumerate(slots, 1):
                touched[position] = slot
            status = _plan(code_at, top, len(code) // 3, frame_at, KINDS.address, chunks_at, next(PASSES),
                           clocks.buffer_info()[0], len(clocks) // 2, 0 if overwritten is None else overwritten.buffer_info()[0],
                           0 if consumed is None else byte_address(consumed), scratch.adjoint_bytes, bool(hooks))
            if status < 0:
                raise (Overwritten if status & 1 == 0 else Consumed)(segment, (-status - 1) // 2)
            if frame[layout.FRAME_LACKING]:
                build_reverse(code)
            elif frame[layout.FRAME_USED] > scratch.adjoint_bytes:
                scratch.adjoint_room(frame[layout.FRAME_USED])
            else:
                break
        base = frame[layout.FRAME_ADJOINTS]
        for slot, adjoint in slots.items():
            spec = kinds[code[3 * slot]].spec
            np.ndarray(spec.shape, spec.dtype.numpy, scratch.adjoints, scratch.offsets[slot] & layout.OFFSET)[...] = adjoint
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
                places = places_of_adjoints(segment)
                ADJOINTS.release()  # a hook may run passes, and wait for other threads that do
                try:
                    run_hook(code, stop, scratch, hooks[stop])
                finally:
                    ADJOINTS.acquire()
                    put_back(places)
        found = []
        if touched[0]:
            left = scratch.left
            owners = SOURCES.owners
            for k in range(_accumulate(frame_at, chunks_at, current.capture)):
                source = owners[left[2 * k]]()  # type: ignore[misc]
                spec = source.spec  # type: ignore[union-attr]
                found.append((source, scratch.hand_out(spec, left[2 * k + 1])))
        if not retain:
            if frame[layout.FRAME_MISSED] or segment.is_foreign or code is not whole:
                consume(segment, code, scratch.offsets, max(slots) + 1, current)
            else:
                current.finished.append(segment)
        return found  # type: ignore[return-value]
    finally:
        scratch.is_busy = False


def byte_address(flags: bytearray) -> int:
    """Where a table of bytes lies."""
    return ctypes.addressof(ctypes.c_char.from_buffer(flags))


def reverse_host(segment: Segment, code: array[int], index: int, scratch: Scratch) -> None:
    """Propagate the adjoint of an instruction whose kernel is a Python function on arrays."""
    kind = KINDS.kinds[code[3 * index]]
    operands = operands_of(code, index, len(kind.operands))
    values = [operand_array(segment, operand, spec) for operand, spec in zip(operands, kind.operands, strict=True)]
    y_bar = adjoint_array(index, kind.spec, scratch)
    y = slot_array(segment, index, kind.spec)
    for position, spec in enumerate(kind.operands):
        if kind.wanted >> min(position, 60) & 1 and spec.requires_grad and kind.row.is_differentiable(position):
            with np.errstate(all="ignore"):
                contribution = kind.row.pullback(ARRAYS, kind.attributes, position, y_bar, y, *values)
                adjoint_array(operands[position], spec, scratch)[...] += contribution


def run_hook(code: array[int], slot: int, scratch: Scratch, hook: Callable[[Any], Any]) -> None:
    """Show the complete adjoint of a slot to a hook, which may return another one."""
    adjoint = adjoint_array(slot, KINDS.kinds[code[3 * slot]].spec, scratch)
    changed = hook(adjoint.copy())
    if changed is not None:
        adjoint[...] = changed


def consume(segment: Segment, code: array[int], offsets: Any, top: int, current: Pass) -> None:
    """Mark what a pass has used up; when nothing is left that could pass an adjoint on, give the segment's memory back."""
    wanted = KINDS.table[np.frombuffer(segment.whole_code(), np.int32)[::3], layout.K_WANTED] != 0
    flags = np.frombuffer(segment.consumed_table(), np.uint8)
    ran = KINDS.table[np.frombuffer(code, np.int32)[::3], layout.K_WANTED] != 0
    flags[:top] |= (np.frombuffer(offsets, np.int64, top) >= 0) & ran[:top]
    segment.consumer = current
    current.consumers.append(segment)
    if np.all(flags[:len(wanted)][wanted] != 0):
        if segment.is_foreign:
            segment.is_finished = True  # its thread will release it
        else:
            current.finished.append(segment)
